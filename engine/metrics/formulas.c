/* formulas.c: every metric, as a formula over the sums of one cut. To add a metric: its name in starlings.h, a row in
 * `metrics` below, and a function here; a sum it needs and that is not there goes into curve.h and the passes. What no sums of
 * one cut can tell is a pass of its own (lifetimes.h), made when the metric is asked for.
 *
 * Edge cases follow scikit-learn where it defines them. Elsewhere: no predicted pairs, precision 1 (nothing claimed, nothing
 * wrong); no reference pairs, recall 1; an empty frame has counts 0 and ratios 1. Where integers know that one side
 * refines the other, the value is exactly 0 or 1 whatever the logarithms' rounding. */
#include <math.h>
#include <string.h>

#include "metrics/lifetimes.h"

/* One cut, with the names of the formulas. What does not change from cut to cut is filled in once. */
typedef struct cut {
    double n, log_n;     /* records */
    uint64_t all_pairs;  /* of records */
    uint64_t true_pairs; /* of the reference */
    double references;   /* reference entities */
    double reference_size_log;
    double parameter;
    uint64_t tp, predicted; /* pairs: in both, in the judged partition */
    double entities, cells;
    const sl_i_judged_sums *judged;
    const sl_i_reference_sums *reference; /* NULL without a reference */
} cut;

static double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 1.0; }
static double unit(double value) { return value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value; }
static double not_negative(double value) { return value > 0.0 ? value : 0.0; }
static double harmonic(double a, double b) { return a + b > 0.0 ? 2.0 * a * b / (a + b) : 0.0; }

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

static double precision(const cut *c) { return ratio((double)c->tp, (double)c->predicted); }
static double recall(const cut *c) { return ratio((double)c->tp, (double)c->true_pairs); }

/* (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP), with TP + FN and TP + FP put together; above 1 divided by b^2, which then cannot
 * overflow. */
static double f_beta(const cut *c) {
    double beta = c->parameter, tp = (double)c->tp;
    if (beta <= 1.0) return ratio((1.0 + beta * beta) * tp, beta * beta * (double)c->true_pairs + (double)c->predicted);
    double inverse = 1.0 / beta / beta;
    return ratio((inverse + 1.0) * tp, (double)c->true_pairs + inverse * (double)c->predicted);
}

static uint64_t true_negatives(const cut *c) { return c->all_pairs - c->predicted - c->true_pairs + c->tp; }

static double rand_index(const cut *c) {
    return ratio((double)c->tp + (double)true_negatives(c), (double)c->all_pairs);
}

/* Hubert & Arabie 1985 in pair counts, as scikit-learn; products in 128 bits because the difference cancels. */
static double ari(const cut *c) {
    __extension__ typedef __int128 wide;
    wide tp = (wide)c->tp, tn = (wide)true_negatives(c);
    wide fp = (wide)c->predicted - tp, fn = (wide)c->true_pairs - tp;
    if (fp == 0 && fn == 0) return 1.0;
    return 2.0 * (double)(tp * tn - fn * fp) / ((double)((tp + fn) * (fn + tn)) + (double)((tp + fp) * (fp + tn)));
}

static double fowlkes_mallows(const cut *c) {
    if (c->tp == 0) return 0.0;
    return sqrt((double)c->tp / (double)c->predicted) * sqrt((double)c->tp / (double)c->true_pairs);
}

static double jaccard(const cut *c) {
    return ratio((double)c->tp, (double)c->predicted + (double)c->true_pairs - (double)c->tp);
}

/* ---- entropies (nats) -------------------------------------------------------------------------------------------- */

static double judged_entropy(const cut *c) {
    return c->entities <= 1.0 ? 0.0 : not_negative(c->log_n - c->judged->size_log / c->n);
}
static double reference_entropy(const cut *c) {
    return c->references <= 1.0 ? 0.0 : not_negative(c->log_n - c->reference_size_log / c->n);
}

