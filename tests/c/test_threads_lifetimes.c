/* test_threads_lifetimes.c: many threads ask one curve for the metrics of lifetimes, and its hierarchy for their means. */
#include "support/expect.h"

#include <pthread.h>

#include "support/graphs.h"
#include "support/plain_hierarchy.h"

#define NUM_THREADS 4

typedef struct answers {
    double *stability, *sensitivity;
    sl_lifetimes means;
} answers;

typedef struct stage {
    sl_hierarchy *hierarchy;
    sl_curve *curve;
    answers before; /* by one thread alone */
} stage;

static bool ask(const stage *s, answers *a) {
    uint64_t rows = sl_curve_length(s->curve);
    a->stability = fresh_memory(rows, sizeof(double));
    a->sensitivity = fresh_memory(rows, sizeof(double));
    return sl_curve_metric(s->curve, SL_METRIC_ENTITY_STABILITY, 0, a->stability, NULL) == SL_OK &&
           sl_curve_metric(s->curve, SL_METRIC_THRESHOLD_SENSITIVITY, 0.1, a->sensitivity, NULL) == SL_OK &&
           sl_hierarchy_lifetimes(s->hierarchy, 0, 0.1, &a->means, NULL) == SL_OK;
}

static void forget(answers *a) {
    free(a->stability);
    free(a->sensitivity);
}

/* NULL if all is as before. */
static void *ask_again(void *state) {
    const stage *s = state;
    answers now = {0};
    size_t size = sl_curve_length(s->curve) * sizeof(double);
    bool same = ask(s, &now) && memcmp(now.stability, s->before.stability, size) == 0 &&
                memcmp(now.sensitivity, s->before.sensitivity, size) == 0 &&
                memcmp(&now.means, &s->before.means, sizeof now.means) == 0;
    forget(&now);
    return same ? NULL : state;
}

static void one_curve_answers_many_threads(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 5000, 10000, 0, 6);
    stage s = {.hierarchy = plain_engine_build(&g, NULL)};
    pthread_t workers[NUM_THREADS];
    (void)state;
    EXPECT_OK(sl_curve_create(s.hierarchy, 0, NULL, &s.curve, &expect_error));
    assert_true(ask(&s, &s.before));
    for (int i = 0; i < NUM_THREADS; i++) assert_int_equal(pthread_create(&workers[i], NULL, ask_again, &s), 0);
    for (int i = 0; i < NUM_THREADS; i++) {
        void *wrong = NULL;
        pthread_join(workers[i], &wrong);
        assert_null(wrong);
    }
    forget(&s.before);
    sl_curve_release(s.curve);
    sl_hierarchy_release(s.hierarchy);
    graph_free(&g);
    assert_int_equal(sl_memory_in_use(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_curve_answers_many_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
