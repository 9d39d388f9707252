/* relations_import.c: a frame of its tables in the relational form.
 *
 * SQL tables have no order, so rows say where they belong: records by their index, events by collection and number, groups by
 * event and number. Each table is read in one pass into places, merge_groups in two (count, then place); a place that is
 * taken already, or left empty, is an error. What the places hold is then one hierarchy of given merges for each
 * collection (sl_hierarchy_from_merges, which checks them), and one change of a new frame. Nothing that a table says is trusted.
 *
 * O(rows); memory at work 38 bytes a record, 40 an event and 8 a group, beside the tables. */
#include <inttypes.h>
#include <string.h>

#include "hierarchy/from_merges.h"
#include "interchange/key_texts.h"
#include "interchange/relation_rows.h"
#include "records/utf8.h"
#include "support/memory.h"
#include "support/sort.h"

#define NO_ROW UINT64_MAX /* no row has told of this place yet */
#define PLACES_A_TICK 65536u

typedef struct read_collection {
    sl_key name;
    uint64_t row; /* of the table of collections */
    uint64_t num_merges;
    uint64_t first_event; /* among the events of all collections */
    sl_scale scale;
    bool exact;
    uint32_t decimals;
} read_collection;

typedef struct relations_import {
    const sl_batches *const *tables;
    sl_i_ticker ticker;
    sl_context *context; /* of the frame in the making */
    sl_key *keys;        /* by record */
    uint16_t *sources;   /* by record */
    uint64_t *rows;      /* by record, of the table of records */
    uint32_t *indices;   /* by record: itself, once all are interned */
    uint32_t num_records;
    sl_key last_source; /* the name looked up last, and its id */
    uint16_t last_id;
    uint8_t **rooms; /* bytes of keys that came in hexadecimal */
    uint64_t *room_sizes;
    uint64_t num_rooms, rooms_capacity, sizes_capacity;
    read_collection *collections;
    uint64_t num_collections;
    double *thresholds;   /* by event */
    uint64_t *event_rows; /* by event, of the table of events */
    uint64_t *sizes;      /* by event: records of its result */
    uint64_t *offsets;    /* by event: its first component; one more than there are events */
    uint64_t *components;
    uint64_t num_events, num_components;
} relations_import;

/* Sets places to "not told of yet", all bits of each: touching so much memory takes time. */
static sl_status clear_places(relations_import *in, uint64_t *places, uint64_t count, sl_error *error) {
    for (uint64_t i = 0; i < count; i += PLACES_A_TICK) {
        uint64_t left = count - i;
        memset(places + i, 0xFF, (size_t)(left < PLACES_A_TICK ? left : PLACES_A_TICK) * sizeof *places);
        SL_TRY(sl_i_ticker_advance(&in->ticker, 0, error));
    }
    return SL_OK;
}

static sl_status fail_twice(sl_error *error, sl_relation relation, uint64_t row, uint64_t earlier, const char *what) {
    sl_status status =
        sl_i_relation_fail(error, relation, (int64_t)row, "%s is that of row %" PRIu64 ", too", what, earlier);
    if (error) error->other_row = (int64_t)earlier;
    return status;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* Room for the bytes of the window's keys in hexadecimal: half of their texts. */
static sl_status make_room(relations_import *in, const sl_i_window *window, uint8_t **out, sl_error *error) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < window->count; i++) size += window->columns[RECORDS_KEY].texts[i].length / 2;
    SL_TRY(sl_i_reserve(&in->rooms, &in->rooms_capacity, in->num_rooms + 1, sizeof *in->rooms, "keys", error));
    SL_TRY(
        sl_i_reserve(&in->room_sizes, &in->sizes_capacity, in->num_rooms + 1, sizeof *in->room_sizes, "keys", error));
    SL_TRY(sl_i_allocate(out, size, 1, "keys", error));
    in->rooms[in->num_rooms] = *out;
    in->room_sizes[in->num_rooms++] = size;
    return SL_OK;
}

