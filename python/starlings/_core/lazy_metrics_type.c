/* lazy_metrics_type.c: the LazyMetrics type: metrics of one hierarchy against one partition, computed when asked for. */
#include "objects.h"

#include <stdlib.h>

typedef struct core_lazy_metrics {
    PyObject_HEAD
    sl_lazy_metrics *lazy;
} core_lazy_metrics;

static sl_lazy_metrics *of(PyObject *self) { return ((core_lazy_metrics *)self)->lazy; }

/* What is measured, over how many records, against what. */
typedef struct comparison {
    const sl_hierarchy *hierarchy;
    const sl_partition *reference;
    uint32_t num_records;
} comparison;

/* The labels of the reference and, where it is over fewer records, a label of its own for each later record. */
static uint32_t *extend_labels(const core_state *state, const comparison *c, const uint32_t *known,
                               uint32_t *num_labels) {
    uint32_t covered = sl_partition_num_records(c->reference);
    uint32_t *labels = core_allocate(state, c->num_records, sizeof *labels, "reference labels");
    *num_labels = sl_partition_num_entities(c->reference);
    if (!labels) return NULL;
    for (uint32_t record = 0; record < c->num_records; record++)
        labels[record] = record < covered ? known[record] : (*num_labels)++;
    return labels;
}

static int create(core_call *call, core_lazy_metrics *self, const comparison *c) {
    const uint32_t *known;
    uint32_t num_labels;
    core_call_leave(call);
    sl_status status = sl_partition_labels(c->reference, &known, &call->error);
    if (core_call_return(call, status) < 0) return -1;
    uint32_t *labels = extend_labels(call->state, c, known, &num_labels);
    if (!labels) return -1;
    core_call_leave(call);
    status = sl_lazy_metrics_create(c->hierarchy, c->num_records, labels, num_labels, &self->lazy, &call->error);
    int failed = core_call_return(call, status);
    free(labels);
    return failed;
}

static PyObject *lazy_metrics_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"judged", "num_records", "reference", NULL};
    core_state *state = PyType_GetModuleState(type);
    PyObject *judged, *reference;
    comparison c;
    core_call call;
    if (!state ||
        !PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O&O!:LazyMetrics", names, state->hierarchy_type, &judged,
                                     core_uint32_argument, &c.num_records, state->partition_type, &reference))
        return NULL;
    c.hierarchy = ((core_hierarchy *)judged)->hierarchy;
    c.reference = ((core_partition *)reference)->partition;
    uint32_t least = sl_partition_num_records(c.reference), own = sl_hierarchy_num_records(c.hierarchy);
    if (own > least) least = own;
    if (c.num_records < least) c.num_records = least;
    core_lazy_metrics *self = (core_lazy_metrics *)core_object_new(type, sizeof *self);
    if (self && core_call_init(&call, state, NULL) == 0 && create(&call, self, &c) == 0) return (PyObject *)self;
    Py_XDECREF((PyObject *)self);
    return NULL;
}

static void lazy_metrics_dealloc(PyObject *object) {
    sl_lazy_metrics_release(of(object));
    core_object_free(object);
}

static PyObject *lazy_metrics_get(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "threshold", "parameter", NULL};
    const char *name;
    PyObject *given = Py_None;
    double threshold, parameter, value;
    sl_metric metric;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "sd|O:get", names, &name, &threshold, &given)) return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    if (core_metric_argument(&call, name, given, &metric, &parameter) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_lazy_metrics_get(of(self), threshold, metric, parameter, &value, &call.error);
    return core_call_return(&call, status) == 0 ? PyFloat_FromDouble(value) : NULL;
}

static PyObject *lazy_metrics_stats(PyObject *self, PyObject *ignored) {
    sl_computation_stats stats;
    (void)ignored;
    sl_lazy_metrics_stats(of(self), &stats);
    return core_stats_tuple(&stats);
}

static PyMethodDef lazy_metrics_methods[] = {
    {"get", (PyCFunction)(void (*)(void))lazy_metrics_get, METH_VARARGS | METH_KEYWORDS,
     "One metric at a threshold, kept or computed now."},
    {"stats", lazy_metrics_stats, METH_NOARGS, "The fields of sl_computation_stats, in their order."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot lazy_metrics_slots[] = {
    {Py_tp_doc, (char *)"Metrics of one hierarchy against one partition, computed when asked for and then kept."},
    {Py_tp_new, (void *)lazy_metrics_new},
    {Py_tp_dealloc, (void *)lazy_metrics_dealloc},
    {Py_tp_methods, lazy_metrics_methods},
    {0, NULL},
};

PyType_Spec core_lazy_metrics_spec = {
    .name = "starlings._core.LazyMetrics",
    .basicsize = sizeof(core_lazy_metrics),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lazy_metrics_slots,
};
