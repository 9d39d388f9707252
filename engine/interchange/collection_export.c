/* collection_export.c: one collection as an Arrow table of one row in the collection schema (docs/arrow.md).
 *
 * Components are numbered as in sl_merge_events and SciPy's linkage. All is made at once, so that the stream needs the collection
 * no more; what the affected records come to is counted first. O(key bytes + affected records). */
#include <inttypes.h>
#include <string.h>

#include "frame/collection.h"
#include "interchange/expanded_merges.h"
#include "interchange/key_texts.h"
#include "interchange/nested_array.h"
#include "interchange/schema_notes.h"
#include "interchange/table.h"
#include "records/utf8.h"
#include "support/pool.h"

/* ---------------------------------------------------------------------------------------------- the schema */

static const sl_i_arrow_type record_types[] = {{.format = "S", .dictionary = &sl_i_utf8_type},
                                               {.format = "u"},
                                               {.format = "I"},
                                               {.format = "C", .dictionary = &sl_i_utf8_type}};
static const char *const record_names[] = {"source", "key", "record_index", "key_kind"};
static const sl_i_arrow_type record_type = SL_I_STRUCT_OF(record_types, record_names);
static const sl_i_arrow_type records_type = SL_I_LIST_OF(&record_type);

static const sl_i_arrow_type merge_types[] = {
    {.format = "g"}, SL_I_LIST_OF(&sl_i_uint32_type), {.format = "I"}, SL_I_LIST_OF(&sl_i_uint32_type)};
static const char *const merge_names[] = {"threshold", "merging_components", "result_component", "affected_records"};
static const sl_i_arrow_type merge_type = SL_I_STRUCT_OF(merge_types, merge_names);
static const char *const merge_name[] = {"merge"};
static const sl_i_arrow_type merges_type = {
    .format = "+l", .member_types = &merge_type, .member_names = merge_name, .num_members = 1};

static const sl_i_arrow_type range_types[] = {{.format = "g"}, {.format = "g"}};
static const char *const range_names[] = {"min", "max"};
static const sl_i_arrow_type statistics_types[] = {{.format = "I"}, SL_I_STRUCT_OF(range_types, range_names)};
static const char *const statistics_names[] = {"num_merges", "threshold_range"};
static const sl_i_arrow_type statistics_type = {.format = "+s",
                                                .nullable = true,
                                                .member_types = statistics_types,
                                                .member_names = statistics_names,
                                                .num_members = 2};

typedef struct collection_export {
    const sl_collection *collection;
    uint32_t num_records;
    uint64_t num_merges, num_components, num_affected;
    sl_i_ticker ticker;
} collection_export;

/* ---------------------------------------------------------------------------------------------- records */

static sl_status fill_records(collection_export *x, struct ArrowArray *out, sl_error *error) {
    const sl_context *context = x->collection->context;
    int32_t *offsets = NULL;
    uint32_t *indices = NULL;
    SL_TRY(sl_i_check_offsets(x->num_records, "records", error));
    SL_TRY(sl_i_array_lists(out, 1, &offsets, error));
    offsets[1] = (int32_t)x->num_records;
    struct ArrowArray *records = out->children[0];
    SL_TRY(sl_i_array_make(records, x->num_records, 1, 4, false, error));
    SL_TRY(sl_i_array_sources(records->children[0], context, 0, x->num_records, &x->ticker, error));
    SL_TRY(sl_i_key_texts_make(context, NULL, x->num_records, records->children[1], records->children[3], &x->ticker,
                               error));
    SL_TRY(sl_i_array_numbers(records->children[2], x->num_records, sizeof *indices, &indices, error));
    for (uint32_t i = 0; i < x->num_records; i++) indices[i] = i;
    return sl_i_ticker_advance(&x->ticker, 0, error);
}

/* ---------------------------------------------------------------------------------------------- merge events */

/* Where the next event goes, and the next component and record of it. */
typedef struct merge_cursor {
    double *thresholds;
    int32_t *component_ends, *record_ends;
    uint32_t *components, *results, *records;
} merge_cursor;

