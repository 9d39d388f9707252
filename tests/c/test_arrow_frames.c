/* test_arrow_frames.c: a frame is the same after a trip through Arrow, whatever its keys, collections and batches; and what is no frame
 * is refused with the place and the reason. */
#include "support/arrow_frames.h"
#include "support/arrow_trees.h"

#include <math.h>
#include <stdio.h>

#include "frame/frame.h"
#include "interchange/frame_export.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/listener.h"
#include "support/plain_frame.h"

static const sl_export_options at_one = {.created_at_ms = 1};

/* ---- there and back ---------------------------------------------------------------------------------------------- */

static void export_frame(const sl_frame *frame, uint64_t most, struct ArrowArrayStream *out) {
    sl_frame_state *now = sl_frame_now(frame);
    EXPECT_OK(sl_i_frame_export_split(now, &at_one, most, out, &expect_error));
    sl_frame_state_release(now);
}

static sl_frame *import_frame(struct ArrowArrayStream *stream) {
    sl_frame *frame;
    EXPECT_OK(sl_frame_import(stream, NULL, &frame, &expect_error));
    assert_null(stream->release);
    return frame;
}

static void expect_round_trip(sl_frame *frame, uint64_t most) {
    struct ArrowArrayStream stream;
    arrow_table first, second;
    export_frame(frame, most, &stream);
    sl_frame *read = import_frame(&stream);
    expect_same_frames(frame, read);
    export_frame(frame, most, &stream);
    arrow_table_read(&stream, &first);
    export_frame(read, most, &stream);
    arrow_table_read(&stream, &second);
    assert_true(arrow_table_equal(&first, &second));
    arrow_table_free(&first);
    arrow_table_free(&second);
    sl_frame_release(read);
}

static void frames_come_back_as_they_were(void **state) {
    (void)state;
    static const uint32_t sizes[] = {0, 1, 2, 3, 5, 8, 40, 200};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t seed = 0; seed < EXPECT_SIZE(26, 5); seed++) {
            sl_frame *frame = arrow_frame_make(sizes[i], seed);
            expect_round_trip(frame, INT32_MAX);
            arrow_frame_add_all_kinds(frame, sizes[i], seed);
            expect_round_trip(frame, INT32_MAX);
            sl_frame_release(frame);
        }
}

static void frames_are_split_where_offsets_would_end(void **state) {
    (void)state;
    for (uint64_t most = 25; most < 200; most += 23) {
        sl_frame *frame = arrow_frame_make(100, most);
        arrow_frame_add_all_kinds(frame, 100, most);
        struct ArrowArrayStream stream;
        arrow_table table;
        export_frame(frame, most, &stream);
        arrow_table_read(&stream, &table);
        assert_true(table.count >= 100 / most);
        int64_t rows = 0;
        for (uint32_t i = 0; i < table.count; i++) {
            const struct ArrowArray *keys = table.batches[i].children[1]->dictionary;
            assert_true(((const int32_t *)keys->children[2]->buffers[1])[keys->children[2]->length] <= (int64_t)most);
            assert_true(((const int32_t *)keys->children[3]->buffers[1])[keys->children[3]->length] <= (int64_t)most);
            rows += table.batches[i].length;
        }
        assert_int_equal(rows, 100);
        arrow_table_free(&table);
        expect_round_trip(frame, most);
        sl_frame_state *now = sl_frame_now(frame);
        EXPECT_FAILURE(sl_i_frame_export_split(now, &at_one, 1, &stream, &expect_error), SL_ERROR_CAPACITY, 3);
        assert_null(stream.release);
        sl_frame_state_release(now);
        sl_frame_release(frame);
    }
}

