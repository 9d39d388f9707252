/* curve.c: from what is asked for to buckets, through the two passes, to sums by bucket. See curve.h. */
#include "metrics/curve.h"

#include <string.h>

#include "support/sort.h"

void sl_i_log_table_fill(sl_i_log_table *table) {
    table->values[0] = 0.0;
    for (uint32_t x = 1; x < 4096; x++) table->values[x] = (double)x * log((double)x);
}

double sl_i_log_of_large(uint64_t x) { return (double)x * log((double)x); }

/* ---- rows and buckets -------------------------------------------------------------------------------------------- */

/* Every level, thresholds ascending; a hierarchy without levels has its one partition, at 1. */
static sl_status list_all_levels(sl_curve *curve, const sl_hierarchy *hierarchy, sl_error *error) {
    uint32_t num_levels = hierarchy->num_levels;
    curve->num_rows = num_levels > 0 ? num_levels : 1;
    SL_TRY(sl_i_allocate(&curve->thresholds, curve->num_rows, sizeof *curve->thresholds, "the curve", error));
    SL_TRY(sl_i_allocate(&curve->row_buckets, curve->num_rows, sizeof *curve->row_buckets, "the curve", error));
    curve->num_buckets = (uint32_t)curve->num_rows;
    curve->thresholds[0] = 1.0;
    curve->row_buckets[0] = 0;
    for (uint32_t row = 0; row < num_levels; row++) {
        uint32_t level = num_levels - 1 - row;
        curve->thresholds[row] = hierarchy->levels[level];
        curve->row_buckets[row] = level; /* bucket `level` applies level + 1 levels */
    }
    return SL_OK;
}

/* Ascending thresholds apply falling numbers of levels; any other order is sorted. */
static void sort_applied(uint32_t *applied, uint64_t count) {
    uint64_t falling = 1;
    while (falling < count && applied[falling] <= applied[falling - 1]) falling++;
    if (falling < count) {
        sl_i_sort_u32(applied, count);
        return;
    }
    for (uint64_t i = 0; i < count / 2; i++) {
        uint32_t swap = applied[i];
        applied[i] = applied[count - 1 - i];
        applied[count - 1 - i] = swap;
    }
}

/* Applied levels of each row into row_buckets, the distinct ones ascending into `distinct`. */
static sl_status list_thresholds(sl_curve *curve, const sl_hierarchy *hierarchy, const double *thresholds,
                                 uint64_t count, uint32_t **distinct, sl_error *error) {
    uint32_t applied = hierarchy->num_levels;
    curve->num_rows = count;
    SL_TRY(sl_i_allocate(&curve->thresholds, count, sizeof *curve->thresholds, "the curve", error));
    SL_TRY(sl_i_allocate(&curve->row_buckets, count, sizeof *curve->row_buckets, "the curve", error));
    SL_TRY(sl_i_allocate(distinct, count, sizeof **distinct, "the curve", error));
    for (uint64_t row = 0; row < count; row++) {
        SL_TRY(sl_i_check_threshold(thresholds[row], error));
        curve->thresholds[row] = hierarchy->exact ? thresholds[row] : sl_i_round_threshold(thresholds[row]);
        applied = sl_i_applied_levels(hierarchy, curve->thresholds[row], applied); /* neighbours are often close */
        curve->row_buckets[row] = (*distinct)[row] = applied;
    }
    sort_applied(*distinct, count);
    for (uint64_t i = 0; i < count; i++)
        if (i == 0 || (*distinct)[i] != (*distinct)[i - 1]) (*distinct)[curve->num_buckets++] = (*distinct)[i];
    return SL_OK;
}

