/* keys_input.h: columns of keys from Python objects to record indices. */
#ifndef CORE_KEYS_INPUT_H
#define CORE_KEYS_INPUT_H

#include "columns.h"
#include "objects.h"

typedef enum core_key_mode {
    CORE_INTERN, /* indices, appending what is new */
    CORE_FIND,   /* indices, SL_NO_RECORD for what is unknown; nothing changes */
    CORE_KNOWN   /* indices; KeyNotFoundError with the row for what is unknown */
} core_key_mode;

/** A growing array of indices from malloc. Zero-initialise; free `values`. */
typedef struct core_indices {
    uint32_t *values;
    size_t capacity;
    uint64_t count;
} core_indices;

/** Read every key of `keys` (see core_column_open for `field`), named `what` in messages, behind those in `out`. On an error
 *  earlier appends stay: the caller rolls back. */
int core_keys_read(core_reading *reading, core_key_mode mode, const char *what, PyObject *keys, PyObject *field,
                   core_indices *out);
/** The keys of a column at hand, in slices that leave room for Ctrl-C. `row` is the first one's, for errors. */
int core_keys_read_chunk(core_reading *reading, core_key_mode mode, core_chunk *chunk, uint64_t row, core_indices *out);

PyObject *core_context_intern(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_context_intern_context(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_context_find(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_context_find_one(PyObject *self, PyObject *arguments, PyObject *keywords);

#endif
