/* merge_events_type.c: the MergeEvents type: the merges of a hierarchy, each as a tuple made when it is asked for. */
#include "buffer_type.h"
#include "objects.h"

typedef struct core_merge_events {
    PyObject_HEAD
    sl_merge_events *events;
    PyObject *hierarchy; /* whose merges they are */
    uint32_t num_records;
} core_merge_events;

static core_merge_events *cast(PyObject *self) { return (core_merge_events *)self; }

static PyObject *merge_events_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"hierarchy", "num_records", NULL};
    core_state *state = PyType_GetModuleState(type);
    core_hierarchy *hierarchy;
    uint32_t num_records = 0;
    core_call call;
    if (!state ||
        !PyArg_ParseTupleAndKeywords(arguments, keywords, "O!|O&:MergeEvents", names, state->hierarchy_type, &hierarchy,
                                     core_uint32_argument, &num_records) ||
        core_call_init(&call, state, NULL) < 0)
        return NULL;
    core_merge_events *self = (core_merge_events *)core_object_new(type, sizeof *self);
    if (!self) return NULL;
    self->hierarchy = Py_NewRef((PyObject *)hierarchy);
    self->num_records = num_records ? num_records : sl_hierarchy_num_records(hierarchy->hierarchy);
    core_call_leave(&call);
    sl_status status = sl_merge_events_create(hierarchy->hierarchy, num_records, &self->events, &call.error);
    if (core_call_return(&call, status) == 0) return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return NULL;
}

static void merge_events_dealloc(PyObject *object) {
    sl_merge_events_release(cast(object)->events);
    Py_XDECREF(cast(object)->hierarchy);
    core_object_free(object);
}

static Py_ssize_t merge_events_length(PyObject *self) { return (Py_ssize_t)sl_merge_events_count(cast(self)->events); }

static PyObject *component_tuple(const sl_merge_event *event) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)event->num_components);
    for (uint32_t i = 0; tuple && i < event->num_components; i++) {
        PyObject *component = PyLong_FromUnsignedLongLong(event->components[i]);
        if (!component || PyTuple_SetItem(tuple, (Py_ssize_t)i, component) < 0) Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *merge_events_event(PyObject *self, PyObject *argument) {
    sl_merge_event event;
    Py_ssize_t index = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (index < 0 || index >= merge_events_length(self) ||
        !sl_merge_events_get(cast(self)->events, (uint32_t)index, &event)) {
        PyErr_Format(PyExc_IndexError, "there is no merge event %zd: there are %zd", index, merge_events_length(self));
        return NULL;
    }
    PyObject *components = component_tuple(&event);
    PyObject *records =
        components ? core_buffer_borrow(core_state_of(self), self, event.records, event.num_records, 'I') : NULL;
    if (records) return Py_BuildValue("(dNKN)", event.threshold, components, (unsigned long long)event.result, records);
    Py_XDECREF(components);
    return NULL;
}

static PyObject *get_hierarchy(PyObject *self, void *closure) {
    (void)closure;
    return Py_NewRef(cast(self)->hierarchy);
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(cast(self)->num_records);
}

static PyMethodDef merge_events_methods[] = {
    {"event", merge_events_event, METH_O, "(threshold, components, result, records) of one event."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef merge_events_getset[] = {
    {"hierarchy", get_hierarchy, NULL, "The hierarchy whose merges they are.", NULL},
    {"num_records", get_num_records, NULL, "The number of the first result.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot merge_events_slots[] = {
    {Py_tp_doc, (char *)"The merges of a hierarchy, highest threshold first."},
    {Py_tp_new, (void *)merge_events_new},
    {Py_tp_dealloc, (void *)merge_events_dealloc},
    {Py_sq_length, (void *)merge_events_length},
    {Py_tp_methods, merge_events_methods},
    {Py_tp_getset, merge_events_getset},
    {0, NULL},
};

PyType_Spec core_merge_events_spec = {
    .name = "starlings._core.MergeEvents",
    .basicsize = sizeof(core_merge_events),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = merge_events_slots,
};
