/* arrow_check.c: see arrow_check.h. */
#include "interchange/arrow_check.h"

#include <errno.h>
#include <string.h>

#include "records/utf8.h"

#define MOST_VALUES (INT64_C(1) << 40) /* of one array */
#define INLINE_BYTES 12                /* of a view */
#define FIXED_VIEW_BUFFERS 2           /* validity and views; data buffers and their sizes follow */

static sl_status malformed(sl_error *error, const char *what) {
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%s", what);
}

static bool is_view(const struct ArrowArrayView *view) {
    return view->storage_type == NANOARROW_TYPE_STRING_VIEW || view->storage_type == NANOARROW_TYPE_BINARY_VIEW;
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

static bool is_stored(const struct ArrowArrayView *view) {
    switch (view->storage_type) {
    case NANOARROW_TYPE_UNINITIALIZED:
    case NANOARROW_TYPE_RUN_END_ENCODED:
    case NANOARROW_TYPE_LIST_VIEW:
    case NANOARROW_TYPE_LARGE_LIST_VIEW: return false;
    default: break;
    }
    for (int64_t i = 0; i < view->n_children; i++)
        if (!is_stored(view->children[i])) return false;
    return !view->dictionary || is_stored(view->dictionary);
}

sl_status sl_i_arrow_view_make(const struct ArrowSchema *schema, struct ArrowArrayView *view, sl_error *error) {
    struct ArrowError reason = {{0}};
    ArrowArrayViewInitFromType(view, NANOARROW_TYPE_UNINITIALIZED);
    int code = ArrowArrayViewInitFromSchema(view, schema, &reason);
    if (code == ENOMEM) return sl_i_fail(error, SL_ERROR_MEMORY, "out of memory for a view of Arrow data");
    if (code == 0 && is_stored(view)) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "its Arrow type \"%.60s\" cannot be stored%s%.100s",
                     schema->format, reason.message[0] ? ": " : "", reason.message);
}

/* ---- looking at an array ----------------------------------------------------------------------------------------- */

static int64_t num_fixed_buffers(const struct ArrowArrayView *view) {
    int64_t count = 0;
    if (is_view(view)) return FIXED_VIEW_BUFFERS;
    while (count < NANOARROW_MAX_FIXED_BUFFERS && view->layout.buffer_type[count] != NANOARROW_BUFFER_TYPE_NONE)
        count++;
    return count;
}

/* Sizes that follow from the length can be computed. */
static bool can_be_measured(const struct ArrowArrayView *view, const struct ArrowArray *array) {
    int64_t values, product;
    if (array->length < 0 || array->offset < 0 || array->length > MOST_VALUES || array->offset > MOST_VALUES)
        return false;
    values = array->offset + array->length + 1;
    for (int i = 0; i < NANOARROW_MAX_FIXED_BUFFERS; i++) {
        int64_t bits = view->layout.element_size_bits[i];
        if (bits < 0 || __builtin_mul_overflow(bits, values, &product) || product > INT64_MAX / 2) return false;
    }
    int64_t children = view->layout.child_size_elements;
    return children >= 0 && !__builtin_mul_overflow(children, values, &product);
}

static int64_t known_size(sl_i_buffer_sizes *known, const void *buffer) {
    uint64_t size = known ? known->sizes[known->next++] : 0;
    if (!buffer) return 0;
    return !known ? -1 : size < INT64_MAX ? (int64_t)size : INT64_MAX;
}

/* Data buffers of views, and the last one, with their sizes: these are told by the array, and have to be had. */
static const char *look_at_data(struct ArrowArrayView *view, const struct ArrowArray *array, sl_i_buffer_sizes *known) {
    int64_t count = array->n_buffers - FIXED_VIEW_BUFFERS - 1;
    const uint8_t *sizes = array->buffers[array->n_buffers - 1];
    bool has_sizes =
        count == 0 || (sizes && (!known || known->sizes[known->next + (uint64_t)count] / 8 >= (uint64_t)count));
    if (!has_sizes) return "the sizes of its data buffers are missing";
    for (int64_t i = 0; i < count; i++) {
        int64_t told, bytes = known_size(known, array->buffers[FIXED_VIEW_BUFFERS + i]);
        memcpy(&told, sizes + 8 * (size_t)i, sizeof told);
        if (told < 0 || (known && told > bytes)) return "a data buffer is shorter than it is told to be";
        if (told > 0 && !array->buffers[FIXED_VIEW_BUFFERS + i]) return "a data buffer is missing";
    }
    (void)known_size(known, sizes);
    view->n_variadic_buffers = (int32_t)count;
    view->variadic_buffers = array->buffers + FIXED_VIEW_BUFFERS;
    view->variadic_buffer_sizes = (int64_t *)(uintptr_t)sizes; /* only read */
    return NULL;
}

/* Without a bitmap there are no nulls, even if they were not counted; with one, it tells of every value. */
static const char *look_at_validity(struct ArrowArrayView *view, const struct ArrowArray *array, bool is_known) {
    if (view->layout.buffer_type[0] != NANOARROW_BUFFER_TYPE_VALIDITY) return NULL;
    if (!array->buffers[0]) view->null_count = 0;
    if (!array->buffers[0] || !is_known || view->buffer_views[0].size_bytes >= (array->offset + array->length + 7) / 8)
        return NULL;
    return "its bitmap of nulls is too short";
}

/* NULL, or what is wrong. Children and dictionaries are as many as the type has: sl_batches has checked that, or the reader has
 * made them so. */
