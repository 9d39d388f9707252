/* key_objects.c: see key_objects.h.
 *
 * The slow lane: about 50 ns a key. Bytes are copied, because the GIL is given up while the engine reads them and a list
 * may be changed by another thread meanwhile. */
#include "key_objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- arena */

#define ARENA_BLOCK 262144

struct core_arena_block {
    struct core_arena_block *older;
    size_t used, size;
    uint8_t bytes[];
};

void core_arena_free(core_arena *arena) {
    while (arena->newest) {
        struct core_arena_block *older = arena->newest->older;
        free(arena->newest);
        arena->newest = older;
    }
}

static const uint8_t *arena_copy(core_arena *arena, const void *bytes, size_t size) {
    struct core_arena_block *block = arena->newest;
    if (!block || block->size - block->used < size) {
        size_t block_size = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        block = malloc(sizeof *block + block_size);
        if (!block) return NULL;
        *block = (struct core_arena_block){.older = arena->newest, .used = 0, .size = block_size};
        arena->newest = block;
    }
    uint8_t *copy = block->bytes + block->used;
    if (size) memcpy(copy, bytes, size);
    block->used += size;
    return copy;
}

/* -------------------------------------------------------------------------------------------------------- sources */

void core_reading_init(core_reading *reading, core_call *call, sl_context *context, PyObject *source) {
    memset(reading, 0, sizeof *reading);
    reading->call = call;
    reading->context = context;
    reading->source = source;
    reading->source_id = -1;
}

void core_reading_close(core_reading *reading) {
    Py_CLEAR(reading->known);
    Py_CLEAR(reading->last_name);
}

/* "row 17: the left key" or "the left key". */
static const char *place_text(const core_place *place, char text[64]) {
    if (place->row == CORE_NO_ROW)
        snprintf(text, 64, "the %s", place->what);
    else
        snprintf(text, 64, "row %llu: the %s", (unsigned long long)place->row, place->what);
    return text;
}

static int bad_key(const core_reading *reading, const core_place *place, PyObject *object, const char *why) {
    char text[64];
    PyObject *type = PyType_GetName(Py_TYPE(object));
    if (!type) return -1;
    core_raise_row(reading->call->state, SL_ERROR_INVALID_KEY, (int64_t)place->row, -1,
                   "%s is %s (%U); a key is an int from 0 to 2^64-1, a str, bytes, or a (source, key) tuple",
                   place_text(place, text), why, type);
    Py_DECREF(type);
    return -1;
}

/* UTF-8 of a str; an exception that names the row for lone surrogates. */
static const char *utf8_of(const core_reading *reading, const core_place *place, PyObject *text, size_t *size) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (bytes) {
        *size = (size_t)length;
        return bytes;
    }
    if (core_caught(PyExc_UnicodeError)) bad_key(reading, place, text, "no valid Unicode text (a lone surrogate)");
    return NULL;
}

/* Ask the context, without the GIL: another thread may hold its writer lock. */
static int resolve_source(core_reading *reading, const core_place *place, PyObject *name, uint16_t *out) {
    size_t size;
    const char *bytes = utf8_of(reading, place, name, &size);
    if (!bytes) return -1;
    core_call_leave(reading->call);
    sl_status status = SL_OK;
    if (!reading->find_only)
        status = sl_context_add_source(reading->context, bytes, size, out, &reading->call->error);
    else if (!sl_context_find_source(reading->context, bytes, size, out))
        *out = CORE_NO_SOURCE;
    return core_call_return(reading->call, status);
}

/* The id of a name met before, or of a new one. */
static int lookup_source(core_reading *reading, const core_place *place, PyObject *name, uint16_t *out) {
    if (!reading->known && !(reading->known = PyDict_New())) return -1;
    PyObject *id = PyDict_GetItemWithError(reading->known, name);
    if (id) {
        *out = (uint16_t)PyLong_AsUnsignedLong(id);
        return 0;
    }
    if (PyErr_Occurred() || resolve_source(reading, place, name, out) < 0) return -1;
    id = PyLong_FromUnsignedLong(*out);
    if (!id) return -1;
    int failed = PyDict_SetItem(reading->known, name, id);
    Py_DECREF(id);
    return failed;
}

int core_source_id(core_reading *reading, const core_place *place, PyObject *name, uint16_t *out) {
    if (!name) {
        if (reading->source_id < 0) {
            if (resolve_source(reading, place, reading->source, out) < 0) return -1;
            reading->source_id = *out;
        }
        *out = (uint16_t)reading->source_id;
        return 0;
    }
    if (name == reading->last_name) {
        *out = reading->last_id;
        return 0;
    }
    if (!PyUnicode_Check(name)) return bad_key(reading, place, name, "of a source that is no str");
    if (lookup_source(reading, place, name, out) < 0) return -1;
    PyObject *forgotten = reading->last_name;
    reading->last_name = Py_NewRef(name);
    reading->last_id = *out;
    Py_XDECREF(forgotten);
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- keys */

static int read_int(const core_reading *reading, const core_place *place, PyObject *object, sl_key *out) {
    unsigned long long number = PyLong_AsUnsignedLongLong(object);
    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        char text[64], value[CORE_TEXT_SIZE];
        if (!core_caught(PyExc_OverflowError)) return -1;
        return core_raise_row(reading->call->state, SL_ERROR_INVALID_KEY, (int64_t)place->row, -1,
                              "%s is %s; an int key is from 0 to 2^64-1", place_text(place, text),
                              core_value_text(object, value));
    }
    *out = (sl_key){.kind = number > UINT32_MAX ? SL_KEY_U64 : SL_KEY_U32, .number = number};
    return 0;
}

