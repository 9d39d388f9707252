/* identities.h: who a record is, as bytes: its source name and key in the canonical encoding (docs/entities.md).
 *
 *     uint32 length of the source name, the name, then
 *     'i', the int as uint64                                  of an int key, whatever its width
 *     's' or 'b', uint32 length of the key, its bytes         of a string or bytes key
 *
 * All numbers are little-endian. Equal records have equal bytes in any context and on any machine, different records
 * different ones, and none is the beginning of another. The encodings of the sources are made once, then copied. */
#ifndef SL_ENTITIES_IDENTITIES_H
#define SL_ENTITIES_IDENTITIES_H

#include "entities/encoded_order.h"
#include "records/context.h"

typedef struct sl_i_source_code {
    uint64_t start, length; /* of the encoding in `bytes` */
    uint32_t rank;          /* among the encodings of all sources */
} sl_i_source_code;

typedef struct sl_i_identities {
    const sl_context *context;
    uint32_t num_sources;
    sl_i_source_code *sources;
    uint8_t *bytes; /* encodings of all sources, in order of id */
    uint64_t num_bytes;
} sl_i_identities;

/** The identities of the records that `context` holds now, for as long as it lives. O(sources log sources). */
sl_status sl_i_identities_open(const sl_context *context, sl_i_identities *out, sl_error *error) SL_MUST_USE;
void sl_i_identities_close(sl_i_identities *identities);

/** Write a number in little-endian, at any address. */
static inline void sl_i_put_u32(void *place, uint32_t value) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    memcpy(place, &value, sizeof value);
}
static inline void sl_i_put_u64(void *place, uint64_t value) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    memcpy(place, &value, sizeof value);
}

static inline char sl_i_identity_letter(const sl_i_stored *stored) {
    return sl_i_stored_is_int(stored) ? 'i' : stored->kind == SL_KEY_STRING ? 's' : 'b';
}

/** Bytes of a record's encoding. */
static inline uint64_t sl_i_identity_length(const sl_i_identities *identities, const sl_i_stored *stored) {
    uint64_t source = identities->sources[stored->source].length;
    if (sl_i_stored_is_int(stored)) return source + 1 + sizeof(uint64_t);
    return source + 1 + sizeof(uint32_t) + sl_i_stored_text(stored)->length;
}

/** Write it; `place` has that many bytes. */
static inline void sl_i_identity_write(const sl_i_identities *identities, const sl_i_stored *stored, uint8_t *place) {
    const sl_i_source_code *source = &identities->sources[stored->source];
    memcpy(place, identities->bytes + source->start, source->length);
    place += source->length;
    *place++ = (uint8_t)sl_i_identity_letter(stored);
    if (sl_i_stored_is_int(stored)) {
        sl_i_put_u64(place, sl_i_stored_payload(stored));
        return;
    }
    const sl_i_text *text = sl_i_stored_text(stored);
    sl_i_put_u32(place, text->length);
    memcpy(place + sizeof(uint32_t), text->bytes, text->length);
}

/** What orders it among others: by source and kind, then by the first eight bytes after these. */
static inline void sl_i_identity_order(const sl_i_identities *identities, const sl_i_stored *stored,
                                       sl_i_encoded *out) {
    out->group = identities->sources[stored->source].rank << 8 | (uint8_t)sl_i_identity_letter(stored);
    if (sl_i_stored_is_int(stored)) {
        out->prefix = __builtin_bswap64(sl_i_stored_payload(stored));
        return;
    }
    const sl_i_text *text = sl_i_stored_text(stored);
    out->prefix = sl_i_encoded_prefix(text->bytes, text->length);
}

#endif
