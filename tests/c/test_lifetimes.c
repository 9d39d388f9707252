/* test_lifetimes.c: entity_stability and threshold_sensitivity at any threshold, and their means, against cuts compared one with
 * another; edges at 0 and 1; rows in any order; threads; errors; a curve that outlives its hierarchy. */
#include "support/expect.h"

#include <math.h>

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/plain_lifetimes.h"

static const double shifts[] = {SL_SENSITIVITY_SHIFT, 0.25, 1.0, 0.000001, 0.0333335, 0.5};
#define NUM_SHIFTS (sizeof shifts / sizeof *shifts)

static sl_curve *measure(const sl_hierarchy *h, uint32_t n, const double *thresholds, uint64_t count) {
    sl_curve_options options = {.thresholds = thresholds, .num_thresholds = count};
    sl_curve *curve = NULL;
    EXPECT_OK(sl_curve_create(h, n, &options, &curve, &expect_error));
    return curve;
}

static double *values_of(const sl_curve *curve, sl_metric metric, double parameter) {
    double *values = fresh_memory(sl_curve_length(curve), sizeof *values);
    EXPECT_OK(sl_curve_metric(curve, metric, parameter, values, &expect_error));
    return values;
}

static sl_lifetimes means_of(const sl_hierarchy *h, uint32_t n, double shift) {
    sl_lifetimes means;
    memset(&means, 0x7F, sizeof means);
    EXPECT_OK(sl_hierarchy_lifetimes(h, n, shift, &means, &expect_error));
    return means;
}

/* The hierarchy of a few edges. */
static sl_hierarchy *hierarchy_of(uint32_t n, const uint32_t *left, const uint32_t *right, const double *scores,
                                  uint64_t count) {
    sl_hierarchy *h = NULL;
    EXPECT_OK(sl_hierarchy_build(n, left, right, scores, count, NULL, &h, &expect_error));
    return h;
}

/* ---- against the definitions ------------------------------------------------------------------------------------ */

static void check_rows(const sl_curve *curve, const plain_lifetimes *plain, double shift) {
    double *stability = values_of(curve, SL_METRIC_ENTITY_STABILITY, 0);
    double *sensitivity = values_of(curve, SL_METRIC_THRESHOLD_SENSITIVITY, shift);
    for (uint64_t row = 0; row < sl_curve_length(curve); row++) {
        double at = sl_curve_thresholds(curve)[row];
        if (!(fabs(stability[row] - plain_stability(plain, at)) < 1e-12))
            fail_msg("stability at %.17g is %.17g, not %.17g", at, stability[row], plain_stability(plain, at));
        if (sensitivity[row] != plain_sensitivity(plain, at, shift)) /* both are one count over another */
            fail_msg("sensitivity at %.17g by %g is %.17g, not %.17g", at, shift, sensitivity[row],
                     plain_sensitivity(plain, at, shift));
    }
    free(stability);
    free(sensitivity);
}

static void check_means(const sl_hierarchy *h, const plain_lifetimes *plain, uint32_t n, double shift) {
    sl_lifetimes means = means_of(h, n, shift);
    assert_true(fabs(means.entity_stability - plain_mean_stability(plain)) < 1e-12);
    if (!(fabs(means.threshold_sensitivity - plain_mean_sensitivity(plain, shift)) < 1e-9))
        fail_msg("mean sensitivity by %g is %.17g, not %.17g", shift, means.threshold_sensitivity,
                 plain_mean_sensitivity(plain, shift));
    assert_true(means.entity_stability >= 0 && means.entity_stability <= 1);
    assert_true(means.threshold_sensitivity >= 0 && means.threshold_sensitivity <= 1);
}

/* Some at random, and for rounded hierarchies some exactly one shift from a level. */
static void choose_thresholds(const sl_hierarchy *h, double shift, uint64_t seed, double *thresholds, size_t count) {
    uint32_t k = sl_hierarchy_num_levels(h);
    for (size_t i = 0; i < count; i++) {
        double level = k > 0 ? sl_hierarchy_levels(h)[graph_below(&seed, k)] : 0.5;
        double near = i % 3 == 0 ? level : i % 3 == 1 ? level + shift : level - shift;
        thresholds[i] = i < 2 ? (double)i : i % 2 ? graph_fraction(&seed) : fmin(fmax(near, 0.0), 1.0);
    }
}

