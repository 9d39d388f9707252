/* test_relations.c: frames as tables of the relational form come back as they were; tables that tell no frame are refused, whatever
 * is wrong with them; running out of memory or being stopped leaves nothing behind. */
#include "support/expect.h"

#include "frame/frame_state.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/listener.h"
#include "support/plain_frame.h"

#define NUM_READ 4

/* ---- streams by hand --------------------------------------------------------------------------------------------- */

/* What a stream of one batch gave. The array's release is NULL where the table has no rows. */
typedef struct taken {
    struct ArrowSchema schema;
    struct ArrowArray array;
} taken;

static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    taken *from = stream->private_data;
    *out = from->schema;
    from->schema.release = NULL;
    return 0;
}

static int give_array(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    taken *from = stream->private_data;
    *out = from->array;
    from->array.release = NULL;
    return 0;
}

static const char *say_nothing(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

static void release_taken(struct ArrowArrayStream *stream) {
    taken *from = stream->private_data;
    if (from->schema.release) from->schema.release(&from->schema);
    if (from->array.release) from->array.release(&from->array);
    free(from);
    stream->release = NULL;
}

/* Take a stream of at most one batch apart, and make one of the parts. */
static taken *take(struct ArrowArrayStream *stream) {
    taken *out = fresh_memory(1, sizeof *out);
    struct ArrowArray end;
    assert_int_equal(stream->get_schema(stream, &out->schema), 0);
    assert_int_equal(stream->get_next(stream, &out->array), 0);
    if (out->array.release) {
        assert_int_equal(stream->get_next(stream, &end), 0);
        assert_null(end.release);
    }
    stream->release(stream);
    return out;
}

static struct ArrowArrayStream stream_of(taken *from) {
    return (struct ArrowArrayStream){give_schema, give_array, say_nothing, release_taken, from};
}

static sl_status export_all(const sl_frame *frame, struct ArrowArrayStream streams[NUM_READ], sl_error *error) {
    sl_frame_state *state = sl_frame_now(frame);
    sl_status status = SL_OK;
    memset(streams, 0, NUM_READ * sizeof *streams);
    for (int i = 0; i < NUM_READ && status == SL_OK; i++)
        status = sl_frame_state_relation(state, (sl_relation)i, NULL, &streams[i], error);
    sl_frame_state_release(state);
    return status;
}

static void expect_released(struct ArrowArrayStream streams[NUM_READ]) {
    for (int i = 0; i < NUM_READ; i++) assert_null(streams[i].release);
}

static sl_frame *there_and_back(const sl_frame *frame) {
    struct ArrowArrayStream streams[NUM_READ];
    sl_frame *back = NULL;
    EXPECT_OK(export_all(frame, streams, &expect_error));
    EXPECT_OK(sl_frame_from_relations(streams, NULL, &back, &expect_error));
    expect_released(streams);
    return back;
}

/* ---- round trips ------------------------------------------------------------------------------------------------- */

/* A frame of up to three collections, in both forms. */
static sl_frame *random_frame(uint64_t *random, plain_frame *plain) {
    static const char *const names[] = {"a", "", "\xC3\xA9"};
    sl_frame *frame = frame_make();
    memset(plain, 0, sizeof *plain);
    for (uint32_t i = 0, count = graph_below(random, 4); i < count; i++) {
        plain_edges edges = plain_random_edges(random, PLAIN_IDS);
        frame_add(frame, names[i], &edges);
        plain_add(plain, names[i], &edges);
    }
    return frame;
}

static void frames_come_back_as_they_were(void **state) {
    uint64_t random = 5;
    (void)state;
    for (int round = 0; round < EXPECT_SIZE(400, 100); round++) {
        plain_frame plain;
        sl_frame *frame = random_frame(&random, &plain), *back = there_and_back(frame);
        for (uint32_t i = 0; i < plain.count; i++) plain.given[plain.ids[i]] = true;
        frame_expect(back, &plain);
        sl_frame_release(frame);
        sl_frame_release(back);
    }
}

/* Keys of every kind, in one source. */
static const struct {
    sl_key_kind kind;
    uint64_t number;
    const char *bytes;
    uint32_t length;
} keys[] = {
    {SL_KEY_U32, 0, NULL, 0},
    {SL_KEY_U32, UINT32_MAX, NULL, 0},
    {SL_KEY_U64, UINT64_C(1) << 32, NULL, 0},
    {SL_KEY_U64, UINT64_MAX, NULL, 0},
    {SL_KEY_STRING, 0, "", 0},
    {SL_KEY_STRING, 0, "0", 1},
    {SL_KEY_STRING, 0, "\0", 1},
    {SL_KEY_STRING, 0, "a\0\xC3\xA9", 4},
    {SL_KEY_STRING, 0, "00", 2},
    {SL_KEY_BYTES, 0, "", 0},
    {SL_KEY_BYTES, 0, "\0", 1},
    {SL_KEY_BYTES, 0, "\xFF\x00\x80", 3},
};
enum { NUM_KEYS = sizeof keys / sizeof *keys };

static sl_key key_at(uint32_t i) {
    return (sl_key){.kind = keys[i].kind,
                    .number = keys[i].number,
                    .length = keys[i].length,
                    .bytes = (const uint8_t *)keys[i].bytes};
}

/* Their records joined pairwise: in thirds of 1, so that thresholds are no round numbers, and as weights. */
static sl_frame *frame_of_keys(sl_scale scale) {
    sl_frame *frame = frame_make();
    sl_frame_change *change = frame_begin(frame);
    sl_context *context;
    sl_hierarchy *hierarchy;
    sl_key all[NUM_KEYS];
    uint32_t indices[NUM_KEYS], left[NUM_KEYS - 1], right[NUM_KEYS - 1];
    double scores[NUM_KEYS - 1];
    uint16_t source;
    const sl_build_options options = {.exact = true, .scale = scale};
    for (uint32_t i = 0; i < NUM_KEYS; i++) all[i] = key_at(i);
    for (uint32_t i = 0; i + 1 < NUM_KEYS; i++) {
        left[i] = i;
        right[i] = i + 1;
        scores[i] = (1.0 + i % 3) / 3.0 * (scale == SL_SCALE_WEIGHT ? -40.0 : 1.0);
    }
    EXPECT_OK(sl_frame_change_context(change, &context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "s", 1, &source, &expect_error));
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = NUM_KEYS, .values = all},
                                  .source = source};
    EXPECT_OK(sl_context_intern(context, &column, indices, NULL, &expect_error));
    EXPECT_OK(sl_hierarchy_build(NUM_KEYS, left, right, scores, NUM_KEYS - 1, &options, &hierarchy, &expect_error));
    EXPECT_OK(sl_frame_change_add(change, "c", 1, hierarchy, 0, NULL, &expect_error));
    sl_hierarchy_release(hierarchy);
    frame_commit(change);
    return frame;
}

