/* arrow_nodes.c: see arrow_nodes.h. The views of a column lie in one block of the engine's memory: nanoarrow, which would get them
 * from malloc, is asked only for what needs no memory. */
#include "interchange/arrow_nodes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define TYPE_ID_MAP 256 /* bytes that nanoarrow's view of a union points to */

/* ---------------------------------------------------------------------------------------------- views of a column */

/* What the views of a type take, and what of it is used up. */
typedef struct view_room {
    uint64_t views, pointers, unions;
    struct ArrowArrayView *next_view;
    struct ArrowArrayView **next_pointer;
    int8_t *next_map;
} view_room;

static bool is_union(const struct ArrowSchema *schema) { return strncmp(schema->format, "+u", 2) == 0; }

static void measure(const struct ArrowSchema *schema, view_room *room) {
    room->views++;
    room->pointers += (uint64_t)schema->n_children;
    room->unions += is_union(schema);
    for (int64_t i = 0; i < schema->n_children; i++) measure(schema->children[i], room);
    if (schema->dictionary) measure(schema->dictionary, room);
}

static sl_status make_room(view_room *room, sl_i_column_view *out, sl_error *error) {
    uint64_t views = room->views * sizeof *room->next_view, pointers = room->pointers * sizeof *room->next_pointer;
    uint64_t size = views + pointers + room->unions * TYPE_ID_MAP;
    uint8_t *memory = NULL;
    SL_TRY(sl_i_allocate_zeroed(&memory, size, 1, "the view of an Arrow column", error));
    *out = (sl_i_column_view){.memory = memory, .size = size, .root = (struct ArrowArrayView *)(void *)memory};
    room->next_view = out->root;
    room->next_pointer = (struct ArrowArrayView **)(void *)(memory + views);
    room->next_map = (int8_t *)(memory + views + pointers);
    return SL_OK;
}

static sl_status malformed(sl_error *error, const char *column, const char *what) {
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the Arrow data of column %.100s is malformed: %.300s", column,
                     what);
}

/* "0,1,2": the child of each type id, and behind the first 128 the type id of each child. Checked by nanoarrow. */
static void fill_type_ids(const char *ids, int8_t *map) {
    memset(map, -1, TYPE_ID_MAP);
    for (int8_t child = 0; *ids; child++) {
        int id = 0;
        for (; *ids >= '0' && *ids <= '9'; ids++) id = id * 10 + (*ids - '0');
        map[id] = child;
        map[128 + child] = (int8_t)id;
        if (*ids == ',') ids++;
    }
}

/* nanoarrow would read children that are not there. */
static bool has_children_of_type(const struct ArrowSchemaView *type, const struct ArrowSchema *schema) {
    switch (type->storage_type) {
    case NANOARROW_TYPE_LIST:
    case NANOARROW_TYPE_LARGE_LIST:
    case NANOARROW_TYPE_LIST_VIEW:
    case NANOARROW_TYPE_LARGE_LIST_VIEW:
    case NANOARROW_TYPE_FIXED_SIZE_LIST:
    case NANOARROW_TYPE_MAP: return schema->n_children == 1;
    case NANOARROW_TYPE_RUN_END_ENCODED: return schema->n_children == 2;
    case NANOARROW_TYPE_STRUCT:
    case NANOARROW_TYPE_SPARSE_UNION:
    case NANOARROW_TYPE_DENSE_UNION: return schema->n_children <= INT8_MAX || !is_union(schema);
    default: return schema->n_children == 0;
    }
}

static sl_status fill_view(const struct ArrowSchema *schema, const char *column, view_room *room,
                           struct ArrowArrayView **out, sl_error *error) {
    struct ArrowError problem = {.message = ""};
    struct ArrowSchemaView type;
    struct ArrowArrayView *view = *out = room->next_view++;
    if (ArrowSchemaViewInit(&type, schema, &problem) != NANOARROW_OK) return malformed(error, column, problem.message);
    if (schema->dictionary && schema->dictionary->dictionary)
        return malformed(error, column, "a dictionary of a dictionary");
    if (!has_children_of_type(&type, schema)) return malformed(error, column, "a type without its parts");
    ArrowArrayViewInitFromType(view, type.storage_type);
    view->layout = type.layout;
    view->n_children = schema->n_children;
    view->children = room->next_pointer;
    room->next_pointer += schema->n_children;
    if (is_union(schema)) {
        view->union_type_id_map = room->next_map;
        room->next_map += TYPE_ID_MAP;
        fill_type_ids(type.union_type_ids, view->union_type_id_map);
    }
    for (int64_t i = 0; i < schema->n_children; i++)
        SL_TRY(fill_view(schema->children[i], column, room, &view->children[i], error));
    return schema->dictionary ? fill_view(schema->dictionary, column, room, &view->dictionary, error) : SL_OK;
}

