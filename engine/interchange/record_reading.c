/* record_reading.c: see record_reading.h. */
#include "interchange/record_reading.h"

#include <inttypes.h>

#include "records/utf8.h"

sl_status sl_i_read_records_make(uint64_t count, sl_i_read_records *out, sl_error *error) {
    *out = (sl_i_read_records){0};
    if (count > SL_MAX_RECORDS)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "%" PRIu64 " records are more than the %" PRIu32 " there can be",
                         count, SL_MAX_RECORDS);
    out->count = (uint32_t)count;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&out->keys, count, sizeof *out->keys, "the records of a table", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&out->sources, count, sizeof *out->sources, "the records of a table", error));
    SL_TRY_CLEANUP(
        status, sl_i_allocate_zeroed(&out->seen, count / 64 + 1, sizeof *out->seen, "the records of a table", error));
    return SL_OK;
cleanup:
    sl_i_read_records_free(out);
    return status;
}

void sl_i_read_records_free(sl_i_read_records *records) {
    sl_i_release(records->keys, records->count, sizeof *records->keys);
    sl_i_release(records->sources, records->count, sizeof *records->sources);
    sl_i_release(records->seen, (uint64_t)records->count / 64 + 1, sizeof *records->seen);
    *records = (sl_i_read_records){0};
}

sl_status sl_i_read_records_claim(sl_i_read_records *records, bool is_number, uint64_t index, uint64_t row,
                                  const char *column, sl_error *error) {
    if (!is_number || index >= records->count)
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                             "%s of row %" PRIu64 " is %s%" PRIu64 ": the %" PRIu32
                             " records of a table are numbered 0, 1, ... without gaps",
                             column, row, is_number ? "" : "-", is_number ? index : 0 - index, records->count);
    if (records->seen[index / 64] >> index % 64 & 1)
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                             "%s of row %" PRIu64 " is %" PRIu64 ", as of a row before it: every record has one row",
                             column, row, index);
    records->seen[index / 64] |= UINT64_C(1) << index % 64;
    return SL_OK;
}

sl_status sl_i_read_sources(sl_context *context, sl_i_node names, int64_t first, uint64_t count, const char *column,
                            uint16_t *ids, sl_error *error) {
    sl_column read, dictionary;
    SL_TRY(sl_column_from_arrow(names.schema, names.view->array, column, &dictionary, &read, error));
    read.offset += (uint64_t)(names.base + first);
    read.length = count;
    return sl_context_add_sources(context, &read, ids, error);
}

static sl_status fail_duplicate(const sl_i_read_records *records, const uint32_t *indices, sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE];
    uint32_t again = 0;
    while (indices[again] == again) again++;
    return sl_i_fail_row(error, SL_ERROR_DUPLICATE_KEY, again, indices[again],
                         "records %" PRIu32 " and %" PRIu32 " have the same key %s in one source", indices[again],
                         again, sl_i_key_quote(&records->keys[again], quoted));
}

sl_status sl_i_read_records_intern(const sl_i_read_records *records, sl_context *context, const sl_progress *progress,
                                   sl_error *error) {
    uint32_t *indices = NULL;
    const sl_key_column keys = {.keys = {.type = SL_COLUMN_KEYS, .length = records->count, .values = records->keys},
                                .sources = records->sources};
    SL_TRY(sl_i_allocate(&indices, records->count, sizeof *indices, "the records of a table", error));
    sl_status status = sl_context_intern(context, &keys, indices, progress, error);
    if (status == SL_OK && sl_context_num_records(context) < records->count)
        status = fail_duplicate(records, indices, error);
    sl_i_release(indices, records->count, sizeof *indices);
    return status;
}

/* ---------------------------------------------------------------------------------------------- messages */

sl_status sl_i_fail_collection(const char *name, size_t length, const sl_error *inner, sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE] = "";
    if (name) (void)sl_i_text_quote(name, length, quoted);
    return sl_i_fail_row(error, inner->status, inner->row, inner->other_row, "collection%s%s: %.280s", name ? " " : "",
                         quoted, inner->message);
}

sl_status sl_i_fail_event(const char *name, size_t length, uint64_t event, const char *why, sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE] = "";
    if (name) (void)sl_i_text_quote(name, length, quoted);
    return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)event, -1, "merge event %" PRIu64 "%s%s %s", event,
                         name ? " of collection " : "", quoted, why);
}
