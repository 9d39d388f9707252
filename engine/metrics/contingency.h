/* contingency.h: a contingency table as the lazily computed metrics use it: started anew in place, its sums as one row. */
#ifndef SL_METRICS_CONTINGENCY_H
#define SL_METRICS_CONTINGENCY_H

#include "metrics/curve.h"

/** The sums of one partition against the reference, from which every metric but those of lifetimes is a formula. */
typedef struct sl_i_one_row {
    sl_i_judged_sums judged;
    sl_i_reference_sums reference;
    double threshold; /* read by the metrics of lifetimes only */
    uint32_t bucket;  /* 0: the only one */
} sl_i_one_row;

/** The sums as they are now. */
sl_i_one_row sl_i_contingency_row(const sl_contingency *table);
/** `row`, which lives as long as the result is used, as a curve without a hierarchy over the table's records and reference. It
 *  owns nothing and is not released. */
sl_curve sl_i_contingency_curve(const sl_contingency *table, sl_i_one_row *row);
/** Every record alone again. O(records + labels), no allocation. */
void sl_i_contingency_restart(sl_contingency *table);

#endif
