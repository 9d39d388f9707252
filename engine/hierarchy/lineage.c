/* lineage.c: the entities of one record at every threshold, by walking outwards from where it is in the order.
 *
 * An entity is a run of the order; the earlier of the two seams at its ends is where it grows next, up to the first later seam on
 * either side. Each position is passed once: O(n), no memory but for the result. */
#include <math.h>

#include "hierarchy/slice.h"

/* Widen to the entity that this one becomes next; its level, or SL_NEVER if it stays what it is. */
static uint32_t widen(const sl_hierarchy *hierarchy, sl_i_slice *s) {
    const uint32_t *join = hierarchy->join;
    uint32_t left = s->first > 0 ? join[s->first - 1] : SL_NEVER, right = join[s->last];
    uint32_t level = left < right ? left : right;
    if (level != SL_NEVER) *s = sl_i_slice_at(hierarchy, *s, level);
    return level;
}

static uint32_t count_steps(const sl_hierarchy *hierarchy, sl_i_slice s) {
    uint32_t steps = 1;
    while (widen(hierarchy, &s) != SL_NEVER) steps++;
    return steps;
}

static void fill_steps(const sl_hierarchy *hierarchy, sl_i_slice s, sl_lineage *lineage) {
    uint32_t level = SL_NEVER;
    for (uint32_t step = 0; step < lineage->num_steps; step++) {
        if (step > 0) level = widen(hierarchy, &s);
        lineage->thresholds[step] = step > 0 ? hierarchy->levels[level] : NAN;
        lineage->first[step] = s.first;
        lineage->size[step] = s.last - s.first + 1;
    }
}

static sl_status allocate_steps(uint32_t num_steps, sl_lineage *lineage, sl_error *error) {
    sl_status status;
    lineage->num_steps = num_steps;
    SL_TRY_CLEANUP(status, sl_i_allocate(&lineage->thresholds, num_steps, sizeof(double), "a lineage", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&lineage->first, num_steps, sizeof(uint32_t), "a lineage", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&lineage->size, num_steps, sizeof(uint32_t), "a lineage", error));
    return SL_OK;
cleanup:
    sl_lineage_release(lineage);
    return status;
}

sl_status sl_hierarchy_lineage(const sl_hierarchy *hierarchy, uint32_t record, sl_lineage *out, sl_error *error) {
    *out = (sl_lineage){0};
    if (record >= hierarchy->num_records) {
        SL_TRY(allocate_steps(1, out, error));
        out->thresholds[0] = NAN;
        out->first[0] = SL_NO_RECORD;
        out->size[0] = 1;
        return SL_OK;
    }
    sl_i_slice alone = sl_i_slice_between(hierarchy, record, record);
    SL_TRY(allocate_steps(count_steps(hierarchy, alone), out, error));
    fill_steps(hierarchy, alone, out);
    return SL_OK;
}

void sl_lineage_release(sl_lineage *lineage) {
    sl_i_release(lineage->thresholds, lineage->num_steps, sizeof(double));
    sl_i_release(lineage->first, lineage->num_steps, sizeof(uint32_t));
    sl_i_release(lineage->size, lineage->num_steps, sizeof(uint32_t));
    *lineage = (sl_lineage){0};
}
