/* collection.c: a hierarchy together with its context and the partitions cut last. Three references and two numbers. */
#include "frame/collection.h"

#include "support/clock.h"
#include "support/memory.h"

sl_status sl_i_collection_view(sl_context *context, const sl_hierarchy *hierarchy, uint32_t num_records,
                               uint32_t decimals, sl_i_partition_cache *cache, sl_collection **out, sl_error *error) {
    sl_collection *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a collection", error));
    atomic_init(&made->references, 1);
    made->context = sl_context_retain(context);
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->num_records = num_records;
    made->decimals = decimals;
    made->cache = sl_i_cache_retain(cache);
    *out = made;
    return SL_OK;
}

static sl_status check(const sl_context *context, const sl_hierarchy *hierarchy, uint32_t num_records,
                       uint32_t decimals, sl_error *error) {
    uint32_t covered = sl_hierarchy_num_records(hierarchy), known = sl_context_num_records(context);
    if (num_records < covered)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "a hierarchy of %u records cannot be a collection of only %u", covered, num_records);
    if (num_records > known)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the collection has %u records, its context only %u: it belongs to another context",
                         num_records, known);
    if (decimals > 6)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "cannot round scores to %u decimals: choose 1 to 6, or 0 for exact scores", decimals);
    return SL_OK;
}

sl_status sl_collection_create(sl_context *context, const sl_hierarchy *hierarchy, uint32_t num_records,
                               uint32_t decimals, const sl_collection *earlier, sl_collection **out, sl_error *error) {
    sl_i_partition_cache *cache = NULL;
    *out = NULL;
    if (num_records == 0) num_records = sl_hierarchy_num_records(hierarchy);
    SL_TRY(check(context, hierarchy, num_records, decimals, error));
    SL_TRY(sl_i_cache_create(earlier ? earlier->cache : NULL, &cache, error));
    sl_status status = sl_i_collection_view(context, hierarchy, num_records, decimals, cache, out, error);
    sl_i_cache_release(cache);
    return status;
}

sl_collection *sl_collection_retain(const sl_collection *collection) {
    sl_collection *shared = (sl_collection *)(uintptr_t)collection; /* only the reference count changes */
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void sl_collection_release(sl_collection *collection) {
    if (!collection || atomic_fetch_sub_explicit(&collection->references, 1, memory_order_acq_rel) != 1) return;
    sl_i_cache_release(collection->cache);
    sl_hierarchy_release(collection->hierarchy);
    sl_context_release(collection->context);
    sl_i_release(collection, 1, sizeof *collection);
}

sl_context *sl_collection_context(const sl_collection *collection) { return collection->context; }
const sl_hierarchy *sl_collection_hierarchy(const sl_collection *collection) { return collection->hierarchy; }
uint32_t sl_collection_num_records(const sl_collection *collection) { return collection->num_records; }
uint32_t sl_collection_decimals(const sl_collection *collection) { return collection->decimals; }

sl_status sl_collection_at(const sl_collection *collection, double threshold, sl_partition **out, sl_error *error) {
    return sl_i_cache_at(collection->cache, collection->hierarchy, collection->num_records, threshold, out, error);
}

void sl_collection_clear_cache(const sl_collection *collection) { sl_i_cache_clear(collection->cache); }

sl_status sl_collection_measure(const sl_collection *collection, const sl_curve_options *options, sl_curve **out,
                                sl_error *error) {
    double start = sl_i_now();
    SL_TRY(sl_curve_create(collection->hierarchy, collection->num_records, options, out, error));
    sl_i_cache_note_curve(collection->cache, sl_curve_length(*out), sl_i_now() - start);
    return SL_OK;
}

void sl_collection_stats(const sl_collection *collection, sl_computation_stats *out) {
    sl_i_cache_stats(collection->cache, out);
}
