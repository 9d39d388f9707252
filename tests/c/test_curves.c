/* test_curves.c: many comparisons in one call are what they are one by one, and follow their definitions; shared labels; errors,
 * memory, interrupts and progress. */
#include "support/expect.h"

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/plain_metrics.h"

#define MAX_COMPARISONS 24
#define EXTRA_RECORDS 5u

static const double points[] = {0.0, 1.0, 0.85, 0.5, 0.25, 0.5};
#define NUM_POINTS (sizeof points / sizeof *points)

/* ---- what is compared -------------------------------------------------------------------------------------------- */

/* Hierarchies over up to `num_records` records, and comparisons of each with each. */
typedef struct bench {
    graph graphs[3];
    sl_hierarchy *hierarchies[3];
    uint32_t num_records;
    sl_comparison comparisons[MAX_COMPARISONS];
    uint64_t count;
} bench;

static void add(bench *b, uint32_t judged, int reference, double reference_threshold, bool full) {
    assert_true(b->count < MAX_COMPARISONS);
    b->comparisons[b->count++] = (sl_comparison){.hierarchy = b->hierarchies[judged],
                                                 .num_records = b->num_records,
                                                 .thresholds = full ? NULL : points,
                                                 .num_thresholds = full ? 0 : NUM_POINTS,
                                                 .reference = reference < 0 ? NULL : b->hierarchies[reference],
                                                 .reference_threshold = reference_threshold};
}

static bench bench_make(uint64_t number) {
    bench b = {.num_records = 0};
    uint64_t random = number + 1;
    for (uint32_t i = 0; i < 3; i++) {
        b.graphs[i] = graph_small(3 * number + i);
        b.hierarchies[i] = plain_engine_build(&b.graphs[i], NULL);
        uint32_t covered = b.graphs[i].num_records;
        b.num_records = covered > b.num_records ? covered : b.num_records;
    }
    b.num_records += number % 2 ? EXTRA_RECORDS : 0;
    for (uint32_t i = 0; i < 20; i++) {
        int reference = (int)graph_below(&random, 4) - 1;
        add(&b, graph_below(&random, 3), reference, points[graph_below(&random, NUM_POINTS)], i % 2);
    }
    return b;
}

static void bench_free(bench *b) {
    for (uint32_t i = 0; i < 3; i++) {
        sl_hierarchy_release(b->hierarchies[i]);
        graph_free(&b->graphs[i]);
    }
}

static const graph *graph_of(const bench *b, const sl_hierarchy *hierarchy) {
    uint32_t i = 0;
    while (b->hierarchies[i] != hierarchy) i++;
    return &b->graphs[i];
}

static void release_all(sl_curve **curves, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) sl_curve_release(curves[i]);
}

static void expect_none(sl_curve *const *curves, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) assert_null(curves[i]);
}

/* ---- against the definitions, and one by one --------------------------------------------------------------------- */

/* Labels of the cut that brute force finds. */
static uint32_t *labels_of(const bench *b, const sl_hierarchy *hierarchy, double threshold) {
    const graph *g = graph_of(b, hierarchy);
    uint32_t *labels = fresh_memory(b->num_records, sizeof *labels);
    plain_components(g, 6, threshold, labels);
    for (uint32_t i = g->num_records; i < b->num_records; i++) labels[i] = i;
    return labels;
}

static void expect_defined(const bench *b, const sl_comparison *comparison, const sl_curve *curve) {
    uint32_t *truth = NULL;
    if (comparison->reference) truth = labels_of(b, comparison->reference, comparison->reference_threshold);
    for (uint64_t row = 0; row < sl_curve_length(curve); row++) {
        uint32_t *labels = labels_of(b, comparison->hierarchy, sl_curve_thresholds(curve)[row]);
        plain_metrics expected = plain_measure(labels, truth, b->num_records);
        plain_expect_metrics(curve, row, &expected);
        free(labels);
    }
    free(truth);
}