static bool same_text(const sl_key *a, const sl_key *b) {
    return a->length == b->length && (a->bytes == b->bytes || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* Records of one source mostly follow each other. */
static sl_status find_source(relations_import *in, const sl_key *name, uint64_t row, uint16_t *out, sl_error *error) {
    if (!in->last_source.bytes || !same_text(&in->last_source, name)) {
        sl_status status =
            sl_context_add_source(in->context, (const char *)name->bytes, name->length, &in->last_id, error);
        if (status != SL_OK) return sl_i_relation_blame(error, SL_RELATION_RECORDS, (int64_t)row, status);
        in->last_source = *name;
    }
    *out = in->last_id;
    return SL_OK;
}

/* The key in row `i` of the window; *room moves on behind the bytes that it takes. */
static sl_status read_key(const sl_i_window *window, uint32_t i, uint8_t **room, sl_key *out, sl_error *error) {
    const sl_key *text = &window->columns[RECORDS_KEY].texts[i], *kind = &window->columns[RECORDS_KEY_KIND].texts[i];
    char quoted_text[SL_I_QUOTED_SIZE], quoted_kind[SL_I_QUOTED_SIZE];
    const char *why =
        sl_i_key_from_named_text((const char *)kind->bytes, kind->length, text->bytes, text->length, *room, out);
    if (why)
        return sl_i_relation_fail(error, SL_RELATION_RECORDS, (int64_t)(window->first_row + i),
                                  "the key %s of kind %s %s", sl_i_key_quote(text, quoted_text),
                                  sl_i_key_quote(kind, quoted_kind), why);
    if (out->bytes == *room) *room += out->length;
    return SL_OK;
}

static sl_status take_records(void *state, const sl_i_window *window, sl_error *error) {
    relations_import *in = state;
    uint8_t *room = NULL;
    SL_TRY(make_room(in, window, &room, error));
    for (uint32_t i = 0; i < window->count; i++) {
        uint64_t record = window->columns[RECORDS_INDEX].numbers[i], row = window->first_row + i;
        if (record >= in->num_records)
            return sl_i_relation_fail(error, SL_RELATION_RECORDS, (int64_t)row,
                                      "record_index %" PRIu64 ", but there are %" PRIu32
                                      " records: they are numbered from 0 on",
                                      record, in->num_records);
        if (in->rows[record] != NO_ROW)
            return fail_twice(error, SL_RELATION_RECORDS, row, in->rows[record], "the record_index");
        in->rows[record] = row;
        SL_TRY(find_source(in, &window->columns[RECORDS_SOURCE].texts[i], row, &in->sources[record], error));
        SL_TRY(read_key(window, i, &room, &in->keys[record], error));
    }
    return SL_OK;
}

static sl_status intern_records(relations_import *in, const sl_progress *progress, sl_error *error) {
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = in->num_records, .values = in->keys},
                                  .sources = in->sources};
    sl_status status = sl_context_intern(in->context, &column, in->indices, progress, error);
    if (status != SL_OK) {
        bool has_row = error && error->row >= 0 && error->row < in->num_records;
        return sl_i_relation_blame(error, SL_RELATION_RECORDS, has_row ? (int64_t)in->rows[error->row] : -1, status);
    }
    for (uint32_t record = 0; record < in->num_records; record++)
        if (in->indices[record] != record)
            return fail_twice(error, SL_RELATION_RECORDS, in->rows[record], in->rows[in->indices[record]],
                              "the source and key");
    return SL_OK;
}

static sl_status read_records(relations_import *in, const sl_progress *progress, sl_error *error) {
    uint64_t count = sl_batches_num_rows(in->tables[SL_RELATION_RECORDS]);
    if (count > SL_MAX_RECORDS)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "table records: %" PRIu64 " records are more than %" PRIu32, count,
                         SL_MAX_RECORDS);
    in->num_records = (uint32_t)count;
    SL_TRY(sl_i_allocate(&in->keys, count, sizeof *in->keys, "records", error));
    SL_TRY(sl_i_allocate(&in->sources, count, sizeof *in->sources, "records", error));
    SL_TRY(sl_i_allocate(&in->indices, count, sizeof *in->indices, "records", error));
    SL_TRY(sl_i_allocate(&in->rows, count, sizeof *in->rows, "records", error));
    sl_i_ticker_begin(&in->ticker, "reading records", count);
    SL_TRY(clear_places(in, in->rows, count, error));
    SL_TRY(
        sl_i_relation_read(in->tables[SL_RELATION_RECORDS], SL_RELATION_RECORDS, take_records, in, &in->ticker, error));
    return intern_records(in, progress, error);
}

