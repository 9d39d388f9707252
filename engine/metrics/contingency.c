/* contingency.c: how judged and true entities overlap while merges are applied one by one.
 *
 * Judged entities are components of a union-find; the root holds the component's sums (an sl_i_run) and a list of its cells. A
 * cell is made for each record at the start and afterwards only moved or fused, so merges allocate nothing and cannot fail
 * half-way. To merge, the component with fewer cells gives each of them to the other: fused with the cell of the same label where
 * there is one, else put on its list. Each cell given away lands in a component with at least as many, so that a whole hierarchy
 * costs O(records log records) steps however lopsided it is.
 *
 * A component's cell of a label is found by walking its list while that is short, as nearly all are, and in a hash table of
 * all cells of the larger components otherwise: open addressing, linear probing, holes closed at once.
 *
 * 32 bytes a record for components, 16 for cells, 6 to 12 for the hash table; 8 bytes a label; 32 KB for logarithms. */
#include "metrics/contingency.h"

#include <string.h>

#include "hierarchy/merge_events.h"
#include "metrics/merge_changes.h"
#include "support/memory.h"

#define NOTHING UINT32_MAX /* no cell: there are no more than records */
#define MOST_LISTED 8u     /* cells of a component that is searched by walking its list */

/* Fields but `parent` are those of roots. */
typedef struct component {
    sl_i_run run; /* link: its first cell */
    uint32_t parent;
    uint32_t num_cells;
} component;

typedef struct cell {
    uint32_t label; /* of record number i in cell i, also once the cell was fused with another */
    uint32_t count; /* records */
    uint32_t next;  /* of its component, or NOTHING */
    uint32_t root;  /* of its component */
} cell;

struct sl_contingency {
    uint32_t num_records, num_labels;
    component *components;                 /* by record */
    cell *cells;                           /* by record */
    uint32_t *slots;                       /* the hash table: numbers of cells */
    uint64_t num_slots;                    /* a power of two */
    uint32_t *label_sizes, *label_largest; /* of each true entity: records, and those of its largest cell */
    sl_i_judged_totals judged;
    sl_i_reference_totals reference;
    sl_curve against; /* its numbers of records and totals of the reference; no arrays */
    sl_i_log_table logs;
};

/* ---- the hash table of cells --------------------------------------------------------------------------------------- */

static uint64_t home_of(const sl_contingency *table, uint32_t root, uint32_t label) {
    uint64_t mixed = ((uint64_t)root << 32 | label) * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return (mixed ^ mixed >> 32) & (table->num_slots - 1);
}

static uint64_t slot_after(const sl_contingency *table, uint64_t slot) { return (slot + 1) & (table->num_slots - 1); }

static void add_to_slots(sl_contingency *table, uint32_t number) {
    uint64_t slot = home_of(table, table->cells[number].root, table->cells[number].label);
    while (table->slots[slot] != NOTHING) slot = slot_after(table, slot);
    table->slots[slot] = number;
}

/* Cells behind the hole that were pushed past it move into it, so that no search ends too early. */
static void remove_from_slots(sl_contingency *table, uint32_t number) {
    uint64_t mask = table->num_slots - 1;
    uint64_t hole = home_of(table, table->cells[number].root, table->cells[number].label);
    while (table->slots[hole] != number) hole = slot_after(table, hole);
    for (uint64_t slot = slot_after(table, hole); table->slots[slot] != NOTHING; slot = slot_after(table, slot)) {
        const cell *other = &table->cells[table->slots[slot]];
        uint64_t home = home_of(table, other->root, other->label);
        if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
        table->slots[hole] = table->slots[slot];
        hole = slot;
    }
    table->slots[hole] = NOTHING;
}

static uint32_t find_in_slots(const sl_contingency *table, uint32_t root, uint32_t label) {
    uint64_t slot = home_of(table, root, label);
    for (; table->slots[slot] != NOTHING; slot = slot_after(table, slot)) {
        const cell *found = &table->cells[table->slots[slot]];
        if (found->root == root && found->label == label) break;
    }
    return table->slots[slot];
}

