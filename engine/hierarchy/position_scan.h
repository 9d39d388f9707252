/* position_scan.h: the loops over the joins that a cut consists of. Position i ends an entity at cut `level` iff
 * join[i] >= level. Sequential reads, no branches; vector twins chosen at run time. */
#ifndef SL_HIERARCHY_POSITION_SCAN_H
#define SL_HIERARCHY_POSITION_SCAN_H

#include <stdint.h>

/** How many of `count` positions end an entity. */
uint32_t sl_i_count_ends(const uint32_t *join, uint32_t count, uint32_t level);
/** Write i + 1 for every position i that ends an entity; `ends` has room for them all. Returns how many. */
uint32_t sl_i_list_ends(const uint32_t *join, uint32_t count, uint32_t level, uint32_t *ends);
/** labels[order[i]] = the number of ends before position i. Returns the number of ends. */
uint32_t sl_i_label_records(const uint32_t *order, const uint32_t *join, uint32_t count, uint32_t level,
                            uint32_t *labels);

#endif