static void expect_keys(const sl_frame *frame) {
    sl_frame_state *state = sl_frame_now(frame);
    for (uint32_t i = 0; i < NUM_KEYS; i++) {
        sl_record record;
        sl_key expected = key_at(i);
        assert_true(sl_context_record(sl_frame_state_context(state), i, &record));
        assert_int_equal(record.key.kind, expected.kind);
        assert_true(record.key.number == expected.number);
        assert_int_equal(record.key.length, expected.length);
        if (expected.length) assert_memory_equal(record.key.bytes, expected.bytes, expected.length);
    }
    sl_frame_state_release(state);
}

static void keys_and_exact_thresholds_come_back_bit_by_bit(void **state) {
    (void)state;
    for (int scale = SL_SCALE_PROBABILITY; scale <= SL_SCALE_WEIGHT; scale++) {
        sl_frame *frame = frame_of_keys((sl_scale)scale), *back = there_and_back(frame);
        sl_collection *before = frame_view(frame, "c"), *after = frame_view(back, "c");
        expect_keys(back);
        assert_true(sl_hierarchy_equal(sl_collection_hierarchy(before), sl_collection_hierarchy(after)));
        assert_int_equal(sl_collection_decimals(after), 0);
        sl_collection_release(before);
        sl_collection_release(after);
        sl_frame_release(frame);
        sl_frame_release(back);
    }
}

