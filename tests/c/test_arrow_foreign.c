/* test_arrow_foreign.c: tables as other libraries make them, or as a broken one might: text in views, lists that never saw an item, types
 * that contain themselves, streams that fail half-way. */
#include "support/arrow_frames.h"
#include "support/arrow_trees.h"

#include <errno.h>

#include "frame/frame.h"
#include "support/graphs.h"

/* Three records, and a collection in which nothing merges, if it is wanted. */
static arrow_table written_frame(bool with_collection) {
    sl_frame *frame = arrow_frame_make(3, 1);
    struct ArrowArrayStream stream;
    arrow_table table;
    if (with_collection) arrow_frame_add(frame, "none", 3, 6, SL_SCALE_PROBABILITY, GRAPH_NO_EDGES);
    sl_frame_state *now = sl_frame_now(frame);
    EXPECT_OK(sl_frame_state_export(now, NULL, &stream, &expect_error));
    arrow_table_read(&stream, &table);
    sl_frame_state_release(now);
    sl_frame_release(frame);
    return table;
}

static sl_frame *expect_read(arrow_copy *copy) {
    struct ArrowArrayStream stream = arrow_copy_stream(copy);
    sl_frame *frame;
    EXPECT_OK(sl_frame_import(&stream, NULL, &frame, &expect_error));
    assert_null(stream.release);
    return frame;
}

static void expect_refused(struct ArrowArrayStream stream, const char *why) {
    expect_frame_refused(stream, SL_ERROR_INVALID_ARGUMENT, -1, why);
}

/* ---- text in views ----------------------------------------------------------------------------------------------- */

/* Length, and four bytes and the rest of a short text, or a prefix with the place of a long one. */
typedef struct text_view {
    int32_t length;
    char prefix[4];
    int32_t buffer, offset;
} text_view;

static const char long_text[] = "a text of more than twelve bytes";

typedef struct view_column {
    text_view views[4];
    int64_t sizes[2];
    const void *buffers[4];
} view_column;

/* The keys of a table as string views, the second of them a long one. */
static arrow_copy with_views(const arrow_table *table, view_column *column) {
    arrow_copy copy = arrow_table_copy(table);
    *column = (view_column){.views = {{3, "abc", 0, 0}, {20, "", 0, 7}, {0, "", 0, 0}},
                            .sizes = {sizeof long_text - 1},
                            .buffers = {NULL, column->views, long_text, column->sizes}};
    struct ArrowSchema *schema = arrow_copy_schema(&copy, "record_keys");
    struct ArrowArray *array = arrow_copy_array(&copy, 0, "record_keys");
    schema->format = "vu";
    schema->dictionary = NULL;
    array->dictionary = NULL;
    array->n_buffers = 4;
    array->buffers = column->buffers;
    return copy;
}

static void views_of_text_are_keys(void **state) {
    (void)state;
    arrow_table table = written_frame(false);
    view_column column;
    arrow_copy copy = with_views(&table, &column);
    sl_frame *frame = expect_read(&copy);
    sl_frame_state *now = sl_frame_now(frame);
    sl_record record;
    assert_true(sl_context_record(sl_frame_state_context(now), 1, &record));
    assert_int_equal(record.key.length, 20);
    assert_memory_equal(record.key.bytes, long_text + 7, 20);
    sl_frame_state_release(now);
    sl_frame_release(frame);
    arrow_copies_free();
    arrow_table_free(&table);
}

static void views_that_lead_nowhere_are_refused(void **state) {
    (void)state;
    arrow_table table = written_frame(false);
    view_column column;
    for (int fault = 0; fault < 10; fault++) {
        arrow_copy copy = with_views(&table, &column);
        struct ArrowArray *array = arrow_copy_array(&copy, 0, "record_keys");
        switch (fault) {
        case 0: array->n_buffers = 2; break;
        case 1: array->n_buffers = 3; break; /* no data: the long text leads nowhere */
        case 2: column.buffers[1] = NULL; break;
        case 3: column.buffers[2] = NULL; break;
        case 4: column.buffers[3] = NULL; break;
        case 5: column.buffers[3] = (const char *)column.sizes + 1; break;
        case 6: column.sizes[0] = -1; break;
        case 7: column.views[1].offset = INT32_MAX; break;
        case 8: column.views[1].buffer = 1; break;
        default: column.views[0].length = INT32_MIN;
        }
        expect_refused(arrow_copy_stream(&copy), "record_keys");
    }
    arrow_table_free(&table);
}

/* ---- lists that never saw an item -------------------------------------------------------------------------------- */

