/* test_arrow_collections.c: a collection is the same after a trip through Arrow, numbered as SciPy numbers; and what is no collection is
 * refused with the place and the reason. */
#include "support/arrow_frames.h"
#include "support/arrow_trees.h"

#include "frame/collection.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_frame.h"

#define MERGES "merge_events/"
#define COMPONENTS "merge_events//merging_components"
#define AFFECTED "merge_events//affected_records"

/* ---- there and back ---------------------------------------------------------------------------------------------- */

static void export_collection(const sl_collection *collection, struct ArrowArrayStream *out) {
    EXPECT_OK(sl_collection_export(collection, "\xC3\xA9", 2, NULL, out, &expect_error));
}

static arrow_table table_of(const sl_collection *collection) {
    struct ArrowArrayStream stream;
    arrow_table table;
    export_collection(collection, &stream);
    arrow_table_read(&stream, &table);
    assert_int_equal(table.count, 1);
    assert_int_equal(table.batches[0].length, 1);
    return table;
}

static void expect_same_collections(const sl_collection *a, const sl_collection *b) {
    assert_int_equal(a->num_records, b->num_records);
    assert_int_equal(a->decimals, b->decimals);
    assert_int_equal(sl_context_num_records(b->context), b->num_records);
    assert_true(sl_hierarchy_equal(a->hierarchy, b->hierarchy));
    EXPECT_OK(sl_hierarchy_validate(b->hierarchy, &expect_error));
    expect_same_records(a->context, b->context, a->num_records);
}

static void expect_round_trip(const sl_collection *collection) {
    struct ArrowArrayStream stream;
    sl_collection *read;
    export_collection(collection, &stream);
    EXPECT_OK(sl_collection_import(&stream, NULL, &read, &expect_error));
    assert_null(stream.release);
    expect_same_collections(collection, read);
    arrow_table first = table_of(collection), second = table_of(read);
    assert_true(arrow_table_equal(&first, &second));
    arrow_table_free(&first);
    arrow_table_free(&second);
    sl_collection_release(read);
}

static void collections_come_back_as_they_were(void **state) {
    (void)state;
    static const uint32_t sizes[] = {0, 1, 2, 3, 6, 30, 120};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t seed = 0; seed < EXPECT_SIZE(26, 5); seed++) {
            sl_frame *frame = arrow_frame_make(sizes[i], seed);
            arrow_frame_add_all_kinds(frame, sizes[i], seed);
            sl_frame_state *now = sl_frame_now(frame);
            for (uint32_t c = 0; c < sl_frame_state_num_collections(now); c++) {
                sl_collection *collection;
                EXPECT_OK(sl_frame_state_collection(now, c, &collection, &expect_error));
                expect_round_trip(collection);
                sl_collection_release(collection);
            }
            sl_frame_state_release(now);
            sl_frame_release(frame);
        }
}

/* Records 0-1 and 2-3 at 0.9, all four at 0.5, of six records in a hierarchy of five. */
static sl_collection *small_collection(void) {
    static const uint32_t left[] = {0, 2, 1}, right[] = {1, 3, 2};
    static const double scores[] = {0.9, 0.9, 0.5};
    sl_frame *frame = arrow_frame_make(6, 1);
    sl_frame_state *now = sl_frame_now(frame);
    sl_hierarchy *hierarchy;
    sl_collection *made;
    EXPECT_OK(sl_hierarchy_build(5, left, right, scores, 3, NULL, &hierarchy, &expect_error));
    EXPECT_OK(sl_collection_create(sl_frame_state_context(now), hierarchy, 6, 6, NULL, &made, &expect_error));
    sl_hierarchy_release(hierarchy);
    sl_frame_state_release(now);
    sl_frame_release(frame);
    return made;
}

