/* partition_type.c: the Partition type: arrays as Buffers, entities as slices of them or as Python sets.
 *
 * The engine makes an array when it is first asked for; that takes the GIL away for O(n) once, and nothing later. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>
#include <string.h>

typedef sl_status (*array_function)(const sl_partition *, const uint32_t **, sl_error *);

static const sl_partition *of(PyObject *self) { return ((core_partition *)self)->partition; }

static PyObject *partition_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"hierarchy", "threshold", "num_records", NULL};
    core_state *state = PyType_GetModuleState(type);
    core_hierarchy *hierarchy;
    double threshold;
    uint32_t num_records = 0;
    core_call call;
    if (!state || !PyArg_ParseTupleAndKeywords(arguments, keywords, "O!d|O&:Partition", names, state->hierarchy_type,
                                               &hierarchy, &threshold, core_uint32_argument, &num_records))
        return NULL;
    core_partition *self = (core_partition *)core_object_new(type, sizeof *self);
    if (!self || core_call_init(&call, state, NULL) < 0) goto failed;
    core_call_leave(&call);
    sl_status status = sl_partition_create(hierarchy->hierarchy, num_records, threshold, &self->partition, &call.error);
    if (core_call_return(&call, status) == 0) return (PyObject *)self;
failed:
    Py_XDECREF((PyObject *)self);
    return NULL;
}

PyObject *core_partition_take(core_state *state, sl_partition *partition) {
    core_partition *self = (core_partition *)core_object_new(state->partition_type, sizeof *self);
    if (self)
        self->partition = partition;
    else
        sl_partition_release(partition);
    return (PyObject *)self;
}

static void partition_dealloc(PyObject *object) {
    sl_partition_release(((core_partition *)object)->partition);
    core_object_free(object);
}

/* Several objects may stand for one partition. */
static PyObject *partition_compare(PyObject *self, PyObject *other, int operation) {
    if ((operation != Py_EQ && operation != Py_NE) || !Py_IS_TYPE(other, Py_TYPE(self)))
        return Py_NewRef(Py_NotImplemented);
    return PyBool_FromLong((of(self) == of(other)) == (operation == Py_EQ));
}

static Py_hash_t partition_hash(PyObject *self) {
    Py_hash_t hash = (Py_hash_t)((uintptr_t)of(self) >> 4);
    return hash == -1 ? -2 : hash;
}

static PyObject *get_threshold(PyObject *self, void *closure) {
    (void)closure;
    return PyFloat_FromDouble(sl_partition_threshold(of(self)));
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_partition_num_records(of(self)));
}

static PyObject *get_num_entities(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_partition_num_entities(of(self)));
}

