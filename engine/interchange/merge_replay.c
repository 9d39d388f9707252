/* merge_replay.c: see merge_replay.h. */
#include "interchange/merge_replay.h"

#include "hierarchy/from_merges.h"

#define RECORDS_A_TICK 65536

typedef struct sl_i_replay_record {
    uint32_t parent;
    uint32_t size;     /* of roots: records of the component */
    uint32_t event;    /* of roots: event that made it, + 1; 0: the record alone */
    uint32_t named_by; /* event that named it last, + 1 */
} record;

sl_status sl_i_replay_make(uint32_t num_records, sl_i_merge_replay *out, sl_error *error) {
    *out = (sl_i_merge_replay){.num_records = num_records, .group_root = SL_NO_RECORD};
    SL_TRY(sl_i_allocate(&out->records, num_records, sizeof *out->records, "reading merge events", error));
    for (uint32_t i = 0; i < num_records; i++) out->records[i] = (record){.parent = i, .size = 1};
    return SL_OK;
}

void sl_i_replay_free(sl_i_merge_replay *replay) {
    sl_i_release(replay->records, replay->num_records, sizeof *replay->records);
    sl_i_release(replay->results, replay->results_capacity, sizeof *replay->results);
    sl_i_release(replay->thresholds, replay->thresholds_capacity, sizeof *replay->thresholds);
    sl_i_release(replay->ends, replay->ends_capacity, sizeof *replay->ends);
    sl_i_release(replay->components, replay->components_capacity, sizeof *replay->components);
    *replay = (sl_i_merge_replay){0};
}

static uint32_t find(record *records, uint32_t i) {
    while (records[i].parent != i) i = records[i].parent = records[records[i].parent].parent;
    return i;
}

sl_status sl_i_replay_begin(sl_i_merge_replay *replay, double threshold, sl_error *error) {
    static const char what[] = "reading merge events";
    uint64_t events = replay->num_events;
    if (events + 1 >= replay->num_records) /* n records merge n - 1 times at most */
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)events, -1,
                             "there are more merge events than %u records can merge", replay->num_records);
    SL_TRY(sl_i_reserve(&replay->thresholds, &replay->thresholds_capacity, events + 1, sizeof(double), what, error));
    SL_TRY(sl_i_reserve(&replay->ends, &replay->ends_capacity, events + 2, sizeof(uint64_t), what, error));
    SL_TRY(sl_i_reserve(&replay->results, &replay->results_capacity, events + 1, sizeof(uint32_t), what, error));
    replay->thresholds[events] = threshold;
    replay->ends[events] = replay->num_components;
    return SL_OK;
}

static sl_status append_component(sl_i_merge_replay *replay, uint64_t component, sl_error *error) {
    SL_TRY(sl_i_reserve(&replay->components, &replay->components_capacity, replay->num_components + 1, sizeof(uint64_t),
                        "reading merge events", error));
    replay->components[replay->num_components++] = component;
    return SL_OK;
}

/* The number of the component whose root this is. */
static uint64_t component_of(const sl_i_merge_replay *replay, uint32_t root) {
    uint32_t event = replay->records[root].event;
    return event ? (uint64_t)replay->num_records + event - 1 : root;
}

sl_status sl_i_replay_component(sl_i_merge_replay *replay, uint64_t component, const char **why, sl_error *error) {
    *why = "names a component that is not there yet";
    if (component >= replay->num_records + replay->num_events) return SL_OK;
    uint32_t member =
        component < replay->num_records ? (uint32_t)component : replay->results[component - replay->num_records];
    *why = "names a component that was merged before";
    if (component_of(replay, find(replay->records, member)) != component) return SL_OK;
    *why = NULL;
    return append_component(replay, component, error);
}

