/* native_records.h: the records of a frame in the native file: sources, keys, and sets of records. */
#ifndef SL_INTERCHANGE_NATIVE_RECORDS_H
#define SL_INTERCHANGE_NATIVE_RECORDS_H

#include "frame/frame_state.h"
#include "interchange/section_reader.h"
#include "interchange/section_writer.h"

/** Sources, and of each record source, kind of key and key. */
sl_status sl_i_records_write(sl_i_section_writer *writer, const sl_frame_state *state, sl_error *error) SL_MUST_USE;
/** A context of these records. */
sl_status sl_i_records_read(sl_i_section_reader *reader, uint32_t num_records, uint32_t num_sources,
                            sl_i_ticker *ticker, sl_context **out, sl_error *error) SL_MUST_USE;

sl_status sl_i_set_write(sl_i_section_writer *writer, sl_i_section_kind kind, uint32_t owner, const sl_record_set *set,
                         sl_error *error) SL_MUST_USE;
/** A set of records below `num_records`. */
sl_status sl_i_set_read(sl_i_section_reader *reader, sl_i_section_kind kind, uint32_t owner, uint32_t num_records,
                        sl_i_ticker *ticker, sl_record_set **out, sl_error *error) SL_MUST_USE;

#endif
