/* slice.h: entities as slices of the leaf order: where records are in it, and how far what is together at a level reaches. */
#ifndef SL_HIERARCHY_SLICE_H
#define SL_HIERARCHY_SLICE_H

#include "hierarchy/hierarchy.h"

/** The positions first..last. */
typedef struct sl_i_slice {
    uint32_t first, last;
} sl_i_slice;

/** From the position of one of two records of the hierarchy, which may be one, to that of the other. O(n). */
static inline sl_i_slice sl_i_slice_between(const sl_hierarchy *hierarchy, uint32_t a, uint32_t b) {
    const uint32_t *order = hierarchy->order;
    uint32_t first = 0;
    while (order[first] != a && order[first] != b) first++;
    uint32_t last = first, other = order[first] == a ? b : a;
    while (order[last] != other) last++;
    return (sl_i_slice){first, last};
}

/** The level at which all of a slice is together, SL_NEVER if it never is; 0 for one position. O(its size). */
static inline uint32_t sl_i_slice_level(const sl_hierarchy *hierarchy, sl_i_slice slice) {
    uint32_t latest = 0;
    for (uint32_t seam = slice.first; seam < slice.last; seam++)
        if (hierarchy->join[seam] > latest) latest = hierarchy->join[seam];
    return latest;
}

/** The slice and all that is together with its ends at `level`, which is not SL_NEVER. O(what it grows by). */
static inline sl_i_slice sl_i_slice_at(const sl_hierarchy *hierarchy, sl_i_slice slice, uint32_t level) {
    const uint32_t *join = hierarchy->join; /* the last of which is SL_NEVER */
    while (slice.first > 0 && join[slice.first - 1] <= level) slice.first--;
    while (join[slice.last] <= level) slice.last++;
    return slice;
}

#endif