/* Every entity within one reference entity: as many cells as entities. And the other way round. */
static bool entities_are_pure(const cut *c) { return c->cells == c->entities; }
static bool references_are_whole(const cut *c) { return c->cells == c->references; }

/* H(reference | judged) and H(judged | reference). */
static double lost_in_entities(const cut *c) {
    return entities_are_pure(c) ? 0.0 : not_negative((c->judged->size_log - c->reference->cell_log) / c->n);
}
static double lost_in_references(const cut *c) {
    return references_are_whole(c) ? 0.0 : not_negative((c->reference_size_log - c->reference->cell_log) / c->n);
}

static double mutual_information(const cut *c) {
    if (c->entities <= 1.0 || c->references <= 1.0) return 0.0;
    return not_negative(reference_entropy(c) - lost_in_entities(c));
}

static double nmi(const cut *c) {
    if (entities_are_pure(c) && references_are_whole(c)) return 1.0;
    double mean = 0.5 * (judged_entropy(c) + reference_entropy(c));
    return mean > 0.0 ? unit(mutual_information(c) / mean) : 1.0;
}

static double homogeneity(const cut *c) {
    if (entities_are_pure(c)) return 1.0;
    double entropy = reference_entropy(c);
    return entropy > 0.0 ? unit(mutual_information(c) / entropy) : 1.0;
}

static double completeness(const cut *c) {
    if (references_are_whole(c)) return 1.0;
    double entropy = judged_entropy(c);
    return entropy > 0.0 ? unit(mutual_information(c) / entropy) : 1.0;
}

static double v_measure(const cut *c) { return harmonic(homogeneity(c), completeness(c)); }
static double variation_of_information(const cut *c) { return lost_in_entities(c) + lost_in_references(c); }

/* ---- records and entities ---------------------------------------------------------------------------------------- */

static double bcubed_precision(const cut *c) {
    if (entities_are_pure(c)) return 1.0;
    return unit(c->judged->bcubed_precision / c->n);
}
static double bcubed_recall(const cut *c) {
    if (references_are_whole(c)) return 1.0;
    return unit(c->reference->bcubed_recall / c->n);
}
static double bcubed_f1(const cut *c) { return harmonic(bcubed_precision(c), bcubed_recall(c)); }

static double cluster_precision(const cut *c) { return ratio((double)c->judged->exact, c->entities); }
static double cluster_recall(const cut *c) { return ratio((double)c->judged->exact, c->references); }
static double cluster_f1(const cut *c) { return ratio(2.0 * (double)c->judged->exact, c->entities + c->references); }

static double purity(const cut *c) { return ratio((double)c->judged->largest_in_entity, c->n); }
static double inverse_purity(const cut *c) { return ratio((double)c->reference->largest_in_reference, c->n); }

/* ---- one partition ----------------------------------------------------------------------------------------------- */

static double entity_count(const cut *c) { return c->entities; }
static double largest_entity(const cut *c) { return c->judged->largest; }
static double mean_size(const cut *c) { return c->entities > 0.0 ? c->n / c->entities : 0.0; }
static double singletons(const cut *c) { return c->judged->singletons; }
static double pair_count(const cut *c) { return (double)c->predicted; }

/* ---- many cuts at once ------------------------------------------------------------------------------------------- */

#define COLUMN_ROWS 256u /* gathered at a time: few enough to stay in the cache */

