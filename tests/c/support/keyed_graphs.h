/* keyed_graphs.h: graphs as batches of keyed edges: the key of record r is r, in the source "default". */
#ifndef SL_TESTS_KEYED_GRAPHS_H
#define SL_TESTS_KEYED_GRAPHS_H

#include "support/graphs.h"

#include "starlings.h"

/** `count` edges of the graph, borrowed; not to be given to graph_free. */
graph graph_slice(const graph *g, uint64_t first, uint64_t count);
/** All its edges, borrowed. */
sl_edges graph_keyed(const graph *g);
/** A context that holds records 0..n-1 under the keys 0..n-1 (n may be 0). */
sl_context *numbered_context(uint32_t n);

#endif
