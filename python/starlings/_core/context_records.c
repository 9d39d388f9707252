/* context_records.c: the records of one context in another, by (source, key). The engine does it without the GIL. */
#include "keys_input.h"

#include "buffer_type.h"

#include <stdlib.h>

static int assimilate(core_call *call, sl_context *into, const sl_context *other, uint32_t num_records,
                      uint32_t *indices) {
    call->context = into;
    core_call_leave(call);
    sl_status status = sl_context_assimilate(into, other, num_records, indices, &call->progress, &call->error);
    int failed = core_call_return(call, status);
    call->context = NULL;
    return failed;
}

PyObject *core_context_intern_context(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"other", "num_records", "progress", NULL};
    core_state *state = core_state_of(self);
    PyObject *other_object, *limit = Py_None, *callback = Py_None;
    uint32_t num_records = UINT32_MAX;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!|OO:intern_context", names, state->context_type,
                                     &other_object, &limit, &callback))
        return NULL;
    if (limit != Py_None && !core_uint32_argument(limit, &num_records)) return NULL;
    if (core_call_init(&call, state, callback) < 0) return NULL;
    sl_context *into = ((core_context *)self)->context, *other = ((core_context *)other_object)->context;
    if (core_call_check(&call, into) < 0 || core_call_check(&call, other) < 0) return NULL;
    uint32_t all = sl_context_num_records(other);
    if (num_records > all) num_records = all;
    uint32_t *indices = core_allocate(state, num_records, sizeof *indices, "record indices");
    if (!indices) return NULL;
    if (assimilate(&call, into, other, num_records, indices) == 0)
        return core_buffer_take(state, indices, num_records, 'I');
    free(indices);
    return NULL;
}
