/* record_store.h: the records themselves, append-only and never moving.
 *
 * Record `i` is 12 bytes: its source, the kind of its key, and either the int key itself or the address of its bytes. Records
 * lie in segments that double in size (1024, 2048, ...), so a segment is found from the highest bit of the index and an
 * append never moves what a reader may be looking at. Key bytes lie in an arena of chunks that never move either.
 *
 * Invariants: records 0..count-1 are complete; int keys below 2^32 have kind SL_KEY_U32, others SL_KEY_U64; string keys are
 * valid UTF-8. One writer at a time; the writer publishes the count (see context.h), and readers look only below it. */
#ifndef SL_RECORDS_RECORD_STORE_H
#define SL_RECORDS_RECORD_STORE_H

#include <string.h>

#include "support/memory.h"

#define SL_I_FIRST_SEGMENT_BITS 10
#define SL_I_NUM_SEGMENTS (33 - SL_I_FIRST_SEGMENT_BITS)

/** One record. The 64-bit payload is kept as two halves: 4-byte alignment is what makes a record 12 bytes. */
typedef struct sl_i_stored {
    uint32_t payload_low, payload_high;
    uint16_t source;
    uint8_t kind;
    uint8_t unused;
} sl_i_stored;

/** The bytes of a string or bytes key in the arena. */
typedef struct sl_i_text {
    uint32_t length;
    uint8_t bytes[];
} sl_i_text;

typedef struct sl_i_chunk {
    uint8_t *memory;
    uint64_t size;
} sl_i_chunk;

typedef struct sl_i_record_store {
    sl_i_stored *segments[SL_I_NUM_SEGMENTS];
    uint32_t count;
    uint32_t num_segments;
    sl_i_chunk *chunks; /* the last one is being filled, up to chunk_used */
    uint64_t num_chunks, chunk_capacity;
    uint64_t chunk_used;
} sl_i_record_store;

/** Fetch the line of `address` ahead of its use, into the second-level cache: that has room for about twice as many misses
 *  at once as the first (measured: 5 ns a line against 12). A macro, not a function: GCC drops calls of functions that do
 *  nothing but prefetch. */
#define SL_I_PREFETCH(address) __builtin_prefetch((address), 0, 2)

static inline uint64_t sl_i_segment_length(uint32_t segment) {
    return UINT64_C(1) << (segment + SL_I_FIRST_SEGMENT_BITS);
}

static inline sl_i_stored *sl_i_store_at(const sl_i_record_store *store, uint32_t index) {
    uint64_t shifted = (uint64_t)index + (UINT64_C(1) << SL_I_FIRST_SEGMENT_BITS);
    uint32_t high = 63u - (uint32_t)__builtin_clzll(shifted);
    return &store->segments[high - SL_I_FIRST_SEGMENT_BITS][shifted ^ (UINT64_C(1) << high)];
}

static inline uint64_t sl_i_stored_payload(const sl_i_stored *stored) {
    return (uint64_t)stored->payload_high << 32 | stored->payload_low;
}
static inline bool sl_i_stored_is_int(const sl_i_stored *stored) { return stored->kind <= SL_KEY_U64; }
static inline const sl_i_text *sl_i_stored_text(const sl_i_stored *stored) {
    return (const sl_i_text *)(uintptr_t)sl_i_stored_payload(stored); // NOLINT: an address that append put there
}

/** The key of a stored record; bytes borrowed. */
static inline void sl_i_stored_key(const sl_i_stored *stored, sl_key *out) {
    *out = (sl_key){.kind = (sl_key_kind)stored->kind};
    if (sl_i_stored_is_int(stored)) {
        out->number = sl_i_stored_payload(stored);
        return;
    }
    const sl_i_text *text = sl_i_stored_text(stored);
    out->length = text->length;
    out->bytes = text->bytes;
}

#define SL_I_GATHER_AHEAD 32u

/** The record of row `row` of `count` record indices that are walked in order: a few rows ahead the record is prefetched, half as far
 *  ahead the bytes it points to. */
static inline __attribute__((always_inline)) const sl_i_stored *
sl_i_store_gather(const sl_i_record_store *store, const uint32_t *records, uint64_t row, uint64_t count) {
    if (row + SL_I_GATHER_AHEAD < count) {
        SL_I_PREFETCH(sl_i_store_at(store, records[row + SL_I_GATHER_AHEAD]));
        const sl_i_stored *nearer = sl_i_store_at(store, records[row + SL_I_GATHER_AHEAD / 2]);
        if (!sl_i_stored_is_int(nearer)) SL_I_PREFETCH(sl_i_stored_text(nearer));
    }
    return sl_i_store_at(store, records[row]);
}

/** Make room for `extra` more records (fewer where indices end): the next appends of ints cannot fail. */
sl_status sl_i_store_reserve(sl_i_record_store *store, uint64_t extra, sl_error *error) SL_MUST_USE;
/** Append a record whose room is reserved. Copies the key's bytes; only that may fail (memory), changing nothing. */
sl_status sl_i_store_append(sl_i_record_store *store, uint16_t source, const sl_key *key, sl_error *error) SL_MUST_USE;
/** Write the record at `index`, at or after `count`, in reserved room: an int key, no bytes. Several threads may write different
 *  ones; sl_i_store_append goes on after them once the caller has raised `count`. */
static inline void sl_i_store_put_int(sl_i_record_store *store, uint32_t index, uint16_t source, uint64_t number) {
    *sl_i_store_at(store, index) = (sl_i_stored){.payload_low = (uint32_t)number,
                                                 .payload_high = (uint32_t)(number >> 32),
                                                 .source = source,
                                                 .kind = (uint8_t)(number >> 32 ? SL_KEY_U64 : SL_KEY_U32)};
}
/** Drop the records from `count` on, with their bytes and the segments that become empty. Cannot fail. */
void sl_i_store_truncate(sl_i_record_store *store, uint32_t count);
/** Copy the first `count` records of `source` into the empty store `out`. On failure `out` may be part-filled: free it. */
sl_status sl_i_store_copy(const sl_i_record_store *source, uint32_t count, sl_i_record_store *out, sl_error *error)
    SL_MUST_USE;
/** Give all memory back. */
void sl_i_store_free(sl_i_record_store *store);
/** Bytes held, as the allocator counts them. */
uint64_t sl_i_store_memory(const sl_i_record_store *store);

#endif
