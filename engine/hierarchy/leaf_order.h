/* leaf_order.h: from merges in falling order of their level to the leaf order.
 *
 * A union-find forest and the log of its merges. Union-find links the larger root under the smaller, so a root is its
 * component's smallest record and parents only ever fall: whatever a thread reads of `parents` is an ancestor, and no cycle can
 * come about. That lets other threads look roots up (halving paths on the way) while one unites, all with relaxed loads and
 * stores. (Randomised linking, Goel et al. 2014; concurrent path halving, Jayanti and Tarjan 2016.)
 *
 * Merge log: record `absorbed`, until then the smallest of its component, joins the component of `into`, the smallest record
 * once the level is done, after `offset` records. At the end of each level its merges are put into canonical order: by
 * absorbed record, each directly into the final root, which makes ties one n-way merge. Read backwards:
 * position[absorbed] = position[into] + offset, and the seam before it closes at the merge's level. 24 bytes a record. */
#ifndef SL_HIERARCHY_LEAF_ORDER_H
#define SL_HIERARCHY_LEAF_ORDER_H

#include <stdatomic.h>

#include "hierarchy/hierarchy.h"
#include "support/vector.h"

typedef _Atomic uint32_t sl_i_parent_slot;

typedef struct sl_i_merge {
    uint32_t absorbed, into, offset, code;
} sl_i_merge;

typedef struct sl_i_merge_log {
    uint32_t num_records;
    sl_i_parent_slot *parents; /* later: order */
    uint32_t *sizes;           /* of roots, as of the last level closed; later: position of each record */
    sl_i_merge *merges;
    uint32_t num_merges;  /* binary ones */
    uint32_t num_n_way;   /* n-way ones; meaningless once count_later is set */
    bool count_later;     /* a level had too many merges to count its n-way ones on the way */
    uint32_t level_start; /* first merge of the level at work */
    uint32_t level_code;  /* any number that tells levels apart */
} sl_i_merge_log;

/** Every record alone, nothing merged. On failure the log may be released all the same. */
sl_status sl_i_merge_log_init(sl_i_merge_log *log, uint32_t num_records, sl_error *error) SL_MUST_USE;
void sl_i_merge_log_release(sl_i_merge_log *log);
/** All merges of the level at work are known: make them canonical (ascending by absorbed record, each into its final root) and let
 *  the components grow. */
void sl_i_merge_log_close_level(sl_i_merge_log *log);

/** The score of a level, given its code. */
typedef double (*sl_i_level_value)(const void *state, uint32_t code);
/** The hierarchy of a log whose last level is closed. Uses the log up, but for the absorbed records of its merges. */
sl_status sl_i_leaf_order_make(sl_i_merge_log *log, sl_i_level_value value, const void *state, sl_i_score_kind kind,
                               sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) SL_MUST_USE;

static inline uint32_t sl_i_load_parent(const sl_i_parent_slot *parents, uint32_t record) {
    return atomic_load_explicit(&parents[record], memory_order_relaxed);
}

static inline uint32_t sl_i_find_root(sl_i_parent_slot *parents, uint32_t record) {
    for (;;) {
        uint32_t parent = sl_i_load_parent(parents, record);
        if (parent == record) return record;
        uint32_t grandparent = sl_i_load_parent(parents, parent);
        if (grandparent == parent) return parent;
        atomic_store_explicit(&parents[record], grandparent, memory_order_relaxed);
        record = grandparent;
    }
}

/** Fetch the parents of the ends of an edge to come; then, once they are there, those parents' parents: by the time its roots are
 *  looked up, the path to them is in the cache. Into the second-level cache, which has room for more misses at once; inlined by
 *  force, because GCC drops calls that only prefetch. */
SL_INLINE_BODY void sl_i_prefetch_parents(const sl_i_parent_slot *parents, uint32_t left, uint32_t right) {
    __builtin_prefetch((const void *)&parents[left], 0, 2);
    __builtin_prefetch((const void *)&parents[right], 0, 2);
}
SL_INLINE_BODY void sl_i_prefetch_grandparents(const sl_i_parent_slot *parents, uint32_t left, uint32_t right) {
    __builtin_prefetch((const void *)&parents[sl_i_load_parent(parents, left)], 0, 2);
    __builtin_prefetch((const void *)&parents[sl_i_load_parent(parents, right)], 0, 2);
}

/** Unite two different roots, on the level of this code: never one that was closed before. Returns the root of both. */
static inline uint32_t sl_i_merge_log_unite(sl_i_merge_log *log, uint32_t left, uint32_t right, uint32_t code) {
    if (code != log->level_code) {
        sl_i_merge_log_close_level(log);
        log->level_code = code;
    }
    uint32_t into = left < right ? left : right, absorbed = left < right ? right : left;
    atomic_store_explicit(&log->parents[absorbed], into, memory_order_relaxed);
    log->merges[log->num_merges++] = (sl_i_merge){absorbed, into, 0, code};
    __builtin_prefetch(&log->sizes[into], 1); /* for closing the level */
    __builtin_prefetch(&log->sizes[absorbed], 1);
    return into;
}

#endif
