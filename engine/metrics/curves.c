/* curves.c: many comparisons at once, each a pass of its own on one thread.
 *
 * Comparisons are tasks of the pool. They are ordered so that those with one reference cut are neighbours and the largest come
 * first: cuts by their largest comparison, then the comparisons of each cut by size. The labels of a cut are made by the
 * first thread that needs them and released by the last, so about as many label arrays are alive as there are threads.
 * Two threads that come to a cut at the same moment make its labels both, and one array is kept: that takes no longer than
 * waiting would. A pass knows nothing of the others, so results depend neither on threads nor on order.
 *
 * Every thread's pass has a part of one ticker (pool.h): progress is counted in positions passed, and a pass on any thread
 * stops when the callback asks to. Whatever can be wrong with a comparison is found before the first pass; a pass can only
 * run out of memory, and of several that do the first is reported (first_failure.h). */
#include "metrics/curve.h"
#include "support/first_failure.h"
#include "support/memory.h"
#include "support/sort.h"

#define SIZE_SHIFT 4u /* sizes are compared in 32 bits, in units of 16 positions */

/* A cut of a reference, and its labels while comparisons with it are to be done. */
typedef struct reference_cut {
    const sl_hierarchy *hierarchy; /* NULL: no reference */
    uint32_t num_records, level;
    double threshold;
    sl_partition *_Atomic partition;
    atomic_uint_fast32_t to_do; /* comparisons */
} reference_cut;

typedef struct task {
    uint32_t comparison;
    uint32_t cut;
} task;

typedef struct batch {
    const sl_comparison *comparisons;
    uint64_t count;
    sl_curve **curves;
    uint32_t *levels; /* by comparison: of its reference cut */
    task *tasks;      /* in the order in which they are done */
    reference_cut *cuts;
    uint32_t num_cuts;
    sl_i_first_failure failed; /* by comparison */
    sl_i_ticker ticker;
} batch;

/* Positions that a comparison passes, once for each side. */
static uint64_t positions_of(const sl_comparison *comparison) {
    return (uint64_t)comparison->hierarchy->num_records * (comparison->reference ? 2 : 1);
}

static uint32_t records_of(const sl_comparison *comparison) {
    return comparison->num_records ? comparison->num_records : comparison->hierarchy->num_records;
}

/* ---- what is asked for ------------------------------------------------------------------------------------------- */

static sl_status check_comparison(const sl_comparison *comparison, uint32_t *level, sl_error *error) {
    const sl_hierarchy *reference = comparison->reference;
    uint32_t num_records = comparison->num_records;
    *level = 0;
    SL_TRY(sl_i_measured_records(comparison->hierarchy, &num_records, error));
    for (uint64_t i = 0; comparison->thresholds && i < comparison->num_thresholds; i++)
        SL_TRY(sl_i_check_threshold(comparison->hierarchy->scale, comparison->thresholds[i], error));
    if (!reference) return SL_OK;
    if (reference->num_records > num_records)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a reference of %u records cannot be cut over only %u",
                         reference->num_records, num_records);
    return sl_hierarchy_applied_levels(reference, comparison->reference_threshold, level, error);
}

static sl_status check_all(batch *b, sl_error *error) {
    if (b->count >= UINT32_MAX)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "%llu comparisons are more than one call can make; make several",
                         (unsigned long long)b->count);
    SL_TRY(sl_i_allocate(&b->levels, b->count, sizeof *b->levels, "comparisons", error));
    for (uint64_t i = 0; i < b->count; i++) {
        sl_status status = check_comparison(&b->comparisons[i], &b->levels[i], error);
        if (status != SL_OK && error) error->row = (int64_t)i;
        if (status != SL_OK) return status;
    }
    return SL_OK;
}

/* ---- their order ------------------------------------------------------------------------------------------------- */

/* Sorts first by a small number, then by where something was. */
static uint64_t sort_key(uint32_t number, uint64_t place) { return (uint64_t)number << 32 | place; }

static uint32_t smallness(const sl_comparison *comparison) {
    uint64_t size = positions_of(comparison) >> SIZE_SHIFT;
    return size < UINT32_MAX ? UINT32_MAX - (uint32_t)size : 0;
}

