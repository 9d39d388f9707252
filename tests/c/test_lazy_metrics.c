/* test_lazy_metrics.c: metrics computed when asked for, in any order of thresholds, against curves of one point; what counts as
 * computed, stepped on to and found; errors; running out of memory; a forked child. */
#include "support/expect.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/plain_metrics.h"

static sl_lazy_metrics *lazy_of(const sl_hierarchy *h, uint32_t n, const uint32_t *truth, uint32_t num_truth) {
    sl_lazy_metrics *lazy = NULL;
    EXPECT_OK(sl_lazy_metrics_create(h, n, truth, num_truth, &lazy, &expect_error));
    assert_non_null(lazy);
    return lazy;
}

static double ask(sl_lazy_metrics *lazy, double threshold, sl_metric metric) {
    double value = NAN;
    EXPECT_OK(sl_lazy_metrics_get(lazy, threshold, metric, plain_parameter(metric), &value, &expect_error));
    return value;
}

static sl_computation_stats stats_of(const sl_lazy_metrics *lazy) {
    sl_computation_stats stats;
    sl_lazy_metrics_stats(lazy, &stats);
    return stats;
}

/* The metric at one point, as a curve gives it. */
static double point(const sl_hierarchy *h, uint32_t n, const uint32_t *truth, uint32_t num_truth, double threshold,
                    sl_metric metric) {
    sl_curve_options options = {
        .reference_labels = truth, .num_reference_labels = num_truth, .thresholds = &threshold, .num_thresholds = 1};
    sl_curve *curve = NULL;
    double value;
    EXPECT_OK(sl_curve_create(h, n, &options, &curve, &expect_error));
    EXPECT_OK(sl_curve_metric(curve, metric, plain_parameter(metric), &value, &expect_error));
    sl_curve_release(curve);
    return value;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static void check_graph(const graph *g, bool exact, uint32_t extra, uint64_t seed) {
    sl_build_options build = {.exact = exact};
    sl_hierarchy *h = plain_engine_build(g, &build);
    uint32_t n = g->num_records + extra, num_truth = g->num_truth + 2;
    uint32_t *truth = fresh_memory(n, sizeof *truth);
    for (uint32_t i = 0; i < n; i++) truth[i] = i < g->num_records ? g->truth[i] : graph_below(&seed, num_truth);
    sl_lazy_metrics *lazy = lazy_of(h, n, truth, num_truth);
    for (int i = 0; i < 40; i++) {
        uint32_t k = sl_hierarchy_num_levels(h), kind = graph_below(&seed, 4);
        double level = k > 0 ? sl_hierarchy_levels(h)[graph_below(&seed, k)] : 0.5;
        double threshold = kind == 0 ? graph_fraction(&seed) : kind == 1 ? (double)(i % 2) : level;
        sl_metric metric = (sl_metric)graph_below(&seed, SL_NUM_METRICS);
        double value = ask(lazy, threshold, metric), expected = point(h, n, truth, num_truth, threshold, metric);
        if (!(fabs(value - expected) <= (sl_metric_is_count(metric) ? 0.0 : 1e-9)))
            fail_msg("%s at %.17g is %.17g, not %.17g", sl_metric_name(metric), threshold, value, expected);
    }
    sl_computation_stats stats = stats_of(lazy);
    assert_int_equal(stats.total, 40);
    assert_int_equal(stats.total, stats.cached + stats.incremental + stats.cuts);
    sl_lazy_metrics_release(lazy);
    sl_hierarchy_release(h);
    free(truth);
}

static void thresholds_in_any_order_give_the_curves_values(void **state) {
    (void)state;
    for (uint64_t number = 0; number < (uint64_t)EXPECT_SIZE(260, 65); number++) {
        graph g = graph_small(number);
        if (g.num_records > 0) check_graph(&g, number % 2 == 0, number % 3 == 0 ? 4 : 0, number);
        graph_free(&g);
    }
    graph g = graph_make(GRAPH_CLUSTERS, 5000, 9000, 0, 4);
    check_graph(&g, true, 10, 77);
    graph_free(&g);
}

static void hierarchies_without_records_or_merges_have_metrics(void **state) {
    const uint32_t truth[] = {0, 0, 1};
    sl_hierarchy *h = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(0, NULL, NULL, NULL, 0, NULL, &h, &expect_error));
    sl_lazy_metrics *lazy = lazy_of(h, 0, NULL, 0);
    assert_true(ask(lazy, 0.5, SL_METRIC_F1) == 1.0);
    assert_true(ask(lazy, 0.5, SL_METRIC_ENTITY_STABILITY) == 1.0);
    sl_lazy_metrics_release(lazy);
    lazy = lazy_of(h, 3, truth, 2);
    assert_true(ask(lazy, 0.5, SL_METRIC_RECALL) == 0.0);
    assert_true(ask(lazy, 0.0, SL_METRIC_SINGLETONS) == 3.0);
    sl_lazy_metrics_release(lazy);
    sl_lazy_metrics_release(NULL);
    sl_hierarchy_release(h);
}

