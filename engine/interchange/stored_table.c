/* stored_table.c: see stored_table.h.
 *
 * A buffer is stored once for all arrays that begin at the same address: batches that are slices of one table share its
 * buffers, and dictionaries. Each is as long as the longest of these arrays needs it. */
#include "interchange/stored_table.h"

#include "interchange/arrow_check.h"
#include "records/batches.h"

#define NO_BUFFER UINT64_MAX
#define NO_TEXT UINT32_MAX
#define DEEPEST_NESTING 64

/* TABLE: numbers of batches and of buffers (u64 each), the length of each buffer (u64), the schema, then the arrays. */
#define HEAD_SIZE 16u
#define BATCH_SIZE 16u  /* of a batch without columns */
#define SCHEMA_SIZE 28u /* of a schema without texts */

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

typedef struct byte_list {
    uint8_t *items;
    uint64_t count, capacity;
} byte_list;

static sl_status add_bytes(byte_list *list, const void *bytes, uint64_t size, sl_error *error) {
    SL_TRY(sl_i_reserve(&list->items, &list->capacity, list->count + size, 1, "attributes", error));
    if (size) memcpy(list->items + list->count, bytes, (size_t)size);
    list->count += size;
    return SL_OK;
}

static sl_status add_u32(byte_list *list, uint32_t value, sl_error *error) {
    uint8_t bytes[4];
    sl_i_put_u32(bytes, value);
    return add_bytes(list, bytes, sizeof bytes, error);
}

static sl_status add_u64(byte_list *list, uint64_t value, sl_error *error) {
    uint8_t bytes[8];
    sl_i_put_u64(bytes, value);
    return add_bytes(list, bytes, sizeof bytes, error);
}

/* Bytes that are taken from the front; after the first that are missing, nothing but zeros. */
typedef struct byte_source {
    const uint8_t *at;
    uint64_t left;
    bool is_short;
} byte_source;

static const uint8_t *take_bytes(byte_source *source, uint64_t size) {
    static const uint8_t nothing[8];
    if (source->is_short || size > source->left) {
        source->is_short = true;
        return nothing;
    }
    const uint8_t *bytes = source->at;
    source->at += size;
    source->left -= size;
    return bytes;
}

static uint32_t take_u32(byte_source *source) { return sl_i_get_u32(take_bytes(source, 4)); }
static uint64_t take_u64(byte_source *source) { return sl_i_get_u64(take_bytes(source, 8)); }

/* ---- writing: schema --------------------------------------------------------------------------------------------- */

static uint32_t text_length(const char *text) { return text ? (uint32_t)strlen(text) : NO_TEXT; }

static sl_status add_schema(byte_list *list, const struct ArrowSchema *schema, sl_error *error) {
    uint32_t format = text_length(schema->format), name = text_length(schema->name);
    uint32_t metadata = schema->metadata ? (uint32_t)ArrowMetadataSizeOf(schema->metadata) : NO_TEXT;
    SL_TRY(add_u64(list, (uint64_t)schema->flags, error));
    SL_TRY(add_u32(list, (uint32_t)schema->n_children, error));
    SL_TRY(add_u32(list, schema->dictionary ? 1 : 0, error));
    SL_TRY(add_u32(list, format, error));
    SL_TRY(add_u32(list, name, error));
    SL_TRY(add_u32(list, metadata, error));
    SL_TRY(add_bytes(list, schema->format, format, error));
    SL_TRY(add_bytes(list, schema->name, name == NO_TEXT ? 0 : name, error));
    SL_TRY(add_bytes(list, schema->metadata, metadata == NO_TEXT ? 0 : metadata, error));
    for (int64_t i = 0; i < schema->n_children; i++) SL_TRY(add_schema(list, schema->children[i], error));
    return schema->dictionary ? add_schema(list, schema->dictionary, error) : SL_OK;
}

/* ---- writing: arrays --------------------------------------------------------------------------------------------- */

typedef struct kept_buffer {
    const void *bytes;
    uint64_t size;
} kept_buffer;

typedef struct number_list {
    uint64_t *items;
    uint64_t count, capacity;
} number_list;

typedef struct table_writer {
    byte_list schema, arrays;
    kept_buffer *buffers;
    uint64_t num_buffers, capacity;
    number_list before, now;      /* numbers of the buffers of the last batch, and of this one, as they are met */
    struct ArrowArrayView *views; /* by column */
    uint64_t num_views, num_columns;
    sl_i_section_writer *writer; /* ticks */
} table_writer;