/* The text of a column of strings, plain or with a dictionary of uint8. */
static bool text_is(const struct ArrowArray *column, int64_t row, const char *text) {
    const struct ArrowArray *values = column->dictionary ? column->dictionary : column;
    int64_t at = column->dictionary ? ((const uint8_t *)column->buffers[1])[row] : row;
    const int32_t *offsets = values->buffers[1];
    size_t length = (size_t)(offsets[at + 1] - offsets[at]);
    return length == strlen(text) && memcmp((const char *)values->buffers[2] + offsets[at], text, length) == 0;
}

static void strings_with_nul_are_written_in_hexadecimal(void **state) {
    struct ArrowArrayStream streams[NUM_READ];
    sl_frame *frame = frame_of_keys(SL_SCALE_PROBABILITY);
    (void)state;
    EXPECT_OK(export_all(frame, streams, &expect_error));
    taken *records = take(&streams[SL_RELATION_RECORDS]);
    const struct ArrowArray *text = records->array.children[2], *kind = records->array.children[3];
    assert_true(text_is(text, 6, "00") && text_is(kind, 6, "string_hex"));
    assert_true(text_is(text, 7, "6100c3a9") && text_is(kind, 7, "string_hex"));
    assert_true(text_is(text, 8, "00") && text_is(kind, 8, "string"));
    assert_true(text_is(text, 10, "00") && text_is(kind, 10, "bytes"));
    struct ArrowArrayStream stream = stream_of(records);
    stream.release(&stream);
    for (int i = 1; i < NUM_READ; i++) streams[i].release(&streams[i]);
    sl_frame_release(frame);
}

