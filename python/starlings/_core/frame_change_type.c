/* frame_change_type.c: the type FrameChange: a change of a frame on its way, all or nothing.
 *
 * It is ended by commit or abort, on the thread that began it; one that is thrown away is aborted. Using it after its end is an
 * error. Everything that may wait for a lock is done without the GIL. */
#include "frame_objects.h"

#include "batches_type.h"
#include "buffer_type.h"

#include <stdlib.h>

typedef struct core_frame_change {
    PyObject_HEAD
    sl_frame_change *change;   /* NULL: ended */
    const sl_context *context; /* the frame's when the change began, which keeps it alive */
} core_frame_change;

PyObject *core_frame_change_begin(core_state *state, sl_frame *frame) {
    core_call call;
    if (core_call_init(&call, state, NULL) < 0) return NULL;
    core_frame_change *self = (core_frame_change *)core_object_new(state->frame_change_type, sizeof *self);
    if (!self) return NULL;
    core_call_leave(&call);
    sl_status status = sl_frame_begin(frame, &self->change, &call.error);
    if (status == SL_OK) {
        sl_frame_state *now = sl_frame_now(frame);
        self->context = sl_frame_state_context(now);
        sl_frame_state_release(now);
    }
    if (core_call_return(&call, status) == 0) return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return NULL;
}

static void end(core_frame_change *self) {
    sl_frame_change *change = self->change;
    self->change = NULL;
    if (!change) return;
    PyThreadState *thread = PyEval_SaveThread();
    sl_frame_change_abort(change);
    PyEval_RestoreThread(thread);
}

static void change_dealloc(PyObject *object) {
    end((core_frame_change *)object);
    core_object_free(object);
}

/* The change, or NULL with an exception if it has ended. Begins a call. */
static sl_frame_change *use(PyObject *self, core_call *call, PyObject *callback) {
    sl_frame_change *change = ((core_frame_change *)self)->change;
    if (core_call_init(call, core_state_of(self), callback) < 0) return NULL;
    if (!change) core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "the change has ended");
    return change;
}

static PyObject *done(core_call *call, sl_status status) {
    return core_call_return(call, status) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *change_context(PyObject *self, PyObject *ignored) {
    sl_context *context = NULL;
    core_call call;
    (void)ignored;
    sl_frame_change *change = use(self, &call, NULL);
    if (!change) return NULL;
    core_call_leave(&call);
    sl_status status = sl_frame_change_context(change, &context, &call.error);
    if (core_call_return(&call, status) < 0) return NULL;
    return core_context_take(call.state, sl_context_retain(context));
}

static PyObject *change_give(PyObject *self, PyObject *records) {
    Py_buffer view;
    core_call call;
    sl_frame_change *change = use(self, &call, NULL);
    if (!change || core_array_view(call.state, records, SL_COLUMN_UINT32, "records", &view) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_frame_change_give(change, view.buf, core_array_length(&view), &call.error);
    PyObject *result = done(&call, status);
    PyBuffer_Release(&view);
    return result;
}

/* `records` has one value for each row of the batches; NULL: first, first + 1, ... */
static PyObject *attach(core_call *call, sl_frame_change *change, const core_batches *batches, const uint32_t *records,
                        uint32_t first) {
    core_call_leave(call);
    return done(call, sl_frame_change_attach(change, batches->batches, records, first, &call->error));
}

static PyObject *change_attach(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"batches", "records", "first", NULL};
    PyObject *object, *records = Py_None, *attached = NULL;
    uint32_t first = 0;
    core_call call;
    Py_buffer view;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!|OO&:attach", names, core_state_of(self)->batches_type,
                                     &object, &records, core_uint32_argument, &first))
        return NULL;
    sl_frame_change *change = use(self, &call, NULL);
    if (!change) return NULL;
    const core_batches *batches = (core_batches *)object;
    if (records == Py_None && !batches->rows) return attach(&call, change, batches, NULL, first);
    if (core_array_view(call.state, records, SL_COLUMN_UINT32, "records", &view) < 0) return NULL;
    if (!batches->rows && core_array_length(&view) == batches->num_rows)
        attached = attach(&call, change, batches, view.buf, first);
    else
        core_raise(call.state, SL_ERROR_INVALID_ARGUMENT, "%llu records for %llu rows, or for chosen rows",
                   (unsigned long long)core_array_length(&view), (unsigned long long)batches->num_rows);
    PyBuffer_Release(&view);
    return attached;
}

