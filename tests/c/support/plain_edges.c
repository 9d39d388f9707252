/* plain_edges.c: see plain_edges.h. */
#include "support/plain_edges.h"

#include "support/expect.h"
#include "support/plain_hierarchy.h"

typedef struct pair {
    uint32_t left, right;
    double score;
} pair;

static int by_records(const pair *a, const pair *b) {
    if (a->left != b->left) return a->left < b->left ? -1 : 1;
    return (a->right > b->right) - (a->right < b->right);
}

static int by_pair(const void *a, const void *b) {
    const pair *x = a, *y = b;
    int order = by_records(x, y);
    return order != 0 ? order : (x->score < y->score) - (x->score > y->score);
}

static int by_score(const void *a, const void *b) {
    const pair *x = a, *y = b;
    return x->score != y->score ? (x->score < y->score) - (x->score > y->score) : by_records(x, y);
}

void plain_edges_make(const graph *g, uint32_t decimals, sl_edge_list *out) {
    pair *edges = fresh_memory(g->num_edges, sizeof *edges);
    uint64_t count = 0, kept = 0;
    for (uint64_t i = 0; i < g->num_edges; i++) {
        uint32_t left = g->left[i] < g->right[i] ? g->left[i] : g->right[i], right = g->left[i] + g->right[i] - left;
        if (left != right) edges[count++] = (pair){left, right, plain_round(g->scores[i], decimals)};
    }
    qsort(edges, count, sizeof *edges, by_pair);
    for (uint64_t i = 0; i < count; i++)
        if (i == 0 || by_records(&edges[kept - 1], &edges[i]) != 0) edges[kept++] = edges[i];
    qsort(edges, kept, sizeof *edges, by_score);
    memset(out, 0, sizeof *out);
    out->num_records = g->num_records;
    out->count = kept;
    out->left = fresh_memory(kept, sizeof *out->left);
    out->right = fresh_memory(kept, sizeof *out->right);
    out->scores = fresh_memory(kept, sizeof *out->scores);
    for (uint64_t i = 0; i < kept; i++) {
        out->left[i] = edges[i].left;
        out->right[i] = edges[i].right;
        out->scores[i] = edges[i].score;
    }
    free(edges);
}

void plain_edges_free(sl_edge_list *edges) {
    free(edges->left);
    free(edges->right);
    free(edges->scores);
}

static void relabel(uint32_t *labels, uint32_t num_records, uint32_t from, uint32_t to) {
    for (uint32_t r = 0; r < num_records; r++)
        if (labels[r] == from) labels[r] = to;
}

uint32_t plain_edges_kruskal(const sl_edge_list *edges, uint32_t num_records, uint32_t *joined) {
    uint32_t *labels = fresh_memory(num_records, sizeof *labels), count = 0;
    for (uint32_t r = 0; r < num_records; r++) labels[r] = r;
    for (uint64_t i = 0; i < edges->count; i++) {
        uint32_t a = labels[edges->left[i]], b = labels[edges->right[i]];
        if (a == b) continue;
        joined[count++] = (uint32_t)i;
        relabel(labels, num_records, a, b);
    }
    free(labels);
    return count;
}

/* The slice of the order that is record's entity at the level: where it starts. */
static uint32_t entity_start(const sl_hierarchy *hierarchy, const uint32_t *positions, uint32_t record,
                             uint32_t level) {
    uint32_t start = positions[record];
    while (start > 0 && hierarchy->join[start - 1] <= level) start--; /* SL_NEVER is the largest */
    return start;
}

/* The edge is at the first seam of its entity, from the left, that closes at its level and was given no edge yet. */
static void take_seam(const sl_hierarchy *hierarchy, const sl_edge_list *edges, const uint32_t *positions,
                      uint32_t edge, bool *taken) {
    uint32_t level = 0;
    while (level < hierarchy->num_levels && hierarchy->levels[level] != edges->scores[edge]) level++;
    assert_true(level < hierarchy->num_levels);
    uint32_t i = entity_start(hierarchy, positions, edges->left[edge], level);
    assert_int_equal(i, entity_start(hierarchy, positions, edges->right[edge], level));
    while (hierarchy->join[i] != level || taken[i]) assert_true(hierarchy->join[i++] <= level);
    taken[i] = true;
    assert_int_equal(hierarchy->forest_left[i], edges->left[edge]);
    assert_int_equal(hierarchy->forest_right[i], edges->right[edge]);
}

void plain_edges_expect_forest(const sl_hierarchy *hierarchy, const sl_edge_list *edges, const uint32_t *joined,
                               uint32_t num_joined) {
    uint32_t n = hierarchy->num_records, *positions = fresh_memory(n, sizeof *positions);
    bool *taken = fresh_memory(n, sizeof *taken);
    for (uint32_t i = 0; i < n; i++) positions[hierarchy->order[i]] = i;
    for (uint32_t j = 0; j < num_joined; j++) take_seam(hierarchy, edges, positions, joined[j], taken);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(taken[i], hierarchy->join[i] != SL_NEVER);
        if (taken[i]) continue;
        assert_int_equal(hierarchy->forest_left[i], SL_NO_RECORD);
        assert_int_equal(hierarchy->forest_right[i], SL_NO_RECORD);
    }
    free(positions);
    free(taken);
}
