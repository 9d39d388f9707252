/* constrain.c: hierarchies under constraints, and what they remember of them. */
#include "objects.h"

#include <stdlib.h>
#include <string.h>

static int read_name(const core_state *state, PyObject *name, const char **out) {
    Py_ssize_t size = 0;
    const char *text = PyUnicode_AsUTF8AndSize(name, &size);
    if (!text) return -1;
    if (strlen(text) != (size_t)size)
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "the unique source %R has a NUL character in its name",
                          name);
    *out = text;
    return 0;
}

/* The names are the caller's to free; their text is borrowed from `sources`, a tuple. */
static int read_names(const core_state *state, PyObject *sources, const char ***out, uint32_t *out_count) {
    Py_ssize_t count = PyTuple_Size(sources);
    const char **names = count < 0 ? NULL : core_allocate(state, (uint64_t)count, sizeof *names, "unique sources");
    if (!names) return -1;
    for (Py_ssize_t i = 0; i < count; i++)
        if (read_name(state, PyTuple_GetItem(sources, i), &names[i]) < 0) {
            free((void *)names);
            return -1;
        }
    *out = names;
    *out_count = (uint32_t)count;
    return 0;
}

static PyObject *constrain(core_call *call, const sl_context *context, const sl_hierarchy *hierarchy,
                           const sl_constraints *constraints, sl_keep keep) {
    sl_hierarchy *made = NULL;
    core_call_leave(call);
    sl_status status =
        sl_hierarchy_constrain(context, hierarchy, constraints, keep, &call->progress, &made, &call->error);
    if (core_call_return(call, status) == 0) return core_hierarchy_take(call->state, made);
    sl_hierarchy_release(made);
    return NULL;
}

PyObject *core_constrain(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context",   "hierarchy", "unique_sources", "max_entity_size",
                            "drop_ties", "keep",      "progress",       NULL};
    core_state *state = PyModule_GetState(module);
    PyObject *context, *hierarchy, *sources, *callback = Py_None;
    const char *keep_name;
    int drop_ties;
    sl_constraints constraints = {0};
    sl_keep keep;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O!OO&ps|O:constrain", names, state->context_type, &context,
                                     state->hierarchy_type, &hierarchy, &sources, core_uint32_argument,
                                     &constraints.max_entity_size, &drop_ties, &keep_name, &callback))
        return NULL;
    constraints.ties = drop_ties ? SL_TIES_DROP : SL_TIES_IN_ORDER;
    const sl_context *records = ((core_context *)context)->context;
    if (core_read_keep(state, keep_name, &keep) < 0 || core_call_init(&call, state, callback) < 0 ||
        core_call_check(&call, records) < 0)
        return NULL;
    PyObject *tuple = PySequence_Tuple(sources);
    const char **unique = NULL;
    if (!tuple || read_names(state, tuple, &unique, &constraints.num_unique_sources) < 0) {
        Py_XDECREF(tuple);
        return NULL;
    }
    constraints.unique_sources = unique;
    PyObject *made = constrain(&call, records, ((core_hierarchy *)hierarchy)->hierarchy, &constraints, keep);
    free((void *)unique);
    Py_DECREF(tuple);
    return made;
}

/* ------------------------------------------------------------------------------------------------ what is remembered */

PyObject *core_hierarchy_constraints(PyObject *self, void *closure) {
    sl_constraints constraints;
    (void)closure;
    if (!sl_hierarchy_constraints(((core_hierarchy *)self)->hierarchy, &constraints)) return Py_NewRef(Py_None);
    PyObject *sources = PyTuple_New(constraints.num_unique_sources);
    for (uint32_t i = 0; sources && i < constraints.num_unique_sources; i++) {
        PyObject *name = PyUnicode_FromString(constraints.unique_sources[i]);
        if (!name || PyTuple_SetItem(sources, i, name) < 0) Py_CLEAR(sources);
    }
    if (!sources) return NULL;
    return Py_BuildValue("NkN", sources, (unsigned long)constraints.max_entity_size,
                         PyBool_FromLong(constraints.ties == SL_TIES_DROP));
}

PyObject *core_hierarchy_num_skipped(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(sl_hierarchy_num_skipped(((core_hierarchy *)self)->hierarchy));
}

PyObject *core_hierarchy_num_tied(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(sl_hierarchy_num_tied(((core_hierarchy *)self)->hierarchy));
}
