/* relation_rows.c: see relation_rows.h. O(rows), one window of memory (about 200 kB). */
#include "interchange/relation_rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hierarchy/scores.h"
#include "records/key_column.h"
#include "support/memory.h"

/* ---- failing ----------------------------------------------------------------------------------------------------- */

sl_status sl_i_relation_fail(sl_error *error, sl_relation relation, int64_t row, const char *format, ...) {
    char what[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (row < 0) return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "table %s: %s", sl_relation_name(relation), what);
    return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, row, -1, "table %s, row %" PRId64 ": %s",
                         sl_relation_name(relation), row, what);
}

sl_status sl_i_relation_blame(sl_error *error, sl_relation relation, int64_t row, sl_status status) {
    bool elsewhere = status == SL_ERROR_MEMORY || status == SL_ERROR_INTERRUPTED || status == SL_ERROR_SYSTEM ||
                     status == SL_ERROR_CAPACITY;
    if (status == SL_OK || elsewhere) return status;
    return sl_i_relation_fail(error, relation, row, "%s", error ? error->message : "");
}

/* ---- columns of one batch ---------------------------------------------------------------------------------------- */

/* A column of a batch, opened for reading. */
typedef struct opened {
    const sl_i_field *field;
    bool is_bits; /* Arrow's bool, which no sl_column is */
    sl_column column, dictionary;
    sl_i_key_reader keys; /* of texts and ints */
} opened;

typedef struct table_reader {
    sl_relation relation;
    const sl_i_field *fields;
    uint32_t num_fields;
    const struct ArrowSchema *schema;
    int64_t places[SL_I_MAX_FIELDS]; /* of the fields in the schema */
    opened columns[SL_I_MAX_FIELDS];
    uint64_t first_row; /* of the batch */
    uint64_t skipped;   /* rows of the columns before those of the batch */
} table_reader;

static sl_status find_field(const table_reader *r, const char *name, int64_t *out_place, sl_error *error) {
    *out_place = -1;
    for (int64_t i = 0; i < r->schema->n_children; i++) {
        const char *there = r->schema->children[i]->name;
        if (!there || strcmp(there, name) != 0) continue;
        if (*out_place >= 0) return sl_i_relation_fail(error, r->relation, -1, "there are two columns %s", name);
        *out_place = i;
    }
    if (*out_place >= 0) return SL_OK;
    return sl_i_relation_fail(error, r->relation, -1, "there is no column %s", name);
}

static bool is_text(const sl_column *column) {
    sl_column_type type = column->dictionary ? column->dictionary->type : column->type;
    return type == SL_COLUMN_STRING || type == SL_COLUMN_LARGE_STRING || type == SL_COLUMN_STRING_VIEW;
}

static bool is_plain_int(const sl_column *column) {
    return !column->dictionary && column->type >= SL_COLUMN_INT8 && column->type <= SL_COLUMN_UINT64;
}

static bool is_whole_decimal(const sl_column *column) {
    return !column->dictionary && column->type == SL_COLUMN_DECIMAL128 && column->width == 0;
}

/* A column of nothing but nulls, of any kind, is refused where its first row is read. */
static bool is_readable(const sl_column *column, sl_i_field_kind kind) {
    if (!column->dictionary && column->type == SL_COLUMN_NULL) return true;
    switch (kind) {
    case SL_I_FIELD_TEXT: return is_text(column);
    case SL_I_FIELD_REAL: return sl_i_scores_check(column, NULL) == SL_OK;
    default: return is_plain_int(column) || is_whole_decimal(column);
    }
}

static const char *describe(sl_i_field_kind kind) {
    static const char *const names[] = {[SL_I_FIELD_NUMBER] = "whole numbers",
                                        [SL_I_FIELD_TEXT] = "text",
                                        [SL_I_FIELD_REAL] = "numbers",
                                        [SL_I_FIELD_FLAG] = "true or false"};
    return names[kind];
}

