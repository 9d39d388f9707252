/* test_estimate.c: estimates from a sample of true entities are those of a plain definition at every threshold; of all entities they
 * are the exact figures; bands hold what they should and stay in [0, 1]; quantiles of t; errors; memory. */
#include "support/expect.h"

#include <math.h>

#include "metrics/estimate.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"

static const sl_metric estimable[] = {SL_METRIC_PRECISION,
                                      SL_METRIC_RECALL,
                                      SL_METRIC_F1,
                                      SL_METRIC_F_BETA,
                                      SL_METRIC_JACCARD,
                                      SL_METRIC_FOWLKES_MALLOWS,
                                      SL_METRIC_BCUBED_PRECISION,
                                      SL_METRIC_BCUBED_RECALL,
                                      SL_METRIC_BCUBED_F1,
                                      SL_METRIC_CLUSTER_PRECISION,
                                      SL_METRIC_CLUSTER_RECALL,
                                      SL_METRIC_CLUSTER_F1};
#define NUM_ESTIMABLE (sizeof estimable / sizeof *estimable)

#define BETA 0.5
#define MOST_RECORDS 48u

/* ---- samples ----------------------------------------------------------------------------------------------------- */

typedef struct drawn {
    uint32_t records[MOST_RECORDS], entities[MOST_RECORDS];
    double weights[MOST_RECORDS];
    sl_sample sample;
    uint32_t truth[MOST_RECORDS]; /* by record: its true entity, sampled or not */
} drawn;

/* Entities with some share of the true labels, in a random order of rows. Records beyond the graph have one entity more. */
static void draw(drawn *d, const graph *g, uint32_t num_records, double share, bool weighted, uint64_t seed) {
    uint32_t number[MOST_RECORDS + 1];
    memset(d, 0, sizeof *d);
    for (uint32_t label = 0; label <= MOST_RECORDS; label++) number[label] = SL_NO_RECORD;
    bool taken[MOST_RECORDS + 1];
    for (uint32_t label = 0; label <= MOST_RECORDS; label++) taken[label] = graph_fraction(&seed) < share;
    for (uint32_t record = 0; record < num_records; record++) {
        uint32_t label = d->truth[record] = record < g->num_records ? g->truth[record] : MOST_RECORDS;
        if (!taken[label]) continue;
        if (number[label] == SL_NO_RECORD) number[label] = d->sample.num_entities++;
        uint64_t row = d->sample.count++, other = graph_below(&seed, (uint32_t)row + 1);
        d->records[row] = d->records[other];
        d->entities[row] = d->entities[other];
        d->records[other] = record;
        d->entities[other] = number[label];
    }
    for (uint32_t entity = 0; entity < d->sample.num_entities; entity++)
        d->weights[entity] = weighted ? 0.01 + 7.0 * graph_fraction(&seed) : 1.0;
    d->sample.records = d->records;
    d->sample.entities = d->entities;
    d->sample.weights = weighted ? d->weights : NULL;
}

static sl_estimate *estimate(const sl_hierarchy *h, uint32_t n, const sl_sample *sample, const double *thresholds,
                             uint64_t count) {
    sl_estimate *made = NULL;
    EXPECT_OK(sl_estimate_create(h, n, sample, thresholds, count, NULL, &made, &expect_error));
    return made;
}

/* ---- the definition ---------------------------------------------------------------------------------------------- */

/* What one sampled entity contributes, by name. */
typedef struct contribution {
    double weight, size, tp, p, t, bp, br, x, k;
} contribution;

