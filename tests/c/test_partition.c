/* test_partition.c: cuts: the same entities as brute force at every threshold, arrays that agree with each other, canonical ids,
 * later records as singletons at the end, and arrays made once. */
#include "support/expect.h"

#include <math.h>

#include "hierarchy/hierarchy.h"
#include "hierarchy/position_scan.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/vector.h"

static int expect_nothing_held(void **state) {
    (void)state;
    return sl_memory_in_use() == 0 ? 0 : -1;
}

/* ---- one cut ---------------------------------------------------------------------------------------------------- */

/* Offsets, sizes, labels and records describe one partition of 0..n-1, ids in the order of the slices. */
static void expect_consistent(const sl_partition *p) {
    const uint32_t *offsets, *sizes, *labels, *records;
    uint32_t n = sl_partition_num_records(p), k = sl_partition_num_entities(p);
    EXPECT_OK(sl_partition_sizes(p, &sizes, &expect_error));
    EXPECT_OK(sl_partition_offsets(p, &offsets, &expect_error));
    EXPECT_OK(sl_partition_labels(p, &labels, &expect_error));
    EXPECT_OK(sl_partition_records(p, &records, &expect_error));
    uint8_t *seen = fresh_memory(n, 1);
    assert_int_equal(offsets[0], 0);
    assert_int_equal(offsets[k], n);
    for (uint32_t entity = 0; entity < k; entity++) {
        assert_true(offsets[entity] < offsets[entity + 1]);
        assert_int_equal(sizes[entity], offsets[entity + 1] - offsets[entity]);
        for (uint32_t i = offsets[entity]; i < offsets[entity + 1]; i++) {
            assert_true(records[i] < n);
            assert_int_equal(seen[records[i]]++, 0);
            assert_int_equal(labels[records[i]], entity);
        }
    }
    free(seen);
}

/* The partition of `g` at `threshold`, over `n` records (0: its own), is that of brute force. */
static void check_cut(const sl_hierarchy *h, const graph *g, uint32_t decimals, uint32_t n, double threshold) {
    sl_partition *p = NULL;
    const uint32_t *labels;
    EXPECT_OK(sl_partition_create(h, n, threshold, &p, &expect_error));
    uint32_t all = n ? n : g->num_records;
    assert_int_equal(sl_partition_num_records(p), all);
    assert_true(sl_partition_threshold(p) == threshold);
    expect_consistent(p);
    uint32_t *smallest = fresh_memory(all, sizeof *smallest), components = 0;
    double compared = decimals == PLAIN_EXACT ? threshold : plain_round(threshold, 6);
    for (uint32_t i = 0; i < all; i++) smallest[i] = i;
    plain_components(g, decimals, compared, smallest);
    for (uint32_t i = 0; i < all; i++) components += smallest[i] == i;
    assert_int_equal(sl_partition_num_entities(p), components);
    EXPECT_OK(sl_partition_labels(p, &labels, &expect_error));
    plain_expect_same_partition(labels, smallest, all);
    for (uint32_t i = g->num_records; i < all; i++) assert_int_equal(labels[i], components - (all - i));
    free(smallest);
    sl_partition_release(p);
}

static void check_every_cut(const graph *g, uint32_t decimals, uint32_t extra, uint64_t number) {
    (void)number;
    sl_build_options options = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
    sl_hierarchy *h = plain_engine_build(g, &options);
    uint32_t n = extra ? g->num_records + extra : 0;
    uint64_t seed = g->num_edges;
    const double fixed[] = {0.0, 1.0, 0.85, 0.1 + 0.75, 0.5, 1e-7, 1 - 1e-7};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) check_cut(h, g, decimals, n, fixed[i]);
    for (uint32_t i = 0; i < sl_hierarchy_num_levels(h); i++) {
        double level = sl_hierarchy_levels(h)[i];
        check_cut(h, g, decimals, n, level);
        if (i % 4 == 0) check_cut(h, g, decimals, n, nextafter(level, 0));
        if (i % 4 == 1 && level < 1) check_cut(h, g, decimals, n, nextafter(level, 1));
        if (i % 4 == 2) check_cut(h, g, decimals, n, graph_fraction(&seed));
    }
    sl_hierarchy_release(h);
}

static void every_cut_of_every_shape_is_brute_forces(void **state) {
    (void)state;
    plain_check_small(EXPECT_SIZE(1300, 260), check_every_cut);
}

static void cuts_of_a_large_hierarchy_are_brute_forces(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, EXPECT_SIZE(100000, 20000), EXPECT_SIZE(200000, 40000), 0, 5);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    (void)state;
    for (int i = 0; i <= 10; i++) check_cut(h, &g, 6, i % 2 ? g.num_records + 1000 : 0, i / 10.0);
    sl_hierarchy_release(h);
    graph_free(&g);
}

static void equal_hierarchies_have_equal_labels(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 130; number++) {
        graph g = graph_small(number), shuffled = graph_shuffle(&g, number);
        sl_hierarchy *h[2] = {plain_engine_build(&g, NULL), plain_engine_build(&shuffled, NULL)};
        for (double threshold = 0; threshold <= 1; threshold += 0.25) {
            sl_partition *p[2];
            const uint32_t *labels[2];
            for (int i = 0; i < 2; i++) {
                EXPECT_OK(sl_partition_create(h[i], 0, threshold, &p[i], &expect_error));
                EXPECT_OK(sl_partition_labels(p[i], &labels[i], &expect_error));
            }
            assert_memory_equal(labels[0], labels[1], g.num_records * sizeof(uint32_t));
            for (int i = 0; i < 2; i++) sl_partition_release(p[i]);
        }
        for (int i = 0; i < 2; i++) sl_hierarchy_release(h[i]);
        graph_free(&g);
        graph_free(&shuffled);
    }
}

