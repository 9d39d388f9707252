/* record_set.c: see record_set.h.
 *
 * Every operation makes its result as an ordinary Roaring bitmap in an arena (roaring_arena.h), lets CRoaring choose the
 * shortest form of each container (run_optimize) and freezes it into the set's own block. */
#include "records/record_set.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "records/roaring_arena.h"

#define FROZEN_ALIGNMENT ((uintptr_t)32)
#define LEAST_ALIGNMENT 16u /* of blocks, from any allocator */
#define WINDOW 8192u
#define LONG_RUN 1024u /* records in a row that are worth adding as a range */

struct sl_record_set {
    roaring_bitmap_t *view;
    uint64_t view_size; /* bytes of the view's block */
    uint64_t size;      /* bytes of this block */
    uint32_t count;
    atomic_uint references;
    char bytes[]; /* frozen, from the first aligned address on; this is aligned as the block is */
};

_Static_assert(offsetof(sl_record_set, bytes) % LEAST_ALIGNMENT == 0, "the bytes are aligned as the block is");

/* ---------------------------------------------------------------------------------------------- life */

sl_record_set *sl_record_set_retain(const sl_record_set *set) {
    sl_record_set *shared = (sl_record_set *)(uintptr_t)set; /* only the reference count changes */
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void sl_record_set_release(sl_record_set *set) {
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1) return;
    sl_i_release(set->view, set->view_size, 1);
    sl_i_release(set, set->size, 1);
}

uint64_t sl_record_set_memory(const sl_record_set *set) { return set->size + set->view_size; }

/* ---------------------------------------------------------------------------------------------- making */

static char *first_aligned(char *address) { return address + (-(uintptr_t)address & (FROZEN_ALIGNMENT - 1)); }

/* In an arena. */
static sl_status freeze(roaring_bitmap_t *bitmap, sl_record_set **out, sl_error *error) {
    sl_record_set *set = NULL;
    /* Of a bitmap without arrays CRoaring would copy nothing, from NULL. */
    if (roaring_bitmap_is_empty(bitmap)) bitmap = roaring_bitmap_create_with_capacity(1);
    (void)roaring_bitmap_run_optimize(bitmap);
    size_t length = roaring_bitmap_frozen_size_in_bytes(bitmap);
    uint64_t size = sizeof *set + (FROZEN_ALIGNMENT - LEAST_ALIGNMENT) + length;
    SL_TRY(sl_i_allocate(&set, size, 1, "a record set", error));
    set->size = size;
    set->count = (uint32_t)roaring_bitmap_get_cardinality(bitmap);
    atomic_init(&set->references, 1);
    char *frozen = first_aligned(set->bytes);
    roaring_bitmap_frozen_serialize(bitmap, frozen);
    sl_status status = sl_i_roaring_view(frozen, length, &set->view, &set->view_size, error);
    if (status == SL_OK)
        *out = set;
    else
        sl_i_release(set, size, 1);
    return status;
}

/* Many records are often all of a stretch: those are added as what they are, 100 times faster than one by one. */
static void add(roaring_bitmap_t *bitmap, const uint32_t *records, uint64_t count) {
    uint64_t added = 0;
    for (uint64_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && records[end] == records[end - 1] + 1;) end++;
        if (end - first < LONG_RUN) continue;
        roaring_bitmap_add_many(bitmap, (size_t)(first - added), records + added);
        roaring_bitmap_add_range_closed(bitmap, records[first], records[end - 1]);
        added = end;
    }
    if (added < count) roaring_bitmap_add_many(bitmap, (size_t)(count - added), records + added);
}

typedef struct listing {
    const uint32_t *records;
    uint64_t count;
    sl_record_set **out;
} listing;

static sl_status make_from_list(void *state, sl_error *error) {
    const listing *l = state;
    roaring_bitmap_t *bitmap = roaring_bitmap_create();
    add(bitmap, l->records, l->count);
    return freeze(bitmap, l->out, error);
}

static sl_status check_list(const uint32_t *records, uint64_t count, sl_error *error) {
    if (!records && count > 0) return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the list of records is missing");
    for (uint64_t i = 0; i < count; i++)
        if (records[i] == SL_NO_RECORD)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)i, -1,
                                 "row %" PRIu64 ": %" PRIu32 " stands for no record and cannot be in a set", i,
                                 SL_NO_RECORD);
    return SL_OK;
}

