/* test_hierarchy.c: building, merging and extending hierarchies: against the definition on small graphs of every shape, against
 * a textbook Kruskal on large ones; canonical bytes however the edges come; errors with their rows; interrupts. */
#include "support/expect.h"

#include <math.h>
#include <stdatomic.h>
#include <time.h>

#include "hierarchy/hierarchy.h"
#include "hierarchy/scores.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/keyed_graphs.h"
#include "support/plain_hierarchy.h"
#include "support/vector.h"

#define NUM_SMALL ((uint64_t)EXPECT_SIZE(2080, 520)) /* graphs of all shapes */

static const uint32_t all_decimals[] = {1, 2, 6, PLAIN_EXACT};

static sl_build_options options_for(uint32_t decimals) {
    return (sl_build_options){.decimals = decimals, .exact = decimals == PLAIN_EXACT};
}

static void expect_identical(const sl_hierarchy *a, const sl_hierarchy *b) {
    assert_true(sl_hierarchy_equal(a, b));
    assert_int_equal(sl_hierarchy_num_merges(a), sl_hierarchy_num_merges(b));
}

/* ---- building --------------------------------------------------------------------------------------------------- */

static void small_graphs_of_every_shape_follow_the_definition(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL; number++) {
        graph g = graph_small(number);
        sl_build_options options = options_for(all_decimals[number / GRAPH_NUM_SHAPES % 4]);
        plain_hierarchy plain = plain_build(&g, options.exact ? PLAIN_EXACT : options.decimals);
        sl_hierarchy *hierarchy = plain_engine_build(&g, &options);
        plain_expect_equal(hierarchy, &plain);
        assert_int_equal(sl_hierarchy_is_exact(hierarchy), options.exact);
        sl_hierarchy_release(hierarchy);
        plain_free(&plain);
        graph_free(&g);
    }
}

static void middling_graphs_follow_the_definition(void **state) {
    (void)state;
    for (int shape = 0; shape < GRAPH_NUM_SHAPES; shape++)
        for (size_t d = 0; d < 4; d++) {
            graph g = graph_make((graph_shape)shape, 400, 900, 60, (uint64_t)shape + d);
            sl_build_options options = options_for(all_decimals[d]);
            plain_hierarchy plain = plain_build(&g, all_decimals[d]);
            sl_hierarchy *hierarchy = plain_engine_build(&g, &options);
            plain_expect_equal(hierarchy, &plain);
            sl_hierarchy_release(hierarchy);
            plain_free(&plain);
            graph_free(&g);
        }
}

static void check_large(graph_shape shape, uint32_t num_records, uint64_t num_edges, uint32_t steps,
                        uint32_t decimals) {
    graph g = graph_make(shape, num_records, num_edges, steps, 77);
    sl_build_options options = options_for(decimals);
    sl_set_num_threads(2);
    sl_hierarchy *hierarchy = plain_engine_build(&g, &options);
    plain_expect_large(hierarchy, &g, decimals);
    sl_set_num_threads(1);
    sl_hierarchy *alone = plain_engine_build(&g, &options);
    expect_identical(hierarchy, alone);
    sl_set_num_threads(0);
    sl_hierarchy_release(alone);
    sl_hierarchy_release(hierarchy);
    graph_free(&g);
}

static void many_groups_of_edges_give_one_hierarchy(void **state) {
    (void)state;
    check_large(GRAPH_RANDOM, EXPECT_SIZE(200000, 30000), EXPECT_SIZE(1000000, 150000), 0, 6);
    check_large(GRAPH_CLUSTERS, EXPECT_SIZE(200000, 30000), EXPECT_SIZE(1000000, 150000), 0, PLAIN_EXACT);
    check_large(GRAPH_RANDOM, EXPECT_SIZE(200000, 30000), EXPECT_SIZE(300000, 100000), 0, 2);
    check_large(GRAPH_TIES, EXPECT_SIZE(200000, 30000), EXPECT_SIZE(300000, 150000), 4, 6);
}

static void equal_scores_larger_than_the_sort_scratch_are_one_level(void **state) {
    graph g = graph_make(GRAPH_EQUAL, 60000, EXPECT_SIZE(300000, 120000), 20, 9);
    (void)state;
    sl_hierarchy *hierarchy = plain_engine_build(&g, NULL);
    assert_int_equal(sl_hierarchy_num_levels(hierarchy), 1);
    plain_expect_large(hierarchy, &g, 6);
    sl_hierarchy_release(hierarchy);
    graph_free(&g);
    check_large(GRAPH_RANDOM, 60000, EXPECT_SIZE(300000, 120000), 3, 6); /* four groups, each too large */
}

static void one_component_that_closes_early_ends_the_work_rightly(void **state) {
    (void)state;
    check_large(GRAPH_GIANT, 3000, EXPECT_SIZE(600000, 200000), 0, 6);
    check_large(GRAPH_CHAIN_ASCENDING, EXPECT_SIZE(200000, 50000), 0, 0, 6);
    check_large(GRAPH_CHAIN_DESCENDING, EXPECT_SIZE(200000, 50000), 0, 0, PLAIN_EXACT);
    check_large(GRAPH_STAR, EXPECT_SIZE(200000, 50000), EXPECT_SIZE(400000, 100000), 0, 6);
}

static void edges_that_just_fill_a_window_or_a_group_are_all_read(void **state) {
    static const uint64_t counts[] = {32767, 32768, 32769, 65535, 65536, 65537, 131072};
    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        check_large(GRAPH_RANDOM, 40000, counts[c], 1000, 6);
        check_large(GRAPH_RANDOM, 40000, counts[c], 0, PLAIN_EXACT);
    }
}

