/* merges_input.c: hierarchies from merge events of any form: tuples, objects with attributes, mappings.
 *
 * One pass over the events fills three arrays for the engine, which checks what the events mean; here it is checked that
 * they are events at all. Reading stops at the first that must be one too many, so that no generator is read for ever. */
#include "objects.h"

#include <math.h>
#include <stdlib.h>

enum { THRESHOLD, COMPONENTS, RESULT, NUM_PARTS };

typedef struct merges {
    core_call *call;
    PyObject *names[NUM_PARTS]; /* of attributes, and of items of mappings */
    uint32_t num_records;
    bool exact;
    sl_scale scale;
    double *thresholds;
    uint64_t *offsets, *components;
    size_t threshold_capacity, offset_capacity, component_capacity;
    uint64_t count, num_components;
} merges;

static int refuse(const merges *m, sl_status status, const char *format, PyObject *object) {
    char text[CORE_TEXT_SIZE];
    return core_raise_row(m->call->state, status, (int64_t)m->count, -1, format, (unsigned long long)m->count,
                          core_value_text(object, text));
}

static int refuse_event(const merges *m, PyObject *event) {
    return refuse(m, SL_ERROR_INVALID_ARGUMENT,
                  "row %llu: %s is no merge event; give threshold and merging_components, as a tuple, attributes or a "
                  "mapping",
                  event);
}

/* ------------------------------------------------------------------------------------------------- parts of an event */

static void drop_parts(PyObject *parts[NUM_PARTS]) {
    for (int part = 0; part < NUM_PARTS; part++) Py_CLEAR(parts[part]);
}

static int parts_of_sequence(const merges *m, PyObject *event, PyObject *parts[NUM_PARTS]) {
    Py_ssize_t size = PySequence_Size(event);
    if (size < 0) PyErr_Clear();
    if (size != COMPONENTS + 1 && size != RESULT + 1) return refuse_event(m, event);
    for (int part = 0; part < size; part++)
        if (!(parts[part] = PySequence_GetItem(event, part))) return -1;
    return 0;
}

/* A part that is not there stays NULL. */
static int parts_of_mapping(const merges *m, PyObject *event, PyObject *parts[NUM_PARTS]) {
    for (int part = 0; part < NUM_PARTS; part++) {
        parts[part] = PyObject_GetItem(event, m->names[part]);
        if (!parts[part] && !core_caught(PyExc_LookupError)) return -1;
    }
    return parts[THRESHOLD] && parts[COMPONENTS] ? 0 : refuse_event(m, event);
}

static int parts_of_object(const merges *m, PyObject *event, PyObject *parts[NUM_PARTS]) {
    for (int part = 0; part < NUM_PARTS; part++) {
        parts[part] = PyObject_GetAttr(event, m->names[part]);
        if (!parts[part] && !core_caught(PyExc_AttributeError)) return -1;
    }
    if (parts[THRESHOLD] && parts[COMPONENTS]) return 0;
    drop_parts(parts);
    if (PyUnicode_Check(event) || PyBytes_Check(event)) return refuse_event(m, event);
    if (PyObject_HasAttrString(event, "keys")) return parts_of_mapping(m, event, parts);
    return PySequence_Check(event) ? parts_of_sequence(m, event, parts) : refuse_event(m, event);
}

static int parts_of(const merges *m, PyObject *event, PyObject *parts[NUM_PARTS]) {
    if (PyTuple_CheckExact(event) || PyList_CheckExact(event)) return parts_of_sequence(m, event, parts);
    if (PyDict_CheckExact(event)) return parts_of_mapping(m, event, parts);
    return parts_of_object(m, event, parts);
}

/* ----------------------------------------------------------------------------------------------------- what they say */

static int read_threshold(merges *m, PyObject *object) {
    double threshold = PyBool_Check(object) ? NAN : PyFloat_AsDouble(object);
    if (PyErr_Occurred()) {
        if (!core_caught(PyExc_TypeError) && !core_caught(PyExc_ValueError) && !core_caught(PyExc_OverflowError))
            return -1;
        threshold = NAN;
    }
    if (m->scale == SL_SCALE_WEIGHT && !isfinite(threshold))
        return refuse(m, SL_ERROR_INVALID_THRESHOLD, "row %llu: the threshold %s is no finite number", object);
    if (m->scale == SL_SCALE_PROBABILITY && !(threshold >= 0.0 && threshold <= 1.0))
        return refuse(m, SL_ERROR_INVALID_THRESHOLD, "row %llu: the threshold %s is no number in [0, 1]", object);
    m->thresholds[m->count] = threshold;
    return 0;
}

/* A whole number 0..2^64-1, or an error that names it as in `format`. */
static int read_number(const merges *m, PyObject *object, const char *format, uint64_t *out) {
    PyObject *number = PyBool_Check(object) ? NULL : PyNumber_Index(object);
    if (number) *out = PyLong_AsUnsignedLongLong(number);
    bool failed = !number || PyErr_Occurred();
    Py_XDECREF(number);
    if (!failed) return 0;
    if (PyErr_Occurred() && !core_caught(PyExc_TypeError) && !core_caught(PyExc_OverflowError)) return -1;
    return refuse(m, SL_ERROR_INVALID_ARGUMENT, format, object);
}

