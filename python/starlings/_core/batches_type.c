/* batches_type.c: the Batches type. See batches_type.h.
 *
 * An object with the Arrow PyCapsule interface is read once, and handed out again as often as wanted; nothing is copied.
 * Arrow's structs are released without the GIL: their owners take it where they need it. */
#include "batches_type.h"
#include "buffer_type.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------------------------- reading */

/* A core_arrow as the stream that it is or that its one array makes. */
static int arrow_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    core_arrow *arrow = stream->private_data;
    *out = arrow->schema;
    arrow->schema.release = NULL;
    return 0;
}

static int arrow_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    core_arrow *arrow = stream->private_data;
    if (arrow->stream.release) return arrow->stream.get_next(&arrow->stream, out);
    *out = arrow->single;
    arrow->single.release = NULL;
    return 0;
}

static const char *arrow_get_last_error(struct ArrowArrayStream *stream) {
    core_arrow *arrow = stream->private_data;
    bool can_tell = arrow->stream.release && arrow->stream.get_last_error;
    return can_tell ? arrow->stream.get_last_error(&arrow->stream) : NULL;
}

static void arrow_release(struct ArrowArrayStream *stream) {
    core_arrow_close(stream->private_data);
    stream->release = NULL;
}

PyObject *core_batches_take(core_state *state, sl_batches *batches) {
    core_batches *self = (core_batches *)core_object_new(state->batches_type, sizeof *self);
    if (!self) {
        sl_batches_release(batches);
        return NULL;
    }
    self->batches = batches;
    self->num_rows = sl_batches_num_rows(batches);
    return (PyObject *)self;
}

static PyObject *read_batches(core_call *call, struct ArrowArrayStream *stream) {
    sl_batches *batches = NULL;
    core_call_leave(call);
    sl_status status = sl_batches_from_stream(stream, &batches, &call->error);
    if (core_call_return(call, status) == 0) return core_batches_take(call->state, batches);
    sl_batches_release(batches);
    return NULL;
}

struct ArrowArrayStream core_arrow_stream(core_arrow *arrow) {
    return (struct ArrowArrayStream){arrow_get_schema, arrow_get_next, arrow_get_last_error, arrow_release, arrow};
}

PyObject *core_batches_read(core_call *call, core_arrow *arrow) {
    struct ArrowArrayStream stream = core_arrow_stream(arrow);
    return read_batches(call, &stream);
}

static PyObject *batches_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"data", NULL};
    core_state *state = PyType_GetModuleState(type);
    PyObject *data;
    core_call call;
    core_arrow arrow;
    if (!state || !PyArg_ParseTupleAndKeywords(arguments, keywords, "O:Batches", names, &data)) return NULL;
    if (core_call_init(&call, state, NULL) < 0) return NULL;
    if (!core_is_arrow(data)) {
        PyErr_SetString(PyExc_TypeError, "no Arrow data");
        return NULL;
    }
    if (core_arrow_open(&call, data, false, &arrow) < 0) return NULL;
    if (core_arrow_is_struct(&arrow)) return core_batches_read(&call, &arrow);
    core_arrow_close(&arrow);
    PyErr_SetString(PyExc_TypeError, "Arrow data of one column");
    return NULL;
}

static void batches_dealloc(PyObject *object) {
    core_batches *self = (core_batches *)object;
    PyThreadState *thread = PyEval_SaveThread();
    sl_batches_release(self->batches);
    PyEval_RestoreThread(thread);
    free(self->rows);
    core_object_free(object);
}

/* -------------------------------------------------------------------------------------------------------- looking */

static PyObject *get_num_rows(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(((core_batches *)self)->num_rows);
}

static PyObject *get_column_names(PyObject *self, void *closure) {
    (void)closure;
    const core_arrow arrow = {.schema = *sl_batches_schema(((core_batches *)self)->batches)};
    return core_arrow_field_names(&arrow);
}

/* The rows as numbers in the engine's batches. */
static int choose_rows(core_call *call, const core_batches *self, const uint64_t *rows, uint64_t count,
                       core_batches *chosen) {
    chosen->rows = core_allocate(call->state, count, sizeof *chosen->rows, "rows");
    if (!chosen->rows) return -1;
    chosen->num_rows = count;
    for (uint64_t i = 0; i < count; i++) {
        if (rows[i] >= self->num_rows)
            return core_raise_row(call->state, SL_ERROR_INVALID_ARGUMENT, (int64_t)i, -1,
                                  "there is no row %llu: the batches have %llu rows", (unsigned long long)rows[i],
                                  (unsigned long long)self->num_rows);
        chosen->rows[i] = self->rows ? self->rows[rows[i]] : rows[i];
    }
    return 0;
}

static PyObject *batches_rows(PyObject *object, PyObject *indices) {
    core_batches *self = (core_batches *)object;
    core_call call;
    Py_buffer view;
    if (core_call_init(&call, core_state_of(object), NULL) < 0) return NULL;
    if (core_array_view(call.state, indices, SL_COLUMN_UINT64, "rows", &view) < 0) return NULL;
    PyObject *chosen = core_batches_take(call.state, sl_batches_retain(self->batches));
    if (chosen && choose_rows(&call, self, view.buf, core_array_length(&view), (core_batches *)chosen) < 0)
        Py_CLEAR(chosen);
    PyBuffer_Release(&view);
    return chosen;
}

