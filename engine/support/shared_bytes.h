/* shared_bytes.h: read-only bytes that many objects use and none owns: a mapped file, or a part of one read into memory.
 *
 * Reference counted; with the last reference they are unmapped or given back. */
#ifndef SL_SUPPORT_SHARED_BYTES_H
#define SL_SUPPORT_SHARED_BYTES_H

#include <stdatomic.h>

#include "support/memory.h"

typedef struct sl_i_shared_bytes {
    atomic_uint_fast32_t references;
    uint8_t *bytes;
    uint64_t size;
    bool is_mapped; /* else from sl_i_allocate */
} sl_i_shared_bytes;

/** Map a file of `size` bytes, more than none. SL_ERROR_SYSTEM names `path`. */
sl_status sl_i_shared_bytes_map(int file, uint64_t size, const char *path, sl_i_shared_bytes **out, sl_error *error)
    SL_MUST_USE;
/** Take over a block of `size` bytes, on success. */
sl_status sl_i_shared_bytes_take(uint8_t *bytes, uint64_t size, sl_i_shared_bytes **out, sl_error *error) SL_MUST_USE;
/** NULL gives NULL. */
sl_i_shared_bytes *sl_i_shared_bytes_retain(sl_i_shared_bytes *shared);
/** Bytes held, as the allocator counts them: not those of a mapping; 0 of NULL. */
uint64_t sl_i_shared_bytes_memory(const sl_i_shared_bytes *shared);
void sl_i_shared_bytes_release(sl_i_shared_bytes *shared);

#endif
