/* test_threads_files.c: frames saved and loaded by several threads at once, to one path and from one file, while one of them changes. */
#include "support/plain_frame.h"
#include "support/stored_frames.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS 4
#define ROUNDS EXPECT_SIZE(40, 8)

typedef struct worker {
    sl_frame *frame;
    const char *path;
    uint32_t number;
    sl_status status;
    sl_error error;
} worker;

static sl_status save_now(const worker *w, sl_error *error) {
    sl_frame_state *state = sl_frame_now(w->frame);
    sl_status status = sl_frame_state_save(state, w->path, NULL, error);
    sl_frame_state_release(state);
    return status;
}

static sl_status load_now(const worker *w, bool read_whole, sl_error *error) {
    sl_frame *again = NULL;
    sl_status status = stored_load(w->path, read_whole, &again, error);
    if (status == SL_OK) status = save_now(&(worker){.frame = again, .path = w->path}, error);
    sl_frame_release(again);
    return status;
}

static sl_status change_now(const worker *w, uint32_t round, sl_error *error) {
    const plain_edges edges = {.count = 1, .left = {round % 20}, .right = {30}, .scores = {0.5}};
    sl_frame_change *change = NULL;
    char name[2] = {(char)('A' + round % 20), '\0'};
    sl_status status = sl_frame_begin(w->frame, &change, error);
    if (status == SL_OK && round >= 20) status = sl_frame_change_drop(change, name, 1, error);
    if (status == SL_OK) status = frame_step_add(change, name, &edges, error);
    if (status == SL_OK) return sl_frame_change_commit(change, NULL, error);
    sl_frame_change_abort(change);
    return status;
}

static void *work(void *state) {
    worker *w = state;
    for (uint32_t round = 0; round < ROUNDS && w->status == SL_OK; round++) {
        if (w->number == 0)
            w->status = change_now(w, round, &w->error);
        else if (w->number == 1)
            w->status = save_now(w, &w->error);
        else
            w->status = load_now(w, w->number % 2, &w->error);
    }
    return NULL;
}

static void threads_save_and_load_at_once(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    worker workers[THREADS];
    char path[256];
    stored_folder("threads");
    (void)snprintf(path, sizeof path, "%s", stored_path("a"));
    sl_frame *frame = stored_frame_make();
    EXPECT_OK(stored_save(frame, path, NULL, &expect_error));
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.frame = frame, .path = path, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (workers[i].status != SL_OK) fail_msg("thread %u: %s", i, workers[i].error.message);
    }
    sl_frame *last;
    EXPECT_OK(stored_load(path, false, &last, &expect_error));
    sl_frame_release(last);
    assert_int_equal(stored_count(), 1);
    sl_frame_release(frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(threads_save_and_load_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
