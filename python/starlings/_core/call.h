/* call.h: a long call: without the GIL while the engine works, with signals and progress looked at every 20 ms.
 *
 *     core_call call;
 *     if (core_call_init(&call, state, callback) < 0) return NULL;
 *     core_call_leave(&call);
 *     sl_status status = sl_hierarchy_extend(..., &call.progress through options, ..., &call.error);
 *     if (core_call_return(&call, status) < 0) goto failed; */
#ifndef CORE_CALL_H
#define CORE_CALL_H

#include "errors.h"

typedef struct core_call {
    core_state *state;
    PyObject *callback;        /* borrowed, NULL: none */
    PyThreadState *thread;     /* while the GIL is given up */
    uint64_t last;             /* ns, when core_call_poll last called back */
    sl_progress progress;      /* for the engine */
    sl_error error;            /* for the engine */
    const sl_context *context; /* whose lock the engine holds while it ticks, NULL: none */
    struct core_call *next;    /* in core_state.ticking */
} core_call;

/** `callback` may be NULL or None, else a callable (phase, done, total); borrowed. */
int core_call_init(core_call *call, core_state *state, PyObject *callback);
/** Before a call that takes the lock of `context`: InvalidArgumentError if this thread holds it already, which is so in
 *  a progress callback or signal handler that runs amid a call on the same context, and would wait for ever. */
int core_call_check(const core_call *call, const sl_context *context);
/** Give up the GIL. */
void core_call_leave(core_call *call);
/** Take the GIL again; -1 with an exception unless `status` is SL_OK and nothing was raised in between. */
int core_call_return(core_call *call, sl_status status);
/** The same for a failed status whose rows count from `first_row`. */
int core_call_return_rows(core_call *call, sl_status status, uint64_t first_row);
/** For loops over Python objects, every CORE_POLL_ROWS rows: looks for signals, and calls back every 20 ms. `total` 0: unknown. */
int core_call_poll(core_call *call, const char *phase, uint64_t done, uint64_t total);

#define CORE_POLL_ROWS 4096

#endif
