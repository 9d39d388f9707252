/* test_diff.c: changes are the components that following shared entities from record to record finds; bad labels are refused with
 * the record. */
#include "support/expect.h"

#include "support/failing_memory.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"

#define MOST 40u /* records and entities of a small case */

typedef struct labels {
    uint32_t before[MOST], after[MOST];
    uint32_t num_before, num_after, num_records;
} labels;

/* ---- the definition -------------------------------------------------------------------------------------------------- */

static bool counts(const labels *l, uint32_t r) { return l->before[r] != SL_NO_RECORD && l->after[r] != SL_NO_RECORD; }

/* part[r]: the smallest entity before that following shared entities from record r leads to; until nothing changes any more. */
static void follow(const labels *l, uint32_t *part) {
    bool changed = true;
    for (uint32_t r = 0; r < l->num_records; r++) part[r] = l->before[r];
    while (changed) {
        changed = false;
        for (uint32_t a = 0; a < l->num_records; a++)
            for (uint32_t b = 0; b < l->num_records; b++) {
                bool linked = l->before[a] == l->before[b] || l->after[a] == l->after[b];
                if (!counts(l, a) || !counts(l, b) || !linked || part[a] <= part[b]) continue;
                part[a] = part[b];
                changed = true;
            }
    }
}

/* The part whose smallest entity before is `smallest`; ids are written to two arrays of MOST. */
static sl_change part_of(const labels *l, const uint32_t *part, uint32_t smallest, uint32_t *before, uint32_t *after) {
    sl_change change = {.before = before, .after = after};
    for (uint32_t id = 0; id < MOST; id++) {
        bool is_before = false, is_after = false;
        for (uint32_t r = 0; r < l->num_records; r++) {
            if (!counts(l, r) || part[r] != smallest) continue;
            is_before |= l->before[r] == id;
            is_after |= l->after[r] == id;
            change.num_records += l->before[r] == id;
        }
        if (is_before) before[change.num_before++] = id;
        if (is_after) after[change.num_after++] = id;
    }
    if (change.num_before == 1)
        change.kind = change.num_after == 1 ? SL_CHANGE_UNCHANGED : SL_CHANGE_SPLIT;
    else
        change.kind = change.num_after == 1 ? SL_CHANGE_MERGED : SL_CHANGE_REARRANGED;
    return change;
}

static void expect_change(const sl_change *found, const sl_change *expected) {
    assert_int_equal(found->kind, expected->kind);
    assert_int_equal(found->num_records, expected->num_records);
    assert_int_equal(found->num_before, expected->num_before);
    assert_int_equal(found->num_after, expected->num_after);
    assert_memory_equal(found->before, expected->before, expected->num_before * sizeof *expected->before);
    assert_memory_equal(found->after, expected->after, expected->num_after * sizeof *expected->after);
}

static sl_diff *diff_of(const labels *l) {
    sl_diff *diff = NULL;
    EXPECT_OK(sl_diff_create(l->before, l->num_before, l->after, l->num_after, l->num_records, &diff, &expect_error));
    return diff;
}

static void check(const labels *l) {
    uint32_t part[MOST], before[MOST], after[MOST], next = 0;
    sl_diff *diff = diff_of(l);
    sl_change found;
    follow(l, part);
    for (int kind = 0; kind < SL_NUM_CHANGE_KINDS; kind++) {
        uint32_t first = next;
        for (uint32_t smallest = 0; smallest < l->num_before; smallest++) {
            sl_change expected = part_of(l, part, smallest, before, after);
            if (expected.num_records == 0 || (int)expected.kind != kind) continue;
            assert_true(sl_diff_get(diff, next++, &found));
            expect_change(&found, &expected);
        }
        assert_int_equal(sl_diff_count(diff, (sl_change_kind)kind), next - first);
    }
    assert_false(sl_diff_get(diff, next, &found));
    assert_true(!found.before && !found.after && found.num_records == 0);
    sl_diff_release(diff);
}

/* ---- small cases --------------------------------------------------------------------------------------------------- */

static labels random_labels(uint64_t seed) {
    labels l = {.num_records = graph_below(&seed, MOST + 1)};
    l.num_before = 1 + graph_below(&seed, MOST);
    l.num_after = 1 + graph_below(&seed, MOST);
    bool refines = graph_below(&seed, 3) == 0; /* as cuts of one hierarchy do */
    uint32_t left_out = graph_below(&seed, 2) ? 0 : 5;
    for (uint32_t r = 0; r < l.num_records; r++) {
        l.before[r] = graph_below(&seed, l.num_before);
        l.after[r] = refines ? l.before[r] * 7 % l.num_after : graph_below(&seed, l.num_after);
        if (left_out && graph_below(&seed, left_out) == 0) l.before[r] = SL_NO_RECORD;
        if (left_out && graph_below(&seed, left_out) == 0) l.after[r] = SL_NO_RECORD;
    }
    return l;
}

