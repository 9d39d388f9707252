/* parallel_for.c: tasks of the library's users on the pool, where they may fail.
 *
 * Tasks are claimed in the order of falling costs, so which of them have failed by the time another one is claimed hangs on the
 * threads; the failure that is reported does not (first_failure.h). */
#include <string.h>

#include "support/first_failure.h"
#include "support/memory.h"
#include "support/pool.h"

typedef struct call {
    sl_task run;
    void *state;
    const uint64_t *order; /* NULL: as numbered */
    sl_i_first_failure failed;
} call;

static void run_task(void *state, uint64_t index, uint32_t lane) {
    call *c = state;
    uint64_t task = c->order ? c->order[index] : index;
    sl_error error; /* of its text only the first byte is set: tasks may be tiny */
    if (sl_i_first_failure_precedes(&c->failed, task)) return;
    error.status = SL_OK;
    error.row = error.other_row = -1;
    error.message[0] = '\0';
    sl_status status = c->run(c->state, task, lane, &error);
    if (status == SL_OK) return;
    if (error.status != status) /* the task did not say why */
        sl_i_fail(&error, status, "task %llu failed: %s", (unsigned long long)task, sl_status_name(status));
    sl_i_first_failure_note(&c->failed, task, status, &error);
}

static bool never_rises(const uint64_t *costs, uint64_t count) {
    uint64_t i = 1;
    while (i < count && costs[i] <= costs[i - 1]) i++;
    return i >= count;
}

/* Tasks by falling cost, those of one cost by number: one stable pass for each byte of the costs' complements, which a list of
 * tasks follows. */
static void order_by_cost(const uint64_t *costs, uint64_t count, uint64_t *order, uint64_t *scratch) {
    uint64_t *from = order, *to = scratch;
    for (uint64_t i = 0; i < count; i++) from[i] = i;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint64_t starts[257] = {0};
        for (uint64_t i = 0; i < count; i++) starts[(~costs[i] >> shift & 0xFF) + 1]++;
        if (starts[(~costs[0] >> shift & 0xFF) + 1] == count) continue; /* all alike */
        for (unsigned byte = 0; byte < 256; byte++) starts[byte + 1] += starts[byte];
        for (uint64_t i = 0; i < count; i++) to[starts[~costs[from[i]] >> shift & 0xFF]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != order) memcpy(order, from, count * sizeof *order);
}

static sl_status run_in_order(call *c, uint64_t num_tasks, const char *phase, const sl_progress *progress,
                              sl_error *error) {
    sl_i_ticker ticker = sl_i_ticker_make(progress);
    sl_i_ticker_begin(&ticker, phase ? phase : "working", num_tasks);
    SL_TRY(sl_i_parallel(num_tasks, sl_num_threads(), run_task, c, &ticker, 1, error));
    return sl_i_first_failure_forward(&c->failed, error);
}

sl_status sl_parallel_for(uint64_t num_tasks, const uint64_t *costs, sl_task run, void *state, const char *phase,
                          const sl_progress *progress, sl_error *error) {
    call c = {.run = run, .state = state};
    uint64_t *order = NULL, *scratch = NULL;
    sl_status status;
    sl_i_first_failure_init(&c.failed);
    if (!costs || never_rises(costs, num_tasks)) return run_in_order(&c, num_tasks, phase, progress, error);
    SL_TRY_CLEANUP(status, sl_i_allocate(&order, num_tasks, sizeof *order, "the order of tasks", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&scratch, num_tasks, sizeof *scratch, "the order of tasks", error));
    order_by_cost(costs, num_tasks, order, scratch);
    c.order = order;
    status = run_in_order(&c, num_tasks, phase, progress, error);
cleanup:
    sl_i_release(order, num_tasks, sizeof *order);
    sl_i_release(scratch, num_tasks, sizeof *scratch);
    return status;
}
