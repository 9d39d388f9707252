/* frame.c: life of a frame, and what there is to watch of one. Changes are in frame_change.c. */
#include "frame/frame.h"

static sl_status make_frame(sl_frame **out, sl_error *error) {
    sl_frame *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a frame", error));
    sl_status status = sl_i_fork_lock_make(&made->changing, "a frame", error);
    if (status != SL_OK) {
        sl_i_release(made, 1, sizeof *made);
        return status;
    }
    atomic_init(&made->references, 1);
    *out = made;
    return SL_OK;
}

sl_status sl_i_frame_take(sl_frame_state *state, sl_frame **out, sl_error *error) {
    SL_TRY(make_frame(out, error));
    (*out)->current = state;
    return SL_OK;
}

sl_status sl_frame_create(sl_frame **out, sl_error *error) {
    SL_TRY(make_frame(out, error));
    sl_status status = sl_i_state_create_empty(&(*out)->current, error);
    if (status == SL_OK) return SL_OK;
    sl_frame_release(*out);
    *out = NULL;
    return status;
}

/* The same hierarchies and sets, with caches of their own. */
static sl_status copy_entries(const sl_i_entries *from, sl_i_entries *out, sl_error *error) {
    for (uint32_t i = 0; i < from->count; i++) {
        const sl_i_entry *entry = from->items[i];
        SL_TRY(sl_i_entries_append(out, entry->name, entry->length, entry->hierarchy, entry->decimals, entry->used,
                                   NULL, error));
    }
    return SL_OK;
}

static sl_status copy_state(const sl_frame_state *from, sl_frame_state **out, sl_error *error) {
    sl_frame_state *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_state_create(&made, error));
    made->context = sl_context_retain(from->context);
    made->num_records = from->num_records; /* owns_context stays false: the context is the other frame's */
    made->given = sl_record_set_retain(from->given);
    made->garbage = sl_record_set_retain(from->garbage);
    made->last_compaction = from->last_compaction;
    sl_status status = copy_entries(&from->entries, &made->entries, error);
    if (status == SL_OK) status = sl_i_state_list_sources(made, from, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_frame_state_release(made);
    return status;
}

sl_status sl_frame_copy(const sl_frame *frame, sl_frame **out, sl_error *error) {
    SL_TRY(make_frame(out, error));
    sl_frame_state *state = sl_frame_now(frame);
    sl_status status = copy_state(state, &(*out)->current, error);
    sl_frame_state_release(state);
    if (status == SL_OK) return SL_OK;
    sl_frame_release(*out);
    *out = NULL;
    return status;
}

sl_frame *sl_frame_retain(const sl_frame *frame) {
    sl_frame *shared = (sl_frame *)(uintptr_t)frame; /* only the reference count changes */
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void sl_frame_release(sl_frame *frame) {
    if (!frame || atomic_fetch_sub_explicit(&frame->references, 1, memory_order_acq_rel) != 1) return;
    sl_frame_state_release(frame->current);
    sl_i_fork_lock_free(&frame->changing);
    sl_i_release(frame, 1, sizeof *frame);
}

sl_frame_state *sl_frame_now(const sl_frame *frame) {
    sl_i_short_lock(frame);
    sl_frame_state *state = sl_i_state_retain(frame->current);
    sl_i_short_unlock(frame);
    return state;
}

void sl_i_frame_swap(sl_frame *frame, sl_frame_state *state) {
    sl_i_short_lock(frame);
    sl_frame_state *before = frame->current;
    frame->current = state;
    sl_i_short_unlock(frame);
    sl_frame_state_release(before);
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

static double share(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

static void add_stats(const sl_i_entry *entry, sl_computation_stats *sum) {
    sl_computation_stats stats;
    sl_i_cache_stats(entry->cache, &stats);
    sum->total += stats.total;
    sum->incremental += stats.incremental;
    sum->cached += stats.cached;
    sum->cuts += stats.cuts;
    sum->cut_seconds += stats.cut_seconds;
}

static sl_status measure_collections(const sl_frame_state *state, sl_frame_metrics *out, sl_error *error) {
    sl_computation_stats sum = {0};
    double stability = 0.0, sensitivity = 0.0, count = state->entries.count;
    for (uint32_t i = 0; i < state->entries.count; i++) {
        const sl_i_entry *entry = state->entries.items[i];
        sl_lifetimes lifetimes;
        SL_TRY(sl_i_cache_lifetimes(entry->cache, entry->hierarchy, state->num_records, &lifetimes, error));
        stability += lifetimes.entity_stability;
        sensitivity += lifetimes.threshold_sensitivity;
        add_stats(entry, &sum);
    }
    out->avg_entity_stability = count > 0.0 ? stability / count : 1.0;
    out->threshold_sensitivity = share(sensitivity, count);
    out->avg_reconstruction_seconds = sum.cut_seconds / (double)sum.cuts; /* NaN before the first, and so the others */
    out->cache_hit_rate = (double)sum.cached / (double)(sum.cached + sum.cuts);
    out->incremental_computation_rate = (double)sum.incremental / (double)sum.total;
    return SL_OK;
}

sl_status sl_frame_collect_metrics(const sl_frame *frame, sl_frame_metrics *out, sl_error *error) {
    sl_frame_state *state = sl_frame_now(frame);
    *out = (sl_frame_metrics){.num_collections = state->entries.count,
                              .num_records = state->num_records,
                              .num_sources = state->num_sources,
                              .memory = sizeof *frame + sl_i_state_memory(state),
                              .garbage_ratio = share(sl_record_set_count(state->garbage), state->num_records),
                              .last_compaction = state->last_compaction};
    sl_status status = measure_collections(state, out, error);
    if (status != SL_OK) *out = (sl_frame_metrics){0};
    sl_frame_state_release(state);
    return status;
}
