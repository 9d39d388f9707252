/* roaring_arena.h: CRoaring where memory may run out.
 *
 * CRoaring does not look at what its allocations return. So every call of it that allocates runs inside an arena of this
 * thread's own: CRoaring's memory hook takes from blocks of sl_i_allocate, and where none can be had it jumps back to where
 * the work began (longjmp). That is safe because CRoaring then holds nothing outside the arena, which is given back as a
 * whole. What is to stay is copied out at the end, in CRoaring's frozen format, which needs no memory to be read.
 *
 * The hook is one for all of a copy of CRoaring. Ours is private (FindRoaring.cmake), so nobody else's bitmaps meet it. */
#ifndef SL_RECORDS_ROARING_ARENA_H
#define SL_RECORDS_ROARING_ARENA_H

#include <private_roaring.h>

#include "support/memory.h"

/** Work with CRoaring. Bitmaps made in it are never freed and gone after it; it must hold no memory but theirs across a call of
 *  CRoaring that allocates, since it may not get back. It may call sl_i_allocate, but do no arena work inside. */
typedef sl_status (*sl_i_roaring_work)(void *state, sl_error *error);

/** Do the work in an arena; SL_ERROR_MEMORY where it runs out. Each thread has its own. */
sl_status sl_i_roaring_run(sl_i_roaring_work work, void *state, sl_error *error) SL_MUST_USE;

/** Inside such work: the bitmap that was serialised into `frozen` (32-byte aligned). It borrows these bytes; the rest of it is one
 *  counted block of *out_size bytes that outlives the arena: give it back with sl_i_release(view, out_size, 1). */
sl_status sl_i_roaring_view(const char *frozen, size_t length, roaring_bitmap_t **out, uint64_t *out_size,
                            sl_error *error) SL_MUST_USE;

#endif