static void many_collections_come_back_in_order(void **state) {
    (void)state;
    static const uint32_t counts[] = {100, 256, 257, 300};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        sl_frame *frame = arrow_frame_make(12, c);
        for (uint32_t i = 0; i < counts[c]; i++) {
            char name[16];
            snprintf(name, sizeof name, "c%u", (i * 7919) % 1000);
            arrow_frame_add(frame, name, 12, 1 + i % 6, SL_SCALE_PROBABILITY, i);
        }
        expect_round_trip(frame, INT32_MAX);
        struct ArrowArrayStream stream;
        arrow_table table;
        export_frame(frame, INT32_MAX, &stream);
        arrow_table_read(&stream, &table);
        const struct ArrowSchema *name = table.schema.children[3]->children[0]->children[0];
        assert_string_equal(name->name, "name");
        assert_string_equal(name->format, counts[c] > 256 ? "S" : "C");
        arrow_table_free(&table);
        sl_frame_release(frame);
    }
}

static void records_that_only_collections_named_are_given_afterwards(void **state) {
    (void)state;
    sl_frame *frame = frame_make();
    const plain_edges chain = plain_chain();
    frame_give(frame, 3, 2);
    frame_add(frame, "chain", &chain);
    struct ArrowArrayStream stream;
    export_frame(frame, INT32_MAX, &stream);
    sl_frame *read = import_frame(&stream);
    expect_same_frames(frame, read);
    frame_drop(read, "chain");
    assert_int_equal(frame_metrics(read).garbage_ratio, 0);
    sl_frame_release(frame);
    sl_frame_release(read);
}

/* A state whose context has gone on since, and a hierarchy older than the newest records. */
static void a_state_is_written_as_it_was(void **state) {
    (void)state;
    sl_frame *frame = frame_make();
    const plain_edges chain = plain_chain();
    frame_add(frame, "chain", &chain);
    sl_frame_state *before = sl_frame_now(frame);
    frame_give(frame, 30, 5);
    struct ArrowArrayStream stream;
    EXPECT_OK(sl_frame_state_export(before, NULL, &stream, &expect_error));
    sl_frame *read = import_frame(&stream);
    sl_frame_state *now = sl_frame_now(read);
    assert_int_equal(sl_frame_state_num_records(now), sl_frame_state_num_records(before));
    sl_frame_state_release(now);
    sl_frame_state_release(before);
    sl_frame_release(read);
    expect_round_trip(frame, INT32_MAX);
    sl_frame_release(frame);
}

/* ---- what there is to see ---------------------------------------------------------------------------------------- */

