/* test_attributes.c: Arrow batches are kept and handed out without a copy, in whatever order their parts are moved and released;
 * malformed ones are refused; and every record leads to the row that was attached to it, compared with a plain table of
 * (record -> attachment, row) through attaching, truncating, copying and carrying. */
#include "support/expect.h"

#include <errno.h>
#include <stdio.h>

#include "records/attributes.h"
#include "records/context.h"
#include "support/failing_memory.h"
#include "support/graphs.h"

/* ---------------------------------------------------------------------------------------------- producing by hand */

static int live; /* structs that a producer made and nobody has released yet */

typedef struct parts {
    void *buffers[3];
    struct ArrowArray structs[4], *children[4];
} parts;

static void release_array(struct ArrowArray *array) {
    parts *p = array->private_data;
    for (size_t i = 0; i < 4; i++)
        if (p->structs[i].release) p->structs[i].release(&p->structs[i]);
    for (size_t i = 0; i < 3; i++) free(p->buffers[i]);
    free(p);
    array->release = NULL;
    live--;
}

static struct ArrowArray make_array(int64_t length, int64_t offset, int64_t num_buffers, int64_t num_children) {
    parts *p = fresh_memory(1, sizeof *p);
    for (size_t i = 0; i < 4; i++) p->children[i] = &p->structs[i];
    live++;
    return (struct ArrowArray){.length = length,
                               .offset = offset,
                               .n_buffers = num_buffers,
                               .n_children = num_children,
                               .buffers = (const void **)p->buffers,
                               .children = num_children ? p->children : NULL,
                               .release = release_array,
                               .private_data = p};
}

static void *add_buffer(struct ArrowArray *array, int which, uint64_t count, size_t size) {
    parts *p = array->private_data;
    return p->buffers[which] = fresh_memory(count, size);
}

/* The values base, base + 1, ... behind `offset` values that nobody may read; every third one is null. */
static struct ArrowArray make_numbers(int64_t length, int64_t offset, int32_t base) {
    struct ArrowArray array = make_array(length, offset, 2, 0);
    uint8_t *validity = add_buffer(&array, 0, (uint64_t)(length + offset) / 8 + 1, 1);
    int32_t *values = add_buffer(&array, 1, (uint64_t)(length + offset), sizeof *values);
    for (int64_t i = 0; i < offset; i++) values[i] = -1;
    for (int64_t i = 0; i < length; i++) {
        values[offset + i] = base + (int32_t)i;
        if ((base + i) % 3) validity[(offset + i) >> 3] |= (uint8_t)(1u << ((offset + i) & 7));
    }
    array.null_count = -1;
    return array;
}

/* Codes (base + i) % 2 of a dictionary of the numbers 70 and 71. */
static struct ArrowArray make_codes(int64_t length, int64_t offset, int32_t base) {
    struct ArrowArray array = make_array(length, offset, 2, 0);
    int8_t *codes = add_buffer(&array, 1, (uint64_t)(length + offset), 1);
    for (int64_t i = 0; i < length; i++) codes[offset + i] = (int8_t)((base + i) % 2);
    parts *p = array.private_data;
    p->structs[3] = make_numbers(2, 0, 70);
    array.dictionary = &p->structs[3];
    return array;
}

/* A struct column with one member, the numbers base + 1000, ... */
static struct ArrowArray make_nested(int64_t length, int64_t offset, int32_t base) {
    struct ArrowArray array = make_array(length, offset, 1, 1);
    *array.children[0] = make_numbers(length + offset, 1, base + 1000 - (int32_t)offset);
    return array;
}

/* A batch of rows base, base + 1, ... whose struct has an offset, and whose columns have offsets of their own and are longer. */
static struct ArrowArray make_batch(int64_t length, int64_t offset, int32_t base) {
    struct ArrowArray array = make_array(length, offset, 1, 3);
    *array.children[0] = make_numbers(length + offset + 2, 3, base - (int32_t)offset);
    *array.children[1] = make_codes(length + offset, 1, base + 2 - (int32_t)offset);
    *array.children[2] = make_nested(length + offset, 2, base - (int32_t)offset);
    return array;
}

static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
    live--;
}

/* Static schemas; `live` counts the top one. */
static struct ArrowSchema make_schema(void) {
    static struct ArrowSchema number = {.format = "i", .name = "number", .metadata = "\1\0\0\0", .flags = 2},
                              values = {.format = "i"}, codes = {.format = "c", .name = "code", .dictionary = &values},
                              member = {.format = "i", .name = "member"}, *members[1] = {&member};
    static struct ArrowSchema nested = {.format = "+s", .name = "nested", .n_children = 1, .children = members};
    static struct ArrowSchema *children[3] = {&number, &codes, &nested};
    number.release = values.release = codes.release = member.release = nested.release = release_schema;
    live++;
    return (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 3, .children = children, .release = release_schema};
}

