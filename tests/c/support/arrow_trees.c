/* arrow_trees.c: see arrow_trees.h. */
#include "support/arrow_trees.h"

#include <errno.h>
#include <stdio.h>

#include "support/graphs.h"

/* ---- memory of copies -------------------------------------------------------------------------------------------- */

typedef struct block {
    struct block *next;
    _Alignas(16) unsigned char bytes[];
} block;

static block *blocks;

void *arrow_copies_memory(size_t size) {
    block *made = calloc(1, sizeof *made + size + 1);
    assert_non_null(made);
    made->next = blocks;
    blocks = made;
    return made->bytes;
}

void arrow_copies_free(void) {
    while (blocks) {
        block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

void arrow_table_read(struct ArrowArrayStream *stream, arrow_table *out) {
    memset(out, 0, sizeof *out);
    assert_int_equal(stream->get_schema(stream, &out->schema), 0);
    for (;;) {
        struct ArrowArray batch;
        assert_int_equal(stream->get_next(stream, &batch), 0);
        if (!batch.release) break;
        assert_true(out->count < 64);
        out->batches[out->count++] = batch;
    }
    stream->release(stream);
}

void arrow_table_free(arrow_table *table) {
    for (uint32_t i = 0; i < table->count; i++) table->batches[i].release(&table->batches[i]);
    table->schema.release(&table->schema);
    memset(table, 0, sizeof *table);
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static void keep_array(struct ArrowArray *array) { array->release = NULL; }
static void keep_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static struct ArrowArray *copy_array(const struct ArrowArray *array) {
    struct ArrowArray *copy = arrow_copies_memory(sizeof *copy);
    *copy = *array;
    copy->release = keep_array;
    copy->buffers = arrow_copies_memory((size_t)array->n_buffers * sizeof(void *));
    for (int64_t i = 0; i < array->n_buffers; i++) copy->buffers[i] = array->buffers[i];
    copy->children = arrow_copies_memory((size_t)array->n_children * sizeof(void *));
    for (int64_t i = 0; i < array->n_children; i++) copy->children[i] = copy_array(array->children[i]);
    copy->dictionary = array->dictionary ? copy_array(array->dictionary) : NULL;
    return copy;
}

static struct ArrowSchema *copy_schema(const struct ArrowSchema *schema) {
    struct ArrowSchema *copy = arrow_copies_memory(sizeof *copy);
    *copy = *schema;
    copy->release = keep_schema;
    copy->children = arrow_copies_memory((size_t)schema->n_children * sizeof(void *));
    for (int64_t i = 0; i < schema->n_children; i++) copy->children[i] = copy_schema(schema->children[i]);
    copy->dictionary = schema->dictionary ? copy_schema(schema->dictionary) : NULL;
    return copy;
}

arrow_copy arrow_table_copy(const arrow_table *table) {
    arrow_copy copy = {.schema = copy_schema(&table->schema), .count = table->count};
    for (uint32_t i = 0; i < table->count; i++) copy.batches[i] = copy_array(&table->batches[i]);
    return copy;
}

typedef struct copy_stream {
    arrow_copy copy;
    uint32_t next;
} copy_stream;

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    *out = *((copy_stream *)stream->private_data)->copy.schema;
    return 0;
}
static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    copy_stream *part = stream->private_data;
    memset(out, 0, sizeof *out);
    if (part->next < part->copy.count) *out = *part->copy.batches[part->next++];
    return 0;
}
static const char *get_last_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}
static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }

struct ArrowArrayStream arrow_copy_stream(arrow_copy *copy) {
    copy_stream *part = arrow_copies_memory(sizeof *part);
    part->copy = *copy;
    return (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, part};
}

