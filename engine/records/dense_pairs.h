/* dense_pairs.h: int keys of two columns numbered by several threads, with the numbers one thread would give them.
 *
 * Numbering by first appearance looks sequential, but only its result is: with direct maps, threads can find the first row of
 * every key independently, and one sweep over those first rows, in order, numbers the keys. After that no key is unknown, so
 * the rows themselves can be read in any order by any number of threads. */
#ifndef SL_RECORDS_DENSE_PAIRS_H
#define SL_RECORDS_DENSE_PAIRS_H

#include "records/row_reader.h"

/** Append every key of `reader` (two columns, a mode that appends) that the context does not hold yet, in row order, left
 *  before right. *out_done false: nothing was done, because the columns are not made for it (no plain ints without nulls, no
 *  direct maps, too few or too many rows) or hold something that is no key; reading row by row then says what.
 *  O(rows + capacity of the maps); 4 bytes a lane (at most 4) for each place in a map and 2 bits a row while it runs. */
sl_status sl_i_number_dense_pairs(sl_i_row_reader *reader, uint32_t lanes, sl_i_ticker *ticker, bool *out_done,
                                  sl_error *error) SL_MUST_USE;

#endif
