/* test_parallel_for.c: every task is run once, expensive ones first; which failure is told hangs on no thread; nested calls,
 * interrupts, running out of memory. */
#include "support/expect.h"

#include <stdatomic.h>
#include <time.h>

#include "support/failing_memory.h"
#include "support/graphs.h"

typedef struct tasks {
    atomic_uint runs[1000];
    atomic_uint lanes[256]; /* tasks at work on each */
    atomic_bool wrong;      /* a lane that is none, or that two tasks had at once */
    atomic_uint_fast64_t started;
    uint64_t order[1000];  /* by when they started */
    const bool *fails;     /* NULL: none */
    const uint64_t *costs; /* how long tasks take; NULL: not long */
} tasks;

/* Work in proportion to the cost. */
static void work_for(uint64_t cost) {
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < cost * 50; i++) sum = sum + i;
}

static sl_status run_one(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    tasks *t = state;
    if (lane >= sl_num_threads() || atomic_fetch_add(&t->lanes[lane], 1) != 0) atomic_store(&t->wrong, true);
    t->order[atomic_fetch_add(&t->started, 1)] = task;
    atomic_fetch_add(&t->runs[task], 1);
    work_for(t->costs ? t->costs[task] : 1);
    atomic_fetch_sub(&t->lanes[lane], 1);
    if (!t->fails || !t->fails[task]) return SL_OK;
    if (task % 2) return SL_ERROR_OVERLAP; /* does not say why */
    *error = (sl_error){.status = SL_ERROR_CORRUPT, .row = (int64_t)task, .other_row = 5, .message = "it is broken"};
    return SL_ERROR_CORRUPT;
}

static sl_status run_all(tasks *t, uint64_t count, const uint64_t *costs, sl_error *error) {
    memset(t->runs, 0, sizeof t->runs);
    atomic_store(&t->started, 0);
    sl_status status = sl_parallel_for(count, costs, run_one, t, "testing", NULL, error);
    assert_false(t->wrong);
    return status;
}

static void every_task_is_run_once(void **state) {
    static const uint64_t counts[] = {0, 1, 2, 3, 7, 255, 256, 1000};
    static tasks t;
    uint64_t costs[1000], seed = 3;
    (void)state;
    for (uint32_t threads = 1; threads <= 5; threads++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            for (int with_costs = 0; with_costs < 2; with_costs++) {
                for (uint64_t task = 0; task < counts[i]; task++) costs[task] = graph_below(&seed, 300);
                sl_set_num_threads(threads);
                t.costs = costs;
                EXPECT_OK(run_all(&t, counts[i], with_costs ? costs : NULL, &expect_error));
                for (uint64_t task = 0; task < 1000; task++) assert_int_equal(t.runs[task], task < counts[i]);
            }
}

/* On one thread the order in which tasks start is that in which they are claimed. */
static void expensive_tasks_come_first(void **state) {
    static tasks t;
    uint64_t costs[1000], seed = 3;
    (void)state;
    sl_set_num_threads(1);
    for (unsigned bits = 1; bits <= 64; bits += 9) {
        for (uint64_t task = 0; task < 1000; task++) costs[task] = graph_random(&seed) >> (64 - bits);
        EXPECT_OK(run_all(&t, 1000, costs, &expect_error));
        for (uint32_t i = 1; i < 1000; i++) {
            uint64_t before = t.order[i - 1], now = t.order[i];
            assert_true(costs[before] > costs[now] || (costs[before] == costs[now] && before < now));
        }
    }
    EXPECT_OK(run_all(&t, 1000, NULL, &expect_error));
    for (uint32_t i = 0; i < 1000; i++) assert_int_equal(t.order[i], i);
}

static void the_failure_of_the_lowest_task_is_told(void **state) {
    static tasks t;
    bool fails[1000] = {false};
    uint64_t costs[1000], seed = 8;
    (void)state;
    t.fails = fails;
    for (uint32_t round = 0; round < 60; round++) {
        uint64_t lowest = 1000;
        sl_set_num_threads(1 + round % 4);
        memset(fails, 0, sizeof fails);
        for (uint32_t i = 0; i < 1 + round % 7; i++) {
            uint64_t task = graph_below(&seed, 1000);
            fails[task] = true;
            lowest = task < lowest ? task : lowest;
        }
        for (uint64_t task = 0; task < 1000; task++) costs[task] = graph_below(&seed, 50);
        sl_status expected = lowest % 2 ? SL_ERROR_OVERLAP : SL_ERROR_CORRUPT;
        EXPECT_FAILURE(run_all(&t, 1000, round % 2 ? costs : NULL, &expect_error), expected,
                       lowest % 2 ? -1 : (int64_t)lowest);
        if (lowest % 2 == 0) assert_string_equal(expect_error.message, "it is broken");
        for (uint64_t task = 0; task <= lowest; task++) assert_int_equal(t.runs[task], 1);
        assert_int_equal(run_all(&t, 1000, costs, NULL), expected); /* no details wanted */
    }
}

/* ---- nested calls -------------------------------------------------------------------------------------------------- */

static sl_status count_one(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    (void)task, (void)lane, (void)error;
    atomic_fetch_add((atomic_uint *)state, 1);
    return SL_OK;
}

static sl_status refuse_seven(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    (void)state, (void)lane, (void)error;
    return task == 7 ? SL_ERROR_CAPACITY : SL_OK;
}

/* A call within a call, and a build within it. */
static sl_status nest(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    const uint32_t left[] = {0, 1}, right[] = {1, 2};
    const double scores[] = {0.5, 0.25};
    sl_hierarchy *h = NULL;
    (void)lane;
    sl_status status = sl_hierarchy_build(3, left, right, scores, 2, NULL, &h, error);
    sl_hierarchy_release(h);
    if (status != SL_OK) return status;
    if (task == 12) return sl_parallel_for(10, NULL, refuse_seven, NULL, NULL, NULL, error);
    return sl_parallel_for(10, NULL, count_one, state, NULL, NULL, error);
}

static void tasks_may_call_the_library(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        atomic_uint count = 0;
        sl_set_num_threads(threads);
        EXPECT_OK(sl_parallel_for(12, NULL, nest, &count, NULL, NULL, &expect_error));
        assert_int_equal(count, 120);
        EXPECT_FAILURE(sl_parallel_for(13, NULL, nest, &count, NULL, NULL, &expect_error), SL_ERROR_CAPACITY, -1);
        assert_non_null(strstr(expect_error.message, "task 7"));
    }
}

