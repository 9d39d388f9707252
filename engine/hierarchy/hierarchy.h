/* hierarchy.h: the hierarchy's fields, for the layers that read them.
 *
 * Invariants (sl_hierarchy_validate): `order` is a permutation of 0..n-1; join[n-1] is SL_NEVER and every other join is a
 * level below num_levels or SL_NEVER; `levels` falls strictly and every level is used; canonical order: at every position
 * q, the block that starts at q+1 has a larger first record than the sibling block before it; `lone` are records that no join
 * touches; kept edges are those that the joins tell of (kept_edges.h). Immutable once it is handed out. */
#ifndef SL_HIERARCHY_HIERARCHY_H
#define SL_HIERARCHY_HIERARCHY_H

#include <stdatomic.h>

#include "support/memory.h"
#include "support/pool.h"
#include "support/shared_bytes.h"

struct sl_hierarchy {
    atomic_uint_fast32_t references;
    uint32_t num_records;
    uint32_t num_levels;
    uint32_t num_merges;
    bool exact; /* levels are scores as given; otherwise multiples of 1e-6, but for huge weights */
    sl_scale scale;
    uint32_t *order;
    uint32_t *join;
    double *levels;
    sl_record_set *lone;                  /* records named and joined to nothing (lone_records.h); NULL: none */
    uint32_t *forest_left, *forest_right; /* by seam, the edge that closes it; NULL: not kept */
    sl_edge_list *edges;                  /* all of them; NULL: not kept */
    struct sl_i_constraints *constraints; /* NULL: none (constraints.h) */
    sl_i_shared_bytes *holder; /* in which order, join, levels and forest lie; NULL: they are the hierarchy's own */
};

/** What the levels of a hierarchy are: said by whoever makes one, since all that read thresholds depend on it. */
typedef struct sl_i_score_kind {
    sl_scale scale;
    bool exact; /* scores as given; otherwise rounded */
} sl_i_score_kind;

static inline sl_i_score_kind sl_i_score_kind_of(const sl_hierarchy *hierarchy) {
    return (sl_i_score_kind){.scale = hierarchy->scale, .exact = hierarchy->exact};
}

/** A hierarchy that takes over the three arrays (order and join: num_records, levels: num_levels elements, each from
 *  sl_i_allocate) on success. It has no lone records, no kept edges and no constraints yet. */
sl_status sl_i_hierarchy_take(uint32_t num_records, uint32_t num_levels, uint32_t num_merges, sl_i_score_kind kind,
                              uint32_t *order, uint32_t *join, double *levels, sl_hierarchy **out, sl_error *error)
    SL_MUST_USE;
/** SL_ERROR_CAPACITY for more records than a hierarchy can hold. */
sl_status sl_i_check_num_records(uint32_t num_records, sl_error *error) SL_MUST_USE;
/** The number of n-way merges that the joins tell of. `scratch` has num_records elements. */
uint32_t sl_i_count_merges(uint32_t num_records, const uint32_t *join, uint32_t *scratch);

/** sl_hierarchy_validate; `ticker` gets units where edges are kept. */
sl_status sl_i_hierarchy_validate(const sl_hierarchy *hierarchy, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

/** Set the bit of every record that is joined to another. `joined` has a zeroed bit for each record, in words of 64. */
void sl_i_mark_joined(const sl_hierarchy *hierarchy, uint64_t *joined);

/** sl_hierarchy_select by ranks (one for each record of `hierarchy`, SL_NO_RECORD: left out), that advances `ticker` by one for
 *  each record of `hierarchy`. */
sl_status sl_i_hierarchy_select(const sl_hierarchy *hierarchy, const uint32_t *ranks, sl_i_ticker *ticker,
                                sl_hierarchy **out, sl_error *error) SL_MUST_USE;

/** Pairs of so many records. */
static inline uint64_t sl_i_pairs_among(uint64_t records) {
    return records * (records - 1) / 2; /* of none, too: 0 times anything */
}

/** "probabilities" or "weights". */
const char *sl_i_scale_name(sl_scale scale);
/** SL_ERROR_INVALID_ARGUMENT for a number that is no scale. */
sl_status sl_i_check_scale(sl_scale scale, sl_error *error) SL_MUST_USE;

/** Round half-even to the grid of 1e-6, as the nearest double; huge weights stay as they are (sl_i_round_to). */
double sl_i_round_threshold(double threshold);

/** Whether there is such a threshold: finite and, of probabilities, in [0, 1]. */
bool sl_i_is_threshold(sl_scale scale, double threshold);
/** SL_ERROR_INVALID_THRESHOLD unless there is. */
sl_status sl_i_check_threshold(sl_scale scale, double threshold, sl_error *error) SL_MUST_USE;

/** Levels that apply at `compared` (a threshold as compared), looked for outwards from `near`: O(log of the distance). */
uint32_t sl_i_applied_levels(const sl_hierarchy *hierarchy, double compared, uint32_t near);

#endif
