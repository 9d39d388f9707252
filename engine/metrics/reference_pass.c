/* reference_pass.c: how the members of each reference entity come together in the judged hierarchy.
 *
 * Walking the leaf order, the gap between a record and the previous one of its reference entity closes at the seam with the
 * latest level in between (leftmost on ties). A monotone stack of seams, latest at the bottom, answers that with a search
 * from its top. A reference entity of k records has k-1 gaps in position order; the Cartesian tree over them (latest gap at
 * the root, leftmost on ties: the same rule as the judged side's, so that both agree on every binary step) says which of its
 * runs fuse at which seam. An entity is done when its last record has been met, while what it touches is still in the cache.
 *
 * Cost: O(records x log of a short search). Memory: 24 bytes a record beside the seams. */
#include "metrics/merge_changes.h"
#include "support/sort.h"

#define AHEAD 16u
#define TICK_STEP 65536u

typedef struct seam {
    uint32_t position, level;
} seam;

/* A reference entity on the walk. */
typedef struct reference_entity {
    uint32_t start;   /* where its gaps are stored */
    uint32_t last;    /* position of its last record met */
    uint32_t met;     /* records met so far: one more than its gaps */
    uint32_t covered; /* records of it that the hierarchy covers */
} reference_entity;

typedef struct pass {
    const sl_i_judged *judged;
    const sl_i_log_table *logs;
    sl_i_seams *seams;
    sl_curve *curve;
    uint32_t num_labels;
    reference_entity *entities; /* by label */
    seam *gaps;                 /* all entities' gaps, each entity's together and in position order */
    seam *stack;                /* seams that may still be the latest of a gap to come */
    uint32_t height;
    uint32_t largest;  /* size of the largest reference entity */
    uint32_t *runs;    /* scratch for one entity: sizes of its open runs */
    seam *open;        /* and the gaps between them */
    uint64_t *fusions; /* and its fusions: bucket << 32 | size of the fused run */
    uint64_t *sort_scratch;
    uint64_t num_fusions;
} pass;

sl_status sl_i_check_labels(const uint32_t *labels, uint32_t count, uint32_t num_labels, sl_error *error) {
    for (uint32_t i = 0; i < count; i++)
        if (labels[i] >= num_labels)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, i, -1,
                                 "record %u has the reference label %u, but there are only %u labels", i, labels[i],
                                 num_labels);
    return SL_OK;
}

static void measure_reference(pass *p, const uint32_t *labels) {
    const sl_i_judged *judged = p->judged;
    uint32_t next = 0;
    for (uint32_t record = 0; record < judged->num_covered; record++) p->entities[labels[record]].covered++;
    for (uint32_t label = 0; label < p->num_labels; label++) p->seams->sizes[label] = p->entities[label].covered;
    for (uint32_t record = judged->num_covered; record < judged->num_records; record++)
        p->seams->sizes[labels[record]]++;
    for (uint32_t label = 0; label < p->num_labels; label++) {
        reference_entity *entity = &p->entities[label];
        uint32_t size = p->seams->sizes[label];
        entity->start = next;
        next += entity->covered;
        p->largest = entity->covered > p->largest ? entity->covered : p->largest;
        sl_i_count_reference(p->curve, size, p->logs);
    }
}

static void label_positions(const sl_i_judged *judged, const uint32_t *labels, uint32_t *position_labels) {
    uint32_t count = judged->num_covered, i = 0;
    for (; count > AHEAD && i < count - AHEAD; i++) {
        __builtin_prefetch(&labels[judged->order[i + AHEAD]]);
        position_labels[i] = labels[judged->order[i]];
    }
    for (; i < count; i++) position_labels[i] = labels[judged->order[i]];
}

/* ---- one entity -------------------------------------------------------------------------------------------------- */

/* Runs of a and b records of one entity fuse where `gap` closes. */
static uint32_t fuse(pass *p, seam gap, uint32_t a, uint32_t b, uint32_t entity_size) {
    uint32_t bucket = sl_i_bucket(p->judged, gap.level), together = a + b;
    sl_i_count_cell_fusion(a, b, entity_size, p->logs, &p->curve->reference[bucket]);
    p->seams->crossing[gap.position] += (uint64_t)a * b;
    uint32_t *largest = &p->seams->largest_cell[gap.position];
    *largest = together > *largest ? together : *largest;
    p->fusions[p->num_fusions++] = (uint64_t)bucket << 32 | together;
    return together;
}

/* The largest run grows along the buckets: add what each bucket adds to it. */
static void add_largest_runs(pass *p) {
    uint64_t largest = 1, *fusions = p->fusions;
    sl_i_sort_u64(fusions, p->sort_scratch, p->num_fusions);
    for (uint64_t i = 0; i < p->num_fusions; i++) {
        uint64_t size = fusions[i] & UINT32_MAX;
        if (size <= largest) continue;
        p->curve->reference[fusions[i] >> 32].largest_in_reference += size - largest;
        largest = size;
    }
}

/* Close every open gap that closes before `level` (on ties, the later position is the inner one and closes too when a
 * strictly later level comes). */
static void close_gaps(pass *p, uint32_t level, uint64_t *num_open, uint32_t entity_size) {
    uint32_t *runs = p->runs;
    while (*num_open > 0 && p->open[*num_open - 1].level < level) {
        uint64_t top = --*num_open;
        runs[top] = fuse(p, p->open[top], runs[top], runs[top + 1], entity_size);
    }
}

