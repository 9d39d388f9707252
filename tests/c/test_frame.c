/* test_frame.c: frames beside a plain model through random changes, some of them given up; names; what copies and views do not
 * see; what is kept and counted; interrupts. The states' own invariants (sl_i_state_validate) are checked after each step. */
#include <math.h>
#include <stdio.h>

#include "support/graphs.h"
#include "support/plain_frame.h"

/* ---- random histories -------------------------------------------------------------------------------------------- */

typedef struct history {
    uint64_t random;
    uint32_t ids; /* in use */
    sl_frame *frame;
    plain_frame plain;
} history;

static void name_at_random(history *h, char *name) {
    snprintf(name, 8, "c%u", graph_below(&h->random, PLAIN_MAX_COLLECTIONS));
}

static void try_give(history *h, sl_frame_change *change, plain_frame *plain) {
    uint32_t ids[8], count = graph_below(&h->random, 6);
    bool fails = false, seen[PLAIN_IDS] = {false};
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = graph_below(&h->random, h->ids);
        fails |= seen[ids[i]] || plain->given[ids[i]];
        seen[ids[i]] = true;
    }
    for (uint32_t i = 0; i < count; i++) plain_intern(plain, ids[i]);
    sl_status status = frame_step_give(change, ids, count, &expect_error);
    assert_int_equal(status, fails ? SL_ERROR_DUPLICATE_KEY : SL_OK);
    for (uint32_t i = 0; i < count && !fails; i++) plain->given[ids[i]] = true;
}

static void try_add(history *h, sl_frame_change *change, plain_frame *plain) {
    plain_edges edges = plain_random_edges(&h->random, h->ids);
    char name[8];
    name_at_random(h, name);
    bool is_new = plain_position(plain, name) == plain->num_collections;
    sl_status status = frame_step_add(change, name, &edges, &expect_error);
    assert_int_equal(status, is_new ? SL_OK : SL_ERROR_DUPLICATE_COLLECTION);
    for (uint32_t i = 0; i < edges.count; i++) {
        plain_intern(plain, edges.left[i]);
        plain_intern(plain, edges.right[i]);
    }
    if (is_new) plain_add(plain, name, &edges);
}

static void try_assimilate(history *h, sl_frame_change *change, plain_frame *plain) {
    plain_edges edges = plain_random_edges(&h->random, h->ids);
    sl_collection *given = frame_collection(&edges);
    uint32_t translation[PLAIN_IDS], num_new = 0, n = sl_collection_num_records(given);
    bool known_only = graph_below(&h->random, 3) == 0;
    plain_frame theirs = {0};
    char name[8];
    name_at_random(h, name);
    plain_add(&theirs, name, &edges);
    for (uint32_t i = 0; i < theirs.count; i++) num_new += plain_find(plain, theirs.ids[i]) == plain->count;
    sl_status expected = plain_position(plain, name) < plain->num_collections ? SL_ERROR_DUPLICATE_COLLECTION
                         : known_only && num_new > 0                          ? SL_ERROR_KEY_NOT_FOUND
                                                                              : SL_OK;
    assert_int_equal(
        sl_frame_change_assimilate(change, name, strlen(name), given, known_only, translation, NULL, &expect_error),
        expected);
    if (expected == SL_OK) {
        plain_add(plain, name, &edges);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(translation[i], plain_find(plain, theirs.ids[i]));
    }
    sl_collection_release(given);
}

/* A view of the frame itself, under another name: as any collection that is added, it comes with all its records. */
static void try_twin(history *h, sl_frame_change *change, plain_frame *plain) {
    uint32_t translation[PLAIN_IDS], position = graph_below(&h->random, h->plain.num_collections);
    char name[8];
    if (h->plain.num_collections == 0) return;
    name_at_random(h, name);
    if (plain_position(plain, name) < plain->num_collections) return;
    sl_collection *view = frame_view(h->frame, h->plain.collections[position].name);
    EXPECT_OK(sl_frame_change_assimilate(change, name, strlen(name), view, true, translation, NULL, &expect_error));
    plain_collection *made = &plain->collections[plain->num_collections++];
    *made = h->plain.collections[position];
    snprintf(made->name, sizeof made->name, "%s", name);
    for (uint32_t i = 0; i < h->plain.count; i++) made->used[h->plain.ids[i]] = true;
    sl_collection_release(view);
}

