/* merge_guard.h: what constraints forbid, while records are united.
 *
 * Of every component, at its root: its number of records and, as a bit set, the unique sources that it has a record of. Two
 * components may be one where the sizes add up to no more than the largest size and the sets have nothing in common.
 * 4 bytes a record and 8 for each 64 unique sources that have records. */
#ifndef SL_HIERARCHY_MERGE_GUARD_H
#define SL_HIERARCHY_MERGE_GUARD_H

#include "support/memory.h"

typedef struct sl_i_merge_guard {
    uint32_t num_records;
    uint32_t num_words; /* of each set */
    uint32_t max_size;
    bool drop_ties;  /* SL_TIES_DROP */
    uint32_t *sizes; /* of roots */
    uint64_t *held;  /* of roots: num_words each */
    uint64_t num_skipped, num_tied;
} sl_i_merge_guard;

/** The set of unique sources of the component of this root. */
static inline uint64_t *sl_i_guard_held(const sl_i_merge_guard *guard, uint32_t root) {
    return guard->held + (uint64_t)root * guard->num_words;
}

/** May the components of these two roots be one? */
static inline bool sl_i_guard_allows(const sl_i_merge_guard *guard, uint32_t a, uint32_t b) {
    if ((uint64_t)guard->sizes[a] + guard->sizes[b] > guard->max_size) return false;
    const uint64_t *held_a = sl_i_guard_held(guard, a), *held_b = sl_i_guard_held(guard, b);
    for (uint32_t word = 0; word < guard->num_words; word++)
        if (held_a[word] & held_b[word]) return false;
    return true;
}

/** The component of root `absorbed` has joined that of root `into`. */
static inline void sl_i_guard_unite(sl_i_merge_guard *guard, uint32_t into, uint32_t absorbed) {
    uint64_t *held = sl_i_guard_held(guard, into), *more = sl_i_guard_held(guard, absorbed);
    guard->sizes[into] += guard->sizes[absorbed];
    for (uint32_t word = 0; word < guard->num_words; word++) held[word] |= more[word];
}

#endif
