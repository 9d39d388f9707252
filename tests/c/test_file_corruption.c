/* test_file_corruption.c: no file that was cut short, altered or made up is taken for a frame, and none does harm: every truncation,
 * every byte, other versions, and contents altered under checksums that were put right. */
#include "support/graphs.h"
#include "support/stored_frames.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "frame/frame_state.h"
#include "records/context.h"

static stored_file make_file(const char *name) {
    stored_folder(name);
    sl_frame *frame = stored_frame_make();
    EXPECT_OK(stored_save(frame, stored_path("a"), NULL, &expect_error));
    sl_frame_release(frame);
    return stored_read(stored_path("a"));
}

static void expect_corrupt(const char *path, bool read_whole) {
    sl_frame *frame = (sl_frame *)(uintptr_t)1;
    EXPECT_FAILURE(stored_load(path, read_whole, &frame, &expect_error), SL_ERROR_CORRUPT, -1);
    assert_null(frame);
}

static void expect_reason(const char *part) {
    if (!strstr(expect_error.message, part)) fail_msg("\"%s\" is not in \"%s\"", part, expect_error.message);
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    stored_file file = make_file("truncated");
    for (uint64_t size = file.size; size-- > 0;) {
        assert_int_equal(truncate(stored_path("a"), (off_t)size), 0);
        expect_corrupt(stored_path("a"), size % 2);
    }
    file.bytes[file.size++] = 0; /* there is room for one */
    stored_write(stored_path("a"), &file);
    expect_corrupt(stored_path("a"), false);
    stored_free(&file);
}

static void put_byte(int to, uint64_t at, uint8_t byte) { assert_int_equal(pwrite(to, &byte, 1, (off_t)at), 1); }

static void every_flipped_byte_is_refused(void **state) {
    (void)state;
    stored_file file = make_file("flipped");
    char path[256];
    (void)snprintf(path, sizeof path, "%s", stored_path("a"));
    int to = open(path, O_RDWR);
    assert_true(to >= 0);
    for (uint64_t at = 0; at < file.size; at += EXPECT_SIZE(1, 7)) {
        uint8_t byte = file.bytes[at];
        put_byte(to, at, (uint8_t)(byte ^ 1u << (at * 5 + at / 64) % 8)); /* each bit in its turn */
        expect_corrupt(path, at / 8 % 2);
        put_byte(to, at, byte);
    }
    (void)close(to);
    sl_frame *frame;
    EXPECT_OK(stored_load(path, false, &frame, &expect_error)); /* all were put back */
    sl_frame_release(frame);
    stored_free(&file);
}

static void newer_versions_are_refused_by_name(void **state) {
    (void)state;
    stored_file file = make_file("versions");
    const uint32_t versions[] = {0, 2, 77, UINT32_MAX};
    for (uint32_t i = 0; i < 4; i++) {
        char expected[64];
        sl_i_put_u32(file.bytes + SL_I_HEADER_VERSION, versions[i]);
        stored_mend(&file);
        stored_write(stored_path("a"), &file);
        expect_corrupt(stored_path("a"), i % 2);
        (void)snprintf(expected, sizeof expected, "version %u ", versions[i]);
        expect_reason(expected);
        expect_reason("this is starlings " /* and its version */);
        expect_reason("which reads version 1");
    }
    stored_free(&file);
}

/* ---- contents with right checksums ------------------------------------------------------------------------------- */

/* Put a number into a section, mend the file and see it refused for that reason. */
typedef struct alteration {
    sl_i_section_kind kind;
    uint32_t owner;
    uint64_t at;
    uint32_t value;
    const char *reason;
} alteration;

