/* native_format.h: the layout of the native file, which docs/format.md describes: numbers, and how they are put into bytes.
 *
 * All numbers are little-endian. Arrays are used where they lie in the file, so only little-endian machines read and write it. */
#ifndef SL_INTERCHANGE_NATIVE_FORMAT_H
#define SL_INTERCHANGE_NATIVE_FORMAT_H

#include <string.h>

#include "support/status.h"

#define SL_I_FILE_MAGIC "\x89STARL\r\n" /* 8 bytes: not text, and not what has been through a change of line ends */
#define SL_I_FILE_VERSION 1u
#define SL_I_FILE_ALIGNMENT UINT64_C(64)

/* The header, 64 bytes: what is not named here is zero. */
#define SL_I_HEADER_SIZE 64u
enum {
    SL_I_HEADER_MAGIC = 0,
    SL_I_HEADER_VERSION = 8,       /* u32 */
    SL_I_HEADER_NUM_SECTIONS = 12, /* u32 */
    SL_I_HEADER_FILE_SIZE = 16,    /* u64 */
    SL_I_HEADER_TABLE_CHECK = 24,  /* u64: of the table */
    SL_I_HEADER_CHECK = 56         /* u64: of the 56 bytes before */
};

/* The table, at the end of the file: one entry a section. */
#define SL_I_ENTRY_SIZE 32u
enum {
    SL_I_ENTRY_KIND = 0,    /* u32 */
    SL_I_ENTRY_OWNER = 4,   /* u32: number of the collection or table of attributes, else 0 */
    SL_I_ENTRY_OFFSET = 8,  /* u64: in the file */
    SL_I_ENTRY_LENGTH = 16, /* u64 */
    SL_I_ENTRY_CHECK = 24   /* u64 */
};

typedef enum sl_i_section_kind {
    SL_I_SECTION_FRAME = 1,
    SL_I_SECTION_SOURCES,
    SL_I_SECTION_RECORD_SOURCES,
    SL_I_SECTION_KEY_KINDS,
    SL_I_SECTION_KEY_NUMBERS,
    SL_I_SECTION_KEY_BYTES,
    SL_I_SECTION_GIVEN,
    SL_I_SECTION_SPANS,
    SL_I_SECTION_COLLECTION = 16,
    SL_I_SECTION_ORDER,
    SL_I_SECTION_JOIN,
    SL_I_SECTION_LEVELS,
    SL_I_SECTION_USED,
    SL_I_SECTION_LONE,
    SL_I_SECTION_FOREST_LEFT,
    SL_I_SECTION_FOREST_RIGHT,
    SL_I_SECTION_EDGE_LEFT,
    SL_I_SECTION_EDGE_RIGHT,
    SL_I_SECTION_EDGE_SCORES,
    SL_I_SECTION_CONSTRAINTS,
    SL_I_SECTION_TABLE = 32,
    SL_I_SECTION_BUFFERS
} sl_i_section_kind;

/* Sections follow each other by this number: those of the frame, then of each collection, then of each table of attributes. */
static inline uint64_t sl_i_section_rank(uint32_t kind, uint32_t owner) {
    return (uint64_t)(kind >> 4) << 40 | (uint64_t)owner << 8 | (kind & 0xFF);
}

/* SECTION_FRAME: fields, and its length. */
enum {
    SL_I_FRAME_NUM_RECORDS = 0,      /* u32 */
    SL_I_FRAME_NUM_SOURCES = 4,      /* u32 */
    SL_I_FRAME_NUM_COLLECTIONS = 8,  /* u32 */
    SL_I_FRAME_NUM_TABLES = 12,      /* u32 */
    SL_I_FRAME_LAST_COMPACTION = 16, /* i64 */
    SL_I_FRAME_SIZE = 24
};

/* SECTION_COLLECTION: fields; the name follows. */
enum {
    SL_I_COLLECTION_NUM_RECORDS = 0, /* u32 */
    SL_I_COLLECTION_NUM_LEVELS = 4,  /* u32 */
    SL_I_COLLECTION_DECIMALS = 8,    /* u32 */
    SL_I_COLLECTION_FLAGS = 12,      /* u32 */
    SL_I_COLLECTION_NUM_MERGES = 16, /* u32; then a u32 of zero */
    SL_I_COLLECTION_NUM_EDGES = 24,  /* u64 */
    SL_I_COLLECTION_SIZE = 32
};
enum {
    SL_I_HAS_WEIGHTS = 1,
    SL_I_IS_EXACT = 2,
    SL_I_HAS_LONE = 4,
    SL_I_HAS_FOREST = 8,
    SL_I_HAS_EDGES = 16,
    SL_I_HAS_CONSTRAINTS = 32,
    SL_I_ALL_FLAGS = 63
};

/* SECTION_CONSTRAINTS: fields; the names of the unique sources follow, as texts. */
enum {
    SL_I_CONSTRAINTS_MAX_SIZE = 0,    /* u32 */
    SL_I_CONSTRAINTS_TIES = 4,        /* u32 */
    SL_I_CONSTRAINTS_NUM_SOURCES = 8, /* u32; then a u32 of zero */
    SL_I_CONSTRAINTS_NUM_SKIPPED = 16,
    SL_I_CONSTRAINTS_NUM_TIED = 24,
    SL_I_CONSTRAINTS_SIZE = 32
};

/* On a big-endian machine these would swap; there is no native file there (sl_i_check_byte_order). */
static inline void sl_i_put_u32(uint8_t *bytes, uint32_t value) { memcpy(bytes, &value, sizeof value); }
static inline void sl_i_put_u64(uint8_t *bytes, uint64_t value) { memcpy(bytes, &value, sizeof value); }
static inline uint32_t sl_i_get_u32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}
static inline uint64_t sl_i_get_u64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t sl_i_align_up(uint64_t at) {
    return (at + SL_I_FILE_ALIGNMENT - 1) / SL_I_FILE_ALIGNMENT * SL_I_FILE_ALIGNMENT;
}

/** SL_ERROR_SYSTEM on a big-endian machine. */
static inline sl_status sl_i_check_byte_order(sl_error *error) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    (void)error;
    return SL_OK;
#else
    return sl_i_fail(error, SL_ERROR_SYSTEM, "the native file is read and written on little-endian machines only");
#endif
}

#endif