static void check_graph(const graph *g, uint32_t decimals, uint32_t extra, uint64_t number) {
    double shift = shifts[number % NUM_SHIFTS];
    sl_build_options build = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
    sl_hierarchy *h = plain_engine_build(g, &build);
    uint32_t n = g->num_records + extra;
    plain_lifetimes plain = plain_lifetimes_make(g, n, decimals);
    double thresholds[12];
    choose_thresholds(h, shift, g->num_edges + n, thresholds, 12);
    sl_curve *some = measure(h, extra ? n : 0, thresholds, 12), *all = measure(h, n, NULL, 0);
    check_rows(some, &plain, shift);
    check_rows(all, &plain, shift);
    check_means(h, &plain, n, shift);
    sl_curve_release(some);
    sl_curve_release(all);
    plain_lifetimes_free(&plain);
    sl_hierarchy_release(h);
}

static void both_metrics_and_their_means_follow_their_definitions(void **state) {
    (void)state;
    plain_check_small(EXPECT_SIZE(780, 130), check_graph);
}

/* ---- edges ------------------------------------------------------------------------------------------------------- */

static void expect_lifetimes(const sl_hierarchy *h, uint32_t n, double threshold, double stability,
                             double sensitivity) {
    sl_curve *curve = measure(h, n, &threshold, 1);
    double *values = values_of(curve, SL_METRIC_ENTITY_STABILITY, 0);
    assert_true(values[0] == stability);
    free(values);
    values = values_of(curve, SL_METRIC_THRESHOLD_SENSITIVITY, SL_SENSITIVITY_SHIFT);
    assert_true(values[0] == sensitivity);
    free(values);
    sl_curve_release(curve);
}

static void expect_means(const sl_hierarchy *h, uint32_t n, double stability, double sensitivity) {
    sl_lifetimes means = means_of(h, n, SL_SENSITIVITY_SHIFT);
    assert_true(means.entity_stability == stability);
    assert_true(means.threshold_sensitivity == sensitivity);
}

static void nothing_and_what_never_merges_are_stable(void **state) {
    (void)state;
    for (uint32_t n = 0; n < 4; n++) {
        sl_hierarchy *h = hierarchy_of(n, NULL, NULL, NULL, 0);
        for (int i = 0; i < 3; i++) {
            expect_lifetimes(h, 0, 0.5 * i, 1.0, 0.0);
            expect_lifetimes(h, n + 5, 0.5 * i, 1.0, 0.0);
        }
        expect_means(h, 0, 1.0, 0.0);
        expect_means(h, n + 5, 1.0, 0.0);
        sl_hierarchy_release(h);
    }
}

static void a_merge_at_one_leaves_no_single_records(void **state) {
    const uint32_t left = 0, right = 1;
    const double score = 1.0;
    sl_hierarchy *h = hierarchy_of(2, &left, &right, &score, 1);
    (void)state;
    expect_lifetimes(h, 0, 1.0, 1.0, 0.0);
    expect_lifetimes(h, 0, 0.0, 1.0, 0.0);
    expect_means(h, 0, 1.0, 0.0);
    sl_hierarchy_release(h);
}

static void a_merge_at_zero_is_there_at_zero_alone(void **state) {
    const uint32_t left = 0, right = 1;
    const double score = 0.0;
    sl_hierarchy *h = hierarchy_of(2, &left, &right, &score, 1);
    (void)state;
    expect_lifetimes(h, 0, 0.000001, 1.0, 1.0);
    expect_lifetimes(h, 0, 0.05, 1.0, 1.0);
    expect_lifetimes(h, 0, 0.050001, 1.0, 0.0);
    expect_lifetimes(h, 0, 0.0, 0.0, 1.0); /* the pair is an entity at no other threshold */
    expect_lifetimes(h, 2, 1.0, 1.0, 0.0);
    expect_means(h, 0, 1.0, 0.05);
    sl_hierarchy_release(h);
}

/* docs/metrics.md: a and b merge at 0.8, c joins them at 0.5, d never merges. */
static void the_example_of_the_documentation_is_right(void **state) {
    const uint32_t left[] = {0, 1}, right[] = {1, 2};
    const double scores[] = {0.8, 0.5};
    sl_hierarchy *h = hierarchy_of(4, left, right, scores, 2);
    (void)state;
    expect_lifetimes(h, 0, 0.6, (2 * 300000.0 + 500000.0 + 1000000.0) / 4000000.0, 0.0);
    expect_lifetimes(h, 0, 0.78, (2 * 300000.0 + 500000.0 + 1000000.0) / 4000000.0, 0.5);
    expect_lifetimes(h, 0, 0.55, (2 * 300000.0 + 500000.0 + 1000000.0) / 4000000.0, 0.75);
    expect_means(h, 0, (2 * 0.04 + 0.25 + 2 * 0.09 + 3 * 0.25 + 1.0) / 4, 0.125);
    sl_hierarchy_release(h);
}

