/* judged_pass.c: how the judged entities merge along the leaf order, and what each merge changes.
 *
 * The Cartesian tree of the joins (latest seam at the root, leftmost on ties), walked with a stack: two neighbouring runs of
 * A and B records fuse at a seam. With S the sum of the squared cell counts of a run, S' = S_a + S_b + 2 crossing[seam]
 * (design, section "metrics"): S / size summed is B-cubed precision, and a run is exactly a reference entity iff all its
 * records carry one label (S = size^2) and the label has no more. Cost: O(records), the stack's top stays in the cache. */
#include "metrics/merge_changes.h"

#define TICK_STEP 65536u

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static sl_i_run fuse(const sl_i_run *a, const sl_i_run *b, const sl_i_seams *seams) {
    sl_i_run fused = {.size = a->size + b->size, .label = a->label, .link = a->link};
    if (!seams) return fused;
    fused.squares = a->squares + b->squares + 2 * seams->crossing[b->link];
    fused.largest_cell = larger(larger(a->largest_cell, b->largest_cell), seams->largest_cell[b->link]);
    return fused;
}

/* Fuse the two runs at the top of the stack, whose seam closes at `level`. */
static void close_top(sl_i_run *top, const sl_i_judged *judged, const sl_i_log_table *logs, const sl_i_seams *seams,
                      sl_curve *curve) {
    const sl_i_run *a = top - 1, *b = top;
    uint32_t bucket = sl_i_bucket(judged, judged->join[b->link]);
    sl_i_run fused = fuse(a, b, seams);
    sl_i_count_merge(a, b, logs, &curve->judged[bucket]);
    if (seams)
        sl_i_count_against_reference(a, b, &fused, seams->crossing[b->link], seams->sizes, &curve->judged[bucket]);
    top[-1] = fused;
}

sl_status sl_i_judged_pass(const sl_i_judged *judged, const sl_i_log_table *logs, const sl_i_seams *seams,
                           sl_curve *curve, sl_i_ticker *ticker, sl_error *error) {
    uint64_t height = 0, room = judged->num_covered;
    sl_i_run *stack =
        NULL; /* the runs of the open block; the seam before each is open, later ones on top close first */
    sl_status status = SL_OK;
    SL_TRY(sl_i_allocate(&stack, room, sizeof *stack, "runs of records", error));
    sl_i_ticker_begin(ticker, "measuring the hierarchy", judged->num_covered);
    for (uint32_t position = 0; position < judged->num_covered; position++) {
        uint32_t level = judged->join[position];
        bool closes_block = level >= judged->num_levels_used;
        if (!closes_block)
            __builtin_prefetch(&curve->judged[sl_i_bucket(judged, level)], 1); /* most seams close soon */
        stack[height] = (sl_i_run){.size = 1,
                                   .label = seams ? seams->labels[position] : 0,
                                   .largest_cell = 1,
                                   .link = position - 1,
                                   .squares = 1};
        while (height > 0 && (closes_block || judged->join[stack[height].link] < level))
            close_top(&stack[height--], judged, logs, seams, curve);
        height = closes_block ? 0 : height + 1;
        if (position % TICK_STEP == TICK_STEP - 1)
            SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, TICK_STEP, error));
    }
cleanup:
    sl_i_release(stack, room, sizeof *stack);
    return status;
}
