/* test_regression.c: faults that were found once, each with the smallest case that showed it. */
#include "hierarchy/hierarchy.h"
#include "hierarchy/scores.h"
#include "records/context.h"
#include "support/expect.h"
#include "support/failing_memory.h"

#define ROWS 200000u

static void extending_with_fewer_decimals_leaves_the_base_alone(void **state) {
    sl_context *context = NULL;
    uint16_t source;
    const uint32_t left[] = {0, 2}, right[] = {1, 3};
    const double scores[] = {0.123456, 0.777777};
    sl_hierarchy *base = NULL, *extended = NULL;
    (void)state;
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "s", 1, &source, &expect_error));
    sl_edges first = {.left.keys = {.type = SL_COLUMN_UINT32, .length = 1, .values = left},
                      .right.keys = {.type = SL_COLUMN_UINT32, .length = 1, .values = right},
                      .score = {.type = SL_COLUMN_FLOAT64, .length = 1, .values = scores}};
    sl_edges second = first;
    second.left.keys.offset = second.right.keys.offset = second.score.offset = 1;
    const sl_build_options coarse = {.decimals = 2};
    EXPECT_OK(sl_hierarchy_extend(context, NULL, &first, 1, NULL, &base, &expect_error));
    EXPECT_OK(sl_hierarchy_extend(context, base, &second, 1, &coarse, &extended, &expect_error));
    assert_int_equal(sl_hierarchy_num_levels(extended), 2);
    assert_true(sl_hierarchy_levels(extended)[0] == 0.78);
    assert_true(sl_hierarchy_levels(extended)[1] == 0.123456);
    sl_hierarchy_release(base);
    sl_hierarchy_release(extended);
    sl_context_release(context);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void a_threshold_of_negative_zero_is_zero(void **state) {
    const uint32_t entities[] = {0, 0, 1};
    sl_hierarchy *plus = NULL, *minus = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_from_entities(3, NULL, entities, 3, 2, 0.0, &plus, &expect_error));
    EXPECT_OK(sl_hierarchy_from_entities(3, NULL, entities, 3, 2, -0.0, &minus, &expect_error));
    assert_true(sl_hierarchy_equal(plus, minus));
    sl_hierarchy_release(plus);
    sl_hierarchy_release(minus);
}

static void the_first_bad_score_is_named_whatever_is_wrong_with_it(void **state) {
    sl_context *context = NULL;
    uint16_t source;
    const uint32_t keys[] = {0, 1, 2, 3};
    const double scores[] = {0.5, 2.0, 0.0, 0.5};
    const uint8_t validity = 0x0B; /* row 2 is null, row 1 out of range */
    sl_hierarchy *hierarchy = NULL;
    (void)state;
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "s", 1, &source, &expect_error));
    const sl_edges edges = {.left.keys = {.type = SL_COLUMN_UINT32, .length = 4, .values = keys},
                            .right.keys = {.type = SL_COLUMN_UINT32, .length = 4, .values = keys},
                            .score = {.type = SL_COLUMN_FLOAT64, .length = 4, .values = scores, .validity = &validity}};
    assert_int_equal(sl_hierarchy_extend(context, NULL, &edges, 1, NULL, &hierarchy, &expect_error),
                     SL_ERROR_INVALID_SCORE);
    assert_int_equal(expect_error.row, 1);
    assert_int_equal(sl_context_num_records(context), 0);
    sl_context_release(context);
}

