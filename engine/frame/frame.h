/* frame.h: a frame is a reference to its current state, and two locks.
 *
 * `changing` is held from the beginning of a change to its end; the short lock of the frame's address only while the reference
 * is read or replaced, so readers never wait for a change. */
#ifndef SL_FRAME_FRAME_H
#define SL_FRAME_FRAME_H

#include "frame/frame_state.h"
#include "support/fork_lock.h"

struct sl_frame {
    atomic_uint_fast32_t references;
    sl_i_fork_lock changing; /* its writer side */
    sl_frame_state *current; /* under the short lock */
};

/** A frame whose state this is; the reference is taken over on success. */
sl_status sl_i_frame_take(sl_frame_state *state, sl_frame **out, sl_error *error) SL_MUST_USE;
/** Make `state` the current one (its reference is taken over) and release the one before. */
void sl_i_frame_swap(sl_frame *frame, sl_frame_state *state);

#endif
