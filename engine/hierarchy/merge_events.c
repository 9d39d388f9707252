/* merge_events.c: the merges of a hierarchy as a list: the Cartesian tree of its joins, equal levels joined into one node.
 *
 * 1. Find: walk the seams with a stack of open nodes; a node is closed by the first seam that comes together later.
 * 2. Order: nodes are threaded by first record, which no two nodes of one level share, then taken record by record into the
 *    slots of their levels: a counting sort by level that keeps the order of the records.
 * 3. Number: events in this order come after the events they are made of, so one that stands for each position where a
 *    component starts is enough to list the components of the next.
 *
 * O(n). 16 bytes a merge and 8 a component are kept; while they are made, 4 bytes a record and 20 a merge more. Pairs are counted
 * when they are asked for, from the sizes of the components. Every pass ticks, without a count of its own. */
#include "hierarchy/merge_events.h"

#include <string.h>

#include "hierarchy/hierarchy.h"
#include "support/sort.h"

#define NOTHING UINT32_MAX /* no node, no event: there are fewer than records */

typedef struct node {
    uint32_t start, num_records; /* its slice; num_records of an open node: the open node around it */
    uint32_t level;
    uint32_t num_seams; /* children - 1; once ordered: seams of all events before it */
} node;

struct sl_merge_events {
    const sl_hierarchy *hierarchy;
    uint32_t num_records; /* at least the hierarchy's */
    uint32_t num_events;
    uint64_t num_components; /* over all events */
    node *events;
    uint64_t *components;
};

/* ---- 1. find ----------------------------------------------------------------------------------------------------- */

static sl_status find_nodes(const sl_hierarchy *hierarchy, node *nodes, sl_i_ticker *ticker, sl_error *error) {
    const uint32_t *join = hierarchy->join;
    uint32_t top = NOTHING, count = 0;
    for (uint32_t seam = 0; seam < hierarchy->num_records; seam++) {
        SL_TRY(sl_i_ticker_step(ticker, seam, error));
        uint32_t start = seam; /* of the component that ends here: one record, or the node closed last */
        while (top != NOTHING && nodes[top].level < join[seam]) {
            node *closed = &nodes[top];
            start = closed->start;
            top = closed->num_records;
            closed->num_records = seam + 1 - start;
        }
        if (join[seam] == SL_NEVER) continue;
        if (top != NOTHING && nodes[top].level == join[seam]) {
            nodes[top].num_seams++;
        } else {
            nodes[count] = (node){.start = start, .num_records = top, .level = join[seam], .num_seams = 1};
            top = count++;
        }
    }
    return SL_OK;
}

sl_status sl_i_expanded_size(const sl_hierarchy *hierarchy, sl_i_ticker *ticker, uint64_t *out, sl_error *error) {
    node *nodes = NULL;
    uint64_t size = 0;
    *out = 0;
    SL_TRY(sl_i_allocate(&nodes, hierarchy->num_merges, sizeof *nodes, "the size of merge events", error));
    sl_status status = find_nodes(hierarchy, nodes, ticker, error);
    for (uint32_t i = 0; i < hierarchy->num_merges && status == SL_OK; i++) size += nodes[i].num_records;
    sl_i_release(nodes, hierarchy->num_merges, sizeof *nodes);
    if (status == SL_OK) *out = size;
    return status;
}

sl_status sl_hierarchy_expanded_size(const sl_hierarchy *hierarchy, uint64_t *out, sl_error *error) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    return sl_i_expanded_size(hierarchy, &silent, out, error);
}

/* ---- 2. order ---------------------------------------------------------------------------------------------------- */

/* Nodes whose slices start with one record, threaded from heads[record] through `next`. */
static sl_status thread_nodes(const sl_hierarchy *hierarchy, const node *nodes, uint32_t count, uint32_t *heads,
                              uint32_t *next, sl_i_ticker *ticker, sl_error *error) {
    memset(heads, 0xFF, hierarchy->num_records * sizeof *heads);
    for (uint32_t i = 0; i < count; i++) {
        SL_TRY(sl_i_ticker_step(ticker, i, error));
        uint32_t *head = &heads[hierarchy->order[nodes[i].start]];
        next[i] = *head;
        *head = i;
    }
    return SL_OK;
}

