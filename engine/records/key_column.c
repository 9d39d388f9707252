/* key_column.c: see key_column.h.
 *
 * `read_value` knows every layout. It is always inlined into loops that run for one type, so the switch is decided when
 * compiling; only dictionary values and explanations decide per value. Values are trusted to lie in their buffers
 * (sl_column_from_arrow checks them); lengths and codes are checked here because that is free. */
#include "records/key_column.h"

#include <inttypes.h>
#include <string.h>

#include "records/record_store.h"
#include "records/utf8.h"

typedef struct view {
    int32_t length;
    union {
        uint8_t inlined[12];
        struct {
            uint8_t prefix[4];
            int32_t buffer;
            int32_t offset;
        } ref;
    } u;
} view;
_Static_assert(sizeof(view) == 16, "Arrow's view layout");

/* ---------------------------------------------------------------------------------------------- one value */

static inline void set_number(sl_i_probe *probe, uint64_t number) {
    probe->value.number = number;
    probe->length = 0;
    probe->kind = number >> 32 ? SL_KEY_U64 : SL_KEY_U32;
}

static inline bool set_signed(sl_i_probe *probe, int64_t number) {
    set_number(probe, (uint64_t)number);
    return number >= 0;
}

static inline bool set_bytes(sl_i_probe *probe, sl_key_kind kind, const void *bytes, int64_t length) {
    probe->value.bytes = bytes;
    probe->length = (uint32_t)length;
    probe->kind = (uint8_t)kind;
    return length >= 0 && length <= (int64_t)UINT32_MAX;
}

static const uint8_t no_bytes[1];

static inline bool set_slice(sl_i_probe *probe, sl_key_kind kind, const sl_column *column, int64_t begin, int64_t end) {
    const uint8_t *base = column->values ? column->values : no_bytes; /* absent where all values are empty */
    return set_bytes(probe, kind, base + begin, end - begin);
}

static inline bool set_view(sl_i_probe *probe, sl_key_kind kind, const sl_column *column, uint64_t i) {
    const view *v = (const view *)column->values + i;
    if (v->length <= 12) return set_bytes(probe, kind, v->u.inlined, v->length);
    return set_bytes(probe, kind, (const uint8_t *)column->buffers[v->u.ref.buffer] + v->u.ref.offset, v->length);
}

static inline bool set_key(sl_i_probe *probe, const sl_key *key) {
    if (key->kind > SL_KEY_BYTES || (int)key->kind < 0) return false;
    if (key->kind <= SL_KEY_U64) {
        set_number(probe, key->number);
        return true;
    }
    set_bytes(probe, key->kind, key->bytes ? key->bytes : no_bytes, key->length);
    return key->bytes || key->length == 0;
}

#define VALUE(type_) ((const type_ *)column->values)[i]
#define OFFSETS(type_) ((const type_ *)column->offsets)

/* The value at physical position `i`; false if it is no key. */
static inline __attribute__((always_inline)) bool read_value(const sl_column *column, sl_column_type type, uint64_t i,
                                                             sl_i_probe *probe) {
    sl_key_kind kind = type == SL_COLUMN_STRING || type == SL_COLUMN_LARGE_STRING || type == SL_COLUMN_STRING_VIEW
                           ? SL_KEY_STRING
                           : SL_KEY_BYTES;
    switch (type) {
    case SL_COLUMN_INT8: return set_signed(probe, VALUE(int8_t));
    case SL_COLUMN_INT16: return set_signed(probe, VALUE(int16_t));
    case SL_COLUMN_INT32: return set_signed(probe, VALUE(int32_t));
    case SL_COLUMN_INT64: return set_signed(probe, VALUE(int64_t));
    case SL_COLUMN_UINT8: set_number(probe, VALUE(uint8_t)); return true;
    case SL_COLUMN_UINT16: set_number(probe, VALUE(uint16_t)); return true;
    case SL_COLUMN_UINT32: set_number(probe, VALUE(uint32_t)); return true;
    case SL_COLUMN_UINT64: set_number(probe, VALUE(uint64_t)); return true;
    case SL_COLUMN_STRING:
    case SL_COLUMN_BINARY: return set_slice(probe, kind, column, OFFSETS(int32_t)[i], OFFSETS(int32_t)[i + 1]);
    case SL_COLUMN_LARGE_STRING:
    case SL_COLUMN_LARGE_BINARY: return set_slice(probe, kind, column, OFFSETS(int64_t)[i], OFFSETS(int64_t)[i + 1]);
    case SL_COLUMN_STRING_VIEW:
    case SL_COLUMN_BINARY_VIEW: return set_view(probe, kind, column, i);
    case SL_COLUMN_FIXED_BINARY:
        if (column->width == 0) return set_bytes(probe, kind, no_bytes, 0);
        return set_bytes(probe, kind, (const uint8_t *)column->values + i * column->width, column->width);
    case SL_COLUMN_KEYS: return set_key(probe, &VALUE(sl_key));
    case SL_COLUMN_FLOAT32:
    case SL_COLUMN_FLOAT64:
    case SL_COLUMN_NULL:
    case SL_COLUMN_DECIMAL128: break;
    }
    return false;
}

