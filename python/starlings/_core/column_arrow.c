/* column_arrow.c: Arrow arrays and streams, through the PyCapsule interface, as chunks. See columns.h.
 *
 * What a capsule holds is moved out of it at once, so that its release does not wait for the garbage collector. Streams
 * are pulled without the GIL: a producer may compute, read a file or call back into Python. Nothing is copied; a field of
 * a struct array is moved out and keeps only its own buffers alive. */
#include "columns.h"

#include <errno.h>
#include <string.h>

bool core_is_arrow(PyObject *object) {
    return PyObject_HasAttrString(object, "__arrow_c_stream__") || PyObject_HasAttrString(object, "__arrow_c_array__");
}

bool core_arrow_is_struct(const core_arrow *arrow) { return strcmp(arrow->schema.format, "+s") == 0; }

int core_arrow_field(const core_arrow *arrow, const char *name) {
    if (!core_arrow_is_struct(arrow)) return -1;
    for (int64_t i = 0; i < arrow->schema.n_children; i++) {
        const char *field = arrow->schema.children[i]->name;
        if (field && strcmp(field, name) == 0) return (int)i;
    }
    return -1;
}

PyObject *core_arrow_field_names(const core_arrow *arrow) {
    int64_t count = core_arrow_is_struct(arrow) ? arrow->schema.n_children : 0;
    PyObject *names = PyList_New(0);
    for (int64_t i = 0; names && i < count; i++) {
        const char *field = arrow->schema.children[i]->name;
        PyObject *name = PyUnicode_DecodeUTF8(field ? field : "", field ? (Py_ssize_t)strlen(field) : 0, "replace");
        if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

/* -------------------------------------------------------------------------------------------------------- opening */

static int raise_stream(core_call *call, struct ArrowArrayStream *stream, int code) {
    if (PyErr_Occurred() || PyErr_CheckSignals() < 0) return -1;
    if (code == ENOMEM) return core_raise_memory(call->state, "an Arrow batch");
    const char *reason = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "the Arrow stream failed: %s",
                      reason ? reason : strerror(code));
}

static int open_stream(core_call *call, PyObject *capsule, core_arrow *out) {
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (!stream) return -1;
    if (!stream->release) return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "the Arrow stream is used up");
    out->stream = *stream;
    stream->release = NULL;
    PyThreadState *thread = PyEval_SaveThread();
    int code = out->stream.get_schema(&out->stream, &out->schema);
    PyEval_RestoreThread(thread);
    if (!code) return 0;
    out->schema.release = NULL;
    return raise_stream(call, &out->stream, code);
}

static int open_array(core_call *call, PyObject *pair, core_arrow *out) {
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2)
        return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "__arrow_c_array__ must give a pair of capsules");
    struct ArrowSchema *schema = PyCapsule_GetPointer(PyTuple_GetItem(pair, 0), "arrow_schema");
    struct ArrowArray *array = schema ? PyCapsule_GetPointer(PyTuple_GetItem(pair, 1), "arrow_array") : NULL;
    if (!array) return -1;
    if (!schema->release || !array->release)
        return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "the Arrow array is used up");
    out->schema = *schema;
    out->single = *array;
    schema->release = NULL;
    array->release = NULL;
    return 0;
}

/* pandas without pyarrow, or a column that has no Arrow type: there is another way to read those. */
static bool export_impossible(void) {
    return core_caught(PyExc_ImportError) || core_caught(PyExc_ValueError) || core_caught(PyExc_TypeError) ||
           core_caught(PyExc_NotImplementedError);
}

int core_arrow_open(core_call *call, PyObject *object, bool may_fail, core_arrow *out) {
    memset(out, 0, sizeof *out);
    bool is_stream = PyObject_HasAttrString(object, "__arrow_c_stream__");
    PyObject *exported = PyObject_CallMethod(object, is_stream ? "__arrow_c_stream__" : "__arrow_c_array__", NULL);
    if (!exported) return may_fail && export_impossible() ? 0 : -1;
    int failed = is_stream ? open_stream(call, exported, out) : open_array(call, exported, out);
    Py_DECREF(exported);
    if (!failed) return 1;
    core_arrow_close(out);
    return -1;
}

