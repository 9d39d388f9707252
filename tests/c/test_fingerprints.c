/* test_fingerprints.c: a fingerprint is the smallest value of each slot over the hashes of the identities, as 64-bit arithmetic says;
 * the same from the portable and the vectorised code, for any number of threads; its similarity estimates Jaccard's. */
#include "support/expect.h"

#include <math.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "entities/fingerprints.h"
#include "support/entity_cases.h"
#include "support/failing_memory.h"
#include "support/listener.h"
#include "support/vector.h"

#define LENGTH SL_FINGERPRINT_LENGTH
#define FIRST_STATE UINT64_C(0x537461726C696E67)

/* ---- the definition ---------------------------------------------------------------------------------------------- */

static void add_plainly(uint64_t hash, uint32_t *fingerprint) {
    uint64_t random = FIRST_STATE; /* graph_random is splitmix64 */
    for (int slot = 0; slot < LENGTH; slot++) {
        uint64_t factor = graph_random(&random) | 1, offset = graph_random(&random) >> 32 << 32;
        uint32_t value = (uint32_t)((factor * hash + offset) >> 32);
        if (value < fingerprint[slot]) fingerprint[slot] = value;
    }
}

static void expect_definition(const entity_case *c, const uint32_t *fingerprints) {
    uint32_t entities = sl_partition_num_entities(c->partition), count;
    for (uint32_t entity = 0; entity < entities; entity++) {
        const uint32_t *members = entity_case_members(c->partition, entity, &count);
        uint32_t expected[LENGTH];
        memset(expected, 0xFF, sizeof expected);
        for (uint32_t i = 0; i < count; i++) {
            plain_bytes bytes = plain_encode(c->context, members[i]);
            add_plainly(XXH3_64bits(bytes.bytes, bytes.length), expected);
            free(bytes.bytes);
        }
        assert_memory_equal(fingerprints + (size_t)entity * LENGTH, expected, sizeof expected);
    }
}

static uint32_t *fingerprints_of(const entity_case *c) {
    uint32_t *fingerprints = fresh_memory(sl_partition_num_entities(c->partition), LENGTH * sizeof *fingerprints);
    EXPECT_OK(sl_partition_fingerprints(c->partition, c->context, fingerprints, NULL, &expect_error));
    return fingerprints;
}

static void fingerprints_are_those_of_the_definition(void **state) {
    static const uint32_t sizes[] = {1, 2, 3, 10, 100, 1000};
    (void)state;
    for (uint32_t i = 0; i < 24; i++) {
        uint32_t size = sizes[i % 6], records = i < 4 ? i : size * 4;
        entity_case c = entity_case_make(records, i % 4 ? records : records * 3 / 4, 1 + i, size, i);
        uint32_t *fingerprints = fingerprints_of(&c);
        expect_definition(&c, fingerprints);
        free(fingerprints);
        entity_case_free(&c);
    }
}

static void large_entities_have_the_same_definition(void **state) {
    uint32_t records = EXPECT_SIZE(100000, 20000);
    entity_case c = entity_case_make(records, records, 3, records + 1, 1);
    (void)state;
    uint32_t *fingerprints = fingerprints_of(&c);
    expect_definition(&c, fingerprints);
    free(fingerprints);
    entity_case_free(&c);
}

static void both_twins_agree(void **state) {
    static uint64_t hashes[1000];
    sl_i_slots slots;
    uint64_t seed = 4;
    (void)state;
    sl_i_slots_make(&slots);
    for (size_t i = 0; i < 1000; i++) hashes[i] = graph_random(&seed);
    hashes[0] = 0;
    hashes[1] = UINT64_MAX;
    for (uint64_t count = 0; count <= 1000; count += count < 20 ? 1 : 490) {
        uint32_t a[LENGTH], b[LENGTH];
        memset(a, 0xFF, sizeof a);
        memset(b, 0xFF, sizeof b);
        sl_i_fingerprint_add(&slots, hashes, count, a);
        sl_i_use_portable(true);
        sl_i_fingerprint_add(&slots, hashes, count, b);
        sl_i_use_portable(false);
        assert_memory_equal(a, b, sizeof a);
    }
}

