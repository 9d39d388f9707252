/* frame_export.h: frames in the frame schema, with batches as small as tests want them. */
#ifndef SL_INTERCHANGE_FRAME_EXPORT_H
#define SL_INTERCHANGE_FRAME_EXPORT_H

#include "starlings.h"

/** sl_frame_state_export in which no batch has more than `most` rows, bytes of strings, of bytes keys or of versions. `most` is at
 *  most INT32_MAX; that is what Arrow's 32-bit offsets can count. */
sl_status sl_i_frame_export_split(const sl_frame_state *state, const sl_export_options *options, uint64_t most,
                                  struct ArrowArrayStream *out, sl_error *error) SL_MUST_USE;

#endif