static void free_writer(table_writer *t) {
    sl_i_release(t->schema.items, t->schema.capacity, 1);
    sl_i_release(t->arrays.items, t->arrays.capacity, 1);
    sl_i_release(t->buffers, t->capacity, sizeof *t->buffers);
    sl_i_release(t->before.items, t->before.capacity, sizeof *t->before.items);
    sl_i_release(t->now.items, t->now.capacity, sizeof *t->now.items);
    for (uint64_t i = 0; i < t->num_views; i++) ArrowArrayViewReset(&t->views[i]);
    sl_i_release(t->views, t->num_columns, sizeof *t->views);
}

static sl_status add_number(number_list *list, uint64_t number, sl_error *error) {
    SL_TRY(sl_i_reserve(&list->items, &list->capacity, list->count + 1, sizeof *list->items, "attributes", error));
    list->items[list->count++] = number;
    return SL_OK;
}

/* The number of the buffer: that of the last batch at the same place if it begins there, too. */
static sl_status keep_buffer(table_writer *t, const void *bytes, uint64_t size, uint64_t *out, sl_error *error) {
    uint64_t place = t->now.count, number = place < t->before.count ? t->before.items[place] : NO_BUFFER;
    if (!bytes) {
        number = NO_BUFFER;
    } else if (number != NO_BUFFER && t->buffers[number].bytes == bytes) {
        if (t->buffers[number].size < size) t->buffers[number].size = size;
    } else {
        SL_TRY(sl_i_reserve(&t->buffers, &t->capacity, t->num_buffers + 1, sizeof *t->buffers, "attributes", error));
        number = t->num_buffers++;
        t->buffers[number] = (kept_buffer){bytes, size};
    }
    *out = number;
    return add_number(&t->now, number, error);
}

static sl_status add_array(table_writer *t, const struct ArrowArrayView *view, const struct ArrowArray *array,
                           sl_error *error) {
    SL_TRY(add_u64(&t->arrays, (uint64_t)array->length, error));
    SL_TRY(add_u64(&t->arrays, (uint64_t)view->null_count, error));
    SL_TRY(add_u64(&t->arrays, (uint64_t)array->offset, error));
    SL_TRY(add_u64(&t->arrays, (uint64_t)array->n_buffers, error));
    for (int64_t i = 0; i < array->n_buffers; i++) {
        uint64_t number = NO_BUFFER, size = sl_i_arrow_buffer_size(view, i, array->n_buffers);
        SL_TRY(keep_buffer(t, array->buffers[i], size, &number, error));
        SL_TRY(add_u64(&t->arrays, number, error));
    }
    for (int64_t i = 0; i < array->n_children; i++) SL_TRY(add_array(t, view->children[i], array->children[i], error));
    return array->dictionary ? add_array(t, view->dictionary, array->dictionary, error) : SL_OK;
}

static sl_status name_column(sl_status status, const struct ArrowSchema *column, const sl_error *found,
                             sl_error *error) {
    if (status != SL_ERROR_INVALID_ARGUMENT) {
        if (error) *error = *found;
        return status;
    }
    return sl_i_fail(error, status, "column \"%.100s\" of the attributes of records: %.300s",
                     column->name ? column->name : "", found->message);
}

static sl_status make_views(table_writer *t, const struct ArrowSchema *schema, sl_error *error) {
    t->num_columns = (uint64_t)schema->n_children;
    SL_TRY(sl_i_allocate_zeroed(&t->views, t->num_columns, sizeof *t->views, "attributes", error));
    for (uint64_t i = 0; i < t->num_columns; i++) {
        sl_error found;
        sl_status status = sl_i_arrow_view_make(schema->children[i], &t->views[t->num_views++], &found);
        if (status != SL_OK) return name_column(status, schema->children[i], &found, error);
    }
    return SL_OK;
}

static sl_status add_batch(table_writer *t, const struct ArrowSchema *schema, const struct ArrowArray *batch,
                           sl_error *error) {
    number_list before = t->before;
    SL_TRY(add_u64(&t->arrays, (uint64_t)batch->length, error));
    SL_TRY(add_u64(&t->arrays, (uint64_t)batch->offset, error));
    for (uint64_t i = 0; i < t->num_columns; i++) {
        sl_error found;
        SL_TRY(sl_i_writer_tick(t->writer, error));
        sl_status status = sl_i_arrow_check(&t->views[i], batch->children[i], NULL, &found);
        if (status != SL_OK) return name_column(status, schema->children[i], &found, error);
        SL_TRY(add_array(t, &t->views[i], batch->children[i], error));
    }
    t->before = t->now;
    t->now = before;
    t->now.count = 0;
    return SL_OK;
}

