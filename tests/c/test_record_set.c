/* test_record_set.c: record sets against one byte a record: made from lists and ranges, joined and subtracted, over runs,
 * scattered and dense records and the edges of Roaring's containers; memory to the byte, and none where it runs out. */
#include "records/record_set.h"
#include "support/expect.h"
#include "support/failing_memory.h"

#define UNIVERSE 200000u

/* ---------------------------------------------------------------------------------------------- plain sets */

typedef struct plain_set {
    uint8_t holds[UNIVERSE];
} plain_set;

static uint64_t random_state = 7;
static uint32_t draw(uint32_t below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % below);
}

static void fill(plain_set *plain, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end && i < UNIVERSE; i++) plain->holds[i] = 1;
}

/* Runs, scattered and dense records, in stretches of any length. */
static plain_set *draw_plain(void) {
    plain_set *plain = fresh_memory(1, sizeof *plain);
    for (uint32_t stretch = draw(12); stretch > 0; stretch--) {
        uint32_t first = draw(UNIVERSE), end = first + draw(1u << draw(18)), kind = draw(3);
        if (kind == 0) fill(plain, first, end);
        uint32_t one_in = kind == 1 ? 2 : 1 + draw(500);
        for (uint32_t i = first; kind > 0 && i < end && i < UNIVERSE; i++) plain->holds[i] |= draw(one_in) == 0;
    }
    return plain;
}

static uint32_t list_plain(const plain_set *plain, uint32_t *records) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < UNIVERSE; i++)
        if (plain->holds[i]) records[count++] = i;
    return count;
}

static sl_record_set *make(const uint32_t *records, uint64_t count) {
    sl_record_set *set;
    EXPECT_OK(sl_record_set_create(records, count, &set, &expect_error));
    EXPECT_OK(sl_i_record_set_validate(set, &expect_error));
    return set;
}

static sl_record_set *make_range(uint32_t first, uint32_t end) {
    sl_record_set *set;
    EXPECT_OK(sl_record_set_create_range(first, end, &set, &expect_error));
    EXPECT_OK(sl_i_record_set_validate(set, &expect_error));
    return set;
}

/* From a list that begins anywhere and repeats some of it. */
static sl_record_set *make_like(const plain_set *plain) {
    uint32_t *records = fresh_memory(2 * UNIVERSE, sizeof *records);
    uint32_t count = list_plain(plain, records), first = draw(count + 1);
    memcpy(records + count, records, count * sizeof *records);
    sl_record_set *set = make(records + first, count + draw(count - first + 1));
    free(records);
    return set;
}

static void assert_marks_like(const sl_record_set *set, const plain_set *plain) {
    uint64_t *bits = fresh_memory(UNIVERSE / 64 + 1, sizeof *bits);
    sl_i_record_set_mark(set, bits);
    for (uint32_t i = 0; i < UNIVERSE; i++) assert_int_equal(bits[i / 64] >> i % 64 & 1, plain->holds[i]);
    free(bits);
}

static void assert_like(const sl_record_set *set, const plain_set *plain) {
    uint32_t *expected = fresh_memory(UNIVERSE, sizeof *expected);
    uint32_t *records = fresh_memory(UNIVERSE, sizeof *records);
    uint32_t count = list_plain(plain, expected);
    EXPECT_OK(sl_i_record_set_validate(set, &expect_error));
    assert_int_equal(sl_record_set_count(set), count);
    sl_record_set_list(set, records);
    assert_memory_equal(records, expected, count * sizeof *records);
    assert_marks_like(set, plain);
    for (uint32_t i = 0; i < UNIVERSE; i++)
        if (sl_record_set_contains(set, i) != plain->holds[i]) fail_msg("record %u", i);
    assert_int_equal(sl_i_record_set_last(set), count ? expected[count - 1] : SL_NO_RECORD);
    for (int i = 0; i < 5; i++) {
        uint32_t first = draw(count + 2), room = draw(70000);
        uint32_t there = first < count ? count - first : 0;
        memset(records, 0, UNIVERSE * sizeof *records);
        assert_int_equal(sl_i_record_set_read(set, first, records, room), there < room ? there : room);
        if (there && room) assert_memory_equal(records, expected + first, (there < room ? there : room) * 4);
    }
    free(expected);
    free(records);
}