static contribution contribution_of(const drawn *d, uint32_t entity, const uint32_t *judged, uint32_t num_records) {
    contribution c = {.weight = d->weights[entity], .x = 0};
    uint32_t cells[MOST_RECORDS] = {0}, sizes[MOST_RECORDS] = {0};
    for (uint32_t record = 0; record < num_records; record++) sizes[judged[record]]++;
    for (uint64_t row = 0; row < d->sample.count; row++) {
        if (d->entities[row] != entity) continue;
        cells[judged[d->records[row]]]++;
        c.size++;
    }
    for (uint32_t j = 0; j < num_records; j++) {
        double n = cells[j], s = sizes[j];
        if (!(n > 0)) continue;
        c.tp += n * (n - 1) / 2;
        c.p += n * (s - 1) / 2;
        c.bp += n * n / s;
        c.br += n * n / c.size;
        c.k += n / s;
        if (n == s && n == c.size) c.x = 1;
    }
    c.t = c.size * (c.size - 1) / 2;
    return c;
}

/* A figure as a function of weighted sums: its value and, by entity, the linearised residual. */
typedef struct plain_figure {
    double value, error;
} plain_figure;

/* Ratio of the sums of two columns. */
static double ratio_of(const double *top, const double *bottom, const contribution *c, uint32_t count, double *z) {
    double above = 0, below = 0;
    for (uint32_t i = 0; i < count; i++) above += c[i].weight * top[i], below += c[i].weight * bottom[i];
    double value = below > 0 ? above / below : 1.0;
    for (uint32_t i = 0; i < count; i++) z[i] = below > 0 ? c[i].weight * (top[i] - value * bottom[i]) / below : 0.0;
    return value;
}

static void fill_columns(sl_metric metric, const contribution *c, uint32_t count, double *top, double *bottom) {
    double b = BETA * BETA;
    for (uint32_t i = 0; i < count; i++) switch (metric) {
        case SL_METRIC_PRECISION: top[i] = c[i].tp, bottom[i] = c[i].p; break;
        case SL_METRIC_RECALL: top[i] = c[i].tp, bottom[i] = c[i].t; break;
        case SL_METRIC_F1: top[i] = 2 * c[i].tp, bottom[i] = c[i].p + c[i].t; break;
        case SL_METRIC_F_BETA: top[i] = (1 + b) * c[i].tp, bottom[i] = c[i].p + b * c[i].t; break;
        case SL_METRIC_JACCARD: top[i] = c[i].tp, bottom[i] = c[i].p + c[i].t - c[i].tp; break;
        case SL_METRIC_BCUBED_PRECISION: top[i] = c[i].bp, bottom[i] = c[i].size; break;
        case SL_METRIC_BCUBED_RECALL: top[i] = c[i].br, bottom[i] = c[i].size; break;
        case SL_METRIC_CLUSTER_PRECISION: top[i] = c[i].x, bottom[i] = c[i].k; break;
        case SL_METRIC_CLUSTER_RECALL: top[i] = c[i].x, bottom[i] = 1; break;
        default: top[i] = 2 * c[i].x, bottom[i] = c[i].k + 1; break;
        }
}

static double residuals_of(sl_metric metric, const contribution *c, uint32_t count, double *z) {
    double top[MOST_RECORDS], bottom[MOST_RECORDS], za[MOST_RECORDS], zb[MOST_RECORDS];
    bool geometric = metric == SL_METRIC_FOWLKES_MALLOWS;
    if (!geometric && metric != SL_METRIC_BCUBED_F1) {
        fill_columns(metric, c, count, top, bottom);
        return ratio_of(top, bottom, c, count, z);
    }
    double a = residuals_of(geometric ? SL_METRIC_PRECISION : SL_METRIC_BCUBED_PRECISION, c, count, za);
    double b = residuals_of(geometric ? SL_METRIC_RECALL : SL_METRIC_BCUBED_RECALL, c, count, zb);
    double tp = 0;
    for (uint32_t i = 0; i < count; i++) tp += c[i].tp;
    double value = geometric ? (tp > 0 ? sqrt(a * b) : 0) : 2 * a * b / (a + b);
    for (uint32_t i = 0; i < count; i++)
        z[i] = geometric ? (value > 0 ? value / 2 * (za[i] / a + zb[i] / b) : 0)
                         : value * value / 2 * (za[i] / a / a + zb[i] / b / b);
    return value;
}

