/* first_failure.c: see first_failure.h. */
#include "support/first_failure.h"

#include "support/fork_lock.h"

void sl_i_first_failure_note(sl_i_first_failure *first, uint64_t task, sl_status status, const sl_error *error) {
    sl_i_short_lock(first);
    if (task < atomic_load(&first->task)) {
        first->status = status;
        first->error = *error;
        atomic_store(&first->task, task);
    }
    sl_i_short_unlock(first);
}

sl_status sl_i_first_failure_forward(const sl_i_first_failure *first, sl_error *error) {
    if (first->status != SL_OK && error) *error = first->error;
    return first->status;
}
