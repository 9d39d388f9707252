/* test_record_pairs.c: two key columns read as pairs of records, inside a transaction: numbering left before right, the first
 * fault, and readers that share one transaction. */
#include "support/record_cases.h"

static void pairs_number_left_before_right(void **state) {
    (void)state;
    sl_context *context = make_context();
    int64_t left[] = {5, 5, 7, 5}, right[] = {6, 5, 6, 8};
    uint32_t l[4], r[4];
    sl_key_column left_column = number_column(SL_COLUMN_INT64, left, 4, 0);
    sl_key_column right_column = number_column(SL_COLUMN_INT64, right, 4, 0);
    read_pairs(context, &left_column, &right_column, false, l, r, 3);
    assert_memory_equal(l, ((uint32_t[]){0, 0, 2, 0}), sizeof l);
    assert_memory_equal(r, ((uint32_t[]){1, 0, 1, 3}), sizeof r);

    strings ls, rs;
    left_column =
        (sl_key_column){.keys = *make_strings(&ls, SL_COLUMN_STRING, (const char *const[]){"a", "a", "b", "b"}, 4)};
    right_column = (sl_key_column){
        .keys = *make_strings(&rs, SL_COLUMN_LARGE_STRING, (const char *const[]){"c", "a", "a", "d"}, 4), .source = 1};
    read_pairs(context, &left_column, &right_column, false, l, r, 2);
    assert_memory_equal(l, ((uint32_t[]){4, 4, 7, 7}), sizeof l);
    assert_memory_equal(r, ((uint32_t[]){5, 6, 6, 8}), sizeof r);
    read_pairs(context, &left_column, &right_column, true, l, r, 4);
    assert_memory_equal(r, ((uint32_t[]){5, 6, 6, 8}), sizeof r);
    drop_context(context);
}

static void pairs_report_the_first_fault(void **state) {
    (void)state;
    sl_context *context = make_context();
    sl_i_pair_reader *reader;
    int64_t left[] = {1, 2, -1}, right[] = {1, 3, 2};
    uint32_t l[3], r[3];
    sl_key_column left_column = number_column(SL_COLUMN_INT64, left, 3, 0);
    sl_key_column right_column = number_column(SL_COLUMN_INT64, right, 3, 1);
    (void)intern_one(context, int_key(1), 0);
    (void)intern_one(context, int_key(2), 0);
    (void)intern_one(context, int_key(1), 1);
    OK(sl_i_append_begin(context, &error));
    OK(sl_i_pair_reader_create(context, &left_column, &right_column, true, 1000, &reader, &error));
    assert_int_equal(sl_i_pair_reader_read(reader, 0, 3, l, r, &error), SL_ERROR_KEY_NOT_FOUND);
    assert_int_equal(error.row, 1001);
    assert_message("column right: the key 3 of source \"b\"");
    sl_i_pair_reader_release(reader);
    sl_i_append_rollback(context);

    OK(sl_i_append_begin(context, &error));
    OK(sl_i_pair_reader_create(context, &left_column, &right_column, false, 1000, &reader, &error));
    assert_int_equal(sl_i_pair_reader_read(reader, 0, 3, l, r, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 1002);
    assert_int_equal(sl_i_append_num_records(context), 4);
    assert_int_equal(sl_context_num_records(context), 3);
    sl_i_pair_reader_release(reader);
    sl_i_append_rollback(context);
    check(context);
    assert_int_equal(sl_context_num_records(context), 3);

    strings s;
    uint8_t second_is_null[1] = {1};
    sl_key_column text = {.keys = *make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"p", "q"}, 2)},
                  holes = text;
    sl_key_column numbers = number_column(SL_COLUMN_INT64, right, 2, 0), number_holes = numbers;
    holes.keys.validity = number_holes.keys.validity = second_is_null;
    const sl_key_column *pairs[2][2] = {{&text, &holes}, {&numbers, &number_holes}};
    for (int i = 0; i < 2; i++) {
        OK(sl_i_append_begin(context, &error));
        OK(sl_i_pair_reader_create(context, pairs[i][0], pairs[i][1], false, 0, &reader, &error));
        assert_int_equal(sl_i_pair_reader_read(reader, 0, 2, l, r, &error), SL_ERROR_INVALID_KEY);
        assert_int_equal(error.row, 1);
        assert_message("column right: the key is null");
        sl_i_pair_reader_release(reader);
        sl_i_append_rollback(context);
    }

    char longest[300];
    memset(longest, 'k', sizeof longest);
    sl_key key = text_key(SL_KEY_STRING, longest, sizeof longest);
    left_column = right_column = keys_column(&key, 1, 0);
    OK(sl_i_append_begin(context, &error));
    OK(sl_i_pair_reader_create(context, &left_column, &right_column, true, 0, &reader, &error));
    assert_int_equal(sl_i_pair_reader_read(reader, 0, 1, l, r, &error), SL_ERROR_KEY_NOT_FOUND);
    assert_message("kkk\"... (300 bytes)");
    assert_true(strlen(error.message) < 250);
    sl_i_pair_reader_release(reader);
    right_column.keys.length = 0;
    assert_int_equal(sl_i_pair_reader_create(context, &left_column, &right_column, true, 0, &reader, &error),
                     SL_ERROR_INVALID_ARGUMENT);
    assert_null(reader);
    sl_i_append_rollback(context);
    drop_context(context);
}

