/* test_blocks.c: the parts that never meet, against components found from scratch; computing block by block; errors. */
#include "support/expect.h"

#include <stdatomic.h>

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"

static sl_blocks *blocks_of(const sl_hierarchy *h) {
    sl_blocks *blocks = NULL;
    EXPECT_OK(sl_blocks_create(h, &blocks, &expect_error));
    assert_non_null(blocks);
    return blocks;
}

/* ---- what blocks are ----------------------------------------------------------------------------------------------- */

/* smallest[r]: of the component of record r at threshold 0. */
static void expect_block(const uint32_t *order, uint32_t first, uint32_t size, const uint32_t *smallest, uint32_t n) {
    uint32_t members = 0;
    for (uint32_t r = 0; r < n; r++) members += smallest[r] == smallest[order[first]];
    assert_int_equal(members, size);
    for (uint32_t i = first; i < first + size; i++) assert_int_equal(smallest[order[i]], smallest[order[first]]);
}

static void check_graph(const graph *g) {
    sl_hierarchy *h = plain_engine_build(g, NULL);
    sl_blocks *blocks = blocks_of(h);
    uint32_t n = g->num_records, *smallest = fresh_memory(n, sizeof *smallest), covered = 0, components = 0;
    uint32_t first = 0, size = 0, last_first = 0, last_size = UINT32_MAX;
    plain_components(g, 6, 0.0, smallest);
    for (uint32_t r = 0; r < n; r++) components += smallest[r] == r;
    assert_int_equal(sl_blocks_count(blocks), components);
    for (uint32_t b = 0; sl_blocks_get(blocks, b, &first, &size); b++) {
        expect_block(sl_hierarchy_order(h), first, size, smallest, n);
        assert_true(size < last_size || (size == last_size && first > last_first));
        covered += size;
        last_first = first;
        last_size = size;
    }
    assert_int_equal(covered, n);
    assert_int_equal(first + size, 0); /* beyond the last */
    sl_blocks_release(blocks);
    sl_hierarchy_release(h);
    free(smallest);
}

static void blocks_are_the_components_largest_first(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 400; number++) {
        graph g = graph_small(number);
        check_graph(&g);
        graph_free(&g);
    }
}

static void blocks_outlive_the_callers_hierarchy(void **state) {
    graph g = graph_make(GRAPH_ISOLATED, 50, 60, 10, 1);
    (void)state;
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_blocks *blocks = blocks_of(h);
    uint32_t first, size;
    sl_hierarchy_release(h);
    assert_true(sl_blocks_get(blocks, 0, &first, &size));
    sl_blocks_release(blocks);
    sl_blocks_release(NULL);
    graph_free(&g);
}

/* ---- working on them ----------------------------------------------------------------------------------------------- */

typedef struct pair_counts {
    const sl_blocks *blocks;
    const uint32_t *join;
    uint32_t cut;
    atomic_uint_fast64_t pairs, visits;
} pair_counts;

/* Pairs within the entities of one block at one cut. */
static sl_status count_pairs(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    pair_counts *counts = state;
    uint32_t first, size;
    uint64_t entity = 0, pairs = 0;
    (void)error, (void)lane;
    if (!sl_blocks_get(counts->blocks, (uint32_t)task, &first, &size)) return SL_ERROR_INVALID_ARGUMENT;
    for (uint32_t i = first; i < first + size; i++) {
        pairs += entity++;
        if (counts->join[i] >= counts->cut) entity = 0;
    }
    atomic_fetch_add(&counts->pairs, pairs);
    atomic_fetch_add(&counts->visits, 1);
    return SL_OK;
}

static void sums_over_blocks_are_those_of_the_whole(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        sl_set_num_threads(threads);
        graph g = graph_make(GRAPH_CLUSTERS, 3000, 2500, 20, threads);
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        sl_blocks *blocks = blocks_of(h);
        sl_curve *curve = NULL;
        EXPECT_OK(sl_curve_create(h, 0, NULL, &curve, &expect_error));
        double *expected = fresh_memory(sl_curve_length(curve), sizeof *expected);
        EXPECT_OK(sl_curve_metric(curve, SL_METRIC_PAIR_COUNT, 0, expected, &expect_error));
        for (uint32_t row = 0; row < sl_curve_length(curve); row++) {
            pair_counts counts = {.blocks = blocks, .join = sl_hierarchy_join(h)};
            counts.cut = (uint32_t)sl_curve_length(curve) - row; /* levels applied */
            EXPECT_OK(sl_blocks_for_each(blocks, count_pairs, &counts, NULL, &expect_error));
            assert_int_equal(counts.visits, sl_blocks_count(blocks));
            assert_true((double)counts.pairs == expected[row]);
        }
        free(expected);
        sl_curve_release(curve);
        sl_blocks_release(blocks);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void running_out_of_memory_is_an_error(void **state) {
    graph g = graph_make(GRAPH_ISOLATED, 500, 100, 10, 1);
    sl_status status = SL_ERROR_MEMORY;
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    uint64_t held = sl_memory_in_use(), allocations = 0;
    for (; status != SL_OK; allocations++) {
        sl_blocks *blocks = NULL;
        failing_memory_after(allocations);
        status = sl_blocks_create(h, &blocks, &expect_error);
        failing_memory_after(FAILING_NEVER);
        assert_true(status == SL_OK ? blocks != NULL : status == SL_ERROR_MEMORY && !blocks);
        sl_blocks_release(blocks);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_true(allocations > 3);
    sl_hierarchy_release(h);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(blocks_are_the_components_largest_first),
        TEST(blocks_outlive_the_callers_hierarchy),
        TEST(sums_over_blocks_are_those_of_the_whole),
        TEST(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
