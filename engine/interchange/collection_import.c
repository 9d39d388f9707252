/* collection_import.c: a collection of an Arrow table of one row in the collection schema (docs/arrow.md).
 *
 * Records may come in any order of their indices. Everything that is read is checked: columns by arrow_nodes.c, records by
 * record_reading.c, merges with their results and affected records by merge_replay.c. */
#include <inttypes.h>
#include <string.h>

#include "frame/collection.h"
#include "interchange/key_texts.h"
#include "interchange/merge_replay.h"
#include "interchange/record_reading.h"
#include "interchange/schema_notes.h"
#include "records/batches.h"
#include "records/utf8.h"

#define ROWS_A_TICK 65536

typedef struct collection_import {
    const sl_batches *batches;
    uint64_t batch; /* that of the row */
    sl_i_notes notes;
    sl_context *context;
    uint32_t num_records;
    const sl_progress *progress;
    sl_i_ticker ticker;
} collection_import;

/* ---------------------------------------------------------------------------------------------- the row */

static sl_status find_row(collection_import *in, sl_error *error) {
    uint64_t rows = sl_batches_num_rows(in->batches);
    if (rows != 1)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the table has %" PRIu64 " rows: a collection is a table of one row", rows);
    while (in->batches->arrays[in->batch].length == 0) in->batch++;
    return SL_OK;
}

static sl_status open_column(const collection_import *in, const char *name, sl_i_node_kind kind, bool nullable,
                             sl_i_column_view *view, sl_i_node *node, sl_error *error) {
    const struct ArrowSchema *schema = &in->batches->schema;
    int64_t column = sl_i_find_member(schema, name);
    *view = (sl_i_column_view){0};
    if (column < 0)
        return sl_i_fail(
            error, SL_ERROR_INVALID_ARGUMENT,
            "the table has no column \"%s\": it is no collection, whose columns are collection_id, records, "
            "merge_events and others",
            name);
    SL_TRY(sl_i_column_view_open(schema, &in->batches->arrays[in->batch], column, nullable, view, node, error));
    sl_status status = sl_i_node_check(*node, name, kind, error);
    if (status != SL_OK) sl_i_column_view_close(view);
    return status;
}

/* ---------------------------------------------------------------------------------------------- records */

/* The members of a record; without kinds, all keys are strings. */
typedef struct record_nodes {
    sl_i_node sources, keys, indices, kinds;
    bool has_kinds;
} record_nodes;

static sl_status find_record_parts(sl_i_node column, record_nodes *out, sl_error *error) {
    sl_i_node record;
    SL_TRY(sl_i_node_items(column, "records", SL_I_NODE_STRUCT, &record, error));
    SL_TRY(sl_i_node_member(record, "records", "source", SL_I_NODE_TEXT, &out->sources, error));
    SL_TRY(sl_i_node_member(record, "records", "key", SL_I_NODE_TEXT, &out->keys, error));
    SL_TRY(sl_i_node_member(record, "records", "record_index", SL_I_NODE_INT, &out->indices, error));
    out->has_kinds = sl_i_find_member(record.schema, "key_kind") >= 0;
    return out->has_kinds ? sl_i_node_member(record, "records", "key_kind", SL_I_NODE_TEXT, &out->kinds, error) : SL_OK;
}

/* Why row `at` holds no key, or NULL. `room` is where bytes go; what they take is added to *used_io. */
static const char *read_key(const record_nodes *nodes, int64_t at, uint8_t *room, uint64_t *used_io, sl_key *out) {
    sl_key_kind kind = SL_KEY_STRING;
    uint64_t length, name_length;
    const uint8_t *text = sl_i_node_text(nodes->keys, at, &length);
    if (nodes->has_kinds) {
        const char *name = (const char *)sl_i_node_text(nodes->kinds, at, &name_length);
        if (!sl_i_key_kind_from_name(name, name_length, &kind)) return "is of no kind that there is";
    }
    const char *why = sl_i_key_from_text(kind, text, length, room + *used_io, out);
    if (!why && kind == SL_KEY_BYTES) *used_io += out->length;
    return why;
}