static plain_figure plain_of(sl_metric metric, const contribution *c, uint32_t count) {
    double z[MOST_RECORDS], squares = 0, n = count;
    plain_figure figure = {.value = residuals_of(metric, c, count, z)};
    for (uint32_t i = 0; i < count; i++) squares += z[i] * z[i];
    figure.error = sqrt(n / (n - 1) * squares);
    return figure;
}

/* ---- against the definition -------------------------------------------------------------------------------------- */

static void expect_near(const char *what, sl_metric metric, double at, double value, double expected) {
    if (!(fabs(value - expected) < 1e-9))
        fail_msg("%s of %s at %.17g is %.17g, not %.17g", what, sl_metric_name(metric), at, value, expected);
}

static void expect_band(double value, double error, double low, double high) {
    assert_true(0 <= low && low <= value && value <= high && high <= 1);
    if (error > 0) assert_true(low < value && value < high);
}

static void check_row(const sl_estimate *e, uint64_t row, const contribution *c, uint32_t count) {
    uint64_t length = sl_estimate_length(e);
    double *figures = fresh_memory(4 * length, sizeof *figures);
    for (size_t i = 0; i < NUM_ESTIMABLE; i++) {
        double at = sl_estimate_thresholds(e)[row];
        EXPECT_OK(sl_estimate_metric(e, estimable[i], BETA, 0.95, figures, figures + length, figures + 2 * length,
                                     figures + 3 * length, &expect_error));
        plain_figure plain = plain_of(estimable[i], c, count);
        expect_near("the estimate", estimable[i], at, figures[row], plain.value);
        expect_near("the error", estimable[i], at, figures[length + row], plain.error);
        expect_band(figures[row], figures[length + row], figures[2 * length + row], figures[3 * length + row]);
    }
    free(figures);
}

static void check_estimate(const sl_estimate *e, const graph *g, uint32_t decimals, uint32_t n, const drawn *d) {
    for (uint64_t row = 0; row < sl_estimate_length(e); row++) {
        uint32_t judged[MOST_RECORDS];
        contribution c[MOST_RECORDS];
        plain_components(g, decimals, sl_estimate_thresholds(e)[row], judged);
        for (uint32_t record = g->num_records; record < n; record++) judged[record] = record;
        for (uint32_t i = 0; i < d->sample.num_entities; i++) c[i] = contribution_of(d, i, judged, n);
        check_row(e, row, c, d->sample.num_entities);
    }
}

static void check_graph(const graph *g, uint32_t decimals, uint32_t extra, uint64_t seed) {
    static const double shares[] = {0.2, 0.5, 1.0};
    sl_build_options build = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
    uint32_t n = g->num_records + extra;
    drawn d;
    draw(&d, g, n, shares[seed % 3], seed % 2 == 0, seed);
    if (d.sample.num_entities < 2) return;
    double thresholds[5];
    sl_hierarchy *h = plain_engine_build(g, &build);
    for (size_t i = 0; i < 5; i++) thresholds[i] = plain_round(graph_fraction(&seed), 3);
    sl_estimate *all = estimate(h, n, &d.sample, NULL, 0), *some = estimate(h, n, &d.sample, thresholds, 5);
    check_estimate(all, g, decimals, n, &d);
    check_estimate(some, g, decimals, n, &d);
    sl_estimate_release(all);
    sl_estimate_release(some);
    sl_hierarchy_release(h);
}

static void estimates_and_errors_follow_their_definitions(void **state) {
    (void)state;
    plain_check_small(EXPECT_SIZE(780, 130), check_graph);
}

/* Estimates at the same rows are the figures of the curve. */
static void expect_figures_of(const sl_estimate *e, const sl_curve *curve) {
    uint64_t length = sl_curve_length(curve);
    assert_int_equal(length, sl_estimate_length(e));
    double *exact = fresh_memory(length, sizeof *exact), *values = fresh_memory(length, sizeof *values);
    for (size_t i = 0; i < NUM_ESTIMABLE; i++) {
        EXPECT_OK(sl_curve_metric(curve, estimable[i], BETA, exact, &expect_error));
        EXPECT_OK(sl_estimate_metric(e, estimable[i], BETA, 0.9, values, NULL, NULL, NULL, &expect_error));
        for (uint64_t row = 0; row < length; row++)
            expect_near("the estimate", estimable[i], sl_curve_thresholds(curve)[row], values[row], exact[row]);
    }
    free(exact);
    free(values);
}

