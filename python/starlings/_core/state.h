/* state.h: what every file of the extension knows: the Python headers, the engine's interface and the module's state.
 *
 * The extension is built against the stable ABI of Python 3.11, keeps no Python object outside the module's state, and uses
 * nothing of the engine but starlings.h. Two rules hold everywhere:
 *   - A call that takes a context's writer lock (adding sources, interning, extending, truncating, copying) is made with
 *     the GIL given up: another thread may hold that lock and wait for the GIL in its progress callback.
 *   - A function that returns int gives 0, or -1 with a Python exception set, unless its comment says otherwise. */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "starlings.h"

typedef struct core_state {
    PyObject *exceptions; /* the module starlings.exceptions, NULL before set_exceptions */
    PyTypeObject *buffer_type;
    PyTypeObject *context_type;
    PyTypeObject *hierarchy_type;
    PyTypeObject *partition_type;
    PyTypeObject *curve_type;
    PyTypeObject *lazy_metrics_type;
    PyTypeObject *estimate_type;
    PyTypeObject *merge_events_type;
    PyTypeObject *diff_type;
    PyTypeObject *edge_list_type;
    PyTypeObject *table_type;
    PyTypeObject *collection_type;
    PyTypeObject *frame_type;
    PyTypeObject *frame_state_type;
    PyTypeObject *frame_change_type;
    PyTypeObject *batches_type;
    struct core_call *ticking; /* calls whose callback or signal handler is running: see core_call_check */
} core_state;

/** The module's state, from an instance of one of its types (none can be subclassed). Borrowed. */
static inline core_state *core_state_of(PyObject *self) { return PyType_GetModuleState(Py_TYPE(self)); }

/** A new instance of one of the module's types, its fields after the header zeroed; NULL with MemoryError. */
PyObject *core_object_new(PyTypeObject *type, size_t size);
/** Give back an instance's memory and its reference to the type; the last step of every tp_dealloc. */
void core_object_free(PyObject *self);

#endif
