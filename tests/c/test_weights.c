/* test_weights.c: hierarchies of weights against the plain definition: built, extended, merged, selected, made of their merge
 * events; cut and measured at any finite threshold; their lifetimes against those of the same graph with levels as shares of their
 * range; scales that do not go together; bad weights and thresholds; failing memory. */
#include "support/expect.h"

#include <math.h>

#include "hierarchy/hierarchy.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/keyed_graphs.h"
#include "support/merge_listing.h"
#include "support/plain_hierarchy.h"
#include "support/plain_lifetimes.h"

#define NUM_SMALL EXPECT_SIZE(1200u, 200u)

static const double bad_numbers[] = {NAN, -NAN, INFINITY, -INFINITY};

static sl_build_options weights_of(uint32_t decimals) {
    return (sl_build_options){.decimals = decimals, .exact = decimals == PLAIN_EXACT, .scale = SL_SCALE_WEIGHT};
}

/* ---- graphs of weights ------------------------------------------------------------------------------------------- */

enum { BITS, WHOLE, HUGE_AND_SMALL, NEAR_ZERO, BEYOND_ROUNDING, NUM_KINDS };

/* A weight for each score, of the same order but where it is rounded. */
static double weigh(double score, int kind) {
    switch (kind) {
    case BITS: return 50 * score - 20;
    case WHOLE: return floor(20 * score) - 10;
    case HUGE_AND_SMALL: return score < 0.25 ? -1.7e308 * (1 - score) : score > 0.75 ? 1.7e308 * score : score - 0.5;
    case NEAR_ZERO: return (score - 0.5) * 4e-6; /* many are rounded to zero, from both sides */
    default: return (score - 0.5) * 0x1p34;      /* around 2^51 millionths */
    }
}

static graph small_weights(uint64_t number) {
    graph g = graph_small(number);
    for (uint64_t i = 0; i < g.num_edges; i++) g.scores[i] = weigh(g.scores[i], (int)(number % NUM_KINDS));
    return g;
}

/* 0 (exact), then 1 to 6. */
static uint32_t decimals_for(uint64_t number) { return (uint32_t)(number / NUM_KINDS % 7); }

static sl_hierarchy *build(const graph *g, uint32_t decimals) {
    sl_build_options options = weights_of(decimals);
    return plain_engine_build(g, &options);
}

static void expect_same(sl_hierarchy *made, const sl_hierarchy *expected) {
    EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
    assert_int_equal(sl_hierarchy_scale(made), SL_SCALE_WEIGHT);
    assert_true(sl_hierarchy_equal(made, expected));
    sl_hierarchy_release(made);
}

/* ---- making them ------------------------------------------------------------------------------------------------- */

static void weights_make_the_hierarchy_of_their_definition(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL; number++) {
        graph g = small_weights(number), shuffled = graph_shuffle(&g, number);
        uint32_t decimals = decimals_for(number);
        plain_hierarchy plain = plain_build(&g, PLAIN_WEIGHTS + decimals);
        sl_hierarchy *h = build(&g, decimals);
        plain_expect_equal(h, &plain);
        assert_int_equal(sl_hierarchy_is_exact(h), decimals == PLAIN_EXACT);
        expect_same(build(&shuffled, decimals), h);
        sl_hierarchy_release(h);
        plain_free(&plain);
        graph_free(&g);
        graph_free(&shuffled);
    }
}

static void probabilities_are_weights_too(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL / 4; number++) {
        graph g = graph_small(number);
        sl_hierarchy *weights = build(&g, 6), *probabilities = plain_engine_build(&g, NULL);
        uint32_t n = g.num_records, k = sl_hierarchy_num_levels(probabilities);
        assert_int_equal(sl_hierarchy_num_levels(weights), k);
        assert_memory_equal(sl_hierarchy_levels(weights), sl_hierarchy_levels(probabilities), k * sizeof(double));
        assert_memory_equal(sl_hierarchy_order(weights), sl_hierarchy_order(probabilities), n * sizeof(uint32_t));
        assert_memory_equal(sl_hierarchy_join(weights), sl_hierarchy_join(probabilities), n * sizeof(uint32_t));
        assert_false(sl_hierarchy_equal(weights, probabilities)); /* but they do not mean the same */
        sl_hierarchy_release(weights);
        sl_hierarchy_release(probabilities);
        graph_free(&g);
    }
}