/* ---------------------------------------------------------------------------------------------- checking arrays */

static bool is_view_type(const struct ArrowArrayView *view) {
    return view->storage_type == NANOARROW_TYPE_STRING_VIEW || view->storage_type == NANOARROW_TYPE_BINARY_VIEW;
}

/* nanoarrow multiplies lengths and widths without a look at what comes out. */
static bool is_too_long(const struct ArrowArrayView *view, const struct ArrowArray *array) {
    int64_t values = array->offset + array->length, product;
    for (int i = 0; i < NANOARROW_MAX_FIXED_BUFFERS; i++)
        if (__builtin_mul_overflow(view->layout.element_size_bits[i] + 8, values + 8, &product)) return true;
    return __builtin_mul_overflow(view->layout.child_size_elements, values, &product);
}

/* As many buffers as nanoarrow looks at, aligned for what they hold. */
static const char *fault_of_buffers(const struct ArrowArrayView *view, const struct ArrowArray *array) {
    int64_t count = 0;
    if (array->offset + array->length > INT64_MAX - 8 || is_too_long(view, array))
        return "it is larger than any memory";
    for (int i = 0; i < NANOARROW_MAX_FIXED_BUFFERS; i++) {
        if (view->layout.buffer_type[i] == NANOARROW_BUFFER_TYPE_NONE || (is_view_type(view) && i == 2)) break;
        int64_t bits = view->layout.element_size_bits[i];
        if (i >= array->n_buffers) return "a buffer is missing";
        bool is_number = bits == 16 || bits == 32 || bits == 64;
        if (is_number && view->storage_type != NANOARROW_TYPE_FIXED_SIZE_BINARY &&
            (uintptr_t)array->buffers[i] % (uintptr_t)(bits / 8) != 0)
            return "a buffer is misaligned: copy the column";
        count++;
    }
    if (is_view_type(view) && (array->n_buffers < 3 || array->n_buffers > INT32_MAX)) return "a buffer is missing";
    return !is_view_type(view) && array->n_buffers != count ? "there are more buffers than its type has" : NULL;
}

static const char *fault_of_tree(const struct ArrowArrayView *view, const struct ArrowArray *array) {
    const char *fault = fault_of_buffers(view, array);
    for (int64_t i = 0; i < view->n_children && !fault; i++)
        fault = fault_of_tree(view->children[i], array->children[i]);
    return !fault && view->dictionary ? fault_of_tree(view->dictionary, array->dictionary) : fault;
}

static sl_status check_union(const struct ArrowArrayView *view, const char *column, sl_error *error) {
    for (int64_t i = 0; i < view->length; i++)
        if (ArrowArrayViewUnionChildOffset(view, i) >= view->children[ArrowArrayViewUnionChildIndex(view, i)]->length)
            return malformed(error, column, "a value of a union lies beyond its member");
    return SL_OK;
}

static sl_status fail_null(const struct ArrowSchema *schema, const struct ArrowArrayView *view, const char *column,
                           sl_error *error) {
    int64_t i = 0;
    while (!ArrowArrayViewIsNull(view, i)) i++;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "column %.100s has a null (value %" PRId64 " of \"%.60s\"): nothing in this schema is null",
                     column, i, schema->name && *schema->name ? schema->name : "its dictionary");
}

/* Leaves as the engine reads them, nulls, and the ends of union members. nanoarrow has checked the rest. */
static sl_status check_values(const struct ArrowSchema *schema, const struct ArrowArrayView *view, const char *column,
                              bool nullable, sl_error *error) {
    sl_column text, dictionary;
    sl_i_node_kind kind = sl_i_node_kind_of((sl_i_node){schema, view, 0});
    bool is_leaf =
        kind == SL_I_NODE_TEXT || kind == SL_I_NODE_BYTES || kind == SL_I_NODE_INT || kind == SL_I_NODE_FLOAT;
    if (!view->dictionary && is_leaf)
        SL_TRY(sl_column_from_arrow(schema, view->array, column, &dictionary, &text, error));
    if (view->storage_type == NANOARROW_TYPE_DENSE_UNION) SL_TRY(check_union(view, column, error));
    if (!nullable && ArrowArrayViewComputeNullCount(view) > 0) return fail_null(schema, view, column, error);
    for (int64_t i = 0; i < view->n_children; i++)
        SL_TRY(check_values(schema->children[i], view->children[i], column, nullable, error));
    return view->dictionary ? check_values(schema->dictionary, view->dictionary, column, nullable, error) : SL_OK;
}

