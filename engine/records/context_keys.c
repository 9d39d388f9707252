/* context_keys.c: columns of keys into a data context: adding, interning, finding. All go through row_reader.h. */
#include "records/row_reader.h"

/* Rows between two looks at the progress callback: well under 20 ms. */
#define ROWS_A_TICK 16384u

static const char *const column_name[1] = {"keys"};

/* `appending` (optional): the context, if this thread appends to it. */
static sl_status read_all(sl_i_row_reader *reader, sl_context *appending, uint32_t *indices,
                          const sl_progress *progress, sl_error *error) {
    sl_i_ticker ticker = sl_i_ticker_make(progress);
    sl_i_ticker_begin(&ticker, "reading keys", reader->num_rows);
    for (uint64_t first = 0; first < reader->num_rows; first += ROWS_A_TICK) {
        uint64_t rows = reader->num_rows - first < ROWS_A_TICK ? reader->num_rows - first : ROWS_A_TICK;
        uint32_t *const out[1] = {indices + first};
        SL_TRY(sl_i_row_reader_read(reader, first, rows, out, error));
        if (appending) sl_i_append_let_in(appending);
        SL_TRY(sl_i_ticker_advance(&ticker, rows, error));
    }
    return SL_OK;
}

static sl_status read_in_transaction(sl_context *context, const sl_key_column *keys, sl_i_lookup_mode mode,
                                     uint32_t *indices, const sl_progress *progress, sl_error *error) {
    sl_i_row_reader reader = {0};
    SL_TRY(sl_i_append_begin(context, error));
    sl_status status = sl_i_row_reader_make(context, &keys, column_name, 1, mode, 0, &reader, error);
    if (status == SL_OK) status = read_all(&reader, context, indices, progress, error);
    sl_i_row_reader_free(&reader);
    if (status == SL_OK)
        sl_i_append_commit(context);
    else
        sl_i_append_rollback(context);
    return status;
}

sl_status sl_context_intern(sl_context *context, const sl_key_column *keys, uint32_t *indices,
                            const sl_progress *progress, sl_error *error) {
    return read_in_transaction(context, keys, SL_I_LOOKUP_INTERN, indices, progress, error);
}

/* Records that another thread is amid appending are not there yet. */
static void hide_unpublished(const sl_context *context, uint32_t *indices, uint64_t count) {
    uint32_t published = sl_i_context_published(context);
    for (uint64_t i = 0; i < count; i++)
        if (indices[i] >= published) indices[i] = SL_NO_RECORD;
}

sl_status sl_context_find(const sl_context *context, const sl_key_column *keys, uint32_t *indices, sl_error *error) {
    sl_i_row_reader reader = {0};
    SL_TRY(sl_i_context_read(context, error));
    /* Finding changes nothing; the reader's type serves appending too. */
    sl_context *mutable_context = (sl_context *)(uintptr_t)context;
    sl_status status =
        sl_i_row_reader_make(mutable_context, &keys, column_name, 1, SL_I_LOOKUP_FIND, 0, &reader, error);
    if (status == SL_OK) status = read_all(&reader, NULL, indices, NULL, error);
    if (status == SL_OK) hide_unpublished(context, indices, keys->keys.length);
    sl_i_row_reader_free(&reader);
    sl_i_context_end_read(context);
    return status;
}

/* ---------------------------------------------------------------------------------------------- adding */

/* Indices need no storing: they count up. A window of rows is read into the same small array again and again. */
static sl_status append_all(sl_i_row_reader *reader, sl_error *error) {
    uint32_t indices[1024];
    uint32_t *const out[1] = {indices};
    for (uint64_t first = 0; first < reader->num_rows; first += 1024) {
        uint64_t rows = reader->num_rows - first < 1024 ? reader->num_rows - first : 1024;
        if (first % ROWS_A_TICK == 0) sl_i_append_let_in(reader->context);
        SL_TRY(sl_i_row_reader_read(reader, first, rows, out, error));
    }
    return SL_OK;
}

static sl_status check_one_source(const sl_key_column *keys, sl_error *error) {
    if (!keys->sources) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "records are added one source at a time: set `source` and leave `sources` NULL");
}

sl_status sl_context_add_records(sl_context *context, const sl_key_column *keys, uint32_t *out_first, sl_error *error) {
    sl_i_row_reader reader = {0};
    *out_first = 0;
    SL_TRY(check_one_source(keys, error));
    SL_TRY(sl_i_append_begin(context, error));
    uint32_t first = sl_i_append_num_records(context);
    sl_status status = sl_i_row_reader_make(context, &keys, column_name, 1, SL_I_LOOKUP_APPEND, 0, &reader, error);
    if (status == SL_OK) status = append_all(&reader, error);
    sl_i_row_reader_free(&reader);
    if (status == SL_OK) {
        *out_first = first;
        sl_i_append_commit(context);
    } else {
        sl_i_append_rollback(context);
    }
    return status;
}