static void test_changes_are_those_of_the_definition(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < EXPECT_SIZE(20000, 3000); seed++) {
        labels l = random_labels(seed);
        check(&l);
    }
}

static void test_every_labelling_of_up_to_four_records(void **state) {
    (void)state;
    for (uint32_t n = 0; n <= 4; n++)
        for (uint32_t code = 0; code < 1u << (4 * n); code++) {
            labels l = {.num_before = 3, .num_after = 3, .num_records = n};
            for (uint32_t r = 0; r < n; r++) {
                uint32_t b = code >> (4 * r) & 3, a = code >> (4 * r + 2) & 3;
                l.before[r] = b == 3 ? SL_NO_RECORD : b;
                l.after[r] = a == 3 ? SL_NO_RECORD : a;
            }
            check(&l);
        }
}

static void test_kinds_come_in_order_and_ids_follow_in_memory(void **state) {
    const labels l = {.before = {7, 6, 6, 5, 4, 3, 3, 2, 2, 1, SL_NO_RECORD},
                      .after = {0, 1, 2, 3, 3, 4, 5, 5, 6, SL_NO_RECORD, 7},
                      .num_before = 8,
                      .num_after = 8,
                      .num_records = 11};
    const uint32_t before_first[] = {0, 1, 2, 4}, after_first[] = {0, 1, 3, 4};
    sl_change change[4];
    (void)state;
    check(&l);
    sl_diff *diff = diff_of(&l);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(sl_diff_get(diff, i, &change[i]));
        assert_int_equal(change[i].kind, i);
        assert_int_equal(sl_diff_count(diff, (sl_change_kind)i), 1);
        assert_ptr_equal(change[i].before, change[0].before + before_first[i]);
        assert_ptr_equal(change[i].after, change[0].after + after_first[i]);
    }
    assert_int_equal(sl_diff_count(diff, SL_NUM_CHANGE_KINDS), 0);
    sl_diff_release(diff);
    sl_diff_release(NULL);
}

static void test_no_records(void **state) {
    sl_diff *diff = NULL;
    sl_change change;
    (void)state;
    for (uint32_t entities = 0; entities < 3; entities++) {
        EXPECT_OK(sl_diff_create(NULL, entities, NULL, entities, 0, &diff, &expect_error));
        assert_false(sl_diff_get(diff, 0, &change));
        assert_int_equal(sl_diff_count(diff, SL_CHANGE_UNCHANGED), 0);
        sl_diff_release(diff);
    }
}

/* ---- large ones ---------------------------------------------------------------------------------------------------- */

static sl_diff *diff_of_cuts(const sl_hierarchy *h, double high, double low) {
    sl_partition *before = NULL, *after = NULL;
    const uint32_t *old = NULL, *new = NULL;
    sl_diff *diff = NULL;
    EXPECT_OK(sl_partition_create(h, 0, high, &before, &expect_error));
    EXPECT_OK(sl_partition_create(h, 0, low, &after, &expect_error));
    EXPECT_OK(sl_partition_labels(before, &old, &expect_error));
    EXPECT_OK(sl_partition_labels(after, &new, &expect_error));
    EXPECT_OK(sl_diff_create(old, sl_partition_num_entities(before), new, sl_partition_num_entities(after),
                             sl_hierarchy_num_records(h), &diff, &expect_error));
    sl_partition_release(before);
    sl_partition_release(after);
    return diff;
}

/* Lowering the threshold only merges, raising it only splits, and all entities are there. */
static void test_cuts_of_one_hierarchy(void **state) {
    graph g = graph_make(GRAPH_CLUSTERS, EXPECT_SIZE(300000, 10000), EXPECT_SIZE(400000, 15000), 0, 5);
    sl_hierarchy *h = plain_engine_build(&g, NULL);
    sl_change change;
    uint64_t records = 0;
    (void)state;
    for (int lowers = 0; lowers < 2; lowers++) {
        sl_diff *diff = lowers ? diff_of_cuts(h, 0.9, 0.5) : diff_of_cuts(h, 0.5, 0.9);
        assert_true(sl_diff_count(diff, SL_CHANGE_UNCHANGED) > 100);
        assert_true(sl_diff_count(diff, lowers ? SL_CHANGE_MERGED : SL_CHANGE_SPLIT) > 100);
        assert_int_equal(sl_diff_count(diff, lowers ? SL_CHANGE_SPLIT : SL_CHANGE_MERGED), 0);
        assert_int_equal(sl_diff_count(diff, SL_CHANGE_REARRANGED), 0);
        for (uint32_t i = 0; sl_diff_get(diff, i, &change); i++) records += change.num_records;
        sl_diff_release(diff);
    }
    assert_int_equal(records, 2 * (uint64_t)g.num_records);
    sl_hierarchy_release(h);
    graph_free(&g);
}