static void each_key_is_once_in_the_dictionary(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(70, 1);
    struct ArrowArrayStream stream;
    arrow_table table;
    export_frame(frame, INT32_MAX, &stream);
    arrow_table_read(&stream, &table);
    const struct ArrowArray *keys = table.batches[0].children[1];
    const uint32_t *codes = keys->buffers[1];
    uint32_t next = 0;
    for (uint32_t i = 0; i < 70; i++) {
        if (i % 7 == 6) {
            assert_int_equal(codes[i], codes[i - 6]);
        } else {
            assert_int_equal(codes[i], next);
            next++;
        }
    }
    assert_int_equal(keys->dictionary->length, next);
    const struct ArrowArray *sources = table.batches[0].children[0];
    assert_int_equal(((const uint16_t *)sources->buffers[1])[0], 0);
    assert_int_equal(sources->dictionary->length, 3); /* not the one without records */
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void the_moment_of_the_export_is_now_unless_given(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(3, 1);
    sl_frame_state *now = sl_frame_now(frame);
    struct ArrowArrayStream stream;
    arrow_table table;
    EXPECT_OK(sl_frame_state_export(now, NULL, &stream, &expect_error));
    arrow_table_read(&stream, &table);
    assert_true(((const int64_t *)table.batches[0].children[5]->buffers[1])[2] > INT64_C(1500000000000));
    arrow_table_free(&table);
    const sl_export_options given = {.created_at_ms = -5};
    EXPECT_OK(sl_frame_state_export(now, &given, &stream, &expect_error));
    arrow_table_read(&stream, &table);
    assert_true(((const int64_t *)table.batches[0].children[5]->buffers[1])[2] == -5);
    arrow_table_free(&table);
    sl_frame_state_release(now);
    sl_frame_release(frame);
}

static void too_much_to_expand_is_refused(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(40, 1);
    arrow_frame_add(frame, "chain", 40, 6, SL_SCALE_PROBABILITY, GRAPH_CHAIN_DESCENDING);
    sl_frame_state *now = sl_frame_now(frame);
    struct ArrowArrayStream stream;
    sl_export_options options = {.max_expanded = 50};
    EXPECT_FAILURE(sl_frame_state_export(now, &options, &stream, &expect_error), SL_ERROR_CAPACITY, -1);
    assert_non_null(strstr(expect_error.message, "\"chain\""));
    assert_null(stream.release);
    options.max_expanded = 1000;
    EXPECT_OK(sl_frame_state_export(now, &options, &stream, &expect_error));
    stream.release(&stream); /* nothing of it was read */
    sl_frame_state_release(now);
    sl_frame_release(frame);
}

static void parts_may_be_moved_and_released_in_any_order(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(20, 1);
    arrow_frame_add_all_kinds(frame, 20, 3);
    struct ArrowArrayStream stream;
    struct ArrowSchema schema, again;
    struct ArrowArray batch;
    export_frame(frame, INT32_MAX, &stream);
    sl_frame_release(frame);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_int_equal(stream.get_schema(&stream, &again), 0);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    struct ArrowArray collections = *batch.children[3];
    batch.children[3]->release = NULL;
    struct ArrowSchema moved = *schema.children[3];
    schema.children[3]->release = NULL;
    schema.release(&schema);
    stream.release(&stream);
    batch.release(&batch);
    assert_string_equal(moved.name, "collections");
    assert_int_equal(((const int32_t *)collections.buffers[1])[1], 5);
    collections.release(&collections);
    moved.release(&moved);
    again.release(&again);
}

/* ---- what others make of it -------------------------------------------------------------------------------------- */

static arrow_table written(uint32_t num_records, uint64_t seed, sl_frame **out_frame) {
    struct ArrowArrayStream stream;
    arrow_table table;
    sl_frame *frame = arrow_frame_make(num_records, seed);
    arrow_frame_add_all_kinds(frame, num_records, seed);
    export_frame(frame, INT32_MAX, &stream);
    arrow_table_read(&stream, &table);
    if (out_frame)
        *out_frame = frame;
    else
        sl_frame_release(frame);
    return table;
}

static void expect_read_as(const sl_frame *frame, arrow_copy *copy) {
    struct ArrowArrayStream stream = arrow_copy_stream(copy);
    sl_frame *read = import_frame(&stream);
    expect_same_frames(frame, read);
    sl_frame_release(read);
    arrow_copies_free();
}

static void columns_may_come_in_another_order_and_with_others(void **state) {
    (void)state;
    sl_frame *frame;
    arrow_table table = written(30, 2, &frame);
    arrow_copy copy = arrow_table_copy(&table);
    for (int i = 0; i < 3; i++) {
        struct ArrowSchema *schema = copy.schema->children[i];
        struct ArrowArray *array = copy.batches[0]->children[i];
        copy.schema->children[i] = copy.schema->children[5 - i];
        copy.batches[0]->children[i] = copy.batches[0]->children[5 - i];
        copy.schema->children[5 - i] = schema;
        copy.batches[0]->children[5 - i] = array;
    }
    arrow_copy_schema(&copy, "version")->name = "something else";
    arrow_copy_schema(&copy, "record_indices")->flags = ARROW_FLAG_NULLABLE;
    expect_read_as(frame, &copy);
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void rows_may_be_cut_into_batches_anywhere(void **state) {
    (void)state;
    sl_frame *frame;
    arrow_table table = written(30, 4, &frame);
    for (int64_t first = 0; first <= 30; first += 5) {
        arrow_copy copy = arrow_table_copy(&table), rest = arrow_table_copy(&table);
        copy.batches[0]->length = first;
        copy.batches[1] = rest.batches[0];
        copy.batches[1]->offset = first;
        copy.batches[1]->length = 30 - first;
        copy.count = 2;
        expect_read_as(frame, &copy);
    }
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void rows_may_come_in_any_order(void **state) {
    (void)state;
    sl_frame *frame;
    arrow_table table = written(30, 5, &frame);
    arrow_copy copy = arrow_table_copy(&table), first = arrow_table_copy(&table);
    copy.batches[0]->offset = 11; /* the last rows, then the first ones */
    copy.batches[0]->length = 19;
    copy.batches[1] = first.batches[0];
    copy.batches[1]->length = 11;
    copy.count = 2;
    expect_read_as(frame, &copy);
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void widen(struct ArrowSchema *schema, struct ArrowArray *array, const char *format) {
    int64_t n = array->length + 1;
    int64_t *offsets = arrow_copies_memory((size_t)n * sizeof *offsets);
    for (int64_t i = 0; i < n; i++) offsets[i] = ((const int32_t *)array->buffers[1])[i];
    array->buffers[1] = offsets;
    schema->format = format;
}

static void large_lists_and_texts_are_read(void **state) {
    (void)state;
    sl_frame *frame;
    arrow_table table = written(30, 6, &frame);
    arrow_copy copy = arrow_table_copy(&table);
    static const char *const paths[][2] = {{"record_sources/!", "U"},
                                           {"record_keys/!/string", "U"},
                                           {"record_keys/!/bytes", "Z"},
                                           {"collections", "+L"},
                                           {"collections//merge_events", "+L"},
                                           {"collections//merge_events//merging_groups", "+L"},
                                           {"collections//merge_events//merging_groups/", "+L"}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        widen(arrow_copy_schema(&copy, paths[i][0]), arrow_copy_array(&copy, 0, paths[i][0]), paths[i][1]);
    struct ArrowArray *codes = arrow_copy_array(&copy, 0, "record_sources");
    int64_t *wide = arrow_copies_memory(30 * sizeof *wide);
    for (int i = 0; i < 30; i++) wide[i] = ((const uint16_t *)codes->buffers[1])[i];
    codes->buffers[1] = wide;
    arrow_copy_schema(&copy, "record_sources")->format = "l";
    expect_read_as(frame, &copy);
    arrow_table_free(&table);
    sl_frame_release(frame);
}

/* Without the metadata scale and rounding are guessed, and hierarchies cover all records. */
static void lost_metadata_is_done_without(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(30, 7);
    arrow_frame_add(frame, "rounded", 30, 6, SL_SCALE_PROBABILITY, GRAPH_CLUSTERS);
    arrow_frame_add(frame, "exact", 30, 0, SL_SCALE_PROBABILITY, GRAPH_RANDOM + 3 * GRAPH_NUM_SHAPES);
    struct ArrowArrayStream stream;
    arrow_table table;
    export_frame(frame, INT32_MAX, &stream);
    arrow_table_read(&stream, &table);
    arrow_copy copy = arrow_table_copy(&table);
    copy.schema->metadata = NULL;
    expect_read_as(frame, &copy);
    arrow_table_free(&table);

    arrow_frame_add(frame, "weights", 30, 6, SL_SCALE_WEIGHT, GRAPH_CLUSTERS);
    export_frame(frame, INT32_MAX, &stream);
    arrow_table_read(&stream, &table);
    copy = arrow_table_copy(&table);
    copy.schema->metadata = NULL;
    sl_frame *read;
    stream = arrow_copy_stream(&copy);
    EXPECT_FAILURE(sl_frame_import(&stream, NULL, &read, &expect_error), SL_ERROR_INVALID_THRESHOLD, 0);
    assert_non_null(strstr(expect_error.message, "\"weights\""));
    arrow_copies_free();
    arrow_table_free(&table);
    sl_frame_release(frame);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void expect_refused(arrow_copy *copy, sl_status expected, int64_t row, const char *why) {
    expect_frame_refused(arrow_copy_stream(copy), expected, row, why);
}

/* The table of a frame of six records and one collection: 0-1 at 0.9, 2-3 at 0.9, 01-23 at 0.5. */
static arrow_table written_small(void) {
    static const uint32_t left[] = {0, 2, 1}, right[] = {1, 3, 2};
    static const double scores[] = {0.9, 0.9, 0.5};
    sl_frame *frame = arrow_frame_make(6, 1);
    sl_frame_change *change;
    sl_hierarchy *hierarchy;
    EXPECT_OK(sl_hierarchy_build(6, left, right, scores, 3, NULL, &hierarchy, &expect_error));
    EXPECT_OK(sl_frame_begin(frame, &change, &expect_error));
    EXPECT_OK(sl_frame_change_add(change, "m", 1, hierarchy, 6, NULL, &expect_error));
    EXPECT_OK(sl_frame_change_commit(change, NULL, &expect_error));
    sl_hierarchy_release(hierarchy);
    struct ArrowArrayStream stream;
    arrow_table table;
    export_frame(frame, INT32_MAX, &stream);
    arrow_table_read(&stream, &table);
    sl_frame_release(frame);
    return table;
}

#define RECORDS "collections//merge_events//merging_groups//"
#define GROUPS "collections//merge_events//merging_groups/"
#define EVENTS "collections//merge_events//merging_groups"

static void merges_that_are_none_are_refused(void **state) {
    (void)state;
    arrow_table table = written_small();
    static const struct {
        const char *path;
        uint64_t at;
        uint32_t value;
        int64_t event;
        const char *why;
    } cases[] = {
        {RECORDS, 0, 6, 0, "not there"},          {RECORDS, 0, 1, 0, "twice"},
        {RECORDS, 2, 0, 1, "only a part"},        {RECORDS, 5, 4, 2, "different components"},
        {RECORDS, 4, UINT32_MAX, 2, "not there"}, {GROUPS, 1, 0, 0, "without records"},
        {GROUPS, 5, 5, 2, "only a part"},         {EVENTS, 1, 1, 0, "fewer than two"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arrow_copy copy = arrow_table_copy(&table);
        arrow_copy_put(&copy, cases[i].path, cases[i].at, cases[i].value);
        expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, cases[i].event, cases[i].why);
        assert_non_null(strstr(expect_error.message, "\"m\""));
    }
    static const double bad[] = {-0.5, 1.5, NAN, INFINITY, 0.95};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arrow_copy copy = arrow_table_copy(&table);
        double thresholds[] = {0.9, 0.9, bad[i]};
        arrow_copy_array(&copy, 0, "collections//merge_events//threshold")->buffers[1] = thresholds;
        bool is_threshold = bad[i] == 0.95, is_rounded = bad[i] == bad[i];
        expect_refused(&copy, is_threshold || !is_rounded ? SL_ERROR_INVALID_ARGUMENT : SL_ERROR_INVALID_THRESHOLD,
                       is_rounded ? 2 : 0, "\"m\"");
    }
    arrow_copy copy = arrow_table_copy(&table);
    double thresholds[] = {0.9, 0.9, 0.12345678};
    arrow_copy_array(&copy, 0, "collections//merge_events//threshold")->buffers[1] = thresholds;
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, 0, "rounded");
    arrow_table_free(&table);
}

static void records_that_are_none_are_refused(void **state) {
    (void)state;
    arrow_table table = written_small();
    arrow_copy copy = arrow_table_copy(&table);
    arrow_copy_put(&copy, "record_indices", 2, 6);
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, 2, "record_indices of row 2 is 6");
    copy = arrow_table_copy(&table);
    arrow_copy_put(&copy, "record_indices", 3, 1);
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, 3, "row before it");
    copy = arrow_table_copy(&table);
    arrow_copy_put(&copy, "record_indices", 1, UINT32_MAX);
    arrow_copy_schema(&copy, "record_indices")->format = "i";
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, 1, "is -1");
    copy = arrow_table_copy(&table);
    arrow_copy_put(&copy, "record_keys", 4, 0);
    expect_refused(&copy, SL_ERROR_DUPLICATE_KEY, 4, "records 0 and 4");
    copy = arrow_table_copy(&table);
    arrow_copy_put(&copy, "record_keys", 4, 6);
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "record_keys");
    copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "record_keys/!/u32")->format = "i";
    arrow_copy_put(&copy, "record_keys/!/u32", 1, UINT32_MAX);
    expect_refused(&copy, SL_ERROR_INVALID_KEY, 4, "row 4");
    copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "record_keys/!/bytes")->format = "u";
    expect_refused(&copy, SL_ERROR_INVALID_KEY, 3, "UTF-8");
    arrow_table_free(&table);
}

