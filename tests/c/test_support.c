/* test_support.c: what stands under everything: sorts, the thread pool, progress, memory accounting, error messages. */
#include "support/expect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/graphs.h"
#include "support/memory.h"
#include "support/pool.h"
#include "support/sort.h"

/* ---- sorts ------------------------------------------------------------------------------------------------------ */

static int ascending_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum { NUM_PATTERNS = 8 };

/* Values of the patterns that sorts are known to trip over. */
static uint64_t pattern_value(int pattern, uint64_t i, uint64_t count, uint64_t *state) {
    switch (pattern) {
    case 0: return graph_random(state);
    case 1: return i;
    case 2: return count - i;
    case 3: return 7;
    case 4: return graph_random(state) % 3;
    case 5: return i < count / 2 ? i : count - i;                      /* organ pipes */
    case 6: return graph_random(state) & UINT64_C(0x00FF0000FF0000FF); /* bytes in which all agree */
    default: return i % 2 ? UINT64_MAX - i : i;
    }
}

static void check_sorts(uint64_t count, int pattern) {
    uint64_t state = count * 31 + (uint64_t)pattern;
    uint64_t *wide = fresh_memory(count, sizeof *wide), *expected = fresh_memory(count, sizeof *wide);
    uint64_t *scratch = fresh_memory(count, sizeof *scratch);
    uint32_t *narrow = fresh_memory(count, sizeof *narrow), *radix = fresh_memory(count, sizeof *radix);
    for (uint64_t i = 0; i < count; i++) {
        wide[i] = pattern_value(pattern, i, count, &state);
        narrow[i] = radix[i] = (uint32_t)wide[i];
        expected[i] = wide[i];
    }
    qsort(expected, count, sizeof *expected, ascending_u64);
    sl_i_sort_u64(wide, scratch, count);
    assert_memory_equal(wide, expected, count * sizeof *wide);
    for (uint64_t i = 0; i < count; i++) expected[i] = narrow[i];
    qsort(expected, count, sizeof *expected, ascending_u64);
    sl_i_sort_u32(narrow, count);
    sl_i_radix_sort_u32(radix, (uint32_t *)(void *)scratch, count);
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(narrow[i], expected[i]);
        assert_int_equal(radix[i], expected[i]);
    }
    free(wide);
    free(expected);
    free(scratch);
    free(narrow);
    free(radix);
}

static void sorts_agree_with_qsort_on_every_pattern_and_size(void **state) {
    static const uint64_t sizes[] = {0, 1, 2, 3, 23, 24, 25, 26, 100, 257, 4096, 70000};
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int pattern = 0; pattern < NUM_PATTERNS; pattern++) check_sorts(sizes[s], pattern);
}

/* ---- the pool --------------------------------------------------------------------------------------------------- */

#define MAX_TASKS 5000u

typedef struct tally {
    atomic_uint runs[MAX_TASKS];
    atomic_uint inside[256]; /* by lane: a lane is one thread's at a time */
    uint32_t lanes;
    atomic_bool broken;
    uint32_t nested_tasks;
} tally;

static void count_nested(void *state, uint64_t task, uint32_t lane) {
    (void)task, (void)lane;
    atomic_fetch_add((atomic_uint *)state, 1);
}

static void count_run(void *state, uint64_t task, uint32_t lane) {
    tally *t = state;
    if (lane >= t->lanes || atomic_fetch_add(&t->inside[lane], 1) != 0) atomic_store(&t->broken, true);
    atomic_fetch_add(&t->runs[task], 1);
    if (t->nested_tasks > 0) {
        atomic_uint nested = 0;
        if (sl_i_parallel(t->nested_tasks, t->lanes, count_nested, &nested, NULL, 0, NULL) != SL_OK ||
            atomic_load(&nested) != t->nested_tasks)
            atomic_store(&t->broken, true);
    }
    atomic_fetch_sub(&t->inside[lane], 1);
}

static void run_tasks(uint64_t num_tasks, uint32_t lanes, uint32_t nested_tasks) {
    tally *t = fresh_memory(1, sizeof *t);
    t->lanes = lanes;
    t->nested_tasks = nested_tasks;
    EXPECT_OK(sl_i_parallel(num_tasks, lanes, count_run, t, NULL, 0, &expect_error));
    assert_false(atomic_load(&t->broken));
    for (uint64_t i = 0; i < MAX_TASKS; i++) assert_int_equal(atomic_load(&t->runs[i]), i < num_tasks);
    free(t);
}

