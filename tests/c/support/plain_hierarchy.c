/* plain_hierarchy.c: see plain_hierarchy.h. */
#include "support/plain_hierarchy.h"

#include <math.h>

#include "support/expect.h"

static const double scales[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

static double round_weight(double weight, uint32_t decimals) {
    bool is_huge = fabs(weight) >= ldexp(1, 51) / scales[decimals];
    double rounded =
        decimals == PLAIN_EXACT || is_huge ? weight : nearbyint(weight * scales[decimals]) / scales[decimals];
    return rounded == 0.0 ? 0.0 : rounded; /* without a sign */
}

double plain_round(double score, uint32_t decimals) {
    if (decimals >= PLAIN_WEIGHTS) return round_weight(score, decimals - PLAIN_WEIGHTS);
    if (score <= 0.0) score = 0.0;
    if (score > 1.0) score = 1.0;
    if (decimals == PLAIN_EXACT) return score;
    double steps = nearbyint(score * scales[decimals]);
    return steps * (1e6 / scales[decimals]) / 1e6;
}

static uint32_t find(const uint32_t *parents, uint32_t record) {
    while (parents[record] != record) record = parents[record];
    return record;
}

void plain_components(const graph *g, uint32_t decimals, double threshold, uint32_t *smallest) {
    for (uint32_t i = 0; i < g->num_records; i++) smallest[i] = i;
    for (uint64_t i = 0; i < g->num_edges; i++) {
        if (plain_round(g->scores[i], decimals) < threshold) continue;
        uint32_t left = find(smallest, g->left[i]), right = find(smallest, g->right[i]);
        if (left < right)
            smallest[right] = left;
        else
            smallest[left] = right;
    }
    for (uint32_t i = 0; i < g->num_records; i++) smallest[i] = find(smallest, i);
}

static int falling(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Distinct compared scores, falling. */
static double *list_scores(const graph *g, uint32_t decimals, uint32_t *count) {
    double *scores = fresh_memory(g->num_edges, sizeof *scores);
    for (uint64_t i = 0; i < g->num_edges; i++) scores[i] = plain_round(g->scores[i], decimals);
    qsort(scores, g->num_edges, sizeof *scores, falling);
    *count = 0;
    for (uint64_t i = 0; i < g->num_edges; i++)
        if (i == 0 || scores[i] != scores[i - 1]) scores[(*count)++] = scores[i];
    return scores;
}

static uint32_t label(const plain_hierarchy *plain, uint32_t level, uint32_t record) {
    return plain->smallest[(uint64_t)level * plain->num_records + record];
}

static const plain_hierarchy *compared; /* qsort passes no state */

static int by_labels(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (uint32_t level = compared->num_levels; level-- > 0;) {
        uint32_t p = label(compared, level, x), q = label(compared, level, y);
        if (p != q) return p < q ? -1 : 1;
    }
    return x < y ? -1 : x > y;
}

/* Components of the last level that were two or more one level before. */
static uint32_t merges_of_last_level(const plain_hierarchy *plain) {
    uint32_t merges = 0, last = plain->num_levels - 1;
    for (uint32_t component = 0; component < plain->num_records; component++) {
        bool merged = false;
        for (uint32_t i = 0; i < plain->num_records; i++)
            merged |= label(plain, last, i) == component && (last == 0 ? i : label(plain, last - 1, i)) != component;
        merges += merged;
    }
    return merges;
}

plain_hierarchy plain_build(const graph *g, uint32_t decimals) {
    uint32_t n = g->num_records, num_scores;
    double *scores = list_scores(g, decimals, &num_scores);
    plain_hierarchy plain = {.num_records = n,
                             .order = fresh_memory(n, sizeof(uint32_t)),
                             .join = fresh_memory(n, sizeof(uint32_t)),
                             .levels = fresh_memory(num_scores, sizeof(double)),
                             .smallest = fresh_memory((uint64_t)num_scores * n, sizeof(uint32_t))};
    uint32_t *before = fresh_memory(n, sizeof *before);
    for (uint32_t i = 0; i < n; i++) before[i] = plain.order[i] = i;
    for (uint32_t s = 0; s < num_scores; s++) {
        uint32_t *now = plain.smallest + (uint64_t)plain.num_levels * n;
        plain_components(g, decimals, scores[s], now);
        if (memcmp(before, now, n * sizeof *now) == 0) continue;
        memcpy(before, now, n * sizeof *now);
        plain.levels[plain.num_levels++] = scores[s];
        plain.num_merges += merges_of_last_level(&plain);
    }
    compared = &plain;
    qsort(plain.order, n, sizeof *plain.order, by_labels);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t level = 0;
        while (i + 1 < n && level < plain.num_levels &&
               label(&plain, level, plain.order[i]) != label(&plain, level, plain.order[i + 1]))
            level++;
        plain.join[i] = i + 1 < n && level < plain.num_levels ? level : SL_NEVER;
    }
    free(before);
    free(scores);
    return plain;
}

void plain_free(plain_hierarchy *plain) {
    free(plain->order);
    free(plain->join);
    free(plain->levels);
    free(plain->smallest);
    memset(plain, 0, sizeof *plain);
}

/* ---- the engine's, compared ------------------------------------------------------------------------------------- */

sl_hierarchy *plain_engine_build(const graph *g, const sl_build_options *options) {
    sl_hierarchy *hierarchy = NULL;
    EXPECT_OK(sl_hierarchy_build(g->num_records, g->left, g->right, g->scores, g->num_edges, options, &hierarchy,
                                 &expect_error));
    assert_non_null(hierarchy);
    EXPECT_OK(sl_hierarchy_validate(hierarchy, &expect_error));
    return hierarchy;
}

void plain_expect_equal(const sl_hierarchy *hierarchy, const plain_hierarchy *plain) {
    uint32_t n = plain->num_records;
    EXPECT_OK(sl_hierarchy_validate(hierarchy, &expect_error));
    assert_int_equal(sl_hierarchy_num_records(hierarchy), n);
    assert_int_equal(sl_hierarchy_num_levels(hierarchy), plain->num_levels);
    assert_memory_equal(sl_hierarchy_levels(hierarchy), plain->levels, plain->num_levels * sizeof(double));
    assert_memory_equal(sl_hierarchy_order(hierarchy), plain->order, n * sizeof(uint32_t));
    assert_memory_equal(sl_hierarchy_join(hierarchy), plain->join, n * sizeof(uint32_t));
    assert_int_equal(sl_hierarchy_num_merges(hierarchy), plain->num_merges);
}

void plain_expect_same_partition(const uint32_t *a, const uint32_t *b, uint32_t count) {
    uint32_t bound = 0;
    for (uint32_t i = 0; i < count; i++) {
        bound = a[i] >= bound ? a[i] + 1 : bound;
        bound = b[i] >= bound ? b[i] + 1 : bound;
    }
    uint32_t *b_of = fresh_memory(bound, sizeof *b_of), *a_of = fresh_memory(bound, sizeof *a_of);
    for (uint32_t i = 0; i < count; i++) b_of[a[i]] = b[i], a_of[b[i]] = a[i];
    for (uint32_t i = 0; i < count; i++)
        if (b_of[a[i]] != b[i] || a_of[b[i]] != a[i]) fail_msg("record %u is in different company", i);
    free(b_of);
    free(a_of);
}

typedef struct edge {
    double score;
    uint32_t left, right;
} edge;

/* Falling scores in which components join, as many as there are joins. */
static double *kruskal(const graph *g, uint32_t decimals, uint32_t *num_joins) {
    edge *edges = fresh_memory(g->num_edges, sizeof *edges);
    uint32_t *parents = fresh_memory(g->num_records, sizeof *parents);
    double *joins = fresh_memory(g->num_records, sizeof *joins);
    for (uint64_t i = 0; i < g->num_edges; i++)
        edges[i] = (edge){plain_round(g->scores[i], decimals), g->left[i], g->right[i]};
    qsort(edges, g->num_edges, sizeof *edges, falling); /* the score comes first */
    for (uint32_t i = 0; i < g->num_records; i++) parents[i] = i;
    *num_joins = 0;
    for (uint64_t i = 0; i < g->num_edges; i++) {
        uint32_t left = find(parents, edges[i].left), right = find(parents, edges[i].right);
        for (uint32_t r = edges[i].left; parents[r] != left;) { /* compress: chains would take for ever */
            uint32_t next = parents[r];
            parents[r] = left;
            r = next;
        }
        for (uint32_t r = edges[i].right; parents[r] != right;) {
            uint32_t next = parents[r];
            parents[r] = right;
            r = next;
        }
        if (left == right) continue;
        parents[left] = right;
        joins[(*num_joins)++] = edges[i].score;
    }
    free(edges);
    free(parents);
    return joins;
}

static void expect_same_joins(const sl_hierarchy *hierarchy, const double *joins, uint32_t num_joins) {
    uint32_t n = sl_hierarchy_num_records(hierarchy), k = sl_hierarchy_num_levels(hierarchy), next = 0;
    uint32_t *uses = fresh_memory(k, sizeof *uses);
    for (uint32_t i = 0; i < n; i++)
        if (sl_hierarchy_join(hierarchy)[i] != SL_NEVER) uses[sl_hierarchy_join(hierarchy)[i]]++;
    for (uint32_t level = 0; level < k; level++)
        for (uint32_t i = 0; i < uses[level]; i++) {
            assert_true(next < num_joins);
            if (joins[next] != sl_hierarchy_levels(hierarchy)[level])
                fail_msg("join %u is at %.17g, not at %.17g", next, sl_hierarchy_levels(hierarchy)[level], joins[next]);
            next++;
        }
    assert_int_equal(next, num_joins);
    free(uses);
}

/* latest[b * n + i]: the latest of the 2^b joins from i on. */
static uint32_t *latest_joins(const sl_hierarchy *hierarchy, uint32_t bits) {
    uint32_t n = sl_hierarchy_num_records(hierarchy);
    uint32_t *latest = fresh_memory((uint64_t)bits * n, sizeof *latest);
    memcpy(latest, sl_hierarchy_join(hierarchy), n * sizeof *latest);
    for (uint32_t b = 1; b < bits; b++)
        for (uint32_t i = 0; i < n; i++) {
            uint64_t other = (uint64_t)i + (1u << (b - 1));
            uint32_t x = latest[(uint64_t)(b - 1) * n + i];
            uint32_t y = other < n ? latest[(uint64_t)(b - 1) * n + other] : SL_NEVER;
            latest[(uint64_t)b * n + i] = x > y ? x : y;
        }
    return latest;
}

static void expect_edges_joined(const sl_hierarchy *hierarchy, const graph *g, uint32_t decimals) {
    uint32_t n = g->num_records, bits = 1;
    while (bits < 32 && (n >> bits) != 0) bits++;
    uint32_t *latest = latest_joins(hierarchy, bits), *position = fresh_memory(n, sizeof *position);
    for (uint32_t i = 0; i < n; i++) position[sl_hierarchy_order(hierarchy)[i]] = i;
    for (uint64_t i = 0; i < g->num_edges; i++) {
        uint32_t a = position[g->left[i]], b = position[g->right[i]], bit = 0;
        if (a == b) continue;
        uint32_t first = a < b ? a : b, length = a < b ? b - a : a - b;
        while ((length >> (bit + 1)) != 0) bit++;
        uint32_t x = latest[(uint64_t)bit * n + first];
        uint32_t y = latest[(uint64_t)bit * n + first + length - (1u << bit)];
        uint32_t level = x > y ? x : y;
        if (level == SL_NEVER || sl_hierarchy_levels(hierarchy)[level] < plain_round(g->scores[i], decimals))
            fail_msg("edge %llu joins %u and %u too late", (unsigned long long)i, g->left[i], g->right[i]);
    }
    free(latest);
    free(position);
}

void plain_expect_large(const sl_hierarchy *hierarchy, const graph *g, uint32_t decimals) {
    uint32_t num_joins;
    double *joins = kruskal(g, decimals, &num_joins);
    EXPECT_OK(sl_hierarchy_validate(hierarchy, &expect_error));
    assert_int_equal(sl_hierarchy_num_records(hierarchy), g->num_records);
    expect_same_joins(hierarchy, joins, num_joins);
    expect_edges_joined(hierarchy, g, decimals);
    free(joins);
}

void plain_check_small(uint64_t count, plain_check check) {
    static const uint32_t all_decimals[] = {1, 2, 6, PLAIN_EXACT};
    for (uint64_t number = 0; number < count; number++) {
        graph g = graph_small(number);
        uint32_t extra = number % 3 == 0 ? 1 + (uint32_t)number % 7 : 0;
        check(&g, all_decimals[number / GRAPH_NUM_SHAPES % 4], extra, number);
        graph_free(&g);
    }
}
