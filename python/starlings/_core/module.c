/* module.c: the module starlings._core: its types, its functions and its state.
 *
 * The C interface of the engine as Python objects, with no per-record work in Python. _core.pyi beside this folder is the
 * contract with the Python part of the package; nothing here is public. */
#include "arrow_tables.h"
#include "batches_type.h"
#include "buffer_type.h"
#include "frame_objects.h"
#include "objects.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------------- instances */

PyObject *core_object_new(PyTypeObject *type, size_t size) {
    PyObject *self = PyObject_New(PyObject, type);
    if (self) memset((char *)self + sizeof(PyObject), 0, size - sizeof(PyObject));
    return self;
}

void core_object_free(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF((PyObject *)type);
}

/* ------------------------------------------------------------------------------------------------------- functions */

static PyObject *version(PyObject *module, PyObject *ignored) {
    (void)module;
    (void)ignored;
    return PyUnicode_FromString(sl_version());
}

static PyObject *set_num_threads(PyObject *module, PyObject *argument) {
    uint32_t num_threads;
    (void)module;
    if (!core_uint32_argument(argument, &num_threads)) return NULL;
    Py_BEGIN_ALLOW_THREADS sl_set_num_threads(num_threads);
    Py_END_ALLOW_THREADS return Py_NewRef(Py_None);
}

static PyObject *num_threads(PyObject *module, PyObject *ignored) {
    (void)module;
    (void)ignored;
    return PyLong_FromUnsignedLong(sl_num_threads());
}

static PyObject *memory_in_use(PyObject *module, PyObject *ignored) {
    (void)module;
    (void)ignored;
    return PyLong_FromUnsignedLongLong(sl_memory_in_use());
}

