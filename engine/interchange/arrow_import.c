/* arrow_import.c: an Arrow array as a column, in place.
 *
 * Arrow data comes from other people's code, so whatever would make the engine read out of bounds is checked once here:
 * offsets that fall or are negative, views beyond their buffer, missing buffers. Cost: O(1) for numbers, O(n) for
 * strings and bytes. Every buffer is borrowed; the caller keeps the ArrowArray alive. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/status.h"

typedef struct arrow_type {
    const char *format;
    sl_column_type type;
    int64_t num_buffers; /* the least */
} arrow_type;

static const arrow_type arrow_types[] = {
    {"c", SL_COLUMN_INT8, 2},         {"s", SL_COLUMN_INT16, 2},  {"i", SL_COLUMN_INT32, 2},
    {"l", SL_COLUMN_INT64, 2},        {"C", SL_COLUMN_UINT8, 2},  {"S", SL_COLUMN_UINT16, 2},
    {"I", SL_COLUMN_UINT32, 2},       {"L", SL_COLUMN_UINT64, 2}, {"f", SL_COLUMN_FLOAT32, 2},
    {"g", SL_COLUMN_FLOAT64, 2},      {"u", SL_COLUMN_STRING, 3}, {"U", SL_COLUMN_LARGE_STRING, 3},
    {"vu", SL_COLUMN_STRING_VIEW, 3}, {"z", SL_COLUMN_BINARY, 3}, {"Z", SL_COLUMN_LARGE_BINARY, 3},
    {"vz", SL_COLUMN_BINARY_VIEW, 3}, {"n", SL_COLUMN_NULL, 0},
};

/* What people call the types that cannot be read. */
static const char *describe(const char *format) {
    static const char *const names[][2] = {
        {"b", "bool"},  {"e", "float16"},     {"d:", "decimal"},         {"td", "date"},
        {"tt", "time"}, {"ts", "timestamp"},  {"tD", "duration"},        {"ti", "interval"},
        {"+l", "list"}, {"+L", "large list"}, {"+w", "fixed-size list"}, {"+s", "struct"},
        {"+m", "map"},  {"+u", "union"},      {"+r", "run-end encoded"}, {"+v", "list view"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(format, names[i][0], strlen(names[i][0])) == 0) return names[i][1];
    return "unknown";
}

static sl_status malformed(sl_error *error, const char *name, const char *what, int64_t where) {
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "the Arrow data of column %.100s is malformed: %s (at %" PRId64 ")", name, what, where);
}

static sl_status read_width(const char *format, const char *name, uint32_t *width, sl_error *error) {
    uint64_t value = 0;
    const char *digit = format + 2;
    for (; *digit >= '0' && *digit <= '9' && value <= INT32_MAX; digit++) value = value * 10 + (uint64_t)(*digit - '0');
    if (*digit != '\0' || digit == format + 2 || value > INT32_MAX)
        return malformed(error, name, "the width of fixed-size bytes is no number", 0);
    *width = (uint32_t)value;
    return SL_OK;
}

/* "d:precision,scale" or "d:precision,scale,128", the scale from 0 to 38. */
static bool read_decimal(const char *format, uint32_t *scale) {
    unsigned precision = 0, digits = 0, bits = 128;
    int used = 0;
    if (sscanf(format, "d:%2u,%2u%n", &precision, &digits, &used) < 2 || digits > 38) return false;
    if (format[used] == ',' && sscanf(format + used, ",%3u", &bits) != 1) return false;
    *scale = digits;
    return bits == 128;
}