static void the_smallest_inputs_are_hierarchies(void **state) {
    const uint32_t left[] = {0, 0, 0}, right[] = {0, 1, 1};
    const double scores[] = {0.9, 0.5, 0.7};
    (void)state;
    for (uint32_t n = 0; n <= 2; n++)
        for (uint64_t m = 0; m <= (n == 0 ? 0 : n == 1 ? 1 : 3); m++) {
            sl_hierarchy *hierarchy = NULL;
            EXPECT_OK(sl_hierarchy_build(n, m ? left : NULL, m ? right : NULL, m ? scores : NULL, m, NULL, &hierarchy,
                                         &expect_error));
            EXPECT_OK(sl_hierarchy_validate(hierarchy, &expect_error));
            assert_int_equal(sl_hierarchy_num_records(hierarchy), n);
            assert_int_equal(sl_hierarchy_num_levels(hierarchy), m > 1);
            assert_int_equal(sl_hierarchy_num_merges(hierarchy), m > 1);
            if (m == 3) assert_true(sl_hierarchy_levels(hierarchy)[0] == 0.7); /* the highest duplicate */
            sl_hierarchy_release(hierarchy);
        }
}

static void scores_at_and_a_hair_beyond_the_ends_are_the_ends(void **state) {
    const uint32_t left[] = {0, 2, 4, 6}, right[] = {1, 3, 5, 7};
    const double scores[] = {1 + 1e-10, -1e-10, 1.0, -0.0};
    (void)state;
    for (size_t d = 0; d < 4; d++) {
        sl_build_options options = options_for(all_decimals[d]);
        sl_hierarchy *hierarchy = NULL;
        EXPECT_OK(sl_hierarchy_build(8, left, right, scores, 4, &options, &hierarchy, &expect_error));
        EXPECT_OK(sl_hierarchy_validate(hierarchy, &expect_error));
        assert_int_equal(sl_hierarchy_num_levels(hierarchy), 2);
        assert_true(sl_hierarchy_levels(hierarchy)[0] == 1.0);
        assert_true(sl_hierarchy_levels(hierarchy)[1] == 0.0 && !signbit(sl_hierarchy_levels(hierarchy)[1]));
        sl_hierarchy_release(hierarchy);
    }
}

static void thresholds_compare_as_rounded(void **state) {
    const uint32_t left[] = {0, 1, 2}, right[] = {1, 2, 3};
    const double scores[] = {0.85, nextafter(0.85, 1), 0.3};
    sl_hierarchy *rounded = NULL, *exact = NULL;
    sl_build_options options = {.exact = true};
    uint32_t applied;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(4, left, right, scores, 3, NULL, &rounded, &expect_error));
    EXPECT_OK(sl_hierarchy_build(4, left, right, scores, 3, &options, &exact, &expect_error));
    assert_int_equal(sl_hierarchy_num_levels(rounded), 2);
    assert_int_equal(sl_hierarchy_num_levels(exact), 3);
    const struct {
        double threshold;
        uint32_t rounded, exact;
    } cases[] = {{1.0, 0, 0},       {0.85, 1, 2},      {scores[1], 1, 1},
                 {0.8500004, 1, 0}, {0.8500006, 0, 0}, {0.1 + 0.75, 1, 0.1 + 0.75 <= 0.85 ? 2 : 1},
                 {0.3, 2, 3},       {0.1 + 0.2, 2, 2}, {0.29999996, 2, 3},
                 {0.3000001, 2, 2}, {0.3000006, 1, 2}, {0.0, 2, 3},
                 {-0.0, 2, 3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        EXPECT_OK(sl_hierarchy_applied_levels(rounded, cases[c].threshold, &applied, &expect_error));
        assert_int_equal(applied, cases[c].rounded);
        EXPECT_OK(sl_hierarchy_applied_levels(exact, cases[c].threshold, &applied, &expect_error));
        assert_int_equal(applied, cases[c].exact);
    }
    sl_hierarchy_release(rounded);
    sl_hierarchy_release(exact);
}

/* The search may start anywhere; the answer is the number of levels at or above the threshold. */
static void applied_levels_are_those_at_or_above_the_threshold(void **state) {
    static const uint32_t sizes[] = {1, 2, 3, 17, 300};
    (void)state;
    for (size_t size = 0; size < 5; size++) {
        graph g = graph_make(GRAPH_CHAIN_ASCENDING, sizes[size], 0, 0, 1);
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        uint32_t k = sl_hierarchy_num_levels(h), applied;
        assert_int_equal(k, sizes[size] - 1);
        for (uint32_t i = 0; i <= 2 * k; i++) { /* every level, and between them */
            double threshold = i % 2 ? (i / 2 + 0.5) / k
                               : k   ? (double)(i / 2) / k
                                     : 0.5,
                   compared = plain_round(threshold, 6);
            uint32_t expected = 0;
            for (uint32_t level = 0; level < k; level++) expected += sl_hierarchy_levels(h)[level] >= compared;
            EXPECT_OK(sl_hierarchy_applied_levels(h, threshold, &applied, &expect_error));
            assert_int_equal(applied, expected);
            for (uint32_t near = 0; near <= k; near++)
                assert_int_equal(sl_i_applied_levels(h, compared, near), expected);
        }
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void thresholds_outside_the_scale_are_refused(void **state) {
    const double bad[] = {NAN, INFINITY, -INFINITY, -1e-9, 1 + 1e-9, 2};
    sl_hierarchy *hierarchy = NULL;
    uint32_t applied;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(2, NULL, NULL, NULL, 0, NULL, &hierarchy, &expect_error));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        applied = 9;
        EXPECT_FAILURE(sl_hierarchy_applied_levels(hierarchy, bad[i], &applied, &expect_error),
                       SL_ERROR_INVALID_THRESHOLD, -1);
        assert_int_equal(applied, 0);
    }
    sl_hierarchy_release(hierarchy);
}

