/* fingerprints.c: see fingerprints.h. The identities of an entity are encoded and hashed a block at a time; then every hash runs
 * through the 128 slots, which one loop over 32-bit halves does for many slots at once. */
#include "entities/fingerprints.h"

#include "entities/entity_tasks.h"
#include "entities/identities.h"
#include "records/key_hash.h"
#include "support/vector.h"

#define BLOCK UINT64_C(512)
#define SEED UINT64_C(0x537461726C696E67) /* "Starling" */

/* ---- the slots --------------------------------------------------------------------------------------------------- */

static uint64_t splitmix64(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

void sl_i_slots_make(sl_i_slots *out) {
    uint64_t state = SEED;
    for (unsigned slot = 0; slot < SL_FINGERPRINT_LENGTH; slot++) {
        uint64_t factor = splitmix64(&state) | 1;
        out->factor_low[slot] = (uint32_t)factor;
        out->factor_high[slot] = (uint32_t)(factor >> 32);
        out->offset[slot] = (uint32_t)(splitmix64(&state) >> 32);
    }
}

/* The upper half of a 64-bit product, from 32-bit ones: no lower half is needed but its carry. */
SL_INLINE_BODY void add_body(const sl_i_slots *slots, const uint64_t *hashes, uint64_t count,
                             uint32_t *restrict fingerprint) {
    for (uint64_t i = 0; i < count; i++) {
        uint32_t low = (uint32_t)hashes[i], high = (uint32_t)(hashes[i] >> 32);
        for (unsigned slot = 0; slot < SL_FINGERPRINT_LENGTH; slot++) {
            uint32_t carry = (uint32_t)((uint64_t)slots->factor_low[slot] * low >> 32);
            uint32_t value = carry + slots->factor_low[slot] * high + slots->factor_high[slot] * low;
            value += slots->offset[slot];
            fingerprint[slot] = value < fingerprint[slot] ? value : fingerprint[slot];
        }
    }
}

static void add_portable(const sl_i_slots *slots, const uint64_t *hashes, uint64_t count,
                         uint32_t *restrict fingerprint) {
    add_body(slots, hashes, count, fingerprint);
}

#if defined(SL_HAVE_AVX2_TWIN)
SL_AVX2 static void add_avx2(const sl_i_slots *slots, const uint64_t *hashes, uint64_t count,
                             uint32_t *restrict fingerprint) {
    add_body(slots, hashes, count, fingerprint);
}
#endif

void sl_i_fingerprint_add(const sl_i_slots *slots, const uint64_t *hashes, uint64_t count,
                          uint32_t *restrict fingerprint) {
#if defined(SL_HAVE_AVX2_TWIN)
    if (sl_i_has_avx2()) {
        add_avx2(slots, hashes, count, fingerprint);
        return;
    }
#endif
    add_portable(slots, hashes, count, fingerprint);
}

double sl_fingerprint_similarity(const uint32_t *a, const uint32_t *b) {
    unsigned equal = 0;
    for (unsigned slot = 0; slot < SL_FINGERPRINT_LENGTH; slot++) equal += a[slot] == b[slot];
    return (double)equal / SL_FINGERPRINT_LENGTH;
}

/* ---- entities ---------------------------------------------------------------------------------------------------- */

/** Memory of one thread: one encoding. */
typedef struct lane_memory {
    uint8_t *bytes;
    uint64_t num_bytes;
    uint64_t hashes[BLOCK];
} lane_memory;

typedef struct fingerprinting {
    sl_i_entity_slices slices;
    sl_i_identities identities;
    sl_i_slots slots;
    sl_i_ticker ticker;
    lane_memory *memories;
    uint32_t lanes;
    uint32_t *fingerprints;
} fingerprinting;

static sl_status hash_record(const fingerprinting *f, lane_memory *memory, uint64_t position, uint64_t *out,
                             sl_error *error) {
    const sl_i_stored *stored =
        sl_i_store_gather(&f->identities.context->store, f->slices.records, position, f->slices.num_records);
    uint64_t length = sl_i_identity_length(&f->identities, stored);
    SL_TRY(sl_i_reserve(&memory->bytes, &memory->num_bytes, length, 1, "hashing a record", error));
    sl_i_identity_write(&f->identities, stored, memory->bytes);
    *out = XXH3_64bits(memory->bytes, (size_t)length);
    return SL_OK;
}

static sl_status fingerprint_entity(void *state, uint32_t entity, uint32_t lane, sl_error *error) {
    fingerprinting *f = state;
    lane_memory *memory = &f->memories[lane];
    uint32_t *fingerprint = f->fingerprints + (uint64_t)entity * SL_FINGERPRINT_LENGTH;
    uint64_t position = f->slices.offsets[entity], last = f->slices.offsets[entity + 1];
    memset(fingerprint, 0xFF, SL_FINGERPRINT_LENGTH * sizeof *fingerprint);
    while (position < last) {
        uint64_t count = last - position < BLOCK ? last - position : BLOCK;
        for (uint64_t i = 0; i < count; i++) SL_TRY(hash_record(f, memory, position + i, &memory->hashes[i], error));
        sl_i_fingerprint_add(&f->slots, memory->hashes, count, fingerprint);
        position += count;
        if (position < last && sl_i_ticker_poll(&f->ticker, lane, 0)) return SL_OK;
    }
    return SL_OK;
}

static sl_status open_fingerprinting(fingerprinting *f, const sl_partition *partition, const sl_context *context,
                                     sl_error *error) {
    sl_i_slots_make(&f->slots);
    SL_TRY(sl_i_check_holds_partition(context, partition, error));
    SL_TRY(sl_i_identities_open(context, &f->identities, error));
    SL_TRY(sl_i_entity_slices_get(partition, &f->slices, error));
    return sl_i_allocate_zeroed(&f->memories, f->lanes, sizeof *f->memories, "fingerprinting entities", error);
}

static void close_fingerprinting(fingerprinting *f) {
    for (uint32_t lane = 0; f->memories && lane < f->lanes; lane++)
        sl_i_release(f->memories[lane].bytes, f->memories[lane].num_bytes, 1);
    sl_i_release(f->memories, f->lanes, sizeof *f->memories);
    sl_i_identities_close(&f->identities);
}

sl_status sl_partition_fingerprints(const sl_partition *partition, const sl_context *context, uint32_t *fingerprints,
                                    const sl_progress *progress, sl_error *error) {
    fingerprinting f = {.ticker = sl_i_ticker_make(progress), .lanes = sl_num_threads(), .fingerprints = fingerprints};
    uint64_t total = (uint64_t)sl_partition_num_entities(partition) * SL_FINGERPRINT_LENGTH * sizeof *fingerprints;
    sl_status status;
    SL_TRY_CLEANUP(status, open_fingerprinting(&f, partition, context, error));
    sl_i_ticker_begin(&f.ticker, "fingerprinting entities", f.slices.num_records);
    SL_TRY_CLEANUP(status, sl_i_for_entities(&f.slices, f.lanes, fingerprint_entity, &f, &f.ticker, error));
cleanup:
    close_fingerprinting(&f);
    if (status != SL_OK && total) memset(fingerprints, 0, total);
    return status;
}