/* `slots` has one zeroed value a level. */
static sl_status order_nodes(sl_merge_events *events, const node *nodes, const uint32_t *heads, const uint32_t *next,
                             uint32_t *slots, sl_i_ticker *ticker, sl_error *error) {
    uint32_t seams = 0;
    for (uint32_t i = 0; i < events->num_events; i++) slots[nodes[i].level]++;
    sl_i_counts_to_starts_u32(slots, events->hierarchy->num_levels);
    for (uint32_t record = 0; record < events->hierarchy->num_records; record++) {
        SL_TRY(sl_i_ticker_step(ticker, record, error));
        for (uint32_t i = heads[record]; i != NOTHING; i = next[i]) events->events[slots[nodes[i].level]++] = nodes[i];
    }
    for (uint32_t e = 0; e < events->num_events; e++) {
        uint32_t own = events->events[e].num_seams;
        events->events[e].num_seams = seams;
        seams += own;
    }
    return SL_OK;
}

static uint64_t first_component(const sl_merge_events *events, uint32_t event) {
    return event < events->num_events ? (uint64_t)events->events[event].num_seams + event : events->num_components;
}

/* ---- 3. number --------------------------------------------------------------------------------------------------- */

/* latest[start]: the event made last whose slice starts there. */
static sl_status number_components(sl_merge_events *events, uint32_t *latest, sl_i_ticker *ticker, sl_error *error) {
    const uint32_t *order = events->hierarchy->order;
    uint64_t next = 0;
    memset(latest, 0xFF, events->hierarchy->num_records * sizeof *latest);
    for (uint32_t e = 0; e < events->num_events; e++) {
        SL_TRY(sl_i_ticker_step(ticker, e, error));
        uint32_t position = events->events[e].start, end = position + events->events[e].num_records;
        while (position < end) {
            uint32_t made = latest[position];
            events->components[next++] = made == NOTHING ? order[position] : (uint64_t)events->num_records + made;
            position += made == NOTHING ? 1 : events->events[made].num_records;
        }
        latest[events->events[e].start] = e;
    }
    return SL_OK;
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

static sl_status fill(sl_merge_events *events, sl_i_ticker *ticker, sl_error *error) {
    const sl_hierarchy *hierarchy = events->hierarchy;
    uint32_t n = hierarchy->num_records, m = events->num_events, k = hierarchy->num_levels;
    node *nodes = NULL;
    uint32_t *by_record = NULL, *next = NULL, *slots = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&nodes, m, sizeof *nodes, "merge events", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&by_record, n, sizeof *by_record, "merge events", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&next, m, sizeof *next, "merge events", error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&slots, k, sizeof *slots, "merge events", error));
    SL_TRY_CLEANUP(status, find_nodes(hierarchy, nodes, ticker, error));
    SL_TRY_CLEANUP(status, thread_nodes(hierarchy, nodes, m, by_record, next, ticker, error));
    SL_TRY_CLEANUP(status, order_nodes(events, nodes, by_record, next, slots, ticker, error));
    status = number_components(events, by_record, ticker, error);
cleanup:
    sl_i_release(nodes, m, sizeof *nodes);
    sl_i_release(by_record, n, sizeof *by_record);
    sl_i_release(next, m, sizeof *next);
    sl_i_release(slots, k, sizeof *slots);
    return status;
}

uint64_t sl_i_count_components(const sl_hierarchy *hierarchy) {
    uint64_t components = hierarchy->num_merges;
    for (uint32_t i = 0; i < hierarchy->num_records; i++) components += hierarchy->join[i] != SL_NEVER;
    return components;
}

sl_status sl_i_merge_events_create(const sl_hierarchy *hierarchy, uint32_t num_records, sl_i_ticker *ticker,
                                   sl_merge_events **out, sl_error *error) {
    sl_merge_events *made = NULL;
    *out = NULL;
    if (num_records == 0) num_records = hierarchy->num_records;
    if (num_records < hierarchy->num_records)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the merges of a hierarchy of %u records cannot be numbered over only %u",
                         hierarchy->num_records, num_records);
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "merge events", error));
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->num_records = num_records;
    made->num_events = hierarchy->num_merges;
    made->num_components = sl_i_count_components(hierarchy);
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->events, made->num_events, sizeof *made->events, "merge events", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->components, made->num_components, sizeof *made->components,
                                         "the components of merge events", error));
    SL_TRY_CLEANUP(status, fill(made, ticker, error));
    *out = made;
    return SL_OK;
