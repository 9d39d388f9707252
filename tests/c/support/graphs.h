/* graphs.h: random scored graphs with a reference partition, in the shapes that break hierarchies: ties, self-loops,
 * duplicates, isolated records, chains, stars, one giant component. The same arguments give the same graph. */
#ifndef SL_TESTS_GRAPHS_H
#define SL_TESTS_GRAPHS_H

#include <stdint.h>

typedef enum graph_shape {
    GRAPH_RANDOM,
    GRAPH_TIES,       /* scores from a handful of values */
    GRAPH_EQUAL,      /* one score */
    GRAPH_SELF_LOOPS, /* a third of the edges */
    GRAPH_ONLY_SELF_LOOPS,
    GRAPH_DUPLICATES,       /* few pairs, many edges, different scores */
    GRAPH_ISOLATED,         /* two thirds of the records have no edge */
    GRAPH_CHAIN_ASCENDING,  /* 0-1-2-..., scores rising */
    GRAPH_CHAIN_DESCENDING, /* scores falling */
    GRAPH_STAR,             /* one hub, in the middle of the indices */
    GRAPH_GIANT,            /* a random tree over all records first: one component */
    GRAPH_CLUSTERS,         /* mostly within small entities, which are the reference */
    GRAPH_NO_EDGES,
    GRAPH_NUM_SHAPES
} graph_shape;

typedef struct graph {
    graph_shape shape;
    uint32_t num_records;
    uint64_t num_edges;
    uint32_t *left, *right;
    double *scores;
    uint32_t *truth; /* reference label of each record, below num_truth; some labels may be unused */
    uint32_t num_truth;
} graph;

/** A graph of about `num_edges` edges (chains have their own number). `steps`: scores are multiples of 1/steps (0: any
 *  double in [0, 1]). Free with graph_free. */
graph graph_make(graph_shape shape, uint32_t num_records, uint64_t num_edges, uint32_t steps, uint64_t seed);
/** A small one of any shape: the `number`-th of an endless list. Up to 40 records, 120 edges. */
graph graph_small(uint64_t number);
/** The same edges in another order, ends swapped at random. */
graph graph_shuffle(const graph *original, uint64_t seed);
void graph_free(graph *g);

/** splitmix64: the next random number of `state`. */
uint64_t graph_random(uint64_t *state);
/** A number below `bound` (0 for bound 0). */
uint32_t graph_below(uint64_t *state, uint32_t bound);
/** A double in [0, 1). */
double graph_fraction(uint64_t *state);

#endif
