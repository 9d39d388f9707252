/* table_type.c: the Table type: named columns, exported as an Arrow stream as often as wanted.
 *
 * The engine's sl_table is used up by one export, so a Table keeps what its columns are made from and makes an sl_table
 * for each stream. Read-only arrays (the engine's Buffers) are kept as they are, others are copied when added. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>
#include <string.h>

typedef enum column_kind {
    NUMBERS,
    BINARY,
    LISTS,
    CATEGORIES,
    RECORD_SOURCES,
    RECORD_KEYS,
    RECORD_KEY_TEXTS
} column_kind;

typedef struct table_column {
    column_kind kind;
    char *name;
    sl_column_type type;
    uint32_t width;     /* elements a row, of binary and lists */
    Py_buffer view;     /* the values, codes or records, where they are read-only */
    void *copy;         /* or a copy of them */
    PyObject *strings;  /* tuple of str, of categories */
    const char **texts; /* their UTF-8, borrowed from them */
    uint32_t num_strings;
    core_context *context;
    char *kind_name; /* of keys as text: the column of their kinds */
} table_column;

typedef struct core_table {
    PyObject_HEAD
    uint64_t num_rows;
    uint64_t exports; /* going on without the GIL: no columns may be added meanwhile */
    table_column *columns;
    size_t count, capacity;
} core_table;

static void column_free(table_column *column) {
    if (column->view.obj) PyBuffer_Release(&column->view);
    free(column->name);
    free(column->kind_name);
    free(column->copy);
    free(column->texts);
    Py_XDECREF(column->strings);
    Py_XDECREF((PyObject *)column->context);
}

static PyObject *table_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"num_rows", NULL};
    Py_ssize_t num_rows;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "n:Table", names, &num_rows)) return NULL;
    if (num_rows < 0) {
        core_raise(PyType_GetModuleState(type), SL_ERROR_INVALID_ARGUMENT, "num_rows cannot be negative");
        return NULL;
    }
    core_table *self = (core_table *)core_object_new(type, sizeof *self);
    if (self) self->num_rows = (uint64_t)num_rows;
    return (PyObject *)self;
}

static void table_dealloc(PyObject *object) {
    core_table *self = (core_table *)object;
    for (size_t i = 0; i < self->count; i++) column_free(&self->columns[i]);
    free(self->columns);
    core_object_free(object);
}

/* --------------------------------------------------------------------------------------------------------- adding */

static const void *column_values(const table_column *column) { return column->copy ? column->copy : column->view.buf; }

/* Keep a read-only view, or a copy of what could still be changed. */
static int keep_values(const core_state *state, table_column *column) {
    if (column->view.readonly) return 0;
    column->copy = core_allocate(state, (uint64_t)column->view.len, 1, "a column");
    if (!column->copy) return -1;
    if (column->view.len) memcpy(column->copy, column->view.buf, (size_t)column->view.len);
    PyBuffer_Release(&column->view);
    return 0;
}

static int check_rows(const core_state *state, const core_table *self, const char *name, const table_column *column) {
    uint64_t rows = core_array_length(&column->view), width = column->width ? column->width : 1;
    if (rows / width == self->num_rows && rows % width == 0) return 0;
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "column '%s' has %llu values; the table has %llu rows", name,
                      (unsigned long long)rows, (unsigned long long)self->num_rows);
}

static int view_numbers(const core_state *state, PyObject *values, table_column *column) {
    if (PyObject_GetBuffer(values, &column->view, PyBUF_ND | PyBUF_FORMAT) < 0) {
        column->view.obj = NULL;
        return -1;
    }
    core_element element = core_element_of(&column->view);
    column->type = element.type;
    if (column->view.ndim == 1 && element.type && !element.swapped) return 0;
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "values must be a one-dimensional contiguous array of numbers");
}

/* Take over a column; it is freed if that fails. `rows` is how many values it has. */
static PyObject *add_column(core_table *self, table_column *column, const char *name) {
    const core_state *state = core_state_of((PyObject *)self);
    size_t length = strlen(name) + 1;
    if (self->exports) {
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "the table is being exported by another thread");
        goto failed;
    }
    if (check_rows(state, self, name, column) < 0 || keep_values(state, column) < 0) goto failed;
    column->name = core_allocate(state, length, 1, "a column");
    if (!column->name) goto failed;
    memcpy(column->name, name, length);
    if (core_grow(state, &self->columns, &self->capacity, self->count + 1, sizeof *self->columns, "columns") < 0)
        goto failed;
    self->columns[self->count++] = *column;
    return Py_NewRef(Py_None);
