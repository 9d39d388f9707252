/* memory.h: the one place where the engine gets memory.
 *
 * Every size is computed with overflow checks, every block is counted (sl_memory_in_use), and large blocks are aligned to
 * and advised for huge pages: the first touch of fresh small pages costs about a second a gigabyte. Blocks are given back
 * with the size they were asked with, so no header is kept. */
#ifndef SL_SUPPORT_MEMORY_H
#define SL_SUPPORT_MEMORY_H

#include "support/status.h"

/** `count` elements of `size` bytes into *(void **)out, 64-byte aligned, uninitialised. Zero elements: a valid pointer. */
sl_status sl_i_allocate(void *out, uint64_t count, size_t size, const char *what, sl_error *error) SL_MUST_USE;
/** The same, zeroed. */
sl_status sl_i_allocate_zeroed(void *out, uint64_t count, size_t size, const char *what, sl_error *error) SL_MUST_USE;
/** Give back what was allocated as `count` elements of `size` bytes. NULL is fine. */
void sl_i_release(void *memory, uint64_t count, size_t size);
/** Bytes that such a block counts for in sl_memory_in_use: at least one. */
uint64_t sl_i_block_bytes(uint64_t count, size_t size);
/** Grow *(void **)memory_io from `old_count` to `new_count` elements, keeping the first ones. On failure nothing changes. */
sl_status sl_i_grow(void *memory_io, uint64_t old_count, uint64_t new_count, size_t size, const char *what,
                    sl_error *error) SL_MUST_USE;
/** Grow *(void **)memory_io of *count_io elements to `needed` or to twice as many as now, whichever is more, unless it has that many.
 *  On failure nothing changes. */
sl_status sl_i_reserve(void *memory_io, uint64_t *count_io, uint64_t needed, size_t size, const char *what,
                       sl_error *error) SL_MUST_USE;
/** Shrink to `new_count` elements by moving to a smaller block; on failure the old block stays and *count_io with it. */
void sl_i_shrink(void *memory_io, uint64_t *count_io, uint64_t new_count, size_t size);

#endif
