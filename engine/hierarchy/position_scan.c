/* position_scan.c: see position_scan.h. Counting is bound by memory once vectorised; listing and labelling are bound by
 * their writes, so they are only made branch-free. */
#include "hierarchy/position_scan.h"

#include "support/vector.h"

SL_INLINE_BODY uint32_t count_body(const uint32_t *join, uint32_t count, uint32_t level) {
    uint32_t ends = 0;
    for (uint32_t i = 0; i < count; i++) ends += join[i] >= level;
    return ends;
}

static uint32_t count_portable(const uint32_t *join, uint32_t count, uint32_t level) {
    return count_body(join, count, level);
}

#if defined(SL_HAVE_AVX2_TWIN)
SL_AVX2 static uint32_t count_avx2(const uint32_t *join, uint32_t count, uint32_t level) {
    return count_body(join, count, level);
}
#endif

uint32_t sl_i_count_ends(const uint32_t *join, uint32_t count, uint32_t level) {
#if defined(SL_HAVE_AVX2_TWIN)
    if (sl_i_has_avx2()) return count_avx2(join, count, level);
#endif
    return count_portable(join, count, level);
}

/* The slot after the last end is written too, before the next end or never: hence no branch, and the bound on `kept`. */
uint32_t sl_i_list_ends(const uint32_t *join, uint32_t count, uint32_t level, uint32_t *ends) {
    uint32_t kept = 0, last = count;
    while (last > 0 && join[last - 1] < level) last--; /* position last-1 is the last end: no write goes beyond it */
    for (uint32_t i = 0; i < last; i++) {
        ends[kept] = i + 1;
        kept += join[i] >= level;
    }
    return kept;
}

#define AHEAD 24u

uint32_t sl_i_label_records(const uint32_t *order, const uint32_t *join, uint32_t count, uint32_t level,
                            uint32_t *labels) {
    uint32_t entity = 0, i = 0;
    for (; count > AHEAD && i < count - AHEAD; i++) {
        __builtin_prefetch(&labels[order[i + AHEAD]], 1);
        labels[order[i]] = entity;
        entity += join[i] >= level;
    }
    for (; i < count; i++) {
        labels[order[i]] = entity;
        entity += join[i] >= level;
    }
    return entity;
}
