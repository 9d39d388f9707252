/* forest.c: see forest.h.
 *
 * Union-find links the larger root under the smaller, so a root is its component's smallest record and parents only ever
 * fall: whatever a thread reads of `parents` is an ancestor, and no cycle can come about. That lets other threads look roots
 * up (halving paths on the way) while one unites, all with relaxed loads and stores. (Randomised linking, Goel et al. 2014;
 * concurrent path halving, Jayanti and Tarjan 2016.)
 *
 * Pipeline over batches of groups: one task unites batch b, in order, while the others sort the groups of batch b+1, replace
 * endpoints by the roots of the moment and drop what is already connected, so that uniting sees few edges and short paths.
 *
 * Merge log: record `absorbed`, until then the smallest of its component, joins the component of `into`, the smallest record
 * once the level is done, after `offset` records. At the end of each level its merges are put into canonical order: by
 * absorbed record, each directly into the final root, which makes ties one n-way merge. Read backwards:
 * position[absorbed] = position[into] + offset, and the seam before it closes at the merge's level. */
#include "hierarchy/forest.h"

#include <stdatomic.h>
#include <string.h>

#include "hierarchy/edge_sort.h"
#include "support/sort.h"
#include "support/vector.h"

#define BATCH_GROUPS 8u
#define AHEAD 16u         /* edges between a prefetch and its use */
#define TICK_STEP 262144u /* log entries between two looks at the clock */

typedef _Atomic uint32_t parent_slot;

typedef struct merge {
    uint32_t absorbed, into, offset, code;
} merge;

typedef struct forest {
    uint32_t num_records;
    uint32_t lanes;
    const sl_i_score_coder *coder;
    sl_i_edge_groups *groups;
    parent_slot *parents; /* later: order */
    uint32_t *sizes;      /* of roots; later: position of each record */
    merge *log;
    uint32_t num_merges;  /* binary ones */
    uint32_t num_n_way;   /* n-way ones; meaningless once count_later is set */
    bool count_later;     /* a level had too many merges to count its n-way ones on the way */
    uint32_t level_start; /* first merge of the level at work */
    uint32_t level_code;
    sl_i_edge *scratch;   /* SL_I_SORT_SCRATCH edges for each lane */
    uint32_t next_group;  /* groups before it are sorted and filtered */
    uint32_t batch_start; /* the batch to unite: [batch_start, next_group) */
    sl_i_ticker *ticker;
} forest;

static inline uint32_t load(const parent_slot *parents, uint32_t record) {
    return atomic_load_explicit(&parents[record], memory_order_relaxed);
}

static inline uint32_t find(parent_slot *parents, uint32_t record) {
    for (;;) {
        uint32_t parent = load(parents, record);
        if (parent == record) return record;
        uint32_t grandparent = load(parents, parent);
        if (grandparent == parent) return parent;
        atomic_store_explicit(&parents[record], grandparent, memory_order_relaxed);
        record = grandparent;
    }
}

/* Fetch the parents of an edge to come, then those parents' parents: by the time `find` runs, its path is in the cache. Into the
 * second-level cache, which has room for more misses at once; inlined by force, because GCC drops calls that only prefetch. */
SL_INLINE_BODY void look_ahead(const parent_slot *parents, const sl_i_edge *edges, uint64_t i, uint64_t count) {
    if (i + 2 * AHEAD < count) {
        __builtin_prefetch((const void *)&parents[edges[i + 2 * AHEAD].left], 0, 2);
        __builtin_prefetch((const void *)&parents[edges[i + 2 * AHEAD].right], 0, 2);
    }
    if (i + AHEAD < count) {
        __builtin_prefetch((const void *)&parents[load(parents, edges[i + AHEAD].left)], 0, 2);
        __builtin_prefetch((const void *)&parents[load(parents, edges[i + AHEAD].right)], 0, 2);
    }
}

/* ---- one level --------------------------------------------------------------------------------------------------- */

#define RADIX_LIMIT 2048u /* merges of one level from which a radix sort pays */

/* Ascending, in the memory of the merges themselves: a merge has room for its absorbed record and for the scratch. */
static void sort_absorbed(merge *merges, uint32_t count) {
    uint32_t *absorbed = (uint32_t *)(void *)merges;
    for (uint32_t i = 0; i < count; i++) absorbed[i] = merges[i].absorbed;
    if (count < RADIX_LIMIT)
        sl_i_sort_u32(absorbed, count);
    else
        sl_i_radix_sort_u32(absorbed, absorbed + count, count);
}

#define FEW_MERGES 32u

/* Merges into one record at one level are one n-way merge. Nearly all levels have one merge, or a few. */
static void count_n_way(forest *f, const merge *merges, uint32_t count) {
    if (count > FEW_MERGES) {
        f->count_later = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = 0;
        while (merges[j].into != merges[i].into) j++;
        f->num_n_way += j == i;
    }
}