sl_status sl_record_set_create(const uint32_t *records, uint64_t count, sl_record_set **out, sl_error *error) {
    *out = NULL;
    SL_TRY(check_list(records, count, error));
    return sl_i_roaring_run(make_from_list, &(listing){records, count, out}, error);
}

typedef struct range {
    uint32_t first, end;
    sl_record_set **out;
} range;

static sl_status make_from_range(void *state, sl_error *error) {
    const range *r = state;
    roaring_bitmap_t *bitmap = roaring_bitmap_create();
    if (r->first < r->end) roaring_bitmap_add_range_closed(bitmap, r->first, r->end - 1);
    return freeze(bitmap, r->out, error);
}

sl_status sl_record_set_create_range(uint32_t first, uint32_t end, sl_record_set **out, sl_error *error) {
    *out = NULL;
    if (first > end)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the range of records from %" PRIu32 " ends before that, at %" PRIu32, first, end);
    return sl_i_roaring_run(make_from_range, &(range){first, end, out}, error);
}

typedef struct collection {
    sl_i_next_records next;
    void *state;
    sl_record_set **out;
} collection;

static sl_status make_collected(void *state, sl_error *error) {
    const collection *c = state;
    uint32_t records[WINDOW];
    roaring_bitmap_t *bitmap = roaring_bitmap_create();
    for (;;) {
        uint32_t count = c->next(c->state, records, WINDOW);
        if (count == 0) return freeze(bitmap, c->out, error);
        add(bitmap, records, count);
    }
}

sl_status sl_i_record_set_collect(sl_i_next_records next, void *state, sl_record_set **out, sl_error *error) {
    *out = NULL;
    return sl_i_roaring_run(make_collected, &(collection){next, state, out}, error);
}

/* ---------------------------------------------------------------------------------------------- combining */

typedef struct combination {
    roaring_bitmap_t *(*combine)(const roaring_bitmap_t *, const roaring_bitmap_t *);
    const sl_record_set *a, *b;
    sl_record_set **out;
} combination;

static sl_status make_combined(void *state, sl_error *error) {
    const combination *c = state;
    return freeze(c->combine(c->a->view, c->b->view), c->out, error);
}

sl_status sl_record_set_union(const sl_record_set *a, const sl_record_set *b, sl_record_set **out, sl_error *error) {
    *out = NULL;
    return sl_i_roaring_run(make_combined, &(combination){roaring_bitmap_or, a, b, out}, error);
}

sl_status sl_record_set_difference(const sl_record_set *a, const sl_record_set *b, sl_record_set **out,
                                   sl_error *error) {
    *out = NULL;
    return sl_i_roaring_run(make_combined, &(combination){roaring_bitmap_andnot, a, b, out}, error);
}

/* ---------------------------------------------------------------------------------------------- reading */

uint32_t sl_record_set_count(const sl_record_set *set) { return set->count; }

bool sl_record_set_contains(const sl_record_set *set, uint32_t record) {
    return roaring_bitmap_contains(set->view, record);
}

void sl_record_set_list(const sl_record_set *set, uint32_t *records) {
    roaring_bitmap_to_uint32_array(set->view, records);
}

bool sl_record_set_equal(const sl_record_set *a, const sl_record_set *b) {
    return a == b || (a->count == b->count && roaring_bitmap_equals(a->view, b->view));
}

uint32_t sl_i_record_set_read(const sl_record_set *set, uint32_t first, uint32_t *records, uint32_t room) {
    roaring_uint32_iterator_t at;
    roaring_iterator_init(set->view, &at);
    (void)roaring_uint32_iterator_skip(&at, first);
    return roaring_uint32_iterator_read(&at, records, room);
}

#define READ_WINDOW 1024u

void sl_i_record_set_mark(const sl_record_set *set, uint64_t *bits) {
    uint32_t window[READ_WINDOW], count;
    roaring_uint32_iterator_t at;
    roaring_iterator_init(set->view, &at);
    while ((count = roaring_uint32_iterator_read(&at, window, READ_WINDOW)) > 0)
        for (uint32_t i = 0; i < count; i++) bits[window[i] / 64] |= UINT64_C(1) << window[i] % 64;
}

