/* column_buffer.c: numpy arrays and other buffers as columns. See columns.h.
 *
 * Contiguous numbers in the machine's byte order are read in place. Everything else is copied once: strided or
 * byte-swapped numbers to plain ones, numpy's fixed-width text ('<U8', UTF-32) and bytes ('S8') to Arrow's layout with
 * 64-bit offsets, without their padding. */
#include "buffer_type.h"
#include "columns.h"

#include <stdlib.h>
#include <string.h>

/* Copy the elements one after another, turning the bytes of each unit round if `swapped`. */
static void *packed_copy(core_reading *reading, const Py_buffer *view, uint64_t length, size_t unit, bool swapped) {
    size_t size = (size_t)view->itemsize;
    uint8_t *copy = core_allocate(reading->call->state, length, size, "a column");
    if (!copy) return NULL;
    Py_ssize_t stride = view->strides ? view->strides[0] : view->itemsize;
    core_call_leave(reading->call);
    for (uint64_t i = 0; i < length; i++) {
        const uint8_t *from = (const uint8_t *)view->buf + (Py_ssize_t)i * stride;
        uint8_t *to = copy + i * size;
        if (!swapped)
            memcpy(to, from, size);
        else
            for (size_t byte = 0; byte < size; byte++) to[byte] = from[byte - byte % unit + unit - 1 - byte % unit];
    }
    if (core_call_return(reading->call, SL_OK) < 0) {
        free(copy);
        return NULL;
    }
    return copy;
}

/* The elements packed, aligned to `unit` and in this machine's byte order: in place if they are so, else a copy that the
 * chunk takes over. */
static const void *packed(core_reading *reading, core_chunk *chunk, uint64_t length, size_t unit, bool swapped) {
    const Py_buffer *view = &chunk->view;
    bool contiguous = length < 2 || !view->strides || view->strides[0] == view->itemsize;
    if (contiguous && !swapped && (uintptr_t)view->buf % unit == 0) return view->buf;
    chunk->memory = packed_copy(reading, view, length, unit, swapped);
    return chunk->memory;
}

/* --------------------------------------------------------------------------------------------- fixed-width strings */

/* Length of element `i` without the zeros that pad it, in units. */
static size_t unpadded(const void *elements, uint64_t i, size_t units, size_t unit) {
    const uint8_t *element = (const uint8_t *)elements + i * units * unit;
    size_t used = units * unit;
    while (used && element[used - 1] == 0) used--;
    return (used + unit - 1) / unit;
}

static size_t utf8_size(uint32_t point) { return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4; }

static bool is_valid(uint32_t point) { return point < 0xD800 || (point > 0xDFFF && point <= 0x10FFFF); }

static uint8_t *utf8_write(uint8_t *to, uint32_t point) {
    size_t size = utf8_size(point);
    if (size == 1) {
        *to = (uint8_t)point;
        return to + 1;
    }
    for (size_t i = size; --i > 0; point >>= 6) to[i] = (uint8_t)(0x80 | (point & 0x3F));
    *to = (uint8_t)((0xF00u >> size) | point);
    return to + size;
}

/* Offsets of the elements once they are UTF-8 (unit 4) or bare bytes (unit 1). */
static int measure(core_reading *reading, const char *what, const void *elements, uint64_t length, size_t units,
                   size_t unit, int64_t *offsets) {
    offsets[0] = 0;
    for (uint64_t i = 0; i < length; i++) {
        size_t used = unpadded(elements, i, units, unit), bytes = unit == 1 ? used : 0;
        const uint32_t *points = unit == 4 ? (const uint32_t *)elements + i * units : NULL;
        for (size_t j = 0; points && j < used; j++) {
            if (!is_valid(points[j]))
                return core_raise_row(reading->call->state, SL_ERROR_INVALID_KEY, (int64_t)i, -1,
                                      "row %llu: the %s is no valid Unicode text (a lone surrogate)",
                                      (unsigned long long)i, what);
            bytes += utf8_size(points[j]);
        }
        offsets[i + 1] = offsets[i] + (int64_t)bytes;
        if (i % (CORE_POLL_ROWS * 4) == 0 && core_call_poll(reading->call, "reading text", i, length) < 0) return -1;
    }
    return 0;
}

