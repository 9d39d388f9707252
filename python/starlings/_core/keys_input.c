/* keys_input.c: see keys_input.h.
 *
 * Interning ticks in the engine and takes a chunk at a time; finding does not, and takes slices that are done well within
 * 0.2 s. Rows in the engine's errors count from the start of what it was given and are shifted here. */
#include "keys_input.h"

#include "buffer_type.h"

#include <stdlib.h>
#include <string.h>

#define SLICE_ROWS UINT64_C(524288)

/* ------------------------------------------------------------------------------------------- sources nobody knows */

/* Keys of unknown sources are unknown, but have to be keys all the same: they are looked up in an empty context. */
static int find_nowhere(core_call *call, sl_key_column keys, uint32_t *indices, uint64_t row) {
    sl_context *empty = NULL;
    core_call_leave(call);
    sl_status status = sl_context_create(&empty, &call->error);
    keys.sources = NULL;
    if (status == SL_OK) status = sl_context_add_source(empty, "", 0, &keys.source, &call->error);
    if (status == SL_OK) status = sl_context_find(empty, &keys, indices, &call->error);
    sl_context_release(empty);
    return core_call_return_rows(call, status, row);
}

static int find_known(core_reading *reading, const sl_key_column *keys, uint32_t *indices, uint64_t row) {
    core_call *call = reading->call;
    core_call_leave(call);
    sl_status status = sl_context_find(reading->context, keys, indices, &call->error);
    return core_call_return_rows(call, status, row);
}

/* Keys some of whose sources are unknown: these get any known source for the look-up, and no record afterwards. */
static int find_mixed(core_reading *reading, const sl_key_column *keys, uint32_t *indices, uint64_t row) {
    uint64_t count = keys->keys.length;
    uint16_t *known = core_allocate(reading->call->state, count, sizeof *known, "sources");
    if (!known) return -1;
    for (uint64_t i = 0; i < count; i++) known[i] = keys->sources[i] == CORE_NO_SOURCE ? 0 : keys->sources[i];
    sl_key_column replaced = *keys;
    replaced.sources = known;
    int failed = find_known(reading, &replaced, indices, row);
    for (uint64_t i = 0; !failed && i < count; i++)
        if (keys->sources[i] == CORE_NO_SOURCE) indices[i] = SL_NO_RECORD;
    free(known);
    return failed;
}

static int find(core_reading *reading, const sl_key_column *keys, uint32_t *indices, uint64_t row) {
    if (sl_context_num_sources(reading->context) == 0 || (!keys->sources && keys->source == CORE_NO_SOURCE))
        return find_nowhere(reading->call, *keys, indices, row);
    return keys->sources ? find_mixed(reading, keys, indices, row) : find_known(reading, keys, indices, row);
}

/* The key in one row of a column, as a Python object. */
static PyObject *key_in_row(core_call *call, const sl_key_column *keys, uint64_t row) {
    sl_context *scratch = NULL;
    sl_key_column one = *keys;
    sl_record record;
    uint32_t index;
    one.keys.offset += row;
    one.keys.length = 1;
    one.sources = NULL;
    core_call_leave(call);
    sl_status status = sl_context_create(&scratch, &call->error);
    if (status == SL_OK) status = sl_context_add_source(scratch, "", 0, &one.source, &call->error);
    if (status == SL_OK) status = sl_context_intern(scratch, &one, &index, NULL, &call->error);
    int failed = core_call_return(call, status);
    PyObject *key = !failed && sl_context_record(scratch, 0, &record) ? core_key_object(&record.key) : NULL;
    sl_context_release(scratch);
    return key;
}

/* --------------------------------------------------------------------------------------------------------- reading */

static int intern(core_reading *reading, const sl_key_column *keys, uint32_t *indices, uint64_t row) {
    core_call *call = reading->call;
    call->context = reading->context;
    core_call_leave(call);
    sl_status status = sl_context_intern(reading->context, keys, indices, &call->progress, &call->error);
    int failed = core_call_return_rows(call, status, row);
    call->context = NULL;
    return failed;
}

