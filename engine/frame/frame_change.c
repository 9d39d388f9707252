/* frame_change.c: changes of a frame, all or nothing.
 *
 * A change works on a list of entries of its own and appends to the context beyond the records that anybody sees. The commit
 * makes a new state of them, compacts it where there is much garbage, and swaps it in: the only step that others notice, and
 * one that cannot fail. Until then an abort drops the list and truncates the context. */
#include "frame/frame_change.h"

#include <inttypes.h>

#include "frame/collection.h"
#include "records/attributes.h"
#include "records/record_set.h"
#include "records/utf8.h"

/* ---- beginning and ending ---------------------------------------------------------------------------------------- */

static void free_change(sl_frame_change *change) {
    sl_frame *frame = change->frame;
    sl_i_entries_release(&change->entries);
    sl_record_set_release(change->given);
    sl_context_release(change->context);
    sl_i_release(change, 1, sizeof *change);
    sl_i_fork_lock_end_write(&frame->changing);
    sl_frame_release(frame);
}

sl_status sl_frame_begin(sl_frame *frame, sl_frame_change **out, sl_error *error) {
    sl_frame_change *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a change of a frame", error));
    if (!sl_i_fork_lock_write(&frame->changing)) {
        sl_i_release(made, 1, sizeof *made);
        return sl_i_fail(error, SL_ERROR_SYSTEM,
                         "another thread was changing the frame when this process was forked: change a copy of it");
    }
    made->frame = sl_frame_retain(frame);
    made->base = frame->current; /* replaced only by who holds the lock */
    made->context = sl_context_retain(made->base->context);
    made->owns_context = made->base->owns_context;
    made->num_records = made->base->num_records;
    made->given = sl_record_set_retain(made->base->given);
    sl_status status = sl_i_entries_copy(&made->base->entries, &made->entries, error);
    if (status == SL_OK)
        *out = made;
    else
        free_change(made);
    return status;
}

/* Leave the context as the change found it. Attachments laid over others could not be undone, but records that the base has are
 * described in a copy only (sl_frame_change_attach), and the change's own go. */
static void undo_appends(const sl_frame_change *change) {
    if (!change->appends) return;
    if (sl_context_num_attachments(change->context) > change->attachments)
        sl_i_context_detach(change->context, change->attachments);
    if (sl_context_num_records(change->context) > change->before) sl_context_truncate(change->context, change->before);
}

void sl_frame_change_abort(sl_frame_change *change) {
    if (!change) return;
    undo_appends(change);
    free_change(change);
}

sl_status sl_frame_change_context(sl_frame_change *change, sl_context **out, sl_error *error) {
    *out = NULL;
    if (!change->owns_context) {
        sl_context *copy = NULL;
        SL_TRY(sl_context_copy(change->context, change->num_records, &copy, error));
        sl_context_release(change->context);
        change->context = copy;
        change->owns_context = true;
    }
    if (!change->appends) {
        change->before = sl_context_num_records(change->context);
        change->attachments = sl_context_num_attachments(change->context);
    }
    change->appends = true;
    *out = change->context;
    return SL_OK;
}

static uint32_t num_records(const sl_frame_change *change) {
    return change->appends ? sl_context_num_records(change->context) : change->num_records;
}

/* Make the change's context one that nobody else has: whoever shares the base's sees the records that are there already, and
 * must not see them change. */
static sl_status leave_base_context(sl_frame_change *change, sl_error *error) {
    sl_context *copy = NULL;
    if (change->context != change->base->context) return SL_OK;
    SL_TRY(sl_context_copy(change->context, num_records(change), &copy, error));
    undo_appends(change);
    sl_context_release(change->context);
    change->context = copy;
    change->owns_context = true;
    change->appends = true;
    return SL_OK;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* `format` has one %s, for the name. */
static sl_status fail_name(sl_error *error, sl_status status, const char *name, size_t length, const char *format) {
    char quoted[SL_I_QUOTED_SIZE];
    return sl_i_fail(error, status, format, sl_i_text_quote(name, length, quoted));
}

/* Row `row` gives a record that was given already, in an earlier row or before this call. */
static sl_status fail_given(const sl_frame_change *change, const uint32_t *records, uint64_t row, sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE];
    sl_record record = {0};
    uint64_t other = 0;
    while (other < row && records[other] != records[row]) other++;
    (void)sl_context_record(change->context, records[row], &record);
    sl_i_key_quote(&record.key, quoted);
    if (other < row)
        return sl_i_fail_row(error, SL_ERROR_DUPLICATE_KEY, (int64_t)row, (int64_t)other,
                             "rows %" PRIu64 " and %" PRIu64
                             " have the same key %s; keys must be unique within a source",
                             other, row, quoted);
    return sl_i_fail_row(error, SL_ERROR_DUPLICATE_KEY, (int64_t)row, -1,
                         "row %" PRIu64 ": the key %s is already a record of this source; add each record once", row,
                         quoted);
}

