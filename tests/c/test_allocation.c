/* test_allocation.c: out of memory at every place. The k-th allocation fails, for every k, alone or with all after it: the call
 * says SL_ERROR_MEMORY, its output is NULL, its inputs are as they were, nothing is leaked; the same call then succeeds and
 * gives the right answer. (Where memory would only have been saved, a failed allocation may go unnoticed.) */
#include "support/expect.h"

#include <stdatomic.h>
#include <string.h>

#include "records/context.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"
#include "support/plain_metrics.h"

/* ---- an allocator that fails on demand -------------------------------------------------------------------------- */

typedef struct faults {
    atomic_long calls;    /* since the last reset */
    atomic_long fail_at;  /* 0: never */
    atomic_bool for_good; /* all after it fail too */
    atomic_bool reached;  /* one has failed */
    atomic_long live;     /* blocks out */
} faults;

static faults memory;

static void *allocate(void *state, size_t size) {
    faults *f = state;
    long call = atomic_fetch_add(&f->calls, 1) + 1, at = atomic_load(&f->fail_at);
    if (at > 0 && (call == at || (call > at && atomic_load(&f->for_good)))) {
        atomic_store(&f->reached, true);
        return NULL;
    }
    void *block = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!block) return NULL;
    memset(block, 0xA5, size < 4096 ? size : 4096); /* what nobody has written is not zero */
    atomic_fetch_add(&f->live, 1);
    return block;
}

static void release(void *state, void *block, size_t size) {
    faults *f = state;
    memset(block, 0x5A, size < 4096 ? size : 4096);
    atomic_fetch_sub(&f->live, 1);
    free(block);
}

static int install(void **state) {
    const sl_allocator failing = {allocate, release, &memory};
    (void)state;
    sl_set_num_threads(2);
    return sl_set_allocator(&failing, NULL) == SL_OK ? 0 : -1;
}

static int uninstall(void **state) {
    (void)state;
    sl_set_num_threads(0);
    return sl_set_allocator(NULL, NULL) == SL_OK && atomic_load(&memory.live) == 0 ? 0 : -1;
}

/* ---- the loop over every k -------------------------------------------------------------------------------------- */

/* What is tried: inputs made once without failures, a call, and what must hold before and after. */
typedef struct scene {
    const graph *g;
    plain_hierarchy plain;
    sl_hierarchy *whole, *half; /* of all edges, of the first half */
    sl_context *context;
    uint32_t num_context_records;
} scene;

/** Makes the call; checks and releases what it gives. On failure its outputs have been seen to be NULL. */
typedef sl_status (*attempt)(scene *s);
/** Undoes what a successful attempt did to the scene (NULL: nothing to undo). */
typedef void (*restoration)(scene *s);

static void expect_inputs_unchanged(const scene *s) {
    if (s->whole) plain_expect_equal(s->whole, &s->plain);
    if (s->half) EXPECT_OK(sl_hierarchy_validate(s->half, &expect_error));
    if (s->context) {
        EXPECT_OK(sl_i_context_validate(s->context, &expect_error));
        assert_int_equal(sl_context_num_records(s->context), s->num_context_records);
    }
}

static void fail_at(long k, bool for_good) {
    atomic_store(&memory.calls, 0);
    atomic_store(&memory.reached, false);
    atomic_store(&memory.for_good, for_good);
    atomic_store(&memory.fail_at, k);
}

/* No more failures from here on. */
static void heal(void) { atomic_store(&memory.fail_at, 0); }

/* True while there was a k-th allocation to fail. */
static bool try_with_failure(scene *s, attempt call, restoration restore, long k, bool for_good) {
    long live = atomic_load(&memory.live);
    uint64_t held = sl_memory_in_use();
    fail_at(k, for_good);
    sl_status status = call(s);
    bool failed_one = atomic_load(&memory.reached);
    heal();
    if (status == SL_OK) {
        if (restore) restore(s);
        return failed_one;
    }
    assert_true(failed_one);
    if (status != SL_ERROR_MEMORY) fail_msg("allocation %ld failed, and the call said %s", k, sl_status_name(status));
    assert_int_equal(expect_error.status, SL_ERROR_MEMORY);
    assert_non_null(strstr(expect_error.message, "out of memory"));
    expect_inputs_unchanged(s);
    if (!s->context) { /* a context may keep room it has made */
        assert_int_equal(sl_memory_in_use(), held);
        assert_int_equal(atomic_load(&memory.live), live);
    }
    EXPECT_OK(call(s));
    if (restore) restore(s);
    return true;
}

