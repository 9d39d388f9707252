/* context_attributes.c: attributes of the records of a context: Batches attached to it and found again.
 *
 * All of it takes the context's lock, and so gives up the GIL (state.h). */
#include "batches_type.h"
#include "buffer_type.h"

#include <stdlib.h>

/* Whoever holds the context's lock already, in a callback amid a change, would wait for ever. */
static int begin(core_call *call, PyObject *self) {
    if (core_call_init(call, core_state_of(self), NULL) < 0) return -1;
    return core_call_check(call, ((core_context *)self)->context);
}

/* `records` (NULL: first, first + 1, ...) has one value for each row of the batches. */
static PyObject *attach(core_call *call, sl_context *context, const core_batches *batches, const uint32_t *records,
                        uint32_t first) {
    core_call_leave(call);
    sl_status status = sl_context_attach(context, batches->batches, records, first, &call->error);
    return core_call_return(call, status) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *core_context_attach(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"batches", "records", "first", NULL};
    core_state *state = core_state_of(self);
    sl_context *context = ((core_context *)self)->context;
    PyObject *object, *records = Py_None, *attached = NULL;
    uint32_t first = 0;
    core_call call;
    Py_buffer view;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!|OO&:attach", names, state->batches_type, &object,
                                     &records, core_uint32_argument, &first))
        return NULL;
    if (begin(&call, self) < 0) return NULL;
    const core_batches *batches = (core_batches *)object;
    if (batches->rows) {
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "chosen rows cannot be attached; attach Batches(them)");
        return NULL;
    }
    if (records == Py_None) return attach(&call, context, batches, NULL, first);
    if (core_array_view(state, records, SL_COLUMN_UINT32, "records", &view) < 0) return NULL;
    if (core_array_length(&view) == batches->num_rows)
        attached = attach(&call, context, batches, view.buf, first);
    else
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "%llu records for %llu rows",
                   (unsigned long long)core_array_length(&view), (unsigned long long)batches->num_rows);
    PyBuffer_Release(&view);
    return attached;
}

PyObject *core_context_num_attachments(PyObject *self, void *closure) {
    (void)closure;
    core_call call;
    if (begin(&call, self) < 0) return NULL;
    core_call_leave(&call);
    uint32_t count = sl_context_num_attachments(((core_context *)self)->context);
    return core_call_return(&call, SL_OK) < 0 ? NULL : PyLong_FromUnsignedLong(count);
}

PyObject *core_context_attachment(PyObject *self, PyObject *argument) {
    uint32_t number;
    core_call call;
    if (!core_uint32_argument(argument, &number) || begin(&call, self) < 0) return NULL;
    core_call_leave(&call);
    sl_batches *batches = sl_context_attachment(((core_context *)self)->context, number);
    if (core_call_return(&call, SL_OK) == 0)
        return batches ? core_batches_take(call.state, batches) : Py_NewRef(Py_None);
    sl_batches_release(batches);
    return NULL;
}

static PyObject *find(core_call *call, const sl_context *context, const Py_buffer *records) {
    uint64_t count = core_array_length(records);
    uint32_t *attachments = core_allocate(call->state, count, sizeof *attachments, "attributes");
    uint64_t *rows = attachments ? core_allocate(call->state, count, sizeof *rows, "attributes") : NULL;
    if (rows) core_call_leave(call);
    if (rows) sl_context_find_attributes(context, records->buf, count, attachments, rows);
    if (!rows || core_call_return(call, SL_OK) < 0) {
        free(attachments);
        free(rows);
        return NULL;
    }
    PyObject *numbers = core_buffer_take(call->state, attachments, count, 'I');
    PyObject *found = core_buffer_take(call->state, rows, count, 'Q');
    PyObject *pair = numbers && found ? PyTuple_Pack(2, numbers, found) : NULL;
    Py_XDECREF(numbers);
    Py_XDECREF(found);
    return pair;
}

PyObject *core_context_find_attributes(PyObject *self, PyObject *records) {
    const sl_context *context = ((core_context *)self)->context;
    core_call call;
    Py_buffer view;
    if (begin(&call, self) < 0) return NULL;
    if (core_array_view(call.state, records, SL_COLUMN_UINT32, "records", &view) < 0) return NULL;
    PyObject *found = find(&call, context, &view);
    PyBuffer_Release(&view);
    return found;
}
