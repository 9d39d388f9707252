/* table_records.c: the sources and keys of records as columns of a table.
 *
 * Keys are uint64, large_utf8 or large_binary where the context holds no other kind (an empty context: large_utf8), else a
 * dense union of the three, each row naming its member and its place there. Needs no lock: published records do not change. */
#include <inttypes.h>

#include "interchange/key_texts.h"
#include "interchange/table.h"
#include "records/context.h"

enum { MEMBER_INT, MEMBER_STRING, MEMBER_BYTES, NUM_MEMBERS };

static const sl_i_arrow_type member_types[NUM_MEMBERS] = {{.format = "L"}, {.format = "U"}, {.format = "Z"}};
static const char *const member_names[NUM_MEMBERS] = {"int", "string", "bytes"};
static const sl_i_arrow_type union_type = {
    .format = "+ud:0,1,2", .member_types = member_types, .member_names = member_names, .num_members = NUM_MEMBERS};

typedef struct rows {
    const sl_context *context;
    const uint32_t *records;
    uint64_t count;
} rows;

static sl_status check_records(const rows *from, sl_error *error) {
    uint32_t known = sl_context_num_records(from->context);
    for (uint64_t row = 0; row < from->count; row++)
        if (from->records[row] >= known)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                                 "row %" PRIu64 " names record %" PRIu32 ", but the context has %" PRIu32 " records",
                                 row, from->records[row], known);
    return SL_OK;
}

static inline __attribute__((always_inline)) const sl_i_stored *stored_at(const rows *from, uint64_t row) {
    return sl_i_store_gather(&from->context->store, from->records, row, from->count);
}

static unsigned member_of(const sl_i_stored *stored) {
    return stored->kind <= SL_KEY_U64 ? MEMBER_INT : stored->kind == SL_KEY_STRING ? MEMBER_STRING : MEMBER_BYTES;
}

/* ---------------------------------------------------------------------------------------------- sources */

static sl_status make_source_names(const sl_context *context, struct ArrowArray *out, sl_error *error) {
    uint32_t count = sl_context_num_sources(context);
    const char **texts = NULL;
    size_t *lengths = NULL;
    sl_status status = sl_i_allocate(&texts, count, sizeof *texts, "source names", error);
    if (status == SL_OK) status = sl_i_allocate(&lengths, count, sizeof *lengths, "source names", error);
    if (status == SL_OK) {
        for (uint32_t i = 0; i < count; i++) texts[i] = sl_context_source_name(context, (uint16_t)i, &lengths[i]);
        status = sl_i_array_strings(out, texts, lengths, count, error);
    }
    sl_i_release(texts, count, sizeof *texts);
    sl_i_release(lengths, count, sizeof *lengths);
    return status;
}

sl_status sl_table_add_record_sources(sl_table *table, const char *name, const sl_context *context,
                                      const uint32_t *records, sl_error *error) {
    const rows from = {context, records, table->num_rows};
    struct ArrowArray array;
    uint32_t *codes = NULL;
    SL_TRY(check_records(&from, error));
    SL_TRY(sl_i_array_make(&array, table->num_rows, 2, 0, true, error));
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_array_buffer(&array, 1, table->num_rows, sizeof *codes, &codes, error));
    SL_TRY_CLEANUP(status, make_source_names(context, array.dictionary, error));
    for (uint64_t row = 0; row < from.count; row++) codes[row] = stored_at(&from, row)->source;
    status = sl_i_table_take(table, name, &sl_i_category_type, &array, error);
cleanup:
    if (status != SL_OK) sl_i_array_drop(&array);
    return status;
}

/* ---------------------------------------------------------------------------------------------- keys */

/* Rows of each member, and the bytes they hold together. */
typedef struct extent {
    uint64_t rows[NUM_MEMBERS];
    uint64_t bytes[NUM_MEMBERS];
} extent;

static extent measure(const rows *from) {
    extent size = {0};
    for (uint64_t row = 0; row < from->count; row++) {
        const sl_i_stored *stored = stored_at(from, row);
        unsigned member = member_of(stored);
        size.rows[member]++;
        if (member != MEMBER_INT) size.bytes[member] += sl_i_stored_text(stored)->length;
    }
    return size;
}

/* Where the next key of a member goes. */
typedef struct member_cursor {
    uint64_t *numbers;
    int64_t *offsets;
    uint8_t *bytes;
    uint64_t count;
} member_cursor;

