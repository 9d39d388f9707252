/* arrow_frames.c: see arrow_frames.h. */
#include "support/arrow_frames.h"

#include <stdio.h>

#include "frame/frame.h"
#include "frame/frame_change.h"
#include "support/arrow_trees.h"
#include "support/failing_memory.h"
#include "support/graphs.h"

/* Key `i`: each kind in turn; every seventh again in another source. Texts have every length from none on, and all of Unicode's. */
static sl_key make_key(uint32_t i, char room[32]) {
    uint32_t number = i / 4;
    switch (i % 4) {
    case 0: return (sl_key){.kind = SL_KEY_U32, .number = number * UINT32_C(2654435761)};
    case 1: return (sl_key){.kind = SL_KEY_U64, .number = (UINT64_C(1) << 32) + number * UINT64_C(0x9E3779B97F4A7)};
    case 2: snprintf(room, 32, "%s%u", number % 2 ? "\xC3\xA9\xF0\x9F\x90\xA6 " : "", number); break;
    default: snprintf(room, 32, "\xFF%c%u", 0, number); break;
    }
    uint32_t length = i % 4 == 2 ? (number == 0 ? 0 : (uint32_t)strlen(room)) : 2 + (uint32_t)strlen(room + 2);
    return (sl_key){.kind = i % 4 == 2 ? SL_KEY_STRING : SL_KEY_BYTES, .length = length, .bytes = (uint8_t *)room};
}

static void intern(sl_context *context, uint32_t num_records, uint64_t seed) {
    static const char *const names[] = {"crm", "", "\xE5\xBA\x97"};
    sl_key *keys = fresh_memory(num_records, sizeof *keys);
    uint16_t *sources = fresh_memory(num_records, sizeof *sources), id;
    uint32_t *indices = fresh_memory(num_records, sizeof *indices);
    char *rooms = fresh_memory(num_records, 32);
    EXPECT_OK(sl_context_add_source(context, "unused", 6, &id, &expect_error));
    for (int i = 0; i < 3; i++)
        EXPECT_OK(sl_context_add_source(context, names[i], strlen(names[i]), &id, &expect_error));
    for (uint32_t i = 0; i < num_records; i++) {
        bool again = i % 7 == 6; /* the key six records before, in another source */
        keys[i] = make_key(again ? i - 6 : i, rooms + 32 * i);
        sources[i] = (uint16_t)(again ? 3 : 1 + (seed + i / 5) % 2);
    }
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = num_records, .values = keys},
                                  .sources = sources};
    EXPECT_OK(sl_context_intern(context, &column, indices, NULL, &expect_error));
    assert_int_equal(sl_context_num_records(context), num_records);
    free(keys);
    free(sources);
    free(indices);
    free(rooms);
}

sl_frame *arrow_frame_make(uint32_t num_records, uint64_t seed) {
    sl_frame *frame;
    sl_frame_change *change;
    sl_context *context;
    uint32_t *given = fresh_memory(num_records, sizeof *given);
    EXPECT_OK(sl_frame_create(&frame, &expect_error));
    EXPECT_OK(sl_frame_begin(frame, &change, &expect_error));
    EXPECT_OK(sl_frame_change_context(change, &context, &expect_error));
    intern(context, num_records, seed);
    for (uint32_t i = 0; i < num_records; i++) given[i] = i;
    EXPECT_OK(sl_frame_change_give(change, given, num_records - num_records / 3, &expect_error));
    EXPECT_OK(sl_frame_change_commit(change, NULL, &expect_error));
    free(given);
    return frame;
}

void arrow_frame_add(sl_frame *frame, const char *name, uint32_t num_records, uint32_t decimals, sl_scale scale,
                     uint64_t seed) {
    sl_frame_change *change;
    sl_hierarchy *hierarchy;
    const sl_build_options options = {.decimals = decimals, .exact = decimals == 0, .scale = scale};
    graph g = graph_make((graph_shape)(seed % GRAPH_NUM_SHAPES), num_records, num_records ? 2 * num_records : 0,
                         seed % 3 ? 20 : 0, seed);
    for (uint64_t i = 0; i < g.num_edges && scale == SL_SCALE_WEIGHT; i++) g.scores[i] = 40 * g.scores[i] - 20;
    EXPECT_OK(sl_hierarchy_build(num_records, g.left, g.right, g.scores, num_records ? g.num_edges : 0, &options,
                                 &hierarchy, &expect_error));
    EXPECT_OK(sl_frame_begin(frame, &change, &expect_error));
    EXPECT_OK(sl_frame_change_add(change, name, strlen(name), hierarchy, decimals, NULL, &expect_error));
    EXPECT_OK(sl_frame_change_commit(change, NULL, &expect_error));
    sl_hierarchy_release(hierarchy);
    graph_free(&g);
}