/* ---- components and their cells ------------------------------------------------------------------------------------ */

static bool is_listed(const component *c) { return c->num_cells <= MOST_LISTED; }

static uint32_t root_of(const sl_contingency *table, uint32_t record) {
    while (table->components[record].parent != record) record = table->components[record].parent;
    return record;
}

/* The same, halving the path on the way. */
static uint32_t find_root(sl_contingency *table, uint32_t record) {
    component *components = table->components;
    while (components[record].parent != record) {
        uint32_t above = components[components[record].parent].parent;
        components[record].parent = above;
        record = above;
    }
    return record;
}

static uint32_t find_cell(const sl_contingency *table, uint32_t root, uint32_t label) {
    const component *c = &table->components[root];
    if (!is_listed(c)) return find_in_slots(table, root, label);
    uint32_t number = c->run.link;
    while (number != NOTHING && table->cells[number].label != label) number = table->cells[number].next;
    return number;
}

static void add_cell(sl_contingency *table, uint32_t root, uint32_t number) {
    component *c = &table->components[root];
    bool was_listed = is_listed(c);
    table->cells[number].root = root;
    table->cells[number].next = c->run.link;
    c->run.link = number;
    c->num_cells++;
    if (is_listed(c)) return;
    uint32_t end = was_listed ? NOTHING : table->cells[number].next; /* all of them when they become many */
    for (uint32_t i = number; i != end; i = table->cells[i].next) add_to_slots(table, i);
}

/* The cell `from` becomes part of the cell `into` of its label. */
static void fuse_cells(sl_contingency *table, cell *into, const cell *from, sl_i_reference_sums *change) {
    uint32_t *largest = &table->label_largest[into->label];
    sl_i_count_cell_fusion(into->count, from->count, table->label_sizes[into->label], &table->logs, change);
    into->count += from->count;
    if (into->count <= *largest) return;
    change->largest_in_reference += into->count - *largest;
    *largest = into->count;
}

/* All cells of `from` go to `into`. Adds what that changes to `fused` and `change`; returns the true pairs across. */
static uint64_t move_cells(sl_contingency *table, uint32_t into, uint32_t from, sl_i_run *fused,
                           sl_i_reference_sums *change) {
    cell *cells = table->cells;
    uint32_t first = table->components[from].run.link;
    uint64_t crossing = 0;
    if (!is_listed(&table->components[from]))
        for (uint32_t i = first; i != NOTHING; i = cells[i].next) remove_from_slots(table, i);
    for (uint32_t i = first, next; i != NOTHING; i = next) {
        uint32_t met = find_cell(table, into, cells[i].label);
        next = cells[i].next;
        if (met == NOTHING) {
            add_cell(table, into, i);
            continue;
        }
        crossing += (uint64_t)cells[met].count * cells[i].count;
        fuse_cells(table, &cells[met], &cells[i], change);
        if (cells[met].count > fused->largest_cell) fused->largest_cell = cells[met].count;
    }
    return crossing;
}

static void merge_roots(sl_contingency *table, uint32_t into, uint32_t from) {
    component *a = &table->components[into], *b = &table->components[from];
    uint32_t largest = a->run.largest_cell > b->run.largest_cell ? a->run.largest_cell : b->run.largest_cell;
    sl_i_run fused = {.size = a->run.size + b->run.size, .label = a->run.label, .largest_cell = largest};
    sl_i_judged_sums judged = {0};
    sl_i_reference_sums reference = {0};
    uint64_t crossing = move_cells(table, into, from, &fused, &reference);
    fused.link = a->run.link;
    fused.squares = a->run.squares + b->run.squares + 2 * crossing;
    sl_i_count_merge(&a->run, &b->run, &table->logs, &judged);
    sl_i_count_against_reference(&a->run, &b->run, &fused, crossing, table->label_sizes, &judged);
    sl_i_judged_add(&table->judged, &judged);
    sl_i_reference_add(&table->reference, &reference);
    a->run = fused;
    b->parent = into;
}