static sl_status fail_key(const record_nodes *nodes, int64_t at, uint64_t row, const char *why, sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE];
    uint64_t length;
    const char *text = (const char *)sl_i_node_text(nodes->keys, at, &length);
    return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1, "the key %s of records, item %" PRIu64 ", %s",
                         sl_i_text_quote(text, length, quoted), row, why);
}

static sl_status read_rows(collection_import *in, const record_nodes *nodes, sl_i_span span, const uint16_t *ids,
                           uint8_t *room, sl_i_read_records *records, sl_error *error) {
    uint64_t used = 0;
    for (int64_t at = span.first; at < span.end; at++) {
        uint64_t index, row = (uint64_t)(at - span.first);
        bool is_number = sl_i_node_number(nodes->indices, at, &index);
        SL_TRY(sl_i_read_records_claim(records, is_number, index, row, "record_index", error));
        const char *why = read_key(nodes, at, room, &used, &records->keys[index]);
        if (why) return fail_key(nodes, at, row, why, error);
        records->sources[index] = ids[row];
        if (row % ROWS_A_TICK == 0) SL_TRY(sl_i_ticker_advance(&in->ticker, row ? ROWS_A_TICK : 0, error));
    }
    return SL_OK;
}

/* Half as many bytes as the texts have: what hexadecimal stands for at most. */
static uint64_t count_room(const record_nodes *nodes, sl_i_span span) {
    uint64_t total = 0, length;
    for (int64_t at = span.first; at < span.end; at++) {
        (void)sl_i_node_text(nodes->keys, at, &length);
        total += length / 2;
    }
    return total;
}

static sl_status read_span(collection_import *in, const record_nodes *nodes, sl_i_span span, sl_error *error) {
    uint64_t count = (uint64_t)(span.end - span.first), room_size = count_room(nodes, span);
    sl_i_read_records records = {0};
    uint16_t *ids = NULL;
    uint8_t *room = NULL;
    sl_status status;
    sl_i_ticker_begin(&in->ticker, "reading records", count);
    SL_TRY_CLEANUP(status, sl_i_read_records_make(count, &records, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&ids, count, sizeof *ids, "the records of a table", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&room, room_size, 1, "the keys of a table", error));
    SL_TRY_CLEANUP(status, sl_i_read_sources(in->context, nodes->sources, span.first, count, "records", ids, error));
    SL_TRY_CLEANUP(status, read_rows(in, nodes, span, ids, room, &records, error));
    status = sl_i_read_records_intern(&records, in->context, in->progress, error);
    in->num_records = records.count;
cleanup:
    sl_i_read_records_free(&records);
    sl_i_release(ids, count, sizeof *ids);
    sl_i_release(room, room_size, 1);
    return status;
}

static sl_status read_records(collection_import *in, sl_error *error) {
    sl_i_column_view view;
    sl_i_node column;
    record_nodes nodes;
    SL_TRY(open_column(in, "records", SL_I_NODE_LIST, false, &view, &column, error));
    sl_status status = SL_OK;
    if (!sl_i_node_holds_nothing(column)) {
        status = find_record_parts(column, &nodes, error);
        if (status == SL_OK) status = read_span(in, &nodes, sl_i_node_list(column, 0), error);
    }
    sl_i_column_view_close(&view);
    return status;
}

/* ---------------------------------------------------------------------------------------------- merge events */

typedef struct merge_nodes {
    sl_i_node thresholds, components, component_ids, results, affected, records;
} merge_nodes;

static sl_status find_merge_parts(sl_i_node column, merge_nodes *out, sl_error *error) {
    sl_i_node merge;
    SL_TRY(sl_i_node_items(column, "merge_events", SL_I_NODE_STRUCT, &merge, error));
    SL_TRY(sl_i_node_member(merge, "merge_events", "threshold", SL_I_NODE_FLOAT, &out->thresholds, error));
    SL_TRY(sl_i_node_member(merge, "merge_events", "merging_components", SL_I_NODE_LIST, &out->components, error));
    SL_TRY(sl_i_node_items(out->components, "merging_components", SL_I_NODE_INT, &out->component_ids, error));
    SL_TRY(sl_i_node_member(merge, "merge_events", "result_component", SL_I_NODE_INT, &out->results, error));
    SL_TRY(sl_i_node_member(merge, "merge_events", "affected_records", SL_I_NODE_LIST, &out->affected, error));
    return sl_i_node_items(out->affected, "affected_records", SL_I_NODE_INT, &out->records, error);
}

