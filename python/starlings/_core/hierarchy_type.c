/* hierarchy_type.c: the Hierarchy type: immutable, its arrays as Buffers that keep it alive. Equal and hashed by content. */
#include "buffer_type.h"
#include "objects.h"

#include <string.h>

static const sl_hierarchy *of(PyObject *self) { return ((core_hierarchy *)self)->hierarchy; }

PyObject *core_hierarchy_take(core_state *state, sl_hierarchy *hierarchy) {
    core_hierarchy *self = (core_hierarchy *)core_object_new(state->hierarchy_type, sizeof *self);
    if (self)
        self->hierarchy = hierarchy;
    else
        sl_hierarchy_release(hierarchy);
    return (PyObject *)self;
}

static void hierarchy_dealloc(PyObject *object) {
    sl_hierarchy_release(((core_hierarchy *)object)->hierarchy);
    core_object_free(object);
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_hierarchy_num_records(of(self)));
}

static PyObject *get_num_levels(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_hierarchy_num_levels(of(self)));
}

static PyObject *get_num_merges(PyObject *self, void *closure) {
    (void)closure;
    PyThreadState *thread = PyEval_SaveThread();
    uint32_t merges = sl_hierarchy_num_merges(of(self));
    PyEval_RestoreThread(thread);
    return PyLong_FromUnsignedLong(merges);
}

static PyObject *get_is_exact(PyObject *self, void *closure) {
    (void)closure;
    return PyBool_FromLong(sl_hierarchy_is_exact(of(self)));
}

static PyObject *get_nbytes(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(sl_hierarchy_memory(of(self)));
}

static PyObject *get_order(PyObject *self, void *closure) {
    (void)closure;
    return core_buffer_borrow(core_state_of(self), self, sl_hierarchy_order(of(self)),
                              sl_hierarchy_num_records(of(self)), 'I');
}

static PyObject *get_join(PyObject *self, void *closure) {
    (void)closure;
    return core_buffer_borrow(core_state_of(self), self, sl_hierarchy_join(of(self)),
                              sl_hierarchy_num_records(of(self)), 'I');
}

static PyObject *get_levels(PyObject *self, void *closure) {
    (void)closure;
    return core_buffer_borrow(core_state_of(self), self, sl_hierarchy_levels(of(self)),
                              sl_hierarchy_num_levels(of(self)), 'd');
}

static PyObject *hierarchy_applied_levels(PyObject *self, PyObject *argument) {
    core_state *state = core_state_of(self);
    uint32_t levels = 0;
    sl_error error;
    double threshold = PyFloat_AsDouble(argument);
    if (threshold == -1.0 && PyErr_Occurred()) return NULL;
    if (sl_hierarchy_applied_levels(of(self), threshold, &levels, &error) == SL_OK)
        return PyLong_FromUnsignedLong(levels);
    core_raise_error(state, &error);
    return NULL;
}

static PyObject *hierarchy_lifetimes(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"num_records", "parameter", NULL};
    uint32_t num_records;
    double parameter;
    sl_lifetimes means;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O&d:lifetimes", names, core_uint32_argument, &num_records,
                                     &parameter))
        return NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_hierarchy_lifetimes(of(self), num_records, parameter, &means, &call.error);
    if (core_call_return(&call, status) < 0) return NULL;
    return Py_BuildValue("dd", means.entity_stability, means.threshold_sensitivity);
}

static PyObject *hierarchy_threshold_between(PyObject *self, PyObject *arguments) {
    uint32_t a, b;
    double threshold;
    bool together;
    core_call call;
    if (!PyArg_ParseTuple(arguments, "O&O&:threshold_between", core_uint32_argument, &a, core_uint32_argument, &b) ||
        core_call_init(&call, core_state_of(self), NULL) < 0)
        return NULL;
    core_call_leave(&call);
    sl_status status = sl_hierarchy_threshold_between(of(self), a, b, &threshold, &together, &call.error);
    if (core_call_return(&call, status) < 0) return NULL;
    return together ? PyFloat_FromDouble(threshold) : Py_NewRef(Py_None);
}

static PyObject *hierarchy_validate(PyObject *self, PyObject *ignored) {
    (void)ignored;
    core_call call;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_hierarchy_validate(of(self), &call.error);
    return core_call_return(&call, status) == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyObject *hierarchy_compare(PyObject *self, PyObject *other, int operation) {
    if ((operation != Py_EQ && operation != Py_NE) || !Py_IS_TYPE(other, Py_TYPE(self)))
        return Py_NewRef(Py_NotImplemented);
    PyThreadState *thread = PyEval_SaveThread();
    bool equal = self == other || sl_hierarchy_equal(of(self), of(other));
    PyEval_RestoreThread(thread);
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash ^= value;
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

/* Sizes, and sixty-four places of the two arrays: enough to tell hierarchies of different data apart, in no time. */
static Py_hash_t hierarchy_hash(PyObject *self) {
    uint32_t records = sl_hierarchy_num_records(of(self)), levels = sl_hierarchy_num_levels(of(self));
    const uint32_t *order = sl_hierarchy_order(of(self)), *join = sl_hierarchy_join(of(self));
    uint64_t hash = mix(mix(0, records), levels);
    uint32_t step = records / 64 + 1;
    for (uint64_t i = 0; i < records; i += step) hash = mix(hash, (uint64_t)order[i] << 32 | join[i]);
    for (uint32_t i = 0; i < levels && i < 4; i++) {
        uint64_t bits;
        memcpy(&bits, &sl_hierarchy_levels(of(self))[i], sizeof bits);
        hash = mix(hash, bits);
    }
    Py_hash_t result = (Py_hash_t)hash;
    return result == -1 ? -2 : result;
}

static PyMethodDef hierarchy_methods[] = {
    {"applied_levels", hierarchy_applied_levels, METH_O, "How many levels apply at a threshold."},
    {"lifetimes", (PyCFunction)(void (*)(void))hierarchy_lifetimes, METH_VARARGS | METH_KEYWORDS,
     "Means over all thresholds of entity_stability and threshold_sensitivity."},
    {"threshold_between", hierarchy_threshold_between, METH_VARARGS, "Highest threshold at which two records meet."},
    {"validate", hierarchy_validate, METH_NOARGS, "CorruptFileError with the reason unless every invariant holds."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef hierarchy_getset[] = {
    {"num_records", get_num_records, NULL, "Number of records.", NULL},
    {"num_levels", get_num_levels, NULL, "Number of distinct thresholds at which something merges.", NULL},
    {"num_merges", get_num_merges, NULL, "Number of merge events.", NULL},
    {"is_exact", get_is_exact, NULL, "Whether scores were kept as doubles.", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes held.", NULL},
    {"order", get_order, NULL, "Records in leaf order (uint32).", NULL},
    {"join", get_join, NULL, "Level at which neighbours in leaf order come together (uint32).", NULL},
    {"levels", get_levels, NULL, "The thresholds, descending (float64).", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot hierarchy_slots[] = {
    {Py_tp_doc, (char *)"Every partition of the records, from every threshold at once. Immutable."},
    {Py_tp_dealloc, (void *)hierarchy_dealloc},
    {Py_tp_richcompare, (void *)hierarchy_compare},
    {Py_tp_hash, (void *)hierarchy_hash},
    {Py_tp_methods, hierarchy_methods},
    {Py_tp_getset, hierarchy_getset},
    {0, NULL},
};

PyType_Spec core_hierarchy_spec = {
    .name = "starlings._core.Hierarchy",
    .basicsize = sizeof(core_hierarchy),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = hierarchy_slots,
};