/* Every key of a slice that was looked up must be known. */
static int check_known(core_reading *reading, const sl_key_column *keys, const uint32_t *indices, uint64_t row) {
    uint64_t i = 0, count = keys->keys.length;
    while (i < count && indices[i] != SL_NO_RECORD) i++;
    if (i == count) return 0;
    PyObject *key = key_in_row(reading->call, keys, i);
    if (!key) return -1;
    char text[CORE_TEXT_SIZE];
    core_raise_row(reading->call->state, SL_ERROR_KEY_NOT_FOUND, (int64_t)(row + i), -1,
                   "row %llu: the key %s is not one of the known records; add it to the records or drop the row",
                   (unsigned long long)(row + i), core_value_text(key, text));
    Py_DECREF(key);
    return -1;
}

static int read_slice(core_reading *reading, core_key_mode mode, core_slice slice, uint64_t length, uint64_t row,
                      core_indices *out) {
    static const core_slice no_sources = {NULL, 0};
    sl_key_column keys;
    if (core_slice_keys(reading, slice, no_sources, length, &keys) < 0) return -1;
    uint32_t *indices = out->values + out->count;
    if (mode == CORE_INTERN) return intern(reading, &keys, indices, row);
    if (find(reading, &keys, indices, row) < 0) return -1;
    return mode == CORE_KNOWN ? check_known(reading, &keys, indices, row) : 0;
}

/* A slice over a large dictionary is not worth making: each would look at the whole dictionary. */
static uint64_t slice_rows(core_key_mode mode, const core_chunk *chunk) {
    uint64_t dictionary = chunk->column.dictionary ? chunk->column.dictionary->length * 4 : 0;
    if (mode == CORE_INTERN) return UINT64_MAX;
    return dictionary > SLICE_ROWS ? dictionary : SLICE_ROWS;
}

int core_keys_read_chunk(core_reading *reading, core_key_mode mode, core_chunk *chunk, uint64_t row,
                         core_indices *out) {
    uint64_t rows = slice_rows(mode, chunk), length = chunk->column.length;
    if (core_grow(reading->call->state, &out->values, &out->capacity, out->count + length, sizeof *out->values,
                  "record indices") < 0)
        return -1;
    for (uint64_t first = 0; first < length; first += rows) {
        uint64_t count = length - first < rows ? length - first : rows;
        core_slice slice = {chunk, first};
        if (PyErr_CheckSignals() < 0 || read_slice(reading, mode, slice, count, row + first, out) < 0) return -1;
        out->count += count;
        if (count < rows) break;
    }
    return 0;
}

int core_keys_read(core_reading *reading, core_key_mode mode, const char *what, PyObject *keys, PyObject *field,
                   core_indices *out) {
    core_column_reader reader;
    core_chunk *chunk;
    int got = core_column_open(reading, CORE_KEYS, what, keys, field, &reader);
    while (got >= 0 && (got = core_column_next(&reader, &chunk)) > 0) {
        uint64_t row = reader.row - chunk->column.length;
        got = core_keys_read_chunk(reading, mode, chunk, row, out);
        core_chunk_release(chunk);
    }
    core_column_close(&reader);
    return got;
}

/* --------------------------------------------------------------------------------------------- methods of Context */

/* Read keys in a mode and give the indices as a Buffer. */
static PyObject *indices_of(core_context *self, core_call *call, core_key_mode mode, PyObject *keys, PyObject *source) {
    core_reading reading;
    core_indices indices = {NULL, 0, 0};
    if (core_call_check(call, self->context) < 0) return NULL;
    PyObject *own_source = source ? Py_NewRef(source) : PyUnicode_FromString("default");
    if (!own_source) return NULL;
    core_reading_init(&reading, call, self->context, own_source);
    reading.find_only = mode == CORE_FIND;
    uint32_t before = sl_context_num_records(self->context);
    int failed = core_keys_read(&reading, mode, "key", keys, NULL, &indices);
    core_reading_close(&reading);
    Py_DECREF(own_source);
    if (!failed) return core_buffer_take(call->state, indices.values, indices.count, 'I');
    free(indices.values);
    if (mode != CORE_FIND) core_context_roll_back(self->context, before);
    return NULL;
}