/* The root of both. */
static uint32_t merge_two(sl_contingency *table, uint32_t a, uint32_t b) {
    if (a == b) return a;
    const component *x = &table->components[a], *y = &table->components[b];
    bool b_is_larger =
        y->num_cells != x->num_cells ? y->num_cells > x->num_cells : y->run.size > x->run.size; /* flatter trees */
    uint32_t into = b_is_larger ? b : a;
    merge_roots(table, into, b_is_larger ? a : b);
    return into;
}

/* ---- the object ---------------------------------------------------------------------------------------------------- */

void sl_i_contingency_restart(sl_contingency *table) {
    for (uint32_t i = 0; i < table->num_records; i++) {
        uint32_t label = table->cells[i].label;
        table->cells[i] = (cell){.label = label, .count = 1, .next = NOTHING, .root = i};
        table->components[i] =
            (component){.run = {.size = 1, .label = label, .largest_cell = 1, .link = i, .squares = 1},
                        .parent = i,
                        .num_cells = 1};
    }
    memset(table->slots, 0xFF, table->num_slots * sizeof *table->slots);
    for (uint32_t label = 0; label < table->num_labels; label++)
        table->label_largest[label] = table->label_sizes[label] > 0;
    table->judged = sl_i_judged_start(table->num_records, sl_i_count_ones(table->label_sizes, table->num_labels));
    table->reference = sl_i_reference_start(table->num_records, table->against.reference_entities);
}

static void read_labels(sl_contingency *table, const uint32_t *labels) {
    table->against = (sl_curve){.num_rows = 1, .num_buckets = 1, .num_records = table->num_records};
    sl_i_log_table_fill(&table->logs);
    for (uint32_t record = 0; record < table->num_records; record++) {
        table->cells[record].label = labels[record];
        table->label_sizes[labels[record]]++;
    }
    for (uint32_t label = 0; label < table->num_labels; label++)
        sl_i_count_reference(&table->against, table->label_sizes[label], &table->logs);
}

/* At most two thirds are taken. */
static uint64_t slots_for(uint64_t num_cells) {
    uint64_t slots = 1;
    while (slots < num_cells + num_cells / 2) slots *= 2;
    return slots;
}

static sl_status fill(sl_contingency *table, const uint32_t *labels, sl_error *error) {
    const char *what = "a contingency table";
    uint64_t n = table->num_records;
    SL_TRY(sl_i_allocate(&table->components, n, sizeof *table->components, what, error));
    SL_TRY(sl_i_allocate(&table->cells, n, sizeof *table->cells, what, error));
    SL_TRY(sl_i_allocate(&table->slots, table->num_slots, sizeof *table->slots, what, error));
    SL_TRY(sl_i_allocate_zeroed(&table->label_sizes, table->num_labels, sizeof *table->label_sizes, what, error));
    SL_TRY(sl_i_allocate(&table->label_largest, table->num_labels, sizeof *table->label_largest, what, error));
    read_labels(table, labels);
    sl_i_contingency_restart(table);
    return SL_OK;
}

sl_status sl_contingency_create(const uint32_t *labels, uint32_t num_records, uint32_t num_labels, sl_contingency **out,
                                sl_error *error) {
    sl_contingency *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_check_labels(labels, num_records, num_labels, error));
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a contingency table", error));
    made->num_records = num_records;
    made->num_labels = num_labels;
    made->num_slots = slots_for(num_records);
    sl_status status = fill(made, labels, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_contingency_release(made);
    return status;
}

void sl_contingency_release(sl_contingency *table) {
    if (!table) return;
    sl_i_release(table->components, table->num_records, sizeof *table->components);
    sl_i_release(table->cells, table->num_records, sizeof *table->cells);
    sl_i_release(table->slots, table->num_slots, sizeof *table->slots);
    sl_i_release(table->label_sizes, table->num_labels, sizeof *table->label_sizes);
    sl_i_release(table->label_largest, table->num_labels, sizeof *table->label_largest);
    sl_i_release(table, 1, sizeof *table);
}

