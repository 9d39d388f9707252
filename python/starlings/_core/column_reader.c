/* column_reader.c: one column of any Python object, chunk by chunk. See columns.h.
 *
 * In order of preference: Arrow (read in place), the buffer protocol (read in place or copied once), to_numpy(), and at
 * last the elements of any iterable, converted one by one. */
#include "columns.h"

#include <string.h>

bool core_is_table(PyObject *object) {
    return PyDict_Check(object) ||
           (PyObject_HasAttrString(object, "columns") && PyObject_HasAttrString(object, "__getitem__") &&
            PyObject_HasAttrString(object, "to_numpy"));
}

static int invalid(const core_column_reader *reader, const char *format, PyObject *object) {
    char text[CORE_TEXT_SIZE];
    return core_raise(reader->reading->call->state, SL_ERROR_INVALID_ARGUMENT, format, reader->what,
                      core_type_text(object, text));
}

/* Which field of the struct to read: the one named, or the only one. */
static int choose_field(core_column_reader *reader, PyObject *field) {
    reader->field = -1;
    if (!core_arrow_is_struct(&reader->arrow)) return 0;
    if (!field && reader->arrow.schema.n_children == 1) {
        reader->field = 0;
        return 0;
    }
    const char *name = field ? PyUnicode_AsUTF8AndSize(field, NULL) : NULL;
    if (field && !name) return -1;
    if (name) reader->field = core_arrow_field(&reader->arrow, name);
    if (reader->field >= 0) return 0;
    PyObject *names = core_arrow_field_names(&reader->arrow);
    if (!names) return -1;
    core_raise(reader->reading->call->state, SL_ERROR_INVALID_ARGUMENT,
               field ? "there is no column %R for the %s; the columns are %R"
                     : "name the column (not %R) to read the %s from; the columns are %R",
               field ? field : Py_None, reader->what, names);
    Py_DECREF(names);
    return -1;
}

/* 1 opened, 0 to be read in another way, -1. */
static int open_arrow(core_column_reader *reader, PyObject *object, PyObject *field) {
    bool may_fail = PyObject_HasAttrString(object, "to_numpy");
    int opened = core_arrow_open(reader->reading->call, object, may_fail, &reader->arrow);
    if (opened > 0 && choose_field(reader, field) < 0) return -1;
    return opened;
}

/* numpy's masked arrays export their buffer without the mask: their elements have to be looked at. */
static bool is_masked(PyObject *object) {
    return PyObject_HasAttrString(object, "mask") && PyObject_HasAttrString(object, "filled");
}

static int open_buffer(core_column_reader *reader, PyObject *object) {
    if (!PyObject_CheckBuffer(object) || is_masked(object)) return 0;
    int opened = core_chunk_from_buffer(reader->reading, reader->role, reader->what, object, &reader->only);
    if (opened <= 0) return opened;
    reader->total = reader->row + reader->only->column.length;
    if (reader->role == CORE_SOURCES && core_chunk_names_to_ids(reader->reading, reader->only, reader->row) < 0)
        return -1;
    return 1;
}

static int open_objects(core_column_reader *reader, PyObject *object) {
    if (PyUnicode_Check(object) || PyBytes_Check(object) || PyByteArray_Check(object) || PyDict_Check(object))
        return invalid(reader, "the %s column cannot be a %s; give an array, a list or any iterable of values", object);
    reader->iterator = PyObject_GetIter(object);
    if (!reader->iterator) {
        if (!core_caught(PyExc_TypeError)) return -1;
        return invalid(
            reader,
            "the %s column cannot be read from a %s; give an Arrow or numpy array, a list or any iterable of values",
            object);
    }
    Py_ssize_t total = PyObject_Size(object);
    if (total < 0)
        PyErr_Clear();
    else
        reader->total = reader->row + (uint64_t)total;
    return 1;
}

static int open_any(core_column_reader *reader, PyObject *object, PyObject *field) {
    int opened = 0;
    if (core_is_arrow(object)) opened = open_arrow(reader, object, field);
    if (opened || PyErr_Occurred()) return opened > 0 ? 0 : -1;
    if (field)
        reader->item_name = Py_NewRef(field);
    else
        opened = open_buffer(reader, object);
    if (opened) return opened > 0 ? 0 : -1;
    if (field || !PyObject_HasAttrString(object, "to_numpy")) return open_objects(reader, object) < 0 ? -1 : 0;

    PyObject *array = PyObject_CallMethod(object, "to_numpy", NULL);
    if (!array) return -1;
    opened = open_buffer(reader, array);
    if (!opened) opened = open_objects(reader, array);
    Py_DECREF(array);
    return opened > 0 ? 0 : -1;
}

int core_column_open(core_reading *reading, core_role role, const char *what, PyObject *object, PyObject *field,
                     core_column_reader *out) {
    memset(out, 0, sizeof *out);
    out->reading = reading;
    out->role = role;
    out->what = what;
    out->field = -1;
    out->row = reading->first_row;
    if (PyBytes_Check(object) || PyByteArray_Check(object)) return open_objects(out, object);
    return open_any(out, object, field);
}

void core_column_close(core_column_reader *reader) {
    core_arrow_close(&reader->arrow);
    core_chunk_release(reader->only);
    reader->only = NULL;
    Py_CLEAR(reader->iterator);
    Py_CLEAR(reader->item_name);
}

