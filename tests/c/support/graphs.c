/* graphs.c: see graphs.h. */
#include "support/graphs.h"

#include "support/expect.h"

uint64_t graph_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint32_t graph_below(uint64_t *state, uint32_t bound) {
    return bound == 0 ? 0 : (uint32_t)(graph_random(state) % bound);
}

double graph_fraction(uint64_t *state) { return (double)(graph_random(state) >> 11) * 0x1p-53; }

static double random_score(uint64_t *state, uint32_t steps) {
    return steps == 0 ? graph_fraction(state) : (double)graph_below(state, steps + 1) / (double)steps;
}

static graph allocate(graph_shape shape, uint32_t num_records, uint64_t num_edges) {
    return (graph){.shape = shape,
                   .num_records = num_records,
                   .num_edges = num_edges,
                   .left = fresh_memory(num_edges, sizeof(uint32_t)),
                   .right = fresh_memory(num_edges, sizeof(uint32_t)),
                   .scores = fresh_memory(num_edges, sizeof(double)),
                   .truth = fresh_memory(num_records, sizeof(uint32_t))};
}

static void make_chain(graph *g, uint64_t *state) {
    for (uint64_t i = 0; i < g->num_edges; i++) {
        uint64_t step = g->shape == GRAPH_CHAIN_ASCENDING ? i : g->num_edges - 1 - i;
        g->left[i] = (uint32_t)i;
        g->right[i] = (uint32_t)i + 1;
        g->scores[i] = (double)step / (double)g->num_edges;
    }
    (void)state;
}

static void make_ends(graph *g, uint64_t i, uint64_t *state) {
    uint32_t n = g->num_records;
    uint32_t left = graph_below(state, n), right = graph_below(state, n);
    switch (g->shape) {
    case GRAPH_SELF_LOOPS:
        if (graph_below(state, 3) == 0) right = left;
        break;
    case GRAPH_ONLY_SELF_LOOPS: right = left; break;
    case GRAPH_DUPLICATES:
        left = graph_below(state, n < 4 ? n : 4);
        right = graph_below(state, n < 5 ? n : 5);
        break;
    case GRAPH_ISOLATED:
        left -= left % 3;
        right -= right % 3;
        break;
    case GRAPH_STAR: left = n / 2; break;
    case GRAPH_GIANT:
        if (i + 1 < n) {
            left = graph_below(state, (uint32_t)i + 1);
            right = (uint32_t)i + 1;
        }
        break;
    case GRAPH_CLUSTERS:
        if (graph_below(state, 8) != 0) right = left - left % 4 + graph_below(state, 4);
        if (right >= n) right = n - 1;
        break;
    default: break;
    }
    g->left[i] = left;
    g->right[i] = right;
}

static void make_truth(graph *g, uint64_t *state) {
    uint32_t n = g->num_records;
    uint32_t kind = g->shape == GRAPH_CLUSTERS ? 0 : graph_below(state, 5);
    g->num_truth = kind == 0 ? n / 4 + 1 : kind == 1 ? n : kind == 2 ? 1 : n / 3 + 1;
    if (n == 0) g->num_truth = 0;
    for (uint32_t i = 0; i < n; i++)
        g->truth[i] = kind == 0 ? i / 4 : kind == 1 ? n - 1 - i : graph_below(state, g->num_truth);
}

graph graph_make(graph_shape shape, uint32_t num_records, uint64_t num_edges, uint32_t steps, uint64_t seed) {
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)shape;
    bool chain = shape == GRAPH_CHAIN_ASCENDING || shape == GRAPH_CHAIN_DESCENDING;
    if (shape == GRAPH_NO_EDGES || num_records == 0) num_edges = 0;
    if (chain) num_edges = num_records > 0 ? num_records - 1 : 0;
    if (shape == GRAPH_GIANT && num_records > 0 && num_edges < num_records - 1) num_edges = num_records - 1;
    graph g = allocate(shape, num_records, num_edges);
    double equal = random_score(&state, steps);
    if (chain) make_chain(&g, &state);
    for (uint64_t i = 0; !chain && i < num_edges; i++) {
        make_ends(&g, i, &state);
        g.scores[i] = shape == GRAPH_EQUAL  ? equal
                      : shape == GRAPH_TIES ? random_score(&state, 4)
                                            : random_score(&state, steps);
    }
    make_truth(&g, &state);
    return g;
}

graph graph_small(uint64_t number) {
    static const uint32_t steps[] = {0, 4, 20, 1000, 1000000, 3000000};
    uint64_t state = number ^ UINT64_C(0x5714121195);
    uint32_t num_records = graph_below(&state, 8) == 0 ? graph_below(&state, 4) : 1 + graph_below(&state, 40);
    uint64_t num_edges = graph_below(&state, 3 * num_records + 1);
    return graph_make((graph_shape)(number % GRAPH_NUM_SHAPES), num_records, num_edges, steps[graph_below(&state, 6)],
                      number);
}

graph graph_shuffle(const graph *original, uint64_t seed) {
    graph g = allocate(original->shape, original->num_records, original->num_edges);
    uint64_t state = seed;
    g.num_truth = original->num_truth;
    memcpy(g.truth, original->truth, g.num_records * sizeof *g.truth);
    for (uint64_t i = 0; i < g.num_edges; i++) { /* inside-out Fisher-Yates */
        uint64_t j = graph_random(&state) % (i + 1);
        g.left[i] = g.left[j];
        g.right[i] = g.right[j];
        g.scores[i] = g.scores[j];
        bool swap = graph_below(&state, 2) == 0;
        g.left[j] = swap ? original->right[i] : original->left[i];
        g.right[j] = swap ? original->left[i] : original->right[i];
        g.scores[j] = original->scores[i];
    }
    return g;
}

void graph_free(graph *g) {
    free(g->left);
    free(g->right);
    free(g->scores);
    free(g->truth);
    memset(g, 0, sizeof *g);
}