static sl_status check_array(const struct ArrowSchema *schema, const struct ArrowArray *array, const char *column,
                             bool nullable, struct ArrowArrayView *view, sl_error *error) {
    struct ArrowError problem = {.message = ""};
    const char *fault = fault_of_tree(view, array);
    if (fault) return malformed(error, column, fault);
    if (ArrowArrayViewSetArray(view, array, &problem) != NANOARROW_OK ||
        ArrowArrayViewValidate(view, NANOARROW_VALIDATION_LEVEL_FULL, &problem) != NANOARROW_OK)
        return malformed(error, column, problem.message);
    return check_values(schema, view, column, nullable, error);
}

sl_status sl_i_column_view_open(const struct ArrowSchema *table, const struct ArrowArray *batch, int64_t index,
                                bool nullable, sl_i_column_view *out, sl_i_node *out_node, sl_error *error) {
    const struct ArrowSchema *schema = table->children[index];
    const char *name = schema->name ? schema->name : "";
    view_room room = {0};
    struct ArrowArrayView *root;
    *out = (sl_i_column_view){0};
    measure(schema, &room);
    SL_TRY(make_room(&room, out, error));
    sl_status status = fill_view(schema, name, &room, &root, error);
    if (status == SL_OK) status = check_array(schema, batch->children[index], name, nullable, root, error);
    if (status != SL_OK) sl_i_column_view_close(out);
    *out_node = (sl_i_node){.schema = schema, .view = out->root, .base = batch->offset};
    return status;
}

void sl_i_column_view_close(sl_i_column_view *view) {
    sl_i_release(view->memory, view->size, 1);
    *view = (sl_i_column_view){0};
}

/* ---------------------------------------------------------------------------------------------- parts */

int64_t sl_i_find_member(const struct ArrowSchema *schema, const char *name) {
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->name && strcmp(schema->children[i]->name, name) == 0) return i;
    return -1;
}

sl_i_node_kind sl_i_node_kind_of(sl_i_node node) {
    const struct ArrowArrayView *view = node.view->dictionary ? node.view->dictionary : node.view;
    switch (view->storage_type) {
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_INT16:
    case NANOARROW_TYPE_INT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_UINT64: return SL_I_NODE_INT;
    case NANOARROW_TYPE_FLOAT:
    case NANOARROW_TYPE_DOUBLE: return SL_I_NODE_FLOAT;
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW: return SL_I_NODE_TEXT;
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY: return SL_I_NODE_BYTES;
    case NANOARROW_TYPE_LIST:
    case NANOARROW_TYPE_LARGE_LIST: return SL_I_NODE_LIST;
    case NANOARROW_TYPE_STRUCT: return SL_I_NODE_STRUCT;
    case NANOARROW_TYPE_DENSE_UNION:
    case NANOARROW_TYPE_SPARSE_UNION: return SL_I_NODE_UNION;
    default: return SL_I_NODE_OTHER;
    }
}

static const char *kind_name(sl_i_node_kind kind) {
    static const char *const names[] = {"something else", "ints",  "floats",  "strings",
                                        "bytes",          "lists", "structs", "unions"};
    return names[kind];
}

static sl_status check_kind(sl_i_node node, const char *path, const char *name, sl_i_node_kind kind, sl_error *error) {
    sl_i_node_kind found = sl_i_node_kind_of(node);
    bool may_encode = kind == SL_I_NODE_TEXT; /* of nested values only texts are read through a dictionary */
    if (found == kind && (may_encode || !node.view->dictionary)) return SL_OK;
    if (found == SL_I_NODE_INT && kind == SL_I_NODE_FLOAT && !node.view->dictionary) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "%.100s%s%.60s has the Arrow type \"%.40s\" (%s%s), where there should be %s", path,
                     *name ? "." : "", name, node.schema->format, kind_name(found),
                     node.view->dictionary ? " in a dictionary" : "", kind_name(kind));
}

sl_status sl_i_node_check(sl_i_node node, const char *path, sl_i_node_kind kind, sl_error *error) {
    return check_kind(node, path, "", kind, error);
}

sl_status sl_i_node_member(sl_i_node node, const char *path, const char *name, sl_i_node_kind kind, sl_i_node *out,
                           sl_error *error) {
    int64_t index = sl_i_find_member(node.schema, name);
    if (index < 0) return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%.100s has no member \"%.60s\"", path, name);
    *out = (sl_i_node){node.schema->children[index], node.view->children[index], node.base + node.view->offset};
    return check_kind(*out, path, name, kind, error);
}