/* An array of the engine, borrowed for as long as the partition lives; NULL with an exception. */
static const uint32_t *array_of(PyObject *self, array_function function) {
    const uint32_t *array = NULL;
    core_call call;
    if (core_call_init(&call, core_state_of(self), NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = function(of(self), &array, &call.error);
    static const uint32_t nothing = 0;
    if (core_call_return(&call, status) < 0) return NULL;
    return array ? array : &nothing;
}

static PyObject *buffer_of(PyObject *self, array_function function, uint64_t length) {
    const uint32_t *array = array_of(self, function);
    return array ? core_buffer_borrow(core_state_of(self), self, array, length, 'I') : NULL;
}

static PyObject *get_offsets(PyObject *self, void *closure) {
    (void)closure;
    return buffer_of(self, sl_partition_offsets, (uint64_t)sl_partition_num_entities(of(self)) + 1);
}

static PyObject *get_sizes(PyObject *self, void *closure) {
    (void)closure;
    return buffer_of(self, sl_partition_sizes, sl_partition_num_entities(of(self)));
}

static PyObject *get_labels(PyObject *self, void *closure) {
    (void)closure;
    return buffer_of(self, sl_partition_labels, sl_partition_num_records(of(self)));
}

static PyObject *get_records(PyObject *self, void *closure) {
    (void)closure;
    return buffer_of(self, sl_partition_records, sl_partition_num_records(of(self)));
}

static PyObject *partition_densities(PyObject *self, PyObject *argument) {
    core_state *state = core_state_of(self);
    uint64_t count = sl_partition_num_entities(of(self));
    double threshold = PyFloat_AsDouble(argument);
    core_call call;
    if (threshold == -1.0 && PyErr_Occurred()) return NULL;
    if (core_call_init(&call, state, NULL) < 0) return NULL;
    double *densities = core_allocate(state, count, sizeof *densities, "densities");
    if (!densities) return NULL;
    core_call_leave(&call);
    sl_status status = sl_partition_densities(of(self), threshold, densities, &call.error);
    if (core_call_return(&call, status) == 0) return core_buffer_take(state, densities, count, 'd');
    free(densities);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------- entities */

typedef struct members {
    const uint32_t *records;
    uint64_t count;
} members;

static int members_at(PyObject *self, Py_ssize_t entity, members *out) {
    uint32_t entities = sl_partition_num_entities(of(self));
    if (entity < 0 || (size_t)entity >= entities) {
        PyErr_Format(PyExc_IndexError, "there is no entity %zd: the partition has %u entities", entity,
                     (unsigned)entities);
        return -1;
    }
    const uint32_t *offsets = array_of(self, sl_partition_offsets);
    const uint32_t *records = offsets ? array_of(self, sl_partition_records) : NULL;
    if (!records) return -1;
    *out = (members){records + offsets[entity], (uint64_t)offsets[entity + 1] - offsets[entity]};
    return 0;
}

static PyObject *partition_entity(PyObject *self, PyObject *argument) {
    members found;
    Py_ssize_t entity = PyNumber_AsSsize_t(argument, PyExc_IndexError);
    if ((entity == -1 && PyErr_Occurred()) || members_at(self, entity, &found) < 0) return NULL;
    return core_buffer_borrow(core_state_of(self), self, found.records, found.count, 'I');
}

/* The arguments (context, entity_id) and what they say. */
static int parse_entity(PyObject *self, PyObject *arguments, PyObject *keywords, const char *format, core_call *call,
                        core_context **context, members *out) {
    static char *names[] = {"context", "entity_id", NULL};
    core_state *state = core_state_of(self);
    Py_ssize_t entity;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, format, names, state->context_type, context, &entity))
        return -1;
    if (core_call_init(call, state, NULL) < 0) return -1;
    return members_at(self, entity, out);
}

static PyObject *partition_entity_set(PyObject *self, PyObject *arguments, PyObject *keywords) {
    core_context *context;
    core_call call;
    members found;
    if (parse_entity(self, arguments, keywords, "O!n:entity_set", &call, &context, &found) < 0) return NULL;
    return core_record_set(context, &call, found.records, found.count);
}

static int mark_sources(core_call *call, core_context *context, members found, uint8_t present[SL_MAX_SOURCES + 1]) {
    memset(present, 0, SL_MAX_SOURCES + 1);
    for (uint64_t i = 0; i < found.count; i++) {
        sl_record record;
        if (!sl_context_record(context->context, found.records[i], &record))
            return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT,
                              "the context has no record %u: it is not this partition's", (unsigned)found.records[i]);
        present[record.source] = 1;
        if (i % CORE_POLL_ROWS == 0 && PyErr_CheckSignals() < 0) return -1;
    }
    return 0;
}

static PyObject *partition_entity_sources(PyObject *self, PyObject *arguments, PyObject *keywords) {
    core_context *context;
    core_call call;
    members found;
    uint8_t present[SL_MAX_SOURCES + 1];
    if (parse_entity(self, arguments, keywords, "O!n:entity_sources", &call, &context, &found) < 0) return NULL;
    if (mark_sources(&call, context, found, present) < 0) return NULL;
    PyObject *list = PyList_New(0);
    uint32_t sources = sl_context_num_sources(context->context);
    for (uint32_t source = 0; list && source < sources; source++) {
        if (!present[source]) continue;
        PyObject *name = core_source_name(context, (uint16_t)source);
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
    }
    return list;
}

