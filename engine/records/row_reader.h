/* row_reader.h: rows of one or two key columns as record indices, in row order, first column first.
 *
 * The one loop behind interning, adding, finding and reading edges. It reads a block of rows, lets key_lookup.h resolve it
 * and puts a sentence to whatever stopped it. Int columns whose sources have direct maps take a shorter way. */
#ifndef SL_RECORDS_ROW_READER_H
#define SL_RECORDS_ROW_READER_H

#include "records/key_lookup.h"

typedef struct sl_i_row_reader {
    sl_context *context;
    sl_i_key_reader columns[2];
    uint32_t num_columns;
    sl_i_lookup_mode mode;
    uint64_t num_rows;
    uint64_t first_row;
    uint32_t base;          /* records when the reader was made */
    sl_i_int_range *ranges; /* int keys to come, by source from `lowest` on */
    uint32_t num_ranges;
    uint16_t lowest;
    uint64_t moves; /* of the index, when direct maps were last seen to */
} sl_i_row_reader;

/** Check `num_columns` columns of one length and prepare the context for them (in modes that append). Needs the context's lock:
 *  the writer side to append, the reader side otherwise. Free with `_free`, also after an error. */
sl_status sl_i_row_reader_make(sl_context *context, const sl_key_column *const *columns, const char *const *names,
                               uint32_t num_columns, sl_i_lookup_mode mode, uint64_t first_row, sl_i_row_reader *out,
                               sl_error *error) SL_MUST_USE;
void sl_i_row_reader_free(sl_i_row_reader *reader);
/** Rows first..first+count-1 of each column into indices[column]. Rows must come in order. On failure the context may have
 *  appended: the caller rolls back. */
sl_status sl_i_row_reader_read(sl_i_row_reader *reader, uint64_t first, uint64_t count, uint32_t *const *indices,
                               sl_error *error) SL_MUST_USE;

/** The direct map of a plain int column's one source, or NULL where the column or its source has none. */
const sl_i_int_map *sl_i_row_reader_dense_map(const sl_i_row_reader *reader, uint32_t column);

#endif
