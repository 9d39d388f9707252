/* entity_tasks.c: see entity_tasks.h. */
#include "entities/entity_tasks.h"

#include "support/first_failure.h"

#define TASK_RECORDS UINT32_C(4096)

typedef struct work {
    const sl_i_entity_slices *slices;
    sl_i_entity_task task;
    void *state;
    sl_i_first_failure failed; /* by entity */
} work;

sl_status sl_i_entity_slices_get(const sl_partition *partition, sl_i_entity_slices *out, sl_error *error) {
    *out = (sl_i_entity_slices){.num_entities = sl_partition_num_entities(partition),
                                .num_records = sl_partition_num_records(partition)};
    SL_TRY(sl_partition_offsets(partition, &out->offsets, error));
    return sl_partition_records(partition, &out->records, error);
}

sl_status sl_i_check_holds_partition(const sl_context *context, const sl_partition *partition, sl_error *error) {
    uint32_t wanted = sl_partition_num_records(partition);
    if (!context)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the context that tells who the records are is missing");
    uint32_t known = sl_context_num_records(context);
    if (known >= wanted) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "the partition has %u records, its context only %u: it belongs to another context",
                     (unsigned)wanted, (unsigned)known);
}

/* The first entity that begins at `position` or later. */
static uint32_t first_entity_from(const sl_i_entity_slices *slices, uint64_t position) {
    uint32_t low = 0, high = slices->num_entities;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (slices->offsets[middle] >= position)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void run_task(void *state, uint64_t task, uint32_t lane) {
    work *w = state;
    uint64_t from = task * TASK_RECORDS;
    uint32_t last = first_entity_from(w->slices, from + TASK_RECORDS);
    for (uint32_t entity = first_entity_from(w->slices, from); entity < last; entity++) {
        sl_error error;
        if (sl_i_first_failure_precedes(&w->failed, entity)) return;
        sl_status status = w->task(w->state, entity, lane, &error);
        if (status == SL_OK) continue;
        sl_i_first_failure_note(&w->failed, entity, status, &error);
        return;
    }
}

sl_status sl_i_for_entities(const sl_i_entity_slices *slices, uint32_t lanes, sl_i_entity_task task, void *state,
                            sl_i_ticker *ticker, sl_error *error) {
    work w = {.slices = slices, .task = task, .state = state};
    uint64_t num_tasks = ((uint64_t)slices->num_records + TASK_RECORDS - 1) / TASK_RECORDS;
    sl_i_first_failure_init(&w.failed);
    SL_TRY(sl_i_parallel(num_tasks, lanes, run_task, &w, ticker, TASK_RECORDS, error));
    return sl_i_first_failure_forward(&w.failed, error);
}