static sl_status open_bits(const table_reader *r, const struct ArrowArray *array, opened *out, sl_error *error) {
    bool malformed = array->length < 0 || array->offset < 0 || array->n_buffers < 2 || !array->buffers ||
                     (array->length > 0 && !array->buffers[1]) || (array->null_count > 0 && !array->buffers[0]) ||
                     array->length > INT64_MAX - array->offset;
    if (malformed)
        return sl_i_relation_fail(error, r->relation, -1, "the Arrow data of column %s is malformed", out->field->name);
    out->is_bits = true;
    out->column = (sl_column){.length = (uint64_t)array->length,
                              .offset = (uint64_t)array->offset,
                              .validity = array->null_count ? array->buffers[0] : NULL,
                              .values = array->buffers[1]};
    return SL_OK;
}

static sl_status open_plain(const table_reader *r, const struct ArrowSchema *schema, const struct ArrowArray *array,
                            opened *out, sl_error *error) {
    const sl_i_field *field = out->field;
    sl_status status = sl_column_from_arrow(schema, array, field->name, &out->dictionary, &out->column, error);
    if (status != SL_OK) return sl_i_relation_blame(error, r->relation, -1, status);
    const sl_column *values = out->column.dictionary ? out->column.dictionary : &out->column;
    if (!is_readable(&out->column, field->kind))
        return sl_i_relation_fail(error, r->relation, -1, "column %s has the type %s%s: it holds %s", field->name,
                                  sl_i_column_type_name(values->type),
                                  out->column.dictionary ? " with a dictionary" : "", describe(field->kind));
    if (field->kind == SL_I_FIELD_REAL || values->type == SL_COLUMN_DECIMAL128) return SL_OK;
    const sl_key_column keys = {.keys = out->column};
    return sl_i_key_reader_make(&keys, field->name, 1, 0, &out->keys, error);
}

static sl_status open_column(table_reader *r, const struct ArrowArray *batch, uint32_t field, sl_error *error) {
    opened *out = &r->columns[field];
    const struct ArrowSchema *schema = r->schema->children[r->places[field]];
    const struct ArrowArray *array = batch->children[r->places[field]];
    *out = (opened){.field = &r->fields[field]};
    bool is_bits = out->field->kind == SL_I_FIELD_FLAG && schema->format && strcmp(schema->format, "b") == 0;
    return is_bits ? open_bits(r, array, out, error) : open_plain(r, schema, array, out, error);
}

static void close_columns(table_reader *r) {
    for (uint32_t i = 0; i < r->num_fields; i++) {
        sl_i_key_reader_free(&r->columns[i].keys);
        r->columns[i] = (opened){0};
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static sl_status refuse(const table_reader *r, const opened *from, uint64_t row, sl_error *error) {
    const char *name = from->field->name;
    if (from->field->kind == SL_I_FIELD_NUMBER)
        return sl_i_relation_fail(error, r->relation, (int64_t)row,
                                  "column %s is null or no whole number from 0 to 2^63-1", name);
    return sl_i_relation_fail(error, r->relation, (int64_t)row, "column %s is null or not %s", name,
                              describe(from->field->kind));
}

static bool is_null(const sl_column *column, uint64_t at) {
    return column->validity && !(column->validity[at >> 3] >> (at & 7) & 1);
}

static uint32_t read_bits(const sl_column *column, uint64_t first, uint32_t count, uint64_t *numbers) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = column->offset + first + i;
        if (is_null(column, at)) return i;
        numbers[i] = ((const uint8_t *)column->values)[at >> 3] >> (at & 7) & 1;
    }
    return count;
}

static uint32_t read_decimals(const sl_column *column, uint64_t first, uint32_t count, uint64_t *numbers) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = column->offset + first + i, halves[2];
        if (is_null(column, at)) return i;
        memcpy(halves, (const uint8_t *)column->values + 16 * at, sizeof halves);
        if (halves[1] != 0) return i; /* negative, or 2^64 and more */
        numbers[i] = halves[0];
    }
    return count;
}

#define PROBES 64u

/* Texts where `texts` is given, else numbers. */
static uint32_t read_probes(const sl_i_key_reader *reader, uint64_t first, uint32_t count, uint64_t *numbers,
                            sl_key *texts) {
    sl_i_probe probes[PROBES];
    uint32_t done = 0, wanted = 0, got = 0;
    for (; done < count && got == wanted; done += got) {
        wanted = count - done < PROBES ? count - done : PROBES;
        got = sl_i_key_reader_read(reader, first + done, wanted, 1, probes);
        for (uint32_t i = 0; i < got; i++)
            if (texts)
                texts[done + i] = sl_i_probe_key(&probes[i]);
            else
                numbers[done + i] = probes[i].value.number;
    }
    return done;
}