static void hold_nulls(arrow_copy *copy, const char *items) {
    struct ArrowSchema *schema = arrow_copy_schema(copy, items);
    struct ArrowArray *array = arrow_copy_array(copy, 0, items);
    schema->format = "n";
    schema->dictionary = NULL;
    array->dictionary = NULL;
    schema->n_children = array->n_children = array->n_buffers = 0;
}

static void frames_of_nothing_need_no_types(void **state) {
    (void)state;
    static const char *const items[] = {"collections/", "collections//merge_events/"};
    for (uint32_t collections = 0; collections < 2; collections++) {
        arrow_table table = written_frame(collections);
        arrow_copy copy = arrow_table_copy(&table);
        hold_nulls(&copy, items[collections]);
        sl_frame *frame = expect_read(&copy);
        sl_frame_state *now = sl_frame_now(frame);
        assert_int_equal(sl_frame_state_num_records(now), 3);
        assert_int_equal(sl_frame_state_num_collections(now), collections);
        sl_frame_state_release(now);
        sl_frame_release(frame);
        copy = arrow_table_copy(&table);
        hold_nulls(&copy, items[collections]);
        arrow_copy_array(&copy, 0, items[collections])->length = 1; /* a null after all */
        expect_refused(arrow_copy_stream(&copy), "null");
        arrow_table_free(&table);
    }
}

static void collections_of_nothing_need_no_types(void **state) {
    (void)state;
    for (uint32_t num_records = 0; num_records < 3; num_records += 2) {
        sl_frame *frame = arrow_frame_make(num_records, 1);
        sl_frame_state *now;
        sl_collection *collection, *read;
        struct ArrowArrayStream stream;
        arrow_table table;
        arrow_frame_add(frame, "none", num_records, 6, SL_SCALE_PROBABILITY, GRAPH_NO_EDGES);
        now = sl_frame_now(frame);
        EXPECT_OK(sl_frame_state_collection(now, 0, &collection, &expect_error));
        EXPECT_OK(sl_collection_export(collection, "none", 4, NULL, &stream, &expect_error));
        arrow_table_read(&stream, &table);
        arrow_copy copy = arrow_table_copy(&table);
        if (num_records == 0) hold_nulls(&copy, "records/");
        hold_nulls(&copy, "merge_events/");
        hold_nulls(&copy, "statistics");
        stream = arrow_copy_stream(&copy);
        EXPECT_OK(sl_collection_import(&stream, NULL, &read, &expect_error));
        assert_int_equal(sl_collection_num_records(read), num_records);
        assert_true(sl_hierarchy_equal(sl_collection_hierarchy(read), sl_collection_hierarchy(collection)));
        sl_collection_release(read);
        arrow_copies_free();
        arrow_table_free(&table);
        sl_collection_release(collection);
        sl_frame_state_release(now);
        sl_frame_release(frame);
    }
}

/* ---- broken producers -------------------------------------------------------------------------------------------- */

static void types_that_contain_themselves_are_refused(void **state) {
    (void)state;
    arrow_table table = written_frame(false);
    arrow_copy copy = arrow_table_copy(&table);
    struct ArrowSchema *endless = copy.schema->children[3], *parts[2] = {endless, endless};
    endless->format = "+s";
    endless->n_children = 2;
    endless->children = parts;
    expect_refused(arrow_copy_stream(&copy), "more than 1000000 types");
    copy = arrow_table_copy(&table);
    copy.schema->children[3]->dictionary = copy.schema->children[3];
    expect_refused(arrow_copy_stream(&copy), "nested deeper");
    arrow_table_free(&table);
}

static int (*next_of_copy)(struct ArrowArrayStream *, struct ArrowArray *);

/* One batch, and then an error, with what is no array in the output. */
static int fail_after_one(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    (void)next_of_copy(stream, out);
    if (out->release) return 0;
    memset(out, 0xAB, sizeof *out);
    return EIO;
}

static const char *what_went_wrong(struct ArrowArrayStream *stream) {
    (void)stream;
    return "the disk is gone";
}

static void streams_that_fail_halfway_leave_nothing(void **state) {
    (void)state;
    arrow_table table = written_frame(true);
    uint64_t held = sl_memory_in_use();
    arrow_copy copy = arrow_table_copy(&table);
    struct ArrowArrayStream stream = arrow_copy_stream(&copy);
    next_of_copy = stream.get_next;
    stream.get_next = fail_after_one;
    stream.get_last_error = what_went_wrong;
    expect_refused(stream, "the disk is gone");
    assert_int_equal(sl_memory_in_use(), held);
    arrow_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(views_of_text_are_keys),
        TEST(views_that_lead_nowhere_are_refused),
        TEST(frames_of_nothing_need_no_types),
        TEST(collections_of_nothing_need_no_types),
        TEST(types_that_contain_themselves_are_refused),
        TEST(streams_that_fail_halfway_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
