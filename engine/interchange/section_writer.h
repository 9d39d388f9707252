/* section_writer.h: the container of the native file, written: sections one after the other, then their table, then the header. */
#ifndef SL_INTERCHANGE_SECTION_WRITER_H
#define SL_INTERCHANGE_SECTION_WRITER_H

#include "interchange/native_format.h"
#include "support/pool.h"

typedef struct sl_i_section_writer sl_i_section_writer;

/** `total` bytes or so will be written, for `progress` (may be NULL). */
sl_status sl_i_writer_create(const char *path, uint64_t total, const sl_progress *progress, sl_i_section_writer **out,
                             sl_error *error) SL_MUST_USE;
/** Begin a section; they come in the order of sl_i_section_rank. The one before has ended. */
sl_status sl_i_writer_begin(sl_i_section_writer *writer, sl_i_section_kind kind, uint32_t owner, sl_error *error)
    SL_MUST_USE;
/** More bytes of the section. */
sl_status sl_i_writer_put(sl_i_section_writer *writer, const void *bytes, uint64_t size, sl_error *error) SL_MUST_USE;
/** Between two long steps that write nothing: look at the clock. */
sl_status sl_i_writer_tick(sl_i_section_writer *writer, sl_error *error) SL_MUST_USE;
/** Zeros up to the next multiple of the alignment, counted from the start of the section. */
sl_status sl_i_writer_align(sl_i_section_writer *writer, sl_error *error) SL_MUST_USE;
/** A section of these bytes alone. */
sl_status sl_i_writer_section(sl_i_section_writer *writer, sl_i_section_kind kind, uint32_t owner, const void *bytes,
                              uint64_t size, sl_error *error) SL_MUST_USE;
/** End the last section, write table and header, and put the file in its place. */
sl_status sl_i_writer_finish(sl_i_section_writer *writer, sl_error *error) SL_MUST_USE;
/** Give the writer back, and the file up unless it is finished. NULL is fine. */
void sl_i_writer_release(sl_i_section_writer *writer);

#endif