static uint64_t number_or_none(sl_i_node node, int64_t at) {
    uint64_t number;
    return sl_i_node_number(node, at, &number) ? number : UINT64_MAX;
}

/* One event: what is wrong with it in *why. */
static sl_status read_merge(collection_import *in, const merge_nodes *nodes, int64_t at, sl_i_merge_replay *replay,
                            const char **why, sl_error *error) {
    sl_i_span components = sl_i_node_list(nodes->components, at), records = sl_i_node_list(nodes->affected, at);
    uint64_t result = replay->num_records + replay->num_events;
    *why = NULL;
    SL_TRY(sl_i_replay_begin(replay, sl_i_node_double(nodes->thresholds, at), error));
    for (int64_t i = components.first; i < components.end && !*why; i++)
        SL_TRY(sl_i_replay_component(replay, number_or_none(nodes->component_ids, i), why, error));
    if (!*why) *why = sl_i_replay_end(replay);
    if (!*why) SL_TRY(sl_i_replay_name(replay, nodes->records, records, &in->ticker, why, error));
    if (!*why) *why = sl_i_replay_end_result(replay);
    if (!*why && number_or_none(nodes->results, at) != result)
        *why = "has a result_component other than the number of records and its own together";
    return SL_OK;
}

static sl_status replay_merges(collection_import *in, sl_i_node column, sl_i_merge_replay *replay, sl_error *error) {
    merge_nodes nodes;
    const char *why = NULL;
    sl_i_span span = sl_i_node_list(column, 0);
    if (sl_i_node_holds_nothing(column)) return SL_OK;
    SL_TRY(find_merge_parts(column, &nodes, error));
    sl_i_ticker_begin(&in->ticker, "reading merge events", (uint64_t)nodes.records.view->length);
    for (int64_t at = span.first; at < span.end; at++) {
        SL_TRY(read_merge(in, &nodes, at, replay, &why, error));
        if (why) return sl_i_fail_event(NULL, 0, (uint64_t)(at - span.first), why, error);
    }
    return SL_OK;
}

static sl_status read_merges(collection_import *in, sl_i_merge_replay *replay, sl_error *error) {
    sl_i_column_view view;
    sl_i_node column;
    SL_TRY(open_column(in, "merge_events", SL_I_NODE_LIST, false, &view, &column, error));
    sl_status status = replay_merges(in, column, replay, error);
    sl_i_column_view_close(&view);
    return status;
}

/* ---------------------------------------------------------------------------------------------- statistics */

/* What they say is known from the events: a table in which they differ was changed in one place only. */
static sl_status check_statistics(sl_i_node column, const sl_i_merge_replay *replay, sl_error *error) {
    sl_i_node num_merges, range, lowest, highest;
    uint64_t events = replay->num_events;
    SL_TRY(sl_i_node_member(column, "statistics", "num_merges", SL_I_NODE_INT, &num_merges, error));
    SL_TRY(sl_i_node_member(column, "statistics", "threshold_range", SL_I_NODE_STRUCT, &range, error));
    SL_TRY(sl_i_node_member(range, "threshold_range", "min", SL_I_NODE_FLOAT, &lowest, error));
    SL_TRY(sl_i_node_member(range, "threshold_range", "max", SL_I_NODE_FLOAT, &highest, error));
    if (sl_i_node_is_null(column, 0)) return SL_OK;
    if (events == 0 && number_or_none(num_merges, 0) == 0) return SL_OK;
    if (events > 0 && number_or_none(num_merges, 0) == events &&
        sl_i_node_double(lowest, 0) == replay->thresholds[events - 1] &&
        sl_i_node_double(highest, 0) == replay->thresholds[0])
        return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "statistics tell of other merge events than the %" PRIu64
                     " that there are: leave the column out, or "
                     "make it anew",
                     events);
}