/* ---- interrupts and memory ----------------------------------------------------------------------------------------- */

typedef struct ticks {
    uint64_t calls, last, total;
    uint64_t stop_at; /* 0: never */
    const char *phase;
} ticks;

static int tick(void *state, const char *phase, uint64_t done, uint64_t total) {
    ticks *t = state;
    assert_true(done >= t->last && done <= total);
    t->calls++;
    t->last = done;
    t->total = total;
    t->phase = phase;
    return t->stop_at && t->calls >= t->stop_at;
}

static sl_status sleep_a_little(void *state, uint64_t task, uint32_t lane, sl_error *error) {
    const struct timespec pause = {.tv_nsec = 3000000};
    (void)task, (void)lane, (void)error;
    nanosleep(&pause, NULL);
    atomic_fetch_add((atomic_uint *)state, 1);
    return SL_OK;
}

static void a_long_call_is_told_of_and_can_be_stopped(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        atomic_uint count = 0;
        ticks t = {0};
        sl_progress progress = {tick, &t};
        sl_set_num_threads(threads);
        EXPECT_OK(sl_parallel_for(60, NULL, sleep_a_little, &count, "sleeping", &progress, &expect_error));
        assert_int_equal(count, 60);
        assert_true(t.calls > 0);
        assert_int_equal(t.total, 60);
        assert_string_equal(t.phase, "sleeping");
        count = 0;
        t = (ticks){.stop_at = 1};
        EXPECT_FAILURE(sl_parallel_for(1000, NULL, sleep_a_little, &count, "sleeping", &progress, &expect_error),
                       SL_ERROR_INTERRUPTED, -1);
        assert_true(count < 1000);
    }
}

static void running_out_of_memory_is_an_error(void **state) {
    const uint64_t costs[] = {1, 2, 3, 4};
    uint64_t allocations = 0;
    sl_status status = SL_ERROR_MEMORY;
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    for (; status != SL_OK; allocations++) {
        atomic_uint count = 0;
        failing_memory_after(allocations);
        status = sl_parallel_for(4, costs, count_one, &count, NULL, NULL, &expect_error);
        failing_memory_after(FAILING_NEVER);
        assert_int_equal(count, status == SL_OK ? 4 : 0);
        assert_true(status == SL_OK || status == SL_ERROR_MEMORY);
        assert_int_equal(sl_memory_in_use(), 0);
    }
    assert_int_equal(allocations, 3);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_task_is_run_once),
        TEST(expensive_tasks_come_first),
        TEST(the_failure_of_the_lowest_task_is_told),
        TEST(tasks_may_call_the_library),
        TEST(a_long_call_is_told_of_and_can_be_stopped),
        TEST(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
