/* frame_state.h: what a frame is at one moment.
 *
 * Immutable and reference counted, and so are the entries, which states share: a change makes a new list of entries and leaves
 * those alone that it does not touch.
 *
 * Invariants: every hierarchy covers at most num_records records; `given`, `garbage` and every entry's `used` are below
 * num_records; garbage is what is neither given nor used; names are distinct. */
#ifndef SL_FRAME_FRAME_STATE_H
#define SL_FRAME_FRAME_STATE_H

#include <stdatomic.h>

#include "frame/partition_cache.h"
#include "support/memory.h"

/** One collection of a frame. */
typedef struct sl_i_entry {
    atomic_uint_fast32_t references;
    char *name; /* NUL-terminated */
    size_t length;
    sl_hierarchy *hierarchy;
    uint32_t decimals;
    sl_record_set *used;
    sl_i_partition_cache *cache;
} sl_i_entry;

sl_i_entry *sl_i_entry_retain(sl_i_entry *entry);
void sl_i_entry_release(sl_i_entry *entry);

/** A list of entries, each a reference of its own. Zero-initialise. */
typedef struct sl_i_entries {
    sl_i_entry **items;
    uint32_t count, capacity;
} sl_i_entries;

sl_status sl_i_entries_copy(const sl_i_entries *from, sl_i_entries *out, sl_error *error) SL_MUST_USE;
/** Append a new entry; retains hierarchy and set. `earlier` as in sl_i_cache_create. */
sl_status sl_i_entries_append(sl_i_entries *entries, const char *name, size_t length, const sl_hierarchy *hierarchy,
                              uint32_t decimals, const sl_record_set *used, const sl_i_partition_cache *earlier,
                              sl_error *error) SL_MUST_USE;
void sl_i_entries_remove(sl_i_entries *entries, uint32_t position);
/** Position of a name, or `count`. */
uint32_t sl_i_entries_find(const sl_i_entries *entries, const char *name, size_t length);
void sl_i_entries_release(sl_i_entries *entries);

struct sl_frame_state {
    atomic_uint_fast32_t references;
    sl_context *context;
    uint32_t num_records;
    bool owns_context; /* only this frame appends to the context */
    sl_i_entries entries;
    sl_record_set *given, *garbage;
    uint16_t *sources; /* ids of those with a record, in order of first use */
    uint32_t num_sources;
    int64_t last_compaction;
};

/** A state of which nothing is filled in; to be released. */
sl_status sl_i_state_create(sl_frame_state **out, sl_error *error) SL_MUST_USE;
/** The state of a frame without records. */
sl_status sl_i_state_create_empty(sl_frame_state **out, sl_error *error) SL_MUST_USE;
sl_frame_state *sl_i_state_retain(const sl_frame_state *state);
/** Fill in `sources`: those of `before` (records before->num_records on are new), or of all records where NULL. */
sl_status sl_i_state_list_sources(sl_frame_state *state, const sl_frame_state *before, sl_error *error) SL_MUST_USE;
/** Bytes held by the state and all it refers to. */
uint64_t sl_i_state_memory(const sl_frame_state *state);

/** SL_ERROR_CORRUPT with the reason unless every invariant holds, those of all hierarchies included. */
sl_status sl_i_state_validate(const sl_frame_state *state, sl_error *error) SL_MUST_USE;

#endif