static void put_merge(merge_cursor *cursor, uint32_t e, const sl_merge_event *event) {
    int32_t first = cursor->component_ends[e], first_record = cursor->record_ends[e];
    for (uint32_t c = 0; c < event->num_components; c++)
        cursor->components[first + (int32_t)c] = (uint32_t)event->components[c];
    memcpy(cursor->records + first_record, event->records, event->num_records * sizeof *event->records);
    cursor->component_ends[e + 1] = first + (int32_t)event->num_components;
    cursor->record_ends[e + 1] = first_record + (int32_t)event->num_records;
    cursor->thresholds[e] = event->threshold;
    cursor->results[e] = (uint32_t)event->result;
}

static sl_status put_merges(collection_export *x, merge_cursor *cursor, sl_error *error) {
    sl_merge_events *events = NULL;
    sl_merge_event event;
    SL_TRY(sl_i_merge_events_create(x->collection->hierarchy, x->num_records, &x->ticker, &events, error));
    sl_status status = SL_OK;
    for (uint32_t e = 0; status == SL_OK && sl_i_merge_events_find(events, e, &event); e++) {
        put_merge(cursor, e, &event);
        status = sl_i_ticker_advance(&x->ticker, event.num_records, error);
    }
    sl_merge_events_release(events);
    return status;
}

static sl_status fill_merges(collection_export *x, struct ArrowArray *out, sl_error *error) {
    merge_cursor cursor = {0};
    int32_t *offsets = NULL;
    SL_TRY(sl_i_array_lists(out, 1, &offsets, error));
    offsets[1] = (int32_t)x->num_merges;
    struct ArrowArray *merges = out->children[0];
    SL_TRY(sl_i_array_make(merges, x->num_merges, 1, 4, false, error));
    struct ArrowArray *components = merges->children[1], *records = merges->children[3];
    SL_TRY(sl_i_array_numbers(merges->children[0], x->num_merges, sizeof(double), &cursor.thresholds, error));
    SL_TRY(sl_i_array_lists(components, x->num_merges, &cursor.component_ends, error));
    SL_TRY(sl_i_array_numbers(components->children[0], x->num_components, sizeof(uint32_t), &cursor.components, error));
    SL_TRY(sl_i_array_numbers(merges->children[2], x->num_merges, sizeof(uint32_t), &cursor.results, error));
    SL_TRY(sl_i_array_lists(records, x->num_merges, &cursor.record_ends, error));
    SL_TRY(sl_i_array_numbers(records->children[0], x->num_affected, sizeof(uint32_t), &cursor.records, error));
    return put_merges(x, &cursor, error);
}

/* ---------------------------------------------------------------------------------------------- statistics */

