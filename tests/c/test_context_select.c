/* test_context_select.c: parts of a context and contexts in one another, against records listed one by one: all or nothing, the
 * order of sources, memory to the byte, and every allocation failing once. */
#include "records/record_set.h"
#include "support/expect.h"
#include "support/failing_memory.h"
#include "support/record_cases.h"

static uint64_t random_state = 11;
static uint32_t draw(uint32_t below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % below);
}

/* ---------------------------------------------------------------------------------------------- plain definitions */

static const char *const source_names[] = {"crm", "web", "", "shop", "a source with a longer name"};
#define NUM_NAMES 5u

static char key_text[40];

/* Key number `number`: ints, wide ints, strings and bytes. */
static sl_key key_of(uint32_t number) {
    snprintf(key_text, sizeof key_text, "a key, number %" PRIu32, number);
    switch (number % 5) {
    case 0: return int_key(number);
    case 1: return string_key(key_text);
    case 2: return bytes_key(key_text);
    case 3: return int_key((uint64_t)number << 33);
    default: return int_key(number * 7u);
    }
}

/* `count` records, drawn from `keys` x sources; returns how many different ones. */
static uint32_t fill_context(sl_context *context, uint32_t count, uint32_t keys) {
    for (uint32_t i = 0; i < count; i++) {
        uint16_t source;
        uint32_t index, name = draw(NUM_NAMES);
        OK(sl_context_add_source(context, source_names[name], strlen(source_names[name]), &source, &error));
        sl_key key = key_of(draw(keys));
        const sl_key_column column = keys_column(&key, 1, source);
        OK(sl_context_intern(context, &column, &index, NULL, &error));
    }
    return sl_context_num_records(context);
}

static sl_context *draw_context(uint32_t count, uint32_t keys) {
    sl_context *context;
    OK(sl_context_create(&context, &error));
    fill_context(context, count, keys);
    return context;
}