/* ---- the object ------------------------------------------------------------------------------------------------- */

static void arrays_are_made_once_and_live_as_long_as_the_partition(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 100, 200, 10, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_partition *p = NULL;
    const uint32_t *first, *second;
    (void)state;
    for (uint32_t n = 100; n <= 103; n += 3) {
        EXPECT_OK(sl_partition_create(h, n, 0.5, &p, &expect_error));
        sl_status (*const get[])(const sl_partition *, const uint32_t **, sl_error *) = {
            sl_partition_sizes, sl_partition_offsets, sl_partition_labels, sl_partition_records};
        for (int i = 0; i < 4; i++) {
            EXPECT_OK(get[i](p, &first, &expect_error));
            uint64_t held = sl_memory_in_use();
            EXPECT_OK(get[i](p, &second, &expect_error));
            assert_ptr_equal(first, second);
            assert_int_equal(sl_memory_in_use(), held);
        }
        sl_partition_release(p);
    }
    sl_hierarchy_release(h);
    graph_free(&g);
}

static void a_partition_keeps_its_hierarchy_alive(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 100, 200, 10, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_partition *p = NULL;
    (void)state;
    EXPECT_OK(sl_partition_create(h, 0, 0.5, &p, &expect_error));
    sl_hierarchy_release(h);
    sl_partition *again = sl_partition_retain(p);
    sl_partition_release(p);
    expect_consistent(again);
    sl_partition_release(again);
    sl_partition_release(NULL);
    assert_null(sl_partition_retain(NULL));
    graph_free(&g);
}

static void the_smallest_partitions_are_whole(void **state) {
    (void)state;
    for (uint32_t n = 0; n < 3; n++)
        for (uint32_t later = 0; later < 3; later++) {
            graph g = graph_make(GRAPH_NO_EDGES, n, 0, 0, 0);
            sl_hierarchy *h = plain_engine_build(&g, NULL);
            check_cut(h, &g, 6, n + later, 0.5);
            sl_hierarchy_release(h);
            graph_free(&g);
        }
}

static void bad_cuts_are_refused(void **state) {
    const double bad[] = {NAN, INFINITY, -INFINITY, -1e-9, 1 + 1e-9};
    graph g = graph_make(GRAPH_RANDOM, 5, 5, 10, 2);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_partition *p;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        p = (sl_partition *)&p;
        EXPECT_FAILURE(sl_partition_create(h, 0, bad[i], &p, &expect_error), SL_ERROR_INVALID_THRESHOLD, -1);
        assert_null(p);
    }
    p = (sl_partition *)&p;
    EXPECT_FAILURE(sl_partition_create(h, 4, 0.5, &p, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(p);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- the scans -------------------------------------------------------------------------------------------------- */

static void scans_agree_in_every_length_and_twin(void **state) {
    uint32_t join[300], order[300], ends[300], labels[300];
    uint64_t seed = 3;
    (void)state;
    for (uint32_t count = 0; count <= 300; count++) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t kind = graph_below(&seed, 4);
            join[i] = kind == 0 ? SL_NEVER : kind == 1 ? 0x80000000u + graph_below(&seed, 2) : graph_below(&seed, 4);
            order[i] = count - 1 - i;
        }
        if (count > 0) join[count - 1] = SL_NEVER;
        const uint32_t levels[] = {0, 1, 3, 0x7FFFFFFF, 0x80000000, 0x80000001, SL_NEVER};
        for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
            uint32_t expected = 0;
            assert_int_equal(sl_i_label_records(order, join, count, levels[l], labels),
                             sl_i_count_ends(join, count, levels[l]));
            sl_i_use_portable(l % 2 == 0);
            uint32_t counted = sl_i_count_ends(join, count, levels[l]);
            sl_i_use_portable(false);
            assert_int_equal(sl_i_list_ends(join, count, levels[l], ends), counted);
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal(labels[order[i]], expected);
                if (join[i] >= levels[l]) assert_int_equal(ends[expected++], i + 1);
            }
            assert_int_equal(counted, expected);
        }
    }
}

/* `ends` has room for exactly what is listed: address sanitizer watches the block's end. */
static void listing_ends_writes_no_further_than_it_must(void **state) {
    uint32_t join[64];
    (void)state;
    for (uint32_t last = 0; last < 64; last++) {
        for (uint32_t i = 0; i < 64; i++) join[i] = i == last ? SL_NEVER : 0;
        uint32_t *ends = malloc(sizeof *ends);
        assert_non_null(ends);
        assert_int_equal(sl_i_list_ends(join, 64, 1, ends), 1);
        assert_int_equal(ends[0], last + 1);
        free(ends);
    }
}

int main(void) {
#define HOLDING_NOTHING(name) cmocka_unit_test_teardown(name, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        HOLDING_NOTHING(every_cut_of_every_shape_is_brute_forces),
        HOLDING_NOTHING(cuts_of_a_large_hierarchy_are_brute_forces),
        HOLDING_NOTHING(equal_hierarchies_have_equal_labels),
        HOLDING_NOTHING(arrays_are_made_once_and_live_as_long_as_the_partition),
        HOLDING_NOTHING(a_partition_keeps_its_hierarchy_alive),
        HOLDING_NOTHING(the_smallest_partitions_are_whole),
        HOLDING_NOTHING(bad_cuts_are_refused),
        HOLDING_NOTHING(scans_agree_in_every_length_and_twin),
        HOLDING_NOTHING(listing_ends_writes_no_further_than_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
