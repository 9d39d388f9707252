/* context_fill.c: see context_fill.h.
 *
 * Indexing goes through the records a block at a time: hash the keys of a block and prefetch where they belong, then enter
 * them. The table has room for all from the beginning, so no slot moves. */
#include "records/context_fill.h"

#include <inttypes.h>

#include "records/key_column.h"
#include "records/key_hash.h"

#define BLOCK 128u
#define TICK_STEP 16384u /* records between two looks at the clock */

_Static_assert(TICK_STEP % BLOCK == 0, "ticks fall between two blocks");

sl_status sl_i_fill_append(sl_context *context, uint16_t source, const sl_key *key, sl_error *error) {
    SL_TRY(sl_i_store_append(&context->store, source, key, error));
    context->kind_counts[key->kind]++;
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- room */

/* Direct maps where int keys are small for their number. */
static sl_status plan_ints(sl_context *context, sl_i_int_range *ranges, uint32_t num_sources, sl_error *error) {
    for (uint32_t i = 0; i < context->store.count; i++) {
        const sl_i_stored *stored = sl_i_store_at(&context->store, i);
        if (!sl_i_stored_is_int(stored)) continue;
        sl_i_int_range *range = &ranges[stored->source];
        uint64_t number = sl_i_stored_payload(stored);
        range->rows++;
        if (number > range->largest) range->largest = number;
    }
    for (uint32_t source = 0; source < num_sources; source++) {
        const sl_i_int_range *range = &ranges[source];
        if (range->rows == 0) continue;
        SL_TRY(sl_i_index_plan(&context->index, &context->store, (uint16_t)source, range->largest, range->rows, true,
                               error));
    }
    for (uint32_t source = 0; source < num_sources; source++) {
        if (ranges[source].rows == 0) continue;
        context->index.maps[source].count = ranges[source].rows;
        context->index.maps[source].largest = ranges[source].largest;
    }
    return SL_OK;
}

static sl_status make_room(sl_context *context, sl_error *error) {
    uint64_t in_table = context->store.count;
    if (context->kind_counts[SL_KEY_U32] + context->kind_counts[SL_KEY_U64] > 0) {
        uint32_t num_sources = sl_context_num_sources(context);
        sl_i_int_range *ranges = NULL;
        SL_TRY(sl_i_allocate_zeroed(&ranges, num_sources, sizeof *ranges, "int keys by source", error));
        sl_status status = plan_ints(context, ranges, num_sources, error);
        sl_i_release(ranges, num_sources, sizeof *ranges);
        if (status != SL_OK) return status;
    }
    for (uint64_t source = 0; source < context->index.num_maps; source++)
        if (context->index.maps[source].capacity) in_table -= context->index.maps[source].count;
    return sl_i_index_reserve(&context->index, in_table, error);
}

/* ---------------------------------------------------------------------------------------------- entering */

/* Where the key of a record belongs. */
typedef struct key_place {
    uint32_t *direct; /* NULL: in the table */
    uint32_t fragment;
} key_place;

static inline key_place find_place(const sl_i_key_index *index, const sl_i_stored *stored) {
    const sl_i_int_map *dense = sl_i_stored_is_int(stored) ? sl_i_index_dense(index, stored->source) : NULL;
    key_place found = {0};
    if (dense) {
        found.direct = &dense->indices[sl_i_stored_payload(stored)];
        SL_I_PREFETCH(found.direct);
        return found;
    }
    sl_key key;
    sl_i_stored_key(stored, &key);
    found.fragment = sl_i_hash_key(stored->source, &key);
    SL_I_PREFETCH(&index->slots[sl_i_index_home(index, found.fragment)]);
    return found;
}

static bool same_key(const sl_i_stored *a, const sl_i_stored *b) {
    if (a->kind != b->kind || a->source != b->source) return false;
    if (sl_i_stored_is_int(a)) return sl_i_stored_payload(a) == sl_i_stored_payload(b);
    const sl_i_text *left = sl_i_stored_text(a), *right = sl_i_stored_text(b);
    return left->length == right->length && memcmp(left->bytes, right->bytes, left->length) == 0;
}

/* The record that has the key already, or SL_NO_RECORD: then it is this one's. */
static inline uint32_t enter(sl_context *context, const key_place *place, uint32_t record) {
    sl_i_key_index *index = &context->index;
    if (place->direct) {
        if (*place->direct) return *place->direct - 1;
        *place->direct = record + 1;
        return SL_NO_RECORD;
    }
    uint64_t at = sl_i_index_home(index, place->fragment);
    for (; index->slots[at]; at = sl_i_index_next(index, at)) {
        uint64_t slot = index->slots[at];
        if (sl_i_slot_fragment(slot) != place->fragment) continue;
        const sl_i_record_store *store = &context->store;
        if (same_key(sl_i_store_at(store, sl_i_slot_record(slot)), sl_i_store_at(store, record)))
            return sl_i_slot_record(slot);
    }
    index->slots[at] = sl_i_slot_make(place->fragment, record);
    index->used++;
    return SL_NO_RECORD;
}

static sl_status enter_block(sl_context *context, uint32_t first, uint32_t count, sl_error *error) {
    key_place places[BLOCK];
    for (uint32_t i = 0; i < count; i++)
        places[i] = find_place(&context->index, sl_i_store_at(&context->store, first + i));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t holder = enter(context, &places[i], first + i);
        if (holder != SL_NO_RECORD)
            return sl_i_fail_row(error, SL_ERROR_DUPLICATE_KEY, first + i, holder,
                                 "a key is there twice in one source, for records %" PRIu32 " and %" PRIu32, holder,
                                 first + i);
    }
    return SL_OK;
}

sl_status sl_i_fill_finish(sl_context *context, sl_i_ticker *ticker, sl_error *error) {
    uint32_t n = context->store.count;
    SL_TRY(make_room(context, error));
    for (uint32_t first = 0, count; first < n; first += count) {
        count = n - first < BLOCK ? n - first : BLOCK;
        SL_TRY(enter_block(context, first, count, error));
        if (first % TICK_STEP == 0) SL_TRY(sl_i_ticker_advance(ticker, 0, error));
    }
    sl_i_context_publish(context);
    return SL_OK;
}
