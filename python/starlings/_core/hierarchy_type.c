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

static const char *const scale_names[] = {[SL_SCALE_PROBABILITY] = "probability", [SL_SCALE_WEIGHT] = "weight"};

static PyObject *get_scale(PyObject *self, void *closure) {
    (void)closure;
    return PyUnicode_FromString(scale_names[sl_hierarchy_scale(of(self))]);
}

int core_read_scale(const core_state *state, PyObject *object, sl_scale *out) {
    *out = SL_SCALE_PROBABILITY;
    if (!object) return 0;
    for (int scale = SL_SCALE_PROBABILITY; scale <= SL_SCALE_WEIGHT; scale++)
        if (PyUnicode_Check(object) && PyUnicode_CompareWithASCIIString(object, scale_names[scale]) == 0) {
            *out = (sl_scale)scale;
            return 0;
        }
    char text[CORE_TEXT_SIZE];
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "scale must be 'probability' or 'weight', not %s",
                      core_value_text(object, text));
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

static PyObject *get_kept(PyObject *self, void *closure) {
    (void)closure;
    return core_keep_name(sl_hierarchy_kept(of(self)));
}

static PyObject *get_edges(PyObject *self, void *closure) {
    const sl_edge_list *edges = sl_hierarchy_edges(of(self));
    (void)closure;
    return edges ? core_edge_list_of(core_state_of(self), edges) : Py_NewRef(Py_None);
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

/* The values of an engine's array, in memory of Python's own. */
static PyObject *copied_buffer(const core_state *state, const void *values, uint64_t count, size_t size, char format) {
    void *copy = core_allocate(state, count, size, "a copy for Python");
    if (!copy) return NULL;
    memcpy(copy, values, count * size);
    return core_buffer_take(state, copy, count, format);
}

static PyObject *hierarchy_lineage(PyObject *self, PyObject *record) {
    core_state *state = core_state_of(self);
    uint32_t number;
    sl_lineage lineage;
    core_call call;
    if (!core_uint32_argument(record, &number) || core_call_init(&call, state, NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_hierarchy_lineage(of(self), number, &lineage, &call.error);
    PyObject *tuple = NULL;
    if (core_call_return(&call, status) == 0) {
        uint32_t steps = lineage.num_steps;
        PyObject *thresholds = copied_buffer(state, lineage.thresholds, steps, sizeof(double), 'd');
        PyObject *first = thresholds ? copied_buffer(state, lineage.first, steps, sizeof(uint32_t), 'I') : NULL;
        PyObject *size = first ? copied_buffer(state, lineage.size, steps, sizeof(uint32_t), 'I') : NULL;
        if (size) tuple = PyTuple_Pack(3, thresholds, first, size);
        Py_XDECREF(thresholds);
        Py_XDECREF(first);
        Py_XDECREF(size);
    }
    sl_lineage_release(&lineage);
    return tuple;
}

static PyObject *chain_object(const core_state *state, const sl_chain *chain) {
    if (chain->num_edges == 0) return Py_NewRef(Py_None);
    uint64_t edges = chain->num_edges;
    PyObject *records = copied_buffer(state, chain->records, edges + 1, sizeof *chain->records, 'I');
    PyObject *scores = records ? copied_buffer(state, chain->scores, edges, sizeof *chain->scores, 'd') : NULL;
    if (scores) return Py_BuildValue("dNN", chain->threshold, records, scores);
    Py_XDECREF(records);
    return NULL;
}

static PyObject *hierarchy_explain(PyObject *self, PyObject *arguments) {
    uint32_t a, b;
    sl_chain chain;
    core_call call;
    if (!PyArg_ParseTuple(arguments, "O&O&:explain", core_uint32_argument, &a, core_uint32_argument, &b) ||
        core_call_init(&call, core_state_of(self), NULL) < 0)
        return NULL;
    core_call_leave(&call);
    sl_status status = sl_hierarchy_explain(of(self), a, b, &chain, &call.error);
    if (core_call_return(&call, status) < 0) {
        sl_chain_release(&chain);
        return NULL;
    }
    PyObject *explanation = chain_object(core_state_of(self), &chain);
    sl_chain_release(&chain);
    return explanation;
}

static PyObject *hierarchy_validate(PyObject *self, PyObject *ignored) {
    (void)ignored;
    core_call call;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_hierarchy_validate(of(self), &call.error);
    return core_call_return(&call, status) == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyObject *hierarchy_strip(PyObject *self, PyObject *ignored) {
    (void)ignored;
    core_call call;
    sl_hierarchy *stripped = NULL;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_hierarchy_strip(of(self), &stripped, &call.error);
    return core_call_return(&call, status) == 0 ? core_hierarchy_take(core_state_of(self), stripped) : NULL;
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
    {"lineage", hierarchy_lineage, METH_O, "(thresholds, first, size) of the entities of one record."},
    {"threshold_between", hierarchy_threshold_between, METH_VARARGS, "Highest threshold at which two records meet."},
    {"explain", hierarchy_explain, METH_VARARGS, "The chain of kept edges between two records."},
    {"strip", hierarchy_strip, METH_NOARGS, "The merges alone, without kept edges and constraints."},
    {"validate", hierarchy_validate, METH_NOARGS, "CorruptFileError with the reason unless every invariant holds."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef hierarchy_getset[] = {
    {"num_records", get_num_records, NULL, "Number of records.", NULL},
    {"num_levels", get_num_levels, NULL, "Number of distinct thresholds at which something merges.", NULL},
    {"num_merges", get_num_merges, NULL, "Number of merge events.", NULL},
    {"is_exact", get_is_exact, NULL, "Whether scores were kept as doubles.", NULL},
    {"scale", get_scale, NULL, "What levels are: 'probability' or 'weight'.", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes held.", NULL},
    {"constraints", core_hierarchy_constraints, NULL,
     "Unique sources, largest size, whether ties are dropped; or None.", NULL},
    {"num_skipped", core_hierarchy_num_skipped, NULL, "Edges left out because constraints forbid their merge.", NULL},
    {"num_tied", core_hierarchy_num_tied, NULL, "Edges refused together with others of their score.", NULL},
    {"order", get_order, NULL, "Records in leaf order (uint32).", NULL},
    {"join", get_join, NULL, "Level at which neighbours in leaf order come together (uint32).", NULL},
    {"kept", get_kept, NULL, "What it kept of its edges.", NULL},
    {"edges", get_edges, NULL, "All its edges, or None.", NULL},
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
