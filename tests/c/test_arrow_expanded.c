/* test_arrow_expanded.c: what expanded merge events come to is counted as they would be written, and too many are refused by name. */
#include "support/expect.h"
#include "support/listener.h"

#include "interchange/expanded_merges.h"
#include "interchange/nested_array.h"
#include "support/graphs.h"
#include "support/plain_frame.h"

static sl_hierarchy *hierarchy_of(const graph *g) {
    sl_hierarchy *made;
    EXPECT_OK(
        sl_hierarchy_build(g->num_records, g->left, g->right, g->scores, g->num_edges, NULL, &made, &expect_error));
    return made;
}

/* The pieces of every event are what the records were together with just above its threshold. */
static void expect_slices_are_components(const sl_hierarchy *hierarchy) {
    sl_merge_events *events;
    sl_merge_event event;
    const double *levels = sl_hierarchy_levels(hierarchy);
    uint64_t total = 0, counted = 0;
    EXPECT_OK(sl_merge_events_create(hierarchy, 0, &events, &expect_error));
    for (uint32_t e = 0; sl_i_merge_events_find(events, e, &event); e++) {
        sl_partition *before = NULL;
        const uint32_t *labels = NULL;
        uint32_t level = 0, done = 0;
        while (levels[level] != event.threshold) level++;
        if (level > 0) {
            EXPECT_OK(sl_partition_create(hierarchy, 0, levels[level - 1], &before, &expect_error));
            EXPECT_OK(sl_partition_labels(before, &labels, &expect_error));
        }
        for (uint32_t c = 0; c < event.num_components; c++) {
            uint32_t size = sl_i_merge_events_size(events, event.components[c]);
            for (uint32_t i = 0; i < size; i++) {
                uint32_t record = event.records[done + i], first = event.records[done];
                assert_int_equal(labels ? labels[record] : record, labels ? labels[first] : first);
            }
            done += size;
        }
        assert_int_equal(done, event.num_records);
        total += done;
        sl_partition_release(before);
    }
    EXPECT_OK(sl_hierarchy_expanded_size(hierarchy, &counted, &expect_error));
    assert_true(counted == total);
    sl_merge_events_release(events);
}

static void pieces_of_an_event_are_its_components(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(300, 60); number++) {
        graph g = graph_small(number);
        sl_hierarchy *hierarchy = hierarchy_of(&g);
        expect_slices_are_components(hierarchy);
        sl_hierarchy_release(hierarchy);
        graph_free(&g);
    }
}

static void a_chain_grows_with_the_square(void **state) {
    (void)state;
    const uint32_t n = 5000;
    graph g = graph_make(GRAPH_CHAIN_DESCENDING, n, n, 0, 1);
    const sl_build_options exact = {.exact = true};
    sl_hierarchy *hierarchy;
    uint64_t size, total = 7;
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    EXPECT_OK(sl_hierarchy_build(n, g.left, g.right, g.scores, g.num_edges, &exact, &hierarchy, &expect_error));
    EXPECT_OK(sl_hierarchy_expanded_size(hierarchy, &size, &expect_error));
    assert_int_equal(size, (uint64_t)n * (n + 1) / 2 - 1);
    sl_export_options options = {.max_expanded = size - 1};
    EXPECT_FAILURE(sl_i_expanded_add(hierarchy, "ch\"ain", 6, &options, &silent, &total, &expect_error),
                   SL_ERROR_CAPACITY, -1);
    assert_non_null(strstr(expect_error.message, "ch\\\"ain"));
    assert_non_null(strstr(expect_error.message, "12502499"));
    assert_non_null(strstr(expect_error.message, "max_expanded=12502498"));
    assert_non_null(strstr(expect_error.message, "save()"));
    assert_int_equal(total, 7);
    options.max_expanded = size + 6; /* seven are there already */
    EXPECT_FAILURE(sl_i_expanded_add(hierarchy, "", 0, &options, &silent, &total, &expect_error), SL_ERROR_CAPACITY,
                   -1);
    options.max_expanded = size + 7;
    EXPECT_OK(sl_i_expanded_add(hierarchy, "", 0, &options, &silent, &total, &expect_error));
    assert_int_equal(total, size + 7);
    EXPECT_OK(sl_i_expanded_add(hierarchy, "", 0, NULL, &silent, &total, &expect_error));
    sl_hierarchy_release(hierarchy);
    graph_free(&g);
}

