/* record_reading.h: records of Arrow tables, in any order of rows, put into a context in the order of their indices. */
#ifndef SL_INTERCHANGE_RECORD_READING_H
#define SL_INTERCHANGE_RECORD_READING_H

#include "interchange/arrow_nodes.h"
#include "support/pool.h"

/** Records on their way from rows to a context: of record i its key (borrowed) and source. */
typedef struct sl_i_read_records {
    uint32_t count;
    sl_key *keys;
    uint16_t *sources;
    uint64_t *seen; /* a bit for each record that a row has told */
} sl_i_read_records;

/** Room for `count` records; SL_ERROR_CAPACITY for more than a context holds. */
sl_status sl_i_read_records_make(uint64_t count, sl_i_read_records *out, sl_error *error) SL_MUST_USE;
void sl_i_read_records_free(sl_i_read_records *records);
/** Row `row` of the table tells of record `index`: SL_ERROR_INVALID_ARGUMENT with the row unless it is there and no row told of it
 *  before. `column` is what holds the index. */
sl_status sl_i_read_records_claim(sl_i_read_records *records, bool is_number, uint64_t index, uint64_t row,
                                  const char *column, sl_error *error) SL_MUST_USE;
/** Ids in `context` of the source names first .. first + count - 1 of a string node, interned where new, into `ids`. */
sl_status sl_i_read_sources(sl_context *context, sl_i_node names, int64_t first, uint64_t count, const char *column,
                            uint16_t *ids, sl_error *error) SL_MUST_USE;
/** All records into the empty `context`. SL_ERROR_DUPLICATE_KEY names two of one source and key. */
sl_status sl_i_read_records_intern(const sl_i_read_records *records, sl_context *context, const sl_progress *progress,
                                   sl_error *error) SL_MUST_USE;

/** Fail with what `inner` says of collection `name`. */
sl_status sl_i_fail_collection(const char *name, size_t length, const sl_error *inner, sl_error *error);
/** Fail because merge event `event` of collection `name` (or of the only one, NULL) `why`: "names a record twice". */
sl_status sl_i_fail_event(const char *name, size_t length, uint64_t event, const char *why, sl_error *error);

#endif
