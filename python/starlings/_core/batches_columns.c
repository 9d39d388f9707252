/* batches_columns.c: whole columns of kept batches as arrays: numbers as they are, text as codes with the strings that they stand for.
 *
 * For tables that become numpy columns again, reports among them. Nothing is done for each value in Python. */
#include "batches_type.h"
#include "buffer_type.h"
#include "objects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A column as the engine reads it, one batch after another. */
typedef struct column_reader {
    const sl_batches *batches;
    int64_t field;
    sl_column column, dictionary;
} column_reader;

static sl_status open_batch(column_reader *reader, uint64_t batch, sl_error *error) {
    const struct ArrowSchema *schema = sl_batches_schema(reader->batches)->children[reader->field];
    const struct ArrowArray *parent = sl_batches_batch(reader->batches, batch);
    const struct ArrowArray *array = parent->children[reader->field];
    sl_status status = sl_column_from_arrow(schema, array, NULL, &reader->dictionary, &reader->column, error);
    if (status != SL_OK) return status;
    reader->column.offset += (uint64_t)parent->offset;
    reader->column.length = (uint64_t)parent->length;
    return SL_OK;
}

/* --------------------------------------------------------------------------------------------------------- numbers */

static const struct {
    sl_column_type type;
    const char *format, *name;
    size_t size;
} number_types[] = {
    {SL_COLUMN_INT8, "c", "int8", 1},       {SL_COLUMN_INT16, "s", "int16", 2},
    {SL_COLUMN_INT32, "i", "int32", 4},     {SL_COLUMN_INT64, "l", "int64", 8},
    {SL_COLUMN_UINT8, "C", "uint8", 1},     {SL_COLUMN_UINT16, "S", "uint16", 2},
    {SL_COLUMN_UINT32, "I", "uint32", 4},   {SL_COLUMN_UINT64, "L", "uint64", 8},
    {SL_COLUMN_FLOAT32, "f", "float32", 4}, {SL_COLUMN_FLOAT64, "g", "float64", 8},
};
enum { NUM_NUMBER_TYPES = sizeof number_types / sizeof *number_types };

/* Index of the type of a column of numbers, or NUM_NUMBER_TYPES. */
static size_t number_type_of(const core_batches *self, int64_t field) {
    const struct ArrowSchema *schema = sl_batches_schema(self->batches)->children[field];
    size_t type = 0;
    while (type < NUM_NUMBER_TYPES && strcmp(schema->format, number_types[type].format) != 0) type++;
    return schema->dictionary ? NUM_NUMBER_TYPES : type;
}

/* Floats that are null become NaN; other nulls have no value to become: their number is the answer. */
static uint64_t copy_numbers(const sl_column *column, size_t size, unsigned char *out) {
    uint64_t nulls = 0;
    if (column->length)
        memcpy(out, (const unsigned char *)column->values + column->offset * size, column->length * size);
    for (uint64_t i = 0; column->validity && i < column->length; i++) {
        uint64_t bit = column->offset + i;
        if (column->validity[bit >> 3] >> (bit & 7) & 1) continue;
        double nothing = NAN;
        float small_nothing = NAN;
        if (column->type == SL_COLUMN_FLOAT64)
            memcpy(out + i * size, &nothing, size);
        else if (column->type == SL_COLUMN_FLOAT32)
            memcpy(out + i * size, &small_nothing, size);
        else
            nulls++;
    }
    return nulls;
}

static int copy_batches(core_call *call, column_reader *reader, size_t size, unsigned char *out) {
    uint64_t nulls = 0;
    sl_status status = SL_OK;
    core_call_leave(call);
    for (uint64_t batch = 0; status == SL_OK && batch < sl_batches_num_batches(reader->batches); batch++) {
        status = open_batch(reader, batch, &call->error);
        if (status != SL_OK) break;
        nulls += copy_numbers(&reader->column, size, out);
        out += reader->column.length * size;
    }
    if (core_call_return(call, status) < 0) return -1;
    if (nulls == 0) return 0;
    return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT,
                      "column %lld has nulls among its ints: fill them, or cast "
                      "it to floats",
                      (long long)reader->field);
}

