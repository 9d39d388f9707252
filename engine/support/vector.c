/* vector.c: see vector.h. */
#include "support/vector.h"

static bool portable_only;

void sl_i_use_portable(bool portable) { portable_only = portable; }

bool sl_i_has_avx2(void) {
#if defined(SL_HAVE_AVX2_TWIN)
    return !portable_only && __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}
