/* threshold_between.c: the highest threshold at which two records are together: the latest seam between their positions. */
#include "hierarchy/hierarchy.h"

/* The next position from `position` on that holds a or b. */
static uint32_t find_either(const uint32_t *order, uint32_t position, uint32_t a, uint32_t b) {
    while (order[position] != a && order[position] != b) position++;
    return position;
}

sl_status sl_hierarchy_threshold_between(const sl_hierarchy *hierarchy, uint32_t a, uint32_t b, double *out_threshold,
                                         bool *out_together, sl_error *error) {
    *out_threshold = 0.0;
    *out_together = false;
    if (a == b)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "record %u is together with itself at every threshold: ask for two records", a);
    if (a >= hierarchy->num_records || b >= hierarchy->num_records) return SL_OK;
    uint32_t first = find_either(hierarchy->order, 0, a, b);
    uint32_t last = find_either(hierarchy->order, first + 1, a, b), latest = 0;
    for (uint32_t seam = first; seam < last; seam++)
        if (hierarchy->join[seam] > latest) latest = hierarchy->join[seam];
    if (latest == SL_NEVER) return SL_OK;
    *out_threshold = hierarchy->levels[latest];
    *out_together = true;
    return SL_OK;
}
