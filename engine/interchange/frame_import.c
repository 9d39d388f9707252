/* frame_import.c: a frame of Arrow batches in the frame schema (docs/arrow.md).
 *
 * Records may come in any order of rows, as their indices say; the collections are the list of any one row. Everything that is read
 * is checked: columns by arrow_nodes.c, records by record_reading.c, merges by merge_replay.c. The frame is made in one change, so
 * that nothing of it is left after an error. Working memory: 26 bytes a record, then 16 for each collection in turn. */
#include <inttypes.h>
#include <string.h>

#include "frame/frame_change.h"
#include "interchange/merge_replay.h"
#include "interchange/record_reading.h"
#include "interchange/schema_notes.h"
#include "records/batches.h"
#include "records/utf8.h"

#define ROWS_A_TICK 65536

enum { SOURCES, KEYS, INDICES, COLLECTIONS, NUM_COLUMNS };

static const char *const column_names[NUM_COLUMNS] = {"record_sources", "record_keys", "record_indices", "collections"};

typedef struct frame_import {
    const sl_batches *batches;
    int64_t columns[NUM_COLUMNS]; /* where they are in the table */
    sl_i_notes notes;
    sl_frame_change *change;
    sl_context *context;
    uint32_t num_records;
    uint64_t num_collections; /* added so far */
    const sl_progress *progress;
    sl_i_ticker ticker;
} frame_import;

/* ---------------------------------------------------------------------------------------------- columns */

static sl_status find_columns(frame_import *in, sl_error *error) {
    for (int i = 0; i < NUM_COLUMNS; i++) {
        in->columns[i] = sl_i_find_member(&in->batches->schema, column_names[i]);
        if (in->columns[i] < 0)
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                             "the table has no column \"%s\": it is no frame, whose columns are record_sources, "
                             "record_keys, record_indices and collections",
                             column_names[i]);
    }
    return SL_OK;
}

static sl_status open_column(const frame_import *in, uint64_t batch, int column, sl_i_column_view *view,
                             sl_i_node *node, sl_error *error) {
    return sl_i_column_view_open(&in->batches->schema, &in->batches->arrays[batch], in->columns[column], false, view,
                                 node, error);
}

static sl_status check_kind(sl_i_node node, int column, sl_i_node_kind kind, sl_error *error) {
    return sl_i_node_check(node, column_names[column], kind, error);
}

/* ---------------------------------------------------------------------------------------------- records */

static sl_status fail_key(sl_i_node keys, uint64_t row, sl_error *error) {
    return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                         "column record_keys, row %" PRIu64
                         ": neither an int from 0 to 2^64-1 nor a string nor bytes of at most 4294967295, but of the "
                         "Arrow type \"%.40s\"",
                         row, keys.schema->format);
}

/* `ids` has the source of each row of the batch. */
static sl_status read_rows(frame_import *in, uint64_t batch, sl_i_node indices, sl_i_node keys, const uint16_t *ids,
                           sl_i_read_records *records, sl_error *error) {
    uint64_t first = in->batches->starts[batch], rows = in->batches->starts[batch + 1] - first;
    for (uint64_t row = 0; row < rows; row++) {
        uint64_t index;
        bool is_number = sl_i_node_number(indices, (int64_t)row, &index);
        SL_TRY(sl_i_read_records_claim(records, is_number, index, first + row, "record_indices", error));
        if (!sl_i_node_key(keys, (int64_t)row, &records->keys[index])) return fail_key(keys, first + row, error);
        records->sources[index] = ids[row];
        if (row % ROWS_A_TICK == 0) SL_TRY(sl_i_ticker_advance(&in->ticker, row ? ROWS_A_TICK : 0, error));
    }
    return SL_OK;
}