/* ---------------------------------------------------------------------------------------------- making */

static void lists_in_any_order(void **state) {
    (void)state;
    sl_record_set *empty = make(NULL, 0), *one = make((uint32_t[]){5}, 1);
    assert_int_equal(sl_record_set_count(empty), 0);
    assert_false(sl_record_set_contains(empty, 0));
    assert_int_equal(sl_i_record_set_last(empty), SL_NO_RECORD);
    assert_int_equal(sl_record_set_count(one), 1);
    assert_true(sl_record_set_contains(one, 5));
    assert_false(sl_record_set_contains(one, 6));
    assert_false(sl_record_set_equal(one, empty));

    uint32_t records[] = {9, 2, 70000, 2, UINT32_MAX - 1, 9, 65536, 65535, 0};
    sl_record_set *mixed = make(records, 9);
    uint32_t listed[7];
    assert_int_equal(sl_record_set_count(mixed), 7);
    sl_record_set_list(mixed, listed);
    assert_memory_equal(listed, ((uint32_t[]){0, 2, 9, 65535, 65536, 70000, UINT32_MAX - 1}), sizeof listed);
    sl_record_set *sorted = make(listed, 7);
    assert_true(sl_record_set_equal(mixed, sorted));
    sl_record_set_release(empty);
    sl_record_set_release(one);
    sl_record_set_release(mixed);
    sl_record_set_release(sorted);
}

static void edges_of_containers(void **state) {
    (void)state;
    const uint32_t sizes[] = {0, 1, 2, 65535, 65536, 65537, 131072, 4294967294u};
    for (size_t i = 0; i < 8; i++) {
        uint32_t size = sizes[i];
        sl_record_set *set = make_range(0, size);
        assert_int_equal(sl_record_set_count(set), size);
        assert_true(sl_record_set_contains(set, 0) == (size > 0));
        assert_false(sl_record_set_contains(set, size));
        if (size > 0) assert_true(sl_record_set_contains(set, size - 1));
        assert_int_equal(sl_i_record_set_last(set), size ? size - 1 : SL_NO_RECORD);
        sl_record_set *alike, *but_first, *first = make_range(0, size > 0), *again;
        EXPECT_OK(sl_record_set_difference(set, first, &but_first, &expect_error));
        EXPECT_OK(sl_record_set_union(first, but_first, &again, &expect_error));
        assert_int_equal(sl_record_set_count(but_first), size ? size - 1 : 0);
        assert_true(sl_record_set_equal(again, set));
        if (size <= UNIVERSE) {
            plain_set *plain = fresh_memory(1, sizeof *plain);
            fill(plain, 0, size);
            assert_like(set, plain);
            alike = make_like(plain);
            assert_true(sl_record_set_equal(set, alike));
            /* However it was made: a run is a run. */
            assert_true(sl_record_set_memory(alike) == sl_record_set_memory(set));
            assert_true(sl_record_set_memory(set) < 300);
            sl_record_set_release(alike);
            free(plain);
        }
        sl_record_set_release(set);
        sl_record_set_release(first);
        sl_record_set_release(but_first);
        sl_record_set_release(again);
    }
    sl_record_set *all = make_range(0, UINT32_MAX), *none = make_range(17, 17);
    assert_int_equal(sl_record_set_count(all), UINT32_MAX);
    assert_int_equal(sl_record_set_count(none), 0);
    sl_record_set_release(all);
    sl_record_set_release(none);
}