static void fill_f1(const sl_curve *curve, uint64_t first, uint64_t last, double *values) {
    uint64_t true_pairs[COLUMN_ROWS], predicted[COLUMN_ROWS], reference[COLUMN_ROWS];
    for (uint64_t row = first; row < last;) {
        uint64_t count = last - row < COLUMN_ROWS ? last - row : COLUMN_ROWS;
        for (uint64_t i = 0; i < count; i++) {
            const sl_i_judged_sums *judged = &curve->judged[curve->row_buckets[row + i]];
            true_pairs[i] = judged->true_pairs;
            predicted[i] = judged->pairs;
            reference[i] = curve->reference_pairs;
        }
        sl_f1_column(true_pairs, predicted, reference, count, values + row);
        row += count;
    }
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

typedef struct metric_entry {
    const char *name;
    /* One of the three: a formula over the sums of one cut, one over those of many, or a pass that fills all rows. */
    double (*evaluate)(const cut *c);
    void (*fill)(const sl_curve *curve, uint64_t first, uint64_t last, double *values);
    sl_status (*measure)(const sl_curve *curve, double parameter, double *values, sl_error *error);
    bool needs_reference, is_count;
    const char *definition;
} metric_entry;

#define FORMULA(function) function, NULL, NULL
#define COLUMN(function) NULL, function, NULL
#define PASS(function) NULL, NULL, function

static const metric_entry metrics[SL_NUM_METRICS] = {
    [SL_METRIC_PRECISION] = {"precision", FORMULA(precision), true, false,
                             "Share of the record pairs put together that belong together: TP / (TP + FP)."},
    [SL_METRIC_RECALL] = {"recall", FORMULA(recall), true, false,
                          "Share of the record pairs that belong together that were put together: TP / (TP + FN)."},
    [SL_METRIC_F1] = {"f1", COLUMN(fill_f1), true, false,
                      "Harmonic mean of pairwise precision and recall: 2 TP / (2 TP + FP + FN)."},
    [SL_METRIC_F_BETA] = {"f_beta", FORMULA(f_beta), true, false,
                          "Pairwise F measure that weighs recall beta times as much as precision."},
    [SL_METRIC_RAND] = {"rand", FORMULA(rand_index), true, false,
                        "Share of all record pairs judged right: (TP + TN) / all."},
    [SL_METRIC_ARI] = {"ari", FORMULA(ari), true, false, "Rand index adjusted for chance (Hubert and Arabie 1985)."},
    [SL_METRIC_FOWLKES_MALLOWS] = {"fowlkes_mallows", FORMULA(fowlkes_mallows), true, false,
                                   "Geometric mean of pairwise precision and recall."},
    [SL_METRIC_JACCARD] = {"jaccard", FORMULA(jaccard), true, false,
                           "Pairs together in both over pairs together in either."},
    [SL_METRIC_MUTUAL_INFORMATION] = {"mutual_information", FORMULA(mutual_information), true, false,
                                      "Mutual information of the two partitions, in nats."},
    [SL_METRIC_NMI] = {"nmi", FORMULA(nmi), true, false,
                       "Mutual information over the arithmetic mean of the two entropies."},
    [SL_METRIC_HOMOGENEITY] = {"homogeneity", FORMULA(homogeneity), true, false,
                               "1 - H(reference | judged) / H(reference) (Rosenberg and Hirschberg 2007)."},
    [SL_METRIC_COMPLETENESS] = {"completeness", FORMULA(completeness), true, false,
                                "1 - H(judged | reference) / H(judged) (Rosenberg and Hirschberg 2007)."},
    [SL_METRIC_V_MEASURE] = {"v_measure", FORMULA(v_measure), true, false,
                             "Harmonic mean of homogeneity and completeness."},
    [SL_METRIC_VARIATION_OF_INFORMATION] = {"variation_of_information", FORMULA(variation_of_information), true, false,
                                            "H(reference | judged) + H(judged | reference), in nats; 0 if equal."},
    [SL_METRIC_BCUBED_PRECISION] =
        {"bcubed_precision", FORMULA(bcubed_precision), true, false,
         "Mean over records of the share of the record's entity that belongs with it (Bagga and "
         "Baldwin 1998)."},
    [SL_METRIC_BCUBED_RECALL] = {"bcubed_recall", FORMULA(bcubed_recall), true, false,
                                 "Mean over records of the share of the record's true entity that is in its entity."},
    [SL_METRIC_BCUBED_F1] = {"bcubed_f1", FORMULA(bcubed_f1), true, false,
                             "Harmonic mean of B-cubed precision and recall."},
    [SL_METRIC_CLUSTER_PRECISION] = {"cluster_precision", FORMULA(cluster_precision), true, false,
                                     "Share of the entities that equal a true entity exactly."},
    [SL_METRIC_CLUSTER_RECALL] = {"cluster_recall", FORMULA(cluster_recall), true, false,
                                  "Share of the true entities that were found exactly."},
    [SL_METRIC_CLUSTER_F1] = {"cluster_f1", FORMULA(cluster_f1), true, false,
                              "Harmonic mean of cluster precision and cluster recall."},
    [SL_METRIC_PURITY] = {"purity", FORMULA(purity), true, false,
                          "Share of the records that carry the most frequent true entity of their entity."},
    [SL_METRIC_INVERSE_PURITY] = {"inverse_purity", FORMULA(inverse_purity), true, false,
                                  "Purity with the two partitions exchanged."},
    [SL_METRIC_ENTITY_COUNT] = {"entity_count", FORMULA(entity_count), false, true, "Number of entities."},
    [SL_METRIC_ENTROPY] = {"entropy", FORMULA(judged_entropy), false, false,
                           "Entropy of the entity of a random record, in nats; 0 for one entity."},
    [SL_METRIC_LARGEST_ENTITY] = {"largest_entity", FORMULA(largest_entity), false, true,
                                  "Records of the largest entity."},
    [SL_METRIC_MEAN_SIZE] = {"mean_size", FORMULA(mean_size), false, false, "Records per entity."},
    [SL_METRIC_SINGLETONS] = {"singletons", FORMULA(singletons), false, true, "Number of entities of one record."},
    [SL_METRIC_PAIR_COUNT] = {"pair_count", FORMULA(pair_count), false, true,
                              "Number of record pairs within entities."},
    [SL_METRIC_ENTITY_STABILITY] =
        {"entity_stability", PASS(sl_i_entity_stability), false, false,
         "Mean over records of the width of the range of thresholds over which the record's entity stays what it is."},
    [SL_METRIC_THRESHOLD_SENSITIVITY] = {"threshold_sensitivity", PASS(sl_i_threshold_sensitivity), false, false,
                                         "Share of the records whose entity is not one both at the threshold plus the "
                                         "shift and at the threshold minus it."},
};

static const metric_entry *entry_of(sl_metric metric) {
    return (unsigned)metric < SL_NUM_METRICS ? &metrics[metric] : NULL;
}

const char *sl_metric_name(sl_metric metric) {
    const metric_entry *entry = entry_of(metric);
    return entry ? entry->name : NULL;
}

const char *sl_metric_definition(sl_metric metric) {
    const metric_entry *entry = entry_of(metric);
    return entry ? entry->definition : NULL;
}

bool sl_metric_needs_reference(sl_metric metric) {
    const metric_entry *entry = entry_of(metric);
    return entry && entry->needs_reference;
}

bool sl_metric_is_count(sl_metric metric) {
    const metric_entry *entry = entry_of(metric);
    return entry && entry->is_count;
}

bool sl_i_metric_is_of_lifetimes(sl_metric metric) {
    const metric_entry *entry = entry_of(metric);
    return entry && entry->measure;
}

#define LONGEST_NAME 63

/* Levenshtein distance; names longer than LONGEST_NAME are compared by their beginnings. */
static size_t distance(const char *a, const char *b) {
    size_t row[LONGEST_NAME + 1], width = strnlen(b, LONGEST_NAME);
    for (size_t j = 0; j <= width; j++) row[j] = j;
    for (size_t i = 0; a[i] && i < LONGEST_NAME; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= width; j++) {
            size_t changed = diagonal + (a[i] != b[j - 1]);
            diagonal = row[j];
            size_t edited = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = changed < edited ? changed : edited;
        }
    }
    return row[width];
}