static sl_status collect(table_writer *t, const sl_batches *batches, sl_error *error) {
    const struct ArrowSchema *schema = sl_batches_schema(batches);
    SL_TRY(add_schema(&t->schema, schema, error));
    SL_TRY(make_views(t, schema, error));
    for (uint64_t i = 0; i < batches->count; i++) SL_TRY(add_batch(t, schema, &batches->arrays[i], error));
    return SL_OK;
}

static sl_status put_table(sl_i_section_writer *writer, uint32_t number, const table_writer *t,
                           const sl_batches *batches, sl_error *error) {
    uint8_t head[HEAD_SIZE], length[8];
    sl_i_put_u64(head, batches->count);
    sl_i_put_u64(head + 8, t->num_buffers);
    SL_TRY(sl_i_writer_begin(writer, SL_I_SECTION_TABLE, number, error));
    SL_TRY(sl_i_writer_put(writer, head, sizeof head, error));
    for (uint64_t i = 0; i < t->num_buffers; i++) {
        sl_i_put_u64(length, t->buffers[i].size);
        SL_TRY(sl_i_writer_put(writer, length, sizeof length, error));
    }
    SL_TRY(sl_i_writer_put(writer, t->schema.items, t->schema.count, error));
    return sl_i_writer_put(writer, t->arrays.items, t->arrays.count, error);
}

static sl_status put_buffers(sl_i_section_writer *writer, uint32_t number, const table_writer *t, sl_error *error) {
    SL_TRY(sl_i_writer_begin(writer, SL_I_SECTION_BUFFERS, number, error));
    for (uint64_t i = 0; i < t->num_buffers; i++) {
        SL_TRY(sl_i_writer_put(writer, t->buffers[i].bytes, t->buffers[i].size, error));
        SL_TRY(sl_i_writer_align(writer, error));
    }
    return SL_OK;
}

sl_status sl_i_stored_table_write(sl_i_section_writer *writer, uint32_t number, const sl_batches *batches,
                                  sl_error *error) {
    table_writer t = {.writer = writer};
    sl_status status = collect(&t, batches, error);
    if (status == SL_OK) status = put_table(writer, number, &t, batches, error);
    if (status == SL_OK) status = put_buffers(writer, number, &t, error);
    free_writer(&t);
    return status;
}

/* ---- reading: schema --------------------------------------------------------------------------------------------- */

/* The text with a NUL behind it, for calls that copy it; NULL for none. False where it has a NUL in it. */
static bool take_text(byte_source *source, uint32_t length, byte_list *text, const char **out, sl_status *status,
                      sl_error *error) {
    *out = NULL;
    if (length == NO_TEXT) return true;
    const uint8_t *bytes = take_bytes(source, length);
    if (source->is_short || memchr(bytes, '\0', length)) return false;
    text->count = 0;
    *status = add_bytes(text, bytes, length, error);
    if (*status == SL_OK) *status = add_bytes(text, "", 1, error);
    *out = (const char *)text->items;
    return *status == SL_OK;
}

/* Pairs of texts, each with its length before it, that fill the bytes. */
static bool is_metadata(const uint8_t *bytes, uint32_t size) {
    byte_source source = {.at = bytes, .left = size};
    uint64_t texts = 2 * (uint64_t)take_u32(&source);
    if (texts > size) return false;
    for (uint64_t i = 0; i < texts && !source.is_short; i++) {
        uint32_t length = take_u32(&source);
        if (length > INT32_MAX) return false;
        (void)take_bytes(&source, length);
    }
    return !source.is_short && source.left == 0;
}

typedef struct schema_reader {
    byte_source *source;
    byte_list text;
    sl_status status;
    sl_error *error;
} schema_reader;

static const char *say_memory(schema_reader *r) {
    r->status = sl_i_fail(r->error, SL_ERROR_MEMORY, "out of memory for an Arrow schema");
    return "";
}