static void threads_do_not_matter(void **state) {
    entity_case c = entity_case_make(20000, 20000, 9, 3, 1);
    (void)state;
    sl_set_num_threads(1);
    uint32_t *one = fingerprints_of(&c);
    sl_set_num_threads(4);
    uint32_t *four = fingerprints_of(&c);
    assert_memory_equal(one, four, (size_t)sl_partition_num_entities(c.partition) * LENGTH * sizeof *one);
    free(one);
    free(four);
    entity_case_free(&c);
}

/* ---- similarity -------------------------------------------------------------------------------------------------- */

/* Two sets of 100 records that share `common`, 60 times over; the error has mean 0 and variance J (1 - J) / 128. */
static void check_similarity(uint32_t common) {
    double jaccard = common / (200.0 - common), sum = 0, squares = 0;
    sl_i_slots slots;
    uint64_t seed = common + 1;
    sl_i_slots_make(&slots);
    for (int round = 0; round < 60; round++) {
        uint32_t prints[2][LENGTH];
        memset(prints, 0xFF, sizeof prints);
        for (uint32_t i = 0; i < 200 - common; i++) {
            uint64_t hash = graph_random(&seed);
            if (i < 100) sl_i_fingerprint_add(&slots, &hash, 1, prints[0]);
            if (i >= 100 - common) sl_i_fingerprint_add(&slots, &hash, 1, prints[1]);
        }
        double off = sl_fingerprint_similarity(prints[0], prints[1]) - jaccard;
        sum += off;
        squares += off * off;
    }
    double variance = jaccard * (1 - jaccard) / LENGTH;
    assert_true(fabs(sum / 60) <= 4 * sqrt(variance / 60));
    assert_true(squares / 60 <= variance * 1.8);
}

static void similarity_estimates_jaccards(void **state) {
    (void)state;
    for (uint32_t common = 0; common <= 100; common += 10) check_similarity(common);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void bad_arguments_and_interrupts_leave_zeros(void **state) {
    uint32_t records = EXPECT_SIZE(1000000, 300000);
    entity_case c = entity_case_make(records, records, 2, records + 1, 8), other = entity_case_make(10, 10, 2, 4, 8);
    listener l = {.stop_at = 1};
    const sl_progress progress = {listener_tick, &l};
    uint32_t fingerprint[LENGTH] = {1}, zeros[LENGTH] = {0};
    (void)state;
    EXPECT_FAILURE(sl_partition_fingerprints(c.partition, NULL, fingerprint, NULL, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_memory_equal(fingerprint, zeros, sizeof zeros);
    EXPECT_FAILURE(sl_partition_fingerprints(c.partition, other.context, fingerprint, NULL, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    sl_set_num_threads(1);
    EXPECT_FAILURE(sl_partition_fingerprints(c.partition, c.context, fingerprint, &progress, &expect_error),
                   SL_ERROR_INTERRUPTED, -1);
    assert_memory_equal(fingerprint, zeros, sizeof zeros);
    entity_case_free(&c);
    entity_case_free(&other);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    failing_memory_after(FAILING_NEVER);
    entity_case c = entity_case_make(100, 90, 5, 9, 4);
    uint32_t *right = fingerprints_of(&c);
    size_t bytes = (size_t)sl_partition_num_entities(c.partition) * LENGTH * sizeof *right;
    uint32_t *fingerprints = fresh_memory(bytes, 1);
    uint64_t held = sl_memory_in_use(), k = 0;
    for (;; k++) {
        failing_memory_after(k);
        sl_status status = sl_partition_fingerprints(c.partition, c.context, fingerprints, NULL, &expect_error);
        failing_memory_after(FAILING_NEVER);
        assert_int_equal(sl_memory_in_use(), held);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        for (size_t i = 0; i < bytes / sizeof *right; i++) assert_int_equal(fingerprints[i], 0);
    }
    assert_true(k > 3);
    assert_memory_equal(fingerprints, right, bytes);
    free(right);
    free(fingerprints);
    entity_case_free(&c);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fingerprints_are_those_of_the_definition),
        TEST(large_entities_have_the_same_definition),
        TEST(both_twins_agree),
        TEST(threads_do_not_matter),
        TEST(similarity_estimates_jaccards),
        TEST(bad_arguments_and_interrupts_leave_zeros),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
