/* test_metrics.c: every metric at every threshold against its definition; the full curve, a sweep and single points are one
 * thing; edge cases; threads; errors; interrupts. */
#include "support/expect.h"

#include <math.h>
#include <time.h>

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/plain_metrics.h"

static sl_curve *measure(const sl_hierarchy *h, uint32_t n, const sl_curve_options *options) {
    sl_curve *curve = NULL;
    EXPECT_OK(sl_curve_create(h, n, options, &curve, &expect_error));
    assert_non_null(curve);
    return curve;
}

static double value(const sl_curve *curve, sl_metric metric, uint64_t row) {
    double *values = fresh_memory(sl_curve_length(curve), sizeof *values);
    EXPECT_OK(sl_curve_metric(curve, metric, plain_parameter(metric), values, &expect_error));
    double result = values[row];
    free(values);
    return result;
}

/* Labels of the cut that brute force finds. */
static uint32_t *brute_labels(const graph *g, uint32_t decimals, uint32_t n, double threshold) {
    uint32_t *labels = fresh_memory(n, sizeof *labels);
    plain_components(g, decimals, threshold, labels);
    for (uint32_t i = g->num_records; i < n; i++) labels[i] = i;
    return labels;
}

/* ---- against the definitions ------------------------------------------------------------------------------------ */

/* Every row of the curve, each measured from scratch. `truth` may be NULL. */
static void check_rows(const sl_curve *curve, const graph *g, uint32_t decimals, uint32_t n, const uint32_t *truth) {
    for (uint64_t row = 0; row < sl_curve_length(curve); row++) {
        uint32_t *labels = brute_labels(g, decimals, n, sl_curve_thresholds(curve)[row]);
        plain_metrics expected = plain_measure(labels, truth, n);
        plain_expect_metrics(curve, row, &expected);
        free(labels);
    }
}

static void check_graph(const graph *g, uint32_t decimals, uint32_t extra, uint64_t number) {
    (void)number;
    sl_build_options build = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
    sl_hierarchy *h = plain_engine_build(g, &build);
    uint32_t n = g->num_records + extra;
    uint64_t seed = g->num_edges + n;
    uint32_t *truth = fresh_memory(n, sizeof *truth), num_truth = g->num_truth + 3; /* labels that nobody has */
    double thresholds[9] = {0.0, 1.0, 0.85, 0.1 + 0.75, 0.5, 0.5};
    for (uint32_t i = 0; i < n; i++) truth[i] = i < g->num_records ? g->truth[i] : graph_below(&seed, num_truth);
    for (size_t i = 6; i < 9; i++) thresholds[i] = graph_fraction(&seed);
    for (int with_thresholds = 0; with_thresholds < 2; with_thresholds++)
        for (int with_truth = 0; with_truth < 2; with_truth++) {
            sl_curve_options options = {.reference_labels = with_truth ? truth : NULL,
                                        .num_reference_labels = with_truth ? num_truth : 0,
                                        .thresholds = with_thresholds ? thresholds : NULL,
                                        .num_thresholds = with_thresholds ? 9 : 0};
            sl_curve *curve = measure(h, extra ? n : 0, &options);
            uint32_t k = sl_hierarchy_num_levels(h);
            assert_int_equal(sl_curve_length(curve), with_thresholds ? 9 : k ? k : 1);
            check_rows(curve, g, decimals, n, with_truth ? truth : NULL);
            sl_curve_release(curve);
        }
    free(truth);
    sl_hierarchy_release(h);
}

static void every_metric_at_every_threshold_follows_its_definition(void **state) {
    (void)state;
    plain_check_small(EXPECT_SIZE(1300, 195), check_graph);
}

