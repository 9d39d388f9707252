/* encoded_order.h: encodings put into the order of their bytes (memcmp, the shorter of two first where one begins the other).
 *
 * An item stands for one encoding that lies among others in one block. Most comparisons end at two numbers: the group, for
 * what comes first in the bytes (the same for all items of a group, ordered as groups are), and the next eight bytes as a
 * number; the bytes themselves are looked at only where both are equal. */
#ifndef SL_ENTITIES_ENCODED_ORDER_H
#define SL_ENTITIES_ENCODED_ORDER_H

#include <string.h>

#include "support/pool.h"

typedef struct sl_i_encoded {
    uint64_t prefix;
    uint64_t start, length; /* in the block */
    uint32_t group;
} sl_i_encoded;

/** The prefix of what is encoded as a little-endian uint32 length and the bytes. */
static inline uint64_t sl_i_encoded_prefix(const uint8_t *bytes, uint32_t length) {
    uint32_t first = 0;
    for (uint32_t i = 0; i < 4; i++) first = first << 8 | (i < length ? bytes[i] : 0);
    return (uint64_t)__builtin_bswap32(length) << 32 | first;
}

/** The items in order, in one of the two arrays; NULL if `ticker` (NULL: none) tells `lane` to stop. `scratch` has room for `count`
 *  items, `bytes` is the block. O(n log n), few items in place. */
const sl_i_encoded *sl_i_sort_encoded(sl_i_encoded *items, sl_i_encoded *scratch, uint64_t count, const uint8_t *bytes,
                                      sl_i_ticker *ticker, uint32_t lane) SL_MUST_USE;

#endif
