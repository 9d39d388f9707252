/* plain_kept.h: what a hierarchy keeps of its edges, compared with the plain list and forest of a graph (plain_edges.h). */
#ifndef SL_TESTS_PLAIN_KEPT_H
#define SL_TESTS_PLAIN_KEPT_H

#include "support/plain_edges.h"

/** The engine's list is this one, adjacency included, and valid. */
void plain_expect_list(const sl_edge_list *edges, const sl_edge_list *plain);
/** The hierarchy is valid and keeps this much: the graph's edges, and the forest of them. */
void plain_expect_kept(const sl_hierarchy *hierarchy, const graph *g, uint32_t decimals, sl_keep keep);

#endif