/* Every record once, and none that was given before. `seen` has a zeroed bit for each record of the context. */
static sl_status check_given_once(const sl_frame_change *change, const uint32_t *records, uint64_t count,
                                  uint64_t *seen, sl_error *error) {
    uint32_t known = num_records(change);
    for (uint64_t row = 0; row < count; row++) {
        uint32_t record = records[row];
        if (record >= known)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                                 "row %" PRIu64 " names record %" PRIu32 ", but there are only %" PRIu32 " records",
                                 row, record, known);
        if ((seen[record / 64] >> record % 64 & 1) || sl_record_set_contains(change->given, record))
            return fail_given(change, records, row, error);
        seen[record / 64] |= UINT64_C(1) << record % 64;
    }
    return SL_OK;
}

sl_status sl_frame_change_give(sl_frame_change *change, const uint32_t *records, uint64_t count, sl_error *error) {
    sl_record_set *more = NULL, *all = NULL;
    uint64_t *seen = NULL, words = (uint64_t)num_records(change) / 64 + 1;
    sl_status status;
    SL_TRY(sl_i_allocate_zeroed(&seen, words, sizeof *seen, "records of a frame", error));
    SL_TRY_CLEANUP(status, check_given_once(change, records, count, seen, error));
    SL_TRY_CLEANUP(status, sl_record_set_create(records, count, &more, error));
    SL_TRY_CLEANUP(status, sl_record_set_union(change->given, more, &all, error));
    sl_record_set_release(change->given);
    change->given = all;
cleanup:
    sl_record_set_release(more);
    sl_i_release(seen, words, sizeof *seen);
    return status;
}

/* Do rows describe records that the frame had before the change? */
static bool describes_old_records(const sl_frame_change *change, const uint32_t *records, uint32_t first,
                                  uint64_t num_rows) {
    uint32_t old = change->base->num_records;
    if (!records) return num_rows > 0 && first < old;
    uint64_t row = 0;
    while (row < num_rows && records[row] >= old) row++;
    return row < num_rows;
}

sl_status sl_frame_change_attach(sl_frame_change *change, sl_batches *batches, const uint32_t *records, uint32_t first,
                                 sl_error *error) {
    sl_context *context;
    if (describes_old_records(change, records, first, sl_batches_num_rows(batches)))
        SL_TRY(leave_base_context(change, error));
    SL_TRY(sl_frame_change_context(change, &context, error));
    return sl_context_attach(context, batches, records, first, error);
}

static sl_status check_new_name(const sl_frame_change *change, const char *name, size_t length, sl_error *error) {
    if (!name && length > 0)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the name of the collection is missing");
    if (length > 0 && !sl_i_utf8_valid((const uint8_t *)name, length))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the name of the collection is not UTF-8");
    if (sl_i_entries_find(&change->entries, name, length) == change->entries.count) return SL_OK;
    return fail_name(error, SL_ERROR_DUPLICATE_COLLECTION, name, length,
                     "the frame has a collection %s already; drop it first or choose another name");
}

/* A hierarchy, its decimals and the set of what it uses are of the change's context, as far as can be seen. */
static sl_status check_newcomer(const sl_frame_change *change, const sl_hierarchy *hierarchy, uint32_t decimals,
                                const sl_record_set *used, sl_error *error) {
    uint32_t covered = sl_hierarchy_num_records(hierarchy), known = num_records(change);
    if (covered > known)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the hierarchy has %" PRIu32 " records, the frame only %" PRIu32
                         ": it belongs to another context",
                         covered, known);
    if (used && sl_record_set_count(used) > 0 && sl_i_record_set_last(used) >= known)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the collection is to use record %" PRIu32 ", but there are only %" PRIu32 " records",
                         sl_i_record_set_last(used), known);
    if (decimals > 6)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "cannot round scores to %" PRIu32 " decimals: choose 1 to 6, or 0 for exact scores", decimals);
    return SL_OK;
}

