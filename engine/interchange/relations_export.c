/* relations_export.c: a frame's tables as Arrow streams, made as they are read.
 *
 * A stream holds the frame's state and a cursor; every batch is some rows from there on, so that memory is that of one batch
 * and of the merge events of one collection, however long the table. Batches are those of an sl_table. O(rows), and
 * O(records) for each collection. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "interchange/expanded_merges.h"
#include "interchange/key_texts.h"
#include "interchange/relations.h"
#include "interchange/table.h"

#define BATCH_ROWS 131072u

/* Where the next row comes from. */
typedef struct cursor {
    uint32_t collection;
    uint32_t event;     /* of the collection */
    uint32_t group;     /* of the event */
    uint32_t record;    /* of the event: how many of its records have been given */
    uint32_t group_end; /* expanded rows: where the group's records end, once the group has begun; else 0 */
} cursor;

typedef struct relation_stream {
    sl_frame_state *state;
    sl_relation relation;
    cursor next;
    sl_merge_events *events; /* of the cursor's collection; NULL: not made yet */
    sl_error error;
} relation_stream;

/* Columns being filled: the numbers in the order of the table's columns. */
typedef struct batch {
    uint64_t count, capacity;
    int64_t *numbers[SL_I_MAX_FIELDS];
    double *reals;
} batch;

/* ---- merge events ------------------------------------------------------------------------------------------------ */

static sl_status make_events(const sl_frame_state *state, uint32_t collection, sl_merge_events **out, sl_error *error) {
    const sl_hierarchy *hierarchy = state->entries.items[collection]->hierarchy;
    return sl_merge_events_create(hierarchy, state->num_records, out, error);
}

static void put(batch *rows, const cursor *at, int64_t component) {
    uint64_t row = rows->count++;
    rows->numbers[GROUPS_COLLECTION][row] = at->collection;
    rows->numbers[GROUPS_EVENT][row] = at->event;
    rows->numbers[GROUPS_GROUP][row] = at->group;
    rows->numbers[GROUPS_COMPONENT][row] = component;
}

/* Each of the following writes rows of one event until it is done (true) or the batch is full. */

static bool write_event(cursor *at, const sl_merge_event *event, batch *rows) {
    if (rows->count == rows->capacity) return false;
    uint64_t row = rows->count++;
    rows->numbers[EVENTS_COLLECTION][row] = at->collection;
    rows->numbers[EVENTS_EVENT][row] = at->event;
    rows->reals[row] = event->threshold;
    rows->numbers[EVENTS_RESULT][row] = (int64_t)event->result;
    rows->numbers[EVENTS_NUM_RECORDS][row] = event->num_records;
    return true;
}

static bool write_groups(cursor *at, const sl_merge_event *event, batch *rows) {
    for (; at->group < event->num_components; at->group++) {
        if (rows->count == rows->capacity) return false;
        put(rows, at, (int64_t)event->components[at->group]);
    }
    return true;
}

/* The records of an event are a slice of the order, those of its components follow each other in it. */
static bool write_group_records(const relation_stream *stream, cursor *at, const sl_merge_event *event, batch *rows) {
    for (; at->group < event->num_components; at->group++, at->group_end = 0) {
        if (at->group_end == 0)
            at->group_end = at->record + sl_i_merge_events_size(stream->events, event->components[at->group]);
        for (; at->record < at->group_end; at->record++) {
            if (rows->count == rows->capacity) return false;
            put(rows, at, event->records[at->record]);
        }
    }
    return true;
}

static bool write_rows(relation_stream *stream, const sl_merge_event *event, batch *rows) {
    switch (stream->relation) {
    case SL_RELATION_MERGE_EVENTS: return write_event(&stream->next, event, rows);
    case SL_RELATION_MERGE_GROUPS: return write_groups(&stream->next, event, rows);
    default: return write_group_records(stream, &stream->next, event, rows);
    }
}

static void leave_collection(relation_stream *stream) {
    sl_merge_events_release(stream->events);
    stream->events = NULL;
    stream->next = (cursor){.collection = stream->next.collection + 1};
}