/* Pairs one by one, so that nothing hangs on sums over cells. */
static void pair_counts_are_those_of_all_pairs(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 260; number++) {
        graph g = graph_small(number);
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        sl_curve_options options = {.reference_labels = g.truth, .num_reference_labels = g.num_truth};
        sl_curve *curve = measure(h, 0, &options);
        for (uint64_t row = 0; row < sl_curve_length(curve); row++) {
            uint32_t *labels = brute_labels(&g, 6, g.num_records, sl_curve_thresholds(curve)[row]);
            double tp = 0, fp = 0, fn = 0, tn = 0;
            for (uint32_t i = 0; i < g.num_records; i++)
                for (uint32_t j = 0; j < i; j++) {
                    bool judged = labels[i] == labels[j], true_pair = g.truth[i] == g.truth[j];
                    tp += judged && true_pair;
                    fp += judged && !true_pair;
                    fn += !judged && true_pair;
                    tn += !judged && !true_pair;
                }
            assert_true(value(curve, SL_METRIC_PAIR_COUNT, row) == tp + fp);
            assert_true(value(curve, SL_METRIC_PRECISION, row) == (tp + fp > 0 ? tp / (tp + fp) : 1.0));
            assert_true(value(curve, SL_METRIC_RECALL, row) == (tp + fn > 0 ? tp / (tp + fn) : 1.0));
            assert_true(value(curve, SL_METRIC_F1, row) == (tp + fp + fn > 0 ? 2 * tp / (2 * tp + fp + fn) : 1.0));
            if (g.num_records > 1) assert_true(value(curve, SL_METRIC_RAND, row) == (tp + tn) / (tp + fp + fn + tn));
            free(labels);
        }
        sl_curve_release(curve);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

/* B-cubed record by record (Bagga and Baldwin). */
static void bcubed_is_the_mean_over_records(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 130; number++) {
        graph g = graph_small(number);
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        sl_curve_options options = {.reference_labels = g.truth, .num_reference_labels = g.num_truth};
        sl_curve *curve = measure(h, 0, &options);
        for (uint64_t row = 0; row < sl_curve_length(curve); row++) {
            uint32_t n = g.num_records, *labels = brute_labels(&g, 6, n, sl_curve_thresholds(curve)[row]);
            double precision = 0, recall = 0;
            for (uint32_t i = 0; i < n; i++) {
                double both = 0, mine = 0, true_ones = 0;
                for (uint32_t j = 0; j < n; j++) {
                    mine += labels[i] == labels[j];
                    true_ones += g.truth[i] == g.truth[j];
                    both += labels[i] == labels[j] && g.truth[i] == g.truth[j];
                }
                precision += both / mine / n;
                recall += both / true_ones / n;
            }
            if (n > 0) assert_true(fabs(value(curve, SL_METRIC_BCUBED_PRECISION, row) - precision) < 1e-12);
            if (n > 0) assert_true(fabs(value(curve, SL_METRIC_BCUBED_RECALL, row) - recall) < 1e-12);
            free(labels);
        }
        sl_curve_release(curve);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void middling_graphs_follow_the_definitions(void **state) {
    (void)state;
    for (int shape = 0; shape < GRAPH_NUM_SHAPES; shape++) {
        graph g = graph_make((graph_shape)shape, 1500, 3000, 20, (uint64_t)shape);
        if (shape == GRAPH_CHAIN_ASCENDING || shape == GRAPH_CHAIN_DESCENDING) { /* its scores are all different */
            for (uint64_t i = 0; i < g.num_edges; i++) g.scores[i] = floor(g.scores[i] * 20) / 20;
        }
        check_graph(&g, 6, shape % 2 ? 500 : 0, 0);
        graph_free(&g);
    }
}

/* Large, with reference entities from single records to half of all. */
static void check_large(graph_shape shape, uint32_t kind) {
    const uint32_t n = EXPECT_SIZE(100000, 10000);
    graph g = graph_make(shape, n, 2 * (uint64_t)n, 0, 21);
    uint64_t seed = kind;
    uint32_t *truth = fresh_memory(n, sizeof *truth);
    for (uint32_t i = 0; i < n; i++)
        truth[i] = kind == 0 ? i / 4 : kind == 1 ? (graph_below(&seed, 2) ? 0 : i) : graph_below(&seed, 50);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    const double thresholds[] = {0.999999, 0.99, 0.9, 0.75, 0.5, 0.25, 0.0};
    sl_curve_options options = {
        .reference_labels = truth, .num_reference_labels = n, .thresholds = thresholds, .num_thresholds = 7};
    sl_curve *curve = measure(h, 0, &options);
    for (uint64_t row = 0; row < 7; row++) {
        sl_partition *p = NULL;
        const uint32_t *labels;
        EXPECT_OK(sl_partition_create(h, 0, thresholds[row], &p, &expect_error)); /* test_partition.c vouches for it */
        EXPECT_OK(sl_partition_labels(p, &labels, &expect_error));
        plain_metrics expected = plain_measure(labels, truth, n);
        plain_expect_metrics(curve, row, &expected);
        sl_partition_release(p);
    }
    sl_curve_release(curve);
    sl_hierarchy_release(h);
    free(truth);
    graph_free(&g);
}

static void large_curves_follow_the_definitions(void **state) {
    (void)state;
    check_large(GRAPH_CLUSTERS, 0);
    check_large(GRAPH_RANDOM, 1);
    check_large(GRAPH_CHAIN_ASCENDING, 2);
    check_large(GRAPH_CHAIN_DESCENDING, 1);
    check_large(GRAPH_EQUAL, 2);
    check_large(GRAPH_STAR, 0);
}

/* ---- one thing, asked for in different ways --------------------------------------------------------------------- */

/* Row `a_row` of a and `b_row` of b: counts equal, the rest within rounding. */
static void expect_equal_rows(const sl_curve *a, uint64_t a_row, const sl_curve *b, uint64_t b_row) {
    for (int m = 0; m < SL_NUM_METRICS; m++) {
        double x = value(a, (sl_metric)m, a_row), y = value(b, (sl_metric)m, b_row);
        if (!(fabs(x - y) <= (sl_metric_is_count((sl_metric)m) ? 0.0 : 1e-12 * fmax(1, fabs(x)))))
            fail_msg("%s: %.17g, %.17g", sl_metric_name((sl_metric)m), x, y);
    }
}

static void points_sweeps_and_the_full_curve_agree(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 130; number++) {
        graph g = graph_small(number);
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        sl_curve_options options = {.reference_labels = g.truth, .num_reference_labels = g.num_truth};
        sl_curve *full = measure(h, 0, &options);
        uint64_t rows = sl_curve_length(full);
        for (uint64_t row = 1; row < rows; row++)
            assert_true(sl_curve_thresholds(full)[row] > sl_curve_thresholds(full)[row - 1]);
        options.thresholds = sl_curve_thresholds(full);
        options.num_thresholds = rows;
        sl_curve *sweep = measure(h, 0, &options);
        for (uint64_t row = 0; row < rows; row++) {
            options.thresholds = sl_curve_thresholds(full) + row;
            options.num_thresholds = 1;
            sl_curve *point = measure(h, 0, &options);
            assert_true(sl_curve_thresholds(point)[0] == sl_curve_thresholds(full)[row]);
            expect_equal_rows(full, row, sweep, row);
            expect_equal_rows(full, row, point, 0);
            sl_curve_release(point);
        }
        sl_curve_release(sweep);
        sl_curve_release(full);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void rows_keep_the_order_and_the_repetitions_asked_for(void **state) {
    const double thresholds[] = {0.5, 0.9, 0.5, 0.1, 1.0, 0.0, 0.50000004, 0.9};
    const double compared[] = {0.5, 0.9, 0.5, 0.1, 1.0, 0.0, 0.5, 0.9};
    graph g = graph_make(GRAPH_RANDOM, 60, 90, 10, 3);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_curve_options options = {.thresholds = thresholds, .num_thresholds = 8};
    (void)state;
    sl_curve *curve = measure(h, 0, &options);
    assert_int_equal(sl_curve_length(curve), 8);
    assert_memory_equal(sl_curve_thresholds(curve), compared, sizeof compared);
    check_rows(curve, &g, 6, 60, NULL);
    sl_curve_release(curve);
    options.num_thresholds = 0;
    curve = measure(h, 0, &options); /* none asked for, none given */
    assert_int_equal(sl_curve_length(curve), 0);
    double none;
    EXPECT_OK(sl_curve_metric(curve, SL_METRIC_ENTROPY, 0, &none, &expect_error));
    sl_curve_release(curve);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* Ascending, descending, shuffled, with repetitions: a row's values hang on its threshold alone. */
static void sweeps_in_any_order_are_their_points(void **state) {
    enum { ROWS = 300 };
    graph g = graph_make(GRAPH_CLUSTERS, 300, 500, 0, 5);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    double thresholds[ROWS], values[2][ROWS];
    uint64_t seed = 4;
    (void)state;
    for (int order = 0; order < 5; order++) {
        for (uint32_t i = 0; i < ROWS; i++)
            thresholds[i] = order == 0   ? (double)i / (ROWS - 1)
                            : order == 1 ? 1 - (double)i / (ROWS - 1)
                            : order == 2 ? graph_fraction(&seed)
                            : order == 3 ? (double)graph_below(&seed, 7) / 6
                                         : 0.5 + (i % 2 ? 0.4 : -0.4) * i / ROWS;
        sl_curve_options options = {.reference_labels = g.truth,
                                    .num_reference_labels = g.num_truth,
                                    .thresholds = thresholds,
                                    .num_thresholds = ROWS};
        sl_curve *sweep = measure(h, 0, &options);
        EXPECT_OK(sl_curve_metric(sweep, SL_METRIC_PAIR_COUNT, 0, values[0], &expect_error));
        EXPECT_OK(sl_curve_metric(sweep, SL_METRIC_F1, 0, values[1], &expect_error));
        for (uint32_t i = 0; i < ROWS; i++) {
            options.thresholds = &thresholds[i];
            options.num_thresholds = 1;
            sl_curve *point = measure(h, 0, &options);
            assert_true(value(point, SL_METRIC_PAIR_COUNT, 0) == values[0][i]);
            assert_true(value(point, SL_METRIC_F1, 0) == values[1][i]);
            sl_curve_release(point);
        }
        sl_curve_release(sweep);
    }
    sl_hierarchy_release(h);
    graph_free(&g);
}

static void any_number_of_threads_gives_the_same_bytes(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 50000, 100000, 0, 8);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_curve_options options = {.reference_labels = g.truth, .num_reference_labels = g.num_truth};
    double *expected[SL_NUM_METRICS] = {NULL};
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        sl_set_num_threads(threads);
        sl_curve *curve = measure(h, 0, &options);
        uint64_t rows = sl_curve_length(curve);
        assert_true(rows > 20000); /* several tasks */
        double *values = fresh_memory(rows, sizeof *values);
        for (int m = 0; m < SL_NUM_METRICS; m++) {
            EXPECT_OK(sl_curve_metric(curve, (sl_metric)m, plain_parameter((sl_metric)m), values, &expect_error));
            if (!expected[m]) expected[m] = memcpy(fresh_memory(rows, sizeof *values), values, rows * sizeof *values);
            assert_memory_equal(values, expected[m], rows * sizeof *values);
        }
        free(values);
        sl_curve_release(curve);
    }
    for (int m = 0; m < SL_NUM_METRICS; m++) free(expected[m]);
    sl_hierarchy_release(h);
    graph_free(&g);
}

static void names_of_reference_entities_do_not_matter(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 500, 900, 100, 8);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    uint32_t renamed[500];
    (void)state;
    for (uint32_t i = 0; i < 500; i++) renamed[i] = (g.num_truth - 1 - g.truth[i]) * 7 + 2;
    sl_curve_options a = {.reference_labels = g.truth, .num_reference_labels = g.num_truth};
    sl_curve_options b = {.reference_labels = renamed, .num_reference_labels = g.num_truth * 7};
    sl_curve *first = measure(h, 0, &a), *second = measure(h, 0, &b);
    for (uint64_t row = 0; row < sl_curve_length(first); row++) expect_equal_rows(first, row, second, row);
    sl_curve_release(first);
    sl_curve_release(second);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- edge cases ------------------------------------------------------------------------------------------------- */

/* The one row of `entities` judged against `truth`, both label arrays of n records. */
static sl_curve *compare_labels(const uint32_t *entities, const uint32_t *truth, uint32_t n) {
    sl_hierarchy *h = NULL;
    const double threshold = 0.5;
    EXPECT_OK(sl_hierarchy_from_entities(n, NULL, entities, n, n, 1.0, &h, &expect_error));
    sl_curve_options options = {
        .reference_labels = truth, .num_reference_labels = n, .thresholds = &threshold, .num_thresholds = 1};
    sl_curve *curve = measure(h, 0, &options);
    sl_hierarchy_release(h);
    return curve;
}

typedef struct expectation {
    sl_metric metric;
    double value;
} expectation;

static void expect_values(sl_curve *curve, const expectation *expected, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (value(curve, expected[i].metric, 0) != expected[i].value)
            fail_msg("%s is %.17g, not %g", sl_metric_name(expected[i].metric), value(curve, expected[i].metric, 0),
                     expected[i].value);
    for (int m = 0; m < SL_NUM_METRICS; m++) assert_true(isfinite(value(curve, (sl_metric)m, 0)));
    sl_curve_release(curve);
}
#define EXPECT_VALUES(curve, ...)                                                                                      \
    expect_values(curve, (const expectation[]){__VA_ARGS__},                                                           \
                  sizeof((const expectation[]){__VA_ARGS__}) / sizeof(expectation))

#define ALL_RATIOS(v)                                                                                                  \
    {SL_METRIC_PRECISION, v}, {SL_METRIC_RECALL, v}, {SL_METRIC_F1, v}, {SL_METRIC_F_BETA, v}, {SL_METRIC_RAND, v},    \
        {SL_METRIC_ARI, v}, {SL_METRIC_JACCARD, v}, {SL_METRIC_NMI, v}, {SL_METRIC_HOMOGENEITY, v},                    \
        {SL_METRIC_COMPLETENESS, v}, {SL_METRIC_V_MEASURE, v}, {SL_METRIC_BCUBED_PRECISION, v},                        \
        {SL_METRIC_BCUBED_RECALL, v}, {SL_METRIC_BCUBED_F1, v}, {SL_METRIC_CLUSTER_PRECISION, v},                      \
        {SL_METRIC_CLUSTER_RECALL, v}, {SL_METRIC_CLUSTER_F1, v}, {SL_METRIC_PURITY, v}, {                             \
        SL_METRIC_INVERSE_PURITY, v                                                                                    \
    }

static void an_empty_frame_has_counts_of_zero_and_ratios_of_one(void **state) {
    const uint32_t none[1] = {0};
    (void)state;
    EXPECT_VALUES(compare_labels(none, none, 0), ALL_RATIOS(1.0), {SL_METRIC_MUTUAL_INFORMATION, 0},
                  {SL_METRIC_VARIATION_OF_INFORMATION, 0}, {SL_METRIC_ENTITY_COUNT, 0}, {SL_METRIC_ENTROPY, 0},
                  {SL_METRIC_LARGEST_ENTITY, 0}, {SL_METRIC_SINGLETONS, 0}, {SL_METRIC_PAIR_COUNT, 0});
}

static void one_record_is_a_perfect_match(void **state) {
    const uint32_t one[1] = {0};
    (void)state;
    EXPECT_VALUES(compare_labels(one, one, 1), ALL_RATIOS(1.0), {SL_METRIC_MUTUAL_INFORMATION, 0},
                  {SL_METRIC_VARIATION_OF_INFORMATION, 0}, {SL_METRIC_ENTITY_COUNT, 1}, {SL_METRIC_ENTROPY, 0},
                  {SL_METRIC_LARGEST_ENTITY, 1}, {SL_METRIC_MEAN_SIZE, 1}, {SL_METRIC_SINGLETONS, 1});
}

static void identical_partitions_are_a_perfect_match(void **state) {
    const uint32_t singletons[] = {4, 3, 2, 1, 0}, together[] = {0, 0, 0, 0, 0}, mixed[] = {1, 0, 1, 2, 2};
    (void)state;
    EXPECT_VALUES(compare_labels(singletons, singletons, 5), ALL_RATIOS(1.0), {SL_METRIC_VARIATION_OF_INFORMATION, 0});
    EXPECT_VALUES(compare_labels(together, together, 5), ALL_RATIOS(1.0), {SL_METRIC_FOWLKES_MALLOWS, 1},
                  {SL_METRIC_MUTUAL_INFORMATION, 0}, {SL_METRIC_VARIATION_OF_INFORMATION, 0}, {SL_METRIC_ENTROPY, 0});
    EXPECT_VALUES(compare_labels(mixed, mixed, 5), ALL_RATIOS(1.0), {SL_METRIC_FOWLKES_MALLOWS, 1},
                  {SL_METRIC_VARIATION_OF_INFORMATION, 0});
}

/* Scores that rounding could push a hair away from 0 and 1: many sizes of perfect matches. */
static void perfect_matches_are_exactly_one_at_any_size(void **state) {
    (void)state;
    for (uint32_t n = 1; n < 400; n += 7) {
        uint32_t labels[400];
        for (uint32_t i = 0; i < n; i++) labels[i] = i * 7919 % (n / 3 + 1);
        EXPECT_VALUES(compare_labels(labels, labels, n), ALL_RATIOS(1.0), {SL_METRIC_VARIATION_OF_INFORMATION, 0});
    }
}

static void no_predicted_pairs_is_precision_one(void **state) {
    const uint32_t singletons[] = {0, 1, 2, 3}, truth[] = {0, 0, 1, 1};
    (void)state;
    EXPECT_VALUES(compare_labels(singletons, truth, 4), {SL_METRIC_PRECISION, 1}, {SL_METRIC_RECALL, 0},
                  {SL_METRIC_F1, 0}, {SL_METRIC_F_BETA, 0}, {SL_METRIC_ARI, 0}, {SL_METRIC_JACCARD, 0},
                  {SL_METRIC_FOWLKES_MALLOWS, 0}, {SL_METRIC_HOMOGENEITY, 1}, {SL_METRIC_COMPLETENESS, 0.5},
                  {SL_METRIC_BCUBED_PRECISION, 1}, {SL_METRIC_BCUBED_RECALL, 0.5}, {SL_METRIC_CLUSTER_F1, 0},
                  {SL_METRIC_PURITY, 1}, {SL_METRIC_INVERSE_PURITY, 0.5}, {SL_METRIC_SINGLETONS, 4});
}

static void no_reference_pairs_is_recall_one(void **state) {
    const uint32_t judged[] = {0, 0, 1, 1}, truth[] = {3, 2, 1, 0};
    (void)state;
    EXPECT_VALUES(compare_labels(judged, truth, 4), {SL_METRIC_PRECISION, 0}, {SL_METRIC_RECALL, 1}, {SL_METRIC_F1, 0},
                  {SL_METRIC_ARI, 0}, {SL_METRIC_HOMOGENEITY, 0.5}, {SL_METRIC_COMPLETENESS, 1},
                  {SL_METRIC_BCUBED_PRECISION, 0.5}, {SL_METRIC_BCUBED_RECALL, 1}, {SL_METRIC_CLUSTER_F1, 0},
                  {SL_METRIC_PURITY, 0.5}, {SL_METRIC_INVERSE_PURITY, 1}, {SL_METRIC_PAIR_COUNT, 2});
}

static void one_entity_of_all_tells_nothing(void **state) {
    const uint32_t together[] = {0, 0, 0, 0}, truth[] = {0, 0, 1, 1};
    (void)state;
    EXPECT_VALUES(compare_labels(together, truth, 4), {SL_METRIC_RECALL, 1}, {SL_METRIC_ARI, 0}, {SL_METRIC_NMI, 0},
                  {SL_METRIC_MUTUAL_INFORMATION, 0}, {SL_METRIC_HOMOGENEITY, 0}, {SL_METRIC_COMPLETENESS, 1},
                  {SL_METRIC_V_MEASURE, 0}, {SL_METRIC_ENTROPY, 0}, {SL_METRIC_ENTITY_COUNT, 1},
                  {SL_METRIC_LARGEST_ENTITY, 4}, {SL_METRIC_MEAN_SIZE, 4}, {SL_METRIC_PAIR_COUNT, 6});
    EXPECT_VALUES(compare_labels(truth, together, 4), {SL_METRIC_PRECISION, 1}, {SL_METRIC_NMI, 0},
                  {SL_METRIC_HOMOGENEITY, 1}, {SL_METRIC_COMPLETENESS, 0}, {SL_METRIC_V_MEASURE, 0});
}

/* scikit-learn 1.9 on labels_true = [0 0 0 1 1 1 2 2 2], labels_pred = [0 0 1 1 1 1 2 2 0]. */
static void known_values_are_scikit_learns(void **state) {
    const uint32_t truth[] = {0, 0, 0, 1, 1, 1, 2, 2, 2}, judged[] = {0, 0, 1, 1, 1, 1, 2, 2, 0};
    (void)state;
    sl_curve *curve = compare_labels(judged, truth, 9);
    const expectation expected[] = {{SL_METRIC_ARI, 0.35714285714285715},
                                    {SL_METRIC_NMI, 0.5895098274473051},
                                    {SL_METRIC_V_MEASURE, 0.5895098274473051},
                                    {SL_METRIC_HOMOGENEITY, 0.5793801642856953},
                                    {SL_METRIC_COMPLETENESS, 0.6},
                                    {SL_METRIC_RAND, 0.75},
                                    {SL_METRIC_FOWLKES_MALLOWS, 0.5270462766947299},
                                    {SL_METRIC_MUTUAL_INFORMATION, 0.636514168294813}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(fabs(value(curve, expected[i].metric, 0) - expected[i].value) < 1e-12);
    sl_curve_release(curve);
}

/* 70,000 records in one entity: more pairs than 32 bits count; ARI's products need more than 64. */
static void pair_counts_beyond_32_bits_are_whole(void **state) {
    const uint32_t n = 200000;
    uint32_t *labels = fresh_memory(n, sizeof *labels), *truth = fresh_memory(n, sizeof *truth);
    (void)state;
    for (uint32_t i = 0; i < n; i++) truth[i] = i % 2;
    sl_curve *curve = compare_labels(labels, truth, n);
    assert_true(value(curve, SL_METRIC_PAIR_COUNT, 0) == 19999900000.0);
    plain_metrics expected = plain_measure(labels, truth, n);
    plain_expect_metrics(curve, 0, &expected);
    sl_curve_release(curve);
    for (uint32_t i = 0; i < n; i++) labels[i] = i / 2 % 2;
    curve = compare_labels(labels, truth, n);
    expected = plain_measure(labels, truth, n);
    plain_expect_metrics(curve, 0, &expected);
    sl_curve_release(curve);
    free(labels);
    free(truth);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static void every_metric_has_a_name_that_finds_it(void **state) {
    (void)state;
    for (int m = 0; m < SL_NUM_METRICS; m++) {
        sl_metric found = SL_NUM_METRICS;
        assert_non_null(sl_metric_name((sl_metric)m));
        assert_true(strlen(sl_metric_definition((sl_metric)m)) > 10);
        EXPECT_OK(sl_metric_from_name(sl_metric_name((sl_metric)m), &found, &expect_error));
        assert_int_equal(found, m);
        assert_int_equal(sl_metric_needs_reference((sl_metric)m), m < SL_METRIC_ENTITY_COUNT);
    }
    assert_true(sl_metric_is_count(SL_METRIC_ENTITY_COUNT) && sl_metric_is_count(SL_METRIC_PAIR_COUNT));
    assert_false(sl_metric_is_count(SL_METRIC_ENTROPY) || sl_metric_is_count(SL_METRIC_F1));
    assert_null(sl_metric_name(SL_NUM_METRICS));
    assert_null(sl_metric_definition(SL_NUM_METRICS));
    assert_false(sl_metric_needs_reference(SL_NUM_METRICS) || sl_metric_is_count(SL_NUM_METRICS));
}

static void an_unknown_metric_is_told_the_nearest_name(void **state) {
    static const char *const wrong[][2] = {{"f2", "\"f1\""},
                                           {"precison", "\"precision\""},
                                           {"bcubed_f", "\"bcubed_f1\""},
                                           {"Entropy", "\"entropy\""},
                                           {"", "\""},
                                           {"nmis", "\"nmi\""}};
    char endless[4096];
    sl_metric found;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        EXPECT_FAILURE(sl_metric_from_name(wrong[i][0], &found, &expect_error), SL_ERROR_UNKNOWN_METRIC, -1);
        assert_non_null(strstr(expect_error.message, wrong[i][1]));
    }
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    EXPECT_FAILURE(sl_metric_from_name(endless, &found, &expect_error), SL_ERROR_UNKNOWN_METRIC, -1);
}

/* ---- errors and interrupts -------------------------------------------------------------------------------------- */

static void bad_requests_are_refused(void **state) {
    const double bad[] = {NAN, INFINITY, -1e-9, 1 + 1e-9}, betas[] = {0, -1, NAN, INFINITY};
    const uint32_t labels[] = {0, 1, 2, 9, 1, 2};
    graph g = graph_make(GRAPH_RANDOM, 5, 8, 10, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_curve *curve = (sl_curve *)&curve;
    double values[64];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        double thresholds[] = {0.5, bad[i]};
        sl_curve_options options = {.thresholds = thresholds, .num_thresholds = 2};
        curve = (sl_curve *)&curve;
        EXPECT_FAILURE(sl_curve_create(h, 0, &options, &curve, &expect_error), SL_ERROR_INVALID_THRESHOLD, -1);
        assert_null(curve);
    }
    sl_curve_options options = {.reference_labels = labels, .num_reference_labels = 9};
    curve = (sl_curve *)&curve;
    EXPECT_FAILURE(sl_curve_create(h, 0, &options, &curve, &expect_error), SL_ERROR_INVALID_ARGUMENT, 3);
    assert_null(curve);
    options.num_reference_labels = 2;
    EXPECT_FAILURE(sl_curve_create(h, 6, &options, &curve, &expect_error), SL_ERROR_INVALID_ARGUMENT, 2);
    EXPECT_FAILURE(sl_curve_create(h, 4, NULL, &curve, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    options = (sl_curve_options){.reference_labels = g.truth, .num_reference_labels = g.num_truth};
    curve = measure(h, 0, NULL);
    assert_true(sl_curve_length(curve) <= 64);
    for (int m = 0; m < SL_NUM_METRICS; m++) {
        if (sl_metric_needs_reference((sl_metric)m))
            EXPECT_FAILURE(sl_curve_metric(curve, (sl_metric)m, 1, values, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                           -1);
        else
            EXPECT_OK(sl_curve_metric(curve, (sl_metric)m, 1, values, &expect_error));
    }
    EXPECT_FAILURE(sl_curve_metric(curve, SL_NUM_METRICS, 1, values, &expect_error), SL_ERROR_UNKNOWN_METRIC, -1);
    EXPECT_FAILURE(sl_curve_metric(curve, (sl_metric)-1, 1, values, &expect_error), SL_ERROR_UNKNOWN_METRIC, -1);
    sl_curve_release(curve);
    curve = measure(h, 0, &options);
    for (size_t i = 0; i < 4; i++)
        EXPECT_FAILURE(sl_curve_metric(curve, SL_METRIC_F_BETA, betas[i], values, &expect_error),
                       SL_ERROR_INVALID_ARGUMENT, -1);
    sl_curve_release(curve);
    sl_curve_release(NULL);
    sl_hierarchy_release(h);
    graph_free(&g);
}

static int stop_at_once(void *state, const char *phase, uint64_t done, uint64_t total) {
    (void)phase;
    *(bool *)state = done <= total;
    return 1;
}

/* After every allocation it is time for a tick. */
static void *allocate_slowly(void *state, size_t size) {
    const struct timespec time = {0, 21000000};
    (void)state;
    nanosleep(&time, NULL);
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void an_interrupted_measurement_leaves_nothing_behind(void **state) {
    const sl_allocator slow = {allocate_slowly, release_plainly, NULL};
    graph g =
        graph_make(GRAPH_CLUSTERS, 200000, 200000, 0, 2); /* more records than lie between two looks at the clock */
    bool called = false;
    sl_progress progress = {stop_at_once, &called};
    (void)state;
    EXPECT_OK(sl_set_allocator(&slow, &expect_error));
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    uint64_t held = sl_memory_in_use();
    for (int with_reference = 0; with_reference < 2; with_reference++) {
        sl_curve_options options = {.reference_labels = with_reference ? g.truth : NULL,
                                    .num_reference_labels = g.num_truth,
                                    .progress = &progress};
        sl_curve *curve = (sl_curve *)&curve;
        called = false;
        EXPECT_FAILURE(sl_curve_create(h, 0, &options, &curve, &expect_error), SL_ERROR_INTERRUPTED, -1);
        assert_true(called);
        assert_null(curve);
        assert_int_equal(sl_memory_in_use(), held);
        options.progress = NULL;
        curve = measure(h, 0, &options);
        sl_curve_release(curve);
    }
    sl_hierarchy_release(h);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_metric_at_every_threshold_follows_its_definition),
        TEST(pair_counts_are_those_of_all_pairs),
        TEST(bcubed_is_the_mean_over_records),
        TEST(middling_graphs_follow_the_definitions),
        TEST(large_curves_follow_the_definitions),
        TEST(points_sweeps_and_the_full_curve_agree),
        TEST(rows_keep_the_order_and_the_repetitions_asked_for),
        TEST(sweeps_in_any_order_are_their_points),
        TEST(any_number_of_threads_gives_the_same_bytes),
        TEST(names_of_reference_entities_do_not_matter),
        TEST(an_empty_frame_has_counts_of_zero_and_ratios_of_one),
        TEST(one_record_is_a_perfect_match),
        TEST(identical_partitions_are_a_perfect_match),
        TEST(perfect_matches_are_exactly_one_at_any_size),
        TEST(no_predicted_pairs_is_precision_one),
        TEST(no_reference_pairs_is_recall_one),
        TEST(one_entity_of_all_tells_nothing),
        TEST(known_values_are_scikit_learns),
        TEST(pair_counts_beyond_32_bits_are_whole),
        TEST(every_metric_has_a_name_that_finds_it),
        TEST(an_unknown_metric_is_told_the_nearest_name),
        TEST(bad_requests_are_refused),
        TEST(an_interrupted_measurement_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
