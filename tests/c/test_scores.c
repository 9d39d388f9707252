/* test_scores.c: scores as codes: the rounding of a simple definition in every twin, the order of exact ones, the first
 * invalid score, and reading every type of number column. */
#include "support/expect.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "hierarchy/scores.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/vector.h"

#define MANY 100000u

/* Scores near every place where rounding could go wrong. */
static sl_i_ticker ticker; /* of no callback */

static double *make_scores(uint32_t *count) {
    double *scores = fresh_memory(MANY, sizeof *scores);
    uint64_t state = 11;
    for (uint32_t i = 0; i < MANY; i++) {
        double step = pow(10, 1 + (double)graph_below(&state, 6)), whole = floor(graph_fraction(&state) * step);
        switch (graph_below(&state, 6)) {
        case 0: scores[i] = graph_fraction(&state); break;
        case 1: scores[i] = whole / step; break;
        case 2: scores[i] = (whole + 0.5) / step; break; /* ties */
        case 3: scores[i] = nextafter((whole + 0.5) / step, 0); break;
        case 4: scores[i] = fmin(nextafter((whole + 0.5) / step, 2), 1); break;
        default: scores[i] = (double)(float)graph_fraction(&state); break;
        }
    }
    const double special[] = {0.0,          -0.0,   1.0,       0.5,    0.25,      0.75,  0.1 + 0.75, 0.85,   5e-7,
                              4.9999999e-7, 1.5e-6, 0x1p-1074, -1e-10, 1 + 1e-10, -1e-9, 1 + 1e-9,   0x1p-60};
    memcpy(scores, special, sizeof special);
    *count = MANY;
    return scores;
}

static void expect_plain_codes(const double *scores, uint32_t count, uint32_t decimals, const uint32_t *codes) {
    for (uint32_t i = 0; i < count; i++) {
        double expected = plain_round(scores[i], decimals);
        if ((double)codes[i] / 1e6 != expected)
            fail_msg("%.17g to %u decimals is %u millionths, not %.17g", scores[i], decimals, codes[i], expected);
    }
}

static void rounding_is_half_even_to_every_number_of_decimals(void **state) {
    uint32_t count, *codes = fresh_memory(MANY, sizeof *codes);
    double *scores = make_scores(&count);
    (void)state;
    for (uint32_t decimals = 1; decimals <= 6; decimals++) {
        sl_i_score_coder coder;
        sl_i_score_coder_init_rounded(&coder, decimals);
        EXPECT_OK(sl_i_score_coder_seal(&coder, &ticker, &expect_error));
        assert_int_equal(sl_i_code_scores(&coder, scores, count, codes), count);
        expect_plain_codes(scores, count, decimals, codes);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(codes[i] <= sl_i_score_coder_max(&coder));
            assert_true(sl_i_code_value(&coder, codes[i]) == plain_round(scores[i], decimals));
        }
        sl_i_score_coder_release(&coder);
    }
    free(scores);
    free(codes);
}

static void ties_round_to_the_even_neighbour(void **state) {
    const double scores[] = {0.25, 0.75, 0.125, 0.375, 0.5};
    const uint32_t tenths[] = {200000, 800000, 100000, 400000, 500000};
    uint32_t codes[5];
    sl_i_score_coder coder;
    (void)state;
    sl_i_score_coder_init_rounded(&coder, 1);
    assert_int_equal(sl_i_code_scores(&coder, scores, 5, codes), 5);
    for (int i = 0; i < 5; i++) assert_int_equal(codes[i], tenths[i]);
}

static void vector_and_portable_twins_agree(void **state) {
    uint32_t count, *wide = fresh_memory(MANY, sizeof *wide), *portable = fresh_memory(MANY, sizeof *portable);
    double *scores = make_scores(&count);
    (void)state;
    for (uint32_t decimals = 1; decimals <= 6; decimals++)
        for (uint32_t cut = 0; cut < 20; cut++) { /* every alignment and tail */
            sl_i_score_coder coder;
            sl_i_score_coder_init_rounded(&coder, decimals);
            uint32_t first = cut % 5, length = cut < 10 ? cut : count - cut;
            assert_int_equal(sl_i_code_scores(&coder, scores + first, length, wide), length);
            sl_i_use_portable(true);
            assert_false(sl_i_has_avx2());
            assert_int_equal(sl_i_code_scores(&coder, scores + first, length, portable), length);
            sl_i_use_portable(false);
            assert_memory_equal(wide, portable, length * sizeof *wide);
        }
    free(scores);
    free(wide);
    free(portable);
}

/* ---- invalid scores --------------------------------------------------------------------------------------------- */

