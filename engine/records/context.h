/* context.h: inside a data context.
 *
 * Store, index and names change under the writer side of `lock`. `num_records` is what readers may look at: stored with
 * release after the records it counts, so that sl_context_record needs no lock. Looking keys up takes the reader side,
 * because index structures move when they grow.
 *
 * A transaction (append.h) appends to the store beyond `num_records` and either publishes or drops what it appended. */
#ifndef SL_RECORDS_CONTEXT_H
#define SL_RECORDS_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include "records/append.h"
#include "records/key_index.h"
#include "records/source_names.h"

struct sl_context {
    pthread_rwlock_t lock;
    sl_i_record_store store;
    sl_i_key_index index;
    sl_i_source_names names;
    uint64_t kind_counts[4]; /* records by sl_key_kind, unpublished ones included */
    uint32_t capacity;       /* SL_MAX_RECORDS but in tests */
    atomic_uint num_records; /* published */
    atomic_uint key_kinds;   /* published */
    atomic_uint references;
};

static inline uint32_t sl_i_context_published(const sl_context *context) {
    return atomic_load_explicit(&context->num_records, memory_order_acquire);
}
/** The lock is taken for reading contexts that the caller sees as const. */
static inline pthread_rwlock_t *sl_i_context_lock(const sl_context *context) {
    return (pthread_rwlock_t *)(uintptr_t)&context->lock;
}

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
