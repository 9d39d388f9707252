/* frame_export.c: a frame as Arrow batches in the frame schema (docs/arrow.md).
 *
 * One row a record; the collections are the list of the first row. Rows are cut into batches where 32-bit offsets would end: every
 * batch brings the dictionaries of its sources and keys. What the expanded merge events come to is counted first. All is made at
 * once, so that the stream needs the frame no more. O(key bytes + record indices in merge events). */
#include "interchange/frame_export.h"

#include <inttypes.h>
#include <string.h>

#include "interchange/expanded_merges.h"
#include "interchange/key_dictionary.h"
#include "interchange/nested_array.h"
#include "interchange/schema_notes.h"
#include "interchange/table.h"
#include "records/utf8.h"
#include "support/clock.h"

#define NAMES_IN_ONE_BYTE 256
#define MOST_COLLECTIONS 65536

/* ---------------------------------------------------------------------------------------------- the schema */

static const sl_i_arrow_type created_at_type = {.format = "tsm:"};
static const sl_i_arrow_type group_type = SL_I_LIST_OF(&sl_i_uint32_type);
static const sl_i_arrow_type event_types[] = {{.format = "g"}, SL_I_LIST_OF(&group_type)};
static const char *const event_names[] = {"threshold", "merging_groups"};
static const sl_i_arrow_type event_type = SL_I_STRUCT_OF(event_types, event_names);

/* Names are numbered in one byte, or in two where that is too few. */
static const char *const collection_names[] = {"name", "merge_events"};
static const sl_i_arrow_type small_types[] = {{.format = "C", .dictionary = &sl_i_utf8_type},
                                              SL_I_LIST_OF(&event_type)};
static const sl_i_arrow_type large_types[] = {{.format = "S", .dictionary = &sl_i_utf8_type},
                                              SL_I_LIST_OF(&event_type)};
static const sl_i_arrow_type small_type = SL_I_STRUCT_OF(small_types, collection_names);
static const sl_i_arrow_type large_type = SL_I_STRUCT_OF(large_types, collection_names);
static const sl_i_arrow_type few_collections_type = SL_I_LIST_OF(&small_type);
static const sl_i_arrow_type many_collections_type = SL_I_LIST_OF(&large_type);

typedef struct frame_export {
    const sl_frame_state *state;
    uint64_t most;           /* rows and bytes of a batch */
    uint64_t expanded;       /* record indices in merge events */
    uint64_t events, groups; /* of all collections */
    int64_t created_at;      /* ms */
    sl_i_ticker ticker;
    sl_table **tables; /* one for each batch */
    uint64_t count, capacity;
} frame_export;

/* ---------------------------------------------------------------------------------------------- merge events */

/* Where the next event, group and record go. */
typedef struct event_cursor {
    double *thresholds;
    int32_t *event_ends; /* in groups */
    int32_t *group_ends; /* in records */
    uint32_t *records;
    int32_t events, groups, count;
} event_cursor;

static void put_event(event_cursor *cursor, const sl_merge_events *events, const sl_merge_event *event) {
    memcpy(cursor->records + cursor->count, event->records, event->num_records * sizeof *event->records);
    for (uint32_t c = 0; c < event->num_components; c++) {
        cursor->count += (int32_t)sl_i_merge_events_size(events, event->components[c]);
        cursor->group_ends[cursor->groups++] = cursor->count;
    }
    cursor->thresholds[cursor->events] = event->threshold;
    cursor->event_ends[cursor->events++] = cursor->groups;
}

static sl_status put_events(frame_export *x, const sl_hierarchy *hierarchy, event_cursor *cursor, sl_error *error) {
    sl_merge_events *events = NULL;
    sl_merge_event event;
    SL_TRY(sl_i_merge_events_create(hierarchy, 0, &x->ticker, &events, error));
    sl_status status = SL_OK;
    for (uint32_t e = 0; status == SL_OK && sl_i_merge_events_find(events, e, &event); e++) {
        put_event(cursor, events, &event);
        status = sl_i_ticker_advance(&x->ticker, event.num_records, error);
    }
    sl_merge_events_release(events);
    return status;
}

/* The events of all collections, one after another; ends[i] is where those of collection i end. */
static sl_status make_events(frame_export *x, uint32_t count, int32_t *ends, struct ArrowArray *out, sl_error *error) {
    uint64_t num_events = count ? x->events : 0, num_groups = count ? x->groups : 0, size = count ? x->expanded : 0;
    event_cursor cursor = {0};
    SL_TRY(sl_i_array_make(out, num_events, 1, 2, false, error));
    struct ArrowArray *groups = out->children[1];
    SL_TRY(sl_i_array_numbers(out->children[0], num_events, sizeof(double), &cursor.thresholds, error));
    SL_TRY(sl_i_array_lists(groups, num_events, &cursor.event_ends, error));
    SL_TRY(sl_i_array_lists(groups->children[0], num_groups, &cursor.group_ends, error));
    SL_TRY(sl_i_array_numbers(groups->children[0]->children[0], size, sizeof(uint32_t), &cursor.records, error));
    cursor.event_ends++; /* behind the 0 that starts the offsets */
    cursor.group_ends++;
    for (uint32_t i = 0; i < count; i++) {
        SL_TRY(put_events(x, x->state->entries.items[i]->hierarchy, &cursor, error));
        ends[i] = cursor.events;
    }
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- collections */

static sl_status make_names(const sl_i_entries *entries, uint32_t count, struct ArrowArray *out, sl_error *error) {
    const char **texts = NULL;
    size_t *lengths = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&texts, count, sizeof *texts, "names of collections", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&lengths, count, sizeof *lengths, "names of collections", error));
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = entries->items[i]->name;
        lengths[i] = entries->items[i]->length;
    }
    status = sl_i_array_strings(out, texts, lengths, count, error);
