/* digests.c: the hash of every entity.
 *
 * Entities are hashed on many threads. Of one entity the encodings of its records are written one after the other, in the
 * order of its slice, ordered through 32-byte items and handed to the hash: as they lie where that is their order already,
 * else gathered through a small block. A thread keeps memory for the largest entity it met. Most of the time is meant to be
 * spent in the hash itself: records are prefetched across entities, and nothing is looked up. */
#include "entities/digest_method.h"
#include "entities/entity_tasks.h"
#include "entities/identities.h"
#include "support/sort.h"

#define POLL_RECORDS UINT64_C(16384)        /* encoded between two looks for an interrupt */
#define POLL_BYTES (UINT64_C(4) << 20)      /* hashed between two looks */
#define GATHERED_BYTES (UINT64_C(64) << 10) /* of sorted encodings, on their way to the hash */
#define FEW_INDICES UINT64_C(4096)          /* sorted in place */

/** Memory of one thread. */
typedef struct lane_memory {
    sl_i_digester digester;
    uint8_t *bytes; /* encodings of one entity, in the order of its slice */
    uint64_t num_bytes;
    sl_i_encoded *items, *scratch;
    uint64_t num_items, num_scratch;
    uint32_t *indices; /* twice as many as records in the largest entity met */
    uint64_t num_indices;
    uint8_t *gathered; /* GATHERED_BYTES */
} lane_memory;

typedef struct hashing {
    sl_i_entity_slices slices;
    sl_i_identities identities;
    sl_i_digest_method method;
    sl_i_ticker ticker;
    lane_memory *memories;
    uint32_t lanes;
    uint8_t *digests;
    uint32_t digest_size;
} hashing;

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static const char for_one[] = "hashing an entity";

static void release_lane(lane_memory *memory) {
    sl_i_digester_close(&memory->digester);
    sl_i_release(memory->bytes, memory->num_bytes, 1);
    sl_i_release(memory->items, memory->num_items, sizeof *memory->items);
    sl_i_release(memory->scratch, memory->num_scratch, sizeof *memory->scratch);
    sl_i_release(memory->indices, memory->num_indices, sizeof *memory->indices);
    sl_i_release(memory->gathered, GATHERED_BYTES, 1);
}

static sl_status open_lanes(hashing *h, sl_error *error) {
    SL_TRY(sl_i_allocate_zeroed(&h->memories, h->lanes, sizeof *h->memories, "hashing entities", error));
    for (uint32_t lane = 0; lane < h->lanes; lane++) {
        SL_TRY(sl_i_digester_open(&h->method, &h->memories[lane].digester, error));
        SL_TRY(sl_i_allocate(&h->memories[lane].gathered, GATHERED_BYTES, 1, "hashing entities", error));
    }
    return SL_OK;
}

static void close_lanes(hashing *h) {
    for (uint32_t lane = 0; h->memories && lane < h->lanes; lane++) release_lane(&h->memories[lane]);
    sl_i_release(h->memories, h->lanes, sizeof *h->memories);
}

/* ---- hashing of bytes -------------------------------------------------------------------------------------------- */

/* Add bytes in pieces; false: stop. */
static bool add_bytes(hashing *h, uint32_t lane, const void *bytes, uint64_t length) {
    const uint8_t *next = bytes;
    for (; length > POLL_BYTES; length -= POLL_BYTES, next += POLL_BYTES) {
        sl_i_digester_add(&h->memories[lane].digester, next, POLL_BYTES);
        if (sl_i_ticker_poll(&h->ticker, lane, 0)) return false;
    }
    sl_i_digester_add(&h->memories[lane].digester, next, length);
    return true;
}

static bool add_in_order(hashing *h, uint32_t lane, const sl_i_encoded *sorted, uint64_t count) {
    const lane_memory *memory = &h->memories[lane];
    uint64_t held = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *bytes = memory->bytes + sorted[i].start;
        uint64_t length = sorted[i].length;
        if (held + length > GATHERED_BYTES) {
            if (!add_bytes(h, lane, memory->gathered, held)) return false;
            held = 0;
        }
        if (length > GATHERED_BYTES) {
            if (!add_bytes(h, lane, bytes, length)) return false;
            continue;
        }
        memcpy(memory->gathered + held, bytes, length);
        held += length;
        if (i % POLL_RECORDS == POLL_RECORDS - 1 && sl_i_ticker_poll(&h->ticker, lane, 0)) return false;
    }
    return add_bytes(h, lane, memory->gathered, held);
}

static bool are_in_place(const sl_i_encoded *sorted, uint64_t count) {
    for (uint64_t i = 1; i < count; i++)
        if (sorted[i].start < sorted[i - 1].start) return false;
    return true;
}

/* ---- one entity -------------------------------------------------------------------------------------------------- */