static bool try_drop(history *h, sl_frame_change *change, plain_frame *plain) {
    char name[8];
    name_at_random(h, name);
    uint32_t position = plain_position(plain, name);
    bool found = position < plain->num_collections;
    sl_status status = sl_frame_change_drop(change, name, strlen(name), &expect_error);
    assert_int_equal(status, found ? SL_OK : SL_ERROR_COLLECTION_NOT_FOUND);
    if (found) plain_drop(plain, position);
    return found;
}

/* A few steps in one change, committed or given up. */
static void change_at_random(history *h) {
    sl_frame_state *before = sl_frame_now(h->frame);
    uint32_t held = sl_context_num_records(sl_frame_state_context(before));
    sl_frame_change *change = frame_begin(h->frame);
    plain_frame plain = h->plain;
    bool drops = false, compacts = graph_below(&h->random, 8) == 0;
    for (uint32_t steps = graph_below(&h->random, 3) + 1; steps > 0; steps--) {
        uint32_t step = graph_below(&h->random, 7);
        if (step == 0) try_give(h, change, &plain);
        if (step == 1 || step == 2) try_add(h, change, &plain);
        if (step == 3) try_assimilate(h, change, &plain);
        if (step == 4) try_twin(h, change, &plain);
        if (step >= 5) drops |= try_drop(h, change, &plain);
    }
    if (compacts) sl_frame_change_compact(change);
    frame_expect_state(before, &h->plain);
    if (graph_below(&h->random, 3) == 0) {
        sl_frame_change_abort(change);
        assert_ptr_equal(h->frame->current, before);
        assert_int_equal(sl_context_num_records(sl_frame_state_context(before)), held);
    } else {
        frame_commit(change);
        h->plain = plain;
        if (compacts || (drops && 2 * plain_garbage(&plain) > plain.count)) plain_compact(&h->plain);
    }
    sl_frame_state_release(before);
}

static void copy_at_random(history *h) {
    sl_frame *copy;
    EXPECT_OK(sl_frame_copy(h->frame, &copy, &expect_error));
    frame_expect(copy, &h->plain);
    if (graph_below(&h->random, 2)) {
        plain_frame kept = h->plain;
        history other = {.random = h->random, .ids = h->ids, .frame = copy, .plain = h->plain};
        change_at_random(&other);
        h->random = other.random;
        frame_expect(h->frame, &kept);
        frame_expect(copy, &other.plain);
        sl_frame_release(copy);
    } else {
        sl_frame_release(h->frame);
        h->frame = copy;
    }
}

static void random_history(uint64_t seed, uint32_t ids, uint32_t steps) {
    uint64_t before = sl_memory_in_use();
    history h = {.random = seed, .ids = ids, .frame = frame_make()};
    for (uint32_t step = 0; step < steps; step++) {
        if (graph_below(&h.random, 10) == 0)
            copy_at_random(&h);
        else
            change_at_random(&h);
        frame_expect(h.frame, &h.plain);
        frame_expect_held(h.frame, before);
    }
    sl_frame_release(h.frame);
    assert_int_equal(sl_memory_in_use(), before);
}

static void frames_are_what_the_model_says(void **state) {
    (void)state;
    const uint32_t ids[] = {1, 2, 6, PLAIN_KEYS + 4, PLAIN_IDS};
    for (uint64_t seed = 0; seed < (uint64_t)EXPECT_SIZE(150, 60); seed++) random_history(seed, ids[seed % 5], 40);
}

/* ---- sizes and names --------------------------------------------------------------------------------------------- */

