/* lazy_metrics.c: metrics of a hierarchy against one labelling, computed when they are asked for.
 *
 * A threshold is known by how many levels it applies. A contingency table stands at the level computed last; one further down is
 * reached by the merge events in between, one further up by starting anew. What is kept of a level are its sums, a hundred
 * bytes, from which all its metrics are formulas: asking for another metric there is a look-up. The metrics of lifetimes
 * take a pass of their own each time (lifetimes.c).
 *
 * The lock is held while the table is stepped on. Each answer remembers how long it takes from the start, measured on the
 * way, so that the stats compare the time spent with the time of computing one by one. */
#include "metrics/contingency.h"

#include "hierarchy/merge_events.h"
#include "support/clock.h"
#include "support/fork_lock.h"
#include "support/memory.h"

#define NOT_KNOWN UINT32_MAX

typedef struct answer {
    sl_i_one_row row;
    double seconds; /* from the start of the table */
} answer;

struct sl_lazy_metrics {
    sl_hierarchy *hierarchy;
    sl_merge_events *events;
    sl_i_fork_lock lock; /* of what follows, up to the stats */
    sl_contingency *table;
    uint32_t applied;     /* levels that the table applies */
    uint32_t next_event;  /* the first that it does not */
    bool is_new;          /* nothing was asked for yet */
    double table_seconds; /* to get the table to where it is, from the start */
    uint32_t *answer_of;  /* by number of levels applied, 0..num_levels: its answer, or NOT_KNOWN */
    answer *answers;
    uint32_t num_answers, answers_capacity;
    sl_computation_stats stats; /* under the short lock of its address */
};

/* How an answer came about. */
typedef struct work {
    bool is_cached, is_incremental;
    double seconds;    /* spent on the sums */
    double from_start; /* what they take from the start */
} work;

/* ---- the object ---------------------------------------------------------------------------------------------------- */

static sl_status fill(sl_lazy_metrics *lazy, uint32_t num_records, const uint32_t *labels, uint32_t num_labels,
                      sl_error *error) {
    uint64_t num_cuts = (uint64_t)lazy->hierarchy->num_levels + 1;
    double start = sl_i_now();
    SL_TRY(sl_contingency_create(labels, num_records, num_labels, &lazy->table, error));
    SL_TRY(sl_merge_events_create(lazy->hierarchy, num_records, &lazy->events, error));
    lazy->table_seconds = sl_i_now() - start;
    SL_TRY(sl_i_allocate(&lazy->answer_of, num_cuts, sizeof *lazy->answer_of, "lazy metrics", error));
    for (uint64_t applied = 0; applied < num_cuts; applied++) lazy->answer_of[applied] = NOT_KNOWN;
    return SL_OK;
}

sl_status sl_lazy_metrics_create(const sl_hierarchy *hierarchy, uint32_t num_records, const uint32_t *labels,
                                 uint32_t num_labels, sl_lazy_metrics **out, sl_error *error) {
    sl_lazy_metrics *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_measured_records(hierarchy, &num_records, error));
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "lazy metrics", error));
    sl_status status = sl_i_fork_lock_make(&made->lock, "lazy metrics", error);
    if (status != SL_OK) {
        sl_i_release(made, 1, sizeof *made);
        return status;
    }
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->is_new = true;
    status = fill(made, num_records, labels, num_labels, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_lazy_metrics_release(made);
    return status;
}

void sl_lazy_metrics_release(sl_lazy_metrics *lazy) {
    if (!lazy) return;
    sl_contingency_release(lazy->table);
    sl_merge_events_release(lazy->events);
    sl_i_release(lazy->answer_of, (uint64_t)lazy->hierarchy->num_levels + 1, sizeof *lazy->answer_of);
    sl_i_release(lazy->answers, lazy->answers_capacity, sizeof *lazy->answers);
    sl_hierarchy_release(lazy->hierarchy);
    sl_i_fork_lock_free(&lazy->lock);
    sl_i_release(lazy, 1, sizeof *lazy);
}

/* ---- computing, under the lock ------------------------------------------------------------------------------------- */

static sl_status make_room(sl_lazy_metrics *lazy, sl_error *error) {
    if (lazy->num_answers < lazy->answers_capacity) return SL_OK;
    uint64_t most = (uint64_t)lazy->hierarchy->num_levels + 1, capacity = 2 * (uint64_t)lazy->answers_capacity + 8;
    if (capacity > most) capacity = most;
    SL_TRY(sl_i_grow(&lazy->answers, lazy->answers_capacity, capacity, sizeof *lazy->answers, "lazy metrics", error));
    lazy->answers_capacity = (uint32_t)capacity;
    return SL_OK;
}