static int read_bytes(const core_reading *reading, const core_place *place, sl_key_kind kind, const char *bytes,
                      size_t size, core_arena *arena, sl_key *out) {
    if (size > UINT32_MAX)
        return core_raise_row(reading->call->state, SL_ERROR_INVALID_KEY, (int64_t)place->row, -1,
                              "row %llu: the %s is longer than 2^32-1 bytes", (unsigned long long)place->row,
                              place->what);
    const uint8_t *copy = arena_copy(arena, bytes, size);
    if (!copy) return core_raise_memory(reading->call->state, "keys");
    *out = (sl_key){.kind = kind, .length = (uint32_t)size, .bytes = copy};
    return 0;
}

static int read_text(const core_reading *reading, const core_place *place, PyObject *object, core_arena *arena,
                     sl_key *out) {
    size_t size;
    const char *bytes = utf8_of(reading, place, object, &size);
    return bytes ? read_bytes(reading, place, SL_KEY_STRING, bytes, size, arena, out) : -1;
}

/* numpy's integer scalars and their like. */
static int read_index(const core_reading *reading, const core_place *place, PyObject *object, sl_key *out) {
    PyObject *number = PyNumber_Index(object);
    if (!number) {
        if (!core_caught(PyExc_TypeError)) return -1;
        return bad_key(reading, place, object, "of a type that is no key");
    }
    int failed = read_int(reading, place, number, out);
    Py_DECREF(number);
    return failed;
}

/* A starlings.Key, told by its attributes `kind` and `value`; NULL without an exception if it is none. */
static PyObject *key_value(PyObject *object) {
    PyObject *kind = PyObject_GetAttrString(object, "kind");
    PyObject *value = kind ? PyObject_GetAttrString(object, "value") : NULL;
    Py_XDECREF(kind);
    if (value) {
        bool plain = PyLong_CheckExact(value) || PyUnicode_Check(value) || PyBytes_Check(value);
        if (plain) return value;
        Py_DECREF(value);
    } else if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    return NULL;
}

static int read_other(const core_reading *reading, const core_place *place, PyObject *object, core_arena *arena,
                      sl_key *out) {
    if (object == Py_None) return bad_key(reading, place, object, "null");
    if (PyBool_Check(object) || PyFloat_Check(object))
        return bad_key(reading, place, object, "of a type that is no key");
    if (PyIndex_Check(object)) return read_index(reading, place, object, out);
    PyObject *value = key_value(object);
    if (!value) return PyErr_Occurred() ? -1 : bad_key(reading, place, object, "of a type that is no key");
    int failed = core_key_bare(reading, place, value, arena, out);
    Py_DECREF(value);
    return failed;
}

int core_key_bare(const core_reading *reading, const core_place *place, PyObject *object, core_arena *arena,
                  sl_key *out) {
    if (PyLong_CheckExact(object)) return read_int(reading, place, object, out);
    if (PyUnicode_Check(object)) return read_text(reading, place, object, arena, out);
    if (PyBytes_Check(object)) {
        char *bytes;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(object, &bytes, &size) < 0) return -1;
        return read_bytes(reading, place, SL_KEY_BYTES, bytes, (size_t)size, arena, out);
    }
    return read_other(reading, place, object, arena, out);
}

int core_key_split(const core_reading *reading, const core_place *place, PyObject *object, PyObject **name,
                   PyObject **bare) {
    *name = NULL;
    *bare = object;
    if (!PyTuple_Check(object)) return 0;
    if (PyTuple_Size(object) != 2) return bad_key(reading, place, object, "a tuple not of length 2");
    *name = PyTuple_GetItem(object, 0);
    *bare = PyTuple_GetItem(object, 1);
    if (!*name || !*bare) return -1;
    if (!PyUnicode_Check(*name)) return bad_key(reading, place, *name, "a tuple whose source is no str");
    return 0;
}

int core_key_read(core_reading *reading, const core_place *place, PyObject *object, core_arena *arena, sl_key *out,
                  uint16_t *source) {
    PyObject *name, *bare;
    if (core_key_split(reading, place, object, &name, &bare) < 0) return -1;
    if (core_key_bare(reading, place, bare, arena, out) < 0) return -1;
    return core_source_id(reading, place, name, source);
}

int core_score_read(const core_reading *reading, const core_place *place, PyObject *object, double *out) {
    if (object != Py_None) {
        *out = PyFloat_AsDouble(object);
        if (*out != -1.0 || !PyErr_Occurred()) return 0;
        if (!core_caught(PyExc_TypeError) && !core_caught(PyExc_ValueError) && !core_caught(PyExc_OverflowError))
            return -1;
    }
    char text[CORE_TEXT_SIZE];
    return core_raise_row(reading->call->state, SL_ERROR_INVALID_SCORE, (int64_t)place->row, -1,
                          "row %llu: the %s is %s, which is no number", (unsigned long long)place->row, place->what,
                          core_value_text(object, text));
}
