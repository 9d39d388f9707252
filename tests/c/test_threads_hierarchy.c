/* test_threads_hierarchy.c: one hierarchy cut, labelled and measured by many threads at once while others build, merge and
 * extend. Run under the thread sanitizer; the answers are compared too. */
#include "support/expect.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/graphs.h"
#include "support/keyed_graphs.h"
#include "support/plain_hierarchy.h"

#define NUM_THREADS 4
#define NUM_ROUNDS EXPECT_SIZE(40, 8)

/* cmocka's assertions belong to the main thread: the others count what went wrong. */
typedef struct stage {
    graph g;
    sl_hierarchy *whole, *half, *rest; /* of all edges, and of two parts */
    sl_partition *shared;              /* all threads ask it for its arrays */
    sl_context *context;               /* others append to it */
    double *f1;                        /* the whole's curve, measured before */
    uint64_t num_rows;
    pthread_barrier_t start;
    atomic_uint wrong, turn;
} stage;

static void note(stage *s, bool truth) {
    if (!truth) atomic_fetch_add(&s->wrong, 1);
}

static void read_arrays(stage *s, sl_partition *p) {
    const uint32_t *offsets = NULL, *sizes = NULL, *labels = NULL, *records = NULL;
    uint32_t k = sl_partition_num_entities(p);
    note(s, sl_partition_labels(p, &labels, NULL) == SL_OK && sl_partition_sizes(p, &sizes, NULL) == SL_OK &&
                sl_partition_records(p, &records, NULL) == SL_OK && sl_partition_offsets(p, &offsets, NULL) == SL_OK);
    if (!offsets || !sizes || !labels || !records) return;
    for (uint32_t entity = 0; entity < k; entity++)
        note(s, sizes[entity] == offsets[entity + 1] - offsets[entity] && labels[records[offsets[entity]]] == entity &&
                    labels[records[offsets[entity + 1] - 1]] == entity);
}

static void cut(stage *s, unsigned round) {
    sl_partition *p = NULL;
    note(s, sl_partition_create(s->whole, s->g.num_records + round % 3, (round % 11) / 10.0, &p, NULL) == SL_OK);
    if (p) read_arrays(s, p);
    sl_partition_release(p);
    sl_partition *again = sl_partition_retain(s->shared);
    read_arrays(s, again);
    sl_partition_release(again);
}

/* Whoever asks first makes the neighbours. */
static void read_edges(stage *s, unsigned round) {
    const sl_edge_list *edges = sl_hierarchy_edges(s->whole);
    const uint32_t *records = NULL, *numbers = NULL;
    uint32_t record = round * 7919 % s->g.num_records, count = 0;
    note(s, sl_edge_list_neighbours(edges, record, &records, &numbers, &count, NULL) == SL_OK);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = sl_edge_list_left(edges)[numbers[i]], right = sl_edge_list_right(edges)[numbers[i]];
        sl_chain chain;
        note(s, (left == record && right == records[i]) || (right == record && left == records[i]));
        note(s, sl_hierarchy_explain(s->whole, record, records[i], &chain, NULL) == SL_OK && chain.num_edges > 0 &&
                    chain.threshold >= sl_edge_list_scores(edges)[numbers[i]]);
        sl_chain_release(&chain);
        if (i == 2) break;
    }
}

static void measure(stage *s) {
    sl_curve_options options = {.reference_labels = s->g.truth, .num_reference_labels = s->g.num_truth};
    sl_curve *curve = NULL;
    sl_hierarchy *mine = sl_hierarchy_retain(s->whole);
    note(s, sl_curve_create(mine, 0, &options, &curve, NULL) == SL_OK);
    double *values = malloc(s->num_rows * sizeof *values);
    if (curve && values) {
        note(s, sl_curve_length(curve) == s->num_rows &&
                    sl_curve_metric(curve, SL_METRIC_F1, 0, values, NULL) == SL_OK &&
                    memcmp(values, s->f1, s->num_rows * sizeof *values) == 0);
    }
    free(values);
    sl_curve_release(curve);
    sl_hierarchy_release(mine);
}

static void build(stage *s) {
    sl_hierarchy *made = NULL, *merged = NULL;
    note(s, sl_hierarchy_build(s->g.num_records, s->g.left, s->g.right, s->g.scores, s->g.num_edges, NULL, &made,
                               NULL) == SL_OK);
    note(s, made && sl_hierarchy_equal(made, s->whole));
    note(s, sl_hierarchy_merge(s->half, s->rest, NULL, s->g.num_records, NULL, &merged, NULL) == SL_OK);
    note(s, merged && sl_hierarchy_equal(merged, s->whole));
    sl_hierarchy_release(made);
    sl_hierarchy_release(merged);
}

