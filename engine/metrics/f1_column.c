/* f1_column.c: the pairwise F1 of many cuts at once, from columns of pair counts: four cuts an instruction where the processor has
 * AVX2, bit for bit the same elsewhere. */
#include <string.h>

#include "starlings.h"
#include "support/vector.h"

/* The nearest double, as a cast gives it, in operations that every vector unit has. The halves of x become the low bits of
 * 2^52 and 2^84; taking those off again is exact, so that one addition rounds. */
SL_INLINE_BODY double to_double(uint64_t x) {
    uint64_t low_bits = (x & UINT32_MAX) | UINT64_C(0x4330000000000000);
    uint64_t high_bits = x >> 32 | UINT64_C(0x4530000000000000);
    double low, high;
    memcpy(&low, &low_bits, sizeof low);
    memcpy(&high, &high_bits, sizeof high);
    return (high - (0x1p84 + 0x1p52)) + low;
}

/* Where there are no pairs at all, 1 is added above and below: no branch, no division by zero. */
SL_INLINE_BODY double f1_of(uint64_t true_pairs, uint64_t predicted_pairs, uint64_t reference_pairs) {
    uint64_t one_bits = UINT64_C(0x3FF0000000000000) & -(uint64_t)((predicted_pairs | reference_pairs) == 0);
    double part = 2.0 * to_double(true_pairs), whole = to_double(predicted_pairs) + to_double(reference_pairs), one;
    memcpy(&one, &one_bits, sizeof one);
    return (part + one) / (whole + one);
}

SL_INLINE_BODY void f1_body(const uint64_t *restrict true_pairs, const uint64_t *restrict predicted_pairs,
                            const uint64_t *restrict reference_pairs, uint64_t count, double *restrict f1) {
    for (uint64_t i = 0; i < count; i++) f1[i] = f1_of(true_pairs[i], predicted_pairs[i], reference_pairs[i]);
}

static void f1_portable(const uint64_t *true_pairs, const uint64_t *predicted_pairs, const uint64_t *reference_pairs,
                        uint64_t count, double *f1) {
    f1_body(true_pairs, predicted_pairs, reference_pairs, count, f1);
}

#if defined(SL_HAVE_AVX2_TWIN)
SL_AVX2 static void f1_avx2(const uint64_t *true_pairs, const uint64_t *predicted_pairs,
                            const uint64_t *reference_pairs, uint64_t count, double *f1) {
    f1_body(true_pairs, predicted_pairs, reference_pairs, count, f1);
}
#endif

void sl_f1_column(const uint64_t *true_pairs, const uint64_t *predicted_pairs, const uint64_t *reference_pairs,
                  uint64_t count, double *f1) {
#if defined(SL_HAVE_AVX2_TWIN)
    if (sl_i_has_avx2()) {
        f1_avx2(true_pairs, predicted_pairs, reference_pairs, count, f1);
        return;
    }
#endif
    f1_portable(true_pairs, predicted_pairs, reference_pairs, count, f1);
}
