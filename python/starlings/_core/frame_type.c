/* frame_type.c: the types Frame and FrameState: many collections over one context, and what they are at one moment. */
#include "frame_objects.h"

#include "arrow_tables.h"
#include "buffer_type.h"

static const sl_frame *frame_of(PyObject *self) { return ((core_frame *)self)->frame; }
static const sl_frame_state *state_of(PyObject *self) { return ((core_frame_state *)self)->state; }

const char *core_collection_name(const core_state *state, PyObject *name, size_t *length) {
    char text[CORE_TEXT_SIZE];
    Py_ssize_t size = 0;
    if (!PyUnicode_Check(name)) {
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "the name of a collection must be a str, not a %s",
                   core_type_text(name, text));
        return NULL;
    }
    const char *bytes = PyUnicode_AsUTF8AndSize(name, &size);
    *length = (size_t)size;
    return bytes;
}

/* ----------------------------------------------------------------------------------------------------------- frames */

PyObject *core_frame_take(core_state *state, sl_frame *frame) {
    core_frame *self = (core_frame *)core_object_new(state->frame_type, sizeof *self);
    if (self)
        self->frame = frame;
    else
        sl_frame_release(frame);
    return (PyObject *)self;
}

static PyObject *frame_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {NULL};
    core_state *state = PyType_GetModuleState(type);
    sl_frame *frame = NULL;
    sl_error error;
    if (!state || !PyArg_ParseTupleAndKeywords(arguments, keywords, ":Frame", names)) return NULL;
    if (sl_frame_create(&frame, &error) == SL_OK) return core_frame_take(state, frame);
    core_raise_error(state, &error);
    return NULL;
}

static void frame_dealloc(PyObject *object) {
    PyThreadState *thread = PyEval_SaveThread();
    sl_frame_release(((core_frame *)object)->frame);
    PyEval_RestoreThread(thread);
    core_object_free(object);
}

static PyObject *frame_copy(PyObject *self, PyObject *ignored) {
    sl_frame *copy = NULL;
    core_call call;
    (void)ignored;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_frame_copy(frame_of(self), &copy, &call.error);
    if (core_call_return(&call, status) == 0) return core_frame_take(call.state, copy);
    sl_frame_release(copy);
    return NULL;
}

static PyObject *frame_now(PyObject *self, PyObject *ignored) {
    core_state *module = core_state_of(self);
    (void)ignored;
    core_frame_state *made = (core_frame_state *)core_object_new(module->frame_state_type, sizeof *made);
    if (made) made->state = sl_frame_now(frame_of(self));
    return (PyObject *)made;
}

static PyObject *frame_begin(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return core_frame_change_begin(core_state_of(self), ((core_frame *)self)->frame);
}

/* Measuring memory takes the lock of the frame's context, which a change holds while it calls its progress. */
static int begin_metrics(PyObject *self, core_call *call) {
    if (core_call_init(call, core_state_of(self), NULL) < 0) return -1;
    sl_frame_state *state = sl_frame_now(frame_of(self));
    int failed = core_call_check(call, sl_frame_state_context(state));
    sl_frame_state_release(state);
    return failed;
}