static sl_status fill_statistics(const collection_export *x, struct ArrowArray *out, sl_error *error) {
    const sl_hierarchy *hierarchy = x->collection->hierarchy;
    uint32_t levels = hierarchy->num_levels, *num_merges = NULL;
    double *lowest = NULL, *highest = NULL;
    uint8_t *validity = NULL;
    SL_TRY(sl_i_array_make(out, 1, 1, 2, false, error));
    SL_TRY(sl_i_array_make(out->children[1], 1, 1, 2, false, error));
    SL_TRY(sl_i_array_numbers(out->children[0], 1, sizeof *num_merges, &num_merges, error));
    SL_TRY(sl_i_array_numbers(out->children[1]->children[0], 1, sizeof *lowest, &lowest, error));
    SL_TRY(sl_i_array_numbers(out->children[1]->children[1], 1, sizeof *highest, &highest, error));
    *num_merges = (uint32_t)x->num_merges;
    *lowest = levels ? hierarchy->levels[levels - 1] : 0;
    *highest = levels ? hierarchy->levels[0] : 0;
    if (levels > 0) return SL_OK;
    SL_TRY(sl_i_array_buffer(out, 0, 1, 1, &validity, error));
    *validity = 0; /* nothing merges: there is no range */
    out->null_count = 1;
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- the table */

/* One value, whose dictionary is what the column is for. */
static sl_status fill_source_dictionary(collection_export *x, struct ArrowArray *out, sl_error *error) {
    uint16_t *code = NULL;
    SL_TRY(sl_i_array_make(out, 1, 2, 0, true, error));
    SL_TRY(sl_i_array_buffer(out, 1, 1, sizeof *code, &code, error));
    *code = 0;
    return sl_i_array_source_names(out->dictionary, x->collection->context, x->num_records, &x->ticker, error);
}

/* Append a column that was just made, or release what its failed making left. `array` is empty again. */
static sl_status add(sl_table *table, const char *name, const sl_i_arrow_type *type, sl_status made,
                     struct ArrowArray *array, sl_error *error) {
    if (made != SL_OK) sl_i_array_drop(array);
    made = sl_i_table_take_made(table, name, type, made, array, error);
    *array = (struct ArrowArray){0};
    return made;
}

static sl_status fill_table(collection_export *x, const char *id, size_t length, sl_table *table, sl_error *error) {
    struct ArrowArray array = {0};
    sl_status made = sl_i_array_repeat(&array, id, length, 1, error);
    SL_TRY(add(table, "collection_id", &sl_i_utf8_type, made, &array, error));
    made = fill_source_dictionary(x, &array, error);
    SL_TRY(add(table, "source_dictionary", &sl_i_category16_type, made, &array, error));
    made = fill_records(x, &array, error);
    SL_TRY(add(table, "records", &records_type, made, &array, error));
    made = fill_merges(x, &array, error);
    SL_TRY(add(table, "merge_events", &merges_type, made, &array, error));
    made = fill_statistics(x, &array, error);
    return add(table, "statistics", &statistics_type, made, &array, error);
}

static sl_status measure(collection_export *x, const char *id, size_t length, const sl_export_options *options,
                         sl_error *error) {
    const sl_hierarchy *hierarchy = x->collection->hierarchy;
    if (!id && length > 0) return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the id of the collection is missing");
    if (length > INT32_MAX || !sl_i_utf8_valid((const uint8_t *)id, length))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the id of the collection is not UTF-8, or beyond 2^31-1 bytes");
    sl_i_ticker_begin(&x->ticker, "measuring merge events", 1);
    SL_TRY(sl_i_expanded_add(hierarchy, id, length, options, &x->ticker, &x->num_affected, error));
    x->num_merges = hierarchy->num_merges;
    x->num_components = sl_i_count_components(hierarchy);
    SL_TRY(sl_i_check_offsets(x->num_affected, "affected records", error));
    SL_TRY(sl_i_check_offsets(x->num_components, "merging components", error));
    if (x->num_records + x->num_merges <= UINT32_MAX) return SL_OK;
    return sl_i_fail(error, SL_ERROR_CAPACITY,
                     "%" PRIu32 " records and %" PRIu64
                     " merges have more components than uint32 can number; use save()",
                     x->num_records, x->num_merges);
}

static sl_status export_table(const collection_export *x, const char *id, size_t length, sl_table *table,
                              struct ArrowArrayStream *out, sl_error *error) {
    const sl_i_collection_note note = sl_i_note_of(x->collection->hierarchy, x->collection->decimals, id, length);
    char *metadata = NULL;
    uint64_t size = 0;
    SL_TRY(sl_i_notes_write("collection", &note, 1, &metadata, &size, error));
    sl_status status = sl_i_tables_export(&table, 1, metadata, size, out, error);
    sl_i_release(metadata, size, 1);
    return status;
}

sl_status sl_collection_export(const sl_collection *collection, const char *id, size_t length,
                               const sl_export_options *options, struct ArrowArrayStream *out, sl_error *error) {
    collection_export x = {.collection = collection,
                           .num_records = collection->num_records,
                           .ticker = sl_i_ticker_make(options ? options->progress : NULL)};
    sl_table *table = NULL;
    *out = (struct ArrowArrayStream){0};
    SL_TRY(measure(&x, id, length, options, error));
    SL_TRY(sl_table_create(1, &table, error));
    sl_i_ticker_begin(&x.ticker, "writing an Arrow table", x.num_affected);
    sl_status status = fill_table(&x, id, length, table, error);
    if (status == SL_OK) status = export_table(&x, id, length, table, out, error);
    if (status != SL_OK) sl_table_release(table);
    return status;
}