static sl_hierarchy *extend(sl_context *context, const sl_hierarchy *base, const graph *g, uint32_t decimals) {
    sl_build_options options = weights_of(decimals);
    sl_edges batch = graph_keyed(g);
    sl_hierarchy *made = NULL;
    EXPECT_OK(sl_hierarchy_extend(context, base, &batch, 1, &options, &made, &expect_error));
    return made;
}

/* Each part rounded in its own way: levels of the base are not rounded again. */
static void extending_is_building_from_all_edges(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL; number++) {
        graph g = small_weights(number);
        uint64_t cut = g.num_edges / 3;
        uint32_t first_decimals = 1 + (uint32_t)(number % 6), decimals = 1 + (uint32_t)(number % 5);
        graph first = graph_slice(&g, 0, cut), rest = graph_slice(&g, cut, g.num_edges - cut);
        sl_context *context = numbered_context(g.num_records);
        sl_hierarchy *base = extend(context, NULL, &first, first_decimals);
        sl_hierarchy *made = extend(context, base, &rest, decimals);
        for (uint64_t i = 0; i < g.num_edges; i++)
            g.scores[i] = plain_round(g.scores[i], PLAIN_WEIGHTS + (i < cut ? first_decimals : decimals));
        sl_hierarchy *whole = build(&g, 6);
        expect_same(made, whole);
        sl_hierarchy_release(whole);
        sl_hierarchy_release(base);
        sl_context_release(context);
        graph_free(&g);
    }
}

static void an_exact_base_makes_the_result_exact(void **state) {
    graph g = graph_make(GRAPH_RANDOM, 20, 60, 0, 1);
    (void)state;
    for (uint64_t i = 0; i < g.num_edges; i++) g.scores[i] = weigh(g.scores[i], BITS);
    graph first = graph_slice(&g, 0, 20), rest = graph_slice(&g, 20, g.num_edges - 20);
    sl_context *context = numbered_context(20);
    sl_hierarchy *base = extend(context, NULL, &first, PLAIN_EXACT), *whole = build(&g, PLAIN_EXACT);
    expect_same(extend(context, base, &rest, 2), whole);
    sl_hierarchy_release(base);
    sl_hierarchy_release(whole);
    sl_context_release(context);
    graph_free(&g);
}

static sl_hierarchy *merge(const sl_hierarchy *base, const sl_hierarchy *other, uint32_t num_records) {
    sl_hierarchy *made = NULL;
    EXPECT_OK(sl_hierarchy_merge(base, other, NULL, num_records, NULL, &made, &expect_error));
    return made;
}

static void merging_is_building_from_all_edges(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL; number++) {
        graph g = small_weights(number);
        uint64_t half = g.num_edges / 2;
        graph head = graph_slice(&g, 0, half), tail = graph_slice(&g, half, g.num_edges - half);
        uint32_t decimals = decimals_for(number), n = g.num_records;
        sl_hierarchy *whole = build(&g, decimals), *a = build(&head, decimals), *b = build(&tail, decimals);
        expect_same(merge(a, b, n), whole);
        expect_same(merge(NULL, whole, n), whole); /* as copies are made */
        expect_same(merge(whole, NULL, n), whole);
        sl_hierarchy_release(whole);
        sl_hierarchy_release(a);
        sl_hierarchy_release(b);
        graph_free(&g);
    }
}

