/* test_constraints.c: hierarchies under constraints, against the definition; what they remember; requests that cannot be met. */
#include "support/expect.h"

#include "hierarchy/constraints.h"
#include "hierarchy/hierarchy.h"
#include "support/failing_memory.h"
#include "support/listener.h"
#include "support/plain_edges.h"
#include "support/plain_hierarchy.h"

#define NUM_SMALL ((uint64_t)EXPECT_SIZE(2600, 650)) /* graphs of all shapes */
#define MAX_SOURCES 80u

/* ---- the definition ---------------------------------------------------------------------------------------------- */

typedef struct plain_case {
    uint32_t num_records, num_sources, num_unique, max_size;
    sl_ties ties;
    uint16_t *sources; /* of each record; the unique ones are those below num_unique */
    uint32_t *labels;  /* of each record's entity */
    uint32_t *groups;  /* of each label, while ties are looked at */
    uint32_t *joined;  /* edges that joined something */
    uint32_t num_joined;
    uint64_t num_skipped, num_tied;
} plain_case;

/* Whether the records whose group (given their label) is `group` may be one entity. */
static bool allowed(const plain_case *c, const uint32_t *groups, uint32_t group) {
    uint32_t size = 0, held[MAX_SOURCES] = {0};
    for (uint32_t r = 0; r < c->num_records; r++) {
        if (groups[c->labels[r]] != group) continue;
        size++;
        if (++held[c->sources[r]] > 1 && c->sources[r] < c->num_unique) return false;
    }
    return c->max_size == 0 || size <= c->max_size;
}

static void group_alone(const plain_case *c) {
    for (uint32_t label = 0; label < c->num_records; label++) c->groups[label] = label;
}

static void regroup(const plain_case *c, uint32_t from, uint32_t to) {
    for (uint32_t label = 0; label < c->num_records; label++)
        if (c->groups[label] == from) c->groups[label] = to;
}

static bool pair_allowed(const plain_case *c, uint32_t a, uint32_t b) {
    group_alone(c);
    regroup(c, a, b);
    return allowed(c, c->groups, b);
}

static void join(plain_case *c, const sl_edge_list *edges, uint64_t edge) {
    uint32_t from = c->labels[edges->left[edge]], to = c->labels[edges->right[edge]];
    if (from == to) return;
    c->joined[c->num_joined++] = (uint32_t)edge;
    for (uint32_t r = 0; r < c->num_records; r++)
        if (c->labels[r] == from) c->labels[r] = to;
}

static void take_in_order(plain_case *c, const sl_edge_list *edges, uint64_t edge) {
    uint32_t a = c->labels[edges->left[edge]], b = c->labels[edges->right[edge]];
    if (a == b || pair_allowed(c, a, b))
        join(c, edges, edge);
    else
        c->num_skipped++;
}

/* All edges of one score: which are candidates is decided before any of them, then each candidate's group. */
static void take_or_drop(plain_case *c, const sl_edge_list *edges, uint64_t start, uint64_t end) {
    bool *candidate = fresh_memory(end - start, sizeof *candidate);
    bool *accepted = fresh_memory(end - start, sizeof *accepted);
    for (uint64_t i = start; i < end; i++) {
        uint32_t a = c->labels[edges->left[i]], b = c->labels[edges->right[i]];
        candidate[i - start] = a != b && pair_allowed(c, a, b);
        c->num_skipped += a != b && !candidate[i - start];
    }
    group_alone(c);
    for (uint64_t i = start; i < end; i++)
        if (candidate[i - start])
            regroup(c, c->groups[c->labels[edges->left[i]]], c->groups[c->labels[edges->right[i]]]);
    for (uint64_t i = start; i < end; i++)
        accepted[i - start] = candidate[i - start] && allowed(c, c->groups, c->groups[c->labels[edges->left[i]]]);
    for (uint64_t i = start; i < end; i++) {
        c->num_tied += candidate[i - start] && !accepted[i - start];
        if (accepted[i - start]) join(c, edges, i);
    }
    free(candidate);
    free(accepted);
}