static void restart(sl_lazy_metrics *lazy) {
    double start = sl_i_now();
    sl_i_contingency_restart(lazy->table);
    lazy->applied = lazy->next_event = 0;
    lazy->table_seconds = sl_i_now() - start;
}

/* On to `applied` levels, which are not fewer than the table's. */
static sl_status step_on(sl_lazy_metrics *lazy, uint32_t applied, sl_error *error) {
    double start = sl_i_now(), lowest = applied > 0 ? lazy->hierarchy->levels[applied - 1] : INFINITY;
    sl_merge_event event;
    while (sl_i_merge_events_find(lazy->events, lazy->next_event, &event) && event.threshold >= lowest) {
        SL_TRY(sl_contingency_apply(lazy->table, lazy->events, lazy->next_event, error));
        lazy->next_event++;
    }
    lazy->applied = applied;
    lazy->table_seconds += sl_i_now() - start;
    return SL_OK;
}

static sl_status compute(sl_lazy_metrics *lazy, uint32_t applied, work *done, sl_error *error) {
    bool is_behind = applied < lazy->applied;
    SL_TRY(make_room(lazy, error)); /* before anything changes */
    done->is_incremental = !is_behind && !lazy->is_new;
    if (is_behind) restart(lazy);
    double before = done->is_incremental ? lazy->table_seconds : 0.0;
    SL_TRY(step_on(lazy, applied, error));
    done->seconds = lazy->table_seconds - before;
    lazy->is_new = false;
    lazy->answers[lazy->num_answers] =
        (answer){.row = sl_i_contingency_row(lazy->table), .seconds = lazy->table_seconds};
    lazy->answer_of[applied] = lazy->num_answers++;
    return SL_OK;
}

/* The sums after so many levels, kept or computed now. */
static sl_status find_sums(sl_lazy_metrics *lazy, uint32_t applied, sl_i_one_row *row, work *done, sl_error *error) {
    if (!sl_i_fork_lock_write(&lazy->lock))
        return sl_i_fail(
            error, SL_ERROR_SYSTEM,
            "another thread was computing these lazy metrics when this process was forked: make them anew");
    sl_status status = SL_OK;
    done->is_cached = lazy->answer_of[applied] != NOT_KNOWN;
    if (!done->is_cached) status = compute(lazy, applied, done, error);
    if (status == SL_OK) {
        const answer *found = &lazy->answers[lazy->answer_of[applied]];
        *row = found->row;
        done->from_start = found->seconds;
    }
    sl_i_fork_lock_end_write(&lazy->lock);
    return status;
}

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static void note(sl_lazy_metrics *lazy, const work *done, double evaluating) {
    double seconds = done->seconds + evaluating;
    sl_i_short_lock(&lazy->stats);
    lazy->stats.total++;
    lazy->stats.cached += done->is_cached;
    lazy->stats.incremental += done->is_incremental;
    if (!done->is_cached && !done->is_incremental) {
        lazy->stats.cuts++;
        lazy->stats.cut_seconds += seconds;
    }
    lazy->stats.seconds += seconds;
    lazy->stats.seconds_one_by_one += done->from_start + evaluating;
    sl_i_short_unlock(&lazy->stats);
}

sl_status sl_lazy_metrics_get(sl_lazy_metrics *lazy, double threshold, sl_metric metric, double parameter, double *out,
                              sl_error *error) {
    const sl_hierarchy *hierarchy = lazy->hierarchy;
    sl_i_one_row row = {.bucket = 0};
    work done = {0};
    uint32_t applied;
    *out = 0.0;
    SL_TRY(sl_hierarchy_applied_levels(hierarchy, threshold, &applied, error));
    if (!sl_i_metric_is_of_lifetimes(metric)) SL_TRY(find_sums(lazy, applied, &row, &done, error));
    double start = sl_i_now();
    sl_curve curve = sl_i_contingency_curve(lazy->table, &row);
    curve.hierarchy = lazy->hierarchy;
    row.threshold = hierarchy->exact ? threshold : sl_i_round_threshold(threshold);
    SL_TRY(sl_curve_metric(&curve, metric, parameter, out, error));
    note(lazy, &done, sl_i_now() - start);
    return SL_OK;
}

void sl_lazy_metrics_stats(const sl_lazy_metrics *lazy, sl_computation_stats *out) {
    sl_i_short_lock(&lazy->stats);
    *out = lazy->stats;
    sl_i_short_unlock(&lazy->stats);
}
