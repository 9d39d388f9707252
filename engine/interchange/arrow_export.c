/* arrow_export.c: tables handed over as Arrow streams, one batch a table.
 *
 * A column is made as an Arrow array when it is added, so exporting moves pointers only. The stream makes its schema anew
 * each time it is asked, gives each batch once and then ends. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "interchange/table.h"
#include "records/key_column.h"
#include "records/utf8.h"

/* ---------------------------------------------------------------------------------------------- tables */

sl_status sl_table_create(uint64_t num_rows, sl_table **out, sl_error *error) {
    *out = NULL;
    if (num_rows > INT64_MAX / 16)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a table of %" PRIu64 " rows is larger than any memory",
                         num_rows);
    SL_TRY(sl_i_allocate_zeroed(out, 1, sizeof **out, "a table", error));
    (*out)->num_rows = num_rows;
    return SL_OK;
}

void sl_i_table_drop_last(sl_table *table) {
    char *name = table->names[--table->count];
    sl_i_array_drop(&table->arrays[table->count]);
    sl_i_release(name, strlen(name) + 1, 1);
}

static void free_columns(sl_table *table) {
    while (table->count > 0) sl_i_table_drop_last(table);
    sl_i_release(table->arrays, table->capacity, sizeof *table->arrays);
    sl_i_release(table->types, table->capacity, sizeof *table->types);
    sl_i_release(table->names, table->capacity, sizeof *table->names);
}

void sl_table_release(sl_table *table) {
    if (!table) return;
    free_columns(table);
    sl_i_release(table, 1, sizeof *table);
}

/* Three arrays grow together: all new ones are had before any old one goes. */
static sl_status reserve_column(sl_table *table, sl_error *error) {
    if (table->count < table->capacity) return SL_OK;
    uint64_t capacity = table->capacity ? 2 * table->capacity : 8;
    sl_table larger = {.num_rows = table->num_rows, .capacity = capacity};
    sl_status status = sl_i_allocate(&larger.arrays, capacity, sizeof *larger.arrays, "columns", error);
    if (status == SL_OK) status = sl_i_allocate(&larger.types, capacity, sizeof *larger.types, "columns", error);
    if (status == SL_OK) status = sl_i_allocate(&larger.names, capacity, sizeof *larger.names, "columns", error);
    if (status != SL_OK) {
        free_columns(&larger);
        return status;
    }
    if (table->count) {
        memcpy(larger.arrays, table->arrays, (size_t)table->count * sizeof *larger.arrays);
        memcpy(larger.types, table->types, (size_t)table->count * sizeof *larger.types);
        memcpy(larger.names, table->names, (size_t)table->count * sizeof *larger.names);
    }
    uint64_t count = table->count;
    table->count = 0;
    free_columns(table);
    larger.count = count;
    *table = larger;
    return SL_OK;
}

sl_status sl_i_table_take(sl_table *table, const char *name, const sl_i_arrow_type *type, struct ArrowArray *array,
                          sl_error *error) {
    if (!name || !sl_i_utf8_valid((const uint8_t *)name, strlen(name)))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the name of column %" PRIu64 " is missing or not valid UTF-8", table->count);
    SL_TRY(reserve_column(table, error));
    char *copy = NULL;
    SL_TRY(sl_i_allocate(&copy, strlen(name) + 1, 1, "a column name", error));
    memcpy(copy, name, strlen(name) + 1);
    table->arrays[table->count] = *array;
    table->types[table->count] = *type;
    table->names[table->count++] = copy;
    return SL_OK;
}

sl_status sl_i_table_take_made(sl_table *table, const char *name, const sl_i_arrow_type *type, sl_status made,
                               struct ArrowArray *array, sl_error *error) {
    if (made != SL_OK) return made;
    sl_status status = sl_i_table_take(table, name, type, array, error);
    if (status != SL_OK) sl_i_array_drop(array);
    return status;
}

static const char *number_format(sl_column_type type) {
    static const char *const formats[] = {
        [SL_COLUMN_INT8] = "c",    [SL_COLUMN_INT16] = "s",   [SL_COLUMN_INT32] = "i",  [SL_COLUMN_INT64] = "l",
        [SL_COLUMN_UINT8] = "C",   [SL_COLUMN_UINT16] = "S",  [SL_COLUMN_UINT32] = "I", [SL_COLUMN_UINT64] = "L",
        [SL_COLUMN_FLOAT32] = "f", [SL_COLUMN_FLOAT64] = "g",
    };
    return sl_i_column_number_size(type) ? formats[type] : NULL;
}

