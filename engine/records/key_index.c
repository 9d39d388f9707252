/* key_index.c: see key_index.h.
 *
 * Removal closes the gap by moving later entries back towards their homes (no tombstones); since homes come from the
 * fragments alone, neither that nor rebuilding in place reads a key. */
#include "records/key_index.h"

#include "records/key_hash.h"

#define FIRST_BITS 6
#define PREFETCH_AHEAD 16

/* A direct map may be this much longer than four times the records: generous for the first sources only, so that many
 * small sources do not hold much memory. */
#define SLACK_SOURCES 16
#define SLACK_FIRST UINT64_C(65536)
#define SLACK_OTHERS UINT64_C(256)

sl_status sl_i_index_make(sl_i_key_index *out, sl_error *error) {
    *out = (sl_i_key_index){.bits = FIRST_BITS};
    return sl_i_allocate_zeroed(&out->slots, sl_i_index_length(out), sizeof *out->slots, "the key table", error);
}

void sl_i_index_free(sl_i_key_index *index) {
    if (index->slots) sl_i_release(index->slots, sl_i_index_length(index), sizeof *index->slots);
    for (uint64_t i = 0; i < index->num_maps; i++)
        sl_i_release(index->maps[i].indices, index->maps[i].capacity, sizeof(uint32_t));
    sl_i_release(index->maps, index->num_maps, sizeof *index->maps);
    *index = (sl_i_key_index){0};
}

uint64_t sl_i_index_memory(const sl_i_key_index *index) {
    uint64_t bytes = index->slots ? sl_i_index_length(index) * sizeof *index->slots : 0;
    bytes += index->num_maps * sizeof *index->maps;
    for (uint64_t i = 0; i < index->num_maps; i++) bytes += index->maps[i].capacity * sizeof(uint32_t);
    return bytes;
}

/* ---------------------------------------------------------------------------------------------- the table */

static void place(sl_i_key_index *index, uint64_t slot) {
    uint64_t at = sl_i_index_home(index, sl_i_slot_fragment(slot));
    while (index->slots[at]) at = sl_i_index_next(index, at);
    index->slots[at] = slot;
}

void sl_i_index_insert(sl_i_key_index *index, uint32_t fragment, uint32_t record) {
    place(index, sl_i_slot_make(fragment, record));
    index->used++;
}

sl_status sl_i_index_reserve(sl_i_key_index *index, uint64_t extra, sl_error *error) {
    uint64_t needed = index->used + extra;
    uint32_t bits = index->bits;
    while (needed > (UINT64_C(1) << bits) / 10 * 7) bits++;
    if (bits == index->bits) return SL_OK;
    sl_i_key_index larger = *index;
    larger.bits = bits;
    SL_TRY(
        sl_i_allocate_zeroed(&larger.slots, sl_i_index_length(&larger), sizeof *larger.slots, "the key table", error));
    for (uint64_t i = 0; i < sl_i_index_length(index); i++)
        if (index->slots[i]) place(&larger, index->slots[i]);
    sl_i_release(index->slots, sl_i_index_length(index), sizeof *index->slots);
    *index = larger;
    return SL_OK;
}

static void remove_one(sl_i_key_index *index, uint32_t fragment, uint32_t record) {
    uint64_t wanted = sl_i_slot_make(fragment, record), mask = sl_i_index_length(index) - 1;
    uint64_t hole = sl_i_index_home(index, fragment);
    while (index->slots[hole] != wanted) hole = sl_i_index_next(index, hole);
    for (uint64_t i = sl_i_index_next(index, hole); index->slots[i]; i = sl_i_index_next(index, i)) {
        uint64_t home = sl_i_index_home(index, sl_i_slot_fragment(index->slots[i]));
        if (((i - home) & mask) < ((i - hole) & mask)) continue; /* its home lies behind the hole */
        index->slots[hole] = index->slots[i];
        hole = i;
    }
    index->slots[hole] = 0;
    index->used--;
}

typedef bool (*keeps)(void *state, uint32_t record);

/* Take every entry out and put it back if `keep` says so, in place: from an empty slot on, front to back, what is put back
 * finds its place at or before where it was. `store` (optional): records about to be asked about are prefetched. */
static void filter(sl_i_key_index *index, const sl_i_record_store *store, keeps keep, void *state) {
    uint64_t mask = sl_i_index_length(index) - 1, start = 0;
    while (index->slots[start]) start++;
    for (uint64_t step = 1; step <= mask; step++) {
        uint64_t ahead = index->slots[(start + step + PREFETCH_AHEAD) & mask], i = (start + step) & mask;
        if (store && ahead) SL_I_PREFETCH(sl_i_store_at(store, sl_i_slot_record(ahead)));
        uint64_t slot = index->slots[i];
        if (!slot) continue;
        index->slots[i] = 0;
        if (keep(state, sl_i_slot_record(slot)))
            place(index, slot);
        else
            index->used--;
    }
}

/* ---------------------------------------------------------------------------------------------- direct maps */

static sl_status make_map_for(sl_i_key_index *index, uint16_t source, sl_error *error) {
    if (source < index->num_maps) return SL_OK;
    uint64_t count = 2 * index->num_maps;
    if (count <= source) count = (uint64_t)source + 1;
    SL_TRY(sl_i_grow(&index->maps, index->num_maps, count, sizeof *index->maps, "int keys by source", error));
    memset(index->maps + index->num_maps, 0, (size_t)(count - index->num_maps) * sizeof *index->maps);
    index->num_maps = count;
    return SL_OK;
}

