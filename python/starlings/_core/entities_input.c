/* entities_input.c: hierarchies of one level from entities: iterables of keys, or objects with `members`.
 *
 * Members are flattened into batches of keys, each with the position of its entity. The order in which a set gives its
 * elements depends on the process's hash seed; numbering of new records must not, so the members of a set are interned by
 * source name, kind and value, and a set of entities is taken by their least members. */
#include "entities_input.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MEMBERS 131072u

typedef struct member {
    sl_key key;
    uint16_t source;
    uint32_t entity;
    PyObject *name;         /* owned, only while a set is read: source name, NULL for a bare key */
    const char *name_bytes; /* of it, or of the reading's own source */
    size_t name_size;
} member;

typedef struct flattening {
    core_reading reading;
    bool known_only;
    member *members;
    size_t count, capacity;
    core_arena arena;
    core_indices records;
    uint32_t *entities; /* of records */
    size_t entity_capacity;
    uint32_t num_entities;
} flattening;

/* ---------------------------------------------------------------------------------------------------------- sets */

static int compare_bytes(const void *a, size_t a_size, const void *b, size_t b_size) {
    size_t shared = a_size < b_size ? a_size : b_size;
    int order = shared ? memcmp(a, b, shared) : 0;
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_members(const void *left, const void *right) {
    const member *a = left, *b = right;
    int order = compare_bytes(a->name_bytes, a->name_size, b->name_bytes, b->name_size);
    if (order) return order;
    if (a->key.kind != b->key.kind) return a->key.kind < b->key.kind ? -1 : 1;
    if (a->key.kind == SL_KEY_U32 || a->key.kind == SL_KEY_U64)
        return (a->key.number > b->key.number) - (a->key.number < b->key.number);
    return compare_bytes(a->key.bytes, a->key.length, b->key.bytes, b->key.length);
}

static void forget_names(flattening *f, size_t first) {
    for (size_t i = first; i < f->count; i++) Py_CLEAR(f->members[i].name);
}

/* Put the members of a set, from `first` on, into their order, and resolve their sources in it. */
static int settle_set(flattening *f, size_t first) {
    const core_place place = {"member", f->num_entities};
    if (f->count > first) qsort(f->members + first, f->count - first, sizeof *f->members, compare_members);
    for (size_t i = first; i < f->count; i++) {
        if (core_source_id(&f->reading, &place, f->members[i].name, &f->members[i].source) < 0) return -1;
    }
    forget_names(f, first);
    return 0;
}

static int keep_name(flattening *f, member *m, PyObject *name) {
    Py_ssize_t size;
    m->name_bytes = PyUnicode_AsUTF8AndSize(name ? name : f->reading.source, &size);
    if (!m->name_bytes) {
        if (!core_caught(PyExc_UnicodeError)) return -1;
        return core_raise_row(f->reading.call->state, SL_ERROR_INVALID_KEY, f->num_entities, -1,
                              "row %u: the source of a member is no valid Unicode text", (unsigned)f->num_entities);
    }
    m->name_size = (size_t)size;
    m->name = Py_XNewRef(name);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- members */

static int add_member(flattening *f, PyObject *object, bool in_set) {
    const core_place place = {"member", f->num_entities};
    PyObject *name, *bare;
    if (core_grow(f->reading.call->state, &f->members, &f->capacity, f->count + 1, sizeof *f->members, "members") < 0)
        return -1;
    member *m = &f->members[f->count];
    memset(m, 0, sizeof *m);
    m->entity = f->num_entities;
    if (core_key_split(&f->reading, &place, object, &name, &bare) < 0) return -1;
    if (core_key_bare(&f->reading, &place, bare, &f->arena, &m->key) < 0) return -1;
    int failed = in_set ? keep_name(f, m, name) : core_source_id(&f->reading, &place, name, &m->source);
    if (!failed) f->count++;
    return failed;
}

static int add_members(flattening *f, PyObject *members) {
    bool is_set = PyAnySet_Check(members);
    size_t first = f->count;
    PyObject *iterator = PyObject_GetIter(members), *object;
    int failed = iterator ? 0 : -1;
    while (!failed && (object = PyIter_Next(iterator)) != NULL) {
        failed = add_member(f, object, is_set);
        Py_DECREF(object);
        if (!failed && f->count % CORE_POLL_ROWS == 0)
            failed = core_call_poll(f->reading.call, "reading entities", f->records.count + f->count, 0);
    }
    Py_XDECREF(iterator);
    if (PyErr_Occurred()) failed = -1;
    if (!failed && is_set) failed = settle_set(f, first);
    return failed;
}

/* What holds the members of an entity. New reference. */
static PyObject *members_of(flattening *f, PyObject *entity) {
    bool is_plain = PyAnySet_Check(entity) || PyList_Check(entity) || PyTuple_Check(entity);
    if (is_plain) return Py_NewRef(entity);
    PyObject *members = PyObject_GetAttrString(entity, "members");
    if (members || !core_caught(PyExc_AttributeError)) return members;
    if (!PyUnicode_Check(entity) && !PyBytes_Check(entity) && !PyDict_Check(entity) &&
        PyObject_HasAttrString(entity, "__iter__"))
        return Py_NewRef(entity);
    char text[CORE_TEXT_SIZE];
    core_raise_row(f->reading.call->state, SL_ERROR_INVALID_ARGUMENT, f->num_entities, -1,
                   "row %u: an entity is a set or another iterable of keys, not a %s", (unsigned)f->num_entities,
                   core_type_text(entity, text));
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------- batches */

/* The batch as a chunk of keys, which takes over the arena. */
static core_chunk *batch_chunk(flattening *f) {
    const core_state *state = f->reading.call->state;
    core_chunk *chunk = core_chunk_for_objects(state, CORE_KEYS, f->count);
    if (!chunk) return NULL;
    chunk->sources = core_allocate(state, f->count, sizeof *chunk->sources, "a batch of sources");
    if (!chunk->sources) {
        core_chunk_release(chunk);
        return NULL;
    }
    for (size_t i = 0; i < f->count; i++) {
        ((sl_key *)chunk->memory)[i] = f->members[i].key;
        chunk->sources[i] = f->members[i].source;
    }
    chunk->column.length = f->count;
    chunk->arena = f->arena;
    f->arena.newest = NULL;
    return chunk;
}

/* A known record for every member, or KeyNotFoundError with the entity's position. */
static int check_known(flattening *f, uint64_t first) {
    for (size_t i = 0; i < f->count; i++) {
        if (f->records.values[first + i] != SL_NO_RECORD) continue;
        PyObject *key = core_key_object(&f->members[i].key);
        if (!key) return -1;
        char text[CORE_TEXT_SIZE];
        core_raise_row(f->reading.call->state, SL_ERROR_KEY_NOT_FOUND, f->members[i].entity, -1,
                       "row %u: the member %s is not one of the known records; add it to the records or drop it",
                       (unsigned)f->members[i].entity, core_value_text(key, text));
        Py_DECREF(key);
        return -1;
    }
    return 0;
}

static int flush(flattening *f) {
    uint64_t first = f->records.count;
    if (!f->count) return 0;
    if (core_grow(f->reading.call->state, &f->entities, &f->entity_capacity, first + f->count, sizeof *f->entities,
                  "members") < 0)
        return -1;
    for (size_t i = 0; i < f->count; i++) f->entities[first + i] = f->members[i].entity;
    core_chunk *chunk = batch_chunk(f);
    if (!chunk) return -1;
    core_key_mode mode = f->known_only ? CORE_FIND : CORE_INTERN;
    int failed = core_keys_read_chunk(&f->reading, mode, chunk, 0, &f->records);
    if (!failed && f->known_only) failed = check_known(f, first);
    core_chunk_release(chunk);
    f->count = 0;
    return failed;
}

static int add_entity(flattening *f, PyObject *members) {
    if (f->num_entities == SL_MAX_RECORDS)
        return core_raise(f->reading.call->state, SL_ERROR_CAPACITY, "more than 2^32-2 entities");
    int failed = add_members(f, members);
    f->num_entities++;
    if (!failed && f->count >= BATCH_MEMBERS) failed = flush(f);
    if (!failed && f->num_entities % CORE_POLL_ROWS == 0)
        failed = core_call_poll(f->reading.call, "reading entities", f->records.count + f->count, 0);
    return failed;
}

/* ------------------------------------------------------------------------------------------------ a set of entities */

typedef struct ranked {
    member least; /* of the entity's members; none: name_bytes NULL */
    PyObject *members;
} ranked;

/* Entities do not overlap, so their least members are different. Those without members come first. */
static int compare_ranked(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    if (!a->least.name_bytes || !b->least.name_bytes)
        return (a->least.name_bytes != NULL) - (b->least.name_bytes != NULL);
    return compare_members(&a->least, &b->least);
}

/* Find the least member, leaving nothing behind in `f` but the bytes of keys. */
static int rank(flattening *f, ranked *entity) {
    PyObject *iterator = PyObject_GetIter(entity->members), *object;
    int failed = iterator ? 0 : -1;
    while (!failed && (object = PyIter_Next(iterator)) != NULL) {
        failed = add_member(f, object, true);
        Py_DECREF(object);
        if (failed) break;
        member *m = &f->members[--f->count];
        if (!entity->least.name_bytes || compare_members(m, &entity->least) < 0) {
            Py_XDECREF(entity->least.name);
            entity->least = *m;
        } else {
            Py_XDECREF(m->name);
        }
    }
    Py_XDECREF(iterator);
    return failed || PyErr_Occurred() ? -1 : 0;
}

/* The members as something that can be read twice. New reference. */
static PyObject *lasting_members(flattening *f, PyObject *entity) {
    PyObject *members = members_of(f, entity);
    if (!members || !PyIter_Check(members)) return members;
    PyObject *tuple = PySequence_Tuple(members);
    Py_DECREF(members);
    return tuple;
}

/* The order in which a set gives its entities must not matter either: they are taken by their least members. */
static int flatten_set(flattening *f, PyObject *entities) {
    Py_ssize_t count = PyList_Size(entities);
    ranked *all = core_allocate(f->reading.call->state, (uint64_t)count, sizeof *all, "entities");
    if (!all) return -1;
    memset(all, 0, (size_t)count * sizeof *all);
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < count; i++) {
        all[i].members = lasting_members(f, PyList_GetItem(entities, i));
        failed = all[i].members ? rank(f, &all[i]) : -1;
        if (!failed && i % CORE_POLL_ROWS == 0)
            failed = core_call_poll(f->reading.call, "reading entities", (uint64_t)i, (uint64_t)count);
    }
    if (!failed && count) qsort(all, (size_t)count, sizeof *all, compare_ranked);
    for (Py_ssize_t i = 0; !failed && i < count; i++) failed = add_entity(f, all[i].members);
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_XDECREF(all[i].least.name);
        Py_XDECREF(all[i].members);
    }
    free(all);
    return failed ? -1 : flush(f);
}

static int flatten(flattening *f, PyObject *entities) {
    if (PyAnySet_Check(entities)) {
        PyObject *list = PySequence_List(entities);
        int set_failed = list ? flatten_set(f, list) : -1;
        Py_XDECREF(list);
        return set_failed;
    }
    PyObject *iterator = PyObject_GetIter(entities), *entity;
    if (!iterator) {
        if (!core_caught(PyExc_TypeError)) return -1;
        char text[CORE_TEXT_SIZE];
        return core_raise(f->reading.call->state, SL_ERROR_INVALID_ARGUMENT,
                          "entities cannot be read from a %s; give an iterable of sets of keys",
                          core_type_text(entities, text));
    }
    int failed = 0;
    while (!failed && (entity = PyIter_Next(iterator)) != NULL) {
        PyObject *members = members_of(f, entity);
        Py_DECREF(entity);
        failed = members ? add_entity(f, members) : -1;
        Py_XDECREF(members);
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred()) return -1;
    return failed ? -1 : flush(f);
}

PyObject *core_from_entities(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"context", "entities", "threshold", "source", "known_records_only", "progress", NULL};
    core_state *state = PyModule_GetState(module);
    PyObject *object, *entities, *source = NULL, *callback = Py_None, *hierarchy = NULL;
    double threshold = 1.0;
    int known_records_only = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O|d$UpO:from_entities", names, state->context_type,
                                     &object, &entities, &threshold, &source, &known_records_only, &callback))
        return NULL;
    core_call call;
    if (core_call_init(&call, state, callback) < 0 || core_call_check(&call, ((core_context *)object)->context) < 0)
        return NULL;
    PyObject *own_source = source ? Py_NewRef(source) : PyUnicode_FromString("default");
    if (!own_source) return NULL;
    core_context *self = (core_context *)object;
    flattening f = {.known_only = known_records_only != 0};
    uint32_t before = sl_context_num_records(self->context);
    core_reading_init(&f.reading, &call, self->context, own_source);
    f.reading.find_only = f.known_only;
    if (flatten(&f, entities) == 0)
        hierarchy = core_hierarchy_of_entities(self, &call, &f.records, f.entities, f.num_entities, threshold, NULL);
    forget_names(&f, 0);
    core_reading_close(&f.reading);
    core_arena_free(&f.arena);
    free(f.members);
    free(f.records.values);
    free(f.entities);
    Py_DECREF(own_source);
    if (!hierarchy) core_context_roll_back(self->context, before);
    return hierarchy;
}
