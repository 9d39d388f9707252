/* judged_pass.c: how the judged entities merge along the leaf order, and what each merge changes.
 *
 * The Cartesian tree of the joins (latest seam at the root, leftmost on ties), walked with a stack: two neighbouring runs of
 * A and B records fuse at a seam. With S the sum of the squared cell counts of a run, S' = S_a + S_b + 2 crossing[seam]
 * (design, section "metrics"): S / size summed is B-cubed precision, and a run is exactly a reference entity iff all its
 * records carry one label (S = size^2) and the label has no more. Cost: O(records), the stack's top stays in the cache. */
#include "metrics/curve.h"

#define TICK_STEP 65536u

/* A run of neighbouring records that are together by now. Fields of the reference are unused without one. */
typedef struct run {
    uint32_t size;
    uint32_t label;        /* of any of its records */
    uint32_t largest_cell; /* most records of one label */
    uint32_t seam;         /* the open seam before this run */
    uint64_t squares;      /* sum of squared cell counts */
} run;

static bool is_exact(const run *r, const sl_i_seams *seams) {
    return r->squares == (uint64_t)r->size * r->size && r->size == seams->sizes[r->label];
}

static void count_merge(const run *a, const run *b, const sl_i_log_table *logs, sl_i_judged_sums *sums) {
    uint32_t together = a->size + b->size;
    sums->pairs += (uint64_t)a->size * b->size;
    sums->size_log += sl_i_x_log_x(logs, together) - sl_i_x_log_x(logs, a->size) - sl_i_x_log_x(logs, b->size);
    sums->entities++;
    sums->singletons += (uint32_t)(a->size == 1) + (uint32_t)(b->size == 1);
    sums->largest = together > sums->largest ? together : sums->largest;
}

/* What changes between the reference and the judged side when a and b become `fused`. */
static void count_against_reference(const run *a, const run *b, const run *fused, uint64_t crossing,
                                    const sl_i_seams *seams, sl_i_judged_sums *sums) {
    sums->true_pairs += crossing;
    sums->bcubed_precision +=
        (double)fused->squares / fused->size - (double)a->squares / a->size - (double)b->squares / b->size;
    sums->exact += (int64_t)is_exact(fused, seams) - (int64_t)is_exact(a, seams) - (int64_t)is_exact(b, seams);
    /* Unsigned arithmetic wraps to the right prefix sum: the fused run's largest cell may be smaller than both together. */
    sums->largest_in_entity += (uint64_t)fused->largest_cell - a->largest_cell - b->largest_cell;
}

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static run fuse(const run *a, const run *b, const sl_i_seams *seams) {
    run fused = {.size = a->size + b->size, .label = a->label, .seam = a->seam};
    if (!seams) return fused;
    fused.squares = a->squares + b->squares + 2 * seams->crossing[b->seam];
    fused.largest_cell = larger(larger(a->largest_cell, b->largest_cell), seams->largest_cell[b->seam]);
    return fused;
}

/* Fuse the two runs at the top of the stack, whose seam closes at `level`. */
static void close_top(run *top, const sl_i_judged *judged, const sl_i_log_table *logs, const sl_i_seams *seams,
                      sl_curve *curve) {
    const run *a = top - 1, *b = top;
    uint32_t bucket = sl_i_bucket(judged, judged->join[b->seam]);
    run fused = fuse(a, b, seams);
    count_merge(a, b, logs, &curve->judged[bucket]);
    if (seams) count_against_reference(a, b, &fused, seams->crossing[b->seam], seams, &curve->judged[bucket]);
    top[-1] = fused;
}

sl_status sl_i_judged_pass(const sl_i_judged *judged, const sl_i_log_table *logs, const sl_i_seams *seams,
                           sl_curve *curve, sl_i_ticker *ticker, sl_error *error) {
    uint64_t height = 0, room = (uint64_t)judged->num_covered;
    run *stack = NULL; /* the runs of the open block; the seam before each is open, later ones on top close first */
    sl_status status = SL_OK;
    SL_TRY(sl_i_allocate(&stack, room, sizeof *stack, "runs of records", error));
    sl_i_ticker_begin(ticker, "measuring the hierarchy", judged->num_covered);
    for (uint32_t position = 0; position < judged->num_covered; position++) {
        uint32_t level = judged->join[position];
        bool closes_block = level >= judged->num_levels_used;
        if (!closes_block)
            __builtin_prefetch(&curve->judged[sl_i_bucket(judged, level)], 1); /* most seams close soon */
        stack[height] = (run){.size = 1,
                              .label = seams ? seams->labels[position] : 0,
                              .largest_cell = 1,
                              .seam = position - 1,
                              .squares = 1};
        while (height > 0 && (closes_block || judged->join[stack[height].seam] < level))
            close_top(&stack[height--], judged, logs, seams, curve);
        height = closes_block ? 0 : height + 1;
        if (position % TICK_STEP == TICK_STEP - 1)
            SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, TICK_STEP, error));
    }
cleanup:
    sl_i_release(stack, room, sizeof *stack);
    return status;
}
