/* estimate_formulas.c: estimates, their standard errors and bands, from the sums of one state.
 *
 * An estimate R is a smooth function of the three sums of one family. Its variance is that of the linearised residuals (the delta
 * method; Cochran 1977, "Sampling Techniques", chapter 6): residual z = g . parts of an entity, so that with M the matrix of the
 * summed products var = n / (n - 1) g' M g. The gradients g below are those by (hits, wrong, missed), written so that what is
 * small is not a difference: where nothing is wrong the variance is 0.
 *
 * The band is made on the logit scale, where R reaches t se / (R (1 - R)) either way; that keeps it in [0, 1]. How much a sample
 * tells: entities differ in how much they weigh in a figure, and a few may hold most of the errors. Kish's effective number
 * (sum x)^2 / sum x^2 of entities with weights x tells how many it is as if there were: m of the denominator, and k of what
 * is wrong, for the lower bound, or of what is right, for the upper one. The variance is that of a sample of m, so m / (m - 1)
 * takes the place of n / (n - 1) in it, and it rests on those k, so t has min(m, k + 4) - 1 degrees of freedom, rounded down. At R
 * of 0 or 1 nothing was seen of one kind and there is no variance: the far bound is where m trials would all have come out alike
 * with probability (1 - level) / 2, the bound of Clopper and Pearson. docs/estimates.md says how well this holds. */
#include "metrics/estimate.h"

#define MOST_DEGREES 1000u /* t is as good as normal */
#define SPARE_ENTITIES 4.0

typedef struct figure {
    double value;
    double gradient[SL_I_NUM_PARTS]; /* 0: no variance */
    double right[SL_I_NUM_PARTS];    /* what counts for the figure and against it, as a combination of the parts; ... */
    double against[SL_I_NUM_PARTS];  /* ... together the denominator */
} figure;

/* ---- the figures ------------------------------------------------------------------------------------------------- */

/* hits h / (h hits + w wrong + m missed). Without a denominator 1, as formulas.c has it. */
static figure ratio(const sl_i_family *f, double h, double w, double m) {
    double right = h * f->sums[SL_I_HITS], against = w * f->sums[SL_I_WRONG] + m * f->sums[SL_I_MISSED];
    double whole = right + against;
    figure r = {1.0, {0}, {h, 0, 0}, {0, w, m}};
    if (!(whole > 0.0)) return r;
    r.value = right / whole;
    r.gradient[SL_I_HITS] = against / whole * h / whole;
    r.gradient[SL_I_WRONG] = -r.value * w / whole;
    r.gradient[SL_I_MISSED] = -r.value * m / whole;
    return r;
}

/* Above 1 divided by beta^2, which then cannot overflow. */
static figure f_beta(const sl_i_family *f, double beta) {
    if (beta <= 1.0) return ratio(f, 1.0 + beta * beta, 1.0, beta * beta);
    double inverse = 1.0 / beta / beta;
    return ratio(f, 1.0 + inverse, inverse, 1.0);
}

/* A function of two figures: its value, its derivatives by them, and the parts of F1. */
static figure joined(const figure *a, double by_a, const figure *b, double by_b, double value) {
    figure r = {.value = value};
    for (unsigned i = 0; i < SL_I_NUM_PARTS; i++) {
        r.gradient[i] = by_a * a->gradient[i] + by_b * b->gradient[i];
        r.right[i] = a->right[i] + b->right[i];
        r.against[i] = a->against[i] + b->against[i];
    }
    return r;
}

static figure fowlkes_mallows(const sl_i_family *f, double beta) {
    figure a = ratio(f, 1.0, 1.0, 0.0), b = ratio(f, 1.0, 0.0, 1.0);
    (void)beta;
    double value = f->sums[SL_I_HITS] > 0.0 ? sqrt(a.value) * sqrt(b.value) : 0.0;
    if (!(value > 0.0)) return joined(&a, 0.0, &b, 0.0, value);
    return joined(&a, 0.5 * value / a.value, &b, 0.5 * value / b.value, value);
}

/* Of the family of records: the share of hits; and hits for recall, n - missed, as hits + wrong - missed. */
static figure bcubed_recall(const sl_i_family *f, double beta) {
    double whole = f->sums[SL_I_HITS] + f->sums[SL_I_WRONG], lost = f->sums[SL_I_MISSED];
    (void)beta;
    figure r = {1.0, {0}, {1, 1, -1}, {0, 0, 1}};
    if (!(whole > 0.0)) return r;
    r.value = 1.0 - lost / whole;
    r.gradient[SL_I_HITS] = r.gradient[SL_I_WRONG] = lost / whole / whole;
    r.gradient[SL_I_MISSED] = -1.0 / whole;
    return r;
}

