/* plain_kept.c: see plain_kept.h. */
#include "support/plain_kept.h"

#include "support/expect.h"

static void expect_neighbours(const sl_edge_list *edges, const sl_edge_list *plain, uint32_t record) {
    const uint32_t *records = NULL, *numbers = NULL;
    uint32_t count = 0, next = 0;
    EXPECT_OK(sl_edge_list_neighbours(edges, record, &records, &numbers, &count, &expect_error));
    for (uint64_t i = 0; i < plain->count; i++) {
        if (plain->left[i] != record && plain->right[i] != record) continue;
        assert_true(next < count);
        assert_int_equal(numbers[next], i);
        assert_int_equal(records[next++], plain->left[i] == record ? plain->right[i] : plain->left[i]);
    }
    assert_int_equal(next, count);
}

void plain_expect_list(const sl_edge_list *edges, const sl_edge_list *plain) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    EXPECT_OK(sl_i_edge_list_validate(edges, &silent, &expect_error));
    assert_int_equal(sl_edge_list_num_records(edges), plain->num_records);
    assert_int_equal(sl_edge_list_count(edges), plain->count);
    for (uint64_t i = 0; i < plain->count; i++) {
        assert_int_equal(sl_edge_list_left(edges)[i], plain->left[i]);
        assert_int_equal(sl_edge_list_right(edges)[i], plain->right[i]);
        assert_true(sl_edge_list_scores(edges)[i] == plain->scores[i]);
    }
    for (uint32_t record = 0; record < plain->num_records; record++) expect_neighbours(edges, plain, record);
}

void plain_expect_kept(const sl_hierarchy *hierarchy, const graph *g, uint32_t decimals, sl_keep keep) {
    sl_edge_list plain;
    plain_edges_make(g, decimals, &plain);
    uint32_t *joined = fresh_memory(g->num_records, sizeof *joined);
    uint32_t num_joined = plain_edges_kruskal(&plain, g->num_records, joined);
    EXPECT_OK(sl_hierarchy_validate(hierarchy, &expect_error));
    assert_int_equal(sl_hierarchy_kept(hierarchy), keep);
    if (keep == SL_KEEP_ALL)
        plain_expect_list(sl_hierarchy_edges(hierarchy), &plain);
    else
        assert_null(sl_hierarchy_edges(hierarchy));
    if (keep != SL_KEEP_NOTHING)
        plain_edges_expect_forest(hierarchy, &plain, joined, num_joined);
    else
        assert_null(sl_hierarchy_forest_left(hierarchy));
    free(joined);
    plain_edges_free(&plain);
}