static sl_status read_batch(frame_import *in, uint64_t batch, sl_i_read_records *records, sl_error *error) {
    uint64_t rows = in->batches->starts[batch + 1] - in->batches->starts[batch];
    sl_i_column_view views[COLLECTIONS] = {{0}};
    sl_i_node nodes[COLLECTIONS];
    uint16_t *ids = NULL;
    sl_status status;
    for (int i = 0; i < COLLECTIONS; i++) {
        SL_TRY_CLEANUP(status, open_column(in, batch, i, &views[i], &nodes[i], error));
        SL_TRY_CLEANUP(status, sl_i_ticker_advance(&in->ticker, 0, error));
    }
    SL_TRY_CLEANUP(status, check_kind(nodes[SOURCES], SOURCES, SL_I_NODE_TEXT, error));
    SL_TRY_CLEANUP(status, check_kind(nodes[INDICES], INDICES, SL_I_NODE_INT, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&ids, rows, sizeof *ids, "the records of a table", error));
    SL_TRY_CLEANUP(status, sl_i_read_sources(in->context, nodes[SOURCES], 0, rows, "record_sources", ids, error));
    status = read_rows(in, batch, nodes[INDICES], nodes[KEYS], ids, records, error);
cleanup:
    for (int i = 0; i < COLLECTIONS; i++) sl_i_column_view_close(&views[i]);
    sl_i_release(ids, rows, sizeof *ids);
    return status;
}

static sl_status give_all(const frame_import *in, sl_error *error) {
    uint32_t *all = NULL;
    SL_TRY(sl_i_allocate(&all, in->num_records, sizeof *all, "the records of a table", error));
    for (uint32_t i = 0; i < in->num_records; i++) all[i] = i;
    sl_status status = sl_frame_change_give(in->change, all, in->num_records, error);
    sl_i_release(all, in->num_records, sizeof *all);
    return status;
}

static sl_status read_records(frame_import *in, sl_error *error) {
    sl_i_read_records records;
    SL_TRY(sl_i_read_records_make(sl_batches_num_rows(in->batches), &records, error));
    sl_status status = SL_OK;
    in->num_records = records.count;
    sl_i_ticker_begin(&in->ticker, "reading records", records.count);
    for (uint64_t batch = 0; batch < in->batches->count && status == SL_OK; batch++) {
        status = read_batch(in, batch, &records, error);
        if (status == SL_OK) status = sl_i_ticker_advance(&in->ticker, 0, error);
    }
    if (status == SL_OK) status = sl_i_read_records_intern(&records, in->context, in->progress, error);
    sl_i_read_records_free(&records);
    if (status == SL_OK) status = sl_i_ticker_advance(&in->ticker, 0, error);
    if (status == SL_OK) status = give_all(in, error);
    return status == SL_OK ? sl_i_ticker_advance(&in->ticker, 0, error) : status;
}

/* ---------------------------------------------------------------------------------------------- merge events */

/* The parts of a collections column; those behind a list that holds nothing are not there. */
typedef struct collections_nodes {
    sl_i_node names, events, thresholds, groups, members, records;
} collections_nodes;

static sl_status find_parts(sl_i_node column, collections_nodes *out, sl_error *error) {
    sl_i_node collection, event;
    *out = (collections_nodes){0};
    SL_TRY(check_kind(column, COLLECTIONS, SL_I_NODE_LIST, error));
    if (sl_i_node_holds_nothing(column)) return SL_OK;
    SL_TRY(sl_i_node_items(column, "collections", SL_I_NODE_STRUCT, &collection, error));
    SL_TRY(sl_i_node_member(collection, "collections", "name", SL_I_NODE_TEXT, &out->names, error));
    SL_TRY(sl_i_node_member(collection, "collections", "merge_events", SL_I_NODE_LIST, &out->events, error));
    if (sl_i_node_holds_nothing(out->events)) return SL_OK;
    SL_TRY(sl_i_node_items(out->events, "merge_events", SL_I_NODE_STRUCT, &event, error));
    SL_TRY(sl_i_node_member(event, "merge_events", "threshold", SL_I_NODE_FLOAT, &out->thresholds, error));
    SL_TRY(sl_i_node_member(event, "merge_events", "merging_groups", SL_I_NODE_LIST, &out->groups, error));
    SL_TRY(sl_i_node_items(out->groups, "merging_groups", SL_I_NODE_LIST, &out->members, error));
    return sl_i_node_items(out->members, "merging_groups", SL_I_NODE_INT, &out->records, error);
}

/* One event: what is wrong with it in *why. */
static sl_status read_event(frame_import *in, const collections_nodes *nodes, int64_t at, sl_i_merge_replay *replay,
                            const char **why, sl_error *error) {
    sl_i_span groups = sl_i_node_list(nodes->groups, at);
    *why = NULL;
    SL_TRY(sl_i_replay_begin(replay, sl_i_node_double(nodes->thresholds, at), error));
    for (int64_t group = groups.first; group < groups.end && !*why; group++) {
        sl_i_span span = sl_i_node_list(nodes->members, group);
        SL_TRY(sl_i_replay_name(replay, nodes->records, span, &in->ticker, why, error));
        if (!*why) SL_TRY(sl_i_replay_end_group(replay, why, error));
    }
    if (!*why) *why = sl_i_replay_end(replay);
    return SL_OK;
}

