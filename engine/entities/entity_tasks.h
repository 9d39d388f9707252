/* entity_tasks.h: something done for every entity of a partition, on many threads.
 *
 * A task is the entities that begin within a certain number of positions: about as many records each, however the
 * entities' sizes differ, but for entities larger than that. */
#ifndef SL_ENTITIES_ENTITY_TASKS_H
#define SL_ENTITIES_ENTITY_TASKS_H

#include "support/pool.h"

/** The arrays of a partition; entity e is records[offsets[e]] .. records[offsets[e + 1] - 1]. Borrowed. */
typedef struct sl_i_entity_slices {
    const uint32_t *offsets, *records;
    uint32_t num_entities, num_records;
} sl_i_entity_slices;

sl_status sl_i_entity_slices_get(const sl_partition *partition, sl_i_entity_slices *out, sl_error *error) SL_MUST_USE;
/** SL_ERROR_INVALID_ARGUMENT unless `context` is there and holds the records of the partition. */
sl_status sl_i_check_holds_partition(const sl_context *context, const sl_partition *partition, sl_error *error)
    SL_MUST_USE;

/** One entity, on one thread. It may give up early once sl_i_ticker_poll says so, with SL_OK. */
typedef sl_status (*sl_i_entity_task)(void *state, uint32_t entity, uint32_t lane, sl_error *error);

/** Run `task` for every entity on at most `lanes` threads. A failure ends the call; of several, that of the first
 *  entity that fails is reported. */
sl_status sl_i_for_entities(const sl_i_entity_slices *slices, uint32_t lanes, sl_i_entity_task task, void *state,
                            sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