static PyObject *partition_to_list(PyObject *self, PyObject *context) {
    core_state *state = core_state_of(self);
    core_call call;
    if (!Py_IS_TYPE(context, state->context_type)) {
        char text[CORE_TEXT_SIZE];
        PyErr_Format(PyExc_TypeError, "to_list takes a Context, not a %s", core_type_text(context, text));
        return NULL;
    }
    if (core_call_init(&call, state, NULL) < 0) return NULL;
    const uint32_t *offsets = array_of(self, sl_partition_offsets);
    const uint32_t *records = offsets ? array_of(self, sl_partition_records) : NULL;
    uint32_t entities = sl_partition_num_entities(of(self));
    PyObject *list = records ? PyList_New(0) : NULL;
    for (uint32_t entity = 0; list && entity < entities; entity++) {
        int failed = entity % CORE_POLL_ROWS ? 0 : core_call_poll(&call, "making entities", entity, entities);
        PyObject *set = failed ? NULL
                               : core_record_set((core_context *)context, &call, records + offsets[entity],
                                                 (uint64_t)offsets[entity + 1] - offsets[entity]);
        if (!set || PyList_Append(list, set) < 0) Py_CLEAR(list);
        Py_XDECREF(set);
    }
    return list;
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef partition_methods[] = {
    {"digests", WITH_KEYWORDS(core_partition_digests), METH_VARARGS | METH_KEYWORDS,
     "Hash of each entity (uint8), one after the other."},
    {"fingerprints", WITH_KEYWORDS(core_partition_fingerprints), METH_VARARGS | METH_KEYWORDS,
     "Fingerprint of each entity (uint32), one after the other."},
    {"entity", partition_entity, METH_O, "Record indices of one entity (uint32)."},
    {"entity_set", WITH_KEYWORDS(partition_entity_set), METH_VARARGS | METH_KEYWORDS, "(source, key) of its records."},
    {"entity_sources", WITH_KEYWORDS(partition_entity_sources), METH_VARARGS | METH_KEYWORDS,
     "Names of the sources with a record in the entity, in order of source id."},
    {"densities", partition_densities, METH_O,
     "Share of the pairs of each entity that an edge of at least a threshold joins (float64)."},
    {"to_list", partition_to_list, METH_O, "Every entity as a set of (source, key)."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef partition_getset[] = {
    {"threshold", get_threshold, NULL, "Where the hierarchy was cut.", NULL},
    {"num_records", get_num_records, NULL, "Number of records.", NULL},
    {"num_entities", get_num_entities, NULL, "Number of entities.", NULL},
    {"offsets", get_offsets, NULL, "Where each entity starts in records (uint32, one more than entities).", NULL},
    {"sizes", get_sizes, NULL, "Size of each entity (uint32).", NULL},
    {"labels", get_labels, NULL, "Entity of each record (uint32).", NULL},
    {"records", get_records, NULL, "Records in the order of the entities (uint32).", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot partition_slots[] = {
    {Py_tp_doc, (char *)"The entities at one threshold."},
    {Py_tp_new, (void *)partition_new},
    {Py_tp_dealloc, (void *)partition_dealloc},
    {Py_tp_richcompare, (void *)partition_compare},
    {Py_tp_hash, (void *)partition_hash},
    {Py_tp_methods, partition_methods},
    {Py_tp_getset, partition_getset},
    {0, NULL},
};

PyType_Spec core_partition_spec = {
    .name = "starlings._core.Partition",
    .basicsize = sizeof(core_partition),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = partition_slots,
};