static sl_status build(const frame_import *in, const sl_i_merge_replay *replay, const sl_i_collection_note *note,
                       sl_hierarchy **out, sl_error *error) {
    sl_error inner = {.status = SL_OK};
    if (sl_i_replay_build(replay, note->kind, in->progress, out, &inner) == SL_OK) return SL_OK;
    return sl_i_fail_collection(note->name, note->length, &inner, error);
}

/* The hierarchy of the events that the list at `at` holds; where nothing is said of the scores, their thresholds tell. */
static sl_status read_hierarchy(frame_import *in, const collections_nodes *nodes, int64_t at,
                                sl_i_collection_note *note, bool is_noted, sl_hierarchy **out, sl_error *error) {
    sl_i_merge_replay replay;
    const char *why = NULL;
    sl_i_span events = sl_i_node_list(nodes->events, at);
    SL_TRY(sl_i_replay_make(note->num_records, &replay, error));
    sl_status status = SL_OK;
    for (int64_t e = events.first; e < events.end && status == SL_OK; e++) {
        status = read_event(in, nodes, e, &replay, &why, error);
        if (status == SL_OK && why)
            status = sl_i_fail_event(note->name, note->length, (uint64_t)(e - events.first), why, error);
    }
    bool is_rounded = status == SL_OK && sl_i_replay_is_rounded(&replay);
    if (status == SL_OK && !is_noted) {
        note->kind.exact = !is_rounded;
        note->decimals = is_rounded ? 6 : 0;
    } else if (status == SL_OK && !note->kind.exact && !is_rounded) {
        status =
            sl_i_fail_event(note->name, note->length, 0,
                            "or a later one has a threshold of more than 6 decimals, but the table's metadata says "
                            "that they are rounded",
                            error);
    }
    if (status == SL_OK) status = sl_i_ticker_advance(&in->ticker, 0, error);
    if (status == SL_OK) status = build(in, &replay, note, out, error);
    sl_i_replay_free(&replay);
    return status;
}

/* ---------------------------------------------------------------------------------------------- collections */

static sl_status add(frame_import *in, const sl_i_collection_note *note, const sl_hierarchy *hierarchy,
                     sl_error *error) {
    in->num_collections++;
    return sl_frame_change_add(in->change, note->name, note->length, hierarchy, note->decimals, NULL, error);
}

/* What is known of the next collection, whose name is `name`: what was noted, or what a frame has by default. */
static sl_status find_note(const frame_import *in, const char *name, uint64_t length, sl_i_collection_note *out,
                           bool *is_noted, sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE], noted[SL_I_QUOTED_SIZE];
    *out =
        (sl_i_collection_note){.name = name, .length = (size_t)length, .decimals = 6, .num_records = in->num_records};
    *is_noted = in->notes.count > 0;
    if (!*is_noted) return SL_OK;
    const sl_i_collection_note *note = &in->notes.notes[in->num_collections];
    bool is_there = in->num_collections < in->notes.count;
    if (is_there && note->length == length && (length == 0 || memcmp(note->name, name, (size_t)length) == 0) &&
        note->num_records <= in->num_records) {
        *out = *note;
        return SL_OK;
    }
    if (is_there) (void)sl_i_text_quote(note->name, note->length, noted);
    return sl_i_fail(
        error, SL_ERROR_INVALID_ARGUMENT,
        "collection %" PRIu64 " is %s, but the table's metadata tells of %s: they are of two tables, or rows "
        "are missing; drop the metadata, or read the whole table",
        in->num_collections, sl_i_text_quote(name, length, quoted), is_there ? noted : "no such collection");
}

