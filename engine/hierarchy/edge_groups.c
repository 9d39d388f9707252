/* edge_groups.c: see edge_groups.h.
 *
 * Codes are counted in at most 2^16 buckets of neighbouring codes, an array of counters for every lane (thread); runs of
 * buckets then make the groups. A window's edges take their places in every group with one atomic addition per group. */
#include "hierarchy/edge_groups.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "support/first_failure.h"

#define MAX_BUCKETS 65536u
#define MAX_GROUPS 4096u
#define SLICES 4u /* tasks a window is scattered in beside the reading of the next */

typedef struct reading {
    sl_i_edge_part *parts;
    uint64_t num_parts;
    const sl_i_score_coder *coder;
    uint32_t lanes;
    sl_i_ticker *ticker;
    uint32_t shift, num_buckets;
    uint64_t *counts;              /* lanes x num_buckets */
    uint16_t *group_of;            /* by bucket */
    atomic_uint_fast64_t *cursors; /* by group: the next free place */
    sl_i_window *windows;          /* scratch, by lane; then two more for the pipeline */
    uint64_t num_windows;
    sl_i_edge *edges;
    uint64_t num_places; /* in `edges` */
    uint32_t num_groups;
    sl_i_lone_records *loops; /* under `lock` */
    /* the part and window at work */
    sl_i_edge_part *part;
    uint64_t window;
    sl_i_first_failure failed; /* by window, so in the order of the rows */
    pthread_mutex_t lock;
} reading;

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static void count_window(void *state, uint64_t window, uint32_t lane) {
    reading *work = state;
    sl_i_window *scratch = &work->windows[lane];
    uint64_t *counts = work->counts + (uint64_t)lane * work->num_buckets;
    sl_error error;
    sl_status status = sl_i_edge_part_read_codes(work->part, window, work->coder, scratch, &error);
    if (status != SL_OK) {
        sl_i_first_failure_note(&work->failed, window, status, &error);
        return;
    }
    for (uint64_t i = 0; i < scratch->count; i++) counts[scratch->codes[i] >> work->shift]++;
}

static sl_status count_codes(reading *work, sl_error *error) {
    uint64_t total = 0;
    for (uint64_t p = 0; p < work->num_parts; p++) total += work->parts[p].rows;
    sl_i_ticker_begin(work->ticker, "counting scores", total);
    for (uint64_t p = 0; p < work->num_parts; p++) {
        work->part = &work->parts[p];
        SL_TRY(sl_i_parallel(sl_i_edge_part_num_windows(work->part), work->lanes, count_window, work, work->ticker,
                             SL_I_WINDOW, error));
        SL_TRY(sl_i_first_failure_forward(&work->failed, error));
    }
    return SL_OK;
}

static uint64_t add_lanes(reading *work, uint32_t bucket) {
    uint64_t count = 0;
    for (uint32_t lane = 0; lane < work->lanes; lane++)
        count += work->counts[(uint64_t)lane * work->num_buckets + bucket];
    return count;
}

/* Highest bucket first; a group takes buckets until it is full, so it is too large only if one bucket alone is. */
static sl_status lay_out_groups(reading *work, sl_i_edge_groups *out, sl_error *error) {
    uint64_t total = 0;
    for (uint32_t bucket = 0; bucket < work->num_buckets; bucket++) total += add_lanes(work, bucket);
    uint64_t target = total / (MAX_GROUPS / 2) + 1;
    target = target > SL_I_GROUP_EDGES ? target : SL_I_GROUP_EDGES;
    SL_TRY(sl_i_allocate_zeroed(&out->starts, MAX_GROUPS + 1, sizeof *out->starts, "edge groups", error));
    SL_TRY(sl_i_allocate_zeroed(&out->ends, MAX_GROUPS + 1, sizeof *out->ends, "edge groups", error));
    uint32_t group = 0;
    uint64_t in_group = 0;
    for (uint32_t bucket = work->num_buckets; bucket-- > 0;) {
        uint64_t count = add_lanes(work, bucket);
        if (in_group > 0 && in_group + count > target) {
            out->starts[group + 1] = out->starts[group] + in_group;
            group++;
            in_group = 0;
        }
        work->group_of[bucket] = (uint16_t)group;
        in_group += count;
    }
    out->starts[group + 1] = out->starts[group] + in_group;
    out->num_groups = work->num_groups = group + 1;
    out->capacity = total;
    SL_TRY(sl_i_allocate(&out->edges, total, sizeof *out->edges, "the edges", error));
    work->edges = out->edges;
    work->num_places = total;
    return SL_OK;
}

/* ---- placing ----------------------------------------------------------------------------------------------------- */