void arrow_frame_add_all_kinds(sl_frame *frame, uint32_t num_records, uint64_t seed) {
    arrow_frame_add(frame, "model", num_records, 6, SL_SCALE_PROBABILITY, seed);
    arrow_frame_add(frame, "", num_records / 2, 2, SL_SCALE_PROBABILITY, seed + 1);
    arrow_frame_add(frame, "\xE5\xBA\x97 exact", num_records, 0, SL_SCALE_PROBABILITY, seed + 2);
    arrow_frame_add(frame, "weights", num_records, 3, SL_SCALE_WEIGHT, seed + 3);
    arrow_frame_add(frame, "exact weights", num_records - num_records / 3, 0, SL_SCALE_WEIGHT, seed + 4);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

void expect_same_records(const sl_context *a, const sl_context *b, uint32_t num_records) {
    for (uint32_t i = 0; i < num_records; i++) {
        sl_record one, other;
        size_t length, other_length;
        assert_true(sl_context_record(a, i, &one) && sl_context_record(b, i, &other));
        assert_int_equal(one.key.kind, other.key.kind);
        assert_true(one.key.number == other.key.number);
        assert_int_equal(one.key.length, other.key.length);
        if (one.key.length) assert_memory_equal(one.key.bytes, other.key.bytes, one.key.length);
        const char *name = sl_context_source_name(a, one.source, &length);
        const char *other_name = sl_context_source_name(b, other.source, &other_length);
        assert_int_equal(length, other_length);
        assert_memory_equal(name, other_name, length + 1);
    }
}

static void expect_same_sources(const sl_frame_state *a, const sl_frame_state *b) {
    assert_int_equal(a->num_sources, b->num_sources);
    for (uint32_t i = 0; i < a->num_sources; i++)
        assert_string_equal(sl_context_source_name(a->context, a->sources[i], NULL),
                            sl_context_source_name(b->context, b->sources[i], NULL));
}

static void expect_same_entries(const sl_i_entry *a, const sl_i_entry *b) {
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->name, b->name, a->length);
    assert_int_equal(a->decimals, b->decimals);
    assert_true(sl_hierarchy_equal(a->hierarchy, b->hierarchy));
}

void expect_same_frames(const sl_frame *written, const sl_frame *read) {
    sl_frame_state *a = sl_frame_now(written), *b = sl_frame_now(read);
    EXPECT_OK(sl_i_state_validate(b, &expect_error));
    assert_int_equal(a->num_records, b->num_records);
    assert_int_equal(sl_record_set_count(b->given), b->num_records);
    expect_same_records(a->context, b->context, a->num_records);
    expect_same_sources(a, b);
    assert_int_equal(a->entries.count, b->entries.count);
    for (uint32_t i = 0; i < a->entries.count; i++) expect_same_entries(a->entries.items[i], b->entries.items[i]);
    sl_frame_state_release(a);
    sl_frame_state_release(b);
}

void expect_message(const char *part) {
    if (!strstr(expect_error.message, part)) fail_msg("\"%s\" lacks \"%s\"", expect_error.message, part);
}

void expect_frame_refused(struct ArrowArrayStream stream, sl_status expected, int64_t row, const char *why) {
    sl_frame *frame;
    EXPECT_FAILURE(sl_frame_import(&stream, NULL, &frame, &expect_error), expected, row);
    expect_message(why);
    assert_null(frame);
    assert_null(stream.release);
    arrow_copies_free();
}

int arrow_use_failing_memory(void **state) {
    (void)state;
    failing_memory_after(FAILING_NEVER);
    return sl_set_allocator(&failing_memory, &expect_error) == SL_OK ? 0 : -1;
}