/* All merges of one level are known: make them canonical and let the components grow. */
static void close_level(forest *f) {
    merge *merges = f->log + f->level_start;
    uint32_t count = f->num_merges - f->level_start;
    f->level_start = f->num_merges;
    if (count > 1) {
        const uint32_t *absorbed = (const uint32_t *)(const void *)merges;
        sort_absorbed(merges, count);
        for (uint32_t i = count; i-- > 0;) { /* backwards: merge i covers values 4i..4i+3, which are read by then */
            uint32_t record = absorbed[i];
            merges[i] = (merge){record, find(f->parents, record), 0, f->level_code};
        }
    }
    count_n_way(f, merges, count);
    for (uint32_t i = 0; i < count; i++) {
        merges[i].offset = f->sizes[merges[i].into];
        f->sizes[merges[i].into] += f->sizes[merges[i].absorbed];
    }
}

static void unite(forest *f, const sl_i_edge *edges, uint64_t count, uint32_t lane) {
    parent_slot *parents = f->parents;
    for (uint64_t i = 0; i < count; i++) {
        if (i % TICK_STEP == TICK_STEP - 1 && sl_i_ticker_poll(f->ticker, lane, 0)) return;
        look_ahead(parents, edges, i, count);
        uint32_t left = find(parents, edges[i].left), right = find(parents, edges[i].right);
        if (left == right) continue;
        if (edges[i].code != f->level_code) {
            close_level(f);
            f->level_code = edges[i].code;
        }
        uint32_t into = left < right ? left : right, absorbed = left < right ? right : left;
        atomic_store_explicit(&parents[absorbed], into, memory_order_relaxed);
        f->log[f->num_merges++] = (merge){absorbed, into, 0, edges[i].code};
        __builtin_prefetch(&f->sizes[into], 1); /* for close_level */
        __builtin_prefetch(&f->sizes[absorbed], 1);
    }
}

/* ---- the pipeline ------------------------------------------------------------------------------------------------ */

static void prepare_group(forest *f, uint32_t group, uint32_t lane) {
    uint64_t start = f->groups->starts[group], count = f->groups->ends[group] - start, kept = 0;
    sl_i_edge *edges = f->groups->edges + start;
    parent_slot *parents = f->parents;
    for (uint64_t i = 0; i < count; i++) {
        if (i % TICK_STEP == TICK_STEP - 1 && sl_i_ticker_poll(f->ticker, lane, 0)) return;
        look_ahead(parents, edges, i, count);
        uint32_t left = find(parents, edges[i].left), right = find(parents, edges[i].right);
        if (left != right) edges[kept++] = (sl_i_edge){left, right, edges[i].code};
    }
    f->groups->ends[group] = start + kept;
    sl_i_sort_edges(edges, kept, f->scratch + (uint64_t)lane * SL_I_SORT_SCRATCH);
}

static void unite_batch(forest *f, uint32_t lane) {
    for (uint32_t group = f->batch_start; group < f->next_group; group++) {
        uint64_t start = f->groups->starts[group];
        unite(f, f->groups->edges + start, f->groups->ends[group] - start, lane);
    }
}

static void pipeline_task(void *state, uint64_t task, uint32_t lane) {
    forest *f = state;
    if (task == 0)
        unite_batch(f, lane);
    else
        prepare_group(f, f->next_group + (uint32_t)task - 1, lane);
}

static sl_status run_kruskal(forest *f, sl_i_ticker *ticker, sl_error *error) {
    uint32_t num_groups = f->groups->num_groups;
    sl_i_ticker_begin(ticker, "joining records", f->groups->num_edges);
    while (f->batch_start < num_groups) {
        uint32_t ahead = num_groups - f->next_group < BATCH_GROUPS ? num_groups - f->next_group : BATCH_GROUPS;
        uint64_t done = f->groups->starts[f->next_group] - f->groups->starts[f->batch_start];
        SL_TRY(sl_i_parallel(1 + (uint64_t)ahead, f->lanes, pipeline_task, f, ticker, 0, error));
        f->batch_start = f->next_group;
        f->next_group += ahead;
        SL_TRY(sl_i_ticker_advance(ticker, done, error));
        if (f->num_records > 0 && f->num_merges == f->num_records - 1)
            break; /* one component: nothing is left to join */
    }
    close_level(f);
    return SL_OK;
}

/* ---- from the log to the leaf order ------------------------------------------------------------------------------ */