static sl_status lengthen(sl_i_key_index *index, sl_i_int_map *map, uint64_t capacity, sl_error *error) {
    uint32_t *longer = NULL;
    SL_TRY(sl_i_allocate(&longer, capacity, sizeof *longer, "int keys", error));
    if (map->capacity) memcpy(longer, map->indices, (size_t)map->capacity * sizeof *longer);
    memset(longer + map->capacity, 0, (size_t)(capacity - map->capacity) * sizeof *longer);
    sl_i_release(map->indices, map->capacity, sizeof *longer);
    map->indices = longer;
    map->capacity = capacity;
    index->moves++;
    return SL_OK;
}

static sl_status move_to_table(sl_i_key_index *index, sl_i_int_map *map, uint16_t source, sl_error *error) {
    SL_TRY(sl_i_index_reserve(index, map->count, error));
    for (uint64_t number = 0; number < map->capacity; number++) {
        if (!map->indices[number]) continue;
        sl_i_index_insert(index, sl_i_hash_int(source, number), map->indices[number] - 1);
        map->largest = number;
    }
    sl_i_release(map->indices, map->capacity, sizeof *map->indices);
    map->indices = NULL;
    map->capacity = 0;
    index->moves++;
    return SL_OK;
}

typedef struct return_state {
    const sl_i_record_store *store;
    sl_i_int_map *map;
    uint16_t source;
} return_state;

static bool stays_in_table(void *state, uint32_t record) {
    return_state *to = state;
    const sl_i_stored *stored = sl_i_store_at(to->store, record);
    if (stored->source != to->source || !sl_i_stored_is_int(stored)) return true;
    to->map->indices[sl_i_stored_payload(stored)] = record + 1;
    return false;
}

static sl_status move_to_map(sl_i_key_index *index, const sl_i_record_store *store, uint16_t source, uint64_t capacity,
                             sl_error *error) {
    sl_i_int_map *map = &index->maps[source];
    SL_TRY(lengthen(index, map, capacity, error));
    return_state state = {store, map, source};
    if (map->count) filter(index, store, stays_in_table, &state);
    return SL_OK;
}

sl_status sl_i_index_plan(sl_i_key_index *index, const sl_i_record_store *store, uint16_t source, uint64_t largest,
                          uint64_t rows, bool may_return, sl_error *error) {
    SL_TRY(make_map_for(index, source, error));
    sl_i_int_map *map = &index->maps[source];
    if (largest < map->capacity) return SL_OK;
    uint64_t limit = 4 * (map->count + rows) + (source < SLACK_SOURCES ? SLACK_FIRST : SLACK_OTHERS);
    if (map->count == 0) map->largest = 0;
    if (map->capacity) {
        if (largest >= limit) return move_to_table(index, map, source, error);
        uint64_t doubled = 2 * map->capacity < limit ? 2 * map->capacity : limit;
        return lengthen(index, map, largest + 1 > doubled ? largest + 1 : doubled, error);
    }
    if (map->largest > largest) largest = map->largest;
    if (largest >= limit || (map->count > 0 && !may_return)) return SL_OK;
    return move_to_map(index, store, source, largest + 1, error);
}

/* ---------------------------------------------------------------------------------------------- removing, copying */

static bool is_below(void *state, uint32_t record) { return record < *(const uint32_t *)state; }

static void forget(sl_i_key_index *index, const sl_i_record_store *store, uint32_t record, bool one_by_one) {
    const sl_i_stored *stored = sl_i_store_at(store, record);
    sl_i_int_map *dense = NULL;
    if (sl_i_stored_is_int(stored)) {
        index->maps[stored->source].count--;
        dense = sl_i_index_dense(index, stored->source);
    }
    if (dense) {
        dense->indices[sl_i_stored_payload(stored)] = 0;
    } else if (one_by_one) {
        sl_key key;
        sl_i_stored_key(stored, &key);
        remove_one(index, sl_i_hash_key(stored->source, &key), record);
    }
}

void sl_i_index_truncate(sl_i_key_index *index, const sl_i_record_store *store, uint32_t count) {
    if (count >= store->count) return;
    bool one_by_one = store->count - count < sl_i_index_length(index) / 16;
    for (uint32_t record = store->count; record-- > count;) forget(index, store, record, one_by_one);
    if (!one_by_one) filter(index, NULL, is_below, &count);
}

sl_status sl_i_index_copy(const sl_i_key_index *source, const sl_i_record_store *store, uint32_t count,
                          sl_i_key_index *out, sl_error *error) {
    *out = (sl_i_key_index){.bits = source->bits, .used = source->used};
    SL_TRY(sl_i_allocate(&out->slots, sl_i_index_length(out), sizeof *out->slots, "the key table", error));
    memcpy(out->slots, source->slots, (size_t)sl_i_index_length(out) * sizeof *out->slots);
    if (source->num_maps) {
        SL_TRY(sl_i_allocate_zeroed(&out->maps, source->num_maps, sizeof *out->maps, "int keys by source", error));
        out->num_maps = source->num_maps;
    }
    for (uint64_t i = 0; i < out->num_maps; i++) {
        const sl_i_int_map *from = &source->maps[i];
        sl_i_int_map *to = &out->maps[i];
        to->count = from->count;
        to->largest = from->largest;
        if (!from->capacity) continue;
        SL_TRY(sl_i_allocate(&to->indices, from->capacity, sizeof(uint32_t), "int keys", error));
        memcpy(to->indices, from->indices, (size_t)from->capacity * sizeof(uint32_t));
        to->capacity = from->capacity;
    }
    sl_i_index_truncate(out, store, count);
    return SL_OK;
}
