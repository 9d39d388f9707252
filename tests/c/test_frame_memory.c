/* test_frame_memory.c: what a frame's metrics say that it holds is what it holds, to the byte; and whichever allocation fails
 * during a change, the frame is what it was. */
#include "support/failing_memory.h"
#include "support/plain_frame.h"

static void memory_is_counted_to_the_byte(void **state) {
    (void)state;
    uint64_t before = sl_memory_in_use();
    plain_edges edges = plain_chain(), loops = {.count = 2, .left = {50, 51}, .right = {50, 51}, .scores = {1.0, 0.5}};
    uint32_t translation[PLAIN_IDS];
    sl_frame *frame = frame_make(), *copy;
    frame_add(frame, "chain", &edges);
    frame_add(frame, "loops", &loops);
    sl_collection *view = frame_view(frame, "chain");
    sl_frame_change *change = frame_begin(frame);
    EXPECT_OK(sl_frame_change_assimilate(change, "twin", 4, view, false, translation, NULL, &expect_error));
    frame_commit(change);
    sl_collection_release(view);
    frame_expect_held(frame, before);
    view = frame_view(frame, "twin");
    for (uint32_t i = 0; i < PLAIN_THRESHOLDS; i++) {
        const uint32_t *read;
        sl_partition *partition = frame_cut(view, plain_thresholds[i]);
        EXPECT_OK(sl_partition_labels(partition, &read, &expect_error));
        if (i % 2) EXPECT_OK(sl_partition_sizes(partition, &read, &expect_error));
        EXPECT_OK(sl_partition_records(partition, &read, &expect_error));
        sl_partition_release(partition);
    }
    sl_collection_release(view);
    frame_expect_held(frame, before);
    EXPECT_OK(sl_frame_copy(frame, &copy, &expect_error));
    sl_frame_release(frame);
    frame_expect_held(copy, before);
    frame_drop(copy, "chain");
    frame_expect_held(copy, before);
    frame_drop(copy, "twin"); /* compacts */
    assert_true(frame_metrics(copy).last_compaction > 0);
    frame_expect_held(copy, before);
    sl_frame_release(copy);
    sl_collection *given = frame_collection(&edges); /* adopted: its context is the frame's */
    frame = frame_make();
    change = frame_begin(frame);
    EXPECT_OK(sl_frame_change_assimilate(change, "given", 5, given, false, translation, NULL, &expect_error));
    EXPECT_OK(sl_frame_change_assimilate(change, "again", 5, given, true, translation, NULL, &expect_error));
    frame_commit(change);
    sl_collection_release(given);
    frame_expect_held(frame, before);
    sl_frame_release(frame);
}

/* ---- out of memory ----------------------------------------------------------------------------------------------- */

typedef enum kind {
    CHANGE_NOTHING,
    CHANGE_GIVE,
    CHANGE_ADD,
    CHANGE_ADOPT, /* into an empty frame */
    CHANGE_SHARE,
    CHANGE_ASSIMILATE,
    CHANGE_DROP, /* and compact */
    CHANGE_COMPACT,
    CHANGE_COPY, /* and change the copy */
    CHANGE_ATTACH,
    READ_METRICS,
    READ_COLLECTION,
    NUM_KINDS
} kind;

typedef struct scene {
    sl_frame *frame;
    plain_frame plain;
    sl_collection *view, *stranger;
    sl_batches *batches, *earlier; /* earlier: of record 14, in CHANGE_ATTACH */
} scene;

static void set_scene(kind which, scene *s) {
    plain_edges edges = plain_chain(),
                loops = {.count = 3, .left = {50, 51, 2}, .right = {50, 51, 3}, .scores = {1, 0.5, 0}};
    plain_edges strange = {.count = 2, .left = {3, 60}, .right = {61, 60}, .scores = {0.5, 0.25}};
    *s = (scene){.frame = frame_make(),
                 .stranger = frame_collection(&strange),
                 .batches = frame_batches(3),
                 .earlier = frame_batches(1)};
    if (which == CHANGE_ADOPT) return;
    frame_add(s->frame, "chain", &edges);
    frame_add(s->frame, "loops", &loops);
    plain_add(&s->plain, "chain", &edges);
    plain_add(&s->plain, "loops", &loops);
    if (which == CHANGE_COMPACT) {
        frame_add(s->frame, "gone", &strange);
        frame_drop(s->frame, "gone");
        plain_intern(&s->plain, 61);
        plain_intern(&s->plain, 60);
    }
    if (which == CHANGE_ATTACH) {
        sl_frame_change *change = frame_begin(s->frame);
        EXPECT_OK(frame_step_attach(change, s->earlier, 14, &expect_error));
        frame_commit(change);
    }
    s->view = frame_view(s->frame, "loops");
}