static sl_status make_member(struct ArrowArray *out, unsigned member, const extent *size, member_cursor *cursor,
                             sl_error *error) {
    uint64_t count = size->rows[member];
    *cursor = (member_cursor){0};
    SL_TRY(sl_i_array_make(out, count, member == MEMBER_INT ? 2 : 3, 0, false, error));
    sl_status status;
    if (member == MEMBER_INT) {
        status = sl_i_array_buffer(out, 1, count, sizeof(uint64_t), &cursor->numbers, error);
    } else {
        status = sl_i_array_buffer(out, 1, count + 1, sizeof(int64_t), &cursor->offsets, error);
        if (status == SL_OK) status = sl_i_array_buffer(out, 2, size->bytes[member], 1, &cursor->bytes, error);
    }
    if (status != SL_OK) {
        sl_i_array_drop(out);
        return status;
    }
    if (cursor->offsets) cursor->offsets[0] = 0;
    return SL_OK;
}

static inline void put_key(member_cursor *cursor, const sl_i_stored *stored) {
    uint64_t i = cursor->count++;
    if (cursor->numbers) {
        cursor->numbers[i] = sl_i_stored_payload(stored);
        return;
    }
    const sl_i_text *text = sl_i_stored_text(stored);
    memcpy(cursor->bytes + cursor->offsets[i], text->bytes, text->length);
    cursor->offsets[i + 1] = cursor->offsets[i] + (int64_t)text->length;
}

static sl_status add_one_kind(sl_table *table, const char *name, const rows *from, unsigned member, const extent *size,
                              sl_error *error) {
    struct ArrowArray array;
    member_cursor cursor;
    SL_TRY(make_member(&array, member, size, &cursor, error));
    for (uint64_t row = 0; row < from->count; row++) put_key(&cursor, stored_at(from, row));
    sl_status status = sl_i_table_take(table, name, &member_types[member], &array, error);
    if (status != SL_OK) sl_i_array_drop(&array);
    return status;
}

static sl_status fill_union(struct ArrowArray *array, const rows *from, const extent *size, sl_error *error) {
    member_cursor cursors[NUM_MEMBERS];
    int8_t *types = NULL;
    int32_t *places = NULL;
    SL_TRY(sl_i_array_buffer(array, 0, from->count, sizeof *types, &types, error));
    SL_TRY(sl_i_array_buffer(array, 1, from->count, sizeof *places, &places, error));
    for (unsigned member = 0; member < NUM_MEMBERS; member++)
        SL_TRY(make_member(array->children[member], member, size, &cursors[member], error));
    for (uint64_t row = 0; row < from->count; row++) {
        const sl_i_stored *stored = stored_at(from, row);
        unsigned member = member_of(stored);
        types[row] = (int8_t)member;
        places[row] = (int32_t)cursors[member].count;
        put_key(&cursors[member], stored);
    }
    return SL_OK;
}

static sl_status add_union(sl_table *table, const char *name, const rows *from, const extent *size, sl_error *error) {
    struct ArrowArray array;
    if (from->count > INT32_MAX)
        return sl_i_fail(error, SL_ERROR_CAPACITY,
                         "a column of mixed keys holds at most 2^31-1 rows: export fewer rows at a time");
    SL_TRY(sl_i_array_make(&array, from->count, 2, NUM_MEMBERS, false, error));
    sl_status status = fill_union(&array, from, size, error);
    if (status == SL_OK) status = sl_i_table_take(table, name, &union_type, &array, error);
    if (status != SL_OK) sl_i_array_drop(&array);
    return status;
}

sl_status sl_table_add_record_keys(sl_table *table, const char *name, const sl_context *context,
                                   const uint32_t *records, sl_error *error) {
    const rows from = {context, records, table->num_rows};
    SL_TRY(check_records(&from, error));
    /* Of these records, not of the context: it may gain other kinds, and what was exported once is to stay what it is. */
    extent size = measure(&from);
    bool ints = size.rows[MEMBER_INT] > 0, strings = size.rows[MEMBER_STRING] > 0, bytes = size.rows[MEMBER_BYTES] > 0;
    if (ints + strings + bytes > 1) return add_union(table, name, &from, &size, error);
    return add_one_kind(table, name, &from, ints ? MEMBER_INT : bytes ? MEMBER_BYTES : MEMBER_STRING, &size, error);
}

/* ---------------------------------------------------------------------------------------------- keys as text */

sl_status sl_table_add_record_key_texts(sl_table *table, const char *name, const char *kind_name,
                                        const sl_context *context, const uint32_t *records, sl_error *error) {
    const rows from = {context, records, table->num_rows};
    struct ArrowArray texts, kinds;
    SL_TRY(check_records(&from, error));
    SL_TRY(sl_i_key_texts_make(context, records, table->num_rows, &texts, &kinds, NULL, error));
    sl_status status = sl_i_table_take(table, name, &sl_i_utf8_type, &texts, error);
    if (status == SL_OK) {
        texts.release = NULL; /* the table's now */
        status = sl_i_table_take(table, kind_name, &sl_i_category8_type, &kinds, error);
        if (status != SL_OK) sl_i_table_drop_last(table);
    }
    if (status != SL_OK) {
        sl_i_array_drop(&texts);
        sl_i_array_drop(&kinds);
    }
    return status;
}
