/* explain.c: the chain of edges that joins two records: the path between them in the forest of kept edges.
 *
 * The two meet in the slice of the order around them up to the seams that close later, or never; the edges at the seams within are
 * a tree over its records. Leaves other than the two are taken off until none is left: what remains is the path. A tree needs no
 * lists of neighbours for that: a record with one edge left knows it if each record keeps the exclusive or of its edges and
 * of its neighbours. One scan of the order finds the slice; then O(its records), 12 bytes for each of them and 4 for each record of
 * the hierarchy. */
#include <string.h>

#include "hierarchy/slice.h"

/* A record: its edges left, the exclusive or of their other ends and of their seams. */
typedef struct knot {
    uint32_t degree, neighbours, edges;
} knot;

typedef struct tree {
    const sl_hierarchy *hierarchy;
    uint32_t first, size; /* the slice in which the two records meet */
    uint32_t a, b;        /* their places within */
    uint32_t *place_of;   /* by record of the slice: its place within */
    knot *knots;          /* by place */
} tree;

/* ---- where they meet --------------------------------------------------------------------------------------------- */

/* False: never. */
static bool find_slice(tree *t, uint32_t a, uint32_t b) {
    sl_i_slice between = sl_i_slice_between(t->hierarchy, a, b);
    uint32_t level = sl_i_slice_level(t->hierarchy, between);
    if (level == SL_NEVER) return false;
    bool a_is_first = t->hierarchy->order[between.first] == a;
    sl_i_slice whole = sl_i_slice_at(t->hierarchy, between, level);
    t->first = whole.first;
    t->size = whole.last - whole.first + 1;
    t->a = (a_is_first ? between.first : between.last) - whole.first;
    t->b = (a_is_first ? between.last : between.first) - whole.first;
    return true;
}

/* ---- the path ---------------------------------------------------------------------------------------------------- */

static void tie(knot *end, uint32_t neighbour, uint32_t seam) {
    end->degree++;
    end->neighbours ^= neighbour;
    end->edges ^= seam;
}

static void tie_knots(tree *t) {
    const sl_hierarchy *hierarchy = t->hierarchy;
    for (uint32_t i = 0; i < t->size; i++) t->place_of[hierarchy->order[t->first + i]] = i;
    for (uint32_t seam = t->first; seam + 1 < t->first + t->size; seam++) {
        uint32_t left = t->place_of[hierarchy->forest_left[seam]], right = t->place_of[hierarchy->forest_right[seam]];
        tie(&t->knots[left], right, seam);
        tie(&t->knots[right], left, seam);
    }
}

/* A leaf that falls may make its neighbour one, and so on inwards. */
static void drop_leaves(tree *t) {
    for (uint32_t i = 0; i < t->size; i++)
        for (uint32_t leaf = i; t->knots[leaf].degree == 1 && leaf != t->a && leaf != t->b;) {
            uint32_t neighbour = t->knots[leaf].neighbours;
            t->knots[leaf].degree = 0;
            t->knots[neighbour].degree--;
            t->knots[neighbour].neighbours ^= leaf;
            t->knots[neighbour].edges ^= t->knots[leaf].edges;
            leaf = neighbour;
        }
}

/* On the path, each record's neighbour and edge that it did not come by are the next. */
static void walk(const tree *t, sl_chain *chain) {
    const sl_hierarchy *hierarchy = t->hierarchy;
    uint32_t at = t->a, from = 0, by = 0;
    for (uint32_t i = 0; i < chain->num_edges; i++) {
        uint32_t next = t->knots[at].neighbours ^ from, seam = t->knots[at].edges ^ by;
        chain->records[i] = hierarchy->order[t->first + at];
        chain->scores[i] = hierarchy->levels[hierarchy->join[seam]];
        if (i == 0 || chain->scores[i] < chain->threshold) chain->threshold = chain->scores[i];
        from = at;
        by = seam;
        at = next;
    }
    chain->records[chain->num_edges] = hierarchy->order[t->first + at];
}

static sl_status take_path(tree *t, sl_chain *out, sl_error *error) {
    sl_chain chain = {0};
    sl_status status;
    for (uint32_t i = 0; i < t->size; i++) chain.num_edges += t->knots[i].degree != 0;
    chain.num_edges--;
    SL_TRY_CLEANUP(status, sl_i_allocate(&chain.records, (uint64_t)chain.num_edges + 1, sizeof *chain.records,
                                         "a chain of edges", error));
    SL_TRY_CLEANUP(status,
                   sl_i_allocate(&chain.scores, chain.num_edges, sizeof *chain.scores, "a chain of edges", error));
    walk(t, &chain);
    *out = chain;
    return SL_OK;
cleanup:
    sl_chain_release(&chain);
    return status;
}

static sl_status find_path(tree *t, sl_chain *out, sl_error *error) {
    uint32_t n = t->hierarchy->num_records;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&t->place_of, n, sizeof *t->place_of, "explaining two records", error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&t->knots, t->size, sizeof *t->knots, "explaining two records", error));
    tie_knots(t);
    drop_leaves(t);
    status = take_path(t, out, error);
cleanup:
    sl_i_release(t->place_of, n, sizeof *t->place_of);
    sl_i_release(t->knots, t->size, sizeof *t->knots);
    return status;
}

sl_status sl_hierarchy_explain(const sl_hierarchy *hierarchy, uint32_t a, uint32_t b, sl_chain *out, sl_error *error) {
    tree t = {.hierarchy = hierarchy};
    memset(out, 0, sizeof *out);
    if (a == b)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "record %u is together with itself without any edge: ask for two records", a);
    if (!hierarchy->forest_left)
        return sl_i_fail(
            error, SL_ERROR_INVALID_ARGUMENT,
            "explanations are paths of kept edges, and the hierarchy kept none: build it with SL_KEEP_FOREST or "
            "SL_KEEP_ALL");
    if (a >= hierarchy->num_records || b >= hierarchy->num_records || !find_slice(&t, a, b)) return SL_OK;
    return find_path(&t, out, error);
}

void sl_chain_release(sl_chain *chain) {
    if (chain->records) {
        sl_i_release(chain->records, (uint64_t)chain->num_edges + 1, sizeof *chain->records);
        sl_i_release(chain->scores, chain->num_edges, sizeof *chain->scores);
    }
    memset(chain, 0, sizeof *chain);
}