static void note_loops(reading *work, const sl_i_window *window, uint64_t first, uint64_t last, uint64_t number) {
    sl_error error;
    sl_status status = SL_OK;
    pthread_mutex_lock(&work->lock);
    for (uint64_t i = first; i < last && status == SL_OK; i++)
        if (window->left[i] == window->right[i]) status = sl_i_lone_add(work->loops, window->left[i], &error);
    pthread_mutex_unlock(&work->lock);
    if (status != SL_OK) sl_i_first_failure_note(&work->failed, number, status, &error);
}

/* Rows [first, last) of window `number`, whose records and codes are both there. */
static void scatter(reading *work, const sl_i_window *window, uint64_t first, uint64_t last, uint64_t number) {
    uint32_t counts[MAX_GROUPS];
    uint64_t places[MAX_GROUPS], edges = 0;
    memset(counts, 0, work->num_groups * sizeof *counts);
    for (uint64_t i = first; i < last; i++)
        counts[work->group_of[window->codes[i] >> work->shift]] += window->left[i] != window->right[i];
    for (uint32_t group = 0; group < work->num_groups; group++) {
        if (!counts[group]) continue;
        places[group] = atomic_fetch_add_explicit(&work->cursors[group], counts[group], memory_order_relaxed);
        edges += counts[group];
    }
    if (edges < last - first) note_loops(work, window, first, last, number);
    for (uint64_t i = first; i < last; i++) {
        if (window->left[i] == window->right[i]) continue;
        uint64_t place = places[work->group_of[window->codes[i] >> work->shift]]++;
        work->edges[place] = (sl_i_edge){window->left[i], window->right[i], window->codes[i]};
    }
}

/* One window of a part that may be read anywhere. */
static void place_window(void *state, uint64_t window, uint32_t lane) {
    reading *work = state;
    sl_i_window *scratch = &work->windows[lane];
    sl_error error;
    sl_status status = sl_i_edge_part_read_records(work->part, window, scratch, &error);
    if (status == SL_OK) status = sl_i_edge_part_read_codes(work->part, window, work->coder, scratch, &error);
    if (status == SL_OK)
        scatter(work, scratch, 0, scratch->count, window);
    else
        sl_i_first_failure_note(&work->failed, window, status, &error);
}

/* One step of the pipeline over a sequential part: task 0 reads the records of window `window`, the others code and place
 * slices of the window before it. */
static void pipeline_task(void *state, uint64_t task, uint32_t lane) {
    reading *work = state;
    uint64_t window = work->window;
    sl_error error;
    (void)lane;
    if (task == 0) {
        if (window >= sl_i_edge_part_num_windows(work->part)) return;
        sl_i_window *ahead = &work->windows[work->lanes + window % 2];
        sl_status status = sl_i_edge_part_read_records(work->part, window, ahead, &error);
        if (status == SL_OK) status = sl_i_edge_part_read_codes(work->part, window, work->coder, ahead, &error);
        if (status != SL_OK) sl_i_first_failure_note(&work->failed, window, status, &error);
        return;
    }
    if (window == 0) return;
    const sl_i_window *behind = &work->windows[work->lanes + (window - 1) % 2];
    scatter(work, behind, behind->count * (task - 1) / SLICES, behind->count * task / SLICES, window - 1);
}

static sl_status place_sequential(reading *work, sl_error *error) {
    uint64_t num_windows = sl_i_edge_part_num_windows(work->part);
    for (work->window = 0; work->window <= num_windows; work->window++) {
        sl_i_edge_part_begin_reading(work->part);
        sl_status status = sl_i_parallel(1 + SLICES, work->lanes, pipeline_task, work, NULL, 0, error);
        sl_i_edge_part_end_reading(work->part);
        SL_TRY(status);
        SL_TRY(sl_i_first_failure_forward(&work->failed, error));
        SL_TRY(sl_i_ticker_advance(work->ticker, SL_I_WINDOW, error));
    }
    return SL_OK;
}

#define TOUCH_EDGES 1048576u /* 12 MiB a task */
#define PAGE_EDGES 341u      /* no two of them lie further apart than a page of 4 KiB */

static void touch_edges(void *state, uint64_t task, uint32_t lane) {
    reading *work = state;
    uint64_t first = task * TOUCH_EDGES, left = work->num_places - first;
    uint64_t last = first + (left < TOUCH_EDGES ? left : TOUCH_EDGES);
    (void)lane;
    for (uint64_t i = first; i < last; i += PAGE_EDGES) work->edges[i].code = 0;
}

/* The first window lies all over the edges, so its reader would meet every fresh page at once, for a long time without a tick.
 * Meet them here: in parallel, and ticking. */
static sl_status touch_pages(reading *work, sl_error *error) {
    uint64_t tasks = work->num_places / TOUCH_EDGES + (work->num_places % TOUCH_EDGES != 0);
    sl_i_ticker_begin(work->ticker, "making room", work->num_places);
    return sl_i_parallel(tasks, work->lanes, touch_edges, work, work->ticker, TOUCH_EDGES, error);
}

