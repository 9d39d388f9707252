/* rows_input.c: rows_to_batches: a list of dicts as Arrow batches.
 *
 * First the dicts are turned into one list of values for each column, in order of first appearance; then each column gets
 * the one Arrow type that takes all its values as they are: null, bool, int64, uint64, float64 (ints among them only where
 * a float holds them exactly), large_utf8 or large_binary. Any other column goes to the caller's `convert`, which gives back
 * an Arrow table of that one column, or its values as text. */
#include "batches_type.h"

#include <stdlib.h>
#include <string.h>

#define LARGEST_EXACT (INT64_C(1) << 53) /* every int up to this is a double */

/* ------------------------------------------------------------------------------------------------- rows to columns */

typedef struct rows_reader {
    core_call *call;
    PyObject *numbers; /* dict: name as given -> number of the column */
    PyObject *names;   /* list of str */
    PyObject *columns; /* list of lists of values */
    Py_ssize_t num_rows;
} rows_reader;

/* The name of a column as text that UTF-8 can hold; new reference. */
static PyObject *name_text(PyObject *name) {
    PyObject *text = PyObject_Str(name);
    if (!text || PyUnicode_AsUTF8AndSize(text, NULL) || !core_caught(PyExc_UnicodeError)) return text;
    Py_DECREF(text);
    return PyObject_ASCII(name);
}

/* A column of None. */
static int add_column(rows_reader *reader, PyObject *name) {
    PyObject *text = name_text(name), *number = PyLong_FromSsize_t(PyList_Size(reader->columns));
    PyObject *column = PyList_New(reader->num_rows);
    for (Py_ssize_t i = 0; column && i < reader->num_rows; i++) PyList_SetItem(column, i, Py_NewRef(Py_None));
    int failed = !text || !number || !column || PyList_Append(reader->columns, column) < 0 ||
                 PyList_Append(reader->names, text) < 0 || PyObject_SetItem(reader->numbers, name, number) < 0;
    Py_XDECREF(text);
    Py_XDECREF(number);
    Py_XDECREF(column);
    return failed ? -1 : 0;
}

/* The values of `name`, borrowed. */
static PyObject *column_of(rows_reader *reader, PyObject *name) {
    PyObject *number = PyDict_GetItemWithError(reader->numbers, name);
    if (!number && PyErr_Occurred()) return NULL;
    if (number) return PyList_GetItem(reader->columns, PyLong_AsSsize_t(number));
    if (add_column(reader, name) < 0) return NULL;
    return PyList_GetItem(reader->columns, PyList_Size(reader->columns) - 1);
}

/* A row as a dict; new reference. NULL without an exception: it is no mapping. */
static PyObject *row_dict(PyObject *row) {
    if (PyDict_Check(row)) return PyDict_Copy(row); /* which nothing below can change */
    if (!PyObject_HasAttrString(row, "keys")) return NULL;
    PyObject *dict = PyDict_New();
    if (dict && PyDict_Update(dict, row) < 0) {
        Py_CLEAR(dict);
        if (!core_caught(PyExc_Exception)) return NULL;
    }
    return dict;
}

/* 1, 0 if the row is no mapping, -1. */
static int read_row(rows_reader *reader, Py_ssize_t row, PyObject *object) {
    PyObject *dict = row_dict(object), *name, *value;
    Py_ssize_t position = 0;
    int done = dict ? 1 : PyErr_Occurred() ? -1 : 0;
    while (done > 0 && PyDict_Next(dict, &position, &name, &value)) {
        PyObject *column = column_of(reader, name);
        if (!column || PyList_SetItem(column, row, Py_NewRef(value)) < 0) done = -1;
    }
    Py_XDECREF(dict);
    return done;
}

static int read_rows(rows_reader *reader, PyObject *rows) {
    for (Py_ssize_t row = 0; row < reader->num_rows; row++) {
        if (row % CORE_POLL_ROWS == 0 &&
            core_call_poll(reader->call, "reading", (uint64_t)row, (uint64_t)reader->num_rows) < 0)
            return -1;
        int done = read_row(reader, row, PyTuple_GetItem(rows, row));
        if (done <= 0) return done;
    }
    return 1;
}

/* -------------------------------------------------------------------------------------------------- Arrow by hand */

/* The struct array or one column; buffers and members are malloc's. */
typedef struct made {
    void *buffers[3];
    size_t num_members;
    struct ArrowArray *members, **children;
} made;

static void release_made(struct ArrowArray *array) {
    made *m = array->private_data;
    for (size_t i = 0; i < m->num_members; i++)
        if (m->members[i].release) m->members[i].release(&m->members[i]);
    for (size_t i = 0; i < 3; i++) free(m->buffers[i]);
    free(m->members);
    free(m->children);
    free(m);
    array->release = NULL;
}

