/* test_merge_events.c: the merges of a hierarchy are those of cuts taken one after the other; a hierarchy made of its own merges
 * is the same hierarchy; merges that cannot be are refused with the event; two records are together as cuts say. */
#include "support/expect.h"

#include <math.h>

#include "hierarchy/from_merges.h"
#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/listener.h"
#include "support/merge_listing.h"
#include "support/plain_hierarchy.h"

/* ---- events as arrays -------------------------------------------------------------------------------------------- */

static sl_status rebuild(const merge_listing *l, bool exact, sl_hierarchy **out) {
    return merge_listing_build(l, exact, SL_SCALE_PROBABILITY, out);
}

static void expect_rebuilt(const merge_listing *l, const sl_hierarchy *original) {
    sl_hierarchy *again = NULL;
    EXPECT_OK(rebuild(l, sl_hierarchy_is_exact(original), &again));
    EXPECT_OK(sl_hierarchy_validate(again, &expect_error));
    assert_true(sl_hierarchy_equal(original, again));
    sl_hierarchy_release(again);
}

/* ---- the definition: what cuts at one level after the other tell ------------------------------------------------- */

/* Pairs of its records that were not together at the level before (NULL: none was). */
static uint64_t count_new_pairs(const sl_merge_event *event, const uint32_t *before) {
    uint64_t pairs = 0;
    for (uint32_t i = 0; i < event->num_records; i++)
        for (uint32_t j = 0; j < i; j++) pairs += !before || before[event->records[i]] != before[event->records[j]];
    return pairs;
}

/* The next event, expected to be that of records whose component is now `root`; `component` has each record's number. */
static void expect_event(const sl_merge_events *events, uint32_t e, const plain_hierarchy *plain, uint32_t level,
                         uint32_t root, uint64_t *component, uint32_t num_records) {
    sl_merge_event event;
    uint32_t n = plain->num_records, size = 0, parts = 0;
    const uint32_t *now = plain->smallest + (uint64_t)level * n, *before = level > 0 ? now - n : NULL;
    assert_true(sl_merge_events_get(events, e, &event));
    assert_true(event.threshold == plain->levels[level]);
    assert_int_equal(event.result, (uint64_t)num_records + e);
    for (uint32_t r = root; r < n; r++) { /* ascending, so components come by smallest record */
        if (now[r] != root) continue;
        size++;
        if ((before ? before[r] : r) != r) continue;
        assert_true(parts < event.num_components);
        assert_int_equal(event.components[parts++], component[r]);
    }
    assert_int_equal(event.num_components, parts);
    assert_int_equal(event.num_records, size);
    assert_int_equal(event.num_pairs, count_new_pairs(&event, before));
    assert_int_equal(event.records[0], root);
    for (uint32_t i = 0; i < size; i++) assert_int_equal(now[event.records[i]], root);
    component[root] = event.result;
}

static bool merges(const plain_hierarchy *plain, uint32_t level, uint32_t root) {
    uint32_t n = plain->num_records;
    const uint32_t *now = plain->smallest + (uint64_t)level * n;
    if (now[root] != root) return false;
    for (uint32_t r = root + 1; r < n; r++)
        if (now[r] == root && (level == 0 || (now - n)[r] != root)) return true;
    return false;
}