static void fail_every_allocation(scene *s, attempt call, restoration restore, long at_least) {
    for (int for_good = 0; for_good < 2; for_good++) {
        long k = 1;
        while (try_with_failure(s, call, restore, k, for_good == 1)) k++;
        assert_true(k > at_least); /* it did allocate */
    }
    expect_inputs_unchanged(s);
}

static scene make_scene(const graph *g, uint32_t decimals) {
    sl_build_options options = {.decimals = decimals, .exact = decimals == PLAIN_EXACT};
    scene s = {.g = g, .plain = plain_build(g, decimals)};
    graph half = *g;
    half.num_edges /= 2;
    s.whole = plain_engine_build(g, &options);
    s.half = plain_engine_build(&half, &options);
    return s;
}

static void drop_scene(scene *s) {
    plain_free(&s->plain);
    sl_hierarchy_release(s->whole);
    sl_hierarchy_release(s->half);
    sl_context_release(s->context);
    assert_int_equal(sl_memory_in_use(), 0);
    assert_int_equal(atomic_load(&memory.live), 0);
}

/* The call's hierarchy, if it gave one, is the definition's. */
static sl_status judge(scene *s, sl_status status, sl_hierarchy **out) {
    sl_hierarchy *made = *out;
    if (status != SL_OK) {
        assert_null(made);
        return status;
    }
    heal();
    plain_expect_equal(made, &s->plain);
    sl_hierarchy_release(made);
    return status;
}

#define SOME_HIERARCHY ((sl_hierarchy *)(void *)&memory)

/* ---- hierarchies ------------------------------------------------------------------------------------------------ */

static sl_status build(scene *s, bool exact) {
    sl_hierarchy *made = SOME_HIERARCHY;
    sl_build_options options = {.exact = exact};
    sl_status status = sl_hierarchy_build(s->g->num_records, s->g->left, s->g->right, s->g->scores, s->g->num_edges,
                                          &options, &made, &expect_error);
    return judge(s, status, &made);
}
static sl_status build_rounded(scene *s) { return build(s, false); }
static sl_status build_exact(scene *s) { return build(s, true); }

static sl_status merge_halves(scene *s) {
    sl_hierarchy *made = SOME_HIERARCHY;
    return judge(s, sl_hierarchy_merge(s->whole, s->half, NULL, s->g->num_records, NULL, &made, &expect_error), &made);
}

static void building_and_merging_survive_every_failure(void **state) {
    static const uint32_t decimals[] = {6, PLAIN_EXACT};
    (void)state;
    for (int d = 0; d < 2; d++)
        for (uint64_t number = 5; number < 8; number++) {
            graph g = graph_make(GRAPH_CLUSTERS, 30, 60, 40, number);
            scene s = make_scene(&g, decimals[d]);
            fail_every_allocation(&s, d == 0 ? build_rounded : build_exact, NULL, 10);
            fail_every_allocation(&s, merge_halves, NULL, 10);
            drop_scene(&s);
            graph_free(&g);
        }
}

static void building_from_nothing_survives_every_failure(void **state) {
    (void)state;
    for (uint32_t n = 0; n < 2; n++) {
        graph g = graph_make(GRAPH_NO_EDGES, n, 0, 0, 0);
        scene s = make_scene(&g, 6);
        fail_every_allocation(&s, build_rounded, NULL, 5);
        fail_every_allocation(&s, build_exact, NULL, 5);
        drop_scene(&s);
        graph_free(&g);
    }
}

static sl_status list_entities(scene *s) {
    sl_hierarchy *made = SOME_HIERARCHY;
    const graph *g = s->g;
    return judge(s,
                 sl_hierarchy_from_entities(g->num_records, NULL, g->truth, g->num_records, g->num_truth, 1.0, &made,
                                            &expect_error),
                 &made);
}

static void listing_entities_survives_every_failure(void **state) {
    graph g = graph_make(GRAPH_EQUAL, 30, 200, 0, 3), entities = graph_make(GRAPH_EQUAL, 30, 400, 0, 3);
    uint64_t next = 0;
    (void)state;
    for (uint32_t i = 0; i < 30; i++) /* the edges that the entities stand for */
        for (uint32_t j = 0; j < i && next < entities.num_edges; j++)
            if (g.truth[i] == g.truth[j]) {
                entities.left[next] = i;
                entities.right[next] = j;
                entities.scores[next++] = 1.0;
            }
    entities.num_edges = next;
    memcpy(entities.truth, g.truth, 30 * sizeof *g.truth);
    scene s = make_scene(&entities, 6);
    fail_every_allocation(&s, list_entities, NULL, 3);
    drop_scene(&s);
    graph_free(&entities);
    graph_free(&g);
}

