/* append.h: what the hierarchy layer needs of the records layer beyond the public interface: appending inside a transaction, and
 * reading pairs of key columns as pairs of record indices, a window of rows at a time.
 *
 * Between begin and commit/rollback the calling thread is the one that appends. It holds the writer side of the context's lock too,
 * but while it has paused; reading by index goes on in any case, looking keys up while it is paused. */
#ifndef SL_RECORDS_APPEND_H
#define SL_RECORDS_APPEND_H

#include "support/pool.h"

/** Take the writer lock. SL_ERROR_SYSTEM: see sl_i_context_write. */
sl_status sl_i_append_begin(sl_context *context, sl_error *error) SL_MUST_USE;
/** Let others look keys up until `resume`: the index does not change meanwhile, and may be read by who appends. */
void sl_i_append_pause(sl_context *context);
void sl_i_append_resume(sl_context *context);
/** Between two pieces of work of a few milliseconds: let those in who wait to look keys up. */
void sl_i_append_let_in(sl_context *context);
/** Records appended so far, the unpublished ones included. */
uint32_t sl_i_append_num_records(const sl_context *context);
/** Publish what was appended and give the lock back. */
void sl_i_append_commit(sl_context *context);
/** Forget what was appended and give the lock back. */
void sl_i_append_rollback(sl_context *context);

/** Reads the rows of two key columns as record indices, interning new keys in row order, left before right. */
typedef struct sl_i_pair_reader sl_i_pair_reader;

/** `first_row` is added to row numbers in errors. Checks the columns (types, equal lengths, known sources), and may scan
 *  them once to choose how keys are looked up. The columns' buffers are borrowed until `_release`. */
sl_status sl_i_pair_reader_create(sl_context *context, const sl_key_column *left, const sl_key_column *right,
                                  bool known_records_only, uint64_t first_row, sl_i_pair_reader **out, sl_error *error)
    SL_MUST_USE;
/** Number the new keys ahead of reading where several threads can do that (int keys in direct maps); else do nothing. */
sl_status sl_i_pair_reader_number_keys(sl_i_pair_reader *reader, uint32_t lanes, sl_i_ticker *ticker, sl_error *error)
    SL_MUST_USE;
/** Reading can no longer append a record: rows may be read in any order and by several threads at once. */
bool sl_i_pair_reader_is_unordered(const sl_i_pair_reader *reader);
/** Rows first..first+count-1. Unless the reader is unordered, `first` is where the last call ended, one thread reads at a time
 *  (not always the same one), and new keys are appended. About 10 ns a key. */
sl_status sl_i_pair_reader_read(sl_i_pair_reader *reader, uint64_t first, uint64_t count, uint32_t *left,
                                uint32_t *right, sl_error *error) SL_MUST_USE;
void sl_i_pair_reader_release(sl_i_pair_reader *reader);

#endif
