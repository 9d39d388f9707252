/* context.h: inside a data context.
 *
 * Two locks. Who appends holds `appending` from beginning to end, so that appends are one at a time. Store, index and names change
 * under the writer side of `lock` besides, which is given back now and then (append.h): looking keys up takes its reader side,
 * because index structures move when they grow, and waits for a few milliseconds, not for the whole append. `num_records` is
 * what readers may look at: stored with release after the records it counts, so that sl_context_record needs no lock.
 *
 * A transaction (append.h) appends to the store beyond `num_records` and either publishes or drops what it appended; a look-up in
 * between may meet such records in the index, and takes them for unknown. */
#ifndef SL_RECORDS_CONTEXT_H
#define SL_RECORDS_CONTEXT_H

#include <stdatomic.h>

#include "records/append.h"
#include "records/attributes.h"
#include "records/key_index.h"
#include "records/source_names.h"
#include "support/fork_lock.h"

struct sl_context {
    sl_i_fork_lock appending; /* its writer side */
    sl_i_fork_lock lock;
    bool is_paused; /* the appender has given the writer side of `lock` back for now */
    sl_i_record_store store;
    sl_i_key_index index;
    sl_i_source_names names;
    sl_i_attributes attributes; /* of published records */
    uint64_t kind_counts[4];    /* records by sl_key_kind, unpublished ones included */
    uint32_t capacity;          /* SL_MAX_RECORDS but in tests */
    atomic_uint num_records;    /* published */
    atomic_uint key_kinds;      /* published */
    atomic_uint references;
};

static inline uint32_t sl_i_context_published(const sl_context *context) {
    return atomic_load_explicit(&context->num_records, memory_order_acquire);
}
/** Take the reader side of `lock`, also of contexts that the caller sees as const; or become the one that appends, with the writer
 *  side. SL_ERROR_SYSTEM: another thread was changing the context when this process was forked. */
sl_status sl_i_context_read(const sl_context *context, sl_error *error) SL_MUST_USE;
sl_status sl_i_context_write(sl_context *context, sl_error *error) SL_MUST_USE;
void sl_i_context_end_read(const sl_context *context);
void sl_i_context_end_write(sl_context *context);

/** Make room for `extra` more records of any kind in store and table (key bytes excepted). */
sl_status sl_i_context_reserve(sl_context *context, uint64_t extra, sl_error *error) SL_MUST_USE;
/** Under the writer lock: drop records from `count` on, or make all of them visible. */
void sl_i_context_drop(sl_context *context, uint32_t count);
void sl_i_context_publish(sl_context *context);

/** SL_ERROR_CORRUPT with the reason unless every record is found under its key at its own index, no key is there twice, and
 *  all counts agree. Takes the reader lock. O(n). */
sl_status sl_i_context_validate(const sl_context *context, sl_error *error) SL_MUST_USE;
/** Let SL_ERROR_CAPACITY come earlier than at SL_MAX_RECORDS. */
void sl_i_context_set_capacity_for_test(sl_context *context, uint32_t capacity);

#endif