static bool is_null(const sl_column *column, uint64_t i) {
    return column->type == SL_COLUMN_NULL || (column->validity && !(column->validity[i >> 3] >> (i & 7) & 1));
}

/* The dictionary code at physical position `i`; a negative one comes out beyond any dictionary. */
static uint64_t read_code(const sl_column *column, uint64_t i) {
    switch (column->type) {
    case SL_COLUMN_INT8: return (uint64_t)(int64_t)VALUE(int8_t);
    case SL_COLUMN_INT16: return (uint64_t)(int64_t)VALUE(int16_t);
    case SL_COLUMN_INT32: return (uint64_t)(int64_t)VALUE(int32_t);
    case SL_COLUMN_INT64: return (uint64_t)VALUE(int64_t);
    case SL_COLUMN_UINT8: return VALUE(uint8_t);
    case SL_COLUMN_UINT16: return VALUE(uint16_t);
    case SL_COLUMN_UINT32: return VALUE(uint32_t);
    case SL_COLUMN_UINT64: return VALUE(uint64_t);
    default: return UINT64_MAX;
    }
}

/* ---------------------------------------------------------------------------------------------- many values */

/* How many of `count` values from physical position `first` on are present before the first null. */
static uint32_t count_present(const sl_column *column, uint64_t first, uint32_t count) {
    if (column->type == SL_COLUMN_NULL) return 0;
    if (!column->validity) return count;
    uint32_t i = 0;
    while (i < count) {
        uint64_t at = first + i;
        if ((at & 7) == 0 && count - i >= 8 && column->validity[at >> 3] == 0xFF)
            i += 8;
        else if (is_null(column, at))
            return i;
        else
            i++;
    }
    return count;
}

static inline bool read_coded(const sl_i_key_reader *reader, uint64_t code, sl_i_probe *probe) {
    const sl_column *dictionary = reader->column.keys.dictionary;
    if (code >= dictionary->length) return false;
    if (reader->memo) {
        probe->memo = &reader->memo[code];
        if (*probe->memo) {
            probe->lane = SL_I_LANE_RESOLVED;
            probe->slot = *probe->memo - 1;
            return true;
        }
    }
    uint64_t at = dictionary->offset + code;
    return !is_null(dictionary, at) && read_value(dictionary, dictionary->type, at, probe);
}

#define READ_ALL(type_)                                                                                                \
    case type_:                                                                                                        \
        for (; n < count; n++) {                                                                                       \
            sl_i_probe *probe = &probes[(size_t)n * stride];                                                           \
            probe->memo = NULL;                                                                                        \
            probe->lane = SL_I_LANE_UNSET;                                                                             \
            if (!read_value(column, type_, at + n, probe)) break;                                                      \
        }                                                                                                              \
        break

