/* frame_state.c: life, reading and checking of a frame's states. See frame_state.h. */
#include "frame/frame_state.h"

#include <string.h>

#include "frame/collection.h"
#include "hierarchy/hierarchy.h"

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static sl_status fill_entry(sl_i_entry *entry, const char *name, size_t length, const sl_i_partition_cache *earlier,
                            sl_error *error) {
    SL_TRY(sl_i_allocate(&entry->name, (uint64_t)length + 1, 1, "the name of a collection", error));
    entry->length = length;
    if (length) memcpy(entry->name, name, length);
    entry->name[length] = '\0';
    return sl_i_cache_create(earlier, &entry->cache, error);
}

static sl_status create_entry(const char *name, size_t length, const sl_hierarchy *hierarchy, uint32_t decimals,
                              const sl_record_set *used, const sl_i_partition_cache *earlier, sl_i_entry **out,
                              sl_error *error) {
    sl_i_entry *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a collection", error));
    atomic_init(&made->references, 1);
    made->decimals = decimals;
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->used = sl_record_set_retain(used);
    sl_status status = fill_entry(made, name, length, earlier, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_i_entry_release(made);
    return status;
}

sl_i_entry *sl_i_entry_retain(sl_i_entry *entry) {
    atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
    return entry;
}

void sl_i_entry_release(sl_i_entry *entry) {
    if (!entry || atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) != 1) return;
    if (entry->name) sl_i_release(entry->name, (uint64_t)entry->length + 1, 1);
    sl_hierarchy_release(entry->hierarchy);
    sl_record_set_release(entry->used);
    sl_i_cache_release(entry->cache);
    sl_i_release(entry, 1, sizeof *entry);
}

sl_status sl_i_entries_copy(const sl_i_entries *from, sl_i_entries *out, sl_error *error) {
    *out = (sl_i_entries){0};
    SL_TRY(sl_i_allocate(&out->items, from->count, sizeof(sl_i_entry *), "the list of collections", error));
    out->capacity = from->count;
    for (; out->count < from->count; out->count++) out->items[out->count] = sl_i_entry_retain(from->items[out->count]);
    return SL_OK;
}

static sl_status make_room(sl_i_entries *entries, sl_error *error) {
    if (entries->count < entries->capacity) return SL_OK;
    uint32_t capacity = entries->capacity < 4 ? 8 : 2 * entries->capacity;
    SL_TRY(sl_i_grow(&entries->items, entries->capacity, capacity, sizeof(sl_i_entry *), "the list of collections",
                     error));
    entries->capacity = capacity;
    return SL_OK;
}

sl_status sl_i_entries_append(sl_i_entries *entries, const char *name, size_t length, const sl_hierarchy *hierarchy,
                              uint32_t decimals, const sl_record_set *used, const sl_i_partition_cache *earlier,
                              sl_error *error) {
    SL_TRY(make_room(entries, error));
    SL_TRY(create_entry(name, length, hierarchy, decimals, used, earlier, &entries->items[entries->count], error));
    entries->count++;
    return SL_OK;
}

void sl_i_entries_remove(sl_i_entries *entries, uint32_t position) {
    sl_i_entry_release(entries->items[position]);
    entries->count--;
    memmove(entries->items + position, entries->items + position + 1,
            (entries->count - position) * sizeof(sl_i_entry *));
}

/* The empty name may come as NULL. */
static bool has_name(const sl_i_entry *entry, const char *name, size_t length) {
    return entry->length == length && (length == 0 || memcmp(entry->name, name, length) == 0);
}

uint32_t sl_i_entries_find(const sl_i_entries *entries, const char *name, size_t length) {
    uint32_t position = 0;
    while (position < entries->count && !has_name(entries->items[position], name, length)) position++;
    return position;
}

