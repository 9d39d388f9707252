/* compaction.c: a frame's state without its garbage.
 *
 * Live records move to a new context in their order, so that what was record r is now record rank(r), and every hierarchy is
 * renumbered likewise: garbage is joined to nothing in any of them. The old state is not touched; whoever holds it, or a
 * collection or partition made from it, keeps the old context alive. O(records) for the context and for each collection. */
#include "frame/frame_change.h"
#include "hierarchy/hierarchy.h"
#include "records/context_select.h"
#include "records/record_set.h"
#include "support/clock.h"

typedef struct compaction {
    const sl_frame_state *from;
    const sl_record_set *live;
    uint32_t *ranks; /* by record of `from` */
    sl_i_ticker *ticker;
} compaction;

/* A set of live records under their new numbers. */
static sl_status renumber(const compaction *c, const sl_record_set *set, sl_record_set **out, sl_error *error) {
    uint32_t count = sl_record_set_count(set), *records = NULL;
    SL_TRY(sl_i_allocate(&records, count, sizeof *records, "compacting a frame", error));
    sl_record_set_list(set, records);
    for (uint32_t i = 0; i < count; i++) records[i] = c->ranks[records[i]];
    sl_status status = sl_i_ticker_advance(c->ticker, 0, error);
    if (status == SL_OK) status = sl_record_set_create(records, count, out, error);
    sl_i_release(records, count, sizeof *records);
    return status;
}

static sl_status move_entry(const compaction *c, const sl_i_entry *entry, sl_i_entries *out, sl_error *error) {
    sl_hierarchy *hierarchy = NULL;
    sl_record_set *used = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_hierarchy_select(entry->hierarchy, c->ranks, c->ticker, &hierarchy, error));
    SL_TRY_CLEANUP(status, renumber(c, entry->used, &used, error));
    status =
        sl_i_entries_append(out, entry->name, entry->length, hierarchy, entry->decimals, used, entry->cache, error);
cleanup:
    sl_record_set_release(used);
    sl_hierarchy_release(hierarchy);
    return status;
}

/* The new context has the sources that are used and no others, in order of first use. */
static sl_status list_sources(sl_frame_state *state, sl_error *error) {
    uint32_t count = sl_context_num_sources(state->context);
    SL_TRY(sl_i_allocate(&state->sources, count, sizeof *state->sources, "the sources of a frame", error));
    for (uint32_t i = 0; i < count; i++) state->sources[i] = (uint16_t)i;
    state->num_sources = count;
    return SL_OK;
}

/* One unit for each record of the new context, and for each of a collection. */
static void begin_ticking(const compaction *c) {
    uint64_t total = sl_record_set_count(c->live);
    for (uint32_t i = 0; i < c->from->entries.count; i++)
        total += sl_hierarchy_num_records(c->from->entries.items[i]->hierarchy);
    sl_i_ticker_begin(c->ticker, "compacting", total);
}

static sl_status fill(const compaction *c, sl_frame_state *state, sl_error *error) {
    state->owns_context = true;
    state->num_records = sl_record_set_count(c->live);
    state->last_compaction = sl_i_wall_clock();
    SL_TRY(sl_i_context_select(c->from->context, c->live, c->ticker, &state->context, error));
    SL_TRY(renumber(c, c->from->given, &state->given, error));
    SL_TRY(sl_record_set_create_range(0, 0, &state->garbage, error));
    for (uint32_t i = 0; i < c->from->entries.count; i++)
        SL_TRY(move_entry(c, c->from->entries.items[i], &state->entries, error));
    return list_sources(state, error);
}

sl_status sl_i_state_compact(const sl_frame_state *state, const sl_record_set *live, sl_i_ticker *ticker,
                             sl_frame_state **out, sl_error *error) {
    compaction c = {.from = state, .live = live, .ticker = ticker};
    sl_frame_state *made = NULL;
    *out = NULL;
    begin_ticking(&c);
    uint32_t n = state->num_records;
    SL_TRY(sl_i_allocate(&c.ranks, n, sizeof *c.ranks, "compacting a frame", error));
    sl_status status = sl_i_record_set_rank(live, n, c.ranks, ticker, error);
    if (status == SL_OK) status = sl_i_state_create(&made, error);
    if (status == SL_OK) status = fill(&c, made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_frame_state_release(made);
    sl_i_release(c.ranks, n, sizeof *c.ranks);
    return status;
}
