/* threshold_between.c: the highest threshold at which two records are together: the latest seam between their positions. */
#include "hierarchy/slice.h"

sl_status sl_hierarchy_threshold_between(const sl_hierarchy *hierarchy, uint32_t a, uint32_t b, double *out_threshold,
                                         bool *out_together, sl_error *error) {
    *out_threshold = 0.0;
    *out_together = false;
    if (a == b)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "record %u is together with itself at every threshold: ask for two records", a);
    if (a >= hierarchy->num_records || b >= hierarchy->num_records) return SL_OK;
    uint32_t level = sl_i_slice_level(hierarchy, sl_i_slice_between(hierarchy, a, b));
    if (level == SL_NEVER) return SL_OK;
    *out_threshold = hierarchy->levels[level];
    *out_together = true;
    return SL_OK;
}