static PyObject *metric_names(PyObject *module, PyObject *ignored) {
    (void)module;
    (void)ignored;
    PyObject *list = PyList_New(0);
    for (int metric = 0; list && metric < SL_NUM_METRICS; metric++) {
        sl_metric m = (sl_metric)metric;
        PyObject *row = Py_BuildValue("sNNs", sl_metric_name(m), PyBool_FromLong(sl_metric_needs_reference(m)),
                                      PyBool_FromLong(sl_metric_is_count(m)), sl_metric_definition(m));
        if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *set_exceptions(PyObject *module, PyObject *exceptions) {
    core_state *state = PyModule_GetState(module);
    PyObject *previous = state->exceptions;
    state->exceptions = Py_NewRef(exceptions);
    Py_XDECREF(previous);
    return Py_NewRef(Py_None);
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef functions[] = {
    {"constrain", WITH_KEYWORDS(core_constrain), METH_VARARGS | METH_KEYWORDS,
     "The hierarchy of all edges that a hierarchy kept, without the merges that must not be."},
    {"extend", WITH_KEYWORDS(core_extend), METH_VARARGS | METH_KEYWORDS,
     "The hierarchy of edges over all records of a context, and of a base hierarchy."},
    {"from_entities", WITH_KEYWORDS(core_from_entities), METH_VARARGS | METH_KEYWORDS,
     "The hierarchy of entities, each an iterable of keys."},
    {"from_labels", WITH_KEYWORDS(core_from_labels), METH_VARARGS | METH_KEYWORDS,
     "The hierarchy in which keys[i] belongs to the entity labels[i]."},
    {"from_merges", WITH_KEYWORDS(core_from_merges), METH_VARARGS | METH_KEYWORDS, "The hierarchy of merge events."},
    {"frame_from_relations", WITH_KEYWORDS(core_frame_from_relations), METH_VARARGS | METH_KEYWORDS,
     "The frame of its tables in the relational form."},
    {"merge", WITH_KEYWORDS(core_merge), METH_VARARGS | METH_KEYWORDS,
     "The hierarchy of two hierarchies' edges together."},
    {"from_membership", WITH_KEYWORDS(core_from_membership), METH_VARARGS | METH_KEYWORDS,
     "The hierarchy of a table of members of entities: source, key, entity_id."},
    {"import_frame", WITH_KEYWORDS(core_import_frame), METH_VARARGS | METH_KEYWORDS,
     "The Frame of an Arrow table in the frame schema."},
    {"import_collection", WITH_KEYWORDS(core_import_collection), METH_VARARGS | METH_KEYWORDS,
     "The Collection of an Arrow table in the collection schema."},
    {"curves", WITH_KEYWORDS(core_curves), METH_VARARGS | METH_KEYWORDS, "A Curve for each of many comparisons."},
    {"load", WITH_KEYWORDS(core_load), METH_VARARGS | METH_KEYWORDS, "The frame of a file."},
    {"concat_batches", core_concat_batches, METH_O, "Batches one after another, or None if their columns differ."},
    {"rows_to_batches", WITH_KEYWORDS(core_rows_to_batches), METH_VARARGS | METH_KEYWORDS,
     "Batches of a list of dicts, or None if one is no mapping."},
    {"fingerprint_similarity", core_fingerprint_similarity, METH_VARARGS, "Share of equal values of two fingerprints."},
    {"hex_dict", core_hex_dict, METH_VARARGS, "Hashes of so many bytes each as hexadecimal strings, by number."},
    {"metric_names", metric_names, METH_NOARGS, "(name, needs a reference, is a count, definition) of every metric."},
    {"is_estimable", core_is_estimable, METH_O, "Whether a metric can be estimated from a sample of true entities."},
    {"set_num_threads", set_num_threads, METH_O, "Number of threads of long calls; 0: the default."},
    {"num_threads", num_threads, METH_NOARGS, "Number of threads of long calls."},
    {"memory_in_use", memory_in_use, METH_NOARGS, "Bytes that the engine holds."},
    {"set_exceptions", set_exceptions, METH_O, "The module whose classes the extension raises."},
    {"version", version, METH_NOARGS, "Version of the engine."},
    {NULL, NULL, 0, NULL},
};

/* ---------------------------------------------------------------------------------------------------------- module */

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **slot) {
    *slot = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *slot ? PyModule_AddType(module, *slot) : -1;
}

static int add_number(PyObject *module, const char *name, double number) {
    PyObject *object = PyFloat_FromDouble(number);
    int failed = object ? PyModule_AddObjectRef(module, name, object) : -1;
    Py_XDECREF(object);
    return failed;
}

static int execute(PyObject *module) {
    core_state *state = PyModule_GetState(module);
    if (add_type(module, &core_buffer_spec, &state->buffer_type) < 0 ||
        add_type(module, &core_context_spec, &state->context_type) < 0 ||
        add_type(module, &core_hierarchy_spec, &state->hierarchy_type) < 0 ||
        add_type(module, &core_partition_spec, &state->partition_type) < 0 ||
        add_type(module, &core_curve_spec, &state->curve_type) < 0 ||
        add_type(module, &core_lazy_metrics_spec, &state->lazy_metrics_type) < 0 ||
        add_type(module, &core_estimate_spec, &state->estimate_type) < 0 ||
        add_type(module, &core_table_spec, &state->table_type) < 0 ||
        add_type(module, &core_collection_spec, &state->collection_type) < 0 ||
        add_type(module, &core_frame_spec, &state->frame_type) < 0 ||
        add_type(module, &core_frame_state_spec, &state->frame_state_type) < 0 ||
        add_type(module, &core_frame_change_spec, &state->frame_change_type) < 0 ||
        add_type(module, &core_merge_events_spec, &state->merge_events_type) < 0 ||
        add_type(module, &core_diff_spec, &state->diff_type) < 0 ||
        add_type(module, &core_edge_list_spec, &state->edge_list_type) < 0 ||
        add_type(module, &core_batches_spec, &state->batches_type) < 0)
        return -1;
    return add_number(module, "SENSITIVITY_SHIFT", SL_SENSITIVITY_SHIFT);
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
    core_state *state = PyModule_GetState(module);
    if (!state) return 0;
    Py_VISIT(state->exceptions);
    Py_VISIT(state->buffer_type);
    Py_VISIT(state->context_type);
    Py_VISIT(state->hierarchy_type);
    Py_VISIT(state->partition_type);
    Py_VISIT(state->curve_type);
    Py_VISIT(state->lazy_metrics_type);
    Py_VISIT(state->estimate_type);
    Py_VISIT(state->merge_events_type);
    Py_VISIT(state->diff_type);
    Py_VISIT(state->edge_list_type);
    Py_VISIT(state->table_type);
    Py_VISIT(state->collection_type);
    Py_VISIT(state->frame_type);
    Py_VISIT(state->frame_state_type);
    Py_VISIT(state->frame_change_type);
    Py_VISIT(state->batches_type);
    return 0;
}

static int clear(PyObject *module) {
    core_state *state = PyModule_GetState(module);
    if (!state) return 0;
    Py_CLEAR(state->exceptions);
    Py_CLEAR(state->buffer_type);
    Py_CLEAR(state->context_type);
    Py_CLEAR(state->hierarchy_type);
    Py_CLEAR(state->partition_type);
    Py_CLEAR(state->curve_type);
    Py_CLEAR(state->lazy_metrics_type);
    Py_CLEAR(state->estimate_type);
    Py_CLEAR(state->merge_events_type);
    Py_CLEAR(state->diff_type);
    Py_CLEAR(state->edge_list_type);
    Py_CLEAR(state->table_type);
    Py_CLEAR(state->collection_type);
    Py_CLEAR(state->frame_type);
    Py_CLEAR(state->frame_state_type);
    Py_CLEAR(state->frame_change_type);
    Py_CLEAR(state->batches_type);
    return 0;
}

static void release(void *module) { clear(module); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "starlings._core",
    .m_doc = "The engine of Starlings as Python objects. Not public.",
    .m_size = sizeof(core_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
