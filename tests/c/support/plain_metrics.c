/* plain_metrics.c: see plain_metrics.h. The contingency table is a sorted list of its cells. */
#include "support/plain_metrics.h"

#include <math.h>

#include "support/expect.h"

/* One group of records: a cell (judged, truth), an entity (judged) or a true entity (truth). */
typedef struct group {
    uint64_t key;
    double size;
} group;

typedef struct groups {
    group *items;
    uint32_t count;
} groups;

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Records counted by key. */
static groups count_by(const uint64_t *keys, uint32_t count) {
    uint64_t *sorted = fresh_memory(count, sizeof *sorted);
    groups g = {fresh_memory(count, sizeof(group)), 0};
    memcpy(sorted, keys, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || sorted[i] != sorted[i - 1]) g.items[g.count++].key = sorted[i];
        g.items[g.count - 1].size += 1;
    }
    free(sorted);
    return g;
}

static double size_of(const groups *g, uint64_t key) {
    const group *found = bsearch(&key, g->items, g->count, sizeof *g->items, ascending);
    return found ? found->size : 0.0;
}

static double pairs_in(const groups *g) {
    double pairs = 0;
    for (uint32_t i = 0; i < g->count; i++) pairs += g->items[i].size * (g->items[i].size - 1) / 2;
    return pairs;
}

static double entropy_of(const groups *g, double n) {
    double entropy = 0;
    for (uint32_t i = 0; i < g->count; i++) entropy -= g->items[i].size / n * log(g->items[i].size / n);
    return entropy > 0 ? entropy : 0;
}

static double share(double part, double whole) { return whole > 0 ? part / whole : 1.0; }
static double harmonic(double a, double b) { return a + b > 0 ? 2 * a * b / (a + b) : 0.0; }

static void measure_alone(const groups *judged, double n, double *v) {
    v[SL_METRIC_ENTITY_COUNT] = judged->count;
    v[SL_METRIC_ENTROPY] = entropy_of(judged, n);
    v[SL_METRIC_MEAN_SIZE] = judged->count > 0 ? n / judged->count : 0.0;
    v[SL_METRIC_PAIR_COUNT] = pairs_in(judged);
    for (uint32_t i = 0; i < judged->count; i++) {
        v[SL_METRIC_LARGEST_ENTITY] = fmax(v[SL_METRIC_LARGEST_ENTITY], judged->items[i].size);
        v[SL_METRIC_SINGLETONS] += judged->items[i].size == 1;
    }
}

static void measure_pairs(const groups *judged, const groups *truth, const groups *cells, double n, double *v) {
    double tp = pairs_in(cells), fp = pairs_in(judged) - tp, fn = pairs_in(truth) - tp;
    double tn = n * (n - 1) / 2 - tp - fp - fn, square = PLAIN_BETA * PLAIN_BETA;
    v[SL_METRIC_PRECISION] = share(tp, tp + fp);
    v[SL_METRIC_RECALL] = share(tp, tp + fn);
    v[SL_METRIC_F1] = share(2 * tp, 2 * tp + fp + fn);
    v[SL_METRIC_F_BETA] = share((1 + square) * tp, (1 + square) * tp + square * fn + fp);
    v[SL_METRIC_RAND] = share(tp + tn, tp + fp + fn + tn);
    v[SL_METRIC_ARI] =
        fp == 0 && fn == 0 ? 1.0 : 2 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn));
    v[SL_METRIC_FOWLKES_MALLOWS] = tp > 0 ? tp / sqrt((tp + fp) * (tp + fn)) : 0.0; /* scikit-learn: 0 without pairs */
    v[SL_METRIC_JACCARD] = share(tp, tp + fp + fn);
}

static void measure_information(const groups *judged, const groups *truth, const groups *cells, double n, double *v) {
    double judged_entropy = entropy_of(judged, n), truth_entropy = entropy_of(truth, n), information = 0;
    for (uint32_t i = 0; i < cells->count; i++) {
        double cell = cells->items[i].size, a = size_of(judged, cells->items[i].key >> 32),
               b = size_of(truth, cells->items[i].key & UINT32_MAX);
        information += cell / n * log(cell * n / (a * b));
    }
    information = information > 0 ? information : 0;
    v[SL_METRIC_MUTUAL_INFORMATION] = information;
    v[SL_METRIC_NMI] = share(2 * information, judged_entropy + truth_entropy);
    v[SL_METRIC_HOMOGENEITY] = share(information, truth_entropy);
    v[SL_METRIC_COMPLETENESS] = share(information, judged_entropy);
    v[SL_METRIC_V_MEASURE] = harmonic(v[SL_METRIC_HOMOGENEITY], v[SL_METRIC_COMPLETENESS]);
    v[SL_METRIC_VARIATION_OF_INFORMATION] = judged_entropy + truth_entropy - 2 * information;
}

