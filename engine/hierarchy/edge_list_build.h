/* edge_list_build.h: a list of kept edges from edges placed in groups. */
#ifndef SL_HIERARCHY_EDGE_LIST_BUILD_H
#define SL_HIERARCHY_EDGE_LIST_BUILD_H

#include "hierarchy/edge_groups.h"
#include "hierarchy/edge_list.h"

/** The list of the groups' edges between records 0..num_records-1; their self-loops stay, their edges are used up (on an error,
 *  too). SL_ERROR_CAPACITY for 2^32-1 edges or more. The same for any order of the edges and any number of lanes. O(records +
 *  edges); working memory 4 bytes a record and 28 an edge, the groups' own included. */
sl_status sl_i_edge_list_build(uint32_t num_records, sl_i_edge_groups *groups, const sl_i_score_coder *coder,
                               uint32_t lanes, sl_i_ticker *ticker, sl_edge_list **out, sl_error *error) SL_MUST_USE;

#endif
