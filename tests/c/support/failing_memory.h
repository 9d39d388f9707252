/* failing_memory.h: an allocator that fails after so many blocks, once or for good. */
#ifndef SL_TESTS_FAILING_MEMORY_H
#define SL_TESTS_FAILING_MEMORY_H

#include "starlings.h"

#define FAILING_NEVER UINT64_MAX

/** Let `allocations` more succeed; all after them fail. FAILING_NEVER: none fails. Any thread may allocate. */
void failing_memory_after(uint64_t allocations);
/** Let `allocations` more succeed; the one after them fails, and then none. */
void failing_memory_once_after(uint64_t allocations);
/** For sl_set_allocator. */
extern const sl_allocator failing_memory;

/** The `release` of an allocator whose blocks come from the C library. */
void release_plainly(void *state, void *memory, size_t size);

#endif
