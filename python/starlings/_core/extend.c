/* extend.c: hierarchies from edges of any form, and from two hierarchies.
 *
 * Pieces of edges are gathered until they are worth a round: then the engine extends the hierarchy so far by them, and they
 * are given back. A round costs O(records + its edges), and a budget that grows with the records keeps the rounds few:
 * memory O(records + batch), time O(edges). Pieces converted from Python objects are seven times as bulky as Arrow's and
 * count that much more. Where all edges are kept, or under constraints, a round costs all edges so far, and they need that
 * memory anyhow: there is one round.
 *
 * If a round fails the context is truncated to where it was at the start; the sources that were met stay. */
#include "buffer_type.h"
#include "edges_input.h"
#include "objects.h"

#include <stdlib.h>
#include <string.h>

#define BUDGET_ROWS UINT64_C(16777216)
#define BUDGET_ROWS_A_RECORD 6
#define CONVERTED_WEIGHT 8

typedef struct pending {
    core_edge_piece *pieces;
    sl_edges *batches;
    size_t count, piece_capacity, batch_capacity;
    uint64_t rows, weight;
    uint64_t first_row; /* of pieces[0], in the input */
} pending;

typedef struct extension {
    core_call *call;
    core_reading reading;
    core_edge_input input;
    sl_build_options options;
    pending pending;
    uint64_t batch_rows;  /* rows of a round; 0: as many as are worth one */
    sl_hierarchy *result; /* of the rounds so far, or a reference to the base */
    bool extended;        /* at least one round was made */
} extension;

static void drop_pieces(pending *p) {
    for (size_t i = 0; i < p->count; i++) core_edge_piece_release(&p->pieces[i]);
    p->first_row += p->rows;
    p->count = 0;
    p->rows = p->weight = 0;
}

/* Take over a piece; it is released in every case. */
static int keep_piece(extension *e, core_edge_piece *piece) {
    pending *p = &e->pending;
    const core_state *state = e->call->state;
    uint64_t length = piece->length;
    bool converted = piece->parts[CORE_LEFT].chunk->converted || piece->parts[CORE_RIGHT].chunk->converted;
    if (core_grow(state, &p->pieces, &p->piece_capacity, p->count + 1, sizeof *p->pieces, "batches of edges") < 0 ||
        core_grow(state, &p->batches, &p->batch_capacity, p->count + 1, sizeof *p->batches, "batches of edges") < 0)
        goto failed;
    sl_edges *edges = &p->batches[p->count];
    if (core_slice_keys(&e->reading, piece->parts[CORE_LEFT], piece->parts[CORE_LEFT_SOURCE], length, &edges->left) <
            0 ||
        core_slice_keys(&e->reading, piece->parts[CORE_RIGHT], piece->parts[CORE_RIGHT_SOURCE], length, &edges->right) <
            0)
        goto failed;
    edges->score = core_slice_column(piece->parts[CORE_SCORE], length);
    p->pieces[p->count++] = *piece;
    p->rows += length;
    p->weight += converted ? length * CONVERTED_WEIGHT : length;
    return 0;
failed:
    core_edge_piece_release(piece);
    return -1;
}

/* One round of all edges there are. */
static bool needs_all(const extension *e) {
    return e->options.keep == SL_KEEP_ALL || (e->result && sl_hierarchy_constraints(e->result, NULL));
}

static bool is_worth_a_round(const extension *e) {
    if (needs_all(e)) return false;
    if (e->batch_rows) return e->pending.rows >= e->batch_rows;
    uint64_t budget = BUDGET_ROWS_A_RECORD * (uint64_t)sl_context_num_records(e->reading.context);
    return e->pending.weight >= (budget > BUDGET_ROWS ? budget : BUDGET_ROWS);
}

/* Extend the result by what is pending. */
static int make_round(extension *e) {
    sl_hierarchy *extended = NULL;
    core_call *call = e->call;
    e->options.first_row = e->pending.first_row;
    call->context = e->reading.context;
    core_call_leave(call);
    sl_status status = sl_hierarchy_extend(e->reading.context, e->result, e->pending.batches, e->pending.count,
                                           &e->options, &extended, &call->error);
    int failed = core_call_return(call, status);
    call->context = NULL;
    drop_pieces(&e->pending);
    if (failed) {
        sl_hierarchy_release(extended);
        return -1;
    }
    sl_hierarchy_release(e->result);
    e->result = extended;
    e->extended = true;
    return 0;
}

/* The first rows of a piece as a piece of their own; the piece keeps the others. */
static core_edge_piece split_off(core_edge_piece *piece, uint64_t rows) {
    core_edge_piece first = *piece;
    first.length = rows;
    piece->length -= rows;
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        if (!piece->parts[part].chunk) continue;
        piece->parts[part].chunk->references++;
        piece->parts[part].offset += rows;
    }
    return first;
}

/* Take over a piece, and make the rounds that are due. */
static int take_piece(extension *e, core_edge_piece *piece) {
    bool is_divided = e->batch_rows && !needs_all(e);
    while (is_divided && piece->length > e->batch_rows - e->pending.rows) {
        core_edge_piece first = split_off(piece, e->batch_rows - e->pending.rows);
        if (keep_piece(e, &first) == 0 && make_round(e) == 0) continue;
        core_edge_piece_release(piece);
        return -1;
    }
    if (keep_piece(e, piece) < 0) return -1;
    return is_worth_a_round(e) ? make_round(e) : 0;
}