static uint32_t read_plain(const sl_column *column, uint64_t at, uint32_t count, uint32_t stride, sl_i_probe *probes) {
    uint32_t n = 0;
    switch (column->type) {
        READ_ALL(SL_COLUMN_INT8);
        READ_ALL(SL_COLUMN_INT16);
        READ_ALL(SL_COLUMN_INT32);
        READ_ALL(SL_COLUMN_INT64);
        READ_ALL(SL_COLUMN_UINT8);
        READ_ALL(SL_COLUMN_UINT16);
        READ_ALL(SL_COLUMN_UINT32);
        READ_ALL(SL_COLUMN_UINT64);
        READ_ALL(SL_COLUMN_STRING);
        READ_ALL(SL_COLUMN_LARGE_STRING);
        READ_ALL(SL_COLUMN_STRING_VIEW);
        READ_ALL(SL_COLUMN_BINARY);
        READ_ALL(SL_COLUMN_LARGE_BINARY);
        READ_ALL(SL_COLUMN_BINARY_VIEW);
        READ_ALL(SL_COLUMN_FIXED_BINARY);
        READ_ALL(SL_COLUMN_KEYS);
    case SL_COLUMN_FLOAT32:
    case SL_COLUMN_FLOAT64:
    case SL_COLUMN_NULL:
    case SL_COLUMN_DECIMAL128: break;
    }
    return n;
}

#define CODES_AT_ONCE 128u

/* The place where dictionary value `i` begins to be read. */
static inline const void *value_place(const sl_column *dictionary, uint64_t i) {
    switch (dictionary->type) {
    case SL_COLUMN_STRING:
    case SL_COLUMN_BINARY: return (const int32_t *)dictionary->offsets + i;
    case SL_COLUMN_LARGE_STRING:
    case SL_COLUMN_LARGE_BINARY: return (const int64_t *)dictionary->offsets + i;
    case SL_COLUMN_STRING_VIEW:
    case SL_COLUMN_BINARY_VIEW: return (const view *)dictionary->values + i;
    default: return dictionary->values;
    }
}

/* Large dictionaries are read at random: memo places, then values not met before, then their bytes, each on its way
 * before it is looked at. */
static void read_codes(const sl_i_key_reader *reader, uint64_t at, uint32_t count, uint64_t *codes) {
    const sl_column *dictionary = reader->column.keys.dictionary;
    for (uint32_t i = 0; i < count; i++) {
        codes[i] = read_code(&reader->column.keys, at + i);
        if (reader->memo && codes[i] < dictionary->length) SL_I_PREFETCH(&reader->memo[codes[i]]);
    }
    for (uint32_t i = 0; i < count; i++)
        if (codes[i] < dictionary->length && !(reader->memo && reader->memo[codes[i]]))
            SL_I_PREFETCH(value_place(dictionary, dictionary->offset + codes[i]));
}

static uint32_t read_some(const sl_i_key_reader *reader, uint64_t at, uint32_t count, uint32_t stride,
                          sl_i_probe *probes) {
    uint64_t codes[CODES_AT_ONCE];
    read_codes(reader, at, count, codes);
    for (uint32_t n = 0; n < count; n++) {
        sl_i_probe *probe = &probes[(size_t)n * stride];
        probe->memo = NULL;
        probe->lane = SL_I_LANE_UNSET;
        if (!read_coded(reader, codes[n], probe)) return n;
        if (probe->lane == SL_I_LANE_UNSET && probe->kind >= SL_KEY_STRING) SL_I_PREFETCH(probe->value.bytes);
    }
    return count;
}

static uint32_t read_dictionary(const sl_i_key_reader *reader, uint64_t at, uint32_t count, uint32_t stride,
                                sl_i_probe *probes) {
    uint32_t n = 0;
    while (n < count) {
        uint32_t wanted = count - n < CODES_AT_ONCE ? count - n : CODES_AT_ONCE;
        uint32_t got = read_some(reader, at + n, wanted, stride, probes + (size_t)n * stride);
        n += got;
        if (got < wanted) break;
    }
    return n;
}

uint32_t sl_i_key_reader_read(const sl_i_key_reader *reader, uint64_t first, uint32_t count, uint32_t stride,
                              sl_i_probe *probes) {
    const sl_column *column = &reader->column.keys;
    uint64_t at = column->offset + first;
    count = count_present(column, at, count);
    for (uint32_t i = 0; i < count; i++)
        probes[(size_t)i * stride].source =
            reader->column.sources ? reader->column.sources[first + i] : reader->column.source;
    return column->dictionary ? read_dictionary(reader, at, count, stride, probes)
                              : read_plain(column, at, count, stride, probes);
}

