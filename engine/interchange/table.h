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
/** dictionary<uint32, utf8> */
extern const sl_i_arrow_type sl_i_category_type;

#endif
