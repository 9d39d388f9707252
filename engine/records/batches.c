/* batches.c: reading a stream of Arrow batches, checking their structs, and their life. See batches.h. */
#include "records/batches.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define DEEPEST_NESTING 64 /* of types: checking and sharing recurse */
#define MOST_TYPES 1000000 /* of one schema: types that share their parts, or are parts of themselves, seem endless */

/* ---------------------------------------------------------------------------------------------- checking */

static sl_status malformed(sl_error *error, const char *what, uint64_t batch) {
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "batch %" PRIu64 " of the Arrow stream is malformed: %s", batch,
                     what);
}

/* *left_io is how many types there may still be. */
static bool schema_is_sound(const struct ArrowSchema *schema, int depth, uint32_t *left_io) {
    if (!schema || !schema->release || !schema->format || schema->n_children < 0 || depth > DEEPEST_NESTING ||
        *left_io == 0)
        return false;
    --*left_io;
    if (schema->n_children > 0 && !schema->children) return false;
    for (int64_t i = 0; i < schema->n_children; i++)
        if (!schema_is_sound(schema->children[i], depth + 1, left_io)) return false;
    return !schema->dictionary || schema_is_sound(schema->dictionary, depth + 1, left_io);
}

static sl_status check_schema(const struct ArrowSchema *schema, sl_error *error) {
    uint32_t types_left = MOST_TYPES;
    if (!schema_is_sound(schema, 0, &types_left))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the schema of the Arrow stream is malformed: released, without a format, without a child it "
                         "counts, nested deeper than %d types, or of more than %d types",
                         DEEPEST_NESTING, MOST_TYPES);
    if (strcmp(schema->format, "+s") == 0) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "the Arrow stream holds one column of type \"%.40s\", not the columns of a table", schema->format);
}

/* What is wrong with an array, or NULL. The schema is sound. */
static const char *fault_of(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    if (!array || !array->release) return "an array is missing or released";
    if (array->length < 0 || array->offset < 0 || array->length > INT64_MAX - array->offset)
        return "a length or offset is negative or too large";
    if (array->n_buffers < 0 || (array->n_buffers > 0 && !array->buffers)) return "buffers are missing";
    if (array->n_children != schema->n_children || (array->n_children > 0 && !array->children))
        return "its columns are not those of the schema";
    if ((array->dictionary != NULL) != (schema->dictionary != NULL)) return "a dictionary is missing or unexpected";
    const char *fault = array->dictionary ? fault_of(schema->dictionary, array->dictionary) : NULL;
    for (int64_t i = 0; i < array->n_children && !fault; i++) fault = fault_of(schema->children[i], array->children[i]);
    return fault;
}

static sl_status check_no_null(const struct ArrowArray *array, uint64_t first_row, sl_error *error) {
    const uint8_t *validity = array->n_buffers > 0 && array->null_count != 0 ? array->buffers[0] : NULL;
    for (int64_t i = 0; validity && i < array->length; i++) {
        uint64_t bit = (uint64_t)(array->offset + i), row = first_row + (uint64_t)i;
        if (!(validity[bit >> 3] >> (bit & 7) & 1))
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                                 "row %" PRIu64 " is null as a whole: leave it out, or give nulls in its columns", row);
    }
    return SL_OK;
}

static sl_status check_array(const sl_batches *batches, const struct ArrowArray *array, sl_error *error) {
    const char *fault = fault_of(&batches->schema, array);
    for (int64_t i = 0; !fault && i < array->n_children; i++)
        if (array->children[i]->length < array->offset + array->length) fault = "a column is shorter than its batch";
    uint64_t rows = batches->starts[batches->count];
    if (!fault && (uint64_t)array->length > INT64_MAX - rows) fault = "more rows than can be counted";
    return fault ? malformed(error, fault, batches->count) : check_no_null(array, rows, error);
}

/* ---------------------------------------------------------------------------------------------- reading */

static sl_status stream_failed(struct ArrowArrayStream *stream, int code, sl_error *error) {
    if (code == ENOMEM) return sl_i_fail(error, SL_ERROR_MEMORY, "out of memory while an Arrow stream made a batch");
    const char *reason = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the Arrow stream failed: %.400s",
                     reason ? reason : strerror(code));
}

