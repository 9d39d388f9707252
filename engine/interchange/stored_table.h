/* stored_table.h: Arrow batches in the native file: two sections, what they are (schema, and of each array its numbers) and their
 * buffers, each at a multiple of 64. */
#ifndef SL_INTERCHANGE_STORED_TABLE_H
#define SL_INTERCHANGE_STORED_TABLE_H

#include "interchange/section_reader.h"
#include "interchange/section_writer.h"

/** The sections of table `number`. SL_ERROR_INVALID_ARGUMENT names the column that is malformed or of a type that is not stored. */
sl_status sl_i_stored_table_write(sl_i_section_writer *writer, uint32_t number, const sl_batches *batches,
                                  sl_error *error) SL_MUST_USE;
/** Read them: the buffers stay where they are in a mapped file. What comes out is checked whole. */
sl_status sl_i_stored_table_read(sl_i_section_reader *reader, uint32_t number, sl_i_ticker *ticker, sl_batches **out,
                                 sl_error *error) SL_MUST_USE;

#endif