static void empty_frames(void **state) {
    (void)state;
    uint64_t before = sl_memory_in_use();
    sl_frame *frame = frame_make();
    sl_frame_change_abort(NULL);
    sl_frame_release(NULL);
    sl_frame_state_release(NULL);
    frame_expect_held(frame, before);
    sl_frame_metrics metrics = frame_metrics(frame);
    assert_true(metrics.avg_entity_stability == 1.0 && metrics.threshold_sensitivity == 0.0);
    assert_true(metrics.garbage_ratio == 0.0 && metrics.last_compaction == 0 && metrics.num_sources == 0);
    sl_frame_change *change = frame_begin(frame);
    EXPECT_OK(sl_frame_change_give(change, NULL, 0, &expect_error));
    uint32_t nobody = 0;
    EXPECT_FAILURE(sl_frame_change_give(change, &nobody, 1, &expect_error), SL_ERROR_INVALID_ARGUMENT, 0);
    sl_frame_change_compact(change);
    frame_commit(change);
    frame_add(frame, "nothing", &(plain_edges){.count = 0});
    sl_collection *view = frame_view(frame, "nothing"), *missing;
    assert_int_equal(sl_collection_num_records(view), 0);
    sl_collection_release(view);
    sl_frame_state *now = sl_frame_now(frame);
    EXPECT_FAILURE(sl_frame_state_collection(now, 1, &missing, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(missing);
    assert_null(sl_frame_state_name(now, 1, NULL));
    sl_frame_state_release(now);
    assert_int_equal(frame_metrics(frame).last_compaction, 0);
    frame_drop(frame, "nothing");
    frame_expect_held(frame, before);
    sl_frame_release(frame);
}

/* Changes that were given up leave names of sources behind; a compaction lets them go. */
static void unused_sources_are_compacted_away(void **state) {
    (void)state;
    for (uint32_t with_records = 0; with_records < 2; with_records++) {
        sl_frame *frame = frame_make();
        plain_frame plain = {0};
        frame_give(frame, 0, with_records);
        if (with_records) plain_intern(&plain, 0);
        plain.given[0] = with_records > 0;
        for (uint32_t source = 1; source < PLAIN_SOURCES; source++) {
            sl_frame_change *change = frame_begin(frame);
            EXPECT_OK(frame_step_give(change, (uint32_t[]){source * PLAIN_KEYS}, 1, &expect_error));
            sl_frame_change_abort(change);
        }
        assert_int_equal(sl_context_num_sources(frame->current->context), with_records + PLAIN_SOURCES - 1);
        sl_frame_change *change = frame_begin(frame);
        sl_frame_change_compact(change);
        frame_commit(change);
        assert_int_equal(sl_context_num_sources(frame->current->context), with_records);
        sl_frame_state *now = sl_frame_now(frame);
        assert_true(sl_frame_state_last_compaction(now) > 0);
        assert_true(frame_metrics(frame).last_compaction == sl_frame_state_last_compaction(now));
        sl_frame_state_release(now);
        frame_expect(frame, &plain);
        sl_frame_release(frame);
    }
}

static sl_status add_named(sl_frame_change *change, const char *name, size_t length) {
    sl_hierarchy *hierarchy;
    EXPECT_OK(sl_hierarchy_build(0, NULL, NULL, NULL, 0, NULL, &hierarchy, &expect_error));
    sl_status status = sl_frame_change_add(change, name, length, hierarchy, 6, NULL, &expect_error);
    sl_hierarchy_release(hierarchy);
    return status;
}

static void names_are_bytes_of_utf8(void **state) {
    (void)state;
    sl_frame *frame = frame_make();
    sl_frame_change *change = frame_begin(frame);
    uint32_t position = 7;
    size_t length;
    EXPECT_OK(add_named(change, "a\0b", 3));
    EXPECT_OK(add_named(change, "a", 1));
    EXPECT_OK(add_named(change, NULL, 0));
    EXPECT_OK(add_named(change, "\xC3\xA4", 2));
    EXPECT_FAILURE(add_named(change, "", 0), SL_ERROR_DUPLICATE_COLLECTION, -1);
    EXPECT_FAILURE(add_named(change, NULL, 0), SL_ERROR_DUPLICATE_COLLECTION, -1);
    EXPECT_FAILURE(add_named(change, "a\0b", 3), SL_ERROR_DUPLICATE_COLLECTION, -1);
    EXPECT_FAILURE(add_named(change, NULL, 2), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(add_named(change, "\xC3", 1), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_frame_change_drop(change, "a\0c", 3, &expect_error), SL_ERROR_COLLECTION_NOT_FOUND, -1);
    EXPECT_FAILURE(sl_frame_change_drop(change, NULL, 1, &expect_error), SL_ERROR_COLLECTION_NOT_FOUND, -1);
    EXPECT_FAILURE(sl_frame_change_drop(change, "\xC3", 1, &expect_error), SL_ERROR_COLLECTION_NOT_FOUND, -1);
    frame_commit(change);
    sl_frame_state *now = sl_frame_now(frame);
    assert_int_equal(sl_frame_state_num_collections(now), 4);
    assert_memory_equal(sl_frame_state_name(now, 0, &length), "a\0b", 4);
    assert_int_equal(length, 3);
    assert_true(sl_frame_state_find(now, NULL, 0, &position));
    assert_int_equal(position, 2);
    assert_false(sl_frame_state_find(now, "b", 1, &position));
    assert_int_equal(position, 0);
    sl_frame_state_release(now);
    change = frame_begin(frame);
    EXPECT_OK(sl_frame_change_drop(change, NULL, 0, &expect_error));
    EXPECT_FAILURE(sl_frame_change_drop(change, NULL, 0, &expect_error), SL_ERROR_COLLECTION_NOT_FOUND, -1);
    frame_commit(change);
    sl_frame_release(frame);
}

static sl_status add_using(sl_frame_change *change, uint32_t num_records, const uint32_t *records, uint32_t count,
                           uint32_t decimals) {
    sl_hierarchy *hierarchy;
    sl_record_set *used;
    EXPECT_OK(sl_hierarchy_build(num_records, NULL, NULL, NULL, 0, NULL, &hierarchy, &expect_error));
    EXPECT_OK(sl_record_set_create(records, count, &used, &expect_error));
    sl_status status = sl_frame_change_add(change, "using", 5, hierarchy, decimals, used, &expect_error);
    sl_record_set_release(used);
    sl_hierarchy_release(hierarchy);
    return status;
}

static void what_is_used_is_there(void **state) {
    (void)state;
    sl_frame *frame = frame_make();
    plain_edges edges = {.count = 2, .left = {0, 2}, .right = {1, 3}, .scores = {0.5, 0.5}};
    plain_frame plain = {0};
    frame_add(frame, "gone", &edges);
    plain_add(&plain, "gone", &edges);
    sl_frame_change *change = frame_begin(frame);
    EXPECT_FAILURE(add_using(change, 5, NULL, 0, 6), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(add_using(change, 0, (uint32_t[]){1, 4}, 2, 6), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(add_using(change, 0, (uint32_t[]){1, 3}, 2, 7), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_OK(add_using(change, 4, (uint32_t[]){1, 3}, 2, 6));
    EXPECT_OK(sl_frame_change_drop(change, "gone", 4, &expect_error));
    sl_frame_change_compact(change);
    frame_commit(change);
    plain_add(&plain, "using", &(plain_edges){.count = 0});
    plain.collections[1].used[1] = plain.collections[1].used[3] = true;
    plain_drop(&plain, 0);
    plain_compact(&plain);
    assert_int_equal(plain.count, 2);
    frame_expect(frame, &plain);
    sl_frame_release(frame);
}

static void attributes_are_not_seen_elsewhere(void **state) {
    (void)state;
    plain_edges edges = {.count = 1, .left = {0}, .right = {1}, .scores = {0.5}};
    plain_frame plain = {0};
    sl_frame *frame = frame_make(), *copy;
    sl_batches *batches = frame_batches(2);
    frame_add(frame, "pair", &edges);
    plain_add(&plain, "pair", &edges);
    EXPECT_OK(sl_frame_copy(frame, &copy, &expect_error));
    for (int gives_up = 1; gives_up >= 0; gives_up--) {
        sl_frame_change *change = frame_begin(frame);
        EXPECT_OK(frame_step_give(change, (uint32_t[]){30}, 1, &expect_error)); /* moves into the copy */
        EXPECT_OK(frame_step_attach(change, batches, 1, &expect_error));
        EXPECT_OK(frame_step_give(change, (uint32_t[]){31}, 1, &expect_error));
        EXPECT_OK(frame_step_attach(change, batches, 2, &expect_error));
        assert_false(frame_has_attributes(frame, 1));
        if (gives_up)
            sl_frame_change_abort(change);
        else
            frame_commit(change);
        frame_expect(copy, &plain);
        assert_int_equal(sl_context_num_records(copy->current->context), 2);
        assert_false(frame_has_attributes(copy, 1));
        if (gives_up) frame_expect(frame, &plain);
    }
    plain_intern(&plain, 30);
    plain_intern(&plain, 31);
    plain.given[30] = plain.given[31] = true;
    frame_expect(frame, &plain);
    assert_true(frame_has_attributes(frame, 1) && frame_has_attributes(frame, 3) && !frame_has_attributes(frame, 0));
    sl_frame_release(frame);
    sl_frame_release(copy);
    sl_batches_release(batches);
}

/* What a collection brought gives way to what is given, in this frame alone; an abort leaves it. */
static void given_attributes_win(void **state) {
    (void)state;
    sl_frame *frame = frame_make(), *other = frame_make(), *copy;
    sl_batches *theirs = frame_batches(3), *ours = frame_batches(2);
    uint32_t translation[3];
    sl_frame_change *change = frame_begin(other);
    EXPECT_OK(frame_step_give(change, (uint32_t[]){0, 1, 2}, 3, &expect_error));
    EXPECT_OK(frame_step_attach(change, theirs, 0, &expect_error));
    frame_commit(change);
    frame_add(other, "theirs", &(plain_edges){.count = 1, .left = {0}, .right = {1}, .scores = {0.5}});
    frame_give(frame, 40, 1);
    sl_collection *view = frame_view(other, "theirs");
    change = frame_begin(frame);
    EXPECT_OK(sl_frame_change_assimilate(change, "theirs", 6, view, false, translation, NULL, &expect_error));
    frame_commit(change);
    EXPECT_OK(sl_frame_copy(frame, &copy, &expect_error));
    for (int gives_up = 1; gives_up >= 0; gives_up--) {
        change = frame_begin(frame);
        EXPECT_OK(frame_step_give(change, (uint32_t[]){1, 2}, 2, &expect_error));
        EXPECT_OK(frame_step_attach(change, ours, 2, &expect_error));
        frame_expect_attributes(frame, 2, theirs, 1);
        if (gives_up)
            sl_frame_change_abort(change);
        else
            frame_commit(change);
        for (uint32_t row = 0; row < 3; row++) {
            frame_expect_attributes(copy, row + 1, theirs, row);
            frame_expect_attributes(other, row, theirs, row);
            if (gives_up) frame_expect_attributes(frame, row + 1, theirs, row);
        }
    }
    frame_expect_attributes(frame, 1, theirs, 0);
    frame_expect_attributes(frame, 2, ours, 0);
    frame_expect_attributes(frame, 3, ours, 1);
    sl_collection_release(view);
    sl_frame_release(frame);
    sl_frame_release(other);
    sl_frame_release(copy);
    sl_batches_release(theirs);
    sl_batches_release(ours);
}

/* ---- what is kept and counted ------------------------------------------------------------------------------------ */

static void touch(const sl_collection *collection, double threshold) {
    sl_partition_release(frame_cut(collection, threshold));
}

static sl_computation_stats stats_of(const sl_collection *collection) {
    sl_computation_stats stats;
    sl_collection_stats(collection, &stats);
    return stats;
}

static void ten_partitions_are_kept(void **state) {
    (void)state;
    plain_edges edges = plain_chain();
    sl_collection *collection = frame_collection(&edges), *later;
    uint64_t bare = sl_memory_in_use();
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++) touch(collection, 1.0 - i / 16.0);
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++) touch(collection, 1.0 - (i + 0.5) / 16.0); /* the same merges */
    assert_int_equal(stats_of(collection).cuts, SL_CACHED_PARTITIONS);
    assert_int_equal(stats_of(collection).cached, SL_CACHED_PARTITIONS);
    touch(collection, 1.0);              /* now used last */
    touch(collection, 1.0 - 11 / 16.0);  /* takes the place of the second */
    touch(collection, 1.0);              /* kept */
    touch(collection, 1.0 - 2.5 / 16.0); /* kept */
    assert_int_equal(stats_of(collection).cuts, SL_CACHED_PARTITIONS + 1);
    touch(collection, 1.0 - 1 / 16.0); /* not kept */
    assert_int_equal(stats_of(collection).cuts, SL_CACHED_PARTITIONS + 2);
    sl_partition *partition = frame_cut(collection, 0.5);
    EXPECT_FAILURE(sl_collection_at(collection, NAN, &(sl_partition *){NULL}, &expect_error),
                   SL_ERROR_INVALID_THRESHOLD, -1);
    sl_collection_clear_cache(collection);
    assert_int_equal(sl_partition_num_records(partition), PLAIN_MAX_EDGES + 1);
    sl_partition_release(partition);
    assert_int_equal(sl_memory_in_use(), bare);
    sl_computation_stats stats = stats_of(collection);
    assert_int_equal(stats.total, stats.cached + stats.cuts);
    EXPECT_OK(sl_collection_create(sl_collection_context(collection), sl_collection_hierarchy(collection), 0, 6,
                                   collection, &later, &expect_error));
    touch(later, 0.5);
    assert_int_equal(stats_of(later).cuts, stats.cuts + 1);
    assert_int_equal(stats_of(collection).cuts, stats.cuts);
    sl_collection_release(collection);
    sl_collection_release(later);
}

static void views_of_different_ages_do_not_meet(void **state) {
    (void)state;
    sl_frame *frame = frame_make();
    plain_edges edges = plain_chain();
    frame_add(frame, "chain", &edges);
    sl_collection *young = frame_view(frame, "chain");
    touch(young, 0.5);
    frame_give(frame, 40, 2);
    sl_collection *old = frame_view(frame, "chain");
    sl_partition *of_old = frame_cut(old, 0.5), *of_young = frame_cut(young, 0.5);
    assert_int_equal(sl_partition_num_records(of_young), PLAIN_MAX_EDGES + 1);
    assert_int_equal(sl_partition_num_records(of_old), PLAIN_MAX_EDGES + 3);
    assert_int_equal(stats_of(old).cuts, 2);
    assert_int_equal(stats_of(young).cached, 1);
    sl_partition_release(of_old);
    sl_partition_release(of_young);
    sl_collection_release(old);
    sl_collection_release(young);
    sl_frame_release(frame);
}

/* Whoever retained one lives on what was made with it; a partition counts its arrays once they are made. */
static void references_are_counted(void **state) {
    (void)state;
    sl_frame *frame = frame_make(), *again = sl_frame_retain(frame);
    plain_edges edges = plain_chain();
    assert_ptr_equal(again, frame);
    frame_add(frame, "chain", &edges);
    sl_frame_release(frame);
    sl_collection *collection = frame_view(again, "chain"), *kept = sl_collection_retain(collection);
    sl_frame_release(again);
    sl_collection_release(collection);
    sl_partition *partition = frame_cut(kept, 0.5);
    assert_int_equal(sl_collection_decimals(kept), 6);
    sl_collection_release(kept);
    uint64_t bare = sl_partition_memory(partition), held = sl_memory_in_use();
    const uint32_t *labels = NULL;
    EXPECT_OK(sl_partition_labels(partition, &labels, &expect_error));
    assert_int_equal(sl_partition_memory(partition) - bare, sl_memory_in_use() - held);
    assert_true(sl_memory_in_use() > held);
    sl_partition_release(partition);
}

static void measure(const sl_collection *collection, const double *at, uint64_t count) {
    sl_curve_options options = {.thresholds = at, .num_thresholds = count};
    sl_curve *curve;
    EXPECT_OK(sl_collection_measure(collection, &options, &curve, &expect_error));
    sl_curve_release(curve);
}

static void rates_are_of_what_was_computed(void **state) {
    (void)state;
    sl_frame *frame = frame_make();
    plain_edges edges = plain_chain();
    frame_add(frame, "one", &edges);
    frame_add(frame, "two", &edges);
    sl_frame_metrics metrics = frame_metrics(frame);
    assert_true(isnan(metrics.avg_reconstruction_seconds) && isnan(metrics.cache_hit_rate) &&
                isnan(metrics.incremental_computation_rate));
    sl_collection *one = frame_view(frame, "one"), *two = frame_view(frame, "two");
    measure(one, plain_thresholds, PLAIN_THRESHOLDS);
    measure(one, plain_thresholds, 0);
    metrics = frame_metrics(frame);
    assert_true(isnan(metrics.cache_hit_rate) && metrics.incremental_computation_rate == 4.0 / 5.0);
    touch(one, 0.5);
    touch(two, 0.5);
    touch(two, 0.5);
    metrics = frame_metrics(frame);
    assert_true(metrics.cache_hit_rate == 1.0 / 3.0 && metrics.incremental_computation_rate == 4.0 / 8.0);
    assert_true(metrics.avg_reconstruction_seconds > 0.0);
    sl_computation_stats stats = stats_of(one);
    assert_int_equal(stats.total, 6);
    assert_true(stats.seconds_one_by_one >= stats.seconds && stats.cut_seconds <= stats.seconds);
    sl_collection_release(one);
    sl_collection_release(two);
    sl_frame_change *change = frame_begin(frame); /* the record of work survives a compaction */
    EXPECT_OK(sl_frame_change_drop(change, "two", 3, &expect_error));
    frame_commit(change);
    frame_give(frame, 40, 1);
    frame_add(frame, "more", &(plain_edges){.count = 1, .left = {60}, .right = {61}, .scores = {0.5}});
    frame_drop(frame, "more");
    change = frame_begin(frame);
    sl_frame_change_compact(change);
    frame_commit(change);
    metrics = frame_metrics(frame);
    assert_true(metrics.last_compaction > 0 && metrics.num_records == PLAIN_MAX_EDGES + 2 && metrics.num_sources == 2);
    assert_true(metrics.cache_hit_rate == 0.0 && metrics.incremental_computation_rate == 4.0 / 6.0);
    sl_frame_release(frame);
}

/* ---- interrupts -------------------------------------------------------------------------------------------------- */

#define MANY_RECORDS 1000000u /* given with attributes; one of two is garbage by then */

typedef struct interruption {
    const sl_frame *frame;
    uint32_t calls, stop_at;
} interruption;

/* Whoever is told of the progress may read the frame, as it was. */
static int stop_when_told(void *state, const char *phase, uint64_t done, uint64_t total) {
    interruption *i = state;
    uint32_t attachment;
    uint64_t row;
    sl_frame_state *now = sl_frame_now(i->frame);
    assert_string_equal(phase, "compacting");
    assert_true(done <= total);
    sl_context_find_attributes(sl_frame_state_context(now), (uint32_t[]){1}, 1, &attachment, &row);
    assert_int_equal(row, 1);
    sl_frame_state_release(now);
    return ++i->calls == i->stop_at;
}

/* Records of which every other one is used by the collection "half", and all by "whole". */
static sl_frame *large_frame(sl_batches *batches) {
    sl_frame *frame = frame_make();
    sl_frame_change *change = frame_begin(frame);
    sl_context *context;
    sl_hierarchy *hierarchy;
    sl_record_set *even, *all;
    uint16_t source;
    uint32_t first, *evens = fresh_memory(MANY_RECORDS / 2, sizeof *evens);
    uint64_t *keys = fresh_memory(MANY_RECORDS, sizeof *keys);
    for (uint32_t i = 0; i < MANY_RECORDS; i++) keys[i] = i;
    for (uint32_t i = 0; i < MANY_RECORDS / 2; i++) evens[i] = 2 * i;
    const sl_key_column column = {.keys = {.type = SL_COLUMN_UINT64, .length = MANY_RECORDS, .values = keys}};
    EXPECT_OK(sl_frame_change_context(change, &context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "crm", 3, &source, &expect_error));
    EXPECT_OK(sl_context_add_records(context, &column, &first, &expect_error));
    EXPECT_OK(sl_frame_change_attach(change, batches, NULL, 0, &expect_error));
    EXPECT_OK(sl_record_set_create(evens, MANY_RECORDS / 2, &even, &expect_error));
    EXPECT_OK(sl_record_set_create_range(0, MANY_RECORDS, &all, &expect_error));
    EXPECT_OK(sl_hierarchy_build(MANY_RECORDS, (uint32_t[]){0}, (uint32_t[]){2}, (double[]){0.5}, 1, NULL, &hierarchy,
                                 &expect_error));
    EXPECT_OK(sl_frame_change_add(change, "half", 4, hierarchy, 6, even, &expect_error));
    EXPECT_OK(sl_frame_change_add(change, "whole", 5, hierarchy, 6, all, &expect_error));
    frame_commit(change);
    sl_hierarchy_release(hierarchy);
    sl_record_set_release(even);
    sl_record_set_release(all);
    free(keys);
    free(evens);
    return frame;
}

static void an_interrupted_compaction_changes_nothing(void **state) {
    (void)state;
    sl_batches *batches = frame_batches(MANY_RECORDS);
    sl_frame *frame = large_frame(batches);
    sl_status status = SL_ERROR_INTERRUPTED;
    for (uint32_t stop_at = 1; status != SL_OK; stop_at *= 2) {
        sl_frame_state *before = sl_frame_now(frame);
        uint64_t held = sl_memory_in_use();
        interruption stop = {.frame = frame, .stop_at = stop_at};
        const sl_progress progress = {stop_when_told, &stop};
        sl_frame_change *change = frame_begin(frame);
        EXPECT_OK(sl_frame_change_drop(change, "whole", 5, &expect_error));
        sl_frame_change_compact(change);
        status = sl_frame_change_commit(change, &progress, &expect_error);
        if (status != SL_OK) {
            assert_int_equal(status, SL_ERROR_INTERRUPTED);
            assert_int_equal(stop.calls, stop_at);
            assert_ptr_equal(frame->current, before);
            assert_int_equal(sl_memory_in_use(), held);
        } else {
            assert_true(stop.calls < stop_at && stop_at > 1);
        }
        sl_frame_state_release(before);
        sl_frame_state *now = sl_frame_now(frame);
        EXPECT_OK(sl_i_state_validate(now, &expect_error));
        assert_int_equal(sl_frame_state_num_collections(now), status == SL_OK ? 1 : 2);
        assert_int_equal(sl_frame_state_num_records(now), status == SL_OK ? MANY_RECORDS / 2 : MANY_RECORDS);
        sl_frame_state_release(now);
    }
    frame_expect_attributes(frame, 5, batches, 10);
    sl_frame_release(frame);
    sl_batches_release(batches);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frames_are_what_the_model_says),
        TEST(empty_frames),
        TEST(unused_sources_are_compacted_away),
        TEST(names_are_bytes_of_utf8),
        TEST(what_is_used_is_there),
        TEST(attributes_are_not_seen_elsewhere),
        TEST(given_attributes_win),
        TEST(ten_partitions_are_kept),
        TEST(views_of_different_ages_do_not_meet),
        TEST(references_are_counted),
        TEST(rates_are_of_what_was_computed),
        TEST(an_interrupted_compaction_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
