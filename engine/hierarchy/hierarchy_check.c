/* hierarchy_check.c: does a hierarchy keep its invariants, and if not, which one is broken and where.
 *
 * Joins and order may be any numbers: nothing is followed before it is known to be in bounds. What was met is marked in bits, which
 * stay in the cache where a number for each record would not: about 10 ms a million records, without kept edges. */
#include <string.h>

#include "hierarchy/hierarchy.h"
#include "hierarchy/kept_edges.h"
#include "records/record_set.h"

#define TICK_STEP 262144u /* positions between two looks at the clock */

static sl_status corrupt(sl_error *error, const char *what, uint64_t where) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "hierarchy is invalid: %s at %llu", what, (unsigned long long)where);
}

/* A bit for each record, and for each level, of which there are fewer. */
static uint64_t words_of(const sl_hierarchy *hierarchy) { return ((uint64_t)hierarchy->num_records + 63) / 64; }

static bool is_marked(const uint64_t *bits, uint32_t number) { return bits[number / 64] >> number % 64 & 1; }
static void mark(uint64_t *bits, uint32_t number) { bits[number / 64] |= UINT64_C(1) << number % 64; }

static sl_status tick(uint32_t position, sl_i_ticker *ticker, sl_error *error) {
    return position % TICK_STEP == 0 ? sl_i_ticker_advance(ticker, 0, error) : SL_OK;
}

static bool all_marked(const uint64_t *bits, uint32_t count) {
    uint64_t missing = 0;
    for (uint32_t word = 0; word < count / 64; word++) missing |= ~bits[word];
    return missing == 0 && (count % 64 == 0 || bits[count / 64] == (UINT64_C(1) << count % 64) - 1);
}

static sl_status find_repeat(const sl_hierarchy *hierarchy, uint64_t *seen, sl_error *error) {
    uint32_t i = 0;
    memset(seen, 0, words_of(hierarchy) * sizeof *seen);
    for (; !is_marked(seen, hierarchy->order[i]); i++) mark(seen, hierarchy->order[i]);
    return corrupt(error, "order names a record twice", i);
}

/* As many records as positions: unless each is marked, another one is there twice. */
static sl_status check_order(const sl_hierarchy *hierarchy, uint64_t *seen, sl_i_ticker *ticker, sl_error *error) {
    uint32_t n = hierarchy->num_records;
    memset(seen, 0, words_of(hierarchy) * sizeof *seen);
    for (uint32_t i = 0; i < n; i++) {
        SL_TRY(tick(i, ticker, error));
        if (hierarchy->order[i] >= n) return corrupt(error, "order names a record that does not exist", i);
        mark(seen, hierarchy->order[i]);
    }
    return all_marked(seen, n) ? SL_OK : find_repeat(hierarchy, seen, error);
}

/* Whether a seam ever closes is as good as random: no branch depends on it. What is no level goes to bit k, which is nobody's. */
static sl_status check_joins(const sl_hierarchy *hierarchy, uint64_t *used, sl_i_ticker *ticker, sl_error *error) {
    uint32_t n = hierarchy->num_records, k = hierarchy->num_levels, i = 0;
    bool is_beyond = false;
    if (k > 0 && k >= n) return corrupt(error, "there are more levels than merges", k);
    memset(used, 0, words_of(hierarchy) * sizeof *used);
    for (; i < n && !is_beyond; i++) {
        uint32_t level = hierarchy->join[i];
        SL_TRY(tick(i, ticker, error));
        is_beyond = (level >= k) & (level != SL_NEVER);
        mark(used, level < k ? level : k);
    }
    if (is_beyond) return corrupt(error, "join names a level that does not exist", i - 1);
    return n == 0 || hierarchy->join[n - 1] == SL_NEVER ? SL_OK : corrupt(error, "the last join is not NEVER", n - 1);
}