static void malformed_columns_are_refused(void **state) {
    (void)state;
    arrow_table table = written_small();
    static const char *const columns[] = {"record_sources", "record_keys", "record_indices", "collections"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        arrow_copy copy = arrow_table_copy(&table);
        arrow_copy_schema(&copy, columns[i])->name = "x";
        expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, columns[i]);
        copy = arrow_table_copy(&table);
        uint8_t validity[1] = {0xFB};
        arrow_copy_array(&copy, 0, columns[i])->buffers[0] = validity;
        arrow_copy_array(&copy, 0, columns[i])->null_count = 1;
        expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "has a null (value 2");
        copy = arrow_table_copy(&table);
        unsigned char *shifted = arrow_copies_memory(64);
        struct ArrowArray *array = arrow_copy_array(&copy, 0, columns[i]);
        memcpy(shifted + 1, array->buffers[1], 12);
        array->buffers[1] = shifted + 1;
        expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "misaligned");
    }
    arrow_copy copy = arrow_table_copy(&table);
    arrow_copy_put(&copy, "collections", 6, 2);
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "malformed");
    copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "collections//name")->name = "title";
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "no member \"name\"");
    copy = arrow_table_copy(&table);
    int32_t places[6] = {0, 0, 0, 1, 1, 0}; /* the bytes key is number 0 of 1 */
    const struct ArrowArray *keys = table.batches[0].children[1]->dictionary;
    memcpy(places, keys->buffers[1], 6 * sizeof *places);
    places[3] = 1;
    arrow_copy_array(&copy, 0, "record_keys/!")->buffers[1] = places;
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "beyond its member");
    arrow_table_free(&table);
}

