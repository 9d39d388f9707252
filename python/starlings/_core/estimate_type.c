/* estimate_type.c: the Estimate type: metrics of one hierarchy at many cuts, from a sample of the true entities. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>

typedef struct core_estimate {
    PyObject_HEAD
    sl_estimate *estimate;
} core_estimate;

static const sl_estimate *of(PyObject *self) { return ((core_estimate *)self)->estimate; }

/* The arrays of a call, viewed in this order; those not given are NULL. */
enum { RECORDS, ENTITIES, WEIGHTS, THRESHOLDS, NUM_ARRAYS };

typedef struct arrays {
    Py_buffer views[NUM_ARRAYS];
    bool given[NUM_ARRAYS];
} arrays;

static void give_back(arrays *a) {
    for (int i = 0; i < NUM_ARRAYS; i++)
        if (a->given[i]) PyBuffer_Release(&a->views[i]);
}

static int view_arrays(const core_state *state, PyObject *const *objects, arrays *a) {
    static const char *const names[] = {"records", "entities", "weights", "thresholds"};
    for (int i = 0; i < NUM_ARRAYS; i++) {
        sl_column_type type = i < WEIGHTS ? SL_COLUMN_UINT32 : SL_COLUMN_FLOAT64;
        if (objects[i] == Py_None) continue;
        if (core_array_view(state, objects[i], type, names[i], &a->views[i]) < 0) return -1;
        a->given[i] = true;
    }
    return 0;
}

static uint64_t length_of(const arrays *a, int which) {
    return a->given[which] ? core_array_length(&a->views[which]) : 0;
}

/* The buffer of an array that was given; never NULL then, as that would mean another thing. */
static const void *values_of(const arrays *a, int which) {
    static const double nothing = 0;
    return !a->given[which] ? NULL : a->views[which].buf ? a->views[which].buf : (const void *)&nothing;
}

static int check_lengths(const core_state *state, const arrays *a, uint32_t num_entities) {
    if (length_of(a, RECORDS) != length_of(a, ENTITIES))
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "%llu records of the sample have %llu entities",
                          (unsigned long long)length_of(a, RECORDS), (unsigned long long)length_of(a, ENTITIES));
    if (a->given[WEIGHTS] && length_of(a, WEIGHTS) != num_entities)
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "%lu entities have %llu weights",
                          (unsigned long)num_entities, (unsigned long long)length_of(a, WEIGHTS));
    return 0;
}

static int create(core_call *call, core_estimate *self, const sl_hierarchy *hierarchy, uint32_t num_records,
                  uint32_t num_entities, const arrays *a) {
    sl_sample sample = {.records = values_of(a, RECORDS),
                        .entities = values_of(a, ENTITIES),
                        .count = length_of(a, RECORDS),
                        .num_entities = num_entities,
                        .weights = values_of(a, WEIGHTS)};
    if (check_lengths(call->state, a, num_entities) < 0) return -1;
    core_call_leave(call);
    sl_status status = sl_estimate_create(hierarchy, num_records, &sample, values_of(a, THRESHOLDS),
                                          length_of(a, THRESHOLDS), &call->progress, &self->estimate, &call->error);
    return core_call_return(call, status);
}

static PyObject *estimate_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"hierarchy", "num_records", "records",  "entities", "num_entities",
                            "weights",   "thresholds",  "progress", NULL};
    core_state *state = PyType_GetModuleState(type);
    core_hierarchy *hierarchy;
    uint32_t num_records, num_entities;
    PyObject *objects[NUM_ARRAYS] = {NULL, NULL, Py_None, Py_None}, *callback = Py_None;
    arrays a = {0};
    core_call call;
    if (!state || !PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O&OOO&|OOO:Estimate", names,
                                               state->hierarchy_type, &hierarchy, core_uint32_argument, &num_records,
                                               &objects[RECORDS], &objects[ENTITIES], core_uint32_argument,
                                               &num_entities, &objects[WEIGHTS], &objects[THRESHOLDS], &callback))
        return NULL;
    core_estimate *self = (core_estimate *)core_object_new(type, sizeof *self);
    bool made = self && core_call_init(&call, state, callback) == 0 && view_arrays(state, objects, &a) == 0 &&
                create(&call, self, hierarchy->hierarchy, num_records, num_entities, &a) == 0;
    give_back(&a);
    if (made) return (PyObject *)self;
    Py_XDECREF((PyObject *)self);
    return NULL;
}

