/* keyed_graphs.c: see keyed_graphs.h. */
#include "support/keyed_graphs.h"

#include "support/expect.h"

graph graph_slice(const graph *g, uint64_t first, uint64_t count) {
    graph part = *g;
    part.left += first;
    part.right += first;
    part.scores += first;
    part.num_edges = count;
    return part;
}

sl_edges graph_keyed(const graph *g) {
    const sl_column left = {.type = SL_COLUMN_UINT32, .length = g->num_edges, .values = g->left};
    const sl_column right = {.type = SL_COLUMN_UINT32, .length = g->num_edges, .values = g->right};
    const sl_column scores = {.type = SL_COLUMN_FLOAT64, .length = g->num_edges, .values = g->scores};
    return (sl_edges){.left = {.keys = left}, .right = {.keys = right}, .score = scores};
}

sl_context *numbered_context(uint32_t n) {
    sl_context *context = NULL;
    uint16_t source;
    uint32_t first, *keys = fresh_memory(n, sizeof *keys);
    for (uint32_t i = 0; i < n; i++) keys[i] = i;
    const sl_key_column column = {.keys = {.type = SL_COLUMN_UINT32, .length = n, .values = keys}};
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "default", 7, &source, &expect_error));
    if (n > 0) EXPECT_OK(sl_context_add_records(context, &column, &first, &expect_error));
    free(keys);
    return context;
}