typedef struct producer {
    struct ArrowSchema schema;
    struct ArrowArray arrays[8];
    int count, next;
    int fails_at, code; /* get_next number `fails_at` gives `code` (-1: never) */
    const char *reason;
} producer;

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    producer *p = stream->private_data;
    if (!p->schema.format) return EIO;
    *out = p->schema;
    p->schema.release = NULL;
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    producer *p = stream->private_data;
    if (p->next == p->fails_at) return p->code;
    if (p->next == p->count) {
        *out = (struct ArrowArray){0};
        return 0;
    }
    *out = p->arrays[p->next];
    p->arrays[p->next++].release = NULL;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    return ((producer *)stream->private_data)->reason;
}

static void release_stream(struct ArrowArrayStream *stream) {
    producer *p = stream->private_data;
    for (int i = 0; i < 8; i++)
        if (p->arrays[i].release) p->arrays[i].release(&p->arrays[i]);
    if (p->schema.release) p->schema.release(&p->schema);
    free(p);
    stream->release = NULL;
    live--;
}

static struct ArrowArrayStream make_stream(producer **out) {
    producer *p = fresh_memory(1, sizeof *p);
    p->schema = make_schema();
    p->fails_at = -1;
    live++;
    if (out) *out = p;
    return (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, p};
}

/* Rows base, base + 1, ... in batches of these lengths (ended by -1). */
static struct ArrowArrayStream stream_of(const int64_t *lengths, int32_t base) {
    producer *p;
    struct ArrowArrayStream stream = make_stream(&p);
    for (; *lengths >= 0; lengths++) {
        p->arrays[p->count] = make_batch(*lengths, p->count * 2, base);
        base += (int32_t)*lengths;
        p->count++;
    }
    return stream;
}

static sl_batches *batches_of(const int64_t *lengths, int32_t base) {
    struct ArrowArrayStream stream = stream_of(lengths, base);
    sl_batches *batches;
    EXPECT_OK(sl_batches_from_stream(&stream, &batches, &expect_error));
    assert_null(stream.release);
    return batches;
}

/* `count` rows in one batch. */
static sl_batches *rows_of(int64_t count, int32_t base) { return batches_of((int64_t[]){count, -1}, base); }

/* ---------------------------------------------------------------------------------------------- consuming */

static int32_t number_at(const struct ArrowArray *array, int64_t i) {
    return ((const int32_t *)array->buffers[1])[array->offset + i];
}

static bool is_null(const struct ArrowArray *array, int64_t i) {
    const uint8_t *validity = array->null_count == 0 ? NULL : array->buffers[0];
    return validity && !(validity[(array->offset + i) >> 3] >> ((array->offset + i) & 7) & 1);
}

/* The columns of a batch hold row `row` at `i`. */
static void expect_columns(struct ArrowArray **columns, int64_t i, int32_t row) {
    assert_int_equal(number_at(columns[0], i), row);
    assert_int_equal(is_null(columns[0], i), row % 3 == 0);
    int8_t code = ((const int8_t *)columns[1]->buffers[1])[columns[1]->offset + i];
    assert_int_equal(number_at(columns[1]->dictionary, code), 70 + row % 2);
    assert_int_equal(number_at(columns[2]->children[0], columns[2]->offset + i), row + 1000);
    assert_int_equal(columns[0]->null_count, -1);
}

/* The stream gives these rows, in so many batches; releases it. */
static void expect_stream(struct ArrowArrayStream *stream, const uint64_t *rows, uint64_t count, int32_t base,
                          int num_batches) {
    struct ArrowSchema schema;
    struct ArrowArray batch;
    uint64_t seen = 0;
    assert_int_equal(stream->get_schema(stream, &schema), 0);
    assert_string_equal(schema.children[1]->name, "code");
    assert_string_equal(schema.children[1]->dictionary->format, "i");
    assert_memory_equal(schema.children[0]->metadata, "\1\0\0\0", 4);
    assert_int_equal(schema.children[0]->flags, 2);
    schema.release(&schema);
    for (;; num_batches--) {
        assert_int_equal(stream->get_next(stream, &batch), 0);
        if (!batch.release) break;
        assert_int_equal(batch.offset, 0);
        assert_int_equal(batch.null_count, 0);
        for (int c = 0; c < 3; c++) assert_int_equal(batch.children[c]->length, batch.length);
        for (int64_t i = 0; i < batch.length; i++, seen++) {
            assert_true(seen < count);
            expect_columns(batch.children, i, base + (int32_t)(rows ? rows[seen] : seen));
        }
        batch.release(&batch);
    }
    assert_int_equal(seen, count);
    assert_int_equal(num_batches, 0);
    assert_null(stream->get_last_error(stream));
    stream->release(stream);
    assert_null(stream->release);
}