static void pool_runs_every_task_once_and_a_lane_is_one_threads(void **state) {
    static const uint64_t num_tasks[] = {0, 1, 2, 3, 7, MAX_TASKS};
    (void)state;
    for (int round = 0; round < 50; round++)
        for (size_t t = 0; t < sizeof num_tasks / sizeof *num_tasks; t++)
            for (uint32_t lanes = 1; lanes <= 5; lanes++) run_tasks(num_tasks[t], lanes, 0);
}

static void pool_calls_within_calls_do_not_deadlock(void **state) {
    (void)state;
    run_tasks(100, 4, 20);
}

static void number_of_threads_follows_the_setting_then_the_environment(void **state) {
    const char *before = getenv("STARLINGS_NUM_THREADS");
    char *kept = before ? strdup(before) : NULL;
    (void)state;
    sl_set_num_threads(3);
    assert_int_equal(sl_num_threads(), 3);
    sl_set_num_threads(0);
    setenv("STARLINGS_NUM_THREADS", "5", 1);
    assert_int_equal(sl_num_threads(), 5);
    setenv("STARLINGS_NUM_THREADS", "five", 1);
    uint32_t processors = sl_num_threads();
    assert_true(processors >= 1);
    setenv("STARLINGS_NUM_THREADS", "0", 1);
    assert_int_equal(sl_num_threads(), processors);
    setenv("STARLINGS_NUM_THREADS", "-2", 1);
    assert_int_equal(sl_num_threads(), processors);
    sl_set_num_threads(UINT32_MAX); /* bounded, not a crash */
    assert_true(sl_num_threads() >= 1 && sl_num_threads() <= 4096);
    sl_set_num_threads(0);
    unsetenv("STARLINGS_NUM_THREADS");
    if (kept) setenv("STARLINGS_NUM_THREADS", kept, 1);
    free(kept);
}

/* In the child: 0 if a hierarchy of many windows can be built by two threads and is the parent's. */
static int build_in_child(const graph *g, const sl_hierarchy *expected) {
    sl_hierarchy *made = NULL;
    if (sl_hierarchy_build(g->num_records, g->left, g->right, g->scores, g->num_edges, NULL, &made, NULL) != SL_OK)
        return 1;
    int different = !sl_hierarchy_equal(made, expected);
    sl_hierarchy_release(made);
    return different;
}