/* 0.7 + 0.1 is below 0.8 in doubles and 0.8 in millionths. */
static void sums_are_compared_as_the_scores_are(void **state) {
    const uint32_t left = 0, right = 1;
    const double score = 0.8, thresholds[] = {0.7, 0.1 + 0.6, 0.700001, 0.85, 0.9};
    sl_build_options exact = {.exact = true};
    sl_hierarchy *rounded = hierarchy_of(2, &left, &right, &score, 1), *h = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(2, &left, &right, &score, 1, &exact, &h, &expect_error));
    const double of_rounded[] = {0, 0, 1, 1, 1}, of_exact[] = {0, 0, 1, 1, 0.9 - 0.1 <= 0.8};
    sl_curve *a = measure(rounded, 0, thresholds, 5), *b = measure(h, 0, thresholds, 5);
    double *x = values_of(a, SL_METRIC_THRESHOLD_SENSITIVITY, 0.1);
    double *y = values_of(b, SL_METRIC_THRESHOLD_SENSITIVITY, 0.1);
    assert_memory_equal(x, of_rounded, sizeof of_rounded);
    assert_memory_equal(y, of_exact, sizeof of_exact);
    free(x);
    free(y);
    sl_curve_release(a);
    sl_curve_release(b);
    sl_hierarchy_release(rounded);
    sl_hierarchy_release(h);
}

/* ---- one thing, asked for in different ways --------------------------------------------------------------------- */

enum { ROWS = 300 };

static void check_points(const sl_hierarchy *h, const double *thresholds) {
    sl_curve *sweep = measure(h, 0, thresholds, ROWS);
    double *stability = values_of(sweep, SL_METRIC_ENTITY_STABILITY, 0);
    double *sensitivity = values_of(sweep, SL_METRIC_THRESHOLD_SENSITIVITY, 0.1);
    for (uint32_t i = 0; i < ROWS; i++) {
        sl_curve *point = measure(h, 0, &thresholds[i], 1);
        double *a = values_of(point, SL_METRIC_ENTITY_STABILITY, 0);
        double *b = values_of(point, SL_METRIC_THRESHOLD_SENSITIVITY, 0.1);
        assert_true(a[0] == stability[i] && b[0] == sensitivity[i]);
        free(a);
        free(b);
        sl_curve_release(point);
    }
    free(stability);
    free(sensitivity);
    sl_curve_release(sweep);
}

