/* record_store.c: see record_store.h.
 *
 * Chunks of the arena double from 4 KiB to 32 MiB (a longer key gets a chunk of its own size): few blocks, little waste in
 * small contexts, huge pages in large ones. Texts start at multiples of four bytes and are stored in record order, so
 * dropping the last records drops the end of the arena. */
#include "records/record_store.h"

#define FIRST_CHUNK UINT64_C(4096)
#define LARGEST_CHUNK (UINT64_C(32) << 20)
#define TEXT_ALIGNMENT UINT64_C(4)
#define PREFETCH_AHEAD 16

_Static_assert(sizeof(sl_i_stored) == 12, "a record is 12 bytes");

sl_status sl_i_store_reserve(sl_i_record_store *store, uint64_t extra, sl_error *error) {
    uint64_t needed = store->count + extra;
    if (needed > SL_MAX_RECORDS) needed = SL_MAX_RECORDS;
    while (sl_i_segment_length(store->num_segments) - sl_i_segment_length(0) < needed) {
        uint32_t segment = store->num_segments;
        SL_TRY(sl_i_allocate(&store->segments[segment], sl_i_segment_length(segment), sizeof(sl_i_stored), "records",
                             error));
        store->num_segments++;
    }
    return SL_OK;
}

static uint64_t text_size(uint32_t length) {
    return (sizeof(sl_i_text) + length + TEXT_ALIGNMENT - 1) / TEXT_ALIGNMENT * TEXT_ALIGNMENT;
}

static sl_status add_chunk(sl_i_record_store *store, uint64_t at_least, sl_error *error) {
    if (store->num_chunks == store->chunk_capacity) {
        uint64_t capacity = store->chunk_capacity ? 2 * store->chunk_capacity : 8;
        SL_TRY(sl_i_grow(&store->chunks, store->chunk_capacity, capacity, sizeof(sl_i_chunk), "key bytes", error));
        store->chunk_capacity = capacity;
    }
    uint64_t size = FIRST_CHUNK;
    if (store->num_chunks) size = 2 * store->chunks[store->num_chunks - 1].size;
    if (size > LARGEST_CHUNK) size = LARGEST_CHUNK;
    if (size < at_least) size = at_least;
    sl_i_chunk chunk = {NULL, size};
    SL_TRY(sl_i_allocate(&chunk.memory, size, 1, "key bytes", error));
    store->chunks[store->num_chunks++] = chunk;
    store->chunk_used = 0;
    return SL_OK;
}

static sl_status store_text(sl_i_record_store *store, const uint8_t *bytes, uint32_t length, uint64_t *out_address,
                            sl_error *error) {
    uint64_t size = text_size(length);
    if (store->num_chunks == 0 || store->chunks[store->num_chunks - 1].size - store->chunk_used < size)
        SL_TRY(add_chunk(store, size, error));
    uint8_t *place = store->chunks[store->num_chunks - 1].memory + store->chunk_used;
    store->chunk_used += size;
    memcpy(place, &length, sizeof length);
    if (length) memcpy(place + sizeof(sl_i_text), bytes, length);
    *out_address = (uint64_t)(uintptr_t)place;
    return SL_OK;
}

sl_status sl_i_store_append(sl_i_record_store *store, uint16_t source, const sl_key *key, sl_error *error) {
    uint64_t payload = key->number;
    if (key->kind >= SL_KEY_STRING) SL_TRY(store_text(store, key->bytes, key->length, &payload, error));
    *sl_i_store_at(store, store->count) = (sl_i_stored){.payload_low = (uint32_t)payload,
                                                        .payload_high = (uint32_t)(payload >> 32),
                                                        .source = source,
                                                        .kind = (uint8_t)key->kind};
    store->count++;
    return SL_OK;
}

static void drop_last_chunk(sl_i_record_store *store) {
    sl_i_chunk *chunk = &store->chunks[--store->num_chunks];
    sl_i_release(chunk->memory, chunk->size, 1);
    store->chunk_used = store->num_chunks ? store->chunks[store->num_chunks - 1].size : 0;
}

/* End the arena at `first`, the earliest text to be dropped. A chunk that is left full stays so: what was unused at its
 * end is unknown by now and stays unused. */
static void end_arena_at(sl_i_record_store *store, const uint8_t *first) {
    for (;;) {
        sl_i_chunk *chunk = &store->chunks[store->num_chunks - 1];
        uintptr_t begin = (uintptr_t)chunk->memory, at = (uintptr_t)first;
        if (at > begin && at < begin + chunk->size) {
            store->chunk_used = at - begin;
            return;
        }
        drop_last_chunk(store);
        if (at == begin) return;
    }
}

void sl_i_store_truncate(sl_i_record_store *store, uint32_t count) {
    if (count >= store->count) return;
    for (uint32_t i = count; i < store->count; i++) {
        const sl_i_stored *stored = sl_i_store_at(store, i);
        if (sl_i_stored_is_int(stored)) continue;
        end_arena_at(store, (const uint8_t *)sl_i_stored_text(stored));
        break;
    }
    store->count = count;
    while (store->num_segments > 0) {
        uint32_t last = store->num_segments - 1;
        if (sl_i_segment_length(last) - sl_i_segment_length(0) < count) break;
        sl_i_release(store->segments[last], sl_i_segment_length(last), sizeof(sl_i_stored));
        store->segments[last] = NULL;
        store->num_segments = last;
    }
}

sl_status sl_i_store_copy(const sl_i_record_store *source, uint32_t count, sl_i_record_store *out, sl_error *error) {
    SL_TRY(sl_i_store_reserve(out, count, error));
    for (uint32_t i = 0; i < count; i++) {
        if (count - i > PREFETCH_AHEAD) {
            const sl_i_stored *ahead = sl_i_store_at(source, i + PREFETCH_AHEAD);
            if (!sl_i_stored_is_int(ahead)) SL_I_PREFETCH(sl_i_stored_text(ahead));
        }
        const sl_i_stored *stored = sl_i_store_at(source, i);
        sl_key key;
        sl_i_stored_key(stored, &key);
        SL_TRY(sl_i_store_append(out, stored->source, &key, error));
    }
    return SL_OK;
}

void sl_i_store_free(sl_i_record_store *store) {
    for (uint32_t i = 0; i < store->num_segments; i++)
        sl_i_release(store->segments[i], sl_i_segment_length(i), sizeof(sl_i_stored));
    for (uint64_t i = 0; i < store->num_chunks; i++) sl_i_release(store->chunks[i].memory, store->chunks[i].size, 1);
    sl_i_release(store->chunks, store->chunk_capacity, sizeof(sl_i_chunk));
    *store = (sl_i_record_store){0};
}

uint64_t sl_i_store_memory(const sl_i_record_store *store) {
    uint64_t bytes = store->chunk_capacity * sizeof(sl_i_chunk);
    for (uint32_t i = 0; i < store->num_segments; i++) bytes += sl_i_segment_length(i) * sizeof(sl_i_stored);
    for (uint64_t i = 0; i < store->num_chunks; i++) bytes += store->chunks[i].size;
    return bytes;
}