/* NULL, or what is wrong, with `status` of the reader where it is not the file's fault. */
static const char *take_texts(schema_reader *r, struct ArrowSchema *out, uint32_t format, uint32_t name,
                              uint32_t metadata) {
    const char *text = NULL;
    if (format == NO_TEXT || !take_text(r->source, format, &r->text, &text, &r->status, r->error))
        return "a column has no type";
    int code = ArrowSchemaSetFormat(out, text);
    if (!take_text(r->source, name, &r->text, &text, &r->status, r->error)) return "a column's name is broken";
    if (code == 0) code = ArrowSchemaSetName(out, text);
    if (metadata != NO_TEXT) {
        const uint8_t *bytes = take_bytes(r->source, metadata);
        if (r->source->is_short || !is_metadata(bytes, metadata)) return "a column's metadata are broken";
        if (code == 0) code = ArrowSchemaSetMetadata(out, (const char *)bytes);
    }
    return code ? say_memory(r) : NULL;
}

static const char *take_schema(schema_reader *r, struct ArrowSchema *out, int depth) {
    ArrowSchemaInit(out);
    uint64_t flags = take_u64(r->source);
    uint32_t num_children = take_u32(r->source), has_dictionary = take_u32(r->source);
    uint32_t format = take_u32(r->source), name = take_u32(r->source), metadata = take_u32(r->source);
    if (r->source->is_short || depth > DEEPEST_NESTING || num_children > r->source->left / SCHEMA_SIZE ||
        has_dictionary > 1)
        return "its schema is broken";
    out->flags = (int64_t)flags;
    const char *fault = take_texts(r, out, format, name, metadata);
    if (fault) return fault;
    if (ArrowSchemaAllocateChildren(out, num_children) != 0) return say_memory(r);
    for (uint32_t i = 0; i < num_children; i++) ArrowSchemaInit(out->children[i]);
    for (uint32_t i = 0; i < num_children && !fault; i++) fault = take_schema(r, out->children[i], depth + 1);
    if (fault || !has_dictionary) return fault;
    if (ArrowSchemaAllocateDictionary(out) != 0) return say_memory(r);
    return take_schema(r, out->dictionary, depth + 1);
}

/* ---- reading: arrays --------------------------------------------------------------------------------------------- */

/* What one array owns, in one block: this, its children and dictionary, the children's addresses, the buffers' addresses. */
typedef struct loaded_array {
    sl_i_shared_bytes *holder; /* of the buffers */
    uint64_t num_structs, num_buffers;
    struct ArrowArray structs[];
} loaded_array;

static uint64_t loaded_size(uint64_t num_structs, uint64_t num_buffers) {
    return sizeof(loaded_array) + num_structs * (sizeof(struct ArrowArray) + sizeof(struct ArrowArray *)) +
           num_buffers * sizeof(void *);
}

static void release_loaded(struct ArrowArray *array) {
    loaded_array *loaded = array->private_data;
    for (uint64_t i = 0; i < loaded->num_structs; i++)
        if (loaded->structs[i].release) loaded->structs[i].release(&loaded->structs[i]);
    sl_i_shared_bytes_release(loaded->holder);
    sl_i_release(loaded, loaded_size(loaded->num_structs, loaded->num_buffers), 1);
    array->release = NULL;
}

typedef struct table_reader {
    byte_source source; /* of the table's bytes */
    sl_i_shared_bytes *holder;
    const uint8_t *buffers;      /* the section of buffers */
    uint64_t *offsets, *lengths; /* of each buffer in it */
    uint64_t num_buffers, num_batches;
    number_list sizes; /* of the buffers of a column, as they are met */
    sl_i_ticker *ticker;
    sl_status status;
    sl_error *error;
} table_reader;

/* An array that holds nothing yet. Its struct children are released ones. */
static sl_status make_loaded(const table_reader *t, uint64_t num_children, bool has_dictionary, uint64_t num_buffers,
                             struct ArrowArray *out, sl_error *error) {
    uint64_t num_structs = num_children + (has_dictionary ? 1 : 0);
    loaded_array *loaded = NULL;
    *out = (struct ArrowArray){0};
    SL_TRY(sl_i_allocate_zeroed(&loaded, loaded_size(num_structs, num_buffers), 1, "an Arrow array", error));
    loaded->holder = sl_i_shared_bytes_retain(t->holder);
    loaded->num_structs = num_structs;
    loaded->num_buffers = num_buffers;
    struct ArrowArray **children = (struct ArrowArray **)(void *)&loaded->structs[num_structs];
    for (uint64_t i = 0; i < num_children; i++) children[i] = &loaded->structs[i];
    *out = (struct ArrowArray){.n_buffers = (int64_t)num_buffers,
                               .n_children = (int64_t)num_children,
                               .buffers = (const void **)(void *)(children + num_structs),
                               .children = num_children ? children : NULL,
                               .dictionary = has_dictionary ? &loaded->structs[num_children] : NULL,
                               .release = release_loaded,
                               .private_data = loaded};
    return SL_OK;
}

