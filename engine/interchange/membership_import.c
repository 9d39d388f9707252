/* membership_import.c: the hierarchy of a table that says of each record in which entity it is, as partitions write it: the columns
 * source, key and entity_id (docs/arrow.md). O(rows), 28 bytes a row while it works. */
#include <inttypes.h>

#include "interchange/record_reading.h"
#include "records/batches.h"

#define ROWS_A_TICK 65536

typedef struct membership {
    const sl_batches *batches;
    int64_t sources, keys, entities; /* columns; sources may be -1 */
    uint16_t source;                 /* of all rows where there is no column */
    uint64_t count;
    sl_key *read;        /* keys, then entity ids */
    uint16_t *source_of; /* by row */
    sl_i_ticker ticker;
} membership;

static sl_status find_columns(membership *m, sl_error *error) {
    const struct ArrowSchema *schema = &m->batches->schema;
    m->sources = sl_i_find_member(schema, "source");
    m->keys = sl_i_find_member(schema, "key");
    m->entities = sl_i_find_member(schema, "entity_id");
    if (m->keys >= 0 && m->entities >= 0) return SL_OK;
    return sl_i_fail(
        error, SL_ERROR_INVALID_ARGUMENT,
        "the table has no column \"%s\": the members of entities are read from the columns source (if there "
        "are several), key and entity_id; or give keys and labels as two columns",
        m->keys < 0 ? "key" : "entity_id");
}

static sl_status read_column(membership *m, int64_t column, const char *name, sl_error *error) {
    for (uint64_t batch = 0, row = 0; batch < m->batches->count; batch++) {
        sl_i_column_view view;
        sl_i_node node;
        SL_TRY(
            sl_i_column_view_open(&m->batches->schema, &m->batches->arrays[batch], column, false, &view, &node, error));
        sl_status status = SL_OK;
        for (int64_t i = 0; row < m->batches->starts[batch + 1] && status == SL_OK; i++, row++) {
            if (row % ROWS_A_TICK == 0) status = sl_i_ticker_advance(&m->ticker, 0, error);
            if (status != SL_OK || sl_i_node_key(node, i, &m->read[row])) continue;
            status =
                sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                              "column %s, row %" PRIu64 ": neither an int from 0 to 2^64-1 nor a string nor bytes, "
                              "but of the Arrow type \"%.40s\"",
                              name, row, node.schema->format);
        }
        sl_i_column_view_close(&view);
        if (status != SL_OK) return status;
    }
    return SL_OK;
}

static sl_status read_sources(membership *m, sl_context *context, sl_error *error) {
    for (uint64_t row = 0; row < m->count && m->sources < 0; row++) m->source_of[row] = m->source;
    for (uint64_t batch = 0; batch < m->batches->count && m->sources >= 0; batch++) {
        uint64_t first = m->batches->starts[batch], rows = m->batches->starts[batch + 1] - first;
        sl_i_column_view view;
        sl_i_node node;
        SL_TRY(sl_i_column_view_open(&m->batches->schema, &m->batches->arrays[batch], m->sources, false, &view, &node,
                                     error));
        sl_status status = sl_i_read_sources(context, node, 0, rows, "source", m->source_of + first, error);
        sl_i_column_view_close(&view);
        if (status != SL_OK) return status;
    }
    return SL_OK;
}

/* The number of each entity, by what its id is when it is first met. */
static sl_status number_entities(membership *m, uint32_t *entities, uint32_t *num_entities, sl_error *error) {
    sl_context *ids = NULL;
    uint16_t source;
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = m->count, .values = m->read}};
    SL_TRY(read_column(m, m->entities, "entity_id", error));
    SL_TRY(sl_context_create(&ids, error));
    sl_status status = sl_context_add_source(ids, "", 0, &source, error);
    if (status == SL_OK) status = sl_context_intern(ids, &column, entities, m->ticker.progress, error);
    *num_entities = sl_context_num_records(ids);
    sl_context_release(ids);
    return status;
}

static sl_status find_records(membership *m, sl_context *context, bool known_records_only, uint32_t *records,
                              sl_error *error) {
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = m->count, .values = m->read},
                                  .sources = m->source_of};
    SL_TRY(read_column(m, m->keys, "key", error));
    SL_TRY(read_sources(m, context, error));
    if (!known_records_only) return sl_context_intern(context, &column, records, m->ticker.progress, error);
    SL_TRY(sl_context_find(context, &column, records, error));
    for (uint64_t row = 0; row < m->count; row++)
        if (records[row] == SL_NO_RECORD)
            return sl_i_fail_row(error, SL_ERROR_KEY_NOT_FOUND, (int64_t)row, -1,
                                 "row %" PRIu64 " names a record that is not among the known ones", row);
    return SL_OK;
}

static sl_status build(membership *m, sl_context *context, bool known_records_only, double threshold,
                       sl_hierarchy **out, sl_error *error) {
    uint32_t *records = NULL, *entities = NULL, num_entities = 0;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&records, m->count, sizeof *records, "the members of entities", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&entities, m->count, sizeof *entities, "the members of entities", error));
    SL_TRY_CLEANUP(status, number_entities(m, entities, &num_entities, error));
    SL_TRY_CLEANUP(status, find_records(m, context, known_records_only, records, error));
    status = sl_hierarchy_from_entities(sl_context_num_records(context), records, entities, m->count, num_entities,
                                        threshold, out, error);
cleanup:
    sl_i_release(records, m->count, sizeof *records);
    sl_i_release(entities, m->count, sizeof *entities);
    return status;
}

static sl_status read_membership(membership *m, sl_context *context, bool known_records_only, double threshold,
                                 sl_hierarchy **out, sl_error *error) {
    m->count = sl_batches_num_rows(m->batches);
    sl_i_ticker_begin(&m->ticker, "reading entities", m->count);
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&m->read, m->count, sizeof *m->read, "the members of entities", error));
    SL_TRY_CLEANUP(status,
                   sl_i_allocate(&m->source_of, m->count, sizeof *m->source_of, "the members of entities", error));
    status = build(m, context, known_records_only, threshold, out, error);
cleanup:
    sl_i_release(m->read, m->count, sizeof *m->read);
    sl_i_release(m->source_of, m->count, sizeof *m->source_of);
    return status;
}

sl_status sl_hierarchy_from_membership(sl_context *context, struct ArrowArrayStream *stream, const char *source,
                                       size_t length, double threshold, bool known_records_only,
                                       const sl_progress *progress, sl_hierarchy **out, sl_error *error) {
    membership m = {.ticker = sl_i_ticker_make(progress)};
    sl_batches *batches = NULL;
    uint32_t before = sl_context_num_records(context);
    *out = NULL;
    SL_TRY(sl_batches_from_stream(stream, &batches, error));
    m.batches = batches;
    sl_status status = find_columns(&m, error);
    if (status == SL_OK && m.sources < 0) status = sl_context_add_source(context, source, length, &m.source, error);
    if (status == SL_OK) status = read_membership(&m, context, known_records_only, threshold, out, error);
    if (status != SL_OK && sl_context_num_records(context) > before) sl_context_truncate(context, before);
    sl_batches_release(batches);
    return status;
}