bool sl_i_key_reader_is_plain_int(const sl_i_key_reader *reader) {
    const sl_column *column = &reader->column.keys;
    return !column->dictionary && column->type >= SL_COLUMN_INT8 && column->type <= SL_COLUMN_UINT64;
}

#define WIDEN(column_type_, type_)                                                                                     \
    case column_type_: {                                                                                               \
        const type_ *values = (const type_ *)column->values + at;                                                      \
        for (uint32_t n = 0; n < count; n++) numbers[n] = (uint64_t)(int64_t)values[n];                                \
        break;                                                                                                         \
    }

uint32_t sl_i_key_reader_numbers(const sl_i_key_reader *reader, uint64_t first, uint32_t count, uint64_t *numbers) {
    const sl_column *column = &reader->column.keys;
    uint64_t at = column->offset + first;
    count = count_present(column, at, count);
    switch (column->type) {
        WIDEN(SL_COLUMN_INT8, int8_t)
        WIDEN(SL_COLUMN_INT16, int16_t)
        WIDEN(SL_COLUMN_INT32, int32_t)
        WIDEN(SL_COLUMN_INT64, int64_t)
        WIDEN(SL_COLUMN_UINT8, uint8_t)
        WIDEN(SL_COLUMN_UINT16, uint16_t)
        WIDEN(SL_COLUMN_UINT32, uint32_t)
    case SL_COLUMN_UINT64:
        memcpy(numbers, (const uint64_t *)column->values + at, count * sizeof *numbers);
        return count;
    default: return 0;
    }
    uint64_t signs = 0;
    for (uint32_t n = 0; n < count; n++) signs |= numbers[n];
    if (!(signs >> 63)) return count;
    uint32_t n = 0;
    while (!(numbers[n] >> 63)) n++;
    return n;
}

/* ---------------------------------------------------------------------------------------------- checking */

static bool holds_keys(sl_column_type type) {
    return type >= SL_COLUMN_INT8 && type <= SL_COLUMN_NULL && type != SL_COLUMN_FLOAT32 && type != SL_COLUMN_FLOAT64;
}

static bool is_int(sl_column_type type) { return type >= SL_COLUMN_INT8 && type <= SL_COLUMN_UINT64; }

static bool lacks_buffers(const sl_column *column) {
    if (column->length == 0 || column->type == SL_COLUMN_NULL) return false;
    switch (column->type) {
    case SL_COLUMN_STRING:
    case SL_COLUMN_LARGE_STRING:
    case SL_COLUMN_BINARY:
    case SL_COLUMN_LARGE_BINARY: return !column->offsets;
    case SL_COLUMN_FIXED_BINARY: return !column->values && column->width > 0;
    default: return !column->values;
    }
}

static sl_status check_types(const sl_column *column, const char *name, sl_error *error) {
    const sl_column *dictionary = column->dictionary;
    const sl_column *values = dictionary ? dictionary : column;
    if (dictionary && (!is_int(column->type) || dictionary->dictionary))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "column %s: a dictionary-encoded column has int codes and plain values", name);
    if (!holds_keys(values->type))
        return sl_i_fail(error, SL_ERROR_INVALID_KEY, "column %s has type %s: keys must be int, str or bytes", name,
                         sl_i_column_type_name(values->type));
    if (lacks_buffers(column) || (dictionary && lacks_buffers(dictionary)))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "column %s has %" PRIu64 " values but no buffer for them",
                         name, column->length);
    return SL_OK;
}

static sl_status check_sources(const sl_key_column *column, const char *name, uint32_t num_sources, uint64_t first_row,
                               sl_error *error) {
    if (column->keys.length == 0) return SL_OK;
    if (!column->sources) {
        if (column->source < num_sources) return SL_OK;
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "column %s names source %u, but the context has %" PRIu32
                         " sources: add it with sl_context_add_source first",
                         name, column->source, num_sources);
    }
    uint16_t highest = 0;
    for (uint64_t i = 0; i < column->keys.length; i++)
        highest = column->sources[i] > highest ? column->sources[i] : highest;
    if (highest < num_sources) return SL_OK;
    uint64_t row = 0;
    while (column->sources[row] < num_sources) row++;
    return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)(first_row + row), -1,
                         "column %s names source %u in row %" PRIu64 ", but the context has %" PRIu32
                         " sources: add it with sl_context_add_source first",
                         name, column->sources[row], first_row + row, num_sources);
}