static void take_edges(plain_case *c, const sl_edge_list *edges) {
    uint64_t end;
    for (uint32_t r = 0; r < c->num_records; r++) c->labels[r] = r;
    for (uint64_t start = 0; start < edges->count; start = end) {
        for (end = start; end < edges->count && edges->scores[end] == edges->scores[start]; end++)
            if (c->ties == SL_TIES_IN_ORDER) take_in_order(c, edges, end);
        if (c->ties == SL_TIES_DROP) take_or_drop(c, edges, start, end);
    }
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

static plain_case case_make(uint32_t num_records, uint64_t seed) {
    static const uint32_t all_sources[] = {1, 2, 3, 5, 8, 64, 65, MAX_SOURCES};
    plain_case c = {.num_records = num_records, .num_sources = all_sources[graph_below(&seed, 8)]};
    c.num_unique = graph_below(&seed, c.num_sources + 1);
    c.max_size = graph_below(&seed, 2) ? 0 : 1 + graph_below(&seed, 8);
    c.ties = graph_below(&seed, 2) ? SL_TIES_DROP : SL_TIES_IN_ORDER;
    c.sources = fresh_memory(num_records, sizeof *c.sources);
    c.labels = fresh_memory(num_records, sizeof *c.labels);
    c.groups = fresh_memory(num_records, sizeof *c.groups);
    c.joined = fresh_memory(num_records, sizeof *c.joined);
    for (uint32_t r = 0; r < num_records; r++) c.sources[r] = (uint16_t)graph_below(&seed, c.num_sources);
    return c;
}

static void case_free(plain_case *c) {
    free(c->sources);
    free(c->labels);
    free(c->groups);
    free(c->joined);
}

static char names[MAX_SOURCES][8];
static const char *unique_names[MAX_SOURCES];

static sl_constraints constraints_of(const plain_case *c) {
    return (sl_constraints){unique_names, c->num_unique, c->max_size, c->ties};
}

/* Sources are known in falling order, so that their numbers are not those of the constraints. */
static sl_context *context_of(const plain_case *c) {
    sl_context *context = NULL;
    uint16_t ids[MAX_SOURCES] = {0};
    EXPECT_OK(sl_context_create(&context, &expect_error));
    for (uint32_t s = c->num_sources; s-- > 0;)
        EXPECT_OK(sl_context_add_source(context, names[s], strlen(names[s]), &ids[s], &expect_error));
    for (uint32_t r = 0; r < c->num_records; r++) {
        uint32_t first;
        const sl_key_column column = {.keys = {.type = SL_COLUMN_UINT32, .length = 1, .values = &r},
                                      .source = ids[c->sources[r]]};
        EXPECT_OK(sl_context_add_records(context, &column, &first, &expect_error));
    }
    return context;
}

static sl_hierarchy *build_keeping(const graph *g, bool exact) {
    sl_build_options options = {.exact = exact, .keep = SL_KEEP_ALL};
    return plain_engine_build(g, &options);
}

static sl_hierarchy *constrain(const sl_context *context, const sl_hierarchy *hierarchy,
                               const sl_constraints *constraints, sl_keep keep) {
    sl_hierarchy *made = NULL;
    EXPECT_OK(sl_hierarchy_constrain(context, hierarchy, constraints, keep, NULL, &made, &expect_error));
    EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
    return made;
}

/* The hierarchy that the edges which joined something give without any constraints. */
static void expect_hierarchy_of_joined(const sl_hierarchy *made, const sl_edge_list *edges, const plain_case *c,
                                       bool exact) {
    graph kept = {.num_records = c->num_records,
                  .num_edges = c->num_joined,
                  .left = fresh_memory(c->num_joined, sizeof(uint32_t)),
                  .right = fresh_memory(c->num_joined, sizeof(uint32_t)),
                  .scores = fresh_memory(c->num_joined, sizeof(double))};
    sl_build_options options = {.exact = exact};
    for (uint32_t j = 0; j < c->num_joined; j++) {
        kept.left[j] = edges->left[c->joined[j]];
        kept.right[j] = edges->right[c->joined[j]];
        kept.scores[j] = edges->scores[c->joined[j]];
    }
    sl_hierarchy *expected = plain_engine_build(&kept, &options);
    assert_true(sl_hierarchy_equal(made, expected));
    sl_hierarchy_release(expected);
    graph_free(&kept);
}

static void expect_same_named_records(const sl_hierarchy *a, const sl_hierarchy *b) {
    sl_record_set *of_a = NULL, *of_b = NULL;
    EXPECT_OK(sl_hierarchy_named_records(a, &of_a, &expect_error));
    EXPECT_OK(sl_hierarchy_named_records(b, &of_b, &expect_error));
    assert_true(sl_record_set_equal(of_a, of_b));
    sl_record_set_release(of_a);
    sl_record_set_release(of_b);
}

static void expect_as_defined(const graph *g, uint64_t seed) {
    bool exact = seed % 3 == 0;
    plain_case c = case_make(g->num_records, seed);
    sl_constraints constraints = constraints_of(&c);
    sl_context *context = context_of(&c);
    sl_edge_list edges;
    plain_edges_make(g, exact ? PLAIN_EXACT : 6, &edges);
    take_edges(&c, &edges);
    sl_hierarchy *free_one = build_keeping(g, exact);
    sl_hierarchy *made = constrain(context, free_one, &constraints, SL_KEEP_FOREST);
    expect_hierarchy_of_joined(made, &edges, &c, exact);
    plain_edges_expect_forest(made, &edges, c.joined, c.num_joined);
    expect_same_named_records(made, free_one);
    assert_int_equal(sl_hierarchy_num_skipped(made), c.num_skipped);
    assert_int_equal(sl_hierarchy_num_tied(made), c.num_tied);
    sl_hierarchy_release(made);
    sl_hierarchy_release(free_one);
    sl_context_release(context);
    plain_edges_free(&edges);
    case_free(&c);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void small_graphs_of_every_shape_follow_the_definition(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NUM_SMALL; number++) {
        graph g = graph_small(number);
        expect_as_defined(&g, number);
        graph_free(&g);
    }
}

static void large_levels_follow_the_definition(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 26; seed++) {
        graph g = graph_make((graph_shape)(seed % GRAPH_NUM_SHAPES), EXPECT_SIZE(400, 150), EXPECT_SIZE(900, 300),
                             1 + (uint32_t)seed % 5, seed);
        expect_as_defined(&g, seed);
        graph_free(&g);
    }
}

