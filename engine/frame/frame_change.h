/* frame_change.h: a change of a frame on its way. See frame_change.c. */
#ifndef SL_FRAME_FRAME_CHANGE_H
#define SL_FRAME_FRAME_CHANGE_H

#include "frame/frame.h"
#include "support/pool.h"

struct sl_frame_change {
    sl_frame *frame;            /* whose `changing` is held */
    const sl_frame_state *base; /* what the frame was when the change began */
    sl_context *context;        /* what the frame's context will be; the base's until it is asked for */
    bool owns_context;          /* only this frame appends to it */
    uint32_t before;            /* records of `context` when the change began to append, to go back to */
    uint32_t attachments;       /* and tables of attributes */
    uint32_t num_records;       /* if nothing was appended: the records of `context` that are the frame's */
    bool appends;               /* the context was asked for */
    sl_i_entries entries;
    sl_record_set *given;
    bool drops, compacts;
};

/** The state in which only the records of `live` are left, renumbered by rank, in a context of their own. `state` has garbage
 *  already and is left as it is. */
sl_status sl_i_state_compact(const sl_frame_state *state, const sl_record_set *live, sl_i_ticker *ticker,
                             sl_frame_state **out, sl_error *error) SL_MUST_USE;

#endif