sl_status sl_i_key_reader_make(const sl_key_column *column, const char *name, uint32_t num_sources, uint64_t first_row,
                               sl_i_key_reader *out, sl_error *error) {
    *out = (sl_i_key_reader){.column = *column, .name = name, .first_row = first_row};
    SL_TRY(check_types(&column->keys, name, error));
    SL_TRY(check_sources(column, name, num_sources, first_row, error));
    const sl_column *dictionary = column->keys.dictionary;
    /* A memo pays where entries are met again; it would cost much for a short slice over a large dictionary. */
    if (!dictionary || column->sources || dictionary->length / 2 > column->keys.length) return SL_OK;
    SL_TRY(sl_i_allocate_zeroed(&out->memo, dictionary->length, sizeof *out->memo, "dictionary entries", error));
    out->memo_length = dictionary->length;
    return SL_OK;
}

void sl_i_key_reader_free(sl_i_key_reader *reader) {
    sl_i_release(reader->memo, reader->memo_length, sizeof *reader->memo);
    reader->memo = NULL;
}

/* ---------------------------------------------------------------------------------------------- int ranges */

bool sl_i_key_reader_sources(const sl_i_key_reader *reader, uint16_t *lowest, uint16_t *highest) {
    const sl_key_column *column = &reader->column;
    if (column->keys.length == 0) return false;
    *lowest = *highest = column->sources ? column->sources[0] : column->source;
    for (uint64_t i = 0; column->sources && i < column->keys.length; i++) {
        if (column->sources[i] < *lowest) *lowest = column->sources[i];
        if (column->sources[i] > *highest) *highest = column->sources[i];
    }
    return true;
}

#define LARGEST(column_type_, type_)                                                                                   \
    case column_type_: {                                                                                               \
        const type_ *values = (const type_ *)column->values + column->offset;                                          \
        type_ top = 0;                                                                                                 \
        for (uint64_t n = 0; n < column->length; n++) top = values[n] > top ? values[n] : top;                         \
        return (uint64_t)top;                                                                                          \
    }

static uint64_t largest_int(const sl_column *column) {
    switch (column->type) {
        LARGEST(SL_COLUMN_INT8, int8_t)
        LARGEST(SL_COLUMN_INT16, int16_t)
        LARGEST(SL_COLUMN_INT32, int32_t)
        LARGEST(SL_COLUMN_INT64, int64_t)
        LARGEST(SL_COLUMN_UINT8, uint8_t)
        LARGEST(SL_COLUMN_UINT16, uint16_t)
        LARGEST(SL_COLUMN_UINT32, uint32_t)
        LARGEST(SL_COLUMN_UINT64, uint64_t)
    default: return 0;
    }
}

static void widen_range(sl_i_int_range *range, uint64_t number, uint64_t rows) {
    if (number > range->largest) range->largest = number;
    range->rows += rows;
}

/* Row by row: keys of mixed kinds, or a source for each row. */
static void add_rows(const sl_i_key_reader *reader, uint16_t lowest, sl_i_int_range *ranges) {
    const sl_column *column = &reader->column.keys;
    sl_i_key_reader bare = *reader;
    bare.memo = NULL;
    for (uint64_t row = 0; row < column->length; row++) {
        sl_i_probe probe;
        if (sl_i_key_reader_read(&bare, row, 1, 1, &probe) == 1 && probe.kind <= SL_KEY_U64)
            widen_range(&ranges[probe.source - lowest], probe.value.number, 1);
    }
}

void sl_i_key_reader_int_ranges(const sl_i_key_reader *reader, uint16_t lowest, sl_i_int_range *ranges) {
    const sl_column *column = &reader->column.keys;
    const sl_column *values = column->dictionary ? column->dictionary : column;
    if (column->length == 0) return;
    bool ints = is_int(values->type);
    if (!ints && values->type != SL_COLUMN_KEYS) return;
    if (ints && !reader->column.sources)
        widen_range(&ranges[reader->column.source - lowest], largest_int(values), column->length);
    else
        add_rows(reader, lowest, ranges);
}