static void check_against_curve(const graph *g, uint32_t n) {
    drawn d;
    draw(&d, g, n, 2.0, false, 1);
    if (d.sample.num_entities < 2) return;
    sl_hierarchy *h = plain_engine_build(g, NULL);
    sl_curve *curve = NULL;
    sl_curve_options options = {.reference_labels = d.truth, .num_reference_labels = MOST_RECORDS + 1};
    EXPECT_OK(sl_curve_create(h, n, &options, &curve, &expect_error));
    sl_estimate *e = estimate(h, n, &d.sample, NULL, 0);
    expect_figures_of(e, curve);
    sl_estimate_release(e);
    sl_curve_release(curve);
    sl_hierarchy_release(h);
}

static void estimates_from_all_entities_are_the_exact_figures(void **state) {
    (void)state;
    for (uint64_t number = 0; number < (uint64_t)EXPECT_SIZE(390, 65); number++) {
        graph g = graph_small(number);
        check_against_curve(&g, g.num_records + (uint32_t)(number % 2) * 3);
        graph_free(&g);
    }
}

/* ---- edges ------------------------------------------------------------------------------------------------------- */

static sl_hierarchy *chain(uint32_t n, const double *scores) {
    uint32_t left[16], right[16];
    sl_hierarchy *h = NULL;
    for (uint32_t i = 0; i + 1 < n; i++) left[i] = i, right[i] = i + 1;
    EXPECT_OK(sl_hierarchy_build(n, left, right, scores, n - 1, NULL, &h, &expect_error));
    return h;
}

typedef struct point {
    double value, error, low, high;
} point;

static point point_of(const sl_estimate *e, sl_metric metric, double level) {
    point p;
    EXPECT_OK(sl_estimate_metric(e, metric, 1.0, level, &p.value, &p.error, &p.low, &p.high, &expect_error));
    return p;
}

/* At 1 nothing is together: no predicted pair, so precision is 1 and nothing is known of it. */
static void without_a_denominator_nothing_is_known(void **state) {
    static const uint32_t records[] = {0, 1, 2, 3}, entities[] = {0, 0, 1, 1};
    static const double scores[] = {0.9, 0.5, 0.9}, one = 1.0;
    (void)state;
    sl_hierarchy *h = chain(4, scores);
    sl_sample sample = {.records = records, .entities = entities, .count = 4, .num_entities = 2};
    sl_estimate *e = estimate(h, 0, &sample, &one, 1);
    point p = point_of(e, SL_METRIC_PRECISION, 0.95);
    assert_true(p.value == 1 && p.error == 0 && p.low == 0 && p.high == 1);
    p = point_of(e, SL_METRIC_RECALL, 0.95);
    assert_true(p.value == 0 && p.error == 0 && p.low == 0);
    expect_near("the bound", SL_METRIC_RECALL, 1, p.high, 1 - sqrt(0.025)); /* two entities of one weight */
    sl_estimate_release(e);
    sl_hierarchy_release(h);
}

static void where_nothing_is_wrong_the_band_is_that_of_as_many_trials(void **state) {
    static const uint32_t records[] = {0, 1, 2, 3}, entities[] = {0, 0, 1, 1};
    static const double scores[] = {0.9, 0.5, 0.9}, at = 0.7, weights[] = {3, 1};
    (void)state;
    sl_hierarchy *h = chain(4, scores);
    sl_sample sample = {.records = records, .entities = entities, .count = 4, .num_entities = 2};
    sl_estimate *e = estimate(h, 0, &sample, &at, 1);
    point p = point_of(e, SL_METRIC_F1, 0.9);
    assert_true(p.value == 1 && p.error == 0 && p.high == 1);
    expect_near("the bound", SL_METRIC_F1, at, p.low, sqrt(0.05));
    sl_estimate_release(e);
    sample.weights = weights;
    e = estimate(h, 0, &sample, &at, 1);
    p = point_of(e, SL_METRIC_F1, 0.9);
    expect_near("the bound", SL_METRIC_F1, at, p.low, pow(0.05, 10.0 / 16.0)); /* (3 + 1)^2 / (9 + 1) entities */
    sl_estimate_release(e);
    sl_hierarchy_release(h);
}