static sl_status take_step(kind which, const scene *s, sl_frame_change *change) {
    const uint32_t ids[] = {1, 70, 71};
    const plain_edges edges = {.count = 2, .left = {1, 70}, .right = {65, 70}, .scores = {0.5, 0.5}};
    uint32_t translation[PLAIN_IDS];
    switch (which) {
    case CHANGE_GIVE: return frame_step_give(change, ids, 3, &expect_error);
    case CHANGE_ADD:
    case CHANGE_COPY: return frame_step_add(change, "more", &edges, &expect_error);
    case CHANGE_SHARE:
        return sl_frame_change_assimilate(change, "more", 4, s->view, false, translation, NULL, &expect_error);
    case CHANGE_ADOPT:
    case CHANGE_ASSIMILATE:
        return sl_frame_change_assimilate(change, "more", 4, s->stranger, false, translation, NULL, &expect_error);
    case CHANGE_ATTACH: {
        sl_status status = frame_step_give(change, ids, 3, &expect_error);
        return status == SL_OK ? frame_step_attach(change, s->batches, 13, &expect_error) : status;
    }
    case CHANGE_DROP: return sl_frame_change_drop(change, "chain", 5, &expect_error);
    default: sl_frame_change_compact(change); return SL_OK;
    }
}

static sl_status change(kind which, const scene *s, sl_frame *frame) {
    sl_frame_change *made;
    sl_status status = sl_frame_begin(frame, &made, &expect_error);
    if (status != SL_OK) {
        assert_null(made);
        return status;
    }
    status = which == CHANGE_NOTHING ? SL_OK : take_step(which, s, made);
    if (status == SL_OK) return sl_frame_change_commit(made, NULL, &expect_error);
    sl_frame_change_abort(made);
    return status;
}

static sl_status read_collection(const scene *s) {
    const uint32_t *labels;
    sl_frame_state *now = sl_frame_now(s->frame);
    sl_collection *view;
    sl_partition *partition = NULL;
    sl_status status = sl_frame_state_collection(now, 0, &view, &expect_error);
    if (status == SL_OK) status = sl_collection_at(view, 0.5, &partition, &expect_error);
    if (status == SL_OK) status = sl_partition_labels(partition, &labels, &expect_error);
    sl_partition_release(partition);
    sl_collection_release(view);
    sl_frame_state_release(now);
    return status;
}

static sl_status run(kind which, const scene *s) {
    sl_frame_metrics metrics;
    sl_frame *copy;
    if (which == READ_METRICS) return sl_frame_collect_metrics(s->frame, &metrics, &expect_error);
    if (which == READ_COLLECTION) return read_collection(s);
    if (which != CHANGE_COPY) return change(which, s, s->frame);
    sl_status status = sl_frame_copy(s->frame, &copy, &expect_error);
    if (status != SL_OK) {
        assert_null(copy);
        return status;
    }
    status = change(which, s, copy);
    sl_frame_release(copy);
    return status;
}

/* One run in which the allocation after `allocations` fails: whether it succeeded all the same. */
static bool survives(kind which, uint64_t allocations, bool once) {
    scene s;
    failing_memory_after(FAILING_NEVER);
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    set_scene(which, &s);
    sl_frame_state *before = sl_frame_now(s.frame);
    uint32_t held = sl_context_num_records(sl_frame_state_context(before));
    once ? failing_memory_once_after(allocations) : failing_memory_after(allocations);
    sl_status status = run(which, &s);
    failing_memory_after(FAILING_NEVER);
    if (status != SL_OK) {
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_ptr_equal(s.frame->current, before);
        assert_int_equal(sl_context_num_records(sl_frame_state_context(before)), held);
        frame_expect(s.frame, &s.plain);
    }
    if (which == CHANGE_ATTACH) /* what is laid over, and only then */
        frame_expect_attributes(s.frame, 14, status == SL_OK ? s.batches : s.earlier, status == SL_OK ? 1 : 0);
    frame_expect_state(before, &s.plain);
    sl_frame_state_release(before);
    sl_frame_state *now = sl_frame_now(s.frame);
    EXPECT_OK(sl_i_state_validate(now, &expect_error));
    sl_frame_state_release(now);
    EXPECT_OK(change(which == CHANGE_COPY ? CHANGE_NOTHING : CHANGE_COMPACT, &s, s.frame)); /* no lock was left held */
    sl_collection_release(s.view);
    sl_collection_release(s.stranger);
    sl_batches_release(s.batches);
    sl_batches_release(s.earlier);
    sl_frame_release(s.frame);
    assert_int_equal(sl_memory_in_use(), 0);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    return status == SL_OK;
}

static void out_of_memory_changes_nothing(void **state) {
    (void)state;
    for (kind which = 0; which < NUM_KINDS; which++)
        for (int once = 0; once < 2; once++) {
            uint64_t allocations = 0;
            while (!survives(which, allocations, once)) assert_true(++allocations < 2000);
            assert_true(allocations > 0);
        }
}

static void out_of_memory_makes_no_frame(void **state) {
    (void)state;
    sl_status status = SL_ERROR_MEMORY;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    for (uint64_t allocations = 0; status != SL_OK; allocations++) {
        sl_frame *frame;
        failing_memory_after(allocations);
        status = sl_frame_create(&frame, &expect_error);
        failing_memory_after(FAILING_NEVER);
        assert_true((frame != NULL) == (status == SL_OK));
        sl_frame_release(frame);
        assert_int_equal(sl_memory_in_use(), 0);
    }
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(memory_is_counted_to_the_byte),
        TEST(out_of_memory_changes_nothing),
        TEST(out_of_memory_makes_no_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
