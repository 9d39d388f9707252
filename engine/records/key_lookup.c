/* key_lookup.c: see key_lookup.h.
 *
 * The stages of a block:
 *   locate    choose the lane of each key; hash it and prefetch its home slot, or prefetch its place in the direct map
 *   approach  follow slots to the first that is empty or bears the key's fragment; prefetch that record
 *   touch     prefetch the bytes that record points to
 *   settle    in order: compare, go on where the fragment lied, append what is new
 * The table does not grow within a block and nothing is removed, so a search may be taken up where an earlier stage left it:
 * slots passed by hold other fragments for good, and only a slot that was empty may have been filled since. */
#include "records/key_lookup.h"

#include "records/key_hash.h"
#include "records/utf8.h"

static inline uint64_t load64(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

static inline uint32_t load32(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

/* memcmp costs more than the comparison for keys of usual length. */
static inline bool bytes_equal(const uint8_t *a, const uint8_t *b, uint32_t length) {
    if (length > 64) return memcmp(a, b, length) == 0;
    if (length >= 8) {
        for (uint32_t i = 0; i + 8 < length; i += 8)
            if (load64(a + i) != load64(b + i)) return false;
        return load64(a + length - 8) == load64(b + length - 8);
    }
    if (length >= 4) return load32(a) == load32(b) && load32(a + length - 4) == load32(b + length - 4);
    for (uint32_t i = 0; i < length; i++)
        if (a[i] != b[i]) return false;
    return true;
}

static inline bool is_int(const sl_i_probe *probe) { return probe->kind <= SL_KEY_U64; }

static inline bool same_key(const sl_i_probe *a, const sl_i_probe *b) {
    if (b->lane == SL_I_LANE_RESOLVED) return false; /* a probe resolved by memo bears no key */
    if (a->kind != b->kind || a->source != b->source || a->length != b->length) return false;
    return is_int(a) ? a->value.number == b->value.number : bytes_equal(a->value.bytes, b->value.bytes, a->length);
}

static inline bool holds_key(const sl_i_stored *stored, const sl_i_probe *probe) {
    if (stored->kind != probe->kind || stored->source != probe->source) return false;
    if (is_int(probe)) return sl_i_stored_payload(stored) == probe->value.number;
    const sl_i_text *text = sl_i_stored_text(stored);
    return text->length == probe->length && bytes_equal(text->bytes, probe->value.bytes, probe->length);
}

/* Records and texts are small but may lie across two cache lines. */
static inline void prefetch_both_ends(const void *memory, size_t size) {
    SL_I_PREFETCH(memory);
    SL_I_PREFETCH((const char *)memory + size - 1);
}

/* ---------------------------------------------------------------------------------------------- stages */

static inline void locate_one(const sl_i_key_index *index, sl_i_probe *probe) {
    const sl_i_int_map *dense = is_int(probe) ? sl_i_index_dense(index, probe->source) : NULL;
    if (dense) {
        probe->lane = SL_I_LANE_DENSE;
        if (probe->value.number < dense->capacity) SL_I_PREFETCH(&dense->indices[probe->value.number]);
        return;
    }
    probe->fragment = is_int(probe)
                          ? sl_i_hash_int(probe->source, probe->value.number)
                          : sl_i_hash_bytes(probe->source, (sl_key_kind)probe->kind, probe->value.bytes, probe->length);
    probe->lane = SL_I_LANE_TABLE;
    probe->slot = sl_i_index_home(index, probe->fragment);
    SL_I_PREFETCH(&index->slots[probe->slot]);
}

/* Edge lists are often sorted by their first column: there a key that repeats is seen before it is hashed. */
static void locate(const sl_i_key_index *index, sl_i_probe *probes, uint32_t count, uint32_t stride) {
    uint32_t column = 0;
    for (uint32_t i = 0; i < count; i++) {
        sl_i_probe *probe = &probes[i];
        if (probe->lane == SL_I_LANE_UNSET) {
            if (column == 0 && i >= stride && same_key(probe, &probes[i - stride]))
                probe->lane = SL_I_LANE_REPEAT;
            else
                locate_one(index, probe);
        }
        if (++column == stride) column = 0;
    }
}

static void approach(const sl_context *context, sl_i_probe *probes, uint32_t count) {
    const sl_i_key_index *index = &context->index;
    for (uint32_t i = 0; i < count; i++) {
        sl_i_probe *probe = &probes[i];
        if (probe->lane != SL_I_LANE_TABLE) continue;
        uint64_t at = probe->slot, slot;
        while ((slot = index->slots[at]) && sl_i_slot_fragment(slot) != probe->fragment)
            at = sl_i_index_next(index, at);
        probe->slot = at;
        if (!slot) continue;
        probe->lane = SL_I_LANE_CANDIDATE;
        prefetch_both_ends(sl_i_store_at(&context->store, sl_i_slot_record(slot)), sizeof(sl_i_stored));
    }
}

/* Inlined by force: GCC takes a function that only prefetches for one without effect and drops the call. */
static inline __attribute__((always_inline)) void touch(const sl_context *context, sl_i_probe *probes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        sl_i_probe *probe = &probes[i];
        if (probe->lane != SL_I_LANE_CANDIDATE || is_int(probe)) continue;
        const sl_i_stored *stored = sl_i_store_at(&context->store, sl_i_slot_record(context->index.slots[probe->slot]));
        if (!sl_i_stored_is_int(stored))
            prefetch_both_ends(sl_i_stored_text(stored), sizeof(sl_i_text) + probe->length);
    }
}

sl_i_lookup_stop sl_i_lookup_append(sl_context *context, const sl_i_probe *probe, uint32_t *out_index,
                                    sl_error *error) {
    if (probe->kind == SL_KEY_STRING && !sl_i_utf8_valid(probe->value.bytes, probe->length)) return SL_I_STOP_NOT_UTF8;
    if (context->store.count >= context->capacity) return SL_I_STOP_CAPACITY;
    sl_i_key_index *index = &context->index;
    if (is_int(probe) && probe->source >= index->num_maps) return SL_I_STOP_CHANGED;
    sl_i_int_map *map = is_int(probe) ? &index->maps[probe->source] : NULL;
    if (map && map->capacity && probe->value.number >= map->capacity) return SL_I_STOP_CHANGED;

    uint32_t record = context->store.count;
    sl_key key = sl_i_probe_key(probe);
    if (sl_i_store_append(&context->store, probe->source, &key, error) != SL_OK) return SL_I_STOP_MEMORY;
    context->kind_counts[probe->kind]++;
    if (map) {
        map->count++;
        if (map->capacity)
            map->indices[probe->value.number] = record + 1;
        else if (probe->value.number > map->largest)
            map->largest = probe->value.number;
    }
    if (!map || !map->capacity) {
        index->slots[probe->slot] = sl_i_slot_make(probe->fragment, record);
        index->used++;
    }
    *out_index = record;
    return SL_I_STOP_NONE;
}

sl_i_lookup_stop sl_i_lookup_unknown(sl_context *context, const sl_i_probe *probe, sl_i_lookup_mode mode,
                                     uint32_t *out_index, sl_error *error) {
    if (sl_i_lookup_appends(mode)) return sl_i_lookup_append(context, probe, out_index, error);
    if (probe->kind == SL_KEY_STRING && !sl_i_utf8_valid(probe->value.bytes, probe->length)) return SL_I_STOP_NOT_UTF8;
    *out_index = SL_NO_RECORD;
    return mode == SL_I_LOOKUP_FIND ? SL_I_STOP_NONE : SL_I_STOP_UNKNOWN;
}

/* The record of a probe, or SL_NO_RECORD; then `slot` is the empty slot where it belongs. */
static inline uint32_t search(const sl_context *context, sl_i_probe *probe) {
    const sl_i_key_index *index = &context->index;
    if (probe->lane == SL_I_LANE_DENSE) {
        const sl_i_int_map *map = &index->maps[probe->source];
        return probe->value.number < map->capacity ? map->indices[probe->value.number] - 1 : SL_NO_RECORD;
    }
    for (uint64_t at = probe->slot;; at = sl_i_index_next(index, at)) {
        uint64_t slot = index->slots[at];
        probe->slot = at;
        if (!slot) return SL_NO_RECORD;
        if (sl_i_slot_fragment(slot) != probe->fragment) continue;
        if (holds_key(sl_i_store_at(&context->store, sl_i_slot_record(slot)), probe)) return sl_i_slot_record(slot);
    }
}

uint32_t sl_i_lookup(sl_context *context, sl_i_probe *probes, uint32_t count, uint32_t stride, sl_i_lookup_mode mode,
                     uint32_t *indices, sl_i_lookup_stop *stop, uint32_t *holder, sl_error *error) {
    locate(&context->index, probes, count, stride);
    approach(context, probes, count);
    touch(context, probes, count);
    *stop = SL_I_STOP_NONE;
    for (uint32_t i = 0; i < count; i++) {
        sl_i_probe *probe = &probes[i];
        uint32_t record = probe->lane == SL_I_LANE_RESOLVED ? (uint32_t)probe->slot
                          : probe->lane == SL_I_LANE_REPEAT ? indices[i - stride]
                                                            : search(context, probe);
        if (record == SL_NO_RECORD) {
            *stop = sl_i_lookup_unknown(context, probe, mode, &record, error);
        } else if (mode == SL_I_LOOKUP_APPEND) {
            *holder = record;
            *stop = SL_I_STOP_DUPLICATE;
        }
        if (*stop != SL_I_STOP_NONE) return i;
        indices[i] = record;
        if (probe->memo && record != SL_NO_RECORD) *probe->memo = record + 1;
    }
    return count;
}