int core_arrow_next(core_call *call, core_arrow *arrow, struct ArrowArray *out) {
    memset(out, 0, sizeof *out);
    if (!arrow->stream.release) {
        *out = arrow->single;
        arrow->single.release = NULL;
        return out->release != NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    int code = arrow->stream.get_next(&arrow->stream, out);
    PyEval_RestoreThread(thread);
    if (code) {
        out->release = NULL;
        return raise_stream(call, &arrow->stream, code);
    }
    return out->release != NULL;
}

void core_arrow_close(core_arrow *arrow) {
    /* Producers may take the GIL to release, never the reverse, and an exception may be pending here. */
    if (arrow->single.release) arrow->single.release(&arrow->single);
    if (arrow->stream.release) arrow->stream.release(&arrow->stream);
    if (arrow->schema.release) arrow->schema.release(&arrow->schema);
    memset(arrow, 0, sizeof *arrow);
}

/* --------------------------------------------------------------------------------------------------------- arrays */

/* What the engine reads from no column at all, and would advise to make floats of. */
static const char *no_key_type(const char *format) {
    switch (format[0]) {
    case 'b': return "a bool";
    case 'e': return "a float";
    case 'd': return "a decimal";
    case 't': return format[1] == 'd' ? "a date" : format[1] == 's' ? "a timestamp" : "a time";
    case '+': return "a list, struct or other nested value";
    default: return NULL;
    }
}

static int check_key_type(const core_call *call, const core_place *place, const struct ArrowSchema *schema) {
    const struct ArrowSchema *values = schema->dictionary ? schema->dictionary : schema;
    const char *type = no_key_type(values->format ? values->format : "");
    if (!type) return 0;
    return core_raise_row(call->state, SL_ERROR_INVALID_KEY, (int64_t)place->row, -1,
                          "row %llu: the %s is %s; keys are ints, strings or bytes: cast the column to ints or strings",
                          (unsigned long long)place->row, place->what, type);
}

core_chunk *core_chunk_from_arrow(core_call *call, core_role role, const core_place *place,
                                  const struct ArrowSchema *schema, struct ArrowArray *array) {
    bool refused = role == CORE_KEYS && array->length > 0 && check_key_type(call, place, schema) < 0;
    core_chunk *chunk = refused ? NULL : core_chunk_new(call->state);
    if (!chunk) {
        array->release(array);
        return NULL;
    }
    chunk->array = *array;
    array->release = NULL;
    core_call_leave(call);
    sl_status status =
        sl_column_from_arrow(schema, &chunk->array, place->what, &chunk->dictionary, &chunk->column, &call->error);
    if (core_call_return(call, status) < 0) {
        core_chunk_release(chunk);
        return NULL;
    }
    return chunk;
}

static int64_t first_null(const uint8_t *validity, int64_t offset, int64_t length) {
    for (int64_t i = 0; i < length; i++)
        if (!(validity[(offset + i) >> 3] >> ((offset + i) & 7) & 1)) return i;
    return -1;
}

int core_arrow_check_struct(core_call *call, const struct ArrowSchema *schema, const struct ArrowArray *array,
                            uint64_t first_row) {
    bool sound = array->n_children == schema->n_children && array->length >= 0 && array->offset >= 0 &&
                 array->length <= INT64_MAX - array->offset;
    for (int64_t i = 0; sound && i < array->n_children; i++)
        sound = array->children[i] && array->children[i]->length >= array->offset + array->length;
    if (!sound)
        return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT,
                          "an Arrow batch does not fit the schema of its stream");
    if (array->null_count == 0 || array->n_buffers < 1 || !array->buffers[0]) return 0;
    int64_t row = first_null(array->buffers[0], array->offset, array->length);
    if (row < 0) return 0;
    return core_raise_row(call->state, SL_ERROR_INVALID_KEY, row + (int64_t)first_row, -1, "row %lld is null",
                          (long long)row + (long long)first_row);
}

core_chunk *core_chunk_from_field(core_call *call, core_role role, const core_place *place,
                                  const struct ArrowSchema *schema, struct ArrowArray *array, int field) {
    struct ArrowArray moved = *array->children[field];
    if (!moved.release) {
        core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "an Arrow batch has a column without data");
        return NULL;
    }
    array->children[field]->release = NULL;
    core_chunk *chunk = core_chunk_from_arrow(call, role, place, schema->children[field], &moved);
    if (!chunk) return NULL;
    chunk->column.offset += (uint64_t)array->offset;
    chunk->column.length = (uint64_t)array->length;
    return chunk;
}
