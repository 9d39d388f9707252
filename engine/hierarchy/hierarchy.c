/* hierarchy.c: the hierarchy as an object: references, reading it, comparing it, checking it. */
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

/* For every seam q, the last seam before it that is at least as late to close: `stack` holds the candidates, deepest first.
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

void sl_hierarchy_release(sl_hierarchy *hierarchy) {
    if (!hierarchy || atomic_fetch_sub_explicit(&hierarchy->references, 1, memory_order_acq_rel) != 1) return;
    sl_i_release(hierarchy->order, hierarchy->num_records, sizeof *hierarchy->order);
    sl_i_release(hierarchy->join, hierarchy->num_records, sizeof *hierarchy->join);
    sl_i_release(hierarchy->levels, hierarchy->num_levels, sizeof *hierarchy->levels);
    sl_record_set_release(hierarchy->lone);
    sl_i_kept_release(hierarchy);
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

uint64_t sl_hierarchy_memory(const sl_hierarchy *hierarchy) {
    return sizeof *hierarchy + 2 * sl_i_block_bytes(hierarchy->num_records, sizeof(uint32_t)) +
           sl_i_block_bytes(hierarchy->num_levels, sizeof(double)) +
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

static sl_status corrupt(sl_error *error, const char *what, uint64_t where) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "hierarchy is invalid: %s at %llu", what, (unsigned long long)where);
}

static sl_status check_order(const sl_hierarchy *hierarchy, uint32_t *seen, sl_error *error) {
    memset(seen, 0, hierarchy->num_records * sizeof *seen);
    for (uint32_t i = 0; i < hierarchy->num_records; i++) {
        uint32_t record = hierarchy->order[i];
        if (record >= hierarchy->num_records) return corrupt(error, "order names a record that does not exist", i);
        if (seen[record]++) return corrupt(error, "order names a record twice", i);
    }
    return SL_OK;
}

static sl_status check_levels(const sl_hierarchy *hierarchy, uint32_t *uses, sl_error *error) {
    uint32_t n = hierarchy->num_records, k = hierarchy->num_levels;
    if (k > 0 && k >= n) return corrupt(error, "there are more levels than merges", k);
    memset(uses, 0, n * sizeof *uses);
    for (uint32_t i = 0; i < n; i++) {
        if (hierarchy->join[i] == SL_NEVER) continue;
        if (hierarchy->join[i] >= k) return corrupt(error, "join names a level that does not exist", i);
        uses[hierarchy->join[i]]++;
    }
    if (n > 0 && hierarchy->join[n - 1] != SL_NEVER) return corrupt(error, "the last join is not NEVER", n - 1);
    for (uint32_t level = 0; level < k; level++) {
        double value = hierarchy->levels[level];
        if (!sl_i_is_threshold(hierarchy->scale, value))
            return corrupt(error,
                           hierarchy->scale == SL_SCALE_WEIGHT ? "a level is not finite" : "a level is outside [0, 1]",
                           level);
        if (level > 0 && !(value < hierarchy->levels[level - 1])) return corrupt(error, "levels do not fall", level);
        if (!hierarchy->exact && value != sl_i_round_threshold(value))
            return corrupt(error, "a level is not rounded", level);
        if (uses[level] == 0) return corrupt(error, "nothing merges at level", level);
    }
    return SL_OK;
}

static sl_status check_canonical(const sl_hierarchy *hierarchy, uint32_t *stack, sl_error *error) {
    uint32_t height = 0;
    for (uint32_t q = 0; q + 1 < hierarchy->num_records; q++) {
        height = pop_earlier(hierarchy->join, stack, height, q);
        uint32_t sibling = height == 0 ? 0 : stack[height - 1] + 1;
        if (hierarchy->order[sibling] > hierarchy->order[q + 1])
            return corrupt(error, "blocks are not in the order of their smallest records", q);
        stack[height++] = q;
    }
    return SL_OK;
}

sl_status sl_hierarchy_validate(const sl_hierarchy *hierarchy, sl_error *error) {
    uint32_t *scratch = NULL;
    SL_TRY(sl_i_allocate(&scratch, hierarchy->num_records, sizeof *scratch, "validating a hierarchy", error));
    sl_status status;
    SL_TRY_CLEANUP(status, check_order(hierarchy, scratch, error));
    SL_TRY_CLEANUP(status, check_levels(hierarchy, scratch, error));
    SL_TRY_CLEANUP(status, check_canonical(hierarchy, scratch, error));
    if (sl_i_count_merges(hierarchy->num_records, hierarchy->join, scratch) != hierarchy->num_merges)
        SL_TRY_CLEANUP(status, corrupt(error, "the number of merges is wrong", hierarchy->num_merges));
    status = sl_i_kept_validate(hierarchy, error);
cleanup:
    sl_i_release(scratch, hierarchy->num_records, sizeof *scratch);
    return status;
}