/* ---- collections ------------------------------------------------------------------------------------------------- */

static bool read_scale(const sl_key *text, sl_scale *out) {
    for (int scale = SL_SCALE_PROBABILITY; scale <= SL_SCALE_WEIGHT; scale++) {
        const char *name = sl_i_relation_scale((sl_scale)scale);
        *out = (sl_scale)scale;
        if (text->length == strlen(name) && memcmp(text->bytes, name, text->length) == 0) return true;
    }
    return false;
}

static sl_status check_collection(const relations_import *in, const sl_i_window *window, uint32_t i, sl_error *error) {
    int64_t row = (int64_t)(window->first_row + i);
    uint64_t id = window->columns[COLLECTIONS_ID].numbers[i], version = window->columns[COLLECTIONS_VERSION].numbers[i];
    uint64_t num_records = window->columns[COLLECTIONS_NUM_RECORDS].numbers[i];
    uint64_t num_merges = window->columns[COLLECTIONS_NUM_MERGES].numbers[i];
    uint64_t decimals = window->columns[COLLECTIONS_DECIMALS].numbers[i];
    if (version != SL_I_RELATIONS_VERSION)
        return sl_i_relation_fail(error, SL_RELATION_COLLECTIONS, row,
                                  "form_version %" PRIu64 ": this is Starlings %s, which knows version %u; read it "
                                  "with a newer one",
                                  version, sl_version(), SL_I_RELATIONS_VERSION);
    if (id >= in->num_collections)
        return sl_i_relation_fail(error, SL_RELATION_COLLECTIONS, row,
                                  "collection_id %" PRIu64 ", but there are %" PRIu64
                                  " collections: they are numbered from 0 on",
                                  id, in->num_collections);
    if (num_records != in->num_records)
        return sl_i_relation_fail(error, SL_RELATION_COLLECTIONS, row,
                                  "num_records %" PRIu64 ", but the table records has %" PRIu32 " rows", num_records,
                                  in->num_records);
    if (num_merges > 0 && num_merges >= num_records)
        return sl_i_relation_fail(error, SL_RELATION_COLLECTIONS, row,
                                  "num_merges %" PRIu64 " are too many for %" PRIu64 " records", num_merges,
                                  num_records);
    if (decimals > 6)
        return sl_i_relation_fail(error, SL_RELATION_COLLECTIONS, row, "decimals %" PRIu64 ": they are 0 to 6",
                                  decimals);
    return SL_OK;
}

static sl_status take_collections(void *state, const sl_i_window *window, sl_error *error) {
    relations_import *in = state;
    for (uint32_t i = 0; i < window->count; i++) {
        char quoted[SL_I_QUOTED_SIZE];
        uint64_t row = window->first_row + i;
        const sl_key *scale = &window->columns[COLLECTIONS_SCALE].texts[i];
        SL_TRY(check_collection(in, window, i, error));
        read_collection *to = &in->collections[window->columns[COLLECTIONS_ID].numbers[i]];
        if (to->row != NO_ROW) return fail_twice(error, SL_RELATION_COLLECTIONS, row, to->row, "the collection_id");
        *to = (read_collection){.name = window->columns[COLLECTIONS_NAME].texts[i],
                                .row = row,
                                .num_merges = window->columns[COLLECTIONS_NUM_MERGES].numbers[i],
                                .exact = window->columns[COLLECTIONS_EXACT].numbers[i] != 0,
                                .decimals = (uint32_t)window->columns[COLLECTIONS_DECIMALS].numbers[i]};
        if (!read_scale(scale, &to->scale))
            return sl_i_relation_fail(error, SL_RELATION_COLLECTIONS, (int64_t)row,
                                      "the scale %s: it is probability or weight", sl_i_key_quote(scale, quoted));
    }
    return SL_OK;
}

/* Each place has a row, since there are as many rows as places and none was taken twice. Where the events of each begin. */
static sl_status place_events(relations_import *in, sl_error *error) {
    uint64_t rows = sl_batches_num_rows(in->tables[SL_RELATION_MERGE_EVENTS]);
    for (uint64_t i = 0; i < in->num_collections; i++) {
        read_collection *collection = &in->collections[i];
        collection->first_event = in->num_events;
        if (collection->num_merges > rows - in->num_events) in->num_events = rows + 1;
        if (in->num_events > rows) break;
        in->num_events += collection->num_merges;
    }
    if (in->num_events == rows) return SL_OK;
    return sl_i_relation_fail(error, SL_RELATION_MERGE_EVENTS, -1,
                              "%" PRIu64 " rows, but the num_merges of the collections are %s", rows,
                              in->num_events > rows ? "more" : "fewer");
}