/* ---------------------------------------------------------------------------------------------- explaining */

static sl_status explain_value(const sl_i_key_reader *reader, const sl_column *column, uint64_t i, uint64_t row,
                               sl_error *error) {
    sl_i_probe probe = {0};
    bool usable = read_value(column, column->type, i, &probe);
    const char *name = reader->name;
    if (is_int(column->type) && !usable)
        return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                             "row %" PRIu64 ", column %s: the key %" PRId64
                             " is negative; int keys must be 0 to 2^64-1 (use strings for other identifiers)",
                             row, name, (int64_t)probe.value.number);
    if (column->type == SL_COLUMN_KEYS)
        return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                             "row %" PRIu64 ", column %s: an sl_key of kind %d without bytes or of no known kind", row,
                             name, (int)((const sl_key *)column->values)[i].kind);
    return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                         "row %" PRIu64 ", column %s: the key's length is negative or beyond 4294967295 bytes", row,
                         name);
}

static sl_status explain_null(const sl_i_key_reader *reader, uint64_t row, sl_error *error) {
    return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                         "row %" PRIu64 ", column %s: the key is null; drop the row or give it a key", row,
                         reader->name);
}

sl_status sl_i_key_reader_explain(const sl_i_key_reader *reader, uint64_t row, sl_error *error) {
    const sl_column *column = &reader->column.keys, *dictionary = column->dictionary;
    uint64_t i = column->offset + row, shown = reader->first_row + row;
    if (is_null(column, i)) return explain_null(reader, shown, error);
    if (!dictionary) return explain_value(reader, column, i, shown, error);
    uint64_t code = read_code(column, i);
    if (code >= dictionary->length)
        return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)shown, -1,
                             "row %" PRIu64 ", column %s: dictionary code %" PRId64
                             " is outside the dictionary of %" PRIu64 " values",
                             shown, reader->name, (int64_t)code, dictionary->length);
    i = dictionary->offset + code;
    return is_null(dictionary, i) ? explain_null(reader, shown, error)
                                  : explain_value(reader, dictionary, i, shown, error);
}

/* ---------------------------------------------------------------------------------------------- types */

const char *sl_i_column_type_name(sl_column_type type) {
    static const char *const names[] = {
        [SL_COLUMN_INT8] = "int8",
        [SL_COLUMN_INT16] = "int16",
        [SL_COLUMN_INT32] = "int32",
        [SL_COLUMN_INT64] = "int64",
        [SL_COLUMN_UINT8] = "uint8",
        [SL_COLUMN_UINT16] = "uint16",
        [SL_COLUMN_UINT32] = "uint32",
        [SL_COLUMN_UINT64] = "uint64",
        [SL_COLUMN_FLOAT32] = "float32",
        [SL_COLUMN_FLOAT64] = "float64",
        [SL_COLUMN_STRING] = "string",
        [SL_COLUMN_LARGE_STRING] = "large string",
        [SL_COLUMN_STRING_VIEW] = "string view",
        [SL_COLUMN_BINARY] = "binary",
        [SL_COLUMN_LARGE_BINARY] = "large binary",
        [SL_COLUMN_BINARY_VIEW] = "binary view",
        [SL_COLUMN_FIXED_BINARY] = "fixed-size binary",
        [SL_COLUMN_KEYS] = "keys",
        [SL_COLUMN_NULL] = "null",
        [SL_COLUMN_DECIMAL128] = "decimal128",
    };
    return type >= SL_COLUMN_INT8 && type <= SL_COLUMN_DECIMAL128 ? names[type] : "unknown";
}

size_t sl_i_column_number_size(sl_column_type type) {
    switch (type) {
    case SL_COLUMN_INT8:
    case SL_COLUMN_UINT8: return 1;
    case SL_COLUMN_INT16:
    case SL_COLUMN_UINT16: return 2;
    case SL_COLUMN_INT32:
    case SL_COLUMN_UINT32:
    case SL_COLUMN_FLOAT32: return 4;
    case SL_COLUMN_INT64:
    case SL_COLUMN_UINT64:
    case SL_COLUMN_FLOAT64: return 8;
    default: return 0;
    }
}
