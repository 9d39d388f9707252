/* failing_memory.c: see failing_memory.h. */
#include "support/failing_memory.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_uint_fast64_t left = FAILING_NEVER;
static atomic_bool once;

void failing_memory_after(uint64_t allocations) {
    atomic_store(&once, false);
    atomic_store(&left, allocations);
}

void failing_memory_once_after(uint64_t allocations) {
    atomic_store(&once, true);
    atomic_store(&left, allocations);
}

/* Whether this allocation succeeds; it counts. */
static bool take_one(void) {
    uint_fast64_t now = atomic_load(&left), next;
    do {
        if (now == FAILING_NEVER) return true;
        next = now > 0 ? now - 1 : atomic_load(&once) ? FAILING_NEVER : 0;
    } while (!atomic_compare_exchange_weak(&left, &now, next));
    return now > 0;
}

static void *allocate(void *state, size_t size) {
    void *memory = NULL;
    (void)state;
    return take_one() && posix_memalign(&memory, 64, size) == 0 ? memory : NULL;
}

void release_plainly(void *state, void *memory, size_t size) {
    (void)state, (void)size;
    free(memory);
}

const sl_allocator failing_memory = {allocate, release_plainly, NULL};
