/* forest.c: see forest.h.
 *
 * Pipeline over batches of groups: one task unites batch b, in order, while the others sort the groups of batch b+1, replace
 * endpoints by the roots of the moment and drop what is already connected, so that uniting sees few edges and short paths. That
 * roots can be looked up while one task unites is what the union-find of leaf_order.h is made for. */
#include "hierarchy/forest.h"

#include "hierarchy/edge_sort.h"
#include "hierarchy/leaf_order.h"

#define BATCH_GROUPS 8u
#define AHEAD 16u         /* edges between a prefetch and its use */
#define TICK_STEP 262144u /* edges between two looks at the clock */

typedef struct forest {
    uint32_t lanes;
    sl_i_edge_groups *groups;
    sl_i_merge_log log;
    sl_i_edge *scratch;   /* SL_I_SORT_SCRATCH edges for each lane */
    uint32_t next_group;  /* groups before it are sorted and filtered */
    uint32_t batch_start; /* the batch to unite: [batch_start, next_group) */
    sl_i_ticker *ticker;
} forest;

SL_INLINE_BODY void look_ahead(const sl_i_parent_slot *parents, const sl_i_edge *edges, uint64_t i, uint64_t count) {
    if (i + 2 * AHEAD < count) sl_i_prefetch_parents(parents, edges[i + 2 * AHEAD].left, edges[i + 2 * AHEAD].right);
    if (i + AHEAD < count) sl_i_prefetch_grandparents(parents, edges[i + AHEAD].left, edges[i + AHEAD].right);
}

static void unite(forest *f, const sl_i_edge *edges, uint64_t count, uint32_t lane) {
    sl_i_parent_slot *parents = f->log.parents;
    for (uint64_t i = 0; i < count; i++) {
        if (i % TICK_STEP == TICK_STEP - 1 && sl_i_ticker_poll(f->ticker, lane, 0)) return;
        look_ahead(parents, edges, i, count);
        uint32_t left = sl_i_find_root(parents, edges[i].left), right = sl_i_find_root(parents, edges[i].right);
        if (left != right) sl_i_merge_log_unite(&f->log, left, right, edges[i].code);
    }
}

/* ---- the pipeline ------------------------------------------------------------------------------------------------ */

static void prepare_group(forest *f, uint32_t group, uint32_t lane) {
    uint64_t start = f->groups->starts[group], count = f->groups->ends[group] - start, kept = 0;
    sl_i_edge *edges = f->groups->edges + start;
    sl_i_parent_slot *parents = f->log.parents;
    for (uint64_t i = 0; i < count; i++) {
        if (i % TICK_STEP == TICK_STEP - 1 && sl_i_ticker_poll(f->ticker, lane, 0)) return;
        look_ahead(parents, edges, i, count);
        uint32_t left = sl_i_find_root(parents, edges[i].left), right = sl_i_find_root(parents, edges[i].right);
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
        if (f->log.num_records > 0 && f->log.num_merges == f->log.num_records - 1)
            break; /* one component: nothing is left to join */
    }
    sl_i_merge_log_close_level(&f->log);
    return SL_OK;
}

/* ------------------------------------------------------------------------------------------------------------------ */

static double value_of_code(const void *coder, uint32_t code) { return sl_i_code_value(coder, code); }

sl_status sl_i_forest_build(uint32_t num_records, sl_i_edge_groups *groups, const sl_i_score_coder *coder,
                            uint32_t lanes, sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) {
    forest f = {.lanes = lanes, .groups = groups, .ticker = ticker};
    sl_i_score_kind kind = {.scale = coder->scale, .exact = coder->exact};
    uint64_t room = (uint64_t)lanes * SL_I_SORT_SCRATCH;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_merge_log_init(&f.log, num_records, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&f.scratch, room, sizeof *f.scratch, "sorting edges", error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    SL_TRY_CLEANUP(status, run_kruskal(&f, ticker, error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    SL_TRY_CLEANUP(status, sl_i_leaf_order_make(&f.log, value_of_code, coder, kind, ticker, out, error));
cleanup:
    sl_i_release(f.scratch, room, sizeof *f.scratch);
    sl_i_merge_log_release(&f.log);
    return status;
}