/* A copy of `count` values as the second buffer of an array. */
static sl_status copy_values(struct ArrowArray *array, const void *values, uint64_t count, size_t size,
                             sl_error *error) {
    void *copy = NULL;
    SL_TRY(sl_i_array_buffer(array, 1, count, size, &copy, error));
    if (count) memcpy(copy, values, (size_t)count * size);
    return SL_OK;
}

/* Add a column of one buffer: a copy of `values`. */
static sl_status add_values(sl_table *table, const char *name, const sl_i_arrow_type *type, const void *values,
                            size_t size, sl_error *error) {
    struct ArrowArray array;
    SL_TRY(sl_i_array_make(&array, table->num_rows, 2, 0, false, error));
    sl_status status = copy_values(&array, values, table->num_rows, size, error);
    if (status == SL_OK) status = sl_i_table_take(table, name, type, &array, error);
    if (status != SL_OK) sl_i_array_drop(&array);
    return status;
}

sl_status sl_table_add_numbers(sl_table *table, const char *name, sl_column_type type, const void *values,
                               sl_error *error) {
    const sl_i_arrow_type arrow_type = {.format = number_format(type)};
    if (!arrow_type.format || (!values && table->num_rows > 0))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "a column of type %s without values cannot be exported as numbers",
                         sl_i_column_type_name(type));
    return add_values(table, name, &arrow_type, values, sl_i_column_number_size(type), error);
}

/* ---------------------------------------------------------------------------------------------- values of a width */

static sl_status check_width(const sl_table *table, uint32_t width, const void *values, sl_error *error) {
    if (width > 0 && width <= INT32_MAX && (values || table->num_rows == 0) &&
        table->num_rows <= INT64_MAX / sizeof(uint32_t) / width)
        return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "a column of %" PRIu64 " values of width %" PRIu32 " cannot be exported: the values are missing, "
                     "or they are 0 or too many bytes",
                     table->num_rows, width);
}

sl_status sl_table_add_binary(sl_table *table, const char *name, uint32_t width, const void *values, sl_error *error) {
    const sl_i_arrow_type type = {.format = "w:", .width = width};
    SL_TRY(check_width(table, width, values, error));
    return add_values(table, name, &type, values, width, error);
}

static const sl_i_arrow_type list_item_type = {.format = "I"};
static const char *const list_item_name = "item";

sl_status sl_table_add_lists(sl_table *table, const char *name, uint32_t width, const uint32_t *values,
                             sl_error *error) {
    const sl_i_arrow_type type = {.format = "+w:",
                                  .width = width,
                                  .member_types = &list_item_type,
                                  .member_names = &list_item_name,
                                  .num_members = 1};
    struct ArrowArray array;
    SL_TRY(check_width(table, width, values, error));
    SL_TRY(sl_i_array_make(&array, table->num_rows, 1, 1, false, error));
    uint64_t count = table->num_rows * width;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_array_make(array.children[0], count, 2, 0, false, error));
    SL_TRY_CLEANUP(status, copy_values(array.children[0], values, count, sizeof *values, error));
    status = sl_i_table_take(table, name, &type, &array, error);
cleanup:
    if (status != SL_OK) sl_i_array_drop(&array);
    return status;
}

/* ---------------------------------------------------------------------------------------------- categories */

static sl_status check_codes(const sl_table *table, const uint32_t *codes, uint32_t num_strings, sl_error *error) {
    for (uint64_t row = 0; row < table->num_rows; row++)
        if (codes[row] >= num_strings)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                                 "row %" PRIu64 " has code %" PRIu32 ", but there are %" PRIu32 " categories", row,
                                 codes[row], num_strings);
    return SL_OK;
}

static sl_status make_categories(const sl_table *table, const uint32_t *codes, const char *const *strings,
                                 uint32_t num_strings, struct ArrowArray *array, sl_error *error) {
    size_t *lengths = NULL;
    SL_TRY(copy_values(array, codes, table->num_rows, sizeof *codes, error));
    SL_TRY(sl_i_allocate(&lengths, num_strings, sizeof *lengths, "categories", error));
    for (uint32_t i = 0; i < num_strings; i++) lengths[i] = strlen(strings[i]);
    sl_status status = sl_i_array_strings(array->dictionary, strings, lengths, num_strings, error);
    sl_i_release(lengths, num_strings, sizeof *lengths);
    return status;
}

