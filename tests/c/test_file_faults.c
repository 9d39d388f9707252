/* test_file_faults.c: whatever fails while a file is written, memory or any system call, what was there before is there afterwards
 * and nothing else; and whatever fails while one is read is an error that leaves nothing behind. */
#include "support/failing_memory.h"
#include "support/stored_frames.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/file_calls.h"

/* ---- calls that fail --------------------------------------------------------------------------------------------- */

static struct {
    sl_i_file_calls real;
    uint64_t left; /* calls until the one that fails */
    int code;
    uint32_t wait; /* microseconds that each write takes */
    bool is_short; /* each read and write does a seventh of what it is asked for, and every third is interrupted */
    bool has_failed;
    uint64_t calls;
} fault;

/* Whether this call is to fail. */
static bool fails(void) {
    if (fault.left-- != 0) return false;
    fault.has_failed = true;
    errno = fault.code;
    return true;
}

static int faulty_open(int folder, const char *name, int flags, mode_t mode) {
    return fails() ? -1 : fault.real.open(folder, name, flags, mode);
}
static int faulty_status(int file, struct stat *out) { return fails() ? -1 : fault.real.status(file, out); }
static int faulty_set_mode(int file, mode_t mode) { return fails() ? -1 : fault.real.set_mode(file, mode); }
static int faulty_sync(int file) { return fails() ? -1 : fault.real.sync(file); }
static int faulty_rename(int folder, const char *from, const char *to) {
    return fails() ? -1 : fault.real.rename(folder, from, to);
}
static void *faulty_map(int file, size_t size) { return fails() ? NULL : fault.real.map(file, size); }

/* A part of it, or nothing and "try again". */
static bool shorten(size_t *size) {
    if (!fault.is_short) return true;
    *size = (*size + 6) / 7;
    errno = EINTR;
    return ++fault.calls % 3 != 0;
}

static ssize_t faulty_read(int file, void *bytes, size_t size, off_t at) {
    if (fails() || !shorten(&size)) return -1;
    return fault.real.read(file, bytes, size, at);
}

static ssize_t faulty_write(int file, const void *bytes, size_t size, off_t at) {
    if (fails() || !shorten(&size)) return -1;
    if (fault.wait) (void)usleep(fault.wait);
    return fault.real.write(file, bytes, size, at);
}

static int spoil_calls(void **state) {
    fault.real = sl_i_files;
    fault.left = UINT64_MAX;
    fault.is_short = fault.has_failed = false;
    fault.wait = 0;
    sl_i_files = (sl_i_file_calls){faulty_open, faulty_status, faulty_read, faulty_write,    faulty_set_mode,
                                   faulty_sync, faulty_rename, faulty_map,  fault.real.unmap};
    return note_held(state);
}

static int repair_calls(void **state) {
    sl_i_files = fault.real;
    return expect_nothing_more_held(state);
}

#define FAULTY_TEST(function) cmocka_unit_test_setup_teardown(function, spoil_calls, repair_calls)

/* ---- an old file, and a frame to put in its place ---------------------------------------------------------------- */

typedef struct scene {
    sl_frame *frame;
    stored_file old;
} scene;

static scene set_scene(const char *name) {
    scene s;
    stored_folder(name);
    EXPECT_OK(sl_frame_create(&s.frame, &expect_error));
    EXPECT_OK(stored_save(s.frame, stored_path("a"), NULL, &expect_error));
    s.old = stored_read(stored_path("a"));
    sl_frame_release(s.frame);
    s.frame = stored_frame_make();
    return s;
}

static void expect_old_file(const scene *s) {
    stored_file now = stored_read(stored_path("a"));
    assert_int_equal(now.size, s->old.size);
    assert_memory_equal(now.bytes, s->old.bytes, now.size);
    assert_int_equal(stored_count(), 1);
    stored_free(&now);
}

static void expect_new_file(const scene *s) {
    sl_frame *again;
    EXPECT_OK(stored_load(stored_path("a"), false, &again, &expect_error));
    stored_frames_expect_equal(s->frame, again);
    sl_frame_release(again);
    assert_int_equal(stored_count(), 1);
}

