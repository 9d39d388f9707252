/* hierarchy.c: the hierarchy as an object: references, reading it, comparing it. */
#include "hierarchy/hierarchy.h"

#include <math.h>
#include <string.h>

#include "hierarchy/constraints.h"
#include "hierarchy/kept_edges.h"
#include "hierarchy/scores.h"

const char *sl_i_scale_name(sl_scale scale) { return scale == SL_SCALE_WEIGHT ? "weights" : "probabilities"; }

sl_status sl_i_check_scale(sl_scale scale, sl_error *error) {
    if (scale == SL_SCALE_PROBABILITY || scale == SL_SCALE_WEIGHT) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "there is no scale %d: scores are probabilities or weights",
                     (int)scale);
}

bool sl_i_is_threshold(sl_scale scale, double threshold) {
    return scale == SL_SCALE_WEIGHT ? isfinite(threshold) : threshold >= 0.0 && threshold <= 1.0;
}

sl_status sl_i_check_threshold(sl_scale scale, double threshold, sl_error *error) {
    if (sl_i_is_threshold(scale, threshold)) return SL_OK;
    if (scale == SL_SCALE_WEIGHT)
        return sl_i_fail(error, SL_ERROR_INVALID_THRESHOLD, "threshold %s is not a finite number",
                         sl_i_double_to_text(threshold).text);
    return sl_i_fail(error, SL_ERROR_INVALID_THRESHOLD, "threshold %s is outside [0, 1]: pass a number from 0 to 1",
                     sl_i_double_to_text(threshold).text);
}

double sl_i_round_threshold(double threshold) { return sl_i_round_to(threshold, SL_I_UNITS); }

/* For every seam q in turn, the last seam before it that is at least as late to close: `stack` holds the candidates, deepest first.
 * Returns the new height, below which stack[height - 1] is that seam; the caller then pushes q. */
static uint32_t pop_earlier(const uint32_t *join, const uint32_t *stack, uint32_t height, uint32_t q) {
    while (height > 0 && join[stack[height - 1]] < join[q]) height--;
    return height;
}

/* An n-way node has one seam fewer than children; its first seam is the one without an equal seam to the left in its node. */
uint32_t sl_i_count_merges(uint32_t num_records, const uint32_t *join, uint32_t *stack) {
    uint32_t height = 0, merges = 0;
    for (uint32_t q = 0; q < num_records; q++) {
        height = pop_earlier(join, stack, height, q);
        bool opens_node = height == 0 || join[stack[height - 1]] != join[q];
        merges += opens_node && join[q] != SL_NEVER;
        stack[height++] = q;
    }
    return merges;
}

sl_status sl_i_check_num_records(uint32_t num_records, sl_error *error) {
    if (num_records <= SL_MAX_RECORDS) return SL_OK;
    return sl_i_fail(error, SL_ERROR_CAPACITY, "a hierarchy holds at most %u records", SL_MAX_RECORDS);
}

sl_status sl_i_hierarchy_take(uint32_t num_records, uint32_t num_levels, uint32_t num_merges, sl_i_score_kind kind,
                              uint32_t *order, uint32_t *join, double *levels, sl_hierarchy **out, sl_error *error) {
    sl_hierarchy *made = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a hierarchy", error));
    atomic_init(&made->references, 1);
    made->num_records = num_records;
    made->num_levels = num_levels;
    made->num_merges = num_merges;
    made->scale = kind.scale;
    made->exact = kind.exact;
    made->order = order;
    made->join = join;
    made->levels = levels;
    *out = made;
    return SL_OK;
}

