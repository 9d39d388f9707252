/* partition_cache.h: the partitions of one collection used last, and a record of the work done for it.
 *
 * Shared by all views of a collection. Keyed by how many levels apply and how many records there are: thresholds with the same
 * partition share it, and views of different ages do not meet. Ten are few, so finding one is a scan. */
#ifndef SL_FRAME_PARTITION_CACHE_H
#define SL_FRAME_PARTITION_CACHE_H

#include "support/status.h"

typedef struct sl_i_partition_cache sl_i_partition_cache;

/** `earlier` (optional): the cache of the same collection before it was moved, whose record of work goes on. */
sl_status sl_i_cache_create(const sl_i_partition_cache *earlier, sl_i_partition_cache **out, sl_error *error)
    SL_MUST_USE;
sl_i_partition_cache *sl_i_cache_retain(sl_i_partition_cache *cache);
void sl_i_cache_release(sl_i_partition_cache *cache);

/** The partition of `hierarchy` over `num_records` records, kept or cut now; a reference of the caller's own. Cutting is done
 *  outside the lock: two threads may cut the same, and one is kept. */
sl_status sl_i_cache_at(sl_i_partition_cache *cache, const sl_hierarchy *hierarchy, uint32_t num_records,
                        double threshold, sl_partition **out, sl_error *error) SL_MUST_USE;
void sl_i_cache_clear(sl_i_partition_cache *cache);
/** Note a curve of `rows` rows that took `seconds`. */
void sl_i_cache_note_curve(sl_i_partition_cache *cache, uint64_t rows, double seconds);
void sl_i_cache_stats(sl_i_partition_cache *cache, sl_computation_stats *out);
/** Mean lifetimes of `hierarchy`, remembered for the number of records asked for last. */
sl_status sl_i_cache_lifetimes(sl_i_partition_cache *cache, const sl_hierarchy *hierarchy, uint32_t num_records,
                               sl_lifetimes *out, sl_error *error) SL_MUST_USE;
/** Bytes held by the cache and what it keeps. */
uint64_t sl_i_cache_memory(sl_i_partition_cache *cache);

#endif