static sl_status take_levels(forest *f, double **out_levels, uint32_t *out_count, sl_error *error) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->num_merges; i++) count += i == 0 || f->log[i].code != f->log[i - 1].code;
    double *levels = NULL;
    SL_TRY(sl_i_allocate(&levels, count, sizeof *levels, "the levels", error));
    uint32_t level = 0, last = 0;
    for (uint32_t i = 0; i < f->num_merges; i++) {
        uint32_t code = f->log[i].code;
        if (i == 0 || code != last) levels[level++] = sl_i_code_value(f->coder, code);
        last = code;
        f->log[i].code = level - 1;
    }
    *out_levels = levels;
    *out_count = count;
    return SL_OK;
}

/* Components follow each other in the order of their smallest records, which are their roots. */
static void place_roots(forest *f) {
    uint32_t next = 0;
    for (uint32_t record = 0; record < f->num_records; record++) {
        if (load(f->parents, record) != record) continue;
        uint32_t size = f->sizes[record];
        f->sizes[record] = next;
        next += size;
    }
}

static sl_status place_merged(forest *f, uint32_t *join, sl_i_ticker *ticker, sl_error *error) {
    uint32_t *positions = f->sizes;
    sl_i_ticker_begin(ticker, "ordering records", f->num_merges);
    for (uint32_t i = f->num_merges; i-- > 0;) {
        if (i >= AHEAD) {
            __builtin_prefetch(&positions[f->log[i - AHEAD].into]);
            __builtin_prefetch(&positions[f->log[i - AHEAD].absorbed], 1);
        }
        const merge *m = &f->log[i];
        uint32_t position = positions[m->into] + m->offset;
        positions[m->absorbed] = position;
        join[position - 1] = m->code;
        if (i % TICK_STEP == 0) SL_TRY(sl_i_ticker_advance(ticker, TICK_STEP, error));
    }
    return SL_OK;
}

static void fill_order(forest *f, uint32_t *order) {
    const uint32_t *positions = f->sizes;
    for (uint32_t record = 0; record < f->num_records; record++) order[positions[record]] = record;
}

static sl_status order_records(forest *f, sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) {
    uint32_t n = f->num_records, num_levels = 0;
    double *levels = NULL;
    uint32_t *join = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, take_levels(f, &levels, &num_levels, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&join, n, sizeof *join, "the joins", error));
    memset(join, 0xFF, n * sizeof *join); /* SL_NEVER */
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    place_roots(f);
    SL_TRY_CLEANUP(status, place_merged(f, join, ticker, error));
    uint32_t *order = (uint32_t *)(void *)f->parents; /* no longer needed, and of the right size */
    fill_order(f, order);
    uint32_t num_n_way = f->count_later ? sl_i_count_merges(n, join, f->sizes) : f->num_n_way;
    status = sl_i_hierarchy_take(n, num_levels, num_n_way, f->coder->exact, order, join, levels, out, error);
    if (status == SL_OK) {
        f->parents = NULL;
        return SL_OK;
    }
cleanup:
    sl_i_release(levels, num_levels, sizeof *levels);
    sl_i_release(join, n, sizeof *join);
    return status;
}

/* ---- setting up -------------------------------------------------------------------------------------------------- */

static sl_status set_up(forest *f, sl_error *error) {
    uint32_t n = f->num_records;
    SL_TRY(sl_i_allocate(&f->parents, n, sizeof *f->parents, "the union-find forest", error));
    SL_TRY(sl_i_allocate(&f->sizes, n, sizeof *f->sizes, "component sizes", error));
    SL_TRY(sl_i_allocate(&f->log, n, sizeof *f->log, "the merge log", error));
    for (uint32_t record = 0; record < n; record++) {
        atomic_init(&f->parents[record], record);
        f->sizes[record] = 1;
    }
    return sl_i_allocate(&f->scratch, (uint64_t)f->lanes * SL_I_SORT_SCRATCH, sizeof *f->scratch, "sorting edges",
                         error);
}

static void tear_down(forest *f) {
    sl_i_release(f->scratch, (uint64_t)f->lanes * SL_I_SORT_SCRATCH, sizeof *f->scratch);
    sl_i_release(f->log, f->num_records, sizeof *f->log);
    sl_i_release(f->sizes, f->num_records, sizeof *f->sizes);
    sl_i_release((void *)f->parents, f->num_records, sizeof *f->parents);
}

sl_status sl_i_forest_build(uint32_t num_records, sl_i_edge_groups *groups, const sl_i_score_coder *coder,
                            uint32_t lanes, sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) {
    forest f = {.num_records = num_records,
                .lanes = lanes,
                .coder = coder,
                .groups = groups,
                .level_code = UINT32_MAX,
                .ticker = ticker};
    sl_status status;
    SL_TRY_CLEANUP(status, set_up(&f, error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    SL_TRY_CLEANUP(status, run_kruskal(&f, ticker, error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    SL_TRY_CLEANUP(status, order_records(&f, ticker, out, error));
cleanup:
    tear_down(&f);
    return status;
}
