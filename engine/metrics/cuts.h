/* cuts.h: from the thresholds asked for to the distinct partitions they cut.
 *
 * A cut is known by how many levels it applies. The distinct cuts asked for, ascending, are the buckets: a merge at level l
 * counts from the first bucket that applies more than l levels. Rows are the thresholds, in the order in which they were asked
 * for; each has its bucket. O(levels + rows log rows); 12 bytes a row, and 4 bytes a level and row where thresholds are given. */
#ifndef SL_METRICS_CUTS_H
#define SL_METRICS_CUTS_H

#include "hierarchy/hierarchy.h"

/** Zero-initialise; release in every case. */
typedef struct sl_i_cuts {
    uint64_t num_rows;
    double *thresholds;    /* by row, as compared */
    uint32_t *row_buckets; /* by row */
    uint32_t num_buckets;
    uint32_t num_levels;      /* of the hierarchy */
    uint32_t num_levels_used; /* levels from here on are applied by no bucket: as good as NEVER */
    uint32_t *bucket_of;      /* by level below num_levels_used; NULL: the level itself */
} sl_i_cuts;

/** The cuts at `count` thresholds, or (NULL) at every level, thresholds ascending; a hierarchy without levels has its one partition,
 *  at 1. SL_ERROR_INVALID_THRESHOLD. */
sl_status sl_i_cuts_list(const sl_hierarchy *hierarchy, const double *thresholds, uint64_t count, sl_i_cuts *cuts,
                         sl_error *error) SL_MUST_USE;
void sl_i_cuts_release(sl_i_cuts *cuts);

#endif
