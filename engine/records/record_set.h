/* record_set.h: inside a record set, for the layers that read or make one a window of records at a time.
 *
 * A set is two counted blocks: this head with the frozen bytes of a Roaring bitmap behind it, and CRoaring's view of them.
 * Both are exactly as long as they need be and never change, so reading takes no lock and no memory. */
#ifndef SL_RECORDS_RECORD_SET_H
#define SL_RECORDS_RECORD_SET_H

#include "support/memory.h"
#include "support/pool.h"

/** Writes up to `room` more records of those to be collected, in any order, and returns how many; 0: there are no more. It must
 *  not allocate, nor fail. */
typedef uint32_t (*sl_i_next_records)(void *state, uint32_t *records, uint32_t room);

/** The set of all records that `next` comes up with; none is SL_NO_RECORD. */
sl_status sl_i_record_set_collect(sl_i_next_records next, void *state, sl_record_set **out, sl_error *error)
    SL_MUST_USE;
/** Up to `room` records from rank `first` on, ascending; returns how many there are. O(containers before them + room). */
uint32_t sl_i_record_set_read(const sl_record_set *set, uint32_t first, uint32_t *records, uint32_t room);
/** Set the bit of every record, in words of 64 of which there are enough. */
void sl_i_record_set_mark(const sl_record_set *set, uint64_t *bits);
/** The rank in the set of each record below `num_records`, SL_NO_RECORD of those that are not in it. Ticks without units. */
sl_status sl_i_record_set_rank(const sl_record_set *set, uint32_t num_records, uint32_t *ranks, sl_i_ticker *ticker,
                               sl_error *error) SL_MUST_USE;
/** The largest record; SL_NO_RECORD of an empty set. */
uint32_t sl_i_record_set_last(const sl_record_set *set);
/** The set in the portable format of Roaring bitmaps: a block of *out_size bytes for sl_i_release(bytes, size, 1). Equal sets give
 *  equal bytes. */
sl_status sl_i_record_set_serialise(const sl_record_set *set, char **out, uint64_t *out_size, sl_error *error)
    SL_MUST_USE;
/** The set of such bytes, from anywhere. SL_ERROR_CORRUPT where they are not exactly one. */
sl_status sl_i_record_set_deserialise(const char *bytes, uint64_t size, sl_record_set **out, sl_error *error)
    SL_MUST_USE;
/** SL_ERROR_CORRUPT with the reason unless the bitmap keeps CRoaring's invariants and holds as many records as are counted. */
sl_status sl_i_record_set_validate(const sl_record_set *set, sl_error *error) SL_MUST_USE;

#endif
