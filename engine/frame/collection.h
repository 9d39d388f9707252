/* collection.h: the fields of a collection, for the frames that make views. */
#ifndef SL_FRAME_COLLECTION_H
#define SL_FRAME_COLLECTION_H

#include <stdatomic.h>

#include "frame/partition_cache.h"

struct sl_collection {
    atomic_uint_fast32_t references;
    sl_context *context;
    sl_hierarchy *hierarchy;
    uint32_t num_records; /* at least the hierarchy's; the context may hold more */
    uint32_t decimals;    /* 0: exact */
    sl_i_partition_cache *cache;
};

/** A view: as sl_collection_create, with the cache of a frame's collection. Retains everything. */
sl_status sl_i_collection_view(sl_context *context, const sl_hierarchy *hierarchy, uint32_t num_records,
                               uint32_t decimals, sl_i_partition_cache *cache, sl_collection **out, sl_error *error)
    SL_MUST_USE;

#endif