static sl_status validate(scene *s) { return sl_hierarchy_validate(s->whole, &expect_error); }

static void validating_survives_every_failure(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 30, 60, 40, 1);
    scene s = make_scene(&g, 6);
    (void)state;
    fail_every_allocation(&s, validate, NULL, 0);
    drop_scene(&s);
    graph_free(&g);
}

/* ---- extending -------------------------------------------------------------------------------------------------- */

/* Keys of records 0..n-1 are strings, so that the context allocates for them. */
typedef struct key_text {
    char text[12];
} key_text;

static sl_key *string_keys(const uint32_t *records, uint64_t count, key_text *texts) {
    sl_key *keys = fresh_memory(count, sizeof *keys);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t number = records ? records[i] : (uint32_t)i;
        for (int digit = 10; digit >= 0; digit--, number /= 10) texts[i].text[digit] = (char)('0' + number % 10);
        keys[i] = (sl_key){.kind = SL_KEY_STRING, .length = 11, .bytes = (const uint8_t *)texts[i].text};
    }
    return keys;
}

static sl_key_column column_of(const sl_key *keys, uint64_t count) {
    return (sl_key_column){.keys = {.type = SL_COLUMN_KEYS, .length = count, .values = keys}};
}

typedef struct keyed_graph {
    key_text *texts;
    sl_key *left, *right;
} keyed_graph;

static keyed_graph spelled_out; /* of the scene at work */
static bool extend_base;        /* extend the first half's hierarchy, or nothing */

static sl_status extend(scene *s) {
    sl_hierarchy *made = SOME_HIERARCHY;
    const graph *g = s->g;
    uint64_t middle = g->num_edges / 2;
    sl_edges batches[2];
    for (int b = 0; b < 2; b++) {
        uint64_t first = b == 0 ? 0 : middle, count = b == 0 ? middle : g->num_edges - middle;
        batches[b] = (sl_edges){column_of(spelled_out.left + first, count),
                                column_of(spelled_out.right + first, count),
                                {.type = SL_COLUMN_FLOAT64, .length = count, .values = g->scores + first}};
    }
    return judge(s,
                 sl_hierarchy_extend(s->context, extend_base ? s->half : NULL, extend_base ? batches + 1 : batches,
                                     extend_base ? 1 : 2, NULL, &made, &expect_error),
                 &made);
}

static void forget_records(scene *s) { sl_context_truncate(s->context, s->num_context_records); }

/* The chain names records 0, 1, 2, ... in this order, whatever the context knows already. */
static void extending_survives_every_failure(void **state) {
    (void)state;
    for (int with_base = 0; with_base < 2; with_base++)
        for (uint32_t known = 0; known <= 30; known += 10) {
            if (with_base && known < 30) continue; /* a base covers records that are there */
            graph g = graph_make(GRAPH_CHAIN_DESCENDING, 30, 0, 0, 1);
            scene s = make_scene(&g, 6);
            uint16_t source;
            uint32_t first;
            spelled_out.texts = fresh_memory(2 * g.num_edges + 30, sizeof *spelled_out.texts);
            spelled_out.left = string_keys(g.left, g.num_edges, spelled_out.texts);
            spelled_out.right = string_keys(g.right, g.num_edges, spelled_out.texts + g.num_edges);
            sl_key *keys = string_keys(NULL, 30, spelled_out.texts + 2 * g.num_edges);
            const sl_key_column column = column_of(keys, known);
            EXPECT_OK(sl_context_create(&s.context, &expect_error));
            EXPECT_OK(sl_context_add_source(s.context, "default", 7, &source, &expect_error));
            if (known > 0) EXPECT_OK(sl_context_add_records(s.context, &column, &first, &expect_error));
            s.num_context_records = known;
            extend_base = with_base == 1;
            fail_every_allocation(&s, extend, forget_records, 10);
            free(spelled_out.texts);
            free(spelled_out.left);
            free(spelled_out.right);
            free(keys);
            drop_scene(&s);
            graph_free(&g);
        }
}

/* ---- partitions ------------------------------------------------------------------------------------------------- */