static const alteration alterations[] = {
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_RECORDS, 15, "not as long"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_RECORDS, UINT32_MAX, "more records than there can be"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_SOURCES, 2, "names do not fill it"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_SOURCES, UINT32_MAX, "names do not fill it"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_COLLECTIONS, 8, "missing"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_COLLECTIONS, 6, "the frame has nothing of that kind"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_COLLECTIONS, UINT32_MAX, "more parts than the file"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_TABLES, 1, "table"},
    {SL_I_SECTION_FRAME, 0, SL_I_FRAME_NUM_TABLES, 3, "missing"},
    {SL_I_SECTION_SOURCES, 0, 0, UINT32_MAX, "names do not fill it"},
    {SL_I_SECTION_SOURCES, 0, 12, 0xFFFFFFFF, "UTF-8"},
    {SL_I_SECTION_RECORD_SOURCES, 0, 4, 3, "no known source"},
    {SL_I_SECTION_KEY_KINDS, 0, 0, 0x04020100, "no known kind"},
    {SL_I_SECTION_KEY_NUMBERS, 0, 4, 7, "8 bytes"},
    {SL_I_SECTION_KEY_NUMBERS, 0, 8, 1000000, "behind the last byte"},
    {SL_I_SECTION_KEY_NUMBERS, 0, 36, 5, "twice"}, /* record 9, 0 of "crm", becomes 5 */
    {SL_I_SECTION_KEY_BYTES, 0, 4, 0, "small enough"},
    {SL_I_SECTION_KEY_BYTES, 0, 8, 0xFFFFFFFF, "UTF-8"},
    {SL_I_SECTION_GIVEN, 0, 0, 0, "Roaring"},
    {SL_I_SECTION_SPANS, 0, 4, 2, "table that is not there"},
    {SL_I_SECTION_SPANS, 0, 4, SL_NO_RECORD, "gap"},
    {SL_I_SECTION_SPANS, 0, 8, 1, "row that is not there"},
    {SL_I_SECTION_SPANS, 0, 12, 0, "out of order"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_NUM_RECORDS, 17, "more records than the frame"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_NUM_RECORDS, 12, "not as long"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_NUM_LEVELS, 1, "not as long"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_DECIMALS, 7, "decimals"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_FLAGS, 64, "unknown flag"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_FLAGS, SL_I_HAS_LONE | SL_I_HAS_FOREST, "missing"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_FLAGS, 0, "nothing of that kind"},
    {SL_I_SECTION_COLLECTION, 4, SL_I_COLLECTION_FLAGS, 30, "outside [0, 1]"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_NUM_MERGES, 3, "number of merges"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_NUM_MERGES + 4, 1, "zero is missing"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_NUM_EDGES, 1, "did not keep"},
    {SL_I_SECTION_COLLECTION, 2, SL_I_COLLECTION_NUM_EDGES + 4, 0x40000000, "not as long"},
    {SL_I_SECTION_COLLECTION, 0, SL_I_COLLECTION_SIZE, 0xFFFFFFFF, "UTF-8"},
    {SL_I_SECTION_ORDER, 0, 0, 1, "twice"},
    {SL_I_SECTION_ORDER, 0, 0, 1000, "does not exist"},
    {SL_I_SECTION_JOIN, 0, 0, 1000, "does not exist"},
    {SL_I_SECTION_LEVELS, 0, 4, 0x7FF80000, "outside [0, 1]"},
    {SL_I_SECTION_LONE, 0, 14, 0, "joined"},
    {SL_I_SECTION_FOREST_LEFT, 1, 0, 1000, "joins no two records"},
    {SL_I_SECTION_EDGE_LEFT, 2, 0, 1000, "joins no two records"},
    {SL_I_SECTION_EDGE_SCORES, 2, 4, 0x7FF80000, "scores rise"},
    {SL_I_SECTION_CONSTRAINTS, 3, SL_I_CONSTRAINTS_TIES, 2, "rule for ties"},
    {SL_I_SECTION_CONSTRAINTS, 3, SL_I_CONSTRAINTS_NUM_SOURCES, 1, "names do not fill it"},
    {SL_I_SECTION_CONSTRAINTS, 3, SL_I_CONSTRAINTS_NUM_SOURCES, UINT32_MAX, "names do not fill it"},
    {SL_I_SECTION_CONSTRAINTS, 3, SL_I_CONSTRAINTS_NUM_SOURCES + 4, 1, "zero is missing"},
    {SL_I_SECTION_CONSTRAINTS, 3, SL_I_CONSTRAINTS_SIZE + 8, 0, "NUL"},
    {SL_I_SECTION_TABLE, 0, 0, UINT32_MAX, "more batches or buffers"},
    {SL_I_SECTION_TABLE, 0, 8, 1, "fill"},
    {SL_I_SECTION_TABLE, 0, 12, 1, "more batches or buffers"},
    {SL_I_SECTION_TABLE, 0, 16, 1000000, "longer than their section"},
};

static void altered_contents_are_refused(void **state) {
    (void)state;
    stored_file file = make_file("altered");
    for (uint32_t i = 0; i < sizeof alterations / sizeof *alterations; i++) {
        const alteration *a = &alterations[i];
        uint64_t length;
        uint8_t *section = stored_find(&file, a->kind, a->owner, &length);
        assert_true(a->at + 4 <= length);
        uint32_t before = sl_i_get_u32(section + a->at);
        sl_i_put_u32(section + a->at, a->value);
        stored_mend(&file);
        stored_write(stored_path("a"), &file);
        for (int read_whole = 0; read_whole < 2; read_whole++) {
            sl_frame *frame;
            if (stored_load(stored_path("a"), read_whole, &frame, &expect_error) != SL_ERROR_CORRUPT)
                fail_msg("alteration %u of section %d went through: %s", i, (int)a->kind, expect_error.message);
            assert_null(frame);
            expect_reason(a->reason);
        }
        sl_i_put_u32(section + a->at, before);
    }
    stored_free(&file);
}

/* ---- random alterations ------------------------------------------------------------------------------------------ */

static uint64_t odd_number(uint64_t *random) {
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       3,
                                       0x7F,
                                       0x80,
                                       0xFF,
                                       0x100,
                                       0x7FFF,
                                       0xFFFF,
                                       0x7FFFFFFF,
                                       0x80000000,
                                       0xFFFFFFFE,
                                       0xFFFFFFFF,
                                       UINT64_MAX,
                                       INT64_MAX,
                                       0x3FF0000000000000};
    uint32_t which = graph_below(random, 20);
    return which < 17 ? numbers[which] : graph_random(random);
}