static void estimate_dealloc(PyObject *object) {
    sl_estimate_release(((core_estimate *)object)->estimate);
    core_object_free(object);
}

static Py_ssize_t estimate_length(PyObject *self) { return (Py_ssize_t)sl_estimate_length(of(self)); }

static PyObject *get_thresholds(PyObject *self, void *closure) {
    (void)closure;
    return core_buffer_borrow(core_state_of(self), self, sl_estimate_thresholds(of(self)), sl_estimate_length(of(self)),
                              'd');
}

enum { VALUES, ERRORS, LOW, HIGH, NUM_COLUMNS };

/* A tuple of Buffers, which take the columns over. */
static PyObject *take_columns(const core_state *state, double **columns, uint64_t length) {
    PyObject *tuple = PyTuple_New(NUM_COLUMNS);
    for (Py_ssize_t i = 0; tuple && i < NUM_COLUMNS; i++) {
        PyObject *column = core_buffer_take(state, columns[i], length, 'd');
        columns[i] = NULL;
        if (!column || PyTuple_SetItem(tuple, i, column) < 0) Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *evaluate(PyObject *self, core_call *call, sl_metric metric, double parameter, double level) {
    double *columns[NUM_COLUMNS] = {NULL, NULL, NULL, NULL};
    uint64_t length = sl_estimate_length(of(self));
    PyObject *tuple = NULL;
    bool allocated = true;
    for (int i = 0; allocated && i < NUM_COLUMNS; i++) {
        columns[i] = core_allocate(call->state, length, sizeof **columns, "estimates of a metric");
        allocated = columns[i] != NULL;
    }
    if (allocated) {
        core_call_leave(call);
        sl_status status = sl_estimate_metric(of(self), metric, parameter, level, columns[VALUES], columns[ERRORS],
                                              columns[LOW], columns[HIGH], &call->error);
        if (core_call_return(call, status) == 0) tuple = take_columns(call->state, columns, length);
    }
    for (int i = 0; i < NUM_COLUMNS; i++) free(columns[i]);
    return tuple;
}

static PyObject *estimate_metric(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "parameter", "level", NULL};
    const char *name;
    PyObject *given = Py_None;
    double level = 0.95, parameter;
    sl_metric metric;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "s|Od:metric", names, &name, &given, &level)) return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    if (core_metric_argument(&call, name, given, &metric, &parameter) < 0) return NULL;
    return evaluate(self, &call, metric, parameter, level);
}

PyObject *core_is_estimable(PyObject *module, PyObject *name) {
    sl_metric metric;
    (void)module;
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
    if (!text) return NULL;
    return PyBool_FromLong(sl_metric_from_name(text, &metric, NULL) == SL_OK && sl_metric_is_estimable(metric));
}

static PyMethodDef estimate_methods[] = {
    {"metric", (PyCFunction)(void (*)(void))estimate_metric, METH_VARARGS | METH_KEYWORDS,
     "Estimate, standard error and bounds of a metric at every cut (float64)."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef estimate_getset[] = {
    {"thresholds", get_thresholds, NULL, "The thresholds of the cuts, as compared (float64).", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot estimate_slots[] = {
    {Py_tp_doc, (char *)"Sums over a sample of true entities at many cuts, from which metrics are estimated."},
    {Py_tp_new, (void *)estimate_new},
    {Py_tp_dealloc, (void *)estimate_dealloc},
    {Py_sq_length, (void *)estimate_length},
    {Py_tp_methods, estimate_methods},
    {Py_tp_getset, estimate_getset},
    {0, NULL},
};

PyType_Spec core_estimate_spec = {
    .name = "starlings._core.Estimate",
    .basicsize = sizeof(core_estimate),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = estimate_slots,
};