static const char *metadata_of(const char *const *pairs, int32_t count) {
    char *bytes = arrow_copies_memory(1024);
    size_t used = sizeof count;
    int32_t half = count / 2;
    memcpy(bytes, &half, sizeof half);
    for (int32_t i = 0; i < count; i++) {
        int32_t length = (int32_t)strlen(pairs[i]);
        memcpy(bytes + used, &length, sizeof length);
        memcpy(bytes + used + sizeof length, pairs[i], (size_t)length);
        used += sizeof length + (size_t)length;
    }
    return bytes;
}

static void metadata_that_lies_is_refused(void **state) {
    (void)state;
    arrow_table table = written_small();
    static const struct {
        const char *pairs[4];
        const char *why; /* NULL: it is read */
    } cases[] = {
        {{"pandas", "{}", "starlings:schema", "frame 1"}, NULL},
        {{"starlings:collection:0", "probability rounded 6 6 m", "starlings:schema", "frame 1"}, NULL},
        {{"starlings:collection:0", "probability rounded 2 4 m", "starlings:schema", "frame 1"}, NULL},
        {{"starlings:schema", "frame 2", "a", "b"}, "version \"2\""},
        {{"starlings:schema", "frame", "a", "b"}, "version"},
        {{"starlings:schema", "collection 1", "a", "b"}, "\"collection\""},
        {{"starlings:collection:1", "probability rounded 6 6 m", "a", "b"}, "number 0"},
        {{"starlings:collection:9", "probability rounded 6 6 m", "a", "b"}, "cannot be read"},
        {{"starlings:collection:", "probability rounded 6 6 m", "a", "b"}, "cannot be read"},
        {{"starlings:collection:0", "probability rounded 7 6 m", "a", "b"}, "cannot be read"},
        {{"starlings:collection:0", "probability 6 6 m", "a", "b"}, "cannot be read"},
        {{"starlings:collection:0", "", "a", "b"}, "cannot be read"},
        {{"starlings:collection:0", "probability rounded 6 99999999999 m", "a", "b"}, "cannot be read"},
        {{"starlings:collection:0", "probability rounded 6 7 m", "a", "b"}, "two tables"},
        {{"starlings:collection:0", "probability rounded 6 3 m", "a", "b"}, "not there"},
        {{"starlings:collection:0", "probability rounded 6 6 other", "a", "b"}, "\"other\""},
        {{"starlings:collection:0", "probability rounded 6 6 m", "starlings:collection:1", "probability rounded 6 6 n"},
         "has 1 collections"},
        {{"starlings:collection:0", "probability rounded 6 6 m", "starlings:collection:0", "probability rounded 6 6 m"},
         "cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arrow_copy copy = arrow_table_copy(&table);
        copy.schema->metadata = metadata_of(cases[i].pairs, 4);
        if (cases[i].why) {
            struct ArrowArrayStream stream = arrow_copy_stream(&copy);
            sl_frame *frame;
            assert_int_equal(sl_frame_import(&stream, NULL, &frame, &expect_error), SL_ERROR_INVALID_ARGUMENT);
            expect_message(cases[i].why);
        } else {
            struct ArrowArrayStream stream = arrow_copy_stream(&copy);
            sl_frame_release(import_frame(&stream));
        }
        arrow_copies_free();
    }
    arrow_copy copy = arrow_table_copy(&table);
    copy.batches[0]->length = 0;
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "no rows");
    arrow_table_free(&table);
}

