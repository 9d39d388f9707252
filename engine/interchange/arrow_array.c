/* arrow_array.c: see arrow_array.h. */
#include "interchange/arrow_array.h"

#include <stdio.h>
#include <string.h>

#define MAX_BUFFERS 3

typedef struct array_part {
    const void *buffers[MAX_BUFFERS];
    uint64_t sizes[MAX_BUFFERS]; /* bytes held by each buffer */
    void *held[MAX_BUFFERS];
    struct ArrowArray **children;
    struct ArrowArray *structs; /* the children, then the dictionary */
    uint64_t num_children, num_structs;
} array_part;

static void free_array_part(array_part *part) {
    for (int i = 0; i < MAX_BUFFERS; i++) sl_i_release(part->held[i], part->sizes[i], 1);
    sl_i_release(part->children, part->num_children, sizeof *part->children);
    sl_i_release(part->structs, part->num_structs, sizeof *part->structs);
    sl_i_release(part, 1, sizeof *part);
}

void sl_i_array_drop(struct ArrowArray *array) {
    if (array->release) array->release(array);
}

static void release_array(struct ArrowArray *array) {
    array_part *part = array->private_data;
    for (uint64_t i = 0; i < part->num_structs; i++) sl_i_array_drop(&part->structs[i]);
    free_array_part(part);
    array->release = NULL;
}

static sl_status fill_array_part(array_part *part, uint64_t num_children, bool with_dictionary, sl_error *error) {
    uint64_t num_structs = num_children + (with_dictionary ? 1 : 0);
    if (num_structs == 0) return SL_OK;
    SL_TRY(sl_i_allocate_zeroed(&part->structs, num_structs, sizeof *part->structs, "an Arrow array", error));
    part->num_structs = num_structs;
    SL_TRY(sl_i_allocate(&part->children, num_children, sizeof *part->children, "an Arrow array", error));
    part->num_children = num_children;
    for (uint64_t i = 0; i < num_children; i++) part->children[i] = &part->structs[i];
    return SL_OK;
}

sl_status sl_i_array_make(struct ArrowArray *out, uint64_t length, int64_t num_buffers, uint64_t num_children,
                          bool with_dictionary, sl_error *error) {
    array_part *part = NULL;
    *out = (struct ArrowArray){0};
    SL_TRY(sl_i_allocate_zeroed(&part, 1, sizeof *part, "an Arrow array", error));
    sl_status status = fill_array_part(part, num_children, with_dictionary, error);
    if (status != SL_OK) {
        free_array_part(part);
        return status;
    }
    *out = (struct ArrowArray){.length = (int64_t)length,
                               .n_buffers = num_buffers,
                               .n_children = (int64_t)num_children,
                               .buffers = part->buffers,
                               .children = num_children ? part->children : NULL,
                               .dictionary = with_dictionary ? &part->structs[num_children] : NULL,
                               .release = release_array,
                               .private_data = part};
    return SL_OK;
}

sl_status sl_i_array_buffer(struct ArrowArray *array, int64_t which, uint64_t count, size_t size, void *out_buffer,
                            sl_error *error) {
    array_part *part = array->private_data;
    SL_TRY(sl_i_allocate(out_buffer, count, size, "an Arrow column", error));
    part->held[which] = *(void **)out_buffer;
    part->sizes[which] = count * size;
    part->buffers[which] = part->held[which];
    return SL_OK;
}

sl_status sl_i_array_strings(struct ArrowArray *out, const char *const *texts, const size_t *lengths, uint64_t count,
                             sl_error *error) {
    uint64_t total = 0;
    for (uint64_t i = 0; i < count && total <= INT32_MAX; i++) total += lengths[i];
    if (total > INT32_MAX)
        return sl_i_fail(error, SL_ERROR_CAPACITY,
                         "the names of an exported column have more than 2^31-1 bytes together");
    SL_TRY(sl_i_array_make(out, count, 3, 0, false, error));
    int32_t *offsets = NULL;
    char *bytes = NULL;
    sl_status status = sl_i_array_buffer(out, 1, count + 1, sizeof *offsets, &offsets, error);
    if (status == SL_OK) status = sl_i_array_buffer(out, 2, total, 1, &bytes, error);
    if (status != SL_OK) {
        sl_i_array_drop(out);
        return status;
    }
    offsets[0] = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (lengths[i]) memcpy(bytes + offsets[i], texts[i], lengths[i]);
        offsets[i + 1] = offsets[i] + (int32_t)lengths[i];
    }
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- schemas */

