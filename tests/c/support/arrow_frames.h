/* arrow_frames.h: frames with keys of every kind and collections of every shape, to be written and read back. */
#ifndef SL_TESTS_ARROW_FRAMES_H
#define SL_TESTS_ARROW_FRAMES_H

#include "support/expect.h"

/** A frame of `num_records` records over a few sources, keys of all kinds among them (some in two sources), of which some are not given;
 *  the same arguments give the same frame. */
sl_frame *arrow_frame_make(uint32_t num_records, uint64_t seed);
/** Add the collection of a small random graph over its first `num_records` records; `exact` with `decimals` 0. */
void arrow_frame_add(sl_frame *frame, const char *name, uint32_t num_records, uint32_t decimals, sl_scale scale,
                     uint64_t seed);
/** Collections of all scales and roundings, over some and over all records. */
void arrow_frame_add_all_kinds(sl_frame *frame, uint32_t num_records, uint64_t seed);

/** The same records in the same order. */
void expect_same_records(const sl_context *a, const sl_context *b, uint32_t num_records);
/** The same records, sources and collections, byte for byte, and all records of `read` given. */
void expect_same_frames(const sl_frame *written, const sl_frame *read);
/** The message of the last error has this part. */
void expect_message(const char *part);
/** What the stream holds is refused as a frame, with that status, row and part of the message; copies are freed (arrow_copies_free). */
void expect_frame_refused(struct ArrowArrayStream stream, sl_status expected, int64_t row, const char *why);
/** Set-up of a group of tests: the library's memory may be made to fail from now on. */
int arrow_use_failing_memory(void **state);

#endif