cleanup:
    sl_merge_events_release(made);
    return status;
}

sl_status sl_merge_events_create(const sl_hierarchy *hierarchy, uint32_t num_records, sl_merge_events **out,
                                 sl_error *error) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    return sl_i_merge_events_create(hierarchy, num_records, &silent, out, error);
}

void sl_merge_events_release(sl_merge_events *events) {
    if (!events) return;
    sl_hierarchy_release((sl_hierarchy *)(uintptr_t)events->hierarchy);
    sl_i_release(events->events, events->num_events, sizeof *events->events);
    sl_i_release(events->components, events->num_components, sizeof *events->components);
    sl_i_release(events, 1, sizeof *events);
}

uint32_t sl_merge_events_count(const sl_merge_events *events) { return events->num_events; }

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

static uint64_t pairs_of(const sl_merge_events *events, uint32_t event) {
    uint64_t pairs = sl_i_pairs_among(events->events[event].num_records);
    for (uint64_t c = first_component(events, event); c < first_component(events, event + 1); c++)
        if (events->components[c] >= events->num_records)
            pairs -= sl_i_pairs_among(events->events[events->components[c] - events->num_records].num_records);
    return pairs;
}

bool sl_i_merge_events_find(const sl_merge_events *events, uint32_t index, sl_merge_event *out) {
    *out = (sl_merge_event){0};
    if (index >= events->num_events) return false;
    const node *event = &events->events[index];
    uint64_t first = first_component(events, index), end = first_component(events, index + 1);
    *out = (sl_merge_event){.threshold = events->hierarchy->levels[event->level],
                            .result = (uint64_t)events->num_records + index,
                            .components = events->components + first,
                            .num_components = (uint32_t)(end - first),
                            .num_records = event->num_records,
                            .records = events->hierarchy->order + event->start};
    return true;
}

uint32_t sl_i_merge_events_size(const sl_merge_events *events, uint64_t id) {
    return id < events->num_records ? 1 : events->events[id - events->num_records].num_records;
}

bool sl_merge_events_get(const sl_merge_events *events, uint32_t index, sl_merge_event *out) {
    bool found = sl_i_merge_events_find(events, index, out);
    if (found) out->num_pairs = pairs_of(events, index);
    return found;
}

/* Take the events of more than `least` pairs, and the first `ties` of those of `least`, level by level from the lowest threshold: the
 * order in which they are listed is also the one in which equal ones are preferred. */
static uint32_t take_critical(const sl_merge_events *events, const uint64_t *pairs, uint64_t least, uint32_t ties,
                              uint32_t *taken) {
    uint32_t count = 0;
    for (uint32_t end = events->num_events, start; end > 0; end = start) {
        for (start = end - 1; start > 0 && events->events[start - 1].level == events->events[end - 1].level;) start--;
        for (uint32_t e = start; e < end; e++) {
            bool is_tie = pairs[e] == least && ties > 0;
            if (pairs[e] > least || is_tie) taken[count++] = e;
            ties -= is_tie;
        }
    }
    return count;
}

sl_status sl_merge_events_critical(const sl_merge_events *events, uint32_t count, uint32_t *events_out,
                                   uint32_t *out_count, sl_error *error) {
    uint64_t *pairs = NULL, *sorted = NULL, m = events->num_events;
    sl_status status;
    *out_count = 0;
    if (count > m) count = (uint32_t)m;
    if (count == 0) return SL_OK;
    SL_TRY_CLEANUP(status, sl_i_allocate(&pairs, m, sizeof *pairs, "pairs of merge events", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&sorted, 2 * m, sizeof *sorted, "pairs of merge events", error));
    for (uint32_t e = 0; e < m; e++) sorted[e] = pairs[e] = pairs_of(events, e);
    sl_i_sort_u64(sorted, sorted + m, m);
    uint64_t least = sorted[m - count], end_of_ties = m - count;
    while (end_of_ties < m && sorted[end_of_ties] == least) end_of_ties++; /* behind it come those of more pairs */
    *out_count = take_critical(events, pairs, least, (uint32_t)(end_of_ties - (m - count)), events_out);
cleanup:
    sl_i_release(pairs, m, sizeof *pairs);
    sl_i_release(sorted, 2 * m, sizeof *sorted);
    return status;
}