failed:
    column_free(column);
    return NULL;
}

static PyObject *table_add_numbers(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "values", NULL};
    const char *name;
    PyObject *values;
    table_column column = {.kind = NUMBERS};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "sO:add_numbers", names, &name, &values)) return NULL;
    if (view_numbers(core_state_of(self), values, &column) == 0) return add_column((core_table *)self, &column, name);
    column_free(&column);
    return NULL;
}

static PyObject *add_wide(PyObject *self, PyObject *arguments, const char *format, table_column column) {
    core_state *state = core_state_of(self);
    const char *name;
    PyObject *values;
    if (!PyArg_ParseTuple(arguments, format, &name, &values, core_uint32_argument, &column.width)) return NULL;
    if (core_array_view(state, values, column.type, "values", &column.view) < 0) return NULL;
    return add_column((core_table *)self, &column, name);
}

static PyObject *table_add_binary(PyObject *self, PyObject *arguments) {
    return add_wide(self, arguments, "sOO&:add_binary", (table_column){.kind = BINARY, .type = SL_COLUMN_UINT8});
}

static PyObject *table_add_lists(PyObject *self, PyObject *arguments) {
    return add_wide(self, arguments, "sOO&:add_lists", (table_column){.kind = LISTS, .type = SL_COLUMN_UINT32});
}

/* The strings of categories as a tuple that keeps them alive, and their UTF-8. */
static int take_strings(const core_state *state, PyObject *strings, table_column *column) {
    column->strings = PySequence_Tuple(strings);
    if (!column->strings) return -1;
    Py_ssize_t count = PyTuple_Size(column->strings);
    if ((uint64_t)count > UINT32_MAX) return core_raise(state, SL_ERROR_CAPACITY, "more than 2^32-1 categories");
    column->num_strings = (uint32_t)count;
    column->texts = core_allocate(state, (uint64_t)count, sizeof *column->texts, "categories");
    if (!column->texts) return -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(column->strings, i), &size);
        if (!text) return -1;
        if (strlen(text) != (size_t)size)
            return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "category %zd holds a NUL character", i);
        column->texts[i] = text;
    }
    return 0;
}

static PyObject *table_add_categories(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "codes", "strings", NULL};
    core_state *state = core_state_of(self);
    const char *name;
    PyObject *codes, *strings;
    table_column column = {.kind = CATEGORIES};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "sOO:add_categories", names, &name, &codes, &strings))
        return NULL;
    if (core_array_view(state, codes, SL_COLUMN_UINT32, "codes", &column.view) == 0) {
        if (take_strings(state, strings, &column) == 0) return add_column((core_table *)self, &column, name);
    } else {
        column.view.obj = NULL;
    }
    column_free(&column);
    return NULL;
}

/* What the column of kinds beside a column of keys is called, or NULL and an error. */
static char *kind_name_of(const core_state *state, const char *name) {
    static const char ending[] = "_kind";
    size_t length = strlen(name);
    char *made = core_allocate(state, length + sizeof ending, 1, "the name of a column");
    if (!made) return NULL;
    memcpy(made, name, length);
    memcpy(made + length, ending, sizeof ending);
    return made;
}

static PyObject *add_records(PyObject *self, PyObject *arguments, PyObject *keywords, column_kind kind,
                             const char *format) {
    static char *names[] = {"name", "context", "records", NULL};
    core_state *state = core_state_of(self);
    const char *name;
    PyObject *context, *records;
    table_column column = {.kind = kind};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, format, names, &name, state->context_type, &context,
                                     &records))
        return NULL;
    if (core_array_view(state, records, SL_COLUMN_UINT32, "records", &column.view) < 0) return NULL;
    column.context = (core_context *)Py_NewRef(context);
    if (kind == RECORD_KEY_TEXTS && !(column.kind_name = kind_name_of(state, name))) {
        column_free(&column);
        return NULL;
    }
    return add_column((core_table *)self, &column, name);
}

static PyObject *table_add_record_sources(PyObject *self, PyObject *arguments, PyObject *keywords) {
    return add_records(self, arguments, keywords, RECORD_SOURCES, "sO!O:add_record_sources");
}

static PyObject *table_add_record_keys(PyObject *self, PyObject *arguments, PyObject *keywords) {
    return add_records(self, arguments, keywords, RECORD_KEYS, "sO!O:add_record_keys");
}

static PyObject *table_add_record_key_texts(PyObject *self, PyObject *arguments, PyObject *keywords) {
    return add_records(self, arguments, keywords, RECORD_KEY_TEXTS, "sO!O:add_record_key_texts");
}