static void references_keep_a_hierarchy_alive(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 50, 100, 10, 1);
    (void)state;
    sl_hierarchy *hierarchy = plain_engine_build(&g, NULL), *again = sl_hierarchy_retain(hierarchy);
    uint64_t held = sl_memory_in_use();
    assert_int_equal(held - held_before, sl_hierarchy_memory(hierarchy));
    sl_hierarchy_release(hierarchy);
    assert_int_equal(sl_memory_in_use(), held);
    EXPECT_OK(sl_hierarchy_validate(again, &expect_error));
    sl_hierarchy_release(again);
    sl_hierarchy_release(NULL);
    assert_null(sl_hierarchy_retain(NULL));
    graph_free(&g);
}

/* ---- canonical form --------------------------------------------------------------------------------------------- */

static void shuffled_edges_and_swapped_ends_give_the_same_bytes(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL / 2; number++) {
        graph g = graph_small(number), shuffled = graph_shuffle(&g, number);
        sl_build_options options = options_for(all_decimals[number / GRAPH_NUM_SHAPES % 4]);
        sl_hierarchy *a = plain_engine_build(&g, &options), *b = plain_engine_build(&shuffled, &options);
        expect_identical(a, b);
        sl_hierarchy_release(a);
        sl_hierarchy_release(b);
        graph_free(&g);
        graph_free(&shuffled);
    }
}

static void any_number_of_threads_gives_the_same_bytes(void **state) {
    static const graph_shape shapes[] = {GRAPH_RANDOM, GRAPH_TIES, GRAPH_EQUAL, GRAPH_GIANT, GRAPH_CLUSTERS};
    (void)state;
    for (size_t s = 0; s < 5; s++) {
        graph g = graph_make(shapes[s], 50000, EXPECT_SIZE(300000, 140000), 1000, s);
        sl_hierarchy *expected = NULL;
        for (uint32_t threads = 1; threads <= 4; threads++) {
            graph shuffled = graph_shuffle(&g, threads);
            sl_set_num_threads(threads);
            sl_hierarchy *hierarchy = plain_engine_build(&shuffled, NULL);
            if (!expected) expected = sl_hierarchy_retain(hierarchy);
            expect_identical(hierarchy, expected);
            sl_hierarchy_release(hierarchy);
            graph_free(&shuffled);
        }
        sl_hierarchy_release(expected);
        graph_free(&g);
    }
}

static void a_processor_without_vectors_gives_the_same_bytes(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 130; number++) {
        graph g = graph_small(number);
        sl_hierarchy *wide = plain_engine_build(&g, NULL);
        sl_i_use_portable(true);
        sl_hierarchy *portable = plain_engine_build(&g, NULL);
        sl_i_use_portable(false);
        expect_identical(wide, portable);
        sl_hierarchy_release(wide);
        sl_hierarchy_release(portable);
        graph_free(&g);
    }
}

static void equality_sees_every_difference(void **state) {
    const uint32_t left[] = {0, 1}, right[] = {1, 2};
    const double scores[][2] = {{0.5, 0.4}, {0.4, 0.5}, {0.5, 0.5}, {0.5, 0.3}};
    sl_hierarchy *made[6] = {NULL};
    (void)state;
    for (int i = 0; i < 4; i++)
        EXPECT_OK(sl_hierarchy_build(3, left, right, scores[i], 2, NULL, &made[i], &expect_error));
    EXPECT_OK(sl_hierarchy_build(4, left, right, scores[0], 2, NULL, &made[4], &expect_error));
    EXPECT_OK(sl_hierarchy_build(3, left, left, scores[0], 2, NULL, &made[5], &expect_error));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) assert_int_equal(sl_hierarchy_equal(made[i], made[j]), i == j);
    for (int i = 0; i < 6; i++) sl_hierarchy_release(made[i]);
}

/* ---- merging ---------------------------------------------------------------------------------------------------- */

static sl_hierarchy *merge(const sl_hierarchy *a, const sl_hierarchy *b, const uint32_t *translation, uint32_t n) {
    sl_hierarchy *merged = NULL;
    EXPECT_OK(sl_hierarchy_merge(a, b, translation, n, NULL, &merged, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(merged, &expect_error));
    return merged;
}

static void batches_merged_in_any_split_are_the_whole(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL / 2; number++) {
        graph g = graph_small(number);
        sl_build_options options = options_for(all_decimals[number / GRAPH_NUM_SHAPES % 4]);
        sl_hierarchy *whole = plain_engine_build(&g, &options), *sum = NULL;
        uint64_t seed = number;
        for (uint64_t first = 0; !sum || first < g.num_edges;) {
            uint64_t count = 1 + graph_below(&seed, (uint32_t)g.num_edges);
            if (count > g.num_edges - first) count = g.num_edges - first;
            graph part = graph_slice(&g, first, count);
            sl_hierarchy *batch = plain_engine_build(&part, &options), *before = sum;
            sum = before ? merge(before, batch, NULL, g.num_records) : sl_hierarchy_retain(batch);
            sl_hierarchy_release(before);
            sl_hierarchy_release(batch);
            first += count;
        }
        expect_identical(sum, whole);
        sl_hierarchy_release(sum);
        sl_hierarchy_release(whole);
        graph_free(&g);
    }
}

