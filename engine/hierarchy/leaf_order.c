/* leaf_order.c: see leaf_order.h. */
#include "hierarchy/leaf_order.h"

#include <string.h>

#include "support/sort.h"

#define AHEAD 16u         /* merges between a prefetch and its use */
#define TICK_STEP 262144u /* merges between two looks at the clock */

sl_status sl_i_merge_log_init(sl_i_merge_log *log, uint32_t num_records, sl_error *error) {
    *log = (sl_i_merge_log){.num_records = num_records, .level_code = UINT32_MAX};
    SL_TRY(sl_i_allocate(&log->parents, num_records, sizeof *log->parents, "the union-find forest", error));
    SL_TRY(sl_i_allocate(&log->sizes, num_records, sizeof *log->sizes, "component sizes", error));
    SL_TRY(sl_i_allocate(&log->merges, num_records, sizeof *log->merges, "the merge log", error));
    for (uint32_t record = 0; record < num_records; record++) {
        atomic_init(&log->parents[record], record);
        log->sizes[record] = 1;
    }
    return SL_OK;
}

void sl_i_merge_log_release(sl_i_merge_log *log) {
    sl_i_release(log->merges, log->num_records, sizeof *log->merges);
    sl_i_release(log->sizes, log->num_records, sizeof *log->sizes);
    sl_i_release((void *)log->parents, log->num_records, sizeof *log->parents);
}

/* ---- one level --------------------------------------------------------------------------------------------------- */

#define RADIX_LIMIT 2048u /* merges of one level from which a radix sort pays */

/* Ascending, in the memory of the merges themselves: a merge has room for its absorbed record and for the scratch. */
static void sort_absorbed(sl_i_merge *merges, uint32_t count) {
    uint32_t *absorbed = (uint32_t *)(void *)merges;
    for (uint32_t i = 0; i < count; i++) absorbed[i] = merges[i].absorbed;
    if (count < RADIX_LIMIT)
        sl_i_sort_u32(absorbed, count);
    else
        sl_i_radix_sort_u32(absorbed, absorbed + count, count);
}

#define FEW_MERGES 32u

/* Merges into one record at one level are one n-way merge. Nearly all levels have one merge, or a few. */
static void count_n_way(sl_i_merge_log *log, const sl_i_merge *merges, uint32_t count) {
    if (count > FEW_MERGES) {
        log->count_later = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = 0;
        while (merges[j].into != merges[i].into) j++;
        log->num_n_way += j == i;
    }
}

void sl_i_merge_log_close_level(sl_i_merge_log *log) {
    sl_i_merge *merges = log->merges + log->level_start;
    uint32_t count = log->num_merges - log->level_start;
    log->level_start = log->num_merges;
    if (count > 1) {
        const uint32_t *absorbed = (const uint32_t *)(const void *)merges;
        sort_absorbed(merges, count);
        for (uint32_t i = count; i-- > 0;) { /* backwards: merge i covers values 4i..4i+3, which are read by then */
            uint32_t record = absorbed[i];
            merges[i] = (sl_i_merge){record, sl_i_find_root(log->parents, record), 0, log->level_code};
        }
    }
    count_n_way(log, merges, count);
    for (uint32_t i = 0; i < count; i++) {
        merges[i].offset = log->sizes[merges[i].into];
        log->sizes[merges[i].into] += log->sizes[merges[i].absorbed];
    }
}

/* ---- from the log to the leaf order ------------------------------------------------------------------------------ */

static sl_status take_levels(sl_i_merge_log *log, sl_i_level_value value, const void *state, double **out_levels,
                             uint32_t *out_count, sl_error *error) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < log->num_merges; i++) count += i == 0 || log->merges[i].code != log->merges[i - 1].code;
    double *levels = NULL;
    SL_TRY(sl_i_allocate(&levels, count, sizeof *levels, "the levels", error));
    uint32_t level = 0, last = 0;
    for (uint32_t i = 0; i < log->num_merges; i++) {
        uint32_t code = log->merges[i].code;
        if (i == 0 || code != last) levels[level++] = value(state, code);
        last = code;
        log->merges[i].code = level - 1;
    }
    *out_levels = levels;
    *out_count = count;
    return SL_OK;
}

/* Components follow each other in the order of their smallest records, which are their roots. */
static void place_roots(sl_i_merge_log *log) {
    uint32_t next = 0;
    for (uint32_t record = 0; record < log->num_records; record++) {
        if (sl_i_load_parent(log->parents, record) != record) continue;
        uint32_t size = log->sizes[record];
        log->sizes[record] = next;
        next += size;
    }
}

static sl_status place_merged(sl_i_merge_log *log, uint32_t *join, sl_i_ticker *ticker, sl_error *error) {
    uint32_t *positions = log->sizes;
    sl_i_ticker_begin(ticker, "ordering records", log->num_merges);
    for (uint32_t i = log->num_merges; i-- > 0;) {
        if (i >= AHEAD) {
            __builtin_prefetch(&positions[log->merges[i - AHEAD].into]);
            __builtin_prefetch(&positions[log->merges[i - AHEAD].absorbed], 1);
        }
        const sl_i_merge *m = &log->merges[i];
        uint32_t position = positions[m->into] + m->offset;
        positions[m->absorbed] = position;
        join[position - 1] = m->code;
        if (i % TICK_STEP == 0) SL_TRY(sl_i_ticker_advance(ticker, TICK_STEP, error));
    }
    return SL_OK;
}

static void fill_order(sl_i_merge_log *log, uint32_t *order) {
    const uint32_t *positions = log->sizes;
    for (uint32_t record = 0; record < log->num_records; record++) order[positions[record]] = record;
}

sl_status sl_i_leaf_order_make(sl_i_merge_log *log, sl_i_level_value value, const void *state, sl_i_score_kind kind,
                               sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) {
    uint32_t n = log->num_records, num_levels = 0;
    double *levels = NULL;
    uint32_t *join = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, take_levels(log, value, state, &levels, &num_levels, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&join, n, sizeof *join, "the joins", error));
    memset(join, 0xFF, n * sizeof *join); /* SL_NEVER */
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    place_roots(log);
    SL_TRY_CLEANUP(status, place_merged(log, join, ticker, error));
    uint32_t *order = (uint32_t *)(void *)log->parents; /* no longer needed, and of the right size */
    fill_order(log, order);
    uint32_t num_n_way = log->count_later ? sl_i_count_merges(n, join, log->sizes) : log->num_n_way;
    status = sl_i_hierarchy_take(n, num_levels, num_n_way, kind, order, join, levels, out, error);
    if (status == SL_OK) {
        log->parents = NULL;
        return SL_OK;
    }
cleanup:
    sl_i_release(levels, num_levels, sizeof *levels);
    sl_i_release(join, n, sizeof *join);
    return status;
}
