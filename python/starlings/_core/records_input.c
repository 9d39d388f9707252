/* records_input.c: Context.intern_records: the records of one source, from a column of a table or simply counted. */
#include "buffer_type.h"
#include "keys_input.h"

#include <stdlib.h>
#include <string.h>

#define COUNTED_ROWS UINT64_C(524288)

/* ------------------------------------------------------------------------------------------------------ counted keys */

static int no_records(const core_call *call, PyObject *data, const char *why) {
    char text[CORE_TEXT_SIZE];
    return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT,
                      "records cannot be read from a %s%s; give Arrow data, a DataFrame or a list of dicts",
                      core_type_text(data, text), why);
}

static int count_arrow(core_call *call, PyObject *data, uint64_t *out) {
    core_arrow arrow;
    struct ArrowArray array;
    int got = core_arrow_open(call, data, false, &arrow);
    if (got < 0) return -1;
    if (!core_arrow_is_struct(&arrow)) got = no_records(call, data, ", which is one column");
    while (got >= 0 && (got = core_arrow_next(call, &arrow, &array)) > 0) {
        *out += array.length > 0 ? (uint64_t)array.length : 0;
        array.release(&array);
        if (PyErr_CheckSignals() < 0) got = -1;
        if (got < 0) break;
    }
    core_arrow_close(&arrow);
    return got;
}

/* A dict, or a row that reads like one. */
static int check_record(const core_call *call, uint64_t row, PyObject *object) {
    if (PyDict_Check(object) || PyObject_HasAttrString(object, "keys")) return 0;
    char text[CORE_TEXT_SIZE];
    return core_raise_row(call->state, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                          "row %llu is no dict (%s); records are dicts or the rows of a table, such as {\"id\": key}",
                          (unsigned long long)row, core_type_text(object, text));
}

static int count_iterable(core_call *call, PyObject *data, uint64_t *out) {
    PyObject *iterator = PyObject_GetIter(data), *object = NULL;
    if (!iterator) {
        if (!core_caught(PyExc_TypeError)) return -1;
        return no_records(call, data, "");
    }
    int failed = 0;
    while (!failed && (object = PyIter_Next(iterator)) != NULL) {
        failed = check_record(call, *out, object);
        Py_DECREF(object);
        if (!failed && ++*out % CORE_POLL_ROWS == 0) failed = core_call_poll(call, "reading", *out, 0);
    }
    Py_DECREF(iterator);
    return failed || PyErr_Occurred() ? -1 : 0;
}

static int count_length(const core_call *call, PyObject *data, uint64_t *out) {
    Py_ssize_t size = PyObject_Size(data);
    if (size < 0 && !core_caught(PyExc_TypeError)) return -1;
    if (size < 0) return no_records(call, data, ", which has no length");
    *out = (uint64_t)size;
    return 0;
}

/* The number of rows of anything with rows. */
static int count_rows(core_call *call, PyObject *data, uint64_t *out) {
    *out = 0;
    if (PyDict_Check(data)) {
        PyObject *column, *name;
        Py_ssize_t position = 0;
        return PyDict_Next(data, &position, &name, &column) ? count_length(call, column, out) : 0;
    }
    if (PyUnicode_Check(data) || PyBytes_Check(data)) return no_records(call, data, "");
    if (!core_is_table(data))
        return core_is_arrow(data) ? count_arrow(call, data, out) : count_iterable(call, data, out);
    return count_length(call, data, out);
}

/* The keys first..first+count-1. */
static core_chunk *counted_chunk(const core_state *state, uint64_t first, uint64_t count) {
    core_chunk *chunk = core_chunk_new(state);
    if (!chunk) return NULL;
    uint64_t *numbers = core_allocate(state, count, sizeof *numbers, "keys");
    if (!numbers) {
        core_chunk_release(chunk);
        return NULL;
    }
    for (uint64_t i = 0; i < count; i++) numbers[i] = first + i;
    chunk->memory = numbers;
    chunk->column = (sl_column){.type = SL_COLUMN_UINT64, .length = count, .values = numbers};
    return chunk;
}

static int intern_counted(core_reading *reading, PyObject *data, core_indices *out) {
    uint64_t rows;
    if (count_rows(reading->call, data, &rows) < 0) return -1;
    for (uint64_t first = 0; first < rows; first += COUNTED_ROWS) {
        uint64_t count = rows - first < COUNTED_ROWS ? rows - first : COUNTED_ROWS;
        core_chunk *chunk = counted_chunk(reading->call->state, first, count);
        if (!chunk) return -1;
        int failed = core_keys_read_chunk(reading, CORE_INTERN, chunk, first, out);
        core_chunk_release(chunk);
        if (failed) return -1;
    }
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- a column */

static int no_such_column(const core_state *state, PyObject *table, PyObject *name) {
    PyObject *labels = PyDict_Check(table) ? Py_NewRef(table) : PyObject_GetAttrString(table, "columns");
    PyObject *names = labels ? PySequence_List(labels) : NULL;
    Py_XDECREF(labels);
    if (!names) return -1;
    if (PyList_Size(names) == 0)
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "there is no column %R for the key: there are no columns", name);
    else
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "there is no column %R for the key; the columns are %R", name,
                   names);
    Py_DECREF(names);
    return -1;
}

