/* test_files.c: what is saved is what is loaded: frames of every kind, mapped and read, and what they can do afterwards; how the file
 * takes its place. */
#include "support/failing_memory.h"
#include "support/plain_frame.h"
#include "support/stored_frames.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hierarchy/hierarchy.h"

static sl_frame *save_and_load(const sl_frame *frame, const char *name, bool read_whole) {
    sl_frame *again;
    EXPECT_OK(stored_save(frame, stored_path(name), NULL, &expect_error));
    EXPECT_OK(stored_load(stored_path(name), read_whole, &again, &expect_error));
    return again;
}

static void expect_same_files(const char *a, const char *b) {
    stored_file of_a = stored_read(stored_path(a)), of_b = stored_read(stored_path(b));
    assert_int_equal(of_a.size, of_b.size);
    assert_memory_equal(of_a.bytes, of_b.bytes, of_a.size);
    stored_free(&of_a);
    stored_free(&of_b);
}

static void what_is_saved_is_loaded(void **state) {
    (void)state;
    stored_folder("round");
    sl_frame *frame = stored_frame_make();
    for (int read_whole = 0; read_whole < 2; read_whole++) {
        sl_frame *again = save_and_load(frame, "a", read_whole);
        stored_frames_expect_equal(frame, again);
        EXPECT_OK(stored_save(again, stored_path("b"), NULL, &expect_error));
        expect_same_files("a", "b");
        sl_frame_release(again);
    }
    assert_int_equal(stored_count(), 2);
    sl_frame_release(frame);
}

/* Of no record and no collection, of one record, of two. */
static void small_frames_come_back(void **state) {
    (void)state;
    const plain_edges none = {.count = 0}, loop = {.count = 1, .scores = {1.0}},
                      one = {.count = 1, .left = {0}, .right = {1}, .scores = {0.5}};
    const plain_edges *const edges[] = {NULL, &none, &loop, &one};
    stored_folder("small");
    for (uint32_t i = 0; i < 4; i++) {
        sl_frame *frame = frame_make();
        if (edges[i]) frame_add(frame, "c", edges[i]);
        for (int read_whole = 0; read_whole < 2; read_whole++) {
            sl_frame *again = save_and_load(frame, "a", read_whole);
            stored_frames_expect_equal(frame, again);
            sl_frame_release(again);
        }
        sl_frame_release(frame);
    }
}

static void equal_frames_give_equal_bytes(void **state) {
    (void)state;
    stored_folder("equal");
    sl_frame *a = stored_frame_make(), *b = stored_frame_make(), *copy;
    EXPECT_OK(sl_frame_copy(a, &copy, &expect_error));
    EXPECT_OK(stored_save(a, stored_path("a"), NULL, &expect_error));
    EXPECT_OK(stored_save(b, stored_path("b"), NULL, &expect_error));
    EXPECT_OK(stored_save(copy, stored_path("c"), NULL, &expect_error));
    expect_same_files("a", "b");
    expect_same_files("a", "c");
    sl_frame_release(a);
    sl_frame_release(b);
    sl_frame_release(copy);
}

/* A frame over a context in which others have more records. */
static void records_of_others_are_left_out(void **state) {
    (void)state;
    stored_folder("others");
    sl_frame *frame = stored_frame_make(), *longer = stored_frame_make();
    sl_frame_state *before = sl_frame_now(longer);
    plain_edges edges = plain_chain();
    frame_add(longer, "more", &edges);
    EXPECT_OK(stored_save(frame, stored_path("a"), NULL, &expect_error));
    EXPECT_OK(sl_frame_state_save(before, stored_path("b"), NULL, &expect_error));
    expect_same_files("a", "b");
    sl_frame_state_release(before);
    sl_frame_release(frame);
    sl_frame_release(longer);
}

/* All that changes a frame goes on with one that was loaded. */
static void loaded_frames_go_on(void **state) {
    (void)state;
    stored_folder("going_on");
    plain_edges edges = plain_chain();
    for (int read_whole = 0; read_whole < 2; read_whole++) {
        sl_frame *frame = stored_frame_make(), *again = save_and_load(frame, "a", read_whole);
        frame_add(frame, "chain", &edges);
        frame_add(again, "chain", &edges);
        stored_frames_expect_equal(frame, again);
        static const char *const dropped[] = {"kept", "plain", "constrained", "", "rounded"};
        for (uint32_t i = 0; i < 5; i++) {
            frame_drop(frame, dropped[i]);
            frame_drop(again, dropped[i]);
            assert_int_equal(frame_metrics(frame).num_records, frame_metrics(again).num_records);
        }
        sl_frame_change *change = frame_begin(again);
        sl_frame_change_compact(change);
        frame_commit(change);
        sl_frame_state *now = sl_frame_now(again);
        EXPECT_OK(sl_i_state_validate(now, &expect_error));
        sl_frame_state_release(now);
        sl_frame_release(frame);
        sl_frame_release(again);
    }
}

