/* key_column.h: an Arrow column of keys, read in place as a row of uniform probes.
 *
 * A probe is one key with its source, ready to be looked up, whatever the layout of the column it came from. Reading stops
 * at the first row that holds no key; `_explain` then says what is wrong there, so that reading itself builds no texts.
 * Dictionary-encoded columns carry a memo: what each dictionary entry was resolved to, filled when a row first names it,
 * so that records are still numbered by first appearance in the rows. */
#ifndef SL_RECORDS_KEY_COLUMN_H
#define SL_RECORDS_KEY_COLUMN_H

#include "support/memory.h"

/** How a probe is looked up. */
enum {
    SL_I_LANE_UNSET = 0,
    SL_I_LANE_RESOLVED,  /* its index is known already: `slot` holds it */
    SL_I_LANE_REPEAT,    /* the same key as one row before in its column */
    SL_I_LANE_DENSE,     /* int key of a source with a direct map */
    SL_I_LANE_TABLE,     /* hash table; `slot` is where the search stands */
    SL_I_LANE_CANDIDATE, /* hash table; the slot at `slot` bears the same fragment */
};

/** One key to look up. */
typedef struct sl_i_probe {
    union {
        uint64_t number;
        const uint8_t *bytes;
    } value;
    uint64_t slot;
    uint32_t *memo;    /* where to note the index + 1, or NULL */
    uint32_t length;   /* bytes of a string or bytes key */
    uint32_t fragment; /* hash */
    uint16_t source;
    uint8_t kind;
    uint8_t lane;
} sl_i_probe;

/** A checked column and what goes with reading it. */
typedef struct sl_i_key_reader {
    sl_key_column column;
    const char *name; /* "left", "right" or "keys", for messages */
    uint64_t first_row;
    uint32_t *memo; /* index + 1 by dictionary entry, 0: not met yet; NULL: no memo */
    uint64_t memo_length;
} sl_i_key_reader;

/** How far int keys go in one source: for choosing how they are looked up. */
typedef struct sl_i_int_range {
    uint64_t largest;
    uint64_t rows;
} sl_i_int_range;

/** Check type, buffers and sources (ids below `num_sources`) of a column and make its memo. Row numbers in messages start at
 *  `first_row`. Free with `_free`, also after an error. */
sl_status sl_i_key_reader_make(const sl_key_column *column, const char *name, uint32_t num_sources, uint64_t first_row,
                               sl_i_key_reader *out, sl_error *error) SL_MUST_USE;
void sl_i_key_reader_free(sl_i_key_reader *reader);

/** Read rows first..first+count-1 into probes[0], probes[stride], ... Returns how many were read: fewer than `count` if the
 *  row after them holds no key. */
uint32_t sl_i_key_reader_read(const sl_i_key_reader *reader, uint64_t first, uint32_t count, uint32_t stride,
                              sl_i_probe *probes);
/** The same for an int column without dictionary, numbers only. */
uint32_t sl_i_key_reader_numbers(const sl_i_key_reader *reader, uint64_t first, uint32_t count, uint64_t *numbers);
bool sl_i_key_reader_is_plain_int(const sl_i_key_reader *reader);
/** Why `row` of the column (counted from its start) holds no key. */
sl_status sl_i_key_reader_explain(const sl_i_key_reader *reader, uint64_t row, sl_error *error);

/** Lowest and highest source in use; false for an empty column. */
bool sl_i_key_reader_sources(const sl_i_key_reader *reader, uint16_t *lowest, uint16_t *highest);
/** Add the column's int keys to ranges[source - lowest]. O(rows) for ints, O(1) for strings and bytes. */
void sl_i_key_reader_int_ranges(const sl_i_key_reader *reader, uint16_t lowest, sl_i_int_range *ranges);

/** "int64", "string", ... */
const char *sl_i_column_type_name(sl_column_type type);
/** Bytes from one value to the next of a number column, 0 for others. */
size_t sl_i_column_number_size(sl_column_type type);

/** The key a probe stands for. */
static inline sl_key sl_i_probe_key(const sl_i_probe *probe) {
    sl_key key = {.kind = (sl_key_kind)probe->kind};
    if (probe->kind <= SL_KEY_U64) {
        key.number = probe->value.number;
    } else {
        key.length = probe->length;
        key.bytes = probe->value.bytes;
    }
    return key;
}

#endif