cleanup:
    sl_i_release(texts, count, sizeof *texts);
    sl_i_release(lengths, count, sizeof *lengths);
    return status;
}

static bool has_many(const frame_export *x) { return x->state->entries.count > NAMES_IN_ONE_BYTE; }

/* Name i has code i. */
static sl_status make_name_column(const frame_export *x, uint32_t count, struct ArrowArray *out, sl_error *error) {
    uint8_t *small = NULL;
    uint16_t *large = NULL;
    SL_TRY(sl_i_array_make(out, count, 2, 0, true, error));
    SL_TRY(make_names(&x->state->entries, count, out->dictionary, error));
    if (has_many(x)) {
        SL_TRY(sl_i_array_buffer(out, 1, count, sizeof *large, &large, error));
        for (uint32_t i = 0; i < count; i++) large[i] = (uint16_t)i;
    } else {
        SL_TRY(sl_i_array_buffer(out, 1, count, sizeof *small, &small, error));
        for (uint32_t i = 0; i < count; i++) small[i] = (uint8_t)i;
    }
    return SL_OK;
}

/* The first `count` collections: all or none. */
static sl_status make_collections(frame_export *x, uint32_t count, struct ArrowArray *out, sl_error *error) {
    int32_t *ends = NULL;
    SL_TRY(sl_i_array_make(out, count, 1, 2, false, error));
    SL_TRY(make_name_column(x, count, out->children[0], error));
    SL_TRY(sl_i_array_lists(out->children[1], count, &ends, error));
    return make_events(x, count, ends + 1, out->children[1]->children[0], error);
}

/* The column `collections` of `rows` rows: all of them in the first, if `has_first`, and empty lists. */
static sl_status add_collections(frame_export *x, sl_table *table, uint32_t rows, bool has_first, sl_error *error) {
    struct ArrowArray array;
    int32_t *offsets = NULL;
    uint32_t count = has_first && rows > 0 ? x->state->entries.count : 0;
    SL_TRY(sl_i_array_lists(&array, rows, &offsets, error));
    for (uint32_t row = 1; row <= rows; row++) offsets[row] = (int32_t)count;
    sl_status status = make_collections(x, count, array.children[0], error);
    const sl_i_arrow_type *type = has_many(x) ? &many_collections_type : &few_collections_type;
    if (status == SL_OK) status = sl_i_table_take(table, "collections", type, &array, error);
    if (status != SL_OK) sl_i_array_drop(&array);
    return status;
}

/* ---------------------------------------------------------------------------------------------- the other columns */

static sl_status add_records(frame_export *x, sl_table *table, uint32_t first, uint32_t rows, sl_error *error) {
    const sl_context *context = x->state->context;
    struct ArrowArray array;
    uint32_t *indices = NULL;
    sl_status made = sl_i_array_sources(&array, context, first, rows, &x->ticker, error);
    SL_TRY(sl_i_table_take_made(table, "record_sources", &sl_i_category16_type, made, &array, error));
    made = sl_i_key_dictionary_make(context, first, rows, &array, &x->ticker, error);
    SL_TRY(sl_i_table_take_made(table, "record_keys", &sl_i_key_dictionary_type, made, &array, error));
    made = sl_i_array_numbers(&array, rows, sizeof *indices, &indices, error);
    for (uint32_t i = 0; made == SL_OK && i < rows; i++) indices[i] = first + i;
    return sl_i_table_take_made(table, "record_indices", &sl_i_uint32_type, made, &array, error);
}

static sl_status add_origin(const frame_export *x, sl_table *table, uint32_t rows, sl_error *error) {
    struct ArrowArray array;
    int64_t *times = NULL;
    sl_status made = sl_i_array_repeat(&array, sl_version(), strlen(sl_version()), rows, error);
    SL_TRY(sl_i_table_take_made(table, "version", &sl_i_utf8_type, made, &array, error));
    made = sl_i_array_numbers(&array, rows, sizeof *times, &times, error);
    for (uint32_t i = 0; made == SL_OK && i < rows; i++) times[i] = x->created_at;
    return sl_i_table_take_made(table, "created_at", &created_at_type, made, &array, error);
}

/* ---------------------------------------------------------------------------------------------- batches */