static int make_array(const core_state *state, int64_t length, int64_t num_buffers, size_t num_members,
                      struct ArrowArray *out) {
    made *m = core_allocate(state, 1, sizeof *m, "a column");
    if (!m) return -1;
    memset(m, 0, sizeof *m);
    *out = (struct ArrowArray){.length = length,
                               .n_buffers = num_buffers,
                               .n_children = (int64_t)num_members,
                               .buffers = (const void **)m->buffers,
                               .release = release_made,
                               .private_data = m};
    m->members = core_allocate(state, num_members, sizeof *m->members, "columns");
    m->children = core_allocate(state, num_members, sizeof *m->children, "columns");
    if (!m->members || !m->children) return -1;
    memset(m->members, 0, num_members * sizeof *m->members);
    m->num_members = num_members;
    for (size_t i = 0; i < num_members; i++) m->children[i] = &m->members[i];
    out->children = num_members ? m->children : NULL;
    return 0;
}

/* A buffer of the array, zeroed; NULL with an exception. */
static void *add_buffer(const core_state *state, struct ArrowArray *array, int which, uint64_t count, size_t size) {
    made *m = array->private_data;
    m->buffers[which] = core_allocate(state, count, size, "a column");
    if (m->buffers[which]) memset(m->buffers[which], 0, (size_t)count * size);
    return m->buffers[which];
}

typedef struct made_schema {
    size_t num_members;
    struct ArrowSchema *members, **children;
    char *name;
} made_schema;

static void release_made_schema(struct ArrowSchema *schema) {
    made_schema *m = schema->private_data;
    for (size_t i = 0; i < m->num_members; i++)
        if (m->members[i].release) m->members[i].release(&m->members[i]);
    free(m->members);
    free(m->children);
    free(m->name);
    free(m);
    schema->release = NULL;
}

static int make_schema(const core_state *state, const char *format, const char *name, size_t num_members,
                       struct ArrowSchema *out) {
    made_schema *m = core_allocate(state, 1, sizeof *m, "a column");
    if (!m) return -1;
    memset(m, 0, sizeof *m);
    *out = (struct ArrowSchema){.format = format,
                                .flags = ARROW_FLAG_NULLABLE,
                                .n_children = (int64_t)num_members,
                                .release = release_made_schema,
                                .private_data = m};
    size_t size = strlen(name) + 1;
    m->name = core_allocate(state, size, 1, "a column");
    m->members = core_allocate(state, num_members, sizeof *m->members, "columns");
    m->children = core_allocate(state, num_members, sizeof *m->children, "columns");
    if (!m->name || !m->members || !m->children) return -1;
    memcpy(m->name, name, size);
    memset(m->members, 0, num_members * sizeof *m->members);
    m->num_members = num_members;
    for (size_t i = 0; i < num_members; i++) m->children[i] = &m->members[i];
    out->name = m->name;
    out->children = num_members ? m->children : NULL;
    return 0;
}

/* ------------------------------------------------------------------------------------------------ types of columns */

enum { IS_NONE = 1, IS_BOOL = 2, IS_INT = 4, IS_FLOAT = 8, IS_TEXT = 16, IS_BYTES = 32, IS_OTHER = 64 };

/* What the values of a column are. */
typedef struct column_kind {
    unsigned kinds;
    bool negative, above_int64, inexact; /* of its ints */
} column_kind;

/* An int, or what stands for one, such as numpy's: within int64 or uint64, else another kind. */
static int classify_int(PyObject *value, column_kind *kind) {
    PyObject *number = PyNumber_Index(value);
    if (!number) return -1;
    int overflow;
    int64_t small = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow > 0) (void)PyLong_AsUnsignedLongLong(number);
    Py_DECREF(number);
    bool is_beyond = PyErr_Occurred() != NULL;
    if (is_beyond && !core_caught(PyExc_OverflowError)) return -1;
    bool fits = overflow == 0 || (overflow > 0 && !is_beyond);
    kind->kinds |= fits ? IS_INT : IS_OTHER;
    kind->negative |= overflow == 0 && small < 0;
    kind->above_int64 |= overflow > 0;
    kind->inexact |= overflow != 0 || small > LARGEST_EXACT || small < -LARGEST_EXACT;
    return 0;
}

/* Text that UTF-8 cannot hold is no Arrow text. */
static int classify_text(PyObject *value, column_kind *kind) {
    bool fits = PyUnicode_AsUTF8AndSize(value, NULL) != NULL;
    if (!fits && !core_caught(PyExc_UnicodeError)) return -1;
    kind->kinds |= fits ? IS_TEXT : IS_OTHER;
    return 0;
}