static void finish_entity(pass *p, const seam *gaps, uint64_t num_gaps, uint32_t entity_size) {
    uint64_t num_open = 0;
    p->num_fusions = 0;
    p->runs[0] = 1;
    for (uint64_t i = 0; i < num_gaps; i++) {
        close_gaps(p, gaps[i].level, &num_open, entity_size);
        if (gaps[i].level == SL_NEVER) {
            p->runs[0] = 1; /* nothing before can fuse with anything after */
            continue;
        }
        p->open[num_open++] = gaps[i];
        p->runs[num_open] = 1;
    }
    close_gaps(p, SL_NEVER, &num_open, entity_size);
    add_largest_runs(p);
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

/* The latest seam in [last, here), leftmost on ties: the deepest seam on the stack at or after `last`. Records of one entity
 * lie close together, so look near the top first, in steps that double. */
static seam latest_seam(const pass *p, uint32_t last) {
    uint32_t high = p->height - 1, step = 1; /* stack[high] is at or after last: the top is the seam just before here */
    uint32_t low;                            /* stack[low - 1] is before last, or low is 0 */
    for (;;) {
        if (high < step) {
            low = 0;
            break;
        }
        if (p->stack[high - step].position < last) {
            low = high - step + 1;
            break;
        }
        high -= step;
        step *= 2;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->stack[middle].position >= last)
            high = middle;
        else
            low = middle + 1;
    }
    return p->stack[high];
}

static void push_seam(pass *p, uint32_t position) {
    uint32_t level = p->judged->join[position];
    if (level >= p->judged->num_levels_used) level = SL_NEVER;
    while (p->height > 0 && p->stack[p->height - 1].level < level) p->height--;
    p->stack[p->height++] = (seam){position, level};
    /* Most gaps that close here are closed soon. */
    if (level != SL_NEVER) __builtin_prefetch(&p->curve->reference[sl_i_bucket(p->judged, level)], 1);
}

static void meet(pass *p, uint32_t position) {
    uint32_t label = p->seams->labels[position];
    reference_entity *entity = &p->entities[label];
    if (entity->met > 0) p->gaps[entity->start + entity->met - 1] = latest_seam(p, entity->last);
    entity->last = position;
    if (++entity->met == entity->covered && entity->met > 1)
        finish_entity(p, p->gaps + entity->start, entity->met - 1u, p->seams->sizes[label]);
}

static sl_status walk(pass *p, sl_i_ticker *ticker, sl_error *error) {
    const uint32_t *labels = p->seams->labels;
    uint32_t count = p->judged->num_covered;
    sl_i_ticker_begin(ticker, "measuring the reference", count);
    for (uint32_t position = 0; position < count; position++) {
        if (position + AHEAD < count) __builtin_prefetch(&p->entities[labels[position + AHEAD]], 1);
        meet(p, position);
        push_seam(p, position);
        if (position % TICK_STEP == TICK_STEP - 1) SL_TRY(sl_i_ticker_advance(ticker, TICK_STEP, error));
    }
    return SL_OK;
}

static sl_status set_up(pass *p, sl_error *error) {
    uint64_t covered = p->judged->num_covered;
    SL_TRY(sl_i_allocate(&p->gaps, covered, sizeof *p->gaps, "the gaps of the reference", error));
    SL_TRY(sl_i_allocate(&p->stack, covered, sizeof *p->stack, "open seams", error));
    SL_TRY(sl_i_allocate(&p->runs, (uint64_t)p->largest + 1, sizeof *p->runs, "runs of one entity", error));
    SL_TRY(sl_i_allocate(&p->open, p->largest, sizeof *p->open, "gaps of one entity", error));
    SL_TRY(sl_i_allocate(&p->fusions, p->largest, sizeof *p->fusions, "fusions of one entity", error));
    return sl_i_allocate(&p->sort_scratch, p->largest, sizeof *p->sort_scratch, "fusions of one entity", error);
}

static void tear_down(pass *p) {
    uint64_t covered = p->judged->num_covered;
    sl_i_release(p->gaps, covered, sizeof *p->gaps);
    sl_i_release(p->stack, covered, sizeof *p->stack);
    sl_i_release(p->runs, (uint64_t)p->largest + 1, sizeof *p->runs);
    sl_i_release(p->open, p->largest, sizeof *p->open);
    sl_i_release(p->fusions, p->largest, sizeof *p->fusions);
    sl_i_release(p->sort_scratch, p->largest, sizeof *p->sort_scratch);
    sl_i_release(p->entities, p->num_labels, sizeof *p->entities);
}

sl_status sl_i_reference_pass(const sl_i_judged *judged, const uint32_t *labels, uint32_t num_labels,
                              const sl_i_log_table *logs, sl_i_seams *seams, sl_curve *curve, sl_i_ticker *ticker,
                              sl_error *error) {
    pass p = {.judged = judged, .logs = logs, .seams = seams, .curve = curve, .num_labels = num_labels};
    sl_status status;
    sl_i_ticker_begin(ticker, "reading the reference", judged->num_covered);
    SL_TRY(sl_i_ticker_advance(ticker, 0, error));
    SL_TRY(sl_i_check_labels(labels, judged->num_records, num_labels, error));
    SL_TRY(sl_i_allocate_zeroed(&p.entities, num_labels, sizeof *p.entities, "reference entities", error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    measure_reference(&p, labels);
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    SL_TRY_CLEANUP(status, set_up(&p, error));
    label_positions(judged, labels, seams->labels);
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(ticker, 0, error));
    SL_TRY_CLEANUP(status, walk(&p, ticker, error));
cleanup:
    tear_down(&p);
    return status;
}
