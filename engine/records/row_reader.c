/* row_reader.c: see row_reader.h. */
#include "records/row_reader.h"

#include <inttypes.h>

#include "records/utf8.h"

#define DENSE_ROWS 256u

/* ---------------------------------------------------------------------------------------------- making */

static sl_status plan_ints(sl_i_row_reader *reader, bool may_return, sl_error *error) {
    sl_context *context = reader->context;
    for (uint32_t i = 0; i < reader->num_ranges; i++) {
        const sl_i_int_range *range = &reader->ranges[i];
        if (range->rows == 0) continue;
        SL_TRY(sl_i_index_plan(&context->index, &context->store, (uint16_t)(reader->lowest + i), range->largest,
                               range->rows, may_return, error));
    }
    reader->moves = context->index.moves;
    return SL_OK;
}

static sl_status measure_ints(sl_i_row_reader *reader, sl_error *error) {
    uint16_t lowest = UINT16_MAX, highest = 0;
    for (uint32_t c = 0; c < reader->num_columns; c++) {
        uint16_t low, high;
        if (!sl_i_key_reader_sources(&reader->columns[c], &low, &high)) return SL_OK;
        if (low < lowest) lowest = low;
        if (high > highest) highest = high;
    }
    reader->lowest = lowest;
    uint32_t num_ranges = (uint32_t)(highest - lowest) + 1;
    SL_TRY(sl_i_allocate_zeroed(&reader->ranges, num_ranges, sizeof *reader->ranges, "int keys by source", error));
    reader->num_ranges = num_ranges;
    for (uint32_t c = 0; c < reader->num_columns; c++)
        sl_i_key_reader_int_ranges(&reader->columns[c], lowest, reader->ranges);
    return SL_OK;
}

sl_status sl_i_row_reader_make(sl_context *context, const sl_key_column *const *columns, const char *const *names,
                               uint32_t num_columns, sl_i_lookup_mode mode, uint64_t first_row, sl_i_row_reader *out,
                               sl_error *error) {
    *out = (sl_i_row_reader){.context = context,
                             .num_columns = num_columns,
                             .mode = mode,
                             .num_rows = columns[0]->keys.length,
                             .first_row = first_row,
                             .base = context->store.count};
    if (num_columns == 2 && columns[1]->keys.length != out->num_rows)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "column %s has %" PRIu64 " keys and column %s has %" PRIu64 ": they must be equally long",
                         names[0], out->num_rows, names[1], columns[1]->keys.length);
    uint32_t num_sources = sl_context_num_sources(context);
    for (uint32_t c = 0; c < num_columns; c++)
        SL_TRY(sl_i_key_reader_make(columns[c], names[c], num_sources, first_row, &out->columns[c], error));
    if (!sl_i_lookup_appends(mode)) return SL_OK;
    SL_TRY(measure_ints(out, error));
    return plan_ints(out, true, error);
}

void sl_i_row_reader_free(sl_i_row_reader *reader) {
    for (uint32_t c = 0; c < reader->num_columns; c++) sl_i_key_reader_free(&reader->columns[c]);
    sl_i_release(reader->ranges, reader->num_ranges, sizeof *reader->ranges);
    reader->ranges = NULL;
}

/* ---------------------------------------------------------------------------------------------- what stopped it */

static sl_status explain_duplicate(const sl_i_row_reader *reader, int64_t row, const char *quoted, uint32_t holder,
                                   sl_error *error) {
    if (holder < reader->base)
        return sl_i_fail_row(error, SL_ERROR_DUPLICATE_KEY, row, -1,
                             "row %" PRId64 ": the key %s is already a record of this source; add each record once",
                             row, quoted);
    int64_t other = (int64_t)(reader->first_row + (holder - reader->base));
    return sl_i_fail_row(error, SL_ERROR_DUPLICATE_KEY, row, other,
                         "rows %" PRId64 " and %" PRId64 " have the same key %s; keys must be unique within a source",
                         other, row, quoted);
}

static sl_status explain_stop(const sl_i_row_reader *reader, sl_i_lookup_stop stop, const sl_i_probe *probe,
                              uint64_t row_index, const char *column, uint32_t holder, sl_error *error) {
    int64_t row = (int64_t)(reader->first_row + row_index);
    char quoted[SL_I_QUOTED_SIZE];
    sl_key key = sl_i_probe_key(probe);
    sl_i_key_quote(&key, quoted);
    switch (stop) {
    case SL_I_STOP_MEMORY: return SL_ERROR_MEMORY;
    case SL_I_STOP_UNKNOWN:
        return sl_i_fail_row(error, SL_ERROR_KEY_NOT_FOUND, row, -1,
                             "row %" PRId64
                             ", column %s: the key %s of source \"%.60s\" is not one of the known records; add "
                             "it to the records or drop the row",
                             row, column, quoted, sl_context_source_name(reader->context, probe->source, NULL));
    case SL_I_STOP_DUPLICATE: return explain_duplicate(reader, row, quoted, holder, error);
    case SL_I_STOP_NOT_UTF8:
        return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, row, -1,
                             "row %" PRId64 ", column %s: the string key %s is not valid UTF-8; pass it as bytes", row,
                             column, quoted);
    case SL_I_STOP_CAPACITY:
        return sl_i_fail_row(error, SL_ERROR_CAPACITY, row, -1,
                             "row %" PRId64 ", column %s: the context is full with %" PRIu32
                             " records, and the key %s would be one more; split the data over several contexts",
                             row, column, reader->context->store.count, quoted);
    case SL_I_STOP_NONE:
    case SL_I_STOP_CHANGED: break;
    }
    return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, row, -1,
                         "row %" PRId64 ", column %s: the column changed while it was being read", row, column);
}

