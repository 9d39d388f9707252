/* test_contingency.c: contingency tables stepped through merges, by hand and by merge events, against labels relabelled one by one
 * and against the one-pass curve at every level; bad input; running out of memory. */
#include "support/expect.h"

#include <math.h>

#include "metrics/contingency.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/plain_metrics.h"

static sl_contingency *make_table(const uint32_t *labels, uint32_t n, uint32_t num_labels) {
    sl_contingency *table = NULL;
    EXPECT_OK(sl_contingency_create(labels, n, num_labels, &table, &expect_error));
    assert_non_null(table);
    return table;
}

static double metric_of(const sl_contingency *table, sl_metric metric) {
    double value = NAN;
    EXPECT_OK(sl_contingency_metric(table, metric, PLAIN_BETA, &value, &expect_error));
    return value;
}

static bool is_of_one_cut(int metric) {
    return metric != SL_METRIC_ENTITY_STABILITY && metric != SL_METRIC_THRESHOLD_SENSITIVITY;
}

/* Sums of logarithms and quotients are taken in another order than by the curve. */
static bool hangs_on_rounding(int metric) {
    switch (metric) {
    case SL_METRIC_MUTUAL_INFORMATION:
    case SL_METRIC_NMI:
    case SL_METRIC_HOMOGENEITY:
    case SL_METRIC_COMPLETENESS:
    case SL_METRIC_V_MEASURE:
    case SL_METRIC_VARIATION_OF_INFORMATION:
    case SL_METRIC_BCUBED_PRECISION:
    case SL_METRIC_BCUBED_RECALL:
    case SL_METRIC_BCUBED_F1:
    case SL_METRIC_ENTROPY: return true;
    default: return false;
    }
}

/* ---- stepping through a hierarchy ---------------------------------------------------------------------------------- */

/* Every metric of a curve, by metric and row. */
static double **curve_values(const sl_curve *curve) {
    double **values = fresh_memory(SL_NUM_METRICS, sizeof *values);
    for (int m = 0; m < SL_NUM_METRICS; m++) {
        values[m] = fresh_memory(sl_curve_length(curve), sizeof **values);
        if (is_of_one_cut(m)) EXPECT_OK(sl_curve_metric(curve, (sl_metric)m, PLAIN_BETA, values[m], &expect_error));
    }
    return values;
}

static void free_values(double **values) {
    for (int m = 0; m < SL_NUM_METRICS; m++) free(values[m]);
    free(values);
}

static void expect_row(const sl_contingency *table, double **values, uint64_t row) {
    for (int m = 0; m < SL_NUM_METRICS; m++) {
        if (!is_of_one_cut(m)) continue;
        double value = metric_of(table, (sl_metric)m);
        if (hangs_on_rounding(m) ? !(fabs(value - values[m][row]) <= 1e-9) : value != values[m][row])
            fail_msg("%s of row %llu is %.17g, the curve's is %.17g", sl_metric_name((sl_metric)m),
                     (unsigned long long)row, value, values[m][row]);
    }
}

static void apply_to(sl_contingency *table, const sl_merge_events *events, uint32_t *next, double threshold) {
    sl_merge_event event;
    while (sl_merge_events_get(events, *next, &event) && event.threshold >= threshold)
        EXPECT_OK(sl_contingency_apply(table, events, (*next)++, &expect_error));
}

/* The rows of a curve over all levels ascend; the events start at the highest. */
static void check_hierarchy(const sl_hierarchy *h, const uint32_t *truth, uint32_t num_truth, uint32_t n,
                            uint64_t stride) {
    sl_curve_options options = {.reference_labels = truth, .num_reference_labels = num_truth};
    sl_curve *curve = NULL;
    sl_merge_events *events = NULL;
    sl_contingency *table = make_table(truth, n, num_truth);
    uint32_t next = 0;
    EXPECT_OK(sl_curve_create(h, n, &options, &curve, &expect_error));
    EXPECT_OK(sl_merge_events_create(h, n, &events, &expect_error));
    double **values = curve_values(curve);
    for (uint64_t row = sl_curve_length(curve); row-- > 0;) {
        apply_to(table, events, &next, sl_curve_thresholds(curve)[row]);
        if (row % stride == 0) expect_row(table, values, row);
    }
    assert_int_equal(next, sl_merge_events_count(events));
    free_values(values);
    sl_merge_events_release(events);
    sl_contingency_release(table);
    sl_curve_release(curve);
}

static void check_graph(const graph *g, bool exact, uint32_t extra, uint64_t stride) {
    sl_build_options build = {.exact = exact};
    sl_hierarchy *h = plain_engine_build(g, &build);
    uint32_t n = g->num_records + extra, num_truth = g->num_truth + 3; /* labels that nobody has */
    uint32_t *truth = fresh_memory(n, sizeof *truth);
    uint64_t seed = n;
    for (uint32_t i = 0; i < n; i++) truth[i] = i < g->num_records ? g->truth[i] : graph_below(&seed, num_truth);
    if (n > 0) check_hierarchy(h, truth, num_truth, n, stride);
    free(truth);
    sl_hierarchy_release(h);
}