static void expect_rows(const sl_batches *batches, const uint64_t *rows, uint64_t count, int32_t base,
                        int num_batches) {
    struct ArrowArrayStream stream;
    EXPECT_OK(sl_batches_export(batches, rows, count, &stream, &expect_error));
    expect_stream(&stream, rows, count, base, num_batches);
}

static int no_struct_left(void **state) { return live == 0 ? expect_nothing_more_held(state) : -1; }

/* ---------------------------------------------------------------------------------------------- batches */

static void batches_are_counted(void **state) {
    (void)state;
    sl_batches *batches = batches_of((int64_t[]){3, 0, 4, -1}, 0);
    assert_int_equal(sl_batches_num_rows(batches), 7);
    assert_int_equal(sl_batches_num_batches(batches), 3);
    assert_int_equal(sl_batches_batch(batches, 2)->length, 4);
    assert_null(sl_batches_batch(batches, 3));
    assert_string_equal(sl_batches_schema(batches)->children[0]->name, "number");
    assert_ptr_equal(sl_batches_retain(batches), batches);
    sl_batches_release(batches);
    assert_true(live > 0);
    sl_batches_release(batches);
    sl_batches_release(NULL);
    assert_null(sl_batches_retain(NULL));
}

static void rows_come_out_as_they_were(void **state) {
    (void)state;
    sl_batches *batches = batches_of((int64_t[]){3, 0, 4, 1, -1}, 50);
    expect_rows(batches, NULL, 8, 50, 4);
    expect_rows(batches, (uint64_t[]){0, 1, 2, 3, 4, 5, 6, 7}, 8, 50, 3);
    expect_rows(batches, (uint64_t[]){2, 3}, 2, 50, 2); /* consecutive, but of two batches */
    expect_rows(batches, (uint64_t[]){7, 1, 2, 2, 1, 5, 6, 0}, 8, 50, 6);
    expect_rows(batches, (uint64_t[]){6}, 1, 50, 1);
    expect_rows(batches, (uint64_t[]){0}, 0, 50, 0);
    struct ArrowArrayStream stream;
    EXPECT_FAILURE(sl_batches_export(batches, (uint64_t[]){0, 8}, 2, &stream, &expect_error), SL_ERROR_INVALID_ARGUMENT,
                   1);
    assert_null(stream.release);
    sl_batches_release(batches);
    sl_batches *nothing = batches_of((int64_t[]){-1}, 0);
    expect_rows(nothing, NULL, 0, 0, 0);
    sl_batches_release(nothing);
}

static void random_rows_come_out(void **state) {
    (void)state;
    uint64_t seed = 5, rows[30];
    for (int round = 0; round < 50; round++) {
        int64_t lengths[5] = {0};
        uint64_t total = 0, count = graph_below(&seed, 30);
        for (int b = 0; b < 4; b++) total += (uint64_t)(lengths[b] = graph_below(&seed, 6));
        lengths[4] = -1;
        if (total == 0) continue;
        sl_batches *batches = batches_of(lengths, round);
        int runs = 0;
        for (uint64_t i = 0; i < count; i++) {
            bool follow = i > 0 && rows[i - 1] + 1 < total && graph_below(&seed, 2);
            rows[i] = follow ? rows[i - 1] + 1 : graph_below(&seed, (uint32_t)total);
            int64_t end = 0;
            bool starts_batch = false;
            for (int b = 0; b < 4; end += lengths[b++]) starts_batch |= (int64_t)rows[i] == end;
            runs += i == 0 || rows[i] != rows[i - 1] + 1 || starts_batch;
        }
        expect_rows(batches, rows, count, round, runs);
        sl_batches_release(batches);
    }
}

static void buffers_are_shared(void **state) {
    (void)state;
    sl_batches *batches = rows_of(5, 0);
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
    EXPECT_OK(sl_batches_export(batches, (uint64_t[]){3, 4}, 2, &stream, &expect_error));
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    const struct ArrowArray *kept = sl_batches_batch(batches, 0);
    assert_ptr_equal(batch.children[0]->buffers[1], kept->children[0]->buffers[1]);
    assert_ptr_equal(batch.children[1]->dictionary->buffers[1], kept->children[1]->dictionary->buffers[1]);
    assert_ptr_equal(batch.children[2]->children[0]->buffers[1], kept->children[2]->children[0]->buffers[1]);
    batch.release(&batch);
    stream.release(&stream);
    sl_batches_release(batches);
}

