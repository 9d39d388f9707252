/* first_failure.h: of tasks that may fail on several threads, the failure of the lowest number.
 *
 * Which tasks have failed by the time another one begins hangs on the threads. The outcome does not if only tasks of higher
 * numbers than a failed one are skipped: the lowest one that fails is then always run, and it is the one kept. */
#ifndef SL_SUPPORT_FIRST_FAILURE_H
#define SL_SUPPORT_FIRST_FAILURE_H

#include <stdatomic.h>

#include "support/status.h"

typedef struct sl_i_first_failure {
    atomic_uint_fast64_t task; /* UINT64_MAX: none failed */
    sl_status status;          /* this and `error` are written under the short lock of the struct's address */
    sl_error error;
} sl_i_first_failure;

/** None failed. The error stays as it is: tasks may be few and short. */
static inline void sl_i_first_failure_init(sl_i_first_failure *first) {
    atomic_init(&first->task, UINT64_MAX);
    first->status = SL_OK;
}

/** Whether a task of a lower number has failed, so that `task` need not run. On any thread. */
static inline bool sl_i_first_failure_precedes(const sl_i_first_failure *first, uint64_t task) {
    return task > atomic_load_explicit(&first->task, memory_order_relaxed);
}

/** `task` has failed. On any thread. */
void sl_i_first_failure_note(sl_i_first_failure *first, uint64_t task, sl_status status, const sl_error *error);

/** Once all threads are done: the status of the first that failed, and its error; SL_OK if none did. */
sl_status sl_i_first_failure_forward(const sl_i_first_failure *first, sl_error *error) SL_MUST_USE;

#endif
