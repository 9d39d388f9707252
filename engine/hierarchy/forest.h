/* forest.h: from edges in falling order of score to the leaf order.
 *
 * Kruskal's algorithm over the groups, strongest first, logging each merge; then the log is read backwards to place every
 * component inside the one that absorbed it (design, section "building"). Working memory: 28 bytes a record. */
#ifndef SL_HIERARCHY_FOREST_H
#define SL_HIERARCHY_FOREST_H

#include "hierarchy/edge_groups.h"

/** The canonical hierarchy of `num_records` records under the groups' edges (whose order within a group is destroyed).
 *  Deterministic for any number of lanes. */
sl_status sl_i_forest_build(uint32_t num_records, sl_i_edge_groups *groups, const sl_i_score_coder *coder,
                            uint32_t lanes, sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) SL_MUST_USE;

#endif
