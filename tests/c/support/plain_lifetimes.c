/* plain_lifetimes.c: see plain_lifetimes.h. */
#include "support/plain_lifetimes.h"

#include <math.h>

#include "support/expect.h"
#include "support/plain_hierarchy.h"

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Ascending, each once. */
static uint32_t sort_distinct(double *values, uint32_t count) {
    uint32_t distinct = 0;
    qsort(values, count, sizeof *values, ascending);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || values[i] != values[i - 1]) values[distinct++] = values[i];
    return distinct;
}

static double compared(const plain_lifetimes *plain, double threshold) {
    if (plain->decimals == PLAIN_EXACT) return fmin(fmax(threshold, 0.0), 1.0);
    return plain_round(threshold, 6);
}

static void cut(const plain_lifetimes *plain, double threshold, uint32_t *labels) {
    plain_components(plain->graph, plain->decimals, threshold, labels);
    for (uint32_t i = plain->graph->num_records; i < plain->num_records; i++) labels[i] = i;
}

plain_lifetimes plain_lifetimes_make(const graph *g, uint32_t num_records, uint32_t decimals) {
    plain_lifetimes plain = {.graph = g, .num_records = num_records, .decimals = decimals};
    uint32_t count = (uint32_t)g->num_edges + 2;
    plain.points = fresh_memory(count, sizeof *plain.points);
    for (uint64_t i = 0; i < g->num_edges; i++) plain.points[i] = plain_round(g->scores[i], decimals);
    plain.points[count - 1] = 1.0; /* and 0, which the memory holds */
    plain.num_points = sort_distinct(plain.points, count);
    plain.labels = fresh_memory(plain.num_points, sizeof *plain.labels);
    for (uint32_t p = 0; p < plain.num_points; p++) {
        plain.labels[p] = fresh_memory(num_records, sizeof **plain.labels);
        cut(&plain, plain.points[p], plain.labels[p]);
    }
    return plain;
}

void plain_lifetimes_free(plain_lifetimes *plain) {
    for (uint32_t p = 0; p < plain->num_points; p++) free(plain->labels[p]);
    free(plain->labels);
    free(plain->points);
}

/* Whether a record is with the same others in both cuts. */
static bool same_entity(const plain_lifetimes *plain, const uint32_t *a, const uint32_t *b, uint32_t record) {
    for (uint32_t other = 0; other < plain->num_records; other++)
        if ((a[other] == a[record]) != (b[other] == b[record])) return false;
    return true;
}

/* The width of the thresholds at which the record's entity of this cut is an entity. A cut at a point holds from above the point before
 * up to the point itself; the first point is 0, which has no width. */
static double lifetime(const plain_lifetimes *plain, const uint32_t *labels, uint32_t record) {
    double width = 0.0;
    for (uint32_t p = 1; p < plain->num_points; p++)
        if (same_entity(plain, labels, plain->labels[p], record)) width += plain->points[p] - plain->points[p - 1];
    return width;
}

double plain_stability(const plain_lifetimes *plain, double threshold) {
    uint32_t *labels = fresh_memory(plain->num_records, sizeof *labels);
    double sum = 0.0;
    cut(plain, compared(plain, threshold), labels);
    for (uint32_t i = 0; i < plain->num_records; i++) sum += lifetime(plain, labels, i);
    free(labels);
    return plain->num_records > 0 ? sum / plain->num_records : 1.0;
}

/* Of cuts at thresholds as they are compared. */
static double share_changed(const plain_lifetimes *plain, double threshold, double up, double down) {
    uint32_t n = plain->num_records, *at = fresh_memory(n, sizeof *at);
    uint32_t *above = fresh_memory(n, sizeof *above), *below = fresh_memory(n, sizeof *below), changed = 0;
    cut(plain, threshold, at);
    cut(plain, up, above);
    cut(plain, down, below);
    for (uint32_t i = 0; i < n; i++) changed += !same_entity(plain, at, above, i) || !same_entity(plain, at, below, i);
    free(at);
    free(above);
    free(below);
    return n > 0 ? (double)changed / n : 0.0;
}

double plain_sensitivity(const plain_lifetimes *plain, double threshold, double shift) {
    double at = compared(plain, threshold), by = compared(plain, shift);
    return share_changed(plain, at, compared(plain, at + by), compared(plain, at - by));
}

double plain_mean_stability(const plain_lifetimes *plain) {
    double mean = 0.0;
    for (uint32_t p = 1; p < plain->num_points; p++)
        mean += (plain->points[p] - plain->points[p - 1]) * plain_stability(plain, plain->points[p]);
    return mean;
}

/* Thresholds between two breakpoints are all alike: their middle stands for them. */
double plain_mean_sensitivity(const plain_lifetimes *plain, double shift) {
    double by = compared(plain, shift), mean = 0.0;
    double *breaks = fresh_memory(3u * plain->num_points, sizeof *breaks);
    for (uint32_t p = 0; p < plain->num_points; p++) {
        breaks[3 * p] = plain->points[p];
        breaks[3 * p + 1] = fmin(plain->points[p] + by, 1.0);
        breaks[3 * p + 2] = fmax(plain->points[p] - by, 0.0);
    }
    uint32_t count = sort_distinct(breaks, 3 * plain->num_points);
    for (uint32_t i = 1; i < count; i++) {
        double width = breaks[i] - breaks[i - 1], middle = breaks[i - 1] + width / 2;
        if (width < 1e-12) continue; /* two sums that differ by their rounding */
        mean += width * share_changed(plain, middle, fmin(middle + by, 1.0), fmax(middle - by, 0.0));
    }
    free(breaks);
    return mean;
}
