/* edge_sort.h: one group's edges into falling order of code. */
#ifndef SL_HIERARCHY_EDGE_SORT_H
#define SL_HIERARCHY_EDGE_SORT_H

#include "hierarchy/edge_groups.h"

#define SL_I_SORT_SCRATCH SL_I_GROUP_EDGES /* edges of scratch sl_i_sort_edges needs */

/** Sort by code, highest first. `scratch` has SL_I_SORT_SCRATCH edges. Groups larger than the scratch are first split in
 *  place (three-way, so a group of equal codes costs one look); the rest is a radix sort within the cache. */
void sl_i_sort_edges(sl_i_edge *edges, uint64_t count, sl_i_edge *scratch);

#endif
