/* arrow_check.h: Arrow arrays of any type that is stored, checked down to the last value.
 *
 * nanoarrow knows the types: which buffers an array has, how long each must be, whether offsets, dictionary indices and type ids
 * are in bounds. What it leaves open is checked here: arithmetic that would overflow, views, offsets of dense unions, UTF-8. */
#ifndef SL_INTERCHANGE_ARROW_CHECK_H
#define SL_INTERCHANGE_ARROW_CHECK_H

#include <nanoarrow.h>

#include "support/status.h"

/** Bytes of each buffer of an array and of all below it, in the order in which they are met: its own, its children's, its
 *  dictionary's. */
typedef struct sl_i_buffer_sizes {
    const uint64_t *sizes;
    uint64_t next;
} sl_i_buffer_sizes;

/** Of that type, as `view`, which is given back with ArrowArrayViewReset in every case. SL_ERROR_INVALID_ARGUMENT for types that are not
 *  stored: list views and run-end encoding among them. */
sl_status sl_i_arrow_view_make(const struct ArrowSchema *schema, struct ArrowArrayView *view, sl_error *error)
    SL_MUST_USE;
/** Look at `array` through the view, and check it. `known` NULL: its buffers are as long as they must be, and the view says afterwards
 *  how long that is. SL_ERROR_INVALID_ARGUMENT with the reason. */
sl_status sl_i_arrow_check(struct ArrowArrayView *view, const struct ArrowArray *array, sl_i_buffer_sizes *known,
                           sl_error *error) SL_MUST_USE;
/** Bytes of buffer `which` of an array that was checked. */
uint64_t sl_i_arrow_buffer_size(const struct ArrowArrayView *view, int64_t which, int64_t num_buffers);

#endif