static uint32_t count_below(const uint64_t *numbers, uint32_t count, uint64_t bound) {
    uint32_t i = 0;
    while (i < count && numbers[i] < bound) i++;
    return i;
}

static uint32_t read_numbers(const opened *from, uint64_t first, uint32_t count, uint64_t *numbers) {
    uint32_t got = from->is_bits                               ? read_bits(&from->column, first, count, numbers)
                   : from->column.type == SL_COLUMN_DECIMAL128 ? read_decimals(&from->column, first, count, numbers)
                                                               : read_probes(&from->keys, first, count, numbers, NULL);
    return count_below(numbers, got, from->field->kind == SL_I_FIELD_FLAG ? 2 : UINT64_C(1) << 63);
}

static sl_status read_reals(const table_reader *r, const opened *from, uint64_t first, uint32_t count, uint64_t row,
                            double *reals, sl_error *error) {
    const double *values = NULL;
    sl_error own = {0};
    sl_status status =
        sl_i_scores_read(&from->column, SL_SCALE_WEIGHT, first, count, row - first, reals, &values, &own);
    if (status != SL_OK) return refuse(r, from, (uint64_t)own.row, error);
    if (values != reals) memcpy(reals, values, count * sizeof *reals);
    return SL_OK;
}

/* Rows first .. first + window->count - 1 of the batch. */
static sl_status read_window(const table_reader *r, uint64_t first, sl_i_window *window, sl_error *error) {
    uint64_t at = r->skipped + first;
    for (uint32_t i = 0; i < r->num_fields; i++) {
        const opened *from = &r->columns[i];
        uint32_t got = window->count;
        if (from->field->kind == SL_I_FIELD_REAL)
            SL_TRY(read_reals(r, from, at, window->count, window->first_row, window->columns[i].reals, error));
        else if (from->field->kind == SL_I_FIELD_TEXT)
            got = read_probes(&from->keys, at, window->count, NULL, window->columns[i].texts);
        else
            got = read_numbers(from, at, window->count, window->columns[i].numbers);
        if (got < window->count) return refuse(r, from, window->first_row + got, error);
    }
    return SL_OK;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static sl_status read_batch(table_reader *r, const struct ArrowArray *batch, sl_i_window *window, sl_i_take_rows take,
                            void *state, sl_i_ticker *ticker, sl_error *error) {
    sl_status status = SL_OK;
    r->skipped = (uint64_t)batch->offset;
    for (uint32_t i = 0; i < r->num_fields && status == SL_OK; i++) status = open_column(r, batch, i, error);
    for (uint64_t first = 0; status == SL_OK && first < (uint64_t)batch->length; first += window->count) {
        uint64_t left = (uint64_t)batch->length - first;
        window->count = left < SL_I_WINDOW_ROWS ? (uint32_t)left : SL_I_WINDOW_ROWS;
        window->first_row = r->first_row + first;
        status = read_window(r, first, window, error);
        if (status == SL_OK) status = take(state, window, error);
        if (status == SL_OK) status = sl_i_ticker_advance(ticker, window->count, error);
    }
    r->first_row += (uint64_t)batch->length;
    close_columns(r);
    return status;
}

sl_status sl_i_relation_read(const sl_batches *batches, sl_relation relation, sl_i_take_rows take, void *state,
                             sl_i_ticker *ticker, sl_error *error) {
    table_reader r = {.relation = relation, .schema = sl_batches_schema(batches)};
    sl_i_window *window = NULL;
    r.fields = sl_i_relation_fields(relation, &r.num_fields);
    for (uint32_t i = 0; i < r.num_fields; i++) SL_TRY(find_field(&r, r.fields[i].name, &r.places[i], error));
    SL_TRY(sl_i_allocate(&window, 1, sizeof *window, "rows of a table", error));
    sl_status status = SL_OK;
    for (uint64_t i = 0; status == SL_OK && i < sl_batches_num_batches(batches); i++)
        status = read_batch(&r, sl_batches_batch(batches, i), window, take, state, ticker, error);
    sl_i_release(window, 1, sizeof *window);
    return status;
}
