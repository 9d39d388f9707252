/* sort.h: the sorts the engine needs, on plain integers, and what sorting elsewhere is made of. None allocates; the radix sort takes its scratch from the caller. */
#ifndef SL_SUPPORT_SORT_H
#define SL_SUPPORT_SORT_H

#include <stdbool.h>
#include <stdint.h>

/** Ascending, in place. O(n log n) expected for any input (quicksort with a hashed pivot). */
void sl_i_sort_u32(uint32_t *values, uint64_t count);

/** Ascending; `scratch` has `count` values. O(count) for each byte in which the values differ (least significant first). */
void sl_i_radix_sort_u32(uint32_t *values, uint32_t *scratch, uint64_t count);
/** The same for wide values; a few are sorted in place. */
void sl_i_sort_u64(uint64_t *values, uint64_t *scratch, uint64_t count);
/** One pass of such a sort, by one byte (0: the lowest): sorts *values into *scratch and exchanges the two, or does nothing where
 *  all values agree in that byte. */
void sl_i_radix_pass_u64(uint64_t **values, uint64_t **scratch, uint64_t count, unsigned byte);

/** Counts to where the places of each begin when they follow one another. Returns how many places there are: of a counting sort, the
 *  step between counting and placing. */
static inline uint32_t sl_i_counts_to_starts_u32(uint32_t *counts, uint64_t length) {
    uint32_t first = 0;
    for (uint64_t i = 0; i < length; i++) {
        uint32_t count = counts[i];
        counts[i] = first;
        first += count;
    }
    return first;
}
static inline uint64_t sl_i_counts_to_starts_u64(uint64_t *counts, uint64_t length) {
    uint64_t first = 0;
    for (uint64_t i = 0; i < length; i++) {
        uint64_t count = counts[i];
        counts[i] = first;
        first += count;
    }
    return first;
}

/** A number in 0..bound-1 that depends on both arguments in no simple way: a pivot that no input was made against. */
static inline uint64_t sl_i_scatter_index(uint64_t seed, uint64_t bound) {
    seed ^= seed >> 33;
    seed *= UINT64_C(0xff51afd7ed558ccd);
    seed ^= seed >> 33;
    seed *= UINT64_C(0xc4ceb9fe1a85ec53);
    seed ^= seed >> 33;
    return seed % bound;
}

#endif