static const char *name_record(sl_i_merge_replay *replay, uint64_t index) {
    if (index >= replay->num_records) return "names a record that is not there";
    record *named = &replay->records[index];
    uint32_t root = find(replay->records, (uint32_t)index), event = (uint32_t)replay->num_events + 1;
    if (named->named_by == event) return "names a record twice";
    if (replay->group_size > 0 && root != replay->group_root)
        return "has records in one group that are of different components at that moment";
    named->named_by = event;
    replay->group_root = root;
    replay->group_size++;
    return NULL;
}

sl_status sl_i_replay_name(sl_i_merge_replay *replay, sl_i_node ints, sl_i_span span, sl_i_ticker *ticker,
                           const char **why, sl_error *error) {
    uint64_t count = 0, number; /* count: since the last tick */
    *why = NULL;
    for (int64_t i = span.first; i < span.end && !*why; i++) {
        *why = name_record(replay, sl_i_node_number(ints, i, &number) ? number : UINT64_MAX);
        if (++count < RECORDS_A_TICK) continue;
        SL_TRY(sl_i_ticker_advance(ticker, count, error));
        count = 0;
    }
    return sl_i_ticker_advance(ticker, count, error);
}

static const char *end_named(sl_i_merge_replay *replay, uint32_t *root) {
    uint32_t size = replay->group_size;
    *root = replay->group_root;
    replay->group_size = 0;
    if (size == 0) return "has a group without records";
    return size == replay->records[*root].size ? NULL : "has a group that is only a part of a component at that moment";
}

sl_status sl_i_replay_end_group(sl_i_merge_replay *replay, const char **why, sl_error *error) {
    uint32_t root;
    *why = end_named(replay, &root);
    return *why ? SL_OK : append_component(replay, component_of(replay, root), error);
}

static uint32_t unite(record *records, uint32_t a, uint32_t b) {
    uint32_t large = records[a].size < records[b].size ? b : a, small = large == a ? b : a;
    records[small].parent = large;
    records[large].size += records[small].size;
    return large;
}

const char *sl_i_replay_end(sl_i_merge_replay *replay) {
    uint64_t first = replay->ends[replay->num_events], event = replay->num_events;
    uint32_t root = SL_NO_RECORD;
    if (replay->num_components - first < 2) return "merges fewer than two components";
    for (uint64_t c = first; c < replay->num_components; c++) {
        uint64_t id = replay->components[c];
        uint32_t member = id < replay->num_records ? (uint32_t)id : replay->results[id - replay->num_records];
        uint32_t other = find(replay->records, member);
        if (other == root) return "names a component twice";
        root = root == SL_NO_RECORD ? other : unite(replay->records, root, other);
    }
    replay->records[root].event = (uint32_t)event + 1;
    replay->results[event] = root;
    replay->ends[event + 1] = replay->num_components;
    replay->num_events++;
    return NULL;
}

const char *sl_i_replay_end_result(sl_i_merge_replay *replay) {
    uint32_t root;
    const char *why = end_named(replay, &root);
    if (!why && replay->records[root].event != replay->num_events) why = "has other records than its components";
    return why;
}

sl_status sl_i_replay_build(const sl_i_merge_replay *replay, sl_i_score_kind kind, const sl_progress *progress,
                            sl_hierarchy **out, sl_error *error) {
    static const uint64_t nothing[1] = {0};
    sl_i_ticker ticker = sl_i_ticker_make(progress);
    sl_i_ticker_begin(&ticker, "building a collection", (uint64_t)replay->num_records * SL_I_FROM_MERGES_STEPS);
    return sl_i_hierarchy_from_merges(replay->num_records, replay->thresholds, replay->ends ? replay->ends : nothing,
                                      replay->components, (uint32_t)replay->num_events, kind, &ticker, out, error);
}

bool sl_i_replay_is_rounded(const sl_i_merge_replay *replay) {
    uint64_t e = 0;
    while (e < replay->num_events && sl_i_round_threshold(replay->thresholds[e]) == replay->thresholds[e]) e++;
    return e == replay->num_events;
}
