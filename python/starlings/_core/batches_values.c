/* batches_values.c: columns of kept batches as lists of Python objects, for whom no Arrow library is installed.
 *
 * The types that Python has one for: null, bool, ints, floats, text and bytes. Buffers are checked by the engine before
 * they are read (sl_column_from_arrow); bools, which it does not read, have no offsets that could be wrong. */
#include "batches_type.h"

#include <string.h>

/* One column of one batch. */
typedef struct values {
    sl_column column;
    const uint8_t *bits; /* of bools, counted from column.offset; NULL: another type */
} values;

static bool is_plain(const struct ArrowSchema *schema) {
    return !schema->dictionary && strlen(schema->format) == 1 && strchr("nbcCsSiIlLfguUzZ", schema->format[0]) != NULL;
}

static bool has_bit(const uint8_t *bits, uint64_t i) { return bits[i >> 3] >> (i & 7) & 1; }

/* Without the GIL, as it may scan offsets. */
static sl_status open_values(const sl_batches *batches, uint64_t batch, int64_t field, values *out, sl_error *error) {
    const struct ArrowSchema *schema = sl_batches_schema(batches)->children[field];
    const struct ArrowArray *parent = sl_batches_batch(batches, batch), *array = parent->children[field];
    sl_column dictionary;
    *out = (values){0};
    if (strcmp(schema->format, "b") == 0) {
        bool has_nulls = array->n_buffers == 2 && array->null_count != 0;
        out->bits = array->n_buffers == 2 ? array->buffers[1] : NULL;
        out->column.validity = has_nulls ? array->buffers[0] : NULL;
        out->column.offset = (uint64_t)array->offset;
    } else {
        sl_status status = sl_column_from_arrow(schema, array, schema->name, &dictionary, &out->column, error);
        if (status != SL_OK) return status;
    }
    out->column.offset += (uint64_t)parent->offset;
    return SL_OK;
}

static PyObject *number_object(const sl_column *column, uint64_t i) {
#define AT(type) (((const type *)column->values)[i])
    switch (column->type) {
    case SL_COLUMN_INT8: return PyLong_FromLong(AT(int8_t));
    case SL_COLUMN_INT16: return PyLong_FromLong(AT(int16_t));
    case SL_COLUMN_INT32: return PyLong_FromLong(AT(int32_t));
    case SL_COLUMN_INT64: return PyLong_FromLongLong(AT(int64_t));
    case SL_COLUMN_UINT8: return PyLong_FromLong(AT(uint8_t));
    case SL_COLUMN_UINT16: return PyLong_FromLong(AT(uint16_t));
    case SL_COLUMN_UINT32: return PyLong_FromUnsignedLong(AT(uint32_t));
    case SL_COLUMN_UINT64: return PyLong_FromUnsignedLongLong(AT(uint64_t));
    case SL_COLUMN_FLOAT32: return PyFloat_FromDouble((double)AT(float));
    case SL_COLUMN_FLOAT64: return PyFloat_FromDouble(AT(double));
    default: return Py_NewRef(Py_None);
    }
#undef AT
}

static PyObject *text_object(const sl_column *column, uint64_t i) {
    bool is_large = column->type == SL_COLUMN_LARGE_STRING || column->type == SL_COLUMN_LARGE_BINARY;
    bool is_text = column->type == SL_COLUMN_STRING || column->type == SL_COLUMN_LARGE_STRING;
    const int64_t *large = column->offsets;
    const int32_t *small = column->offsets;
    int64_t start = is_large ? large[i] : small[i], end = is_large ? large[i + 1] : small[i + 1];
    const char *bytes = column->values ? (const char *)column->values + start : "";
    if (is_text) return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)(end - start), "replace");
    return PyBytes_FromStringAndSize(bytes, (Py_ssize_t)(end - start));
}

static PyObject *value_object(const values *v, uint64_t row) {
    uint64_t i = v->column.offset + row;
    if (v->column.type == SL_COLUMN_NULL || (v->column.validity && !has_bit(v->column.validity, i)))
        return Py_NewRef(Py_None);
    if (!v->column.type) return PyBool_FromLong(v->bits && has_bit(v->bits, i));
    return v->column.offsets ? text_object(&v->column, i) : number_object(&v->column, i);
}

/* The values of one batch after another; `starts` and `ends` say which rows a batch has. */
typedef struct value_reader {
    const core_batches *self;
    int64_t field;
    uint64_t batch, start, end; /* the batch that is open and its rows, none at first */
    values values;
} value_reader;

/* Open the batch that holds `row`: nearly always the one that is open, or the next. */
static int seek(core_call *call, value_reader *reader, uint64_t row) {
    const sl_batches *batches = reader->self->batches;
    if (row >= reader->start && row < reader->end) return 0;
    if (row < reader->start) reader->batch = reader->start = reader->end = 0;
    bool is_first = reader->end == 0;
    while (row >= reader->end) {
        if (!is_first) reader->batch++;
        is_first = false;
        reader->start = reader->end;
        reader->end += (uint64_t)sl_batches_batch(batches, reader->batch)->length;
    }
    core_call_leave(call);
    sl_status status = open_values(batches, reader->batch, reader->field, &reader->values, &call->error);
    return core_call_return(call, status);
}

static int fill_list(core_call *call, value_reader *reader, PyObject *list) {
    for (uint64_t i = 0; i < reader->self->num_rows; i++) {
        uint64_t row = reader->self->rows ? reader->self->rows[i] : i;
        if (i % CORE_POLL_ROWS == 0 && core_call_poll(call, "reading", i, reader->self->num_rows) < 0) return -1;
        if (seek(call, reader, row) < 0) return -1;
        PyObject *object = value_object(&reader->values, row - reader->start);
        if (!object || PyList_SetItem(list, (Py_ssize_t)i, object) < 0) return -1;
    }
    return 0;
}

PyObject *core_batches_column(PyObject *object, PyObject *argument) {
    core_batches *self = (core_batches *)object;
    const struct ArrowSchema *schema = sl_batches_schema(self->batches);
    core_call call;
    value_reader reader = {.self = self};
    if (core_call_init(&call, core_state_of(object), NULL) < 0) return NULL;
    Py_ssize_t field = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if (field == -1 && PyErr_Occurred()) return NULL;
    if (field < 0 || field >= schema->n_children)
        return PyErr_Format(PyExc_IndexError, "there is no column %zd of %lld", field, (long long)schema->n_children);
    if (!is_plain(schema->children[field])) return Py_NewRef(Py_None);
    reader.field = field;
    PyObject *list = PyList_New((Py_ssize_t)self->num_rows);
    if (list && fill_list(&call, &reader, list) < 0) Py_CLEAR(list);
    return list;
}
