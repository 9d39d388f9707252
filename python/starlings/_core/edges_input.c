/* edges_input.c: which form of edges a Python object is, and which of its columns are what. See edges_input.h.
 *
 *     Arrow stream or array of structs            columns by name, batch by batch        edges_struct.c
 *     DataFrame without Arrow, dict of columns    columns by name                        edges_columns.c
 *     tuple of three columns                      in the order left, right, score        edges_columns.c
 *     any other iterable                          rows (left, right, score)              edges_rows.c
 *
 * A tuple of three tuples is three rows; a tuple of three of anything else (arrays, Series, lists) is three columns. */
#include "edges_input.h"

#include <string.h>

const char *const core_edge_part_names[CORE_EDGE_PARTS] = {"left key", "right key", "score", "left source",
                                                           "right source"};
const core_role core_edge_part_roles[CORE_EDGE_PARTS] = {CORE_KEYS, CORE_KEYS, CORE_SCORES, CORE_SOURCES, CORE_SOURCES};

void core_edge_piece_release(core_edge_piece *piece) {
    for (int part = 0; part < CORE_EDGE_PARTS; part++) core_chunk_release(piece->parts[part].chunk);
    memset(piece, 0, sizeof *piece);
}

/* -------------------------------------------------------------------------------------------------- names of columns */

#define NUM_CONVENTIONS 2
static const char *const conventions[2][NUM_CONVENTIONS][CORE_EDGE_PARTS] = {
    /* scores are probabilities */
    {{"left", "right", "score", "left_source", "right_source"},
     {"unique_id_l", "unique_id_r", "match_probability", "source_dataset_l", "source_dataset_r"}},
    /* scores are weights */
    {{"left", "right", "score", "left_source", "right_source"},
     {"unique_id_l", "unique_id_r", "match_weight", "source_dataset_l", "source_dataset_r"}},
};

/* Index of a name in a list of str, -1 if it is not there. */
static int index_of(PyObject *names, const char *name) {
    Py_ssize_t count = PyList_Size(names);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *candidate = PyList_GetItem(names, i);
        if (PyUnicode_Check(candidate) && PyUnicode_CompareWithASCIIString(candidate, name) == 0) return (int)i;
    }
    return -1;
}

/* pandas exports an index that is no range as columns of this name. */
static bool is_index_column(PyObject *name) {
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    if (!text) PyErr_Clear();
    return text && strncmp(text, "__index_level_", strlen("__index_level_")) == 0;
}

static int columns_not_found(const core_state *state, PyObject *names) {
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT,
                      "cannot tell which columns hold the edges; found %R. Rename them to left, right and score (and "
                      "left_source, right_source), or name them with left=, right=, score=, left_source= and "
                      "right_source=",
                      names);
}

static int no_such_column(const core_state *state, PyObject *names, PyObject *name, int part) {
    const char *hint = part > CORE_SCORE
                           ? "; left_source= and right_source= name columns, for one source of all rows use source="
                           : "";
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "there is no column %R for the %s; the columns are %R%s", name,
                      core_edge_part_names[part], names, hint);
}

/* Fill in the parts that the caller named. */
static int choose_named(const core_state *state, PyObject *names, PyObject *columns, int chosen[CORE_EDGE_PARTS]) {
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        PyObject *name = PyTuple_GetItem(columns, part);
        if (!name) return -1;
        if (name == Py_None) continue;
        Py_ssize_t count = PyList_Size(names);
        for (Py_ssize_t i = 0; i < count && chosen[part] < 0; i++) {
            int equal = PyObject_RichCompareBool(PyList_GetItem(names, i), name, Py_EQ);
            if (equal < 0) return -1;
            if (equal) chosen[part] = (int)i;
        }
        if (chosen[part] < 0) return no_such_column(state, names, name, part);
        for (int earlier = 0; earlier < part && part <= CORE_SCORE; earlier++)
            if (chosen[earlier] == chosen[part])
                return core_raise(state, SL_ERROR_INVALID_ARGUMENT,
                                  "the column %R is named twice, for the %s and for the %s; name different columns",
                                  name, core_edge_part_names[earlier], core_edge_part_names[part]);
    }
    return 0;
}

/* Fill in what is missing by a convention; false, and nothing changed, if a needed column is not there. */
static bool choose_by_convention(PyObject *names, const char *const convention[CORE_EDGE_PARTS],
                                 int chosen[CORE_EDGE_PARTS]) {
    int found[CORE_EDGE_PARTS];
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        found[part] = chosen[part] >= 0 ? chosen[part] : index_of(names, convention[part]);
        if (found[part] < 0 && part <= CORE_SCORE) return false;
    }
    memcpy(chosen, found, sizeof found);
    return true;
}

/* Exactly three columns are taken in order. */
static bool choose_in_order(PyObject *names, int chosen[CORE_EDGE_PARTS]) {
    int part = 0;
    Py_ssize_t count = PyList_Size(names);
    int found[CORE_SCORE + 1];
    for (Py_ssize_t i = 0; i < count; i++) {
        if (is_index_column(PyList_GetItem(names, i))) continue;
        if (part > CORE_SCORE) return false;
        found[part++] = (int)i;
    }
    if (part <= CORE_SCORE) return false;
    memcpy(chosen, found, sizeof found);
    return true;
}

