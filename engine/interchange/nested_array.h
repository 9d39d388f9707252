/* nested_array.h: lists and texts being written into Arrow arrays whose sizes are known beforehand. */
#ifndef SL_INTERCHANGE_NESTED_ARRAY_H
#define SL_INTERCHANGE_NESTED_ARRAY_H

#include "interchange/arrow_array.h"
#include "support/pool.h"

/** SL_ERROR_CAPACITY unless 32-bit offsets can count so many; `what` is plural, as "record indices". */
sl_status sl_i_check_offsets(uint64_t count, const char *what, sl_error *error) SL_MUST_USE;

/** A list array of `length` lists, whose `length` + 1 offsets are to be filled in and whose items are children[0], still released. */
sl_status sl_i_array_lists(struct ArrowArray *out, uint64_t length, int32_t **out_offsets, sl_error *error) SL_MUST_USE;
/** An array of `length` numbers of `size` bytes to be filled in. */
sl_status sl_i_array_numbers(struct ArrowArray *out, uint64_t length, size_t size, void *out_values, sl_error *error)
    SL_MUST_USE;
/** A utf8 array of one text `length` times over. */
sl_status sl_i_array_repeat(struct ArrowArray *out, const char *text, size_t text_length, uint64_t length,
                            sl_error *error) SL_MUST_USE;

/** The sources of records first..first+count-1 as dictionary<uint16, utf8>; the dictionary holds them in order of first use. */
sl_status sl_i_array_sources(struct ArrowArray *out, const sl_context *context, uint32_t first, uint32_t count,
                             sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;
/** The names of their sources alone, of the first `count` records, as a utf8 array; "" where there are no records. */
sl_status sl_i_array_source_names(struct ArrowArray *out, const sl_context *context, uint32_t count,
                                  sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