typedef struct schema_part {
    struct ArrowSchema **children;
    struct ArrowSchema *structs; /* the children, then the dictionary */
    uint64_t num_children, num_structs;
    char *name;
    uint64_t name_size;
    char *metadata;
    uint64_t metadata_size;
    char format[16]; /* of types with a width */
} schema_part;

static void free_schema_part(schema_part *part) {
    for (uint64_t i = 0; i < part->num_structs; i++) sl_i_schema_drop(&part->structs[i]);
    sl_i_release(part->children, part->num_children, sizeof *part->children);
    sl_i_release(part->structs, part->num_structs, sizeof *part->structs);
    sl_i_release(part->name, part->name_size, 1);
    sl_i_release(part->metadata, part->metadata_size, 1);
    sl_i_release(part, 1, sizeof *part);
}

void sl_i_schema_drop(struct ArrowSchema *schema) {
    if (schema->release) schema->release(schema);
}

static void release_schema(struct ArrowSchema *schema) {
    free_schema_part(schema->private_data);
    schema->release = NULL;
}

const char *const sl_i_item_name[1] = {"item"};
const sl_i_arrow_type sl_i_uint32_type = {.format = "I"};
const sl_i_arrow_type sl_i_double_type = {.format = "g"};
const sl_i_arrow_type sl_i_utf8_type = {.format = "u"};
const sl_i_arrow_type sl_i_category8_type = {.format = "C", .dictionary = &sl_i_utf8_type};
const sl_i_arrow_type sl_i_category16_type = {.format = "S", .dictionary = &sl_i_utf8_type};
const sl_i_arrow_type sl_i_category_type = {.format = "I", .dictionary = &sl_i_utf8_type};

/* As deep as the types of this library nest. */
static sl_status fill_schema_part(schema_part *part, const sl_i_arrow_type *type, const char *name, sl_error *error) {
    part->name_size = strlen(name) + 1;
    SL_TRY(sl_i_allocate(&part->name, part->name_size, 1, "a column name", error));
    memcpy(part->name, name, part->name_size);
    uint64_t num_structs = type->num_members + (type->dictionary ? 1 : 0);
    if (num_structs == 0) return SL_OK;
    SL_TRY(sl_i_allocate_zeroed(&part->structs, num_structs, sizeof *part->structs, "an Arrow schema", error));
    part->num_structs = num_structs;
    SL_TRY(sl_i_allocate(&part->children, type->num_members, sizeof *part->children, "an Arrow schema", error));
    part->num_children = type->num_members;
    for (uint64_t i = 0; i < type->num_members; i++) {
        part->children[i] = &part->structs[i];
        SL_TRY(sl_i_schema_make(part->children[i], &type->member_types[i], type->member_names[i], error));
    }
    if (!type->dictionary) return SL_OK;
    return sl_i_schema_make(&part->structs[type->num_members], type->dictionary, "", error);
}

sl_status sl_i_schema_make(struct ArrowSchema *out, const sl_i_arrow_type *type, const char *name, sl_error *error) {
    schema_part *part = NULL;
    *out = (struct ArrowSchema){0};
    SL_TRY(sl_i_allocate_zeroed(&part, 1, sizeof *part, "an Arrow schema", error));
    sl_status status = fill_schema_part(part, type, name, error);
    if (status != SL_OK) {
        free_schema_part(part);
        return status;
    }
    if (type->width) (void)snprintf(part->format, sizeof part->format, "%s%u", type->format, (unsigned)type->width);
    *out = (struct ArrowSchema){.format = type->width ? part->format : type->format,
                                .name = part->name,
                                .flags = type->nullable ? ARROW_FLAG_NULLABLE : 0,
                                .n_children = (int64_t)type->num_members,
                                .children = type->num_members ? part->children : NULL,
                                .dictionary = type->dictionary ? &part->structs[type->num_members] : NULL,
                                .release = release_schema,
                                .private_data = part};
    return SL_OK;
}

sl_status sl_i_schema_set_metadata(struct ArrowSchema *schema, const char *metadata, uint64_t size, sl_error *error) {
    schema_part *part = schema->private_data;
    SL_TRY(sl_i_allocate(&part->metadata, size, 1, "the metadata of an Arrow schema", error));
    memcpy(part->metadata, metadata, size);
    part->metadata_size = size;
    schema->metadata = part->metadata;
    return SL_OK;
}
