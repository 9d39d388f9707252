/* arrow_nodes.h: nested Arrow columns of other people, checked whole and then read value by value.
 *
 * nanoarrow's views know the types and check buffers, offsets, union members and dictionary codes; what it leaves out (alignment,
 * string views, union offsets at their end, nulls) is checked here. After that nothing that a node is asked for can go out of
 * bounds, whatever its producer wrote. Values are found through slices, dictionaries of any index type, the small, large and view
 * forms of text and lists, and any int type: what libraries make of one table on its way through them. */
#ifndef SL_INTERCHANGE_ARROW_NODES_H
#define SL_INTERCHANGE_ARROW_NODES_H

#include <nanoarrow.h>

#include "support/memory.h"

/** One checked column of one batch. */
typedef struct sl_i_column_view {
    void *memory;
    uint64_t size;
    struct ArrowArrayView *root;
} sl_i_column_view;

/** A column, or a part of it. Value i is at `base` + i of the view. */
typedef struct sl_i_node {
    const struct ArrowSchema *schema;
    const struct ArrowArrayView *view;
    int64_t base;
} sl_i_node;

/** What a node holds, as far as its readers mind. */
typedef enum sl_i_node_kind {
    SL_I_NODE_OTHER = 0,
    SL_I_NODE_INT,
    SL_I_NODE_FLOAT,
    SL_I_NODE_TEXT,
    SL_I_NODE_BYTES,
    SL_I_NODE_LIST,
    SL_I_NODE_STRUCT,
    SL_I_NODE_UNION
} sl_i_node_kind;

/** Values first .. end-1 of a list's items. */
typedef struct sl_i_span {
    int64_t first, end;
} sl_i_span;

/** Check the column `index` of a batch, whose structs were checked (sl_batches_from_stream), and make *out_node its rows.
 *  SL_ERROR_INVALID_ARGUMENT names the column and what is wrong. A null anywhere is an error, but in `nullable` columns. O(values).
 *  Both live until the view is closed, and as long as the batch. */
sl_status sl_i_column_view_open(const struct ArrowSchema *table, const struct ArrowArray *batch, int64_t index,
                                bool nullable, sl_i_column_view *out, sl_i_node *out_node, sl_error *error) SL_MUST_USE;
void sl_i_column_view_close(sl_i_column_view *view);

/** Position of the column of that name, or -1. */
int64_t sl_i_find_member(const struct ArrowSchema *schema, const char *name);

/** Of dictionary-encoded nodes, the kind of what the dictionary holds. */
sl_i_node_kind sl_i_node_kind_of(sl_i_node node);
/** SL_ERROR_INVALID_ARGUMENT, with `path` for the name of the node, unless it is of that kind. Only text may be dictionary-encoded. */
sl_status sl_i_node_check(sl_i_node node, const char *path, sl_i_node_kind kind, sl_error *error) SL_MUST_USE;
/** Member `name` of a struct, which is to be of that kind (INT passes for FLOAT); `path` names the struct in the message. */
sl_status sl_i_node_member(sl_i_node node, const char *path, const char *name, sl_i_node_kind kind, sl_i_node *out,
                           sl_error *error) SL_MUST_USE;
/** Whether a list is one of nulls, as libraries make it where they never saw an item: nulls being refused, all its values are empty. */
bool sl_i_node_holds_nothing(sl_i_node list);
/** The items of a list, which are to be of that kind; spans count in them. */
sl_status sl_i_node_items(sl_i_node node, const char *path, sl_i_node_kind kind, sl_i_node *out, sl_error *error)
    SL_MUST_USE;

bool sl_i_node_is_null(sl_i_node node, int64_t i);
sl_i_span sl_i_node_list(sl_i_node node, int64_t i);
/** An int; false for a negative one. */
bool sl_i_node_number(sl_i_node node, int64_t i, uint64_t *out);
/** A float or int as a double. */
double sl_i_node_double(sl_i_node node, int64_t i);
/** Text or bytes, borrowed from the batch. */
const uint8_t *sl_i_node_text(sl_i_node node, int64_t i, uint64_t *length);
/** An int, string, bytes or union of them as a key, borrowed from the batch; false for a negative int, for more than 2^32-1 bytes and
 *  for other types. */
bool sl_i_node_key(sl_i_node node, int64_t i, sl_key *out);

#endif
