/* arrow_tables.c: frames, collections and the members of entities as Arrow tables, in and out. */
#include "arrow_tables.h"

#include "batches_type.h"
#include "frame_objects.h"

/* -------------------------------------------------------------------------------------------------------------- out */

static PyObject *finish_export(core_call *call, sl_status status, struct ArrowArrayStream *stream) {
    if (core_call_return(call, status) == 0) return core_stream_capsule(call->state, stream);
    if (stream->release) stream->release(stream);
    return NULL;
}

PyObject *core_frame_state_export(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"max_expanded", "created_at_ms", "progress", NULL};
    unsigned long long max_expanded = 0;
    long long created_at_ms = 0;
    PyObject *callback = Py_None;
    struct ArrowArrayStream stream = {0};
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|KLO:export", names, &max_expanded, &created_at_ms,
                                     &callback) ||
        core_call_init(&call, core_state_of(self), callback) < 0)
        return NULL;
    const sl_export_options options = {
        .max_expanded = max_expanded, .created_at_ms = created_at_ms, .progress = &call.progress};
    core_call_leave(&call);
    sl_status status = sl_frame_state_export(((core_frame_state *)self)->state, &options, &stream, &call.error);
    return finish_export(&call, status, &stream);
}

PyObject *core_collection_export(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"id", "max_expanded", "progress", NULL};
    unsigned long long max_expanded = 0;
    PyObject *callback = Py_None;
    const char *id;
    Py_ssize_t length;
    struct ArrowArrayStream stream = {0};
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "s#|KO:export", names, &id, &length, &max_expanded,
                                     &callback) ||
        core_call_init(&call, core_state_of(self), callback) < 0)
        return NULL;
    const sl_export_options options = {.max_expanded = max_expanded, .progress = &call.progress};
    core_call_leave(&call);
    sl_status status =
        sl_collection_export(((core_collection *)self)->collection, id, (size_t)length, &options, &stream, &call.error);
    return finish_export(&call, status, &stream);
}

/* --------------------------------------------------------------------------------------------------------------- in */

/* The table of the first argument, opened. */
static int open_table(core_call *call, core_state *state, PyObject *data, PyObject *callback, core_arrow *out) {
    if (core_call_init(call, state, callback) < 0) return -1;
    if (!core_is_arrow(data)) {
        PyErr_SetString(PyExc_TypeError, "no Arrow data");
        return -1;
    }
    return core_arrow_open(call, data, false, out) < 0 ? -1 : 0;
}

/* The arguments (data, progress) of an import as a stream of `table`, which has to outlive it; the call is begun and left. `format` names
 * the function. */
static int begin_import(core_call *call, PyObject *module, PyObject *arguments, PyObject *keywords, const char *format,
                        core_arrow *table, struct ArrowArrayStream *out) {
    static char *names[] = {"data", "progress", NULL};
    PyObject *data, *callback = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, format, names, &data, &callback) ||
        open_table(call, PyModule_GetState(module), data, callback, table) < 0)
        return -1;
    *out = core_arrow_stream(table);
    core_call_leave(call);
    return 0;
}

PyObject *core_import_frame(PyObject *module, PyObject *arguments, PyObject *keywords) {
    sl_frame *frame = NULL;
    core_arrow table;
    struct ArrowArrayStream stream;
    core_call call;
    if (begin_import(&call, module, arguments, keywords, "O|O:import_frame", &table, &stream) < 0) return NULL;
    sl_status status = sl_frame_import(&stream, &call.progress, &frame, &call.error);
    if (core_call_return(&call, status) == 0) return core_frame_take(call.state, frame);
    sl_frame_release(frame);
    return NULL;
}

PyObject *core_import_collection(PyObject *module, PyObject *arguments, PyObject *keywords) {
    sl_collection *collection = NULL;
    core_arrow table;
    struct ArrowArrayStream stream;
    core_call call;
    if (begin_import(&call, module, arguments, keywords, "O|O:import_collection", &table, &stream) < 0) return NULL;
    sl_status status = sl_collection_import(&stream, &call.progress, &collection, &call.error);
    if (core_call_return(&call, status) == 0) return core_collection_take(call.state, collection);
    sl_collection_release(collection);
    return NULL;
}

PyObject *core_from_membership(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context", "data", "threshold", "source", "known_records_only", "progress", NULL};
    core_state *state = PyModule_GetState(module);
    PyObject *object, *data, *callback = Py_None;
    const char *source = "default";
    Py_ssize_t length = 7;
    double threshold = 1.0;
    int known_records_only = 0;
    sl_hierarchy *hierarchy = NULL;
    core_arrow arrow;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O|d$s#pO:from_membership", names, state->context_type,
                                     &object, &data, &threshold, &source, &length, &known_records_only, &callback) ||
        open_table(&call, state, data, callback, &arrow) < 0)
        return NULL;
    sl_context *context = ((core_context *)object)->context;
    struct ArrowArrayStream stream = core_arrow_stream(&arrow);
    if (core_call_check(&call, context) < 0) {
        stream.release(&stream);
        return NULL;
    }
    core_call_leave(&call);
    sl_status status = sl_hierarchy_from_membership(context, &stream, source, (size_t)length, threshold,
                                                    known_records_only != 0, &call.progress, &hierarchy, &call.error);
    if (core_call_return(&call, status) == 0) return core_hierarchy_take(state, hierarchy);
    sl_hierarchy_release(hierarchy);
    return NULL;
}