static void a_selection_keeps_the_scale(void **state) {
    const uint32_t left[] = {0, 1}, right[] = {1, 4}, kept[] = {0, 1, 4}, new_left[] = {0, 1}, new_right[] = {1, 2};
    const double weights[] = {3.5, -2};
    sl_build_options options = weights_of(6);
    sl_hierarchy *h = NULL, *made = NULL, *expected = NULL;
    sl_record_set *records = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(5, left, right, weights, 2, &options, &h, &expect_error));
    EXPECT_OK(sl_hierarchy_build(3, new_left, new_right, weights, 2, &options, &expected, &expect_error));
    EXPECT_OK(sl_record_set_create(kept, 3, &records, &expect_error));
    EXPECT_OK(sl_hierarchy_select(h, records, &made, &expect_error));
    expect_same(made, expected);
    sl_record_set_release(records);
    sl_hierarchy_release(h);
    sl_hierarchy_release(expected);
}

static void large_graphs_of_weights_are_right_on_any_number_of_threads(void **state) {
    uint32_t n = EXPECT_SIZE(60000u, 6000u);
    graph g = graph_make(GRAPH_GIANT, n, 5 * (uint64_t)n, 0, 4);
    (void)state;
    for (uint64_t i = 0; i < g.num_edges; i++) g.scores[i] = weigh(g.scores[i], BITS);
    g.scores[0] = -1e300; /* an outlier leaves the other scores a bucket */
    for (uint32_t decimals = 0; decimals <= 2; decimals++) {
        sl_set_num_threads(1);
        sl_hierarchy *h = build(&g, decimals);
        plain_expect_large(h, &g, PLAIN_WEIGHTS + decimals);
        sl_set_num_threads(3);
        expect_same(build(&g, decimals), h);
        sl_hierarchy_release(h);
    }
    graph_free(&g);
}

/* ---- merge events ------------------------------------------------------------------------------------------------ */

static merge_listing list_events(const sl_hierarchy *h) {
    sl_merge_events *events = NULL;
    EXPECT_OK(sl_merge_events_create(h, 0, &events, &expect_error));
    merge_listing l = merge_listing_of(events, sl_hierarchy_num_records(h));
    sl_merge_events_release(events);
    return l;
}

