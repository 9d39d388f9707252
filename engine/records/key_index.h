/* key_index.h: from (source, key) to record index.
 *
 * Two structures, each key in exactly one of them:
 *   - a direct map per source, record index + 1 by int key, where the largest int key of the source is small for its number
 *     of records (4 x (records + incoming rows) + some slack): one load a key, at most 16 bytes a record or incoming row;
 *   - one hash table for everything else: open addressing with linear probing, 8 bytes a slot, at most 0.7 full.
 * All int keys of one source are in the same structure; sl_i_index_plan moves them when the balance changes.
 *
 * A slot holds 32 bits of hash (the fragment) and the record index + 1; 0 is empty. The home of a key is given by the *high*
 * bits of its fragment, so the table is in hash order apart from local displacement: doubling it reads the old and writes
 * the new one front to back, and no key is ever hashed again. Keys are compared in the record store, by whoever searches. */
#ifndef SL_RECORDS_KEY_INDEX_H
#define SL_RECORDS_KEY_INDEX_H

#include "records/record_store.h"

/** Int keys of one source. */
typedef struct sl_i_int_map {
    uint32_t *indices; /* record index + 1 by key, 0: none */
    uint64_t capacity; /* keys below this have a place; 0: the source's int keys are in the table */
    uint64_t count;    /* int keys of the source, wherever they are */
    uint64_t largest;  /* none is larger while they are in the table */
} sl_i_int_map;

typedef struct sl_i_key_index {
    uint64_t *slots; /* fragment << 32 | index + 1 */
    uint32_t bits;   /* 2^bits slots */
    uint64_t used;
    sl_i_int_map *maps; /* by source */
    uint64_t num_maps;
    uint64_t moves; /* how often a direct map was made, moved or given up */
} sl_i_key_index;

static inline uint64_t sl_i_index_length(const sl_i_key_index *index) { return UINT64_C(1) << index->bits; }
static inline uint64_t sl_i_index_next(const sl_i_key_index *index, uint64_t slot) {
    return (slot + 1) & (sl_i_index_length(index) - 1);
}
static inline uint64_t sl_i_index_home(const sl_i_key_index *index, uint32_t fragment) {
    return index->bits <= 32 ? (uint64_t)fragment >> (32 - index->bits) : (uint64_t)fragment << (index->bits - 32);
}
static inline uint64_t sl_i_slot_make(uint32_t fragment, uint32_t record) {
    return (uint64_t)fragment << 32 | ((uint64_t)record + 1);
}
static inline uint32_t sl_i_slot_fragment(uint64_t slot) { return (uint32_t)(slot >> 32); }
static inline uint32_t sl_i_slot_record(uint64_t slot) { return (uint32_t)slot - 1; }

/** The direct map of a source's int keys, or NULL if they are in the table. */
static inline sl_i_int_map *sl_i_index_dense(const sl_i_key_index *index, uint16_t source) {
    return source < index->num_maps && index->maps[source].capacity ? &index->maps[source] : NULL;
}

sl_status sl_i_index_make(sl_i_key_index *out, sl_error *error) SL_MUST_USE;
void sl_i_index_free(sl_i_key_index *index);
/** Bytes held, as the allocator counts them. */
uint64_t sl_i_index_memory(const sl_i_key_index *index);
/** Make room in the table for `extra` more keys. Slots move. On failure nothing changes. */
sl_status sl_i_index_reserve(sl_i_key_index *index, uint64_t extra, sl_error *error) SL_MUST_USE;
/** Prepare for `rows` int keys of `source` up to `largest`: choose their structure and make a direct map long enough. A source
 *  that went to the table comes back to a direct map only with `may_return`. On failure nothing changes. */
sl_status sl_i_index_plan(sl_i_key_index *index, const sl_i_record_store *store, uint16_t source, uint64_t largest,
                          uint64_t rows, bool may_return, sl_error *error) SL_MUST_USE;
/** Enter the key of `record` in the table, in room reserved before; it is not there yet. */
void sl_i_index_insert(sl_i_key_index *index, uint32_t fragment, uint32_t record);
/** Remove all records of the store from `count` on. Cannot fail. */
void sl_i_index_truncate(sl_i_key_index *index, const sl_i_record_store *store, uint32_t count);
/** Copy `source`, which indexes `store`, keeping records below `count` only. On failure `out` may be part-filled: free it. */
sl_status sl_i_index_copy(const sl_i_key_index *source, const sl_i_record_store *store, uint32_t count,
                          sl_i_key_index *out, sl_error *error) SL_MUST_USE;

#endif
