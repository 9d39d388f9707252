/* buffer_type.h: one-dimensional arrays as Python buffers, in both directions. */
#ifndef CORE_BUFFER_TYPE_H
#define CORE_BUFFER_TYPE_H

#include "errors.h"

extern PyType_Spec core_buffer_spec;

/** A Buffer over `length` elements that live as long as `owner`. `format`: 'B' (uint8), 'H' (uint16), 'I' (uint32),
 *  'Q' (uint64) or 'd' (double). */
PyObject *core_buffer_borrow(const core_state *state, PyObject *owner, const void *memory, uint64_t length,
                             char format);
/** A Buffer that takes over memory from malloc; freed here if the Buffer cannot be made. */
PyObject *core_buffer_take(const core_state *state, void *memory, uint64_t length, char format);

/** What a Python buffer's elements are. */
typedef struct core_element {
    sl_column_type type; /* 0: not a plain number */
    char letter;         /* of the struct module: 'w' and 's' are numpy's fixed-width strings */
    bool swapped;        /* not in this machine's byte order */
} core_element;
core_element core_element_of(const Py_buffer *view);

/** View `object` as a contiguous one-dimensional array of `type`; else InvalidArgumentError that names `what`. The caller
 *  gives the view back with PyBuffer_Release. */
int core_array_view(const core_state *state, PyObject *object, sl_column_type type, const char *what, Py_buffer *view);
/** Elements of a one-dimensional view. */
static inline uint64_t core_array_length(const Py_buffer *view) {
    return (uint64_t)(view->len / (view->itemsize ? view->itemsize : 1));
}

#endif