static sl_status fill_merges(relation_stream *stream, batch *rows, sl_error *error) {
    cursor *at = &stream->next;
    while (at->collection < stream->state->entries.count) {
        sl_merge_event event;
        if (!stream->events) SL_TRY(make_events(stream->state, at->collection, &stream->events, error));
        if (!sl_i_merge_events_find(stream->events, at->event, &event)) {
            leave_collection(stream);
            continue;
        }
        if (!write_rows(stream, &event, rows)) return SL_OK;
        *at = (cursor){.collection = at->collection, .event = at->event + 1};
    }
    return SL_OK;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static sl_status add_taken(sl_table *table, const char *name, const sl_i_arrow_type *type, struct ArrowArray *array,
                           sl_error *error) {
    sl_status status = sl_i_table_take(table, name, type, array, error);
    if (status != SL_OK) sl_i_array_drop(array);
    return status;
}

static sl_status add_merges(const relation_stream *stream, const batch *rows, sl_table *table, sl_error *error) {
    uint32_t count;
    const sl_i_field *fields = sl_i_relation_fields(stream->relation, &count);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].kind == SL_I_FIELD_REAL)
            SL_TRY(sl_table_add_numbers(table, fields[i].name, SL_COLUMN_FLOAT64, rows->reals, error));
        else
            SL_TRY(sl_table_add_numbers(table, fields[i].name, SL_COLUMN_INT64, rows->numbers[i], error));
    return SL_OK;
}

/* Room for the rows of a batch: no more than can be left, so that small tables stay small. */
static uint64_t rows_at_most(const relation_stream *stream) {
    uint64_t rows = 0;
    for (uint32_t i = stream->next.collection; i < stream->state->entries.count && rows < BATCH_ROWS; i++) {
        const sl_hierarchy *hierarchy = stream->state->entries.items[i]->hierarchy;
        uint64_t merges = sl_hierarchy_num_merges(hierarchy), records = sl_hierarchy_num_records(hierarchy);
        if (stream->relation == SL_RELATION_MERGE_EVENTS)
            rows += merges;
        else
            rows += merges * records; /* as many groups in each event at most; a bound on their records, too */
    }
    return rows < BATCH_ROWS ? rows : BATCH_ROWS;
}

static sl_status make_merges(relation_stream *stream, sl_table **out, sl_error *error) {
    batch rows = {.capacity = rows_at_most(stream)};
    sl_status status;
    for (uint32_t i = 0; i < SL_I_MAX_FIELDS; i++)
        SL_TRY_CLEANUP(status, sl_i_allocate(&rows.numbers[i], rows.capacity, sizeof(int64_t), "a table", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&rows.reals, rows.capacity, sizeof(double), "a table", error));
    SL_TRY_CLEANUP(status, fill_merges(stream, &rows, error));
    SL_TRY_CLEANUP(status, sl_table_create(rows.count, out, error));
    status = add_merges(stream, &rows, *out, error);
cleanup:
    for (uint32_t i = 0; i < SL_I_MAX_FIELDS; i++) sl_i_release(rows.numbers[i], rows.capacity, sizeof(int64_t));
    sl_i_release(rows.reals, rows.capacity, sizeof(double));
    return status;
}

static sl_status add_keys(sl_table *table, const sl_i_field *fields, const sl_context *context, const uint32_t *records,
                          sl_error *error) {
    struct ArrowArray texts, kinds;
    SL_TRY(sl_i_key_texts_make_without_nul(context, records, table->num_rows, &texts, &kinds, error));
    sl_status status = add_taken(table, fields[RECORDS_KEY].name, &sl_i_utf8_type, &texts, error);
    if (status == SL_OK) return add_taken(table, fields[RECORDS_KEY_KIND].name, &sl_i_category8_type, &kinds, error);
    sl_i_array_drop(&kinds);
    return status;
}

static sl_status add_records(const sl_frame_state *state, const int64_t *indices, const uint32_t *records,
                             sl_table *table, sl_error *error) {
    uint32_t count;
    const sl_i_field *fields = sl_i_relation_fields(SL_RELATION_RECORDS, &count);
    SL_TRY(sl_table_add_numbers(table, fields[RECORDS_INDEX].name, SL_COLUMN_INT64, indices, error));
    SL_TRY(sl_table_add_record_sources(table, fields[RECORDS_SOURCE].name, state->context, records, error));
    return add_keys(table, fields, state->context, records, error);
}

