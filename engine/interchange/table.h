/* table.h: a table being made for export: ready Arrow arrays with the types and names they will be handed over with. */
#ifndef SL_INTERCHANGE_TABLE_H
#define SL_INTERCHANGE_TABLE_H

#include "interchange/arrow_array.h"

struct sl_table {
    uint64_t num_rows;
    uint64_t count, capacity;
    struct ArrowArray *arrays;
    sl_i_arrow_type *types;
    char **names;
};

/** Append a column. Takes the array on success; on failure it stays the caller's. */
sl_status sl_i_table_take(sl_table *table, const char *name, const sl_i_arrow_type *type, struct ArrowArray *array,
                          sl_error *error) SL_MUST_USE;
/** The same of an array that was just made, or, where its making failed, that failure. Takes the array in every case. */
sl_status sl_i_table_take_made(sl_table *table, const char *name, const sl_i_arrow_type *type, sl_status made,
                               struct ArrowArray *array, sl_error *error) SL_MUST_USE;
/** Remove the column appended last, with its array. */
void sl_i_table_drop_last(sl_table *table);
/** sl_table_export of tables (one or more) with the same columns, one batch each; `metadata` (may be NULL) is Arrow metadata
 *  of the schema, `metadata_size` bytes, copied. Consumes the tables on success. */
sl_status sl_i_tables_export(sl_table *const *tables, uint64_t count, const char *metadata, uint64_t metadata_size,
                             struct ArrowArrayStream *out, sl_error *error) SL_MUST_USE;

#endif
