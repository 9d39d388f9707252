/* curve_type.c: the Curve type: every metric of one hierarchy at many cuts. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>

typedef struct core_curve {
    PyObject_HEAD
    sl_curve *curve;
} core_curve;

/* What is measured: a collection, whose stats the work is noted in, or a hierarchy over some records (0: its own). */
typedef struct judged {
    const sl_collection *collection; /* NULL: none */
    const sl_hierarchy *hierarchy;
    uint32_t num_records;
} judged;

PyObject *core_curve_take(core_state *state, sl_curve *curve) {
    core_curve *self = (core_curve *)core_object_new(state->curve_type, sizeof *self);
    if (self)
        self->curve = curve;
    else
        sl_curve_release(curve);
    return (PyObject *)self;
}

static const sl_curve *of(PyObject *self) { return ((core_curve *)self)->curve; }

/* The labels of the reference, which must be over the same records. */
static int set_reference(core_call *call, judged j, PyObject *reference, sl_curve_options *options) {
    if (reference == Py_None) return 0;
    char text[CORE_TEXT_SIZE];
    if (!Py_IS_TYPE(reference, call->state->partition_type))
        return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "reference must be a Partition or None, not a %s",
                          core_type_text(reference, text));
    const sl_partition *partition = ((core_partition *)reference)->partition;
    if (sl_partition_num_records(partition) != j.num_records)
        return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT,
                          "the reference is over %u records, the judged hierarchy over %u: both must be over the same",
                          (unsigned)sl_partition_num_records(partition), (unsigned)j.num_records);
    core_call_leave(call);
    sl_status status = sl_partition_labels(partition, &options->reference_labels, &call->error);
    static const uint32_t nothing = 0;
    if (core_call_return(call, status) < 0) return -1;
    if (!options->reference_labels) options->reference_labels = &nothing; /* no records: still a reference */
    options->num_reference_labels = sl_partition_num_entities(partition);
    return 0;
}

static int measure(core_call *call, core_curve *self, judged j, const sl_curve_options *options) {
    core_call_leave(call);
    sl_status status = j.collection ? sl_collection_measure(j.collection, options, &self->curve, &call->error)
                                    : sl_curve_create(j.hierarchy, j.num_records, options, &self->curve, &call->error);
    return core_call_return(call, status);
}

static int create(core_call *call, core_curve *self, judged j, PyObject *reference, PyObject *thresholds) {
    static const double nothing = 0;
    sl_curve_options options = {.progress = &call->progress};
    Py_buffer view;
    if (set_reference(call, j, reference, &options) < 0) return -1;
    if (thresholds == Py_None) return measure(call, self, j, &options);
    if (core_array_view(call->state, thresholds, SL_COLUMN_FLOAT64, "thresholds", &view) < 0) return -1;
    options.thresholds = view.buf ? view.buf : &nothing;
    options.num_thresholds = core_array_length(&view);
    int failed = measure(call, self, j, &options);
    PyBuffer_Release(&view);
    return failed;
}

static int read_judged(core_state *state, PyObject *object, uint32_t num_records, judged *out) {
    char text[CORE_TEXT_SIZE];
    if (Py_IS_TYPE(object, state->collection_type)) {
        out->collection = ((core_collection *)object)->collection;
        out->hierarchy = sl_collection_hierarchy(out->collection);
        out->num_records = sl_collection_num_records(out->collection);
        if (num_records == 0 || num_records == out->num_records) return 0;
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "a collection of %u records cannot be measured over %u",
                          (unsigned)out->num_records, (unsigned)num_records);
    }
    if (!Py_IS_TYPE(object, state->hierarchy_type)) {
        PyErr_Format(PyExc_TypeError, "what is judged must be a Collection or a Hierarchy, not a %s",
                     core_type_text(object, text));
        return -1;
    }
    out->collection = NULL;
    out->hierarchy = ((core_hierarchy *)object)->hierarchy;
    out->num_records = num_records ? num_records : sl_hierarchy_num_records(out->hierarchy);
    return 0;
}

static PyObject *curve_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"judged", "num_records", "reference", "thresholds", "progress", NULL};
    core_state *state = PyType_GetModuleState(type);
    judged j;
    uint32_t num_records = 0;
    PyObject *object, *reference = Py_None, *thresholds = Py_None, *callback = Py_None;
    core_call call;
    if (!state || !PyArg_ParseTupleAndKeywords(arguments, keywords, "O|O&OOO:Curve", names, &object,
                                               core_uint32_argument, &num_records, &reference, &thresholds, &callback))
        return NULL;
    if (read_judged(state, object, num_records, &j) < 0) return NULL;
    core_curve *self = (core_curve *)core_object_new(type, sizeof *self);
    if (self && core_call_init(&call, state, callback) == 0 && create(&call, self, j, reference, thresholds) == 0)
        return (PyObject *)self;
    Py_XDECREF((PyObject *)self);
    return NULL;
}

static void curve_dealloc(PyObject *object) {
    sl_curve_release(((core_curve *)object)->curve);
    core_object_free(object);
}

static Py_ssize_t curve_length(PyObject *self) { return (Py_ssize_t)sl_curve_length(of(self)); }

static PyObject *get_thresholds(PyObject *self, void *closure) {
    (void)closure;
    return core_buffer_borrow(core_state_of(self), self, sl_curve_thresholds(of(self)), sl_curve_length(of(self)), 'd');
}

/* What None stands for: beta 1, or the shift that the engine names. */
static double default_parameter(sl_metric metric) {
    return metric == SL_METRIC_THRESHOLD_SENSITIVITY ? SL_SENSITIVITY_SHIFT : 1.0;
}

int core_metric_argument(core_call *call, const char *name, PyObject *given, sl_metric *metric, double *parameter) {
    if (sl_metric_from_name(name, metric, &call->error) != SL_OK) {
        core_raise_error(call->state, &call->error);
        return -1;
    }
    *parameter = given == Py_None ? default_parameter(*metric) : PyFloat_AsDouble(given);
    return *parameter == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *curve_metric(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "parameter", NULL};
    const char *name;
    PyObject *given = Py_None;
    double parameter;
    sl_metric metric;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "s|O:metric", names, &name, &given)) return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    if (core_metric_argument(&call, name, given, &metric, &parameter) < 0) return NULL;
    uint64_t length = sl_curve_length(of(self));
    double *values = core_allocate(call.state, length, sizeof *values, "values of a metric");
    if (!values) return NULL;
    core_call_leave(&call);
    sl_status status = sl_curve_metric(of(self), metric, parameter, values, &call.error);
    if (core_call_return(&call, status) == 0) return core_buffer_take(call.state, values, length, 'd');
    free(values);
    return NULL;
}

static PyMethodDef curve_methods[] = {
    {"metric", (PyCFunction)(void (*)(void))curve_metric, METH_VARARGS | METH_KEYWORDS,
     "One metric at every cut (float64)."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef curve_getset[] = {
    {"thresholds", get_thresholds, NULL, "The thresholds of the cuts, as compared (float64).", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot curve_slots[] = {
    {Py_tp_doc, (char *)"Sums of one hierarchy at many cuts, from which every metric is a formula."},
    {Py_tp_new, (void *)curve_new},
    {Py_tp_dealloc, (void *)curve_dealloc},
    {Py_sq_length, (void *)curve_length},
    {Py_tp_methods, curve_methods},
    {Py_tp_getset, curve_getset},
    {0, NULL},
};

PyType_Spec core_curve_spec = {
    .name = "starlings._core.Curve",
    .basicsize = sizeof(core_curve),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = curve_slots,
};