sl_status sl_table_add_categories(sl_table *table, const char *name, const uint32_t *codes, const char *const *strings,
                                  uint32_t num_strings, sl_error *error) {
    struct ArrowArray array;
    SL_TRY(check_codes(table, codes, num_strings, error));
    SL_TRY(sl_i_array_make(&array, table->num_rows, 2, 0, true, error));
    sl_status status = make_categories(table, codes, strings, num_strings, &array, error);
    if (status == SL_OK) status = sl_i_table_take(table, name, &sl_i_category_type, &array, error);
    if (status != SL_OK) sl_i_array_drop(&array);
    return status;
}

/* ---------------------------------------------------------------------------------------------- streams */

typedef struct stream_part {
    sl_table columns;           /* names and types; the arrays are in the batches */
    struct ArrowArray *batches; /* released once they have been handed out */
    uint64_t num_batches, next;
    char *metadata; /* of the schema; NULL: none */
    uint64_t metadata_size;
    char message[128];
} stream_part;

static sl_status make_schema(const stream_part *part, struct ArrowSchema *out, sl_error *error) {
    const sl_i_arrow_type table = {.format = "+s",
                                   .member_types = part->columns.types,
                                   .member_names = (const char *const *)part->columns.names,
                                   .num_members = part->columns.count};
    SL_TRY(sl_i_schema_make(out, &table, "", error));
    if (!part->metadata) return SL_OK;
    sl_status status = sl_i_schema_set_metadata(out, part->metadata, part->metadata_size, error);
    if (status != SL_OK) sl_i_schema_drop(out);
    return status;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    stream_part *part = stream->private_data;
    sl_error error;
    if (make_schema(part, out, &error) == SL_OK) {
        part->message[0] = '\0';
        return 0;
    }
    memcpy(part->message, error.message, sizeof part->message - 1);
    return ENOMEM;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    stream_part *part = stream->private_data;
    *out = (struct ArrowArray){0};
    if (part->next == part->num_batches) return 0;
    struct ArrowArray *batch = &part->batches[part->next++];
    *out = *batch;
    batch->release = NULL;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    const stream_part *part = stream->private_data;
    return part->message[0] ? part->message : NULL;
}

static void free_stream_part(stream_part *part) {
    for (uint64_t i = 0; i < part->num_batches; i++) sl_i_array_drop(&part->batches[i]);
    sl_i_release(part->batches, part->num_batches, sizeof *part->batches);
    sl_i_release(part->metadata, part->metadata_size, 1);
    free_columns(&part->columns);
    sl_i_release(part, 1, sizeof *part);
}

static void release_stream(struct ArrowArrayStream *stream) {
    free_stream_part(stream->private_data);
    stream->release = NULL;
}

/* The batch is a struct array, whose children are the columns. */
static void move_columns(sl_table *table, struct ArrowArray *batch) {
    for (uint64_t i = 0; i < table->count; i++) {
        *batch->children[i] = table->arrays[i];
        table->arrays[i].release = NULL;
    }
}

static sl_status fill_stream_part(stream_part *part, sl_table *const *tables, uint64_t count, const char *metadata,
                                  uint64_t metadata_size, sl_error *error) {
    if (metadata) {
        SL_TRY(sl_i_allocate(&part->metadata, metadata_size, 1, "the metadata of a table", error));
        part->metadata_size = metadata_size;
        memcpy(part->metadata, metadata, metadata_size);
    }
    SL_TRY(sl_i_allocate_zeroed(&part->batches, count, sizeof *part->batches, "the batches of a table", error));
    part->num_batches = count;
    for (uint64_t i = 0; i < count; i++)
        SL_TRY(sl_i_array_make(&part->batches[i], tables[i]->num_rows, 1, tables[i]->count, false, error));
    return SL_OK;
}

sl_status sl_i_tables_export(sl_table *const *tables, uint64_t count, const char *metadata, uint64_t metadata_size,
                             struct ArrowArrayStream *out, sl_error *error) {
    stream_part *part = NULL;
    *out = (struct ArrowArrayStream){0};
    SL_TRY(sl_i_allocate_zeroed(&part, 1, sizeof *part, "an Arrow stream", error));
    sl_status status = fill_stream_part(part, tables, count, metadata, metadata_size, error);
    if (status != SL_OK) {
        free_stream_part(part);
        return status;
    }
    for (uint64_t i = 0; i < count; i++) move_columns(tables[i], &part->batches[i]);
    part->columns = *tables[0];
    sl_i_release(tables[0], 1, sizeof *tables[0]);
    for (uint64_t i = 1; i < count; i++) sl_table_release(tables[i]);
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, part};
    return SL_OK;
}

sl_status sl_table_export(sl_table *table, struct ArrowArrayStream *out, sl_error *error) {
    return sl_i_tables_export(&table, 1, NULL, 0, out, error);
}
