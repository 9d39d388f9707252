/* test_lineage.c: the lineage of a record is what cuts at one level after the other tell of its entity. */
#include "support/expect.h"

#include <math.h>

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"

static const uint32_t *smallest_at(const plain_hierarchy *plain, uint32_t level) {
    return plain->smallest + (uint64_t)level * plain->num_records;
}

static uint32_t members_at(const plain_hierarchy *plain, uint32_t level, uint32_t record) {
    const uint32_t *smallest = smallest_at(plain, level);
    uint32_t members = 0;
    for (uint32_t r = 0; r < plain->num_records; r++) members += smallest[r] == smallest[record];
    return members;
}

/* The slice of a step holds just the records that are together with `record` at `level`. */
static void expect_entity(const sl_hierarchy *h, const plain_hierarchy *plain, uint32_t level, uint32_t record,
                          const sl_lineage *lineage, uint32_t step) {
    const uint32_t *smallest = smallest_at(plain, level), *members = sl_hierarchy_order(h) + lineage->first[step];
    assert_true(lineage->thresholds[step] == plain->levels[level]);
    assert_int_equal(lineage->size[step], members_at(plain, level, record));
    for (uint32_t i = 0; i < lineage->size[step]; i++) assert_int_equal(smallest[members[i]], smallest[record]);
}

static void check_record(const sl_hierarchy *h, const plain_hierarchy *plain, uint32_t record) {
    sl_lineage lineage;
    uint32_t step = 1, size = 1;
    EXPECT_OK(sl_hierarchy_lineage(h, record, &lineage, &expect_error));
    assert_true(isnan(lineage.thresholds[0]));
    assert_int_equal(lineage.size[0], 1);
    assert_int_equal(sl_hierarchy_order(h)[lineage.first[0]], record);
    for (uint32_t level = 0; level < plain->num_levels; level++) {
        if (members_at(plain, level, record) == size) continue;
        assert_true(step < lineage.num_steps);
        expect_entity(h, plain, level, record, &lineage, step);
        size = lineage.size[step++];
    }
    assert_int_equal(lineage.num_steps, step);
    sl_lineage_release(&lineage);
    assert_true(lineage.num_steps == 0 && !lineage.thresholds && !lineage.first && !lineage.size);
}

static void test_steps_are_those_of_cuts(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(2000, 400); number++) {
        uint32_t decimals = number % 3 == 0 ? PLAIN_EXACT : number % 3 == 1 ? 6 : 1;
        sl_build_options options = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
        graph g = graph_small(number);
        sl_hierarchy *h = plain_engine_build(&g, &options);
        plain_hierarchy plain = plain_build(&g, decimals);
        for (uint32_t record = 0; record < g.num_records; record++) check_record(h, &plain, record);
        plain_free(&plain);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void expect_beyond(const sl_hierarchy *h, uint32_t record) {
    sl_lineage lineage;
    EXPECT_OK(sl_hierarchy_lineage(h, record, &lineage, &expect_error));
    assert_int_equal(lineage.num_steps, 1);
    assert_true(isnan(lineage.thresholds[0]));
    assert_int_equal(lineage.first[0], SL_NO_RECORD);
    assert_int_equal(lineage.size[0], 1);
    sl_lineage_release(&lineage);
    sl_lineage_release(&lineage);
}

static void test_no_one_and_two_records(void **state) {
    const uint32_t left = 0, right = 1;
    const double score = 0.5;
    (void)state;
    for (uint32_t n = 0; n < 3; n++) {
        sl_hierarchy *h = NULL;
        sl_lineage lineage;
        EXPECT_OK(sl_hierarchy_build(n, &left, &right, &score, n == 2, NULL, &h, &expect_error));
        expect_beyond(h, n);
        expect_beyond(h, SL_NO_RECORD);
        for (uint32_t record = 0; record < n; record++) {
            EXPECT_OK(sl_hierarchy_lineage(h, record, &lineage, &expect_error));
            assert_int_equal(lineage.num_steps, n);
            assert_int_equal(lineage.first[0], record);
            assert_int_equal(lineage.size[n - 1], n);
            assert_true(n == 1 || lineage.thresholds[1] == 0.5);
            sl_lineage_release(&lineage);
        }
        sl_hierarchy_release(h);
    }
}

static void test_a_chain_of_a_million_steps(void **state) {
    uint32_t n = EXPECT_SIZE(1000000, 20000);
    graph g = graph_make(GRAPH_CHAIN_DESCENDING, n, n, 0, 7);
    const sl_build_options options = {.exact = true};
    sl_hierarchy *h = plain_engine_build(&g, &options);
    sl_lineage lineage;
    (void)state;
    EXPECT_OK(sl_hierarchy_lineage(h, 0, &lineage, &expect_error));
    assert_int_equal(lineage.num_steps, sl_hierarchy_num_levels(h) + 1);
    for (uint32_t step = 1; step < lineage.num_steps; step++) {
        assert_true(lineage.thresholds[step] == sl_hierarchy_levels(h)[step - 1]);
        assert_true(lineage.size[step] > lineage.size[step - 1]);
    }
    assert_int_equal(lineage.size[lineage.num_steps - 1], n);
    sl_lineage_release(&lineage);
    sl_hierarchy_release(h);
    graph_free(&g);
}

static void expect_out_of_memory(const sl_hierarchy *h, uint32_t record) {
    uint64_t held = sl_memory_in_use(), k = 0;
    sl_lineage lineage;
    for (;; k++) {
        failing_memory_after(k);
        sl_status status = sl_hierarchy_lineage(h, record, &lineage, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_true(lineage.num_steps == 0 && !lineage.thresholds && !lineage.first && !lineage.size);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_int_equal(k, 3);
    sl_lineage_release(&lineage);
}

static void test_out_of_memory(void **state) {
    graph g = graph_make(GRAPH_TIES, 30, 60, 0, 3);
    (void)state;
    assert_int_equal(sl_set_allocator(&failing_memory, NULL), SL_OK);
    failing_memory_after(FAILING_NEVER);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    expect_out_of_memory(h, 3);
    expect_out_of_memory(h, 30);
    sl_hierarchy_release(h);
    graph_free(&g);
    assert_int_equal(sl_set_allocator(NULL, NULL), SL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_steps_are_those_of_cuts),
        TEST(test_no_one_and_two_records),
        TEST(test_a_chain_of_a_million_steps),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