static void check_graph(const graph *g, uint32_t decimals, uint32_t extra) {
    sl_build_options options = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
    sl_hierarchy *h = plain_engine_build(g, &options);
    plain_hierarchy plain = plain_build(g, decimals);
    sl_merge_events *events = NULL;
    uint32_t n = g->num_records + extra, e = 0;
    EXPECT_OK(sl_merge_events_create(h, extra ? n : 0, &events, &expect_error));
    uint64_t *component = fresh_memory(g->num_records, sizeof *component);
    for (uint32_t r = 0; r < g->num_records; r++) component[r] = r;
    for (uint32_t level = 0; level < plain.num_levels; level++)
        for (uint32_t root = 0; root < g->num_records; root++)
            if (merges(&plain, level, root)) expect_event(events, e++, &plain, level, root, component, n);
    assert_int_equal(sl_merge_events_count(events), e);
    assert_int_equal(sl_merge_events_count(events), sl_hierarchy_num_merges(h));
    merge_listing l = merge_listing_of(events, n);
    if (!extra) expect_rebuilt(&l, h);
    sl_hierarchy *wider = NULL;
    EXPECT_OK(rebuild(&l, decimals == PLAIN_EXACT, &wider));
    EXPECT_OK(sl_hierarchy_validate(wider, &expect_error));
    assert_int_equal(sl_hierarchy_num_records(wider), n);
    assert_int_equal(sl_hierarchy_num_merges(wider), e);
    sl_hierarchy_release(wider);
    merge_listing_free(&l);
    sl_merge_events_release(events);
    free(component);
    plain_free(&plain);
    sl_hierarchy_release(h);
}

static void test_events_are_those_of_cuts_and_give_the_hierarchy_back(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(4000, 800); number++) {
        graph g = graph_small(number);
        check_graph(&g, number % 3 == 0 ? PLAIN_EXACT : number % 3 == 1 ? 6 : 1, number % 5 == 0 ? 3 : 0);
        graph_free(&g);
    }
}

static void test_components_are_numbered_as_the_header_says(void **state) {
    const uint32_t left[] = {5, 3, 0, 0}, right[] = {6, 4, 5, 3};
    const double scores[] = {0.9, 0.9, 0.7, 0.7};
    sl_hierarchy *h = NULL;
    sl_merge_events *events = NULL;
    sl_merge_event event;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(8, left, right, scores, 4, NULL, &h, &expect_error));
    EXPECT_OK(sl_merge_events_create(h, 10, &events, &expect_error));
    sl_hierarchy_release(h); /* the events keep it */
    assert_int_equal(sl_merge_events_count(events), 3);
    assert_true(sl_merge_events_get(events, 0, &event)); /* {3, 4} before {5, 6} */
    assert_int_equal(event.components[0], 3);
    assert_int_equal(event.components[1], 4);
    assert_int_equal(event.components[2], 5); /* those of the next event follow */
    assert_true(sl_merge_events_get(events, 2, &event));
    assert_true(event.threshold == 0.7);
    assert_int_equal(event.result, 12);
    assert_int_equal(event.num_components, 3);
    assert_int_equal(event.components[0], 0);
    assert_int_equal(event.components[1], 10);
    assert_int_equal(event.components[2], 11);
    assert_int_equal(event.num_records, 5);
    sl_merge_events_release(events);
    sl_merge_events_release(NULL);
}