static figure bcubed_f1(const sl_i_family *f, double beta) {
    figure a = ratio(f, 1.0, 1.0, 0.0), b = bcubed_recall(f, beta);
    double both = a.value + b.value, value = both > 0.0 ? 2.0 * a.value * b.value / both : 0.0;
    if (!(both > 0.0)) return joined(&a, 0.0, &b, 0.0, value);
    return joined(&a, 2.0 * b.value / both * b.value / both, &b, 2.0 * a.value / both * a.value / both, value);
}

/* One of the two: the factors of a ratio, or a function. */
typedef struct estimable {
    unsigned family;
    double hits, wrong, missed;
    figure (*evaluate)(const sl_i_family *family, double beta);
} estimable;

static const estimable estimables[SL_NUM_METRICS] = {
    [SL_METRIC_PRECISION] = {SL_I_PAIRS, 1, 1, 0, NULL},
    [SL_METRIC_RECALL] = {SL_I_PAIRS, 1, 0, 1, NULL},
    [SL_METRIC_F1] = {SL_I_PAIRS, 2, 1, 1, NULL},
    [SL_METRIC_F_BETA] = {SL_I_PAIRS, 0, 0, 0, f_beta},
    [SL_METRIC_JACCARD] = {SL_I_PAIRS, 1, 1, 1, NULL},
    [SL_METRIC_FOWLKES_MALLOWS] = {SL_I_PAIRS, 0, 0, 0, fowlkes_mallows},
    [SL_METRIC_BCUBED_PRECISION] = {SL_I_RECORDS, 1, 1, 0, NULL},
    [SL_METRIC_BCUBED_RECALL] = {SL_I_RECORDS, 0, 0, 0, bcubed_recall},
    [SL_METRIC_BCUBED_F1] = {SL_I_RECORDS, 0, 0, 0, bcubed_f1},
    [SL_METRIC_CLUSTER_PRECISION] = {SL_I_ENTITIES, 1, 1, 0, NULL},
    [SL_METRIC_CLUSTER_RECALL] = {SL_I_ENTITIES, 1, 0, 1, NULL},
    [SL_METRIC_CLUSTER_F1] = {SL_I_ENTITIES, 2, 1, 1, NULL},
};

bool sl_metric_is_estimable(sl_metric metric) {
    if ((unsigned)metric >= SL_NUM_METRICS) return false;
    return estimables[metric].hits > 0.0 || estimables[metric].evaluate;
}

static figure figure_of(const estimable *metric, const sl_i_family *family, double beta) {
    if (metric->evaluate) return metric->evaluate(family, beta);
    return ratio(family, metric->hits, metric->wrong, metric->missed);
}

/* ---- standard errors and bands ----------------------------------------------------------------------------------- */

/* Sum over the entities of (w g . parts)^2. What is within the rounding of its terms is 0: alike entities have no variance. */
static double squares(const sl_i_family *f, const double *g) {
    const double *p = f->products;
    double terms[] = {g[0] * g[0] * p[0], 2.0 * g[0] * g[1] * p[1], 2.0 * g[0] * g[2] * p[2],
                      g[1] * g[1] * p[3], 2.0 * g[1] * g[2] * p[4], g[2] * g[2] * p[5]};
    double total = 0.0, size = 0.0;
    for (unsigned i = 0; i < SL_I_NUM_PRODUCTS; i++) {
        total += terms[i];
        size += fabs(terms[i]);
    }
    return total > 1e-14 * size ? total : 0.0;
}

/* Kish's effective number of entities by what `g` makes of their parts. */
static double effective_number(const sl_i_family *f, const double *g) {
    double sum = g[0] * f->sums[0] + g[1] * f->sums[1] + g[2] * f->sums[2], square = squares(f, g);
    return square > 0.0 ? sum / square * sum : 0.0;
}

typedef struct bands {
    double level;
    double quantiles[MOST_DEGREES + 1]; /* of t by degrees of freedom; 0: not yet known */
} bands;

/* Degrees are rounded down, but what is a whole number up to rounding is that number. */
static double quantile(bands *b, double degrees) {
    degrees += 1e-9 * degrees;
    unsigned whole = degrees >= MOST_DEGREES ? MOST_DEGREES : degrees > 1.0 ? (unsigned)degrees : 1u;
    if (!(b->quantiles[whole] > 0.0)) b->quantiles[whole] = sl_i_student_t(b->level, whole);
    return b->quantiles[whole];
}