/* Every pass over many records hears of an interrupt. */
static void every_pass_can_be_stopped(void **state) {
    (void)state;
    const uint32_t n = 140000; /* three polls a pass */
    graph g = graph_make(GRAPH_CHAIN_DESCENDING, n, n, 0, 1);
    const sl_build_options exact = {.exact = true};
    sl_hierarchy *hierarchy;
    EXPECT_OK(sl_hierarchy_build(n, g.left, g.right, g.scores, g.num_edges, &exact, &hierarchy, &expect_error));
    uint64_t held = sl_memory_in_use(), stopped = 0;
    sl_i_tick_always_for_test(true);
    for (sl_status status = SL_ERROR_INTERRUPTED; status != SL_OK;) {
        listener heard = {.stop_at = stopped + 1};
        const sl_progress progress = {listener_tick, &heard};
        sl_merge_events *events = NULL;
        uint64_t size = 0;
        sl_i_ticker ticker = sl_i_ticker_make(&progress);
        sl_i_ticker_begin(&ticker, "testing", 1);
        status = sl_i_expanded_size(hierarchy, &ticker, &size, &expect_error);
        if (status == SL_OK) status = sl_i_merge_events_create(hierarchy, 0, &ticker, &events, &expect_error);
        assert_true(status == SL_OK || status == SL_ERROR_INTERRUPTED);
        assert_true((status == SL_OK) == (events != NULL));
        sl_merge_events_release(events);
        assert_int_equal(sl_memory_in_use(), held);
        stopped += status != SL_OK;
    }
    sl_i_tick_always_for_test(false);
    assert_int_equal(stopped, 5 * 3); /* the size, then find, thread, order and number */
    sl_hierarchy_release(hierarchy);
    graph_free(&g);
}

static void the_collections_of_a_frame_are_counted_together(void **state) {
    (void)state;
    sl_frame *frame = frame_make();
    const plain_edges chain = plain_chain();
    frame_add(frame, "one", &chain);
    frame_add(frame, "two", &chain);
    sl_frame_state *now = sl_frame_now(frame);
    uint64_t one, total;
    EXPECT_OK(sl_hierarchy_expanded_size(now->entries.items[0]->hierarchy, &one, &expect_error));
    assert_true(one > 0);
    EXPECT_OK(sl_i_expanded_of_frame(now, NULL, &total, &expect_error));
    assert_int_equal(total, 2 * one);
    const sl_export_options options = {.max_expanded = 2 * one - 1};
    EXPECT_FAILURE(sl_i_expanded_of_frame(now, &options, &total, &expect_error), SL_ERROR_CAPACITY, -1);
    assert_non_null(strstr(expect_error.message, "\"two\""));
    assert_int_equal(total, 0);
    sl_frame_state_release(now);
    sl_frame_release(frame);
}

static void no_limit_goes_beyond_what_offsets_count(void **state) {
    (void)state;
    EXPECT_OK(sl_i_check_offsets(INT32_MAX, "record indices", &expect_error));
    EXPECT_FAILURE(sl_i_check_offsets(UINT64_C(1) << 31, "record indices", &expect_error), SL_ERROR_CAPACITY, -1);
    assert_non_null(strstr(expect_error.message, "2147483648 record indices"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(pieces_of_an_event_are_its_components),
        TEST(a_chain_grows_with_the_square),
        TEST(every_pass_can_be_stopped),
        TEST(the_collections_of_a_frame_are_counted_together),
        TEST(no_limit_goes_beyond_what_offsets_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
