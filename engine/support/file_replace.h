/* file_replace.h: a file written beside another one that takes its place at the end, so that at every moment the path holds the
 * old file or the new one, whole.
 *
 * What is written goes to a temporary file in the same folder, named after the target with a random number
 * (".name.0123456789abcdef.tmp"), locked (flock) for as long as the writer lives; then it is synced and renamed, and the folder
 * is synced. A writer that is killed leaves its temporary file behind: the next one that replaces the same target removes those
 * that nobody holds a lock on any more. Symbolic links are followed; the new file has the mode of the old one. */
#ifndef SL_SUPPORT_FILE_REPLACE_H
#define SL_SUPPORT_FILE_REPLACE_H

#include "support/pool.h"

typedef struct sl_i_replacement sl_i_replacement;

/** SL_ERROR_SYSTEM with the reason where `path` cannot be written to, SL_ERROR_INVALID_ARGUMENT where it is no file. */
sl_status sl_i_replacement_begin(const char *path, sl_i_replacement **out, sl_error *error) SL_MUST_USE;
/** Write at any place; what is written in order is on its way to the disk before it is synced. `ticker` gets no units. */
sl_status sl_i_replacement_write(sl_i_replacement *replacement, const void *bytes, uint64_t size, uint64_t at,
                                 sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;
/** Put it in the place of the old file. On a failure the old one is still there, unless the message says otherwise. */
sl_status sl_i_replacement_commit(sl_i_replacement *replacement, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;
/** Give all back, and remove the temporary file unless it was committed. NULL is fine. */
void sl_i_replacement_release(sl_i_replacement *replacement);

#endif
