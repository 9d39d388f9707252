/* key_dictionary.h: keys as the dictionary-encoded column of the frame schema: dictionary<uint32, dense_union<u32, u64, string,
 * bytes>>, each distinct key once, in order of first use. */
#ifndef SL_INTERCHANGE_KEY_DICTIONARY_H
#define SL_INTERCHANGE_KEY_DICTIONARY_H

#include "interchange/arrow_array.h"
#include "support/pool.h"

extern const sl_i_arrow_type sl_i_key_dictionary_type;

/** The keys of records first..first+count-1, `ticker` advanced by one for each. The strings, and likewise the bytes, have at most
 *  2^31-1 bytes together, and `count` is at most 2^31-1. O(bytes); a look-up table while it works. */
sl_status sl_i_key_dictionary_make(const sl_context *context, uint32_t first, uint32_t count, struct ArrowArray *out,
                                   sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