static void alter_bytes(uint8_t *section, uint64_t length, uint64_t *random) {
    static const uint32_t widths[] = {1, 2, 4, 4, 8, 8};
    uint32_t width = widths[graph_below(random, 6)];
    if (length < width) return;
    uint64_t at = graph_below(random, (uint32_t)(length - width + 1)), number = odd_number(random);
    if (graph_below(random, 4)) at = at / width * width;
    if (graph_below(random, 3) == 0) number = section[at] + graph_below(random, 5) - 2;
    memcpy(section + at, &number, width);
}

static void alter(stored_file *file, uint64_t *random) {
    uint32_t times = 1 + graph_below(random, 3);
    for (uint32_t i = 0; i < times; i++) {
        uint32_t index = graph_below(random, stored_num_sections(file));
        uint64_t length;
        uint8_t *section = stored_section(file, index, &length);
        uint32_t what = graph_below(random, 12);
        if (what == 0)
            stored_resize(file, index, graph_below(random, (uint32_t)length + 1));
        else if (what == 1)
            stored_resize(file, index, length + 1 + graph_below(random, 64));
        else if (what == 2)
            alter_bytes(stored_entry(file, index), SL_I_ENTRY_SIZE, random);
        else
            alter_bytes(section, length, random);
        if (what == 2) return; /* the table leads to the sections: the next step would follow it */
    }
}

/* The table may say anything by now: sections that lie outside keep their checksums. */
static bool can_be_mended(const stored_file *file) {
    for (uint32_t i = 0; i < stored_num_sections(file); i++) {
        const uint8_t *entry = stored_entry(file, i);
        uint64_t offset = sl_i_get_u64(entry + SL_I_ENTRY_OFFSET), length = sl_i_get_u64(entry + SL_I_ENTRY_LENGTH);
        if (offset > file->size || length > file->size - offset) return false;
    }
    return true;
}

static void use_batches(const sl_context *context, uint32_t number) {
    struct ArrowArrayStream stream;
    struct ArrowArray array;
    sl_batches *batches = sl_context_attachment(context, number);
    if (!batches) return;
    EXPECT_OK(sl_batches_export(batches, NULL, 0, &stream, &expect_error));
    sl_batches_release(batches);
    while (stream.get_next(&stream, &array) == 0 && array.release) array.release(&array);
    stream.release(&stream);
}

/* What came through is a frame: all of it can be used. Saving takes long, since it syncs. */
static void use(const sl_frame *frame, bool saves) {
    sl_frame_state *now = sl_frame_now(frame);
    EXPECT_OK(sl_i_state_validate(now, &expect_error));
    EXPECT_OK(sl_i_context_validate(now->context, &expect_error));
    for (uint32_t i = 0; i < sl_context_num_attachments(now->context); i++) use_batches(now->context, i);
    if (saves) EXPECT_OK(sl_frame_state_save(now, stored_path("b"), NULL, &expect_error));
    for (uint32_t i = 0; i < sl_frame_state_num_collections(now); i++) {
        sl_collection *view;
        sl_partition *partition;
        const uint32_t *labels;
        EXPECT_OK(sl_frame_state_collection(now, i, &view, &expect_error));
        EXPECT_OK(sl_collection_at(view, 0.5, &partition, &expect_error));
        EXPECT_OK(sl_partition_labels(partition, &labels, &expect_error));
        sl_partition_release(partition);
        sl_collection_release(view);
    }
    sl_frame_state_release(now);
}

static void random_alterations_do_no_harm(void **state) {
    (void)state;
    stored_file file = make_file("random");
    uint64_t random = 20240607, through = 0, rounds = EXPECT_SIZE(10000, 3000);
    for (uint64_t round = 0; round < rounds; round++) {
        stored_file altered = {fresh_memory(file.size + 1, 1), file.size};
        memcpy(altered.bytes, file.bytes, file.size);
        alter(&altered, &random);
        if (can_be_mended(&altered)) stored_mend(&altered);
        stored_write(stored_path("a"), &altered);
        sl_frame *frame;
        sl_status status = stored_load(stored_path("a"), round % 2, &frame, &expect_error);
        if (status != SL_OK && status != SL_ERROR_CORRUPT)
            fail_msg("round %llu: %s: %s", (unsigned long long)round, sl_status_name(status), expect_error.message);
        if (status == SL_OK) {
            use(frame, through++ % 64 == 0);
            sl_frame_release(frame);
        }
        stored_free(&altered);
    }
    assert_in_range(through, 1, rounds / 2); /* alterations of plain values are none that anybody could see */
    stored_free(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_truncation_is_refused),        TEST(every_flipped_byte_is_refused),
        TEST(newer_versions_are_refused_by_name), TEST(altered_contents_are_refused),
        TEST(random_alterations_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
