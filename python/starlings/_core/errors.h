/* errors.h: from the engine's sl_error to the classes of starlings.exceptions. */
#ifndef CORE_ERRORS_H
#define CORE_ERRORS_H

#include "state.h"

/** Raise `error` as the class of its status, with the attributes row and other_row (None for -1). Always returns -1. */
int core_raise_error(const core_state *state, const sl_error *error);
/** Raise a sentence (PyUnicode_FromFormat) as the class of `status`, without rows. Always returns -1. */
int core_raise(const core_state *state, sl_status status, const char *format, ...);
/** The same, naming a row and a second row (-1: none). */
int core_raise_row(const core_state *state, sl_status status, int64_t row, int64_t other_row, const char *format, ...);
/** Raise the out-of-memory error for `what`. Always returns -1. */
int core_raise_memory(const core_state *state, const char *what);

/** Make the rows of an error that counted from the start of a piece count from the start of the input: adds `first_row`
 *  to row and other_row and to the "row N" of the message. */
void core_error_shift_rows(sl_error *error, uint64_t first_row);

/** `count` elements of `size` bytes from malloc, or NULL with an exception. Zero elements: a valid pointer. */
void *core_allocate(const core_state *state, uint64_t count, size_t size, const char *what);
/** Grow *(void **)memory_io so that it holds `needed` elements, at least doubling *capacity_io. */
int core_grow(const core_state *state, void *memory_io, size_t *capacity_io, uint64_t needed, size_t size,
              const char *what);

/** A value or the name of its type as a few words of a message (%s): long ones are cut. Returns `text`. */
#define CORE_TEXT_SIZE 256
const char *core_value_text(PyObject *object, char text[CORE_TEXT_SIZE]);
const char *core_type_text(PyObject *object, char text[CORE_TEXT_SIZE]);

/** True, and the exception cleared, if the pending exception is one of the class `type`. */
int core_caught(PyObject *type);

#endif