static double logistic(double x) { return x < 0.0 ? exp(x) / (1.0 + exp(x)) : 1.0 / (1.0 + exp(-x)); }
static double smaller(double a, double b) { return a < b ? a : b; }
static double greater(double a, double b) { return a > b ? a : b; }

/* How far a bound is from the estimate on the logit scale. `side`: of which parts the bound depends on seeing enough. */
static double reach(bands *b, const sl_i_family *family, const double *side, double m, double spread) {
    return quantile(b, smaller(m, effective_number(family, side) + SPARE_ENTITIES) - 1.0) * spread;
}

/* `square`: of the residuals, summed. */
static void find_band(bands *b, const sl_i_family *family, const figure *f, double square, double *low, double *high) {
    double whole[SL_I_NUM_PARTS], value = f->value;
    for (unsigned i = 0; i < SL_I_NUM_PARTS; i++) whole[i] = f->right[i] + f->against[i];
    double m = effective_number(family, whole);
    *low = *high = value;
    if (value <= 0.0 || value >= 1.0) {
        double far = m > 0.0 ? pow(0.5 * (1.0 - b->level), 1.0 / m) : 0.0;
        *low = value >= 1.0 ? far : 0.0;
        *high = value >= 1.0 ? 1.0 : 1.0 - far;
    } else if (square > 0.0) {
        double se = m > 1.0 ? sqrt(m / (m - 1.0) * square) : INFINITY;
        double middle = log(value) - log1p(-value), spread = se / value / (1.0 - value);
        *low = smaller(value, logistic(middle - reach(b, family, f->against, m, spread)));
        *high = greater(value, logistic(middle + reach(b, family, f->right, m, spread)));
    }
}

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

typedef struct row {
    double value, error, low, high;
} row;

static row evaluate(const sl_estimate *estimate, uint32_t state, const estimable *metric, double beta, bands *b) {
    const sl_i_family *family = &estimate->states[state].families[metric->family];
    figure f = figure_of(metric, family, beta);
    double n = estimate->num_entities, square = 0.0;
    row r = {.value = smaller(greater(f.value, 0.0), 1.0)};
    f.value = r.value;
    if (r.value > 0.0 && r.value < 1.0) square = squares(family, f.gradient);
    r.error = sqrt(n / (n - 1.0) * square);
    find_band(b, family, &f, square, &r.low, &r.high);
    return r;
}

static sl_status check(sl_metric metric, double parameter, double level, sl_error *error) {
    if ((unsigned)metric >= SL_NUM_METRICS)
        return sl_i_fail(error, SL_ERROR_UNKNOWN_METRIC, "there is no metric number %d", (int)metric);
    if (!sl_metric_is_estimable(metric))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "\"%s\" cannot be estimated from a sample of true entities: ask for precision, recall, f1, "
                         "f_beta, jaccard, fowlkes_mallows, or those of bcubed_ and cluster_",
                         sl_metric_name(metric));
    SL_TRY(sl_i_check_parameter(metric, parameter, error));
    if (!(level > 0.0 && level < 1.0))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the level of a band is %g: pass a number between 0 and 1, such as 0.95", level);
    return SL_OK;
}

sl_status sl_estimate_metric(const sl_estimate *estimate, sl_metric metric, double parameter, double level,
                             double *values, double *errors, double *low, double *high, sl_error *error) {
    row *rows = NULL; /* by state */
    bands *b = NULL;
    sl_status status;
    SL_TRY(check(metric, parameter, level, error));
    SL_TRY(sl_i_allocate_zeroed(&b, 1, sizeof *b, "the bands", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&rows, estimate->num_states, sizeof *rows, "the estimates", error));
    b->level = level;
    for (uint32_t state = 0; state < estimate->num_states; state++)
        rows[state] = evaluate(estimate, state, &estimables[metric], parameter, b);
    for (uint64_t i = 0; i < estimate->num_rows; i++) {
        const row *r = &rows[estimate->row_states[i]];
        if (values) values[i] = r->value;
        if (errors) errors[i] = r->error;
        if (low) low[i] = r->low;
        if (high) high[i] = r->high;
    }
cleanup:
    sl_i_release(rows, estimate->num_states, sizeof *rows);
    sl_i_release(b, 1, sizeof *b);
    return status;
}