static PyObject *frame_metrics(PyObject *self, PyObject *ignored) {
    sl_frame_metrics m;
    core_call call;
    (void)ignored;
    if (begin_metrics(self, &call) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_frame_collect_metrics(frame_of(self), &m, &call.error);
    if (core_call_return(&call, status) < 0) return NULL;
    return Py_BuildValue("{sIsIsIsKsdsdsdsdsdsdsL}", "num_collections", (unsigned)m.num_collections, "num_records",
                         (unsigned)m.num_records, "num_sources", (unsigned)m.num_sources, "memory",
                         (unsigned long long)m.memory, "avg_reconstruction_seconds", m.avg_reconstruction_seconds,
                         "cache_hit_rate", m.cache_hit_rate, "incremental_computation_rate",
                         m.incremental_computation_rate, "avg_entity_stability", m.avg_entity_stability,
                         "threshold_sensitivity", m.threshold_sensitivity, "garbage_ratio", m.garbage_ratio,
                         "last_compaction", (long long)m.last_compaction);
}

static PyMethodDef frame_methods[] = {
    {"copy", frame_copy, METH_NOARGS, "An independent frame; shares memory until one of them changes."},
    {"now", frame_now, METH_NOARGS, "The frame as it is now."},
    {"begin", frame_begin, METH_NOARGS, "Begin a change; waits until no other thread is changing the frame."},
    {"metrics", frame_metrics, METH_NOARGS, "The fields of sl_frame_metrics, by name."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot frame_slots[] = {
    {Py_tp_doc, (char *)"Many collections over one context."},
    {Py_tp_new, (void *)frame_new},
    {Py_tp_dealloc, (void *)frame_dealloc},
    {Py_tp_methods, frame_methods},
    {0, NULL},
};

PyType_Spec core_frame_spec = {
    .name = "starlings._core.Frame",
    .basicsize = sizeof(core_frame),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = frame_slots,
};

/* ----------------------------------------------------------------------------------------------------------- states */

static void state_dealloc(PyObject *object) {
    PyThreadState *thread = PyEval_SaveThread();
    sl_frame_state_release(((core_frame_state *)object)->state);
    PyEval_RestoreThread(thread);
    core_object_free(object);
}

static PyObject *get_context(PyObject *self, void *closure) {
    (void)closure;
    return core_context_take(core_state_of(self), sl_context_retain(sl_frame_state_context(state_of(self))));
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_frame_state_num_records(state_of(self)));
}

static PyObject *get_num_garbage(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_record_set_count(sl_frame_state_garbage(state_of(self))));
}

static PyObject *get_last_compaction(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromLongLong(sl_frame_state_last_compaction(state_of(self)));
}

PyObject *core_record_set_buffer(const core_state *state, const sl_record_set *set) {
    uint32_t count = sl_record_set_count(set);
    uint32_t *records = core_allocate(state, count, sizeof *records, "records");
    if (!records) return NULL;
    Py_BEGIN_ALLOW_THREADS sl_record_set_list(set, records);
    Py_END_ALLOW_THREADS return core_buffer_take(state, records, count, 'I');
}

static PyObject *state_garbage(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return core_record_set_buffer(core_state_of(self), sl_frame_state_garbage(state_of(self)));
}

static PyObject *state_given(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return core_record_set_buffer(core_state_of(self), sl_frame_state_given(state_of(self)));
}

/* A list that gets one more str, or is given up where that fails. */
static PyObject *with_text(PyObject *list, const char *bytes, size_t length) {
    PyObject *text = PyUnicode_FromStringAndSize(bytes, (Py_ssize_t)length);
    if (!text || PyList_Append(list, text) < 0) Py_CLEAR(list);
    Py_XDECREF(text);
    return list;
}

static PyObject *state_names(PyObject *self, PyObject *ignored) {
    (void)ignored;
    PyObject *list = PyList_New(0);
    uint32_t count = sl_frame_state_num_collections(state_of(self));
    for (uint32_t position = 0; list && position < count; position++) {
        size_t length;
        const char *name = sl_frame_state_name(state_of(self), position, &length);
        list = with_text(list, name, length);
    }
    return list;
}

static PyObject *state_sources(PyObject *self, PyObject *ignored) {
    (void)ignored;
    const sl_frame_state *state = state_of(self);
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < sl_frame_state_num_sources(state); i++) {
        size_t length;
        const char *name =
            sl_context_source_name(sl_frame_state_context(state), sl_frame_state_sources(state)[i], &length);
        list = with_text(list, name, length);
    }
    return list;
}

static PyObject *state_collection(PyObject *self, PyObject *name) {
    core_state *module = core_state_of(self);
    sl_collection *collection = NULL;
    uint32_t position;
    size_t length;
    sl_error error;
    if (!PyUnicode_Check(name)) return Py_NewRef(Py_None); /* no collection is called so */
    const char *bytes = core_collection_name(module, name, &length);
    if (!bytes && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear(); /* nor by what UTF-8 cannot hold */
        return Py_NewRef(Py_None);
    }
    if (!bytes) return NULL;
    if (!sl_frame_state_find(state_of(self), bytes, length, &position)) return Py_NewRef(Py_None);
    if (sl_frame_state_collection(state_of(self), position, &collection, &error) == SL_OK)
        return core_collection_take(module, collection);
    core_raise_error(module, &error);
    return NULL;
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef state_methods[] = {
    {"relation", WITH_KEYWORDS(core_frame_state_relation), METH_VARARGS | METH_KEYWORDS,
     "A table of the relational form as an Arrow stream."},
    {"export", WITH_KEYWORDS(core_frame_state_export), METH_VARARGS | METH_KEYWORDS, "A capsule with an Arrow stream."},
    {"names", state_names, METH_NOARGS, "Names of the collections, in the order in which they were added."},
    {"sources", state_sources, METH_NOARGS, "Names of the sources with a record, in order of first use."},
    {"collection", state_collection, METH_O, "A view of the collection of that name, or None."},
    {"given", state_given, METH_NOARGS, "Records given as such (uint32)."},
    {"garbage", state_garbage, METH_NOARGS, "Records that nothing uses (uint32)."},
    {"save", WITH_KEYWORDS(core_frame_state_save), METH_VARARGS | METH_KEYWORDS, "Write the frame to a file."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef state_getset[] = {
    {"context", get_context, NULL, "The context.", NULL},
    {"num_records", get_num_records, NULL, "Number of records.", NULL},
    {"num_garbage", get_num_garbage, NULL, "Number of records that nothing uses.", NULL},
    {"last_compaction", get_last_compaction, NULL, "Nanoseconds since 1970 UTC; 0: never.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot state_slots[] = {
    {Py_tp_doc, (char *)"A frame at one moment. Immutable."},
    {Py_tp_dealloc, (void *)state_dealloc},
    {Py_tp_methods, state_methods},
    {Py_tp_getset, state_getset},
    {0, NULL},
};

PyType_Spec core_frame_state_spec = {
    .name = "starlings._core.FrameState",
    .basicsize = sizeof(core_frame_state),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = state_slots,
};
