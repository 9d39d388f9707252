/* arrow.c: a frame as an Arrow table and back, in C.
 *
 * A frame of one model is handed over as an Arrow stream. What another program would do with it is done by hand here, with nothing but
 * Arrow's own structs: its columns are listed and the merges read. A second stream is made a frame again, which is the
 * same. The last export is refused, because its merges would name more records than was allowed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <starlings.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

static const uint64_t left[] = {10, 20, 30}, right[] = {20, 30, 40};
static const double scores[] = {0.9, 0.6, 0.6};

static sl_column column(sl_column_type type, const void *values) {
    return (sl_column){.type = type, .length = 3, .values = values};
}

/* ---- a frame ------------------------------------------------------------------------------------------------------ */

static sl_status add_model(sl_frame_change *change, sl_error *error) {
    const sl_edges edges = {.left = {.keys = column(SL_COLUMN_UINT64, left)},
                            .right = {.keys = column(SL_COLUMN_UINT64, right)},
                            .score = column(SL_COLUMN_FLOAT64, scores)};
    sl_context *context;
    sl_hierarchy *hierarchy = NULL;
    uint16_t source;
    TRY(sl_frame_change_context(change, &context, error));
    TRY(sl_context_add_source(context, "crm", 3, &source, error));
    TRY(sl_hierarchy_extend(context, NULL, &edges, 1, NULL, &hierarchy, error));
    sl_status status = sl_frame_change_add(change, "model", 5, hierarchy, 6, NULL, error);
    sl_hierarchy_release(hierarchy);
    return status;
}

static sl_status fill(sl_frame *frame, sl_error *error) {
    sl_frame_change *change = NULL;
    TRY(sl_frame_begin(frame, &change, error));
    sl_status status = add_model(change, error);
    if (status == SL_OK) return sl_frame_change_commit(change, NULL, error);
    sl_frame_change_abort(change);
    return status;
}

/* ---- reading a table with Arrow's structs alone ------------------------------------------------------------------- */

static void print_schema(const struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children[i];
        printf("  %-15s %s%s%s\n", child->name, child->format, child->dictionary ? " into " : "",
               child->dictionary ? child->dictionary->format : "");
    }
}

/* Items first[i] .. first[i + 1] - 1 of a list array. */
static const int32_t *offsets_of(const struct ArrowArray *list) {
    return (const int32_t *)list->buffers[1] + list->offset;
}

/* The merges of the collection that the first row begins with. */
static void print_merges(const struct ArrowArray *collections) {
    const struct ArrowArray *lists = collections->children[0]->children[1], *events = lists->children[0];
    const struct ArrowArray *groups = events->children[1], *members = groups->children[0];
    const double *thresholds = events->children[0]->buffers[1];
    const uint32_t *records = members->children[0]->buffers[1];
    for (int32_t event = offsets_of(lists)[0]; event < offsets_of(lists)[1]; event++) {
        printf("  at %g:", thresholds[event]);
        for (int32_t group = offsets_of(groups)[event]; group < offsets_of(groups)[event + 1]; group++) {
            printf(" {");
            for (int32_t i = offsets_of(members)[group]; i < offsets_of(members)[group + 1]; i++)
                printf(" %" PRIu32, records[i]);
            printf(" }");
        }
        printf("\n");
    }
}

/* Whoever reads a stream releases the schema, the batches and the stream, in any order. */
static int print_table(struct ArrowArrayStream *stream) {
    struct ArrowSchema schema = {.release = NULL};
    struct ArrowArray batch = {.release = NULL};
    int failed = stream->get_schema(stream, &schema);
    if (!failed) failed = stream->get_next(stream, &batch);
    stream->release(stream);
    if (!failed && batch.release) {
        printf("a table of %" PRId64 " rows:\n", batch.length);
        print_schema(&schema);
        printf("its first collection:\n");
        print_merges(batch.children[3]);
    }
    if (batch.release) batch.release(&batch);
    if (schema.release) schema.release(&schema);
    return failed;
}

/* ---- the job ------------------------------------------------------------------------------------------------------ */

static sl_status export_frame(const sl_frame *frame, const sl_export_options *options, struct ArrowArrayStream *out,
                              sl_error *error) {
    sl_frame_state *now = sl_frame_now(frame);
    sl_status status = sl_frame_state_export(now, options, out, error);
    sl_frame_state_release(now);
    return status;
}

static sl_status there_and_back(const sl_frame *frame, sl_error *error) {
    struct ArrowArrayStream stream;
    sl_frame *again = NULL;
    TRY(export_frame(frame, NULL, &stream, error));
    TRY(sl_frame_import(&stream, NULL, &again, error));
    sl_frame_state *now = sl_frame_now(again);
    printf("read again: %" PRIu32 " records, %" PRIu32 " collection called %s\n", sl_frame_state_num_records(now),
           sl_frame_state_num_collections(now), sl_frame_state_name(now, 0, NULL));
    sl_frame_state_release(now);
    sl_frame_release(again);
    return SL_OK;
}

static sl_status run(sl_frame *frame, sl_error *error) {
    struct ArrowArrayStream stream;
    const sl_export_options little = {.max_expanded = 5};
    sl_error refused = {.message = ""};
    TRY(fill(frame, error));
    TRY(export_frame(frame, NULL, &stream, error));
    if (print_table(&stream)) return SL_ERROR_MEMORY;
    TRY(there_and_back(frame, error));
    if (export_frame(frame, &little, &stream, &refused) == SL_ERROR_CAPACITY) printf("refused: %s\n", refused.message);
    return SL_OK;
}

int main(void) {
    sl_error error = {.message = ""};
    sl_frame *frame = NULL;
    sl_status status = sl_frame_create(&frame, &error);
    if (status == SL_OK) status = run(frame, &error);
    if (status != SL_OK) fprintf(stderr, "arrow: %s\n", error.message);
    sl_frame_release(frame);
    return status == SL_OK ? 0 : 1;
}
