/* from_merges.c: the hierarchy of given merges. O(records + components), no union-find.
 *
 * Replay: a component stands for its smallest record, so each merge is its other components' smallest records being absorbed
 * by the smallest of all, and no record is absorbed twice: two values a record hold the whole history. Merges of one level are
 * then one n-way merge: read by level and absorbed record, each absorbed record goes directly into the record that is smallest
 * when the level is done, after those that went there before; read backwards, that gives every record its position
 * (as in leaf_order.c). Working memory: 20 bytes a record and 4 an event.
 *
 * Each step goes over events or records in pieces, and ticks after each. */
#include <string.h>

#include "hierarchy/from_merges.h"
#include "support/sort.h"

#define AHEAD 16u    /* values between a prefetch and its use */
#define PIECE 65536u /* values between two ticks */

/* What happened to a record: side by side, since whoever needs one of these needs the others. */
typedef struct trace {
    uint32_t into;   /* what absorbed it, or itself; SL_NO_RECORD: not yet in a merge */
    uint32_t level;  /* where it was absorbed; SL_NEVER: it was not */
    uint32_t offset; /* records before it in what absorbed it */
    uint32_t size;   /* records that came with it; later: its position */
} trace;

typedef struct replay {
    uint32_t num_records, num_events, num_levels;
    sl_i_score_kind kind;
    sl_i_ticker *ticker;
    const double *thresholds;
    const uint64_t *offsets, *components;
    double *levels;       /* num_levels */
    uint32_t num_reached; /* levels that events have come to */
    uint32_t *smallest;   /* by event: smallest record of its result; SL_NO_RECORD: merged further */
    trace *traces;        /* by record */
    uint32_t *log;        /* absorbed records by level, ascending in each */
    uint32_t num_absorbed;
    uint32_t *slots;     /* by level: records absorbed there, later where the next one goes in the log */
    uint32_t num_placed; /* records of the components whose places are known */
    uint32_t *order, *join;
} replay;

/* A step, for the values begin .. end - 1 of those that it goes over. */
typedef sl_status (*piece)(replay *r, uint32_t begin, uint32_t end, sl_error *error);

/* Counts in the ticker as one over all records, whatever it goes over. */
static sl_status run_step(replay *r, piece run, uint32_t count, sl_error *error) {
    for (uint32_t begin = 0; begin < count; begin += PIECE) {
        uint32_t length = count - begin < PIECE ? count - begin : PIECE;
        SL_TRY(run(r, begin, begin + length, error));
        SL_TRY(sl_i_ticker_advance(r->ticker, length, error));
    }
    return count < r->num_records ? sl_i_ticker_advance(r->ticker, r->num_records - count, error) : SL_OK;
}

/* ---- reading the events ------------------------------------------------------------------------------------------ */

static double compared(const replay *r, uint32_t event) {
    double threshold = r->thresholds[event];
    return (r->kind.exact ? threshold : sl_i_round_threshold(threshold)) + 0.0; /* -0.0 becomes 0.0 */
}

/* Events of one threshold follow each other: distinct ones are as many as changes. NaN is found later. */
static uint32_t count_changes(const replay *r) {
    uint32_t changes = 0;
    double last = 0.0;
    for (uint32_t e = 0; e < r->num_events; e++) {
        double threshold = compared(r, e);
        changes += e == 0 || threshold != last;
        last = threshold;
    }
    return changes;
}

static sl_status check_event(const replay *r, uint32_t event, sl_error *error) {
    double threshold = r->thresholds[event];
    uint64_t first = r->offsets[event], end = r->offsets[event + 1], count = end > first ? end - first : 0;
    if (!sl_i_is_threshold(r->kind.scale, threshold))
        return sl_i_fail_row(error, SL_ERROR_INVALID_THRESHOLD, event, -1,
                             "merge event %u has the threshold %s: thresholds are %s", event,
                             sl_i_double_to_text(threshold).text,
                             r->kind.scale == SL_SCALE_WEIGHT ? "finite numbers" : "numbers from 0 to 1");
    if (event > 0 && compared(r, event) > compared(r, event - 1))
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, event, (int64_t)event - 1,
                             "merge event %u at %s comes after one at %s: give the highest threshold first", event,
                             sl_i_double_to_text(threshold).text, sl_i_double_to_text(r->thresholds[event - 1]).text);
    if (count < 2)
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, event, -1,
                             "merge event %u has %llu component%s: two or more merge", event, (unsigned long long)count,
                             count == 1 ? "" : "s");
    return SL_OK;
}

