/* partition_cache.c: see partition_cache.h. */
#include "frame/partition_cache.h"

#include <stdatomic.h>

#include "support/clock.h"
#include "support/fork_lock.h"
#include "support/memory.h"

typedef struct kept {
    sl_partition *partition; /* NULL: the slot is free */
    uint32_t level;          /* levels applied */
    uint32_t num_records;
    uint64_t used; /* when it was asked for last, in calls */
} kept;

typedef struct remembered {
    sl_lifetimes lifetimes;
    uint32_t num_records;
    bool known;
} remembered;

/* All but the number of references under the short lock of its address. */
struct sl_i_partition_cache {
    atomic_uint_fast32_t references;
    kept slots[SL_CACHED_PARTITIONS];
    uint64_t calls;
    sl_computation_stats stats; /* seconds_one_by_one: of curves only, partitions are reckoned when asked */
    remembered lifetimes;
};

sl_status sl_i_cache_create(const sl_i_partition_cache *earlier, sl_i_partition_cache **out, sl_error *error) {
    sl_i_partition_cache *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a cache of partitions", error));
    atomic_init(&made->references, 1);
    if (earlier) {
        sl_i_short_lock(earlier);
        made->stats = earlier->stats;
        sl_i_short_unlock(earlier);
    }
    *out = made;
    return SL_OK;
}

sl_i_partition_cache *sl_i_cache_retain(sl_i_partition_cache *cache) {
    atomic_fetch_add_explicit(&cache->references, 1, memory_order_relaxed);
    return cache;
}

void sl_i_cache_release(sl_i_partition_cache *cache) {
    if (!cache || atomic_fetch_sub_explicit(&cache->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++) sl_partition_release(cache->slots[i].partition);
    sl_i_release(cache, 1, sizeof *cache);
}

/* Under the lock: the slot of a partition, or NULL. */
static kept *find(sl_i_partition_cache *cache, uint32_t level, uint32_t num_records) {
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++) {
        kept *slot = &cache->slots[i];
        if (slot->partition && slot->level == level && slot->num_records == num_records) return slot;
    }
    return NULL;
}

/* Under the lock: a free slot, else that of the partition used longest ago. */
static kept *make_room(sl_i_partition_cache *cache) {
    kept *oldest = &cache->slots[0];
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++) {
        kept *slot = &cache->slots[i];
        if (!slot->partition) return slot;
        if (slot->used < oldest->used) oldest = slot;
    }
    return oldest;
}

static bool look_up(sl_i_partition_cache *cache, uint32_t level, uint32_t num_records, double start,
                    sl_partition **out) {
    sl_i_short_lock(cache);
    kept *slot = find(cache, level, num_records);
    if (slot) {
        slot->used = ++cache->calls;
        *out = sl_partition_retain(slot->partition);
        cache->stats.total++;
        cache->stats.cached++;
        cache->stats.seconds += sl_i_now() - start;
    }
    sl_i_short_unlock(cache);
    return slot != NULL;
}

/* Keep `cut`, unless another thread was faster: then its partition is the answer. Returns what falls out of the cache. */
static sl_partition *keep(sl_i_partition_cache *cache, uint32_t level, uint32_t num_records, double seconds,
                          sl_partition **cut) {
    sl_partition *dropped = *cut;
    sl_i_short_lock(cache);
    kept *slot = find(cache, level, num_records);
    if (!slot) {
        slot = make_room(cache);
        dropped = slot->partition;
        *slot = (kept){.partition = *cut, .level = level, .num_records = num_records};
    }
    slot->used = ++cache->calls;
    *cut = sl_partition_retain(slot->partition);
    cache->stats.total++;
    cache->stats.cuts++;
    cache->stats.cut_seconds += seconds;
    cache->stats.seconds += seconds;
    sl_i_short_unlock(cache);
    return dropped;
}

sl_status sl_i_cache_at(sl_i_partition_cache *cache, const sl_hierarchy *hierarchy, uint32_t num_records,
                        double threshold, sl_partition **out, sl_error *error) {
    uint32_t level;
    double start = sl_i_now();
    *out = NULL;
    SL_TRY(sl_hierarchy_applied_levels(hierarchy, threshold, &level, error));
    if (look_up(cache, level, num_records, start, out)) return SL_OK;
    SL_TRY(sl_partition_create(hierarchy, num_records, threshold, out, error));
    sl_partition_release(keep(cache, level, num_records, sl_i_now() - start, out));
    return SL_OK;
}

void sl_i_cache_clear(sl_i_partition_cache *cache) {
    sl_partition *dropped[SL_CACHED_PARTITIONS];
    sl_i_short_lock(cache);
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++) {
        dropped[i] = cache->slots[i].partition;
        cache->slots[i] = (kept){0};
    }
    sl_i_short_unlock(cache);
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++) sl_partition_release(dropped[i]);
}

void sl_i_cache_note_curve(sl_i_partition_cache *cache, uint64_t rows, double seconds) {
    if (rows == 0) return;
    sl_i_short_lock(cache);
    cache->stats.total += rows;
    cache->stats.incremental += rows - 1;
    cache->stats.seconds += seconds;
    cache->stats.seconds_one_by_one += (double)rows * seconds;
    sl_i_short_unlock(cache);
}

void sl_i_cache_stats(sl_i_partition_cache *cache, sl_computation_stats *out) {
    sl_i_short_lock(cache);
    *out = cache->stats;
    sl_i_short_unlock(cache);
    double a_cut = out->cuts ? out->cut_seconds / (double)out->cuts : 0.0;
    out->seconds_one_by_one += out->cut_seconds + (double)out->cached * a_cut;
}

sl_status sl_i_cache_lifetimes(sl_i_partition_cache *cache, const sl_hierarchy *hierarchy, uint32_t num_records,
                               sl_lifetimes *out, sl_error *error) {
    sl_i_short_lock(cache);
    remembered found = cache->lifetimes;
    sl_i_short_unlock(cache);
    if (!found.known || found.num_records != num_records) {
        found = (remembered){.num_records = num_records, .known = true};
        SL_TRY(sl_hierarchy_lifetimes(hierarchy, num_records, SL_SENSITIVITY_SHIFT, &found.lifetimes, error));
        sl_i_short_lock(cache);
        cache->lifetimes = found;
        sl_i_short_unlock(cache);
    }
    *out = found.lifetimes;
    return SL_OK;
}

uint64_t sl_i_cache_memory(sl_i_partition_cache *cache) {
    uint64_t bytes = sizeof *cache;
    sl_i_short_lock(cache);
    for (uint32_t i = 0; i < SL_CACHED_PARTITIONS; i++)
        if (cache->slots[i].partition) bytes += sl_partition_memory(cache->slots[i].partition);
    sl_i_short_unlock(cache);
    return bytes;
}
