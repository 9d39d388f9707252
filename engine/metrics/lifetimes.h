/* lifetimes.h: the metrics that ask how long entities live, which no sums of one cut can tell: each is a pass of its own over
 * the curve's hierarchy, made when the metric is asked for. */
#ifndef SL_METRICS_LIFETIMES_H
#define SL_METRICS_LIFETIMES_H

#include "metrics/curve.h"

/** SL_ERROR_INVALID_ARGUMENT unless 0 < shift <= 1. */
sl_status sl_i_check_shift(double shift, sl_error *error) SL_MUST_USE;

/** The metric at every row of the curve. O(records + levels + rows), 24 bytes a level. `parameter` is not used. */
sl_status sl_i_entity_stability(const sl_curve *curve, double parameter, double *values, sl_error *error) SL_MUST_USE;
/** The metric at every row of the curve, for a valid shift. The same, and rows log rows and 32
 *  bytes a row where thresholds do not ascend, else 16. */
sl_status sl_i_threshold_sensitivity(const sl_curve *curve, double shift, double *values, sl_error *error) SL_MUST_USE;

#endif
