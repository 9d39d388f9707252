/* merge_changes.h: what one merge changes in the sums of curve.h, and how changes add up to values: shared by the passes, which
 * meet merges along the leaf order, and by the contingency table, which is stepped through them by threshold. */
#ifndef SL_METRICS_MERGE_CHANGES_H
#define SL_METRICS_MERGE_CHANGES_H

#include "metrics/curve.h"

/* ---- judged entities ----------------------------------------------------------------------------------------------- */

/** Records that are together by now. Fields of the reference are unused without one. */
typedef struct sl_i_run {
    uint32_t size;
    uint32_t label;        /* of any of its records */
    uint32_t largest_cell; /* most records of one label */
    uint32_t link;         /* its keeper's: the open seam before it (judged_pass.c), its first cell (contingency.c) */
    uint64_t squares;      /* sum of squared cell counts */
} sl_i_run;

/** All records carry one label (S = size^2), and the label has no more. `sizes`: records of each label. */
static inline bool sl_i_run_is_exact(const sl_i_run *run, const uint32_t *sizes) {
    return run->squares == (uint64_t)run->size * run->size && run->size == sizes[run->label];
}

/** Runs a and b become one. */
static inline void sl_i_count_merge(const sl_i_run *a, const sl_i_run *b, const sl_i_log_table *logs,
                                    sl_i_judged_sums *sums) {
    uint32_t together = a->size + b->size;
    sums->pairs += (uint64_t)a->size * b->size;
    sums->size_log += sl_i_x_log_x(logs, together) - sl_i_x_log_x(logs, a->size) - sl_i_x_log_x(logs, b->size);
    sums->entities++;
    sums->singletons += (uint32_t)(a->size == 1) + (uint32_t)(b->size == 1);
    sums->largest = together > sums->largest ? together : sums->largest;
}

/** What changes between the reference and the judged side when a and b become `fused`, with so many true pairs across. */
static inline void sl_i_count_against_reference(const sl_i_run *a, const sl_i_run *b, const sl_i_run *fused,
                                                uint64_t crossing, const uint32_t *sizes, sl_i_judged_sums *sums) {
    sums->true_pairs += crossing;
    sums->bcubed_precision +=
        (double)fused->squares / fused->size - (double)a->squares / a->size - (double)b->squares / b->size;
    sums->exact += (int64_t)sl_i_run_is_exact(fused, sizes) - (int64_t)sl_i_run_is_exact(a, sizes) -
                   (int64_t)sl_i_run_is_exact(b, sizes);
    /* Unsigned arithmetic wraps to the right sum: the fused run's largest cell may be smaller than both together. */
    sums->largest_in_entity += (uint64_t)fused->largest_cell - a->largest_cell - b->largest_cell;
}

/* ---- reference entities -------------------------------------------------------------------------------------------- */

/** A reference entity of so many records counts in the totals of its side. */
static inline void sl_i_count_reference(sl_curve *curve, uint32_t size, const sl_i_log_table *logs) {
    curve->reference_entities += size > 0;
    curve->reference_pairs += sl_i_pairs_among(size);
    curve->reference_size_log += sl_i_x_log_x(logs, size);
}

/** Cells of a and b records of a reference entity of `entity_size` become one. */
static inline void sl_i_count_cell_fusion(uint32_t a, uint32_t b, uint32_t entity_size, const sl_i_log_table *logs,
                                          sl_i_reference_sums *sums) {
    sums->cell_log += sl_i_x_log_x(logs, a + b) - sl_i_x_log_x(logs, a) - sl_i_x_log_x(logs, b);
    sums->bcubed_recall += 2.0 * ((double)a * (double)b) / (double)entity_size;
    sums->cells++;
}

/* ---- from changes to values ---------------------------------------------------------------------------------------- */

typedef struct sl_i_judged_totals {
    sl_i_judged_sums sums;
    sl_i_sum size_log, bcubed_precision; /* what sums.size_log and sums.bcubed_precision are rounded from */
} sl_i_judged_totals;

/** Every record alone; `exact_singletons` of them are reference entities. */
static inline sl_i_judged_totals sl_i_judged_start(uint32_t num_records, int64_t exact_singletons) {
    return (sl_i_judged_totals){.sums = {.entities = num_records,
                                         .singletons = num_records,
                                         .largest = num_records > 0,
                                         .bcubed_precision = num_records,
                                         .largest_in_entity = num_records,
                                         .exact = exact_singletons},
                                .bcubed_precision = {num_records, 0}};
}

static inline void sl_i_judged_add(sl_i_judged_totals *totals, const sl_i_judged_sums *change) {
    sl_i_judged_sums *sums = &totals->sums;
    sums->pairs += change->pairs;
    sums->size_log = sl_i_sum_add(&totals->size_log, change->size_log);
    sums->entities -= change->entities;
    sums->singletons -= change->singletons;
    sums->largest = change->largest > sums->largest ? change->largest : sums->largest;
    sums->true_pairs += change->true_pairs;
    sums->bcubed_precision = sl_i_sum_add(&totals->bcubed_precision, change->bcubed_precision);
    sums->largest_in_entity += change->largest_in_entity;
    sums->exact += change->exact;
}

typedef struct sl_i_reference_totals {
    sl_i_reference_sums sums;
    sl_i_sum cell_log, bcubed_recall;
} sl_i_reference_totals;

static inline sl_i_reference_totals sl_i_reference_start(uint32_t num_records, uint32_t reference_entities) {
    return (sl_i_reference_totals){
        .sums = {.bcubed_recall = reference_entities, .largest_in_reference = reference_entities, .cells = num_records},
        .bcubed_recall = {reference_entities, 0}};
}

static inline void sl_i_reference_add(sl_i_reference_totals *totals, const sl_i_reference_sums *change) {
    sl_i_reference_sums *sums = &totals->sums;
    sums->cell_log = sl_i_sum_add(&totals->cell_log, change->cell_log);
    sums->bcubed_recall = sl_i_sum_add(&totals->bcubed_recall, change->bcubed_recall);
    sums->largest_in_reference += change->largest_in_reference;
    sums->cells -= change->cells;
}

/** Reference entities of one record. */
static inline int64_t sl_i_count_ones(const uint32_t *sizes, uint32_t count) {
    int64_t ones = 0;
    for (uint32_t i = 0; i < count; i++) ones += sizes[i] == 1;
    return ones;
}

/** SL_ERROR_INVALID_ARGUMENT with the record as row for a label out of range (reference_pass.c). */
sl_status sl_i_check_labels(const uint32_t *labels, uint32_t count, uint32_t num_labels, sl_error *error) SL_MUST_USE;

#endif