static void a_hierarchy_is_its_own_forest(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 260; number++) {
        graph g = graph_small(number);
        sl_build_options options = options_for(all_decimals[number / GRAPH_NUM_SHAPES % 4]);
        sl_hierarchy *h = plain_engine_build(&g, &options);
        sl_hierarchy *with_itself = merge(h, h, NULL, g.num_records), *first = merge(h, NULL, NULL, g.num_records),
                     *second = merge(NULL, h, NULL, g.num_records);
        expect_identical(with_itself, h);
        expect_identical(first, h);
        expect_identical(second, h);
        sl_hierarchy_release(with_itself);
        sl_hierarchy_release(first);
        sl_hierarchy_release(second);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void nothing_merged_with_nothing_is_singletons(void **state) {
    (void)state;
    for (uint32_t n = 0; n < 4; n++) {
        sl_hierarchy *h = merge(NULL, NULL, NULL, n);
        assert_int_equal(sl_hierarchy_num_records(h), n);
        assert_int_equal(sl_hierarchy_num_levels(h), 0);
        sl_hierarchy_release(h);
    }
}

/* The second graph's records scattered among (and beyond) the first's; two of its records may become one. */
static void translated_records_merge_where_they_belong(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 390; number++) {
        graph a = graph_small(number), b = graph_small(number + 13);
        uint64_t seed = number;
        uint32_t n = a.num_records + 5;
        graph both = graph_make(GRAPH_NO_EDGES, n, 0, 0, 0);
        uint32_t *translation = fresh_memory(b.num_records, sizeof *translation);
        for (uint32_t i = 0; i < b.num_records; i++) translation[i] = graph_below(&seed, n);
        free(both.left), free(both.right), free(both.scores);
        both.num_edges = a.num_edges + b.num_edges;
        both.left = fresh_memory(both.num_edges, sizeof *both.left);
        both.right = fresh_memory(both.num_edges, sizeof *both.right);
        both.scores = fresh_memory(both.num_edges, sizeof *both.scores);
        for (uint64_t i = 0; i < both.num_edges; i++) {
            const graph *from = i < a.num_edges ? &a : &b;
            uint64_t j = i < a.num_edges ? i : i - a.num_edges;
            both.left[i] = from == &a ? a.left[j] : translation[b.left[j]];
            both.right[i] = from == &a ? a.right[j] : translation[b.right[j]];
            both.scores[i] = from->scores[j];
        }
        sl_hierarchy *ha = plain_engine_build(&a, NULL), *hb = plain_engine_build(&b, NULL);
        sl_hierarchy *merged = merge(ha, hb, translation, n);
        plain_hierarchy plain = plain_build(&both, 6);
        plain_expect_equal(merged, &plain);
        plain_free(&plain);
        sl_hierarchy_release(ha);
        sl_hierarchy_release(hb);
        sl_hierarchy_release(merged);
        free(translation);
        graph_free(&a);
        graph_free(&b);
        graph_free(&both);
    }
}

static void a_merge_with_an_exact_hierarchy_is_exact(void **state) {
    const uint32_t left[] = {0}, right[] = {1}, later[] = {2};
    const double a = 0.1234567890123, b = 0.5;
    sl_build_options options = {.exact = true};
    sl_hierarchy *exact = NULL, *rounded = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(3, left, right, &a, 1, &options, &exact, &expect_error));
    EXPECT_OK(sl_hierarchy_build(3, right, later, &b, 1, NULL, &rounded, &expect_error));
    for (int side = 0; side < 2; side++) {
        sl_hierarchy *merged = merge(side ? exact : rounded, side ? rounded : exact, NULL, 3);
        assert_true(sl_hierarchy_is_exact(merged));
        assert_true(sl_hierarchy_levels(merged)[0] == b && sl_hierarchy_levels(merged)[1] == a);
        sl_hierarchy_release(merged);
    }
    sl_hierarchy_release(exact);
    sl_hierarchy_release(rounded);
}

static void hierarchies_of_different_rounding_merge_as_they_are(void **state) {
    const uint32_t left[] = {0}, right[] = {1}, later[] = {2};
    const double a = 0.123456, b = 0.16;
    sl_build_options tenths = {.decimals = 1};
    sl_hierarchy *fine = NULL, *coarse = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(3, left, right, &a, 1, NULL, &fine, &expect_error));
    EXPECT_OK(sl_hierarchy_build(3, right, later, &b, 1, &tenths, &coarse, &expect_error));
    sl_hierarchy *merged = merge(coarse, fine, NULL, 3);
    assert_true(sl_hierarchy_levels(merged)[0] == 0.2 && sl_hierarchy_levels(merged)[1] == 0.123456);
    sl_hierarchy_release(merged);
    sl_hierarchy_release(fine);
    sl_hierarchy_release(coarse);
}

