/* curve.h: the sums from which every metric is a formula, one row for every distinct partition asked for.
 *
 * The distinct cuts asked for are the curve's buckets (cuts.h). Passes add what each merge changes to its bucket; prefix sums
 * then turn changes into values, so one cut, a sweep and the full curve are the same code. */
#ifndef SL_METRICS_CURVE_H
#define SL_METRICS_CURVE_H

#include <math.h>

#include "metrics/cuts.h"
#include "support/pool.h"

/** Sums over the judged entities, changed by their merges: one cache line. First changes, then values. The second half
 *  takes a reference. */
typedef struct sl_i_judged_sums {
    uint64_t pairs;      /* pairs of records in one entity */
    double size_log;     /* sum over entities of x ln x */
    uint32_t entities;   /* first: how many fewer; then: how many */
    uint32_t singletons; /* likewise */
    uint32_t largest;
    uint32_t unused;
    uint64_t true_pairs;        /* pairs together in both partitions */
    double bcubed_precision;    /* sum over records */
    uint64_t largest_in_entity; /* sum over entities of their largest cell */
    int64_t exact;              /* entities equal to a reference entity */
} sl_i_judged_sums;

/** Sums over the reference entities, changed by the fusions of their runs. First changes, then values. */
typedef struct sl_i_reference_sums {
    double cell_log;               /* sum over cells N_ij of x ln x */
    double bcubed_recall;          /* sum over records */
    uint64_t largest_in_reference; /* sum over reference entities of their largest cell */
    uint64_t cells;                /* first: how many fewer non-empty cells; then: how many */
} sl_i_reference_sums;

struct sl_curve {
    sl_hierarchy *hierarchy; /* a reference, for the metrics that take a pass of their own (lifetimes.h) */
    uint64_t num_rows;
    double *thresholds;    /* by row */
    uint32_t *row_buckets; /* by row */
    uint32_t num_buckets;
    uint32_t num_records;
    sl_i_judged_sums *judged;       /* by bucket */
    sl_i_reference_sums *reference; /* by bucket; NULL without a reference */
    /* of the reference */
    uint32_t reference_entities;
    uint64_t reference_pairs;
    double reference_size_log;
    double seconds; /* that it took to make */
};

/** sl_curve_create with a ticker in the place of the options' progress; `options` is never NULL. */
sl_status sl_i_curve_make(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_curve_options *options,
                          sl_i_ticker *ticker, sl_curve **out, sl_error *error) SL_MUST_USE;

/** Whether a metric is one of lifetimes: a pass over the hierarchy, no formula over the sums of one cut (formulas.c). */
bool sl_i_metric_is_of_lifetimes(sl_metric metric);
/** SL_ERROR_INVALID_ARGUMENT for a parameter out of range, of a metric that takes one (formulas.c). */
sl_status sl_i_check_parameter(sl_metric metric, double parameter, sl_error *error) SL_MUST_USE;

/** Over how many records a hierarchy is measured: its own for 0. SL_ERROR_INVALID_ARGUMENT for fewer than it has. */
sl_status sl_i_measured_records(const sl_hierarchy *hierarchy, uint32_t *num_records, sl_error *error) SL_MUST_USE;

/** The judged hierarchy as the passes read it. */
typedef struct sl_i_judged {
    const uint32_t *order, *join;
    uint32_t num_covered;      /* records of the hierarchy */
    uint32_t num_records;      /* all; the later ones are singletons */
    uint32_t num_levels_used;  /* levels from here on are applied by no bucket: as good as NEVER */
    const uint32_t *bucket_of; /* by level below num_levels_used; NULL: the level itself */
} sl_i_judged;

/** The same at some cuts, which it borrows. */
sl_i_judged sl_i_judged_of(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_i_cuts *cuts);

static inline uint32_t sl_i_bucket(const sl_i_judged *judged, uint32_t level) {
    return judged->bucket_of ? judged->bucket_of[level] : level;
}

/** A sum that a million small changes do not wear down. Zero-initialise. */
typedef struct sl_i_sum {
    double sum, low; /* what the sum is, and what it lost to rounding */
} sl_i_sum;

static inline double sl_i_sum_value(const sl_i_sum *total) { return total->sum + total->low; }
/** Neumaier's addition. Returns the sum so far. */
static inline double sl_i_sum_add(sl_i_sum *total, double change) {
    double next = total->sum + change;
    total->low += fabs(total->sum) >= fabs(change) ? (total->sum - next) + change : (change - next) + total->sum;
    total->sum = next;
    return sl_i_sum_value(total);
}

/** x ln x: a table for small x, the library's log otherwise. */
typedef struct sl_i_log_table {
    double values[4096];
} sl_i_log_table;

void sl_i_log_table_fill(sl_i_log_table *table);
double sl_i_log_of_large(uint64_t x);
static inline double sl_i_x_log_x(const sl_i_log_table *table, uint64_t x) {
    return x < 4096 ? table->values[x] : sl_i_log_of_large(x);
}

/** What the reference pass leaves for the judged pass, by position of the leaf order. */
typedef struct sl_i_seams {
    uint64_t *crossing;     /* true pairs that come together when this seam closes */
    uint32_t *largest_cell; /* the largest cell that comes about then, or 0 */
    uint32_t *labels;       /* reference label of the record at each position */
    uint32_t *sizes;        /* by label: records of the reference entity */
} sl_i_seams;

/** Pass over the reference entities: fills `seams` (arrays given, crossing and largest_cell zeroed), the changes of the
 *  reference sums, and the curve's reference totals. SL_ERROR_INVALID_ARGUMENT for a label out of range. */
sl_status sl_i_reference_pass(const sl_i_judged *judged, const uint32_t *labels, uint32_t num_labels,
                              const sl_i_log_table *logs, sl_i_seams *seams, sl_curve *curve, sl_i_ticker *ticker,
                              sl_error *error) SL_MUST_USE;
/** Pass over the judged entities: the changes of the judged sums. `seams` NULL: no reference. */
sl_status sl_i_judged_pass(const sl_i_judged *judged, const sl_i_log_table *logs, const sl_i_seams *seams,
                           sl_curve *curve, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