/* The cursor's `record` counts those of the frame here. */
static sl_status make_records(relation_stream *stream, sl_table **out, sl_error *error) {
    uint32_t first = stream->next.record, left = stream->state->num_records - first;
    uint32_t count = left < BATCH_ROWS ? left : BATCH_ROWS;
    int64_t *indices = NULL;
    uint32_t *records = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&indices, count, sizeof *indices, "rows of a table", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&records, count, sizeof *records, "rows of a table", error));
    for (uint32_t i = 0; i < count; i++) indices[i] = records[i] = first + i;
    SL_TRY_CLEANUP(status, sl_table_create(count, out, error));
    SL_TRY_CLEANUP(status, add_records(stream->state, indices, records, *out, error));
    stream->next.record += count;
cleanup:
    sl_i_release(indices, count, sizeof *indices);
    sl_i_release(records, count, sizeof *records);
    return status;
}

/* ---- collections ------------------------------------------------------------------------------------------------- */

static int64_t collection_number(const sl_frame_state *state, uint32_t position, uint32_t field) {
    const sl_i_entry *entry = state->entries.items[position];
    switch (field) {
    case COLLECTIONS_ID: return position;
    case COLLECTIONS_DECIMALS: return entry->decimals;
    case COLLECTIONS_NUM_RECORDS: return state->num_records;
    case COLLECTIONS_NUM_MERGES: return sl_hierarchy_num_merges(entry->hierarchy);
    default: return SL_I_RELATIONS_VERSION;
    }
}

static const char *collection_text(const sl_i_entry *entry, uint32_t field, size_t *length) {
    const char *scale = sl_i_relation_scale(sl_hierarchy_scale(entry->hierarchy));
    *length = field == COLLECTIONS_NAME ? entry->length : strlen(scale);
    return field == COLLECTIONS_NAME ? entry->name : scale;
}

static sl_status add_collection_texts(const sl_frame_state *state, const sl_i_field *field, uint32_t place,
                                      sl_table *table, sl_error *error) {
    struct ArrowArray array;
    const char **texts = NULL;
    size_t *lengths = NULL;
    uint64_t count = table->num_rows;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&texts, count, sizeof *texts, "names of collections", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&lengths, count, sizeof *lengths, "names of collections", error));
    for (uint32_t i = 0; i < count; i++) texts[i] = collection_text(state->entries.items[i], place, &lengths[i]);
    SL_TRY_CLEANUP(status, sl_i_array_strings(&array, texts, lengths, count, error));
    status = add_taken(table, field->name, &sl_i_utf8_type, &array, error);
cleanup:
    sl_i_release(texts, count, sizeof *texts);
    sl_i_release(lengths, count, sizeof *lengths);
    return status;
}

static sl_status add_collection_flags(const sl_frame_state *state, const sl_i_field *field, sl_table *table,
                                      sl_error *error) {
    static const sl_i_arrow_type flag = {.format = "b"};
    struct ArrowArray array;
    uint8_t *bits = NULL;
    uint64_t bytes = (table->num_rows + 7) / 8;
    SL_TRY(sl_i_array_make(&array, table->num_rows, 2, 0, false, error));
    sl_status status = sl_i_array_buffer(&array, 1, bytes, 1, &bits, error);
    if (status != SL_OK) {
        sl_i_array_drop(&array);
        return status;
    }
    memset(bits, 0, (size_t)bytes);
    for (uint32_t i = 0; i < table->num_rows; i++)
        if (sl_hierarchy_is_exact(state->entries.items[i]->hierarchy)) bits[i / 8] |= (uint8_t)(1u << i % 8);
    return add_taken(table, field->name, &flag, &array, error);
}

static sl_status add_collection_numbers(const sl_frame_state *state, const sl_i_field *field, uint32_t place,
                                        sl_table *table, sl_error *error) {
    int64_t *numbers = NULL;
    SL_TRY(sl_i_allocate(&numbers, table->num_rows, sizeof *numbers, "the list of collections", error));
    for (uint32_t i = 0; i < table->num_rows; i++) numbers[i] = collection_number(state, i, place);
    sl_status status = sl_table_add_numbers(table, field->name, SL_COLUMN_INT64, numbers, error);
    sl_i_release(numbers, table->num_rows, sizeof *numbers);
    return status;
}

