/* section_reader.c: see section_reader.h.
 *
 * The layout leaves nothing to choose: sections ascend by rank, each begins at the first multiple of 64 behind the one before, the
 * table ends the file. So every byte is a checked number, under a checksum, or a zero that is looked at. */
#include "interchange/section_reader.h"

#include <inttypes.h>
#include <stdatomic.h>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "support/file_calls.h"
#include "support/memory.h"

#define HASH_STEP UINT64_C(4194304) /* between two looks at the clock */

typedef struct entry {
    uint64_t rank, offset, length, check, end; /* end: where the zeros behind it end */
    uint32_t kind, owner;
    atomic_bool was_read;
} entry;

struct sl_i_section_reader {
    const char *path; /* borrowed */
    int file;
    uint64_t size;
    sl_i_shared_bytes *mapping; /* NULL: sections are read */
    entry *entries;
    uint32_t num_entries;
};

static const char *name_of(sl_i_section_kind kind) {
    switch (kind) {
    case SL_I_SECTION_FRAME: return "frame";
    case SL_I_SECTION_SOURCES: return "sources";
    case SL_I_SECTION_RECORD_SOURCES: return "record sources";
    case SL_I_SECTION_KEY_KINDS: return "key kinds";
    case SL_I_SECTION_KEY_NUMBERS: return "key numbers";
    case SL_I_SECTION_KEY_BYTES: return "key bytes";
    case SL_I_SECTION_GIVEN: return "given records";
    case SL_I_SECTION_SPANS: return "spans of attributes";
    case SL_I_SECTION_COLLECTION: return "collection";
    case SL_I_SECTION_ORDER: return "order";
    case SL_I_SECTION_JOIN: return "join";
    case SL_I_SECTION_LEVELS: return "levels";
    case SL_I_SECTION_USED: return "used records";
    case SL_I_SECTION_LONE: return "lone records";
    case SL_I_SECTION_FOREST_LEFT: return "forest left";
    case SL_I_SECTION_FOREST_RIGHT: return "forest right";
    case SL_I_SECTION_EDGE_LEFT: return "edge left";
    case SL_I_SECTION_EDGE_RIGHT: return "edge right";
    case SL_I_SECTION_EDGE_SCORES: return "edge scores";
    case SL_I_SECTION_CONSTRAINTS: return "constraints";
    case SL_I_SECTION_TABLE: return "table of attributes";
    case SL_I_SECTION_BUFFERS: return "buffers of attributes";
    }
    return "unknown";
}

static sl_status corrupt(const sl_i_section_reader *r, sl_error *error, const char *what) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "%.300s is no whole file of starlings: %s", r->path, what);
}

sl_status sl_i_reader_fail(const sl_i_section_reader *r, sl_error *error, sl_i_section_kind kind, uint32_t owner,
                           const char *what) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "%.200s is corrupt: section \"%s\" %" PRIu32 ": %.200s", r->path,
                     name_of(kind), owner, what);
}