struct ArrowArrayStream arrow_table_stream(const arrow_table *table) {
    arrow_copy copy = arrow_table_copy(table);
    return arrow_copy_stream(&copy);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static int64_t child_named(const struct ArrowSchema *schema, const char *name, size_t length) {
    if (length == 0) return 0;
    for (int64_t i = 0; i < schema->n_children; i++)
        if (strlen(schema->children[i]->name) == length && memcmp(schema->children[i]->name, name, length) == 0)
            return i;
    fail_msg("no child %.*s", (int)length, name);
    return -1;
}

static void walk(const char *path, struct ArrowSchema **schema, struct ArrowArray **array) {
    for (;;) {
        size_t length = strcspn(path, "/");
        if (length == 1 && *path == '!') {
            *schema = (*schema)->dictionary;
            if (array) *array = (*array)->dictionary;
        } else {
            int64_t child = child_named(*schema, path, length);
            *schema = (*schema)->children[child];
            if (array) *array = (*array)->children[child];
        }
        if (!path[length]) return;
        path += length + 1;
    }
}

struct ArrowArray *arrow_copy_array(const arrow_copy *copy, uint32_t batch, const char *path) {
    struct ArrowSchema *schema = copy->schema;
    struct ArrowArray *array = copy->batches[batch];
    walk(path, &schema, &array);
    return array;
}

struct ArrowSchema *arrow_copy_schema(const arrow_copy *copy, const char *path) {
    struct ArrowSchema *schema = copy->schema;
    walk(path, &schema, NULL);
    return schema;
}

void arrow_copy_put(arrow_copy *copy, const char *path, uint64_t at, uint32_t value) {
    struct ArrowArray *array = arrow_copy_array(copy, 0, path);
    size_t size = (size_t)(array->length + array->n_children) * sizeof value; /* a list has one offset more */
    uint32_t *values = arrow_copies_memory(size);
    memcpy(values, array->buffers[1], size);
    values[at] = value;
    array->buffers[1] = values;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static bool metadata_equal(const char *a, const char *b) {
    if (!a || !b) return a == b;
    int32_t pairs, length;
    memcpy(&pairs, a, sizeof pairs);
    size_t size = sizeof pairs;
    for (int32_t i = 0; i < 2 * pairs; i++) {
        memcpy(&length, a + size, sizeof length);
        size += sizeof length + (size_t)length;
    }
    return memcmp(a, b, size) == 0;
}

static bool schema_equal(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    if (!a || !b) return a == b;
    bool equal = strcmp(a->format, b->format) == 0 && strcmp(a->name, b->name) == 0 && a->flags == b->flags &&
                 a->n_children == b->n_children && metadata_equal(a->metadata, b->metadata);
    for (int64_t i = 0; i < a->n_children && equal; i++) equal = schema_equal(a->children[i], b->children[i]);
    return equal && schema_equal(a->dictionary, b->dictionary);
}

/* Bytes of one value in each buffer of a format; the second of texts and lists are offsets. */
static size_t value_size(const char *format) {
    static const struct {
        const char *format;
        size_t size;
    } sizes[] = {{"I", 4}, {"L", 8}, {"S", 2}, {"C", 1}, {"g", 8}, {"tsm:", 8}, {"u", 4}, {"z", 4}, {"+l", 4}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(format, sizes[i].format) == 0) return sizes[i].size;
    return 0;
}

static bool is_text(const char *format) { return strcmp(format, "u") == 0 || strcmp(format, "z") == 0; }
static bool is_union(const char *format) { return strncmp(format, "+u", 2) == 0; }

/* Of arrays that this library makes: no offsets, nothing beyond the length. */
static bool array_equal(const struct ArrowSchema *schema, const struct ArrowArray *a, const struct ArrowArray *b) {
    if (!a || !b) return a == b;
    size_t n = (size_t)a->length, size = value_size(schema->format);
    bool has_offsets = is_text(schema->format) || strcmp(schema->format, "+l") == 0, equal = a->length == b->length;
    if (!equal || a->null_count != b->null_count || a->n_children != b->n_children) return false;
    if (size) equal = memcmp(a->buffers[1], b->buffers[1], (n + has_offsets) * size) == 0;
    if (equal && is_text(schema->format))
        equal = memcmp(a->buffers[2], b->buffers[2], (size_t)((const int32_t *)a->buffers[1])[n]) == 0;
    if (equal && is_union(schema->format))
        equal = memcmp(a->buffers[0], b->buffers[0], n) == 0 && memcmp(a->buffers[1], b->buffers[1], 4 * n) == 0;
    for (int64_t i = 0; i < a->n_children && equal; i++)
        equal = array_equal(schema->children[i], a->children[i], b->children[i]);
    return equal && (!schema->dictionary || array_equal(schema->dictionary, a->dictionary, b->dictionary));
}

bool arrow_table_equal(const arrow_table *a, const arrow_table *b) {
    bool equal = a->count == b->count && schema_equal(&a->schema, &b->schema);
    for (uint32_t i = 0; i < a->count && equal; i++) equal = array_equal(&a->schema, &a->batches[i], &b->batches[i]);
    return equal;
}

/* ---- spoiling ---------------------------------------------------------------------------------------------------- */

/* One value of a buffer as it was. */
static struct {
    unsigned char *place;
    unsigned char bytes[8];
    size_t size;
} spoilt;

void arrow_table_mend(void) {
    if (spoilt.place) memcpy(spoilt.place, spoilt.bytes, spoilt.size);
    spoilt.place = NULL;
}

static void spoil_bytes(const void *buffer, size_t index, size_t size, uint64_t value) {
    spoilt.place = (unsigned char *)(uintptr_t)buffer + index * size;
    spoilt.size = size;
    memcpy(spoilt.bytes, spoilt.place, size);
    memcpy(spoilt.place, &value, size);
}

/* Numbers that break things: small ones, ends of ranges, special doubles, anything. */
static uint64_t bad_number(uint64_t *random) {
    static const double doubles[] = {-1.0, 0.0, 0.5, 1.0, 1.5, 1e300, -0.0, 0.1234567891};
    uint64_t bits;
    switch (graph_below(random, 5)) {
    case 0: return graph_below(random, 8);
    case 1: return UINT64_MAX - graph_below(random, 3);
    case 2: return UINT64_C(0x7FF0000000000000) + graph_below(random, 2);
    case 3: memcpy(&bits, &doubles[graph_below(random, 8)], sizeof bits); return bits;
    default: return graph_random(random);
    }
}

static void spoil_values(const struct ArrowSchema *schema, const struct ArrowArray *array, uint64_t *random) {
    size_t n = (size_t)array->length, size = value_size(schema->format);
    if (n == 0) return;
    size_t at = graph_below(random, (uint32_t)n);
    if (is_union(schema->format)) {
        bool kinds = graph_below(random, 2);
        spoil_bytes(array->buffers[kinds ? 0 : 1], at, kinds ? 1 : 4, bad_number(random));
    } else if (is_text(schema->format)) {
        uint32_t end = (uint32_t)((const int32_t *)array->buffers[1])[n];
        bool text = end > 0 && graph_below(random, 2);
        if (text)
            spoil_bytes(array->buffers[2], graph_below(random, end), 1, bad_number(random));
        else
            spoil_bytes(array->buffers[1], graph_below(random, (uint32_t)n + 1), 4,
                        (uint64_t)graph_below(random, end + 2) - 1);
    } else if (size) {
        bool has_offsets = strcmp(schema->format, "+l") == 0;
        spoil_bytes(array->buffers[1], at + (has_offsets ? graph_below(random, 2) : 0), size, bad_number(random));
    }
}

static void spoil_struct(struct ArrowArray *array, uint64_t *random) {
    int64_t less = array->length ? graph_below(random, (uint32_t)array->length + 1) : 0;
    switch (graph_below(random, 9)) {
    case 0: array->length = less - 1; break;
    case 1: array->offset = less - 1, array->length -= less; break;
    case 2: array->offset = INT64_MAX - graph_below(random, 3); break;
    case 3: array->n_children += (int64_t)graph_below(random, 2) * -2; break;
    case 4: array->n_buffers -= 1 + graph_below(random, 3); break;
    case 5: array->dictionary = NULL; break;
    case 6: array->null_count = 1 - 2 * (int64_t)graph_below(random, 2); break;
    case 7:
        if (array->n_children) array->children[graph_below(random, (uint32_t)array->n_children)] = NULL;
        break;
    default:
        if (array->n_buffers) array->buffers[graph_below(random, (uint32_t)array->n_buffers)] = NULL;
    }
}

/* Formats whose values are no longer than any other's here are read at most as far as the buffers go. */
static void spoil_schema(struct ArrowSchema *schema, uint64_t *random) {
    static const char *const formats[] = {"", "n", "C", "c", "w:0", "+s", "x", "+ud:", "b", "w:-3", "+ud:0,0", "+us:1"};
    switch (graph_below(random, 4)) {
    case 0: schema->name = "another"; break;
    case 1: schema->format = value_size(schema->format) == 8 ? "l" : formats[graph_below(random, 3)]; break;
    case 2: schema->n_children -= 1; break;
    default: schema->format = formats[graph_below(random, 12)];
    }
}

/* A random node: the walk goes down until it likes to stop. */
static void spoil_somewhere(struct ArrowSchema *schema, struct ArrowArray *array, uint64_t *random) {
    uint32_t choices = (uint32_t)schema->n_children + (schema->dictionary ? 1 : 0);
    if (choices && graph_below(random, 6)) {
        uint32_t child = graph_below(random, choices);
        bool in_child = child < (uint32_t)schema->n_children;
        spoil_somewhere(in_child ? schema->children[child] : schema->dictionary,
                        in_child ? array->children[child] : array->dictionary, random);
        return;
    }
    switch (graph_below(random, 8)) {
    case 0: spoil_schema(schema, random); break;
    case 1:
    case 2: spoil_struct(array, random); break;
    default: spoil_values(schema, array, random);
    }
}

struct ArrowArrayStream arrow_table_spoil(const arrow_table *table, uint64_t number) {
    uint64_t random = number * 977 + 11;
    arrow_copy copy = arrow_table_copy(table);
    spoil_somewhere(copy.schema, copy.batches[graph_below(&random, copy.count)], &random);
    return arrow_copy_stream(&copy);
}
