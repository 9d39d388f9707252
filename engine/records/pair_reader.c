/* pair_reader.c: see append.h. A transaction is being the one that appends; a pair reader is a row reader of two columns. */
#include "records/dense_pairs.h"

struct sl_i_pair_reader {
    sl_i_row_reader rows;
};

sl_status sl_i_append_begin(sl_context *context, sl_error *error) { return sl_i_context_write(context, error); }

void sl_i_append_pause(sl_context *context) {
    sl_i_fork_lock_end_write(&context->lock);
    context->is_paused = true;
}

void sl_i_append_resume(sl_context *context) {
    /* Never lost: only who appends takes this side, and that is this thread. */
    context->is_paused = !sl_i_fork_lock_write(&context->lock);
}

void sl_i_append_let_in(sl_context *context) {
    sl_i_append_pause(context);
    sl_i_append_resume(context);
}

uint32_t sl_i_append_num_records(const sl_context *context) { return context->store.count; }

void sl_i_append_commit(sl_context *context) {
    if (context->is_paused) sl_i_append_resume(context);
    sl_i_context_publish(context);
    sl_i_context_end_write(context);
}

void sl_i_append_rollback(sl_context *context) {
    if (context->is_paused) sl_i_append_resume(context);
    sl_i_context_drop(context, sl_i_context_published(context));
    sl_i_context_end_write(context);
}

sl_status sl_i_pair_reader_create(sl_context *context, const sl_key_column *left, const sl_key_column *right,
                                  bool known_records_only, uint64_t first_row, sl_i_pair_reader **out,
                                  sl_error *error) {
    const sl_key_column *const columns[2] = {left, right};
    static const char *const names[2] = {"left", "right"};
    sl_i_pair_reader *reader = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate(&reader, 1, sizeof *reader, "a reader of edges", error));
    sl_status status =
        sl_i_row_reader_make(context, columns, names, 2, known_records_only ? SL_I_LOOKUP_KNOWN : SL_I_LOOKUP_INTERN,
                             first_row, &reader->rows, error);
    if (status != SL_OK) {
        sl_i_pair_reader_release(reader);
        return status;
    }
    *out = reader;
    return SL_OK;
}

sl_status sl_i_pair_reader_number_keys(sl_i_pair_reader *reader, uint32_t lanes, sl_i_ticker *ticker, sl_error *error) {
    bool done = false;
    SL_TRY(sl_i_number_dense_pairs(&reader->rows, lanes, ticker, &done, error));
    if (done) reader->rows.mode = SL_I_LOOKUP_KNOWN; /* every key is a record now */
    return SL_OK;
}

bool sl_i_pair_reader_is_unordered(const sl_i_pair_reader *reader) {
    /* A dictionary's memo is filled while reading. */
    return !sl_i_lookup_appends(reader->rows.mode) && !reader->rows.columns[0].memo && !reader->rows.columns[1].memo;
}

sl_status sl_i_pair_reader_read(sl_i_pair_reader *reader, uint64_t first, uint64_t count, uint32_t *left,
                                uint32_t *right, sl_error *error) {
    uint32_t *const indices[2] = {left, right};
    return sl_i_row_reader_read(&reader->rows, first, count, indices, error);
}

void sl_i_pair_reader_release(sl_i_pair_reader *reader) {
    if (!reader) return;
    sl_i_row_reader_free(&reader->rows);
    sl_i_release(reader, 1, sizeof *reader);
}