/* Record r is in entities r / 2 before and (r + 1) / 2 after, numbered at random: one long chain. */
static void test_a_chain_of_a_million(void **state) {
    uint32_t n = EXPECT_SIZE(2000000, 20000), k = n / 2 + 1;
    uint32_t *before = fresh_memory(n, sizeof *before), *after = fresh_memory(n, sizeof *after);
    uint32_t *names = fresh_memory(k, sizeof *names);
    uint64_t seed = 3;
    sl_diff *diff = NULL;
    sl_change change;
    (void)state;
    for (uint32_t i = 0; i < k; i++) {
        uint32_t other = graph_below(&seed, i + 1);
        names[i] = names[other];
        names[other] = i;
    }
    for (uint32_t r = 0; r < n; r++) before[r] = names[r / 2], after[r] = names[(r + 1) / 2];
    EXPECT_OK(sl_diff_create(before, k, after, k, n, &diff, &expect_error));
    assert_int_equal(sl_diff_count(diff, SL_CHANGE_REARRANGED), 1);
    assert_true(sl_diff_get(diff, 0, &change));
    assert_false(sl_diff_get(diff, 1, &change) || change.before);
    assert_true(sl_diff_get(diff, 0, &change));
    assert_int_equal(change.num_before, n / 2);
    assert_int_equal(change.num_after, k);
    assert_int_equal(change.num_records, n);
    for (uint32_t i = 0; i < k; i++) assert_int_equal(change.after[i], i);
    sl_diff_release(diff);
    free(before);
    free(after);
    free(names);
}

/* ---- what is refused ------------------------------------------------------------------------------------------------- */

static void test_entities_that_are_not_there(void **state) {
    labels l = {.before = {0, 1, 1}, .after = {0, 0, 1}, .num_before = 2, .num_after = 2, .num_records = 3};
    (void)state;
    for (int side = 0; side < 2; side++)
        for (uint32_t r = 0; r < 3; r++)
            for (uint32_t bad = 2; bad != SL_NO_RECORD; bad = bad == 2 ? UINT32_MAX - 1 : SL_NO_RECORD) {
                labels spoilt = l;
                sl_diff *diff = (void *)&spoilt;
                (side ? spoilt.after : spoilt.before)[r] = bad;
                (side ? spoilt.before : spoilt.after)[r] = SL_NO_RECORD; /* checked all the same */
                EXPECT_FAILURE(sl_diff_create(spoilt.before, 2, spoilt.after, 2, 3, &diff, &expect_error),
                               SL_ERROR_INVALID_ARGUMENT, r);
                assert_null(diff);
                assert_non_null(strstr(expect_error.message, side ? "after, of 2" : "before, of 2"));
            }
    sl_diff *diff = NULL;
    EXPECT_FAILURE(sl_diff_create(l.before, 0, l.after, 0, 3, &diff, &expect_error), SL_ERROR_INVALID_ARGUMENT, 0);
}

static void test_out_of_memory(void **state) {
    labels l = random_labels(4);
    (void)state;
    assert_true(l.num_records > 10);
    assert_int_equal(sl_set_allocator(&failing_memory, NULL), SL_OK);
    uint64_t held = sl_memory_in_use(), k = 0;
    sl_diff *diff = NULL;
    for (;; k++) {
        failing_memory_after(k);
        sl_status status =
            sl_diff_create(l.before, l.num_before, l.after, l.num_after, l.num_records, &diff, &expect_error);
        failing_memory_after(FAILING_NEVER);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
        assert_null(diff);
        assert_int_equal(sl_memory_in_use(), held);
    }
    assert_int_equal(k, 10);
    sl_diff_release(diff);
    check(&l);
    assert_int_equal(sl_set_allocator(NULL, NULL), SL_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_changes_are_those_of_the_definition),
        TEST(test_every_labelling_of_up_to_four_records),
        TEST(test_kinds_come_in_order_and_ids_follow_in_memory),
        TEST(test_no_records),
        TEST(test_cuts_of_one_hierarchy),
        TEST(test_a_chain_of_a_million),
        TEST(test_entities_that_are_not_there),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