static sl_status find_type(const struct ArrowSchema *schema, const char *name, sl_column *out, int64_t *num_buffers,
                           sl_error *error) {
    const char *format = schema->format ? schema->format : "";
    for (size_t i = 0; i < sizeof arrow_types / sizeof arrow_types[0]; i++) {
        if (strcmp(format, arrow_types[i].format) != 0) continue;
        out->type = arrow_types[i].type;
        *num_buffers = arrow_types[i].num_buffers;
        return SL_OK;
    }
    if (strncmp(format, "d:", 2) == 0 && read_decimal(format, &out->width)) {
        out->type = SL_COLUMN_DECIMAL128;
        *num_buffers = 2;
        return SL_OK;
    }
    if (strncmp(format, "w:", 2) == 0) {
        out->type = SL_COLUMN_FIXED_BINARY;
        *num_buffers = 2;
        return read_width(format, name, &out->width, error);
    }
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "column %.100s has the Arrow type %s (\"%.40s\"), which cannot be read: cast it to ints, floats, "
                     "strings or bytes",
                     name, describe(format), format);
}

/* ---- strings and bytes ------------------------------------------------------------------------------------------- */

#define CHECK_OFFSETS(TYPE)                                                                                            \
    do {                                                                                                               \
        const TYPE *offsets = (const TYPE *)out->offsets + out->offset;                                                \
        if (offsets[0] < 0) return malformed(error, name, "a negative offset", 0);                                     \
        for (uint64_t i = 0; i < out->length; i++)                                                                     \
            if (offsets[i + 1] < offsets[i]) return malformed(error, name, "offsets that fall", (int64_t)i);           \
        out->values_size = (uint64_t)offsets[out->length];                                                             \
    } while (0)

static sl_status check_offsets(sl_column *out, const char *name, bool large, sl_error *error) {
    static const uint8_t nothing[1] = {0};
    if (out->length == 0) return SL_OK;
    if (!out->offsets) return malformed(error, name, "no offsets", 0);
    if (large)
        CHECK_OFFSETS(int64_t);
    else
        CHECK_OFFSETS(int32_t);
    if (!out->values && out->values_size > 0) return malformed(error, name, "no bytes", 0);
    if (!out->values) out->values = nothing; /* every value is empty */
    return SL_OK;
}

/* Arrow's view: length, then 12 bytes inline or prefix, buffer index and offset. */
typedef struct view {
    int32_t length;
    uint8_t prefix[4];
    int32_t buffer, offset;
} view;

static bool is_present(const sl_column *column, uint64_t index) {
    uint64_t bit = column->offset + index;
    return !column->validity || (column->validity[bit >> 3] >> (bit & 7) & 1);
}

static sl_status check_views(sl_column *out, const char *name, sl_error *error) {
    const view *views = out->values;
    _Static_assert(sizeof(view) == 16, "Arrow views are 16 bytes");
    for (uint64_t i = 0; i < out->length; i++) {
        view v;
        memcpy(&v, &views[out->offset + i], sizeof v);
        if (v.length >= 0 && v.length <= 12) continue;
        if (!is_present(out, i)) continue; /* what a null's view holds is undefined, and never read */
        if (v.length < 0) return malformed(error, name, "a view of negative length", (int64_t)i);
        if (v.buffer < 0 || (uint64_t)v.buffer >= out->num_buffers || !out->buffers[v.buffer])
            return malformed(error, name, "a view into no buffer", (int64_t)i);
        if (v.offset < 0 || (int64_t)v.offset + v.length > out->buffer_sizes[v.buffer])
            return malformed(error, name, "a view beyond its buffer", (int64_t)i);
    }
    return SL_OK;
}

/* ---- one array --------------------------------------------------------------------------------------------------- */

static sl_status check_shape(const struct ArrowArray *array, const char *name, int64_t num_buffers, sl_error *error) {
    if (!array->release) return malformed(error, name, "the array was released", 0);
    if (array->length < 0 || array->offset < 0 || array->length > INT64_MAX - array->offset)
        return malformed(error, name, "a negative length or offset", array->length);
    if (array->n_buffers < num_buffers || (num_buffers > 0 && !array->buffers))
        return malformed(error, name, "missing buffers", array->n_buffers);
    return SL_OK;
}