sl_status sl_frame_change_add(sl_frame_change *change, const char *name, size_t length, const sl_hierarchy *hierarchy,
                              uint32_t decimals, const sl_record_set *used, sl_error *error) {
    sl_record_set *named = NULL, *all = NULL;
    sl_status status;
    SL_TRY(check_new_name(change, name, length, error));
    SL_TRY(check_newcomer(change, hierarchy, decimals, used, error));
    SL_TRY_CLEANUP(status, sl_hierarchy_named_records(hierarchy, &named, error));
    if (used) SL_TRY_CLEANUP(status, sl_record_set_union(named, used, &all, error));
    status = sl_i_entries_append(&change->entries, name, length, hierarchy, decimals, used ? all : named, NULL, error);
cleanup:
    sl_record_set_release(named);
    sl_record_set_release(all);
    return status;
}

sl_status sl_frame_change_drop(sl_frame_change *change, const char *name, size_t length, sl_error *error) {
    uint32_t position = name || length == 0 ? sl_i_entries_find(&change->entries, name, length) : change->entries.count;
    if (position == change->entries.count)
        return fail_name(error, SL_ERROR_COLLECTION_NOT_FOUND, name ? name : "", name ? length : 0,
                         "the frame has no collection %s");
    sl_i_entries_remove(&change->entries, position);
    change->drops = true;
    return SL_OK;
}

void sl_frame_change_compact(sl_frame_change *change) { change->compacts = true; }

/* ---- assimilation ------------------------------------------------------------------------------------------------ */

typedef struct newcomer {
    const char *name;
    size_t length;
    const sl_collection *collection;
    uint32_t *translation;
} newcomer;

static void translate_to_itself(const newcomer *n) {
    for (uint32_t i = 0; i < n->collection->num_records; i++) n->translation[i] = i;
}

/* The collection over the very records that it is over now, all of which count as its own. */
static sl_status append_as_it_is(sl_frame_change *change, const newcomer *n, sl_error *error) {
    const sl_collection *given = n->collection;
    sl_record_set *used = NULL;
    SL_TRY(sl_record_set_create_range(0, given->num_records, &used, error));
    sl_status status =
        sl_i_entries_append(&change->entries, n->name, n->length, given->hierarchy, given->decimals, used, NULL, error);
    sl_record_set_release(used);
    if (status == SL_OK) translate_to_itself(n);
    return status;
}

/* A frame without records takes the collection's context as it is: nothing is copied until the frame has to append. */
static sl_status adopt_context(sl_frame_change *change, const newcomer *n, sl_error *error) {
    SL_TRY(append_as_it_is(change, n, error));
    sl_context_retain(n->collection->context);
    sl_context_release(change->context);
    change->context = n->collection->context;
    change->owns_context = false;
    change->num_records = n->collection->num_records;
    return SL_OK;
}

static sl_status check_known(const newcomer *n, uint32_t before, sl_error *error) {
    const sl_collection *given = n->collection;
    uint32_t num_new = 0, first = 0;
    for (uint32_t i = given->num_records; i-- > 0;)
        if (n->translation[i] >= before) {
            num_new++;
            first = i;
        }
    if (num_new == 0) return SL_OK;
    sl_record record = {0};
    char quoted[SL_I_QUOTED_SIZE];
    (void)sl_context_record(given->context, first, &record);
    return sl_i_fail_row(
        error, SL_ERROR_KEY_NOT_FOUND, first, -1,
        "%" PRIu32 " records of the collection are not in the frame, the first is %s of source \"%s\"; "
        "check the source, or let new records be added",
        num_new, sl_i_key_quote(&record.key, quoted), sl_context_source_name(given->context, record.source, NULL));
}

static sl_status translate(sl_frame_change *change, const newcomer *n, bool known_records_only,
                           const sl_progress *progress, sl_error *error) {
    const sl_collection *given = n->collection;
    sl_hierarchy *translated = NULL;
    sl_record_set *used = NULL;
    sl_context *context;
    sl_status status;
    SL_TRY(sl_frame_change_context(change, &context, error));
    uint32_t before = sl_context_num_records(context);
    SL_TRY(sl_context_assimilate(context, given->context, given->num_records, n->translation, progress, error));
    if (known_records_only) SL_TRY_CLEANUP(status, check_known(n, before, error));
    SL_TRY_CLEANUP(status, sl_record_set_create(n->translation, given->num_records, &used, error));
    SL_TRY_CLEANUP(status, sl_hierarchy_merge(NULL, given->hierarchy, n->translation, sl_context_num_records(context),
                                              progress, &translated, error));
    status = sl_i_entries_append(&change->entries, n->name, n->length, translated, given->decimals, used, NULL, error);
cleanup:
    sl_record_set_release(used);
    sl_hierarchy_release(translated);
    if (status != SL_OK && sl_context_num_records(context) > before) sl_context_truncate(context, before);
    return status;
}