/* Rows from applied levels to buckets, and the bucket in which each level's merges first count. */
static sl_status map_levels(sl_curve *curve, const uint32_t *distinct, uint32_t num_levels, uint32_t **bucket_of,
                            sl_error *error) {
    SL_TRY(sl_i_allocate(bucket_of, (uint64_t)num_levels + 1, sizeof **bucket_of, "the curve's levels", error));
    uint32_t bucket = 0;
    for (uint32_t applied = 0; applied <= num_levels;
         applied++) { /* first: the bucket of each number of applied levels */
        while (bucket < curve->num_buckets && distinct[bucket] < applied) bucket++;
        (*bucket_of)[applied] = bucket;
    }
    for (uint64_t row = 0; row < curve->num_rows; row++)
        curve->row_buckets[row] = (*bucket_of)[curve->row_buckets[row]];
    /* A merge at level l counts where more than l levels apply. */
    memmove(*bucket_of, *bucket_of + 1, num_levels * sizeof **bucket_of);
    return SL_OK;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static void sum_judged(sl_curve *curve, int64_t exact_singletons) {
    sl_i_judged_sums sums = {.entities = curve->num_records,
                             .singletons = curve->num_records,
                             .largest = curve->num_records > 0,
                             .largest_in_entity = curve->num_records,
                             .exact = exact_singletons};
    sl_i_sum size_log = {0, 0}, bcubed_precision = {curve->num_records, 0};
    for (uint32_t bucket = 0; bucket < curve->num_buckets; bucket++) {
        const sl_i_judged_sums *change = &curve->judged[bucket];
        sums.pairs += change->pairs;
        sums.size_log = sl_i_sum_add(&size_log, change->size_log);
        sums.entities -= change->entities;
        sums.singletons -= change->singletons;
        sums.largest = change->largest > sums.largest ? change->largest : sums.largest;
        sums.true_pairs += change->true_pairs;
        sums.bcubed_precision = sl_i_sum_add(&bcubed_precision, change->bcubed_precision);
        sums.largest_in_entity += change->largest_in_entity;
        sums.exact += change->exact;
        curve->judged[bucket] = sums;
    }
}

static void sum_reference(sl_curve *curve) {
    sl_i_reference_sums sums = {.largest_in_reference = curve->reference_entities, .cells = curve->num_records};
    sl_i_sum cell_log = {0, 0}, bcubed_recall = {curve->reference_entities, 0};
    for (uint32_t bucket = 0; bucket < curve->num_buckets; bucket++) {
        const sl_i_reference_sums *change = &curve->reference[bucket];
        sums.cell_log = sl_i_sum_add(&cell_log, change->cell_log);
        sums.bcubed_recall = sl_i_sum_add(&bcubed_recall, change->bcubed_recall);
        sums.largest_in_reference += change->largest_in_reference;
        sums.cells -= change->cells;
        curve->reference[bucket] = sums;
    }
}

static int64_t count_ones(const uint32_t *sizes, uint32_t count) {
    int64_t ones = 0;
    for (uint32_t i = 0; i < count; i++) ones += sizes[i] == 1;
    return ones;
}

static sl_status measure_against_reference(sl_curve *curve, const sl_i_judged *judged, const sl_curve_options *options,
                                           const sl_i_log_table *logs, sl_i_ticker *ticker, sl_error *error) {
    sl_i_seams seams = {0};
    uint64_t covered = judged->num_covered;
    uint32_t num_labels = options->num_reference_labels;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&seams.crossing, covered, sizeof *seams.crossing, "true pairs", error));
    SL_TRY_CLEANUP(status,
                   sl_i_allocate_zeroed(&seams.largest_cell, covered, sizeof *seams.largest_cell, "true pairs", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&seams.labels, covered, sizeof *seams.labels, "reference labels", error));
    SL_TRY_CLEANUP(status,
                   sl_i_allocate_zeroed(&seams.sizes, num_labels, sizeof *seams.sizes, "reference sizes", error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&curve->reference, curve->num_buckets, sizeof *curve->reference,
                                                "the curve", error));
    SL_TRY_CLEANUP(
        status, sl_i_reference_pass(judged, options->reference_labels, num_labels, logs, &seams, curve, ticker, error));
    SL_TRY_CLEANUP(status, sl_i_judged_pass(judged, logs, &seams, curve, ticker, error));
    sum_judged(curve, count_ones(seams.sizes, num_labels));
    sum_reference(curve);
