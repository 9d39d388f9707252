/* section_writer.c: see section_writer.h.
 *
 * Small pieces are gathered in a buffer, large ones written from where they are. Each byte is hashed on its way. */
#include "interchange/section_writer.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "support/file_replace.h"
#include "support/memory.h"

#define BUFFER_SIZE UINT64_C(262144)
#define HASH_STEP UINT64_C(4194304) /* between two looks at the clock */

typedef struct entry {
    uint32_t kind, owner;
    uint64_t offset, length, check;
} entry;

struct sl_i_section_writer {
    sl_i_replacement *file;
    sl_i_ticker ticker;
    uint8_t *buffer;
    uint64_t buffered;
    uint64_t at; /* bytes written and buffered */
    entry *entries;
    uint64_t num_entries, capacity;
    XXH3_state_t *hash; /* of the section being written */
};

sl_status sl_i_writer_create(const char *path, uint64_t total, const sl_progress *progress, sl_i_section_writer **out,
                             sl_error *error) {
    sl_i_section_writer *made = NULL;
    sl_status status;
    *out = NULL;
    SL_TRY(sl_i_check_byte_order(error));
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "writing a file", error));
    made->ticker = sl_i_ticker_make(progress);
    sl_i_ticker_begin(&made->ticker, "writing a file", total);
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&made->buffer, BUFFER_SIZE, 1, "writing a file", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->hash, 1, sizeof *made->hash, "writing a file", error));
    XXH3_INITSTATE(made->hash);
    SL_TRY_CLEANUP(status, sl_i_replacement_begin(path, &made->file, error));
    made->buffered = made->at = SL_I_HEADER_SIZE; /* zeros, for now */
    *out = made;
    return SL_OK;
cleanup:
    sl_i_writer_release(made);
    return status;
}