static void hierarchies_that_do_not_fit_are_not_merged(void **state) {
    const uint32_t translation[] = {0, 1, 3, 2};
    graph g = graph_make(GRAPH_RANDOM, 4, 6, 0, 1);
    sl_hierarchy *h = plain_engine_build(&g, NULL), *out = h;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_merge(h, NULL, NULL, 3, NULL, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(out);
    out = h;
    EXPECT_FAILURE(sl_hierarchy_merge(NULL, h, NULL, 3, NULL, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(out);
    out = h;
    EXPECT_FAILURE(sl_hierarchy_merge(NULL, h, translation, 3, NULL, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   2);
    assert_null(out);
    EXPECT_FAILURE(sl_hierarchy_merge(h, NULL, NULL, UINT32_MAX, NULL, &out, &expect_error), SL_ERROR_CAPACITY, -1);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- extending: keyed edges ------------------------------------------------------------------------------------- */

static sl_hierarchy *extend(sl_context *context, const sl_hierarchy *base, const sl_edges *batches, size_t count,
                            const sl_build_options *options) {
    sl_hierarchy *made = NULL;
    EXPECT_OK(sl_hierarchy_extend(context, base, batches, count, options, &made, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
    assert_int_equal(sl_hierarchy_num_records(made), sl_context_num_records(context));
    return made;
}

static void keyed_batches_in_any_split_are_the_whole(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL / 2; number++) {
        graph g = graph_small(number);
        sl_build_options options = options_for(all_decimals[number / GRAPH_NUM_SHAPES % 4]);
        sl_hierarchy *whole = plain_engine_build(&g, &options), *sum = NULL;
        sl_context *context = numbered_context(g.num_records);
        sl_edges batches[3];
        uint64_t seed = number, first = 0;
        do { /* some calls of up to three batches, some of them empty */
            size_t num_batches = graph_below(&seed, 4);
            for (size_t b = 0; b < num_batches; b++) {
                uint64_t count = graph_below(&seed, (uint32_t)(g.num_edges - first) + 1);
                graph part = graph_slice(&g, first, count);
                batches[b] = graph_keyed(&part);
                first += count;
            }
            sl_hierarchy *before = sum;
            sum = extend(context, before, batches, num_batches, &options);
            sl_hierarchy_release(before);
        } while (first < g.num_edges);
        expect_identical(sum, whole);
        sl_hierarchy_release(sum);
        sl_hierarchy_release(whole);
        sl_context_release(context);
        graph_free(&g);
    }
}

static void large_keyed_batches_are_the_whole_with_any_number_of_threads(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 100000, EXPECT_SIZE(500000, 150000), 0, 3);
    sl_hierarchy *whole = plain_engine_build(&g, NULL);
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        sl_context *context = numbered_context(g.num_records);
        graph first = graph_slice(&g, 0, 70001), second = graph_slice(&g, 70001, 65536),
              third = graph_slice(&g, 135537, g.num_edges - 135537);
        sl_edges batches[] = {graph_keyed(&first), graph_keyed(&second), graph_keyed(&third)};
        sl_set_num_threads(threads);
        sl_hierarchy *all = extend(context, NULL, batches, 3, NULL), *half = extend(context, NULL, batches, 1, NULL),
                     *sum = extend(context, half, batches + 1, 2, NULL);
        expect_identical(all, whole);
        expect_identical(sum, whole);
        sl_hierarchy_release(all);
        sl_hierarchy_release(half);
        sl_hierarchy_release(sum);
        sl_context_release(context);
    }
    sl_hierarchy_release(whole);
    graph_free(&g);
}

/* Keys are numbered as they appear: row by row, left before right. */
static void new_keys_become_records_in_the_order_of_the_rows(void **state) {
    const uint32_t left[] = {70, 50, 70}, right[] = {60, 70, 80};
    const double scores[] = {0.5, 0.6, 0.7};
    const uint64_t expected[] = {70, 60, 50, 80};
    const graph g = {.num_edges = 3,
                     .left = (uint32_t *)(uintptr_t)left,
                     .right = (uint32_t *)(uintptr_t)right,
                     .scores = (double *)(uintptr_t)scores};
    sl_context *context = numbered_context(0);
    sl_edges batch = graph_keyed(&g);
    sl_record record;
    (void)state;
    sl_hierarchy *h = extend(context, NULL, &batch, 1, NULL);
    assert_int_equal(sl_context_num_records(context), 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(sl_context_record(context, i, &record));
        assert_int_equal(record.key.number, expected[i]);
    }
    sl_hierarchy_release(h);
    sl_context_release(context);
}

static void a_failed_extension_leaves_context_and_base_as_they_were(void **state) {
    const uint32_t left[] = {0, 1, 100, 101}, right[] = {1, 2, 102, 103}, unknown[] = {1, 2, 0, 7};
    double scores[] = {0.5, 0.6, 0.7, NAN};
    const graph g = {
        .num_edges = 4, .left = (uint32_t *)(uintptr_t)left, .right = (uint32_t *)(uintptr_t)right, .scores = scores};
    sl_context *context = numbered_context(3);
    graph two = graph_slice(&g, 0, 2);
    sl_edges good = graph_keyed(&two), bad[2] = {graph_keyed(&two), graph_keyed(&g)};
    sl_build_options options = {.first_row = 1000}, known = {.known_records_only = true, .first_row = 1000};
    sl_hierarchy *base = extend(context, NULL, &good, 1, NULL), *before = merge(base, NULL, NULL, 3), *out = base;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_extend(context, base, bad, 2, &options, &out, &expect_error), SL_ERROR_INVALID_SCORE,
                   1005);
    assert_null(out);
    options.exact = true;
    EXPECT_FAILURE(sl_hierarchy_extend(context, base, bad, 2, &options, &out, &expect_error), SL_ERROR_INVALID_SCORE,
                   1005);
    scores[3] = 0.5;
    graph outsiders = g;
    outsiders.left = (uint32_t *)(uintptr_t)unknown;
    outsiders.num_edges = 4;
    sl_edges strangers[2] = {graph_keyed(&two), graph_keyed(&outsiders)};
    EXPECT_FAILURE(sl_hierarchy_extend(context, base, strangers, 2, &known, &out, &expect_error),
                   SL_ERROR_KEY_NOT_FOUND, 1004); /* key 102 */
    assert_null(out);
    bad[1].left.keys.length = 3;
    EXPECT_FAILURE(sl_hierarchy_extend(context, base, bad, 2, NULL, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    bad[1] = graph_keyed(&g);
    bad[1].score.type = SL_COLUMN_STRING;
    EXPECT_FAILURE(sl_hierarchy_extend(context, base, bad, 2, NULL, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    assert_int_equal(sl_context_num_records(context), 3);
    expect_identical(base, before);
    sl_hierarchy *after = extend(context, base, &good, 1, NULL);
    expect_identical(after, base);
    sl_hierarchy_release(after);
    sl_hierarchy_release(before);
    sl_hierarchy_release(base);
    sl_context_release(context);
}

static void a_hierarchy_of_another_context_is_not_extended(void **state) {
    sl_context *context = numbered_context(3);
    sl_hierarchy *base = merge(NULL, NULL, NULL, 4), *out = base;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_extend(context, base, NULL, 0, NULL, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    assert_null(out);
    sl_hierarchy_release(base);
    sl_context_release(context);
}

static void what_was_kept_exact_stays_exact_when_extended(void **state) {
    const uint32_t left[] = {0}, right[] = {1}, later[] = {2};
    const double a = 0.1234567890123, b = 0.5;
    graph first = {.num_edges = 1,
                   .left = (uint32_t *)(uintptr_t)left,
                   .right = (uint32_t *)(uintptr_t)right,
                   .scores = (double *)(uintptr_t)&a};
    graph second = {.num_edges = 1,
                    .left = (uint32_t *)(uintptr_t)right,
                    .right = (uint32_t *)(uintptr_t)later,
                    .scores = (double *)(uintptr_t)&b};
    sl_edges batches[] = {graph_keyed(&first), graph_keyed(&second)};
    sl_build_options options = {.exact = true};
    sl_context *context = numbered_context(0);
    (void)state;
    sl_hierarchy *base = extend(context, NULL, batches, 1, &options),
                 *sum = extend(context, base, batches + 1, 1, NULL);
    assert_true(sl_hierarchy_is_exact(sum));
    assert_true(sl_hierarchy_levels(sum)[0] == b && sl_hierarchy_levels(sum)[1] == a);
    sl_hierarchy_release(base);
    sl_hierarchy_release(sum);
    sl_context_release(context);
}

/* ---- from entities ---------------------------------------------------------------------------------------------- */

static void flat_entities_are_what_their_edges_would_give(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 390; number++) {
        graph g = graph_small(number), star = graph_make(GRAPH_NO_EDGES, g.num_records, 0, 0, 0);
        double threshold = (double)(number % 11) / 10;
        sl_hierarchy *flat = NULL;
        EXPECT_OK(sl_hierarchy_from_entities(g.num_records, NULL, g.truth, g.num_records, g.num_truth, threshold, &flat,
                                             &expect_error));
        free(star.left), free(star.right), free(star.scores);
        star.left = fresh_memory(g.num_records, sizeof *star.left);
        star.right = fresh_memory(g.num_records, sizeof *star.right);
        star.scores = fresh_memory(g.num_records, sizeof *star.scores);
        for (uint32_t i = 0; i < g.num_records; i++)
            for (uint32_t j = 0; j < i; j++)
                if (g.truth[i] == g.truth[j]) {
                    star.left[star.num_edges] = i;
                    star.right[star.num_edges] = j;
                    star.scores[star.num_edges++] = threshold;
                    break;
                }
        sl_hierarchy *built = plain_engine_build(&star, NULL);
        EXPECT_OK(sl_hierarchy_validate(flat, &expect_error));
        expect_identical(flat, built);
        sl_hierarchy_release(flat);
        sl_hierarchy_release(built);
        graph_free(&g);
        graph_free(&star);
    }
}

static void records_not_named_are_singletons_and_may_be_named_twice(void **state) {
    const uint32_t records[] = {7, 2, 7, 5, 2}, entities[] = {3, 3, 3, 0, 3};
    const uint32_t order[] = {0, 1, 2, 7, 3, 4, 5, 6};
    sl_hierarchy *h = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_from_entities(8, records, entities, 5, 4, 0.5, &h, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
    assert_memory_equal(sl_hierarchy_order(h), order, sizeof order);
    assert_int_equal(sl_hierarchy_num_levels(h), 1);
    assert_int_equal(sl_hierarchy_num_merges(h), 1);
    for (uint32_t i = 0; i < 8; i++) assert_int_equal(sl_hierarchy_join(h)[i], i == 2 ? 0 : SL_NEVER);
    sl_hierarchy_release(h);
}

static void entities_of_nothing_are_fine(void **state) {
    const uint32_t labels[] = {0, 1, 2};
    sl_hierarchy *h = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_from_entities(0, NULL, NULL, 0, 0, 1.0, &h, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
    sl_hierarchy_release(h);
    EXPECT_OK(sl_hierarchy_from_entities(3, NULL, labels, 3, 3, 1.0, &h, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
    assert_int_equal(sl_hierarchy_num_levels(h), 0); /* nothing merges */
    sl_hierarchy_release(h);
}

static void bad_entities_are_named_by_row(void **state) {
    const uint32_t records[] = {0, 1, 0, 1}, clash[] = {0, 1, 0, 0}, beyond[] = {0, 1, 2, 9}, fine[] = {0, 1, 0, 1};
    sl_hierarchy *h = (sl_hierarchy *)&h;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_from_entities(2, records, clash, 4, 2, 1.0, &h, &expect_error), SL_ERROR_OVERLAP, 3);
    assert_int_equal(expect_error.other_row, 1);
    assert_null(h);
    EXPECT_FAILURE(sl_hierarchy_from_entities(1, records, fine, 4, 2, 1.0, &h, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, 1);
    EXPECT_FAILURE(sl_hierarchy_from_entities(4, NULL, beyond, 4, 3, 1.0, &h, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   3);
    EXPECT_FAILURE(sl_hierarchy_from_entities(3, NULL, fine, 4, 2, 1.0, &h, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   3);
    EXPECT_FAILURE(sl_hierarchy_from_entities(4, NULL, fine, 4, 2, NAN, &h, &expect_error), SL_ERROR_INVALID_THRESHOLD,
                   -1);
    EXPECT_FAILURE(sl_hierarchy_from_entities(UINT32_MAX, NULL, fine, 4, 2, 1.0, &h, &expect_error), SL_ERROR_CAPACITY,
                   -1);
    assert_null(h);
    assert_int_equal(sl_memory_in_use(), 0);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* In a build of several windows on several threads, the first bad row is the one reported. */
static void the_first_bad_row_is_named(void **state) {
    static const uint64_t rows[] = {0, 65535, 65536, 199999};
    graph g = graph_make(GRAPH_RANDOM, 1000, 200000, 0, 1);
    sl_hierarchy *out;
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++)
        for (size_t r = 0; r < 4; r++)
            for (int exact = 0; exact < 2; exact++) {
                sl_build_options options = {.exact = exact == 1, .first_row = 5000000000};
                uint64_t row = rows[r];
                sl_set_num_threads(threads);
                double kept[2] = {g.scores[row], g.scores[199999]};
                g.scores[199999] = INFINITY;
                g.scores[row] = row % 2 ? 1.5 : NAN;
                out = (sl_hierarchy *)&out;
                EXPECT_FAILURE(
                    sl_hierarchy_build(1000, g.left, g.right, g.scores, g.num_edges, &options, &out, &expect_error),
                    SL_ERROR_INVALID_SCORE, (int64_t)row + 5000000000);
                assert_null(out);
                g.scores[199999] = kept[1];
                g.scores[row] = kept[0];
                uint32_t *side = r % 2 ? g.left : g.right, record = side[row], last = g.left[199999];
                g.left[199999] = UINT32_MAX;
                side[row] = 1000;
                out = (sl_hierarchy *)&out;
                EXPECT_FAILURE(
                    sl_hierarchy_build(1000, g.left, g.right, g.scores, g.num_edges, &options, &out, &expect_error),
                    SL_ERROR_INVALID_ARGUMENT, (int64_t)row + 5000000000);
                assert_null(out);
                g.left[199999] = last;
                side[row] = record;
            }
    graph_free(&g);
}

static void the_value_of_a_bad_score_is_in_the_message(void **state) {
    const uint32_t ends[] = {0, 1};
    const double scores[] = {0.5, 1.25};
    sl_hierarchy *out;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_build(2, ends, ends, scores, 2, NULL, &out, &expect_error), SL_ERROR_INVALID_SCORE, 1);
    assert_non_null(strstr(expect_error.message, "1.25"));
    assert_non_null(strstr(expect_error.message, "row 1"));
}

static void options_that_contradict_each_other_are_refused(void **state) {
    sl_build_options seven = {.decimals = 7}, both = {.decimals = 3, .exact = true};
    sl_hierarchy *out = (sl_hierarchy *)&out;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_build(1, NULL, NULL, NULL, 0, &seven, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    assert_null(out);
    EXPECT_FAILURE(sl_hierarchy_build(1, NULL, NULL, NULL, 0, &both, &out, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   -1);
    EXPECT_FAILURE(sl_hierarchy_build(UINT32_MAX, NULL, NULL, NULL, 0, NULL, &out, &expect_error), SL_ERROR_CAPACITY,
                   -1);
}

/* ---- interrupts ------------------------------------------------------------------------------------------------- */

/* Memory that takes its time once after every tick, so that the clock says it is time for the next as soon as an allocation
 * was made: the places that look at the clock are met with small data. */
static atomic_bool rested;

static void *allocate_slowly(void *state, size_t size) {
    const struct timespec time = {0, 21000000};
    (void)state;
    if (!atomic_exchange(&rested, true)) nanosleep(&time, NULL);
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

typedef struct listener {
    uint64_t calls, stop_at;
    bool too_much;
} listener;

static int listen_to(void *state, const char *phase, uint64_t done, uint64_t total) {
    listener *l = state;
    atomic_store(&rested, false);
    l->too_much |= done > total || !phase;
    return ++l->calls == l->stop_at;
}

static sl_status long_call(int which, const graph *g, sl_context *context, const sl_hierarchy *base,
                           const sl_progress *progress, sl_hierarchy **out) {
    sl_build_options options = {.progress = progress, .exact = which == 1};
    sl_edges batch = graph_keyed(g);
    if (which < 2)
        return sl_hierarchy_build(g->num_records, g->left, g->right, g->scores, g->num_edges, &options, out,
                                  &expect_error);
    if (which == 2) return sl_hierarchy_merge(base, base, NULL, g->num_records, progress, out, &expect_error);
    return sl_hierarchy_extend(context, base, &batch, 1, &options, out, &expect_error);
}

static void an_interrupt_at_any_tick_leaves_nothing_behind(void **state) {
    const sl_allocator slow = {allocate_slowly, release_plainly, NULL};
    graph g = graph_make(GRAPH_RANDOM, 40, 100, 100, 1);
    (void)state;
    sl_set_num_threads(2);
    EXPECT_OK(sl_set_allocator(&slow, &expect_error));
    for (int which = 0; which < 4; which++) {
        sl_context *context = numbered_context(which == 3 ? 10 : 0);
        sl_hierarchy *base = which == 2 ? plain_engine_build(&g, NULL) : NULL, *out = NULL;
        for (uint64_t stop_at = 1;; stop_at++) {
            listener l = {.stop_at = stop_at};
            sl_progress progress = {listen_to, &l};
            atomic_store(&rested, false);
            sl_status status = long_call(which, &g, context, base, &progress, &out);
            assert_false(l.too_much);
            if (status == SL_OK) {
                assert_true(l.calls >= 3); /* it was called, and asked to go on */
                break;
            }
            assert_int_equal(status, SL_ERROR_INTERRUPTED);
            assert_int_equal(expect_error.status, SL_ERROR_INTERRUPTED);
            assert_int_equal(l.calls, stop_at);
            assert_null(out);
            assert_int_equal(sl_context_num_records(context), which == 3 ? 10 : 0);
        }
        EXPECT_OK(sl_hierarchy_validate(out, &expect_error));
        sl_hierarchy_release(out);
        sl_hierarchy_release(base);
        sl_context_release(context);
        assert_int_equal(sl_memory_in_use(), 0);
    }
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

/* Time this process has worked, so that other work on the machine does not count. */
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

typedef struct stopwatch {
    double last, longest;
} stopwatch;

static int watch(void *state, const char *phase, uint64_t done, uint64_t total) {
    stopwatch *w = state;
    double time = now();
    (void)phase, (void)done, (void)total;
    if (time - w->last > w->longest) w->longest = time - w->last;
    w->last = time;
    return 0;
}

/* Ctrl-C stops within 0.2 s, whatever the scores: 2M edges of one score are one group. */
static void the_callback_is_never_kept_waiting(void **state) {
    static const graph_shape shapes[] = {GRAPH_RANDOM, GRAPH_EQUAL, GRAPH_RANDOM};
    (void)state;
    for (int s = 0; s < 3; s++) {
        graph g = graph_make(shapes[s], 300000, EXPECT_SIZE(2000000, 200000), 0, 4);
        stopwatch w = {.last = now()};
        sl_progress progress = {watch, &w};
        sl_build_options options = {.progress = &progress, .exact = s == 2};
        sl_hierarchy *h = NULL;
        EXPECT_OK(
            sl_hierarchy_build(g.num_records, g.left, g.right, g.scores, g.num_edges, &options, &h, &expect_error));
        (void)watch(&w, "", 0, 0);
        if (!EXPECT_SANITIZED && w.longest > 0.5) fail_msg("%.3f s of work without a tick (case %d)", w.longest, s);
        if (getenv("STARLINGS_TEST_TIMES")) print_message("case %d: %.3f s\n", s, w.longest);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

/* Records 1 and 3 are joined to each other, 0, 2 and 4 to nothing. */
static void selecting_some_records(void **state) {
    (void)state;
    static const struct {
        uint32_t records[5], count;
        bool is_selected; /* else joined records are left out */
        uint32_t kept, apart;
    } cases[] = {
        {{0, 1, 2, 3, 4}, 5, true, 5, 4},
        {{1, 3}, 2, true, 2, 1},
        {{1, 2, 3, 9}, 4, true, 3, 2},
        {{0, 1, 2}, 3, false, 0, 0},
        {{3}, 1, false, 0, 0},
        {{0, 2, 4}, 3, false, 0, 0},
        {{9}, 1, false, 0, 0},
        {{0}, 0, false, 0, 0},
    };
    sl_hierarchy *joined, *nothing, *selected;
    EXPECT_OK(
        sl_hierarchy_build(5, (uint32_t[]){1}, (uint32_t[]){3}, (double[]){0.5}, 1, NULL, &joined, &expect_error));
    EXPECT_OK(sl_hierarchy_build(5, NULL, NULL, NULL, 0, NULL, &nothing, &expect_error));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sl_record_set *records;
        sl_partition *partition;
        EXPECT_OK(sl_record_set_create(cases[i].records, cases[i].count, &records, &expect_error));
        if (cases[i].is_selected) {
            EXPECT_OK(sl_hierarchy_select(joined, records, &selected, &expect_error));
            EXPECT_OK(sl_hierarchy_validate(selected, &expect_error));
            EXPECT_OK(sl_partition_create(selected, 0, 0.5, &partition, &expect_error));
            assert_int_equal(sl_hierarchy_num_records(selected), cases[i].kept);
            assert_int_equal(sl_partition_num_entities(partition), cases[i].apart);
            sl_partition_release(partition);
            sl_hierarchy_release(selected);
        } else {
            EXPECT_FAILURE(sl_hierarchy_select(joined, records, &selected, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                           -1);
            assert_null(selected);
        }
        EXPECT_OK(sl_hierarchy_select(nothing, records, &selected, &expect_error));
        EXPECT_OK(sl_hierarchy_validate(selected, &expect_error));
        sl_hierarchy_release(selected);
        sl_record_set_release(records);
    }
    sl_hierarchy_release(joined);
    sl_hierarchy_release(nothing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(selecting_some_records),
        TEST(small_graphs_of_every_shape_follow_the_definition),
        TEST(middling_graphs_follow_the_definition),
        TEST(many_groups_of_edges_give_one_hierarchy),
        TEST(equal_scores_larger_than_the_sort_scratch_are_one_level),
        TEST(one_component_that_closes_early_ends_the_work_rightly),
        TEST(edges_that_just_fill_a_window_or_a_group_are_all_read),
        TEST(the_smallest_inputs_are_hierarchies),
        TEST(scores_at_and_a_hair_beyond_the_ends_are_the_ends),
        TEST(thresholds_compare_as_rounded),
        TEST(applied_levels_are_those_at_or_above_the_threshold),
        TEST(thresholds_outside_the_scale_are_refused),
        TEST(references_keep_a_hierarchy_alive),
        TEST(shuffled_edges_and_swapped_ends_give_the_same_bytes),
        TEST(any_number_of_threads_gives_the_same_bytes),
        TEST(a_processor_without_vectors_gives_the_same_bytes),
        TEST(equality_sees_every_difference),
        TEST(batches_merged_in_any_split_are_the_whole),
        TEST(a_hierarchy_is_its_own_forest),
        TEST(nothing_merged_with_nothing_is_singletons),
        TEST(translated_records_merge_where_they_belong),
        TEST(a_merge_with_an_exact_hierarchy_is_exact),
        TEST(hierarchies_of_different_rounding_merge_as_they_are),
        TEST(hierarchies_that_do_not_fit_are_not_merged),
        TEST(keyed_batches_in_any_split_are_the_whole),
        TEST(large_keyed_batches_are_the_whole_with_any_number_of_threads),
        TEST(new_keys_become_records_in_the_order_of_the_rows),
        TEST(a_failed_extension_leaves_context_and_base_as_they_were),
        TEST(a_hierarchy_of_another_context_is_not_extended),
        TEST(what_was_kept_exact_stays_exact_when_extended),
        TEST(flat_entities_are_what_their_edges_would_give),
        TEST(records_not_named_are_singletons_and_may_be_named_twice),
        TEST(entities_of_nothing_are_fine),
        TEST(bad_entities_are_named_by_row),
        TEST(the_first_bad_row_is_named),
        TEST(the_value_of_a_bad_score_is_in_the_message),
        TEST(options_that_contradict_each_other_are_refused),
        TEST(an_interrupt_at_any_tick_leaves_nothing_behind),
        TEST(the_callback_is_never_kept_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