sl_status sl_i_record_set_rank(const sl_record_set *set, uint32_t num_records, uint32_t *ranks, sl_i_ticker *ticker,
                               sl_error *error) {
    uint32_t window[READ_WINDOW], rank = 0, count;
    memset(ranks, 0xFF, (size_t)num_records * sizeof *ranks); /* SL_NO_RECORD */
    roaring_uint32_iterator_t at;
    roaring_iterator_init(set->view, &at);
    while ((count = roaring_uint32_iterator_read(&at, window, READ_WINDOW)) > 0) {
        for (uint32_t i = 0; i < count && window[i] < num_records; i++) ranks[window[i]] = rank + i;
        if (window[count - 1] >= num_records) break;
        if (rank / READ_WINDOW % 64 == 0) SL_TRY(sl_i_ticker_advance(ticker, 0, error));
        rank += count;
    }
    return SL_OK;
}

uint32_t sl_i_record_set_last(const sl_record_set *set) {
    return set->count ? roaring_bitmap_maximum(set->view) : SL_NO_RECORD;
}

sl_status sl_i_record_set_validate(const sl_record_set *set, sl_error *error) {
    const char *reason = NULL;
    if (!roaring_bitmap_internal_validate(set->view, &reason))
        return sl_i_fail(error, SL_ERROR_CORRUPT, "a broken record set: %s", reason);
    uint64_t count = roaring_bitmap_get_cardinality(set->view);
    if (count != set->count)
        return sl_i_fail(error, SL_ERROR_CORRUPT, "a broken record set: %" PRIu32 " counted, %" PRIu64 " in it",
                         set->count, count);
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- as bytes */

typedef struct serialisation {
    const sl_record_set *set;
    char **out;
    uint64_t *out_size;
} serialisation;

/* The form of each container is chosen anew, since it may depend on how the set was made. */
static sl_status make_bytes(void *state, sl_error *error) {
    const serialisation *s = state;
    roaring_bitmap_t *bitmap = roaring_bitmap_copy(s->set->view);
    (void)roaring_bitmap_remove_run_compression(bitmap);
    (void)roaring_bitmap_run_optimize(bitmap);
    uint64_t size = roaring_bitmap_portable_size_in_bytes(bitmap);
    SL_TRY(sl_i_allocate(s->out, size, 1, "a record set", error));
    *s->out_size = size;
    (void)roaring_bitmap_portable_serialize(bitmap, *s->out);
    return SL_OK;
}

sl_status sl_i_record_set_serialise(const sl_record_set *set, char **out, uint64_t *out_size, sl_error *error) {
    *out = NULL;
    *out_size = 0;
    sl_status status = sl_i_roaring_run(make_bytes, &(serialisation){set, out, out_size}, error);
    if (status == SL_OK) return SL_OK;
    sl_i_release(*out, *out_size, 1); /* memory may run out after it was had */
    *out = NULL;
    *out_size = 0;
    return status;
}

typedef struct deserialisation {
    const char *bytes;
    uint64_t size;
    sl_record_set **out;
} deserialisation;

static sl_status make_from_bytes(void *state, sl_error *error) {
    const deserialisation *d = state;
    const char *reason = "its bytes are not those of a Roaring bitmap";
    roaring_bitmap_t *bitmap = NULL;
    if (roaring_bitmap_portable_deserialize_size(d->bytes, (size_t)d->size) == d->size)
        bitmap = roaring_bitmap_portable_deserialize_safe(d->bytes, (size_t)d->size);
    if (!bitmap || !roaring_bitmap_internal_validate(bitmap, &reason))
        return sl_i_fail(error, SL_ERROR_CORRUPT, "a broken record set: %s", reason);
    return freeze(bitmap, d->out, error);
}

sl_status sl_i_record_set_deserialise(const char *bytes, uint64_t size, sl_record_set **out, sl_error *error) {
    *out = NULL;
    return sl_i_roaring_run(make_from_bytes, &(deserialisation){bytes, size, out}, error);
}
