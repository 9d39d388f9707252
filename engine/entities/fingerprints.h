/* fingerprints.h: MinHash signatures: of each of 128 orders of all possible identities, the value of the one that comes first
 * in an entity. Two entities agree in a slot with the probability of their Jaccard similarity.
 *
 * An identity is hashed once, by XXH3 to 64 bits; slot i orders the hashes h by the upper half of factor_i * h + offset_i
 * modulo 2^64. The constants come from splitmix64 (docs/entities.md, section "Fingerprints"). */
#ifndef SL_ENTITIES_FINGERPRINTS_H
#define SL_ENTITIES_FINGERPRINTS_H

#include "starlings.h"

/** The constants, by halves: offsets have no lower one. */
typedef struct sl_i_slots {
    uint32_t factor_low[SL_FINGERPRINT_LENGTH];
    uint32_t factor_high[SL_FINGERPRINT_LENGTH];
    uint32_t offset[SL_FINGERPRINT_LENGTH];
} sl_i_slots;

void sl_i_slots_make(sl_i_slots *out);
/** Lower every value of `fingerprint` to those of these hashes. */
void sl_i_fingerprint_add(const sl_i_slots *slots, const uint64_t *hashes, uint64_t count, uint32_t *fingerprint);

#endif