/* Move `child` out of its parent, as consumers may. */
static struct ArrowArray move_array(struct ArrowArray *child) {
    struct ArrowArray moved = *child;
    child->release = NULL;
    return moved;
}

static void moved_parts_live_on(void **state) {
    (void)state;
    for (int order = 0; order < 2; order++) {
        sl_batches *batches = rows_of(4, 0);
        struct ArrowArrayStream stream;
        struct ArrowArray batch;
        struct ArrowSchema schema;
        EXPECT_OK(sl_batches_export(batches, NULL, 0, &stream, &expect_error));
        sl_batches_release(batches);
        assert_int_equal(stream.get_next(&stream, &batch), 0);
        assert_int_equal(stream.get_schema(&stream, &schema), 0);
        stream.release(&stream);
        struct ArrowArray nested = move_array(batch.children[2]), codes = move_array(batch.children[1]);
        struct ArrowArray member = move_array(nested.children[0]), dictionary = move_array(codes.dictionary);
        struct ArrowSchema moved = *schema.children[1];
        schema.children[1]->release = NULL;
        schema.release(&schema);
        assert_string_equal(moved.name, "code");
        assert_string_equal(moved.dictionary->format, "i");
        if (order) nested.release(&nested);
        batch.release(&batch);
        codes.release(&codes);
        if (!order) nested.release(&nested);
        moved.release(&moved);
        assert_int_equal(number_at(&dictionary, 1), 71);
        if (order) dictionary.release(&dictionary);
        assert_int_equal(number_at(&member, 3), 1001);
        assert_true(live > 0);
        member.release(&member);
        if (!order) dictionary.release(&dictionary);
        assert_int_equal(live, 0);
    }
}

/* ---------------------------------------------------------------------------------------------- malformed input */

static void expect_refused(struct ArrowArrayStream *stream, const char *why, int64_t row) {
    sl_batches *batches;
    EXPECT_FAILURE(sl_batches_from_stream(stream, &batches, &expect_error), SL_ERROR_INVALID_ARGUMENT, row);
    if (!strstr(expect_error.message, why)) fail_msg("\"%s\" lacks \"%s\"", expect_error.message, why);
    assert_null(batches);
    assert_null(stream->release);
    assert_int_equal(live, 0);
}

static void negative_length(struct ArrowArray *array) { array->length = -1; }
static void negative_offset(struct ArrowArray *array) { array->offset = -1; }
static void endless_offset(struct ArrowArray *array) { array->offset = INT64_MAX; }
static void too_many_rows(struct ArrowArray *array) { array->length = 100; }
static void lost_child(struct ArrowArray *array) { array->n_children = 2; }
static void lost_children(struct ArrowArray *array) { array->children = NULL; }
static void lost_buffers(struct ArrowArray *array) { array->children[0]->buffers = NULL; }
static void negative_buffers(struct ArrowArray *array) { array->children[0]->n_buffers = -1; }
static void short_child(struct ArrowArray *array) { array->children[1]->length--; }
static void negative_child(struct ArrowArray *array) { array->children[2]->children[0]->length = -4; }
static void lost_dictionary(struct ArrowArray *array) { array->children[1]->dictionary = NULL; }
static void released_child(struct ArrowArray *array) { array->children[0]->release(array->children[0]); }
static void (*const breakages[])(struct ArrowArray *) = {
    negative_length, negative_offset,  endless_offset, too_many_rows,  lost_child,      lost_children,
    lost_buffers,    negative_buffers, short_child,    negative_child, lost_dictionary, released_child};

static void malformed_arrays_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof breakages / sizeof *breakages; i++) {
        producer *p;
        struct ArrowArrayStream stream = make_stream(&p);
        p->count = 2;
        p->arrays[0] = make_batch(3, 0, 0);
        p->arrays[1] = make_batch(3, 2, 3);
        breakages[i](&p->arrays[1]);
        expect_refused(&stream, "batch 1", -1);
    }
}

