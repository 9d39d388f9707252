/* context_validate.c: does a data context keep its invariants, and if not, which one is broken. For tests and debugging. */
#include <inttypes.h>

#include "records/key_lookup.h"
#include "records/utf8.h"

static sl_status broken(sl_error *error, const char *what, uint64_t where) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "corrupt data context: %s (%" PRIu64 ")", what, where);
}

static sl_status check_record(const sl_context *context, uint32_t i, sl_error *error) {
    const sl_i_stored *stored = sl_i_store_at(&context->store, i);
    sl_key key;
    if (stored->kind > SL_KEY_BYTES) return broken(error, "record of unknown kind", i);
    if (stored->source >= context->names.count) return broken(error, "record of unknown source", i);
    sl_i_stored_key(stored, &key);
    if (sl_i_stored_is_int(stored) && (key.number >> 32 != 0) != (stored->kind == SL_KEY_U64))
        return broken(error, "int key of the wrong width", i);
    if (stored->kind == SL_KEY_STRING && !sl_i_utf8_valid(key.bytes, key.length))
        return broken(error, "string key that is no UTF-8", i);
    return SL_OK;
}

/* Look the record up by its key: another holder of the key would be found in its stead, by one of the two. */
static sl_status check_found(const sl_context *context, uint32_t i, sl_error *error) {
    const sl_i_stored *stored = sl_i_store_at(&context->store, i);
    sl_key key;
    sl_i_stored_key(stored, &key);
    sl_i_probe probe = {.source = stored->source, .kind = stored->kind, .length = key.length};
    if (sl_i_stored_is_int(stored))
        probe.value.number = key.number;
    else
        probe.value.bytes = key.bytes;
    uint32_t found, holder;
    sl_i_lookup_stop stop;
    (void)sl_i_lookup((sl_context *)(uintptr_t)context, &probe, 1, 1, SL_I_LOOKUP_FIND, &found, &stop, &holder, NULL);
    if (found == SL_NO_RECORD) return broken(error, "record that its key does not lead to", i);
    return found == i ? SL_OK : broken(error, "key held by two records", i);
}

static sl_status check_table(const sl_context *context, uint64_t *out_used, sl_error *error) {
    const sl_i_key_index *index = &context->index;
    uint64_t used = 0;
    for (uint64_t at = 0; at < sl_i_index_length(index); at++) {
        uint64_t slot = index->slots[at];
        if (!slot) continue;
        used++;
        if (sl_i_slot_record(slot) >= context->store.count) return broken(error, "slot of no record", at);
    }
    if (used != index->used) return broken(error, "wrong number of slots in use", used);
    if (used >= sl_i_index_length(index)) return broken(error, "full table", used);
    *out_used = used;
    return SL_OK;
}

static sl_status check_map(const sl_context *context, uint64_t source, uint64_t *used, sl_error *error) {
    const sl_i_int_map *map = &context->index.maps[source];
    uint64_t entries = 0;
    for (uint64_t number = 0; number < map->capacity; number++) {
        if (!map->indices[number]) continue;
        entries++;
        if (map->indices[number] > context->store.count) return broken(error, "direct map entry of no record", number);
    }
    if (map->capacity && entries != map->count) return broken(error, "wrong number of entries in a direct map", source);
    *used += entries;
    return SL_OK;
}

static sl_status check_counts(const sl_context *context, sl_error *error) {
    uint64_t kinds[4] = {0}, ints = 0, counted = 0;
    for (uint32_t i = 0; i < context->store.count; i++) kinds[sl_i_store_at(&context->store, i)->kind]++;
    for (unsigned kind = 0; kind < 4; kind++)
        if (kinds[kind] != context->kind_counts[kind]) return broken(error, "wrong number of records of kind", kind);
    for (uint64_t source = 0; source < context->index.num_maps; source++) counted += context->index.maps[source].count;
    ints = kinds[SL_KEY_U32] + kinds[SL_KEY_U64];
    if (ints != counted) return broken(error, "wrong number of int keys", counted);
    if (sl_i_context_published(context) != context->store.count)
        return broken(error, "records not published outside of a transaction", context->store.count);
    return SL_OK;
}

static sl_status check_all(const sl_context *context, sl_error *error) {
    uint64_t entries = 0;
    SL_TRY(check_table(context, &entries, error));
    for (uint64_t source = 0; source < context->index.num_maps; source++)
        SL_TRY(check_map(context, source, &entries, error));
    if (entries != context->store.count) return broken(error, "records and index entries differ in number", entries);
    for (uint32_t i = 0; i < context->store.count; i++) {
        SL_TRY(check_record(context, i, error));
        SL_TRY(check_found(context, i, error));
    }
    const char *fault = sl_i_attributes_fault(&context->attributes, context->store.count);
    return fault ? broken(error, fault, context->store.count) : check_counts(context, error);
}

sl_status sl_i_context_validate(const sl_context *context, sl_error *error) {
    SL_TRY(sl_i_context_read(context, error));
    sl_status status = check_all(context, error);
    sl_i_context_end_read(context);
    return status;
}