void sl_i_entries_release(sl_i_entries *entries) {
    for (uint32_t i = 0; i < entries->count; i++) sl_i_entry_release(entries->items[i]);
    sl_i_release(entries->items, entries->capacity, sizeof(sl_i_entry *));
    *entries = (sl_i_entries){0};
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static sl_status fill_empty(sl_frame_state *state, sl_error *error) {
    state->owns_context = true;
    SL_TRY(sl_context_create(&state->context, error));
    SL_TRY(sl_record_set_create_range(0, 0, &state->given, error));
    SL_TRY(sl_record_set_create_range(0, 0, &state->garbage, error));
    return sl_i_state_list_sources(state, NULL, error);
}

sl_status sl_i_state_create(sl_frame_state **out, sl_error *error) {
    SL_TRY(sl_i_allocate_zeroed(out, 1, sizeof **out, "a frame", error));
    atomic_init(&(*out)->references, 1);
    return SL_OK;
}

sl_status sl_i_state_create_empty(sl_frame_state **out, sl_error *error) {
    sl_frame_state *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_state_create(&made, error));
    sl_status status = fill_empty(made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_frame_state_release(made);
    return status;
}

sl_frame_state *sl_i_state_retain(const sl_frame_state *state) {
    sl_frame_state *shared = (sl_frame_state *)(uintptr_t)state; /* only the reference count changes */
    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void sl_frame_state_release(sl_frame_state *state) {
    if (!state || atomic_fetch_sub_explicit(&state->references, 1, memory_order_acq_rel) != 1) return;
    sl_i_entries_release(&state->entries);
    sl_record_set_release(state->given);
    sl_record_set_release(state->garbage);
    sl_i_release(state->sources, state->num_sources, sizeof *state->sources);
    sl_context_release(state->context);
    sl_i_release(state, 1, sizeof *state);
}

typedef struct source_list {
    uint8_t present[SL_MAX_SOURCES + 1];
    uint16_t ids[SL_MAX_SOURCES + 1];
    uint32_t count;
} source_list;

static void add_source(source_list *list, uint16_t source) {
    if (list->present[source]) return;
    list->present[source] = 1;
    list->ids[list->count++] = source;
}

sl_status sl_i_state_list_sources(sl_frame_state *state, const sl_frame_state *before, sl_error *error) {
    source_list *list = NULL;
    uint32_t next = before ? before->num_records : 0;
    SL_TRY(sl_i_allocate_zeroed(&list, 1, sizeof *list, "the sources of a frame", error));
    for (uint32_t i = 0; before && i < before->num_sources; i++) add_source(list, before->sources[i]);
    for (sl_record record; next < state->num_records && sl_context_record(state->context, next, &record); next++)
        add_source(list, record.source);
    sl_status status =
        sl_i_allocate(&state->sources, list->count, sizeof *state->sources, "the sources of a frame", error);
    if (status == SL_OK) {
        state->num_sources = list->count;
        memcpy(state->sources, list->ids, list->count * sizeof *state->sources);
    }
    sl_i_release(list, 1, sizeof *list);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

sl_context *sl_frame_state_context(const sl_frame_state *state) { return state->context; }
uint32_t sl_frame_state_num_records(const sl_frame_state *state) { return state->num_records; }
uint32_t sl_frame_state_num_sources(const sl_frame_state *state) { return state->num_sources; }
const uint16_t *sl_frame_state_sources(const sl_frame_state *state) { return state->sources; }
uint32_t sl_frame_state_num_collections(const sl_frame_state *state) { return state->entries.count; }
const sl_record_set *sl_frame_state_given(const sl_frame_state *state) { return state->given; }
const sl_record_set *sl_frame_state_garbage(const sl_frame_state *state) { return state->garbage; }
int64_t sl_frame_state_last_compaction(const sl_frame_state *state) { return state->last_compaction; }

const char *sl_frame_state_name(const sl_frame_state *state, uint32_t position, size_t *length) {
    bool there = position < state->entries.count;
    if (length) *length = there ? state->entries.items[position]->length : 0;
    return there ? state->entries.items[position]->name : NULL;
}

bool sl_frame_state_find(const sl_frame_state *state, const char *name, size_t length, uint32_t *out_position) {
    uint32_t position = sl_i_entries_find(&state->entries, name, length);
    bool found = position < state->entries.count;
    *out_position = found ? position : 0;
    return found;
}

sl_status sl_frame_state_collection(const sl_frame_state *state, uint32_t position, sl_collection **out,
                                    sl_error *error) {
    *out = NULL;
    if (position >= state->entries.count)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "there is no collection %u: the frame has %u", position,
                         state->entries.count);
    const sl_i_entry *entry = state->entries.items[position];
    return sl_i_collection_view(state->context, entry->hierarchy, state->num_records, entry->decimals, entry->cache,
                                out, error);
}

/* Two collections of one hierarchy, of one set or from one file hold it once. */
static uint64_t shared_memory(const sl_i_entries *entries, uint32_t position) {
    const sl_i_entry *entry = entries->items[position];
    const sl_i_shared_bytes *holder = entry->hierarchy->holder;
    bool hierarchy_again = false, used_again = false, holder_again = false;
    for (uint32_t i = 0; i < position; i++) {
        hierarchy_again |= entries->items[i]->hierarchy == entry->hierarchy;
        used_again |= entries->items[i]->used == entry->used;
        holder_again |= entries->items[i]->hierarchy->holder == holder;
    }
    return (hierarchy_again ? 0 : sl_hierarchy_memory(entry->hierarchy)) +
           (used_again ? 0 : sl_record_set_memory(entry->used)) + (holder_again ? 0 : sl_i_shared_bytes_memory(holder));
}

uint64_t sl_i_state_memory(const sl_frame_state *state) {
    const sl_i_entries *entries = &state->entries;
    uint64_t bytes = sizeof *state + sl_context_memory(state->context) + sl_record_set_memory(state->given) +
                     sl_record_set_memory(state->garbage) +
                     sl_i_block_bytes(state->num_sources, sizeof *state->sources);
    if (entries->items) bytes += sl_i_block_bytes(entries->capacity, sizeof(sl_i_entry *));
    for (uint32_t i = 0; i < entries->count; i++) {
        const sl_i_entry *entry = entries->items[i];
        bytes += sizeof *entry + sl_i_block_bytes((uint64_t)entry->length + 1, 1) + sl_i_cache_memory(entry->cache) +
                 shared_memory(entries, i);
    }
    return bytes;
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static sl_status corrupt(sl_error *error, const char *what) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "frame is invalid: %s", what);
}

static bool is_below(const sl_record_set *set, uint32_t num_records) {
    for (uint32_t left = sl_record_set_count(set), record = 0; left > 0; record++) {
        if (record >= num_records) return false;
        left -= sl_record_set_contains(set, record);
    }
    return true;
}

static sl_status check_garbage(const sl_frame_state *state, sl_error *error) {
    for (uint32_t record = 0; record < state->num_records; record++) {
        bool live = sl_record_set_contains(state->given, record);
        for (uint32_t i = 0; i < state->entries.count && !live; i++)
            live = sl_record_set_contains(state->entries.items[i]->used, record);
        if (live == sl_record_set_contains(state->garbage, record))
            return corrupt(error, "garbage is not what is neither given nor used");
    }
    return SL_OK;
}

sl_status sl_i_state_validate(const sl_frame_state *state, sl_error *error) {
    const sl_i_entries *entries = &state->entries;
    if (sl_context_num_records(state->context) < state->num_records) return corrupt(error, "records are missing");
    if (!is_below(state->given, state->num_records)) return corrupt(error, "a record that was given is missing");
    if (!is_below(state->garbage, state->num_records)) return corrupt(error, "garbage beyond the last record");
    for (uint32_t i = 0; i < entries->count; i++) {
        const sl_i_entry *entry = entries->items[i];
        if (sl_hierarchy_num_records(entry->hierarchy) > state->num_records)
            return corrupt(error, "a hierarchy has more records than the frame");
        if (!is_below(entry->used, state->num_records)) return corrupt(error, "a used record is missing");
        if (sl_i_entries_find(entries, entry->name, entry->length) != i) return corrupt(error, "a name is there twice");
        SL_TRY(sl_hierarchy_validate(entry->hierarchy, error));
    }
    return check_garbage(state, error);
}
