/* roaring_arena.c: see roaring_arena.h.
 *
 * A bump allocator. Before each piece lies its size, for realloc; only the piece made last can grow in place or be given back,
 * which is how CRoaring fills one container after the other. The first bytes are on the stack, so that small sets need no
 * block; blocks double in size, so that large ones need few. */
#include "records/roaring_arena.h"

#include <assert.h>
#include <pthread.h>
#include <setjmp.h>
#include <string.h>

#define ON_STACK 4096u
#define FIRST_BLOCK UINT64_C(65536)
#define LARGEST_BLOCK (UINT64_C(8) << 20)
#define ALIGNMENT ((size_t)16)

/* Before each piece; as long as the alignment of a piece, so that it takes no more room than that. */
typedef struct piece {
    _Alignas(ALIGNMENT) size_t size;
} piece;

typedef struct block {
    _Alignas(ALIGNMENT) struct block *next;
    uint64_t size;
} block;

typedef struct arena {
    _Alignas(64) unsigned char first[ON_STACK];
    jmp_buf out_of_memory;
    block *blocks;
    unsigned char *at, *end; /* room left */
    unsigned char *last;     /* the piece made last, NULL: it is gone */
    uint64_t next_block;     /* bytes */
    void *kept;              /* where `keeps`: made outside of the arena */
    uint64_t kept_size;
    bool keeps;
    sl_error *error;
} arena;

static _Thread_local arena *running;

/* ---------------------------------------------------------------------------------------------- pieces */

static unsigned char *align_up(unsigned char *address, size_t alignment) {
    return address + (-(uintptr_t)address & (alignment - 1));
}

static piece *head_of(void *memory) { return (piece *)memory - 1; }

/* Does not return without a block that has room for the piece. */
static void add_block(arena *a, size_t alignment, size_t size) {
    size_t around = sizeof(block) + sizeof(piece) + alignment;
    size_t needed = size < PTRDIFF_MAX ? size + around : PTRDIFF_MAX;
    if (needed < a->next_block) needed = (size_t)a->next_block;
    block *fresh = NULL;
    if (sl_i_allocate(&fresh, needed, 1, "a record set", a->error) != SL_OK) longjmp(a->out_of_memory, 1);
    *fresh = (block){a->blocks, needed};
    a->blocks = fresh;
    a->at = (unsigned char *)(fresh + 1);
    a->end = (unsigned char *)fresh + needed;
    if (a->next_block < LARGEST_BLOCK) a->next_block *= 2;
}

static void *place(arena *a, size_t alignment, size_t size) {
    if (alignment < ALIGNMENT) alignment = ALIGNMENT;
    size_t room = (size_t)(a->end - a->at), around = sizeof(piece) + alignment;
    if (room < around || room - around < size) add_block(a, alignment, size);
    a->last = align_up(a->at + sizeof(piece), alignment);
    head_of(a->last)->size = size;
    a->at = a->last + size;
    return a->last;
}

static void *keep(arena *a, size_t size) {
    assert(!a->kept);
    if (sl_i_allocate(&a->kept, size, 1, "a record set", a->error) == SL_OK) a->kept_size = size;
    return a->kept;
}

/* ---------------------------------------------------------------------------------------------- the hook */

static void *hook_allocate(size_t size) {
    assert(running);
    return running->keeps ? keep(running, size) : place(running, ALIGNMENT, size);
}

static void *hook_allocate_aligned(size_t alignment, size_t size) {
    assert(running);
    return place(running, alignment, size);
}

static void *hook_allocate_zeroed(size_t count, size_t size) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = PTRDIFF_MAX;
    void *memory = hook_allocate(bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

static void *hook_reallocate(void *memory, size_t size) {
    if (!memory) return hook_allocate(size);
    piece *head = head_of(memory);
    bool extends = memory == running->last && size <= (size_t)(running->end - running->last);
    if (extends) running->at = running->last + size;
    if (extends || size <= head->size) {
        head->size = size;
        return memory;
    }
    size_t kept = head->size;
    return memcpy(hook_allocate(size), memory, kept);
}

static void hook_free(void *memory) {
    if (!memory || memory != running->last) return;
    running->at = (unsigned char *)head_of(memory);
    running->last = NULL;
}

static void install_hook(void) {
    roaring_init_memory_hook((roaring_memory_t){.malloc = hook_allocate,
                                                .realloc = hook_reallocate,
                                                .calloc = hook_allocate_zeroed,
                                                .free = hook_free,
                                                .aligned_malloc = hook_allocate_aligned,
                                                .aligned_free = hook_free});
}

/* ---------------------------------------------------------------------------------------------- work */

/* Apart from its caller, which has the arena: what a function with setjmp changes of its own is lost in the jump. */
static sl_status attempt(arena *a, sl_i_roaring_work work, void *state) {
    if (setjmp(a->out_of_memory) != 0) return SL_ERROR_MEMORY;
    return work(state, a->error);
}

sl_status sl_i_roaring_run(sl_i_roaring_work work, void *state, sl_error *error) {
    static pthread_once_t installed = PTHREAD_ONCE_INIT;
    arena a;
    if (pthread_once(&installed, install_hook) != 0)
        return sl_i_fail(error, SL_ERROR_SYSTEM, "the system is out of resources for record sets");
    a.blocks = NULL;
    a.at = a.first;
    a.end = a.first + sizeof a.first;
    a.last = NULL;
    a.next_block = FIRST_BLOCK;
    a.keeps = false;
    a.error = error;
    assert(!running);
    running = &a;
    sl_status status = attempt(&a, work, state);
    running = NULL;
    while (a.blocks) {
        block *gone = a.blocks;
        a.blocks = gone->next;
        sl_i_release(gone, gone->size, 1);
    }
    return status;
}

/* roaring_bitmap_frozen_view allocates once, for the containers' heads, and passes NULL on. */
sl_status sl_i_roaring_view(const char *frozen, size_t length, roaring_bitmap_t **out, uint64_t *out_size,
                            sl_error *error) {
    *out = NULL;
    *out_size = 0;
    running->keeps = true;
    running->kept = NULL;
    running->kept_size = 0;
    const roaring_bitmap_t *view = roaring_bitmap_frozen_view(frozen, length);
    running->keeps = false;
    if (!view) {
        bool corrupt = running->kept != NULL;
        sl_i_release(running->kept, running->kept_size, 1);
        return corrupt ? sl_i_fail(error, SL_ERROR_CORRUPT, "a record set cannot be read back") : SL_ERROR_MEMORY;
    }
    assert((const void *)view == running->kept);
    *out = running->kept;
    *out_size = running->kept_size;
    return SL_OK;
}