static sl_status read_collections(relations_import *in, sl_error *error) {
    in->num_collections = sl_batches_num_rows(in->tables[SL_RELATION_COLLECTIONS]);
    SL_TRY(sl_i_allocate(&in->collections, in->num_collections, sizeof *in->collections, "collections", error));
    for (uint64_t i = 0; i < in->num_collections; i++) in->collections[i] = (read_collection){.row = NO_ROW};
    sl_i_ticker_begin(&in->ticker, "reading collections", in->num_collections);
    SL_TRY(sl_i_relation_read(in->tables[SL_RELATION_COLLECTIONS], SL_RELATION_COLLECTIONS, take_collections, in,
                              &in->ticker, error));
    return place_events(in, error);
}

/* ---- merges ------------------------------------------------------------------------------------------------------ */

/* The event of row `i` among those of all collections. Both tables begin with the same two columns. */
static sl_status find_event(const relations_import *in, sl_relation relation, const sl_i_window *window, uint32_t i,
                            uint64_t *out, sl_error *error) {
    uint64_t collection = window->columns[EVENTS_COLLECTION].numbers[i];
    uint64_t event = window->columns[EVENTS_EVENT].numbers[i];
    int64_t row = (int64_t)(window->first_row + i);
    if (collection >= in->num_collections)
        return sl_i_relation_fail(error, relation, row, "there is no collection_id %" PRIu64, collection);
    if (event >= in->collections[collection].num_merges)
        return sl_i_relation_fail(error, relation, row,
                                  "event %" PRIu64 ", but collection_id %" PRIu64 " has %" PRIu64
                                  " events: they are numbered from 0 on",
                                  event, collection, in->collections[collection].num_merges);
    *out = in->collections[collection].first_event + event;
    return SL_OK;
}

static sl_status take_events(void *state, const sl_i_window *window, sl_error *error) {
    relations_import *in = state;
    for (uint32_t i = 0; i < window->count; i++) {
        uint64_t event = 0, row = window->first_row + i, result = window->columns[EVENTS_RESULT].numbers[i];
        SL_TRY(find_event(in, SL_RELATION_MERGE_EVENTS, window, i, &event, error));
        if (in->event_rows[event] != NO_ROW)
            return fail_twice(error, SL_RELATION_MERGE_EVENTS, row, in->event_rows[event], "the event");
        if (result != in->num_records + window->columns[EVENTS_EVENT].numbers[i])
            return sl_i_relation_fail(error, SL_RELATION_MERGE_EVENTS, (int64_t)row,
                                      "result_component %" PRIu64
                                      ": that of an event is the number of records and that of the event, %" PRIu64,
                                      result, in->num_records + window->columns[EVENTS_EVENT].numbers[i]);
        in->event_rows[event] = row;
        in->thresholds[event] = window->columns[EVENTS_THRESHOLD].reals[i];
        in->sizes[event] = window->columns[EVENTS_NUM_RECORDS].numbers[i];
    }
    return SL_OK;
}

static sl_status count_groups(void *state, const sl_i_window *window, sl_error *error) {
    relations_import *in = state;
    for (uint32_t i = 0; i < window->count; i++) {
        uint64_t event = 0;
        SL_TRY(find_event(in, SL_RELATION_MERGE_GROUPS, window, i, &event, error));
        in->offsets[event]++;
    }
    return SL_OK;
}

