/* status.h: filling the caller's sl_error and forwarding a failed status.
 *
 * Invariant: a function that returns anything but SL_OK has filled `error` exactly once, at the place where the fault was
 * found; callers in between only forward. Nothing here allocates. */
#ifndef SL_SUPPORT_STATUS_H
#define SL_SUPPORT_STATUS_H

#include "starlings.h"

/** Fill `error` (may be NULL) with a printf-style sentence and return `status`. Rows are -1 until sl_i_fail_row sets them. */
sl_status sl_i_fail(sl_error *error, sl_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** The same with the offending row and a second row (-1: none). */
sl_status sl_i_fail_row(sl_error *error, sl_status status, int64_t row, int64_t other_row, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/** "out of memory: N bytes for WHAT". */
sl_status sl_i_fail_memory(sl_error *error, size_t size, const char *what);

/** A double in the fewest digits that give it back, as people write it. */
typedef struct sl_i_double_text {
    char text[32];
} sl_i_double_text;
sl_i_double_text sl_i_double_to_text(double value);

/** Forward a failure of `call` to the caller at once. */
#define SL_TRY(call)                                                                                                   \
    do {                                                                                                               \
        sl_status sl_try_status_ = (call);                                                                             \
        if (sl_try_status_ != SL_OK) return sl_try_status_;                                                            \
    } while (0)

/** Keep a failure of `call` in `status` and go to `cleanup`. */
#define SL_TRY_CLEANUP(status, call)                                                                                   \
    do {                                                                                                               \
        (status) = (call);                                                                                             \
        if ((status) != SL_OK) goto cleanup;                                                                           \
    } while (0)

#endif
