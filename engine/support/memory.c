/* memory.c: see memory.h. The default allocator is aligned_alloc/free; blocks of LARGE bytes and more are mapped: they start at a
 * huge-page boundary, ask for huge pages, and go back to the system when they are released. The C library would keep them
 * after a while (its threshold for mapping rises with what is freed), and a service would hold what its largest build once
 * needed. */
#include "support/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#define ALIGNMENT ((size_t)64)
#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE HUGE_PAGE

/* Whole huge pages where that wastes little: the rest of a block would cost a page fault for every 4 KiB. */
static size_t round_up(size_t size) {
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t pages = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    return size >= LARGE && pages - size <= size / 8 ? pages : rounded;
}

/* Memory checkers see only what comes from the C library. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define IS_CHECKED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(IS_CHECKED)
#define MAPS_LARGE_BLOCKS 0
#elif defined(__linux__) && defined(MADV_HUGEPAGE)
#define MAPS_LARGE_BLOCKS 1
#else
#define MAPS_LARGE_BLOCKS 0
#endif

#if MAPS_LARGE_BLOCKS

static size_t whole_pages(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (round_up(size) + page - 1) / page * page;
}

/* Mapped a huge page too long, and cut to begin at the boundary of one. */
static void *allocate_large(size_t size) {
    size_t length = whole_pages(size), mapped = length + HUGE_PAGE;
    uint8_t *memory = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE, after = mapped - before - length;
    if (before) (void)munmap(memory, before);
    if (after) (void)munmap(memory + before + length, after);
    /* Advice only: where the kernel refuses, small pages serve. The advised range ends at the last whole huge page. */
    (void)madvise(memory + before, length / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    return memory + before;
}

static void release_large(void *memory, size_t size) { (void)munmap(memory, whole_pages(size)); }

#else

static void *allocate_large(size_t size) {
    void *memory = NULL;
    return posix_memalign(&memory, HUGE_PAGE, round_up(size)) == 0 ? memory : NULL;
}

static void release_large(void *memory, size_t size) {
    (void)size;
    free(memory);
}

#endif

static void *default_allocate(void *state, size_t size) {
    (void)state;
    if (size > SIZE_MAX - 3 * HUGE_PAGE) return NULL;
    if (size >= LARGE) return allocate_large(size);
    void *memory = NULL;
    return posix_memalign(&memory, ALIGNMENT, round_up(size)) == 0 ? memory : NULL;
}

static void default_release(void *state, void *memory, size_t size) {
    (void)state;
    if (size >= LARGE)
        release_large(memory, size);
    else
        free(memory);
}

static const sl_allocator default_allocator = {default_allocate, default_release, NULL};
static sl_allocator current = {default_allocate, default_release, NULL};
static atomic_uint_fast64_t in_use;

sl_status sl_set_allocator(const sl_allocator *allocator, sl_error *error) {
    if (sl_memory_in_use() != 0)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the allocator cannot change while the library holds %llu bytes: release every object first",
                         (unsigned long long)sl_memory_in_use());
    if (allocator && (!allocator->allocate || !allocator->release))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "an allocator needs both allocate and release");
    current = allocator ? *allocator : default_allocator;
    return SL_OK;
}

uint64_t sl_memory_in_use(void) { return atomic_load_explicit(&in_use, memory_order_relaxed); }

sl_status sl_i_allocate(void *out, uint64_t count, size_t size, const char *what, sl_error *error) {
    void **slot = out;
    *slot = NULL;
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)
        return sl_i_fail(error, SL_ERROR_MEMORY, "out of memory: %llu elements of %zu bytes for %s",
                         (unsigned long long)count, size, what);
    if (bytes == 0) bytes = 1;
    void *memory = current.allocate(current.state, bytes);
    if (!memory) return sl_i_fail_memory(error, bytes, what);
    atomic_fetch_add_explicit(&in_use, bytes, memory_order_relaxed);
    *slot = memory;
    return SL_OK;
}

uint64_t sl_i_block_bytes(uint64_t count, size_t size) { return count > 0 && size > 0 ? count * size : 1; }

sl_status sl_i_allocate_zeroed(void *out, uint64_t count, size_t size, const char *what, sl_error *error) {
    SL_TRY(sl_i_allocate(out, count, size, what, error));
    memset(*(void **)out, 0, (size_t)count * size);
    return SL_OK;
}

void sl_i_release(void *memory, uint64_t count, size_t size) {
    if (!memory) return;
    size_t bytes = (size_t)count * size;
    if (bytes == 0) bytes = 1;
    atomic_fetch_sub_explicit(&in_use, bytes, memory_order_relaxed);
    current.release(current.state, memory, bytes);
}

sl_status sl_i_grow(void *memory_io, uint64_t old_count, uint64_t new_count, size_t size, const char *what,
                    sl_error *error) {
    void **slot = memory_io;
    void *fresh = NULL;
    SL_TRY(sl_i_allocate(&fresh, new_count, size, what, error));
    if (*slot) memcpy(fresh, *slot, (size_t)old_count * size);
    sl_i_release(*slot, old_count, size);
    *slot = fresh;
    return SL_OK;
}

sl_status sl_i_reserve(void *memory_io, uint64_t *count_io, uint64_t needed, size_t size, const char *what,
                       sl_error *error) {
    if (needed <= *count_io) return SL_OK;
    uint64_t count = *count_io > needed / 2 ? 2 * *count_io : needed;
    SL_TRY(sl_i_grow(memory_io, *count_io, count, size, what, error));
    *count_io = count;
    return SL_OK;
}

void sl_i_shrink(void *memory_io, uint64_t *count_io, uint64_t new_count, size_t size) {
    void **slot = memory_io;
    void *fresh = NULL;
    if (new_count >= *count_io) return;
    if (sl_i_allocate(&fresh, new_count, size, "a smaller block", NULL) != SL_OK) return;
    memcpy(fresh, *slot, (size_t)new_count * size);
    sl_i_release(*slot, *count_io, size);
    *slot = fresh;
    *count_io = new_count;
}