/* The largest cell of each group, summed: cells of one entity follow each other. */
static double largest_cells(const groups *cells, unsigned shift) {
    uint64_t *keys = fresh_memory(cells->count, sizeof *keys);
    double sum = 0;
    for (uint32_t i = 0; i < cells->count; i++) keys[i] = cells->items[i].key >> shift & UINT32_MAX;
    groups sides = count_by(keys, cells->count);
    double *largest = fresh_memory(sides.count, sizeof *largest);
    for (uint32_t i = 0; i < cells->count; i++) {
        const group *side = bsearch(&keys[i], sides.items, sides.count, sizeof *sides.items, ascending);
        double *slot = &largest[side - sides.items];
        *slot = fmax(*slot, cells->items[i].size);
    }
    for (uint32_t i = 0; i < sides.count; i++) sum += largest[i];
    free(largest);
    free(sides.items);
    free(keys);
    return sum;
}

static void measure_members(const groups *judged, const groups *truth, const groups *cells, double n, double *v) {
    double precision = 0, recall = 0, exact = 0;
    for (uint32_t i = 0; i < cells->count; i++) {
        double cell = cells->items[i].size, a = size_of(judged, cells->items[i].key >> 32),
               b = size_of(truth, cells->items[i].key & UINT32_MAX);
        precision += cell * cell / a; /* each of `cell` records has cell/a of its entity right */
        recall += cell * cell / b;
        exact += cell == a && cell == b;
    }
    v[SL_METRIC_BCUBED_PRECISION] = share(precision, n);
    v[SL_METRIC_BCUBED_RECALL] = share(recall, n);
    v[SL_METRIC_BCUBED_F1] = harmonic(v[SL_METRIC_BCUBED_PRECISION], v[SL_METRIC_BCUBED_RECALL]);
    v[SL_METRIC_CLUSTER_PRECISION] = share(exact, judged->count);
    v[SL_METRIC_CLUSTER_RECALL] = share(exact, truth->count);
    v[SL_METRIC_CLUSTER_F1] = share(2 * exact, (double)judged->count + truth->count);
    v[SL_METRIC_PURITY] = share(largest_cells(cells, 32), n);
    v[SL_METRIC_INVERSE_PURITY] = share(largest_cells(cells, 0), n);
}

plain_metrics plain_measure(const uint32_t *labels, const uint32_t *truth, uint32_t count) {
    plain_metrics m = {{0}};
    uint64_t *keys = fresh_memory(count, sizeof *keys);
    for (uint32_t i = 0; i < count; i++) keys[i] = labels[i];
    groups judged = count_by(keys, count);
    measure_alone(&judged, count, m.values);
    if (truth) {
        for (uint32_t i = 0; i < count; i++) keys[i] = truth[i];
        groups references = count_by(keys, count);
        for (uint32_t i = 0; i < count; i++) keys[i] = (uint64_t)labels[i] << 32 | truth[i];
        groups cells = count_by(keys, count);
        measure_pairs(&judged, &references, &cells, count, m.values);
        measure_information(&judged, &references, &cells, count, m.values);
        measure_members(&judged, &references, &cells, count, m.values);
        free(references.items);
        free(cells.items);
    }
    free(judged.items);
    free(keys);
    return m;
}

double plain_parameter(sl_metric metric) {
    return metric == SL_METRIC_THRESHOLD_SENSITIVITY ? PLAIN_SHIFT : PLAIN_BETA;
}

static bool hangs_on_labels(sl_metric metric) {
    return metric != SL_METRIC_ENTITY_STABILITY && metric != SL_METRIC_THRESHOLD_SENSITIVITY;
}

void plain_expect_metrics(const sl_curve *curve, uint64_t row, const plain_metrics *expected) {
    uint64_t length = sl_curve_length(curve);
    double *values = fresh_memory(length, sizeof *values);
    for (int metric = 0; metric < SL_NUM_METRICS; metric++) {
        if (!hangs_on_labels((sl_metric)metric)) continue;
        if (sl_curve_metric(curve, (sl_metric)metric, PLAIN_BETA, values, NULL) != SL_OK) continue; /* no reference */
        double tolerance = sl_metric_is_count((sl_metric)metric) ? 0.0 : 1e-9;
        if (!(fabs(values[row] - expected->values[metric]) <= tolerance))
            fail_msg("%s at %.17g (row %llu) is %.17g, not %.17g", sl_metric_name((sl_metric)metric),
                     sl_curve_thresholds(curve)[row], (unsigned long long)row, values[row], expected->values[metric]);
    }
    free(values);
}
