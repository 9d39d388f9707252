/* call.c: see call.h.
 *
 * The engine ticks on the thread that made the call, so the thread state saved by core_call_leave is the right one to come
 * back with. An exception raised in a tick stays pending while the engine unwinds, which takes no Python. */
#include "call.h"

#include <string.h>
#include <time.h>

#define CALLBACK_INTERVAL_NS UINT64_C(20000000)

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static int call_back(const core_call *call, const char *phase, uint64_t done, uint64_t total) {
    if (!call->callback) return 0;
    PyObject *result =
        PyObject_CallFunction(call->callback, "sKK", phase, (unsigned long long)done, (unsigned long long)total);
    if (!result) return -1;
    Py_DECREF(result);
    return 0;
}

/* Calls of several threads may be ticking, and end in any order. */
static void leave_ticking(core_call *call) {
    core_call **link = &call->state->ticking;
    while (*link != call) link = &(*link)->next;
    *link = call->next;
}

static int tick(void *state, const char *phase, uint64_t done, uint64_t total) {
    core_call *call = state;
    PyEval_RestoreThread(call->thread);
    call->next = call->state->ticking;
    call->state->ticking = call;
    int stop = PyErr_CheckSignals() < 0 || call_back(call, phase, done, total) < 0;
    leave_ticking(call);
    call->thread = PyEval_SaveThread();
    return stop;
}

int core_call_check(const core_call *call, const sl_context *context) {
    const PyThreadState *thread = PyThreadState_Get();
    for (const core_call *other = call->state->ticking; other; other = other->next)
        if (other->thread == thread && other->context == context)
            return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT,
                              "these records are being changed by the very call that reports its progress here");
    return 0;
}

int core_call_init(core_call *call, core_state *state, PyObject *callback) {
    memset(call, 0, sizeof *call);
    call->state = state;
    call->callback = callback == Py_None ? NULL : callback;
    call->progress.tick = tick;
    call->progress.state = call;
    if (call->callback && !PyCallable_Check(call->callback))
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "progress must be a callable (phase, done, total) or None");
    return 0;
}

void core_call_leave(core_call *call) { call->thread = PyEval_SaveThread(); }

int core_call_return(core_call *call, sl_status status) { return core_call_return_rows(call, status, 0); }

int core_call_return_rows(core_call *call, sl_status status, uint64_t first_row) {
    PyEval_RestoreThread(call->thread);
    call->thread = NULL;
    if (PyErr_Occurred()) return -1;
    if (status == SL_OK) return 0;
    if (status == SL_ERROR_INTERRUPTED) {
        PyErr_SetNone(PyExc_KeyboardInterrupt);
        return -1;
    }
    core_error_shift_rows(&call->error, first_row);
    return core_raise_error(call->state, &call->error);
}

int core_call_poll(core_call *call, const char *phase, uint64_t done, uint64_t total) {
    if (PyErr_CheckSignals() < 0) return -1;
    if (!call->callback) return 0;
    uint64_t time = now();
    if (time - call->last < CALLBACK_INTERVAL_NS) return 0;
    call->last = time;
    return call_back(call, phase, done, total);
}
