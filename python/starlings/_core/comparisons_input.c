/* comparisons_input.c: many comparisons of collections in one call of the engine.
 *
 * A comparison is a tuple (Collection, thresholds, reference Collection or None, reference threshold). The tuples are held while
 * the engine works, and they hold the collections; buffers of thresholds are viewed as long. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>

typedef struct comparisons {
    core_call *call;
    PyObject *rows; /* a tuple of tuples */
    uint64_t count;
    sl_collection_comparison *given;
    Py_buffer *views; /* of thresholds; obj NULL: none */
    sl_curve **curves;
} comparisons;

static int bad_row(const core_state *state, uint64_t row) {
    return core_raise_row(state, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                          "row %llu: a comparison is (Collection, thresholds or None, Collection or None, threshold)",
                          (unsigned long long)row);
}

static int read_thresholds(comparisons *c, uint64_t row, PyObject *thresholds) {
    static const double nothing = 0;
    Py_buffer *view = &c->views[row];
    if (thresholds == Py_None) return 0;
    if (core_array_view(c->call->state, thresholds, SL_COLUMN_FLOAT64, "thresholds", view) < 0) {
        view->obj = NULL;
        return -1;
    }
    c->given[row].thresholds = view->buf ? view->buf : &nothing;
    c->given[row].num_thresholds = core_array_length(view);
    return 0;
}

static int read_row(comparisons *c, uint64_t row) {
    const core_state *state = c->call->state;
    PyObject *tuple = PyTuple_GetItem(c->rows, (Py_ssize_t)row);
    if (!tuple || !PyTuple_Check(tuple) || PyTuple_Size(tuple) != 4) return bad_row(state, row);
    PyObject *judged = PyTuple_GetItem(tuple, 0), *reference = PyTuple_GetItem(tuple, 2);
    if (!Py_IS_TYPE(judged, state->collection_type)) return bad_row(state, row);
    if (reference != Py_None && !Py_IS_TYPE(reference, state->collection_type)) return bad_row(state, row);
    sl_collection_comparison *out = &c->given[row];
    out->collection = ((core_collection *)judged)->collection;
    if (reference != Py_None) out->reference = ((core_collection *)reference)->collection;
    out->reference_threshold = PyFloat_AsDouble(PyTuple_GetItem(tuple, 3));
    if (out->reference_threshold == -1.0 && PyErr_Occurred()) return -1;
    return read_thresholds(c, row, PyTuple_GetItem(tuple, 1));
}

static int read_rows(comparisons *c) {
    c->given = calloc(c->count ? c->count : 1, sizeof *c->given);
    c->views = calloc(c->count ? c->count : 1, sizeof *c->views);
    c->curves = calloc(c->count ? c->count : 1, sizeof *c->curves);
    if (!c->given || !c->views || !c->curves) return core_raise_memory(c->call->state, "comparisons");
    for (uint64_t row = 0; row < c->count; row++)
        if (read_row(c, row) < 0) return -1;
    return 0;
}

static int measure(comparisons *c) {
    core_call *call = c->call;
    core_call_leave(call);
    sl_status status = sl_collections_measure(c->given, c->count, c->curves, &call->progress, &call->error);
    return core_call_return(call, status);
}

/* The curves as a list, which takes them over one by one. */
static PyObject *list_of(comparisons *c) {
    PyObject *list = PyList_New((Py_ssize_t)c->count);
    for (uint64_t row = 0; list && row < c->count; row++) {
        PyObject *curve = core_curve_take(c->call->state, c->curves[row]);
        c->curves[row] = NULL;
        if (curve)
            PyList_SetItem(list, (Py_ssize_t)row, curve);
        else
            Py_CLEAR(list);
    }
    return list;
}

static void close_comparisons(comparisons *c) {
    for (uint64_t row = 0; c->views && row < c->count; row++)
        if (c->views[row].obj) PyBuffer_Release(&c->views[row]);
    for (uint64_t row = 0; c->curves && row < c->count; row++) sl_curve_release(c->curves[row]);
    free(c->given);
    free(c->views);
    free(c->curves);
    Py_XDECREF(c->rows);
}

PyObject *core_curves(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"comparisons", "progress", NULL};
    core_state *state = PyModule_GetState(module);
    PyObject *given, *callback = Py_None, *list = NULL;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|O:curves", names, &given, &callback)) return NULL;
    if (core_call_init(&call, state, callback) < 0) return NULL;
    comparisons c = {.call = &call, .rows = PySequence_Tuple(given)};
    if (!c.rows) return NULL;
    c.count = (uint64_t)PyTuple_Size(c.rows);
    if (read_rows(&c) == 0 && measure(&c) == 0) list = list_of(&c);
    close_comparisons(&c);
    return list;
}