/* Encodings and items of the records at positions first..last-1; *out_length: bytes, 0 to stop. */
static sl_status encode_records(hashing *h, uint32_t lane, uint64_t first, uint64_t last, uint64_t *out_length,
                                sl_error *error) {
    const sl_i_entity_slices *slices = &h->slices;
    lane_memory *memory = &h->memories[lane];
    uint64_t held = 0;
    *out_length = 0;
    for (uint64_t position = first; position < last; position++) {
        const sl_i_stored *stored =
            sl_i_store_gather(&h->identities.context->store, slices->records, position, slices->num_records);
        sl_i_encoded *item = &memory->items[position - first];
        item->start = held;
        item->length = sl_i_identity_length(&h->identities, stored);
        sl_i_identity_order(&h->identities, stored, item);
        SL_TRY(sl_i_reserve(&memory->bytes, &memory->num_bytes, held + item->length, 1, for_one, error));
        sl_i_identity_write(&h->identities, stored, memory->bytes + held);
        held += item->length;
        if ((position - first) % POLL_RECORDS == POLL_RECORDS - 1 && sl_i_ticker_poll(&h->ticker, lane, 0))
            return SL_OK;
    }
    *out_length = held;
    return SL_OK;
}

static sl_status end_digest(hashing *h, uint32_t entity, uint32_t lane, sl_error *error) {
    sl_i_digester *digester = &h->memories[lane].digester;
    sl_i_digester_end(digester, h->digests + (uint64_t)entity * h->digest_size);
    if (!digester->failed) return SL_OK;
    return sl_i_fail(error, SL_ERROR_SYSTEM, "OpenSSL's libcrypto could not compute the %s of an entity",
                     sl_i_digest_name(h->method.digest));
}

static sl_status hash_identities(void *state, uint32_t entity, uint32_t lane, sl_error *error) {
    hashing *h = state;
    lane_memory *memory = &h->memories[lane];
    uint64_t first = h->slices.offsets[entity], last = h->slices.offsets[entity + 1], length = 0;
    SL_TRY(sl_i_reserve(&memory->items, &memory->num_items, last - first, sizeof *memory->items, for_one, error));
    SL_TRY(sl_i_reserve(&memory->scratch, &memory->num_scratch, last - first, sizeof *memory->scratch, for_one, error));
    SL_TRY(encode_records(h, lane, first, last, &length, error));
    if (length == 0) return SL_OK;
    const sl_i_encoded *sorted =
        sl_i_sort_encoded(memory->items, memory->scratch, last - first, memory->bytes, &h->ticker, lane);
    if (!sorted) return SL_OK;
    sl_i_digester_begin(&memory->digester);
    bool added = are_in_place(sorted, last - first) ? add_bytes(h, lane, memory->bytes, length)
                                                    : add_in_order(h, lane, sorted, last - first);
    return added ? end_digest(h, entity, lane, error) : SL_OK;
}

static sl_status hash_indices(void *state, uint32_t entity, uint32_t lane, sl_error *error) {
    hashing *h = state;
    lane_memory *memory = &h->memories[lane];
    uint64_t first = h->slices.offsets[entity], count = h->slices.offsets[entity + 1] - first;
    SL_TRY(sl_i_reserve(&memory->indices, &memory->num_indices, 2 * count, sizeof *memory->indices, for_one, error));
    memcpy(memory->indices, h->slices.records + first, count * sizeof *memory->indices);
    if (count <= FEW_INDICES)
        sl_i_sort_u32(memory->indices, count);
    else
        sl_i_radix_sort_u32(memory->indices, memory->indices + count, count);
    for (uint64_t i = 0; i < count; i++) sl_i_put_u32(&memory->indices[i], memory->indices[i]);
    sl_i_digester_begin(&memory->digester);
    bool added = add_bytes(h, lane, memory->indices, count * sizeof *memory->indices);
    return added ? end_digest(h, entity, lane, error) : SL_OK;
}

/* ---- all entities ------------------------------------------------------------------------------------------------ */

static sl_status open_hashing(hashing *h, const sl_partition *partition, const sl_context *context, sl_digest digest,
                              sl_hash_input input, sl_error *error) {
    if (input != SL_HASH_IDENTITIES && input != SL_HASH_INDICES)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "there is no input of hashes of number %d", (int)input);
    SL_TRY(sl_i_digest_method_open(digest, &h->method, error));
    if (input == SL_HASH_IDENTITIES) {
        SL_TRY(sl_i_check_holds_partition(context, partition, error));
        SL_TRY(sl_i_identities_open(context, &h->identities, error));
    }
    SL_TRY(sl_i_entity_slices_get(partition, &h->slices, error));
    return open_lanes(h, error);
}

sl_status sl_partition_digests(const sl_partition *partition, const sl_context *context, sl_digest digest,
                               sl_hash_input input, uint8_t *digests, const sl_progress *progress, sl_error *error) {
    hashing h = {.ticker = sl_i_ticker_make(progress),
                 .lanes = sl_num_threads(),
                 .digests = digests,
                 .digest_size = sl_digest_size(digest)};
    uint64_t total = (uint64_t)sl_partition_num_entities(partition) * h.digest_size;
    sl_status status;
    SL_TRY_CLEANUP(status, open_hashing(&h, partition, context, digest, input, error));
    sl_i_ticker_begin(&h.ticker, "hashing entities", h.slices.num_records);
    SL_TRY_CLEANUP(status,
                   sl_i_for_entities(&h.slices, h.lanes, input == SL_HASH_IDENTITIES ? hash_identities : hash_indices,
                                     &h, &h.ticker, error));
cleanup:
    close_lanes(&h);
    sl_i_identities_close(&h.identities);
    sl_i_digest_method_close(&h.method);
    if (status != SL_OK && total) memset(digests, 0, total);
    return status;
}
