/* context_type.c: the Context type: records of a data context as Python sees them.
 *
 * Reading records takes no lock and is done with the GIL; everything that may wait for the context's writer lock gives the
 * GIL up (state.h). Reading keys is in keys_input.c, records_input.c and context_records.c. */
#include "buffer_type.h"
#include "keys_input.h"

#include <stdlib.h>

PyObject *core_context_take(core_state *state, sl_context *context) {
    core_context *self = (core_context *)core_object_new(state->context_type, sizeof *self);
    if (self)
        self->context = context;
    else
        sl_context_release(context);
    return (PyObject *)self;
}

void core_context_roll_back(sl_context *context, uint32_t num_records) {
    PyThreadState *thread = PyEval_SaveThread();
    if (sl_context_num_records(context) > num_records) sl_context_truncate(context, num_records);
    PyEval_RestoreThread(thread);
}

int core_uint32_argument(PyObject *object, void *out) {
    PyObject *number = PyNumber_Index(object);
    unsigned long long value = number ? PyLong_AsUnsignedLongLong(number) : 0;
    Py_XDECREF(number);
    if (PyErr_Occurred() || value > UINT32_MAX) {
        if (!PyErr_Occurred() || core_caught(PyExc_OverflowError))
            PyErr_Format(PyExc_ValueError, "%R is not a number from 0 to 2^32-1", object);
        return 0;
    }
    *(uint32_t *)out = (uint32_t)value;
    return 1;
}

static PyObject *context_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {NULL};
    core_state *state = PyType_GetModuleState(type);
    sl_context *context = NULL;
    sl_error error;
    if (!state || !PyArg_ParseTupleAndKeywords(arguments, keywords, ":Context", names)) return NULL;
    if (sl_context_create(&context, &error) == SL_OK) return core_context_take(state, context);
    core_raise_error(state, &error);
    return NULL;
}

static void context_dealloc(PyObject *object) {
    core_context *self = (core_context *)object;
    PyThreadState *thread = PyEval_SaveThread(); /* freeing hundreds of megabytes takes a while */
    sl_context_release(self->context);
    PyEval_RestoreThread(thread);
    Py_XDECREF(self->source_names);
    core_object_free(object);
}

/* Several objects may stand for one context. */
static PyObject *context_compare(PyObject *self, PyObject *other, int operation) {
    if ((operation != Py_EQ && operation != Py_NE) || !Py_IS_TYPE(other, Py_TYPE(self)))
        return Py_NewRef(Py_NotImplemented);
    bool same = ((core_context *)self)->context == ((core_context *)other)->context;
    return PyBool_FromLong(same == (operation == Py_EQ));
}

static Py_hash_t context_hash(PyObject *self) {
    Py_hash_t hash = (Py_hash_t)((uintptr_t)((core_context *)self)->context >> 4);
    return hash == -1 ? -2 : hash;
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_context_num_records(((core_context *)self)->context));
}

static PyObject *get_nbytes(PyObject *self, void *closure) {
    const sl_context *context = ((core_context *)self)->context;
    core_call call;
    (void)closure;
    if (core_call_init(&call, core_state_of(self), NULL) < 0 || core_call_check(&call, context) < 0) return NULL;
    core_call_leave(&call); /* takes the lock */
    uint64_t bytes = sl_context_memory(context);
    return core_call_return(&call, SL_OK) < 0 ? NULL : PyLong_FromUnsignedLongLong(bytes);
}

static PyObject *get_key_kinds(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_context_key_kinds(((core_context *)self)->context));
}

static PyObject *context_sources(PyObject *object, PyObject *ignored) {
    (void)ignored;
    core_context *self = (core_context *)object;
    uint32_t count = sl_context_num_sources(self->context);
    PyObject *list = PyList_New(0);
    for (uint32_t source = 0; list && source < count; source++) {
        PyObject *name = core_source_name(self, (uint16_t)source);
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
    }
    return list;
}