static int read_components(merges *m, PyObject *object) {
    PyObject *tuple = PyTuple_Check(object) ? Py_NewRef(object) : NULL;
    if (!tuple && !PyUnicode_Check(object) && !PyBytes_Check(object)) tuple = PySequence_Tuple(object);
    if (!tuple) {
        if (PyErr_Occurred() && !core_caught(PyExc_TypeError)) return -1;
        return refuse(m, SL_ERROR_INVALID_ARGUMENT, "row %llu: the merging components are %s; give an iterable of ints",
                      object);
    }
    uint64_t size = (uint64_t)PyTuple_Size(tuple), first = m->num_components;
    int failed = core_grow(m->call->state, &m->components, &m->component_capacity, first + size, sizeof *m->components,
                           "merge events");
    for (uint64_t i = 0; !failed && i < size; i++)
        failed = read_number(m, PyTuple_GetItem(tuple, (Py_ssize_t)i),
                             "row %llu: %s is no component; components are ints from 0", &m->components[first + i]);
    Py_DECREF(tuple);
    m->num_components += size;
    m->offsets[m->count + 1] = m->num_components;
    return failed;
}

static int check_result(const merges *m, PyObject *object) {
    uint64_t result, expected = (uint64_t)m->num_records + m->count;
    if (!object || object == Py_None) return 0;
    if (read_number(m, object, "row %llu: %s is no result; results are ints, or left out", &result) < 0) return -1;
    if (result == expected) return 0;
    return core_raise_row(
        m->call->state, SL_ERROR_INVALID_ARGUMENT, (int64_t)m->count, -1,
        "row %llu: the result is %llu, but with %u records that of this event is %llu; give all events "
        "in order and the number of records they were made with",
        (unsigned long long)m->count, (unsigned long long)result, (unsigned)m->num_records,
        (unsigned long long)expected);
}

static int add_event(merges *m, PyObject *event) {
    const core_state *state = m->call->state;
    PyObject *parts[NUM_PARTS] = {NULL};
    if (core_grow(state, &m->thresholds, &m->threshold_capacity, m->count + 1, sizeof *m->thresholds, "merge events") <
            0 ||
        core_grow(state, &m->offsets, &m->offset_capacity, m->count + 2, sizeof *m->offsets, "merge events") < 0)
        return -1;
    if (m->count == 0) m->offsets[0] = 0;
    int failed = parts_of(m, event, parts);
    if (!failed) failed = read_threshold(m, parts[THRESHOLD]);
    if (!failed) failed = read_components(m, parts[COMPONENTS]);
    if (!failed) failed = check_result(m, parts[RESULT]);
    drop_parts(parts);
    m->count += !failed;
    return failed;
}

/* -------------------------------------------------------------------------------------------------------- all of them */

static int read_events(merges *m, PyObject *events) {
    PyObject *iterator = PyUnicode_Check(events) || PyBytes_Check(events) ? NULL : PyObject_GetIter(events), *event;
    if (!iterator) {
        if (PyErr_Occurred() && !core_caught(PyExc_TypeError)) return -1;
        char text[CORE_TEXT_SIZE];
        return core_raise(m->call->state, SL_ERROR_INVALID_ARGUMENT,
                          "merge events cannot be read from a %s; give an iterable of events",
                          core_type_text(events, text));
    }
    int failed = 0;
    while (!failed && m->count <= m->num_records && (event = PyIter_Next(iterator)) != NULL) {
        failed = add_event(m, event);
        Py_DECREF(event);
        if (!failed && m->count % CORE_POLL_ROWS == 0)
            failed = core_call_poll(m->call, "reading merge events", m->count, 0);
    }
    Py_DECREF(iterator);
    return failed || PyErr_Occurred() ? -1 : 0;
}

static PyObject *build(merges *m) {
    static const uint64_t nothing = 0; /* an address for the components of events that have none */
    sl_hierarchy *hierarchy = NULL;
    core_call_leave(m->call);
    sl_status status =
        sl_hierarchy_from_merges(m->num_records, m->thresholds, m->offsets, m->components ? m->components : &nothing,
                                 (uint32_t)m->count, m->exact, m->scale, &hierarchy, &m->call->error);
    if (core_call_return(m->call, status) == 0) return core_hierarchy_take(m->call->state, hierarchy);
    sl_hierarchy_release(hierarchy);
    return NULL;
}

PyObject *core_from_merges(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"events", "num_records", "exact", "progress", "scale", NULL};
    static const char *const parts[NUM_PARTS] = {"threshold", "merging_components", "result_component"};
    core_state *state = PyModule_GetState(module);
    PyObject *events, *callback = Py_None, *scale = NULL, *hierarchy = NULL;
    int exact = 0, failed = 0;
    core_call call;
    merges m = {.call = &call};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO&|pOO:from_merges", names, &events, core_uint32_argument,
                                     &m.num_records, &exact, &callback, &scale) ||
        core_call_init(&call, state, callback) < 0 || core_read_scale(state, scale, &m.scale) < 0)
        return NULL;
    m.exact = exact != 0;
    if (m.num_records > SL_MAX_RECORDS) failed = core_raise(state, SL_ERROR_CAPACITY, "more than 2^32-2 records");
    for (int part = 0; !failed && part < NUM_PARTS; part++)
        failed = (m.names[part] = PyUnicode_InternFromString(parts[part])) ? 0 : -1;
    if (!failed && read_events(&m, events) == 0) hierarchy = build(&m);
    drop_parts(m.names);
    free(m.thresholds);
    free(m.offsets);
    free(m.components);
    return hierarchy;
}