/* -------------------------------------------------------------------------------------------------------- chunks */

static int next_arrow(core_column_reader *reader, core_chunk **out) {
    core_call *call = reader->reading->call;
    struct ArrowArray array;
    const core_place place = {reader->what, reader->row};
    int got = core_arrow_next(call, &reader->arrow, &array);
    if (got <= 0) return got;
    if (reader->field < 0) {
        *out = core_chunk_from_arrow(call, reader->role, &place, &reader->arrow.schema, &array);
    } else {
        if (!core_arrow_check_struct(call, &reader->arrow.schema, &array, reader->row))
            *out = core_chunk_from_field(call, reader->role, &place, &reader->arrow.schema, &array, reader->field);
        array.release(&array);
    }
    if (!*out) return -1;
    if (reader->role != CORE_SOURCES || core_chunk_names_to_ids(reader->reading, *out, reader->row) == 0) return 1;
    core_chunk_release(*out);
    return -1;
}

/* A row from which reader->item_name cannot be read: it is no mapping, or lacks it. */
static void no_entry(const core_column_reader *reader, PyObject *row, uint64_t number, bool is_mapping) {
    const core_state *state = reader->reading->call->state;
    PyObject *names = PyDict_Check(row) ? PySequence_List(row) : NULL;
    char type[CORE_TEXT_SIZE];
    if (!is_mapping)
        core_raise_row(state, SL_ERROR_INVALID_KEY, (int64_t)number, -1,
                       "row %llu is a %s, not a dict with %R to read the %s from", (unsigned long long)number,
                       core_type_text(row, type), reader->item_name, reader->what);
    else if (names)
        core_raise_row(state, SL_ERROR_INVALID_KEY, (int64_t)number, -1,
                       "row %llu has no %R to read the %s from; it has %R", (unsigned long long)number,
                       reader->item_name, reader->what, names);
    else if (!PyErr_Occurred())
        core_raise_row(state, SL_ERROR_INVALID_KEY, (int64_t)number, -1, "row %llu has no %R to read the %s from",
                       (unsigned long long)number, reader->item_name, reader->what);
    Py_XDECREF(names);
}

/* The value under reader->item_name in a mapping; new reference. */
static PyObject *entry_of(core_column_reader *reader, PyObject *mapping, uint64_t row) {
    PyObject *value = PyObject_GetItem(mapping, reader->item_name);
    if (value) return value;
    bool is_missing = core_caught(PyExc_LookupError);
    if (is_missing || core_caught(PyExc_TypeError)) no_entry(reader, mapping, row, is_missing);
    return NULL;
}

static int put_object(core_column_reader *reader, core_chunk *chunk, size_t index, PyObject *object) {
    core_place place = {reader->what, reader->row + index};
    if (!reader->item_name) return core_chunk_put(reader->reading, chunk, reader->role, &place, index, object);
    PyObject *value = entry_of(reader, object, place.row);
    if (!value) return -1;
    int failed = core_chunk_put(reader->reading, chunk, reader->role, &place, index, value);
    Py_DECREF(value);
    return failed;
}

/* Convert as many elements as `chunk` has room for. */
static int fill(core_column_reader *reader, core_chunk *chunk) {
    for (size_t i = 0; i < chunk->capacity; i++) {
        if (i % CORE_POLL_ROWS == 0 &&
            core_call_poll(reader->reading->call, "reading", reader->row + i, reader->total) < 0)
            return -1;
        PyObject *object = PyIter_Next(reader->iterator);
        if (!object) return PyErr_Occurred() ? -1 : 0;
        int failed = put_object(reader, chunk, i, object);
        Py_DECREF(object);
        if (failed) return -1;
    }
    return 0;
}

/* Room for the rows still to come, as far as one knows. */
static size_t room(const core_column_reader *reader) {
    if (!reader->total) return CORE_BATCH_ROWS;
    uint64_t left = reader->total > reader->row ? reader->total - reader->row : 1;
    return left < CORE_BATCH_ROWS ? (size_t)left : CORE_BATCH_ROWS;
}

static int next_objects(core_column_reader *reader, core_chunk **out) {
    *out = core_chunk_for_objects(reader->reading->call->state, reader->role, room(reader));
    if (!*out) return -1;
    if (fill(reader, *out) == 0) return (*out)->column.length > 0 ? 1 : (core_chunk_release(*out), 0);
    core_chunk_release(*out);
    return -1;
}

static int next_any(core_column_reader *reader, core_chunk **out) {
    if (reader->iterator) return next_objects(reader, out);
    if (reader->arrow.schema.release) return next_arrow(reader, out);
    *out = reader->only;
    reader->only = NULL;
    return *out != NULL;
}

int core_column_next(core_column_reader *reader, core_chunk **out) {
    for (;;) {
        *out = NULL;
        int got = next_any(reader, out);
        if (got <= 0) {
            *out = NULL;
            return got;
        }
        const core_place place = {reader->what, reader->row};
        reader->row += (*out)->column.length;
        int refused =
            reader->role == CORE_KEYS && core_chunk_check_keys(reader->reading->call->state, *out, &place) < 0;
        if ((*out)->column.length && !refused) return 1;
        core_chunk_release(*out);
        *out = NULL;
        if (refused) return -1;
    }
}