static void merges_are_numbered_as_in_scipy(void **state) {
    (void)state;
    sl_collection *collection = small_collection();
    expect_round_trip(collection);
    arrow_table table = table_of(collection);
    arrow_copy copy = arrow_table_copy(&table);
    assert_memory_equal(arrow_copy_array(&copy, 0, COMPONENTS "/")->buffers[1], ((uint32_t[]){0, 1, 2, 3, 6, 7}), 24);
    assert_memory_equal(arrow_copy_array(&copy, 0, COMPONENTS)->buffers[1], ((int32_t[]){0, 2, 4, 6}), 16);
    assert_memory_equal(arrow_copy_array(&copy, 0, "merge_events//result_component")->buffers[1],
                        ((uint32_t[]){6, 7, 8}), 12);
    assert_memory_equal(arrow_copy_array(&copy, 0, AFFECTED "/")->buffers[1], ((uint32_t[]){0, 1, 2, 3, 0, 1, 2, 3}),
                        32);
    assert_memory_equal(arrow_copy_array(&copy, 0, "merge_events//threshold")->buffers[1], ((double[]){0.9, 0.9, 0.5}),
                        24);
    assert_string_equal(arrow_copy_schema(&copy, MERGES)->name, "merge");
    const struct ArrowArray *statistics = arrow_copy_array(&copy, 0, "statistics");
    assert_int_equal(statistics->null_count, 0);
    assert_int_equal(((const uint32_t *)statistics->children[0]->buffers[1])[0], 3);
    assert_true(((const double *)statistics->children[1]->children[0]->buffers[1])[0] == 0.5);
    assert_true(((const double *)statistics->children[1]->children[1]->buffers[1])[0] == 0.9);
    assert_int_equal(arrow_copy_schema(&copy, "statistics")->flags, ARROW_FLAG_NULLABLE);
    assert_int_equal(arrow_copy_array(&copy, 0, "source_dictionary/!")->length, 2);
    arrow_copies_free();
    arrow_table_free(&table);
    sl_collection_release(collection);
}

static void nothing_that_merges_has_null_statistics(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(4, 1);
    arrow_frame_add(frame, "none", 4, 6, SL_SCALE_PROBABILITY, GRAPH_NO_EDGES);
    sl_frame_state *now = sl_frame_now(frame);
    sl_collection *collection;
    EXPECT_OK(sl_frame_state_collection(now, 0, &collection, &expect_error));
    arrow_table table = table_of(collection);
    assert_int_equal(table.batches[0].children[4]->null_count, 1);
    assert_int_equal(((const uint8_t *)table.batches[0].children[4]->buffers[0])[0] & 1, 0);
    arrow_table_free(&table);
    expect_round_trip(collection);
    sl_collection_release(collection);
    sl_frame_state_release(now);
    sl_frame_release(frame);
}