static void malformed_schemas_are_refused(void **state) {
    (void)state;
    producer *p;
    struct ArrowArrayStream stream = make_stream(&p);
    p->schema.format = "i";
    expect_refused(&stream, "not the columns of a table", -1);
    stream = make_stream(&p);
    p->schema.n_children = -1;
    expect_refused(&stream, "schema", -1);
    stream = make_stream(&p);
    p->schema.children = NULL;
    expect_refused(&stream, "schema", -1);
    stream = make_stream(&p);
    struct ArrowSchema unnamed = {.release = release_schema}, *children[3] = {&unnamed, &unnamed, &unnamed};
    p->schema.children = children;
    expect_refused(&stream, "schema", -1);
    struct ArrowSchema deep = {.format = "+l", .n_children = 1, .release = release_schema}, *itself[1] = {&deep};
    deep.children = itself;
    children[0] = children[1] = children[2] = &deep;
    stream = make_stream(&p);
    p->schema.children = children;
    expect_refused(&stream, "deep", -1);
    expect_refused(&stream, "used up", -1);
}

static void null_rows_are_named(void **state) {
    (void)state;
    producer *p;
    struct ArrowArrayStream stream = make_stream(&p);
    p->count = 2;
    p->arrays[0] = make_batch(3, 0, 0);
    p->arrays[1] = make_batch(5, 2, 3);
    uint8_t *validity = add_buffer(&p->arrays[1], 0, 1, 1);
    *validity = 0xDF; /* bit 5 is row 3 of the batch */
    p->arrays[1].null_count = -1;
    expect_refused(&stream, "null", 6);
    stream = stream_of((int64_t[]){3, 4, -1}, 0);
    p = stream.private_data;
    p->arrays[1].null_count = 0; /* says that there are none: the bits do not count */
    (void)add_buffer(&p->arrays[1], 0, 1, 1);
    sl_batches *batches;
    EXPECT_OK(sl_batches_from_stream(&stream, &batches, &expect_error));
    expect_rows(batches, NULL, 7, 0, 2);
    sl_batches_release(batches);
}

static void failing_streams_are_told(void **state) {
    (void)state;
    producer *p;
    struct ArrowArrayStream stream = make_stream(&p);
    p->fails_at = 1;
    p->code = EIO;
    p->reason = "the disk is gone";
    p->count = 1;
    p->arrays[0] = make_batch(3, 0, 0);
    expect_refused(&stream, "the disk is gone", -1);
    stream = make_stream(&p);
    p->fails_at = 0;
    p->code = EIO;
    expect_refused(&stream, strerror(EIO), -1);
    stream = make_stream(&p);
    p->schema.release(&p->schema);
    p->schema.format = NULL;
    expect_refused(&stream, strerror(EIO), -1);
    sl_batches *batches;
    stream = make_stream(&p);
    p->fails_at = 0;
    p->code = ENOMEM;
    EXPECT_FAILURE(sl_batches_from_stream(&stream, &batches, &expect_error), SL_ERROR_MEMORY, -1);
}

/* ---------------------------------------------------------------------------------------------- attaching */

#define MOST_RECORDS 40
#define MOST_ATTACHED 64

/* What a context should say of its records, kept the plain way. */
typedef struct plain {
    const sl_batches *batches[MOST_RECORDS]; /* NULL: no attributes */
    uint64_t rows[MOST_RECORDS];
    uint32_t num_records;
} plain;

static sl_context *context_of(uint32_t num_records) {
    sl_context *context;
    uint64_t *keys = fresh_memory(num_records, sizeof *keys);
    uint16_t source;
    uint32_t first;
    for (uint32_t i = 0; i < num_records; i++) keys[i] = i;
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "crm", 3, &source, &expect_error));
    const sl_key_column column = {.keys = {.type = SL_COLUMN_UINT64, .length = num_records, .values = keys}};
    EXPECT_OK(sl_context_add_records(context, &column, &first, &expect_error));
    free(keys);
    return context;
}

static void expect_attributes(const sl_context *context, const plain *expected) {
    uint32_t records[2 * MOST_RECORDS + 1], numbers[2 * MOST_RECORDS + 1], count = 0;
    uint64_t rows[2 * MOST_RECORDS + 1];
    for (uint32_t r = 0; r < MOST_RECORDS; r++) records[count++] = r;
    for (uint32_t r = MOST_RECORDS; r-- > 0;) records[count++] = (r * 7) % MOST_RECORDS;
    records[count++] = SL_NO_RECORD;
    EXPECT_OK(sl_i_context_validate(context, &expect_error));
    sl_context_find_attributes(context, records, count, numbers, rows);
    for (uint32_t i = 0; i < count; i++) {
        const sl_batches *wanted = records[i] < expected->num_records ? expected->batches[records[i]] : NULL;
        sl_batches *found = sl_context_attachment(context, numbers[i]);
        assert_ptr_equal(found, wanted);
        assert_int_equal(numbers[i] == SL_NO_RECORD, wanted == NULL);
        if (wanted) assert_int_equal(rows[i], expected->rows[records[i]]);
        sl_batches_release(found);
    }
    assert_null(sl_context_attachment(context, sl_context_num_attachments(context)));
}