/* Why component `id` cannot be merged by `event`. */
static sl_status fail_component(const replay *r, uint32_t event, uint64_t id, sl_error *error) {
    unsigned long long shown = (unsigned long long)id;
    if (id >= (uint64_t)r->num_records + event)
        return sl_i_fail_row(
            error, SL_ERROR_INVALID_ARGUMENT, event, -1,
            "merge event %u names component %llu, which is not there yet: number the %u records from 0, "
            "then the results of the events",
            event, shown, r->num_records);
    uint32_t other = event;
    for (uint32_t e = 0; e < event && other == event; e++)
        for (uint64_t c = r->offsets[e]; c < r->offsets[e + 1]; c++)
            if (r->components[c] == id) other = e;
    if (other == event)
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, event, -1,
                             "merge event %u names component %llu twice: name each once", event, shown);
    return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, event, other,
                         "merge event %u names component %llu, which event %u has merged: name the result, %llu", event,
                         shown, other, (unsigned long long)r->num_records + other);
}

/* The smallest record of component `id`, which is used up by that; SL_NO_RECORD if it is not there. */
static uint32_t take_component(replay *r, uint32_t event, uint64_t id) {
    if (id < r->num_records) {
        uint32_t record = (uint32_t)id;
        if (r->traces[record].into != SL_NO_RECORD) return SL_NO_RECORD;
        r->traces[record].into = record;
        return record;
    }
    if (id - r->num_records >= event) return SL_NO_RECORD;
    uint32_t *result = &r->smallest[id - r->num_records], record = *result;
    *result = SL_NO_RECORD;
    return record;
}

static sl_status replay_event(replay *r, uint32_t event, uint32_t level, sl_error *error) {
    uint32_t root = SL_NO_RECORD; /* larger than any record */
    for (uint64_t c = r->offsets[event]; c < r->offsets[event + 1]; c++) {
        uint32_t record = take_component(r, event, r->components[c]);
        if (record == SL_NO_RECORD) return fail_component(r, event, r->components[c], error);
        uint32_t absorbed = record < root ? root : record;
        if (record < root) root = record;
        if (absorbed == SL_NO_RECORD) continue; /* the first component */
        r->traces[absorbed].into = root;
        r->traces[absorbed].level = level;
        r->num_absorbed++;
    }
    r->smallest[event] = root;
    return SL_OK;
}

static sl_status begin_traces(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    (void)error;
    for (uint32_t record = begin; record < end; record++)
        r->traces[record] = (trace){.into = SL_NO_RECORD, .level = SL_NEVER, .size = 1};
    return SL_OK;
}

static sl_status replay_events(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    for (uint32_t e = begin; e < end; e++) {
        SL_TRY(check_event(r, e, error));
        double threshold = compared(r, e);
        if (r->num_reached == 0 || threshold != r->levels[r->num_reached - 1]) r->levels[r->num_reached++] = threshold;
        SL_TRY(replay_event(r, e, r->num_reached - 1, error));
    }
    return SL_OK;
}

/* ---- from the absorbed records to the leaf order ----------------------------------------------------------------- */

/* A counting sort by level, in two steps. */

static sl_status count_absorbed(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    (void)error;
    for (uint32_t record = begin; record < end; record++)
        if (r->traces[record].level != SL_NEVER) r->slots[r->traces[record].level]++;
    return SL_OK;
}

static sl_status fill_log(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    (void)error;
    for (uint32_t record = begin; record < end; record++)
        if (r->traces[record].level != SL_NEVER) r->log[r->slots[r->traces[record].level]++] = record;
    return SL_OK;
}

/* What absorbs a record is smaller, so within a level it has been sent on to its own absorber already. */
static sl_status grow_components(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    (void)error;
    for (uint32_t i = begin; i < end; i++) {
        if (i + 2 * AHEAD < r->num_absorbed) {
            __builtin_prefetch(&r->traces[r->log[i + 2 * AHEAD]], 1);
            __builtin_prefetch(&r->traces[r->traces[r->log[i + AHEAD]].into], 1);
        }
        trace *absorbed = &r->traces[r->log[i]];
        if (r->traces[absorbed->into].level == absorbed->level) absorbed->into = r->traces[absorbed->into].into;
        absorbed->offset = r->traces[absorbed->into].size;
        r->traces[absorbed->into].size += absorbed->size;
    }
    return SL_OK;
}

/* Components follow each other in the order of their smallest records. */
static sl_status place_roots(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    (void)error;
    for (uint32_t record = begin; record < end; record++) {
        trace *root = &r->traces[record];
        if (root->level != SL_NEVER) continue;
        uint32_t size = root->size;
        root->size = r->num_placed;
        r->num_placed += size;
    }
    return SL_OK;
}

/* From the last one absorbed to the first. */
static sl_status place_absorbed(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    (void)error;
    for (uint32_t i = r->num_absorbed - begin; i-- > r->num_absorbed - end;) {
        if (i >= 2 * AHEAD) {
            __builtin_prefetch(&r->traces[r->log[i - 2 * AHEAD]], 1);
            __builtin_prefetch(&r->traces[r->traces[r->log[i - AHEAD]].into]);
        }
        trace *absorbed = &r->traces[r->log[i]];
        absorbed->size = r->traces[absorbed->into].size + absorbed->offset;
        r->join[absorbed->size - 1] = absorbed->level;
    }
    return SL_OK;
}