static sl_status read_collection(frame_import *in, const collections_nodes *nodes, int64_t at, sl_error *error) {
    sl_i_collection_note note;
    sl_hierarchy *hierarchy = NULL;
    uint64_t length;
    bool is_noted;
    const char *name = (const char *)sl_i_node_text(nodes->names, at, &length);
    SL_TRY(find_note(in, name, length, &note, &is_noted, error));
    SL_TRY(read_hierarchy(in, nodes, at, &note, is_noted, &hierarchy, error));
    sl_status status = sl_i_ticker_advance(&in->ticker, 0, error);
    if (status == SL_OK) status = add(in, &note, hierarchy, error);
    sl_hierarchy_release(hierarchy);
    return status == SL_OK ? sl_i_ticker_advance(&in->ticker, 0, error) : status;
}

/* The collections in the rows of a batch: at most one row of the table has any. */
static sl_status read_lists(frame_import *in, uint64_t batch, sl_i_node column, sl_error *error) {
    uint64_t first = in->batches->starts[batch], rows = in->batches->starts[batch + 1] - first;
    collections_nodes nodes;
    SL_TRY(find_parts(column, &nodes, error));
    sl_i_ticker_begin(&in->ticker, "reading merge events",
                      nodes.records.view ? (uint64_t)nodes.records.view->length : 0);
    for (uint64_t row = 0; row < rows; row++) {
        sl_i_span span = sl_i_node_list(column, (int64_t)row);
        if (span.end > span.first && in->num_collections > 0)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)(first + row), -1,
                                 "row %" PRIu64 " has collections, and so has a row before it: one row has them all",
                                 first + row);
        for (int64_t at = span.first; at < span.end; at++) SL_TRY(read_collection(in, &nodes, at, error));
    }
    return SL_OK;
}

/* Without records there is no row for them: their names are in the metadata. */
static sl_status add_empty_collections(frame_import *in, sl_error *error) {
    sl_status status = SL_OK;
    while (in->num_collections < in->notes.count && status == SL_OK) {
        const sl_i_collection_note *note = &in->notes.notes[in->num_collections];
        sl_hierarchy *hierarchy = NULL;
        sl_i_merge_replay nothing = {0};
        if (note->num_records > 0)
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                             "the table has no rows, but its metadata tells of a collection of %" PRIu32
                             " records: drop the metadata, or read the whole table",
                             note->num_records);
        SL_TRY(build(in, &nothing, note, &hierarchy, error));
        status = add(in, note, hierarchy, error);
        sl_hierarchy_release(hierarchy);
    }
    return status;
}

static sl_status read_collections(frame_import *in, sl_error *error) {
    for (uint64_t batch = 0; batch < in->batches->count; batch++) {
        sl_i_column_view view;
        sl_i_node column;
        SL_TRY(open_column(in, batch, COLLECTIONS, &view, &column, error));
        sl_status status = read_lists(in, batch, column, error);
        sl_i_column_view_close(&view);
        if (status != SL_OK) return status;
    }
    if (in->num_records == 0) return add_empty_collections(in, error);
    if (in->num_collections < in->notes.count)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the table has %" PRIu64 " collections, but its metadata tells of %" PRIu64
                         ": drop the metadata, or read the whole table",
                         in->num_collections, in->notes.count);
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- the frame */

static sl_status read_frame(frame_import *in, sl_frame *frame, sl_error *error) {
    SL_TRY(find_columns(in, error));
    SL_TRY(sl_i_notes_read(in->batches->schema.metadata, "frame", &in->notes, error));
    SL_TRY(sl_frame_begin(frame, &in->change, error));
    SL_TRY(sl_frame_change_context(in->change, &in->context, error));
    SL_TRY(read_records(in, error));
    SL_TRY(read_collections(in, error));
    sl_frame_change *change = in->change;
    in->change = NULL;
    return sl_frame_change_commit(change, in->progress, error);
}

sl_status sl_frame_import(struct ArrowArrayStream *stream, const sl_progress *progress, sl_frame **out,
                          sl_error *error) {
    frame_import in = {.progress = progress, .ticker = sl_i_ticker_make(progress)};
    sl_batches *batches = NULL;
    sl_frame *frame = NULL;
    *out = NULL;
    SL_TRY(sl_batches_from_stream(stream, &batches, error));
    in.batches = batches;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_frame_create(&frame, error));
    status = read_frame(&in, frame, error);
    sl_frame_change_abort(in.change);
cleanup:
    if (status == SL_OK)
        *out = frame;
    else
        sl_frame_release(frame);
    sl_i_notes_free(&in.notes);
    sl_batches_release(batches);
    return status;
}