static void the_first_invalid_score_is_named_wherever_it_stands(void **state) {
    const double invalid[] = {NAN, -NAN, INFINITY, -INFINITY, -1e-8, 1 + 1e-8, -1, 2, 1e300, -1e300};
    static const uint32_t places[] = {0, 1, 7, 4095, 4096, 4097, 9999};
    double *scores = fresh_memory(10000, sizeof *scores);
    uint32_t *codes = fresh_memory(10000, sizeof *codes);
    (void)state;
    for (size_t v = 0; v < sizeof invalid / sizeof *invalid; v++)
        for (size_t p = 0; p < sizeof places / sizeof *places; p++)
            for (int portable = 0; portable < 2; portable++) {
                sl_i_score_coder coder;
                sl_i_score_coder_init_rounded(&coder, 6);
                for (uint32_t i = 0; i < 10000; i++) scores[i] = i < places[p] ? 0.5 : NAN;
                scores[places[p]] = invalid[v];
                sl_i_use_portable(portable == 1);
                assert_int_equal(sl_i_code_scores(&coder, scores, 10000, codes), places[p]);
                sl_i_use_portable(false);
                assert_int_equal(sl_i_find_invalid_score(SL_SCALE_PROBABILITY, scores, 10000), places[p]);
            }
    free(scores);
    free(codes);
}

static void scores_a_hair_outside_count_as_the_ends(void **state) {
    const double scores[] = {-1e-10, -1e-9, 1 + 1e-10, 1 + 1e-9};
    uint32_t codes[4];
    sl_i_score_coder coder;
    (void)state;
    sl_i_score_coder_init_rounded(&coder, 6);
    assert_int_equal(sl_i_code_scores(&coder, scores, 4, codes), 4);
    assert_int_equal(codes[0] | codes[1], 0);
    assert_int_equal(codes[2], SL_I_UNITS);
    assert_int_equal(codes[3], SL_I_UNITS);
}

/* ---- exact ------------------------------------------------------------------------------------------------------ */

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* `decimals` as of plain_round: what is ranked, exact scores or weights. */
static void check_ranks_of(const double *scores, uint32_t count, uint32_t decimals) {
    sl_i_score_coder coder;
    double *distinct = fresh_memory(count, sizeof *distinct);
    uint32_t *codes = fresh_memory(count, sizeof *codes), num_distinct = 0, half = count / 2;
    for (uint32_t i = 0; i < count; i++) distinct[i] = plain_round(scores[i], decimals);
    qsort(distinct, count, sizeof *distinct, rising);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || distinct[i] != distinct[i - 1]) distinct[num_distinct++] = distinct[i];
    if (decimals == PLAIN_EXACT)
        EXPECT_OK(sl_i_score_coder_init_exact(&coder, count, &expect_error));
    else
        EXPECT_OK(sl_i_score_coder_init_weights(&coder, decimals - PLAIN_WEIGHTS, count, &expect_error));
    sl_i_score_coder_collect(&coder, scores, half);
    sl_i_score_coder_collect(&coder, scores + half, count - half);
    EXPECT_OK(sl_i_score_coder_seal(&coder, &ticker, &expect_error));
    assert_int_equal(sl_i_score_coder_max(&coder), num_distinct > 0 ? num_distinct - 1 : 0);
    assert_int_equal(sl_i_code_scores(&coder, scores, count, codes), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(codes[i] < num_distinct);
        assert_true(distinct[codes[i]] == plain_round(scores[i], decimals));
        assert_true(sl_i_code_value(&coder, codes[i]) == distinct[codes[i]]);
    }
    sl_i_score_coder_release(&coder);
    free(distinct);
    free(codes);
}

static void check_ranks(const double *scores, uint32_t count) { check_ranks_of(scores, count, PLAIN_EXACT); }

