/* merge_events.h: merge events for the layers that step through them. */
#ifndef SL_HIERARCHY_MERGE_EVENTS_H
#define SL_HIERARCHY_MERGE_EVENTS_H

#include "starlings.h"

/** sl_merge_events_get without its pairs, which take a look at each component: `num_pairs` is 0. O(1). */
bool sl_i_merge_events_find(const sl_merge_events *events, uint32_t index, sl_merge_event *out);

#endif
