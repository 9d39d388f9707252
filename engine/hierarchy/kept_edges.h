/* kept_edges.h: what a hierarchy keeps of its edges beside what they imply.
 *
 * Invariants (sl_i_kept_validate): the forest has an edge at each seam that closes and none elsewhere; by themselves its edges
 * make the hierarchy, and those of one n-way node ascend by left, then right record from its leftmost seam on; all edges, where
 * they are kept, are a valid list, which, but under constraints, makes the hierarchy and its forest. */
#ifndef SL_HIERARCHY_KEPT_EDGES_H
#define SL_HIERARCHY_KEPT_EDGES_H

#include "hierarchy/edge_list.h"
#include "hierarchy/hierarchy.h"

/** SL_ERROR_INVALID_ARGUMENT for a number that is no sl_keep. */
sl_status sl_i_check_keep(sl_keep keep, sl_error *error) SL_MUST_USE;
/** Keep the forest no longer, in a hierarchy that is being made. */
void sl_i_forest_drop(sl_hierarchy *hierarchy);
/** Give back what a hierarchy, at the end of its life, keeps. */
void sl_i_kept_release(sl_hierarchy *hierarchy);
uint64_t sl_i_kept_memory(const sl_hierarchy *hierarchy);
/** Let `made`, which is `from` over the records that have a rank, keep what `from` keeps. O(records + edges). */
sl_status sl_i_kept_select(const sl_hierarchy *from, const uint32_t *ranks, sl_hierarchy *made, sl_i_ticker *ticker,
                           sl_error *error) SL_MUST_USE;
/** SL_ERROR_CORRUPT with the reason unless every invariant holds; the rest of the hierarchy is valid. O(records + edges);
 *  `ticker` gets those of making the hierarchy again. */
sl_status sl_i_kept_validate(const sl_hierarchy *hierarchy, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