static int classify_value(PyObject *value, column_kind *kind) {
    if (value == Py_None)
        kind->kinds |= IS_NONE;
    else if (PyBool_Check(value))
        kind->kinds |= IS_BOOL;
    else if (PyUnicode_Check(value))
        return classify_text(value, kind);
    else if (PyFloat_Check(value))
        kind->kinds |= IS_FLOAT;
    else if (PyBytes_Check(value))
        kind->kinds |= IS_BYTES;
    else if (PyIndex_Check(value))
        return classify_int(value, kind);
    else
        kind->kinds |= IS_OTHER;
    return 0;
}

/* The Arrow format for all values of a column; "" if there is none; NULL with an exception. */
static const char *format_of(PyObject *column) {
    column_kind kind = {0};
    for (Py_ssize_t i = 0; i < PyList_Size(column) && !(kind.kinds & IS_OTHER); i++)
        if (classify_value(PyList_GetItem(column, i), &kind) < 0) return NULL;
    switch (kind.kinds & ~(unsigned)IS_NONE) {
    case 0: return "n";
    case IS_BOOL: return "b";
    case IS_INT: return !kind.above_int64 ? "l" : kind.negative ? "" : "L";
    case IS_FLOAT: return "g";
    case IS_INT | IS_FLOAT: return kind.inexact ? "" : "g";
    case IS_TEXT: return "U";
    case IS_BYTES: return "Z";
    default: return "";
    }
}

/* ---------------------------------------------------------------------------------------------- values to buffers */

static void set_bit(uint8_t *bits, Py_ssize_t i) { bits[i >> 3] |= (uint8_t)(1u << (i & 7)); }

static int put_number(char format, void *values, Py_ssize_t i, PyObject *value) {
    if (format == 'g') {
        ((double *)values)[i] = PyFloat_AsDouble(value);
        return PyErr_Occurred() ? -1 : 0;
    }
    if (format == 'b') {
        if (value == Py_True) set_bit(values, i);
        return 0;
    }
    PyObject *number = PyNumber_Index(value);
    if (!number) return -1;
    if (format == 'l')
        ((int64_t *)values)[i] = PyLong_AsLongLong(number);
    else
        ((uint64_t *)values)[i] = PyLong_AsUnsignedLongLong(number);
    Py_DECREF(number);
    return PyErr_Occurred() ? -1 : 0;
}

static int fill_numbers(const core_state *state, char format, PyObject *column, struct ArrowArray *array) {
    uint64_t rows = (uint64_t)array->length;
    uint8_t *validity = add_buffer(state, array, 0, rows / 8 + 1, 1);
    void *values =
        validity ? add_buffer(state, array, 1, format == 'b' ? rows / 8 + 1 : rows, format == 'b' ? 1 : 8) : NULL;
    if (!values) return -1;
    for (Py_ssize_t i = 0; i < array->length; i++) {
        PyObject *value = PyList_GetItem(column, i);
        if (value == Py_None) {
            array->null_count++;
            continue;
        }
        set_bit(validity, i);
        if (put_number(format, values, i, value) < 0) return -1;
    }
    return 0;
}

/* The bytes of a str or bytes object, borrowed; NULL with an exception. */
static const char *bytes_of(PyObject *value, Py_ssize_t *size) {
    char *bytes = NULL;
    if (PyUnicode_Check(value)) return PyUnicode_AsUTF8AndSize(value, size);
    return PyBytes_AsStringAndSize(value, &bytes, size) < 0 ? NULL : bytes;
}

/* Two passes: where each value ends, then the bytes. */
static int fill_texts(const core_state *state, PyObject *column, struct ArrowArray *array) {
    uint64_t rows = (uint64_t)array->length;
    uint8_t *validity = add_buffer(state, array, 0, rows / 8 + 1, 1);
    int64_t *offsets = validity ? add_buffer(state, array, 1, rows + 1, sizeof *offsets) : NULL;
    if (!offsets) return -1;
    for (Py_ssize_t i = 0; i < array->length; i++) {
        PyObject *value = PyList_GetItem(column, i);
        Py_ssize_t size = 0;
        if (value == Py_None)
            array->null_count++;
        else if (!bytes_of(value, &size))
            return -1;
        else
            set_bit(validity, i);
        offsets[i + 1] = offsets[i] + size;
    }
    char *bytes = add_buffer(state, array, 2, (uint64_t)offsets[rows], 1);
    if (!bytes) return -1;
    for (Py_ssize_t i = 0; i < array->length; i++) {
        PyObject *value = PyList_GetItem(column, i);
        Py_ssize_t size = 0;
        const char *text = value == Py_None ? NULL : bytes_of(value, &size);
        if (text) memcpy(bytes + offsets[i], text, (size_t)size);
    }
    return 0;
}

