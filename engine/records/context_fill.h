/* context_fill.h: records into a new context, as a file has them: all of them, in their order, each key once in its source.
 *
 * First every record is appended, without an index; then the index is made of all of them. So room is made once, direct maps
 * are chosen once, and keys are compared only where 32 bits of their hashes agree. About 20 ns a record. */
#ifndef SL_RECORDS_CONTEXT_FILL_H
#define SL_RECORDS_CONTEXT_FILL_H

#include "records/context.h"
#include "support/pool.h"

/** Append a record to a context that nobody else has, in room reserved before (sl_i_store_reserve). The kind is one of the four, the
 *  source known, an int of the width of its kind, a string UTF-8. Copies the key's bytes. */
sl_status sl_i_fill_append(sl_context *context, uint16_t source, const sl_key *key, sl_error *error) SL_MUST_USE;
/** Index all that was appended, and publish it. SL_ERROR_DUPLICATE_KEY if a key is there twice in one source: the context is
 *  good for nothing then but to be released. */
sl_status sl_i_fill_finish(sl_context *context, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
