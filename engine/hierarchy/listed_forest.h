/* listed_forest.h: from an edge list to the leaf order, and which edges made it.
 *
 * Kruskal's algorithm over a list that is in order already, on one thread: for hierarchies that keep their edges, and for those
 * under constraints, where every edge has to wait for those before it. */
#ifndef SL_HIERARCHY_LISTED_FOREST_H
#define SL_HIERARCHY_LISTED_FOREST_H

#include "hierarchy/edge_list.h"
#include "hierarchy/hierarchy.h"
#include "hierarchy/merge_guard.h"

/** The canonical hierarchy of `num_records` records (at least the list's) under the edges of the list that `guard` (NULL: no
 *  constraints) allows, with its forest (forest_left, forest_right); `guard` counts the others. Scores, which are of this kind
 *  already, are levels as they are.
 *  What else the hierarchy keeps, and records that self-loops name, are the caller's affair. Working memory: 32 bytes a record. */
sl_status sl_i_forest_build_listed(uint32_t num_records, const sl_edge_list *edges, sl_i_score_kind kind,
                                   sl_i_merge_guard *guard, sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error)
    SL_MUST_USE;

#endif
