/* test_arrow_membership.c: a partition that was handed over as a table makes the same entities again, whatever its keys. */
#include "support/arrow_frames.h"
#include "support/arrow_trees.h"

#include "support/failing_memory.h"

/* Rows 0.. of the frame's records with their labels as entity ids. */
static arrow_table membership_of(const sl_frame *frame, const uint32_t *labels) {
    sl_frame_state *now = sl_frame_now(frame);
    sl_context *context = sl_frame_state_context(now);
    uint32_t n = sl_frame_state_num_records(now), *all = fresh_memory(n, sizeof *all);
    sl_table *table;
    struct ArrowArrayStream stream;
    arrow_table read;
    for (uint32_t i = 0; i < n; i++) all[i] = i;
    EXPECT_OK(sl_table_create(n, &table, &expect_error));
    EXPECT_OK(sl_table_add_record_sources(table, "source", context, all, &expect_error));
    EXPECT_OK(sl_table_add_record_keys(table, "key", context, all, &expect_error));
    EXPECT_OK(sl_table_add_numbers(table, "entity_id", SL_COLUMN_UINT32, labels, &expect_error));
    EXPECT_OK(sl_table_export(table, &stream, &expect_error));
    arrow_table_read(&stream, &read);
    sl_frame_state_release(now);
    free(all);
    return read;
}

static sl_status import(sl_context *context, arrow_copy *copy, bool known, sl_hierarchy **out) {
    struct ArrowArrayStream stream = arrow_copy_stream(copy);
    sl_status status =
        sl_hierarchy_from_membership(context, &stream, "default", 7, 0.8, known, NULL, out, &expect_error);
    assert_null(stream.release);
    return status;
}

static sl_context *fresh_context(void) {
    sl_context *context;
    EXPECT_OK(sl_context_create(&context, &expect_error));
    return context;
}

static const uint32_t labels[] = {3, 3, 0, 1, 1, 3, 0, 2, 7, 3};
enum { N = sizeof labels / sizeof *labels };

static void partitions_come_back_with_their_records(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(N, 1);
    arrow_table table = membership_of(frame, labels);
    arrow_copy copy = arrow_table_copy(&table);
    sl_context *context = fresh_context();
    sl_hierarchy *read, *expected;
    EXPECT_OK(import(context, &copy, false, &read));
    EXPECT_OK(sl_hierarchy_from_entities(N, NULL, labels, N, 8, 0.8, &expected, &expect_error));
    assert_true(sl_hierarchy_equal(read, expected));
    sl_frame_state *now = sl_frame_now(frame);
    expect_same_records(sl_frame_state_context(now), context, N);
    sl_frame_state_release(now);
    sl_hierarchy_release(read);

    copy = arrow_table_copy(&table); /* the same rows again, among known records */
    EXPECT_OK(import(context, &copy, true, &read));
    assert_true(sl_hierarchy_equal(read, expected));
    sl_hierarchy_release(read);
    sl_hierarchy_release(expected);
    sl_context_release(context);
    arrow_copies_free();
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void empty_tables_are_empty_hierarchies(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(0, 1);
    arrow_table table = membership_of(frame, labels);
    arrow_copy copy = arrow_table_copy(&table);
    sl_context *context = fresh_context();
    sl_hierarchy *read;
    EXPECT_OK(import(context, &copy, false, &read));
    assert_int_equal(sl_hierarchy_num_records(read), 0);
    sl_hierarchy_release(read);
    sl_context_release(context);
    arrow_copies_free();
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void one_source_needs_no_column(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(5, 1);
    arrow_table table = membership_of(frame, labels);
    arrow_copy copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "source")->name = "x";
    sl_context *context = fresh_context();
    sl_hierarchy *read;
    EXPECT_OK(import(context, &copy, false, &read));
    assert_int_equal(sl_context_num_sources(context), 1);
    assert_string_equal(sl_context_source_name(context, 0, NULL), "default");
    sl_hierarchy_release(read);
    sl_context_release(context);
    arrow_copies_free();
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void bad_tables_leave_the_context_as_it_was(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(N, 1);
    arrow_table table = membership_of(frame, labels);
    sl_context *context = fresh_context();
    sl_hierarchy *read;
    arrow_copy copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "entity_id")->name = "x";
    EXPECT_FAILURE(import(context, &copy, false, &read), SL_ERROR_INVALID_ARGUMENT, -1);
    copy = arrow_table_copy(&table);
    EXPECT_FAILURE(import(context, &copy, true, &read), SL_ERROR_KEY_NOT_FOUND, 0);
    copy = arrow_table_copy(&table);
    arrow_copy_schema(&copy, "entity_id")->format = "f";
    EXPECT_FAILURE(import(context, &copy, false, &read), SL_ERROR_INVALID_KEY, 0);
    copy = arrow_table_copy(&table);
    arrow_copy second = arrow_table_copy(&table); /* the same records again, in other entities */
    copy.batches[1] = second.batches[0];
    copy.count = 2;
    uint32_t others[N];
    for (uint32_t i = 0; i < N; i++) others[i] = labels[i] == 7 ? 8 : labels[i];
    arrow_copy_array(&copy, 1, "entity_id")->buffers[1] = others;
    EXPECT_FAILURE(import(context, &copy, false, &read), SL_ERROR_OVERLAP, N + 8);
    assert_int_equal(expect_error.other_row, 8);
    assert_null(read);
    assert_int_equal(sl_context_num_records(context), 0);
    sl_context_release(context);
    arrow_copies_free();
    arrow_table_free(&table);
    sl_frame_release(frame);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    sl_frame *frame = arrow_frame_make(N, 1);
    arrow_table table = membership_of(frame, labels);
    bool done = false;
    for (uint64_t k = 0; !done; k++) {
        arrow_copy copy = arrow_table_copy(&table);
        sl_context *context = fresh_context();
        sl_hierarchy *read;
        failing_memory_after(k);
        sl_status status = import(context, &copy, false, &read);
        failing_memory_after(FAILING_NEVER);
        done = status == SL_OK;
        assert_true(done || status == SL_ERROR_MEMORY);
        assert_int_equal(sl_context_num_records(context), done ? N : 0);
        sl_hierarchy_release(read);
        sl_context_release(context);
        arrow_copies_free();
    }
    arrow_table_free(&table);
    sl_frame_release(frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(partitions_come_back_with_their_records),
        TEST(empty_tables_are_empty_hierarchies),
        TEST(one_source_needs_no_column),
        TEST(bad_tables_leave_the_context_as_it_was),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, arrow_use_failing_memory, NULL);
}
