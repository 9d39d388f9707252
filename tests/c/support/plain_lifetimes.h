/* plain_lifetimes.h: entity_stability and threshold_sensitivity by their definitions, from cuts of a graph and nothing else.
 *
 * Cuts are made wherever one may differ from the next; an entity is a set of records of such a cut, and where it lives is read
 * off the cuts that have it. O(cuts x records x edges): for small graphs. */
#ifndef SL_TESTS_PLAIN_LIFETIMES_H
#define SL_TESTS_PLAIN_LIFETIMES_H

#include "support/graphs.h"

#include "starlings.h"

/** `graph` over `num_records` records, with scores of so many decimals (PLAIN_EXACT: as they are). */
typedef struct plain_lifetimes {
    const graph *graph;
    uint32_t num_records, decimals;
    uint32_t num_points;
    double
        *points; /* 0, 1 and the distinct scores as compared, ascending: cuts are constant above one up to the next */
    uint32_t **labels; /* the cut at each of them: smallest record of each record's entity */
} plain_lifetimes;

plain_lifetimes plain_lifetimes_make(const graph *g, uint32_t num_records, uint32_t decimals);
void plain_lifetimes_free(plain_lifetimes *plain);

double plain_stability(const plain_lifetimes *plain, double threshold);
double plain_sensitivity(const plain_lifetimes *plain, double threshold, double shift);
/** Integrals over [0, 1]: a sum over the stretches between the thresholds at which either metric may change. */
double plain_mean_stability(const plain_lifetimes *plain);
double plain_mean_sensitivity(const plain_lifetimes *plain, double shift);

#endif
