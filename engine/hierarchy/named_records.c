/* named_records.c: which records a hierarchy is about, and the same hierarchy over only some records.
 *
 * Leaving records out that are joined to nothing takes their positions out of the leaf order and renumbers the others by rank.
 * Ranks keep the order of records, so the result is canonical without any sorting. */
#include <string.h>

#include "hierarchy/constraints.h"
#include "hierarchy/hierarchy.h"
#include "hierarchy/kept_edges.h"
#include "records/record_set.h"

void sl_i_mark_joined(const sl_hierarchy *hierarchy, uint64_t *joined) {
    uint32_t before = SL_NEVER; /* join with the position before */
    for (uint32_t i = 0; i < hierarchy->num_records; i++) {
        uint32_t record = hierarchy->order[i], after = hierarchy->join[i];
        uint64_t is_joined = before != SL_NEVER || after != SL_NEVER;
        joined[record / 64] |= is_joined << record % 64;
        before = after;
    }
}

static uint32_t list_bits(const uint64_t *bits, uint64_t words, uint32_t *out) {
    uint32_t count = 0;
    for (uint64_t word = 0; word < words; word++)
        for (uint64_t left = bits[word]; left; left &= left - 1)
            out[count++] = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
    return count;
}

static sl_status joined_records(const sl_hierarchy *hierarchy, sl_record_set **out, sl_error *error) {
    uint32_t n = hierarchy->num_records, *records = NULL;
    uint64_t *bits = NULL, words = ((uint64_t)n + 63) / 64;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&bits, words, sizeof *bits, "the records of a collection", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&records, n, sizeof *records, "the records of a collection", error));
    sl_i_mark_joined(hierarchy, bits);
    status = sl_record_set_create(records, list_bits(bits, words, records), out, error);
cleanup:
    sl_i_release(bits, words, sizeof *bits);
    sl_i_release(records, n, sizeof *records);
    return status;
}

sl_status sl_hierarchy_named_records(const sl_hierarchy *hierarchy, sl_record_set **out, sl_error *error) {
    sl_record_set *joined = NULL;
    *out = NULL;
    SL_TRY(joined_records(hierarchy, &joined, error));
    if (!hierarchy->lone) {
        *out = joined;
        return SL_OK;
    }
    sl_status status = sl_record_set_union(joined, hierarchy->lone, out, error);
    sl_record_set_release(joined);
    return status;
}

/* ---- selecting --------------------------------------------------------------------------------------------------- */

#define POLL_RECORDS 65536

typedef struct selection {
    const sl_hierarchy *from;
    const uint32_t *ranks; /* by record; SL_NO_RECORD: left out */
    uint32_t kept;
    uint32_t *order, *join;
    double *levels;
} selection;

static uint32_t count_kept(const selection *s) {
    uint32_t kept = 0;
    for (uint32_t record = 0; record < s->from->num_records; record++) kept += s->ranks[record] != SL_NO_RECORD;
    return kept;
}

static sl_status keep_positions(selection *s, sl_i_ticker *ticker, sl_error *error) {
    const sl_hierarchy *from = s->from;
    uint32_t kept = 0, before = SL_NEVER;
    for (uint32_t i = 0; i < from->num_records; i++) {
        uint32_t record = from->order[i], after = from->join[i];
        if (i % POLL_RECORDS == 0) SL_TRY(sl_i_ticker_advance(ticker, i ? POLL_RECORDS : 0, error));
        if (s->ranks[record] != SL_NO_RECORD) {
            s->order[kept] = s->ranks[record];
            s->join[kept++] = after;
        } else if (before != SL_NEVER || after != SL_NEVER) {
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                             "record %u is joined to others and cannot be left out of the hierarchy", record);
        }
        before = after;
    }
    return SL_OK;
}

static sl_status translate_lone(const selection *s, sl_hierarchy *made, sl_error *error) {
    uint32_t *records = NULL, count = s->from->lone ? sl_record_set_count(s->from->lone) : 0, kept = 0;
    sl_record_set *lone = NULL;
    if (count == 0) return SL_OK;
    SL_TRY(sl_i_allocate(&records, count, sizeof *records, "selecting records", error));
    sl_record_set_list(s->from->lone, records);
    for (uint32_t i = 0; i < count; i++)
        if (s->ranks[records[i]] != SL_NO_RECORD) records[kept++] = s->ranks[records[i]];
    sl_status status = kept ? sl_record_set_create(records, kept, &lone, error) : SL_OK;
    sl_i_release(records, count, sizeof *records);
    made->lone = lone;
    return status;
}

static sl_status take_selection(selection *s, sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) {
    const sl_hierarchy *from = s->from;
    sl_hierarchy *made = NULL;
    SL_TRY(sl_i_hierarchy_take(s->kept, from->num_levels, from->num_merges, sl_i_score_kind_of(from), s->order, s->join,
                               s->levels, &made, error));
    s->order = s->join = NULL;
    s->levels = NULL;
    made->constraints = sl_i_constraints_retain(from->constraints);
    sl_status status = translate_lone(s, made, error);
    if (status == SL_OK) status = sl_i_kept_select(from, s->ranks, made, ticker, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_hierarchy_release(made);
    return status;
}

sl_status sl_i_hierarchy_select(const sl_hierarchy *hierarchy, const uint32_t *ranks, sl_i_ticker *ticker,
                                sl_hierarchy **out, sl_error *error) {
    selection s = {.from = hierarchy, .ranks = ranks};
    uint32_t num_levels = hierarchy->num_levels;
    sl_status status;
    *out = NULL;
    s.kept = count_kept(&s);
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.order, s.kept, sizeof *s.order, "the order", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.join, s.kept, sizeof *s.join, "the joins", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.levels, num_levels, sizeof *s.levels, "the levels", error));
    memcpy(s.levels, hierarchy->levels, num_levels * sizeof *s.levels);
    SL_TRY_CLEANUP(status, keep_positions(&s, ticker, error));
    status = take_selection(&s, ticker, out, error);
cleanup:
    sl_i_release(s.order, s.kept, sizeof *s.order);
    sl_i_release(s.join, s.kept, sizeof *s.join);
    sl_i_release(s.levels, num_levels, sizeof *s.levels);
    return status;
}

sl_status sl_hierarchy_select(const sl_hierarchy *hierarchy, const sl_record_set *records, sl_hierarchy **out,
                              sl_error *error) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    uint32_t n = hierarchy->num_records, *ranks = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate(&ranks, n, sizeof *ranks, "selecting records", error));
    sl_status status = sl_i_record_set_rank(records, n, ranks, &silent, error);
    if (status == SL_OK) status = sl_i_hierarchy_select(hierarchy, ranks, &silent, out, error);
    sl_i_release(ranks, n, sizeof *ranks);
    return status;
}