static sl_status check_levels(const sl_hierarchy *hierarchy, const uint64_t *used, sl_i_ticker *ticker,
                              sl_error *error) {
    const char *impossible =
        hierarchy->scale == SL_SCALE_WEIGHT ? "a level is not finite" : "a level is outside [0, 1]";
    for (uint32_t level = 0; level < hierarchy->num_levels; level++) {
        double value = hierarchy->levels[level];
        SL_TRY(tick(level, ticker, error));
        if (!sl_i_is_threshold(hierarchy->scale, value)) return corrupt(error, impossible, level);
        if (level > 0 && !(value < hierarchy->levels[level - 1])) return corrupt(error, "levels do not fall", level);
        if (!hierarchy->exact && value != sl_i_round_threshold(value))
            return corrupt(error, "a level is not rounded", level);
        if (!is_marked(used, level)) return corrupt(error, "nothing merges at level", level);
    }
    return SL_OK;
}

/* A seam that is open yet, and the smallest record of the block behind it. */
typedef struct open_seam {
    uint32_t level, first;
} open_seam;

/* Canonical order, and the number of merges as sl_i_count_merges has it, in one walk. `last` is the seam before that is at least as
 * late to close; `stack` has those that are later yet, one of each level, at its bottom what never closes. */
static sl_status check_blocks(const sl_hierarchy *hierarchy, open_seam *stack, sl_i_ticker *ticker, sl_error *error) {
    const uint32_t *join = hierarchy->join, *order = hierarchy->order;
    open_seam last = {SL_NEVER, hierarchy->num_records > 0 ? order[0] : 0};
    uint32_t height = 0, merges = 0;
    for (uint32_t q = 0; q + 1 < hierarchy->num_records; q++) {
        uint32_t level = join[q], first = order[q + 1];
        SL_TRY(tick(q, ticker, error));
        while (last.level < level) last = stack[--height];
        if (last.first > first) return corrupt(error, "blocks are not in the order of their smallest records", q);
        if (last.level != level) {
            stack[height++] = last;
            merges++;
        }
        last = (open_seam){level, first};
    }
    if (merges == hierarchy->num_merges) return SL_OK;
    return corrupt(error, "the number of merges is wrong", hierarchy->num_merges);
}

static sl_status check_lone(const sl_hierarchy *hierarchy, uint64_t *joined, sl_error *error) {
    uint64_t *lone = NULL, words = words_of(hierarchy), word = 0, both = 0;
    if (sl_record_set_count(hierarchy->lone) == 0) return SL_OK;
    if (sl_i_record_set_last(hierarchy->lone) >= hierarchy->num_records)
        return corrupt(error, "a lone record does not exist", hierarchy->num_records);
    SL_TRY(sl_i_allocate_zeroed(&lone, words, sizeof *lone, "validating a hierarchy", error));
    memset(joined, 0, words * sizeof *joined);
    sl_i_mark_joined(hierarchy, joined);
    sl_i_record_set_mark(hierarchy->lone, lone);
    while (word < words && (both = joined[word] & lone[word]) == 0) word++;
    sl_i_release(lone, words, sizeof *lone);
    if (!both) return SL_OK;
    return corrupt(error, "a lone record is joined to others", 64 * word + (uint64_t)__builtin_ctzll(both));
}

sl_status sl_i_hierarchy_validate(const sl_hierarchy *hierarchy, sl_i_ticker *ticker, sl_error *error) {
    open_seam *stack = NULL;
    uint64_t *bits = NULL, words = words_of(hierarchy), height = (uint64_t)hierarchy->num_levels + 1;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&bits, words, sizeof *bits, "validating a hierarchy", error));
    SL_TRY_CLEANUP(status, check_order(hierarchy, bits, ticker, error));
    SL_TRY_CLEANUP(status, check_joins(hierarchy, bits, ticker, error));
    SL_TRY_CLEANUP(status, check_levels(hierarchy, bits, ticker, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&stack, height, sizeof *stack, "validating a hierarchy", error));
    SL_TRY_CLEANUP(status, check_blocks(hierarchy, stack, ticker, error));
    if (hierarchy->lone) SL_TRY_CLEANUP(status, check_lone(hierarchy, bits, error));
    status = sl_i_kept_validate(hierarchy, ticker, error);
cleanup:
    sl_i_release(bits, words, sizeof *bits);
    sl_i_release(stack, height, sizeof *stack);
    return status;
}

sl_status sl_hierarchy_validate(const sl_hierarchy *hierarchy, sl_error *error) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    return sl_i_hierarchy_validate(hierarchy, &silent, error);
}
