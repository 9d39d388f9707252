/* attributes.c: what else is known of records, in C.
 *
 * A table of two columns comes as an Arrow stream, here one written by hand; a database driver or Arrow library gives one just
 * so. Its key column becomes records, its rows their attributes: kept as they came in, not copied, and given back as Arrow for
 * the records asked for. The program links two rows and prints the attributes of each entity. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <starlings.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

/* ---- an Arrow stream of one batch, whose memory is constant -------------------------------------------------------- */

#define ROWS 3

static const uint64_t ids[ROWS] = {10, 20, 30};
static const int32_t name_offsets[ROWS + 1] = {0, 12, 23, 35};
static const char name_bytes[] = "Ada LovelaceA. LovelaceMary Shelley";

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_array(struct ArrowArray *array) { array->release = NULL; }
static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }
static const char *no_error(struct ArrowArrayStream *stream) { return (void)stream, NULL; }

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    static struct ArrowSchema id, name, *columns[] = {&id, &name};
    (void)stream;
    id = (struct ArrowSchema){.format = "L", .name = "id", .release = release_schema};
    name = (struct ArrowSchema){.format = "u", .name = "name", .release = release_schema};
    *out = (struct ArrowSchema){.format = "+s", .n_children = 2, .children = columns, .release = release_schema};
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    static const void *id_buffers[] = {NULL, ids}, *name_buffers[] = {NULL, name_offsets, name_bytes};
    static const void *no_buffers[] = {NULL};
    static struct ArrowArray id, name, *columns[] = {&id, &name};
    *out = (struct ArrowArray){.release = NULL}; /* the end */
    if (stream->private_data) return 0;
    stream->private_data = &id; /* the one batch is given */
    id = (struct ArrowArray){.length = ROWS, .n_buffers = 2, .buffers = id_buffers, .release = release_array};
    name = (struct ArrowArray){.length = ROWS, .n_buffers = 3, .buffers = name_buffers, .release = release_array};
    *out = (struct ArrowArray){.length = ROWS,
                               .n_buffers = 1,
                               .buffers = no_buffers,
                               .n_children = 2,
                               .children = columns,
                               .release = release_array};
    return 0;
}

static struct ArrowArrayStream people(void) {
    return (struct ArrowArrayStream){get_schema, get_next, no_error, release_stream, NULL};
}

/* ---- records with attributes --------------------------------------------------------------------------------------- */

/* The first column of the first batch has the keys, read in place; row i describes record first + i. */
static sl_status add_people(sl_context *context, sl_batches *batches, sl_error *error) {
    sl_column dictionary;
    sl_key_column keys = {.source = 0};
    uint32_t first;
    TRY(sl_column_from_arrow(sl_batches_schema(batches)->children[0], sl_batches_batch(batches, 0)->children[0], "id",
                             &dictionary, &keys.keys, error));
    TRY(sl_context_add_source(context, "people", strlen("people"), &keys.source, error));
    TRY(sl_context_add_records(context, &keys, &first, error));
    return sl_context_attach(context, batches, NULL, first, error);
}

static sl_status read_people(sl_context *context, sl_error *error) {
    struct ArrowArrayStream stream = people();
    sl_batches *batches = NULL;
    TRY(sl_batches_from_stream(&stream, &batches, error));
    sl_status status = add_people(context, batches, error);
    sl_batches_release(batches); /* the context keeps them */
    return status;
}

/* ---- and back ------------------------------------------------------------------------------------------------------ */

static void print_batch(const struct ArrowArray *batch) {
    const struct ArrowArray *id = batch->children[0], *name = batch->children[1];
    const uint64_t *numbers = id->buffers[1];
    const int32_t *bounds = name->buffers[1];
    const char *bytes = name->buffers[2];
    for (int64_t row = 0; row < batch->length; row++) {
        int64_t i = batch->offset + row + id->offset, j = batch->offset + row + name->offset;
        printf("  %" PRIu64 " %.*s\n", numbers[i], (int)(bounds[j + 1] - bounds[j]), bytes + bounds[j]);
    }
}

/* Batches share the buffers of the table; each run of consecutive rows is one. */
static int print_stream(struct ArrowArrayStream *stream) {
    struct ArrowArray batch = {.release = NULL};
    int failed;
    while ((failed = stream->get_next(stream, &batch)) == 0 && batch.release) {
        print_batch(&batch);
        batch.release(&batch);
    }
    stream->release(stream);
    return failed;
}

/* Here all records came in one table: attachment 0. In general each record has its own attachment and row. */
static sl_status print_attributes(const sl_context *context, const uint32_t *records, uint64_t count, sl_error *error) {
    uint32_t attachments[ROWS];
    uint64_t rows[ROWS];
    struct ArrowArrayStream stream;
    sl_context_find_attributes(context, records, count, attachments, rows);
    sl_batches *batches = sl_context_attachment(context, attachments[0]);
    sl_status status = sl_batches_export(batches, rows, count, &stream, error);
    sl_batches_release(batches);
    if (status == SL_OK && print_stream(&stream) == ENOMEM) status = SL_ERROR_MEMORY;
    return status;
}

static sl_status print_entities(const sl_context *context, const sl_partition *cut, sl_error *error) {
    const uint32_t *bounds, *records;
    TRY(sl_partition_offsets(cut, &bounds, error));
    TRY(sl_partition_records(cut, &records, error));
    for (uint32_t entity = 0; entity < sl_partition_num_entities(cut); entity++) {
        printf("entity %" PRIu32 ":\n", entity);
        TRY(print_attributes(context, records + bounds[entity], bounds[entity + 1] - bounds[entity], error));
    }
    return SL_OK;
}

/* Records 0 and 1 are linked; record 2 is an entity of its own. */
static sl_status link_and_print(sl_context *context, sl_error *error) {
    static const uint32_t left[] = {0}, right[] = {1};
    static const double score[] = {0.9};
    sl_hierarchy *hierarchy = NULL;
    sl_partition *cut = NULL;
    TRY(sl_hierarchy_build(sl_context_num_records(context), left, right, score, 1, NULL, &hierarchy, error));
    sl_status status = sl_partition_create(hierarchy, 0, 0.5, &cut, error);
    if (status == SL_OK) status = print_entities(context, cut, error);
    sl_partition_release(cut);
    sl_hierarchy_release(hierarchy);
    return status;
}

int main(void) {
    sl_error error = {.message = "out of memory"};
    sl_context *context = NULL;
    sl_status status = sl_context_create(&context, &error);
    if (status == SL_OK) status = read_people(context, &error);
    if (status == SL_OK) status = link_and_print(context, &error);
    if (status != SL_OK) fprintf(stderr, "attributes: %s\n", error.message);
    sl_context_release(context);
    return status == SL_OK ? 0 : 1;
}