static void ids_must_be_text_and_merges_few(void **state) {
    (void)state;
    sl_collection *collection = small_collection();
    struct ArrowArrayStream stream;
    EXPECT_FAILURE(sl_collection_export(collection, "\xFF", 1, NULL, &stream, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    EXPECT_FAILURE(sl_collection_export(collection, NULL, 1, NULL, &stream, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    const sl_export_options options = {.max_expanded = 7};
    EXPECT_FAILURE(sl_collection_export(collection, "id", 2, &options, &stream, &expect_error), SL_ERROR_CAPACITY, -1);
    assert_non_null(strstr(expect_error.message, "\"id\""));
    assert_null(stream.release);
    EXPECT_OK(sl_collection_export(collection, NULL, 0, NULL, &stream, &expect_error));
    stream.release(&stream);
    sl_collection_release(collection);
}

/* ---- what others make of it -------------------------------------------------------------------------------------- */

static void what_is_derived_may_be_left_out(void **state) {
    (void)state;
    sl_collection *collection = small_collection(), *read;
    arrow_table table = table_of(collection);
    arrow_copy copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "statistics")->name = "x";
    arrow_copy_schema(&copy, "source_dictionary")->name = "y";
    struct ArrowArrayStream stream = arrow_copy_stream(&copy);
    EXPECT_OK(sl_collection_import(&stream, NULL, &read, &expect_error));
    expect_same_collections(collection, read);
    sl_collection_release(read);
    copy = arrow_table_copy(&table);
    copy.schema->metadata = NULL; /* then the hierarchy covers all six records */
    stream = arrow_copy_stream(&copy);
    EXPECT_OK(sl_collection_import(&stream, NULL, &read, &expect_error));
    assert_int_equal(sl_hierarchy_num_records(read->hierarchy), 6);
    assert_memory_equal(sl_hierarchy_join(read->hierarchy), sl_hierarchy_join(collection->hierarchy), 20);
    sl_collection_release(read);
    arrow_copies_free();
    arrow_table_free(&table);
    sl_collection_release(collection);
}

static void keys_without_kinds_are_strings(void **state) {
    (void)state;
    sl_collection *collection = small_collection(), *read;
    arrow_table table = table_of(collection);
    arrow_copy copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "records//key_kind")->name = "x";
    struct ArrowArrayStream stream = arrow_copy_stream(&copy);
    EXPECT_OK(sl_collection_import(&stream, NULL, &read, &expect_error));
    assert_int_equal(sl_context_key_kinds(read->context), 1 << SL_KEY_STRING);
    sl_collection_release(read);
    arrow_copies_free();
    arrow_table_free(&table);
    sl_collection_release(collection);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void expect_refused(arrow_copy *copy, sl_status expected, int64_t row, const char *why) {
    struct ArrowArrayStream stream = arrow_copy_stream(copy);
    sl_collection *read;
    EXPECT_FAILURE(sl_collection_import(&stream, NULL, &read, &expect_error), expected, row);
    expect_message(why);
    assert_null(read);
    assert_null(stream.release);
    arrow_copies_free();
}

static void collections_that_are_none_are_refused(void **state) {
    (void)state;
    sl_collection *collection = small_collection();
    arrow_table table = table_of(collection);
    static const struct {
        const char *path;
        uint64_t at;
        uint32_t value;
        int64_t row;
        const char *why;
    } cases[] = {
        {COMPONENTS "/", 0, 1, 0, "twice"},
        {COMPONENTS "/", 1, 8, 0, "not there yet"},
        {COMPONENTS "/", 2, 0, 1, "merged before"},
        {COMPONENTS "/", 4, 7, 2, "twice"},
        {COMPONENTS, 1, 1, 0, "fewer than two"},
        {AFFECTED "/", 1, 9, 0, "not there"},
        {AFFECTED "/", 1, 0, 0, "twice"},
        {AFFECTED "/", 1, 2, 0, "different components"},
        {AFFECTED, 1, 1, 0, "only a part"},
        {"merge_events//result_component", 1, 9, 1, "result_component"},
        {"records//record_index", 1, 6, 1, "record_index of row 1"},
        {"records//record_index", 1, 0, 1, "row before it"},
        {"statistics/num_merges", 0, 4, -1, "statistics"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arrow_copy copy = arrow_table_copy(&table);
        arrow_copy_put(&copy, cases[i].path, cases[i].at, cases[i].value);
        expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, cases[i].row, cases[i].why);
    }
    arrow_table_free(&table);
    sl_collection_release(collection);
}

static void keys_that_are_none_are_refused(void **state) {
    (void)state;
    sl_collection *collection = small_collection();
    arrow_table table = table_of(collection);
    const char *const keys = table.batches[0].children[2]->children[0]->children[1]->buffers[2];
    char spoilt[64];
    memcpy(spoilt, keys, 32);
    arrow_copy copy = arrow_table_copy(&table);
    spoilt[0] = 'x';
    arrow_copy_array(&copy, 0, "records//key")->buffers[2] = spoilt;
    expect_refused(&copy, SL_ERROR_INVALID_KEY, 0, "\"x\"");
    copy = arrow_table_copy(&table);
    arrow_copy_array(&copy, 0, "records//key_kind/!")->buffers[2] = "u32u64strinGbytes";
    expect_refused(&copy, SL_ERROR_INVALID_KEY, 2, "no kind");
    copy = arrow_table_copy(&table);
    arrow_copy_array(&copy, 0, "records//key_kind/!")->buffers[2] = "u32u32stringbytes";
    expect_refused(&copy, SL_ERROR_INVALID_KEY, 1, "too large");
    arrow_table_free(&table);
    sl_collection_release(collection);
}

static void tables_of_other_shapes_are_refused(void **state) {
    (void)state;
    sl_collection *collection = small_collection();
    arrow_table table = table_of(collection);
    static const char *const columns[] = {"records", "merge_events"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        arrow_copy copy = arrow_table_copy(&table);
        arrow_copy_schema(&copy, columns[i])->name = "x";
        expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, columns[i]);
    }
    arrow_copy copy = arrow_table_copy(&table);
    copy.batches[0]->length = 0;
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "0 rows");
    copy = arrow_table_copy(&table);
    copy.batches[1] = copy.batches[0];
    copy.count = 2;
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "2 rows");
    copy = arrow_table_copy(&table);
    struct ArrowSchema *records = copy.schema->children[2];
    copy.schema->children[2] = copy.schema->children[0];
    copy.schema->children[0] = records;
    records->name = "collection_id";
    copy.schema->children[2]->name = "records";
    struct ArrowArray *array = copy.batches[0]->children[0];
    copy.batches[0]->children[0] = copy.batches[0]->children[2];
    copy.batches[0]->children[2] = array;
    expect_refused(&copy, SL_ERROR_INVALID_ARGUMENT, -1, "where there should be lists");
    arrow_table_free(&table);

    struct ArrowArrayStream stream;
    sl_frame *frame = arrow_frame_make(3, 1), *read;
    sl_frame_state *now = sl_frame_now(frame);
    EXPECT_OK(sl_frame_state_export(now, NULL, &stream, &expect_error));
    sl_collection *none;
    EXPECT_FAILURE(sl_collection_import(&stream, NULL, &none, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    export_collection(collection, &stream);
    EXPECT_FAILURE(sl_frame_import(&stream, NULL, &read, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    sl_frame_state_release(now);
    sl_frame_release(frame);
    sl_collection_release(collection);
}

static void spoilt_tables_never_crash(void **state) {
    (void)state;
    uint64_t refused = 0, count = EXPECT_SIZE(60000, 20000);
    sl_collection *collection = small_collection();
    arrow_table table = table_of(collection);
    for (uint64_t number = 0; number < count; number++) {
        struct ArrowArrayStream stream = arrow_table_spoil(&table, number);
        sl_collection *read = NULL;
        memset(&expect_error, 0, sizeof expect_error);
        if (sl_collection_import(&stream, NULL, &read, &expect_error) == SL_OK) {
            EXPECT_OK(sl_hierarchy_validate(read->hierarchy, &expect_error));
        } else {
            assert_true(strlen(expect_error.message) > 8);
            refused++;
        }
        sl_collection_release(read);
        arrow_table_mend();
        arrow_copies_free();
    }
    assert_true(refused > count / 4);
    assert_true(refused < count);
    arrow_table_free(&table);
    sl_collection_release(collection);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    sl_collection *collection = small_collection();
    uint64_t held = sl_memory_in_use();
    bool done = false;
    for (uint64_t k = 0; !done; k++) {
        struct ArrowArrayStream stream = {0};
        sl_collection *read = NULL;
        failing_memory_after(k);
        sl_status status = sl_collection_export(collection, "id", 2, NULL, &stream, &expect_error);
        if (status == SL_OK) status = sl_collection_import(&stream, NULL, &read, &expect_error);
        failing_memory_after(FAILING_NEVER);
        done = status == SL_OK;
        assert_true(done || status == SL_ERROR_MEMORY);
        assert_true(done == (read != NULL));
        assert_null(stream.release);
        sl_collection_release(read);
        assert_int_equal(sl_memory_in_use(), held);
    }
    sl_collection_release(collection);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(collections_come_back_as_they_were),      TEST(merges_are_numbered_as_in_scipy),
        TEST(nothing_that_merges_has_null_statistics), TEST(ids_must_be_text_and_merges_few),
        TEST(what_is_derived_may_be_left_out),         TEST(keys_without_kinds_are_strings),
        TEST(collections_that_are_none_are_refused),   TEST(keys_that_are_none_are_refused),
        TEST(tables_of_other_shapes_are_refused),      TEST(spoilt_tables_never_crash),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, arrow_use_failing_memory, NULL);
}
