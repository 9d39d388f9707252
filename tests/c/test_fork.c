/* test_fork.c: what a forked child finds of locks that another thread held: it never waits for a thread that is not there. */
#include "support/expect.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "records/context.h"
#include "support/fork_lock.h"

typedef enum held { READING, WRITING } held;

typedef struct holder {
    sl_i_fork_lock *lock;
    sl_frame *frame;
    held how;
    atomic_bool is_held, let_go;
} holder;

static void *hold(void *state) {
    holder *h = state;
    bool locked = h->how == READING ? sl_i_fork_lock_read(h->lock) : sl_i_fork_lock_write(h->lock);
    assert_true(locked);
    atomic_store(&h->is_held, true);
    while (!atomic_load(&h->let_go)) usleep(100);
    if (h->how == READING)
        sl_i_fork_lock_end_read(h->lock);
    else
        sl_i_fork_lock_end_write(h->lock);
    return NULL;
}

/* What a child says by its exit: 0 if it could do `work`. It is killed if that takes too long. */
static int in_child(int (*work)(void *), void *state) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(work(state));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int read_and_write(void *state) {
    sl_i_fork_lock *lock = state;
    if (!sl_i_fork_lock_read(lock)) return 1;
    sl_i_fork_lock_end_read(lock);
    if (!sl_i_fork_lock_write(lock)) return 2;
    sl_i_fork_lock_end_write(lock);
    return 0;
}

/* The same in a child of the child, while the child itself holds the lock for reading in its one thread. */
static int fork_again(void *state) {
    sl_i_fork_lock *lock = state;
    if (!sl_i_fork_lock_read(lock)) return 1;
    return in_child(read_and_write, lock);
}

static int fork_beside(held how, int (*work)(void *)) {
    sl_i_fork_lock lock;
    pthread_t thread;
    EXPECT_OK(sl_i_fork_lock_make(&lock, "a test", &expect_error));
    holder h = {.lock = &lock, .how = how};
    assert_int_equal(pthread_create(&thread, NULL, hold, &h), 0);
    while (!atomic_load(&h.is_held)) usleep(100);
    int result = in_child(work, &lock);
    atomic_store(&h.let_go, true);
    pthread_join(thread, NULL);
    assert_int_equal(read_and_write(&lock), 0); /* nothing has changed for the parent */
    sl_i_fork_lock_free(&lock);
    return result;
}

static void readers_that_are_gone_are_no_matter(void **state) {
    (void)state;
    assert_int_equal(fork_beside(READING, read_and_write), 0);
    assert_int_equal(fork_beside(READING, fork_again), 0);
}

static void what_a_writer_was_changing_is_lost(void **state) {
    (void)state;
    assert_int_equal(fork_beside(WRITING, read_and_write), 1);
    assert_int_equal(fork_beside(WRITING, fork_again), 1);
}

/* ---- contexts and frames ----------------------------------------------------------------------------------------- */

typedef struct service {
    sl_frame *frame;
    sl_context *context;
    atomic_bool stop;
} service;

static uint32_t look_up(const sl_context *context, uint64_t number) {
    const sl_key_column one = {.keys = {.type = SL_COLUMN_UINT64, .length = 1, .values = &number}};
    uint32_t record = SL_NO_RECORD;
    EXPECT_OK(sl_context_find(context, &one, &record, &expect_error));
    return record;
}

static sl_status append(sl_context *context, uint64_t number) {
    const sl_key_column one = {.keys = {.type = SL_COLUMN_UINT64, .length = 1, .values = &number}};
    uint32_t record;
    return sl_context_intern(context, &one, &record, NULL, &expect_error);
}

static void *look_around(void *state) {
    service *s = state;
    while (!atomic_load(&s->stop)) {
        sl_frame_state *now = sl_frame_now(s->frame);
        assert_int_equal(look_up(sl_frame_state_context(now), 7), 0);
        sl_frame_state_release(now);
    }
    return NULL;
}

static int use_frame(void *state) {
    service *s = state;
    sl_frame_change *change;
    sl_context *context;
    if (look_up(s->context, 7) != 0) return 1;
    if (sl_frame_begin(s->frame, &change, &expect_error) != SL_OK) return 2;
    if (sl_frame_change_context(change, &context, &expect_error) != SL_OK) return 3;
    if (append(context, 8) != SL_OK || sl_frame_change_commit(change, NULL, &expect_error) != SL_OK) return 4;
    sl_frame_state *now = sl_frame_now(s->frame);
    int result = sl_frame_state_num_records(now) == 2 && look_up(context, 8) == 1 ? 0 : 5;
    sl_frame_state_release(now);
    return result;
}

static void make_service(service *s) {
    sl_frame_change *change;
    uint16_t source;
    EXPECT_OK(sl_frame_create(&s->frame, &expect_error));
    EXPECT_OK(sl_frame_begin(s->frame, &change, &expect_error));
    EXPECT_OK(sl_frame_change_context(change, &s->context, &expect_error));
    EXPECT_OK(sl_context_add_source(s->context, "", 0, &source, &expect_error));
    EXPECT_OK(append(s->context, 7));
    EXPECT_OK(sl_frame_change_commit(change, NULL, &expect_error));
}

static void a_child_uses_a_frame_that_threads_were_reading(void **state) {
    (void)state;
    service s = {0};
    pthread_t threads[3];
    make_service(&s);
    for (int t = 0; t < 3; t++) assert_int_equal(pthread_create(&threads[t], NULL, look_around, &s), 0);
    for (int round = 0; round < 40; round++) assert_int_equal(in_child(use_frame, &s), 0);
    atomic_store(&s.stop, true);
    for (int t = 0; t < 3; t++) pthread_join(threads[t], NULL);
    sl_frame_release(s.frame);
}

/* A change that another thread has begun and not ended. */
static int change_frame(void *state) {
    service *s = state;
    sl_frame_change *change;
    sl_frame *copy;
    if (sl_frame_begin(s->frame, &change, &expect_error) != SL_ERROR_SYSTEM) return 1;
    if (look_up(s->context, 7) != 0) return 2;
    if (sl_frame_copy(s->frame, &copy, &expect_error) != SL_OK) return 3;
    if (sl_frame_begin(copy, &change, &expect_error) != SL_OK) return 4;
    sl_frame_change_abort(change);
    sl_frame_release(copy);
    return 0;
}

static void *begin_change(void *state) {
    holder *h = state;
    sl_frame_change *change;
    EXPECT_OK(sl_frame_begin(h->frame, &change, &expect_error));
    atomic_store(&h->is_held, true);
    while (!atomic_load(&h->let_go)) usleep(100);
    sl_frame_change_abort(change);
    return NULL;
}

static void a_frame_that_was_being_changed_says_so(void **state) {
    (void)state;
    service s = {0};
    pthread_t thread;
    make_service(&s);
    holder h = {.frame = s.frame};
    assert_int_equal(pthread_create(&thread, NULL, begin_change, &h), 0);
    while (!atomic_load(&h.is_held)) usleep(100);
    assert_int_equal(in_child(change_frame, &s), 0);
    atomic_store(&h.let_go, true);
    pthread_join(thread, NULL);
    assert_int_equal(use_frame(&s), 0);
    sl_frame_release(s.frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_that_are_gone_are_no_matter),
        cmocka_unit_test(what_a_writer_was_changing_is_lost),
        cmocka_unit_test(a_child_uses_a_frame_that_threads_were_reading),
        cmocka_unit_test(a_frame_that_was_being_changed_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