static void the_smallest_inputs_follow_the_definition(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 120; seed++) {
        graph g = graph_make(GRAPH_RANDOM, (uint32_t)(seed % 3), seed / 3 % 4, 2, seed);
        expect_as_defined(&g, seed);
        graph_free(&g);
    }
}

/* 0 and 1 are of s0, 2 and 3 of s1; all edges but the last have one score. */
static const uint32_t tied_left[] = {0, 1, 0, 1, 2}, tied_right[] = {2, 2, 1, 3, 3};
static const double tied_scores[] = {0.9, 0.9, 0.9, 0.9, 0.5};

typedef struct tied_case {
    plain_case plain;
    sl_context *context;
    sl_hierarchy *free_one;
} tied_case;

static tied_case tied_make(sl_ties ties) {
    tied_case c = {.plain = case_make(4, 0)};
    sl_build_options options = {.keep = SL_KEEP_ALL};
    c.plain.num_sources = c.plain.num_unique = 2;
    c.plain.max_size = 0;
    c.plain.ties = ties;
    for (uint32_t r = 0; r < 4; r++) c.plain.sources[r] = r / 2 % 2;
    c.context = context_of(&c.plain);
    EXPECT_OK(sl_hierarchy_build(4, tied_left, tied_right, tied_scores, 5, &options, &c.free_one, &expect_error));
    return c;
}

static void tied_free(tied_case *c) {
    sl_hierarchy_release(c->free_one);
    sl_context_release(c->context);
    case_free(&c->plain);
}

static void ties_in_order_take_the_first_that_can(void **state) {
    static const uint32_t order[] = {0, 2, 1, 3}, join_levels[] = {0, SL_NEVER, 0, SL_NEVER};
    tied_case c = tied_make(SL_TIES_IN_ORDER);
    sl_constraints constraints = constraints_of(&c.plain);
    (void)state;
    sl_hierarchy *made = constrain(c.context, c.free_one, &constraints, SL_KEEP_NOTHING);
    assert_memory_equal(sl_hierarchy_order(made), order, sizeof order);
    assert_memory_equal(sl_hierarchy_join(made), join_levels, sizeof join_levels);
    assert_int_equal(sl_hierarchy_num_skipped(made), 3); /* 0-1, 1-2 and 2-3 */
    assert_int_equal(sl_hierarchy_num_tied(made), 0);
    sl_hierarchy_release(made);
    tied_free(&c);
}

static void ties_that_cannot_all_count_do_not_count(void **state) {
    tied_case c = tied_make(SL_TIES_DROP);
    sl_constraints constraints = constraints_of(&c.plain);
    (void)state;
    sl_hierarchy *made = constrain(c.context, c.free_one, &constraints, SL_KEEP_NOTHING);
    assert_int_equal(sl_hierarchy_num_levels(made), 0);
    assert_int_equal(sl_hierarchy_num_skipped(made), 2); /* 0-1 and 2-3 */
    assert_int_equal(sl_hierarchy_num_tied(made), 3);
    sl_hierarchy_release(made);
    tied_free(&c);
}