sl_status sl_metric_from_name(const char *name, sl_metric *out, sl_error *error) {
    unsigned nearest = 0;
    size_t best = SIZE_MAX;
    *out = SL_METRIC_PRECISION;
    if (!name) name = "";
    for (unsigned i = 0; i < SL_NUM_METRICS; i++) {
        if (strcmp(name, metrics[i].name) == 0) {
            *out = (sl_metric)i;
            return SL_OK;
        }
        size_t away = distance(name, metrics[i].name);
        if (away < best) {
            best = away;
            nearest = i;
        }
    }
    return sl_i_fail(error, SL_ERROR_UNKNOWN_METRIC, "there is no metric \"%.80s\": did you mean \"%s\"?", name,
                     metrics[nearest].name);
}

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

typedef struct evaluation {
    const sl_curve *curve;
    const metric_entry *entry;
    double parameter;
    double *values;
} evaluation;

#define ROWS_A_TASK 8192u

static void evaluate_rows(void *state, uint64_t task, uint32_t lane) {
    const evaluation *e = state;
    const sl_curve *curve = e->curve;
    uint64_t first = task * ROWS_A_TASK, left = curve->num_rows - first;
    uint64_t last = first + (left < ROWS_A_TASK ? left : ROWS_A_TASK);
    cut c = {.n = curve->num_records,
             .log_n = curve->num_records > 0 ? log(curve->num_records) : 0.0,
             .all_pairs = sl_i_pairs_among(curve->num_records),
             .true_pairs = curve->reference_pairs,
             .references = curve->reference_entities,
             .reference_size_log = curve->reference_size_log,
             .parameter = e->parameter};
    (void)lane;
    if (e->entry->fill) {
        e->entry->fill(curve, first, last, e->values);
        return;
    }
    for (uint64_t row = first; row < last; row++) {
        uint32_t bucket = curve->row_buckets[row];
        c.judged = &curve->judged[bucket];
        c.reference = curve->reference ? &curve->reference[bucket] : NULL;
        c.tp = c.judged->true_pairs;
        c.predicted = c.judged->pairs;
        c.entities = c.judged->entities;
        c.cells = c.reference ? (double)c.reference->cells : 0.0;
        e->values[row] = e->entry->evaluate(&c);
    }
}

