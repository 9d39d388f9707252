/* key_hash.h: 32 bits of hash of a key in its source.
 *
 * Ints hash by value, whatever their width; strings and bytes by XXH3 over their bytes, with the kind mixed in. The source is
 * mixed in last, so that one set of keys in two sources does not collide. Inline because it runs once for every key read. */
#ifndef SL_RECORDS_KEY_HASH_H
#define SL_RECORDS_KEY_HASH_H

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "starlings.h"

static inline uint32_t sl_i_hash_int(uint16_t source, uint64_t number) {
    uint64_t x = number + (uint64_t)source * UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(x >> 32);
}

static inline uint32_t sl_i_hash_bytes(uint16_t source, sl_key_kind kind, const uint8_t *bytes, uint32_t length) {
    uint64_t salt = ((uint64_t)source << 2 | (uint64_t)kind) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)((XXH3_64bits(bytes, length) ^ salt) >> 32);
}

static inline uint32_t sl_i_hash_key(uint16_t source, const sl_key *key) {
    return key->kind <= SL_KEY_U64 ? sl_i_hash_int(source, key->number)
                                   : sl_i_hash_bytes(source, key->kind, key->bytes, key->length);
}

#endif