static PyObject *change_add(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "hierarchy", "decimals", NULL};
    PyObject *name;
    core_hierarchy *hierarchy;
    uint32_t decimals = 6;
    size_t length;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO!|O&:add", names, &name,
                                     core_state_of(self)->hierarchy_type, &hierarchy, core_uint32_argument, &decimals))
        return NULL;
    sl_frame_change *change = use(self, &call, NULL);
    const char *bytes = change ? core_collection_name(call.state, name, &length) : NULL;
    if (!bytes) return NULL;
    core_call_leave(&call);
    return done(&call, sl_frame_change_add(change, bytes, length, hierarchy->hierarchy, decimals, NULL, &call.error));
}

/* `context`: the frame's, whose lock the engine may hold while it ticks. */
static PyObject *assimilate(core_call *call, sl_frame_change *change, const sl_context *context, const char *name,
                            size_t length, const sl_collection *collection, bool known_records_only) {
    uint32_t count = sl_collection_num_records(collection);
    if (core_call_check(call, sl_collection_context(collection)) < 0) return NULL;
    uint32_t *translation = core_allocate(call->state, count, sizeof *translation, "record indices");
    if (!translation) return NULL;
    call->context = context;
    core_call_leave(call);
    sl_status status = sl_frame_change_assimilate(change, name, length, collection, known_records_only, translation,
                                                  &call->progress, &call->error);
    int failed = core_call_return(call, status);
    call->context = NULL;
    if (!failed) return core_buffer_take(call->state, translation, count, 'I');
    free(translation);
    return NULL;
}

static PyObject *change_assimilate(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "collection", "known_records_only", "progress", NULL};
    PyObject *name, *callback = Py_None;
    core_collection *collection;
    int known_records_only = 0;
    size_t length;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO!|pO:assimilate", names, &name,
                                     core_state_of(self)->collection_type, &collection, &known_records_only, &callback))
        return NULL;
    sl_frame_change *change = use(self, &call, callback);
    const char *bytes = change ? core_collection_name(call.state, name, &length) : NULL;
    if (!bytes) return NULL;
    return assimilate(&call, change, ((core_frame_change *)self)->context, bytes, length, collection->collection,
                      known_records_only != 0);
}

static PyObject *change_drop(PyObject *self, PyObject *name) {
    size_t length;
    core_call call;
    sl_frame_change *change = use(self, &call, NULL);
    const char *bytes = change ? core_collection_name(call.state, name, &length) : NULL;
    if (!bytes) return NULL;
    core_call_leave(&call);
    return done(&call, sl_frame_change_drop(change, bytes, length, &call.error));
}

static PyObject *change_compact(PyObject *self, PyObject *ignored) {
    core_call call;
    (void)ignored;
    sl_frame_change *change = use(self, &call, NULL);
    if (!change) return NULL;
    sl_frame_change_compact(change);
    return Py_NewRef(Py_None);
}

static PyObject *change_commit(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"progress", NULL};
    PyObject *callback = Py_None;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:commit", names, &callback)) return NULL;
    sl_frame_change *change = use(self, &call, callback);
    if (!change) return NULL;
    ((core_frame_change *)self)->change = NULL;
    core_call_leave(&call);
    return done(&call, sl_frame_change_commit(change, &call.progress, &call.error));
}

static PyObject *change_abort(PyObject *self, PyObject *ignored) {
    (void)ignored;
    end((core_frame_change *)self);
    return Py_NewRef(Py_None);
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef change_methods[] = {
    {"context", change_context, METH_NOARGS, "The context to append to."},
    {"give", change_give, METH_O, "These records (uint32) are given as such."},
    {"attach", WITH_KEYWORDS(change_attach), METH_VARARGS | METH_KEYWORDS,
     "Batches describe these records, or those from first on; nobody who has the frame as it was sees it."},
    {"add", WITH_KEYWORDS(change_add), METH_VARARGS | METH_KEYWORDS, "Add a collection over the change's context."},
    {"assimilate", WITH_KEYWORDS(change_assimilate), METH_VARARGS | METH_KEYWORDS,
     "Add a collection made elsewhere; the index in the frame (uint32) of each of its records."},
    {"drop", change_drop, METH_O, "Take a collection out."},
    {"compact", change_compact, METH_NOARGS, "Compact with the commit, whatever the share of garbage."},
    {"commit", WITH_KEYWORDS(change_commit), METH_VARARGS | METH_KEYWORDS, "Make the change the frame's state."},
    {"abort", change_abort, METH_NOARGS, "Give the change up; nothing if it has ended."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot change_slots[] = {
    {Py_tp_doc, (char *)"A change of a frame on its way, all or nothing."},
    {Py_tp_dealloc, (void *)change_dealloc},
    {Py_tp_methods, change_methods},
    {0, NULL},
};

PyType_Spec core_frame_change_spec = {
    .name = "starlings._core.FrameChange",
    .basicsize = sizeof(core_frame_change),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = change_slots,
};