sl_status sl_i_check_parameter(sl_metric metric, double parameter, sl_error *error) {
    if (metric == SL_METRIC_THRESHOLD_SENSITIVITY) return sl_i_check_shift(parameter, error);
    if (metric != SL_METRIC_F_BETA || (parameter > 0.0 && isfinite(parameter))) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "beta of f_beta is %g: pass a number above 0", parameter);
}

sl_status sl_curve_metric(const sl_curve *curve, sl_metric metric, double parameter, double *values, sl_error *error) {
    const metric_entry *entry = entry_of(metric);
    if (!entry) return sl_i_fail(error, SL_ERROR_UNKNOWN_METRIC, "there is no metric number %d", (int)metric);
    if (entry->needs_reference && !curve->reference)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the metric \"%s\" compares with a reference, and there is none: add one", entry->name);
    SL_TRY(sl_i_check_parameter(metric, parameter, error));
    if (!values && curve->num_rows > 0)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "there is no room for the values: pass an array of %llu doubles",
                         (unsigned long long)curve->num_rows);
    if (entry->measure) return entry->measure(curve, parameter, values, error);
    evaluation e = {curve, entry, parameter, values};
    uint64_t tasks = curve->num_rows / ROWS_A_TASK + (curve->num_rows % ROWS_A_TASK != 0);
    return sl_i_parallel(tasks, tasks > 1 ? sl_num_threads() : 1, evaluate_rows, &e, NULL, 0, error);
}
