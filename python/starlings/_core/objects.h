/* objects.h: the Python objects of contexts, hierarchies, partitions and collections, and records as Python values. */
#ifndef CORE_OBJECTS_H
#define CORE_OBJECTS_H

#include "call.h"

extern PyType_Spec core_context_spec;
extern PyType_Spec core_hierarchy_spec;
extern PyType_Spec core_partition_spec;
extern PyType_Spec core_curve_spec;
extern PyType_Spec core_lazy_metrics_spec;
extern PyType_Spec core_estimate_spec;
extern PyType_Spec core_merge_events_spec;
extern PyType_Spec core_diff_spec;
extern PyType_Spec core_edge_list_spec;
extern PyType_Spec core_table_spec;
extern PyType_Spec core_collection_spec;
extern PyType_Spec core_frame_spec;
extern PyType_Spec core_frame_state_spec;
extern PyType_Spec core_frame_change_spec;

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

typedef struct core_collection {
    PyObject_HEAD
    sl_collection *collection;
} core_collection;

/** A Context that takes over the reference, released here if the object cannot be made. */
PyObject *core_context_take(core_state *state, sl_context *context);
/** A Hierarchy that takes over the reference, released here if the object cannot be made. */
PyObject *core_hierarchy_take(core_state *state, sl_hierarchy *hierarchy);
/** A Partition or Collection that takes over the reference, released here if the object cannot be made. */
PyObject *core_partition_take(core_state *state, sl_partition *partition);
PyObject *core_collection_take(core_state *state, sl_collection *collection);
/** A Curve that takes over the reference, released here if the object cannot be made. */
PyObject *core_curve_take(core_state *state, sl_curve *curve);
/** Forget the records from `num_records` on, without the GIL. A pending exception stays as it is. */
void core_context_roll_back(sl_context *context, uint32_t num_records);
/** The records of a set, ascending, as a Buffer (frame_type.c). */
PyObject *core_record_set_buffer(const core_state *state, const sl_record_set *set);
/** A stream as a capsule that owns it; released here if the capsule cannot be made (table_type.c). */
PyObject *core_stream_capsule(const core_state *state, struct ArrowArrayStream *stream);
/** The metric of that name, and its parameter: what was given, or what None stands for (curve_type.c). */
int core_metric_argument(core_call *call, const char *name, PyObject *given, sl_metric *metric, double *parameter);
/** The fields in their order (collection_type.c). */
PyObject *core_stats_tuple(const sl_computation_stats *stats);
/** A whole number 0..2^32-1, for the "O&" of argument parsing. */
int core_uint32_argument(PyObject *object, void *out);
/** "probability" or "weight" as a scale; NULL: the former. InvalidArgumentError for anything else (hierarchy_type.c). */
int core_read_scale(const core_state *state, PyObject *object, sl_scale *out);

/** "nothing", "forest" or "all" as what to keep of edges, InvalidArgumentError for anything else; and back (edge_list_type.c). */
int core_read_keep(const core_state *state, const char *text, sl_keep *out);
PyObject *core_keep_name(sl_keep keep);
/** An EdgeList of a hierarchy's edges, another reference to them (edge_list_type.c). */
PyObject *core_edge_list_of(core_state *state, const sl_edge_list *edges);

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

PyObject *core_extend(PyObject *module, PyObject *arguments, PyObject *keywords);               /* extend.c */
PyObject *core_merge(PyObject *module, PyObject *arguments, PyObject *keywords);                /* extend.c */
PyObject *core_constrain(PyObject *module, PyObject *arguments, PyObject *keywords);            /* constrain.c */
PyObject *core_from_entities(PyObject *module, PyObject *arguments, PyObject *keywords);        /* entities_input.c */
PyObject *core_from_labels(PyObject *module, PyObject *arguments, PyObject *keywords);          /* labels_input.c */
PyObject *core_from_merges(PyObject *module, PyObject *arguments, PyObject *keywords);          /* merges_input.c */
PyObject *core_context_intern_records(PyObject *self, PyObject *arguments, PyObject *keywords); /* records_input.c */
PyObject *core_curves(PyObject *module, PyObject *arguments, PyObject *keywords);          /* comparisons_input.c */
PyObject *core_is_estimable(PyObject *module, PyObject *name);                             /* estimate_type.c */
PyObject *core_concat_batches(PyObject *module, PyObject *parts);                          /* batches_type.c */
PyObject *core_rows_to_batches(PyObject *module, PyObject *arguments, PyObject *keywords); /* rows_input.c */
PyObject *core_frame_from_relations(PyObject *module, PyObject *arguments, PyObject *keywords); /* frame_relations.c */

/* ----------------------------------------------------------------- constraints of a hierarchy, or None (constrain.c) */

PyObject *core_hierarchy_constraints(PyObject *self, void *closure);
PyObject *core_hierarchy_num_skipped(PyObject *self, void *closure);
PyObject *core_hierarchy_num_tied(PyObject *self, void *closure);

/* ------------------------------------------------------------- one value for each entity (entity_operations.c) */

PyObject *core_partition_digests(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_partition_fingerprints(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_fingerprint_similarity(PyObject *module, PyObject *arguments);
PyObject *core_hex_dict(PyObject *module, PyObject *arguments);

/* ------------------------------------------------------------ attributes of a context's records (context_attributes.c) */

PyObject *core_context_attach(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_context_num_attachments(PyObject *self, void *closure);
PyObject *core_context_attachment(PyObject *self, PyObject *argument);
PyObject *core_context_find_attributes(PyObject *self, PyObject *records);

#endif