static void merge_events_give_the_hierarchy_back(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL; number++) {
        graph g = small_weights(number);
        sl_hierarchy *h = build(&g, decimals_for(number)), *again = NULL;
        merge_listing l = list_events(h);
        EXPECT_OK(merge_listing_build(&l, sl_hierarchy_is_exact(h), SL_SCALE_WEIGHT, &again));
        expect_same(again, h);
        merge_listing_free(&l);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void merges_at_no_threshold_are_refused(void **state) {
    uint64_t offsets[] = {0, 2, 4}, components[] = {0, 1, 3, 2};
    double thresholds[] = {17.25, -4};
    merge_listing l = {
        .num_records = 3, .num_events = 2, .thresholds = thresholds, .offsets = offsets, .components = components};
    sl_hierarchy *h = NULL;
    (void)state;
    EXPECT_OK(merge_listing_build(&l, false, SL_SCALE_WEIGHT, &h));
    EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
    assert_true(sl_hierarchy_levels(h)[0] == 17.25 && sl_hierarchy_levels(h)[1] == -4);
    sl_hierarchy_release(h);
    EXPECT_FAILURE(merge_listing_build(&l, false, SL_SCALE_PROBABILITY, &h), SL_ERROR_INVALID_THRESHOLD, 0);
    EXPECT_FAILURE(merge_listing_build(&l, false, (sl_scale)2, &h), SL_ERROR_INVALID_ARGUMENT, -1);
    for (size_t i = 0; i < sizeof bad_numbers / sizeof *bad_numbers; i++) {
        thresholds[1] = bad_numbers[i];
        EXPECT_FAILURE(merge_listing_build(&l, i % 2, SL_SCALE_WEIGHT, &h), SL_ERROR_INVALID_THRESHOLD, 1);
        assert_null(h);
    }
    thresholds[1] = 17.5;
    EXPECT_FAILURE(merge_listing_build(&l, false, SL_SCALE_WEIGHT, &h), SL_ERROR_INVALID_ARGUMENT, 1);
}

/* ---- cuts and curves --------------------------------------------------------------------------------------------- */

/* Thresholds at, between and beyond the levels. */
static uint32_t list_thresholds(const sl_hierarchy *h, uint64_t seed, double *out) {
    const double anywhere[] = {0, -0.0, 1, 0.5, -1e-7, 4e-7, 25.125, -1e308, 1e308, 1e10 + 0.3};
    uint32_t count = sizeof anywhere / sizeof *anywhere, k = sl_hierarchy_num_levels(h);
    memcpy(out, anywhere, sizeof anywhere);
    for (uint32_t i = 0; i < 10 && k > 0; i++) {
        double level = sl_hierarchy_levels(h)[graph_below(&seed, k)];
        out[count++] = level;
        out[count++] = nextafter(level, INFINITY);
        out[count++] = nextafter(level, -INFINITY);
    }
    return count;
}

static void check_cut(const sl_hierarchy *h, const graph *g, uint32_t decimals, double threshold, uint32_t *labels) {
    sl_partition *partition = NULL;
    const uint32_t *made = NULL;
    double compared = plain_round(threshold, PLAIN_WEIGHTS + (decimals == PLAIN_EXACT ? PLAIN_EXACT : 6));
    plain_components(g, PLAIN_WEIGHTS + decimals, compared, labels);
    EXPECT_OK(sl_partition_create(h, 0, threshold, &partition, &expect_error));
    EXPECT_OK(sl_partition_labels(partition, &made, &expect_error));
    plain_expect_same_partition(labels, made, g->num_records);
    sl_partition_release(partition);
}

static double *entity_counts(const sl_hierarchy *h, const double *thresholds, uint64_t count, sl_curve **curve) {
    sl_curve_options options = {.thresholds = thresholds, .num_thresholds = count};
    EXPECT_OK(sl_curve_create(h, 0, &options, curve, &expect_error));
    double *values = fresh_memory(sl_curve_length(*curve), sizeof *values);
    EXPECT_OK(sl_curve_metric(*curve, SL_METRIC_ENTITY_COUNT, 0, values, &expect_error));
    return values;
}

static void check_curve(const sl_hierarchy *h, const double *thresholds, uint64_t count) {
    sl_curve *curve = NULL;
    double *counts = entity_counts(h, thresholds, count, &curve);
    for (uint64_t row = 0; row < count; row++) {
        sl_partition *partition = NULL;
        double at = sl_curve_thresholds(curve)[row];
        assert_true(at ==
                    (sl_hierarchy_is_exact(h) ? thresholds[row] : plain_round(thresholds[row], PLAIN_WEIGHTS + 6)));
        EXPECT_OK(sl_partition_create(h, 0, at, &partition, &expect_error));
        assert_true(counts[row] == sl_partition_num_entities(partition));
        sl_partition_release(partition);
    }
    free(counts);
    sl_curve_release(curve);
}

static void cuts_and_curves_are_those_of_the_definition(void **state) {
    double thresholds[64];
    uint32_t labels[64];
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL / 2; number++) {
        graph g = small_weights(number);
        uint32_t decimals = decimals_for(number);
        sl_hierarchy *h = build(&g, decimals);
        uint32_t count = list_thresholds(h, number, thresholds);
        for (uint32_t i = 0; i < count; i++)
            if (isfinite(thresholds[i])) check_cut(h, &g, decimals, thresholds[i], labels);
        check_curve(h, thresholds, count);
        check_curve(h, sl_hierarchy_levels(h), sl_hierarchy_num_levels(h));
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void a_hierarchy_without_merges_has_its_one_row_at_one(void **state) {
    sl_build_options options = weights_of(6);
    sl_hierarchy *h = NULL;
    sl_curve *curve = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(3, NULL, NULL, NULL, 0, &options, &h, &expect_error));
    double *counts = entity_counts(h, NULL, 0, &curve);
    assert_int_equal(sl_curve_length(curve), 1);
    assert_true(sl_curve_thresholds(curve)[0] == 1.0 && counts[0] == 3);
    free(counts);
    sl_curve_release(curve);
    sl_hierarchy_release(h);
}

static void thresholds_of_weights_are_finite(void **state) {
    graph g = small_weights(0);
    sl_hierarchy *h = build(&g, 6);
    sl_partition *partition = NULL;
    sl_curve *curve = NULL;
    uint32_t levels = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad_numbers / sizeof *bad_numbers; i++) {
        sl_curve_options options = {.thresholds = &bad_numbers[i], .num_thresholds = 1};
        EXPECT_FAILURE(sl_hierarchy_applied_levels(h, bad_numbers[i], &levels, &expect_error),
                       SL_ERROR_INVALID_THRESHOLD, -1);
        assert_int_equal(levels, 0);
        EXPECT_FAILURE(sl_partition_create(h, 0, bad_numbers[i], &partition, &expect_error), SL_ERROR_INVALID_THRESHOLD,
                       -1);
        EXPECT_FAILURE(sl_curve_create(h, 0, &options, &curve, &expect_error), SL_ERROR_INVALID_THRESHOLD, -1);
    }
    assert_non_null(strstr(expect_error.message, "finite"));
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- lifetimes --------------------------------------------------------------------------------------------------- */

/* Where a weight stands between the lowest level and the highest; 1 where there is one level only. */
static double share(const sl_hierarchy *h, double weight) {
    uint32_t k = sl_hierarchy_num_levels(h);
    const double *levels = sl_hierarchy_levels(h);
    if (k == 1) return weight >= levels[0] ? 1 : 0;
    if (k == 0) return 0;
    return fmin(fmax((weight / 2 - levels[k - 1] / 2) / (levels[0] / 2 - levels[k - 1] / 2), 0), 1);
}

/* The graph with shares instead of weights, which are compared as they are. */
static graph shares_of(const graph *g, const sl_hierarchy *h, uint32_t decimals) {
    graph shares = graph_shuffle(g, 1);
    for (uint64_t i = 0; i < g->num_edges; i++)
        shares.scores[i] = share(h, plain_round(shares.scores[i], PLAIN_WEIGHTS + decimals));
    return shares;
}

/* Whether another level has the same share, because shares are doubles, too. */
static bool shares_a_place(const sl_hierarchy *h, double threshold) {
    uint32_t k = sl_hierarchy_num_levels(h), same = 0;
    const double *levels = sl_hierarchy_levels(h);
    if (k < 2) return false;
    threshold = fmin(fmax(threshold, levels[k - 1]), levels[0]);
    for (uint32_t level = 0; level < k; level++)
        same += levels[level] != threshold && share(h, levels[level]) == share(h, threshold);
    return same > 0;
}

static void check_lifetimes(const sl_hierarchy *h, const plain_lifetimes *plain, double shift, const double *thresholds,
                            uint32_t count) {
    sl_curve *curve = NULL;
    sl_lifetimes means;
    double *values = entity_counts(h, thresholds, count, &curve), stability[64];
    bool single_level = sl_hierarchy_num_levels(h) == 1;
    EXPECT_OK(sl_curve_metric(curve, SL_METRIC_ENTITY_STABILITY, 0, stability, &expect_error));
    EXPECT_OK(sl_curve_metric(curve, SL_METRIC_THRESHOLD_SENSITIVITY, shift, values, &expect_error));
    for (uint32_t row = 0; row < count; row++) {
        double at = single_level ? 1 : share(h, sl_curve_thresholds(curve)[row]); /* all thresholds are that one */
        if (!shares_a_place(h, sl_curve_thresholds(curve)[row]) &&
            !(fabs(stability[row] - plain_stability(plain, at)) < 1e-9))
            fail_msg("stability at %.17g (%.17g) is %.17g, not %.17g", thresholds[row], at, stability[row],
                     plain_stability(plain, at));
        assert_true(values[row] == plain_sensitivity(plain, at, shift));
    }
    EXPECT_OK(sl_hierarchy_lifetimes(h, plain->num_records, shift, &means, &expect_error));
    assert_true(fabs(means.entity_stability - (plain->num_records ? plain_mean_stability(plain) : 1)) < 1e-9);
    assert_true(fabs(means.threshold_sensitivity - plain_mean_sensitivity(plain, shift)) < 1e-9);
    free(values);
    sl_curve_release(curve);
}

static void lifetimes_are_those_over_the_range_of_the_levels(void **state) {
    static const double shifts[] = {SL_SENSITIVITY_SHIFT, 0.25, 1, 1e-9, 0.5};
    double thresholds[64];
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL / 4; number++) {
        graph g = small_weights(number);
        uint32_t decimals = decimals_for(number);
        sl_hierarchy *h = build(&g, decimals);
        graph shares = shares_of(&g, h, decimals);
        plain_lifetimes plain = plain_lifetimes_make(&shares, g.num_records, PLAIN_EXACT);
        uint32_t count = list_thresholds(h, number, thresholds), kept = 0;
        for (uint32_t i = 0; i < count; i++)
            if (isfinite(thresholds[i])) thresholds[kept++] = thresholds[i];
        check_lifetimes(h, &plain, shifts[number % 5], thresholds, kept);
        plain_lifetimes_free(&plain);
        graph_free(&shares);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

/* By hand: 0 and 1 merge at 30, 2 joins at 20, 3 at 10; the range is 10 to 30. */
static void lifetimes_of_a_chain_are_shares_of_its_range(void **state) {
    const uint32_t left[] = {0, 1, 2}, right[] = {1, 2, 3};
    const double weights[] = {30, 20, 10}, thresholds[] = {25, 1000, 20, 5};
    sl_build_options options = weights_of(6);
    sl_hierarchy *h = NULL;
    sl_curve *curve = NULL;
    double stability[4];
    sl_lifetimes means;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(4, left, right, weights, 3, &options, &h, &expect_error));
    free(entity_counts(h, thresholds, 4, &curve));
    EXPECT_OK(sl_curve_metric(curve, SL_METRIC_ENTITY_STABILITY, 0, stability, &expect_error));
    assert_true(stability[0] == (2 * 0.5 + 0.5 + 1) / 4); /* {0, 1}, {2}, {3} */
    assert_true(stability[1] == stability[0]);            /* counts as 30 */
    assert_true(stability[2] == (3 * 0.5 + 1) / 4);
    assert_true(stability[3] == 0); /* counts as 10, where all come together and nothing lives on */
    EXPECT_OK(sl_hierarchy_lifetimes(h, 0, 0.25, &means, &expect_error));
    assert_true(means.entity_stability == (2 * 0.25 + 0.25 + 3 * 0.25 + 1) / 4);
    sl_curve_release(curve);
    sl_hierarchy_release(h);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void weights_that_are_not_finite_are_refused_with_their_row(void **state) {
    const uint32_t left[] = {0, 1, 2}, right[] = {1, 2, 3};
    sl_context *context = numbered_context(4);
    (void)state;
    for (size_t i = 0; i < sizeof bad_numbers / sizeof *bad_numbers; i++)
        for (uint32_t decimals = 0; decimals <= 6; decimals += 3) {
            const double weights[] = {1e300, bad_numbers[i], -17};
            const graph g = {.num_edges = 3,
                             .left = (uint32_t *)(uintptr_t)left,
                             .right = (uint32_t *)(uintptr_t)right,
                             .scores = (double *)(uintptr_t)weights};
            sl_build_options options = weights_of(decimals);
            sl_edges batch = graph_keyed(&g);
            sl_hierarchy *h = NULL;
            options.first_row = 10;
            EXPECT_FAILURE(sl_hierarchy_build(4, left, right, weights, 3, &options, &h, &expect_error),
                           SL_ERROR_INVALID_SCORE, 11);
            assert_non_null(strstr(expect_error.message, "is not a finite number"));
            EXPECT_FAILURE(sl_hierarchy_extend(context, NULL, &batch, 1, &options, &h, &expect_error),
                           SL_ERROR_INVALID_SCORE, 11);
            const uint8_t all_but_last = 3;
            batch.score.validity = &all_but_last; /* the first row at fault is named, not the null after it */
            EXPECT_FAILURE(sl_hierarchy_extend(context, NULL, &batch, 1, &options, &h, &expect_error),
                           SL_ERROR_INVALID_SCORE, 11);
        }
    sl_context_release(context);
}

static void scales_do_not_mix(void **state) {
    graph g = graph_make(GRAPH_RANDOM, 10, 20, 0, 3);
    sl_context *context = numbered_context(10);
    sl_build_options options = weights_of(6), unknown = {.scale = (sl_scale)7};
    sl_edges batch = graph_keyed(&g);
    sl_hierarchy *weights = build(&g, 6), *probabilities = plain_engine_build(&g, NULL), *out = weights;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_extend(context, weights, &batch, 1, NULL, &out, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_string_equal(expect_error.message,
                        "a hierarchy of weights cannot be extended with probabilities: give scores "
                        "on the scale it was made with");
    EXPECT_FAILURE(sl_hierarchy_extend(context, probabilities, &batch, 1, &options, &out, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_hierarchy_merge(weights, probabilities, NULL, 10, NULL, &out, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_hierarchy_build(10, g.left, g.right, g.scores, 20, &unknown, &out, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(out);
    sl_hierarchy_release(weights);
    sl_hierarchy_release(probabilities);
    sl_context_release(context);
    graph_free(&g);
}

static void levels_that_are_not_finite_are_corrupt(void **state) {
    graph g = graph_make(GRAPH_RANDOM, 9, 20, 5, 3);
    sl_hierarchy *h = build(&g, 6);
    (void)state;
    assert_true(h->num_levels > 1);
    double before = h->levels[0];
    h->levels[0] = INFINITY;
    EXPECT_FAILURE(sl_hierarchy_validate(h, &expect_error), SL_ERROR_CORRUPT, -1);
    h->levels[0] = before + 1e-9; /* not rounded */
    EXPECT_FAILURE(sl_hierarchy_validate(h, &expect_error), SL_ERROR_CORRUPT, -1);
    h->levels[0] = 17;
    EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
    h->scale = SL_SCALE_PROBABILITY;
    EXPECT_FAILURE(sl_hierarchy_validate(h, &expect_error), SL_ERROR_CORRUPT, -1);
    sl_hierarchy_release(h);
    graph_free(&g);
}

static void every_failed_allocation_leaves_nothing_behind(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 30, 60, 50, 2), first = graph_slice(&g, 0, g.num_edges / 2);
    sl_build_options options = weights_of(3);
    sl_edges batch = graph_keyed(&g);
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_context *context = numbered_context(g.num_records);
    sl_hierarchy *base = build(&first, 3), *expected = build(&g, 3), *out = NULL;
    uint64_t held = sl_memory_in_use(), allocations = 0;
    for (;; allocations++) {
        failing_memory_after(allocations);
        sl_status status = sl_hierarchy_extend(context, base, &batch, 1, &options, &out, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_int_equal(sl_memory_in_use(), held);
        assert_null(out);
    }
    assert_true(allocations > 5);
    expect_same(out, expected);
    sl_hierarchy_release(base);
    sl_hierarchy_release(expected);
    sl_context_release(context);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(weights_make_the_hierarchy_of_their_definition),
        TEST(probabilities_are_weights_too),
        TEST(extending_is_building_from_all_edges),
        TEST(an_exact_base_makes_the_result_exact),
        TEST(merging_is_building_from_all_edges),
        TEST(a_selection_keeps_the_scale),
        TEST(large_graphs_of_weights_are_right_on_any_number_of_threads),
        TEST(merge_events_give_the_hierarchy_back),
        TEST(merges_at_no_threshold_are_refused),
        TEST(cuts_and_curves_are_those_of_the_definition),
        TEST(a_hierarchy_without_merges_has_its_one_row_at_one),
        TEST(thresholds_of_weights_are_finite),
        TEST(lifetimes_are_those_over_the_range_of_the_levels),
        TEST(lifetimes_of_a_chain_are_shares_of_its_range),
        TEST(weights_that_are_not_finite_are_refused_with_their_row),
        TEST(scales_do_not_mix),
        TEST(levels_that_are_not_finite_are_corrupt),
        TEST(every_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