/* The last attachment counts, and in it the first row: rows are laid over each other from the last one on. */
static void plain_attach(plain *p, const sl_batches *batches, const uint32_t *records, uint32_t first) {
    for (uint64_t row = sl_batches_num_rows(batches); row-- > 0;) {
        uint32_t record = records ? records[row] : first + (uint32_t)row;
        if (record == SL_NO_RECORD) continue;
        p->batches[record] = batches;
        p->rows[record] = row;
    }
}

static void attach_both(sl_context *context, plain *p, sl_batches *batches, const uint32_t *records, uint32_t first) {
    EXPECT_OK(sl_context_attach(context, batches, records, first, &expect_error));
    plain_attach(p, batches, records, first);
    expect_attributes(context, p);
}

static void records_lead_to_their_rows(void **state) {
    (void)state;
    plain p = {.num_records = 10};
    sl_context *context = context_of(10);
    expect_attributes(context, &p);
    sl_batches *three = rows_of(3, 0), *four = rows_of(4, 10), *none = rows_of(0, 0);
    attach_both(context, &p, three, NULL, 2);
    attach_both(context, &p, three, NULL, 5); /* follows on: the same rows again */
    attach_both(context, &p, four, NULL, 0);  /* 2 and 3 are described anew */
    attach_both(context, &p, none, NULL, 10);
    attach_both(context, &p, none, NULL, 99);
    attach_both(context, &p, four, (uint32_t[]){9, SL_NO_RECORD, 8, 9}, 0);
    assert_int_equal(sl_context_num_attachments(context), 4); /* the empty ones are not kept */
    sl_batches_release(three);
    sl_batches_release(four);
    sl_batches_release(none);
    sl_context_release(context);
}

static void what_describes_nothing_is_not_kept(void **state) {
    (void)state;
    plain p = {.num_records = 4};
    sl_context *context = context_of(4);
    sl_batches *four = rows_of(4, 0), *two = rows_of(2, 0), *more = rows_of(3, 0);
    attach_both(context, &p, two, NULL, 1);
    attach_both(context, &p, two, (uint32_t[]){SL_NO_RECORD, SL_NO_RECORD}, 0);
    assert_int_equal(sl_context_num_attachments(context), 1);
    sl_batches_release(two);
    int before = live;
    attach_both(context, &p, more, (uint32_t[]){2, 1, 2}, 0); /* over all of `two` */
    assert_true(live < before);
    assert_null(sl_context_attachment(context, 0));
    assert_int_equal(sl_context_num_attachments(context), 2); /* numbers stay */
    attach_both(context, &p, four, NULL, 0);
    assert_null(sl_context_attachment(context, 1));
    assert_int_equal(sl_context_num_attachments(context), 3);
    sl_batches_release(four);
    sl_batches_release(more);
    sl_context_release(context);
}

