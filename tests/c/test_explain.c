/* test_explain.c: a chain between two records consists of edges of the forest, visits no record twice, and no other chain of edges
 * has a stronger weakest link between any two of its records. */
#include "support/expect.h"

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/plain_kept.h"

/* widest[a * n + b]: the strongest weakest link of any chain between the two; -1: there is none. Floyd and Warshall. */
static double *widest_of(const sl_edge_list *list) {
    uint32_t n = list->num_records;
    double *widest = fresh_memory((uint64_t)n * n, sizeof *widest);
    for (uint32_t i = 0; i < n * n; i++) widest[i] = -1.0;
    for (uint64_t i = 0; i < list->count; i++) {
        uint32_t left = list->left[i], right = list->right[i];
        widest[left * n + right] = widest[right * n + left] = list->scores[i];
    }
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = 0; j < n; j++) {
                double a = widest[i * n + k], b = widest[k * n + j], through = a < b ? a : b;
                if (through > widest[i * n + j]) widest[i * n + j] = through;
            }
    return widest;
}

/* Some edges of a list, by number. */
typedef struct forest {
    const sl_edge_list *edges;
    uint32_t *joined, count;
} forest;

static bool has_edge(const forest *f, uint32_t a, uint32_t b, double score) {
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t edge = f->joined[i], left = f->edges->left[edge], right = f->edges->right[edge];
        if (f->edges->scores[edge] == score && left == (a < b ? a : b) && right == (a < b ? b : a)) return true;
    }
    return false;
}

static void expect_chain(const sl_chain *chain, const forest *f, const double *widest, uint32_t a, uint32_t b) {
    uint32_t n = f->edges->num_records;
    if (widest[a * n + b] < 0.0) {
        assert_int_equal(chain->num_edges, 0);
        assert_true(!chain->records && !chain->scores);
        return;
    }
    assert_true(chain->num_edges > 0);
    assert_int_equal(chain->records[0], a);
    assert_int_equal(chain->records[chain->num_edges], b);
    assert_true(chain->threshold == widest[a * n + b]);
    for (uint32_t i = 0; i < chain->num_edges; i++) {
        double weakest = 2.0;
        assert_true(has_edge(f, chain->records[i], chain->records[i + 1], chain->scores[i]));
        for (uint32_t j = i; j < chain->num_edges; j++) {
            weakest = chain->scores[j] < weakest ? chain->scores[j] : weakest;
            assert_int_not_equal(chain->records[i], chain->records[j + 1]);
            assert_true(weakest == widest[chain->records[i] * n + chain->records[j + 1]]);
        }
    }
}

static void chains_are_the_widest_paths_in_the_forest(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(600, 80); number++) {
        graph g = graph_small(number);
        uint32_t decimals = number % 3 == 0 ? PLAIN_EXACT : number % 3 == 1 ? 6 : 1;
        sl_build_options options = {
            .decimals = decimals, .exact = decimals == PLAIN_EXACT, .keep = number % 2 ? SL_KEEP_ALL : SL_KEEP_FOREST};
        sl_edge_list list;
        plain_edges_make(&g, decimals, &list);
        forest f = {.edges = &list, .joined = fresh_memory(g.num_records, sizeof(uint32_t))};
        f.count = plain_edges_kruskal(&list, g.num_records, f.joined);
        double *widest = widest_of(&list);
        sl_hierarchy *h = plain_engine_build(&g, &options);
        for (uint32_t a = 0; a < g.num_records; a++)
            for (uint32_t b = 0; b < g.num_records; b++) {
                sl_chain chain;
                if (a == b) continue;
                EXPECT_OK(sl_hierarchy_explain(h, a, b, &chain, &expect_error));
                expect_chain(&chain, &f, widest, a, b);
                sl_chain_release(&chain);
                assert_int_equal(chain.num_edges, 0);
            }
        sl_hierarchy_release(h);
        free(widest);
        free(f.joined);
        plain_edges_free(&list);
        graph_free(&g);
    }
}

static void a_long_chain_is_followed_from_end_to_end(void **state) {
    uint32_t n = 100000;
    graph g = graph_make(GRAPH_CHAIN_ASCENDING, n, 0, 0, 1);
    sl_build_options options = {.keep = SL_KEEP_FOREST, .exact = true};
    sl_hierarchy *h = NULL;
    sl_chain chain;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(n, g.left, g.right, g.scores, g.num_edges, &options, &h, &expect_error));
    EXPECT_OK(sl_hierarchy_explain(h, n - 1, 0, &chain, &expect_error));
    assert_int_equal(chain.num_edges, n - 1);
    for (uint32_t i = 0; i < n; i++) assert_int_equal(chain.records[i], n - 1 - i);
    sl_chain_release(&chain);
    sl_hierarchy_release(h);
    graph_free(&g);
}

static void what_cannot_be_explained_is_said(void **state) {
    const uint32_t left[] = {0, 2}, right[] = {1, 3};
    const double scores[] = {0.5, 0.25};
    sl_build_options options = {.keep = SL_KEEP_FOREST};
    sl_hierarchy *h = NULL, *bare = NULL;
    sl_chain chain;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(4, left, right, scores, 2, &options, &h, &expect_error));
    EXPECT_OK(sl_hierarchy_build(4, left, right, scores, 2, NULL, &bare, &expect_error));
    EXPECT_FAILURE(sl_hierarchy_explain(h, 1, 1, &chain, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_hierarchy_explain(bare, 0, 1, &chain, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(chain.records);
    EXPECT_OK(sl_hierarchy_explain(h, 0, 2, &chain, &expect_error));
    assert_int_equal(chain.num_edges, 0);
    EXPECT_OK(sl_hierarchy_explain(h, 0, 9, &chain, &expect_error));
    assert_int_equal(chain.num_edges, 0);
    sl_chain_release(&chain);
    sl_hierarchy_release(h);
    sl_hierarchy_release(bare);
}

static void memory_that_runs_out_leaves_nothing_behind(void **state) {
    const uint32_t left[] = {0, 1}, right[] = {1, 2};
    const double scores[] = {0.5, 0.25};
    sl_build_options options = {.keep = SL_KEEP_FOREST};
    sl_hierarchy *h = NULL;
    sl_chain chain;
    uint64_t k = 0;
    (void)state;
    assert_int_equal(sl_set_allocator(&failing_memory, NULL), SL_OK);
    failing_memory_after(FAILING_NEVER);
    EXPECT_OK(sl_hierarchy_build(3, left, right, scores, 2, &options, &h, &expect_error));
    uint64_t held = sl_memory_in_use();
    for (;; k++) {
        failing_memory_after(k);
        sl_status status = sl_hierarchy_explain(h, 0, 2, &chain, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_true(!chain.records && !chain.scores);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_int_equal(k, 4);
    sl_chain_release(&chain);
    sl_hierarchy_release(h);
    assert_int_equal(sl_set_allocator(NULL, NULL), SL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(chains_are_the_widest_paths_in_the_forest),
        TEST(a_long_chain_is_followed_from_end_to_end),
        TEST(what_cannot_be_explained_is_said),
        TEST(memory_that_runs_out_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
