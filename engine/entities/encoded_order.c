/* encoded_order.c: see encoded_order.h. Insertion sort of short runs, which most entities are, then bottom-up merging: items
 * are 32 bytes, so what counts is that memory is walked in order. Runs that follow each other already are copied. */
#include "entities/encoded_order.h"

#define SHORT_RUN UINT64_C(16)
#define POLL_STEP UINT64_C(16384)

static bool comes_before(const sl_i_encoded *a, const sl_i_encoded *b, const uint8_t *bytes) {
    if (a->group != b->group) return a->group < b->group;
    if (a->prefix != b->prefix) return a->prefix < b->prefix;
    uint64_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(bytes + a->start, bytes + b->start, shorter);
    return order != 0 ? order < 0 : a->length < b->length;
}

static void insertion_sort(sl_i_encoded *items, uint64_t count, const uint8_t *bytes) {
    for (uint64_t i = 1; i < count; i++) {
        if (!comes_before(&items[i], &items[i - 1], bytes)) continue;
        sl_i_encoded item = items[i];
        uint64_t j = i;
        do {
            items[j] = items[j - 1];
            j--;
        } while (j > 0 && comes_before(&item, &items[j - 1], bytes));
        items[j] = item;
    }
}

static void merge_runs(const sl_i_encoded *from, sl_i_encoded *to, uint64_t middle, uint64_t count,
                       const uint8_t *bytes) {
    uint64_t left = 0, right = middle, next = 0;
    if (middle < count && comes_before(&from[middle], &from[middle - 1], bytes))
        while (left < middle && right < count)
            to[next++] = comes_before(&from[right], &from[left], bytes) ? from[right++] : from[left++];
    memcpy(to + next, from + left, (middle - left) * sizeof *to);
    memcpy(to + next + (middle - left), from + right, (count - right) * sizeof *to);
}

static inline uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

const sl_i_encoded *sl_i_sort_encoded(sl_i_encoded *items, sl_i_encoded *scratch, uint64_t count, const uint8_t *bytes,
                                      sl_i_ticker *ticker, uint32_t lane) {
    for (uint64_t start = 0; start < count; start += SHORT_RUN)
        insertion_sort(items + start, smaller(SHORT_RUN, count - start), bytes);
    for (uint64_t run = SHORT_RUN; run < count; run *= 2) {
        uint64_t since = 0;
        for (uint64_t start = 0; start < count; start += 2 * run) {
            uint64_t both = smaller(2 * run, count - start);
            merge_runs(items + start, scratch + start, smaller(run, both), both, bytes);
            since += both;
            if (since < POLL_STEP) continue;
            since = 0;
            if (ticker && sl_i_ticker_poll(ticker, lane, 0)) return NULL;
        }
        sl_i_encoded *sorted = scratch;
        scratch = items;
        items = sorted;
    }
    return items;
}