static int fill_column(const core_state *state, char format, PyObject *column, struct ArrowArray *out) {
    bool is_text = format == 'U' || format == 'Z';
    if (make_array(state, PyList_Size(column), format == 'n' ? 0 : is_text ? 3 : 2, 0, out) < 0) return -1;
    if (format == 'n') {
        out->null_count = out->length;
        return 0;
    }
    return is_text ? fill_texts(state, column, out) : fill_numbers(state, format, column, out);
}

/* ------------------------------------------------------------------------------------------------ columns to batches */

typedef struct maker {
    core_call *call;
    PyObject *convert;
    struct ArrowSchema schema;
    struct ArrowArray array;
} maker;

/* Column `i` of a table of one column and one batch. */
static int take_converted(const maker *m, PyObject *name, PyObject *table, size_t i) {
    core_arrow arrow;
    struct ArrowArray array = {0};
    if (core_arrow_open(m->call, table, false, &arrow) < 0) return -1;
    int got = core_arrow_next(m->call, &arrow, &array);
    bool fits = got > 0 && core_arrow_is_struct(&arrow) && arrow.schema.n_children == 1 && array.n_children == 1 &&
                array.offset == 0 && array.length == m->array.length;
    if (fits) {
        *m->schema.children[i] = *arrow.schema.children[0];
        *m->array.children[i] = *array.children[0];
        arrow.schema.children[0]->release = NULL;
        array.children[0]->release = NULL;
    } else if (got >= 0) {
        PyErr_Format(PyExc_ValueError, "column %R was not converted to as many values", name);
    }
    if (array.release) array.release(&array);
    core_arrow_close(&arrow);
    return fits ? 0 : -1;
}

static int make_column(const maker *m, PyObject *name, PyObject *column, const char *format, size_t i) {
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
    if (!text || make_schema(m->call->state, format, text, 0, m->schema.children[i]) < 0) return -1;
    return fill_column(m->call->state, format[0], column, m->array.children[i]);
}

/* What `convert` makes of a column: a table, or a list of text. */
static int convert_column(const maker *m, PyObject *name, PyObject *column, size_t i) {
    PyObject *converted = PyObject_CallFunctionObjArgs(m->convert, name, column, NULL);
    int failed = -1;
    if (converted && !PyList_Check(converted)) {
        failed = take_converted(m, name, converted, i);
    } else if (converted) {
        const char *format = PyList_Size(converted) == m->array.length ? format_of(converted) : NULL;
        if (format && *format)
            failed = make_column(m, name, converted, format, i);
        else if (!PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "column %R was not converted to as many texts", name);
    }
    Py_XDECREF(converted);
    return failed;
}

static int make_columns(maker *m, const rows_reader *reader) {
    size_t count = (size_t)PyList_Size(reader->columns);
    const core_state *state = m->call->state;
    if (make_schema(state, "+s", "", count, &m->schema) < 0) return -1;
    if (make_array(state, reader->num_rows, 1, count, &m->array) < 0) return -1;
    for (size_t i = 0; i < count; i++) {
        PyObject *name = PyList_GetItem(reader->names, (Py_ssize_t)i);
        PyObject *column = PyList_GetItem(reader->columns, (Py_ssize_t)i);
        const char *format = format_of(column);
        if (!format) return -1;
        int failed = *format ? make_column(m, name, column, format, i) : convert_column(m, name, column, i);
        if (failed) return -1;
        if (core_call_poll(m->call, "reading", i + 1, count) < 0) return -1;
    }
    return 0;
}

static PyObject *make_batches(core_call *call, const rows_reader *reader, PyObject *convert) {
    maker m = {.call = call, .convert = convert};
    if (make_columns(&m, reader) < 0) {
        if (m.schema.release) m.schema.release(&m.schema);
        if (m.array.release) m.array.release(&m.array);
        return NULL;
    }
    core_arrow arrow = {.schema = m.schema, .single = m.array};
    return core_batches_read(call, &arrow);
}

PyObject *core_rows_to_batches(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"rows", "convert", NULL};
    PyObject *rows, *convert, *batches = NULL;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO:rows_to_batches", names, &rows, &convert)) return NULL;
    if (core_call_init(&call, PyModule_GetState(module), NULL) < 0) return NULL;
    PyObject *fixed = PySequence_Tuple(rows);
    if (!fixed) return NULL;
    rows_reader reader = {&call, PyDict_New(), PyList_New(0), PyList_New(0), PyTuple_Size(fixed)};
    int done = reader.numbers && reader.names && reader.columns ? read_rows(&reader, fixed) : -1;
    if (done > 0) batches = make_batches(&call, &reader, convert);
    if (done == 0) batches = Py_NewRef(Py_None);
    Py_XDECREF(reader.numbers);
    Py_XDECREF(reader.names);
    Py_XDECREF(reader.columns);
    Py_DECREF(fixed);
    return batches;
}
