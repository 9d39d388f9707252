/* sampled_growth.h: the sums while one component only takes in records that are not sampled.
 *
 * Late in a hierarchy one component holds most sampled records and grows at nearly every threshold, by a record or two. Of each sampled
 * entity with N records in it, that changes three parts alone, all along one variable d of its size S, which was S0 at the start:
 *
 *     pairs     wrong + N d                     d = (S - S0) / 2
 *     records   hits - N^2 d, wrong + N^2 d     d = 1 / S0 - 1 / S
 *     entities  wrong - N d                     the same; there are other entities in the component, so that none is exact
 *
 * Sums of the parts are then linear in d, and sums of their products quadratic: kept are the coefficients, over all entities in the
 * component. What is subtracted stays below a half while S is at most twice S0: begin anew beyond that. O(1) for a new size. */
#ifndef SL_METRICS_SAMPLED_GROWTH_H
#define SL_METRICS_SAMPLED_GROWTH_H

#include "metrics/estimate.h"

/** What an entity adds to the sums of one family, weighted. */
typedef struct sl_i_parts {
    double of[SL_I_NUM_PARTS];
} sl_i_parts;

/** Coefficients of d in the sums, of d and of d^2 in the products. Other components may change the parts of an entity while this one
 *  grows, and with them only the coefficients of d in the products. */
typedef struct sl_i_slopes {
    double sums[SL_I_NUM_PARTS];
    sl_i_sum products[SL_I_NUM_PRODUCTS];
    double squares[SL_I_NUM_PRODUCTS];
} sl_i_slopes;

typedef struct sl_i_growth {
    uint32_t start; /* S0 */
    sl_i_slopes families[SL_I_NUM_FAMILIES];
} sl_i_growth;

/** An entity with `count` records in the component; `parts`: of each family, as they are at the start. */
void sl_i_growth_add(sl_i_growth *growth, double weight, uint32_t count, const sl_i_parts *parts);
/** Its parts at the start would be others, as other components have changed. */
void sl_i_growth_change(sl_i_growth *growth, double weight, uint32_t count, const sl_i_parts *before,
                        const sl_i_parts *now);
/** Sums at the start to those where the component has `size` records. */
void sl_i_growth_apply(const sl_i_growth *growth, uint32_t size, sl_i_sampled_sums *state);

#endif
