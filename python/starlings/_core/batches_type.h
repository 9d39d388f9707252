/* batches_type.h: the Batches type: Arrow batches that the engine keeps, or some rows of them. */
#ifndef CORE_BATCHES_TYPE_H
#define CORE_BATCHES_TYPE_H

#include "columns.h"
#include "objects.h"

extern PyType_Spec core_batches_spec;

typedef struct core_batches {
    PyObject_HEAD
    sl_batches *batches;
    uint64_t *rows; /* those chosen, in order; NULL: all */
    uint64_t num_rows;
} core_batches;

/** Read what `arrow` holds, which is closed in every case, as a Batches. */
PyObject *core_batches_read(core_call *call, core_arrow *arrow);
/** A Batches of all rows that takes over the reference, released here if the object cannot be made. */
PyObject *core_batches_take(core_state *state, sl_batches *batches);
/** What `arrow` holds as a stream, which closes it when released; `arrow` lives as long. */
struct ArrowArrayStream core_arrow_stream(core_arrow *arrow);
/** Methods in files of their own. */
PyObject *core_batches_column(PyObject *self, PyObject *argument);  /* batches_values.c */
PyObject *core_batches_numbers(PyObject *self, PyObject *argument); /* batches_columns.c */
PyObject *core_batches_texts(PyObject *self, PyObject *argument);   /* batches_columns.c */

#endif
