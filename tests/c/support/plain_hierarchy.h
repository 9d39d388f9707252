/* plain_hierarchy.h: what a hierarchy is, in a form too simple to be wrong.
 *
 * At every distinct score the components are found from scratch, each record labelled with the smallest record of its
 * component. The canonical order is then the lexicographic order of the records' labels, lowest threshold first, then the
 * record itself; the join of two neighbours is the first level at which their labels agree. O(levels x edges). */
#ifndef SL_TESTS_PLAIN_HIERARCHY_H
#define SL_TESTS_PLAIN_HIERARCHY_H

#include "support/graphs.h"

#include "starlings.h"

#define PLAIN_EXACT 0u    /* as a number of decimals */
#define PLAIN_WEIGHTS 16u /* added to one: scores are weights */

typedef struct plain_hierarchy {
    uint32_t num_records, num_levels, num_merges;
    uint32_t *order, *join;
    double *levels;
    uint32_t *smallest; /* num_levels x num_records: smallest record of each record's component */
} plain_hierarchy;

/** The score as compared: half-even to `decimals`, as the nearest double of a whole number of millionths. Weights of 2^51 of the
 *  units in which they are rounded, and more, as they are. */
double plain_round(double score, uint32_t decimals);
/** By the definition above. */
plain_hierarchy plain_build(const graph *g, uint32_t decimals);
void plain_free(plain_hierarchy *plain);
/** Smallest record of each record's component of the edges whose compared score is `threshold` or more. */
void plain_components(const graph *g, uint32_t decimals, double threshold, uint32_t *smallest);

/** The engine's hierarchy of the graph; validated. `options` may be NULL. */
sl_hierarchy *plain_engine_build(const graph *g, const sl_build_options *options);
/** Order, joins, levels and merges are those of the definition; and the hierarchy is valid. */
void plain_expect_equal(const sl_hierarchy *hierarchy, const plain_hierarchy *plain);
/** The same for large graphs, where the definition is too slow: every edge's ends are together at its score, and at every
 *  threshold there are as many components as a textbook Kruskal finds. Together that leaves one partition at each. */
void plain_expect_large(const sl_hierarchy *hierarchy, const graph *g, uint32_t decimals);
/** A check of something that is computed of `g`, whose scores are compared to `decimals`, over `extra` later records besides. */
typedef void (*plain_check)(const graph *g, uint32_t decimals, uint32_t extra, uint64_t number);
/** Run it for small graphs 0..count-1 of all shapes, kinds of rounding and some numbers of later records. */
void plain_check_small(uint64_t count, plain_check check);
/** Two label arrays describe one partition. */
void plain_expect_same_partition(const uint32_t *a, const uint32_t *b, uint32_t count);

#endif