static void readers_of_one_transaction_may_interleave(void **state) {
    (void)state;
    sl_context *context = make_context();
    uint64_t near_numbers[600], far_numbers[600];
    uint32_t l[600], r[600];
    for (uint64_t i = 0; i < 600; i++) {
        near_numbers[i] = i;
        far_numbers[i] = i << 33;
    }
    sl_key_column near_column = number_column(SL_COLUMN_UINT64, near_numbers, 600, 0);
    sl_key_column far_column = number_column(SL_COLUMN_UINT64, far_numbers, 600, 0);
    sl_i_pair_reader *near_reader, *far_reader, *nearer_reader;
    OK(sl_i_append_begin(context, &error));
    OK(sl_i_pair_reader_create(context, &near_column, &near_column, false, 0, &near_reader, &error));
    OK(sl_i_pair_reader_read(near_reader, 0, 300, l, r, &error));
    OK(sl_i_pair_reader_create(context, &far_column, &far_column, false, 0, &far_reader, &error));
    OK(sl_i_pair_reader_read(far_reader, 0, 300, l, r, &error));
    OK(sl_i_pair_reader_create(context, &near_column, &near_column, false, 0, &nearer_reader, &error));
    OK(sl_i_pair_reader_read(near_reader, 300, 300, l, r, &error));
    OK(sl_i_pair_reader_read(far_reader, 300, 300, l, r, &error));
    OK(sl_i_pair_reader_read(nearer_reader, 0, 600, l, r, &error));
    assert_int_equal(sl_i_append_num_records(context), 1199);
    sl_i_pair_reader_release(near_reader);
    sl_i_pair_reader_release(far_reader);
    sl_i_pair_reader_release(nearer_reader);
    sl_i_append_commit(context);
    drop_context(context);
}

/* The direct map that the first reader was promised is given up for the second and made short for the third. */
static void a_reader_survives_what_others_prepare(void **state) {
    (void)state;
    sl_context *context = make_context();
    uint64_t wide[] = {3, 60000}, far[] = {UINT64_C(1) << 50, 1}, near[] = {1, 2};
    uint32_t l[2], r[2];
    sl_key_column columns[3] = {number_column(SL_COLUMN_UINT64, wide, 2, 0), number_column(SL_COLUMN_UINT64, far, 2, 0),
                                number_column(SL_COLUMN_UINT64, near, 2, 0)};
    sl_i_pair_reader *readers[3];
    OK(sl_i_append_begin(context, &error));
    for (int i = 0; i < 3; i++)
        OK(sl_i_pair_reader_create(context, &columns[i], &columns[i], false, 0, &readers[i], &error));
    for (int i = 0; i < 3; i++) OK(sl_i_pair_reader_read(readers[i], 0, 2, l, r, &error));
    assert_memory_equal(l, ((uint32_t[]){3, 4}), sizeof l);
    for (int i = 0; i < 3; i++) sl_i_pair_reader_release(readers[i]);
    sl_i_append_commit(context);
    drop_context(context);
}

/* While an append has paused, look-ups and copies go on, and know nothing of what it has appended so far. */
static void a_paused_append_is_not_seen(void **state) {
    (void)state;
    uint64_t numbers[] = {5, UINT64_C(1) << 60};
    strings s;
    sl_key_column left = number_column(SL_COLUMN_UINT64, numbers, 2, 0);
    sl_key_column right = {.keys = *make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"a", "b"}, 2)};
    for (int commits = 0; commits < 2; commits++) {
        sl_context *context = make_context(), *copy;
        uint32_t l[2], r[2];
        sl_i_pair_reader *reader;
        (void)intern_one(context, int_key(7), 0);
        OK(sl_i_append_begin(context, &error));
        OK(sl_i_pair_reader_create(context, &left, &right, false, 0, &reader, &error));
        OK(sl_i_pair_reader_read(reader, 0, 1, l, r, &error));
        sl_i_append_pause(context);
        assert_int_equal(find_one(context, int_key(5), 0), SL_NO_RECORD);
        assert_int_equal(find_one(context, string_key("a"), 0), SL_NO_RECORD);
        assert_int_equal(find_one(context, int_key(7), 0), 0);
        OK(sl_context_copy(context, SL_MAX_RECORDS, &copy, &error));
        check(copy);
        assert_int_equal(sl_context_num_records(copy), 1);
        sl_context_release(copy);
        sl_i_append_resume(context);
        sl_i_append_let_in(context);
        OK(sl_i_pair_reader_read(reader, 1, 1, l + 1, r + 1, &error));
        sl_i_pair_reader_release(reader);
        if (commits) sl_i_append_pause(context); /* ended while paused */
        if (commits)
            sl_i_append_commit(context);
        else
            sl_i_append_rollback(context);
        check(context);
        assert_int_equal(sl_context_num_records(context), commits ? 5 : 1);
        assert_int_equal(find_one(context, string_key("b"), 0), commits ? 4 : SL_NO_RECORD);
        drop_context(context);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_number_left_before_right),
        cmocka_unit_test(pairs_report_the_first_fault),
        cmocka_unit_test(readers_of_one_transaction_may_interleave),
        cmocka_unit_test(a_reader_survives_what_others_prepare),
        cmocka_unit_test(a_paused_append_is_not_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