static void constraints_are_remembered_and_replaced(void **state) {
    tied_case c = tied_make(SL_TIES_DROP);
    sl_constraints given = {unique_names, 2, 7, SL_TIES_DROP}, none = {0}, got;
    (void)state;
    sl_hierarchy *made = constrain(c.context, c.free_one, &given, SL_KEEP_ALL);
    assert_true(sl_hierarchy_constraints(made, &got));
    assert_int_equal(got.num_unique_sources, 2);
    assert_string_equal(got.unique_sources[1], "s1");
    assert_ptr_not_equal(got.unique_sources[1], names[1]);
    assert_int_equal(got.max_entity_size, 7);
    assert_int_equal(got.ties, SL_TIES_DROP);
    assert_true(sl_hierarchy_constraints(made, NULL));
    assert_ptr_equal(made->edges, c.free_one->edges);
    sl_hierarchy *again = constrain(c.context, made, &none, SL_KEEP_ALL);
    assert_true(sl_hierarchy_equal(again, c.free_one));
    assert_true(sl_hierarchy_constraints(again, &got));
    assert_int_equal(got.num_unique_sources, 0);
    assert_int_equal(sl_hierarchy_num_skipped(again) + sl_hierarchy_num_tied(again), 0);
    assert_false(sl_hierarchy_constraints(c.free_one, &got));
    assert_null(got.unique_sources);
    assert_int_equal(sl_hierarchy_num_skipped(c.free_one), 0);
    sl_hierarchy_release(again);
    sl_hierarchy_release(made);
    tied_free(&c);
}

static void what_is_kept_is_what_was_asked_for(void **state) {
    tied_case c = tied_make(SL_TIES_IN_ORDER);
    sl_constraints constraints = constraints_of(&c.plain);
    (void)state;
    for (int keep = SL_KEEP_NOTHING; keep <= SL_KEEP_ALL; keep++) {
        sl_hierarchy *made = constrain(c.context, c.free_one, &constraints, (sl_keep)keep);
        assert_int_equal(made->forest_left != NULL, keep >= SL_KEEP_FOREST);
        assert_int_equal(made->forest_right != NULL, keep >= SL_KEEP_FOREST);
        assert_int_equal(made->edges != NULL, keep == SL_KEEP_ALL);
        sl_hierarchy_release(made);
    }
    tied_free(&c);
}

static void names_that_are_unknown_or_there_twice_change_nothing(void **state) {
    const char *odd[] = {"nobody", "s1", "s0", "", "s0"};
    tied_case c = tied_make(SL_TIES_IN_ORDER);
    sl_constraints plain = constraints_of(&c.plain), constraints = {odd, 5, 0, SL_TIES_IN_ORDER};
    (void)state;
    sl_hierarchy *made = constrain(c.context, c.free_one, &constraints, SL_KEEP_NOTHING),
                 *expected = constrain(c.context, c.free_one, &plain, SL_KEEP_NOTHING);
    assert_true(sl_hierarchy_equal(made, expected));
    sl_hierarchy_release(made);
    sl_hierarchy_release(expected);
    tied_free(&c);
}