static const char *look_at(struct ArrowArrayView *view, const struct ArrowArray *array, sl_i_buffer_sizes *known) {
    int64_t fixed = num_fixed_buffers(view), variadic = array->n_buffers - fixed;
    if (is_view(view) ? variadic < 1 || variadic > INT32_MAX : variadic != 0)
        return "it has not the buffers of its type";
    if (!can_be_measured(view, array)) return "a length or offset is negative or too large";
    view->array = array;
    view->length = array->length;
    view->offset = array->offset;
    view->null_count = array->null_count;
    if (array->null_count < -1 || array->null_count > array->length) return "it counts more nulls than values";
    for (int64_t i = 0; i < fixed; i++) {
        view->buffer_views[i].data.data = array->buffers[i];
        view->buffer_views[i].size_bytes = known_size(known, array->buffers[i]);
    }
    const char *fault = look_at_validity(view, array, known != NULL);
    if (!fault && is_view(view)) fault = look_at_data(view, array, known);
    for (int64_t i = 0; i < view->n_children && !fault; i++)
        fault = look_at(view->children[i], array->children[i], known);
    return fault || !view->dictionary ? fault : look_at(view->dictionary, array->dictionary, known);
}

uint64_t sl_i_arrow_buffer_size(const struct ArrowArrayView *view, int64_t which, int64_t num_buffers) {
    int64_t size = 0;
    if (is_view(view) && which == num_buffers - 1)
        size = 8 * (int64_t)view->n_variadic_buffers;
    else if (is_view(view) && which >= FIXED_VIEW_BUFFERS)
        size = view->variadic_buffer_sizes[which - FIXED_VIEW_BUFFERS];
    else
        size = view->buffer_views[which].size_bytes;
    return size > 0 ? (uint64_t)size : 0;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Where value `i` of a string or binary array begins. */
static int64_t start_of(const struct ArrowArrayView *view, int64_t i) {
    const struct ArrowBufferView *offsets = &view->buffer_views[1];
    return view->layout.element_size_bits[1] == 32 ? offsets->data.as_int32[i] : offsets->data.as_int64[i];
}

static const char *check_strings(const struct ArrowArrayView *view) {
    for (int64_t i = 0; i < view->length; i++) {
        if (ArrowArrayViewIsNull(view, i)) continue;
        int64_t start = start_of(view, view->offset + i), end = start_of(view, view->offset + i + 1);
        if (end > start && !sl_i_utf8_valid(view->buffer_views[2].data.as_uint8 + start, (size_t)(end - start)))
            return "a string is not valid UTF-8";
    }
    return NULL;
}

/* The bytes of a view; NULL where they are out of bounds. */
static const uint8_t *bytes_of_view(const struct ArrowArrayView *view, const uint8_t *bytes, int32_t *length) {
    int32_t buffer, offset;
    memcpy(length, bytes, sizeof *length);
    if (*length < 0) return NULL;
    if (*length <= INLINE_BYTES) return bytes + 4;
    memcpy(&buffer, bytes + 8, sizeof buffer);
    memcpy(&offset, bytes + 12, sizeof offset);
    if (buffer < 0 || buffer >= view->n_variadic_buffers || offset < 0) return NULL;
    if ((int64_t)offset + *length > view->variadic_buffer_sizes[buffer]) return NULL;
    return (const uint8_t *)view->variadic_buffers[buffer] + offset;
}

static const char *check_views(const struct ArrowArrayView *view) {
    for (int64_t i = 0; i < view->length; i++) {
        if (ArrowArrayViewIsNull(view, i)) continue;
        int32_t length = 0;
        const uint8_t *at = view->buffer_views[1].data.as_uint8 + 16 * (size_t)(view->offset + i);
        const uint8_t *bytes = bytes_of_view(view, at, &length);
        if (!bytes) return "a view is out of bounds";
        if (view->storage_type == NANOARROW_TYPE_STRING_VIEW && !sl_i_utf8_valid(bytes, (size_t)length))
            return "a string is not valid UTF-8";
    }
    return NULL;
}

static const char *check_union(const struct ArrowArrayView *view) {
    for (int64_t i = 0; i < view->length; i++)
        if (ArrowArrayViewUnionChildOffset(view, i) >= view->children[ArrowArrayViewUnionChildIndex(view, i)]->length)
            return "an offset of a union is out of bounds";
    return NULL;
}

static const char *check_values(const struct ArrowArrayView *view) {
    const char *fault = NULL;
    switch (view->storage_type) {
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING: fault = check_strings(view); break;
    case NANOARROW_TYPE_STRING_VIEW:
    case NANOARROW_TYPE_BINARY_VIEW: fault = check_views(view); break;
    case NANOARROW_TYPE_DENSE_UNION: fault = check_union(view); break;
    default: break;
    }
    for (int64_t i = 0; i < view->n_children && !fault; i++) fault = check_values(view->children[i]);
    return fault || !view->dictionary ? fault : check_values(view->dictionary);
}

sl_status sl_i_arrow_check(struct ArrowArrayView *view, const struct ArrowArray *array, sl_i_buffer_sizes *known,
                           sl_error *error) {
    struct ArrowError reason = {{0}};
    const char *fault = look_at(view, array, known);
    if (fault) return malformed(error, fault);
    if (ArrowArrayViewValidate(view, NANOARROW_VALIDATION_LEVEL_FULL, &reason) != 0)
        return malformed(error, reason.message);
    fault = check_values(view);
    return fault ? malformed(error, fault) : SL_OK;
}
