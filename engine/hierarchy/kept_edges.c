/* kept_edges.c: see kept_edges.h.
 *
 * Validation joins what is kept again and compares: all edges must give the hierarchy and its forest back, whose own edges then do so
 * too; where not all are kept, or constraints left some of them out, the forest's edges, sorted, must. */
#include "hierarchy/kept_edges.h"

#include <string.h>

#include "hierarchy/listed_forest.h"
#include "support/sort.h"

sl_keep sl_hierarchy_kept(const sl_hierarchy *hierarchy) {
    if (hierarchy->edges) return SL_KEEP_ALL;
    return hierarchy->forest_left ? SL_KEEP_FOREST : SL_KEEP_NOTHING;
}

const sl_edge_list *sl_hierarchy_edges(const sl_hierarchy *hierarchy) { return hierarchy->edges; }
const uint32_t *sl_hierarchy_forest_left(const sl_hierarchy *hierarchy) { return hierarchy->forest_left; }
const uint32_t *sl_hierarchy_forest_right(const sl_hierarchy *hierarchy) { return hierarchy->forest_right; }

sl_status sl_i_check_keep(sl_keep keep, sl_error *error) {
    if (keep == SL_KEEP_NOTHING || keep == SL_KEEP_FOREST || keep == SL_KEEP_ALL) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "%d is nothing to keep of edges: choose SL_KEEP_NOTHING, SL_KEEP_FOREST or SL_KEEP_ALL",
                     (int)keep);
}

void sl_i_forest_drop(sl_hierarchy *hierarchy) {
    if (!hierarchy->holder) {
        sl_i_release(hierarchy->forest_left, hierarchy->num_records, sizeof *hierarchy->forest_left);
        sl_i_release(hierarchy->forest_right, hierarchy->num_records, sizeof *hierarchy->forest_right);
    }
    hierarchy->forest_left = hierarchy->forest_right = NULL;
}

void sl_i_kept_release(sl_hierarchy *hierarchy) {
    sl_i_forest_drop(hierarchy);
    sl_edge_list_release(hierarchy->edges);
}

uint64_t sl_i_kept_memory(const sl_hierarchy *hierarchy) {
    uint64_t bytes = hierarchy->edges ? sl_edge_list_memory(hierarchy->edges) : 0;
    if (hierarchy->forest_left && !hierarchy->holder)
        bytes += 2 * sl_i_block_bytes(hierarchy->num_records, sizeof *hierarchy->forest_left);
    return bytes;
}

/* ---- stripping --------------------------------------------------------------------------------------------------- */

static sl_status copy_merges(const sl_hierarchy *from, sl_hierarchy **out, sl_error *error) {
    uint32_t n = from->num_records, num_levels = from->num_levels, *order = NULL, *join = NULL;
    double *levels = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&order, n, sizeof *order, "the order", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&join, n, sizeof *join, "the joins", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&levels, num_levels, sizeof *levels, "the levels", error));
    memcpy(order, from->order, n * sizeof *order);
    memcpy(join, from->join, n * sizeof *join);
    memcpy(levels, from->levels, num_levels * sizeof *levels);
    SL_TRY_CLEANUP(status, sl_i_hierarchy_take(n, num_levels, from->num_merges, sl_i_score_kind_of(from), order, join,
                                               levels, out, error));
    return SL_OK;
cleanup:
    sl_i_release(order, n, sizeof *order);
    sl_i_release(join, n, sizeof *join);
    sl_i_release(levels, num_levels, sizeof *levels);
    return status;
}

sl_status sl_hierarchy_strip(const sl_hierarchy *hierarchy, sl_hierarchy **out, sl_error *error) {
    *out = NULL;
    if (!hierarchy->forest_left && !hierarchy->constraints) {
        *out = sl_hierarchy_retain(hierarchy);
        return SL_OK;
    }
    SL_TRY(copy_merges(hierarchy, out, error));
    (*out)->lone = sl_record_set_retain(hierarchy->lone);
    return SL_OK;
}

/* ---- selecting --------------------------------------------------------------------------------------------------- */

/* Positions stay in their order, and a record that is left out has no edge at its seam. */
static sl_status select_forest(const sl_hierarchy *from, const uint32_t *ranks, sl_hierarchy *made, sl_error *error) {
    uint32_t kept = 0, n = made->num_records;
    SL_TRY(sl_i_allocate(&made->forest_left, n, sizeof *made->forest_left, "the forest", error));
    SL_TRY(sl_i_allocate(&made->forest_right, n, sizeof *made->forest_right, "the forest", error));
    for (uint32_t i = 0; i < from->num_records; i++) {
        if (ranks[from->order[i]] == SL_NO_RECORD) continue;
        bool closes = from->join[i] != SL_NEVER;
        made->forest_left[kept] = closes ? ranks[from->forest_left[i]] : SL_NO_RECORD;
        made->forest_right[kept++] = closes ? ranks[from->forest_right[i]] : SL_NO_RECORD;
    }
    return SL_OK;
}

sl_status sl_i_kept_select(const sl_hierarchy *from, const uint32_t *ranks, sl_hierarchy *made, sl_i_ticker *ticker,
                           sl_error *error) {
    if (from->forest_left) SL_TRY(select_forest(from, ranks, made, error));
    if (!from->edges) return SL_OK;
    return sl_i_edge_list_select(from->edges, ranks, made->num_records, ticker, &made->edges, error);
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static sl_status corrupt(sl_error *error, const char *what, uint64_t where) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "kept edges are invalid: %s at %llu", what, (unsigned long long)where);
}

