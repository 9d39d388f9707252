/* edge_groups.h: edges placed by score into groups that fit a cache, strongest group first.
 *
 * The first of the two scatters of a most-significant-digit radix sort, done while the edges are read, so that an edge is
 * written once (12 bytes) and never moved through main memory again: scores are counted in a first pass, split into groups
 * of about SL_I_GROUP_EDGES, and every edge goes straight to its place in a second pass, while the next window's keys are
 * being interned. Sorting within a group is the forest's work.
 *
 * Invariants: every edge of group g has a higher code than every edge of group g+1; self-loops are not stored; edges of
 * one group are in no particular order (it depends on the threads), which the canonical form of the result hides. */
#ifndef SL_HIERARCHY_EDGE_GROUPS_H
#define SL_HIERARCHY_EDGE_GROUPS_H

#include "hierarchy/edge_part.h"
#include "hierarchy/lone_records.h"

#define SL_I_GROUP_EDGES 32768u

typedef struct sl_i_edge {
    uint32_t left, right, code;
} sl_i_edge;

typedef struct sl_i_edge_groups {
    uint64_t num_edges, capacity;
    sl_i_edge *edges;
    uint32_t num_groups;
    uint64_t *starts; /* where each group begins in `edges`; num_groups + 1 places */
    uint64_t *ends;   /* where the edges stored in it end: less than the next start where self-loops were left out */
    sl_i_lone_records loops; /* records of self-loops */
} sl_i_edge_groups;

/** Read all parts. On return the context of keyed parts holds their records (unpublished). */
sl_status sl_i_edge_groups_read(sl_i_edge_part *parts, uint64_t num_parts, const sl_i_score_coder *coder,
                                uint32_t lanes, sl_i_ticker *ticker, sl_i_edge_groups *out, sl_error *error)
    SL_MUST_USE;
void sl_i_edge_groups_release(sl_i_edge_groups *groups);

#endif
