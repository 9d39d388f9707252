/* vector.h: run-time choice between a portable function and its twin for a wider instruction set.
 *
 * Write the body once as SL_INLINE_BODY, call it from a plain function and from one marked SL_AVX2, and choose with
 * sl_i_has_avx2(). Tests force the portable twin with sl_i_use_portable. */
#ifndef SL_SUPPORT_VECTOR_H
#define SL_SUPPORT_VECTOR_H

#include <stdbool.h>

#define SL_INLINE_BODY static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define SL_HAVE_AVX2_TWIN 1
#define SL_AVX2 __attribute__((target("avx2")))
#endif

/** For tests: true switches every vector path off. Not thread-safe. */
void sl_i_use_portable(bool portable);
/** This processor has AVX2 and its use is not switched off. */
bool sl_i_has_avx2(void);

#endif