PyObject *core_context_intern(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"keys", "source", "progress", NULL};
    PyObject *keys, *source = NULL, *callback = Py_None;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|UO:intern", names, &keys, &source, &callback)) return NULL;
    if (core_call_init(&call, core_state_of(self), callback) < 0) return NULL;
    return indices_of((core_context *)self, &call, CORE_INTERN, keys, source);
}

PyObject *core_context_find(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"keys", "source", NULL};
    PyObject *keys, *source = NULL;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|U:find", names, &keys, &source)) return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    return indices_of((core_context *)self, &call, CORE_FIND, keys, source);
}

/* ------------------------------------------------------------------------------------------------------ one key */

/* Index of `key` in each source: SL_NO_RECORD, or the only holder among the first `num_records` records. */
static int find_in_any_source(core_reading *reading, PyObject *object, const sl_key *key, uint32_t num_records,
                              uint32_t *out) {
    core_call *call = reading->call;
    uint32_t count = sl_context_num_sources(reading->context), holders = 0;
    *out = SL_NO_RECORD;
    if (!count) return 0;
    sl_key *copies = core_allocate(call->state, count, sizeof *copies, "keys");
    uint16_t *sources = copies ? core_allocate(call->state, count, sizeof *sources, "sources") : NULL;
    uint32_t *indices = sources ? core_allocate(call->state, count, sizeof *indices, "indices") : NULL;
    int failed = indices ? 0 : -1;
    for (uint32_t i = 0; !failed && i < count; i++) {
        copies[i] = *key;
        sources[i] = (uint16_t)i;
    }
    sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = count, .values = copies}, .sources = sources};
    if (!failed) failed = find_known(reading, &column, indices, 0);
    for (uint32_t i = 0; !failed && i < count; i++) {
        if (indices[i] >= num_records) continue; /* later than what the caller looks at, or SL_NO_RECORD */
        *out = indices[i];
        holders++;
    }
    char text[CORE_TEXT_SIZE];
    if (holders > 1)
        failed = core_raise(call->state, SL_ERROR_INVALID_ARGUMENT,
                            "%u sources have a record with the key %s; say which one: (source, key)", holders,
                            core_value_text(object, text));
    free(copies);
    free(sources);
    free(indices);
    return failed;
}

static int find_object(core_reading *reading, PyObject *object, uint32_t num_records, core_arena *arena,
                       uint32_t *out) {
    static const core_place place = {"key", CORE_NO_ROW};
    PyObject *name, *bare;
    sl_key key;
    sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = 1, .values = &key}};
    if (core_key_split(reading, &place, object, &name, &bare) < 0) return -1;
    if (core_key_bare(reading, &place, bare, arena, &key) < 0) return -1;
    if (!name && !reading->source) return find_in_any_source(reading, object, &key, num_records, out);
    if (core_source_id(reading, &place, name, &column.source) < 0) return -1;
    return find(reading, &column, out, 0);
}

PyObject *core_context_find_one(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"key", "source", "num_records", NULL};
    PyObject *key, *source = Py_None;
    unsigned int num_records = SL_MAX_RECORDS;
    core_call call;
    core_reading reading;
    core_arena arena = {NULL};
    uint32_t index = SL_NO_RECORD;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|OI:find_one", names, &key, &source, &num_records))
        return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0 ||
        core_call_check(&call, ((core_context *)self)->context) < 0)
        return NULL;
    core_reading_init(&reading, &call, ((core_context *)self)->context, source == Py_None ? NULL : source);
    reading.find_only = true;
    int failed = source == Py_None || PyUnicode_Check(source) ? 0 : -1;
    if (failed)
        core_raise(call.state, SL_ERROR_INVALID_ARGUMENT, "source must be a str or None, not %R", source);
    else
        failed = find_object(&reading, key, num_records, &arena, &index);
    core_arena_free(&arena);
    core_reading_close(&reading);
    if (failed) return NULL;
    if (index >= num_records) return Py_NewRef(Py_None);
    return PyLong_FromUnsignedLong(index);
}
