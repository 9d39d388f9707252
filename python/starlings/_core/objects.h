/* objects.h: the Python objects of contexts, hierarchies and partitions, and records as Python values. */
#ifndef CORE_OBJECTS_H
#define CORE_OBJECTS_H

#include "call.h"

extern PyType_Spec core_context_spec;
extern PyType_Spec core_hierarchy_spec;
extern PyType_Spec core_partition_spec;
extern PyType_Spec core_curve_spec;
extern PyType_Spec core_table_spec;

typedef struct core_context {
    PyObject_HEAD
    sl_context *context;
    PyObject *source_names; /* list of str by source id, filled as names are asked for */
} core_context;

typedef struct core_hierarchy {
    PyObject_HEAD
    sl_hierarchy *hierarchy;
} core_hierarchy;

typedef struct core_partition {
    PyObject_HEAD
    sl_partition *partition;
} core_partition;

/** A Context that takes over the reference, released here if the object cannot be made. */
PyObject *core_context_take(core_state *state, sl_context *context);
/** A Hierarchy that takes over the reference, released here if the object cannot be made. */
PyObject *core_hierarchy_take(core_state *state, sl_hierarchy *hierarchy);
/** Forget the records from `num_records` on, without the GIL. A pending exception stays as it is. */
void core_context_roll_back(sl_context *context, uint32_t num_records);
/** A whole number 0..2^32-1, for the "O&" of argument parsing. */
int core_uint32_argument(PyObject *object, void *out);

/* ------------------------------------------------------------------------------- records as objects (record_objects.c) */

/** A key as int, str or bytes. New reference. */
PyObject *core_key_object(const sl_key *key);
/** Name of a source. Borrowed. */
PyObject *core_source_name(core_context *self, uint16_t source);
/** Record `index` as (source, key). New reference. InvalidArgumentError beyond the last. */
PyObject *core_record_object(core_context *self, uint32_t index);
/** The records as a set of (source, key), or as a list of keys. New reference. */
PyObject *core_record_set(core_context *self, core_call *call, const uint32_t *records, uint64_t count);
PyObject *core_record_keys(core_context *self, core_call *call, const uint32_t *records, uint64_t count);

/* ---------------------------------------------------------------- functions of the module, and methods that read keys */

PyObject *core_extend(PyObject *module, PyObject *arguments, PyObject *keywords);            /* extend.c */
PyObject *core_merge(PyObject *module, PyObject *arguments, PyObject *keywords);             /* extend.c */
PyObject *core_from_entities(PyObject *module, PyObject *arguments, PyObject *keywords);     /* entities_input.c */
PyObject *core_from_labels(PyObject *module, PyObject *arguments, PyObject *keywords);       /* labels_input.c */
PyObject *core_context_add_records(PyObject *self, PyObject *arguments, PyObject *keywords); /* records_input.c */

#endif