sl_status sl_frame_change_assimilate(sl_frame_change *change, const char *name, size_t length,
                                     const sl_collection *collection, bool known_records_only, uint32_t *translation,
                                     const sl_progress *progress, sl_error *error) {
    const newcomer n = {name, length, collection, translation};
    bool is_shared = collection->context == change->context && collection->num_records <= num_records(change);
    SL_TRY(check_new_name(change, name, length, error));
    if (is_shared) return append_as_it_is(change, &n, error);
    if (num_records(change) == 0 && !change->appends && !known_records_only) return adopt_context(change, &n, error);
    return translate(change, &n, known_records_only, progress, error);
}

/* ---- the new state ----------------------------------------------------------------------------------------------- */

/* Records that are given, or used by a collection. */
static sl_status list_live(const sl_frame_change *change, sl_record_set **out, sl_error *error) {
    sl_record_set *live = sl_record_set_retain(change->given);
    sl_status status = SL_OK;
    for (uint32_t i = 0; i < change->entries.count && status == SL_OK; i++) {
        sl_record_set *more = NULL;
        status = sl_record_set_union(live, change->entries.items[i]->used, &more, error);
        sl_record_set_release(live);
        live = more;
    }
    *out = live;
    return status;
}

static sl_status list_garbage(uint32_t num_records, const sl_record_set *live, sl_record_set **out, sl_error *error) {
    sl_record_set *all = NULL;
    SL_TRY(sl_record_set_create_range(0, num_records, &all, error));
    sl_status status = sl_record_set_difference(all, live, out, error);
    sl_record_set_release(all);
    return status;
}

static sl_status fill_state(const sl_frame_change *change, const sl_record_set *live, sl_frame_state *state,
                            sl_error *error) {
    state->context = sl_context_retain(change->context);
    state->num_records = num_records(change);
    state->owns_context = change->owns_context;
    state->last_compaction = change->base->last_compaction;
    state->given = sl_record_set_retain(change->given);
    SL_TRY(list_garbage(state->num_records, live, &state->garbage, error));
    SL_TRY(sl_i_entries_copy(&change->entries, &state->entries, error));
    return sl_i_state_list_sources(state, change->base->num_records > 0 ? change->base : NULL, error);
}

static sl_status make_state(const sl_frame_change *change, const sl_record_set *live, sl_frame_state **out,
                            sl_error *error) {
    sl_frame_state *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_state_create(&made, error));
    sl_status status = fill_state(change, live, made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_frame_state_release(made);
    return status;
}

static bool has_too_much_garbage(const sl_frame_state *state) {
    return 2 * (uint64_t)sl_record_set_count(state->garbage) > state->num_records;
}

/* Names of sources that no record uses, as failed additions leave them, would be used up for good. */
static bool has_unused_sources(const sl_frame_state *state) {
    return sl_context_num_sources(state->context) > state->num_sources;
}

static bool is_to_be_compacted(const sl_frame_change *change, const sl_frame_state *state) {
    if (change->compacts) return sl_record_set_count(state->garbage) > 0 || has_unused_sources(state);
    return change->drops && has_too_much_garbage(state);
}

static sl_status make_final_state(const sl_frame_change *change, const sl_progress *progress, sl_frame_state **out,
                                  sl_error *error) {
    sl_i_ticker ticker = sl_i_ticker_make(progress);
    sl_record_set *live = NULL;
    sl_frame_state *state = NULL, *compact = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, list_live(change, &live, error));
    SL_TRY_CLEANUP(status, make_state(change, live, &state, error));
    if (is_to_be_compacted(change, state)) {
        SL_TRY_CLEANUP(status, sl_i_state_compact(state, live, &ticker, &compact, error));
        sl_frame_state_release(state);
        state = compact;
    }
    *out = state;
    state = NULL;
cleanup:
    sl_record_set_release(live);
    sl_frame_state_release(state);
    return status;
}

sl_status sl_frame_change_commit(sl_frame_change *change, const sl_progress *progress, sl_error *error) {
    sl_frame_state *state = NULL;
    sl_status status = make_final_state(change, progress, &state, error);
    if (status != SL_OK) {
        sl_frame_change_abort(change);
        return status;
    }
    sl_i_frame_swap(change->frame, state);
    free_change(change);
    return SL_OK;
}