static sl_status place_edges(reading *work, sl_error *error) {
    SL_TRY(touch_pages(work, error));
    for (uint64_t p = 0; p < work->num_parts; p++) {
        work->part = &work->parts[p];
        SL_TRY(sl_i_edge_part_open(work->part, work->lanes, work->ticker, error));
        sl_i_ticker_begin(work->ticker, "placing edges", work->part->rows);
        if (sl_i_edge_part_is_sequential(work->part)) {
            SL_TRY(place_sequential(work, error));
        } else {
            SL_TRY(sl_i_parallel(sl_i_edge_part_num_windows(work->part), work->lanes, place_window, work, work->ticker,
                                 SL_I_WINDOW, error));
            SL_TRY(sl_i_first_failure_forward(&work->failed, error));
        }
    }
    return SL_OK;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static sl_status prepare(reading *work, sl_error *error) {
    uint32_t largest = sl_i_score_coder_max(work->coder);
    while ((largest >> work->shift) >= MAX_BUCKETS) work->shift++;
    work->num_buckets = (largest >> work->shift) + 1;
    SL_TRY(sl_i_allocate_zeroed(&work->counts, (uint64_t)work->num_buckets * work->lanes, sizeof *work->counts,
                                "counting scores", error));
    SL_TRY(sl_i_allocate(&work->group_of, work->num_buckets, sizeof *work->group_of, "edge groups", error));
    SL_TRY(sl_i_allocate(&work->windows, work->num_windows, sizeof *work->windows, "reading edges", error));
    for (uint64_t p = 0; p < work->num_parts; p++) SL_TRY(sl_i_edge_part_prepare(&work->parts[p], work->coder, error));
    return SL_OK;
}

static void finish(reading *work) {
    sl_i_release(work->windows, work->num_windows, sizeof *work->windows);
    sl_i_release(work->cursors, work->num_groups, sizeof *work->cursors);
    sl_i_release(work->group_of, work->num_buckets, sizeof *work->group_of);
    sl_i_release(work->counts, (uint64_t)work->num_buckets * work->lanes, sizeof *work->counts);
    pthread_mutex_destroy(&work->lock);
}

static sl_status start_cursors(reading *work, const sl_i_edge_groups *groups, sl_error *error) {
    SL_TRY(sl_i_allocate(&work->cursors, work->num_groups, sizeof *work->cursors, "edge groups", error));
    for (uint32_t group = 0; group < work->num_groups; group++)
        atomic_init(&work->cursors[group], groups->starts[group]);
    return SL_OK;
}

static void note_ends(const reading *work, sl_i_edge_groups *groups) {
    groups->num_edges = 0;
    for (uint32_t group = 0; group < work->num_groups; group++) {
        groups->ends[group] = atomic_load_explicit(&work->cursors[group], memory_order_relaxed);
        groups->num_edges += groups->ends[group] - groups->starts[group];
    }
}

sl_status sl_i_edge_groups_read(sl_i_edge_part *parts, uint64_t num_parts, const sl_i_score_coder *coder,
                                uint32_t lanes, sl_i_ticker *ticker, sl_i_edge_groups *out, sl_error *error) {
    reading work = {.parts = parts,
                    .num_parts = num_parts,
                    .coder = coder,
                    .lanes = lanes,
                    .ticker = ticker,
                    .num_windows = lanes + 2u,
                    .loops = &out->loops};
    memset(out, 0, sizeof *out);
    sl_i_first_failure_init(&work.failed);
    if (pthread_mutex_init(&work.lock, NULL) != 0)
        return sl_i_fail(error, SL_ERROR_SYSTEM, "cannot make a mutex: the system is out of resources");
    sl_status status;
    SL_TRY_CLEANUP(status, prepare(&work, error));
    SL_TRY_CLEANUP(status, count_codes(&work, error));
    SL_TRY_CLEANUP(status, lay_out_groups(&work, out, error));
    SL_TRY_CLEANUP(status, start_cursors(&work, out, error));
    SL_TRY_CLEANUP(status, place_edges(&work, error));
    note_ends(&work, out);
cleanup:
    finish(&work);
    if (status != SL_OK) sl_i_edge_groups_release(out);
    return status;
}

void sl_i_edge_groups_release(sl_i_edge_groups *groups) {
    sl_i_release(groups->edges, groups->capacity, sizeof *groups->edges);
    sl_i_release(groups->starts, MAX_GROUPS + 1, sizeof *groups->starts);
    sl_i_release(groups->ends, MAX_GROUPS + 1, sizeof *groups->ends);
    sl_i_lone_release(&groups->loops);
    memset(groups, 0, sizeof *groups);
}
