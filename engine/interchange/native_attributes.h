/* native_attributes.h: the attributes of records in the native file: which row of which table describes a record, and the tables. */
#ifndef SL_INTERCHANGE_NATIVE_ATTRIBUTES_H
#define SL_INTERCHANGE_NATIVE_ATTRIBUTES_H

#include "frame/frame_state.h"
#include "interchange/section_reader.h"
#include "interchange/section_writer.h"

/** The tables that describe a record of a state, as they are at one moment, numbered from 0. */
typedef struct sl_i_kept_tables sl_i_kept_tables;

sl_status sl_i_tables_create(const sl_frame_state *state, sl_i_kept_tables **out, sl_error *error) SL_MUST_USE;
void sl_i_tables_release(sl_i_kept_tables *tables);
uint32_t sl_i_tables_count(const sl_i_kept_tables *tables);
/** Bytes that they will take, or so. */
uint64_t sl_i_tables_size(const sl_i_kept_tables *tables);

/** Which rows describe which records. */
sl_status sl_i_spans_write(sl_i_section_writer *writer, const sl_i_kept_tables *tables, sl_error *error) SL_MUST_USE;
/** The tables themselves. SL_ERROR_INVALID_ARGUMENT names a column that cannot be stored. */
sl_status sl_i_tables_write(sl_i_section_writer *writer, const sl_i_kept_tables *tables, sl_error *error) SL_MUST_USE;
/** Read `count` tables and let `context`, which has no attributes yet and which nobody else has, have them. */
sl_status sl_i_tables_read(sl_i_section_reader *reader, uint32_t count, sl_context *context, sl_i_ticker *ticker,
                           sl_error *error) SL_MUST_USE;

#endif