static const char *take_buffers(table_reader *t, struct ArrowArray *out) {
    for (int64_t i = 0; i < out->n_buffers; i++) {
        uint64_t number = take_u64(&t->source);
        if (number != NO_BUFFER && number >= t->num_buffers) return "an array names a buffer that is not there";
        if (number != NO_BUFFER) out->buffers[i] = t->buffers + t->offsets[number];
        t->status = add_number(&t->sizes, number == NO_BUFFER ? 0 : t->lengths[number], t->error);
        if (t->status != SL_OK) return "";
    }
    return t->source.is_short ? "its arrays are broken" : NULL;
}

static const char *take_array(table_reader *t, const struct ArrowSchema *schema, struct ArrowArray *out) {
    int64_t length = (int64_t)take_u64(&t->source), null_count = (int64_t)take_u64(&t->source);
    int64_t offset = (int64_t)take_u64(&t->source);
    uint64_t num_buffers = take_u64(&t->source);
    if (t->source.is_short || num_buffers > t->source.left / 8) return "its arrays are broken";
    t->status = make_loaded(t, (uint64_t)schema->n_children, schema->dictionary != NULL, num_buffers, out, t->error);
    if (t->status != SL_OK) return "";
    out->length = length;
    out->null_count = null_count;
    out->offset = offset;
    const char *fault = take_buffers(t, out);
    for (int64_t i = 0; i < out->n_children && !fault; i++)
        fault = take_array(t, schema->children[i], out->children[i]);
    return fault || !out->dictionary ? fault : take_array(t, schema->dictionary, out->dictionary);
}

/* One column of a batch, checked. `reason` has room for what is wrong. */
static const char *take_column(table_reader *t, const struct ArrowSchema *schema, struct ArrowArray *out,
                               sl_error *reason) {
    struct ArrowArrayView view;
    t->sizes.count = 0;
    t->status = sl_i_ticker_advance(t->ticker, 0, t->error);
    if (t->status != SL_OK) return "";
    const char *fault = take_array(t, schema, out);
    if (fault) return fault;
    sl_i_buffer_sizes known = {.sizes = t->sizes.items};
    sl_status status = sl_i_arrow_view_make(schema, &view, reason);
    if (status == SL_OK) status = sl_i_arrow_check(&view, out, &known, reason);
    ArrowArrayViewReset(&view);
    if (status == SL_ERROR_MEMORY) t->status = sl_i_fail(t->error, status, "%s", reason->message);
    return status == SL_OK ? NULL : reason->message;
}

static const char *take_batch(table_reader *t, const struct ArrowSchema *schema, struct ArrowArray *out,
                              sl_error *reason) {
    int64_t length = (int64_t)take_u64(&t->source), offset = (int64_t)take_u64(&t->source);
    t->status = make_loaded(t, (uint64_t)schema->n_children, false, 1, out, t->error);
    if (t->status != SL_OK) return "";
    out->length = length;
    out->offset = offset;
    const char *fault = t->source.is_short ? "its arrays are broken" : NULL;
    for (int64_t i = 0; i < out->n_children && !fault; i++)
        fault = take_column(t, schema->children[i], out->children[i], reason);
    return fault;
}

/* ---- reading: the table ------------------------------------------------------------------------------------------ */

/* Where each buffer lies in `size` bytes, which they fill. */
static const char *take_lengths(table_reader *t, uint64_t size) {
    uint64_t at = 0;
    t->num_batches = take_u64(&t->source);
    t->num_buffers = take_u64(&t->source);
    if (t->source.is_short || t->num_buffers > t->source.left / 8 || t->num_batches > t->source.left / BATCH_SIZE)
        return "it has more batches or buffers than bytes";
    t->status = sl_i_allocate(&t->offsets, t->num_buffers, sizeof *t->offsets, "attributes", t->error);
    if (t->status == SL_OK)
        t->status = sl_i_allocate(&t->lengths, t->num_buffers, sizeof *t->lengths, "attributes", t->error);
    if (t->status != SL_OK) return "";
    for (uint64_t i = 0; i < t->num_buffers; i++) {
        t->offsets[i] = at;
        t->lengths[i] = take_u64(&t->source);
        if (t->lengths[i] > size - at) return "its buffers are longer than their section";
        at = sl_i_align_up(at + t->lengths[i]);
        if (at > size) return "its buffers are longer than their section";
    }
    return at == size ? NULL : "its buffers do not fill their section";
}

