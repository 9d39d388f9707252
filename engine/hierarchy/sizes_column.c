/* sizes_column.c: sizes of entities from where they start: eight entities an instruction where the processor has AVX2. */
#include "starlings.h"
#include "support/vector.h"

SL_INLINE_BODY void sizes_body(const uint32_t *restrict offsets, uint64_t count, uint32_t *restrict sizes) {
    for (uint64_t i = 0; i < count; i++) sizes[i] = offsets[i + 1] - offsets[i];
}

static void sizes_portable(const uint32_t *offsets, uint64_t count, uint32_t *sizes) {
    sizes_body(offsets, count, sizes);
}

#if defined(SL_HAVE_AVX2_TWIN)
SL_AVX2 static void sizes_avx2(const uint32_t *offsets, uint64_t count, uint32_t *sizes) {
    sizes_body(offsets, count, sizes);
}
#endif

void sl_sizes_column(const uint32_t *offsets, uint64_t count, uint32_t *sizes) {
#if defined(SL_HAVE_AVX2_TWIN)
    if (sl_i_has_avx2()) {
        sizes_avx2(offsets, count, sizes);
        return;
    }
#endif
    sizes_portable(offsets, count, sizes);
}