cleanup:
    sl_i_release(seams.crossing, covered, sizeof *seams.crossing);
    sl_i_release(seams.largest_cell, covered, sizeof *seams.largest_cell);
    sl_i_release(seams.labels, covered, sizeof *seams.labels);
    sl_i_release(seams.sizes, num_labels, sizeof *seams.sizes);
    return status;
}

static sl_status measure(sl_curve *curve, const sl_i_judged *judged, const sl_curve_options *options, sl_error *error) {
    sl_i_log_table logs;
    sl_i_ticker ticker = sl_i_ticker_make(options->progress);
    sl_i_log_table_fill(&logs);
    SL_TRY(sl_i_allocate_zeroed(&curve->judged, curve->num_buckets, sizeof *curve->judged, "the curve", error));
    if (options->reference_labels) return measure_against_reference(curve, judged, options, &logs, &ticker, error);
    SL_TRY(sl_i_judged_pass(judged, &logs, NULL, curve, &ticker, error));
    sum_judged(curve, 0);
    return SL_OK;
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

static sl_status fill_curve(sl_curve *curve, const sl_hierarchy *hierarchy, const sl_curve_options *options,
                            sl_error *error) {
    sl_i_judged judged = {.order = hierarchy->order,
                          .join = hierarchy->join,
                          .num_covered = hierarchy->num_records,
                          .num_records = curve->num_records,
                          .num_levels_used = hierarchy->num_levels};
    uint32_t *distinct = NULL, *bucket_of = NULL;
    uint64_t count = options->num_thresholds;
    sl_status status;
    if (!options->thresholds) {
        SL_TRY(list_all_levels(curve, hierarchy, error));
        return measure(curve, &judged, options, error);
    }
    SL_TRY_CLEANUP(status, list_thresholds(curve, hierarchy, options->thresholds, count, &distinct, error));
    judged.num_levels_used = curve->num_buckets > 0 ? distinct[curve->num_buckets - 1] : 0;
    SL_TRY_CLEANUP(status, map_levels(curve, distinct, hierarchy->num_levels, &bucket_of, error));
    judged.bucket_of = bucket_of;
    status = measure(curve, &judged, options, error);
cleanup:
    sl_i_release(distinct, count, sizeof *distinct);
    sl_i_release(bucket_of, (uint64_t)hierarchy->num_levels + 1, sizeof *bucket_of);
    return status;
}

sl_status sl_i_measured_records(const sl_hierarchy *hierarchy, uint32_t *num_records, sl_error *error) {
    if (*num_records == 0) *num_records = hierarchy->num_records;
    if (*num_records >= hierarchy->num_records) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a hierarchy of %u records cannot be measured over only %u",
                     hierarchy->num_records, *num_records);
}

sl_status sl_curve_create(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_curve_options *options,
                          sl_curve **out, sl_error *error) {
    const sl_curve_options defaults = {0};
    sl_curve *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_measured_records(hierarchy, &num_records, error));
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a curve", error));
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->num_records = num_records;
    sl_status status = fill_curve(made, hierarchy, options ? options : &defaults, error);
    if (status != SL_OK) {
        sl_curve_release(made);
        return status;
    }
    *out = made;
    return SL_OK;
}

void sl_curve_release(sl_curve *curve) {
    if (!curve) return;
    sl_hierarchy_release(curve->hierarchy);
    sl_i_release(curve->thresholds, curve->num_rows, sizeof *curve->thresholds);
    sl_i_release(curve->row_buckets, curve->num_rows, sizeof *curve->row_buckets);
    sl_i_release(curve->judged, curve->num_buckets, sizeof *curve->judged);
    sl_i_release(curve->reference, curve->num_buckets, sizeof *curve->reference);
    sl_i_release(curve, 1, sizeof *curve);
}

uint64_t sl_curve_length(const sl_curve *curve) { return curve->num_rows; }
const double *sl_curve_thresholds(const sl_curve *curve) { return curve->thresholds; }
