/* record_taker.h: records of one context into another, by source name and key, a batch at a time.
 *
 * A batch is an array of sl_key whose bytes stay in the context they come from, so nothing is copied but what is new. Sources
 * are looked up by name once each, in the order in which records need them. The context taken from is read without its lock:
 * published records do not change. About 24 bytes a record of a batch. */
#ifndef SL_RECORDS_RECORD_TAKER_H
#define SL_RECORDS_RECORD_TAKER_H

#include "records/context.h"

/** The size of batches in which so many records are taken. */
static inline uint32_t sl_i_taker_batch(uint32_t num_records) { return num_records < 65536 ? num_records : 65536; }

typedef struct sl_i_record_taker {
    sl_context *into;
    const sl_context *from;
    sl_key *keys;         /* of the batch */
    uint16_t *sources;    /* of the batch, as ids of `into` */
    int32_t *translation; /* id in `into` by id in `from`, -1 before it is needed */
    uint32_t num_sources; /* of `from` */
    uint32_t batch;       /* most records in one */
    uint64_t taken;
} sl_i_record_taker;

/** For batches of up to `batch` records that are published in `from` by now. Free with `_free`, also after an error. */
sl_status sl_i_taker_make(sl_context *into, const sl_context *from, uint32_t batch, sl_i_record_taker *out,
                          sl_error *error) SL_MUST_USE;
void sl_i_taker_free(sl_i_record_taker *taker);
/** Inside a transaction of `into` (append.h): the indices there of these records of `from`, those
 *  not met before appended. Sources are there to stay; for records the caller rolls back. */
sl_status sl_i_taker_take(sl_i_record_taker *taker, const uint32_t *records, uint32_t count, uint32_t *indices,
                          sl_error *error) SL_MUST_USE;

#endif
