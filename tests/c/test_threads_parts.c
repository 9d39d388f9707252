/* test_threads_parts.c: lazily computed metrics asked by several threads at once, and calls of sl_parallel_for side by side and one
 * within another. Under the thread sanitizer. */
#include "support/expect.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/graphs.h"
#include "support/plain_hierarchy.h"

#define NUM_THREADS 4
#define NUM_CUTS 60

typedef struct stage {
    sl_lazy_metrics *lazy;
    double expected[NUM_CUTS];
    atomic_uint sum;
} stage;

static void run_together(void *(*work)(void *), stage *s) {
    pthread_t workers[NUM_THREADS];
    for (int i = 0; i < NUM_THREADS; i++) assert_int_equal(pthread_create(&workers[i], NULL, work, s), 0);
    for (int i = 0; i < NUM_THREADS; i++) {
        void *wrong = NULL;
        pthread_join(workers[i], &wrong);
        assert_null(wrong);
    }
}

static double threshold_of(uint32_t cut) { return (double)cut / NUM_CUTS; }

/* NULL if every answer is the one of a thread alone. */
static void *ask_for_all(void *state) {
    stage *s = state;
    uint64_t seed = atomic_fetch_add(&s->sum, 1);
    for (uint32_t i = 0; i < 3 * NUM_CUTS; i++) {
        uint32_t cut = graph_below(&seed, NUM_CUTS);
        sl_computation_stats stats;
        double value;
        if (sl_lazy_metrics_get(s->lazy, threshold_of(cut), SL_METRIC_ARI, 0, &value, NULL) != SL_OK) return state;
        if (value != s->expected[cut]) return state;
        sl_lazy_metrics_stats(s->lazy, &stats);
        if (stats.total != stats.cached + stats.incremental + stats.cuts) return state;
    }
    return NULL;
}

static void many_threads_ask_for_lazy_metrics(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 2000, 4000, 0, 6);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    stage s = {.lazy = NULL};
    (void)state;
    for (int round = 0; round < 2; round++) { /* the first alone */
        EXPECT_OK(sl_lazy_metrics_create(h, 0, g.truth, g.num_truth, &s.lazy, &expect_error));
        for (uint32_t cut = 0; round == 0 && cut < NUM_CUTS; cut++)
            EXPECT_OK(sl_lazy_metrics_get(s.lazy, threshold_of(cut), SL_METRIC_ARI, 0, &s.expected[cut], NULL));
        if (round == 1) run_together(ask_for_all, &s);
        sl_lazy_metrics_release(s.lazy);
    }
    sl_hierarchy_release(h);
    graph_free(&g);
    assert_int_equal(sl_memory_in_use(), 0);
}

static sl_status add_one(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    (void)lane, (void)error;
    atomic_fetch_add(&((stage *)state)->sum, 1);
    return task == 70 ? SL_ERROR_OVERLAP : SL_OK;
}

/* Every fifth task is a call of its own; some of those fail. */
static sl_status nest(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    if (task % 5) return add_one(state, 0, lane, error);
    return sl_parallel_for(20, NULL, add_one, state, NULL, NULL, error);
}

static void *call_often(void *state) {
    uint64_t costs[100];
    sl_error error;
    for (uint64_t i = 0; i < 100; i++) costs[i] = i * 7919 % 100;
    for (int round = 0; round < 20; round++) {
        if (sl_parallel_for(100, costs, add_one, state, NULL, NULL, &error) != SL_ERROR_OVERLAP) return state;
        if (sl_parallel_for(50, costs, nest, state, NULL, NULL, &error) != SL_OK) return state;
    }
    return NULL;
}

static void calls_side_by_side_and_within_each_other(void **state) {
    stage s = {.lazy = NULL};
    (void)state;
    sl_set_num_threads(3);
    run_together(call_often, &s);
    sl_set_num_threads(0);
    assert_true(s.sum >= NUM_THREADS * 20 * 240); /* of a call with a failure, tasks of lower numbers */
    assert_int_equal(sl_memory_in_use(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_ask_for_lazy_metrics),
        cmocka_unit_test(calls_side_by_side_and_within_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