/* Bytes to which each buffer's elements must be aligned, so that they can be read as what they are. */
static size_t alignment_of(sl_column_type type) {
    switch (type) {
    case SL_COLUMN_INT16:
    case SL_COLUMN_UINT16: return 2;
    case SL_COLUMN_INT32:
    case SL_COLUMN_UINT32:
    case SL_COLUMN_FLOAT32:
    case SL_COLUMN_STRING:
    case SL_COLUMN_BINARY:
    case SL_COLUMN_STRING_VIEW:
    case SL_COLUMN_BINARY_VIEW: return 4;
    case SL_COLUMN_INT64:
    case SL_COLUMN_UINT64:
    case SL_COLUMN_FLOAT64:
    case SL_COLUMN_LARGE_STRING:
    case SL_COLUMN_LARGE_BINARY: return 8;
    default: return 1;
    }
}

static sl_status read_buffers(const struct ArrowArray *array, const char *name, sl_column *out, sl_error *error) {
    switch (out->type) {
    case SL_COLUMN_NULL: return SL_OK;
    case SL_COLUMN_STRING:
    case SL_COLUMN_BINARY:
    case SL_COLUMN_LARGE_STRING:
    case SL_COLUMN_LARGE_BINARY:
        out->offsets = array->buffers[1];
        out->values = array->buffers[2];
        return check_offsets(out, name, out->type == SL_COLUMN_LARGE_STRING || out->type == SL_COLUMN_LARGE_BINARY,
                             error);
    case SL_COLUMN_STRING_VIEW:
    case SL_COLUMN_BINARY_VIEW:
        out->values = array->buffers[1];
        out->buffers = array->buffers + 2;
        out->num_buffers = (uint64_t)array->n_buffers - 3;
        out->buffer_sizes = array->buffers[array->n_buffers - 1];
        if (out->length > 0 && (!out->values || (out->num_buffers > 0 && !out->buffer_sizes)))
            return malformed(error, name, "missing buffers", array->n_buffers);
        if ((uintptr_t)out->buffer_sizes % sizeof *out->buffer_sizes != 0)
            return malformed(error, name, "misaligned sizes of its buffers: copy the column", array->n_buffers);
        return check_views(out, name, error);
    default: out->values = array->buffers[1];
    }
    bool empty_values = out->type == SL_COLUMN_FIXED_BINARY && out->width == 0;
    if (out->length > 0 && !out->values && !empty_values) return malformed(error, name, "no values", 0);
    return SL_OK;
}

static sl_status read_array(const struct ArrowSchema *schema, const struct ArrowArray *array, const char *name,
                            sl_column *out, sl_error *error) {
    int64_t num_buffers = 0;
    memset(out, 0, sizeof *out);
    SL_TRY(find_type(schema, name, out, &num_buffers, error));
    SL_TRY(check_shape(array, name, num_buffers, error));
    out->length = (uint64_t)array->length;
    out->offset = (uint64_t)array->offset;
    if (num_buffers > 0 && array->null_count != 0) out->validity = array->buffers[0];
    if (num_buffers > 0 && array->null_count > 0 && !out->validity)
        return malformed(error, name, "nulls, but no validity bitmap", array->null_count);
    if (num_buffers > 1 && (uintptr_t)array->buffers[1] % alignment_of(out->type) != 0)
        return malformed(error, name, "a misaligned buffer: copy the column", 1);
    return read_buffers(array, name, out, error);
}

static bool is_int(sl_column_type type) { return type >= SL_COLUMN_INT8 && type <= SL_COLUMN_UINT64; }

sl_status sl_column_from_arrow(const struct ArrowSchema *schema, const struct ArrowArray *array, const char *name,
                               sl_column *dictionary_storage, sl_column *out, sl_error *error) {
    if (!name) name = schema->name && *schema->name ? schema->name : "(unnamed)";
    sl_status status = read_array(schema, array, name, out, error);
    if (status == SL_OK && schema->dictionary) {
        if (!array->dictionary || !is_int(out->type) || schema->dictionary->dictionary)
            status = malformed(error, name, "a dictionary without values or with indices that are no ints", 0);
        else
            status = read_array(schema->dictionary, array->dictionary, name, dictionary_storage, error);
        if (status == SL_OK) out->dictionary = dictionary_storage;
    }
    if (status != SL_OK) memset(out, 0, sizeof *out);
    return status;
}
