/* buffer_type.c: the Buffer type, and reading of array arguments. See buffer_type.h.
 *
 * A Buffer is read-only and never changes: shape and stride are fields of the object, so a view costs nothing. It holds
 * either a reference to the object whose memory it shows, or memory of its own. */
#include "buffer_type.h"

#include <stdlib.h>
#include <string.h>

typedef struct buffer_object {
    PyObject_HEAD
    PyObject *owner; /* NULL: `own` */
    void *own;       /* freed with the Buffer */
    const void *memory;
    Py_ssize_t length, item_size;
    char format[2];
} buffer_object;

static Py_ssize_t item_size_of(char format) { return format == 'B' ? 1 : format == 'H' ? 2 : format == 'I' ? 4 : 8; }

static PyObject *make_buffer(const core_state *state, PyObject *owner, void *own, const void *memory, uint64_t length,
                             char format) {
    static const uint64_t nothing = 0; /* a valid address for empty arrays */
    Py_ssize_t item_size = item_size_of(format);
    if (length > (uint64_t)(PY_SSIZE_T_MAX / item_size)) {
        core_raise_memory(state, "an array");
        return NULL;
    }
    buffer_object *self = (buffer_object *)core_object_new(state->buffer_type, sizeof *self);
    if (!self) return NULL;
    self->owner = Py_XNewRef(owner);
    self->own = own;
    self->memory = memory ? memory : &nothing;
    self->length = (Py_ssize_t)length;
    self->item_size = item_size;
    self->format[0] = format;
    return (PyObject *)self;
}

PyObject *core_buffer_borrow(const core_state *state, PyObject *owner, const void *memory, uint64_t length,
                             char format) {
    return make_buffer(state, owner, NULL, memory, length, format);
}

PyObject *core_buffer_take(const core_state *state, void *memory, uint64_t length, char format) {
    PyObject *buffer = make_buffer(state, NULL, memory, memory, length, format);
    if (!buffer) free(memory);
    return buffer;
}

static void buffer_dealloc(PyObject *object) {
    buffer_object *self = (buffer_object *)object;
    Py_XDECREF(self->owner);
    free(self->own);
    core_object_free(object);
}

static int buffer_get(PyObject *object, Py_buffer *view, int flags) {
    buffer_object *self = (buffer_object *)object;
    view->obj = NULL;
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "the engine's memory is read-only");
        return -1;
    }
    view->obj = Py_NewRef(object);
    memcpy(&view->buf, &self->memory, sizeof view->buf);
    view->len = self->length * self->item_size;
    view->readonly = 1;
    view->itemsize = self->item_size;
    view->format = flags & PyBUF_FORMAT ? self->format : NULL;
    view->ndim = 1;
    view->shape = flags & PyBUF_ND ? &self->length : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &self->item_size : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

static Py_ssize_t buffer_length(PyObject *object) { return ((buffer_object *)object)->length; }

static PyType_Slot buffer_slots[] = {
    {Py_tp_doc, (char *)"Read-only memory of the engine: numpy.asarray(buffer) copies nothing."},
    {Py_tp_dealloc, (void *)buffer_dealloc},
    {Py_bf_getbuffer, (void *)buffer_get},
    {Py_sq_length, (void *)buffer_length},
    {0, NULL},
};

PyType_Spec core_buffer_spec = {
    .name = "starlings._core.Buffer",
    .basicsize = sizeof(buffer_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = buffer_slots,
};

/* ------------------------------------------------------------------------------------------------------- reading */

static sl_column_type integer_type(Py_ssize_t size, bool is_signed) {
    switch (size) {
    case 1: return is_signed ? SL_COLUMN_INT8 : SL_COLUMN_UINT8;
    case 2: return is_signed ? SL_COLUMN_INT16 : SL_COLUMN_UINT16;
    case 4: return is_signed ? SL_COLUMN_INT32 : SL_COLUMN_UINT32;
    case 8: return is_signed ? SL_COLUMN_INT64 : SL_COLUMN_UINT64;
    default: return (sl_column_type)0;
    }
}

core_element core_element_of(const Py_buffer *view) {
    const char *format = view->format ? view->format : "B";
    core_element element = {(sl_column_type)0, '\0', false};
    const bool big_endian = PY_BIG_ENDIAN;
    if (*format == '@' || *format == '=' || *format == '<' || *format == '>' || *format == '!') {
        element.swapped = big_endian ? *format == '<' : *format == '>' || *format == '!';
        format++;
    }
    while (*format >= '0' && *format <= '9') format++; /* the width of 'w' and 's' */
    if (format[0] == '\0' || format[1] != '\0') return element;
    element.letter = *format;
    if (strchr("bhilqn", *format))
        element.type = integer_type(view->itemsize, true);
    else if (strchr("BHILQN", *format))
        element.type = integer_type(view->itemsize, false);
    else if (*format == 'f' && view->itemsize == 4)
        element.type = SL_COLUMN_FLOAT32;
    else if (*format == 'd' && view->itemsize == 8)
        element.type = SL_COLUMN_FLOAT64;
    return element;
}

static const char *type_name(sl_column_type type) {
    return type == SL_COLUMN_FLOAT64 ? "float64" : type == SL_COLUMN_UINT8 ? "uint8" : "uint32";
}

int core_array_view(const core_state *state, PyObject *object, sl_column_type type, const char *what, Py_buffer *view) {
    if (PyObject_GetBuffer(object, view, PyBUF_ND | PyBUF_FORMAT) < 0) {
        if (!core_caught(PyExc_TypeError) && !core_caught(PyExc_BufferError) && !core_caught(PyExc_ValueError))
            return -1;
        char text[CORE_TEXT_SIZE];
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "%s must be a contiguous %s array, not a %s", what,
                          type_name(type), core_type_text(object, text));
    }
    core_element element = core_element_of(view);
    if (view->ndim == 1 && element.type == type && !element.swapped) return 0;
    core_raise(state, SL_ERROR_INVALID_ARGUMENT,
               "%s must be a one-dimensional %s array, not one of %d dimensions and format %s", what, type_name(type),
               view->ndim, view->format ? view->format : "B");
    PyBuffer_Release(view);
    return -1;
}