static sl_status take_groups(void *state, const sl_i_window *window, sl_error *error) {
    relations_import *in = state;
    for (uint32_t i = 0; i < window->count; i++) {
        uint64_t event = 0, group = window->columns[GROUPS_GROUP].numbers[i];
        int64_t row = (int64_t)(window->first_row + i);
        SL_TRY(find_event(in, SL_RELATION_MERGE_GROUPS, window, i, &event, error));
        uint64_t first = in->offsets[event], count = in->offsets[event + 1] - first;
        if (group >= count)
            return sl_i_relation_fail(error, SL_RELATION_MERGE_GROUPS, row,
                                      "merging_group %" PRIu64 ", but its event has %" PRIu64
                                      " rows: groups are numbered from 0 on",
                                      group, count);
        if (in->components[first + group] != UINT64_MAX)
            return sl_i_relation_fail(error, SL_RELATION_MERGE_GROUPS, row,
                                      "merging_group %" PRIu64 " of its event is there twice", group);
        in->components[first + group] = window->columns[GROUPS_COMPONENT].numbers[i];
    }
    return SL_OK;
}

static sl_status read_events(relations_import *in, sl_error *error) {
    uint64_t count = in->num_events;
    SL_TRY(sl_i_allocate(&in->thresholds, count, sizeof *in->thresholds, "merge events", error));
    SL_TRY(sl_i_allocate(&in->sizes, count, sizeof *in->sizes, "merge events", error));
    SL_TRY(sl_i_allocate(&in->event_rows, count, sizeof *in->event_rows, "merge events", error));
    sl_i_ticker_begin(&in->ticker, "reading merge events", count);
    SL_TRY(clear_places(in, in->event_rows, count, error));
    return sl_i_relation_read(in->tables[SL_RELATION_MERGE_EVENTS], SL_RELATION_MERGE_EVENTS, take_events, in,
                              &in->ticker, error);
}

static sl_status read_groups(relations_import *in, sl_error *error) {
    const sl_batches *table = in->tables[SL_RELATION_MERGE_GROUPS];
    in->num_components = sl_batches_num_rows(table);
    SL_TRY(sl_i_allocate_zeroed(&in->offsets, in->num_events + 1, sizeof *in->offsets, "merge events", error));
    SL_TRY(sl_i_allocate(&in->components, in->num_components, sizeof *in->components, "merge events", error));
    sl_i_ticker_begin(&in->ticker, "reading merge groups", 2 * in->num_components);
    SL_TRY(clear_places(in, in->components, in->num_components, error));
    SL_TRY(sl_i_relation_read(table, SL_RELATION_MERGE_GROUPS, count_groups, in, &in->ticker, error));
    in->offsets[in->num_events] = sl_i_counts_to_starts_u64(in->offsets, in->num_events);
    return sl_i_relation_read(table, SL_RELATION_MERGE_GROUPS, take_groups, in, &in->ticker, error);
}

/* ---- collections of merges --------------------------------------------------------------------------------------- */

/* The events say how many records their results have. Components are those of a hierarchy that could be made. */
static sl_status check_sizes(relations_import *in, const read_collection *from, sl_error *error) {
    const uint64_t *sizes = in->sizes + from->first_event;
    for (uint64_t e = 0; e < from->num_merges; e++) {
        uint64_t size = 0, event = from->first_event + e;
        if (e % SL_I_WINDOW_ROWS == 0) SL_TRY(sl_i_ticker_advance(&in->ticker, 0, error));
        for (uint64_t c = in->offsets[event]; c < in->offsets[event + 1]; c++)
            size += in->components[c] < in->num_records ? 1 : sizes[in->components[c] - in->num_records];
        if (size != sizes[e])
            return sl_i_relation_fail(error, SL_RELATION_MERGE_EVENTS, (int64_t)in->event_rows[event],
                                      "num_records %" PRIu64 ", but what merges has %" PRIu64 " records", sizes[e],
                                      size);
    }
    return SL_OK;
}

static sl_status make_hierarchy(relations_import *in, const read_collection *from, sl_hierarchy **out,
                                sl_error *error) {
    sl_error own = {.row = -1};
    sl_status status = sl_i_hierarchy_from_merges(
        in->num_records, in->thresholds + from->first_event, in->offsets + from->first_event, in->components,
        (uint32_t)from->num_merges, (sl_i_score_kind){.scale = from->scale, .exact = from->exact}, &in->ticker, out,
        &own);
    if (status == SL_OK) {
        status = check_sizes(in, from, error);
        if (status == SL_OK) return SL_OK;
        sl_hierarchy_release(*out);
        *out = NULL;
        return status;
    }
    bool has_row = own.row >= 0 && (uint64_t)own.row < from->num_merges;
    int64_t row = has_row ? (int64_t)in->event_rows[from->first_event + (uint64_t)own.row] : -1;
    if (error) *error = own;
    return sl_i_relation_blame(error, SL_RELATION_MERGE_EVENTS, row, status);
}

