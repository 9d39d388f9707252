/* test_listed_forest.c: the hierarchy of an edge list is the one that the edges give in any order, byte for byte, and its forest is
 * the one that Kruskal's algorithm finds. */
#include "support/expect.h"

#include "hierarchy/listed_forest.h"
#include "support/failing_memory.h"
#include "support/plain_edges.h"
#include "support/plain_hierarchy.h"

#define NUM_SMALL ((uint64_t)EXPECT_SIZE(1300, 390)) /* graphs of all shapes */

static sl_hierarchy *build_listed(const sl_edge_list *edges, uint32_t num_records, bool exact) {
    const sl_i_score_kind kind = {.scale = SL_SCALE_PROBABILITY, .exact = exact};
    sl_i_ticker ticker = sl_i_ticker_make(NULL);
    sl_hierarchy *made = NULL;
    EXPECT_OK(sl_i_forest_build_listed(num_records, edges, kind, NULL, &ticker, &made, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
    return made;
}

static void expect_as_built(const graph *g, uint32_t decimals) {
    sl_build_options options = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
    sl_hierarchy *built = plain_engine_build(g, &options);
    sl_edge_list edges;
    plain_edges_make(g, decimals, &edges);
    uint32_t *joined = fresh_memory(g->num_records, sizeof *joined);
    uint32_t num_joined = plain_edges_kruskal(&edges, g->num_records, joined);
    sl_hierarchy *made = build_listed(&edges, g->num_records, options.exact);
    assert_true(sl_hierarchy_equal(made, built));
    assert_int_equal(made->num_merges, built->num_merges);
    plain_edges_expect_forest(made, &edges, joined, num_joined);
    free(joined);
    plain_edges_free(&edges);
    sl_hierarchy_release(made);
    sl_hierarchy_release(built);
}

static void small_graphs_of_every_shape_are_as_built(void **state) {
    static const uint32_t all_decimals[] = {1, 2, 6, PLAIN_EXACT};
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL; number++) {
        graph g = graph_small(number);
        expect_as_built(&g, all_decimals[number / GRAPH_NUM_SHAPES % 4]);
        graph_free(&g);
    }
}

static void large_levels_are_as_built(void **state) {
    (void)state;
    for (int shape = 0; shape < GRAPH_NUM_SHAPES; shape++) {
        graph g = graph_make((graph_shape)shape, EXPECT_SIZE(6000, 1500), EXPECT_SIZE(9000, 2500), 5, 3);
        expect_as_built(&g, 6);
        graph_free(&g);
    }
}

static void the_smallest_lists_are_hierarchies(void **state) {
    (void)state;
    for (uint32_t n = 0; n <= 2; n++)
        for (uint64_t m = 0; m <= 2; m++) {
            graph g = graph_make(GRAPH_RANDOM, n, m, 4, n + m);
            expect_as_built(&g, 6);
            graph_free(&g);
        }
}

static void records_beyond_the_list_are_alone(void **state) {
    graph g = graph_make(GRAPH_TIES, 30, 40, 4, 8);
    sl_edge_list edges;
    (void)state;
    plain_edges_make(&g, 6, &edges);
    sl_hierarchy *made = build_listed(&edges, 33, false);
    for (uint32_t i = 30; i < 33; i++) {
        assert_int_equal(made->order[i], i);
        assert_int_equal(made->join[i - 1], SL_NEVER);
    }
    plain_edges_free(&edges);
    sl_hierarchy_release(made);
    graph_free(&g);
}

static void the_scale_is_kept_and_levels_are_scores_as_they_are(void **state) {
    uint32_t left[] = {0, 1, 2}, right[] = {3, 2, 3};
    double scores[] = {12.5, -1.0 / 3, -40.0};
    sl_edge_list edges = {.num_records = 4, .count = 3, .left = left, .right = right, .scores = scores};
    const sl_i_score_kind weights = {.scale = SL_SCALE_WEIGHT, .exact = true};
    sl_i_ticker ticker = sl_i_ticker_make(NULL);
    sl_hierarchy *made = NULL;
    (void)state;
    EXPECT_OK(sl_i_forest_build_listed(4, &edges, weights, NULL, &ticker, &made, &expect_error));
    assert_int_equal(made->scale, SL_SCALE_WEIGHT);
    assert_int_equal(made->num_levels, 3);
    assert_memory_equal(made->levels, scores, sizeof scores);
    sl_hierarchy_release(made);
}

static void an_allocation_that_fails_leaves_nothing_behind(void **state) {
    const sl_i_score_kind rounded = {.scale = SL_SCALE_PROBABILITY, .exact = false};
    graph g = graph_make(GRAPH_TIES, 40, 90, 4, 2);
    sl_edge_list edges;
    (void)state;
    plain_edges_make(&g, 6, &edges);
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_status status = SL_ERROR_MEMORY;
    for (uint64_t after = 0; status != SL_OK; after++) {
        sl_i_ticker ticker = sl_i_ticker_make(NULL);
        sl_hierarchy *made = NULL;
        failing_memory_after(after);
        status = sl_i_forest_build_listed(40, &edges, rounded, NULL, &ticker, &made, &expect_error);
        failing_memory_after(FAILING_NEVER);
        assert_true((status == SL_OK) == (made != NULL));
        if (status != SL_OK) assert_int_equal(status, SL_ERROR_MEMORY);
        sl_hierarchy_release(made);
        assert_int_equal(sl_memory_in_use(), 0);
    }
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    plain_edges_free(&edges);
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(small_graphs_of_every_shape_are_as_built),
        TEST(large_levels_are_as_built),
        TEST(the_smallest_lists_are_hierarchies),
        TEST(records_beyond_the_list_are_alone),
        TEST(the_scale_is_kept_and_levels_are_scores_as_they_are),
        TEST(an_allocation_that_fails_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