/* Rows of what is read next count on from those of this one. */
static int read_edges(extension *e, PyObject *edges, PyObject *columns) {
    core_edge_piece piece;
    int failed = core_edges_open(&e->reading, edges, columns, &e->input), got = 1;
    while (!failed && got > 0) {
        got = e->input.next(&e->input, &piece);
        failed = got < 0 || (got > 0 && take_piece(e, &piece) < 0) ? -1 : 0;
    }
    e->reading.first_row = e->input.row;
    core_edges_close(&e->input);
    return failed;
}

/* `tables`: any iterable of (edges, columns). */
static int read_tables(extension *e, PyObject *tables) {
    PyObject *iterator = PyObject_GetIter(tables), *pair = NULL;
    int failed = iterator ? 0 : -1;
    while (!failed && (pair = PyIter_Next(iterator))) {
        if (PyTuple_Check(pair) && PyTuple_Size(pair) == 2)
            failed = read_edges(e, PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1));
        else
            failed = core_raise(e->call->state, SL_ERROR_INVALID_ARGUMENT, "tables must give (edges, columns)");
        Py_DECREF(pair);
    }
    Py_XDECREF(iterator);
    return failed || PyErr_Occurred() ? -1 : 0;
}

static int run(extension *e, PyObject *edges, PyObject *columns, bool are_tables) {
    uint32_t before = sl_context_num_records(e->reading.context);
    int failed = are_tables ? read_tables(e, edges) : read_edges(e, edges, columns);
    if (!failed && (e->pending.count || !e->extended)) failed = make_round(e);
    drop_pieces(&e->pending);
    core_reading_close(&e->reading);
    free(e->pending.pieces);
    free(e->pending.batches);
    if (failed) core_context_roll_back(e->reading.context, before);
    return failed;
}

static int set_decimals(const core_state *state, int decimals, sl_build_options *options) {
    if (decimals < 0 || decimals > 6)
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "decimals must be 1 to 6, or 0 for exact scores, not %d",
                          decimals);
    options->exact = decimals == 0;
    options->decimals = (uint32_t)decimals;
    return 0;
}

PyObject *core_extend(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context",  "base",       "edges",  "columns", "source", "decimals", "known_records_only",
                            "progress", "batch_rows", "tables", "scale",   "keep",   NULL};
    core_state *state = PyModule_GetState(module);
    PyObject *context, *base, *edges, *columns = Py_None, *source = NULL, *callback = Py_None, *scale = NULL;
    const char *keep = "nothing";
    int decimals = 6, known_records_only = 0, tables = 0;
    uint32_t batch_rows = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!OO|$OUipOO&pOs:extend", names, state->context_type,
                                     &context, &base, &edges, &columns, &source, &decimals, &known_records_only,
                                     &callback, core_uint32_argument, &batch_rows, &tables, &scale, &keep))
        return NULL;
    if (base != Py_None && !Py_IS_TYPE(base, state->hierarchy_type)) {
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "base must be a Hierarchy or None");
        return NULL;
    }
    core_call call;
    extension e = {.call = &call,
                   .options = {.known_records_only = known_records_only != 0, .progress = &call.progress},
                   .batch_rows = batch_rows};
    if (core_call_init(&call, state, callback) < 0 || set_decimals(state, decimals, &e.options) < 0 ||
        core_read_scale(state, scale, &e.options.scale) < 0 || core_read_keep(state, keep, &e.options.keep) < 0)
        return NULL;
    if (core_call_check(&call, ((core_context *)context)->context) < 0) return NULL;
    PyObject *own_source = source ? Py_NewRef(source) : PyUnicode_FromString("default");
    if (!own_source) return NULL;
    core_reading_init(&e.reading, &call, ((core_context *)context)->context, own_source);
    e.reading.weights = e.options.scale == SL_SCALE_WEIGHT;
    if (base != Py_None) e.result = sl_hierarchy_retain(((core_hierarchy *)base)->hierarchy);
    int failed = run(&e, edges, columns, tables != 0);
    Py_DECREF(own_source);
    if (!failed) return core_hierarchy_take(state, e.result);
    sl_hierarchy_release(e.result);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------- merging */

static PyObject *merge(core_call *call, core_hierarchy *base, core_hierarchy *other, const uint32_t *translation,
                       uint32_t num_records) {
    sl_hierarchy *merged = NULL;
    core_call_leave(call);
    sl_status status = sl_hierarchy_merge(base->hierarchy, other->hierarchy, translation, num_records, &call->progress,
                                          &merged, &call->error);
    if (core_call_return(call, status) == 0) return core_hierarchy_take(call->state, merged);
    sl_hierarchy_release(merged);
    return NULL;
}

PyObject *core_merge(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"base", "other", "translation", "num_records", "progress", NULL};
    core_state *state = PyModule_GetState(module);
    core_hierarchy *base, *other;
    PyObject *translation, *callback = Py_None, *merged = NULL;
    uint32_t num_records;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O!OO&|O:merge", names, state->hierarchy_type, &base,
                                     state->hierarchy_type, &other, &translation, core_uint32_argument, &num_records,
                                     &callback))
        return NULL;
    core_call call;
    if (core_call_init(&call, state, callback) < 0) return NULL;
    if (translation == Py_None) return merge(&call, base, other, NULL, num_records);
    Py_buffer view;
    if (core_array_view(state, translation, SL_COLUMN_UINT32, "translation", &view) < 0) return NULL;
    if (core_array_length(&view) == sl_hierarchy_num_records(other->hierarchy))
        merged = merge(&call, base, other, view.buf, num_records);
    else
        core_raise(state, SL_ERROR_INVALID_ARGUMENT,
                   "translation must have one value for each of the %u records of other",
                   (unsigned)sl_hierarchy_num_records(other->hierarchy));
    PyBuffer_Release(&view);
    return merged;
}