static void each_follows_its_definition(void **state) {
    (void)state;
    for (uint64_t number = 0; number < (uint64_t)EXPECT_SIZE(60, 12); number++) {
        bench b = bench_make(number);
        sl_curve *curves[MAX_COMPARISONS];
        EXPECT_OK(sl_curves_create(b.comparisons, b.count, curves, NULL, &expect_error));
        for (uint64_t i = 0; i < b.count; i++) expect_defined(&b, &b.comparisons[i], curves[i]);
        release_all(curves, b.count);
        bench_free(&b);
    }
}

static sl_curve *measure_alone(const sl_comparison *comparison) {
    static const uint32_t nothing = 0;
    sl_curve_options options = {.thresholds = comparison->thresholds, .num_thresholds = comparison->num_thresholds};
    sl_partition *cut = NULL;
    sl_curve *curve = NULL;
    if (comparison->reference) {
        EXPECT_OK(sl_partition_create(comparison->reference, comparison->num_records, comparison->reference_threshold,
                                      &cut, &expect_error));
        EXPECT_OK(sl_partition_labels(cut, &options.reference_labels, &expect_error));
        if (!options.reference_labels) options.reference_labels = &nothing;
        options.num_reference_labels = sl_partition_num_entities(cut);
    }
    EXPECT_OK(sl_curve_create(comparison->hierarchy, comparison->num_records, &options, &curve, &expect_error));
    sl_partition_release(cut);
    return curve;
}

/* Every metric of both, byte for byte. */
static void expect_same(const sl_curve *a, const sl_curve *b, bool with_reference) {
    uint64_t rows = sl_curve_length(a);
    assert_int_equal(rows, sl_curve_length(b));
    double *one = fresh_memory(rows, sizeof *one), *other = fresh_memory(rows, sizeof *other);
    assert_memory_equal(sl_curve_thresholds(a), sl_curve_thresholds(b), rows * sizeof(double));
    for (sl_metric metric = 0; metric < SL_NUM_METRICS; metric++) {
        if (sl_metric_needs_reference(metric) && !with_reference) continue;
        EXPECT_OK(sl_curve_metric(a, metric, plain_parameter(metric), one, &expect_error));
        EXPECT_OK(sl_curve_metric(b, metric, plain_parameter(metric), other, &expect_error));
        assert_memory_equal(one, other, rows * sizeof(double));
    }
    free(one);
    free(other);
}

static void together_is_as_one_by_one_on_any_number_of_threads(void **state) {
    static const uint32_t threads[] = {1, 2, 4};
    (void)state;
    for (uint64_t number = 0; number < (uint64_t)EXPECT_SIZE(60, 12); number++) {
        bench b = bench_make(number);
        sl_curve *curves[MAX_COMPARISONS];
        sl_set_num_threads(threads[number % 3]);
        EXPECT_OK(sl_curves_create(b.comparisons, b.count, curves, NULL, &expect_error));
        for (uint64_t i = 0; i < b.count; i++) {
            sl_curve *alone = measure_alone(&b.comparisons[i]);
            expect_same(alone, curves[i], b.comparisons[i].reference != NULL);
            sl_curve_release(alone);
        }
        release_all(curves, b.count);
        bench_free(&b);
    }
}