static void exact_codes_are_ranks_of_the_distinct_scores(void **state) {
    uint32_t count;
    double *scores = make_scores(&count);
    (void)state;
    check_ranks(scores, count);
    for (uint32_t few = 0; few < 20; few++) check_ranks(scores + few * 7, few);
    for (uint32_t i = 0; i < count; i++) scores[i] = 0.5 + (double)(i % 1000) * 0x1p-53; /* all in one bucket */
    check_ranks(scores, count);
    for (uint32_t i = 0; i < count; i++) scores[i] = 1.0;
    check_ranks(scores, count);
    for (uint32_t i = 0; i < count; i++) scores[i] = (double)(i % 65537) / 65536; /* every bucket's edge */
    check_ranks(scores, count);
    free(scores);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void exact_zeros_of_both_signs_are_one_score(void **state) {
    const double scores[] = {-0.0, 0.0, -1e-10};
    uint32_t codes[3];
    sl_i_score_coder coder;
    (void)state;
    EXPECT_OK(sl_i_score_coder_init_exact(&coder, 3, &expect_error));
    sl_i_score_coder_collect(&coder, scores, 3);
    EXPECT_OK(sl_i_score_coder_seal(&coder, &ticker, &expect_error));
    assert_int_equal(sl_i_score_coder_max(&coder), 0);
    assert_int_equal(sl_i_code_scores(&coder, scores, 3, codes), 3);
    double value = sl_i_code_value(&coder, codes[0]);
    assert_true(value == 0.0 && !signbit(value));
    sl_i_score_coder_release(&coder);
}

/* ---- weights ---------------------------------------------------------------------------------------------------- */

static void check_weights(const double *weights, uint32_t count) {
    for (uint32_t decimals = 0; decimals <= 6; decimals++) check_ranks_of(weights, count, PLAIN_WEIGHTS + decimals);
}

/* Bits of any finite double. */
static double any_double(uint64_t *state) {
    double number;
    do {
        uint64_t bits = graph_random(state);
        memcpy(&number, &bits, sizeof number);
    } while (!isfinite(number));
    return number;
}

static void codes_of_weights_are_ranks_of_the_distinct_rounded_ones(void **state) {
    const double ends[] = {-DBL_MAX, DBL_MAX, -DBL_MAX, 0.0, -0.0, -1e308, 1e308, 4.5e9, -4.5e9, 0x1p-1074, -0x1p-1074};
    const double narrow[] = {0x1p-1074, 0, 0x1p-1073, -0x1p-1074}, one_bit[] = {1e300, 0x1.fffffffffffffp+1023};
    uint32_t count = 20000;
    double *weights = fresh_memory(count, sizeof *weights);
    uint64_t random = 5;
    (void)state;
    check_weights(ends, sizeof ends / sizeof *ends);
    check_weights(narrow, 4);
    check_weights(one_bit, 2);
    for (uint32_t few = 0; few < 3; few++) check_weights(ends + few, few);
    for (uint32_t i = 0; i < count; i++) weights[i] = 60 * graph_fraction(&random) - 25;
    check_weights(weights, count);
    weights[7] = -1e308; /* all others in one bucket */
    weights[8] = 1e308;
    check_weights(weights, count);
    for (uint32_t i = 0; i < count; i++) weights[i] = (double)graph_below(&random, 100) - 50;
    check_weights(weights, count);
    for (uint32_t i = 0; i < count; i++) weights[i] = any_double(&random);
    check_weights(weights, count);
    free(weights);
}

static void rounding_weights_is_rounding_to_digits(void **state) {
    static const double steps[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    uint64_t random = 3;
    char text[400];
    (void)state;
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t decimals = 1 + i % 6;
        double weight =
            i % 3 ? (graph_fraction(&random) - 0.5) * pow(2, graph_below(&random, 54)) : any_double(&random);
        double rounded = sl_i_round_to(weight, steps[decimals]);
        if (fabs(weight) * steps[decimals] >= 0x1p51) {
            assert_true(rounded == weight);
            continue;
        }
        snprintf(text, sizeof text, "%.*f", (int)decimals, rounded);
        assert_true(strtod(text, NULL) == rounded); /* so many digits tell it */
        assert_true(fabs(rounded - weight) * steps[decimals] < 1);
        assert_true(fabs(rounded) > 0 || !signbit(rounded));
        assert_true(sl_i_round_to(rounded, 1e6) == rounded); /* what was rounded stays */
        if (weight >= 0 && weight <= 1) assert_true(rounded == plain_round(weight, decimals));
    }
}

static void weights_are_invalid_only_if_they_are_not_finite(void **state) {
    double weights[] = {-1e308, -1, 2, 1 + 1e-8, DBL_MAX, NAN, INFINITY, -INFINITY};
    (void)state;
    for (uint32_t last = 5; last < 8; last++) {
        weights[5] = weights[last];
        sl_i_score_coder coder;
        uint32_t codes[6];
        EXPECT_OK(sl_i_score_coder_init_weights(&coder, 6, 5, &expect_error));
        sl_i_score_coder_collect(&coder, weights, 5);
        EXPECT_OK(sl_i_score_coder_seal(&coder, &ticker, &expect_error));
        assert_int_equal(sl_i_find_invalid_score(SL_SCALE_WEIGHT, weights, 6), 5);
        assert_int_equal(sl_i_code_scores(&coder, weights, 6, codes), 5);
        assert_int_equal(sl_i_code_scores(&coder, weights, 5, codes), 5);
        sl_i_score_coder_release(&coder);
    }
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static void expect_read(sl_column_type type, const void *values, double second, double third) {
    const sl_column column = {.type = type, .length = 2, .offset = 1, .values = values};
    const double *read = NULL;
    double buffer[2];
    EXPECT_OK(sl_i_scores_check(&column, &expect_error));
    EXPECT_OK(sl_i_scores_read(&column, SL_SCALE_PROBABILITY, 0, 2, 0, buffer, &read, &expect_error));
    assert_true(read[0] == second && read[1] == third);
    EXPECT_OK(sl_i_scores_read(&column, SL_SCALE_PROBABILITY, 1, 1, 0, buffer, &read, &expect_error));
    assert_true(read[0] == third);
}

static void every_number_column_can_be_read_from_an_offset(void **state) {
    (void)state;
    expect_read(SL_COLUMN_INT8, (const int8_t[]){9, 1, -1}, 1, -1);
    expect_read(SL_COLUMN_INT16, (const int16_t[]){9, 1, -300}, 1, -300);
    expect_read(SL_COLUMN_INT32, (const int32_t[]){9, 1, -70000}, 1, -70000);
    expect_read(SL_COLUMN_INT64, (const int64_t[]){9, 1, -1}, 1, -1);
    expect_read(SL_COLUMN_UINT8, (const uint8_t[]){9, 1, 255}, 1, 255);
    expect_read(SL_COLUMN_UINT16, (const uint16_t[]){9, 1, 65535}, 1, 65535);
    expect_read(SL_COLUMN_UINT32, (const uint32_t[]){9, 0, 1}, 0, 1);
    expect_read(SL_COLUMN_UINT64, (const uint64_t[]){9, 0, 1}, 0, 1);
    expect_read(SL_COLUMN_FLOAT32, (const float[]){9, 0.5f, 0.25f}, 0.5, 0.25);
    expect_read(SL_COLUMN_FLOAT64, (const double[]){9, 0.5, 0.85}, 0.5, 0.85);
}

static void a_null_score_is_named_by_its_row_over_all_batches(void **state) {
    const double values[] = {0, 0.1, 0.2, 0.3, 0.4};
    const uint8_t validity = 0x17; /* 10111: value 3 is null */
    sl_column column = {.type = SL_COLUMN_FLOAT64, .length = 4, .offset = 1, .validity = &validity, .values = values};
    const double *read = NULL;
    double buffer[4];
    (void)state;
    EXPECT_OK(sl_i_scores_read(&column, SL_SCALE_PROBABILITY, 0, 2, 100, buffer, &read, &expect_error));
    assert_true(read[1] == 0.2);
    EXPECT_FAILURE(sl_i_scores_read(&column, SL_SCALE_PROBABILITY, 1, 3, 100, buffer, &read, &expect_error),
                   SL_ERROR_INVALID_SCORE, 102);
    column.type = SL_COLUMN_NULL;
    EXPECT_OK(sl_i_scores_check(&column, &expect_error));
    EXPECT_FAILURE(sl_i_scores_read(&column, SL_SCALE_PROBABILITY, 0, 1, 7, buffer, &read, &expect_error),
                   SL_ERROR_INVALID_SCORE, 7);
}

static void columns_that_are_no_numbers_are_refused(void **state) {
    const sl_column strings = {.type = SL_COLUMN_STRING}, keys = {.type = SL_COLUMN_KEYS},
                    coded = {.type = SL_COLUMN_INT32, .dictionary = &strings};
    (void)state;
    EXPECT_FAILURE(sl_i_scores_check(&strings, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_i_scores_check(&keys, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_i_scores_check(&coded, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_half_even_to_every_number_of_decimals),
        cmocka_unit_test(ties_round_to_the_even_neighbour),
        cmocka_unit_test(vector_and_portable_twins_agree),
        cmocka_unit_test(the_first_invalid_score_is_named_wherever_it_stands),
        cmocka_unit_test(scores_a_hair_outside_count_as_the_ends),
        cmocka_unit_test(exact_codes_are_ranks_of_the_distinct_scores),
        cmocka_unit_test(exact_zeros_of_both_signs_are_one_score),
        cmocka_unit_test(codes_of_weights_are_ranks_of_the_distinct_rounded_ones),
        cmocka_unit_test(rounding_weights_is_rounding_to_digits),
        cmocka_unit_test(weights_are_invalid_only_if_they_are_not_finite),
        cmocka_unit_test(every_number_column_can_be_read_from_an_offset),
        cmocka_unit_test(a_null_score_is_named_by_its_row_over_all_batches),
        cmocka_unit_test(columns_that_are_no_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
