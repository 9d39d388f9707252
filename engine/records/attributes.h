/* attributes.h: which row of which attached batches describes a record.
 *
 * One step function over the records: a span says where the attributes of its first record are, and those of the next ones
 * follow row by row until the next span begins. Spans ascend; the last one, and every one between records that are
 * described, is a gap (attachment SL_NO_RECORD). Records that were given in one go are one span, whatever their number;
 * scattered ones cost 12 bytes each. A look-up is a binary search, or a step forward for records that ascend.
 *
 * Numbers of attachments never change: one whose records are all gone leaves an empty slot, unless it was the last. */
#ifndef SL_RECORDS_ATTRIBUTES_H
#define SL_RECORDS_ATTRIBUTES_H

#include "support/memory.h"
#include "support/pool.h"

typedef struct sl_i_span {
    uint32_t first;      /* record */
    uint32_t attachment; /* SL_NO_RECORD: no attributes */
    uint32_t row;        /* of record `first` */
} sl_i_span;

typedef struct sl_i_spans {
    sl_i_span *items; /* the last one is a gap, but where there is none at all */
    uint64_t count, capacity;
} sl_i_spans;

typedef struct sl_i_attachment {
    sl_batches *batches; /* NULL: all its records are gone */
    uint32_t lowest;     /* the first record that it describes */
} sl_i_attachment;

/** All zero: none. */
typedef struct sl_i_attributes {
    sl_i_spans spans;
    sl_i_attachment *attachments;
    uint32_t count;
    uint64_t capacity;
} sl_i_attributes;

/** Those that somebody says they are, from anywhere, into the empty `out`: table i of `batches` is attachment i. SL_ERROR_CORRUPT with
 *  the reason unless they keep every invariant and each table describes a record below `num_records`. Retains the tables. */
sl_status sl_i_attributes_restore(const sl_i_span *spans, uint64_t num_spans, sl_batches *const *batches,
                                  uint32_t count, uint32_t num_records, sl_i_attributes *out, sl_error *error)
    SL_MUST_USE;
/** Those of the first `num_records` records, into the empty `out`. On failure `out` is empty. */
sl_status sl_i_attributes_copy(const sl_i_attributes *attributes, uint32_t num_records, sl_i_attributes *out,
                               sl_error *error) SL_MUST_USE;
/** Forget those of records from `num_records` on. Batches that this lets go are released in `sl_i_attributes_free(dropped)`, to be
 *  called without the context's lock, which the owner of an Arrow buffer may wait for; `dropped` is empty before. Nothing
 *  fails: where there is no memory for `dropped`, batches are released at once. */
void sl_i_attributes_truncate(sl_i_attributes *attributes, uint32_t num_records, sl_i_attributes *dropped);
/** Forget attachments from number `count` on, whosever records they describe; as sl_i_attributes_truncate otherwise. Records that
 *  they were laid over are without attributes then: what they had before does not come back. */
void sl_i_attributes_detach(sl_i_attributes *attributes, uint32_t count, uint32_t num_records,
                            sl_i_attributes *dropped);
/** The same in a context, under its lock: for undoing one's own attachments, of records that had none before. */
void sl_i_context_detach(sl_context *context, uint32_t count);
/** Release the batches and give all memory back. */
void sl_i_attributes_free(sl_i_attributes *attributes);
/** NULL, or which invariant is broken. `num_records`: of the context. */
const char *sl_i_attributes_fault(const sl_i_attributes *attributes, uint32_t num_records);

/** Give records of `into` the attributes that the first `num_records` records of `from` have: translation[r] is the record of
 *  `into` that r is, or SL_NO_RECORD; only those from `first` on are given any. Records that have attributes in `into` keep
 *  them. All or nothing. Takes the reader side of `from`'s lock, then the writer side of `into`'s, never both: the caller
 *  holds neither, and neither is held while `ticker` (0 units) ticks. O(n), and a sort where the translation does not
 *  ascend. */
sl_status sl_i_attributes_carry(const sl_context *from, const uint32_t *translation, uint32_t num_records,
                                uint32_t first, sl_context *into, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

#endif