static void clear_scene(scene *s) {
    sl_frame_release(s->frame);
    stored_free(&s->old);
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* The last call syncs the folder: by then the new file is in its place, and the message says so. */
static void any_failing_call_leaves_the_old_file(void **state) {
    (void)state;
    static const int codes[] = {EIO, ENOSPC, EACCES};
    scene s = set_scene("calls");
    for (uint64_t call = 0;; call++) {
        fault.has_failed = false;
        fault.left = call;
        fault.code = codes[call % 3];
        sl_status status = stored_save(s.frame, stored_path("a"), NULL, &expect_error);
        fault.left = UINT64_MAX;
        if (!fault.has_failed) {
            assert_int_equal(status, SL_OK);
            assert_true(call > 8);
            break;
        }
        if (status == SL_OK) { /* whether the temporary file is still there could not be found out: it was */
            stored_write(stored_path("a"), &s.old);
            continue;
        }
        assert_int_equal(status, SL_ERROR_SYSTEM);
        assert_int_equal(expect_error.system_code, codes[call % 3]);
        assert_non_null(strstr(expect_error.message, stored_path("a")));
        if (strstr(expect_error.message, "new file, which")) {
            expect_new_file(&s);
            stored_write(stored_path("a"), &s.old);
        } else {
            expect_old_file(&s);
        }
    }
    expect_new_file(&s);
    clear_scene(&s);
}

static void calls_that_do_a_part_are_repeated(void **state) {
    (void)state;
    scene s = set_scene("parts");
    sl_frame *again;
    fault.is_short = true;
    EXPECT_OK(stored_save(s.frame, stored_path("a"), NULL, &expect_error));
    EXPECT_OK(stored_load(stored_path("a"), true, &again, &expect_error));
    fault.is_short = false;
    stored_frames_expect_equal(s.frame, again);
    sl_frame_release(again);
    expect_new_file(&s);
    clear_scene(&s);
}

typedef struct patience {
    uint32_t left;
} patience;

static int lose_patience(void *state, const char *phase, uint64_t done, uint64_t total) {
    patience *p = state;
    assert_non_null(phase);
    assert_true(done <= total);
    return p->left-- == 0;
}

static void an_interrupt_leaves_the_old_file(void **state) {
    (void)state;
    scene s = set_scene("interrupts");
    fault.wait = 21000; /* each write is followed by a tick */
    for (uint32_t ticks = 0;; ticks++) {
        patience p = {ticks};
        const sl_progress progress = {lose_patience, &p};
        sl_status status = stored_save(s.frame, stored_path("a"), &progress, &expect_error);
        if (status == SL_OK) {
            assert_true(ticks > 0);
            break;
        }
        assert_int_equal(status, SL_ERROR_INTERRUPTED);
        expect_old_file(&s);
    }
    fault.wait = 0;
    expect_new_file(&s);
    clear_scene(&s);
}

static sl_status save_attempt(void *state) {
    return stored_save(((scene *)state)->frame, stored_path("a"), NULL, &expect_error);
}

static void with_failing_memory(void (*body)(void)) {
    assert_int_equal(sl_memory_in_use(), 0);
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    failing_memory_after(FAILING_NEVER);
    body();
    failing_memory_after(FAILING_NEVER);
    assert_int_equal(sl_memory_in_use(), 0);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

static void save_without_memory(void) {
    scene s = set_scene("memory_save");
    for (uint64_t allocations = 0;; allocations++) {
        failing_memory_after(allocations);
        sl_status status = save_attempt(&s);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) {
            assert_true(allocations > 10);
            break;
        }
        assert_int_equal(status, SL_ERROR_MEMORY);
        expect_old_file(&s);
    }
    expect_new_file(&s);
    clear_scene(&s);
}

static void failing_memory_leaves_the_old_file(void **state) {
    (void)state;
    with_failing_memory(save_without_memory);
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static void load_without_memory(void) {
    scene s = set_scene("memory_load");
    EXPECT_OK(stored_save(s.frame, stored_path("a"), NULL, &expect_error));
    for (int read_whole = 0; read_whole < 2; read_whole++) {
        uint64_t held = sl_memory_in_use();
        for (uint64_t allocations = 0;; allocations++) {
            sl_frame *again = (sl_frame *)(uintptr_t)1;
            failing_memory_after(allocations);
            sl_status status = stored_load(stored_path("a"), read_whole, &again, &expect_error);
            failing_memory_after(FAILING_NEVER);
            if (status == SL_OK) {
                assert_true(allocations > 50);
                stored_frames_expect_equal(s.frame, again);
                sl_frame_release(again);
                break;
            }
            assert_null(again);
            assert_int_equal(status, SL_ERROR_MEMORY);
            assert_int_equal(sl_memory_in_use(), held);
        }
    }
    clear_scene(&s);
}

static void failing_memory_leaves_nothing_of_a_load(void **state) {
    (void)state;
    sl_set_num_threads(1); /* tasks allocate in one order */
    with_failing_memory(load_without_memory);
}

static void any_failing_call_ends_a_load(void **state) {
    (void)state;
    scene s = set_scene("calls_load");
    EXPECT_OK(stored_save(s.frame, stored_path("a"), NULL, &expect_error));
    for (int read_whole = 0; read_whole < 2; read_whole++) {
        uint64_t held = sl_memory_in_use();
        for (uint64_t call = 0;; call++) {
            sl_frame *again;
            fault.has_failed = false;
            fault.left = call;
            fault.code = EIO;
            sl_status status = stored_load(stored_path("a"), read_whole, &again, &expect_error);
            fault.left = UINT64_MAX;
            if (!fault.has_failed) {
                assert_int_equal(status, SL_OK);
                assert_true(call >= 3);
                sl_frame_release(again);
                break;
            }
            assert_int_equal(status, SL_ERROR_SYSTEM);
            assert_int_equal(expect_error.system_code, EIO);
            assert_null(again);
            assert_int_equal(sl_memory_in_use(), held);
        }
    }
    clear_scene(&s);
}

static void a_file_that_is_not_there_says_so(void **state) {
    (void)state;
    sl_frame *none;
    stored_folder("absent");
    EXPECT_FAILURE(stored_load(stored_path("b"), false, &none, &expect_error), SL_ERROR_SYSTEM, -1);
    assert_int_equal(expect_error.system_code, ENOENT);
    EXPECT_FAILURE(stored_load(".", false, &none, &expect_error), SL_ERROR_SYSTEM, -1);
    assert_int_equal(expect_error.system_code, EISDIR);
    sl_frame *frame = stored_frame_make();
    static const char *const paths[] = {"", "files_absent/none/b", "files_absent", "files_absent/"};
    static const int codes[] = {ENOENT, ENOENT, EISDIR, EISDIR};
    for (uint32_t i = 0; i < 4; i++) {
        EXPECT_FAILURE(stored_save(frame, paths[i], NULL, &expect_error), SL_ERROR_SYSTEM, -1);
        assert_int_equal(expect_error.system_code, codes[i]);
    }
    char path[5000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    EXPECT_FAILURE(stored_save(frame, path, NULL, &expect_error), SL_ERROR_SYSTEM, -1);
    assert_int_equal(expect_error.system_code, ENAMETOOLONG);
    EXPECT_FAILURE(stored_load(path, false, &none, &expect_error), SL_ERROR_SYSTEM, -1);
    assert_int_equal(expect_error.system_code, ENAMETOOLONG);
    path[200] = '\0'; /* a name that leaves no room for a random number is cut */
    EXPECT_OK(stored_save(frame, stored_path(path), NULL, &expect_error));
    path[200] = 'x';
    path[240] = '\0';
    EXPECT_OK(stored_save(frame, stored_path(path), NULL, &expect_error));
    assert_int_equal(stored_count(), 2);
    sl_frame_release(frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FAULTY_TEST(any_failing_call_leaves_the_old_file),
        FAULTY_TEST(calls_that_do_a_part_are_repeated),
        FAULTY_TEST(an_interrupt_leaves_the_old_file),
        TEST(failing_memory_leaves_the_old_file),
        TEST(failing_memory_leaves_nothing_of_a_load),
        FAULTY_TEST(any_failing_call_ends_a_load),
        TEST(a_file_that_is_not_there_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
