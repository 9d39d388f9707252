/* merge_replay.h: merge events that name their records, checked while they are replayed, and the hierarchy of them.
 *
 * Every event names what merges, as components or as the records of each, and those records are compared with the components of that
 * moment: a union-find over the records knows them. An event is begun, given components or groups, and ended; after that its result
 * may be compared with a group, too. Whatever is wrong is said as the end of a sentence about the event ("has a record that ..."), and
 * the replay is of no more use. 16 bytes a record and 8 a component. */
#ifndef SL_INTERCHANGE_MERGE_REPLAY_H
#define SL_INTERCHANGE_MERGE_REPLAY_H

#include "hierarchy/hierarchy.h"
#include "interchange/arrow_nodes.h"
#include "support/pool.h"

typedef struct sl_i_merge_replay {
    uint32_t num_records;
    struct sl_i_replay_record *records;
    uint32_t *results; /* by event: a record of its result */
    double *thresholds;
    uint64_t *ends; /* of events, in components */
    uint64_t *components;
    uint64_t num_events, num_components;
    uint64_t results_capacity, thresholds_capacity, ends_capacity, components_capacity;
    uint32_t group_root, group_size; /* of the group on its way */
} sl_i_merge_replay;

sl_status sl_i_replay_make(uint32_t num_records, sl_i_merge_replay *out, sl_error *error) SL_MUST_USE;
void sl_i_replay_free(sl_i_merge_replay *replay);

/** Begin the next event. */
sl_status sl_i_replay_begin(sl_i_merge_replay *replay, double threshold, sl_error *error) SL_MUST_USE;
/** A component that merges, numbered as in sl_merge_events. The reason why there is none in *why, else NULL. */
sl_status sl_i_replay_component(sl_i_merge_replay *replay, uint64_t component, const char **why, sl_error *error)
    SL_MUST_USE;
/** Name the next records of a group, those of `span` among `ints`, a unit of `ticker` each. Why one cannot be in it in *why, else NULL. */
sl_status sl_i_replay_name(sl_i_merge_replay *replay, sl_i_node ints, sl_i_span span, sl_i_ticker *ticker,
                           const char **why, sl_error *error) SL_MUST_USE;
/** End a group that is a component that merges. */
sl_status sl_i_replay_end_group(sl_i_merge_replay *replay, const char **why, sl_error *error) SL_MUST_USE;
/** End the event: what merges is one now. Why it cannot, or NULL. */
const char *sl_i_replay_end(sl_i_merge_replay *replay);
/** End a group that is to be the result of the event ended last; why it is not, or NULL. */
const char *sl_i_replay_end_result(sl_i_merge_replay *replay);

/** The hierarchy of all events, thresholds checked as in sl_hierarchy_from_merges: a phase of its own. */
sl_status sl_i_replay_build(const sl_i_merge_replay *replay, sl_i_score_kind kind, const sl_progress *progress,
                            sl_hierarchy **out, sl_error *error) SL_MUST_USE;
/** Whether every threshold is one that rounding to 6 decimals leaves as it is. */
bool sl_i_replay_is_rounded(const sl_i_merge_replay *replay);

#endif
