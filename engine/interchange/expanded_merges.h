/* expanded_merges.h: how much merge events are that name every record of what merges, and where that is too much.
 *
 * An event is written out as the records of its components, which are the slice `records` of the event cut into pieces of
 * sl_i_merge_events_size(events, components[c]): nothing is searched for. Together they are as many as the sizes of all merges
 * added up: at most n log n where merges are balanced, but n * n / 2 on a chain, so they are counted before anything is written. */
#ifndef SL_INTERCHANGE_EXPANDED_MERGES_H
#define SL_INTERCHANGE_EXPANDED_MERGES_H

#include "frame/frame_state.h"
#include "hierarchy/merge_events.h"

/** SL_ERROR_CAPACITY, with the name and the counts, where the expanded merge events of this hierarchy, together with *total_io of
 *  others before it, are more than `options` allow (NULL: the default); else they are added to *total_io. O(n). */
sl_status sl_i_expanded_add(const sl_hierarchy *hierarchy, const char *name, size_t length,
                            const sl_export_options *options, sl_i_ticker *ticker, uint64_t *total_io, sl_error *error)
    SL_MUST_USE;
/** The same over all collections of a frame, of which *out_total are written out. */
sl_status sl_i_expanded_of_frame(const sl_frame_state *state, const sl_export_options *options, uint64_t *out_total,
                                 sl_error *error) SL_MUST_USE;

#endif