static void what_is_no_set(void **state) {
    (void)state;
    sl_record_set *set = (sl_record_set *)state;
    EXPECT_FAILURE(sl_record_set_create((uint32_t[]){1, SL_NO_RECORD}, 2, &set, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, 1);
    assert_null(set);
    set = (sl_record_set *)state;
    EXPECT_FAILURE(sl_record_set_create(NULL, 1, &set, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(set);
    set = (sl_record_set *)state;
    EXPECT_FAILURE(sl_record_set_create_range(3, 2, &set, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(set);
    sl_record_set_release(NULL);
    assert_null(sl_record_set_retain(NULL));
}

/* ---------------------------------------------------------------------------------------------- combining */

static void combine_and_compare(const plain_set *a, const plain_set *b) {
    sl_record_set *set_a = make_like(a), *set_b = make_like(b), *either, *rest;
    EXPECT_OK(sl_record_set_union(set_a, set_b, &either, &expect_error));
    EXPECT_OK(sl_record_set_difference(set_a, set_b, &rest, &expect_error));
    plain_set *plain_either = fresh_memory(1, sizeof *plain_either), *plain_rest = fresh_memory(1, sizeof *plain_rest);
    for (uint32_t i = 0; i < UNIVERSE; i++) {
        plain_either->holds[i] = a->holds[i] || b->holds[i];
        plain_rest->holds[i] = a->holds[i] && !b->holds[i];
    }
    assert_like(set_a, a);
    assert_like(either, plain_either);
    assert_like(rest, plain_rest);
    sl_record_set *made_either = make_like(plain_either), *made_rest = make_like(plain_rest);
    assert_true(sl_record_set_equal(either, made_either));
    assert_true(sl_record_set_equal(rest, made_rest));
    assert_int_equal(sl_record_set_equal(either, rest), memcmp(plain_either, plain_rest, UNIVERSE) == 0);
    assert_int_equal(sl_record_set_equal(set_a, set_b), memcmp(a, b, UNIVERSE) == 0);
    sl_record_set *const made[] = {set_a, set_b, either, rest, made_either, made_rest};
    for (size_t i = 0; i < 6; i++) sl_record_set_release(made[i]);
    free(plain_either);
    free(plain_rest);
}

static void random_sets_agree_with_plain_ones(void **state) {
    (void)state;
    int rounds = EXPECT_SIZE(120, 12);
    for (int round = 0; round < rounds; round++) {
        plain_set *a = draw_plain(), *b = round % 10 == 0 ? a : draw_plain();
        combine_and_compare(a, b);
        if (b != a) free(b);
        free(a);
    }
}

/* The sum of records far apart does not need memory for those in between. */
static void sparse_and_far_apart(void **state) {
    (void)state;
    uint32_t records[5000];
    for (uint32_t i = 0; i < 5000; i++) records[i] = (i * 2654435761u) & ~1u; /* distinct */
    sl_record_set *set = make(records, 5000), *odd;
    assert_int_equal(sl_record_set_count(set), 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        assert_true(sl_record_set_contains(set, records[i]));
        assert_false(sl_record_set_contains(set, records[i] | 1));
        records[i] |= 1;
    }
    records[4999] = 1;
    EXPECT_OK(sl_record_set_create(records, 5000, &odd, &expect_error));
    sl_record_set *both, *none;
    EXPECT_OK(sl_record_set_union(set, odd, &both, &expect_error));
    assert_int_equal(sl_record_set_count(both), sl_record_set_count(set) + sl_record_set_count(odd));
    EXPECT_OK(sl_record_set_difference(set, both, &none, &expect_error));
    assert_int_equal(sl_record_set_count(none), 0);
    assert_true(sl_record_set_memory(both) < 10000 * 35);
    sl_record_set_release(set);
    sl_record_set_release(odd);
    sl_record_set_release(both);
    sl_record_set_release(none);
}

/* ---------------------------------------------------------------------------------------------- memory */

static void memory_is_counted_to_the_byte(void **state) {
    (void)state;
    plain_set *plain = draw_plain();
    for (int round = 0; round < 8; round++) {
        uint64_t before = sl_memory_in_use();
        sl_record_set *set = make_like(plain);
        assert_true(sl_memory_in_use() - before == sl_record_set_memory(set));
        sl_record_set *shared = sl_record_set_retain(set);
        assert_ptr_equal(shared, set);
        sl_record_set_release(set);
        assert_like(shared, plain);
        assert_true(sl_memory_in_use() - before == sl_record_set_memory(shared));
        sl_record_set_release(shared);
        assert_true(sl_memory_in_use() == before);
        free(plain);
        plain = draw_plain();
    }
    free(plain);
}

/* 16-byte alignment is all that an allocator promises. */
static void *allocate_aligned_to_16(void *state, size_t size) {
    (void)state;
    void *memory = NULL;
    if (posix_memalign(&memory, 64, size + 16) != 0) return NULL;
    return (char *)memory + 16;
}
static void release_aligned_to_16(void *state, void *memory, size_t size) {
    (void)state, (void)size;
    free((char *)memory - 16);
}

static void blocks_may_be_aligned_to_16_only(void **state) {
    (void)state;
    const sl_allocator poor = {allocate_aligned_to_16, release_aligned_to_16, NULL};
    EXPECT_OK(sl_set_allocator(&poor, &expect_error));
    for (int round = 0; round < 5; round++) {
        plain_set *a = draw_plain(), *b = draw_plain();
        combine_and_compare(a, b);
        free(a);
        free(b);
    }
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

/* One call of each kind; all of them fail in the same way. */
static sl_status run(int scenario, const sl_record_set *a, const sl_record_set *b, const uint32_t *records,
                     sl_record_set **out, sl_error *error) {
    switch (scenario) {
    case 0: return sl_record_set_create(records, 100000, out, error);
    case 1: return sl_record_set_create_range(10, UINT32_C(1) << 30, out, error);
    case 2: return sl_record_set_union(a, b, out, error);
    case 3: return sl_record_set_difference(a, b, out, error);
    default: return sl_record_set_create(records, 3, out, error);
    }
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    uint32_t *records = fresh_memory(100000, sizeof *records);
    for (uint32_t i = 0; i < 100000; i++) records[i] = draw(UINT32_MAX);
    failing_memory_after(FAILING_NEVER);
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_record_set *a = make(records, 60000), *b = make(records + 30000, 70000);
    for (int scenario = 0; scenario < 5; scenario++) {
        bool done = false;
        uint64_t failures = 0, held = sl_memory_in_use();
        for (uint64_t k = 0; !done; k++) {
            for (int once = 0; once < 2; once++) {
                sl_record_set *set = a;
                (once ? failing_memory_once_after : failing_memory_after)(k);
                memset(&expect_error, 0x7F, sizeof expect_error);
                sl_status status = run(scenario, a, b, records, &set, &expect_error);
                failing_memory_after(FAILING_NEVER);
                done = status == SL_OK;
                if (done) {
                    EXPECT_OK(sl_i_record_set_validate(set, &expect_error));
                    assert_true(sl_memory_in_use() - held == sl_record_set_memory(set));
                    sl_record_set_release(set);
                } else {
                    assert_int_equal(status, SL_ERROR_MEMORY);
                    assert_int_equal(expect_error.status, SL_ERROR_MEMORY);
                    assert_null(set);
                    failures++;
                }
                assert_true(sl_memory_in_use() == held);
            }
        }
        assert_true(failures >= 4);
    }
    /* Still as they were. */
    for (uint32_t i = 0; i < 60000; i++) assert_true(sl_record_set_contains(a, records[i]));
    sl_record_set_release(a);
    sl_record_set_release(b);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    free(records);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lists_in_any_order),
        TEST(edges_of_containers),
        TEST(what_is_no_set),
        TEST(random_sets_agree_with_plain_ones),
        TEST(sparse_and_far_apart),
        TEST(memory_is_counted_to_the_byte),
        TEST(blocks_may_be_aligned_to_16_only),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
