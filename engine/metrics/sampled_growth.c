/* sampled_growth.c: coefficients of the sums in the size of a growing component; the definitions are in sampled_growth.h. */
#include "metrics/sampled_growth.h"

/* By how much the parts of one entity change with d. */
static sl_i_parts slope_of(unsigned family, double weight, double count) {
    if (family == SL_I_PAIRS) return (sl_i_parts){{0.0, weight * count, 0.0}};
    if (family == SL_I_ENTITIES) return (sl_i_parts){{0.0, -(weight * count), 0.0}};
    double square = weight * count * count;
    return (sl_i_parts){{-square, square, 0.0}};
}

static void add_products(sl_i_slopes *slopes, const double *parts, const double *slope) {
    unsigned product = 0;
    for (unsigned i = 0; i < SL_I_NUM_PARTS; i++)
        for (unsigned j = i; j < SL_I_NUM_PARTS; j++)
            sl_i_sum_add(&slopes->products[product++], parts[i] * slope[j] + slope[i] * parts[j]);
}

static void add_slope(sl_i_slopes *slopes, const double *slope) {
    unsigned product = 0;
    for (unsigned i = 0; i < SL_I_NUM_PARTS; i++) {
        slopes->sums[i] += slope[i];
        for (unsigned j = i; j < SL_I_NUM_PARTS; j++) slopes->squares[product++] += slope[i] * slope[j];
    }
}

void sl_i_growth_add(sl_i_growth *growth, double weight, uint32_t count, const sl_i_parts *parts) {
    for (unsigned family = 0; family < SL_I_NUM_FAMILIES; family++) {
        sl_i_parts slope = slope_of(family, weight, count);
        add_slope(&growth->families[family], slope.of);
        add_products(&growth->families[family], parts[family].of, slope.of);
    }
}

void sl_i_growth_change(sl_i_growth *growth, double weight, uint32_t count, const sl_i_parts *before,
                        const sl_i_parts *now) {
    for (unsigned family = 0; family < SL_I_NUM_FAMILIES; family++) {
        sl_i_parts slope = slope_of(family, weight, count), change;
        for (unsigned i = 0; i < SL_I_NUM_PARTS; i++) change.of[i] = now[family].of[i] - before[family].of[i];
        add_products(&growth->families[family], change.of, slope.of);
    }
}

void sl_i_growth_apply(const sl_i_growth *growth, uint32_t size, sl_i_sampled_sums *state) {
    double more = size - growth->start, start = growth->start;
    for (unsigned family = 0; family < SL_I_NUM_FAMILIES; family++) {
        const sl_i_slopes *slopes = &growth->families[family];
        sl_i_family *sums = &state->families[family];
        double d = family == SL_I_PAIRS ? more / 2.0 : more / start / size;
        for (unsigned i = 0; i < SL_I_NUM_PARTS; i++) sums->sums[i] += d * slopes->sums[i];
        for (unsigned i = 0; i < SL_I_NUM_PRODUCTS; i++)
            sums->products[i] += d * (sl_i_sum_value(&slopes->products[i]) + d * slopes->squares[i]);
    }
}