/* ---------------------------------------------------------------------------------------------- any columns */

/* A block of rows of any columns. */
static sl_status read_block(sl_i_row_reader *reader, uint64_t first, uint32_t rows, uint32_t *const *indices,
                            sl_error *error) {
    sl_i_probe probes[SL_I_BLOCK];
    uint32_t found[SL_I_BLOCK], width = reader->num_columns, usable = rows * width, holder = 0;
    if (sl_i_lookup_appends(reader->mode)) SL_TRY(sl_i_context_reserve(reader->context, usable, error));
    for (uint32_t c = 0; c < width; c++) {
        uint32_t n = sl_i_key_reader_read(&reader->columns[c], first, rows, width, probes + c);
        if (n < rows && n * width + c < usable) usable = n * width + c;
    }
    sl_i_lookup_stop stop;
    uint32_t done = sl_i_lookup(reader->context, probes, usable, width, reader->mode, found, &stop, &holder, error);
    uint64_t row = first + done / width;
    const sl_i_key_reader *column = &reader->columns[done % width];
    if (done < usable) return explain_stop(reader, stop, &probes[done], row, column->name, holder, error);
    if (done < rows * width) return sl_i_key_reader_explain(column, row, error);
    for (uint32_t c = 0; c < width; c++)
        for (uint32_t i = 0; i < rows; i++) indices[c][i] = found[i * width + c];
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- direct maps */

const sl_i_int_map *sl_i_row_reader_dense_map(const sl_i_row_reader *reader, uint32_t c) {
    const sl_i_key_reader *column = &reader->columns[c];
    if (!sl_i_key_reader_is_plain_int(column) || column->column.sources) return NULL;
    return sl_i_index_dense(&reader->context->index, column->column.source);
}

static sl_status read_dense_one(sl_i_row_reader *reader, uint64_t row, uint32_t c, uint64_t number, uint32_t record,
                                uint32_t *out, sl_error *error) {
    const sl_i_key_reader *column = &reader->columns[c];
    sl_i_lookup_stop stop = SL_I_STOP_DUPLICATE;
    sl_i_probe probe = {.source = column->column.source, .kind = number >> 32 ? SL_KEY_U64 : SL_KEY_U32};
    probe.value.number = number;
    if (record == SL_NO_RECORD) stop = sl_i_lookup_unknown(reader->context, &probe, reader->mode, out, error);
    if (stop == SL_I_STOP_NONE) return SL_OK;
    return explain_stop(reader, stop, &probe, row, column->name, record, error);
}

/* A block of rows of int columns whose sources have direct maps. */
static sl_status read_dense_block(sl_i_row_reader *reader, uint64_t first, uint32_t rows, uint32_t *const *indices,
                                  sl_error *error) {
    uint64_t numbers[2][DENSE_ROWS];
    uint32_t width = reader->num_columns, usable = rows * width;
    const sl_i_int_map *maps[2] = {0};
    if (sl_i_lookup_appends(reader->mode)) SL_TRY(sl_i_store_reserve(&reader->context->store, usable, error));
    for (uint32_t c = 0; c < width; c++) {
        maps[c] = sl_i_row_reader_dense_map(reader, c);
        uint32_t n = sl_i_key_reader_numbers(&reader->columns[c], first, rows, numbers[c]);
        if (n < rows && n * width + c < usable) usable = n * width + c;
    }
    for (uint32_t c = 0; c < width; c++)
        for (uint32_t i = 0; i < usable / width; i++)
            if (numbers[c][i] < maps[c]->capacity) SL_I_PREFETCH(&maps[c]->indices[numbers[c][i]]);
    bool duplicates_stop = reader->mode == SL_I_LOOKUP_APPEND;
    for (uint32_t i = 0, k = 0; k < usable; i++) {
        for (uint32_t c = 0; c < width && k < usable; c++, k++) {
            uint64_t number = numbers[c][i];
            uint32_t record = number < maps[c]->capacity ? maps[c]->indices[number] - 1 : SL_NO_RECORD;
            indices[c][i] = record;
            if (record == SL_NO_RECORD || duplicates_stop)
                SL_TRY(read_dense_one(reader, first + i, c, number, record, &indices[c][i], error));
        }
    }
    if (usable == rows * width) return SL_OK;
    return sl_i_key_reader_explain(&reader->columns[usable % width], first + usable / width, error);
}

/* ---------------------------------------------------------------------------------------------- reading */

sl_status sl_i_row_reader_read(sl_i_row_reader *reader, uint64_t first, uint64_t count, uint32_t *const *indices,
                               sl_error *error) {
    if (count == 0) return SL_OK;
    if (first > reader->num_rows || count > reader->num_rows - first)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "rows %" PRIu64 " to %" PRIu64 " of a column of %" PRIu64,
                         first, first + count, reader->num_rows);
    /* Another reader of the same transaction may have changed what this one had prepared. */
    if (sl_i_lookup_appends(reader->mode) && reader->moves != reader->context->index.moves)
        SL_TRY(plan_ints(reader, false, error));
    bool dense =
        sl_i_row_reader_dense_map(reader, 0) && (reader->num_columns == 1 || sl_i_row_reader_dense_map(reader, 1));
    uint32_t block = dense ? DENSE_ROWS : SL_I_BLOCK / reader->num_columns;
    for (uint64_t done = 0; done < count; done += block) {
        uint32_t rows = count - done < block ? (uint32_t)(count - done) : block;
        uint32_t *out[2] = {indices[0] + done, reader->num_columns == 2 ? indices[1] + done : NULL};
        SL_TRY(dense ? read_dense_block(reader, first + done, rows, out, error)
                     : read_block(reader, first + done, rows, out, error));
    }
    return SL_OK;
}
