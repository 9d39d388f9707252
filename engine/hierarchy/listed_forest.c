/* listed_forest.c: see listed_forest.h.
 *
 * Level by level: unite along the level's edges and note for each merge which edge made it; close the level, which puts its
 * merges into canonical order; give the edges out anew, since a merge is then no longer the one that its edge made. Of the edges
 * that made one n-way node, the first goes to the node's leftmost seam, and so on: merges into one root ascend by absorbed record,
 * as the seams do from left to right, so that each root hands out its merges in the order of the log. */
#include "hierarchy/listed_forest.h"

#include <string.h>

#include "hierarchy/leaf_order.h"
#include "hierarchy/tie_groups.h"

#define AHEAD 16u         /* edges between a prefetch and its use */
#define TICK_STEP 262144u /* edges between two looks at the clock */

typedef struct listed_forest {
    const sl_edge_list *edges;
    sl_i_merge_guard *guard;
    sl_i_merge_log log;
    sl_i_tie_groups ties; /* where the guard drops ties */
    sl_i_ticker *ticker;
    uint32_t *closing; /* by merge of a closed level: the edge that closes its seam */
    uint32_t *joining; /* by merge of the level at work: the edge that made it; later: left ends by seam */
    uint32_t *next;    /* by merge of the level at work: the next one into the same root; later: right ends by seam */
    uint32_t *first;   /* by root: its first merge that has no edge yet, or SL_NO_RECORD; later: position by record */
} listed_forest;

static uint64_t level_end(const sl_edge_list *edges, uint64_t start) {
    uint64_t end = start + 1;
    while (end < edges->count && edges->scores[end] == edges->scores[start]) end++;
    return end;
}

/* ---- one level --------------------------------------------------------------------------------------------------- */

/* Before edge `i` is looked at: fetch what later ones need, and now and then look at the clock, `done` units later. */
static sl_status look_ahead(const listed_forest *f, uint64_t i, uint64_t done, sl_error *error) {
    const sl_edge_list *edges = f->edges;
    if (i + 2 * AHEAD < edges->count)
        sl_i_prefetch_parents(f->log.parents, edges->left[i + 2 * AHEAD], edges->right[i + 2 * AHEAD]);
    if (i + AHEAD < edges->count)
        sl_i_prefetch_grandparents(f->log.parents, edges->left[i + AHEAD], edges->right[i + AHEAD]);
    return i % TICK_STEP == TICK_STEP - 1 ? sl_i_ticker_advance(f->ticker, done, error) : SL_OK;
}

/* The roots of an edge's ends; false where they are one. */
static inline bool find_ends(const listed_forest *f, uint64_t edge, uint32_t *left, uint32_t *right) {
    *left = sl_i_find_root(f->log.parents, f->edges->left[edge]);
    *right = sl_i_find_root(f->log.parents, f->edges->right[edge]);
    return *left != *right;
}

static void unite(listed_forest *f, uint32_t left, uint32_t right, uint64_t edge, uint64_t level) {
    uint32_t into = sl_i_merge_log_unite(&f->log, left, right, (uint32_t)level);
    if (f->guard) sl_i_guard_unite(f->guard, into, left + right - into);
    f->joining[f->log.num_merges - 1] = (uint32_t)edge;
}

/* Edges start..end-1, each after the ones before it. */
static sl_status unite_in_order(listed_forest *f, uint64_t start, uint64_t end, sl_error *error) {
    uint32_t left, right;
    for (uint64_t i = start; i < end; i++) {
        SL_TRY(look_ahead(f, i, TICK_STEP, error));
        if (!find_ends(f, i, &left, &right)) continue;
        if (!f->guard || sl_i_guard_allows(f->guard, left, right))
            unite(f, left, right, i, start);
        else
            f->guard->num_skipped++;
    }
    return SL_OK;
}

/* The edges that are allowed by themselves connect components, as they were before this level, into groups. */
static sl_status group_ties(listed_forest *f, uint64_t start, uint64_t end, sl_error *error) {
    uint32_t left, right;
    for (uint64_t i = start; i < end; i++) {
        SL_TRY(look_ahead(f, i, TICK_STEP, error));
        if (!find_ends(f, i, &left, &right)) continue;
        if (sl_i_guard_allows(f->guard, left, right))
            sl_i_tie_groups_connect(&f->ties, left, right);
        else
            f->guard->num_skipped++;
    }
    return SL_OK;
}

/* A root that absorbed others of its group is in that group still, and components of a refused group are as they were: an edge
 * within one is tied unless it was skipped. */
static void unite_tied(listed_forest *f, uint32_t left, uint32_t right, uint64_t edge, uint64_t level) {
    uint32_t leader = sl_i_tie_groups_leader(&f->ties, left);
    if (leader == SL_NO_RECORD || leader != sl_i_tie_groups_leader(&f->ties, right)) return; /* skipped */
    if (!sl_i_tie_groups_is_refused(&f->ties, leader))
        unite(f, left, right, edge, level);
    else
        f->guard->num_tied += sl_i_guard_allows(f->guard, left, right);
}

