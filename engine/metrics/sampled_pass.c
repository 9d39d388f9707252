/* sampled_pass.c: what happens to sampled records along the leaf order.
 *
 * Neighbouring runs of the leaf order fuse as in judged_pass.c. Most of them hold no sampled record: of those only the size is
 * known, and nothing is noted. A run with samples goes by the number of its first one, which stays when it takes another run
 * in. The order is walked twice, first to count the notes of each bucket, then to put them where they belong: O(records)
 * time; 12 bytes a record, 12 a note, 8 a bucket. */
#include "metrics/estimate.h"
#include "support/sort.h"

#define TICK_STEP 65536u

/* A run of neighbouring records that are together by now. */
typedef struct run {
    uint32_t size;
    uint32_t sample; /* first sampled record in it, or SL_NO_RECORD */
    uint32_t seam;   /* the open seam before this run */
} run;

typedef struct walk {
    const sl_i_judged *judged;
    const uint32_t *sample_of;
    run *stack;
    uint64_t height;
    uint64_t *next;   /* by bucket: notes counted, then where the next note goes */
    sl_i_note *notes; /* NULL: only count */
} walk;

/* Fuse the two runs at the top of the stack. */
static void fuse_top(walk *w) {
    const run b = w->stack[--w->height];
    run *a = &w->stack[w->height - 1];
    bool keeps = a->sample != SL_NO_RECORD;
    a->size += b.size;
    if (!keeps && b.sample == SL_NO_RECORD) return;
    uint64_t place = w->next[sl_i_bucket(w->judged, w->judged->join[b.seam])]++;
    sl_i_note note = {keeps ? a->sample : b.sample, keeps ? b.sample : SL_NO_RECORD, a->size};
    if (w->notes) w->notes[place] = note;
    a->sample = note.kept;
}

static void take_position(walk *w, uint32_t position) {
    const sl_i_judged *judged = w->judged;
    uint32_t level = judged->join[position];
    bool closes_block = level >= judged->num_levels_used;
    w->stack[w->height++] = (run){1, w->sample_of[judged->order[position]], position - 1};
    while (w->height > 1 && (closes_block || judged->join[w->stack[w->height - 1].seam] < level)) fuse_top(w);
    if (closes_block) w->height = 0;
}

static sl_status walk_order(walk *w, sl_i_ticker *ticker, sl_error *error) {
    uint32_t count = w->judged->num_covered;
    w->height = 0;
    sl_i_ticker_begin(ticker, "following the sample", count);
    for (uint32_t position = 0; position < count; position++) {
        take_position(w, position);
        if (position % TICK_STEP == TICK_STEP - 1) SL_TRY(sl_i_ticker_advance(ticker, TICK_STEP, error));
    }
    return SL_OK;
}

/* Filling moves each bucket's start to its end, the next one's start. */
static void restore_starts(uint64_t *starts, uint32_t num_buckets) {
    for (uint32_t bucket = num_buckets; bucket > 0; bucket--) starts[bucket] = starts[bucket - 1];
    starts[0] = 0;
}

sl_status sl_i_sampled_pass(const sl_i_judged *judged, const uint32_t *sample_of, uint32_t num_buckets,
                            sl_i_notes *notes, sl_i_ticker *ticker, sl_error *error) {
    walk w = {.judged = judged, .sample_of = sample_of};
    sl_status status;
    SL_TRY(sl_i_allocate_zeroed(&notes->starts, (uint64_t)num_buckets + 1, sizeof *notes->starts,
                                "merges of the sample", error));
    SL_TRY(sl_i_allocate(&w.stack, judged->num_covered, sizeof *w.stack, "runs of records", error));
    w.next = notes->starts;
    SL_TRY_CLEANUP(status, walk_order(&w, ticker, error));
    notes->num_notes = sl_i_counts_to_starts_u64(notes->starts, num_buckets);
    SL_TRY_CLEANUP(status,
                   sl_i_allocate(&notes->notes, notes->num_notes, sizeof *notes->notes, "merges of the sample", error));
    w.notes = notes->notes;
    SL_TRY_CLEANUP(status, walk_order(&w, ticker, error));
    restore_starts(notes->starts, num_buckets);
cleanup:
    sl_i_release(w.stack, judged->num_covered, sizeof *w.stack);
    return status;
}
