/* record_objects.c: records of a context as Python values. See objects.h.
 *
 * Made directly from the context's own bytes, a few tens of nanoseconds a record. Names of sources are made once per
 * Context and shared by all tuples. */
#include "objects.h"

#include <string.h>

PyObject *core_key_object(const sl_key *key) {
    switch (key->kind) {
    case SL_KEY_STRING: return PyUnicode_DecodeUTF8((const char *)key->bytes, (Py_ssize_t)key->length, NULL);
    case SL_KEY_BYTES: return PyBytes_FromStringAndSize((const char *)key->bytes, (Py_ssize_t)key->length);
    case SL_KEY_U32:
    case SL_KEY_U64:
    default: return PyLong_FromUnsignedLongLong(key->number);
    }
}

PyObject *core_source_name(core_context *self, uint16_t source) {
    if (!self->source_names && !(self->source_names = PyList_New(0))) return NULL;
    for (Py_ssize_t next = PyList_Size(self->source_names); next <= source; next++) {
        size_t length = 0;
        const char *text = sl_context_source_name(self->context, (uint16_t)next, &length);
        PyObject *name = PyUnicode_DecodeUTF8(text ? text : "", (Py_ssize_t)length, "replace");
        int failed = name ? PyList_Append(self->source_names, name) : -1;
        Py_XDECREF(name);
        if (failed) return NULL;
    }
    return PyList_GetItem(self->source_names, source);
}

static int read_record(core_context *self, uint32_t index, sl_record *out) {
    if (sl_context_record(self->context, index, out)) return 0;
    return core_raise(core_state_of((PyObject *)self), SL_ERROR_INVALID_ARGUMENT,
                      "there is no record %u: the context has %u records", (unsigned)index,
                      (unsigned)sl_context_num_records(self->context));
}

PyObject *core_record_object(core_context *self, uint32_t index) {
    sl_record record;
    if (read_record(self, index, &record) < 0) return NULL;
    PyObject *name = core_source_name(self, record.source);
    PyObject *key = name ? core_key_object(&record.key) : NULL;
    if (!key) return NULL;
    PyObject *pair = PyTuple_Pack(2, name, key);
    Py_DECREF(key);
    return pair;
}

PyObject *core_record_set(core_context *self, core_call *call, const uint32_t *records, uint64_t count) {
    PyObject *set = PySet_New(NULL);
    for (uint64_t i = 0; set && i < count; i++) {
        int failed = i % CORE_POLL_ROWS ? 0 : core_call_poll(call, "making records", i, count);
        PyObject *record = failed ? NULL : core_record_object(self, records[i]);
        if (!record || PySet_Add(set, record) < 0) Py_CLEAR(set);
        Py_XDECREF(record);
    }
    return set;
}

PyObject *core_record_keys(core_context *self, core_call *call, const uint32_t *records, uint64_t count) {
    PyObject *list = PyList_New(0);
    for (uint64_t i = 0; list && i < count; i++) {
        sl_record record;
        int failed = i % CORE_POLL_ROWS ? 0 : core_call_poll(call, "making keys", i, count);
        if (!failed) failed = read_record(self, records[i], &record);
        PyObject *key = failed ? NULL : core_key_object(&record.key);
        if (!key || PyList_Append(list, key) < 0) Py_CLEAR(list);
        Py_XDECREF(key);
    }
    return list;
}
