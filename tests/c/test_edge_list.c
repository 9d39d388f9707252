/* test_edge_list.c: kept edges are the pairs of the graph and the forest that a textbook Kruskal takes from them in order, whatever
 * the order of the edges, the number of threads and the parts in which they came; they go where their hierarchy goes; densities
 * are counted edges. */
#include "support/expect.h"

#include <math.h>

#include "hierarchy/edge_list.h"
#include "hierarchy/hierarchy.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/keyed_graphs.h"
#include "support/listener.h"
#include "support/plain_hierarchy.h"
#include "support/plain_kept.h"

static sl_build_options keeping(sl_keep keep, uint32_t decimals) {
    return (sl_build_options){.keep = keep, .decimals = decimals, .exact = decimals == PLAIN_EXACT};
}

static sl_hierarchy *build(const graph *g, sl_keep keep, uint32_t decimals) {
    sl_build_options options = keeping(keep, decimals);
    return plain_engine_build(g, &options);
}

static bool same_bytes(const void *a, const void *b, uint64_t count, size_t size) {
    return (!a && !b) || (a && b && memcmp(a, b, count * size) == 0);
}

/* Hierarchy and all that it keeps, byte by byte. */
static void expect_same(const sl_hierarchy *a, const sl_hierarchy *b) {
    const sl_edge_list *x = sl_hierarchy_edges(a), *y = sl_hierarchy_edges(b);
    uint32_t n = sl_hierarchy_num_records(a);
    assert_true(sl_hierarchy_equal(a, b));
    assert_int_equal(sl_hierarchy_kept(a), sl_hierarchy_kept(b));
    assert_true(same_bytes(sl_hierarchy_forest_left(a), sl_hierarchy_forest_left(b), n, sizeof(uint32_t)));
    assert_true(same_bytes(sl_hierarchy_forest_right(a), sl_hierarchy_forest_right(b), n, sizeof(uint32_t)));
    assert_int_equal(!x, !y);
    if (!x) return;
    uint64_t count = sl_edge_list_count(x);
    assert_int_equal(count, sl_edge_list_count(y));
    assert_true(same_bytes(sl_edge_list_left(x), sl_edge_list_left(y), count, sizeof(uint32_t)));
    assert_true(same_bytes(sl_edge_list_right(x), sl_edge_list_right(y), count, sizeof(uint32_t)));
    assert_true(same_bytes(sl_edge_list_scores(x), sl_edge_list_scores(y), count, sizeof(double)));
}

static uint32_t decimals_of(uint64_t number) { return number % 3 == 0 ? PLAIN_EXACT : number % 3 == 1 ? 6 : 1; }

/* ---- lists --------------------------------------------------------------------------------------------------------- */

static void a_list_has_each_pair_once_with_its_highest_score(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(3000, 400); number++) {
        graph g = graph_small(number);
        sl_build_options options = keeping(SL_KEEP_NOTHING, decimals_of(number));
        sl_edge_list list;
        plain_edges_make(&g, decimals_of(number), &list);
        sl_edge_list *edges = NULL;
        EXPECT_OK(sl_edge_list_create(g.num_records, g.left, g.right, g.scores, g.num_edges, &options, &edges,
                                      &expect_error));
        uint64_t before = sl_edge_list_memory(edges);
        plain_expect_list(edges, &list);
        if (g.num_records > 0) assert_true(sl_edge_list_memory(edges) > before); /* neighbours */
        sl_edge_list *again = sl_edge_list_retain(edges);
        sl_edge_list_release(edges);
        sl_edge_list_release(again);
        plain_edges_free(&list);
        graph_free(&g);
    }
    sl_edge_list_release(NULL);
}