/* ---- merging ------------------------------------------------------------------------------------------------------- */

sl_status sl_contingency_merge(sl_contingency *table, const uint32_t *records, uint32_t count, sl_error *error) {
    for (uint32_t i = 0; i < count; i++)
        if (records[i] >= table->num_records)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, i, -1,
                                 "record %u is beyond the table's last: it has %u records", records[i],
                                 table->num_records);
    uint32_t root = count > 0 ? find_root(table, records[0]) : 0;
    for (uint32_t i = 1; i < count; i++) root = merge_two(table, root, find_root(table, records[i]));
    return SL_OK;
}

/* A record of a component, and how many records it has. */
static uint32_t record_of(const sl_contingency *table, const sl_merge_events *events, uint64_t number, uint32_t *size) {
    sl_merge_event made;
    *size = 1;
    if (number < table->num_records) return (uint32_t)number;
    if (!sl_i_merge_events_find(events, (uint32_t)(number - table->num_records), &made)) return 0; /* never so */
    *size = made.num_records;
    return made.records[0];
}

static sl_status check_event(sl_contingency *table, const sl_merge_events *events, uint32_t index,
                             const sl_merge_event *event, sl_error *error) {
    if (event->result - index != table->num_records)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the merge events are over %llu records, the table over %u: both must be over the same",
                         (unsigned long long)(event->result - index), table->num_records);
    for (uint32_t i = 0; i < event->num_components; i++) {
        uint32_t size, record = record_of(table, events, event->components[i], &size);
        if (table->components[find_root(table, record)].run.size < size)
            return sl_i_fail(
                error, SL_ERROR_INVALID_ARGUMENT,
                "merge event %u joins the result of one that was not applied: apply events from the first on", index);
    }
    return SL_OK;
}

sl_status sl_contingency_apply(sl_contingency *table, const sl_merge_events *events, uint32_t index, sl_error *error) {
    sl_merge_event event;
    uint32_t size;
    if (!sl_i_merge_events_find(events, index, &event))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "there is no merge event %u: there are %u", index,
                         sl_merge_events_count(events));
    SL_TRY(check_event(table, events, index, &event, error));
    uint32_t root = find_root(table, event.records[0]);
    for (uint32_t i = 0; i < event.num_components; i++)
        root = merge_two(table, root, find_root(table, record_of(table, events, event.components[i], &size)));
    return SL_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

uint64_t sl_contingency_num_cells(const sl_contingency *table) { return table->reference.sums.cells; }

uint32_t sl_contingency_cell(const sl_contingency *table, uint32_t record, uint32_t label) {
    if (record >= table->num_records) return 0;
    uint32_t number = find_cell(table, root_of(table, record), label);
    return number == NOTHING ? 0 : table->cells[number].count;
}

sl_i_one_row sl_i_contingency_row(const sl_contingency *table) {
    return (sl_i_one_row){.judged = table->judged.sums, .reference = table->reference.sums};
}

sl_curve sl_i_contingency_curve(const sl_contingency *table, sl_i_one_row *row) {
    sl_curve curve = table->against;
    curve.thresholds = &row->threshold;
    curve.row_buckets = &row->bucket;
    curve.judged = &row->judged;
    curve.reference = &row->reference;
    return curve;
}

sl_status sl_contingency_metric(const sl_contingency *table, sl_metric metric, double parameter, double *out,
                                sl_error *error) {
    sl_i_one_row row = sl_i_contingency_row(table);
    sl_curve curve = sl_i_contingency_curve(table, &row);
    *out = 0.0;
    if (sl_i_metric_is_of_lifetimes(metric))
        return sl_i_fail(
            error, SL_ERROR_INVALID_ARGUMENT,
            "the metric \"%s\" asks how long entities live, which one partition does not tell: take a curve",
            sl_metric_name(metric));
    return sl_curve_metric(&curve, metric, parameter, out, error);
}