static void streams_that_are_used_up_are_refused(void **state) {
    (void)state;
    struct ArrowArrayStream stream = {0};
    sl_frame *frame;
    EXPECT_FAILURE(sl_frame_import(&stream, NULL, &frame, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
}

/* Whatever is spoilt, the answer is a frame that is valid or an error that says something. */
static void spoilt_tables_never_crash(void **state) {
    (void)state;
    uint64_t refused = 0, count = EXPECT_SIZE(60000, 20000);
    for (uint64_t number = 0; number < count; number++) {
        static arrow_table table;
        if (number % 2000 == 0) table = written((uint32_t)(number / 2000 % 3) * 9 + 3, number, NULL);
        struct ArrowArrayStream stream = arrow_table_spoil(&table, number);
        sl_frame *read = NULL;
        memset(&expect_error, 0, sizeof expect_error);
        if (sl_frame_import(&stream, NULL, &read, &expect_error) == SL_OK) {
            sl_frame_state *now = sl_frame_now(read);
            EXPECT_OK(sl_i_state_validate(now, &expect_error));
            sl_frame_state_release(now);
        } else {
            assert_true(strlen(expect_error.message) > 8);
            refused++;
        }
        sl_frame_release(read);
        arrow_table_mend();
        arrow_copies_free();
        if (number % 2000 == 1999 || number + 1 == count) arrow_table_free(&table);
    }
    assert_true(refused > count / 4);
    assert_true(refused < count);
}

/* ---- memory and interrupts --------------------------------------------------------------------------------------- */

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(12, 3);
    arrow_frame_add_all_kinds(frame, 12, 3);
    sl_frame_state *now = sl_frame_now(frame);
    uint64_t held = sl_memory_in_use();
    bool done = false;
    for (uint64_t k = 0; !done; k++) {
        struct ArrowArrayStream stream = {0};
        sl_frame *read = NULL;
        failing_memory_after(k);
        sl_status status = sl_i_frame_export_split(now, &at_one, 40, &stream, &expect_error);
        if (status == SL_OK) status = sl_frame_import(&stream, NULL, &read, &expect_error);
        failing_memory_after(FAILING_NEVER);
        done = status == SL_OK;
        if (!done) {
            assert_int_equal(status, SL_ERROR_MEMORY);
            assert_null(read);
            assert_null(stream.release);
        } else {
            expect_same_frames(frame, read);
        }
        sl_frame_release(read);
        assert_int_equal(sl_memory_in_use(), held);
    }
    sl_frame_state_release(now);
    sl_frame_release(frame);
}

static void a_listener_can_stop_both_ways(void **state) {
    (void)state;
    const uint32_t n = 3000;
    sl_frame *frame = frame_make(), *read;
    graph g = graph_make(GRAPH_CHAIN_DESCENDING, n, n, 0, 1);
    const sl_build_options exact = {.exact = true};
    sl_hierarchy *hierarchy;
    sl_frame_change *change;
    sl_context *context;
    uint32_t *numbers = fresh_memory(n, sizeof *numbers);
    for (uint32_t i = 0; i < n; i++) numbers[i] = i;
    const sl_key_column keys = {.keys = {.type = SL_COLUMN_UINT32, .length = n, .values = numbers}};
    uint16_t source;
    EXPECT_OK(sl_hierarchy_build(n, g.left, g.right, g.scores, g.num_edges, &exact, &hierarchy, &expect_error));
    EXPECT_OK(sl_frame_begin(frame, &change, &expect_error));
    EXPECT_OK(sl_frame_change_context(change, &context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "s", 1, &source, &expect_error));
    EXPECT_OK(sl_context_intern(context, &keys, numbers, NULL, &expect_error));
    EXPECT_OK(sl_frame_change_add(change, "chain", 5, hierarchy, 0, NULL, &expect_error));
    EXPECT_OK(sl_frame_change_commit(change, NULL, &expect_error));

    listener heard = {.stop_at = 1};
    const sl_progress progress = {listener_tick, &heard};
    const sl_export_options options = {.progress = &progress};
    sl_frame_state *now = sl_frame_now(frame);
    struct ArrowArrayStream stream;
    sl_i_tick_always_for_test(true);
    EXPECT_FAILURE(sl_frame_state_export(now, &options, &stream, &expect_error), SL_ERROR_INTERRUPTED, -1);
    assert_null(stream.release);
    EXPECT_OK(sl_frame_state_export(now, NULL, &stream, &expect_error));
    heard = (listener){.stop_at = 1};
    EXPECT_FAILURE(sl_frame_import(&stream, &progress, &read, &expect_error), SL_ERROR_INTERRUPTED, -1);
    assert_null(read);
    sl_i_tick_always_for_test(false);
    sl_frame_state_release(now);
    sl_hierarchy_release(hierarchy);
    sl_frame_release(frame);
    graph_free(&g);
    free(numbers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frames_come_back_as_they_were),
        TEST(frames_are_split_where_offsets_would_end),
        TEST(many_collections_come_back_in_order),
        TEST(records_that_only_collections_named_are_given_afterwards),
        TEST(a_state_is_written_as_it_was),
        TEST(each_key_is_once_in_the_dictionary),
        TEST(the_moment_of_the_export_is_now_unless_given),
        TEST(too_much_to_expand_is_refused),
        TEST(parts_may_be_moved_and_released_in_any_order),
        TEST(columns_may_come_in_another_order_and_with_others),
        TEST(rows_may_be_cut_into_batches_anywhere),
        TEST(rows_may_come_in_any_order),
        TEST(large_lists_and_texts_are_read),
        TEST(lost_metadata_is_done_without),
        TEST(merges_that_are_none_are_refused),
        TEST(records_that_are_none_are_refused),
        TEST(malformed_columns_are_refused),
        TEST(metadata_that_lies_is_refused),
        TEST(streams_that_are_used_up_are_refused),
        TEST(spoilt_tables_never_crash),
        TEST(a_listener_can_stop_both_ways),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, arrow_use_failing_memory, NULL);
}