static void write_bytes(const void *elements, uint64_t length, size_t units, size_t unit, const int64_t *offsets,
                        uint8_t *bytes) {
    for (uint64_t i = 0; i < length; i++) {
        if (unit == 1) {
            memcpy(bytes + offsets[i], (const uint8_t *)elements + i * units, (size_t)(offsets[i + 1] - offsets[i]));
            continue;
        }
        const uint32_t *points = (const uint32_t *)elements + i * units;
        uint8_t *to = bytes + offsets[i], *end = bytes + offsets[i + 1];
        while (to < end) to = utf8_write(to, *points++);
    }
}

/* Make the chunk a large string (unit 4) or large binary (unit 1) column of these elements. */
static int take_strings(core_reading *reading, core_chunk *chunk, const char *what, const void *elements,
                        uint64_t length, size_t unit) {
    const core_state *state = reading->call->state;
    size_t units = (size_t)chunk->view.itemsize / unit;
    int64_t *offsets = core_allocate(state, length + 1, sizeof *offsets, "a column");
    if (!offsets) return -1;
    if (measure(reading, what, elements, length, units, unit, offsets) < 0) {
        free(offsets);
        return -1;
    }
    /* Offsets and bytes in one block: the chunk has one `memory` to give. */
    uint64_t head = (length + 1) * sizeof *offsets;
    uint8_t *both = core_allocate(state, head + (uint64_t)offsets[length], 1, "a column");
    if (both) {
        memcpy(both, offsets, (size_t)head);
        core_call_leave(reading->call);
        write_bytes(elements, length, units, unit, offsets, both + head);
        if (core_call_return(reading->call, SL_OK) < 0) {
            free(both);
            both = NULL;
        }
    }
    chunk->column.values_size = (uint64_t)offsets[length];
    free(offsets);
    if (!both) return -1;
    free(chunk->memory); /* `elements`, where they had to be copied */
    chunk->memory = both;
    chunk->column.type = unit == 4 ? SL_COLUMN_LARGE_STRING : SL_COLUMN_LARGE_BINARY;
    chunk->column.offsets = both;
    chunk->column.values = both + head;
    PyBuffer_Release(&chunk->view);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- any buffer */

static int take_view(core_reading *reading, core_chunk *chunk, const char *what, core_element element) {
    bool is_text = element.letter == 'w', is_bytes = element.letter == 's';
    uint64_t length =
        (uint64_t)(chunk->view.shape ? chunk->view.shape[0] : (Py_ssize_t)core_array_length(&chunk->view));
    size_t unit = is_text ? 4 : is_bytes ? 1 : (size_t)chunk->view.itemsize;
    chunk->column.length = length;
    const void *elements = packed(reading, chunk, length, unit, element.swapped && !is_bytes);
    if (!elements && (length || PyErr_Occurred())) return -1;
    if (is_text || is_bytes) return take_strings(reading, chunk, what, elements, length, unit);
    chunk->column.type = element.type;
    chunk->column.values = elements;
    return 0;
}

int core_chunk_from_buffer(core_reading *reading, core_role role, const char *what, PyObject *object,
                           core_chunk **out) {
    *out = NULL;
    core_chunk *chunk = core_chunk_new(reading->call->state);
    if (!chunk) return -1;
    if (PyObject_GetBuffer(object, &chunk->view, PyBUF_STRIDES | PyBUF_FORMAT) < 0) {
        chunk->view.obj = NULL;
        core_chunk_release(chunk);
        /* numpy exports no dates and no variable-length strings; their elements tell what is wrong with them. */
        bool no_buffer =
            core_caught(PyExc_TypeError) || core_caught(PyExc_ValueError) || core_caught(PyExc_BufferError);
        return no_buffer ? 0 : -1;
    }
    int dimensions = chunk->view.ndim;
    core_element element = core_element_of(&chunk->view);
    bool is_string = element.letter == 'w' ? role != CORE_SCORES : element.letter == 's' && role == CORE_KEYS;
    bool is_number = element.type && role != CORE_SOURCES;
    if (dimensions != 1 || chunk->view.itemsize == 0 || (!is_number && !is_string)) {
        core_chunk_release(chunk);
        if (dimensions == 1) return 0;
        return core_raise(reading->call->state, SL_ERROR_INVALID_ARGUMENT,
                          "the %s column has %d dimensions; a column has one", what, dimensions);
    }
    if (take_view(reading, chunk, what, element) < 0) {
        core_chunk_release(chunk);
        return -1;
    }
    *out = chunk;
    return 1;
}
