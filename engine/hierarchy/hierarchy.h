/* hierarchy.h: the hierarchy's fields, for the layers that read them.
 *
 * Invariants (sl_hierarchy_validate): `order` is a permutation of 0..n-1; join[n-1] is SL_NEVER and every other join is a
 * level below num_levels or SL_NEVER; `levels` falls strictly and every level is used; canonical order: at every position
 * q, the block that starts at q+1 has a larger first record than the sibling block before it; `lone` are records that no join
 * touches. Immutable once it is handed out. */
#ifndef SL_HIERARCHY_HIERARCHY_H
#define SL_HIERARCHY_HIERARCHY_H

#include <stdatomic.h>

#include "support/memory.h"
#include "support/pool.h"

struct sl_hierarchy {
    atomic_uint_fast32_t references;
    uint32_t num_records;
    uint32_t num_levels;
    uint32_t num_merges;
    bool exact; /* levels are scores as given; otherwise multiples of 1e-6 */
    uint32_t *order;
    uint32_t *join;
    double *levels;
    sl_record_set *lone; /* records named and joined to nothing (lone_records.h); NULL: none */
};

/** A hierarchy that takes over the three arrays (order and join: num_records, levels: num_levels elements, each from
 *  sl_i_allocate) on success. */
sl_status sl_i_hierarchy_take(uint32_t num_records, uint32_t num_levels, uint32_t num_merges, bool exact,
                              uint32_t *order, uint32_t *join, double *levels, sl_hierarchy **out, sl_error *error)
    SL_MUST_USE;
/** The number of n-way merges that the joins tell of. `scratch` has num_records elements. */
uint32_t sl_i_count_merges(uint32_t num_records, const uint32_t *join, uint32_t *scratch);

/** Set the bit of every record that is joined to another. `joined` has a zeroed bit for each record, in words of 64. */
void sl_i_mark_joined(const sl_hierarchy *hierarchy, uint64_t *joined);

/** sl_hierarchy_select by ranks (one for each record of `hierarchy`, SL_NO_RECORD: left out), that advances `ticker` by one for
 *  each record of `hierarchy`. */
sl_status sl_i_hierarchy_select(const sl_hierarchy *hierarchy, const uint32_t *ranks, sl_i_ticker *ticker,
                                sl_hierarchy **out, sl_error *error) SL_MUST_USE;

/** Round half-even to the grid of 1e-6, as the nearest double. */
double sl_i_round_threshold(double threshold);

/** SL_ERROR_INVALID_THRESHOLD unless 0 <= threshold <= 1. */
sl_status sl_i_check_threshold(double threshold, sl_error *error) SL_MUST_USE;

/** Levels that apply at `compared` (a threshold as compared), looked for outwards from `near`: O(log of the distance). */
uint32_t sl_i_applied_levels(const sl_hierarchy *hierarchy, double compared, uint32_t near);

#endif