/* Entities of 1, 2 and 3 records in a chain that is cut in the middle of the last. */
static void an_example_by_hand_has_its_band(void **state) {
    static const uint32_t records[] = {5, 0, 1, 2, 3, 4}, entities[] = {2, 0, 1, 1, 2, 2};
    static const double scores[] = {0.3, 0.9, 0.8, 0.9, 0.2}, at = 0.6;
    (void)state;
    sl_hierarchy *h = chain(6, scores); /* 0 | 1 2 3 4 | 5: of 6 pairs 2 are right, of 4 true ones 2 are found */
    sl_sample sample = {.records = records, .entities = entities, .count = 6, .num_entities = 3};
    sl_estimate *e = estimate(h, 0, &sample, &at, 1);
    point p = point_of(e, SL_METRIC_RECALL, 0.95);
    double se = sqrt(3.0 / 2 * (0.5 * 0.5 + 0.5 * 0.5)) / 4; /* residuals TP - T/2: 0, 1/2, -1/2 */
    double t = tan(0.475 * acos(-1.0));                      /* m = 16/10: one degree of freedom */
    expect_near("the estimate", SL_METRIC_RECALL, at, p.value, 0.5);
    expect_near("the error", SL_METRIC_RECALL, at, p.error, se);
    double reach = t * sqrt(1.6 / 0.6 * 2 / 3) * se / 0.25;
    expect_near("the bound", SL_METRIC_RECALL, at, p.low, 1 / (1 + exp(reach)));
    expect_near("the bound", SL_METRIC_RECALL, at, p.high, 1 / (1 + exp(-reach)));
    p = point_of(e, SL_METRIC_CLUSTER_PRECISION, 0.95);
    expect_near("the estimate", SL_METRIC_CLUSTER_PRECISION, at, p.value, 1.0 / 3);
    sl_estimate_release(e);
    sl_hierarchy_release(h);
}

static void only_the_proportions_of_weights_matter(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 40, 90, 20, 3);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    drawn d;
    (void)state;
    draw(&d, &g, 40, 0.6, true, 5);
    sl_estimate *as_given = estimate(h, 0, &d.sample, NULL, 0);
    for (uint32_t i = 0; i < d.sample.num_entities; i++) d.weights[i] = ldexp(d.weights[i], 1000);
    sl_estimate *scaled = estimate(h, 0, &d.sample, NULL, 0);
    uint64_t length = sl_estimate_length(scaled);
    double *a = fresh_memory(2 * length, sizeof *a), *b = fresh_memory(2 * length, sizeof *b);
    EXPECT_OK(sl_estimate_metric(as_given, SL_METRIC_F1, 1, 0.95, NULL, a, a + length, NULL, &expect_error));
    EXPECT_OK(sl_estimate_metric(scaled, SL_METRIC_F1, 1, 0.95, NULL, b, b + length, NULL, &expect_error));
    assert_memory_equal(a, b, 2 * length * sizeof *a);
    free(a);
    free(b);
    sl_estimate_release(as_given);
    sl_estimate_release(scaled);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* A chain that grows by one record a level, with every entity in it: sums are changed as often as can be. */