static sl_status check_ends(const sl_hierarchy *hierarchy, sl_error *error) {
    for (uint32_t i = 0; i < hierarchy->num_records; i++) {
        uint32_t left = hierarchy->forest_left[i], right = hierarchy->forest_right[i];
        if (hierarchy->join[i] == SL_NEVER) {
            if (left != SL_NO_RECORD || right != SL_NO_RECORD)
                return corrupt(error, "the forest has an edge where nothing is joined", i);
        } else if (left >= right || right >= hierarchy->num_records) {
            return corrupt(error, "an edge of the forest joins no two records", i);
        }
    }
    return SL_OK;
}

/* A counting sort of the forest's edges by level; `ends` has num_levels zeroed values: where each level's begin, then end. */
static void place_by_level(const sl_hierarchy *hierarchy, uint32_t *ends, uint64_t *pairs) {
    for (uint32_t i = 0; i < hierarchy->num_records; i++)
        if (hierarchy->join[i] != SL_NEVER) ends[hierarchy->join[i]]++;
    sl_i_counts_to_starts_u32(ends, hierarchy->num_levels);
    for (uint32_t i = 0; i < hierarchy->num_records; i++)
        if (hierarchy->join[i] != SL_NEVER)
            pairs[ends[hierarchy->join[i]]++] = (uint64_t)hierarchy->forest_left[i] << 32 | hierarchy->forest_right[i];
}

static void fill_list(const sl_hierarchy *hierarchy, const uint32_t *ends, uint64_t *pairs, uint64_t *scratch,
                      sl_edge_list *list) {
    uint32_t i = 0;
    for (uint32_t level = 0; level < hierarchy->num_levels; level++) {
        sl_i_sort_u64(pairs + i, scratch, ends[level] - i);
        for (; i < ends[level]; i++) {
            list->left[i] = (uint32_t)(pairs[i] >> 32);
            list->right[i] = (uint32_t)pairs[i];
            list->scores[i] = hierarchy->levels[level];
        }
    }
}

/* The forest's edges as a list in its order. */
static sl_status list_forest(const sl_hierarchy *hierarchy, sl_edge_list **out, sl_error *error) {
    uint32_t n = hierarchy->num_records, count = 0, k = hierarchy->num_levels;
    uint32_t *ends = NULL;
    uint64_t *pairs = NULL, *scratch = NULL;
    sl_status status;
    for (uint32_t i = 0; i < n; i++) count += hierarchy->join[i] != SL_NEVER;
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&ends, k, sizeof *ends, "validating kept edges", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&pairs, count, sizeof *pairs, "validating kept edges", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&scratch, count, sizeof *scratch, "validating kept edges", error));
    SL_TRY_CLEANUP(status, sl_i_edge_list_allocate(n, count, out, error));
    place_by_level(hierarchy, ends, pairs);
    fill_list(hierarchy, ends, pairs, scratch, *out);
cleanup:
    sl_i_release(ends, k, sizeof *ends);
    sl_i_release(pairs, count, sizeof *pairs);
    sl_i_release(scratch, count, sizeof *scratch);
    return status;
}

static bool is_same(const sl_hierarchy *a, const sl_hierarchy *b) {
    uint64_t bytes = a->num_records * sizeof *a->forest_left;
    return sl_hierarchy_equal(a, b) && memcmp(a->forest_left, b->forest_left, bytes) == 0 &&
           memcmp(a->forest_right, b->forest_right, bytes) == 0;
}

/* The edges, joined again, give this hierarchy and this forest. */
static sl_status check_again(const sl_hierarchy *hierarchy, const sl_edge_list *edges, const char *what,
                             sl_i_ticker *ticker, sl_error *error) {
    sl_hierarchy *again = NULL;
    SL_TRY(sl_i_edge_list_validate(edges, ticker, error));
    SL_TRY(sl_i_forest_build_listed(hierarchy->num_records, edges, sl_i_score_kind_of(hierarchy), NULL, ticker, &again,
                                    error));
    bool same = is_same(hierarchy, again);
    sl_hierarchy_release(again);
    return same ? SL_OK : corrupt(error, what, edges->count);
}

static sl_status check_forest(const sl_hierarchy *hierarchy, sl_i_ticker *ticker, sl_error *error) {
    sl_edge_list *forest = NULL;
    SL_TRY(list_forest(hierarchy, &forest, error));
    sl_status status = check_again(hierarchy, forest, "the forest's edges do not make the hierarchy", ticker, error);
    sl_edge_list_release(forest);
    return status;
}

sl_status sl_i_kept_validate(const sl_hierarchy *hierarchy, sl_i_ticker *ticker, sl_error *error) {
    if (!hierarchy->forest_left)
        return hierarchy->edges ? corrupt(error, "there are edges without their forest", 0) : SL_OK;
    SL_TRY(check_ends(hierarchy, error));
    if (hierarchy->edges && !hierarchy->constraints)
        return check_again(hierarchy, hierarchy->edges, "they do not make the hierarchy and its forest", ticker, error);
    SL_TRY(check_forest(hierarchy, ticker, error));
    return hierarchy->edges ? sl_i_edge_list_validate(hierarchy->edges, ticker, error) : SL_OK;
}
