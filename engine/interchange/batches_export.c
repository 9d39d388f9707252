/* batches_export.c: rows of kept Arrow batches as a stream that shares their buffers.
 *
 * A run of consecutive rows of one batch becomes one struct array whose columns are slices: the buffers are the batch's own,
 * offset and length say which part. The consumer may move any child out of its parent and release the two in any order, so
 * every struct handed out, schemas included, is the stream's own down to the last nested child, and holds a reference to the
 * batches. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "interchange/arrow_array.h"
#include "records/batches.h"

/* ---------------------------------------------------------------------------------------------- shared arrays */

/* What one exported array owns, in one block: this, its children's addresses, the children, the dictionary. */
typedef struct shared_array {
    sl_batches *batches;
    uint64_t num_structs;
    struct ArrowArray structs[]; /* the children, then the dictionary; behind them the children's addresses */
} shared_array;

static size_t array_size(uint64_t num_structs) {
    return sizeof(shared_array) + (size_t)num_structs * (sizeof(struct ArrowArray) + sizeof(struct ArrowArray *));
}

static void release_shared_array(struct ArrowArray *array) {
    shared_array *shared = array->private_data;
    sl_batches *batches = shared->batches;
    for (uint64_t i = 0; i < shared->num_structs; i++) sl_i_array_drop(&shared->structs[i]);
    sl_i_release(shared, array_size(shared->num_structs), 1);
    array->release = NULL;
    sl_batches_release(batches);
}

/* Rows first..first+length-1 of `array`, counted behind its own offset. The columns of a batch are sliced in its stead; the
 * children of other arrays are shared as a whole. */
typedef struct array_slice {
    const struct ArrowArray *array;
    int64_t first, length;
    bool is_batch;
} array_slice;

static int64_t null_count_of(const array_slice *slice) {
    const struct ArrowArray *array = slice->array;
    if (slice->is_batch || array->null_count == 0) return 0;
    return slice->first == 0 && slice->length == array->length ? array->null_count : -1;
}

static sl_status share_array(const sl_batches *batches, array_slice slice, struct ArrowArray *out, sl_error *error);

static sl_status share_parts(const sl_batches *batches, array_slice slice, shared_array *shared, sl_error *error) {
    const struct ArrowArray *array = slice.array;
    for (int64_t i = 0; i < array->n_children; i++) {
        const struct ArrowArray *child = array->children[i];
        array_slice part = {child, 0, child->length, false};
        if (slice.is_batch) part = (array_slice){child, array->offset + slice.first, slice.length, false};
        SL_TRY(share_array(batches, part, &shared->structs[i], error));
    }
    if (!array->dictionary) return SL_OK;
    const array_slice dictionary = {array->dictionary, 0, array->dictionary->length, false};
    return share_array(batches, dictionary, &shared->structs[array->n_children], error);
}

static sl_status share_array(const sl_batches *batches, array_slice slice, struct ArrowArray *out, sl_error *error) {
    static const void *no_validity[1] = {NULL};
    const struct ArrowArray *array = slice.array;
    uint64_t num_structs = (uint64_t)array->n_children + (array->dictionary ? 1 : 0);
    shared_array *shared = NULL;
    *out = (struct ArrowArray){0};
    SL_TRY(sl_i_allocate_zeroed(&shared, array_size(num_structs), 1, "an Arrow array", error));
    shared->num_structs = num_structs;
    shared->batches = sl_batches_retain(batches);
    struct ArrowArray **children = (struct ArrowArray **)(void *)&shared->structs[num_structs];
    for (int64_t i = 0; i < array->n_children; i++) children[i] = &shared->structs[i];
    *out = (struct ArrowArray){.length = slice.length,
                               .null_count = null_count_of(&slice),
                               .offset = slice.is_batch ? 0 : array->offset + slice.first,
                               .n_buffers = slice.is_batch ? 1 : array->n_buffers,
                               .n_children = array->n_children,
                               .buffers = slice.is_batch ? no_validity : array->buffers,
                               .children = array->n_children ? children : NULL,
                               .dictionary = array->dictionary ? &shared->structs[array->n_children] : NULL,
                               .release = release_shared_array,
                               .private_data = shared};
    sl_status status = share_parts(batches, slice, shared, error);
    if (status != SL_OK) out->release(out);
    return status;
}

/* ---------------------------------------------------------------------------------------------- shared schemas */

typedef struct shared_schema {
    sl_batches *batches;
    uint64_t num_structs;
    struct ArrowSchema structs[]; /* as in shared_array */
} shared_schema;

static size_t schema_size(uint64_t num_structs) {
    return sizeof(shared_schema) + (size_t)num_structs * (sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *));
}

static void release_shared_schema(struct ArrowSchema *schema) {
    shared_schema *shared = schema->private_data;
    sl_batches *batches = shared->batches;
    for (uint64_t i = 0; i < shared->num_structs; i++) sl_i_schema_drop(&shared->structs[i]);
    sl_i_release(shared, schema_size(shared->num_structs), 1);
    schema->release = NULL;
    sl_batches_release(batches);
}