static sl_status fill_order(replay *r, uint32_t begin, uint32_t end, sl_error *error) {
    (void)error;
    for (uint32_t record = begin; record < end; record++) r->order[r->traces[record].size] = record;
    return SL_OK;
}

static sl_status order_records(replay *r, sl_error *error) {
    uint32_t n = r->num_records;
    SL_TRY(run_step(r, count_absorbed, n, error));
    sl_i_counts_to_starts_u32(r->slots, r->num_levels);
    SL_TRY(run_step(r, fill_log, n, error));
    SL_TRY(run_step(r, grow_components, r->num_absorbed, error));
    SL_TRY(run_step(r, place_roots, n, error));
    memset(r->join, 0xFF, n * sizeof *r->join); /* SL_NEVER */
    SL_TRY(run_step(r, place_absorbed, r->num_absorbed, error));
    return run_step(r, fill_order, n, error);
}

static sl_status take_hierarchy(replay *r, sl_hierarchy **out, sl_error *error) {
    uint32_t num_merges = sl_i_count_merges(r->num_records, r->join, r->log);
    SL_TRY(sl_i_hierarchy_take(r->num_records, r->num_levels, num_merges, r->kind, r->order, r->join, r->levels, out,
                               error));
    r->order = r->join = NULL;
    r->levels = NULL;
    return SL_OK;
}

/* ---- setting up -------------------------------------------------------------------------------------------------- */

static sl_status check_arguments(const replay *r, sl_error *error) {
    SL_TRY(sl_i_check_num_records(r->num_records, error));
    SL_TRY(sl_i_check_scale(r->kind.scale, error));
    if (r->num_events == 0 || (r->thresholds && r->offsets && r->components)) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the %s of %u merge events are missing",
                     !r->thresholds ? "thresholds"
                     : !r->offsets  ? "offsets"
                                    : "components",
                     r->num_events);
}

static sl_status set_up(replay *r, sl_error *error) {
    uint32_t n = r->num_records;
    r->num_levels = count_changes(r);
    SL_TRY(sl_i_allocate(&r->levels, r->num_levels, sizeof *r->levels, "the levels", error));
    SL_TRY(sl_i_allocate(&r->smallest, r->num_events, sizeof *r->smallest, "reading merge events", error));
    SL_TRY(sl_i_allocate(&r->traces, n, sizeof *r->traces, "reading merge events", error));
    SL_TRY(sl_i_allocate(&r->log, n, sizeof *r->log, "reading merge events", error));
    SL_TRY(sl_i_allocate_zeroed(&r->slots, r->num_levels, sizeof *r->slots, "reading merge events", error));
    SL_TRY(sl_i_allocate(&r->order, n, sizeof *r->order, "the order", error));
    return sl_i_allocate(&r->join, n, sizeof *r->join, "the joins", error);
}

static void tear_down(replay *r) {
    uint32_t n = r->num_records;
    sl_i_release(r->levels, r->num_levels, sizeof *r->levels);
    sl_i_release(r->smallest, r->num_events, sizeof *r->smallest);
    sl_i_release(r->traces, n, sizeof *r->traces);
    sl_i_release(r->log, n, sizeof *r->log);
    sl_i_release(r->slots, r->num_levels, sizeof *r->slots);
    sl_i_release(r->order, n, sizeof *r->order);
    sl_i_release(r->join, n, sizeof *r->join);
}

sl_status sl_i_hierarchy_from_merges(uint32_t num_records, const double *thresholds, const uint64_t *offsets,
                                     const uint64_t *components, uint32_t num_events, sl_i_score_kind kind,
                                     sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) {
    replay r = {.num_records = num_records,
                .num_events = num_events,
                .kind = kind,
                .ticker = ticker,
                .thresholds = thresholds,
                .offsets = offsets,
                .components = components};
    sl_status status;
    *out = NULL;
    SL_TRY(check_arguments(&r, error));
    SL_TRY_CLEANUP(status, set_up(&r, error));
    SL_TRY_CLEANUP(status, run_step(&r, begin_traces, num_records, error));
    SL_TRY_CLEANUP(status, run_step(&r, replay_events, num_events, error));
    SL_TRY_CLEANUP(status, order_records(&r, error));
    SL_TRY_CLEANUP(status, take_hierarchy(&r, out, error));
cleanup:
    tear_down(&r);
    return status;
}

sl_status sl_hierarchy_from_merges(uint32_t num_records, const double *thresholds, const uint64_t *offsets,
                                   const uint64_t *components, uint32_t num_events, bool exact, sl_scale scale,
                                   sl_hierarchy **out, sl_error *error) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    return sl_i_hierarchy_from_merges(num_records, thresholds, offsets, components, num_events,
                                      (sl_i_score_kind){.scale = scale, .exact = exact}, &silent, out, error);
}