static void stepping_through_the_events_gives_the_curve(void **state) {
    (void)state;
    for (uint64_t number = 0; number < (uint64_t)EXPECT_SIZE(1300, 260); number++) {
        graph g = graph_small(number);
        check_graph(&g, number % 2 == 0, number % 3 == 0 ? 1 + (uint32_t)number % 7 : 0, 1);
        graph_free(&g);
    }
}

/* Entities of many labels, and labels of many entities: cells by the hundred. */
static void middling_graphs_give_the_curve(void **state) {
    (void)state;
    for (int shape = 0; shape < GRAPH_NUM_SHAPES; shape++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            graph g = graph_make((graph_shape)shape, 700, 1400, seed % 2 ? 0 : 50, seed);
            check_graph(&g, false, 0, 1);
            graph_free(&g);
        }
}

static void large_graphs_give_the_curve(void **state) {
    static const graph_shape shapes[] = {GRAPH_CLUSTERS, GRAPH_RANDOM, GRAPH_STAR, GRAPH_CHAIN_ASCENDING, GRAPH_GIANT};
    const uint32_t n = EXPECT_SIZE(100000, 10000);
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        graph g = graph_make(shapes[i], n, 2 * (uint64_t)n, 0, i);
        check_graph(&g, true, 0, 211);
        graph_free(&g);
    }
}

/* ---- merging by hand ----------------------------------------------------------------------------------------------- */

/* labels[r]: the component of record r. */
static void relabel(uint32_t *labels, uint32_t n, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; i < n; i++)
        if (labels[i] == from) labels[i] = to;
}

static void expect_cells(const sl_contingency *table, const uint32_t *labels, const uint32_t *truth, uint32_t n,
                         uint32_t num_truth) {
    uint64_t cells = 0;
    for (uint32_t record = 0; record < n; record++)
        for (uint32_t label = 0; label < num_truth; label++) {
            uint32_t count = 0, first = n;
            for (uint32_t i = n; i-- > 0;) {
                if (labels[i] != labels[record]) continue;
                first = i;
                count += truth[i] == label;
            }
            assert_int_equal(sl_contingency_cell(table, record, label), count);
            cells += first == record && count > 0;
        }
    assert_int_equal(sl_contingency_num_cells(table), cells);
    assert_int_equal(sl_contingency_cell(table, n, 0), 0);
    if (n > 0) assert_int_equal(sl_contingency_cell(table, 0, num_truth), 0);
}

static void expect_plain(const sl_contingency *table, const uint32_t *labels, const uint32_t *truth, uint32_t n) {
    plain_metrics expected = plain_measure(labels, truth, n);
    for (int m = 0; m < SL_NUM_METRICS; m++) {
        if (!is_of_one_cut(m)) continue;
        double value = metric_of(table, (sl_metric)m);
        if (!(fabs(value - expected.values[m]) <= (sl_metric_is_count((sl_metric)m) ? 0.0 : 1e-9)))
            fail_msg("%s is %.17g, not %.17g", sl_metric_name((sl_metric)m), value, expected.values[m]);
    }
}

/* Merges of up to five records, some of them together already or named twice. */
static void merge_at_random(sl_contingency *table, uint32_t *labels, uint32_t n, uint64_t *seed) {
    uint32_t records[5], count = graph_below(seed, 6);
    if (n == 0) count = 0;
    for (uint32_t i = 0; i < count; i++) records[i] = graph_below(seed, n);
    EXPECT_OK(sl_contingency_merge(table, records, count, &expect_error));
    for (uint32_t i = 1; i < count; i++) relabel(labels, n, labels[records[i]], labels[records[0]]);
}

static void any_merges_give_the_metrics_of_the_partition(void **state) {
    (void)state;
    for (uint64_t number = 0; number < (uint64_t)EXPECT_SIZE(200, 60); number++) {
        uint64_t seed = number;
        uint32_t n = number < 3 ? (uint32_t)number : graph_below(&seed, 60);
        uint32_t num_truth = 1 + graph_below(&seed, number % 2 ? 4 : n + 1);
        uint32_t *truth = fresh_memory(n, sizeof *truth), *labels = fresh_memory(n, sizeof *labels);
        for (uint32_t i = 0; i < n; i++) {
            truth[i] = graph_below(&seed, num_truth);
            labels[i] = i;
        }
        sl_contingency *table = make_table(truth, n, num_truth);
        for (uint32_t step = 0; step < 3 + n / 2; step++) {
            expect_cells(table, labels, truth, n, num_truth);
            expect_plain(table, labels, truth, n);
            merge_at_random(table, labels, n, &seed);
        }
        sl_contingency_release(table);
        free(truth);
        free(labels);
    }
}