static void rows_in_any_order_are_their_points(void **state) {
    double thresholds[ROWS];
    uint64_t seed = 4;
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        sl_build_options build = {.exact = exact == 1};
        graph g = graph_make(GRAPH_CLUSTERS, 300, 500, 0, 5);
        sl_hierarchy *h = plain_engine_build(&g, &build);
        for (int order = 0; order < 4; order++) {
            for (uint32_t i = 0; i < ROWS; i++)
                thresholds[i] = order == 0   ? (double)i / (ROWS - 1)
                                : order == 1 ? 1 - (double)i / (ROWS - 1)
                                : order == 2 ? graph_fraction(&seed)
                                             : (double)graph_below(&seed, 7) / 6;
            thresholds[7] = -0.0;
            check_points(h, thresholds);
        }
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void no_rows_have_no_values(void **state) {
    const double none = 0;
    graph g = graph_make(GRAPH_RANDOM, 20, 30, 10, 3);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_curve *curve = measure(h, 0, &none, 0);
    (void)state;
    assert_int_equal(sl_curve_length(curve), 0);
    EXPECT_OK(sl_curve_metric(curve, SL_METRIC_ENTITY_STABILITY, 0, NULL, &expect_error));
    EXPECT_OK(sl_curve_metric(curve, SL_METRIC_THRESHOLD_SENSITIVITY, 0.1, NULL, &expect_error));
    sl_curve_release(curve);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* The mean of a curve over its levels, each for the stretch below it. */
static void the_mean_stability_of_a_large_curve_is_its_integral(void **state) {
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        graph g = graph_make(GRAPH_CLUSTERS, EXPECT_SIZE(200000, 20000), EXPECT_SIZE(300000, 30000), 0, 9);
        sl_build_options build = {.exact = exact == 1};
        sl_hierarchy *h = plain_engine_build(&g, &build);
        uint32_t k = sl_hierarchy_num_levels(h);
        double *thresholds = fresh_memory(k + 1, sizeof *thresholds), mean = 0;
        for (uint32_t i = 0; i < k; i++) thresholds[i] = sl_hierarchy_levels(h)[k - 1 - i];
        thresholds[k] = 1.0;
        sl_curve *curve = measure(h, 0, thresholds, k + 1);
        double *values = values_of(curve, SL_METRIC_ENTITY_STABILITY, 0);
        for (uint32_t i = 0; i <= k; i++) mean += values[i] * (thresholds[i] - (i > 0 ? thresholds[i - 1] : 0.0));
        assert_true(fabs(means_of(h, 0, 0.5).entity_stability - mean) < 1e-11);
        free(values);
        free(thresholds);
        sl_curve_release(curve);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void a_curve_outlives_its_hierarchy(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 40, 60, 20, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    plain_lifetimes plain = plain_lifetimes_make(&g, 45, 6);
    sl_curve *curve = measure(h, 45, NULL, 0);
    (void)state;
    sl_hierarchy_release(h);
    check_rows(curve, &plain, 0.25);
    sl_curve_release(curve);
    plain_lifetimes_free(&plain);
    graph_free(&g);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void bad_shifts_and_too_few_records_are_refused(void **state) {
    const double bad[] = {0.0, -0.05, 1.0000001, NAN, INFINITY};
    graph g = graph_make(GRAPH_RANDOM, 5, 8, 10, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_curve *curve = measure(h, 0, NULL, 0);
    double values[8];
    sl_lifetimes means;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        EXPECT_FAILURE(sl_curve_metric(curve, SL_METRIC_THRESHOLD_SENSITIVITY, bad[i], values, &expect_error),
                       SL_ERROR_INVALID_ARGUMENT, -1);
        means = (sl_lifetimes){7, 7};
        EXPECT_FAILURE(sl_hierarchy_lifetimes(h, 0, bad[i], &means, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
        assert_true(means.entity_stability == 0 && means.threshold_sensitivity == 0);
        EXPECT_OK(sl_curve_metric(curve, SL_METRIC_ENTITY_STABILITY, bad[i], values, &expect_error)); /* not used */
    }
    EXPECT_FAILURE(sl_hierarchy_lifetimes(h, 4, 0.1, &means, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_curve_metric(curve, SL_METRIC_ENTITY_STABILITY, 0, NULL, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    sl_curve_release(curve);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* Each metric and the means with the first allocations succeeding and all later ones failing. */
static sl_status ask(const sl_curve *curve, const sl_hierarchy *h, int which, double *values) {
    sl_lifetimes means;
    if (which == 0) return sl_curve_metric(curve, SL_METRIC_ENTITY_STABILITY, 0, values, &expect_error);
    if (which == 1) return sl_curve_metric(curve, SL_METRIC_THRESHOLD_SENSITIVITY, 0.25, values, &expect_error);
    return sl_hierarchy_lifetimes(h, 45, 0.25, &means, &expect_error);
}

static void every_failed_allocation_leaves_nothing_behind(void **state) {
    const double thresholds[] = {0.9, 0.5, 0.7, 0.1}; /* to be sorted */
    graph g = graph_make(GRAPH_CLUSTERS, 40, 60, 20, 2);
    double values[4];
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    plain_lifetimes plain = plain_lifetimes_make(&g, 45, 6);
    sl_curve *curve = measure(h, 45, thresholds, 4);
    uint64_t held = sl_memory_in_use();
    for (int which = 0; which < 3; which++) {
        uint64_t allocations = 0;
        for (;; allocations++) {
            failing_memory_after(allocations);
            sl_status status = ask(curve, h, which, values);
            failing_memory_after(FAILING_NEVER);
            assert_int_equal(sl_memory_in_use(), held);
            if (status == SL_OK) break;
            assert_int_equal(status, SL_ERROR_MEMORY);
        }
        assert_true(allocations >= 2);
    }
    check_rows(curve, &plain, 0.25);
    sl_curve_release(curve);
    plain_lifetimes_free(&plain);
    sl_hierarchy_release(h);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(both_metrics_and_their_means_follow_their_definitions),
        TEST(nothing_and_what_never_merges_are_stable),
        TEST(a_merge_at_one_leaves_no_single_records),
        TEST(a_merge_at_zero_is_there_at_zero_alone),
        TEST(the_example_of_the_documentation_is_right),
        TEST(sums_are_compared_as_the_scores_are),
        TEST(rows_in_any_order_are_their_points),
        TEST(no_rows_have_no_values),
        TEST(the_mean_stability_of_a_large_curve_is_its_integral),
        TEST(a_curve_outlives_its_hierarchy),
        TEST(bad_shifts_and_too_few_records_are_refused),
        TEST(every_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