static void no_comparison_and_no_records(void **state) {
    sl_hierarchy *nothing = NULL;
    sl_curve *curves[2] = {NULL, NULL};
    (void)state;
    EXPECT_OK(sl_curves_create(NULL, 0, NULL, NULL, &expect_error));
    for (uint32_t n = 0; n < 3; n++) {
        EXPECT_OK(sl_hierarchy_build(n, NULL, NULL, NULL, 0, NULL, &nothing, &expect_error));
        const sl_comparison comparisons[] = {{.hierarchy = nothing, .reference = nothing, .reference_threshold = 0.5},
                                             {.hierarchy = nothing, .num_records = 2, .reference = nothing}};
        EXPECT_OK(sl_curves_create(comparisons, 2, curves, NULL, &expect_error));
        for (uint32_t i = 0; i < 2; i++) {
            double f1 = 0, entities = 0;
            EXPECT_OK(sl_curve_metric(curves[i], SL_METRIC_F1, 0, &f1, &expect_error));
            EXPECT_OK(sl_curve_metric(curves[i], SL_METRIC_ENTITY_COUNT, 0, &entities, &expect_error));
            assert_true(f1 == 1.0 && entities == (i ? 2 : n));
        }
        release_all(curves, 2);
        sl_hierarchy_release(nothing);
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static uint64_t peak;

static void *allocate_and_note(void *state, size_t size) {
    void *memory = NULL;
    (void)state;
    if (posix_memalign(&memory, 64, size) != 0) return NULL;
    uint64_t held = sl_memory_in_use() + size;
    if (held > peak) peak = held;
    return memory;
}

static const sl_allocator noting = {allocate_and_note, release_plainly, NULL};

/* The most memory held while 20 comparisons are made, number i with the reference cut at first + i * step. */
static uint64_t peak_of(const sl_hierarchy *hierarchy, double first, double step) {
    sl_comparison comparisons[20];
    sl_curve *curves[20];
    for (uint32_t i = 0; i < 20; i++)
        comparisons[i] = (sl_comparison){.hierarchy = hierarchy,
                                         .thresholds = points,
                                         .num_thresholds = 1,
                                         .reference = hierarchy,
                                         .reference_threshold = first + step * i};
    peak = 0;
    EXPECT_OK(sl_curves_create(comparisons, 20, curves, NULL, &expect_error));
    release_all(curves, 20);
    return peak;
}

static void labels_are_shared_and_not_all_alive_at_once(void **state) {
    (void)state;
    sl_set_num_threads(1);
    EXPECT_OK(sl_set_allocator(&noting, &expect_error));
    graph g = graph_make(GRAPH_GIANT, 20000, 20000, 40, 5);
    sl_hierarchy *hierarchy = plain_engine_build(&g, NULL);
    uint64_t one = 0;
    for (uint32_t i = 0; i < 20; i++) {
        uint64_t alone = peak_of(hierarchy, i * 0.05, 0);
        one = alone > one ? alone : one;
    }
    uint64_t labels = sizeof(uint32_t) * (uint64_t)g.num_records;
    assert_true(one > labels && peak_of(hierarchy, 0, 0.05) < one + labels);
    sl_hierarchy_release(hierarchy);
    graph_free(&g);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

static void running_out_of_memory_leaves_nothing(void **state) {
    static const uint32_t threads[] = {1, 4};
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    for (uint32_t t = 0; t < 2; t++) {
        bench b = bench_make(7);
        sl_curve *curves[MAX_COMPARISONS];
        uint64_t held = sl_memory_in_use();
        sl_status status = SL_ERROR_MEMORY;
        sl_set_num_threads(threads[t]);
        for (uint64_t allowed = 0; status != SL_OK; allowed++) {
            failing_memory_after(allowed);
            status = sl_curves_create(b.comparisons, b.count, curves, NULL, &expect_error);
            failing_memory_after(FAILING_NEVER);
            if (status == SL_OK) break;
            assert_int_equal(status, SL_ERROR_MEMORY);
            assert_int_equal(expect_error.status, SL_ERROR_MEMORY);
            expect_none(curves, b.count);
            assert_int_equal(sl_memory_in_use(), held);
        }
        release_all(curves, b.count);
        bench_free(&b);
    }
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void the_first_wrong_comparison_is_named(void **state) {
    static const double bad_points[] = {0.5, 2.0};
    bench b = bench_make(3);
    sl_curve *curves[MAX_COMPARISONS];
    (void)state;
    b.comparisons[9].reference = b.hierarchies[0];
    b.comparisons[9].reference_threshold = -1;
    b.comparisons[6].thresholds = bad_points;
    b.comparisons[6].num_thresholds = 2;
    EXPECT_FAILURE(sl_curves_create(b.comparisons, b.count, curves, NULL, &expect_error), SL_ERROR_INVALID_THRESHOLD,
                   6);
    expect_none(curves, b.count);
    assert_int_equal(sl_curves_create(b.comparisons, b.count, curves, NULL, NULL), SL_ERROR_INVALID_THRESHOLD);
    b.comparisons[6].num_thresholds = 1;
    EXPECT_FAILURE(sl_curves_create(b.comparisons, b.count, curves, NULL, &expect_error), SL_ERROR_INVALID_THRESHOLD,
                   9);
    b.comparisons[9].reference_threshold = 1;
    EXPECT_OK(sl_curves_create(b.comparisons, b.count, curves, NULL, &expect_error));
    release_all(curves, b.count);
    bench_free(&b);
}

static void both_are_over_the_records_asked_for(void **state) {
    sl_hierarchy *two = NULL, *three = NULL;
    sl_curve *curve = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(2, NULL, NULL, NULL, 0, NULL, &two, &expect_error));
    EXPECT_OK(sl_hierarchy_build(3, NULL, NULL, NULL, 0, NULL, &three, &expect_error));
    sl_comparison comparison = {.hierarchy = two, .reference = three};
    EXPECT_FAILURE(sl_curves_create(&comparison, 1, &curve, NULL, &expect_error), SL_ERROR_INVALID_ARGUMENT, 0);
    comparison = (sl_comparison){.hierarchy = three, .num_records = 2};
    EXPECT_FAILURE(sl_curves_create(&comparison, 1, &curve, NULL, &expect_error), SL_ERROR_INVALID_ARGUMENT, 0);
    comparison = (sl_comparison){.hierarchy = two, .num_records = 3, .reference = three};
    EXPECT_OK(sl_curves_create(&comparison, 1, &curve, NULL, &expect_error));
    sl_curve_release(curve);
    sl_hierarchy_release(two);
    sl_hierarchy_release(three);
}

/* ---- progress ---------------------------------------------------------------------------------------------------- */

typedef struct watch {
    uint32_t calls, stop_at; /* 0: never */
    uint64_t done, total;
    const char *phase;
} watch;

static int look(void *state, const char *phase, uint64_t done, uint64_t total) {
    watch *w = state;
    assert_true(done >= w->done && done <= total);
    assert_true(w->calls == 0 || (w->total == total && strcmp(w->phase, phase) == 0));
    *w = (watch){w->calls + 1, w->stop_at, done, total, phase};
    return w->calls == w->stop_at;
}

/* Enough work for many ticks. */
static void measure_watched(watch *w, sl_status expected) {
    graph g = graph_make(GRAPH_CLUSTERS, EXPECT_SIZE(400000, 150000), 400000, 0, 3);
    sl_hierarchy *hierarchy = plain_engine_build(&g, NULL);
    uint64_t held = sl_memory_in_use();
    const sl_progress progress = {look, w};
    sl_comparison comparisons[6];
    sl_curve *curves[6];
    for (uint32_t i = 0; i < 6; i++)
        comparisons[i] =
            (sl_comparison){.hierarchy = hierarchy, .reference = hierarchy, .reference_threshold = i * 0.1};
    assert_int_equal(sl_curves_create(comparisons, 6, curves, &progress, &expect_error), expected);
    if (expected != SL_OK) {
        expect_none(curves, 6);
        assert_int_equal(expect_error.status, expected);
        assert_int_equal(sl_memory_in_use(), held);
    } else {
        release_all(curves, 6);
        assert_int_equal(w->total, 6 * 2 * (uint64_t)g.num_records);
    }
    sl_hierarchy_release(hierarchy);
    graph_free(&g);
}

static void progress_counts_over_all(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads += 3) {
        watch w = {0};
        sl_set_num_threads(threads);
        measure_watched(&w, SL_OK);
        assert_true(w.calls > 0);
    }
}

static void it_can_be_stopped_at_any_tick(void **state) {
    (void)state;
    for (uint32_t stop_at = 1; stop_at < 4; stop_at++)
        for (uint32_t threads = 1; threads <= 4; threads += 3) {
            watch w = {.stop_at = stop_at};
            sl_set_num_threads(threads);
            measure_watched(&w, SL_ERROR_INTERRUPTED);
            assert_int_equal(w.calls, stop_at); /* not asked again */
        }
}

/* ---- collections ------------------------------------------------------------------------------------------------- */

static sl_collection *collection_over(uint32_t num_records) {
    const uint32_t left[] = {0, 1}, right[] = {1, 2}, records[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const double scores[] = {0.9, 0.5};
    const sl_key_column keys = {.keys = {.type = SL_COLUMN_UINT32, .length = num_records, .values = records}};
    sl_context *context = NULL;
    sl_hierarchy *hierarchy = NULL;
    sl_collection *made = NULL;
    uint32_t indices[8];
    uint16_t source;
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "a", 1, &source, &expect_error));
    EXPECT_OK(sl_context_intern(context, &keys, indices, NULL, &expect_error));
    EXPECT_OK(sl_hierarchy_build(3, left, right, scores, 2, NULL, &hierarchy, &expect_error));
    EXPECT_OK(sl_collection_create(context, hierarchy, num_records, 6, NULL, &made, &expect_error));
    sl_hierarchy_release(hierarchy);
    sl_context_release(context);
    return made;
}

static void collections_note_what_was_measured(void **state) {
    sl_collection *a = collection_over(5), *b = collection_over(5), *other = collection_over(4);
    sl_collection_comparison comparisons[] = {
        {.collection = a, .reference = b, .reference_threshold = 0.9},
        {.collection = a, .thresholds = points, .num_thresholds = NUM_POINTS, .reference = b},
        {.collection = b}};
    sl_curve *curves[3];
    sl_computation_stats stats;
    (void)state;
    EXPECT_OK(sl_collections_measure(comparisons, 3, curves, NULL, &expect_error));
    sl_collection_stats(a, &stats);
    assert_int_equal(stats.total, 2 + NUM_POINTS);
    assert_int_equal(stats.incremental, 1 + NUM_POINTS - 1);
    assert_true(stats.seconds > 0 && stats.seconds_one_by_one >= 2 * stats.seconds);
    sl_collection_stats(b, &stats);
    assert_int_equal(stats.total, 2);
    release_all(curves, 3);
    comparisons[1].reference = other;
    EXPECT_FAILURE(sl_collections_measure(comparisons, 3, curves, NULL, &expect_error), SL_ERROR_INVALID_ARGUMENT, 1);
    expect_none(curves, 3);
    sl_collection_stats(b, &stats);
    assert_int_equal(stats.total, 2);
    sl_collection_release(a);
    sl_collection_release(b);
    sl_collection_release(other);
}

static void collections_run_out_of_memory(void **state) {
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    sl_collection *a = collection_over(5);
    const sl_collection_comparison comparison = {.collection = a, .reference = a};
    sl_curve *curve = NULL;
    sl_status status = SL_ERROR_MEMORY;
    for (uint64_t allowed = 0; status != SL_OK; allowed++) {
        failing_memory_after(allowed);
        status = sl_collections_measure(&comparison, 1, &curve, NULL, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        sl_computation_stats stats;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_null(curve);
        sl_collection_stats(a, &stats);
        assert_int_equal(stats.total, 0);
    }
    sl_curve_release(curve);
    sl_collection_release(a);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_follows_its_definition),          TEST(together_is_as_one_by_one_on_any_number_of_threads),
        TEST(no_comparison_and_no_records),         TEST(labels_are_shared_and_not_all_alive_at_once),
        TEST(running_out_of_memory_leaves_nothing), TEST(the_first_wrong_comparison_is_named),
        TEST(both_are_over_the_records_asked_for),  TEST(progress_counts_over_all),
        TEST(it_can_be_stopped_at_any_tick),        TEST(collections_note_what_was_measured),
        TEST(collections_run_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