/* A hierarchy taken from a frame keeps the mapping after the frame and the file are gone. */
static void a_mapping_lives_as_long_as_its_last_user(void **state) {
    (void)state;
    stored_folder("mapping");
    sl_frame *frame = stored_frame_make(), *again = save_and_load(frame, "a", false);
    sl_collection *view = frame_view(again, "kept"), *expected = frame_view(frame, "kept");
    const sl_edge_list *edges = sl_edge_list_retain(sl_hierarchy_edges(sl_collection_hierarchy(view)));
    sl_hierarchy *hierarchy = sl_hierarchy_retain(sl_collection_hierarchy(view));
    assert_int_equal(unlink(stored_path("a")), 0);
    sl_frame_release(again);
    sl_collection_release(view);
    assert_true(sl_hierarchy_equal(hierarchy, sl_collection_hierarchy(expected)));
    sl_hierarchy_release(hierarchy);
    assert_int_equal(sl_edge_list_left(edges)[0],
                     sl_edge_list_left(sl_hierarchy_edges(sl_collection_hierarchy(expected)))[0]);
    sl_edge_list_release((sl_edge_list *)(uintptr_t)edges);
    sl_collection_release(expected);
    sl_frame_release(frame);
}

/* What a loaded frame says that it holds is what it holds. */
static void memory_of_loaded_frames_is_counted(void **state) {
    (void)state;
    plain_edges edges = plain_chain(), loops = {.count = 2, .left = {50, 51}, .right = {50, 51}, .scores = {1.0, 0.5}};
    stored_folder("memory");
    uint64_t before = sl_memory_in_use();
    sl_frame *frame = frame_make(), *again;
    frame_add(frame, "chain", &edges);
    frame_add(frame, "loops", &loops);
    EXPECT_OK(stored_save(frame, stored_path("a"), NULL, &expect_error));
    sl_frame_release(frame);
    for (int read_whole = 0; read_whole < 2; read_whole++) {
        EXPECT_OK(stored_load(stored_path("a"), read_whole, &again, &expect_error));
        frame_expect_held(again, before);
        sl_frame_release(again);
    }
}

static void a_file_keeps_its_mode_and_links_are_followed(void **state) {
    (void)state;
    char link[256];
    struct stat found;
    stored_folder("modes");
    sl_frame *frame = stored_frame_make();
    (void)snprintf(link, sizeof link, "%s", stored_path("link"));
    assert_int_equal(symlink("real", link), 0);
    for (uint32_t i = 0; i < 2; i++) { /* the link dangles at first */
        EXPECT_OK(stored_save(frame, link, NULL, &expect_error));
        assert_int_equal(lstat(link, &found), 0);
        assert_true(S_ISLNK(found.st_mode));
        assert_int_equal(lstat(stored_path("real"), &found), 0);
        assert_true(S_ISREG(found.st_mode));
        if (i == 1) assert_int_equal(found.st_mode & 07777, 0640);
        assert_int_equal(chmod(stored_path("real"), 0640), 0);
    }
    assert_int_equal(symlink("loop", stored_path("loop")), 0);
    EXPECT_FAILURE(stored_save(frame, stored_path("loop"), NULL, &expect_error), SL_ERROR_SYSTEM, -1);
    assert_int_equal(mkfifo(stored_path("pipe"), 0600), 0);
    EXPECT_FAILURE(stored_save(frame, stored_path("pipe"), NULL, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    sl_frame *none;
    EXPECT_FAILURE(stored_load(stored_path("pipe"), false, &none, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(none);
    sl_frame_release(frame);
}

static void touch(const char *name) {
    FILE *file = fopen(stored_path(name), "wb");
    assert_non_null(file);
    (void)fclose(file);
}

/* What killed writers of this very file left behind is removed, and nothing else. */
static void left_temporaries_are_removed(void **state) {
    (void)state;
    stored_folder("litter");
    sl_frame *frame = stored_frame_make();
    touch(".a.0123456789abcdef.tmp");
    touch(".a.fedcba9876543210.tmp");
    touch(".b.0123456789abcdef.tmp");
    touch(".a.0123456789abcdeg.tmp");
    touch(".a.0123456789abcdef.tmpx");
    touch(".ab.0123456789abcdef.tmp");
    EXPECT_OK(stored_save(frame, stored_path("a"), NULL, &expect_error));
    assert_int_equal(stored_count(), 5);
    assert_int_not_equal(access(stored_path(".a.0123456789abcdef.tmp"), F_OK), 0);
    assert_int_equal(access(stored_path(".b.0123456789abcdef.tmp"), F_OK), 0);
    sl_frame_release(frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_saved_is_loaded),
        TEST(small_frames_come_back),
        TEST(equal_frames_give_equal_bytes),
        TEST(records_of_others_are_left_out),
        TEST(loaded_frames_go_on),
        TEST(a_mapping_lives_as_long_as_its_last_user),
        TEST(memory_of_loaded_frames_is_counted),
        TEST(a_file_keeps_its_mode_and_links_are_followed),
        TEST(left_temporaries_are_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