/* The context gets new records after those of the graph; the first ones' components stay the same. */
static void extend(stage *s, unsigned round) {
    uint32_t left[8], right[8];
    const double scores[8] = {0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2};
    for (uint32_t i = 0; i < 8; i++) {
        left[i] = 1000000 + round * 8 + i;
        right[i] = left[i] + 1;
    }
    const sl_column a = {.type = SL_COLUMN_UINT32, .length = 8, .values = left},
                    b = {.type = SL_COLUMN_UINT32, .length = 8, .values = right},
                    c = {.type = SL_COLUMN_FLOAT64, .length = 8, .values = scores};
    const sl_edges batch = {{.keys = a}, {.keys = b}, c};
    sl_hierarchy *made = NULL;
    note(s, sl_hierarchy_extend(s->context, s->whole, &batch, 1, NULL, &made, NULL) == SL_OK);
    note(s, made && sl_hierarchy_num_records(made) > s->g.num_records &&
                sl_hierarchy_num_records(made) <= sl_context_num_records(s->context));
    sl_hierarchy_release(made);
}

/* Every thread does everything, each beginning with something else. */
static void *work(void *state) {
    stage *s = state;
    unsigned mine = atomic_fetch_add(&s->turn, 1);
    pthread_barrier_wait(&s->start);
    for (unsigned round = 0; round < NUM_ROUNDS; round++) switch ((round + mine) % 4) {
        case 0:
            cut(s, round + mine);
            read_edges(s, round + mine);
            break;
        case 1: measure(s); break;
        case 2: build(s); break;
        default: extend(s, round * NUM_THREADS + mine); break;
        }
    return NULL;
}

static sl_hierarchy *build_slice(const graph *g, uint64_t first, uint64_t count) {
    const sl_build_options options = {.keep = SL_KEEP_ALL};
    graph part = graph_slice(g, first, count);
    return plain_engine_build(&part, &options);
}

static void set_stage(stage *s) {
    s->g = graph_make(GRAPH_CLUSTERS, 20000, 140000, 500, 6); /* several windows and groups */
    s->whole = build_slice(&s->g, 0, s->g.num_edges);
    s->half = build_slice(&s->g, 0, s->g.num_edges / 2);
    s->rest = build_slice(&s->g, s->g.num_edges / 2, s->g.num_edges - s->g.num_edges / 2);
    EXPECT_OK(sl_partition_create(s->whole, s->g.num_records + 9, 0.7, &s->shared, &expect_error));
    s->context = numbered_context(s->g.num_records);
    sl_curve_options options = {.reference_labels = s->g.truth, .num_reference_labels = s->g.num_truth};
    sl_curve *curve = NULL;
    EXPECT_OK(sl_curve_create(s->whole, 0, &options, &curve, &expect_error));
    s->num_rows = sl_curve_length(curve);
    s->f1 = fresh_memory(s->num_rows, sizeof *s->f1);
    EXPECT_OK(sl_curve_metric(curve, SL_METRIC_F1, 0, s->f1, &expect_error));
    sl_curve_release(curve);
    assert_int_equal(pthread_barrier_init(&s->start, NULL, NUM_THREADS), 0);
}

static void clear_stage(stage *s) {
    pthread_barrier_destroy(&s->start);
    free(s->f1);
    sl_context_release(s->context);
    sl_partition_release(s->shared);
    sl_hierarchy_release(s->whole);
    sl_hierarchy_release(s->half);
    sl_hierarchy_release(s->rest);
    graph_free(&s->g);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void many_threads_read_one_hierarchy_while_others_build(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads += 2) { /* without and with the pool */
        stage s = {.turn = 0};
        pthread_t workers[NUM_THREADS];
        sl_set_num_threads(threads);
        set_stage(&s);
        for (int i = 0; i < NUM_THREADS; i++) assert_int_equal(pthread_create(&workers[i], NULL, work, &s), 0);
        for (int i = 0; i < NUM_THREADS; i++) pthread_join(workers[i], NULL);
        assert_int_equal(atomic_load(&s.wrong), 0);
        clear_stage(&s);
    }
    sl_set_num_threads(0);
}

/* The last reference may be dropped by any thread. */
static void *drop_references(void *state) {
    sl_partition *p = state;
    const uint32_t *labels = NULL;
    if (sl_partition_labels(p, &labels, NULL) != SL_OK || !labels) return p;
    sl_partition_release(p);
    return NULL;
}

static void the_last_reference_may_go_on_any_thread(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++) {
        graph g = graph_small((uint64_t)round);
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        sl_partition *p = NULL;
        pthread_t workers[NUM_THREADS];
        EXPECT_OK(sl_partition_create(h, 0, 0.5, &p, &expect_error));
        sl_hierarchy_release(h);
        for (int i = 0; i < NUM_THREADS; i++)
            assert_int_equal(pthread_create(&workers[i], NULL, drop_references, sl_partition_retain(p)), 0);
        sl_partition_release(p);
        for (int i = 0; i < NUM_THREADS; i++) {
            void *failed = NULL;
            pthread_join(workers[i], &failed);
            assert_null(failed);
        }
        assert_int_equal(sl_memory_in_use(), 0);
        graph_free(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_read_one_hierarchy_while_others_build),
        cmocka_unit_test(the_last_reference_may_go_on_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
