/* expect.c: see expect.h. */
#include "support/expect.h"

_Thread_local sl_error expect_error;

void *fresh_memory(uint64_t count, size_t size) {
    void *memory = calloc((size_t)count + 1, size);
    assert_non_null(memory);
    return memory;
}

uint64_t held_before;

int note_held(void **state) {
    (void)state;
    held_before = sl_memory_in_use();
    return 0;
}

int expect_nothing_more_held(void **state) {
    (void)state;
    sl_set_num_threads(0);
    return sl_memory_in_use() == held_before ? 0 : -1;
}