/* How many records from `first` on one batch holds: one more would pass the most rows or bytes. */
static sl_status measure_batch(frame_export *x, uint32_t first, uint32_t *out_rows, sl_error *error) {
    uint64_t strings = 0, bytes = 0, version = strlen(sl_version()), rows = 0;
    sl_record record = {0};
    for (; first + rows < x->state->num_records && rows < x->most && (rows + 1) * version <= INT32_MAX; rows++) {
        (void)sl_context_record(x->state->context, first + (uint32_t)rows, &record);
        uint64_t *held = record.key.kind == SL_KEY_STRING ? &strings : &bytes;
        if (record.key.length > x->most - *held) break;
        SL_TRY(sl_i_ticker_step(&x->ticker, rows, error));
        *held += record.key.length;
    }
    *out_rows = (uint32_t)rows;
    if (rows > 0 || first == x->state->num_records) return SL_OK;
    char quoted[SL_I_QUOTED_SIZE];
    return sl_i_fail_row(error, SL_ERROR_CAPACITY, first, -1,
                         "the key %s of record %" PRIu32 " has %" PRIu32 " bytes, more than an Arrow column holds",
                         sl_i_key_quote(&record.key, quoted), first, record.key.length);
}

static sl_status make_batch(frame_export *x, uint32_t first, uint32_t rows, sl_error *error) {
    sl_table *table = NULL;
    SL_TRY(sl_i_reserve(&x->tables, &x->capacity, x->count + 1, sizeof(sl_table *), "the batches of a frame", error));
    SL_TRY(sl_table_create(rows, &table, error));
    x->tables[x->count++] = table;
    SL_TRY(add_records(x, table, first, rows, error));
    SL_TRY(add_collections(x, table, rows, first == 0, error));
    return add_origin(x, table, rows, error);
}

static sl_status make_batches(frame_export *x, sl_error *error) {
    uint32_t first = 0, rows = 0;
    do { /* one batch, if an empty one, so that there is a schema */
        SL_TRY(measure_batch(x, first, &rows, error));
        SL_TRY(make_batch(x, first, rows, error));
        first += rows;
    } while (first < x->state->num_records);
    return SL_OK;
}

static sl_status measure_events(frame_export *x, const sl_export_options *options, sl_error *error) {
    const sl_i_entries *entries = &x->state->entries;
    if (entries->count > MOST_COLLECTIONS)
        return sl_i_fail(error, SL_ERROR_CAPACITY,
                         "%" PRIu32 " collections are more than the %d that an Arrow table of a frame has names for",
                         entries->count, MOST_COLLECTIONS);
    SL_TRY(sl_i_expanded_of_frame(x->state, options, &x->expanded, error));
    for (uint32_t i = 0; i < entries->count; i++) {
        x->events += entries->items[i]->hierarchy->num_merges;
        x->groups += sl_i_count_components(entries->items[i]->hierarchy);
    }
    SL_TRY(sl_i_check_offsets(x->expanded, "record indices in merge events", error));
    return sl_i_check_offsets(x->groups, "components in merge events", error);
}

/* ---------------------------------------------------------------------------------------------- the stream */

static sl_status write_notes(const sl_i_entries *entries, char **out, uint64_t *out_size, sl_error *error) {
    sl_i_collection_note *notes = NULL;
    SL_TRY(sl_i_allocate(&notes, entries->count, sizeof *notes, "the metadata of a table", error));
    for (uint32_t i = 0; i < entries->count; i++) {
        const sl_i_entry *entry = entries->items[i];
        notes[i] = sl_i_note_of(entry->hierarchy, entry->decimals, entry->name, entry->length);
    }
    sl_status status = sl_i_notes_write("frame", notes, entries->count, out, out_size, error);
    sl_i_release(notes, entries->count, sizeof *notes);
    return status;
}

sl_status sl_i_frame_export_split(const sl_frame_state *state, const sl_export_options *options, uint64_t most,
                                  struct ArrowArrayStream *out, sl_error *error) {
    frame_export x = {.state = state, .most = most, .ticker = sl_i_ticker_make(options ? options->progress : NULL)};
    char *metadata = NULL;
    uint64_t metadata_size = 0;
    sl_status status;
    *out = (struct ArrowArrayStream){0};
    x.created_at = options && options->created_at_ms ? options->created_at_ms : sl_i_wall_clock() / 1000000;
    SL_TRY_CLEANUP(status, measure_events(&x, options, error));
    sl_i_ticker_begin(&x.ticker, "writing an Arrow table", state->num_records + x.expanded);
    SL_TRY_CLEANUP(status, write_notes(&state->entries, &metadata, &metadata_size, error));
    SL_TRY_CLEANUP(status, make_batches(&x, error));
    SL_TRY_CLEANUP(status, sl_i_tables_export(x.tables, x.count, metadata, metadata_size, out, error));
    x.count = 0; /* the stream's now */
cleanup:
    while (x.count > 0) sl_table_release(x.tables[--x.count]);
    sl_i_release(x.tables, x.capacity, sizeof(sl_table *));
    sl_i_release(metadata, metadata_size, 1);
    return status;
}

sl_status sl_frame_state_export(const sl_frame_state *state, const sl_export_options *options,
                                struct ArrowArrayStream *out, sl_error *error) {
    return sl_i_frame_export_split(state, options, INT32_MAX, out, error);
}