void sl_i_writer_release(sl_i_section_writer *writer) {
    if (!writer) return;
    sl_i_replacement_release(writer->file);
    sl_i_release(writer->buffer, BUFFER_SIZE, 1);
    sl_i_release(writer->hash, 1, sizeof *writer->hash);
    sl_i_release(writer->entries, writer->capacity, sizeof *writer->entries);
    sl_i_release(writer, 1, sizeof *writer);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static sl_status write_buffer(sl_i_section_writer *w, sl_error *error) {
    uint64_t size = w->buffered;
    w->buffered = 0;
    return sl_i_replacement_write(w->file, w->buffer, size, w->at - size, &w->ticker, error);
}

static sl_status append(sl_i_section_writer *w, const void *bytes, uint64_t size, sl_error *error) {
    if (size > BUFFER_SIZE - w->buffered) SL_TRY(write_buffer(w, error));
    if (size > BUFFER_SIZE)
        SL_TRY(sl_i_replacement_write(w->file, bytes, size, w->at, &w->ticker, error));
    else if (size > 0)
        memcpy(w->buffer + w->buffered, bytes, (size_t)size);
    if (size <= BUFFER_SIZE) w->buffered += size;
    w->at += size;
    return SL_OK;
}

static sl_status append_zeros(sl_i_section_writer *w, uint64_t size, sl_error *error) {
    static const uint8_t zeros[SL_I_FILE_ALIGNMENT];
    return append(w, zeros, size, error);
}

/* ---- sections ---------------------------------------------------------------------------------------------------- */

static sl_status end_section(sl_i_section_writer *w, sl_error *error) {
    if (w->num_entries > 0) {
        entry *last = &w->entries[w->num_entries - 1];
        last->length = w->at - last->offset;
        last->check = XXH3_64bits_digest(w->hash);
    }
    return append_zeros(w, sl_i_align_up(w->at) - w->at, error);
}

sl_status sl_i_writer_begin(sl_i_section_writer *w, sl_i_section_kind kind, uint32_t owner, sl_error *error) {
    SL_TRY(end_section(w, error));
    SL_TRY(
        sl_i_reserve(&w->entries, &w->capacity, w->num_entries + 1, sizeof *w->entries, "the table of a file", error));
    w->entries[w->num_entries++] = (entry){.kind = kind, .owner = owner, .offset = w->at};
    XXH3_64bits_reset(w->hash);
    return SL_OK;
}

sl_status sl_i_writer_put(sl_i_section_writer *w, const void *bytes, uint64_t size, sl_error *error) {
    const uint8_t *from = bytes;
    while (size > 0) {
        uint64_t step = size < HASH_STEP ? size : HASH_STEP;
        XXH3_64bits_update(w->hash, from, (size_t)step);
        SL_TRY(append(w, from, step, error));
        SL_TRY(sl_i_ticker_advance(&w->ticker, step, error));
        from += step;
        size -= step;
    }
    return SL_OK;
}

sl_status sl_i_writer_tick(sl_i_section_writer *w, sl_error *error) {
    return sl_i_ticker_advance(&w->ticker, 0, error);
}

sl_status sl_i_writer_align(sl_i_section_writer *w, sl_error *error) {
    static const uint8_t zeros[SL_I_FILE_ALIGNMENT];
    uint64_t length = w->at - w->entries[w->num_entries - 1].offset;
    return sl_i_writer_put(w, zeros, sl_i_align_up(length) - length, error);
}

sl_status sl_i_writer_section(sl_i_section_writer *w, sl_i_section_kind kind, uint32_t owner, const void *bytes,
                              uint64_t size, sl_error *error) {
    SL_TRY(sl_i_writer_begin(w, kind, owner, error));
    return sl_i_writer_put(w, bytes, size, error);
}

/* ---- table and header -------------------------------------------------------------------------------------------- */

static sl_status write_table(sl_i_section_writer *w, uint64_t *out_check, sl_error *error) {
    uint8_t bytes[SL_I_ENTRY_SIZE];
    XXH3_64bits_reset(w->hash);
    for (uint64_t i = 0; i < w->num_entries; i++) {
        const entry *e = &w->entries[i];
        sl_i_put_u32(bytes + SL_I_ENTRY_KIND, e->kind);
        sl_i_put_u32(bytes + SL_I_ENTRY_OWNER, e->owner);
        sl_i_put_u64(bytes + SL_I_ENTRY_OFFSET, e->offset);
        sl_i_put_u64(bytes + SL_I_ENTRY_LENGTH, e->length);
        sl_i_put_u64(bytes + SL_I_ENTRY_CHECK, e->check);
        SL_TRY(sl_i_writer_put(w, bytes, sizeof bytes, error));
    }
    *out_check = XXH3_64bits_digest(w->hash);
    return SL_OK;
}

static sl_status write_header(sl_i_section_writer *w, uint64_t table_check, sl_error *error) {
    uint8_t bytes[SL_I_HEADER_SIZE] = {0};
    memcpy(bytes + SL_I_HEADER_MAGIC, SL_I_FILE_MAGIC, 8);
    sl_i_put_u32(bytes + SL_I_HEADER_VERSION, SL_I_FILE_VERSION);
    sl_i_put_u32(bytes + SL_I_HEADER_NUM_SECTIONS, (uint32_t)w->num_entries);
    sl_i_put_u64(bytes + SL_I_HEADER_FILE_SIZE, w->at);
    sl_i_put_u64(bytes + SL_I_HEADER_TABLE_CHECK, table_check);
    sl_i_put_u64(bytes + SL_I_HEADER_CHECK, XXH3_64bits(bytes, SL_I_HEADER_CHECK));
    return sl_i_replacement_write(w->file, bytes, sizeof bytes, 0, &w->ticker, error);
}

sl_status sl_i_writer_finish(sl_i_section_writer *w, sl_error *error) {
    uint64_t table_check = 0;
    SL_TRY(end_section(w, error));
    SL_TRY(write_table(w, &table_check, error));
    SL_TRY(write_buffer(w, error));
    SL_TRY(write_header(w, table_check, error));
    return sl_i_replacement_commit(w->file, &w->ticker, error);
}