/* What was read, as a stream that gives it away. */
typedef struct loaded_table {
    struct ArrowSchema schema;
    struct ArrowArray *batches;
    uint64_t num_batches, num_read, next;
} loaded_table;

static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    loaded_table *loaded = stream->private_data;
    *out = loaded->schema;
    loaded->schema.release = NULL;
    return 0;
}

static int give_batch(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    loaded_table *loaded = stream->private_data;
    *out = (struct ArrowArray){0};
    if (loaded->next == loaded->num_read) return 0;
    *out = loaded->batches[loaded->next];
    loaded->batches[loaded->next++].release = NULL;
    return 0;
}

static const char *say_nothing(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

static void release_table(loaded_table *loaded) {
    for (uint64_t i = 0; i < loaded->num_read; i++)
        if (loaded->batches[i].release) loaded->batches[i].release(&loaded->batches[i]);
    sl_i_release(loaded->batches, loaded->num_batches, sizeof *loaded->batches);
    if (loaded->schema.release) loaded->schema.release(&loaded->schema);
}

static void end_stream(struct ArrowArrayStream *stream) {
    release_table(stream->private_data);
    stream->release = NULL;
}

static const char *take_batches(table_reader *t, loaded_table *out, sl_error *reason) {
    const char *fault = NULL;
    t->status = sl_i_allocate_zeroed(&out->batches, t->num_batches, sizeof *out->batches, "attributes", t->error);
    if (t->status != SL_OK) return "";
    out->num_batches = t->num_batches;
    for (uint64_t i = 0; i < t->num_batches && !fault; i++)
        fault = take_batch(t, &out->schema, &out->batches[out->num_read++], reason);
    return !fault && t->source.left > 0 ? "there is something behind its arrays" : fault;
}

static const char *take_table(table_reader *t, uint64_t size, loaded_table *out, sl_error *reason) {
    schema_reader r = {.source = &t->source, .error = t->error};
    const char *fault = take_lengths(t, size);
    if (fault) return fault;
    fault = take_schema(&r, &out->schema, 0);
    sl_i_release(r.text.items, r.text.capacity, 1);
    if (r.status != SL_OK) t->status = r.status;
    return fault ? fault : take_batches(t, out, reason);
}

static sl_status make_batches(sl_i_section_reader *reader, uint32_t number, const sl_i_section *table, uint64_t size,
                              table_reader *t, sl_batches **out, sl_error *error) {
    loaded_table loaded = {0};
    sl_error found;
    t->source = (byte_source){.at = table->bytes, .left = table->length};
    const char *fault = take_table(t, size, &loaded, &found);
    sl_status status = t->status;
    if (fault && status == SL_OK) status = sl_i_reader_fail(reader, error, SL_I_SECTION_TABLE, number, fault);
    if (status != SL_OK) {
        release_table(&loaded);
        return status;
    }
    struct ArrowArrayStream stream = {give_schema, give_batch, say_nothing, end_stream, &loaded};
    status = sl_batches_from_stream(&stream, out, &found);
    return status == SL_OK ? SL_OK : sl_i_reader_blame(reader, status, &found, SL_I_SECTION_TABLE, number, error);
}

sl_status sl_i_stored_table_read(sl_i_section_reader *reader, uint32_t number, sl_i_ticker *ticker, sl_batches **out,
                                 sl_error *error) {
    sl_i_section table = {0}, buffers = {0};
    table_reader t = {.ticker = ticker, .error = error};
    sl_status status;
    *out = NULL;
    SL_TRY_CLEANUP(status, sl_i_reader_get(reader, SL_I_SECTION_TABLE, number, ticker, &table, error));
    SL_TRY_CLEANUP(status, sl_i_reader_get(reader, SL_I_SECTION_BUFFERS, number, ticker, &buffers, error));
    uint64_t size = buffers.length;
    t.buffers = buffers.bytes;
    SL_TRY_CLEANUP(status, sl_i_section_share(reader, &buffers, &t.holder, error));
    status = make_batches(reader, number, &table, size, &t, out, error);
cleanup:
    sl_i_section_drop(&table);
    sl_i_section_drop(&buffers);
    sl_i_shared_bytes_release(t.holder);
    sl_i_release(t.offsets, t.num_buffers, sizeof *t.offsets);
    sl_i_release(t.lengths, t.num_buffers, sizeof *t.lengths);
    sl_i_release(t.sizes.items, t.sizes.capacity, sizeof *t.sizes.items);
    return status;
}