static void a_list_of_bad_edges_is_refused(void **state) {
    const uint32_t left[] = {0, 1}, right[] = {1, 5};
    const double scores[] = {0.5, NAN};
    const sl_build_options seven = {.decimals = 7}, other = {.keep = (sl_keep)7};
    const uint32_t *records, *numbers;
    uint32_t count;
    sl_edge_list *edges = NULL;
    (void)state;
    EXPECT_FAILURE(sl_edge_list_create(2, left, right, scores, 2, NULL, &edges, &expect_error), SL_ERROR_INVALID_SCORE,
                   1);
    EXPECT_FAILURE(sl_edge_list_create(2, left, right, (const double[]){0.5, 0.5}, 2, NULL, &edges, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, 1);
    EXPECT_FAILURE(sl_edge_list_create(2, left, right, NULL, 2, NULL, &edges, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    EXPECT_FAILURE(sl_edge_list_create(2, left, right, scores, 1, &seven, &edges, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_edge_list_create(2, left, right, scores, 1, &other, &edges, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(edges);
    EXPECT_OK(sl_edge_list_create(2, left, right, scores, 1, NULL, &edges, &expect_error));
    EXPECT_FAILURE(sl_edge_list_neighbours(edges, 2, &records, &numbers, &count, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(records);
    edges->left[0] = 1;
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    EXPECT_FAILURE(sl_i_edge_list_validate(edges, &silent, &expect_error), SL_ERROR_CORRUPT, -1);
    edges->left[0] = 0;
    sl_edge_list_release(edges);
}

static void memory_is_counted(void **state) {
    graph g = graph_make(GRAPH_TIES, 200, 1000, 0, 9);
    const uint32_t *records, *numbers;
    uint32_t count;
    (void)state;
    for (int keep = SL_KEEP_NOTHING; keep <= SL_KEEP_ALL; keep++) {
        uint64_t before = sl_memory_in_use();
        sl_hierarchy *h = build(&g, (sl_keep)keep, 6);
        assert_int_equal(sl_memory_in_use() - before, sl_hierarchy_memory(h));
        if (keep == SL_KEEP_ALL)
            EXPECT_OK(sl_edge_list_neighbours(sl_hierarchy_edges(h), 3, &records, &numbers, &count, &expect_error));
        assert_int_equal(sl_memory_in_use() - before, sl_hierarchy_memory(h));
        sl_hierarchy_release(h);
    }
    graph_free(&g);
}

/* ---- building ------------------------------------------------------------------------------------------------------ */

static void a_hierarchy_keeps_what_it_is_told_to(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(3000, 400); number++) {
        graph g = graph_small(number);
        uint32_t decimals = decimals_of(number);
        sl_hierarchy *nothing = build(&g, SL_KEEP_NOTHING, decimals), *forest = build(&g, SL_KEEP_FOREST, decimals),
                     *all = build(&g, SL_KEEP_ALL, decimals);
        plain_expect_kept(nothing, &g, decimals, SL_KEEP_NOTHING);
        plain_expect_kept(forest, &g, decimals, SL_KEEP_FOREST);
        plain_expect_kept(all, &g, decimals, SL_KEEP_ALL);
        assert_true(sl_hierarchy_equal(nothing, forest) && sl_hierarchy_equal(nothing, all));
        assert_true(sl_hierarchy_memory(nothing) < sl_hierarchy_memory(forest) &&
                    sl_hierarchy_memory(forest) < sl_hierarchy_memory(all));
        sl_hierarchy_release(nothing);
        sl_hierarchy_release(forest);
        sl_hierarchy_release(all);
        graph_free(&g);
    }
}

static void neither_order_nor_threads_show(void **state) {
    (void)state;
    for (uint32_t shape = 0; shape < GRAPH_NUM_SHAPES; shape++) {
        graph g = graph_make((graph_shape)shape, 3000, EXPECT_SIZE(400000, 60000), shape % 2 ? 0 : 50, shape);
        graph shuffled = graph_shuffle(&g, 7);
        sl_set_num_threads(1);
        sl_hierarchy *one = build(&g, SL_KEEP_ALL, 6), *plain = build(&g, SL_KEEP_NOTHING, 6);
        sl_set_num_threads(4);
        sl_hierarchy *four = build(&shuffled, SL_KEEP_ALL, 6), *forest = build(&shuffled, SL_KEEP_FOREST, 6);
        expect_same(one, four);
        assert_true(sl_hierarchy_equal(one, plain));
        assert_true(same_bytes(one->forest_left, forest->forest_left, one->num_records, sizeof(uint32_t)));
        assert_true(same_bytes(one->forest_right, forest->forest_right, one->num_records, sizeof(uint32_t)));
        sl_hierarchy_release(one);
        sl_hierarchy_release(four);
        sl_hierarchy_release(plain);
        sl_hierarchy_release(forest);
        graph_free(&g);
        graph_free(&shuffled);
    }
}

static void changed_kept_edges_are_found(void **state) {
    const uint32_t left[] = {0, 1, 3, 0}, right[] = {1, 2, 4, 2};
    const double scores[] = {0.9, 0.9, 0.5, 0.4};
    graph g = {.num_records = 6,
               .num_edges = 4,
               .left = (uint32_t *)(uintptr_t)left,
               .right = (uint32_t *)(uintptr_t)right,
               .scores = (double *)(uintptr_t)scores};
    sl_hierarchy *h = build(&g, SL_KEEP_ALL, 6);
    uint32_t *const values[] = {&h->forest_left[0],  &h->forest_right[1], &h->forest_left[2], &h->forest_right[3],
                                &h->edges->right[0], &h->edges->left[3],  &h->edges->right[3]};
    (void)state;
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint32_t was = *values[i];
        *values[i] = was == 5 ? 4 : 5;
        EXPECT_FAILURE(sl_hierarchy_validate(h, &expect_error), SL_ERROR_CORRUPT, -1);
        *values[i] = was;
    }
    h->edges->scores[3] = 0.95;
    EXPECT_FAILURE(sl_hierarchy_validate(h, &expect_error), SL_ERROR_CORRUPT, -1);
    h->edges->scores[3] = 0.4;
    EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
    sl_hierarchy_release(h);
}

/* ---- extending, merging, selecting ---------------------------------------------------------------------------------- */

static sl_hierarchy *extend(sl_context *context, const sl_hierarchy *base, const graph *g, sl_keep keep,
                            uint32_t decimals) {
    sl_build_options options = keeping(keep, decimals);
    sl_edges batch = graph_keyed(g);
    sl_hierarchy *made = NULL;
    EXPECT_OK(sl_hierarchy_extend(context, base, &batch, 1, &options, &made, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
    return made;
}

static void parts_are_the_whole(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(1500, 200); number++) {
        graph g = graph_small(number);
        uint32_t decimals = decimals_of(number);
        sl_keep keep = number % 2 ? SL_KEEP_ALL : SL_KEEP_FOREST;
        graph some = graph_slice(&g, 0, g.num_edges / 3),
              rest = graph_slice(&g, some.num_edges, g.num_edges - some.num_edges);
        sl_context *context = numbered_context(g.num_records);
        sl_hierarchy *whole = build(&g, keep, decimals), *base = build(&some, keep, decimals),
                     *other = build(&rest, SL_KEEP_ALL, decimals), *merged = NULL;
        sl_hierarchy *extended = extend(context, base, &rest, keep, decimals);
        expect_same(extended, whole);
        EXPECT_OK(sl_hierarchy_merge(base, other, NULL, g.num_records, NULL, &merged, &expect_error));
        expect_same(merged, whole);
        sl_hierarchy_release(extended);
        extended = extend(context, base, &rest, SL_KEEP_NOTHING, decimals);
        assert_int_equal(sl_hierarchy_kept(extended), SL_KEEP_NOTHING);
        assert_true(sl_hierarchy_equal(extended, whole));
        sl_hierarchy_release(extended);
        sl_hierarchy_release(merged);
        sl_hierarchy_release(whole);
        sl_hierarchy_release(base);
        sl_hierarchy_release(other);
        sl_context_release(context);
        graph_free(&g);
    }
}

/* Its seams, neighbours in the order, are then the edges there are. */
static void what_a_base_did_not_keep_its_seams_stand_for(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 40, 100, 10, 5), none = graph_slice(&g, 0, 0);
    sl_context *context = numbered_context(g.num_records);
    sl_hierarchy *base = build(&g, SL_KEEP_NOTHING, 6);
    (void)state;
    sl_hierarchy *all = extend(context, base, &none, SL_KEEP_ALL, 6);
    assert_true(sl_hierarchy_equal(base, all));
    const sl_edge_list *edges = sl_hierarchy_edges(all);
    uint32_t seams = 0, n = g.num_records;
    for (uint32_t i = 0; i < n; i++) seams += sl_hierarchy_join(base)[i] != SL_NEVER;
    assert_int_equal(sl_edge_list_count(edges), seams);
    sl_hierarchy_release(all);
    sl_hierarchy_release(base);
    sl_context_release(context);
    graph_free(&g);
}

/* Records get new numbers, some of them the same one. */
static graph translate(const graph *g, const uint32_t *translation, uint32_t num_records) {
    graph made = *g;
    made.num_records = num_records;
    made.left = fresh_memory(g->num_edges, sizeof *made.left);
    made.right = fresh_memory(g->num_edges, sizeof *made.right);
    for (uint64_t i = 0; i < g->num_edges; i++) {
        made.left[i] = translation[g->left[i]];
        made.right[i] = translation[g->right[i]];
    }
    return made;
}

static void translated_edges_are_those_of_translated_records(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(1500, 200); number++) {
        graph g = graph_small(number);
        uint32_t decimals = decimals_of(number), n = g.num_records + 3,
                 *translation = fresh_memory(n, sizeof(uint32_t));
        for (uint32_t r = 0; r < g.num_records; r++)
            translation[r] = number % 2 ? n - 1 - r : (uint32_t)((r * UINT64_C(2654435761) + number) % n);
        graph moved = translate(&g, translation, n);
        sl_hierarchy *h = build(&g, SL_KEEP_ALL, decimals), *expected = build(&moved, SL_KEEP_ALL, decimals),
                     *made = NULL;
        EXPECT_OK(sl_hierarchy_merge(NULL, h, translation, n, NULL, &made, &expect_error));
        expect_same(made, expected);
        plain_expect_kept(made, &moved, decimals, SL_KEEP_ALL);
        sl_hierarchy_release(made);
        sl_hierarchy_release(h);
        h = build(&g, SL_KEEP_FOREST, decimals);
        EXPECT_OK(sl_hierarchy_merge(NULL, h, translation, n, NULL, &made, &expect_error));
        EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
        assert_int_equal(sl_hierarchy_kept(made), SL_KEEP_FOREST);
        assert_true(sl_hierarchy_equal(made, expected));
        sl_hierarchy_release(made);
        sl_hierarchy_release(h);
        sl_hierarchy_release(expected);
        free(moved.left);
        free(moved.right);
        free(translation);
        graph_free(&g);
    }
}

static sl_hierarchy *constrain(const sl_context *context, const sl_hierarchy *h, sl_keep keep) {
    const sl_constraints constraints = {.max_entity_size = 4};
    sl_hierarchy *made = NULL;
    EXPECT_OK(sl_hierarchy_constrain(context, h, &constraints, keep, NULL, &made, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
    return made;
}

/* Edges that were left out do not join anything now, whatever the records are called. */
static void a_constrained_hierarchy_is_translated_as_it_is(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(600, 100); number++) {
        graph g = graph_small(number);
        sl_keep keep = (sl_keep)(number % 3);
        uint32_t n = g.num_records, *there = fresh_memory(n, sizeof *there);
        sl_context *context = numbered_context(n);
        sl_hierarchy *all = build(&g, SL_KEEP_ALL, 6), *h = constrain(context, all, keep), *moved = NULL, *again = NULL;
        for (uint32_t r = 0; r < n; r++) there[r] = n - 1 - r; /* and back again */
        EXPECT_OK(sl_hierarchy_merge(NULL, h, there, n, NULL, &moved, &expect_error));
        EXPECT_OK(sl_hierarchy_validate(moved, &expect_error));
        EXPECT_OK(sl_hierarchy_merge(moved, NULL, NULL, n, NULL, &again, &expect_error));
        expect_same(again, moved);
        sl_hierarchy_release(again);
        EXPECT_OK(sl_hierarchy_merge(NULL, moved, there, n, NULL, &again, &expect_error));
        assert_true(sl_hierarchy_equal(again, h));
        assert_int_equal(sl_hierarchy_kept(again), keep);
        assert_true(sl_hierarchy_constraints(again, NULL));
        if (keep != SL_KEEP_NOTHING) expect_same(again, h);
        sl_hierarchy_release(again);
        EXPECT_FAILURE(sl_hierarchy_merge(h, all, NULL, n, NULL, &again, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
        EXPECT_FAILURE(sl_hierarchy_merge(all, h, NULL, n, NULL, &again, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
        assert_null(again);
        sl_hierarchy_release(moved);
        sl_hierarchy_release(h);
        sl_hierarchy_release(all);
        sl_context_release(context);
        free(there);
        graph_free(&g);
    }
}

static void constraints_are_applied_anew_to_all_edges(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(600, 100); number++) {
        graph g = graph_small(number);
        graph some = graph_slice(&g, 0, g.num_edges / 2),
              rest = graph_slice(&g, some.num_edges, g.num_edges - some.num_edges);
        sl_context *context = numbered_context(g.num_records);
        sl_hierarchy *whole = build(&g, SL_KEEP_ALL, 6), *part = build(&some, SL_KEEP_ALL, 6);
        sl_hierarchy *expected = constrain(context, whole, SL_KEEP_ALL), *base = constrain(context, part, SL_KEEP_ALL);
        sl_hierarchy *extended = extend(context, base, &rest, SL_KEEP_ALL, 6), *out = NULL;
        expect_same(extended, expected);
        assert_int_equal(sl_hierarchy_num_skipped(extended), sl_hierarchy_num_skipped(expected));
        sl_hierarchy_release(extended);
        extended = extend(context, base, &rest, SL_KEEP_NOTHING, 6);
        assert_true(sl_hierarchy_equal(extended, expected));
        EXPECT_FAILURE(sl_hierarchy_extend(context, extended, NULL, 0, NULL, &out, &expect_error),
                       SL_ERROR_INVALID_ARGUMENT, -1);
        assert_null(out);
        sl_hierarchy_release(extended);
        sl_hierarchy_release(expected);
        sl_hierarchy_release(base);
        sl_hierarchy_release(whole);
        sl_hierarchy_release(part);
        sl_context_release(context);
        graph_free(&g);
    }
}

static void merging_keeps_the_lesser_of_both(void **state) {
    graph g = graph_make(GRAPH_TIES, 20, 40, 0, 1);
    sl_hierarchy *kept[3], *made = NULL;
    (void)state;
    for (int k = 0; k < 3; k++) kept[k] = build(&g, (sl_keep)k, 6);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            EXPECT_OK(sl_hierarchy_merge(kept[a], kept[b], NULL, 20, NULL, &made, &expect_error));
            assert_int_equal(sl_hierarchy_kept(made), a < b ? a : b);
            EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
            sl_hierarchy_release(made);
        }
    EXPECT_OK(sl_hierarchy_merge(NULL, NULL, NULL, 5, NULL, &made, &expect_error));
    assert_int_equal(sl_hierarchy_kept(made), SL_KEEP_NOTHING);
    sl_hierarchy_release(made);
    for (int k = 0; k < 3; k++) sl_hierarchy_release(kept[k]);
    graph_free(&g);
}

static void selected_edges_are_those_of_the_records_left(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(1500, 200); number++) {
        graph g = graph_small(number);
        sl_keep keep = number % 2 ? SL_KEEP_ALL : SL_KEEP_FOREST;
        sl_hierarchy *h = build(&g, keep, 6), *made = NULL;
        uint32_t kept = 0, *records = fresh_memory(g.num_records, sizeof *records),
                 *translation = fresh_memory(g.num_records, sizeof *translation);
        sl_record_set *named = NULL;
        EXPECT_OK(sl_hierarchy_named_records(h, &named, &expect_error));
        for (uint32_t r = 0; r < g.num_records; r++) {
            translation[r] = kept;
            if (sl_record_set_contains(named, r) || r % 5 == 0) records[kept++] = r;
        }
        sl_record_set *chosen = NULL;
        EXPECT_OK(sl_record_set_create(records, kept, &chosen, &expect_error));
        EXPECT_OK(sl_hierarchy_select(h, chosen, &made, &expect_error));
        graph moved = translate(&g, translation, kept);
        sl_hierarchy *expected = build(&moved, keep, 6);
        expect_same(made, expected);
        EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
        sl_hierarchy_release(made);
        sl_hierarchy_release(expected);
        sl_hierarchy_release(h);
        sl_record_set_release(named);
        sl_record_set_release(chosen);
        free(moved.left);
        free(moved.right);
        free(records);
        free(translation);
        graph_free(&g);
    }
}

/* ---- densities ------------------------------------------------------------------------------------------------------ */

static void expect_densities(const sl_hierarchy *h, const sl_edge_list *list, uint32_t num_records, double threshold) {
    sl_partition *p = NULL;
    const uint32_t *labels = NULL, *sizes = NULL;
    EXPECT_OK(sl_partition_create(h, num_records, threshold, &p, &expect_error));
    EXPECT_OK(sl_partition_labels(p, &labels, &expect_error));
    EXPECT_OK(sl_partition_sizes(p, &sizes, &expect_error));
    uint32_t k = sl_partition_num_entities(p);
    double *densities = fresh_memory(k, sizeof *densities);
    EXPECT_OK(sl_partition_densities(p, threshold, densities, &expect_error));
    for (uint32_t entity = 0; entity < k; entity++) {
        uint32_t edges = 0, size = sizes[entity];
        for (uint64_t i = 0; i < list->count; i++)
            edges += list->scores[i] >= plain_round(threshold, 6) && labels[list->left[i]] == entity;
        assert_true(densities[entity] == (size == 1 ? 1.0 : edges / (size * (size - 1.0) / 2.0)));
        assert_true(densities[entity] > 0.0 && densities[entity] <= 1.0);
    }
    free(densities);
    sl_partition_release(p);
}

static void densities_are_counted_edges(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(1500, 200); number++) {
        graph g = graph_small(number);
        sl_edge_list list;
        plain_edges_make(&g, 6, &list);
        sl_hierarchy *h = build(&g, SL_KEEP_ALL, 6);
        for (int tenth = 0; tenth <= 10; tenth++)
            expect_densities(h, &list, g.num_records + (uint32_t)(number % 3), tenth / 10.0);
        sl_hierarchy_release(h);
        plain_edges_free(&list);
        graph_free(&g);
    }
}

static void densities_are_of_any_threshold_of_the_scale(void **state) {
    const uint32_t left[] = {0, 1, 0}, right[] = {1, 2, 2};
    const double scores[] = {0.5, 0.4, 0.1};
    sl_build_options options = {.keep = SL_KEEP_ALL};
    sl_hierarchy *h = NULL;
    sl_partition *p = NULL;
    double density;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(3, left, right, scores, 3, &options, &h, &expect_error));
    EXPECT_OK(sl_partition_create(h, 0, 0.4, &p, &expect_error));
    EXPECT_OK(sl_partition_densities(p, 0.4, &density, &expect_error));
    assert_true(density == 2.0 / 3.0);
    EXPECT_OK(sl_partition_densities(p, 0.1, &density, &expect_error));
    assert_true(density == 1.0);
    EXPECT_FAILURE(sl_partition_densities(p, 1.5, &density, &expect_error), SL_ERROR_INVALID_THRESHOLD, -1);
    EXPECT_FAILURE(sl_partition_densities(p, NAN, &density, &expect_error), SL_ERROR_INVALID_THRESHOLD, -1);
    sl_partition_release(p);
    sl_hierarchy_release(h);
}

static void densities_need_all_edges(void **state) {
    graph g = graph_small(3);
    sl_hierarchy *h = build(&g, SL_KEEP_FOREST, 6);
    sl_partition *p = NULL;
    double densities[64];
    (void)state;
    EXPECT_OK(sl_partition_create(h, 0, 0.5, &p, &expect_error));
    EXPECT_FAILURE(sl_partition_densities(p, 0.5, densities, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    sl_partition_release(p);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- the merges alone ----------------------------------------------------------------------------------------------- */

static void stripped_hierarchies_are_the_merges_alone(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(300, 60); number++) {
        graph g = graph_small(number);
        sl_hierarchy *h = build(&g, (sl_keep)(number % 3), 6), *stripped = NULL, *again = NULL;
        sl_record_set *named = NULL, *named_still = NULL;
        EXPECT_OK(sl_hierarchy_strip(h, &stripped, &expect_error));
        EXPECT_OK(sl_hierarchy_validate(stripped, &expect_error));
        assert_true(sl_hierarchy_equal(h, stripped) && sl_hierarchy_kept(stripped) == SL_KEEP_NOTHING);
        EXPECT_OK(sl_hierarchy_named_records(h, &named, &expect_error));
        EXPECT_OK(sl_hierarchy_named_records(stripped, &named_still, &expect_error));
        assert_true(sl_record_set_equal(named, named_still));
        assert_int_equal(sl_hierarchy_num_merges(h), sl_hierarchy_num_merges(stripped));
        EXPECT_OK(sl_hierarchy_strip(stripped, &again, &expect_error));
        assert_ptr_equal(stripped, again);
        sl_record_set_release(named);
        sl_record_set_release(named_still);
        sl_hierarchy_release(h);
        sl_hierarchy_release(stripped);
        sl_hierarchy_release(again);
        graph_free(&g);
    }
}

/* ---- out of memory, interrupts -------------------------------------------------------------------------------------- */

static void memory_that_runs_out_leaves_nothing_behind(void **state) {
    graph g = graph_make(GRAPH_TIES, 30, 60, 0, 3);
    sl_build_options options = {.keep = SL_KEEP_ALL};
    (void)state;
    assert_int_equal(sl_set_allocator(&failing_memory, NULL), SL_OK);
    failing_memory_after(FAILING_NEVER);
    sl_hierarchy *base = build(&g, SL_KEEP_ALL, 6);
    sl_record_set *all = NULL;
    EXPECT_OK(sl_record_set_create_range(0, 30, &all, &expect_error));
    uint64_t held = sl_memory_in_use();
    for (int which = 0; which < 6; which++)
        for (uint64_t k = 0;; k++) {
            sl_hierarchy *h = NULL;
            sl_edge_list *edges = NULL;
            const uint32_t *records, *numbers;
            uint32_t count;
            sl_status status;
            failing_memory_after(k);
            if (which == 0)
                status = sl_hierarchy_build(30, g.left, g.right, g.scores, g.num_edges, &options, &h, &expect_error);
            else if (which == 1)
                status = sl_edge_list_create(30, g.left, g.right, g.scores, g.num_edges, NULL, &edges, &expect_error);
            else if (which == 2)
                status = sl_hierarchy_merge(base, base, NULL, 30, NULL, &h, &expect_error);
            else if (which == 3)
                status = sl_hierarchy_select(base, all, &h, &expect_error);
            else if (which == 4)
                status = sl_hierarchy_strip(base, &h, &expect_error);
            else
                status = sl_edge_list_neighbours(base->edges, 3, &records, &numbers, &count, &expect_error);
            failing_memory_after(FAILING_NEVER);
            sl_hierarchy_release(h);
            sl_edge_list_release(edges);
            if (status == SL_OK) {
                assert_true(k > 3);
                break;
            }
            assert_int_equal(status, SL_ERROR_MEMORY);
            assert_true(!h && !edges);
            assert_int_equal(sl_memory_in_use(), held);
        }
    for (uint64_t k = 0;; k++) {
        failing_memory_after(k);
        sl_status status = sl_hierarchy_validate(base, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
    }
    sl_hierarchy_release(base);
    sl_record_set_release(all);
    graph_free(&g);
    assert_int_equal(sl_set_allocator(NULL, NULL), SL_OK);
}

static void a_build_that_keeps_edges_can_be_stopped(void **state) {
    graph g = graph_make(GRAPH_RANDOM, 200000, EXPECT_SIZE(3000000, 300000), 0, 1);
    uint64_t calls = 1;
    (void)state;
    for (uint64_t stop_at = 0; stop_at <= calls; stop_at += stop_at < 6 ? 1 : calls / 8 + 1) {
        listener l = {.stop_at = stop_at};
        sl_progress progress = {listener_tick, &l};
        sl_build_options options = {.keep = SL_KEEP_ALL, .progress = &progress};
        sl_hierarchy *h = NULL;
        sl_status status =
            sl_hierarchy_build(g.num_records, g.left, g.right, g.scores, g.num_edges, &options, &h, &expect_error);
        if (stop_at == 0) calls = l.calls;
        assert_int_equal(status, stop_at == 0 || l.calls < stop_at ? SL_OK : SL_ERROR_INTERRUPTED);
        assert_int_equal(status == SL_OK, h != NULL);
        sl_hierarchy_release(h);
    }
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_list_has_each_pair_once_with_its_highest_score),
        TEST(a_list_of_bad_edges_is_refused),
        TEST(memory_is_counted),
        TEST(a_hierarchy_keeps_what_it_is_told_to),
        TEST(neither_order_nor_threads_show),
        TEST(changed_kept_edges_are_found),
        TEST(parts_are_the_whole),
        TEST(what_a_base_did_not_keep_its_seams_stand_for),
        TEST(translated_edges_are_those_of_translated_records),
        TEST(a_constrained_hierarchy_is_translated_as_it_is),
        TEST(constraints_are_applied_anew_to_all_edges),
        TEST(merging_keeps_the_lesser_of_both),
        TEST(selected_edges_are_those_of_the_records_left),
        TEST(densities_are_counted_edges),
        TEST(densities_are_of_any_threshold_of_the_scale),
        TEST(densities_need_all_edges),
        TEST(stripped_hierarchies_are_the_merges_alone),
        TEST(memory_that_runs_out_leaves_nothing_behind),
        TEST(a_build_that_keeps_edges_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
