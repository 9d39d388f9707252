/* plain_edges.h: the edge list of a graph, by sorting it, and Kruskal's algorithm over it, by relabelling everybody. */
#ifndef SL_TESTS_PLAIN_EDGES_H
#define SL_TESTS_PLAIN_EDGES_H

#include "hierarchy/edge_list.h"
#include "hierarchy/hierarchy.h"
#include "support/graphs.h"

/** The distinct edges of the graph with their highest scores as compared at `decimals` (PLAIN_EXACT: as they are), in an edge list's
 *  order, in memory of the test's own. Give it back with plain_edges_free, never with sl_edge_list_release. */
void plain_edges_make(const graph *g, uint32_t decimals, sl_edge_list *out);
void plain_edges_free(sl_edge_list *edges);

/** Numbers of the edges that join something, in order; returns how many. `joined` has num_records slots. */
uint32_t plain_edges_kruskal(const sl_edge_list *edges, uint32_t num_records, uint32_t *joined);

/** The forest arrays are these edges: at each seam one of its own level, given out from left to right in each merge. */
void plain_edges_expect_forest(const sl_hierarchy *hierarchy, const sl_edge_list *edges, const uint32_t *joined,
                               uint32_t num_joined);

#endif