static void a_table_started_anew_is_a_new_one(void **state) {
    const uint32_t n = 200;
    uint64_t seed = 5;
    uint32_t truth[200], labels[200];
    (void)state;
    for (uint32_t i = 0; i < n; i++) truth[i] = graph_below(&seed, 150);
    sl_contingency *table = make_table(truth, n, 150);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < n; i++) labels[i] = i;
        expect_plain(table, labels, truth, n);
        for (int step = 0; step < 60; step++) merge_at_random(table, labels, n, &seed);
        expect_plain(table, labels, truth, n);
        expect_cells(table, labels, truth, n, 150);
        sl_i_contingency_restart(table);
    }
    sl_contingency_release(table);
}

static void tables_without_records_have_metrics(void **state) {
    (void)state;
    sl_contingency *table = make_table(NULL, 0, 0);
    assert_int_equal(sl_contingency_num_cells(table), 0);
    assert_true(metric_of(table, SL_METRIC_F1) == 1.0);
    assert_true(metric_of(table, SL_METRIC_ENTITY_COUNT) == 0.0);
    EXPECT_OK(sl_contingency_merge(table, NULL, 0, &expect_error));
    sl_contingency_release(table);
    sl_contingency_release(NULL);
}

/* ---- bad input ----------------------------------------------------------------------------------------------------- */

static void bad_input_is_an_error_and_changes_nothing(void **state) {
    const uint32_t truth[] = {0, 0, 1, 2}, wrong[] = {0, 3, 1}, labels[] = {0, 1, 2, 3}, records[] = {0, 1, 4};
    const uint32_t left[] = {0, 2, 1}, right[] = {1, 3, 2};
    const double scores[] = {0.9, 0.8, 0.7};
    sl_contingency *table = NULL, *other = make_table(truth, 3, 2);
    sl_hierarchy *h = NULL;
    sl_merge_events *events = NULL;
    double value = 7;
    (void)state;
    EXPECT_FAILURE(sl_contingency_create(wrong, 3, 3, &table, &expect_error), SL_ERROR_INVALID_ARGUMENT, 1);
    assert_null(table);
    table = make_table(truth, 4, 3);
    EXPECT_OK(sl_hierarchy_build(4, left, right, scores, 3, NULL, &h, &expect_error));
    EXPECT_OK(sl_merge_events_create(h, 0, &events, &expect_error));
    EXPECT_FAILURE(sl_contingency_merge(table, records, 3, &expect_error), SL_ERROR_INVALID_ARGUMENT, 2);
    EXPECT_FAILURE(sl_contingency_apply(table, events, 3, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_contingency_apply(table, events, 2, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_contingency_apply(other, events, 0, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_contingency_metric(table, SL_METRIC_ENTITY_STABILITY, 0, &value, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_true(value == 0.0);
    EXPECT_FAILURE(sl_contingency_metric(table, SL_METRIC_THRESHOLD_SENSITIVITY, 0.1, &value, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_contingency_metric(table, SL_METRIC_F_BETA, 0.0, &value, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_contingency_metric(table, SL_NUM_METRICS, 0.0, &value, &expect_error), SL_ERROR_UNKNOWN_METRIC,
                   -1);
    expect_plain(table, labels, truth, 4);
    for (uint32_t e = 0; e < 3; e++) EXPECT_OK(sl_contingency_apply(table, events, e, &expect_error));
    EXPECT_OK(sl_contingency_apply(table, events, 0, &expect_error)); /* together already */
    assert_true(metric_of(table, SL_METRIC_ENTITY_COUNT) == 1.0);
    sl_merge_events_release(events);
    sl_hierarchy_release(h);
    sl_contingency_release(other);
    sl_contingency_release(table);
}

static void running_out_of_memory_is_an_error(void **state) {
    const uint32_t truth[] = {0, 0, 1, 2};
    uint64_t allocations = 0;
    sl_status status = SL_ERROR_MEMORY;
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    for (; status != SL_OK; allocations++) {
        sl_contingency *table = NULL;
        failing_memory_after(allocations);
        status = sl_contingency_create(truth, 4, 3, &table, &expect_error);
        failing_memory_after(FAILING_NEVER);
        assert_true(status == SL_OK ? table != NULL : status == SL_ERROR_MEMORY && !table);
        sl_contingency_release(table);
        assert_int_equal(sl_memory_in_use(), 0);
    }
    assert_true(allocations > 5);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(stepping_through_the_events_gives_the_curve),
        TEST(middling_graphs_give_the_curve),
        TEST(large_graphs_give_the_curve),
        TEST(any_merges_give_the_metrics_of_the_partition),
        TEST(a_table_started_anew_is_a_new_one),
        TEST(tables_without_records_have_metrics),
        TEST(bad_input_is_an_error_and_changes_nothing),
        TEST(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
