/* edges_rows.c: edges from any iterable of rows (left, right, score). See edges_input.h.
 *
 * The slow lane: a tuple and three objects a row. Rows are consumed CORE_BATCH_ROWS at a time, so a generator runs in
 * bounded memory. */
#include "edges_input.h"

#include <string.h>

static int bad_row(const core_edge_input *input, uint64_t row, PyObject *object) {
    Py_ssize_t size = PyObject_Size(object);
    if (size < 0) PyErr_Clear();
    const core_state *state = input->reading->call->state;
    char text[CORE_TEXT_SIZE];
    core_type_text(object, text);
    if (size < 0)
        return core_raise_row(state, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                              "row %llu: an edge is (left, right, score), not a %s", (unsigned long long)row, text);
    return core_raise_row(state, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                          "row %llu: an edge is (left, right, score), not a %s of length %zd", (unsigned long long)row,
                          text, size);
}

/* A row as a tuple of three; new reference. */
static PyObject *row_tuple(const core_edge_input *input, uint64_t row, PyObject *object) {
    bool is_row =
        PyTuple_Check(object) || PyList_Check(object) ||
        (PySequence_Check(object) && !PyUnicode_Check(object) && !PyBytes_Check(object) && !PyDict_Check(object));
    if (!is_row) {
        bad_row(input, row, object);
        return NULL;
    }
    PyObject *tuple = PyTuple_Check(object) ? Py_NewRef(object) : PySequence_Tuple(object);
    if (tuple && PyTuple_Size(tuple) == 3) return tuple;
    if (tuple || core_caught(PyExc_TypeError)) bad_row(input, row, object);
    Py_XDECREF(tuple);
    return NULL;
}

static int put_row(core_edge_input *input, core_edge_piece *piece, size_t index, PyObject *object) {
    uint64_t row = input->row + index;
    PyObject *tuple = row_tuple(input, row, object);
    if (!tuple) return -1;
    int failed = 0;
    for (int part = CORE_LEFT; !failed && part <= CORE_SCORE; part++) {
        core_place place = {core_edge_part_names[part], row};
        failed = core_chunk_put(input->reading, piece->parts[part].chunk, core_edge_part_roles[part], &place, index,
                                PyTuple_GetItem(tuple, part));
    }
    Py_DECREF(tuple);
    return failed;
}

static int fill(core_edge_input *input, core_edge_piece *piece) {
    for (size_t i = 0; i < CORE_BATCH_ROWS; i++) {
        if (i % CORE_POLL_ROWS == 0 &&
            core_call_poll(input->reading->call, "reading edges", input->row + i, input->total) < 0)
            return -1;
        PyObject *object = PyIter_Next(input->iterator);
        if (!object) return PyErr_Occurred() ? -1 : 0;
        int failed = put_row(input, piece, i, object);
        Py_DECREF(object);
        if (failed) return -1;
        piece->length = i + 1;
    }
    return 0;
}

static int next_rows(core_edge_input *input, core_edge_piece *out) {
    memset(out, 0, sizeof *out);
    int failed = 0;
    for (int part = CORE_LEFT; !failed && part <= CORE_SCORE; part++) {
        out->parts[part].chunk =
            core_chunk_for_objects(input->reading->call->state, core_edge_part_roles[part], CORE_BATCH_ROWS);
        failed = out->parts[part].chunk ? 0 : -1;
    }
    if (!failed) failed = fill(input, out);
    if (!failed && out->length) {
        input->row += out->length;
        return 1;
    }
    core_edge_piece_release(out);
    return failed;
}

int core_edges_open_rows(core_edge_input *input, PyObject *edges) {
    const core_state *state = input->reading->call->state;
    if (!PyUnicode_Check(edges) && !PyBytes_Check(edges)) input->iterator = PyObject_GetIter(edges);
    if (!input->iterator) {
        if (PyErr_Occurred() && !core_caught(PyExc_TypeError)) return -1;
        char text[CORE_TEXT_SIZE];
        return core_raise(
            state, SL_ERROR_INVALID_ARGUMENT,
            "edges cannot be read from a %s; give Arrow data, a DataFrame, a tuple of three columns or an "
            "iterable of (left, right, score)",
            core_type_text(edges, text));
    }
    Py_ssize_t total = PyObject_Size(edges);
    if (total < 0)
        PyErr_Clear();
    else
        input->total = input->row + (uint64_t)total;
    input->next = next_rows;
    return 0;
}