sl_hierarchy *sl_hierarchy_retain(const sl_hierarchy *hierarchy) {
    sl_hierarchy *shared = (sl_hierarchy *)(uintptr_t)hierarchy; /* only the reference count changes */
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

static void release_merges(sl_hierarchy *hierarchy) {
    sl_i_release(hierarchy->order, hierarchy->num_records, sizeof *hierarchy->order);
    sl_i_release(hierarchy->join, hierarchy->num_records, sizeof *hierarchy->join);
    sl_i_release(hierarchy->levels, hierarchy->num_levels, sizeof *hierarchy->levels);
}

void sl_hierarchy_release(sl_hierarchy *hierarchy) {
    if (!hierarchy || atomic_fetch_sub_explicit(&hierarchy->references, 1, memory_order_acq_rel) != 1) return;
    if (!hierarchy->holder) release_merges(hierarchy);
    sl_record_set_release(hierarchy->lone);
    sl_i_kept_release(hierarchy);
    sl_i_shared_bytes_release(hierarchy->holder);
    sl_i_constraints_release(hierarchy->constraints);
    sl_i_release(hierarchy, 1, sizeof *hierarchy);
}

uint32_t sl_hierarchy_num_records(const sl_hierarchy *hierarchy) { return hierarchy->num_records; }
uint32_t sl_hierarchy_num_levels(const sl_hierarchy *hierarchy) { return hierarchy->num_levels; }
uint32_t sl_hierarchy_num_merges(const sl_hierarchy *hierarchy) { return hierarchy->num_merges; }
const uint32_t *sl_hierarchy_order(const sl_hierarchy *hierarchy) { return hierarchy->order; }
const uint32_t *sl_hierarchy_join(const sl_hierarchy *hierarchy) { return hierarchy->join; }
const double *sl_hierarchy_levels(const sl_hierarchy *hierarchy) { return hierarchy->levels; }
bool sl_hierarchy_is_exact(const sl_hierarchy *hierarchy) { return hierarchy->exact; }
sl_scale sl_hierarchy_scale(const sl_hierarchy *hierarchy) { return hierarchy->scale; }

static uint64_t merges_memory(const sl_hierarchy *hierarchy) {
    return 2 * sl_i_block_bytes(hierarchy->num_records, sizeof(uint32_t)) +
           sl_i_block_bytes(hierarchy->num_levels, sizeof(double));
}

uint64_t sl_hierarchy_memory(const sl_hierarchy *hierarchy) {
    return sizeof *hierarchy + (hierarchy->holder ? 0 : merges_memory(hierarchy)) +
           (hierarchy->lone ? sl_record_set_memory(hierarchy->lone) : 0) + sl_i_kept_memory(hierarchy) +
           sl_i_constraints_memory(hierarchy->constraints);
}

uint32_t sl_i_applied_levels(const sl_hierarchy *hierarchy, double compared, uint32_t near) {
    const double *levels = hierarchy->levels;
    uint64_t low = near, high = near, step = 1, end = hierarchy->num_levels;
    while (low > 0 && levels[low - 1] < compared) { /* widen until levels below low are >= compared ... */
        high = low - 1;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    while (high < end && levels[high] >= compared) { /* ... and those from high on are < compared */
        low = high + 1;
        high = end - high > step ? high + step : end;
        step *= 2;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (levels[middle] >= compared)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

sl_status sl_hierarchy_applied_levels(const sl_hierarchy *hierarchy, double threshold, uint32_t *out_levels,
                                      sl_error *error) {
    *out_levels = 0;
    SL_TRY(sl_i_check_threshold(hierarchy->scale, threshold, error));
    double compared = hierarchy->exact ? threshold : sl_i_round_threshold(threshold);
    *out_levels = sl_i_applied_levels(hierarchy, compared, hierarchy->num_levels / 2);
    return SL_OK;
}

bool sl_hierarchy_equal(const sl_hierarchy *a, const sl_hierarchy *b) {
    if (a == b) return true;
    return a->num_records == b->num_records && a->num_levels == b->num_levels && a->exact == b->exact &&
           a->scale == b->scale && memcmp(a->order, b->order, a->num_records * sizeof *a->order) == 0 &&
           memcmp(a->join, b->join, a->num_records * sizeof *a->join) == 0 &&
           memcmp(a->levels, b->levels, a->num_levels * sizeof *a->levels) == 0;
}
