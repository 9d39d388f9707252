/* collection_type.c: the Collection type: a hierarchy with its context and the partitions cut last. */
#include "arrow_tables.h"

static const sl_collection *of(PyObject *self) { return ((core_collection *)self)->collection; }

PyObject *core_collection_take(core_state *state, sl_collection *collection) {
    core_collection *self = (core_collection *)core_object_new(state->collection_type, sizeof *self);
    if (self)
        self->collection = collection;
    else
        sl_collection_release(collection);
    return (PyObject *)self;
}

static PyObject *collection_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context", "hierarchy", "num_records", "decimals", "earlier", NULL};
    core_state *state = PyType_GetModuleState(type);
    core_context *context;
    core_hierarchy *hierarchy;
    uint32_t num_records = 0, decimals = 6;
    PyObject *earlier = Py_None;
    sl_collection *made = NULL;
    sl_error error;
    if (!state || !PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O!|O&O&O:Collection", names, state->context_type,
                                               &context, state->hierarchy_type, &hierarchy, core_uint32_argument,
                                               &num_records, core_uint32_argument, &decimals, &earlier))
        return NULL;
    if (earlier != Py_None && !Py_IS_TYPE(earlier, type)) {
        core_raise(state, SL_ERROR_INVALID_ARGUMENT, "earlier must be a Collection or None");
        return NULL;
    }
    const sl_collection *before = earlier == Py_None ? NULL : of(earlier);
    if (sl_collection_create(context->context, hierarchy->hierarchy, num_records, decimals, before, &made, &error) ==
        SL_OK)
        return core_collection_take(state, made);
    core_raise_error(state, &error);
    return NULL;
}

static void collection_dealloc(PyObject *object) {
    PyThreadState *thread = PyEval_SaveThread(); /* freeing hundreds of megabytes takes a while */
    sl_collection_release(((core_collection *)object)->collection);
    PyEval_RestoreThread(thread);
    core_object_free(object);
}

static PyObject *get_context(PyObject *self, void *closure) {
    (void)closure;
    return core_context_take(core_state_of(self), sl_context_retain(sl_collection_context(of(self))));
}

static PyObject *get_hierarchy(PyObject *self, void *closure) {
    (void)closure;
    return core_hierarchy_take(core_state_of(self), sl_hierarchy_retain(sl_collection_hierarchy(of(self))));
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_collection_num_records(of(self)));
}

static PyObject *get_decimals(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_collection_decimals(of(self)));
}

static PyObject *collection_at(PyObject *self, PyObject *argument) {
    double threshold = PyFloat_AsDouble(argument);
    sl_partition *partition = NULL;
    core_call call;
    if (threshold == -1.0 && PyErr_Occurred()) return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_collection_at(of(self), threshold, &partition, &call.error);
    if (core_call_return(&call, status) == 0) return core_partition_take(call.state, partition);
    sl_partition_release(partition);
    return NULL;
}

static PyObject *collection_clear_cache(PyObject *self, PyObject *ignored) {
    (void)ignored;
    Py_BEGIN_ALLOW_THREADS sl_collection_clear_cache(of(self));
    Py_END_ALLOW_THREADS return Py_NewRef(Py_None);
}

PyObject *core_stats_tuple(const sl_computation_stats *stats) {
    return Py_BuildValue("KKKKddd", (unsigned long long)stats->total, (unsigned long long)stats->incremental,
                         (unsigned long long)stats->cached, (unsigned long long)stats->cuts, stats->cut_seconds,
                         stats->seconds, stats->seconds_one_by_one);
}

static PyObject *collection_stats(PyObject *self, PyObject *ignored) {
    (void)ignored;
    sl_computation_stats stats;
    sl_collection_stats(of(self), &stats);
    return core_stats_tuple(&stats);
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef collection_methods[] = {
    {"export", WITH_KEYWORDS(core_collection_export), METH_VARARGS | METH_KEYWORDS, "A capsule with an Arrow stream."},
    {"at", collection_at, METH_O, "The partition at a threshold, kept or cut now."},
    {"clear_cache", collection_clear_cache, METH_NOARGS, "Forget the partitions kept."},
    {"stats", collection_stats, METH_NOARGS, "The fields of sl_computation_stats, in their order."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef collection_getset[] = {
    {"context", get_context, NULL, "Its context.", NULL},
    {"hierarchy", get_hierarchy, NULL, "Its hierarchy.", NULL},
    {"num_records", get_num_records, NULL, "Records of the context that are part of it.", NULL},
    {"decimals", get_decimals, NULL, "To which scores are rounded; 0 where they are exact.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot collection_slots[] = {
    {Py_tp_doc, (char *)"A hierarchy with its context and the partitions cut last."},
    {Py_tp_new, (void *)collection_new},
    {Py_tp_dealloc, (void *)collection_dealloc},
    {Py_tp_methods, collection_methods},
    {Py_tp_getset, collection_getset},
    {0, NULL},
};

PyType_Spec core_collection_spec = {
    .name = "starlings._core.Collection",
    .basicsize = sizeof(core_collection),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = collection_slots,
};