static sl_status read_statistics(const collection_import *in, const sl_i_merge_replay *replay, sl_error *error) {
    sl_i_column_view view;
    sl_i_node column;
    const struct ArrowSchema *schema = &in->batches->schema;
    int64_t place = sl_i_find_member(schema, "statistics");
    if (place < 0 || strcmp(schema->children[place]->format, "n") == 0) return SL_OK; /* missing, or null */
    SL_TRY(open_column(in, "statistics", SL_I_NODE_STRUCT, true, &view, &column, error));
    sl_status status = check_statistics(column, replay, error);
    sl_i_column_view_close(&view);
    return status;
}

/* ---------------------------------------------------------------------------------------------- the collection */

/* How the scores are held and how many records the hierarchy covers: as was noted, or as the thresholds allow. */
static sl_status find_note(const collection_import *in, const sl_i_merge_replay *replay, sl_i_collection_note *out,
                           sl_error *error) {
    bool is_rounded = sl_i_replay_is_rounded(replay);
    *out = (sl_i_collection_note){
        .kind.exact = !is_rounded, .decimals = is_rounded ? 6 : 0, .num_records = in->num_records};
    if (in->notes.count == 0) return SL_OK;
    *out = in->notes.notes[0];
    if (in->notes.count == 1 && out->num_records <= in->num_records && (out->kind.exact || is_rounded)) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "the table's metadata tells of %" PRIu64 " collections, the first of %" PRIu32 " records and %s "
                     "thresholds, which the table does not hold: drop the metadata",
                     in->notes.count, out->num_records, out->kind.exact ? "exact" : "rounded");
}

/* A hierarchy over fewer records than there are numbers its results from its own number on. */
static sl_status renumber(sl_i_merge_replay *replay, uint32_t num_records, sl_error *error) {
    uint32_t fewer = replay->num_records - num_records;
    for (uint64_t c = 0; c < replay->num_components; c++) {
        uint64_t *id = &replay->components[c];
        if (*id >= replay->num_records)
            *id -= fewer;
        else if (*id >= num_records)
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                             "record %" PRIu64 " merges, but the table's metadata tells of a hierarchy of %" PRIu32
                             " records: drop the metadata",
                             *id, num_records);
    }
    return SL_OK;
}

static sl_status build(const collection_import *in, sl_i_merge_replay *replay, sl_collection **out, sl_error *error) {
    sl_hierarchy *hierarchy = NULL;
    sl_i_collection_note note;
    sl_error inner = {.status = SL_OK};
    SL_TRY(find_note(in, replay, &note, error));
    SL_TRY(renumber(replay, note.num_records, error));
    uint32_t all = replay->num_records;
    replay->num_records = note.num_records;
    sl_status status = sl_i_replay_build(replay, note.kind, in->progress, &hierarchy, &inner);
    replay->num_records = all; /* it is released as it was made */
    if (status != SL_OK) return sl_i_fail_collection(NULL, 0, &inner, error);
    status = sl_collection_create(in->context, hierarchy, all, note.decimals, NULL, out, error);
    sl_hierarchy_release(hierarchy);
    return status;
}

static sl_status read_collection(collection_import *in, sl_collection **out, sl_error *error) {
    sl_i_merge_replay replay = {0};
    SL_TRY(find_row(in, error));
    SL_TRY(sl_i_notes_read(in->batches->schema.metadata, "collection", &in->notes, error));
    SL_TRY(sl_context_create(&in->context, error));
    SL_TRY(read_records(in, error));
    sl_status status = sl_i_replay_make(in->num_records, &replay, error);
    if (status == SL_OK) status = read_merges(in, &replay, error);
    if (status == SL_OK) status = sl_i_ticker_advance(&in->ticker, 0, error);
    if (status == SL_OK) status = build(in, &replay, out, error);
    if (status == SL_OK) status = read_statistics(in, &replay, error);
    sl_i_replay_free(&replay);
    return status;
}

sl_status sl_collection_import(struct ArrowArrayStream *stream, const sl_progress *progress, sl_collection **out,
                               sl_error *error) {
    collection_import in = {.progress = progress, .ticker = sl_i_ticker_make(progress)};
    sl_batches *batches = NULL;
    *out = NULL;
    SL_TRY(sl_batches_from_stream(stream, &batches, error));
    in.batches = batches;
    sl_collection *made = NULL;
    sl_status status = read_collection(&in, &made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_collection_release(made);
    sl_context_release(in.context);
    sl_i_notes_free(&in.notes);
    sl_batches_release(batches);
    return status;
}
