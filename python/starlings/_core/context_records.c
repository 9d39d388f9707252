/* context_records.c: the records of one context in another, by (source, key).
 *
 * Records are taken over a batch at a time as an array of sl_key whose bytes stay in the other context, so nothing is
 * copied but what is new. Ids of sources are translated once each, in the order in which records need them. */
#include "keys_input.h"

#include "buffer_type.h"

#include <stdlib.h>

#define BATCH_RECORDS 65536u

typedef struct assimilation {
    core_call *call;
    sl_context *into, *other;
    sl_key *keys;
    uint16_t *sources;    /* of the batch, as ids of `into` */
    int32_t *translation; /* by id of a source of `other`, -1 before it is needed */
    uint32_t num_sources;
} assimilation;

/* Without the GIL. */
static sl_status translate(assimilation *a, uint16_t source, uint16_t *out) {
    if (a->translation[source] < 0) {
        size_t length;
        const char *name = sl_context_source_name(a->other, source, &length);
        sl_status status = sl_context_add_source(a->into, name, length, out, &a->call->error);
        if (status != SL_OK) return status;
        a->translation[source] = *out;
    }
    *out = (uint16_t)a->translation[source];
    return SL_OK;
}

/* Without the GIL: records first..first+count-1 of `other`. */
static sl_status take_batch(assimilation *a, uint32_t first, uint32_t count, uint32_t *indices) {
    for (uint32_t i = 0; i < count; i++) {
        sl_record record;
        if (!sl_context_record(a->other, first + i, &record) || record.source >= a->num_sources) {
            a->call->error = (sl_error){.status = SL_ERROR_INVALID_ARGUMENT,
                                        .row = -1,
                                        .other_row = -1,
                                        .message = "the other context lost records while they were being read"};
            return SL_ERROR_INVALID_ARGUMENT;
        }
        a->keys[i] = record.key;
        sl_status status = translate(a, record.source, &a->sources[i]);
        if (status != SL_OK) return status;
    }
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = count, .values = a->keys},
                                  .sources = a->sources};
    return sl_context_intern(a->into, &column, indices, NULL, &a->call->error);
}

static int take_all(assimilation *a, uint32_t num_records, uint32_t *indices) {
    for (uint32_t first = 0; first < num_records; first += BATCH_RECORDS) {
        uint32_t count = num_records - first < BATCH_RECORDS ? num_records - first : BATCH_RECORDS;
        core_call_leave(a->call);
        sl_status status = take_batch(a, first, count, indices + first);
        if (core_call_return(a->call, status) < 0) return -1;
        if (core_call_poll(a->call, "matching records", first + count, num_records) < 0) return -1;
        if (count < BATCH_RECORDS) break;
    }
    return 0;
}

static int assimilate(assimilation *a, uint32_t num_records, uint32_t *indices) {
    const core_state *state = a->call->state;
    uint32_t before = sl_context_num_records(a->into);
    a->num_sources = sl_context_num_sources(a->other);
    a->keys = core_allocate(state, BATCH_RECORDS, sizeof *a->keys, "keys");
    a->sources = a->keys ? core_allocate(state, BATCH_RECORDS, sizeof *a->sources, "sources") : NULL;
    a->translation = a->sources ? core_allocate(state, a->num_sources, sizeof *a->translation, "sources") : NULL;
    int failed = a->translation ? 0 : -1;
    for (uint32_t i = 0; !failed && i < a->num_sources; i++) a->translation[i] = -1;
    if (!failed) failed = take_all(a, num_records, indices);
    free(a->keys);
    free(a->sources);
    free(a->translation);
    if (failed) core_context_roll_back(a->into, before);
    return failed;
}

static int identity(uint32_t num_records, uint32_t *indices) {
    for (uint32_t i = 0; i < num_records; i++) indices[i] = i;
    return 0;
}

PyObject *core_context_intern_context(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"other", "num_records", "progress", NULL};
    core_state *state = core_state_of(self);
    PyObject *other_object, *limit = Py_None, *callback = Py_None;
    uint32_t num_records = UINT32_MAX;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!|OO:intern_context", names, state->context_type,
                                     &other_object, &limit, &callback))
        return NULL;
    if (limit != Py_None && !core_uint32_argument(limit, &num_records)) return NULL;
    if (core_call_init(&call, state, callback) < 0) return NULL;
    assimilation a = {
        .call = &call, .into = ((core_context *)self)->context, .other = ((core_context *)other_object)->context};
    if (core_call_check(&call, a.into) < 0) return NULL;
    uint32_t all = sl_context_num_records(a.other);
    if (num_records > all) num_records = all;
    uint32_t *indices = core_allocate(state, num_records, sizeof *indices, "record indices");
    if (!indices) return NULL;
    int failed = a.into == a.other ? identity(num_records, indices) : assimilate(&a, num_records, indices);
    if (!failed) return core_buffer_take(state, indices, num_records, 'I');
    free(indices);
    return NULL;
}