static void a_long_chain_does_not_wear_the_sums_down(void **state) {
    uint32_t n = (uint32_t)EXPECT_SIZE(20000, 2000), k = 40;
    uint32_t *truth = fresh_memory(n, sizeof *truth), *records = fresh_memory(n, sizeof *records);
    graph g = graph_make(GRAPH_CHAIN_DESCENDING, n, 0, 0, 1);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_curve *curve = NULL;
    (void)state;
    for (uint32_t i = 0; i < n; i++) records[i] = i, truth[i] = (i * 7u + i / 3) % k;
    sl_curve_options options = {.reference_labels = truth, .num_reference_labels = k};
    EXPECT_OK(sl_curve_create(h, 0, &options, &curve, &expect_error));
    sl_sample sample = {.records = records, .entities = truth, .count = n, .num_entities = k};
    sl_estimate *e = estimate(h, 0, &sample, NULL, 0);
    expect_figures_of(e, curve);
    free(truth);
    free(records);
    sl_estimate_release(e);
    sl_curve_release(curve);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* All rows at once, where sums are carried on from row to row, against each by itself. Bands are the same either way. */
static void check_rows_one_by_one(const sl_hierarchy *h, const sl_sample *sample, sl_metric metric) {
    sl_estimate *all = estimate(h, 0, sample, NULL, 0);
    const double *thresholds = sl_estimate_thresholds(all);
    uint64_t length = sl_estimate_length(all);
    double *figures = fresh_memory(4 * length, sizeof *figures);
    double *errors = figures + length, *low = errors + length, *high = low + length;
    EXPECT_OK(sl_estimate_metric(all, metric, 1, 0.95, figures, errors, low, high, &expect_error));
    for (uint64_t row = 0; row < length; row += (uint64_t)EXPECT_SIZE(37, 211)) {
        sl_estimate *one = estimate(h, 0, sample, &thresholds[row], 1);
        point p = point_of(one, metric, 0.95);
        expect_near("the estimate", metric, thresholds[row], figures[row], p.value);
        expect_near("the error", metric, thresholds[row], errors[row], p.error);
        expect_near("the lower bound", metric, thresholds[row], low[row], p.low);
        expect_near("the upper bound", metric, thresholds[row], high[row], p.high);
        sl_estimate_release(one);
    }
    free(figures);
    sl_estimate_release(all);
}

/* Even and odd records grow apart, in chains or as random trees, up to the last edge. Sampled are early records or some of all, in
 * entities that are of one tree or of both. */
static void large_components_grow_as_if_begun_anew(void **state) {
    enum { NUM = 2400, SAMPLED = 480 };
    static uint32_t left[NUM - 1], right[NUM - 1], records[SAMPLED], entities[SAMPLED];
    static double scores[NUM - 1], weights[SAMPLED];
    uint64_t seed = 8;
    (void)state;
    for (uint32_t kind = 0; kind < 6; kind++) {
        uint32_t size = 2 + kind % 2, count = kind < 2 ? SAMPLED / 8 : SAMPLED, step = kind < 4 ? 1 : NUM / SAMPLED;
        for (uint32_t i = 0; i < NUM - 1; i++) {
            right[i] = i + 1;
            left[i] = i == 0 ? 0 : kind < 2 ? i - 1 : 2 * graph_below(&seed, (i + 1) / 2) + (i + 1) % 2;
            scores[i] = i > 0 ? 1.0 - 0.0004 * i : 0.01;
        }
        for (uint32_t i = 0; i < count; i++) {
            records[i] = i * step;
            entities[i] = i / size;
            weights[i] = kind % 3 ? 1.0 : 0.2 + graph_fraction(&seed);
        }
        sl_hierarchy *h = NULL;
        sl_sample sample = {records, entities, count, count / size, weights};
        EXPECT_OK(sl_hierarchy_build(NUM, left, right, scores, NUM - 1, NULL, &h, &expect_error));
        for (size_t i = 0; i < NUM_ESTIMABLE; i++) check_rows_one_by_one(h, &sample, estimable[i]);
        sl_hierarchy_release(h);
    }
}

static void no_rows_have_no_estimates(void **state) {
    static const uint32_t records[] = {0, 1}, entities[] = {0, 1};
    static const double none = 0;
    (void)state;
    sl_hierarchy *h = NULL;
    EXPECT_OK(sl_hierarchy_build(2, NULL, NULL, NULL, 0, NULL, &h, &expect_error));
    sl_sample sample = {.records = records, .entities = entities, .count = 2, .num_entities = 2};
    sl_estimate *e = estimate(h, 0, &sample, &none, 0);
    assert_int_equal(sl_estimate_length(e), 0);
    EXPECT_OK(sl_estimate_metric(e, SL_METRIC_F1, 1, 0.95, NULL, NULL, NULL, NULL, &expect_error));
    sl_estimate_release(e);
    e = estimate(h, 0, &sample, NULL, 0);
    assert_int_equal(sl_estimate_length(e), 1);
    point p = point_of(e, SL_METRIC_F1, 0.95);
    assert_true(sl_estimate_thresholds(e)[0] == 1 && p.value == 1 && p.low == 0 && p.high == 1);
    sl_estimate_release(e);
    sl_hierarchy_release(h);
    sl_estimate_release(NULL);
}

/* Tables of Student's t, two-sided. */
static void quantiles_of_t_are_those_of_the_tables(void **state) {
    static const struct {
        double level, t;
        unsigned degrees;
    } known[] = {{0.95, 12.706204736174705, 1},    {0.95, 4.302652729749464, 2},   {0.9, 2.353363434801824, 3},
                 {0.99, 4.032142983557536, 5},     {0.95, 2.228138851964939, 10},  {0.5, 0.6998120613124317, 10},
                 {0.95, 2.042272456301238, 30},    {0.99, 2.600760216058516, 199}, {0.95, 1.9839715185235556, 100},
                 {0.95, 1.9623390808264083, 1000}, {0.999, 636.6192487687897, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double t = sl_i_student_t(known[i].level, known[i].degrees);
        if (!(fabs(t / known[i].t - 1) < 1e-9)) fail_msg("t of %u is %.17g", known[i].degrees, t);
    }
    assert_true(isfinite(sl_i_student_t(1 - 1e-16, 1)) && isfinite(sl_i_student_t(1e-300, 1)));
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void expect_refused(const sl_hierarchy *h, sl_sample sample, sl_status status, int64_t row) {
    sl_estimate *e = (sl_estimate *)&sample;
    EXPECT_FAILURE(sl_estimate_create(h, 0, &sample, NULL, 0, NULL, &e, &expect_error), status, row);
    assert_null(e);
}

static void samples_that_are_none_are_refused(void **state) {
    static const uint32_t records[] = {0, 1, 2, 1}, entities[] = {0, 1, 1, 0}, beyond[] = {0, 4, 1, 2};
    static const double scores[] = {0.9, 0.5, 0.9}, weights[] = {1, 0}, infinite[] = {INFINITY, 1}, bad = 1.5;
    (void)state;
    sl_hierarchy *h = chain(4, scores);
    sl_sample good = {.records = records, .entities = entities, .count = 3, .num_entities = 2}, s = good;
    s.num_entities = 1;
    expect_refused(h, s, SL_ERROR_INVALID_ARGUMENT, -1);
    s = (sl_sample){.records = records, .entities = beyond, .count = 3, .num_entities = 2};
    expect_refused(h, s, SL_ERROR_INVALID_ARGUMENT, 1);
    s = (sl_sample){.records = beyond, .entities = entities, .count = 3, .num_entities = 2};
    expect_refused(h, s, SL_ERROR_INVALID_ARGUMENT, 1);
    s = good;
    s.count = 4;
    expect_refused(h, s, SL_ERROR_OVERLAP, 3);
    assert_int_equal(expect_error.other_row, 1);
    s = good;
    s.num_entities = 3;
    expect_refused(h, s, SL_ERROR_INVALID_ARGUMENT, -1);
    s = good;
    s.weights = weights;
    expect_refused(h, s, SL_ERROR_INVALID_ARGUMENT, 1);
    s.weights = infinite;
    expect_refused(h, s, SL_ERROR_INVALID_ARGUMENT, 0);
    sl_estimate *e = NULL;
    EXPECT_FAILURE(sl_estimate_create(h, 3, &good, NULL, 0, NULL, &e, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_estimate_create(h, 0, &good, &bad, 1, NULL, &e, &expect_error), SL_ERROR_INVALID_THRESHOLD, -1);
    sl_hierarchy_release(h);
}

static void what_cannot_be_estimated_is_refused(void **state) {
    static const uint32_t records[] = {0, 1}, entities[] = {0, 1};
    static const double scores[] = {0.9, 0.5, 0.9}, levels[] = {0, 1, -1, 2, NAN};
    (void)state;
    sl_hierarchy *h = chain(4, scores);
    sl_sample sample = {.records = records, .entities = entities, .count = 2, .num_entities = 2};
    sl_estimate *e = estimate(h, 0, &sample, NULL, 0);
    double values[2];
    unsigned count = 0;
    for (int metric = 0; metric < SL_NUM_METRICS; metric++) {
        sl_metric m = (sl_metric)metric;
        count += sl_metric_is_estimable(m);
        if (sl_metric_is_estimable(m)) continue;
        EXPECT_FAILURE(sl_estimate_metric(e, m, 1, 0.95, values, NULL, NULL, NULL, &expect_error),
                       SL_ERROR_INVALID_ARGUMENT, -1);
        assert_non_null(strstr(expect_error.message, sl_metric_name(m)));
    }
    assert_int_equal(count, NUM_ESTIMABLE);
    assert_false(sl_metric_is_estimable(SL_NUM_METRICS));
    EXPECT_FAILURE(sl_estimate_metric(e, SL_NUM_METRICS, 1, 0.95, values, NULL, NULL, NULL, &expect_error),
                   SL_ERROR_UNKNOWN_METRIC, -1);
    EXPECT_FAILURE(sl_estimate_metric(e, SL_METRIC_F_BETA, 0, 0.95, values, NULL, NULL, NULL, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        EXPECT_FAILURE(sl_estimate_metric(e, SL_METRIC_F1, 1, levels[i], values, NULL, NULL, NULL, &expect_error),
                       SL_ERROR_INVALID_ARGUMENT, -1);
    sl_estimate_release(e);
    sl_hierarchy_release(h);
}

static void every_failed_allocation_leaves_nothing_behind(void **state) {
    static const double thresholds[] = {0.5, 0.1, 0.9};
    graph g = graph_make(GRAPH_CLUSTERS, 40, 60, 20, 2);
    double values[3], high[3];
    drawn d;
    (void)state;
    draw(&d, &g, 40, 0.7, true, 2);
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    uint64_t held = sl_memory_in_use(), allocations = 0;
    for (sl_status status = SL_ERROR_MEMORY; status != SL_OK; allocations++) {
        sl_estimate *e = NULL;
        failing_memory_after(allocations);
        status = sl_estimate_create(h, 0, &d.sample, thresholds, 3, NULL, &e, &expect_error);
        if (status == SL_OK)
            status = sl_estimate_metric(e, SL_METRIC_F1, 1, 0.95, values, NULL, NULL, high, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status != SL_OK) assert_int_equal(status, SL_ERROR_MEMORY);
        sl_estimate_release(e);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_true(allocations > 10);
    sl_hierarchy_release(h);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(estimates_and_errors_follow_their_definitions),
        TEST(estimates_from_all_entities_are_the_exact_figures),
        TEST(without_a_denominator_nothing_is_known),
        TEST(where_nothing_is_wrong_the_band_is_that_of_as_many_trials),
        TEST(an_example_by_hand_has_its_band),
        TEST(only_the_proportions_of_weights_matter),
        TEST(a_long_chain_does_not_wear_the_sums_down),
        TEST(large_components_grow_as_if_begun_anew),
        TEST(no_rows_have_no_estimates),
        TEST(quantiles_of_t_are_those_of_the_tables),
        TEST(samples_that_are_none_are_refused),
        TEST(what_cannot_be_estimated_is_refused),
        TEST(every_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