static void tables_have_names(void **state) {
    (void)state;
    assert_string_equal(sl_relation_name(SL_RELATION_RECORDS), "records");
    assert_string_equal(sl_relation_name(SL_RELATION_MERGE_GROUP_RECORDS), "merge_group_records");
    assert_null(sl_relation_name(SL_NUM_RELATIONS));
    assert_null(sl_relation_name((sl_relation)-1));
    struct ArrowArrayStream stream;
    sl_frame *frame = frame_make();
    sl_frame_state *now = sl_frame_now(frame);
    EXPECT_FAILURE(sl_frame_state_relation(now, SL_NUM_RELATIONS, NULL, &stream, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(stream.release);
    sl_frame_state_release(now);
    sl_frame_release(frame);
}

/* ---- the expanded table ------------------------------------------------------------------------------------------ */

static void the_expanded_table_has_a_limit(void **state) {
    sl_frame *frame = frame_make();
    plain_edges chain = plain_chain();
    struct ArrowArrayStream stream;
    uint64_t rows = 0; /* 2 + 3 + ... + 13 */
    (void)state;
    for (uint32_t i = 0; i < chain.count; i++) rows += i + 2;
    frame_add(frame, "chain", &chain);
    sl_frame_state *now = sl_frame_now(frame);
    sl_export_options options = {.max_expanded = rows - 1};
    EXPECT_FAILURE(sl_frame_state_relation(now, SL_RELATION_MERGE_GROUP_RECORDS, &options, &stream, &expect_error),
                   SL_ERROR_CAPACITY, -1);
    assert_non_null(strstr(expect_error.message, "chain"));
    assert_null(stream.release);
    options.max_expanded = rows;
    EXPECT_OK(sl_frame_state_relation(now, SL_RELATION_MERGE_GROUP_RECORDS, &options, &stream, &expect_error));
    stream = stream_of(take(&stream));
    assert_int_equal(((taken *)stream.private_data)->array.length, rows);
    stream.release(&stream);
    options.max_expanded = 1;
    EXPECT_OK(sl_frame_state_relation(now, SL_RELATION_MERGE_GROUPS, &options, &stream, &expect_error));
    stream.release(&stream);
    sl_frame_state_release(now);
    sl_frame_release(frame);
}

/* ---- hostile tables ---------------------------------------------------------------------------------------------- */

static int64_t hostile_number(uint64_t *random) {
    static const int64_t numbers[] = {-1, 0, 1, 2, 3, 12, 13, 24, 255, INT32_MAX, UINT32_MAX, INT64_MAX, INT64_MIN};
    return graph_below(random, 2) ? (int64_t)graph_below(random, 30)
                                  : numbers[graph_below(random, sizeof numbers / sizeof *numbers)];
}

/* A number of eight bytes in the second buffer, which is one's own. */
static void spoil_number(struct ArrowArray *column, int64_t row, int64_t number) {
    memcpy((char *)(uintptr_t)column->buffers[1] + 8 * row, &number, sizeof number);
}

static void spoil_text(struct ArrowArray *column, int64_t row, uint64_t *random) {
    int32_t *offsets = (int32_t *)(uintptr_t)column->buffers[1];
    char *bytes = (char *)(uintptr_t)column->buffers[2];
    int32_t size = offsets[column->length];
    if (graph_below(random, 3) == 0)
        offsets[row] = (int32_t)graph_below(random, (uint32_t)size + 1); /* within the bytes: Arrow tells no sizes */
    else if (size > 0)
        bytes[graph_below(random, (uint32_t)size)] = (char)graph_below(random, 256);
}

/* Change one value of one column of the batch, whatever its type. */
static void spoil_value(taken *table, uint64_t *random) {
    int64_t place = graph_below(random, (uint32_t)table->schema.n_children);
    int64_t row = graph_below(random, (uint32_t)table->array.length);
    struct ArrowArray *column = table->array.children[place];
    switch (table->schema.children[place]->format[0]) {
    case 'l': spoil_number(column, row, hostile_number(random)); break;
    case 'g': spoil_number(column, row, (int64_t)((uint64_t)hostile_number(random) << 52)); break;
    case 'u': spoil_text(column, row, random); break;
    case 'C': ((uint8_t *)(uintptr_t)column->buffers[1])[row] = (uint8_t)graph_below(random, 8); break;
    case 'I': ((uint32_t *)(uintptr_t)column->buffers[1])[row] = graph_below(random, 5); break;
    default: ((uint8_t *)(uintptr_t)column->buffers[1])[row / 8] = (uint8_t)graph_below(random, 256); break;
    }
}

static const uint8_t some_are_null[16] = {0xFF, 0xDF, 0xFF, 0xFB};

/* One thing wrong with a table: a value, its length, its names, a null, a shape that Arrow forbids. */
static void spoil(taken *table, uint64_t *random) {
    uint32_t count = (uint32_t)table->schema.n_children, a = graph_below(random, count), b = graph_below(random, count);
    const char *name;
    if (!table->array.release || table->array.length == 0) return;
    switch (graph_below(random, 10)) {
    case 0: table->array.length = graph_below(random, (uint32_t)table->array.length + 1); break;
    case 1: /* names exchanged: types that Arrow does not show would be no fault of the reader's */
        name = table->schema.children[a]->name;
        table->schema.children[a]->name = table->schema.children[b]->name;
        table->schema.children[b]->name = name;
        break;
    case 2:
        if (table->array.length > 100) break;
        table->array.children[a]->buffers[0] = some_are_null;
        table->array.children[a]->null_count = -1;
        break;
    case 3: table->array.children[a]->length = graph_below(random, (uint32_t)table->array.length); break;
    case 4: table->array.children[a]->n_buffers = graph_below(random, 2); break;
    default: spoil_value(table, random); break;
    }
}

/* Whatever comes of it: a whole frame, or an error that says what and leaves nothing. */
static void expect_frame_or_reason(struct ArrowArrayStream streams[NUM_READ]) {
    sl_frame *back = NULL;
    memset(&expect_error, 0x7F, sizeof expect_error);
    sl_status status = sl_frame_from_relations(streams, NULL, &back, &expect_error);
    expect_released(streams);
    if (status == SL_OK) {
        sl_frame_state *now = sl_frame_now(back);
        EXPECT_OK(sl_i_state_validate(now, &expect_error));
        sl_frame_state_release(now);
        sl_frame_release(back);
        return;
    }
    assert_int_equal(status, SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(expect_error.status, status);
    assert_null(back);
    assert_ptr_equal(strstr(expect_error.message, "table "), expect_error.message);
}

static void hostile_tables_are_frames_or_refused(void **state) {
    uint64_t random = 11;
    (void)state;
    for (int round = 0; round < EXPECT_SIZE(8000, 3000); round++) {
        plain_frame plain;
        struct ArrowArrayStream streams[NUM_READ];
        bool of_keys = graph_below(&random, 3) == 0;
        sl_frame *frame = of_keys ? frame_of_keys(SL_SCALE_PROBABILITY) : random_frame(&random, &plain);
        EXPECT_OK(export_all(frame, streams, &expect_error));
        uint32_t which = graph_below(&random, NUM_READ);
        taken *table = take(&streams[which]);
        for (uint32_t times = 1 + graph_below(&random, 2); times > 0; times--) spoil(table, &random);
        streams[which] = stream_of(table);
        expect_frame_or_reason(streams);
        sl_frame_release(frame);
    }
}

/* ---- memory and interrupts --------------------------------------------------------------------------------------- */

/* Whether there was memory enough, for export and import. */
static bool survives(const sl_frame *frame, uint64_t allocations) {
    struct ArrowArrayStream streams[NUM_READ];
    sl_frame *back = NULL;
    failing_memory_after(allocations);
    sl_status status = export_all(frame, streams, &expect_error);
    if (status == SL_OK) {
        status = sl_frame_from_relations(streams, NULL, &back, &expect_error);
        expect_released(streams);
    }
    failing_memory_after(FAILING_NEVER);
    for (int i = 0; i < NUM_READ; i++)
        if (streams[i].release) streams[i].release(&streams[i]);
    if (status != SL_OK) assert_int_equal(status, SL_ERROR_MEMORY);
    assert_true((status == SL_OK) == (back != NULL));
    if (back) expect_keys(back);
    sl_frame_release(back);
    return status == SL_OK;
}

static void every_failing_allocation_is_survived(void **state) {
    uint64_t k = 0;
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    failing_memory_after(FAILING_NEVER);
    sl_frame *frame = frame_of_keys(SL_SCALE_PROBABILITY);
    uint64_t before = sl_memory_in_use();
    while (!survives(frame, k)) {
        assert_true(sl_memory_in_use() == before);
        assert_true(++k < 2000);
    }
    assert_true(k > 100);
    sl_frame_release(frame);
    assert_true(sl_memory_in_use() == 0);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

static void reading_can_be_stopped(void **state) {
    enum { NUM_PAIRS = 1000 };
    listener heard = {.stop_at = 1};
    const sl_progress progress = {.tick = listener_tick, .state = &heard};
    struct ArrowArrayStream streams[NUM_READ];
    sl_frame *frame = frame_make(), *back = NULL;
    sl_frame_change *change = frame_begin(frame);
    sl_context *context;
    sl_hierarchy *hierarchy;
    uint32_t count = NUM_PAIRS, *left = fresh_memory(2 * count, sizeof *left);
    double *scores = fresh_memory(count, sizeof *scores);
    uint32_t first;
    uint16_t source;
    (void)state;
    for (uint32_t i = 0; i < 2 * count; i++) left[i] = i;
    const sl_key_column all = {.keys = {.type = SL_COLUMN_UINT32, .length = 2 * count, .values = left}};
    EXPECT_OK(sl_frame_change_context(change, &context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "s", 1, &source, &expect_error));
    EXPECT_OK(sl_context_add_records(context, &all, &first, &expect_error));
    EXPECT_OK(sl_hierarchy_build(2 * count, left, left + count, scores, count, NULL, &hierarchy, &expect_error));
    EXPECT_OK(sl_frame_change_add(change, "c", 1, hierarchy, 6, NULL, &expect_error));
    sl_hierarchy_release(hierarchy);
    frame_commit(change);
    EXPECT_OK(export_all(frame, streams, &expect_error));
    sl_i_tick_always_for_test(true);
    EXPECT_FAILURE(sl_frame_from_relations(streams, &progress, &back, &expect_error), SL_ERROR_INTERRUPTED, -1);
    sl_i_tick_always_for_test(false);
    assert_null(back);
    expect_released(streams);
    sl_frame_release(frame);
    free(left);
    free(scores);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frames_come_back_as_they_were),
        TEST(keys_and_exact_thresholds_come_back_bit_by_bit),
        TEST(strings_with_nul_are_written_in_hexadecimal),
        TEST(tables_have_names),
        TEST(the_expanded_table_has_a_limit),
        TEST(hostile_tables_are_frames_or_refused),
        TEST(every_failing_allocation_is_survived),
        TEST(reading_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