static sl_status add_collection(relations_import *in, const read_collection *from, sl_frame_change *change,
                                sl_error *error) {
    sl_hierarchy *hierarchy = NULL;
    SL_TRY(make_hierarchy(in, from, &hierarchy, error));
    sl_status status = sl_frame_change_add(change, (const char *)from->name.bytes, from->name.length, hierarchy,
                                           from->decimals, NULL, error);
    sl_hierarchy_release(hierarchy);
    return sl_i_relation_blame(error, SL_RELATION_COLLECTIONS, (int64_t)from->row, status);
}

static sl_status fill_change(relations_import *in, sl_frame_change *change, const sl_progress *progress,
                             sl_error *error) {
    SL_TRY(sl_frame_change_context(change, &in->context, error));
    SL_TRY(read_records(in, progress, error));
    SL_TRY(read_collections(in, error));
    SL_TRY(read_events(in, error));
    SL_TRY(read_groups(in, error));
    SL_TRY(sl_frame_change_give(change, in->indices, in->num_records, error));
    sl_i_ticker_begin(&in->ticker, "building collections",
                      in->num_collections * in->num_records * SL_I_FROM_MERGES_STEPS);
    for (uint64_t i = 0; i < in->num_collections; i++) SL_TRY(add_collection(in, &in->collections[i], change, error));
    return SL_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void free_import(relations_import *in) {
    uint64_t n = in->num_records;
    sl_i_release(in->keys, n, sizeof *in->keys);
    sl_i_release(in->sources, n, sizeof *in->sources);
    sl_i_release(in->indices, n, sizeof *in->indices);
    sl_i_release(in->rows, n, sizeof *in->rows);
    for (uint64_t i = 0; i < in->num_rooms; i++) sl_i_release(in->rooms[i], in->room_sizes[i], 1);
    sl_i_release(in->rooms, in->rooms_capacity, sizeof *in->rooms);
    sl_i_release(in->room_sizes, in->sizes_capacity, sizeof *in->room_sizes);
    sl_i_release(in->collections, in->num_collections, sizeof *in->collections);
    sl_i_release(in->thresholds, in->num_events, sizeof *in->thresholds);
    sl_i_release(in->sizes, in->num_events, sizeof *in->sizes);
    sl_i_release(in->event_rows, in->num_events, sizeof *in->event_rows);
    sl_i_release(in->offsets, in->num_events + 1, sizeof *in->offsets);
    sl_i_release(in->components, in->num_components, sizeof *in->components);
}

static sl_status make_frame(const sl_batches *const *tables, const sl_progress *progress, sl_frame **out,
                            sl_error *error) {
    relations_import in = {.tables = tables, .ticker = sl_i_ticker_make(progress)};
    sl_frame *frame = NULL;
    sl_frame_change *change = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_frame_create(&frame, error));
    SL_TRY_CLEANUP(status, sl_frame_begin(frame, &change, error));
    SL_TRY_CLEANUP(status, fill_change(&in, change, progress, error));
    status = sl_frame_change_commit(change, progress, error);
    change = NULL;
    if (status != SL_OK) goto cleanup;
    *out = frame;
    frame = NULL;
cleanup:
    sl_frame_change_abort(change);
    sl_frame_release(frame);
    free_import(&in);
    return status;
}

sl_status sl_frame_from_relations(struct ArrowArrayStream streams[4], const sl_progress *progress, sl_frame **out,
                                  sl_error *error) {
    sl_batches *tables[4] = {NULL};
    sl_status status = SL_OK;
    *out = NULL;
    for (int i = 0; i < 4; i++) {
        if (status == SL_OK) {
            status = sl_batches_from_stream(&streams[i], &tables[i], error);
            status = sl_i_relation_blame(error, (sl_relation)i, -1, status);
        } else if (streams[i].release) {
            streams[i].release(&streams[i]);
        }
    }
    if (status == SL_OK) status = make_frame((const sl_batches *const *)tables, progress, out, error);
    for (int i = 0; i < 4; i++) sl_batches_release(tables[i]);
    return status;
}