static void test_fewer_records_than_the_hierarchy_has_are_refused(void **state) {
    graph g = graph_make(GRAPH_GIANT, 5, 5, 0, 1);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_merge_events *events = (void *)&g;
    (void)state;
    EXPECT_FAILURE(sl_merge_events_create(h, 4, &events, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(events);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- critical ones ----------------------------------------------------------------------------------------------- */

/* Whether event a is taken before b; their numbers tell events of one threshold apart. */
static bool is_more_critical(const sl_merge_events *events, uint32_t a, uint32_t b) {
    sl_merge_event x, y;
    assert_true(sl_merge_events_get(events, a, &x) && sl_merge_events_get(events, b, &y));
    if (x.num_pairs != y.num_pairs) return x.num_pairs > y.num_pairs;
    return x.threshold != y.threshold ? x.threshold < y.threshold : a < b;
}

/* Each event is taken where fewer than `count` others are more critical. */
static void expect_critical(const sl_merge_events *events, uint32_t count) {
    uint32_t all = sl_merge_events_count(events), found = UINT32_MAX, next = 0;
    uint32_t *chosen = fresh_memory(count, sizeof *chosen);
    sl_merge_event event;
    EXPECT_OK(sl_merge_events_critical(events, count, chosen, &found, &expect_error));
    assert_int_equal(found, count < all ? count : all);
    double threshold = -1.0;
    for (uint32_t i = 0; i < found; i++) { /* by ascending threshold and then number */
        assert_true(sl_merge_events_get(events, chosen[i], &event));
        assert_true(event.threshold > threshold || (event.threshold == threshold && chosen[i] > chosen[i - 1]));
        threshold = event.threshold;
    }
    for (uint32_t e = 0; e < all; e++) {
        uint32_t above = 0, taken = 0;
        for (uint32_t other = 0; other < all; other++) above += other != e && is_more_critical(events, other, e);
        for (uint32_t i = 0; i < found; i++) taken += chosen[i] == e;
        assert_int_equal(taken, above < count);
        next += taken;
    }
    assert_int_equal(next, found);
    free(chosen);
}

static void test_critical_events_are_those_of_most_pairs(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(1000, 200); number++) {
        graph g = graph_small(number);
        const sl_build_options options = {.exact = number % 2 == 0};
        sl_hierarchy *h = plain_engine_build(&g, &options);
        sl_merge_events *events = NULL;
        EXPECT_OK(sl_merge_events_create(h, number % 5 ? 0 : g.num_records + 3, &events, &expect_error));
        uint32_t all = sl_merge_events_count(events);
        const uint32_t counts[] = {0, 1, 2, all / 2, all, all + 1};
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) expect_critical(events, counts[i]);
        sl_merge_events_release(events);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

/* Pairs as merges: all bring one pair. A pair of pairs and a triple bring four and three. */
static void test_ties_go_to_the_lower_threshold_and_then_to_the_first(void **state) {
    const uint32_t left[] = {0, 2, 4, 6, 8, 0, 10, 10}, right[] = {1, 3, 5, 7, 9, 2, 11, 12};
    const double scores[] = {0.9, 0.9, 0.8, 0.8, 0.7, 0.6, 0.95, 0.95};
    sl_hierarchy *h = NULL;
    sl_merge_events *events = NULL;
    uint32_t chosen[8], found = 0;
    (void)state;
    EXPECT_OK(sl_hierarchy_build(13, left, right, scores, 8, NULL, &h, &expect_error));
    EXPECT_OK(sl_merge_events_create(h, 0, &events, &expect_error));
    EXPECT_OK(sl_merge_events_critical(events, 4, chosen, &found, &expect_error));
    assert_int_equal(found, 4);
    const uint32_t expected[] = {6, 5, 3, 0}; /* {0..3} at 0.6, {8, 9}, the first of 0.8, the triple */
    assert_memory_equal(chosen, expected, sizeof expected);
    sl_merge_events_release(events);
    sl_hierarchy_release(h);
}

static void test_pairs_of_one_large_merge(void **state) {
    uint32_t n = EXPECT_SIZE(1000000, 100000), event = 7, found = 0;
    uint32_t *entities = fresh_memory(n, sizeof *entities);
    sl_hierarchy *h = NULL;
    sl_merge_events *events = NULL;
    sl_merge_event all;
    (void)state;
    EXPECT_OK(sl_hierarchy_from_entities(n, NULL, entities, n, 1, 0.5, &h, &expect_error));
    EXPECT_OK(sl_merge_events_create(h, 0, &events, &expect_error));
    EXPECT_OK(sl_merge_events_critical(events, UINT32_MAX, &event, &found, &expect_error));
    assert_true(found == 1 && event == 0);
    assert_true(sl_merge_events_get(events, 0, &all));
    assert_int_equal(all.num_pairs, (uint64_t)n * (n - 1) / 2);
    sl_merge_events_release(events);
    sl_hierarchy_release(h);
    free(entities);
}

/* ---- large ones -------------------------------------------------------------------------------------------------- */

static void check_large(const graph *g, bool exact) {
    sl_build_options options = {.exact = exact};
    sl_hierarchy *h = plain_engine_build(g, &options);
    sl_merge_events *events = NULL;
    EXPECT_OK(sl_merge_events_create(h, 0, &events, &expect_error));
    merge_listing l = merge_listing_of(events, g->num_records);
    expect_rebuilt(&l, h);
    merge_listing_free(&l);
    sl_merge_events_release(events);
    sl_hierarchy_release(h);
}

static void test_chains_of_a_million(void **state) {
    const graph_shape shapes[] = {GRAPH_CHAIN_ASCENDING, GRAPH_CHAIN_DESCENDING, GRAPH_GIANT, GRAPH_STAR};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        uint32_t n = EXPECT_SIZE(1000000, 20000);
        graph g = graph_make(shapes[i], n, n, 0, 7);
        check_large(&g, true);
        check_large(&g, false);
        graph_free(&g);
    }
}

/* ---- merges that come from elsewhere ----------------------------------------------------------------------------- */

static uint64_t pick(uint64_t *alive, uint32_t *count, uint64_t *seed) {
    uint32_t at = graph_below(seed, *count);
    uint64_t id = alive[at];
    alive[at] = alive[--*count];
    return id;
}

/* Random merges of two to four random components in any order, thresholds falling in few steps: ties within one component,
 * which become one event. And the same as edges: from any record of the first component to any of each other. */
static merge_listing random_merges(uint32_t n, uint64_t seed, graph *g) {
    merge_listing l = {.num_records = n,
                       .thresholds = fresh_memory(n, sizeof(double)),
                       .offsets = fresh_memory((uint64_t)n + 1, sizeof(uint64_t)),
                       .components = fresh_memory(2 * (uint64_t)n + 4, sizeof(uint64_t))};
    uint64_t *alive = fresh_memory(n, sizeof *alive), end = 0;
    uint32_t *record = fresh_memory(2 * (uint64_t)n, sizeof *record), count = n;
    double threshold = 1.0;
    *g = graph_make(GRAPH_RANDOM, n, 2 * (uint64_t)n, 0, seed);
    g->num_edges = 0;
    for (uint32_t r = 0; r < n; r++) alive[r] = record[r] = r;
    while (count > 1 && graph_below(&seed, 20) != 0) {
        uint32_t parts = 2 + graph_below(&seed, 3), e = l.num_events++;
        if (parts > count) parts = count;
        if (graph_below(&seed, 3) == 0) threshold -= graph_fraction(&seed) * threshold / 4;
        uint64_t first = l.components[end++] = pick(alive, &count, &seed);
        for (uint32_t c = 1; c < parts; c++) {
            uint64_t id = l.components[end++] = pick(alive, &count, &seed);
            g->left[g->num_edges] = record[first];
            g->right[g->num_edges] = record[id];
            g->scores[g->num_edges++] = threshold;
            if (graph_below(&seed, 2)) record[first] = record[id];
        }
        l.thresholds[e] = threshold;
        l.offsets[e + 1] = end;
        record[n + e] = record[first];
        alive[count++] = (uint64_t)n + e;
    }
    free(alive);
    free(record);
    return l;
}

static void test_merges_in_any_order_and_with_ties_give_the_hierarchy_of_their_edges(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < EXPECT_SIZE(3000, 600); seed++) {
        graph g;
        merge_listing l = random_merges(1 + (uint32_t)(seed % 40), seed, &g);
        sl_build_options options = {.exact = seed % 2 == 0};
        sl_hierarchy *h = plain_engine_build(&g, &options);
        expect_rebuilt(&l, h);
        sl_hierarchy_release(h);
        merge_listing_free(&l);
        graph_free(&g);
    }
}

static void test_thresholds_are_rounded_before_they_are_compared(void **state) {
    const double thresholds[] = {0.3, 0.1 + 0.2, -0.0};
    const uint64_t offsets[] = {7, 9, 11, 13}, components[] = {9, 9, 9, 9, 9, 9, 9, 2, 1, 4, 0, 5, 3};
    sl_hierarchy *h = NULL;
    (void)state;
    EXPECT_OK(sl_hierarchy_from_merges(4, thresholds, offsets, components, 3, false, SL_SCALE_PROBABILITY, &h,
                                       &expect_error));
    EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
    assert_int_equal(sl_hierarchy_num_merges(h), 2); /* three of them are one event */
    assert_int_equal(sl_hierarchy_num_levels(h), 2);
    assert_true(sl_hierarchy_levels(h)[0] == 0.3);
    assert_false(signbit(sl_hierarchy_levels(h)[1]));
    sl_hierarchy_release(h);
    EXPECT_FAILURE(
        sl_hierarchy_from_merges(4, thresholds, offsets, components, 3, true, SL_SCALE_PROBABILITY, &h, &expect_error),
        SL_ERROR_INVALID_ARGUMENT, 1);
    assert_null(h);
}

/* Stopped at tick number `stop_at` (0: at none). Returns how many there were. */
static uint64_t build_ticking(const merge_listing *l, uint64_t stop_at, sl_hierarchy **out) {
    const sl_i_score_kind kind = {.scale = SL_SCALE_PROBABILITY, .exact = true};
    listener heard = {.stop_at = stop_at};
    const sl_progress progress = {.tick = listener_tick, .state = &heard};
    sl_i_ticker ticker = sl_i_ticker_make(&progress);
    sl_i_ticker_begin(&ticker, "testing", (uint64_t)l->num_records * SL_I_FROM_MERGES_STEPS);
    sl_i_tick_always_for_test(true);
    sl_status status = sl_i_hierarchy_from_merges(l->num_records, l->thresholds, l->offsets, l->components,
                                                  l->num_events, kind, &ticker, out, &expect_error);
    sl_i_tick_always_for_test(false);
    assert_int_equal(status, stop_at ? SL_ERROR_INTERRUPTED : SL_OK);
    if (!stop_at) assert_int_equal(ticker.done, ticker.total);
    return heard.calls;
}

static void test_making_a_hierarchy_can_be_stopped_at_every_step(void **state) {
    graph g;
    merge_listing l = random_merges(200000, 3, &g); /* several pieces of each step */
    sl_hierarchy *h = NULL, *plain = NULL;
    (void)state;
    EXPECT_OK(rebuild(&l, true, &plain));
    uint64_t ticks = build_ticking(&l, 0, &h);
    assert_true(sl_hierarchy_equal(plain, h));
    sl_hierarchy_release(h);
    assert_true(ticks > 2 * (uint64_t)SL_I_FROM_MERGES_STEPS);
    for (uint64_t stop_at = 1; stop_at <= ticks; stop_at++) {
        assert_int_equal(build_ticking(&l, stop_at, &h), stop_at);
        assert_null(h);
    }
    sl_hierarchy_release(plain);
    merge_listing_free(&l);
    graph_free(&g);
}

static void test_no_events(void **state) {
    (void)state;
    for (uint32_t n = 0; n < 3; n++) {
        sl_hierarchy *h = NULL, *plain = NULL;
        EXPECT_OK(sl_hierarchy_from_merges(n, NULL, NULL, NULL, 0, false, SL_SCALE_PROBABILITY, &h, &expect_error));
        EXPECT_OK(sl_hierarchy_build(n, NULL, NULL, NULL, 0, NULL, &plain, &expect_error));
        assert_true(sl_hierarchy_equal(h, plain));
        sl_merge_events *events = NULL;
        EXPECT_OK(sl_merge_events_create(h, 0, &events, &expect_error));
        assert_int_equal(sl_merge_events_count(events), 0);
        sl_merge_events_release(events);
        sl_hierarchy_release(h);
        sl_hierarchy_release(plain);
    }
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* Three good events over 6 records, the last of which a test spoils. */
typedef struct three {
    double thresholds[3];
    uint64_t offsets[4], components[7];
} three;

static const three good = {{0.9, 0.8, 0.5}, {0, 2, 4, 7}, {0, 1, 2, 3, 6, 7, 5}};

static void expect_refused(const three *t, uint32_t num_records, sl_status status, int64_t row, int64_t other_row,
                           const char *says) {
    sl_hierarchy *h = (void *)(uintptr_t)t;
    EXPECT_FAILURE(sl_hierarchy_from_merges(num_records, t->thresholds, t->offsets, t->components, 3, true,
                                            SL_SCALE_PROBABILITY, &h, &expect_error),
                   status, row);
    assert_null(h);
    assert_int_equal(expect_error.other_row, other_row);
    if (!strstr(expect_error.message, says)) fail_msg("\"%s\" does not say \"%s\"", expect_error.message, says);
}

static void expect_bad_component(uint64_t component, int64_t other_row, const char *says) {
    three t = good;
    t.components[6] = component;
    expect_refused(&t, 6, SL_ERROR_INVALID_ARGUMENT, 2, other_row, says);
}

static void test_components_that_are_not_there(void **state) {
    (void)state;
    expect_bad_component(8, -1, "component 8, which is not there yet");
    expect_bad_component(9, -1, "component 9, which is not there yet");
    expect_bad_component((UINT64_C(1) << 32) + 5, -1, "4294967301, which is not there yet");
    expect_bad_component(UINT64_MAX, -1, "18446744073709551615, which is not there yet");
    expect_bad_component(0, 0, "component 0, which event 0 has merged: name the result, 6");
    expect_bad_component(3, 1, "component 3, which event 1 has merged: name the result, 7");
    expect_bad_component(6, -1, "component 6 twice");
    expect_refused(&good, 0, SL_ERROR_INVALID_ARGUMENT, 0, -1, "not there yet");
    expect_refused(&good, 3, SL_ERROR_INVALID_ARGUMENT, 2, -1, "component 6, which is not there yet");
}

static void test_too_few_components(void **state) {
    (void)state;
    for (uint64_t end = 3; end < 6; end++) {
        three t = good;
        t.offsets[3] = end;
        expect_refused(&t, 6, SL_ERROR_INVALID_ARGUMENT, 2, -1, end == 5 ? "has 1 component:" : "has 0 components:");
    }
}

static void test_bad_thresholds(void **state) {
    const double bad[] = {NAN, -0.1, 1.0000001, INFINITY, -INFINITY};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (uint32_t row = 0; row < 3; row++) {
            three t = good;
            t.thresholds[row] = bad[i];
            expect_refused(&t, 6, SL_ERROR_INVALID_THRESHOLD, row, -1, "from 0 to 1");
        }
    three t = good;
    t.thresholds[1] = 0.95;
    expect_refused(&t, 6, SL_ERROR_INVALID_ARGUMENT, 1, 0, "comes after one at 0.9");
}

static void test_missing_arrays_and_too_many_records(void **state) {
    sl_hierarchy *h = (void *)(uintptr_t)&good;
    (void)state;
    EXPECT_FAILURE(sl_hierarchy_from_merges(6, NULL, good.offsets, good.components, 3, true, SL_SCALE_PROBABILITY, &h,
                                            &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_hierarchy_from_merges(6, good.thresholds, NULL, good.components, 3, true, SL_SCALE_PROBABILITY,
                                            &h, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_hierarchy_from_merges(6, good.thresholds, good.offsets, NULL, 3, true, SL_SCALE_PROBABILITY, &h,
                                            &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(
        sl_hierarchy_from_merges(UINT32_MAX, NULL, NULL, NULL, 0, true, SL_SCALE_PROBABILITY, &h, &expect_error),
        SL_ERROR_CAPACITY, -1);
    assert_null(h);
}

/* ---- together at --------------------------------------------------------------------------------------------------- */

static void check_pair(const sl_hierarchy *h, const plain_hierarchy *plain, uint32_t a, uint32_t b) {
    double threshold = -1.0;
    bool together = true;
    uint32_t level = 0, n = plain->num_records;
    EXPECT_OK(sl_hierarchy_threshold_between(h, a, b, &threshold, &together, &expect_error));
    while (level < plain->num_levels &&
           plain->smallest[(uint64_t)level * n + a] != plain->smallest[(uint64_t)level * n + b])
        level++;
    assert_int_equal(together, level < plain->num_levels);
    assert_true(threshold == (together ? plain->levels[level] : 0.0));
}

static void test_two_records_are_together_where_cuts_say(void **state) {
    (void)state;
    for (uint64_t number = 0; number < EXPECT_SIZE(600, 150); number++) {
        graph g = graph_small(number);
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        plain_hierarchy plain = plain_build(&g, 6);
        for (uint32_t a = 0; a < g.num_records; a++)
            for (uint32_t b = 0; b < g.num_records; b++)
                if (a != b) check_pair(h, &plain, a, b);
        plain_free(&plain);
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

static void test_a_record_and_itself_or_a_later_one(void **state) {
    graph g = graph_make(GRAPH_GIANT, 5, 5, 0, 1);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    double threshold = -1.0;
    bool together = true;
    (void)state;
    EXPECT_OK(sl_hierarchy_threshold_between(h, 2, 5, &threshold, &together, &expect_error));
    assert_false(together);
    EXPECT_OK(sl_hierarchy_threshold_between(h, UINT32_MAX, 7, &threshold, &together, &expect_error));
    assert_false(together);
    for (uint32_t record = 4; record < 6; record++)
        EXPECT_FAILURE(sl_hierarchy_threshold_between(h, record, record, &threshold, &together, &expect_error),
                       SL_ERROR_INVALID_ARGUMENT, -1);
    assert_true(threshold == 0.0 && !together);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* ---- out of memory --------------------------------------------------------------------------------------------------- */

static void test_out_of_memory(void **state) {
    graph g = graph_make(GRAPH_TIES, 30, 60, 0, 3);
    (void)state;
    assert_int_equal(sl_set_allocator(&failing_memory, NULL), SL_OK);
    failing_memory_after(FAILING_NEVER);
    sl_hierarchy *h = plain_engine_build(&g, NULL), *again = NULL;
    sl_merge_events *events = NULL;
    EXPECT_OK(sl_merge_events_create(h, 0, &events, &expect_error));
    merge_listing l = merge_listing_of(events, g.num_records);
    sl_merge_events_release(events);
    uint64_t held = sl_memory_in_use();
    uint64_t k = 0;
    for (;; k++) {
        failing_memory_after(k);
        sl_status status = sl_merge_events_create(h, 0, &events, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_null(events);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_true(k > 4);
    held = sl_memory_in_use();
    for (k = 0;; k++) {
        uint32_t chosen[3], found = 7;
        failing_memory_after(k);
        sl_status status = sl_merge_events_critical(events, 3, chosen, &found, &expect_error);
        failing_memory_after(FAILING_NEVER);
        assert_int_equal(sl_memory_in_use(), held);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_int_equal(found, 0);
    }
    assert_int_equal(k, 2);
    sl_merge_events_release(events);
    held = sl_memory_in_use();
    for (k = 0;; k++) {
        failing_memory_after(k);
        sl_status status = rebuild(&l, false, &again);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_null(again);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_true(k > 6);
    assert_true(sl_hierarchy_equal(h, again));
    sl_hierarchy_release(again);
    sl_hierarchy_release(h);
    merge_listing_free(&l);
    graph_free(&g);
    assert_int_equal(sl_set_allocator(NULL, NULL), SL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_events_are_those_of_cuts_and_give_the_hierarchy_back),
        TEST(test_components_are_numbered_as_the_header_says),
        TEST(test_critical_events_are_those_of_most_pairs),
        TEST(test_ties_go_to_the_lower_threshold_and_then_to_the_first),
        TEST(test_pairs_of_one_large_merge),
        TEST(test_fewer_records_than_the_hierarchy_has_are_refused),
        TEST(test_chains_of_a_million),
        TEST(test_merges_in_any_order_and_with_ties_give_the_hierarchy_of_their_edges),
        TEST(test_thresholds_are_rounded_before_they_are_compared),
        TEST(test_making_a_hierarchy_can_be_stopped_at_every_step),
        TEST(test_no_events),
        TEST(test_components_that_are_not_there),
        TEST(test_too_few_components),
        TEST(test_bad_thresholds),
        TEST(test_missing_arrays_and_too_many_records),
        TEST(test_two_records_are_together_where_cuts_say),
        TEST(test_a_record_and_itself_or_a_later_one),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