static bool is_of_cut(const reference_cut *cut, const sl_comparison *comparison, uint32_t level) {
    if (cut->hierarchy != comparison->reference) return false;
    return !cut->hierarchy || (cut->level == level && cut->num_records == records_of(comparison));
}

static uint64_t slot_of(const sl_comparison *comparison, uint32_t level, uint64_t num_slots) {
    if (!comparison->reference) return 0;
    uint64_t seed = (uint64_t)(uintptr_t)comparison->reference ^ (uint64_t)level << 40;
    return sl_i_scatter_index(seed + records_of(comparison), num_slots);
}

/* The number of the cut of a comparison, which is made if it is new. `slots`: a hash table of numbers + 1, never full. */
static uint32_t cut_of(batch *b, uint32_t index, uint32_t *slots, uint64_t num_slots) {
    const sl_comparison *comparison = &b->comparisons[index];
    uint64_t slot = slot_of(comparison, b->levels[index], num_slots);
    while (slots[slot] && !is_of_cut(&b->cuts[slots[slot] - 1], comparison, b->levels[index]))
        slot = slot + 1 < num_slots ? slot + 1 : 0;
    if (!slots[slot]) {
        reference_cut *made = &b->cuts[b->num_cuts];
        made->hierarchy = comparison->reference;
        made->num_records = records_of(comparison);
        made->level = b->levels[index];
        made->threshold = comparison->reference_threshold;
        slots[slot] = ++b->num_cuts;
    }
    b->cuts[slots[slot] - 1].to_do++;
    return slots[slot] - 1;
}

/* Cuts are numbered in the order of `keys`, largest comparison first; so the second sort has them in that order, too. */
static void order_by(batch *b, uint64_t *keys, uint64_t *scratch, uint32_t *slots, uint64_t num_slots) {
    for (uint64_t i = 0; i < b->count; i++) keys[i] = sort_key(smallness(&b->comparisons[i]), i);
    sl_i_sort_u64(keys, scratch, b->count);
    for (uint64_t place = 0; place < b->count; place++) {
        uint32_t index = (uint32_t)keys[place];
        b->tasks[place].comparison = index;
        keys[place] = sort_key(cut_of(b, index, slots, num_slots), place);
    }
    sl_i_sort_u64(keys, scratch, b->count);
    for (uint64_t i = 0; i < b->count; i++) { /* of what is at each place, then back into the tasks */
        scratch[i] = b->tasks[(uint32_t)keys[i]].comparison;
        keys[i] >>= 32;
    }
    for (uint64_t i = 0; i < b->count; i++) b->tasks[i] = (task){(uint32_t)scratch[i], (uint32_t)keys[i]};
}

static sl_status order_tasks(batch *b, sl_error *error) {
    static const char what[] = "the order of comparisons";
    uint64_t *keys = NULL, *scratch = NULL, num_slots = 2 * b->count;
    uint32_t *slots = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&keys, b->count, sizeof *keys, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&scratch, b->count, sizeof *scratch, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&slots, num_slots, sizeof *slots, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&b->tasks, b->count, sizeof *b->tasks, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&b->cuts, b->count, sizeof *b->cuts, what, error));
    order_by(b, keys, scratch, slots, num_slots);
cleanup:
    sl_i_release(keys, b->count, sizeof *keys);
    sl_i_release(scratch, b->count, sizeof *scratch);
    sl_i_release(slots, num_slots, sizeof *slots);
    return status;
}

/* ---- one comparison ---------------------------------------------------------------------------------------------- */

/* The partition of a cut, borrowed from it: made now, unless another thread was faster. */
static sl_status partition_of(reference_cut *cut, const sl_partition **out, sl_error *error) {
    sl_partition *fresh = NULL, *made = atomic_load_explicit(&cut->partition, memory_order_acquire);
    if (!made) {
        SL_TRY(sl_partition_create(cut->hierarchy, cut->num_records, cut->threshold, &fresh, error));
        if (atomic_compare_exchange_strong_explicit(&cut->partition, &made, fresh, memory_order_acq_rel,
                                                    memory_order_acquire))
            made = fresh;
        else
            sl_partition_release(fresh);
    }
    *out = made;
    return SL_OK;
}

