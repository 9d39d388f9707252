/* lone_records.c: see lone_records.h. */
#include "hierarchy/lone_records.h"

#include <string.h>

#include "support/sort.h"

#define FIRST_CAPACITY 1024u

static void drop_repeats(sl_i_lone_records *list) {
    uint64_t kept = 0;
    sl_i_sort_u32(list->records, list->count);
    for (uint64_t i = 0; i < list->count; i++)
        if (kept == 0 || list->records[kept - 1] != list->records[i]) list->records[kept++] = list->records[i];
    list->count = kept;
}

/* Once the list is half full of different records it doubles, so that sorting costs O(log n) a record over all. */
static sl_status make_room(sl_i_lone_records *list, sl_error *error) {
    drop_repeats(list);
    if (list->capacity > 0 && list->count <= list->capacity / 2) return SL_OK;
    uint64_t capacity = list->capacity ? 2 * list->capacity : FIRST_CAPACITY;
    SL_TRY(sl_i_grow(&list->records, list->capacity, capacity, sizeof *list->records, "self-loops", error));
    list->capacity = capacity;
    return SL_OK;
}

sl_status sl_i_lone_add(sl_i_lone_records *list, uint32_t record, sl_error *error) {
    if (list->count > 0 && list->records[list->count - 1] == record) return SL_OK;
    if (list->count == list->capacity) SL_TRY(make_room(list, error));
    list->records[list->count++] = record;
    return SL_OK;
}

sl_status sl_i_lone_add_those_of(sl_i_lone_records *list, const sl_hierarchy *hierarchy, const uint32_t *translation,
                                 sl_error *error) {
    uint32_t *records = NULL, count = hierarchy->lone ? sl_record_set_count(hierarchy->lone) : 0;
    if (count == 0) return SL_OK;
    SL_TRY(sl_i_allocate(&records, count, sizeof *records, "records without a partner", error));
    sl_record_set_list(hierarchy->lone, records);
    sl_status status = SL_OK;
    for (uint32_t i = 0; i < count && status == SL_OK; i++)
        status = sl_i_lone_add(list, translation ? translation[records[i]] : records[i], error);
    sl_i_release(records, count, sizeof *records);
    return status;
}

static uint64_t bits_for(uint32_t num_records) { return ((uint64_t)num_records + 63) / 64; }

/* Keep the candidates that are entities of their own at every threshold. `joined` has a zeroed bit for each record. */
static void keep_unjoined(sl_i_lone_records *list, const sl_hierarchy *hierarchy, uint64_t *joined) {
    uint64_t kept = 0;
    sl_i_mark_joined(hierarchy, joined);
    for (uint64_t i = 0; i < list->count; i++) {
        uint32_t record = list->records[i];
        if (!(joined[record / 64] >> record % 64 & 1)) list->records[kept++] = record;
    }
    list->count = kept;
}

sl_status sl_i_lone_settle(sl_i_lone_records *list, sl_hierarchy *hierarchy, sl_error *error) {
    uint64_t *joined = NULL, words = bits_for(hierarchy->num_records);
    sl_record_set *lone = NULL;
    if (list->count == 0) return SL_OK;
    SL_TRY(sl_i_allocate_zeroed(&joined, words, sizeof *joined, "records without a partner", error));
    keep_unjoined(list, hierarchy, joined);
    sl_i_release(joined, words, sizeof *joined);
    if (list->count == 0) return SL_OK;
    SL_TRY(sl_record_set_create(list->records, list->count, &lone, error));
    hierarchy->lone = lone;
    return SL_OK;
}

void sl_i_lone_release(sl_i_lone_records *list) {
    sl_i_release(list->records, list->capacity, sizeof *list->records);
    memset(list, 0, sizeof *list);
}