static PyObject *batches_export(PyObject *object, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"requested_schema", NULL};
    core_batches *self = (core_batches *)object;
    PyObject *requested = Py_None; /* a wish that a producer may leave unfulfilled */
    struct ArrowArrayStream stream;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:__arrow_c_stream__", names, &requested)) return NULL;
    if (core_call_init(&call, core_state_of(object), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_batches_export(self->batches, self->rows, self->num_rows, &stream, &call.error);
    if (core_call_return(&call, status) == 0) return core_stream_capsule(call.state, &stream);
    if (stream.release) stream.release(&stream);
    return NULL;
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef batches_methods[] = {
    {"rows", batches_rows, METH_O, "These rows (uint64) in this order, sharing all memory."},
    {"column", core_batches_column, METH_O, "The values of a column of a plain type, or None."},
    {"numbers", core_batches_numbers, METH_O, "Bytes and type of a column of numbers, or None."},
    {"texts", core_batches_texts, METH_O, "Codes and strings of a column of text, or None."},
    {"__arrow_c_stream__", WITH_KEYWORDS(batches_export), METH_VARARGS | METH_KEYWORDS, "The rows as an Arrow stream."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef batches_getset[] = {
    {"num_rows", get_num_rows, NULL, "Number of rows.", NULL},
    {"column_names", get_column_names, NULL, "Names of the columns.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot batches_slots[] = {
    {Py_tp_doc, (char *)"Arrow batches as they came in, or some rows of them."},
    {Py_tp_new, (void *)batches_new},
    {Py_tp_dealloc, (void *)batches_dealloc},
    {Py_tp_methods, batches_methods},
    {Py_tp_getset, batches_getset},
    {0, NULL},
};

PyType_Spec core_batches_spec = {
    .name = "starlings._core.Batches",
    .basicsize = sizeof(core_batches),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = batches_slots,
};

/* --------------------------------------------------------------------------------------------- one after another */

static bool same_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }

/* Names and types; metadata may differ. */
static bool same_schema(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    if (!a || !b) return a == b;
    if (!same_text(a->format, b->format) || !same_text(a->name, b->name) || a->flags != b->flags ||
        a->n_children != b->n_children || !same_schema(a->dictionary, b->dictionary))
        return false;
    for (int64_t i = 0; i < a->n_children; i++)
        if (!same_schema(a->children[i], b->children[i])) return false;
    return true;
}

/* Streams that are read one after another. */
typedef struct chain {
    struct ArrowArrayStream *streams;
    size_t count, next;
} chain;

static int chain_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    struct ArrowArrayStream *first = ((chain *)stream->private_data)->streams;
    return first->get_schema(first, out);
}

static int chain_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    chain *c = stream->private_data;
    for (;; c->next++) {
        struct ArrowArrayStream *part = &c->streams[c->next];
        int code = part->get_next(part, out);
        if (code || out->release || c->next + 1 == c->count) return code;
    }
}

static const char *chain_get_last_error(struct ArrowArrayStream *stream) {
    chain *c = stream->private_data;
    return c->streams[c->next].get_last_error(&c->streams[c->next]);
}

static void chain_release(struct ArrowArrayStream *stream) {
    chain *c = stream->private_data;
    for (size_t i = 0; i < c->count; i++)
        if (c->streams[i].release) c->streams[i].release(&c->streams[i]);
    stream->release = NULL;
}

/* The part's schema is that of the first, or -2. */
static int add_part(core_call *call, PyObject *parts, Py_ssize_t index, chain *c) {
    const core_batches *first = (core_batches *)PyTuple_GetItem(parts, 0);
    const core_batches *part = (core_batches *)PyTuple_GetItem(parts, index);
    if (!Py_IS_TYPE((PyObject *)part, call->state->batches_type)) {
        PyErr_SetString(PyExc_TypeError, "parts must be Batches");
        return -1;
    }
    if (!same_schema(sl_batches_schema(first->batches), sl_batches_schema(part->batches))) return -2;
    struct ArrowArrayStream *stream = &c->streams[c->count++];
    sl_status status = sl_batches_export(part->batches, part->rows, part->num_rows, stream, &call->error);
    return status == SL_OK ? 0 : core_raise_error(call->state, &call->error);
}

PyObject *core_concat_batches(PyObject *module, PyObject *argument) {
    core_call call;
    chain c = {0};
    if (core_call_init(&call, PyModule_GetState(module), NULL) < 0) return NULL;
    PyObject *parts = PySequence_Tuple(argument);
    if (!parts) return NULL;
    Py_ssize_t count = PyTuple_Size(parts);
    c.streams = core_allocate(call.state, (uint64_t)count, sizeof *c.streams, "batches");
    int failed = c.streams ? 0 : -1;
    for (Py_ssize_t i = 0; !failed && i < count; i++) failed = add_part(&call, parts, i, &c);
    struct ArrowArrayStream stream = {chain_get_schema, chain_get_next, chain_get_last_error, chain_release, &c};
    PyObject *joined = NULL;
    if (!failed && count > 0)
        joined = read_batches(&call, &stream);
    else if (failed != -1)
        joined = Py_NewRef(Py_None);
    if (stream.release) stream.release(&stream);
    free(c.streams);
    Py_DECREF(parts);
    return joined;
}