int core_edges_choose_columns(const core_reading *reading, PyObject *names, PyObject *columns,
                              int chosen[CORE_EDGE_PARTS]) {
    const core_state *state = reading->call->state;
    for (int part = 0; part < CORE_EDGE_PARTS; part++) chosen[part] = -1;
    if (columns != Py_None && choose_named(state, names, columns, chosen) < 0) return -1;
    if (chosen[CORE_LEFT] >= 0 && chosen[CORE_RIGHT] >= 0 && chosen[CORE_SCORE] >= 0) return 0;
    for (int i = 0; i < NUM_CONVENTIONS; i++)
        if (choose_by_convention(names, conventions[reading->weights][i], chosen)) return 0;
    bool none_named = chosen[CORE_LEFT] < 0 && chosen[CORE_RIGHT] < 0 && chosen[CORE_SCORE] < 0;
    if (none_named && choose_in_order(names, chosen)) return 0;
    return columns_not_found(state, names);
}

/* --------------------------------------------------------------------------------------------------------- the form */

static int open_parts(core_edge_input *input, PyObject *table, PyObject *names, PyObject *columns) {
    int chosen[CORE_EDGE_PARTS];
    PyObject *parts[CORE_EDGE_PARTS] = {NULL};
    int failed = core_edges_choose_columns(input->reading, names, columns, chosen);
    for (int part = 0; !failed && part < CORE_EDGE_PARTS; part++) {
        if (chosen[part] < 0) continue;
        parts[part] = PyObject_GetItem(table, PyList_GetItem(names, chosen[part]));
        failed = parts[part] ? 0 : -1;
    }
    if (!failed) failed = core_edges_open_columns(input, parts);
    for (int part = 0; part < CORE_EDGE_PARTS; part++) Py_XDECREF(parts[part]);
    return failed;
}

/* A DataFrame or a dict: columns by name. `labels` gives its column names. */
static int open_table(core_edge_input *input, PyObject *table, PyObject *columns) {
    PyObject *labels = PyDict_Check(table) ? Py_NewRef(table) : PyObject_GetAttrString(table, "columns");
    PyObject *names = labels ? PySequence_List(labels) : NULL;
    Py_XDECREF(labels);
    if (!names) return -1;
    int failed = open_parts(input, table, names, columns);
    Py_DECREF(names);
    return failed;
}

static bool is_three_columns(PyObject *edges) {
    if (!PyTuple_Check(edges) || PyTuple_Size(edges) != 3) return false;
    for (Py_ssize_t i = 0; i < 3; i++)
        if (!PyTuple_Check(PyTuple_GetItem(edges, i))) return true;
    return false;
}

static int open_tuple(core_edge_input *input, PyObject *edges) {
    PyObject *parts[CORE_EDGE_PARTS] = {PyTuple_GetItem(edges, 0), PyTuple_GetItem(edges, 1), PyTuple_GetItem(edges, 2),
                                        NULL, NULL};
    return core_edges_open_columns(input, parts);
}

static int check_columns(const core_state *state, PyObject *columns) {
    if (columns == Py_None || (PyTuple_Check(columns) && PyTuple_Size(columns) == CORE_EDGE_PARTS)) return 0;
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT,
                      "columns must be None or the names of left, right, score, left_source and right_source");
}

/* Rows and tuples of columns go by position. */
static int check_nothing_named(const core_state *state, PyObject *columns) {
    for (Py_ssize_t part = 0; columns != Py_None && part < CORE_EDGE_PARTS; part++) {
        PyObject *name = PyTuple_GetItem(columns, part);
        if (!name) return -1;
        if (name != Py_None)
            return core_raise(state, SL_ERROR_INVALID_ARGUMENT,
                              "these edges have no named columns, so no column %R; they are (left, right, score) in "
                              "this order. Name columns of tables only",
                              name);
    }
    return 0;
}

static int open_any(core_edge_input *input, PyObject *edges, PyObject *columns) {
    core_call *call = input->reading->call;
    if (core_is_arrow(edges)) {
        int opened = core_arrow_open(call, edges, core_is_table(edges), &input->arrow);
        if (opened > 0) return core_edges_open_struct(input, columns);
        if (opened < 0) return -1;
    }
    if (core_is_table(edges)) return open_table(input, edges, columns);
    if (check_nothing_named(call->state, columns) < 0) return -1;
    if (is_three_columns(edges)) return open_tuple(input, edges);
    return core_edges_open_rows(input, edges);
}

int core_edges_open(core_reading *reading, PyObject *edges, PyObject *columns, core_edge_input *out) {
    memset(out, 0, sizeof *out);
    out->reading = reading;
    out->row = reading->first_row;
    if (check_columns(reading->call->state, columns) < 0) return -1;
    return open_any(out, edges, columns);
}

void core_edges_close(core_edge_input *input) {
    core_arrow_close(&input->arrow);
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        if (input->columns[part].reading) core_column_close(&input->columns[part]);
        core_chunk_release(input->current[part].chunk);
        input->current[part].chunk = NULL;
    }
    Py_CLEAR(input->iterator);
}