static PyObject *context_copy(PyObject *object, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"num_records", NULL};
    PyObject *limit = Py_None;
    uint32_t num_records = SL_MAX_RECORDS;
    sl_context *copy = NULL;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:copy", names, &limit)) return NULL;
    if (limit != Py_None && !core_uint32_argument(limit, &num_records)) return NULL;
    if (core_call_init(&call, core_state_of(object), NULL) < 0 ||
        core_call_check(&call, ((core_context *)object)->context) < 0)
        return NULL;
    core_call_leave(&call);
    sl_status status = sl_context_copy(((core_context *)object)->context, num_records, &copy, &call.error);
    if (core_call_return(&call, status) == 0) return core_context_take(call.state, copy);
    sl_context_release(copy);
    return NULL;
}

static PyObject *context_truncate(PyObject *self, PyObject *argument) {
    uint32_t num_records;
    core_call call;
    if (!core_uint32_argument(argument, &num_records)) return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0 ||
        core_call_check(&call, ((core_context *)self)->context) < 0)
        return NULL;
    core_context_roll_back(((core_context *)self)->context, num_records);
    return Py_NewRef(Py_None);
}

/* --------------------------------------------------------------------------------------------- records by index */

static PyObject *context_record(PyObject *object, PyObject *argument) {
    core_context *self = (core_context *)object;
    Py_ssize_t index = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return NULL;
    uint32_t count = sl_context_num_records(self->context);
    if (index >= 0 && (size_t)index < count) return core_record_object(self, (uint32_t)index);
    PyErr_Format(PyExc_IndexError, "there is no record %zd: the context has %u records", index, (unsigned)count);
    return NULL;
}

typedef PyObject *(*make_objects)(core_context *, core_call *, const uint32_t *, uint64_t);

static PyObject *of_records(PyObject *self, PyObject *records, make_objects make) {
    core_call call;
    Py_buffer view;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    if (core_array_view(call.state, records, SL_COLUMN_UINT32, "records", &view) < 0) return NULL;
    PyObject *made = make((core_context *)self, &call, view.buf, core_array_length(&view));
    PyBuffer_Release(&view);
    return made;
}

static PyObject *context_record_set(PyObject *self, PyObject *records) {
    return of_records(self, records, core_record_set);
}

static PyObject *context_record_keys(PyObject *self, PyObject *records) {
    return of_records(self, records, core_record_keys);
}

static void raise_no_record(const core_context *self, const core_call *call, uint32_t record) {
    core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "there is no record %u: the context has %u records",
               (unsigned)record, (unsigned)sl_context_num_records(self->context));
}

static PyObject *make_sources(core_context *self, core_call *call, const uint32_t *records, uint64_t count) {
    uint16_t *sources = core_allocate(call->state, count, sizeof *sources, "sources");
    if (!sources) return NULL;
    uint64_t i = 0;
    core_call_leave(call);
    for (sl_record record; i < count && sl_context_record(self->context, records[i], &record); i++)
        sources[i] = record.source;
    if (core_call_return(call, SL_OK) == 0) {
        if (i == count) return core_buffer_take(call->state, sources, count, 'H');
        raise_no_record(self, call, records[i]);
    }
    free(sources);
    return NULL;
}

static PyObject *make_kinds(core_context *self, core_call *call, const uint32_t *records, uint64_t count) {
    unsigned kinds = 0;
    uint64_t i = 0;
    core_call_leave(call);
    for (sl_record record; i < count && sl_context_record(self->context, records[i], &record); i++)
        kinds |= 1u << record.key.kind;
    if (core_call_return(call, SL_OK) < 0) return NULL;
    if (i == count) return PyLong_FromUnsignedLong(kinds);
    raise_no_record(self, call, records[i]);
    return NULL;
}

static PyObject *context_record_kinds(PyObject *self, PyObject *records) {
    return of_records(self, records, make_kinds);
}

static PyObject *context_record_sources(PyObject *self, PyObject *records) {
    return of_records(self, records, make_sources);
}

static sl_status list_source(const sl_context *context, const char *name, size_t length, uint32_t num_records,
                             sl_record_set **out, sl_error *error) {
    uint16_t source;
    if (sl_context_find_source(context, name, length, &source))
        return sl_context_source_records(context, source, num_records, out, error);
    return sl_record_set_create_range(0, 0, out, error);
}

