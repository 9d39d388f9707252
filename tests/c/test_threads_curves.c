/* test_threads_curves.c: comparisons on several threads that share reference cuts; several callers at once; a stop that reaches
 * passes on other threads. Run under the thread sanitizer. */
#include "support/expect.h"

#include <pthread.h>

#include "support/graphs.h"
#include "support/plain_hierarchy.h"

#define NUM_CALLERS 3
#define NUM_COMPARISONS 12

typedef struct stage {
    graph graphs[2];
    sl_hierarchy *hierarchies[2];
    sl_comparison comparisons[NUM_COMPARISONS];
    double f1[NUM_COMPARISONS]; /* at the lowest threshold, by one thread alone */
} stage;

static bool measure(const stage *s, const sl_progress *progress, double *f1) {
    sl_curve *curves[NUM_COMPARISONS];
    if (sl_curves_create(s->comparisons, NUM_COMPARISONS, curves, progress, NULL) != SL_OK) return false;
    bool good = true;
    for (uint32_t i = 0; i < NUM_COMPARISONS; i++) {
        double *values = fresh_memory(sl_curve_length(curves[i]), sizeof *values);
        good = good && sl_curve_metric(curves[i], SL_METRIC_F1, 0, values, NULL) == SL_OK;
        f1[i] = values[0];
        free(values);
        sl_curve_release(curves[i]);
    }
    return good;
}

/* Four reference cuts, each met three times. */
static stage *stage_make(uint32_t num_records) {
    stage *s = fresh_memory(1, sizeof *s);
    for (uint32_t i = 0; i < 2; i++) {
        s->graphs[i] = graph_make(GRAPH_CLUSTERS, num_records, num_records, 50, 11 + i);
        s->hierarchies[i] = plain_engine_build(&s->graphs[i], NULL);
    }
    for (uint32_t i = 0; i < NUM_COMPARISONS; i++)
        s->comparisons[i] = (sl_comparison){.hierarchy = s->hierarchies[i % 2],
                                            .reference = s->hierarchies[i / 2 % 2],
                                            .reference_threshold = i % 4 < 2 ? 0.25 : 0.75};
    sl_set_num_threads(1);
    assert_true(measure(s, NULL, s->f1));
    sl_set_num_threads(4);
    return s;
}

static void stage_free(stage *s) {
    for (uint32_t i = 0; i < 2; i++) {
        sl_hierarchy_release(s->hierarchies[i]);
        graph_free(&s->graphs[i]);
    }
    free(s);
}

/* NULL if all is as by one thread alone. */
static void *measure_again(void *state) {
    const stage *s = state;
    double f1[NUM_COMPARISONS];
    return measure(s, NULL, f1) && memcmp(f1, s->f1, sizeof f1) == 0 ? NULL : state;
}

static void callers_do_not_disturb_each_other(void **state) {
    stage *s = stage_make(3000);
    pthread_t callers[NUM_CALLERS];
    (void)state;
    for (uint32_t round = 0; round < 5; round++) assert_null(measure_again(s));
    for (int i = 0; i < NUM_CALLERS; i++) assert_int_equal(pthread_create(&callers[i], NULL, measure_again, s), 0);
    for (int i = 0; i < NUM_CALLERS; i++) {
        void *wrong = NULL;
        pthread_join(callers[i], &wrong);
        assert_null(wrong);
    }
    stage_free(s);
}

static int stop_now(void *state, const char *phase, uint64_t done, uint64_t total) {
    (void)phase, (void)done, (void)total;
    return ++*(uint32_t *)state > 0;
}

static void a_stop_reaches_every_thread(void **state) {
    stage *s = stage_make(EXPECT_SIZE(400000, 100000));
    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t calls = 0;
        const sl_progress progress = {stop_now, &calls};
        double f1[NUM_COMPARISONS];
        uint64_t held = sl_memory_in_use();
        assert_false(measure(s, &progress, f1));
        assert_int_equal(calls, 1);
        assert_int_equal(sl_memory_in_use(), held); /* every thread has given its own back */
    }
    stage_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(callers_do_not_disturb_each_other),
        TEST(a_stop_reaches_every_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
