/* column_objects.c: chunks, and chunks made from Python objects. See columns.h.
 *
 * Keys become an array of sl_key with their bytes in the chunk's arena, scores an array of double. Ids of sources are kept
 * per row from the first (source, key) tuple on; a chunk of bare keys has none. */
#include "columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

core_chunk *core_chunk_new(const core_state *state) {
    core_chunk *chunk = calloc(1, sizeof *chunk);
    if (!chunk) {
        core_raise_memory(state, "a column");
        return NULL;
    }
    chunk->references = 1;
    return chunk;
}

void core_chunk_release(core_chunk *chunk) {
    if (!chunk || --chunk->references) return;
    if (chunk->view.obj) PyBuffer_Release(&chunk->view);
    if (chunk->array.release) chunk->array.release(&chunk->array);
    core_arena_free(&chunk->arena);
    free(chunk->memory);
    free(chunk->sources);
    free(chunk);
}

/* -------------------------------------------------------------------------------------------------- columns of no keys */

static bool is_present(const sl_column *column, uint64_t row) {
    uint64_t bit = column->offset + row;
    return !column->validity || (column->validity[bit >> 3] >> (bit & 7) & 1);
}

/* NaN is what pandas writes for a missing value. */
static bool is_nan(const sl_column *column, uint64_t row) {
    uint64_t at = column->offset + row;
    if (column->type == SL_COLUMN_FLOAT32) return isnan(((const float *)column->values)[at]);
    return column->type == SL_COLUMN_FLOAT64 && isnan(((const double *)column->values)[at]);
}

static int refuse_numbers(const core_state *state, const sl_column *column, const core_place *place) {
    uint64_t missing = 0;
    bool is_decimal = column->type == SL_COLUMN_DECIMAL128;
    while (missing < column->length && is_present(column, missing) && !is_nan(column, missing)) missing++;
    bool is_missing = missing < column->length;
    uint64_t row = place->row + (is_missing ? missing : 0);
    if (is_decimal)
        return core_raise_row(state, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                              "row %llu: the %s is %s; keys are ints, strings or bytes: cast the column to ints or "
                              "strings",
                              (unsigned long long)row, place->what, is_missing ? "null, among decimals" : "a decimal");
    return core_raise_row(state, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                          "row %llu: the %s is %s; keys are ints, strings or bytes. In pandas a missing value turns a "
                          "column of ints into floats: drop those rows or use astype('Int64')%s",
                          (unsigned long long)row, place->what, is_missing ? "missing, among floats" : "a float",
                          is_missing ? "" : ", or cast the column to ints or strings");
}

int core_chunk_check_keys(const core_state *state, const core_chunk *chunk, const core_place *place) {
    const sl_column *column = &chunk->column;
    sl_column_type type = column->dictionary ? column->dictionary->type : column->type;
    bool is_float = type == SL_COLUMN_FLOAT32 || type == SL_COLUMN_FLOAT64;
    if (!column->length || (!is_float && type != SL_COLUMN_DECIMAL128)) return 0;
    sl_column judged =
        *column; /* the types of a dictionary's codes and values differ: its rows have no value to look at */
    if (column->dictionary) judged.type = type == SL_COLUMN_DECIMAL128 ? type : SL_COLUMN_NULL;
    return refuse_numbers(state, &judged, place);
}

/* ------------------------------------------------------------------------------------------------------------ slices */

sl_column core_slice_column(core_slice slice, uint64_t length) {
    sl_column column = slice.chunk->column;
    column.offset += slice.offset;
    column.length = length;
    return column;
}

int core_slice_keys(core_reading *reading, core_slice keys, core_slice sources, uint64_t length, sl_key_column *out) {
    *out = (sl_key_column){.keys = core_slice_column(keys, length)};
    if (sources.chunk) {
        if (keys.chunk->sources)
            return core_raise(reading->call->state, SL_ERROR_INVALID_ARGUMENT,
                              "keys given as (source, key) tuples cannot have a source column as well");
        out->sources = sources.chunk->sources + sources.offset;
        return 0;
    }
    if (keys.chunk->sources) {
        out->sources = keys.chunk->sources + keys.offset;
        return 0;
    }
    static const core_place place = {"source", CORE_NO_ROW};
    return core_source_id(reading, &place, NULL, &out->source);
}

int core_chunk_names_to_ids(core_reading *reading, core_chunk *chunk, uint64_t first_row) {
    if (chunk->sources) return 0;
    core_call *call = reading->call;
    chunk->sources = core_allocate(call->state, chunk->column.length, sizeof *chunk->sources, "a batch of sources");
    if (!chunk->sources) return -1;
    core_call_leave(call);
    sl_status status = sl_context_add_sources(reading->context, &chunk->column, chunk->sources, &call->error);
    return core_call_return_rows(call, status, first_row);
}

core_chunk *core_chunk_for_objects(const core_state *state, core_role role, size_t rows) {
    static const size_t sizes[] = {[CORE_KEYS] = sizeof(sl_key), [CORE_SCORES] = sizeof(double), [CORE_SOURCES] = 1};
    core_chunk *chunk = core_chunk_new(state);
    if (!chunk) return NULL;
    chunk->converted = true;
    chunk->capacity = rows;
    chunk->column.type = role == CORE_KEYS ? SL_COLUMN_KEYS : SL_COLUMN_FLOAT64;
    chunk->memory = core_allocate(state, rows, sizes[role], "a batch of rows");
    if (role == CORE_SOURCES && chunk->memory)
        chunk->sources = core_allocate(state, rows, sizeof *chunk->sources, "a batch of sources");
    if (PyErr_Occurred()) {
        core_chunk_release(chunk);
        return NULL;
    }
    chunk->column.values = chunk->memory;
    return chunk;
}

/* The first named source of a chunk: all keys before it are of the reading's own. */
static int begin_sources(core_reading *reading, core_chunk *chunk, size_t index) {
    static const core_place place = {"source", CORE_NO_ROW};
    uint16_t own = 0;
    if (index && core_source_id(reading, &place, NULL, &own) < 0) return -1;
    chunk->sources = core_allocate(reading->call->state, chunk->capacity, sizeof *chunk->sources, "a batch of sources");
    if (!chunk->sources) return -1;
    for (size_t i = 0; i < index; i++) chunk->sources[i] = own;
    return 0;
}

static int put_key(core_reading *reading, core_chunk *chunk, const core_place *place, size_t index, PyObject *object) {
    PyObject *name, *bare;
    sl_key *slot = (sl_key *)chunk->memory + index;
    if (core_key_split(reading, place, object, &name, &bare) < 0) return -1;
    if (core_key_bare(reading, place, bare, &chunk->arena, slot) < 0) return -1;
    if (name && !chunk->sources && begin_sources(reading, chunk, index) < 0) return -1;
    return chunk->sources ? core_source_id(reading, place, name, &chunk->sources[index]) : 0;
}

int core_chunk_put(core_reading *reading, core_chunk *chunk, core_role role, const core_place *place, size_t index,
                   PyObject *object) {
    int failed;
    switch (role) {
    case CORE_KEYS: failed = put_key(reading, chunk, place, index, object); break;
    case CORE_SCORES: failed = core_score_read(reading, place, object, (double *)chunk->memory + index); break;
    case CORE_SOURCES:
    default: failed = core_source_id(reading, place, object, &chunk->sources[index]); break;
    }
    if (!failed) chunk->column.length = index + 1;
    return failed;
}