static PyObject *context_source_records(PyObject *self, PyObject *arguments) {
    const char *name;
    Py_ssize_t length;
    uint32_t num_records;
    sl_record_set *set = NULL;
    core_call call;
    if (!PyArg_ParseTuple(arguments, "s#O&:source_records", &name, &length, core_uint32_argument, &num_records))
        return NULL;
    sl_context *context = ((core_context *)self)->context;
    if (core_call_init(&call, core_state_of(self), NULL) < 0 || core_call_check(&call, context) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = list_source(context, name, (size_t)length, num_records, &set, &call.error);
    PyObject *records = core_call_return(&call, status) < 0 ? NULL : core_record_set_buffer(call.state, set);
    sl_record_set_release(set);
    return records;
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef context_methods[] = {
    {"sources", context_sources, METH_NOARGS, "Names of the sources by id."},
    {"copy", WITH_KEYWORDS(context_copy), METH_VARARGS | METH_KEYWORDS,
     "An independent context with the same sources and the first num_records records."},
    {"truncate", context_truncate, METH_O, "Forget the records from this index on."},
    {"intern_records", WITH_KEYWORDS(core_context_intern_records), METH_VARARGS | METH_KEYWORDS,
     "Index (uint32) of the record of each row, appending new ones. All or nothing."},
    {"intern", WITH_KEYWORDS(core_context_intern), METH_VARARGS | METH_KEYWORDS,
     "Index (uint32) of each key, appending new ones."},
    {"intern_context", WITH_KEYWORDS(core_context_intern_context), METH_VARARGS | METH_KEYWORDS,
     "Index here (uint32) of each record of another context, appending new ones."},
    {"find", WITH_KEYWORDS(core_context_find), METH_VARARGS | METH_KEYWORDS,
     "Index (uint32) of each key, 0xFFFFFFFF for unknown ones."},
    {"find_one", WITH_KEYWORDS(core_context_find_one), METH_VARARGS | METH_KEYWORDS,
     "Index of a key or (source, key), or None."},
    {"attach", WITH_KEYWORDS(core_context_attach), METH_VARARGS | METH_KEYWORDS,
     "From now on the rows of these Batches describe records."},
    {"attachment", core_context_attachment, METH_O, "The Batches attached as this number, or None."},
    {"find_attributes", core_context_find_attributes, METH_O,
     "Attachment (uint32, 0xFFFFFFFF: none) and row (uint64) of each of these indices."},
    {"record", context_record, METH_O, "(source, key) of a record."},
    {"source_records", context_source_records, METH_VARARGS,
     "Records (uint32) of the source of that name among the first num_records."},
    {"record_set", context_record_set, METH_O, "(source, key) of each of these indices."},
    {"record_keys", context_record_keys, METH_O, "Key of each of these indices."},
    {"record_kinds", context_record_kinds, METH_O, "Kinds of key of these indices: bit (1 << kind) for each."},
    {"record_sources", context_record_sources, METH_O, "Source id (uint16) of each of these indices."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef context_getset[] = {
    {"num_records", get_num_records, NULL, "Number of records.", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes that it holds, without attributes.", NULL},
    {"key_kinds", get_key_kinds, NULL, "The kinds of keys in use: bit (1 << kind) for each.", NULL},
    {"num_attachments", core_context_num_attachments, NULL, "Number of Batches attached.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot context_slots[] = {
    {Py_tp_doc, (char *)"Records: (source, key) to index and back. Append-only."},
    {Py_tp_new, (void *)context_new},
    {Py_tp_dealloc, (void *)context_dealloc},
    {Py_tp_richcompare, (void *)context_compare},
    {Py_tp_hash, (void *)context_hash},
    {Py_tp_methods, context_methods},
    {Py_tp_getset, context_getset},
    {0, NULL},
};

PyType_Spec core_context_spec = {
    .name = "starlings._core.Context",
    .basicsize = sizeof(core_context),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = context_slots,
};