/* Edges start..end-1, all at once: a group of components merges as a whole or not at all. */
static sl_status unite_or_drop(listed_forest *f, uint64_t start, uint64_t end, sl_error *error) {
    uint32_t left, right;
    SL_TRY(group_ties(f, start, end, error));
    if (f->ties.num_touched == 0) return SL_OK;
    sl_i_tie_groups_judge(&f->ties, f->guard);
    for (uint64_t i = start; i < end; i++) {
        SL_TRY(look_ahead(f, i, 0, error));
        if (find_ends(f, i, &left, &right)) unite_tied(f, left, right, i, start);
    }
    sl_i_tie_groups_clear(&f->ties);
    return SL_OK;
}

/* Merges from `from` on are those of the level just closed. */
static void give_out_edges(listed_forest *f, uint32_t from) {
    uint32_t to = f->log.num_merges;
    for (uint32_t m = to; m-- > from;) {
        uint32_t root = f->log.merges[m].into;
        f->next[m] = f->first[root];
        f->first[root] = m;
    }
    for (uint32_t m = from; m < to; m++) {
        uint32_t edge = f->joining[m], root = sl_i_find_root(f->log.parents, f->edges->left[edge]);
        uint32_t seam = f->first[root];
        f->first[root] = f->next[seam];
        f->closing[seam] = edge;
    }
}

static sl_status run_kruskal(listed_forest *f, sl_error *error) {
    uint64_t end = 0, count = f->edges->count;
    sl_i_ticker_begin(f->ticker, "joining records", count);
    for (uint64_t start = 0; start < count && f->log.num_merges + 1 < f->log.num_records; start = end) {
        uint32_t from = f->log.num_merges;
        end = level_end(f->edges, start);
        bool drop_ties = f->guard && f->guard->drop_ties && end - start > 1;
        SL_TRY((drop_ties ? unite_or_drop : unite_in_order)(f, start, end, error));
        sl_i_merge_log_close_level(&f->log);
        give_out_edges(f, from);
    }
    return sl_i_ticker_advance(f->ticker, 0, error);
}

/* ---- the hierarchy ----------------------------------------------------------------------------------------------- */

static double score_of_edge(const void *edges, uint32_t edge) { return ((const sl_edge_list *)edges)->scores[edge]; }

/* The seam that a merge closes is the one before its absorbed record. The hierarchy takes over two of the arrays. */
static void keep_forest(listed_forest *f, sl_hierarchy *made) {
    uint32_t n = made->num_records, *positions = f->first;
    made->forest_left = f->joining;
    made->forest_right = f->next;
    f->joining = f->next = NULL;
    memset(made->forest_left, 0xFF, n * sizeof *made->forest_left); /* SL_NO_RECORD */
    memset(made->forest_right, 0xFF, n * sizeof *made->forest_right);
    for (uint32_t i = 0; i < n; i++) positions[made->order[i]] = i;
    for (uint32_t m = 0; m < f->log.num_merges; m++) {
        uint32_t seam = positions[f->log.merges[m].absorbed] - 1, edge = f->closing[m];
        made->forest_left[seam] = f->edges->left[edge];
        made->forest_right[seam] = f->edges->right[edge];
    }
}

static sl_status set_up(listed_forest *f, uint32_t num_records, sl_error *error) {
    SL_TRY(sl_i_merge_log_init(&f->log, num_records, error));
    SL_TRY(sl_i_allocate(&f->closing, num_records, sizeof *f->closing, "the forest", error));
    SL_TRY(sl_i_allocate(&f->joining, num_records, sizeof *f->joining, "the forest", error));
    SL_TRY(sl_i_allocate(&f->next, num_records, sizeof *f->next, "the forest", error));
    SL_TRY(sl_i_allocate(&f->first, num_records, sizeof *f->first, "the forest", error));
    memset(f->first, 0xFF, num_records * sizeof *f->first); /* SL_NO_RECORD */
    return f->guard && f->guard->drop_ties ? sl_i_tie_groups_init(&f->ties, f->guard, error) : SL_OK;
}

static void tear_down(listed_forest *f, uint32_t num_records) {
    if (f->guard) sl_i_tie_groups_release(&f->ties, f->guard);
    sl_i_release(f->first, num_records, sizeof *f->first);
    sl_i_release(f->next, num_records, sizeof *f->next);
    sl_i_release(f->joining, num_records, sizeof *f->joining);
    sl_i_release(f->closing, num_records, sizeof *f->closing);
    sl_i_merge_log_release(&f->log);
}

sl_status sl_i_forest_build_listed(uint32_t num_records, const sl_edge_list *edges, sl_i_score_kind kind,
                                   sl_i_merge_guard *guard, sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) {
    listed_forest f = {.edges = edges, .guard = guard, .ticker = ticker};
    sl_status status;
    SL_TRY_CLEANUP(status, set_up(&f, num_records, error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    SL_TRY_CLEANUP(status, run_kruskal(&f, error));
    SL_TRY_CLEANUP(status, sl_i_leaf_order_make(&f.log, score_of_edge, edges, kind, ticker, out, error));
    keep_forest(&f, *out);
cleanup:
    tear_down(&f, num_records);
    return status;
}