static void attaching_beyond_the_records_fails(void **state) {
    (void)state;
    plain p = {.num_records = 4};
    sl_context *context = context_of(4);
    sl_batches *three = rows_of(3, 0);
    EXPECT_FAILURE(sl_context_attach(context, three, NULL, 2, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_context_attach(context, three, NULL, UINT32_MAX, &expect_error), SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_FAILURE(sl_context_attach(context, three, (uint32_t[]){0, 4, 1}, 0, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, 1);
    expect_attributes(context, &p);
    sl_batches_release(three);
    sl_context_release(context);
}

static void truncation_lets_go(void **state) {
    (void)state;
    plain p = {.num_records = 10};
    sl_context *context = context_of(10);
    sl_batches *low = rows_of(5, 0), *high = rows_of(5, 10);
    EXPECT_OK(sl_context_attach(context, high, NULL, 5, &expect_error));
    EXPECT_OK(sl_context_attach(context, low, NULL, 0, &expect_error));
    plain_attach(&p, high, NULL, 5);
    plain_attach(&p, low, NULL, 0);
    sl_batches_release(high);
    int before = live;
    sl_context_truncate(context, 7);
    p.num_records = 7;
    expect_attributes(context, &p);
    assert_int_equal(live, before);
    sl_context_truncate(context, 5);
    p.num_records = 5;
    expect_attributes(context, &p);
    assert_true(live < before);
    assert_int_equal(sl_context_num_attachments(context), 2); /* numbers stay */
    sl_context_truncate(context, 0);
    p.num_records = 0;
    expect_attributes(context, &p);
    assert_int_equal(sl_context_num_attachments(context), 0);
    sl_batches_release(low);
    assert_int_equal(live, 0);
    sl_context_release(context);
}

/* A context with random attachments, and what it should say. `kept` gets the batches, which stay the caller's. */
static sl_context *random_context(uint64_t *seed, plain *p, sl_batches **kept, uint32_t *num_kept) {
    *p = (plain){.num_records = graph_below(seed, MOST_RECORDS + 1)};
    sl_context *context = context_of(p->num_records);
    for (uint32_t attached = graph_below(seed, 6); attached > 0; attached--) {
        uint32_t count = graph_below(seed, p->num_records + 1), records[MOST_RECORDS];
        sl_batches *batches = rows_of(count, 0);
        kept[(*num_kept)++] = batches;
        for (uint32_t i = 0; i < count; i++)
            records[i] = graph_below(seed, 4) ? graph_below(seed, p->num_records) : SL_NO_RECORD;
        for (uint32_t i = 1; i < count && graph_below(seed, 3); i++)
            records[i] = records[i - 1] + 1 < p->num_records ? records[i - 1] + 1 : 0;
        bool by_row = graph_below(seed, 2);
        attach_both(context, p, batches, by_row ? records : NULL, graph_below(seed, p->num_records - count + 1));
    }
    return context;
}

static void random_attachments_copy_and_truncate(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 150; round++) {
        plain p;
        sl_batches *kept[MOST_ATTACHED];
        uint32_t num_kept = 0, left;
        sl_context *context = random_context(&seed, &p, kept, &num_kept), *copy;
        left = graph_below(&seed, p.num_records + 1);
        EXPECT_OK(sl_context_copy(context, left, &copy, &expect_error));
        plain cut = p;
        cut.num_records = left;
        expect_attributes(copy, &cut);
        sl_context_truncate(context, left);
        expect_attributes(context, &cut);
        for (uint32_t i = 0; i < num_kept; i++) sl_batches_release(kept[i]);
        sl_context_release(context);
        expect_attributes(copy, &cut); /* whose batches live on */
        sl_context_release(copy);
    }
}

/* ---------------------------------------------------------------------------------------------- carrying */

static sl_i_ticker silent; /* without a callback */

static void plain_carry(const plain *from, const uint32_t *translation, uint32_t num_records, plain *into) {
    for (uint32_t r = 0; r < num_records; r++) {
        uint32_t record = translation[r];
        if (record == SL_NO_RECORD || !from->batches[r] || into->batches[record]) continue;
        into->batches[record] = from->batches[r];
        into->rows[record] = from->rows[r];
    }
}

static void random_attachments_are_carried(void **state) {
    (void)state;
    uint64_t seed = 2;
    for (int round = 0; round < 300; round++) {
        plain p, q;
        sl_batches *kept[MOST_ATTACHED];
        uint32_t num_kept = 0, translation[MOST_RECORDS];
        sl_context *from = random_context(&seed, &p, kept, &num_kept);
        sl_context *into = random_context(&seed, &q, kept, &num_kept);
        uint32_t count = graph_below(&seed, p.num_records + 1), next = 0;
        bool ascending = graph_below(&seed, 2);
        for (uint32_t r = 0; r < count; r++) {
            bool left_out = q.num_records == 0 || graph_below(&seed, 4) == 0 || (ascending && next == q.num_records);
            translation[r] = left_out ? SL_NO_RECORD : ascending ? next++ : graph_below(&seed, q.num_records);
        }
        EXPECT_OK(sl_i_attributes_carry(from, translation, count, 0, into, &silent, &expect_error));
        plain_carry(&p, translation, count, &q);
        expect_attributes(into, &q);
        expect_attributes(from, &p);
        sl_context_release(from);
        for (uint32_t i = 0; i < num_kept; i++) sl_batches_release(kept[i]);
        expect_attributes(into, &q);
        sl_context_release(into);
    }
}

static void carrying_to_nowhere_fails(void **state) {
    (void)state;
    sl_context *from = context_of(3), *into = context_of(1);
    sl_batches *three = rows_of(3, 0);
    plain none = {.num_records = 1}, all = {.num_records = 3};
    attach_both(from, &all, three, NULL, 0);
    EXPECT_FAILURE(sl_i_attributes_carry(from, (uint32_t[]){0, 1, SL_NO_RECORD}, 3, 0, into, &silent, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    expect_attributes(into, &none);
    EXPECT_OK(sl_i_attributes_carry(from, (uint32_t[]){0, 1, 2}, 3, 0, from, &silent, &expect_error));
    expect_attributes(from, &all);
    assert_int_equal(sl_context_num_attachments(from), 1);
    sl_batches_release(three);
    sl_context_release(from);
    sl_context_release(into);
}

/* ---------------------------------------------------------------------------------------------- failing allocations */

/* Reads, attaches, copies, carries and exports. */
static sl_status use_all(sl_context *context, sl_context *other, struct ArrowArrayStream *stream,
                         struct ArrowArrayStream *out) {
    static const uint32_t records[7] = {9, 3, SL_NO_RECORD, 4, 0, 1, 9}, translation[3] = {2, 0, 1};
    sl_batches *batches = NULL;
    sl_context *copy = NULL;
    sl_status status = sl_batches_from_stream(stream, &batches, &expect_error);
    if (status == SL_OK) status = sl_context_attach(context, batches, records, 0, &expect_error);
    if (status == SL_OK) status = sl_context_attach(context, batches, NULL, 1, &expect_error);
    if (status == SL_OK) status = sl_context_copy(context, 8, &copy, &expect_error);
    if (status == SL_OK) status = sl_i_attributes_carry(copy, translation, 3, 0, other, &silent, &expect_error);
    if (status == SL_OK) status = sl_batches_export(batches, (uint64_t[]){5, 1, 2}, 3, out, &expect_error);
    sl_context_release(copy);
    sl_batches_release(batches);
    return status;
}

/* Reads the stream; false if an allocation failed, which the stream then says. */
static bool drain(struct ArrowArrayStream *stream) {
    struct ArrowSchema schema;
    struct ArrowArray batch;
    if (stream->get_schema(stream, &schema) != 0) {
        assert_null(schema.release);
        assert_non_null(strstr(stream->get_last_error(stream), "out of memory"));
        return false;
    }
    schema.release(&schema);
    for (;;) {
        if (stream->get_next(stream, &batch) != 0) {
            assert_null(batch.release);
            assert_non_null(strstr(stream->get_last_error(stream), "out of memory"));
            return false;
        }
        if (!batch.release) return true;
        batch.release(&batch);
    }
}

static bool use_with_failure(uint64_t k) {
    sl_context *context = context_of(10), *other = context_of(3);
    struct ArrowArrayStream stream = stream_of((int64_t[]){3, 4, -1}, 0), out = {0};
    failing_memory_after(k);
    sl_status status = use_all(context, other, &stream, &out);
    assert_null(stream.release);
    bool whole = status == SL_OK && drain(&out);
    failing_memory_after(FAILING_NEVER);
    if (status != SL_OK) assert_int_equal(status, SL_ERROR_MEMORY);
    if (status != SL_OK) assert_null(out.release);
    if (out.release) assert_true(drain(&out)); /* a failed call may be made again */
    if (out.release) out.release(&out);
    EXPECT_OK(sl_i_context_validate(context, &expect_error));
    EXPECT_OK(sl_i_context_validate(other, &expect_error));
    sl_context_truncate(context, 2);
    EXPECT_OK(sl_i_context_validate(context, &expect_error));
    sl_context_release(context);
    sl_context_release(other);
    assert_int_equal(live, 0);
    assert_int_equal(sl_memory_in_use(), 0);
    return whole;
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    EXPECT_OK(sl_set_allocator(&failing_memory, &expect_error));
    uint64_t k = 0;
    while (!use_with_failure(k)) assert_true(++k < 1000);
    assert_true(k > 30);
    EXPECT_OK(sl_set_allocator(NULL, &expect_error));
}

#define WITH_STRUCTS(function) cmocka_unit_test_setup_teardown(function, note_held, no_struct_left)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_STRUCTS(batches_are_counted),
        WITH_STRUCTS(rows_come_out_as_they_were),
        WITH_STRUCTS(random_rows_come_out),
        WITH_STRUCTS(buffers_are_shared),
        WITH_STRUCTS(moved_parts_live_on),
        WITH_STRUCTS(malformed_arrays_are_refused),
        WITH_STRUCTS(malformed_schemas_are_refused),
        WITH_STRUCTS(null_rows_are_named),
        WITH_STRUCTS(failing_streams_are_told),
        WITH_STRUCTS(records_lead_to_their_rows),
        WITH_STRUCTS(what_describes_nothing_is_not_kept),
        WITH_STRUCTS(attaching_beyond_the_records_fails),
        WITH_STRUCTS(truncation_lets_go),
        WITH_STRUCTS(random_attachments_copy_and_truncate),
        WITH_STRUCTS(random_attachments_are_carried),
        WITH_STRUCTS(carrying_to_nowhere_fails),
        WITH_STRUCTS(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