static sl_status cut(scene *s) {
    sl_partition *p = (sl_partition *)(void *)&memory;
    const uint32_t *offsets = NULL, *sizes = NULL, *labels = NULL, *records = NULL;
    uint32_t n = s->g->num_records + 5;
    sl_status status = sl_partition_create(s->whole, n, 0.5, &p, &expect_error);
    if (status != SL_OK) {
        assert_null(p);
        return status;
    }
    if (status == SL_OK) status = sl_partition_sizes(p, &sizes, &expect_error);
    if (status != SL_OK) assert_null(sizes);
    if (status == SL_OK) status = sl_partition_offsets(p, &offsets, &expect_error);
    if (status != SL_OK) assert_null(offsets);
    if (status == SL_OK) status = sl_partition_labels(p, &labels, &expect_error);
    if (status != SL_OK) assert_null(labels);
    if (status == SL_OK) status = sl_partition_records(p, &records, &expect_error);
    if (status != SL_OK) assert_null(records);
    if (status == SL_OK) {
        uint32_t *smallest = fresh_memory(n, sizeof *smallest);
        plain_components(s->g, 6, 0.5, smallest);
        for (uint32_t i = s->g->num_records; i < n; i++) smallest[i] = i;
        plain_expect_same_partition(labels, smallest, n);
        free(smallest);
        for (uint32_t entity = 0; entity < sl_partition_num_entities(p); entity++) {
            assert_int_equal(sizes[entity], offsets[entity + 1] - offsets[entity]);
            assert_int_equal(labels[records[offsets[entity]]], entity);
        }
    }
    sl_partition_release(p);
    return status;
}

/* A failed array is made when it is asked for again, on the same partition. */
static void a_partition_recovers_from_every_failure(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 30, 60, 40, 1);
    scene s = make_scene(&g, 6);
    sl_status (*const get[])(const sl_partition *, const uint32_t **, sl_error *) = {
        sl_partition_sizes, sl_partition_offsets, sl_partition_labels, sl_partition_records};
    (void)state;
    fail_every_allocation(&s, cut, NULL, 4);
    for (int i = 0; i < 4; i++)
        for (long k = 1; k <= 2; k++) {
            sl_partition *p = NULL;
            const uint32_t *array = s.plain.order;
            EXPECT_OK(sl_partition_create(s.whole, g.num_records + 5, 0.5, &p, &expect_error));
            fail_at(k, false);
            sl_status status = get[i](p, &array, &expect_error);
            heal();
            if (k == 1) assert_int_equal(status, SL_ERROR_MEMORY);
            if (status != SL_OK) assert_null(array);
            EXPECT_OK(get[i](p, &array, &expect_error));
            assert_non_null(array);
            sl_partition_release(p);
        }
    drop_scene(&s);
    graph_free(&g);
}

/* ---- curves ----------------------------------------------------------------------------------------------------- */

static bool with_reference, with_thresholds;

static sl_status measure(scene *s) {
    const double thresholds[] = {0.9, 0.5, 0.5, 0.1};
    const graph *g = s->g;
    sl_curve *curve = (sl_curve *)(void *)&memory;
    sl_curve_options options = {.reference_labels = with_reference ? g->truth : NULL,
                                .num_reference_labels = with_reference ? g->num_truth : 0,
                                .thresholds = with_thresholds ? thresholds : NULL,
                                .num_thresholds = with_thresholds ? 4 : 0};
    sl_status status = sl_curve_create(s->whole, 0, &options, &curve, &expect_error);
    if (status != SL_OK) {
        assert_null(curve);
        return status;
    }
    heal();
    for (uint64_t row = 0; row < sl_curve_length(curve); row++) {
        uint32_t *labels = fresh_memory(g->num_records, sizeof *labels);
        plain_components(g, 6, sl_curve_thresholds(curve)[row], labels);
        plain_metrics expected = plain_measure(labels, options.reference_labels, g->num_records);
        plain_expect_metrics(curve, row, &expected);
        free(labels);
    }
    sl_curve_release(curve);
    return status;
}

static void measuring_survives_every_failure(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, 60, 100, 40, 1);
    scene s = make_scene(&g, 6);
    (void)state;
    for (int which = 0; which < 4; which++) {
        with_reference = which % 2 == 1;
        with_thresholds = which / 2 == 1;
        fail_every_allocation(&s, measure, NULL, with_reference ? 14 : 4);
    }
    drop_scene(&s);
    graph_free(&g);
}

int main(void) {
#define FAILING(name) cmocka_unit_test_setup_teardown(name, install, uninstall)
    const struct CMUnitTest tests[] = {
        FAILING(building_and_merging_survive_every_failure), FAILING(building_from_nothing_survives_every_failure),
        FAILING(listing_entities_survives_every_failure),    FAILING(validating_survives_every_failure),
        FAILING(extending_survives_every_failure),           FAILING(a_partition_recovers_from_every_failure),
        FAILING(measuring_survives_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
