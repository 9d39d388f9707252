/* arrow_array.h: Arrow arrays and schemas that own what they point to.
 *
 * Every array made here holds its buffers, its children's structs and its dictionary in one private part, and its release
 * callback gives back that part and whatever children the consumer has not moved out: any of them may be moved elsewhere
 * and released later, in any order. Memory comes from the engine's allocation layer and counts as in use until then. */
#ifndef SL_INTERCHANGE_ARROW_ARRAY_H
#define SL_INTERCHANGE_ARROW_ARRAY_H

#include "support/memory.h"

/** An array of `length` values with `num_buffers` (at most 3) absent buffers and `num_children` released children;
 *  `with_dictionary`: also a released dictionary. Without nulls. Fill it with the calls below. */
sl_status sl_i_array_make(struct ArrowArray *out, uint64_t length, int64_t num_buffers, uint64_t num_children,
                          bool with_dictionary, sl_error *error) SL_MUST_USE;
/** Give buffer `which` of the array `count` elements of `size` bytes; *out_buffer points to them. */
sl_status sl_i_array_buffer(struct ArrowArray *array, int64_t which, uint64_t count, size_t size, void *out_buffer,
                            sl_error *error) SL_MUST_USE;
/** Release an array if that has not been done. */
void sl_i_array_drop(struct ArrowArray *array);

/** A utf8 array (int32 offsets) of `count` strings; `texts[i]` has `lengths[i]` bytes. SL_ERROR_CAPACITY beyond 2^31-1 bytes. */
sl_status sl_i_array_strings(struct ArrowArray *out, const char *const *texts, const size_t *lengths, uint64_t count,
                             sl_error *error) SL_MUST_USE;

/** A type, as static strings. */
typedef struct sl_i_arrow_type {
    const char *format;
    uint32_t width;                             /* to be written after the format; 0: none */
    bool nullable;                              /* flagged so; the default is a field without nulls */
    const struct sl_i_arrow_type *dictionary;   /* of the values, or NULL */
    const struct sl_i_arrow_type *member_types; /* children, or NULL */
    const char *const *member_names;
    uint64_t num_members;
} sl_i_arrow_type;

/** Initialisers: a list of items of that type, and a struct of as many members as there are `types`. */
#define SL_I_LIST_OF(items) {.format = "+l", .member_types = (items), .member_names = sl_i_item_name, .num_members = 1}
#define SL_I_STRUCT_OF(types, names)                                                                                   \
    {.format = "+s", .member_types = (types), .member_names = (names), .num_members = sizeof(types) / sizeof *(types)}
/** "item" */
extern const char *const sl_i_item_name[1];

/** uint32, double, utf8; dictionary<uint8, utf8>, dictionary<uint16, utf8>, dictionary<uint32, utf8>. */
extern const sl_i_arrow_type sl_i_uint32_type, sl_i_double_type, sl_i_utf8_type, sl_i_category8_type,
    sl_i_category16_type, sl_i_category_type;

/** A schema of that type with a copy of `name`. */
sl_status sl_i_schema_make(struct ArrowSchema *out, const sl_i_arrow_type *type, const char *name, sl_error *error)
    SL_MUST_USE;
/** Give a schema made so a copy of these `size` bytes of Arrow metadata; once. */
sl_status sl_i_schema_set_metadata(struct ArrowSchema *schema, const char *metadata, uint64_t size, sl_error *error)
    SL_MUST_USE;
void sl_i_schema_drop(struct ArrowSchema *schema);

#endif