sl_status sl_i_reader_blame(const sl_i_section_reader *r, sl_status status, const sl_error *found,
                            sl_i_section_kind kind, uint32_t owner, sl_error *error) {
    if (status != SL_ERROR_MEMORY && status != SL_ERROR_SYSTEM && status != SL_ERROR_INTERRUPTED)
        return sl_i_reader_fail(r, error, kind, owner, found->message);
    if (error) *error = *found;
    return status;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Bytes of the file into `into`, or a pointer to where they are mapped. */
static sl_status fetch(const sl_i_section_reader *r, uint64_t at, uint64_t size, uint8_t *into, const uint8_t **out,
                       sl_error *error) {
    *out = r->mapping ? r->mapping->bytes + at : into;
    return r->mapping ? SL_OK : sl_i_file_read(r->file, r->path, into, size, at, error);
}

/* What every version keeps: magic, version and the header's own checksum. */
static sl_status check_header(const sl_i_section_reader *r, const uint8_t *header, sl_error *error) {
    if (memcmp(header + SL_I_HEADER_MAGIC, SL_I_FILE_MAGIC, 8) != 0)
        return corrupt(r, error, "it does not begin as one does");
    if (sl_i_get_u64(header + SL_I_HEADER_CHECK) != XXH3_64bits(header, SL_I_HEADER_CHECK))
        return corrupt(r, error, "its header was altered");
    uint32_t version = sl_i_get_u32(header + SL_I_HEADER_VERSION);
    if (version != SL_I_FILE_VERSION)
        return sl_i_fail(error, SL_ERROR_CORRUPT,
                         "%.300s is of version %" PRIu32 " of the format; this is starlings %s, which reads version %u",
                         r->path, version, sl_version(), SL_I_FILE_VERSION);
    for (uint32_t i = SL_I_HEADER_TABLE_CHECK + 8; i < SL_I_HEADER_CHECK; i++)
        if (header[i] != 0) return corrupt(r, error, "its header has something where nothing belongs");
    if (sl_i_get_u64(header + SL_I_HEADER_FILE_SIZE) != r->size)
        return corrupt(r, error, "it is cut short, or something was appended");
    return SL_OK;
}

static sl_status read_entry(const sl_i_section_reader *r, const uint8_t *bytes, uint64_t expected, uint64_t table,
                            entry *out, sl_error *error) {
    out->kind = sl_i_get_u32(bytes + SL_I_ENTRY_KIND);
    out->owner = sl_i_get_u32(bytes + SL_I_ENTRY_OWNER);
    out->rank = sl_i_section_rank(out->kind, out->owner);
    out->offset = sl_i_get_u64(bytes + SL_I_ENTRY_OFFSET);
    out->length = sl_i_get_u64(bytes + SL_I_ENTRY_LENGTH);
    out->check = sl_i_get_u64(bytes + SL_I_ENTRY_CHECK);
    if (out->kind > SL_I_SECTION_BUFFERS) return corrupt(r, error, "a section is of no known kind");
    if (out->offset != expected || out->length > table - expected)
        return corrupt(r, error, "a section is not where it should be");
    out->end = sl_i_align_up(out->offset + out->length);
    return out->end <= table ? SL_OK : corrupt(r, error, "a section ends beyond the others");
}

static sl_status read_entries(sl_i_section_reader *r, const uint8_t *bytes, uint64_t table, sl_error *error) {
    uint64_t expected = SL_I_HEADER_SIZE;
    for (uint32_t i = 0; i < r->num_entries; i++, expected = r->entries[i - 1].end) {
        SL_TRY(read_entry(r, bytes + (uint64_t)i * SL_I_ENTRY_SIZE, expected, table, &r->entries[i], error));
        if (i > 0 && r->entries[i].rank <= r->entries[i - 1].rank)
            return corrupt(r, error, "sections are not in their order");
    }
    return expected == table ? SL_OK : corrupt(r, error, "there is something between the sections and their table");
}

static sl_status read_table(sl_i_section_reader *r, const uint8_t *header, sl_error *error) {
    uint64_t count = sl_i_get_u32(header + SL_I_HEADER_NUM_SECTIONS), size = count * SL_I_ENTRY_SIZE;
    uint64_t check = sl_i_get_u64(header + SL_I_HEADER_TABLE_CHECK);
    const uint8_t *bytes = NULL;
    uint8_t *copy = NULL;
    sl_status status;
    if (size > r->size - SL_I_HEADER_SIZE) return corrupt(r, error, "its table is longer than the file");
    uint64_t table = r->size - size;
    SL_TRY(sl_i_allocate_zeroed(&r->entries, count, sizeof *r->entries, "the table of a file", error));
    r->num_entries = (uint32_t)count;
    SL_TRY(sl_i_allocate(&copy, size, 1, "the table of a file", error));
    SL_TRY_CLEANUP(status, fetch(r, table, size, copy, &bytes, error));
    if (XXH3_64bits(bytes, (size_t)size) != check) SL_TRY_CLEANUP(status, corrupt(r, error, "its table was altered"));
    status = read_entries(r, bytes, table, error);
cleanup:
    sl_i_release(copy, size, 1);
    return status;
}

static sl_status open_sections(sl_i_section_reader *r, bool read_whole, sl_error *error) {
    uint8_t copy[SL_I_HEADER_SIZE];
    const uint8_t *header = NULL;
    SL_TRY(sl_i_check_byte_order(error));
    SL_TRY(sl_i_file_open(r->path, &r->file, &r->size, error));
    if (r->size < SL_I_HEADER_SIZE) return corrupt(r, error, "it is shorter than a header");
    if (!read_whole) SL_TRY(sl_i_shared_bytes_map(r->file, r->size, r->path, &r->mapping, error));
    SL_TRY(fetch(r, 0, SL_I_HEADER_SIZE, copy, &header, error));
    SL_TRY(check_header(r, header, error));
    return read_table(r, header, error);
}

sl_status sl_i_reader_open(const char *path, bool read_whole, sl_i_section_reader **out, sl_error *error) {
    sl_i_section_reader *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "reading a file", error));
    made->path = path;
    made->file = -1;
    sl_status status = open_sections(made, read_whole, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_i_reader_close(made);
    return status;
}

void sl_i_reader_close(sl_i_section_reader *r) {
    if (!r) return;
    sl_i_file_close(r->file);
    sl_i_shared_bytes_release(r->mapping);
    sl_i_release(r->entries, r->num_entries, sizeof *r->entries);
    sl_i_release(r, 1, sizeof *r);
}