static sl_status make_collections(relation_stream *stream, sl_table **out, sl_error *error) {
    const sl_frame_state *state = stream->state;
    uint32_t count, left = state->entries.count - stream->next.collection;
    const sl_i_field *fields = sl_i_relation_fields(SL_RELATION_COLLECTIONS, &count);
    SL_TRY(sl_table_create(left, out, error)); /* all of them, or none are left */
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].kind == SL_I_FIELD_TEXT)
            SL_TRY(add_collection_texts(state, &fields[i], i, *out, error));
        else if (fields[i].kind == SL_I_FIELD_FLAG)
            SL_TRY(add_collection_flags(state, &fields[i], *out, error));
        else
            SL_TRY(add_collection_numbers(state, &fields[i], i, *out, error));
    stream->next.collection += left;
    return SL_OK;
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

/* The next rows as a stream of one batch; none are left where it has no rows. */
static sl_status make_part(relation_stream *stream, struct ArrowArrayStream *out, sl_error *error) {
    sl_table *table = NULL;
    sl_status status;
    if (stream->relation == SL_RELATION_RECORDS)
        status = make_records(stream, &table, error);
    else if (stream->relation == SL_RELATION_COLLECTIONS)
        status = make_collections(stream, &table, error);
    else
        status = make_merges(stream, &table, error);
    if (status == SL_OK) status = sl_table_export(table, out, error);
    if (status != SL_OK) sl_table_release(table);
    return status;
}

static int code_of(sl_status status) { return status == SL_ERROR_MEMORY ? ENOMEM : EINVAL; }

/* Schemas are those of the table without rows: of the same stream with its cursor at the end. */
static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
    relation_stream *stream = self->private_data;
    relation_stream ended = {
        .state = stream->state,
        .relation = stream->relation,
        .next = {.collection = stream->state->entries.count, .record = stream->state->num_records}};
    struct ArrowArrayStream part;
    sl_status status = make_part(&ended, &part, &stream->error);
    if (status != SL_OK) return code_of(status);
    int failed = part.get_schema(&part, out);
    if (failed) (void)sl_i_fail_memory(&stream->error, sizeof *out, "an Arrow schema");
    part.release(&part);
    return failed;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
    relation_stream *stream = self->private_data;
    struct ArrowArrayStream part;
    *out = (struct ArrowArray){0};
    sl_status status = make_part(stream, &part, &stream->error);
    if (status != SL_OK) return code_of(status);
    (void)part.get_next(&part, out); /* hands over what it has: cannot fail */
    part.release(&part);
    if (out->length == 0) sl_i_array_drop(out);
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *self) {
    const relation_stream *stream = self->private_data;
    return stream->error.message[0] ? stream->error.message : NULL;
}

static void free_stream(relation_stream *stream) {
    sl_merge_events_release(stream->events);
    sl_frame_state_release(stream->state);
    sl_i_release(stream, 1, sizeof *stream);
}

static void release_stream(struct ArrowArrayStream *self) {
    free_stream(self->private_data);
    self->release = NULL;
}

sl_status sl_frame_state_relation(const sl_frame_state *state, sl_relation relation, const sl_export_options *options,
                                  struct ArrowArrayStream *out, sl_error *error) {
    relation_stream *stream = NULL;
    *out = (struct ArrowArrayStream){0};
    if (!sl_relation_name(relation))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "there is no table %d: there are %d", (int)relation,
                         (int)SL_NUM_RELATIONS);
    if (relation == SL_RELATION_MERGE_GROUP_RECORDS) {
        uint64_t rows;
        SL_TRY(sl_i_expanded_of_frame(state, options, &rows, error));
    }
    SL_TRY(sl_i_allocate_zeroed(&stream, 1, sizeof *stream, "an Arrow stream", error));
    stream->state = sl_i_state_retain(state);
    stream->relation = relation;
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, stream};
    return SL_OK;
}