static bool same_key(const sl_key *a, const sl_key *b) {
    return a->kind == b->kind && a->number == b->number && a->length == b->length &&
           (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* Record `i` of `a` and record `j` of `b`: the same source name and key. */
static bool same_record(const sl_context *a, uint32_t i, const sl_context *b, uint32_t j) {
    sl_record left, right;
    if (!sl_context_record(a, i, &left) || !sl_context_record(b, j, &right)) return false;
    return strcmp(sl_context_source_name(a, left.source, NULL), sl_context_source_name(b, right.source, NULL)) == 0 &&
           same_key(&left.key, &right.key);
}

static sl_record_set *set_of(const uint32_t *records, uint64_t count) {
    sl_record_set *set;
    OK(sl_record_set_create(records, count, &set, &error));
    return set;
}

static sl_context *select_from(const sl_context *context, const sl_record_set *records) {
    sl_context *selected;
    OK(sl_context_select(context, records, &selected, &error));
    check(selected);
    return selected;
}

/* ---------------------------------------------------------------------------------------------- select */

/* The sources of `records`, in the order in which they come up, are the sources of `selected`. */
static void assert_sources_by_first_use(const sl_context *context, const uint32_t *records, uint32_t count,
                                        const sl_context *selected) {
    bool seen[NUM_NAMES + 8] = {false};
    uint16_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        sl_record record;
        assert_true(sl_context_record(context, records[i], &record));
        if (seen[record.source]) continue;
        seen[record.source] = true;
        assert_string_equal(sl_context_source_name(selected, next++, NULL),
                            sl_context_source_name(context, record.source, NULL));
    }
    assert_int_equal(sl_context_num_sources(selected), next);
}

static void selecting_random_records(void **state) {
    (void)state;
    for (int round = 0; round < EXPECT_SIZE(40, 8); round++) {
        sl_context *context = draw_context(draw(1500), 1 + draw(2000));
        uint32_t num_records = sl_context_num_records(context), count = 0, records[1500];
        uint32_t one_in = 1 + draw(6);
        for (uint32_t i = 0; i < num_records; i++)
            if (draw(one_in) == 0) records[count++] = i;
        sl_record_set *set = set_of(records, count);
        sl_context *selected = select_from(context, set);
        assert_int_equal(sl_context_num_records(selected), count);
        for (uint32_t rank = 0; rank < count; rank++) assert_true(same_record(selected, rank, context, records[rank]));
        assert_sources_by_first_use(context, records, count, selected);
        /* Independent: outlives the other, and may be added to. */
        sl_record_set_release(set);
        sl_context_release(context);
        fill_context(selected, 20, 100);
        drop_context(selected);
    }
}

static void selecting_more_than_a_batch(void **state) {
    (void)state;
    const uint32_t num_records = EXPECT_SIZE(200000, 140000);
    sl_context *context = make_context();
    uint32_t *numbers = fresh_memory(num_records, sizeof *numbers),
             *indices = fresh_memory(num_records, sizeof *numbers);
    for (uint32_t i = 0; i < num_records; i++) numbers[i] = i ^ 1;
    const sl_key_column column = number_column(SL_COLUMN_UINT32, numbers, num_records, 1);
    OK(sl_context_intern(context, &column, indices, NULL, &error));
    const uint32_t firsts[] = {0, 1, 3};
    for (int i = 0; i < 3; i++) {
        sl_record_set *set;
        OK(sl_record_set_create_range(firsts[i], num_records, &set, &error));
        sl_context *selected = select_from(context, set);
        assert_int_equal(sl_context_num_records(selected), num_records - firsts[i]);
        assert_int_equal(sl_context_num_sources(selected), 1);
        for (uint32_t rank = 0; rank < num_records - firsts[i]; rank += 13)
            assert_true(same_record(selected, rank, context, rank + firsts[i]));
        sl_record_set_release(set);
        sl_context_release(selected);
    }
    free(numbers);
    free(indices);
    drop_context(context);
}

static void selecting_nothing_and_too_much(void **state) {
    (void)state;
    sl_context *context = draw_context(10, 1000), *selected = context;
    uint32_t num_records = sl_context_num_records(context);
    sl_record_set *none = set_of(NULL, 0), *beyond = set_of((uint32_t[]){0, num_records}, 2);
    EXPECT_FAILURE(sl_context_select(context, beyond, &selected, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(selected);
    selected = select_from(context, none);
    assert_int_equal(sl_context_num_records(selected), 0);
    assert_int_equal(sl_context_num_sources(selected), 0);
    sl_context_release(selected);
    sl_record_set_release(none);
    sl_record_set_release(beyond);
    drop_context(context);
}

static void records_by_source(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        sl_context *context = draw_context(draw(6000), 5000);
        uint32_t num_records = sl_context_num_records(context), some = draw(num_records + 1);
        const uint32_t limits[] = {0, some, num_records, SL_MAX_RECORDS};
        for (uint16_t source = 0; source < sl_context_num_sources(context); source++)
            for (int k = 0; k < 4; k++) {
                sl_record_set *set;
                uint32_t count = 0;
                OK(sl_context_source_records(context, source, limits[k], &set, &error));
                OK(sl_i_record_set_validate(set, &error));
                for (uint32_t i = 0; i < num_records; i++) {
                    sl_record record;
                    assert_true(sl_context_record(context, i, &record));
                    bool expected = record.source == source && i < limits[k];
                    assert_int_equal(sl_record_set_contains(set, i), expected);
                    count += expected;
                }
                assert_int_equal(sl_record_set_count(set), count);
                sl_record_set_release(set);
            }
        sl_record_set *set = (sl_record_set *)context;
        EXPECT_FAILURE(sl_context_source_records(context, NUM_NAMES, 1, &set, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                       -1);
        assert_null(set);
        drop_context(context);
    }
}

/* ---------------------------------------------------------------------------------------------- assimilate */

/* What the records of `other` should become: an index that is known, or the next. */
static void assert_translated(const sl_context *before, const sl_context *other, uint32_t count,
                              const uint32_t *translation, const sl_context *after) {
    uint32_t next = sl_context_num_records(before);
    for (uint32_t i = 0; i < count; i++) {
        sl_record record;
        uint16_t source;
        uint32_t expected = SL_NO_RECORD;
        assert_true(sl_context_record(other, i, &record));
        const char *name = sl_context_source_name(other, record.source, NULL);
        if (sl_context_find_source(before, name, strlen(name), &source))
            expected = find_one(before, record.key, source);
        assert_int_equal(translation[i], expected == SL_NO_RECORD ? next++ : expected);
        assert_true(same_record(after, translation[i], other, i));
    }
    assert_int_equal(sl_context_num_records(after), next);
}

static void assimilating_random_contexts(void **state) {
    (void)state;
    uint32_t translation[1500];
    for (int round = 0; round < EXPECT_SIZE(60, 10); round++) {
        sl_context *context = draw_context(draw(1200), 1500), *other = draw_context(draw(1200), 1500), *before;
        uint32_t all = sl_context_num_records(other), count = round % 3 == 0 ? draw(all + 1) : all;
        OK(sl_context_copy(context, SL_MAX_RECORDS, &before, &error));
        OK(sl_context_assimilate(context, other, round % 3 == 1 ? SL_MAX_RECORDS : count, translation, NULL, &error));
        check(context);
        check(other);
        assert_translated(before, other, count, translation, context);
        sl_context_release(before);
        sl_context_release(other);
        drop_context(context);
    }
}

static void assimilating_itself_and_a_copy(void **state) {
    (void)state;
    uint32_t translation[300];
    sl_context *context = draw_context(300, 5000), *copy;
    uint32_t count = sl_context_num_records(context);
    OK(sl_context_copy(context, SL_MAX_RECORDS, &copy, &error));
    for (int round = 0; round < 2; round++) {
        memset(translation, 0xFF, sizeof translation);
        OK(sl_context_assimilate(context, round ? copy : context, SL_MAX_RECORDS, translation, NULL, &error));
        for (uint32_t i = 0; i < count; i++) assert_int_equal(translation[i], i);
    }
    assert_int_equal(sl_context_num_records(context), count);
    sl_context_release(copy);
    drop_context(context);
}

typedef struct interruption {
    uint32_t ticks, stop_at;
    uint64_t done, total;
} interruption;

static int stop_then(void *state, const char *phase, uint64_t done, uint64_t total) {
    interruption *i = state;
    assert_string_equal(phase, "matching records");
    assert_true(done >= i->done && done <= total);
    i->done = done;
    i->total = total;
    return ++i->ticks >= i->stop_at;
}

/* Many strings, so that it takes more than the time between two ticks. */
static void an_interrupt_leaves_no_record(void **state) {
    (void)state;
    const uint32_t num_records = 1500000;
    sl_context *context = make_context(), *other = make_context();
    uint64_t *numbers = fresh_memory(num_records, sizeof *numbers);
    uint32_t *indices = fresh_memory(num_records, sizeof *indices);
    for (uint32_t i = 0; i < num_records; i++) numbers[i] = (uint64_t)i << 33;
    const sl_key_column column = number_column(SL_COLUMN_UINT64, numbers, num_records, 1);
    OK(sl_context_intern(other, &column, indices, NULL, &error));
    fill_context(context, 100, 1000);
    uint32_t before = sl_context_num_records(context);
    interruption stop = {.stop_at = 1};
    const sl_progress progress = {stop_then, &stop};
    EXPECT_FAILURE(sl_context_assimilate(context, other, SL_MAX_RECORDS, indices, &progress, &expect_error),
                   SL_ERROR_INTERRUPTED, -1);
    assert_int_equal(stop.ticks, 1);
    assert_int_equal(stop.total, num_records);
    assert_int_equal(sl_context_num_records(context), before);
    check(context);
    stop = (interruption){.stop_at = UINT32_MAX};
    OK(sl_context_assimilate(context, other, SL_MAX_RECORDS, indices, &progress, &error));
    assert_int_equal(sl_context_num_records(context), before + num_records);
    for (uint32_t i = 0; i < num_records; i += 9973) assert_true(same_record(context, indices[i], other, i));
    free(numbers);
    free(indices);
    sl_context_release(other);
    drop_context(context);
}

static void a_full_context_takes_nothing(void **state) {
    (void)state;
    uint32_t translation[200];
    sl_context *context = make_context(), *other = draw_context(200, 100000);
    sl_i_context_set_capacity_for_test(context, 50);
    assert_int_equal(sl_context_assimilate(context, other, SL_MAX_RECORDS, translation, NULL, &error),
                     SL_ERROR_CAPACITY);
    assert_int_equal(error.row, 50);
    assert_int_equal(sl_context_num_records(context), 0);
    sl_context_release(other);
    drop_context(context);
}

/* ---------------------------------------------------------------------------------------------- memory */

static void assert_counted(const sl_context *context, uint64_t before) {
    assert_true(sl_context_memory(context) == sl_memory_in_use() - before);
}

static void memory_is_counted_to_the_byte(void **state) {
    (void)state;
    sl_context *context, *copy;
    uint64_t before = sl_memory_in_use();
    OK(sl_context_create(&context, &error));
    assert_counted(context, before);
    for (uint32_t step = 0; step < 12; step++) {
        fill_context(context, 300, 1u << (step + 4));
        assert_counted(context, before);
    }
    for (uint32_t i = 0; i < 70; i++) {
        char name[24];
        uint16_t source;
        snprintf(name, sizeof name, "source %u", (unsigned)i);
        OK(sl_context_add_source(context, name, strlen(name), &source, &error));
        sl_key key = int_key(i * 100);
        intern_one(context, key, source);
        assert_counted(context, before);
    }
    uint64_t with_one = sl_memory_in_use();
    OK(sl_context_copy(context, 500, &copy, &error));
    assert_counted(copy, with_one);
    sl_context_release(copy);
    sl_context_truncate(context, 1200);
    assert_counted(context, before);
    sl_record_set *some;
    OK(sl_record_set_create_range(100, 900, &some, &error));
    uint64_t with_set = sl_memory_in_use();
    sl_context *selected = select_from(context, some);
    assert_counted(selected, with_set);
    sl_context_release(selected);
    sl_record_set_release(some);
    sl_context_truncate(context, 0);
    assert_counted(context, before);
    drop_context(context);
}

static sl_status run(int scenario, sl_context *context, const sl_context *other, const sl_record_set *some,
                     uint32_t *translation, sl_error *problem) {
    sl_context *selected = context;
    sl_record_set *set = (sl_record_set *)context;
    sl_status status;
    switch (scenario) {
    case 0: return sl_context_assimilate(context, other, SL_MAX_RECORDS, translation, NULL, problem);
    case 1:
        status = sl_context_select(other, some, &selected, problem);
        assert_int_equal(status == SL_OK, selected != NULL);
        if (selected) check(selected);
        sl_context_release(selected);
        return status;
    default:
        status = sl_context_source_records(other, 1, SL_MAX_RECORDS, &set, problem);
        assert_int_equal(status == SL_OK, set != NULL);
        sl_record_set_release(set);
        return status;
    }
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    uint32_t translation[3000];
    OK(sl_set_allocator(&failing_memory, &error));
    for (int scenario = 0; scenario < 3; scenario++) {
        bool done = false;
        sl_context *other = draw_context(3000, 100000), *before = draw_context(40, 2000);
        sl_record_set *some;
        OK(sl_record_set_create_range(5, 2000, &some, &error));
        for (uint64_t k = 0; !done; k++) {
            assert_true(k < 1000);
            sl_context *context;
            OK(sl_context_copy(before, SL_MAX_RECORDS, &context, &error));
            uint32_t num_records = sl_context_num_records(context);
            uint64_t held = sl_memory_in_use();
            failing_memory_after(k);
            sl_status status = run(scenario, context, other, some, translation, &error);
            failing_memory_after(FAILING_NEVER);
            done = status == SL_OK;
            if (!done) assert_int_equal(status, SL_ERROR_MEMORY);
            check(context);
            check(other);
            if (scenario > 0) assert_true(sl_memory_in_use() == held);
            if (scenario > 0 || !done) assert_int_equal(sl_context_num_records(context), num_records);
            for (uint32_t i = 0; i < num_records; i++) assert_true(same_record(context, i, before, i));
            sl_context_release(context);
        }
        sl_record_set_release(some);
        sl_context_release(before);
        drop_context(other);
    }
    OK(sl_set_allocator(NULL, &error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selecting_random_records),       cmocka_unit_test(selecting_more_than_a_batch),
        cmocka_unit_test(selecting_nothing_and_too_much), cmocka_unit_test(records_by_source),
        cmocka_unit_test(assimilating_random_contexts),   cmocka_unit_test(assimilating_itself_and_a_copy),
        cmocka_unit_test(an_interrupt_leaves_no_record),  cmocka_unit_test(a_full_context_takes_nothing),
        cmocka_unit_test(memory_is_counted_to_the_byte),  cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
