/* edge_list.h: the fields of a list of kept edges, for the layers that read or make them.
 *
 * Invariants (sl_i_edge_list_validate): left[i] < right[i] < num_records; no pair twice; scores do not rise, and edges of one
 * score ascend by left, then right record. Immutable once it is handed out, but for the adjacency, which is made by whoever asks
 * for it first. */
#ifndef SL_HIERARCHY_EDGE_LIST_H
#define SL_HIERARCHY_EDGE_LIST_H

#include <stdatomic.h>

#include "support/memory.h"
#include "support/pool.h"
#include "support/shared_bytes.h"

/** Who is next to whom: record r has the neighbours records[starts[r]] .. records[starts[r + 1] - 1], strongest first. */
typedef struct sl_i_adjacency {
    uint64_t *starts;  /* num_records + 1 */
    uint32_t *records; /* 2 x count, and so is `edges`: the number of the edge to each neighbour */
    uint32_t *edges;
} sl_i_adjacency;

struct sl_edge_list {
    atomic_uint_fast32_t references;
    uint32_t num_records;
    uint64_t count;
    uint32_t *left, *right;
    double *scores;
    sl_i_shared_bytes *holder;           /* in which the three lie; NULL: they are the list's own */
    _Atomic(sl_i_adjacency *) adjacency; /* NULL: not made yet */
};

/** A list with room for `count` edges, to be filled in canonical order. */
sl_status sl_i_edge_list_allocate(uint32_t num_records, uint64_t count, sl_edge_list **out, sl_error *error)
    SL_MUST_USE;
/** A list of edges that lie in shared bytes, or, without `holder`, in three blocks from sl_i_allocate that it takes over on success. */
sl_status sl_i_edge_list_take(uint32_t num_records, uint64_t count, uint32_t *left, uint32_t *right, double *scores,
                              sl_i_shared_bytes *holder, sl_edge_list **out, sl_error *error) SL_MUST_USE;

/** The edges whose ends both have a rank (one for each record, SL_NO_RECORD: left out), over `num_ranks` records. Ranks keep the
 *  order of records, so the list stays in its order. O(edges). */
sl_status sl_i_edge_list_select(const sl_edge_list *edges, const uint32_t *ranks, uint32_t num_ranks,
                                sl_i_ticker *ticker, sl_edge_list **out, sl_error *error) SL_MUST_USE;

/** SL_ERROR_CORRUPT with the reason unless every invariant holds. O(records + edges); `ticker` gets no units. */
sl_status sl_i_edge_list_validate(const sl_edge_list *edges, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
