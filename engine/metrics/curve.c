/* curve.c: from what is asked for to buckets, through the two passes, to sums by bucket. See curve.h. */
#include "metrics/curve.h"

#include <string.h>

#include "metrics/merge_changes.h"
#include "support/clock.h"

void sl_i_log_table_fill(sl_i_log_table *table) {
    table->values[0] = 0.0;
    for (uint32_t x = 1; x < 4096; x++) table->values[x] = (double)x * log((double)x);
}

double sl_i_log_of_large(uint64_t x) { return (double)x * log((double)x); }

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static void sum_judged(sl_curve *curve, int64_t exact_singletons) {
    sl_i_judged_totals totals = sl_i_judged_start(curve->num_records, exact_singletons);
    for (uint32_t bucket = 0; bucket < curve->num_buckets; bucket++) {
        sl_i_judged_add(&totals, &curve->judged[bucket]);
        curve->judged[bucket] = totals.sums;
    }
}

static void sum_reference(sl_curve *curve) {
    sl_i_reference_totals totals = sl_i_reference_start(curve->num_records, curve->reference_entities);
    for (uint32_t bucket = 0; bucket < curve->num_buckets; bucket++) {
        sl_i_reference_add(&totals, &curve->reference[bucket]);
        curve->reference[bucket] = totals.sums;
    }
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
    sum_judged(curve, sl_i_count_ones(seams.sizes, num_labels));
    sum_reference(curve);
cleanup:
    sl_i_release(seams.crossing, covered, sizeof *seams.crossing);
    sl_i_release(seams.largest_cell, covered, sizeof *seams.largest_cell);
    sl_i_release(seams.labels, covered, sizeof *seams.labels);
    sl_i_release(seams.sizes, num_labels, sizeof *seams.sizes);
    return status;
}

static sl_status measure(sl_curve *curve, const sl_i_judged *judged, const sl_curve_options *options,
                         sl_i_ticker *ticker, sl_error *error) {
    sl_i_log_table logs;
    sl_i_log_table_fill(&logs);
    SL_TRY(sl_i_allocate_zeroed(&curve->judged, curve->num_buckets, sizeof *curve->judged, "the curve", error));
    if (options->reference_labels) return measure_against_reference(curve, judged, options, &logs, ticker, error);
    SL_TRY(sl_i_judged_pass(judged, &logs, NULL, curve, ticker, error));
    sum_judged(curve, 0);
    return SL_OK;
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

/* The curve's rows are those of the cuts, which it takes over. */
static void take_rows(sl_curve *curve, sl_i_cuts *cuts) {
    curve->num_rows = cuts->num_rows;
    curve->num_buckets = cuts->num_buckets;
    curve->thresholds = cuts->thresholds;
    curve->row_buckets = cuts->row_buckets;
    cuts->thresholds = NULL;
    cuts->row_buckets = NULL;
}

static sl_status fill_curve(sl_curve *curve, const sl_hierarchy *hierarchy, const sl_curve_options *options,
                            sl_i_ticker *ticker, sl_error *error) {
    sl_i_cuts cuts = {0};
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_cuts_list(hierarchy, options->thresholds, options->num_thresholds, &cuts, error));
    take_rows(curve, &cuts);
    sl_i_judged judged = sl_i_judged_of(hierarchy, curve->num_records, &cuts);
    status = measure(curve, &judged, options, ticker, error);
cleanup:
    sl_i_cuts_release(&cuts);
    return status;
}

sl_i_judged sl_i_judged_of(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_i_cuts *cuts) {
    return (sl_i_judged){.order = hierarchy->order,
                         .join = hierarchy->join,
                         .num_covered = hierarchy->num_records,
                         .num_records = num_records,
                         .num_levels_used = cuts->num_levels_used,
                         .bucket_of = cuts->bucket_of};
}

sl_status sl_i_measured_records(const sl_hierarchy *hierarchy, uint32_t *num_records, sl_error *error) {
    if (*num_records == 0) *num_records = hierarchy->num_records;
    if (*num_records >= hierarchy->num_records) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a hierarchy of %u records cannot be measured over only %u",
                     hierarchy->num_records, *num_records);
}

sl_status sl_i_curve_make(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_curve_options *options,
                          sl_i_ticker *ticker, sl_curve **out, sl_error *error) {
    double start = sl_i_now();
    sl_curve *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_measured_records(hierarchy, &num_records, error));
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a curve", error));
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->num_records = num_records;
    sl_status status = fill_curve(made, hierarchy, options, ticker, error);
    if (status != SL_OK) {
        sl_curve_release(made);
        return status;
    }
    made->seconds = sl_i_now() - start;
    *out = made;
    return SL_OK;
}

sl_status sl_curve_create(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_curve_options *options,
                          sl_curve **out, sl_error *error) {
    const sl_curve_options defaults = {0};
    if (!options) options = &defaults;
    sl_i_ticker ticker = sl_i_ticker_make(options->progress);
    return sl_i_curve_make(hierarchy, num_records, options, &ticker, out, error);
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
