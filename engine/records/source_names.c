/* source_names.c: see source_names.h. */
#include "records/source_names.h"

#include <string.h>

#include "records/key_hash.h"
#include "records/utf8.h"

#define LONGEST_NAME ((size_t)INT32_MAX)
#define FIRST_SLOTS 16u

static sl_i_source_name **slot_of_name(const sl_i_source_names *names, uint32_t source) {
    uint32_t segment = 31u - (uint32_t)__builtin_clz(source + 1);
    return &names->segments[segment][source + 1 - (1u << segment)];
}

const sl_i_source_name *sl_i_names_at(const sl_i_source_names *names, uint32_t source) {
    return *slot_of_name(names, source);
}

static uint64_t name_size(size_t length) { return sizeof(sl_i_source_name) + length + 1; }

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t probe(const sl_i_source_names *names, const char *name, size_t length) {
    uint32_t mask = names->num_slots - 1;
    uint32_t at = (uint32_t)XXH3_64bits(name, length) & mask;
    for (; names->slots[at]; at = (at + 1) & mask) {
        const sl_i_source_name *known = sl_i_names_at(names, names->slots[at] - 1u);
        if (known->length == length && memcmp(known->text, name, length) == 0) break;
    }
    return at;
}

bool sl_i_names_find(const sl_i_source_names *names, const char *name, size_t length, uint16_t *out) {
    if (names->num_slots == 0) return false;
    uint32_t at = probe(names, name, length);
    if (!names->slots[at]) return false;
    *out = (uint16_t)(names->slots[at] - 1);
    return true;
}

static void enter_all(sl_i_source_names *names) {
    if (names->num_slots) memset(names->slots, 0, names->num_slots * sizeof *names->slots);
    for (uint32_t source = 0; source < names->count; source++) {
        const sl_i_source_name *name = sl_i_names_at(names, source);
        names->slots[probe(names, name->text, name->length)] = (uint16_t)(source + 1);
    }
}

static sl_status reserve_one(sl_i_source_names *names, sl_error *error) {
    if (2 * (names->count + 1) > names->num_slots) {
        uint32_t num_slots = names->num_slots ? 2 * names->num_slots : FIRST_SLOTS;
        uint16_t *slots = NULL;
        SL_TRY(sl_i_allocate(&slots, num_slots, sizeof *slots, "source names", error));
        sl_i_release(names->slots, names->num_slots, sizeof *names->slots);
        names->slots = slots;
        names->num_slots = num_slots;
        enter_all(names);
    }
    uint32_t segment = 31u - (uint32_t)__builtin_clz(names->count + 1);
    if (names->segments[segment]) return SL_OK;
    return sl_i_allocate(&names->segments[segment], UINT64_C(1) << segment, sizeof(sl_i_source_name *), "source names",
                         error);
}

sl_status sl_i_names_add(sl_i_source_names *names, const char *name, size_t length, uint16_t *out, sl_error *error) {
    if (sl_i_names_find(names, name, length, out)) return SL_OK;
    if (length > LONGEST_NAME || !sl_i_utf8_valid((const uint8_t *)name, length))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a source name of %zu bytes is not valid UTF-8 or too long",
                         length);
    if (names->count == SL_MAX_SOURCES)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "a context holds at most %d sources: join some of them",
                         SL_MAX_SOURCES);
    SL_TRY(reserve_one(names, error));
    sl_i_source_name *fresh = NULL;
    SL_TRY(sl_i_allocate(&fresh, name_size(length), 1, "a source name", error));
    fresh->length = (uint32_t)length;
    if (length) memcpy(fresh->text, name, length);
    fresh->text[length] = '\0';
    names->slots[probe(names, name, length)] = (uint16_t)(names->count + 1);
    *slot_of_name(names, names->count) = fresh;
    *out = (uint16_t)names->count++;
    return SL_OK;
}

void sl_i_names_publish(sl_i_source_names *names) {
    atomic_store_explicit(&names->published, names->count, memory_order_release);
}

void sl_i_names_rollback(sl_i_source_names *names) {
    uint32_t kept = atomic_load_explicit(&names->published, memory_order_relaxed);
    if (names->count == kept) return;
    while (names->count > kept) {
        sl_i_source_name **slot = slot_of_name(names, --names->count);
        sl_i_release(*slot, name_size((*slot)->length), 1);
        *slot = NULL;
    }
    enter_all(names);
}

sl_status sl_i_names_copy(const sl_i_source_names *source, sl_i_source_names *out, sl_error *error) {
    for (uint32_t i = 0; i < source->count; i++) {
        const sl_i_source_name *name = sl_i_names_at(source, i);
        uint16_t id;
        SL_TRY(sl_i_names_add(out, name->text, name->length, &id, error));
    }
    sl_i_names_publish(out);
    return SL_OK;
}

void sl_i_names_free(sl_i_source_names *names) {
    for (uint32_t i = 0; i < names->count; i++) {
        sl_i_source_name *name = *slot_of_name(names, i);
        sl_i_release(name, name_size(name->length), 1);
    }
    for (uint32_t k = 0; k < SL_I_NAME_SEGMENTS; k++)
        sl_i_release(names->segments[k], UINT64_C(1) << k, sizeof(sl_i_source_name *));
    sl_i_release(names->slots, names->num_slots, sizeof *names->slots);
}

uint64_t sl_i_names_memory(const sl_i_source_names *names) {
    uint64_t bytes = names->num_slots * sizeof *names->slots;
    for (uint32_t i = 0; i < names->count; i++) bytes += name_size(sl_i_names_at(names, i)->length);
    for (uint32_t k = 0; k < SL_I_NAME_SEGMENTS; k++)
        if (names->segments[k]) bytes += (UINT64_C(1) << k) * sizeof(sl_i_source_name *);
    return bytes;
}