static void expect_refused(const tied_case *c, const sl_context *context, const sl_hierarchy *hierarchy,
                           const sl_constraints *constraints, int keep, const char *reason) {
    sl_hierarchy *made = c->free_one;
    EXPECT_FAILURE(sl_hierarchy_constrain(context, hierarchy, constraints, (sl_keep)keep, NULL, &made, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_null(made);
    if (!strstr(expect_error.message, reason)) fail_msg("\"%s\" does not say \"%s\"", expect_error.message, reason);
}

static void requests_that_cannot_be_met_say_why(void **state) {
    const char *missing[] = {"s0", NULL}, *broken[] = {"s0", "\xff"};
    tied_case c = tied_make(SL_TIES_IN_ORDER);
    sl_constraints none = {0}, unnamed = {NULL, 1, 0, SL_TIES_IN_ORDER}, lacking = {missing, 2, 0, SL_TIES_IN_ORDER},
                   not_utf8 = {broken, 2, 0, SL_TIES_IN_ORDER}, odd = {.ties = (sl_ties)2};
    sl_context *small = NULL;
    sl_hierarchy *without = constrain(c.context, c.free_one, &none, SL_KEEP_FOREST);
    (void)state;
    EXPECT_OK(sl_context_create(&small, &expect_error));
    expect_refused(&c, c.context, c.free_one, &unnamed, SL_KEEP_ALL, "none is named");
    expect_refused(&c, c.context, c.free_one, &lacking, SL_KEEP_ALL, "name 1 of the unique sources is missing");
    expect_refused(&c, c.context, c.free_one, &not_utf8, SL_KEEP_ALL, "not UTF-8");
    expect_refused(&c, c.context, c.free_one, &odd, SL_KEEP_ALL, "no rule for ties");
    expect_refused(&c, c.context, c.free_one, &none, 3, "nothing to keep");
    expect_refused(&c, c.context, without, &none, SL_KEEP_ALL, "did not keep them");
    expect_refused(&c, small, c.free_one, &none, SL_KEEP_ALL, "another context");
    sl_hierarchy_release(without);
    sl_context_release(small);
    tied_free(&c);
}

static void an_allocation_that_fails_leaves_nothing_behind(void **state) {
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    for (int ties = SL_TIES_IN_ORDER; ties <= SL_TIES_DROP; ties++) {
        tied_case c = tied_make((sl_ties)ties);
        sl_constraints constraints = constraints_of(&c.plain);
        sl_status status = SL_ERROR_MEMORY;
        uint64_t before = sl_memory_in_use();
        for (uint64_t after = 0; status != SL_OK; after++) {
            sl_hierarchy *made = NULL;
            failing_memory_after(after);
            status =
                sl_hierarchy_constrain(c.context, c.free_one, &constraints, SL_KEEP_FOREST, NULL, &made, &expect_error);
            failing_memory_after(FAILING_NEVER);
            assert_true((status == SL_OK) == (made != NULL));
            if (status != SL_OK) assert_int_equal(status, SL_ERROR_MEMORY);
            if (made) assert_int_equal(sl_hierarchy_memory(made), sl_memory_in_use() - before);
            sl_hierarchy_release(made);
            assert_int_equal(sl_memory_in_use(), before);
        }
        tied_free(&c);
    }
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

/* Large enough that the clock says several times that it is time for a tick. */
static void an_interrupt_at_any_tick_leaves_nothing_behind(void **state) {
    graph g = graph_make(GRAPH_RANDOM, 200000, 1000000, 50, 5);
    sl_hierarchy *free_one = build_keeping(&g, false);
    plain_case c = case_make(g.num_records, 1);
    sl_context *context = context_of(&c);
    uint64_t before = sl_memory_in_use();
    (void)state;
    for (int ties = SL_TIES_IN_ORDER; ties <= SL_TIES_DROP; ties++) {
        sl_constraints constraints = {.max_entity_size = 5, .ties = (sl_ties)ties};
        sl_hierarchy *made = NULL;
        listener l = {0};
        do {
            l = (listener){.stop_at = l.stop_at + 1};
            sl_progress progress = {listener_tick, &l};
            sl_status status =
                sl_hierarchy_constrain(context, free_one, &constraints, SL_KEEP_ALL, &progress, &made, &expect_error);
            assert_int_equal(status, l.calls == l.stop_at ? SL_ERROR_INTERRUPTED : SL_OK);
            assert_true((status == SL_OK) == (made != NULL));
            if (!made) assert_int_equal(sl_memory_in_use(), before);
        } while (!made);
        assert_true(l.stop_at > 1);
        EXPECT_OK(sl_hierarchy_validate(made, &expect_error));
        sl_hierarchy_release(made);
    }
    sl_hierarchy_release(free_one);
    sl_context_release(context);
    case_free(&c);
    graph_free(&g);
}

int main(void) {
    for (uint32_t s = 0; s < MAX_SOURCES; s++) {
        names[s][0] = 's';
        names[s][1] = s < 10 ? (char)('0' + s) : (char)('0' + s / 10);
        names[s][2] = s < 10 ? '\0' : (char)('0' + s % 10);
        unique_names[s] = names[s];
    }
    const struct CMUnitTest tests[] = {
        TEST(small_graphs_of_every_shape_follow_the_definition),
        TEST(large_levels_follow_the_definition),
        TEST(the_smallest_inputs_follow_the_definition),
        TEST(ties_in_order_take_the_first_that_can),
        TEST(ties_that_cannot_all_count_do_not_count),
        TEST(constraints_are_remembered_and_replaced),
        TEST(what_is_kept_is_what_was_asked_for),
        TEST(names_that_are_unknown_or_there_twice_change_nothing),
        TEST(requests_that_cannot_be_met_say_why),
        TEST(an_allocation_that_fails_leaves_nothing_behind),
        TEST(an_interrupt_at_any_tick_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