static int fail_source(const core_reading *reading, const core_chunk *chunk, uint64_t index, uint64_t row) {
    char key_text[CORE_TEXT_SIZE], source_text[CORE_TEXT_SIZE], own_text[CORE_TEXT_SIZE];
    const sl_key *keys = chunk->memory;
    size_t length;
    const char *name = sl_context_source_name(reading->context, chunk->sources[index], &length);
    PyObject *key = core_key_object(&keys[index]);
    PyObject *source = key ? PyUnicode_DecodeUTF8(name, (Py_ssize_t)length, NULL) : NULL;
    if (source)
        core_raise_row(reading->call->state, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                       "row %llu: the key (%s, %s) is of source %s, but these are records of %s; give bare keys",
                       (unsigned long long)row, core_value_text(source, source_text), core_value_text(key, key_text),
                       source_text, core_value_text(reading->source, own_text));
    Py_XDECREF(key);
    Py_XDECREF(source);
    return -1;
}

/* Keys that name another source than that of the records would become records of it. `row`: of the first key. */
static int check_own_source(core_reading *reading, const core_chunk *chunk, uint64_t row) {
    static const core_place place = {"source", CORE_NO_ROW};
    uint64_t i = 0, count = chunk->column.length;
    uint16_t own;
    if (!chunk->sources) return 0;
    if (core_source_id(reading, &place, NULL, &own) < 0) return -1;
    while (i < count && chunk->sources[i] == own) i++;
    return i == count ? 0 : fail_source(reading, chunk, i, row + i);
}

static int intern_own(core_reading *reading, PyObject *keys, PyObject *field, core_indices *out) {
    core_column_reader reader;
    core_chunk *chunk;
    int got = core_column_open(reading, CORE_KEYS, "key", keys, field, &reader);
    while (got >= 0 && (got = core_column_next(&reader, &chunk)) > 0) {
        uint64_t row = reader.row - chunk->column.length;
        got = check_own_source(reading, chunk, row);
        if (got >= 0) got = core_keys_read_chunk(reading, CORE_INTERN, chunk, row, out);
        core_chunk_release(chunk);
    }
    core_column_close(&reader);
    return got;
}

/* From a dict or a data frame the column itself, which may be of a type that Arrow has no name for. */
static int intern_column(core_reading *reading, PyObject *data, PyObject *name, core_indices *out) {
    if (!core_is_table(data)) return intern_own(reading, data, name, out);
    PyObject *column = PyObject_GetItem(data, name);
    if (!column) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) return -1;
        PyErr_Clear();
        return no_such_column(reading->call->state, data, name);
    }
    int failed = intern_own(reading, column, NULL, out);
    Py_DECREF(column);
    return failed;
}

PyObject *core_context_intern_records(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"source", "data", "key_column", "progress", NULL};
    PyObject *source, *data, *key_column = Py_None, *callback = Py_None;
    core_call call;
    core_reading reading;
    core_indices indices = {NULL, 0, 0};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "UO|OO:intern_records", names, &source, &data, &key_column,
                                     &callback))
        return NULL;
    if (core_call_init(&call, core_state_of(self), callback) < 0) return NULL;
    if (key_column != Py_None && !PyUnicode_Check(key_column)) {
        core_raise(call.state, SL_ERROR_INVALID_ARGUMENT, "key_column must be a str or None, not %R", key_column);
        return NULL;
    }
    sl_context *context = ((core_context *)self)->context;
    if (core_call_check(&call, context) < 0) return NULL;
    uint32_t before = sl_context_num_records(context);
    core_reading_init(&reading, &call, context, source);
    int failed = key_column == Py_None ? intern_counted(&reading, data, &indices)
                                       : intern_column(&reading, data, key_column, &indices);
    static const core_place place = {"source", CORE_NO_ROW};
    uint16_t id;
    if (!failed) failed = core_source_id(&reading, &place, NULL, &id); /* a source without records is known too */
    core_reading_close(&reading);
    PyObject *made = failed ? NULL : core_buffer_take(call.state, indices.values, indices.count, 'I');
    if (failed) free(indices.values);
    if (!made) core_context_roll_back(context, before);
    return made;
}
