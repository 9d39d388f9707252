/* sort.c: see sort.h. */
#include "support/sort.h"

#include <string.h>

#define INSERTION_LIMIT 24

static void insertion_sort_u32(uint32_t *values, uint64_t count) {
    for (uint64_t i = 1; i < count; i++) {
        uint32_t value = values[i];
        uint64_t j = i;
        for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
        values[j] = value;
    }
}

/* Recursion goes into the smaller side only, so its depth is at most log2(count). */
void sl_i_sort_u32(uint32_t *values, uint64_t count) {
    while (count > INSERTION_LIMIT) {
        uint32_t pivot = values[sl_i_scatter_index(count, count)];
        uint64_t low = 0, equal = 0, high = count; /* [0, low) < pivot, [low, equal) == pivot, [high, count) > pivot */
        while (equal < high) {
            uint32_t value = values[equal];
            if (value < pivot) {
                values[equal++] = values[low];
                values[low++] = value;
            } else if (value > pivot) {
                values[equal] = values[--high];
                values[high] = value;
            } else {
                equal++;
            }
        }
        if (low < count - high) {
            sl_i_sort_u32(values, low);
            values += high;
            count -= high;
        } else {
            sl_i_sort_u32(values + high, count - high);
            count = low;
        }
    }
    insertion_sort_u32(values, count);
}

/* Counts of digits to where each digit starts; true if all values share one digit. */
static bool start_digits(uint64_t *places, uint64_t count) {
    uint64_t start = 0;
    bool uniform = false;
    for (int digit = 0; digit < 256; digit++) {
        uint64_t in_digit = places[digit];
        uniform |= in_digit == count;
        places[digit] = start;
        start += in_digit;
    }
    return uniform;
}

/* One pass by one byte, for both widths; a byte in which all values agree costs only the look. */
#define RADIX_PASS(TYPE)                                                                                               \
    uint64_t places[256] = {0};                                                                                        \
    TYPE *from = *values, *to = *scratch;                                                                              \
    for (uint64_t i = 0; i < count; i++) places[from[i] >> (8 * byte) & 255]++;                                        \
    if (start_digits(places, count)) return;                                                                           \
    for (uint64_t i = 0; i < count; i++) to[places[from[i] >> (8 * byte) & 255]++] = from[i];                          \
    *values = to;                                                                                                      \
    *scratch = from

static void radix_pass_u32(uint32_t **values, uint32_t **scratch, uint64_t count, unsigned byte) {
    RADIX_PASS(uint32_t);
}

void sl_i_radix_pass_u64(uint64_t **values, uint64_t **scratch, uint64_t count, unsigned byte) { RADIX_PASS(uint64_t); }

void sl_i_radix_sort_u32(uint32_t *values, uint32_t *scratch, uint64_t count) {
    uint32_t *sorted = values;
    for (unsigned byte = 0; byte < sizeof *values; byte++) radix_pass_u32(&sorted, &scratch, count, byte);
    if (sorted != values) memcpy(values, sorted, count * sizeof *values);
}

static void insertion_sort_u64(uint64_t *values, uint64_t count) {
    for (uint64_t i = 1; i < count; i++) {
        uint64_t value = values[i], j = i;
        for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
        values[j] = value;
    }
}

void sl_i_sort_u64(uint64_t *values, uint64_t *scratch, uint64_t count) {
    if (count <= INSERTION_LIMIT) {
        insertion_sort_u64(values, count);
        return;
    }
    uint64_t *sorted = values;
    for (unsigned byte = 0; byte < sizeof *values; byte++) sl_i_radix_pass_u64(&sorted, &scratch, count, byte);
    if (sorted != values) memcpy(values, sorted, count * sizeof *values);
}