bool sl_i_node_holds_nothing(sl_i_node list) { return list.view->children[0]->storage_type == NANOARROW_TYPE_NA; }

sl_status sl_i_node_items(sl_i_node node, const char *path, sl_i_node_kind kind, sl_i_node *out, sl_error *error) {
    *out = (sl_i_node){node.schema->children[0], node.view->children[0], 0};
    return check_kind(*out, path, "", kind, error);
}

/* ---------------------------------------------------------------------------------------------- values */

bool sl_i_node_is_null(sl_i_node node, int64_t i) { return ArrowArrayViewIsNull(node.view, node.base + i); }

sl_i_span sl_i_node_list(sl_i_node node, int64_t i) {
    int64_t at = node.base + i + node.view->offset;
    return (sl_i_span){ArrowArrayViewListChildOffset(node.view, at), ArrowArrayViewListChildOffset(node.view, at + 1)};
}

static bool is_unsigned(const struct ArrowArrayView *view) {
    return view->storage_type == NANOARROW_TYPE_UINT64 || view->storage_type == NANOARROW_TYPE_UINT32 ||
           view->storage_type == NANOARROW_TYPE_UINT16 || view->storage_type == NANOARROW_TYPE_UINT8;
}

static bool number_at(const struct ArrowArrayView *view, int64_t i, uint64_t *out) {
    if (view->storage_type == NANOARROW_TYPE_UINT32) { /* nearly all: without a look at every type */
        *out = view->buffer_views[1].data.as_uint32[view->offset + i];
        return true;
    }
    *out = ArrowArrayViewGetUIntUnsafe(view, i);
    return is_unsigned(view) || (int64_t)*out >= 0;
}

bool sl_i_node_number(sl_i_node node, int64_t i, uint64_t *out) { return number_at(node.view, node.base + i, out); }

double sl_i_node_double(sl_i_node node, int64_t i) { return ArrowArrayViewGetDoubleUnsafe(node.view, node.base + i); }

/* The view that value i of a node is in, and where in it: the dictionary, if there is one. */
static const struct ArrowArrayView *resolve(sl_i_node node, int64_t i, int64_t *out) {
    *out = node.base + i;
    if (!node.view->dictionary) return node.view;
    *out = ArrowArrayViewGetIntUnsafe(node.view, *out);
    return node.view->dictionary;
}

static const uint8_t *bytes_at(const struct ArrowArrayView *view, int64_t i, uint64_t *length) {
    static const uint8_t nothing[1] = {0};
    struct ArrowBufferView bytes = {.data.data = NULL};
    bool is_empty = !is_view_type(view) && view->storage_type != NANOARROW_TYPE_FIXED_SIZE_BINARY &&
                    !view->buffer_views[2].data.data; /* there need be no bytes where all values are empty */
    if (!is_empty) bytes = ArrowArrayViewGetBytesUnsafe(view, i);
    *length = (uint64_t)bytes.size_bytes;
    return bytes.size_bytes ? bytes.data.as_uint8 : nothing;
}

const uint8_t *sl_i_node_text(sl_i_node node, int64_t i, uint64_t *length) {
    int64_t at;
    const struct ArrowArrayView *view = resolve(node, i, &at);
    return bytes_at(view, at, length);
}

bool sl_i_node_key(sl_i_node node, int64_t i, sl_key *out) {
    int64_t at;
    uint64_t length;
    const struct ArrowArrayView *view = resolve(node, i, &at);
    const struct ArrowSchema *schema = node.schema->dictionary ? node.schema->dictionary : node.schema;
    *out = (sl_key){0};
    if (is_union(schema)) {
        int8_t child = ArrowArrayViewUnionChildIndex(view, at);
        sl_i_node member = {schema->children[child], view->children[child], 0};
        bool is_nested = is_union(member.schema) || (member.schema->dictionary && is_union(member.schema->dictionary));
        return !is_nested && sl_i_node_key(member, ArrowArrayViewUnionChildOffset(view, at), out);
    }
    switch (sl_i_node_kind_of((sl_i_node){schema, view, 0})) {
    case SL_I_NODE_INT: {
        bool is_positive = number_at(view, at, &out->number);
        out->kind = out->number > UINT32_MAX ? SL_KEY_U64 : SL_KEY_U32;
        return is_positive;
    }
    case SL_I_NODE_TEXT: out->kind = SL_KEY_STRING; break;
    case SL_I_NODE_BYTES: out->kind = SL_KEY_BYTES; break;
    default: return false;
    }
    out->bytes = bytes_at(view, at, &length);
    out->length = (uint32_t)length;
    return length <= UINT32_MAX;
}
