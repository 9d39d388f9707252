/* merge_events_type.c: the MergeEvents type: the merges of a hierarchy, each as a tuple made when it is asked for. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>

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

/* The event of that number. */
static int event_at(PyObject *self, PyObject *argument, sl_merge_event *out) {
    Py_ssize_t index = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) return -1;
    if (index >= 0 && index < merge_events_length(self) &&
        sl_merge_events_get(cast(self)->events, (uint32_t)index, out))
        return 0;
    PyErr_Format(PyExc_IndexError, "there is no merge event %zd: there are %zd", index, merge_events_length(self));
    return -1;
}

static PyObject *merge_events_event(PyObject *self, PyObject *argument) {
    sl_merge_event event;
    if (event_at(self, argument, &event) < 0) return NULL;
    PyObject *components = component_tuple(&event);
    PyObject *records =
        components ? core_buffer_borrow(core_state_of(self), self, event.records, event.num_records, 'I') : NULL;
    if (records)
        return Py_BuildValue("(dNKKN)", event.threshold, components, (unsigned long long)event.result,
                             (unsigned long long)event.num_pairs, records);
    Py_XDECREF(components);
    return NULL;
}

/* Records of a component: one, or those of the event that made it. */
static uint32_t size_of(const core_merge_events *self, uint64_t component) {
    sl_merge_event made = {.num_records = 1};
    if (component >= self->num_records)
        (void)sl_merge_events_get(self->events, (uint32_t)(component - self->num_records), &made);
    return made.num_records;
}

static PyObject *merge_events_sizes(PyObject *self, PyObject *argument) {
    sl_merge_event event;
    if (event_at(self, argument, &event) < 0) return NULL;
    uint32_t *sizes = core_allocate(core_state_of(self), event.num_components, sizeof *sizes, "sizes of components");
    if (!sizes) return NULL;
    PyThreadState *thread = PyEval_SaveThread();
    for (uint32_t c = 0; c < event.num_components; c++) sizes[c] = size_of(cast(self), event.components[c]);
    PyEval_RestoreThread(thread);
    return core_buffer_take(core_state_of(self), sizes, event.num_components, 'I');
}

static PyObject *merge_events_critical(PyObject *self, PyObject *argument) {
    uint32_t count, all = sl_merge_events_count(cast(self)->events);
    core_call call;
    if (!core_uint32_argument(argument, &count) || core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    if (count > all) count = all;
    uint32_t *events = core_allocate(call.state, count, sizeof *events, "merge events");
    if (!events) return NULL;
    core_call_leave(&call);
    sl_status status = sl_merge_events_critical(cast(self)->events, count, events, &count, &call.error);
    if (core_call_return(&call, status) == 0) return core_buffer_take(call.state, events, count, 'I');
    free(events);
    return NULL;
}

/* One number of each of some events. */
typedef struct event_columns {
    double *thresholds;
    uint64_t *pairs;
    uint32_t *records, *components;
} event_columns;

static int allocate_columns(const core_state *state, uint64_t count, event_columns *out) {
    out->thresholds = core_allocate(state, count, sizeof *out->thresholds, "merge events");
    if (out->thresholds) out->pairs = core_allocate(state, count, sizeof *out->pairs, "merge events");
    if (out->pairs) out->records = core_allocate(state, count, sizeof *out->records, "merge events");
    if (out->records) out->components = core_allocate(state, count, sizeof *out->components, "merge events");
    return out->components ? 0 : -1;
}

/* False: there is no such event. */
static bool fill_columns(const sl_merge_events *events, const uint32_t *numbers, uint64_t count, event_columns *out) {
    sl_merge_event event;
    for (uint64_t i = 0; i < count; i++) {
        if (!sl_merge_events_get(events, numbers[i], &event)) return false;
        out->thresholds[i] = event.threshold;
        out->pairs[i] = event.num_pairs;
        out->records[i] = event.num_records;
        out->components[i] = event.num_components;
    }
    return true;
}

/* Consumes the columns. */
static PyObject *columns_tuple(const core_state *state, event_columns *columns, uint64_t count) {
    PyObject *thresholds = core_buffer_take(state, columns->thresholds, count, 'd');
    PyObject *pairs = core_buffer_take(state, columns->pairs, count, 'Q');
    PyObject *records = core_buffer_take(state, columns->records, count, 'I');
    PyObject *components = core_buffer_take(state, columns->components, count, 'I');
    *columns = (event_columns){0};
    PyObject *tuple =
        thresholds && pairs && records && components ? PyTuple_Pack(4, thresholds, pairs, records, components) : NULL;
    Py_XDECREF(thresholds);
    Py_XDECREF(pairs);
    Py_XDECREF(records);
    Py_XDECREF(components);
    return tuple;
}

static PyObject *merge_events_columns(PyObject *self, PyObject *numbers) {
    const core_state *state = core_state_of(self);
    Py_buffer view;
    event_columns columns = {0};
    PyObject *tuple = NULL;
    if (core_array_view(state, numbers, SL_COLUMN_UINT32, "numbers of events", &view) < 0) return NULL;
    uint64_t count = core_array_length(&view);
    if (allocate_columns(state, count, &columns) == 0) {
        PyThreadState *thread = PyEval_SaveThread();
        bool found = fill_columns(cast(self)->events, view.buf, count, &columns);
        PyEval_RestoreThread(thread);
        if (found)
            tuple = columns_tuple(state, &columns, count);
        else
            PyErr_Format(PyExc_IndexError, "there are only %zd merge events", merge_events_length(self));
    }
    free(columns.thresholds);
    free(columns.pairs);
    free(columns.records);
    free(columns.components);
    PyBuffer_Release(&view);
    return tuple;
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
    {"event", merge_events_event, METH_O, "(threshold, components, result, pairs, records) of one event."},
    {"sizes", merge_events_sizes, METH_O, "Records of each component of one event (uint32)."},
    {"critical", merge_events_critical, METH_O, "Numbers of the events that bring most pairs together (uint32)."},
    {"columns", merge_events_columns, METH_O, "(thresholds, pairs, records, components) of some events, by column."},
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
