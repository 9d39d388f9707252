/* shared_bytes.c: see shared_bytes.h. */
#include "support/shared_bytes.h"

#include <errno.h>

#include "support/file_calls.h"

static sl_status make(uint8_t *bytes, uint64_t size, bool is_mapped, sl_i_shared_bytes **out, sl_error *error) {
    SL_TRY(sl_i_allocate_zeroed(out, 1, sizeof **out, "shared bytes", error));
    atomic_init(&(*out)->references, 1);
    (*out)->bytes = bytes;
    (*out)->size = size;
    (*out)->is_mapped = is_mapped;
    return SL_OK;
}

sl_status sl_i_shared_bytes_map(int file, uint64_t size, const char *path, sl_i_shared_bytes **out, sl_error *error) {
    *out = NULL;
    uint8_t *bytes = size <= SIZE_MAX ? sl_i_files.map(file, (size_t)size) : NULL;
    if (!bytes) return sl_i_fail_file(error, size <= SIZE_MAX ? errno : EFBIG, "map", path);
    sl_status status = make(bytes, size, true, out, error);
    if (status != SL_OK) sl_i_files.unmap(bytes, (size_t)size);
    return status;
}

sl_status sl_i_shared_bytes_take(uint8_t *bytes, uint64_t size, sl_i_shared_bytes **out, sl_error *error) {
    *out = NULL;
    return make(bytes, size, false, out, error);
}

sl_i_shared_bytes *sl_i_shared_bytes_retain(sl_i_shared_bytes *shared) {
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

uint64_t sl_i_shared_bytes_memory(const sl_i_shared_bytes *shared) {
    if (!shared) return 0;
    return sizeof *shared + (shared->is_mapped ? 0 : sl_i_block_bytes(shared->size, 1));
}

void sl_i_shared_bytes_release(sl_i_shared_bytes *shared) {
    if (!shared || atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) != 1) return;
    if (shared->is_mapped)
        sl_i_files.unmap(shared->bytes, (size_t)shared->size);
    else
        sl_i_release(shared->bytes, shared->size, 1);
    sl_i_release(shared, 1, sizeof *shared);
}
