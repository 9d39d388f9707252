/* plain_metrics.h: every metric by its definition, from two arrays of labels and nothing else. */
#ifndef SL_TESTS_PLAIN_METRICS_H
#define SL_TESTS_PLAIN_METRICS_H

#include "starlings.h"

#define PLAIN_BETA 2.0    /* the parameter of f_beta in `values` */
#define PLAIN_SHIFT 0.125 /* and of threshold_sensitivity */

/** The parameter of a metric in `values`. */
double plain_parameter(sl_metric metric);

typedef struct plain_metrics {
    double values[SL_NUM_METRICS];
} plain_metrics;

/** `truth` NULL: only the metrics of one partition. Without those of lifetimes, which no labels tell (plain_lifetimes.h). Labels are any numbers. O(n log n). */
plain_metrics plain_measure(const uint32_t *labels, const uint32_t *truth, uint32_t count);
/** The curve has these values in `row`, those of lifetimes left aside: counts exactly, the rest within 1e-9. */
void plain_expect_metrics(const sl_curve *curve, uint64_t row, const plain_metrics *expected);

#endif