static void release_partition(reference_cut *cut) {
    sl_partition_release(atomic_exchange_explicit(&cut->partition, NULL, memory_order_acq_rel));
}

static sl_status set_labels(reference_cut *cut, sl_curve_options *options, sl_error *error) {
    static const uint32_t nothing = 0;
    const sl_partition *partition;
    if (!cut->hierarchy) return SL_OK;
    SL_TRY(partition_of(cut, &partition, error));
    SL_TRY(sl_partition_labels(partition, &options->reference_labels, error));
    if (!options->reference_labels) options->reference_labels = &nothing; /* no records: still a reference */
    options->num_reference_labels = sl_partition_num_entities(partition);
    return SL_OK;
}

static sl_status measure(const batch *b, const task *t, sl_i_ticker *ticker, sl_error *error) {
    const sl_comparison *comparison = &b->comparisons[t->comparison];
    sl_curve_options options = {.thresholds = comparison->thresholds, .num_thresholds = comparison->num_thresholds};
    SL_TRY(set_labels(&b->cuts[t->cut], &options, error));
    SL_TRY(sl_i_ticker_advance(ticker, 0, error));
    return sl_i_curve_make(comparison->hierarchy, comparison->num_records, &options, ticker, &b->curves[t->comparison],
                           error);
}

static void note_failure(batch *b, uint32_t comparison, sl_status status, sl_error *error) {
    error->row = comparison;
    sl_i_first_failure_note(&b->failed, comparison, status, error);
}

static void run_task(void *state, uint64_t number, uint32_t lane) {
    batch *b = state;
    const task *t = &b->tasks[number];
    uint64_t positions = positions_of(&b->comparisons[t->comparison]);
    sl_i_ticker ticker = sl_i_ticker_part(&b->ticker, lane);
    sl_error error;
    if (!sl_i_first_failure_precedes(&b->failed, t->comparison)) {
        sl_status status = measure(b, t, &ticker, &error);
        if (status != SL_OK) note_failure(b, t->comparison, status, &error);
    }
    /* What the pass did not count. Who asked it to stop is told by the pool. */
    if (sl_i_ticker_poll(&ticker, lane, positions > ticker.done ? positions - ticker.done : 0)) return;
    if (atomic_fetch_sub(&b->cuts[t->cut].to_do, 1) == 1) release_partition(&b->cuts[t->cut]);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static sl_status run_all(batch *b, sl_error *error) {
    uint64_t total = 0;
    for (uint64_t i = 0; i < b->count; i++) total += positions_of(&b->comparisons[i]);
    sl_i_first_failure_init(&b->failed);
    sl_i_ticker_begin(&b->ticker, "measuring hierarchies", total);
    SL_TRY(sl_i_parallel(b->count, sl_num_threads(), run_task, b, &b->ticker, 0, error));
    return sl_i_first_failure_forward(&b->failed, error);
}

static void release_batch(batch *b) {
    for (uint32_t i = 0; i < b->num_cuts; i++) release_partition(&b->cuts[i]);
    sl_i_release(b->levels, b->count, sizeof *b->levels);
    sl_i_release(b->tasks, b->count, sizeof *b->tasks);
    sl_i_release(b->cuts, b->count, sizeof *b->cuts);
}

sl_status sl_curves_create(const sl_comparison *comparisons, uint64_t count, sl_curve **curves,
                           const sl_progress *progress, sl_error *error) {
    batch b = {.comparisons = comparisons, .count = count, .curves = curves, .ticker = sl_i_ticker_make(progress)};
    sl_status status;
    for (uint64_t i = 0; i < count; i++) curves[i] = NULL;
    if (count == 0) return SL_OK;
    SL_TRY_CLEANUP(status, check_all(&b, error));
    SL_TRY_CLEANUP(status, order_tasks(&b, error));
    status = run_all(&b, error);
cleanup:
    for (uint64_t i = 0; status != SL_OK && i < count; i++) {
        sl_curve_release(curves[i]);
        curves[i] = NULL;
    }
    release_batch(&b);
    return status;
}
