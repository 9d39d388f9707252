/* merge_events.h: merge events for the layers that step through them. */
#ifndef SL_HIERARCHY_MERGE_EVENTS_H
#define SL_HIERARCHY_MERGE_EVENTS_H

#include "starlings.h"
#include "support/pool.h"

/** sl_merge_events_create that ticks while it works, counting nothing. */
sl_status sl_i_merge_events_create(const sl_hierarchy *hierarchy, uint32_t num_records, sl_i_ticker *ticker,
                                   sl_merge_events **out, sl_error *error) SL_MUST_USE;
/** sl_hierarchy_expanded_size that ticks while it works, counting nothing. */
sl_status sl_i_expanded_size(const sl_hierarchy *hierarchy, sl_i_ticker *ticker, uint64_t *out, sl_error *error)
    SL_MUST_USE;
/** sl_merge_events_get without its pairs, which take a look at each component: `num_pairs` is 0. O(1). */
bool sl_i_merge_events_find(const sl_merge_events *events, uint32_t index, sl_merge_event *out);
/** Records of component `id`, as the components of these events are numbered: 1, or those of the event that made it. The records of
 *  an event are its components' one after another, so that each component is a slice of them. O(1). */
uint32_t sl_i_merge_events_size(const sl_merge_events *events, uint64_t id);
/** Components of all merge events of a hierarchy together. O(n). */
uint64_t sl_i_count_components(const sl_hierarchy *hierarchy);

#endif