static int read_field(core_call *call, PyObject *object, PyObject *argument, column_reader *out) {
    const core_batches *self = (core_batches *)object;
    if (core_call_init(call, core_state_of(object), NULL) < 0) return -1;
    Py_ssize_t field = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if (field == -1 && PyErr_Occurred()) return -1;
    if (field < 0 || field >= sl_batches_schema(self->batches)->n_children || self->rows) {
        PyErr_Format(PyExc_IndexError, "there is no column %zd, or only some rows are there", field);
        return -1;
    }
    *out = (column_reader){.batches = self->batches, .field = field};
    return 0;
}

PyObject *core_batches_numbers(PyObject *object, PyObject *argument) {
    core_batches *self = (core_batches *)object;
    core_call call;
    column_reader reader;
    if (read_field(&call, object, argument, &reader) < 0) return NULL;
    size_t type = number_type_of(self, reader.field);
    if (type == NUM_NUMBER_TYPES) return Py_NewRef(Py_None);
    size_t size = number_types[type].size;
    unsigned char *memory = core_allocate(call.state, self->num_rows * size, 1, "a column");
    if (!memory) return NULL;
    if (copy_batches(&call, &reader, size, memory) < 0) {
        free(memory);
        return NULL;
    }
    PyObject *buffer = core_buffer_take(call.state, memory, self->num_rows * size, 'B');
    return buffer ? Py_BuildValue("Ns", buffer, number_types[type].name) : NULL;
}

/* ------------------------------------------------------------------------------------------------------------ text */

static bool is_text(const column_reader *reader) {
    const struct ArrowSchema *schema = sl_batches_schema(reader->batches)->children[reader->field];
    const char *format = schema->dictionary ? schema->dictionary->format : schema->format;
    return strcmp(format, "u") == 0 || strcmp(format, "U") == 0 || strcmp(format, "vu") == 0;
}

/* Strings are interned as the keys of a context: its records are the categories. */
static sl_status intern_batches(column_reader *reader, sl_context *strings, uint32_t *codes, sl_error *error) {
    uint16_t source;
    sl_status status = sl_context_add_source(strings, "", 0, &source, error);
    for (uint64_t batch = 0; status == SL_OK && batch < sl_batches_num_batches(reader->batches); batch++) {
        status = open_batch(reader, batch, error);
        if (status != SL_OK) return status;
        const sl_key_column keys = {.keys = reader->column};
        status = sl_context_intern(strings, &keys, codes, NULL, error);
        codes += reader->column.length;
    }
    return status;
}

static PyObject *list_strings(const sl_context *strings) {
    sl_record record;
    PyObject *list = PyList_New((Py_ssize_t)sl_context_num_records(strings));
    for (uint32_t i = 0; list && sl_context_record(strings, i, &record); i++) {
        PyObject *text = core_key_object(&record.key);
        if (!text || PyList_SetItem(list, (Py_ssize_t)i, text) < 0) Py_CLEAR(list);
    }
    return list;
}

PyObject *core_batches_texts(PyObject *object, PyObject *argument) {
    core_batches *self = (core_batches *)object;
    core_call call;
    column_reader reader;
    sl_context *strings = NULL;
    if (read_field(&call, object, argument, &reader) < 0) return NULL;
    if (!is_text(&reader)) return Py_NewRef(Py_None);
    uint32_t *codes = core_allocate(call.state, self->num_rows, sizeof *codes, "a column");
    if (!codes) return NULL;
    core_call_leave(&call);
    sl_status status = sl_context_create(&strings, &call.error);
    if (status == SL_OK) status = intern_batches(&reader, strings, codes, &call.error);
    int failed = core_call_return(&call, status);
    PyObject *result = NULL, *list = failed ? NULL : list_strings(strings);
    if (list) {
        PyObject *buffer = core_buffer_take(call.state, codes, self->num_rows, 'I');
        codes = NULL;
        result = buffer ? PyTuple_Pack(2, buffer, list) : NULL;
        Py_XDECREF(buffer);
        Py_DECREF(list);
    }
    free(codes);
    sl_context_release(strings);
    return result;
}