/* Format, name and metadata stay those of `schema`. */
static sl_status share_schema(const sl_batches *batches, const struct ArrowSchema *schema, struct ArrowSchema *out,
                              sl_error *error) {
    uint64_t num_structs = (uint64_t)schema->n_children + (schema->dictionary ? 1 : 0);
    shared_schema *shared = NULL;
    *out = (struct ArrowSchema){0};
    SL_TRY(sl_i_allocate_zeroed(&shared, schema_size(num_structs), 1, "an Arrow schema", error));
    shared->num_structs = num_structs;
    shared->batches = sl_batches_retain(batches);
    struct ArrowSchema **children = (struct ArrowSchema **)(void *)&shared->structs[num_structs];
    *out = *schema;
    out->children = schema->n_children ? children : NULL;
    out->dictionary = schema->dictionary ? &shared->structs[schema->n_children] : NULL;
    out->release = release_shared_schema;
    out->private_data = shared;
    sl_status status = SL_OK;
    for (int64_t i = 0; i < schema->n_children; i++) {
        children[i] = &shared->structs[i];
        if (status == SL_OK) status = share_schema(batches, schema->children[i], children[i], error);
    }
    if (status == SL_OK && schema->dictionary)
        status = share_schema(batches, schema->dictionary, out->dictionary, error);
    if (status != SL_OK) out->release(out);
    return status;
}

/* ---------------------------------------------------------------------------------------------- runs of rows */

typedef struct row_run {
    uint64_t batch;
    int64_t first, length; /* rows of the batch */
} row_run;

/* Batch of `row`: the last that starts at it or before, of those that are not empty. `hint` is the batch of the row before. */
static uint64_t batch_of(const sl_batches *batches, uint64_t row, uint64_t hint) {
    if (row >= batches->starts[hint] && row < batches->starts[hint + 1]) return hint;
    uint64_t low = 0, high = batches->count;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (batches->starts[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static sl_status check_rows(const sl_batches *batches, const uint64_t *rows, uint64_t count, sl_error *error) {
    uint64_t num_rows = sl_batches_num_rows(batches);
    for (uint64_t i = 0; i < count; i++)
        if (rows[i] >= num_rows)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)i, -1,
                                 "there is no row %" PRIu64 ": the batches have %" PRIu64 " rows", rows[i], num_rows);
    return SL_OK;
}

/* The runs of valid rows; `out` NULL only counts them. */
static uint64_t split_rows(const sl_batches *batches, const uint64_t *rows, uint64_t count, row_run *out) {
    uint64_t num_runs = 0, batch = 0;
    for (uint64_t i = 0; i < count; i++) {
        bool follows = i > 0 && rows[i] == rows[i - 1] + 1 && rows[i] < batches->starts[batch + 1];
        if (follows) {
            if (out) out[num_runs - 1].length++;
            continue;
        }
        batch = batch_of(batches, rows[i], batch);
        if (out) out[num_runs] = (row_run){batch, (int64_t)(rows[i] - batches->starts[batch]), 1};
        num_runs++;
    }
    return num_runs;
}

static sl_status make_runs(const sl_batches *batches, const uint64_t *rows, uint64_t count, row_run **out,
                           uint64_t *out_count, sl_error *error) {
    if (rows) SL_TRY(check_rows(batches, rows, count, error));
    *out_count = rows ? split_rows(batches, rows, count, NULL) : batches->count;
    SL_TRY(sl_i_allocate(out, *out_count, sizeof **out, "rows to export", error));
    if (rows) {
        (void)split_rows(batches, rows, count, *out);
        return SL_OK;
    }
    for (uint64_t i = 0; i < batches->count; i++) (*out)[i] = (row_run){i, 0, batches->arrays[i].length};
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- the stream */

typedef struct stream_part {
    sl_batches *batches;
    row_run *runs;
    uint64_t num_runs, next;
    sl_error error; /* of the last failed call */
} stream_part;

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    stream_part *part = stream->private_data;
    part->error.status = share_schema(part->batches, &part->batches->schema, out, &part->error);
    return part->error.status == SL_OK ? 0 : ENOMEM;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    stream_part *part = stream->private_data;
    *out = (struct ArrowArray){0};
    if (part->next == part->num_runs) return 0;
    const row_run *run = &part->runs[part->next];
    const array_slice slice = {&part->batches->arrays[run->batch], run->first, run->length, true};
    part->error.status = share_array(part->batches, slice, out, &part->error);
    if (part->error.status != SL_OK) return ENOMEM;
    part->next++;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    const stream_part *part = stream->private_data;
    return part->error.status == SL_OK ? NULL : part->error.message;
}

static void release_stream(struct ArrowArrayStream *stream) {
    stream_part *part = stream->private_data;
    sl_batches_release(part->batches);
    sl_i_release(part->runs, part->num_runs, sizeof *part->runs);
    sl_i_release(part, 1, sizeof *part);
    stream->release = NULL;
}

sl_status sl_batches_export(const sl_batches *batches, const uint64_t *rows, uint64_t count,
                            struct ArrowArrayStream *out, sl_error *error) {
    stream_part *part = NULL;
    *out = (struct ArrowArrayStream){0};
    SL_TRY(sl_i_allocate_zeroed(&part, 1, sizeof *part, "an Arrow stream", error));
    sl_status status = make_runs(batches, rows, count, &part->runs, &part->num_runs, error);
    if (status != SL_OK) {
        sl_i_release(part, 1, sizeof *part);
        return status;
    }
    part->batches = sl_batches_retain(batches);
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, part};
    return SL_OK;
}