uint64_t sl_i_reader_size(const sl_i_section_reader *r) { return r->size; }
sl_i_shared_bytes *sl_i_reader_mapping(const sl_i_section_reader *r) { return r->mapping; }

/* ---- sections ---------------------------------------------------------------------------------------------------- */

static entry *find(const sl_i_section_reader *r, sl_i_section_kind kind, uint32_t owner) {
    uint64_t rank = sl_i_section_rank(kind, owner);
    uint32_t low = 0, high = r->num_entries;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->entries[middle].rank < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->num_entries && r->entries[low].rank == rank ? &r->entries[low] : NULL;
}

/* Read where it is not mapped, and hash. */
static sl_status take_in(const sl_i_section_reader *r, const entry *e, const sl_i_section *section, sl_i_ticker *ticker,
                         XXH3_state_t *hash, sl_error *error) {
    for (uint64_t done = 0, step; done < e->length; done += step) {
        step = e->length - done < HASH_STEP ? e->length - done : HASH_STEP;
        if (!r->mapping) SL_TRY(sl_i_file_read(r->file, r->path, section->bytes + done, step, e->offset + done, error));
        XXH3_64bits_update(hash, section->bytes + done, (size_t)step);
        SL_TRY(sl_i_ticker_advance(ticker, step, error));
    }
    return SL_OK;
}

static sl_status check_section(const sl_i_section_reader *r, const entry *e, const sl_i_section *section,
                               sl_i_ticker *ticker, sl_error *error) {
    XXH3_state_t hash;
    uint8_t copy[SL_I_FILE_ALIGNMENT];
    const uint8_t *zeros = NULL;
    XXH3_INITSTATE(&hash);
    XXH3_64bits_reset(&hash);
    SL_TRY(take_in(r, e, section, ticker, &hash, error));
    if (XXH3_64bits_digest(&hash) != e->check)
        return sl_i_reader_fail(r, error, section->kind, section->owner, "its bytes were altered");
    uint64_t padding = e->end - e->offset - e->length;
    SL_TRY(fetch(r, e->end - padding, padding, copy, &zeros, error));
    for (uint64_t i = 0; i < padding; i++)
        if (zeros[i] != 0)
            return sl_i_reader_fail(r, error, section->kind, section->owner, "there is something behind its end");
    return SL_OK;
}

sl_status sl_i_reader_get(sl_i_section_reader *r, sl_i_section_kind kind, uint32_t owner, sl_i_ticker *ticker,
                          sl_i_section *out, sl_error *error) {
    sl_i_section made = {.is_mapped = r->mapping != NULL, .kind = kind, .owner = owner};
    *out = (sl_i_section){0};
    entry *e = find(r, kind, owner);
    if (!e) return sl_i_reader_fail(r, error, kind, owner, "it is missing");
    atomic_store(&e->was_read, true);
    made.length = e->length;
    if (made.is_mapped)
        made.bytes = r->mapping->bytes + e->offset;
    else
        SL_TRY(sl_i_allocate(&made.bytes, made.length, 1, "a section of a file", error));
    sl_status status = check_section(r, e, &made, ticker, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_i_section_drop(&made);
    return status;
}

sl_status sl_i_reader_get_array(sl_i_section_reader *r, sl_i_section_kind kind, uint32_t owner, uint64_t count,
                                size_t size, sl_i_ticker *ticker, sl_i_section *out, sl_error *error) {
    const entry *e = find(r, kind, owner);
    *out = (sl_i_section){0};
    if (e && (e->length % size != 0 || e->length / size != count))
        return sl_i_reader_fail(r, error, kind, owner, "it is not as long as it should be");
    return sl_i_reader_get(r, kind, owner, ticker, out, error);
}

void sl_i_section_drop(sl_i_section *section) {
    if (!section->is_mapped) sl_i_release(section->bytes, section->length, 1);
    *section = (sl_i_section){0};
}

sl_status sl_i_section_share(const sl_i_section_reader *r, sl_i_section *section, sl_i_shared_bytes **out,
                             sl_error *error) {
    *out = NULL;
    if (section->is_mapped) {
        *out = sl_i_shared_bytes_retain(r->mapping);
        return SL_OK;
    }
    SL_TRY(sl_i_shared_bytes_take(section->bytes, section->length, out, error));
    *section = (sl_i_section){0};
    return SL_OK;
}

sl_status sl_i_reader_finish(const sl_i_section_reader *r, sl_error *error) {
    for (uint32_t i = 0; i < r->num_entries; i++)
        if (!atomic_load(&r->entries[i].was_read))
            return sl_i_reader_fail(r, error, (sl_i_section_kind)r->entries[i].kind, r->entries[i].owner,
                                    "the frame has nothing of that kind");
    return SL_OK;
}