static void a_forked_child_works_in_parallel_too(void **state) {
    graph g = graph_make(GRAPH_RANDOM, 50000, EXPECT_SIZE(400000, 200000), 1000, 5);
    sl_hierarchy *expected = NULL;
    (void)state;
    sl_set_num_threads(2);
    EXPECT_OK(
        sl_hierarchy_build(g.num_records, g.left, g.right, g.scores, g.num_edges, NULL, &expected, &expect_error));
    for (int round = 0; round < 3; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(60); /* a deadlock ends as a signal */
            _exit(build_in_child(&g, expected));
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    run_tasks(1000, 2, 0); /* and the parent goes on */
    sl_hierarchy_release(expected);
    sl_set_num_threads(0);
    graph_free(&g);
}

/* ---- progress --------------------------------------------------------------------------------------------------- */

typedef struct listener {
    uint64_t calls, stop_at; /* 0: never */
    uint64_t done, total;
    const char *phase;
    pthread_t thread;
    bool foreign;
} listener;

static int listen_to(void *state, const char *phase, uint64_t done, uint64_t total) {
    listener *l = state;
    l->foreign |= !pthread_equal(pthread_self(), l->thread);
    l->phase = phase;
    l->done = done;
    l->total = total;
    return ++l->calls == l->stop_at;
}

static void pause_ms(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void ticker_calls_back_about_every_twenty_milliseconds(void **state) {
    listener l = {.thread = pthread_self()};
    sl_progress progress = {listen_to, &l};
    (void)state;
    int64_t before = now_ms();
    sl_i_ticker ticker = sl_i_ticker_make(&progress);
    sl_i_ticker_begin(&ticker, "testing", 1000);
    EXPECT_OK(sl_i_ticker_advance(&ticker, 10, &expect_error));
    if (now_ms() - before < 19) assert_int_equal(l.calls, 0); /* too early, unless the machine was busy elsewhere */
    l.calls = 0;
    pause_ms(25);
    EXPECT_OK(sl_i_ticker_advance(&ticker, 20, &expect_error));
    assert_int_equal(l.calls, 1);
    assert_string_equal(l.phase, "testing");
    assert_int_equal(l.done, 30);
    assert_int_equal(l.total, 1000);
    pause_ms(25);
    EXPECT_OK(sl_i_ticker_advance(&ticker, 5000, &expect_error));
    assert_int_equal(l.done, 1000); /* never beyond the total */
}

static void a_stopped_ticker_stays_stopped_and_asks_no_more(void **state) {
    listener l = {.stop_at = 1, .thread = pthread_self()};
    sl_progress progress = {listen_to, &l};
    (void)state;
    sl_i_ticker ticker = sl_i_ticker_make(&progress);
    sl_i_ticker_begin(&ticker, "testing", 10);
    pause_ms(25);
    EXPECT_FAILURE(sl_i_ticker_advance(&ticker, 1, &expect_error), SL_ERROR_INTERRUPTED, -1);
    EXPECT_FAILURE(sl_i_ticker_advance(&ticker, 1, &expect_error), SL_ERROR_INTERRUPTED, -1);
    sl_i_ticker_begin(&ticker, "the next phase", 10);
    EXPECT_FAILURE(sl_i_ticker_advance(&ticker, 1, &expect_error), SL_ERROR_INTERRUPTED, -1);
    assert_int_equal(l.calls, 1);
}

static void parts_of_a_ticker_count_for_it_and_stop_with_it(void **state) {
    listener l = {.stop_at = 2, .thread = pthread_self()};
    sl_progress progress = {listen_to, &l};
    (void)state;
    sl_i_ticker whole = sl_i_ticker_make(&progress);
    sl_i_ticker_begin(&whole, "testing", 100);
    sl_i_ticker here = sl_i_ticker_part(&whole, 0), there = sl_i_ticker_part(&whole, 3);
    sl_i_ticker_begin(&there, "a phase of its own", 7); /* nobody sees it */
    pause_ms(25);
    EXPECT_OK(sl_i_ticker_advance(&there, 20, &expect_error));
    assert_int_equal(l.calls, 0); /* another thread's */
    EXPECT_OK(sl_i_ticker_advance(&here, 5, &expect_error));
    assert_true(l.calls == 1 && l.done == 25 && l.total == 100);
    assert_string_equal(l.phase, "testing");
    assert_false(sl_i_ticker_poll(&there, 3, 200));
    pause_ms(25);
    EXPECT_FAILURE(sl_i_ticker_advance(&here, 0, &expect_error), SL_ERROR_INTERRUPTED, -1);
    assert_true(l.calls == 2 && l.done == 100); /* never beyond the total */
    EXPECT_FAILURE(sl_i_ticker_advance(&there, 1, &expect_error), SL_ERROR_INTERRUPTED, -1);
    assert_true(sl_i_ticker_poll(&there, 3, 1) && sl_i_ticker_poll(&here, 0, 1));
    assert_int_equal(l.calls, 2);
}

static void no_progress_and_no_callback_are_fine(void **state) {
    sl_progress silent = {NULL, NULL};
    (void)state;
    for (int i = 0; i < 2; i++) {
        sl_i_ticker ticker = sl_i_ticker_make(i == 0 ? NULL : &silent);
        sl_i_ticker_begin(&ticker, "testing", 10);
        EXPECT_OK(sl_i_ticker_advance(&ticker, 10, &expect_error));
    }
}

static void sleep_a_little(void *state, uint64_t task, uint32_t lane) {
    (void)task, (void)lane;
    pause_ms(5);
    atomic_fetch_add((atomic_uint *)state, 1);
}

static void an_interrupt_stops_parallel_work_on_all_threads(void **state) {
    listener l = {.stop_at = 1, .thread = pthread_self()};
    sl_progress progress = {listen_to, &l};
    atomic_uint run = 0;
    (void)state;
    sl_i_ticker ticker = sl_i_ticker_make(&progress);
    sl_i_ticker_begin(&ticker, "testing", 1000);
    EXPECT_FAILURE(sl_i_parallel(1000, 3, sleep_a_little, &run, &ticker, 1, &expect_error), SL_ERROR_INTERRUPTED, -1);
    assert_true(atomic_load(&run) < 500);
    assert_false(l.foreign); /* always on the calling thread */
    unsigned then = atomic_load(&run);
    pause_ms(30);
    assert_int_equal(atomic_load(&run), then); /* none is running any more */
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void memory_is_counted_and_given_back(void **state) {
    uint32_t *a = NULL, *b = NULL;
    (void)state;
    assert_int_equal(sl_memory_in_use(), 0);
    EXPECT_OK(sl_i_allocate(&a, 100, sizeof *a, "a test", &expect_error));
    assert_int_equal(sl_memory_in_use(), 400);
    assert_int_equal((uintptr_t)a % 64, 0);
    EXPECT_OK(sl_i_allocate_zeroed(&b, 1000000, sizeof *b, "a test", &expect_error));
    assert_int_equal(sl_memory_in_use(), 4000400);
    assert_int_equal(b[0] | b[999999], 0);
    sl_i_release(b, 1000000, sizeof *b);
    sl_i_release(a, 100, sizeof *a);
    sl_i_release(NULL, 100, 4);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void no_elements_are_a_valid_block(void **state) {
    uint32_t *a = NULL;
    (void)state;
    EXPECT_OK(sl_i_allocate(&a, 0, sizeof *a, "a test", &expect_error));
    assert_non_null(a);
    sl_i_release(a, 0, sizeof *a);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void sizes_that_overflow_are_out_of_memory(void **state) {
    void *a = &a;
    (void)state;
    EXPECT_FAILURE(sl_i_allocate(&a, UINT64_MAX / 2, 4, "a test", &expect_error), SL_ERROR_MEMORY, -1);
    assert_null(a);
    EXPECT_FAILURE(sl_i_allocate(&a, UINT64_MAX, 1, "a test", &expect_error), SL_ERROR_MEMORY, -1);
    EXPECT_FAILURE(sl_i_allocate_zeroed(&a, UINT64_MAX / 8, 16, "a test", &expect_error), SL_ERROR_MEMORY, -1);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void growing_and_shrinking_keep_the_contents(void **state) {
    uint32_t *a = NULL;
    uint64_t count = 10;
    (void)state;
    EXPECT_OK(sl_i_grow(&a, 0, count, sizeof *a, "a test", &expect_error));
    for (uint32_t i = 0; i < 10; i++) a[i] = i * i;
    EXPECT_OK(sl_i_grow(&a, count, 1000, sizeof *a, "a test", &expect_error));
    count = 1000;
    for (uint32_t i = 0; i < 10; i++) assert_int_equal(a[i], i * i);
    uint32_t *before = a;
    EXPECT_FAILURE(sl_i_grow(&a, count, UINT64_MAX / 2, sizeof *a, "a test", &expect_error), SL_ERROR_MEMORY, -1);
    assert_ptr_equal(a, before);
    sl_i_shrink(&a, &count, 5, sizeof *a);
    assert_int_equal(count, 5);
    assert_int_equal(sl_memory_in_use(), 20);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(a[i], i * i);
    sl_i_shrink(&a, &count, 50, sizeof *a); /* never grows */
    assert_int_equal(count, 5);
    sl_i_release(a, count, sizeof *a);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void *allocate_nothing(void *state, size_t size) {
    (void)state, (void)size;
    return NULL;
}
static void release_nothing(void *state, void *memory, size_t size) { (void)state, (void)memory, (void)size; }

static void the_allocator_changes_only_while_nothing_is_held(void **state) {
    const sl_allocator none = {allocate_nothing, release_nothing, NULL}, half = {allocate_nothing, NULL, NULL};
    uint32_t *a = NULL;
    (void)state;
    EXPECT_OK(sl_i_allocate(&a, 1, sizeof *a, "a test", &expect_error));
    EXPECT_FAILURE(sl_set_allocator(&none, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    sl_i_release(a, 1, sizeof *a);
    EXPECT_FAILURE(sl_set_allocator(&half, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_OK(sl_set_allocator(&none, &expect_error));
    EXPECT_FAILURE(sl_i_allocate(&a, 1, sizeof *a, "a test", &expect_error), SL_ERROR_MEMORY, -1);
    assert_non_null(strstr(expect_error.message, "a test"));
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    EXPECT_OK(sl_i_allocate(&a, 1, sizeof *a, "a test", &expect_error));
    sl_i_release(a, 1, sizeof *a);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static bool is_whole_utf8(const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        int more = *p < 0x80 ? 0 : *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : *p >= 0xC0 ? 1 : -1;
        if (more < 0) return false;
        for (p++; more > 0; more--, p++)
            if ((*p & 0xC0) != 0x80) return false;
    }
    return true;
}

static void long_messages_are_cut_between_characters(void **state) {
    static const char *const characters[] = {"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xA6"};
    char text[2048];
    sl_error error;
    (void)state;
    for (size_t c = 0; c < 4; c++)
        for (size_t lead = 0; lead < 5; lead++) {
            size_t length = lead, step = strlen(characters[c]);
            memset(text, 'a', lead);
            for (; length + step < sizeof text; length += step) memcpy(text + length, characters[c], step);
            text[length] = '\0';
            assert_int_equal(sl_i_fail(&error, SL_ERROR_SYSTEM, "%s", text), SL_ERROR_SYSTEM);
            assert_true(is_whole_utf8(error.message));
            size_t kept = strlen(error.message);
            assert_true(kept <= 511 && kept > 511 - step);
            assert_memory_equal(error.message, text, kept);
        }
}

static void messages_that_just_fit_are_whole(void **state) {
    char text[512];
    sl_error error;
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + 508, "\xE2\x82\xAC", 4); /* 511 bytes, the last three one character */
    (void)sl_i_fail(&error, SL_ERROR_SYSTEM, "%s", text);
    assert_string_equal(error.message, text);
}

static void errors_carry_rows_and_may_be_omitted(void **state) {
    sl_error error;
    (void)state;
    assert_int_equal(sl_i_fail(NULL, SL_ERROR_SYSTEM, "%d", 1), SL_ERROR_SYSTEM);
    assert_int_equal(sl_i_fail_row(&error, SL_ERROR_OVERLAP, 7, 3, "row %d", 7), SL_ERROR_OVERLAP);
    assert_int_equal(error.row, 7);
    assert_int_equal(error.other_row, 3);
    assert_string_equal(error.message, "row 7");
    (void)sl_i_fail(&error, SL_ERROR_SYSTEM, "none");
    assert_int_equal(error.row, -1);
    assert_int_equal(error.other_row, -1);
}

static void every_status_has_its_own_name(void **state) {
    (void)state;
    for (int a = SL_OK; a <= SL_ERROR_SYSTEM; a++)
        for (int b = SL_OK; b < a; b++)
            assert_string_not_equal(sl_status_name((sl_status)a), sl_status_name((sl_status)b));
    assert_string_equal(sl_status_name((sl_status)99), "unknown status");
}

static void the_version_is_the_headers(void **state) {
    char text[32];
    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", SL_VERSION_MAJOR, SL_VERSION_MINOR, SL_VERSION_PATCH);
    assert_string_equal(sl_version(), text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_agree_with_qsort_on_every_pattern_and_size),
        cmocka_unit_test(pool_runs_every_task_once_and_a_lane_is_one_threads),
        cmocka_unit_test(pool_calls_within_calls_do_not_deadlock),
        cmocka_unit_test(number_of_threads_follows_the_setting_then_the_environment),
        cmocka_unit_test(a_forked_child_works_in_parallel_too),
        cmocka_unit_test(ticker_calls_back_about_every_twenty_milliseconds),
        cmocka_unit_test(a_stopped_ticker_stays_stopped_and_asks_no_more),
        cmocka_unit_test(parts_of_a_ticker_count_for_it_and_stop_with_it),
        cmocka_unit_test(no_progress_and_no_callback_are_fine),
        cmocka_unit_test(an_interrupt_stops_parallel_work_on_all_threads),
        cmocka_unit_test(memory_is_counted_and_given_back),
        cmocka_unit_test(no_elements_are_a_valid_block),
        cmocka_unit_test(sizes_that_overflow_are_out_of_memory),
        cmocka_unit_test(growing_and_shrinking_keep_the_contents),
        cmocka_unit_test(the_allocator_changes_only_while_nothing_is_held),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(messages_that_just_fit_are_whole),
        cmocka_unit_test(errors_carry_rows_and_may_be_omitted),
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(the_version_is_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
