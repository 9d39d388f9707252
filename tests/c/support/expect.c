/* expect.c: see expect.h. */
#include "support/expect.h"

_Thread_local sl_error expect_error;

void *fresh_memory(uint64_t count, size_t size) {
    void *memory = calloc((size_t)count + 1, size);
    assert_non_null(memory);
    return memory;
}