static void f_beta_is_finite_at_any_beta(void **state) {
    const uint32_t left[] = {0}, right[] = {1}, labels[] = {0, 0, 1};
    const double scores[] = {0.5}, betas[] = {1e-300, 0.5, 1.0, 2.0, 1e160, 1e308};
    const sl_curve_options options = {.reference_labels = labels, .num_reference_labels = 2};
    sl_hierarchy *hierarchy = NULL;
    sl_curve *curve = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(3, left, right, scores, 1, NULL, &hierarchy, &expect_error));
    EXPECT_OK(sl_curve_create(hierarchy, 0, &options, &curve, &expect_error));
    for (size_t i = 0; i < sizeof betas / sizeof *betas; i++) {
        double value = -1;
        EXPECT_OK(sl_curve_metric(curve, SL_METRIC_F_BETA, betas[i], &value, &expect_error));
        assert_true(value == 1.0);
    }
    EXPECT_FAILURE(sl_curve_metric(curve, SL_METRIC_F1, 0, NULL, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    sl_curve_release(curve);
    sl_hierarchy_release(hierarchy);
}

static void missing_arrays_are_refused(void **state) {
    const uint32_t some[] = {0, 1};
    const double scores[] = {0.5, 0.5};
    sl_hierarchy *hierarchy = NULL;
    sl_metric metric;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_build(3, NULL, some, scores, 2, NULL, &hierarchy, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_hierarchy_build(3, some, some, NULL, 2, NULL, &hierarchy, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_hierarchy_from_entities(3, NULL, NULL, 3, 2, 1.0, &hierarchy, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_metric_from_name(NULL, &metric, &expect_error), SL_ERROR_UNKNOWN_METRIC, -1);
    assert_null(hierarchy);
}

static void decimal_scores_are_read(void **state) {
    const int64_t halves[] = {5, 0, 25, 0, -1, -1}; /* low, high words of 0.5, 2.5, -0.1 */
    const sl_column column = {.type = SL_COLUMN_DECIMAL128, .length = 3, .values = halves, .width = 1};
    double buffer[3];
    const double *read = NULL;
    (void)state;
    EXPECT_OK(sl_i_scores_check(&column, &expect_error));
    EXPECT_OK(sl_i_scores_read(&column, SL_SCALE_PROBABILITY, 0, 3, 0, buffer, &read, &expect_error));
    assert_true(read[0] == 0.5 && read[1] == 2.5 && read[2] == -0.1);
}

/* ---- int keys numbered by several threads ------------------------------------------------------------------------ */

static int64_t left_keys[ROWS], right_keys[ROWS];
static double scores_of[ROWS];

static void fill_edges(void) {
    uint64_t seed = 7;
    for (uint32_t i = 0; i < ROWS; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        left_keys[i] = (int64_t)(seed >> 33) % 70000;
        right_keys[i] = (int64_t)(seed >> 17) % 70000;
        scores_of[i] = (double)(seed >> 40) / 16777216.0;
    }
}

static sl_edges edges_between(uint16_t left_source, uint16_t right_source) {
    return (sl_edges){
        .left = {.keys = {.type = SL_COLUMN_INT64, .length = ROWS, .values = left_keys}, .source = left_source},
        .right = {.keys = {.type = SL_COLUMN_INT64, .length = ROWS, .values = right_keys}, .source = right_source},
        .score = {.type = SL_COLUMN_FLOAT64, .length = ROWS, .values = scores_of}};
}

/* A context with two sources and, with `some_known`, a few records of the first. */
static sl_context *make_context(bool some_known) {
    sl_context *context = NULL;
    uint16_t source;
    const uint32_t known[] = {69999, 5, 12345};
    uint32_t indices[3];
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "a", 1, &source, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "b", 1, &source, &expect_error));
    const sl_key_column column = {.keys = {.type = SL_COLUMN_UINT32, .length = 3, .values = known}};
    if (some_known) EXPECT_OK(sl_context_intern(context, &column, indices, NULL, &expect_error));
    return context;
}

static void expect_same_records(const sl_context *a, const sl_context *b) {
    assert_int_equal(sl_context_num_records(a), sl_context_num_records(b));
    for (uint32_t i = 0; i < sl_context_num_records(a); i++) {
        sl_record x, y;
        assert_true(sl_context_record(a, i, &x) && sl_context_record(b, i, &y));
        assert_int_equal(x.source, y.source);
        assert_int_equal(x.key.number, y.key.number);
        assert_int_equal(x.key.kind, y.key.kind);
    }
    assert_int_equal(sl_context_key_kinds(a), sl_context_key_kinds(b));
}

static void several_threads_number_int_keys_like_one(void **state) {
    (void)state;
    fill_edges();
    for (uint32_t variant = 0; variant < 4; variant++) {
        sl_context *contexts[2];
        sl_hierarchy *hierarchies[2];
        const sl_edges edges = edges_between(0, variant & 1);
        for (uint32_t i = 0; i < 2; i++) {
            sl_set_num_threads(i == 0 ? 1 : 3);
            contexts[i] = make_context(variant & 2);
            EXPECT_OK(sl_hierarchy_extend(contexts[i], NULL, &edges, 1, NULL, &hierarchies[i], &expect_error));
            EXPECT_OK(sl_i_context_validate(contexts[i], &expect_error));
            EXPECT_OK(sl_hierarchy_validate(hierarchies[i], &expect_error));
        }
        expect_same_records(contexts[0], contexts[1]);
        assert_true(sl_hierarchy_equal(hierarchies[0], hierarchies[1]));
        for (uint32_t i = 0; i < 2; i++) {
            sl_hierarchy_release(hierarchies[i]);
            sl_context_release(contexts[i]);
        }
    }
    sl_set_num_threads(0);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void numbering_by_several_threads_names_the_bad_row(void **state) {
    sl_hierarchy *hierarchy = NULL;
    const sl_edges edges = edges_between(0, 0);
    (void)state;
    fill_edges();
    sl_set_num_threads(3);
    sl_context *context = make_context(true);
    right_keys[150001] = -4;
    left_keys[170000] = -5;
    assert_int_equal(sl_hierarchy_extend(context, NULL, &edges, 1, NULL, &hierarchy, &expect_error),
                     SL_ERROR_INVALID_KEY);
    assert_int_equal(expect_error.row, 150001);
    assert_non_null(strstr(expect_error.message, "right"));
    assert_int_equal(sl_context_num_records(context), 3);
    EXPECT_OK(sl_i_context_validate(context, &expect_error));

    fill_edges();
    sl_i_context_set_capacity_for_test(context, 1000);
    assert_int_equal(sl_hierarchy_extend(context, NULL, &edges, 1, NULL, &hierarchy, &expect_error), SL_ERROR_CAPACITY);
    assert_int_equal(sl_context_num_records(context), 3);
    EXPECT_OK(sl_i_context_validate(context, &expect_error));
    sl_context_release(context);
    sl_set_num_threads(0);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void numbering_by_several_threads_survives_failed_allocations(void **state) {
    const sl_edges edges = edges_between(0, 1);
    sl_hierarchy *hierarchy = NULL;
    (void)state;
    fill_edges();
    sl_set_num_threads(2);
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_context *context = make_context(true);
    for (uint64_t k = 0; !hierarchy; k++) {
        failing_memory_once_after(k);
        sl_status status = sl_hierarchy_extend(context, NULL, &edges, 1, NULL, &hierarchy, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_null(hierarchy);
        assert_int_equal(sl_context_num_records(context), 3);
        EXPECT_OK(sl_i_context_validate(context, &expect_error));
        assert_true(k < 200);
    }
    EXPECT_OK(sl_hierarchy_validate(hierarchy, &expect_error));
    sl_hierarchy_release(hierarchy);
    sl_context_release(context);
    assert_int_equal(sl_memory_in_use(), 0);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
    sl_set_num_threads(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extending_with_fewer_decimals_leaves_the_base_alone),
        cmocka_unit_test(a_threshold_of_negative_zero_is_zero),
        cmocka_unit_test(the_first_bad_score_is_named_whatever_is_wrong_with_it),
        cmocka_unit_test(f_beta_is_finite_at_any_beta),
        cmocka_unit_test(missing_arrays_are_refused),
        cmocka_unit_test(decimal_scores_are_read),
        cmocka_unit_test(several_threads_number_int_keys_like_one),
        cmocka_unit_test(numbering_by_several_threads_names_the_bad_row),
        cmocka_unit_test(numbering_by_several_threads_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
