/* edge_sort.c: see edge_sort.h. Codes are sorted as max - code, so that ascending digits are falling scores, and only over
 * the bits in which the group's codes differ. */
#include "hierarchy/edge_sort.h"

#include <string.h>

#include "support/sort.h"

#define INSERTION_LIMIT 32
#define DIGIT_BITS 10u
#define DIGITS (1u << DIGIT_BITS)

static void insertion_sort(sl_i_edge *edges, uint64_t count) {
    for (uint64_t i = 1; i < count; i++) {
        sl_i_edge edge = edges[i];
        uint64_t j = i;
        for (; j > 0 && edges[j - 1].code < edge.code; j--) edges[j] = edges[j - 1];
        edges[j] = edge;
    }
}

static void radix_pass(const sl_i_edge *from, sl_i_edge *to, uint64_t count, uint32_t highest, uint32_t shift) {
    uint32_t places[DIGITS];
    memset(places, 0, sizeof places);
    for (uint64_t i = 0; i < count; i++) places[(highest - from[i].code) >> shift & (DIGITS - 1)]++;
    uint32_t start = 0;
    for (uint32_t digit = 0; digit < DIGITS; digit++) {
        uint32_t in_digit = places[digit];
        places[digit] = start;
        start += in_digit;
    }
    for (uint64_t i = 0; i < count; i++) to[places[(highest - from[i].code) >> shift & (DIGITS - 1)]++] = from[i];
}

static void radix_sort(sl_i_edge *edges, uint64_t count, sl_i_edge *scratch, uint32_t highest, uint32_t lowest) {
    sl_i_edge *from = edges, *to = scratch;
    uint32_t range = highest - lowest;
    for (uint32_t shift = 0; shift < 32 && range >> shift != 0; shift += DIGIT_BITS) {
        radix_pass(from, to, count, highest, shift);
        sl_i_edge *swap = from;
        from = to;
        to = swap;
    }
    if (from != edges) memcpy(edges, from, count * sizeof *edges);
}

/* Three-way split around a pivot: higher codes, equal ones, lower ones. */
static void split(sl_i_edge *edges, uint64_t count, uint64_t *num_higher, uint64_t *lower_start) {
    uint32_t pivot = edges[sl_i_scatter_index(count, count)].code;
    uint64_t higher = 0, equal = 0, lower = count;
    while (equal < lower) {
        sl_i_edge edge = edges[equal];
        if (edge.code > pivot) {
            edges[equal++] = edges[higher];
            edges[higher++] = edge;
        } else if (edge.code < pivot) {
            edges[equal] = edges[--lower];
            edges[lower] = edge;
        } else {
            equal++;
        }
    }
    *num_higher = higher;
    *lower_start = lower;
}

void sl_i_sort_edges(sl_i_edge *edges, uint64_t count, sl_i_edge *scratch) {
    while (count > SL_I_SORT_SCRATCH) {
        uint64_t higher, lower;
        split(edges, count, &higher, &lower);
        if (higher < count - lower) {
            sl_i_sort_edges(edges, higher, scratch);
            edges += lower;
            count -= lower;
        } else {
            sl_i_sort_edges(edges + lower, count - lower, scratch);
            count = higher;
        }
    }
    if (count <= INSERTION_LIMIT) {
        insertion_sort(edges, count);
        return;
    }
    uint32_t highest = 0, lowest = UINT32_MAX;
    for (uint64_t i = 0; i < count; i++) {
        highest = edges[i].code > highest ? edges[i].code : highest;
        lowest = edges[i].code < lowest ? edges[i].code : lowest;
    }
    radix_sort(edges, count, scratch, highest, lowest);
}