/* Room for one more batch. Both blocks are had before either changes. */
static sl_status reserve_one(sl_batches *batches, sl_error *error) {
    uint64_t old = batches->capacity, capacity = old ? 2 * old : 4;
    uint64_t *starts = NULL;
    if (batches->count < old) return SL_OK;
    SL_TRY(sl_i_allocate_zeroed(&starts, capacity + 1, sizeof *starts, "rows of batches", error));
    sl_status status = sl_i_grow(&batches->arrays, old, capacity, sizeof *batches->arrays, "batches", error);
    if (status != SL_OK) {
        sl_i_release(starts, capacity + 1, sizeof *starts);
        return status;
    }
    if (old) memcpy(starts, batches->starts, (size_t)(old + 1) * sizeof *starts);
    sl_i_release(batches->starts, old + 1, sizeof *starts);
    batches->starts = starts;
    batches->capacity = capacity;
    return SL_OK;
}

/* Take the array over, or release it. */
static sl_status take_batch(sl_batches *batches, struct ArrowArray *array, sl_error *error) {
    sl_status status = reserve_one(batches, error);
    if (status == SL_OK) status = check_array(batches, array, error);
    if (status != SL_OK) {
        array->release(array);
        return status;
    }
    uint64_t rows = batches->starts[batches->count];
    batches->arrays[batches->count++] = *array;
    batches->starts[batches->count] = rows + (uint64_t)array->length;
    return SL_OK;
}

static sl_status read_stream(sl_batches *batches, struct ArrowArrayStream *stream, sl_error *error) {
    int code = stream->get_schema(stream, &batches->schema);
    if (code) {
        batches->schema.release = NULL;
        return stream_failed(stream, code, error);
    }
    SL_TRY(check_schema(&batches->schema, error));
    SL_TRY(reserve_one(batches, error));
    for (;;) {
        struct ArrowArray array = {0};
        code = stream->get_next(stream, &array);
        if (code) return stream_failed(stream, code, error);
        if (!array.release) return SL_OK;
        SL_TRY(take_batch(batches, &array, error));
    }
}

sl_status sl_batches_from_stream(struct ArrowArrayStream *stream, sl_batches **out, sl_error *error) {
    sl_batches *batches = NULL;
    *out = NULL;
    if (!stream->release)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the Arrow stream is used up: it was released before");
    sl_status status = sl_i_allocate_zeroed(&batches, 1, sizeof *batches, "batches", error);
    if (status == SL_OK) {
        atomic_init(&batches->references, 1);
        status = read_stream(batches, stream, error);
    }
    stream->release(stream);
    if (status == SL_OK)
        *out = batches;
    else
        sl_batches_release(batches);
    return status;
}

/* ---------------------------------------------------------------------------------------------- life, looking */

sl_batches *sl_batches_retain(const sl_batches *batches) {
    sl_batches *shared = (sl_batches *)(uintptr_t)batches; /* only the counter changes */
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void sl_batches_release(sl_batches *batches) {
    if (!batches || atomic_fetch_sub_explicit(&batches->references, 1, memory_order_acq_rel) != 1) return;
    for (uint64_t i = 0; i < batches->count; i++) batches->arrays[i].release(&batches->arrays[i]);
    if (batches->schema.release) batches->schema.release(&batches->schema);
    sl_i_release(batches->arrays, batches->capacity, sizeof *batches->arrays);
    sl_i_release(batches->starts, batches->capacity + 1, sizeof *batches->starts);
    sl_i_release(batches, 1, sizeof *batches);
}

uint64_t sl_batches_num_rows(const sl_batches *batches) { return batches->starts[batches->count]; }
uint64_t sl_batches_num_batches(const sl_batches *batches) { return batches->count; }
const struct ArrowSchema *sl_batches_schema(const sl_batches *batches) { return &batches->schema; }

const struct ArrowArray *sl_batches_batch(const sl_batches *batches, uint64_t index) {
    return index < batches->count ? &batches->arrays[index] : NULL;
}