/* ------------------------------------------------------------------------------------------------------ exporting */

static sl_status build_column(sl_table *table, const table_column *column, sl_error *error) {
    const void *values = column_values(column);
    switch (column->kind) {
    case NUMBERS: return sl_table_add_numbers(table, column->name, column->type, values, error);
    case BINARY: return sl_table_add_binary(table, column->name, column->width, values, error);
    case LISTS: return sl_table_add_lists(table, column->name, column->width, values, error);
    case CATEGORIES:
        return sl_table_add_categories(table, column->name, values, column->texts, column->num_strings, error);
    case RECORD_SOURCES:
        return sl_table_add_record_sources(table, column->name, column->context->context, values, error);
    case RECORD_KEY_TEXTS:
        return sl_table_add_record_key_texts(table, column->name, column->kind_name, column->context->context, values,
                                             error);
    case RECORD_KEYS:
    default: return sl_table_add_record_keys(table, column->name, column->context->context, values, error);
    }
}

/* Without the GIL. */
static sl_status build_stream(const core_table *self, struct ArrowArrayStream *out, sl_error *error) {
    sl_table *table = NULL;
    sl_status status = sl_table_create(self->num_rows, &table, error);
    for (size_t i = 0; status == SL_OK && i < self->count; i++) status = build_column(table, &self->columns[i], error);
    if (status == SL_OK) status = sl_table_export(table, out, error);
    if (status != SL_OK) sl_table_release(table);
    return status;
}

static void capsule_release(PyObject *capsule) {
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (!stream) {
        PyErr_WriteUnraisable(capsule);
        return;
    }
    if (stream->release) stream->release(stream);
    free(stream);
}

PyObject *core_stream_capsule(const core_state *state, struct ArrowArrayStream *stream) {
    struct ArrowArrayStream *moved = core_allocate(state, 1, sizeof *moved, "an Arrow stream");
    if (moved) *moved = *stream;
    PyObject *capsule = moved ? PyCapsule_New(moved, "arrow_array_stream", capsule_release) : NULL;
    if (capsule) return capsule;
    stream->release(stream);
    free(moved);
    return NULL;
}

static PyObject *table_export(PyObject *object, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"requested_schema", NULL};
    core_table *self = (core_table *)object;
    PyObject *requested = Py_None; /* a wish that a producer may leave unfulfilled */
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:__arrow_c_stream__", names, &requested)) return NULL;
    if (core_call_init(&call, core_state_of(object), NULL) < 0) return NULL;
    struct ArrowArrayStream stream = {0};
    self->exports++;
    core_call_leave(&call);
    sl_status status = build_stream(self, &stream, &call.error);
    int failed = core_call_return(&call, status);
    self->exports--;
    if (!failed) return core_stream_capsule(call.state, &stream);
    if (stream.release) stream.release(&stream);
    return NULL;
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef table_methods[] = {
    {"add_numbers", WITH_KEYWORDS(table_add_numbers), METH_VARARGS | METH_KEYWORDS, "Append a column of numbers."},
    {"add_binary", table_add_binary, METH_VARARGS, "Append a column of so many bytes a row."},
    {"add_lists", table_add_lists, METH_VARARGS, "Append a column of lists of so many uint32 a row."},
    {"add_categories", WITH_KEYWORDS(table_add_categories), METH_VARARGS | METH_KEYWORDS,
     "Append a string column: row i is strings[codes[i]]."},
    {"add_record_sources", WITH_KEYWORDS(table_add_record_sources), METH_VARARGS | METH_KEYWORDS,
     "Append the sources of records."},
    {"add_record_keys", WITH_KEYWORDS(table_add_record_keys), METH_VARARGS | METH_KEYWORDS,
     "Append the keys of records."},
    {"add_record_key_texts", WITH_KEYWORDS(table_add_record_key_texts), METH_VARARGS | METH_KEYWORDS,
     "Append the keys of records as text, and which kind each is as <name>_kind."},
    {"__arrow_c_stream__", WITH_KEYWORDS(table_export), METH_VARARGS | METH_KEYWORDS, "The table as an Arrow stream."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_doc, (char *)"Named columns for Arrow, made once, exported as often as wanted."},
    {Py_tp_new, (void *)table_new},
    {Py_tp_dealloc, (void *)table_dealloc},
    {Py_tp_methods, table_methods},
    {0, NULL},
};

PyType_Spec core_table_spec = {
    .name = "starlings._core.Table",
    .basicsize = sizeof(core_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = table_slots,
};
