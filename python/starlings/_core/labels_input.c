/* labels_input.c: hierarchies of one level from a membership vector; and what they share with lists of entities.
 *
 * Labels are keys of a scratch context: whatever can be a key can be a label, and equal keys are equal labels. */
#include "entities_input.h"

#include <stdlib.h>

/* What an entity is called: its position, or its label. New reference. */
static PyObject *entity_name(uint32_t entity, const sl_context *labels) {
    sl_record label;
    if (labels && sl_context_record(labels, entity, &label)) return core_key_object(&label.key);
    return PyLong_FromUnsignedLong(entity);
}

static void raise_overlap(core_context *self, core_call *call, const core_indices *records, const uint32_t *entities,
                          const sl_context *labels) {
    uint64_t row = (uint64_t)call->error.row, other = (uint64_t)call->error.other_row;
    PyObject *record = core_record_object(self, records->values[row]);
    PyObject *first = record ? entity_name(entities[other], labels) : NULL;
    PyObject *second = first ? entity_name(entities[row], labels) : NULL;
    char texts[3][CORE_TEXT_SIZE];
    if (second) {
        core_value_text(record, texts[0]);
        core_value_text(first, texts[1]);
        core_value_text(second, texts[2]);
    }
    if (second && labels)
        core_raise_row(call->state, SL_ERROR_OVERLAP, (int64_t)row, (int64_t)other,
                       "the record %s has the label %s in row %llu and %s in row %llu; a record is in one entity only",
                       texts[0], texts[1], (unsigned long long)other, texts[2], (unsigned long long)row);
    else if (second)
        core_raise_row(call->state, SL_ERROR_OVERLAP, (int64_t)entities[row], (int64_t)entities[other],
                       "the record %s is in entity %s and in entity %s; entities must not overlap", texts[0], texts[1],
                       texts[2]);
    Py_XDECREF(record);
    Py_XDECREF(first);
    Py_XDECREF(second);
}

PyObject *core_hierarchy_of_entities(core_context *self, core_call *call, const core_indices *records,
                                     const uint32_t *entities, uint32_t num_entities, double threshold,
                                     const sl_context *labels) {
    static const uint32_t nothing = 0;
    sl_hierarchy *hierarchy = NULL;
    uint32_t num_records = sl_context_num_records(self->context);
    core_call_leave(call);
    sl_status status = sl_hierarchy_from_entities(num_records, records->values ? records->values : &nothing,
                                                  entities ? entities : &nothing, records->count, num_entities,
                                                  threshold, &hierarchy, &call->error);
    if (status == SL_ERROR_OVERLAP && call->error.row >= 0 && call->error.other_row >= 0) {
        if (core_call_return(call, SL_OK) == 0) raise_overlap(self, call, records, entities, labels);
        return NULL;
    }
    if (core_call_return(call, status) == 0) return core_hierarchy_take(call->state, hierarchy);
    sl_hierarchy_release(hierarchy);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------- labels */

/* Read the labels into `scratch`, one entity for each label. */
static int read_labels(core_call *call, sl_context *scratch, PyObject *source, PyObject *labels, core_indices *out) {
    core_reading reading;
    core_reading_init(&reading, call, scratch, source);
    int failed = core_keys_read(&reading, CORE_INTERN, "label", labels, NULL, out);
    core_reading_close(&reading);
    return failed;
}

static int check_lengths(const core_state *state, uint64_t keys, uint64_t labels) {
    if (keys == labels) return 0;
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "there are %llu keys and %llu labels; each key needs one label",
                      (unsigned long long)keys, (unsigned long long)labels);
}

static sl_context *scratch_context(core_call *call) {
    sl_context *scratch = NULL;
    sl_status status = sl_context_create(&scratch, &call->error);
    if (status != SL_OK) core_raise_error(call->state, &call->error);
    return scratch;
}

static PyObject *build(core_context *self, core_reading *reading, core_key_mode mode, PyObject *keys, PyObject *labels,
                       double threshold) {
    core_call *call = reading->call;
    core_indices records = {NULL, 0, 0}, entities = {NULL, 0, 0};
    PyObject *hierarchy = NULL;
    sl_context *scratch = scratch_context(call);
    if (scratch && core_keys_read(reading, mode, "key", keys, NULL, &records) == 0 &&
        read_labels(call, scratch, reading->source, labels, &entities) == 0 &&
        check_lengths(call->state, records.count, entities.count) == 0)
        hierarchy = core_hierarchy_of_entities(self, call, &records, entities.values, sl_context_num_records(scratch),
                                               threshold, scratch);
    sl_context_release(scratch);
    free(records.values);
    free(entities.values);
    return hierarchy;
}

PyObject *core_from_labels(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context", "keys", "labels", "threshold", "source", "known_records_only", "progress", NULL};
    core_state *state = PyModule_GetState(module);
    PyObject *object, *keys, *labels, *source = NULL, *callback = Py_None;
    double threshold = 1.0;
    int known_records_only = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!OO|d$UpO:from_labels", names, state->context_type, &object,
                                     &keys, &labels, &threshold, &source, &known_records_only, &callback))
        return NULL;
    core_call call;
    core_reading reading;
    if (core_call_init(&call, state, callback) < 0 || core_call_check(&call, ((core_context *)object)->context) < 0)
        return NULL;
    PyObject *own_source = source ? Py_NewRef(source) : PyUnicode_FromString("default");
    if (!own_source) return NULL;
    core_context *self = (core_context *)object;
    uint32_t before = sl_context_num_records(self->context);
    core_reading_init(&reading, &call, self->context, own_source);
    reading.find_only = known_records_only != 0;
    PyObject *hierarchy = build(self, &reading, known_records_only ? CORE_KNOWN : CORE_INTERN, keys, labels, threshold);
    core_reading_close(&reading);
    Py_DECREF(own_source);
    if (!hierarchy) core_context_roll_back(self->context, before);
    return hierarchy;
}