/* ---- what was computed --------------------------------------------------------------------------------------------- */

static void expect_stats(const sl_lazy_metrics *lazy, uint64_t cuts, uint64_t incremental, uint64_t cached) {
    sl_computation_stats stats = stats_of(lazy);
    assert_int_equal(stats.cuts, cuts);
    assert_int_equal(stats.incremental, incremental);
    assert_int_equal(stats.cached, cached);
    assert_int_equal(stats.total, cuts + incremental + cached);
    assert_true(stats.cut_seconds <= stats.seconds);
    assert_true(stats.seconds_one_by_one >= stats.seconds);
}

static void each_partition_is_computed_once(void **state) {
    graph g = graph_make(GRAPH_CHAIN_DESCENDING, 11, 0, 0, 1); /* scores 0.9, 0.8, ..., 0.0 */
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_lazy_metrics *lazy = lazy_of(h, 0, g.truth, g.num_truth);
    (void)state;
    expect_stats(lazy, 0, 0, 0);
    ask(lazy, 0.85, SL_METRIC_F1);
    expect_stats(lazy, 1, 0, 0);
    ask(lazy, 0.55, SL_METRIC_F1); /* lower: stepped on */
    expect_stats(lazy, 1, 1, 0);
    ask(lazy, 0.55, SL_METRIC_BCUBED_F1); /* another metric of the same partition */
    ask(lazy, 0.51, SL_METRIC_F1);        /* another threshold with it */
    ask(lazy, 0.85, SL_METRIC_NMI);       /* higher, but known */
    expect_stats(lazy, 1, 1, 3);
    ask(lazy, 0.25, SL_METRIC_F1); /* the table is still at 0.55 */
    expect_stats(lazy, 1, 2, 3);
    ask(lazy, 0.75, SL_METRIC_F1); /* higher and not known: from the start */
    expect_stats(lazy, 2, 2, 3);
    ask(lazy, 0.65, SL_METRIC_F1);
    ask(lazy, 0.25, SL_METRIC_ARI);
    expect_stats(lazy, 2, 3, 4);
    ask(lazy, 0.25, SL_METRIC_ENTITY_STABILITY); /* a pass of its own */
    expect_stats(lazy, 3, 3, 4);
    sl_lazy_metrics_release(lazy);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- errors -------------------------------------------------------------------------------------------------------- */

static void bad_requests_are_refused(void **state) {
    const uint32_t wrong[] = {0, 1, 2, 9, 0};
    const double bad[] = {NAN, INFINITY, -0.1, 1.1};
    graph g = graph_make(GRAPH_RANDOM, 5, 8, 10, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_lazy_metrics *lazy = NULL;
    double value = 3;
    (void)state;
    EXPECT_FAILURE(sl_lazy_metrics_create(h, 0, wrong, 3, &lazy, &expect_error), SL_ERROR_INVALID_ARGUMENT, 3);
    assert_null(lazy);
    EXPECT_FAILURE(sl_lazy_metrics_create(h, 4, g.truth, 3, &lazy, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(lazy);
    lazy = lazy_of(h, 0, g.truth, g.num_truth);
    for (size_t i = 0; i < 4; i++) {
        EXPECT_FAILURE(sl_lazy_metrics_get(lazy, bad[i], SL_METRIC_F1, 0, &value, &expect_error),
                       SL_ERROR_INVALID_THRESHOLD, -1);
        assert_true(value == 0.0);
    }
    EXPECT_FAILURE(sl_lazy_metrics_get(lazy, 0.5, SL_METRIC_F_BETA, 0, &value, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_lazy_metrics_get(lazy, 0.5, SL_METRIC_THRESHOLD_SENSITIVITY, 2, &value, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_lazy_metrics_get(lazy, 0.5, SL_NUM_METRICS, 0, &value, &expect_error), SL_ERROR_UNKNOWN_METRIC,
                   -1);
    assert_int_equal(stats_of(lazy).total, 0);
    sl_lazy_metrics_release(lazy);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* Twenty thresholds, up and down; NULL at the first failure. */
static sl_lazy_metrics *ask_around(const sl_hierarchy *h, const graph *g, double *values) {
    sl_lazy_metrics *lazy = NULL;
    sl_status status = sl_lazy_metrics_create(h, 0, g->truth, g->num_truth, &lazy, &expect_error);
    for (int i = 0; status == SL_OK && i < 20; i++)
        status = sl_lazy_metrics_get(lazy, (double)(i * 7 % 20) / 20, i % 9 ? SL_METRIC_F1 : SL_METRIC_ENTITY_STABILITY,
                                     0, &values[i], &expect_error);
    if (status == SL_OK) return lazy;
    assert_int_equal(status, SL_ERROR_MEMORY);
    sl_lazy_metrics_release(lazy);
    return NULL;
}

static void running_out_of_memory_is_an_error(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 60, 90, 20, 2);
    double expected[20], values[20];
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    uint64_t held = sl_memory_in_use(), allocations = 0;
    sl_lazy_metrics_release(ask_around(h, &g, expected));
    for (bool done = false; !done; allocations++) {
        failing_memory_after(allocations);
        sl_lazy_metrics *lazy = ask_around(h, &g, values);
        failing_memory_after(FAILING_NEVER);
        done = lazy != NULL;
        sl_lazy_metrics_release(lazy);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_true(allocations > 12);
    assert_memory_equal(values, expected, sizeof values);
    sl_hierarchy_release(h);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

/* A failed request leaves what was kept, and can be made again. */
static void a_request_can_be_repeated_after_a_failure(void **state) {
    graph g = graph_make(GRAPH_CHAIN_DESCENDING, 60, 0, 0, 2);
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_lazy_metrics *lazy = lazy_of(h, 0, g.truth, g.num_truth);
    for (int i = 0; i < 50; i++) {
        double value, threshold = (double)(i * 17 % 50) / 50;
        failing_memory_after(0);
        sl_status status = sl_lazy_metrics_get(lazy, threshold, SL_METRIC_ARI, 0, &value, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status != SL_OK) assert_int_equal(status, SL_ERROR_MEMORY);
        value = ask(lazy, threshold, SL_METRIC_ARI);
        assert_true(value == point(h, 0, g.truth, g.num_truth, threshold, SL_METRIC_ARI));
    }
    sl_lazy_metrics_release(lazy);
    sl_hierarchy_release(h);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

static void a_forked_child_goes_on(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 300, 500, 20, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_lazy_metrics *lazy = lazy_of(h, 0, g.truth, g.num_truth);
    int how = -1;
    (void)state;
    ask(lazy, 0.8, SL_METRIC_F1);
    double expected = point(h, 0, g.truth, g.num_truth, 0.4, SL_METRIC_F1), value = NAN;
    pid_t child = fork();
    if (child == 0) {
        sl_status status = sl_lazy_metrics_get(lazy, 0.4, SL_METRIC_F1, 0, &value, NULL);
        _exit(status == SL_OK && value == expected ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_true(ask(lazy, 0.4, SL_METRIC_F1) == expected);
    sl_lazy_metrics_release(lazy);
    sl_hierarchy_release(h);
    graph_free(&g);
}

typedef struct busy {
    sl_lazy_metrics *lazy;
    atomic_bool stop;
} busy;

/* Ever new thresholds, each above the one before: the table starts anew for each. */
static void *keep_asking(void *state) {
    busy *b = state;
    double value;
    for (uint32_t i = 1; !atomic_load(&b->stop); i++)
        if (sl_lazy_metrics_get(b->lazy, (i % 9973) / 9973.0, SL_METRIC_F1, 0, &value, NULL) != SL_OK) return state;
    return NULL;
}

/* In the child: the right answer, or an error that says why there is none; never a wait for a thread that is not there. */
static int ask_in_child(sl_lazy_metrics *lazy, double expected) {
    sl_error error;
    double value;
    alarm(60);
    sl_status status = sl_lazy_metrics_get(lazy, 0.37, SL_METRIC_F1, 0, &value, &error);
    if (status == SL_OK) return value == expected ? 0 : 1;
    return status == SL_ERROR_SYSTEM && strstr(error.message, "make them anew") ? 0 : 2;
}

static void a_child_forked_amid_a_computation_is_told(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, EXPECT_SIZE(30000, 3000), EXPECT_SIZE(50000, 5000), 0, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    busy b = {.lazy = lazy_of(h, 0, g.truth, g.num_truth)};
    double expected = point(h, 0, g.truth, g.num_truth, 0.37, SL_METRIC_F1);
    pthread_t worker;
    void *wrong = NULL;
    (void)state;
    assert_int_equal(pthread_create(&worker, NULL, keep_asking, &b), 0);
    for (int i = 0; i < 10; i++) {
        const struct timespec pause = {.tv_nsec = 3000000 + i * 1000000};
        int how = -1;
        nanosleep(&pause, NULL);
        pid_t child = fork();
        if (child == 0) _exit(ask_in_child(b.lazy, expected));
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    }
    atomic_store(&b.stop, true);
    pthread_join(worker, &wrong);
    assert_null(wrong);
    assert_true(ask(b.lazy, 0.37, SL_METRIC_F1) == expected);
    sl_lazy_metrics_release(b.lazy);
    sl_hierarchy_release(h);
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(thresholds_in_any_order_give_the_curves_values),
        TEST(hierarchies_without_records_or_merges_have_metrics),
        TEST(each_partition_is_computed_once),
        TEST(bad_requests_are_refused),
        TEST(running_out_of_memory_is_an_error),
        TEST(a_request_can_be_repeated_after_a_failure),
        TEST(a_forked_child_goes_on),
        TEST(a_child_forked_amid_a_computation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
