/* test_arrow.c: Arrow arrays read as columns, malformed ones refused, and tables exported as Arrow streams whose parts may be
 * moved and released in any order. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "starlings.h"
#include "support/failing_memory.h"

static sl_error error;

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        error.message[0] = '\0';                                                                                       \
        if ((call) != SL_OK) fail_msg("%s: %s", #call, error.message);                                                 \
    } while (0)

static void assert_message(const char *part) {
    if (!strstr(error.message, part)) fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

/* ---------------------------------------------------------------------------------------------- arrays to read */

static void no_release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void no_release_array(struct ArrowArray *array) { array->release = NULL; }

static struct ArrowSchema make_schema(const char *format) {
    return (struct ArrowSchema){.format = format, .name = "s", .release = no_release_schema};
}
static struct ArrowArray make_array(int64_t length, int64_t num_buffers, const void **buffers) {
    return (struct ArrowArray){
        .length = length, .n_buffers = num_buffers, .buffers = buffers, .release = no_release_array};
}

static sl_status read(const char *format, const struct ArrowArray *array, sl_column *out) {
    static sl_column dictionary;
    struct ArrowSchema schema = make_schema(format);
    return sl_column_from_arrow(&schema, array, "left", &dictionary, out, &error);
}

static void assert_refused(const char *format, const struct ArrowArray *array, const char *why) {
    sl_column column;
    assert_int_equal(read(format, array, &column), SL_ERROR_INVALID_ARGUMENT);
    assert_message(why);
    assert_message("left");
    assert_null(column.values);
}

static void numbers_are_read_in_place(void **state) {
    (void)state;
    static const struct {
        const char *format;
        sl_column_type type;
    } cases[] = {{"c", SL_COLUMN_INT8},    {"C", SL_COLUMN_UINT8},  {"s", SL_COLUMN_INT16}, {"S", SL_COLUMN_UINT16},
                 {"i", SL_COLUMN_INT32},   {"I", SL_COLUMN_UINT32}, {"l", SL_COLUMN_INT64}, {"L", SL_COLUMN_UINT64},
                 {"f", SL_COLUMN_FLOAT32}, {"g", SL_COLUMN_FLOAT64}};
    int64_t values[4] = {0};
    uint8_t validity[1] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const void *buffers[2] = {validity, values};
        struct ArrowArray array = make_array(3, 2, buffers);
        sl_column column;
        array.offset = 1;
        OK(read(cases[i].format, &array, &column));
        assert_int_equal(column.type, cases[i].type);
        assert_int_equal(column.length, 3);
        assert_int_equal(column.offset, 1);
        assert_ptr_equal(column.values, values);
        assert_null(column.validity); /* null_count says that there are none */
        array.null_count = -1;
        OK(read(cases[i].format, &array, &column));
        assert_ptr_equal(column.validity, validity);
    }
    struct ArrowArray nulls = make_array(3, 0, NULL);
    sl_column column;
    nulls.null_count = 3;
    OK(read("n", &nulls, &column));
    assert_int_equal(column.type, SL_COLUMN_NULL);
}

static void unreadable_types_are_named(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"b", "bool"},  {"e", "float16"}, {"tdD", "date"},     {"tsu:UTC", "timestamp"}, {"d:10,2,256", "decimal"},
        {"+l", "list"}, {"+s", "struct"}, {"tDs", "duration"}, {"+ud:0,1", "union"},     {"+r", "run-end"},
        {"?!", "?!"}};
    const void *buffers[2] = {NULL, "........"};
    struct ArrowArray array = make_array(1, 2, buffers);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_refused(cases[i][0], &array, cases[i][1]);
}

static void malformed_arrays_are_refused(void **state) {
    (void)state;
    static int64_t values[4];
    const void *buffers[3] = {NULL, values, "abc"};
    struct ArrowArray array = make_array(2, 2, buffers);
    array.length = -1;
    assert_refused("l", &array, "malformed");
    array.length = 2;
    array.offset = -1;
    assert_refused("l", &array, "malformed");
    array.offset = INT64_MAX;
    assert_refused("l", &array, "malformed");
    array.offset = 0;
    array.n_buffers = 1;
    assert_refused("l", &array, "malformed");
    array.n_buffers = 2;
    buffers[1] = NULL;
    assert_refused("l", &array, "malformed");
    assert_refused("w:x", &array, "malformed");
    assert_refused("w:-3", &array, "malformed");
    array.release = NULL;
    assert_refused("l", &array, "released");
    array.release = no_release_array;
    array.n_buffers = 3;
    assert_refused("u", &array, "malformed");

    int32_t offsets[] = {0, 2, 1};
    buffers[1] = offsets;
    assert_refused("u", &array, "malformed");
    offsets[0] = -1;
    array.length = 1;
    assert_refused("u", &array, "malformed");
    int64_t large_offsets[] = {0, 5, 4};
    array.length = 2;
    buffers[1] = large_offsets;
    assert_refused("Z", &array, "malformed");
    large_offsets[2] = 5;
    buffers[2] = NULL;
    assert_refused("Z", &array, "malformed");
    large_offsets[1] = large_offsets[2] = 0;
    sl_column column;
    OK(read("Z", &array, &column)); /* only empty values: no data needed */
    buffers[1] = NULL;
    array.length = 0;
    OK(read("u", &array, &column));
}

typedef struct test_view {
    int32_t length;
    char prefix[4];
    int32_t buffer, offset;
} test_view;

static void views_are_kept_in_their_buffers(void **state) {
    (void)state;
    test_view views[2] = {{.length = 3, .prefix = "abc"}, {.length = 14, .buffer = 0, .offset = 2}};
    int64_t sizes[1] = {16};
    const void *buffers[4] = {NULL, views, "0123456789abcdef", sizes};
    struct ArrowArray array = make_array(2, 4, buffers);
    sl_column column;
    OK(read("vu", &array, &column));
    assert_int_equal(column.num_buffers, 1);
    views[1].offset = 3;
    assert_refused("vu", &array, "malformed");
    views[1].offset = -1;
    assert_refused("vz", &array, "malformed");
    views[1] = (test_view){.length = 14, .buffer = 1};
    assert_refused("vu", &array, "malformed");
    views[1].buffer = -1;
    assert_refused("vu", &array, "malformed");
    views[1] = (test_view){.length = -5};
    assert_refused("vu", &array, "malformed");
    uint8_t validity[1] = {1}; /* what a null slot holds is nobody's business */
    buffers[0] = validity;
    array.null_count = 1;
    OK(read("vu", &array, &column));
    array.n_buffers = 2;
    assert_refused("vu", &array, "malformed");
}

static void read_columns_can_be_interned(void **state) {
    (void)state;
    int32_t offsets[] = {0, 9, 10, 10, 13};
    const void *text_buffers[3] = {NULL, offsets, "skipped__xabc"};
    int8_t codes[] = {0, 2, 0, 1, 2};
    const void *code_buffers[2] = {NULL, codes};
    struct ArrowArray values = make_array(3, 3, text_buffers), array = make_array(4, 2, code_buffers);
    struct ArrowSchema value_schema = make_schema("u"), schema = make_schema("c");
    sl_column dictionary, column;
    values.offset = 1;
    array.offset = 1;
    array.dictionary = &values;
    schema.dictionary = &value_schema;
    OK(sl_column_from_arrow(&schema, &array, NULL, &dictionary, &column, &error));
    assert_int_equal(dictionary.values_size, 13);

    sl_context *context;
    uint16_t source;
    uint32_t indices[4];
    OK(sl_context_create(&context, &error));
    OK(sl_context_add_source(context, "s", 1, &source, &error));
    sl_key_column keys = {.keys = column};
    OK(sl_context_intern(context, &keys, indices, NULL, &error));
    assert_memory_equal(indices, ((uint32_t[]){0, 1, 2, 0}), sizeof indices);
    sl_record record;
    assert_true(sl_context_record(context, 0, &record));
    assert_int_equal(record.key.length, 3);
    assert_memory_equal(record.key.bytes, "abc", 3);
    sl_context_release(context);

    array.dictionary = NULL;
    assert_int_equal(sl_column_from_arrow(&schema, &array, NULL, &dictionary, &column, &error),
                     SL_ERROR_INVALID_ARGUMENT);
    assert_message("column s");
    assert_message("dictionary");
    schema.format = "u";
    array.dictionary = &values;
    array.length = 0;
    array.n_buffers = 3;
    const void *empty_buffers[3] = {NULL, NULL, NULL};
    array.buffers = empty_buffers;
    assert_int_equal(sl_column_from_arrow(&schema, &array, NULL, &dictionary, &column, &error),
                     SL_ERROR_INVALID_ARGUMENT);
    assert_message("dictionary");
    assert_int_equal(sl_memory_in_use(), 0);
}

/* ---------------------------------------------------------------------------------------------- tables */

static sl_context *make_context(bool mixed) {
    sl_context *context;
    uint16_t source;
    uint32_t indices[4];
    OK(sl_context_create(&context, &error));
    OK(sl_context_add_source(context, "first", 5, &source, &error));
    OK(sl_context_add_source(context, "second", 6, &source, &error));
    sl_key keys[4] = {{.kind = SL_KEY_STRING, .length = 2, .bytes = (const uint8_t *)"ab"},
                      {.kind = SL_KEY_STRING, .length = 0},
                      {.kind = SL_KEY_U32, .number = 7},
                      {.kind = SL_KEY_BYTES, .length = 1, .bytes = (const uint8_t *)"\xFF"}};
    uint16_t sources[4] = {0, 1, 1, 0};
    sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = mixed ? 4 : 2, .values = keys},
                            .sources = sources};
    OK(sl_context_intern(context, &column, indices, NULL, &error));
    return context;
}

static const uint32_t all_rows[4] = {3, 1, 2, 0};
static const uint32_t eight_numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static sl_status fill(sl_table *table, const sl_context *context, sl_error *problem) {
    static const double numbers[4] = {0.5, 1, 2, 4};
    static const uint32_t codes[4] = {1, 0, 1, 1};
    static const char *const categories[] = {"cat", ""};
    sl_status status = sl_table_add_numbers(table, "number", SL_COLUMN_FLOAT64, numbers, problem);
    if (status == SL_OK) status = sl_table_add_categories(table, "category", codes, categories, 2, problem);
    if (status == SL_OK) status = sl_table_add_record_sources(table, "source", context, all_rows, problem);
    if (status == SL_OK) status = sl_table_add_record_keys(table, "key", context, all_rows, problem);
    if (status == SL_OK) status = sl_table_add_binary(table, "bytes", 3, "abcdefghijkl", problem);
    if (status == SL_OK) status = sl_table_add_lists(table, "list", 2, eight_numbers, problem);
    if (status == SL_OK) status = sl_table_add_record_key_texts(table, "text", "kind", context, all_rows, problem);
    return status;
}

static void tables_come_out_as_one_batch(void **state) {
    (void)state;
    sl_context *context = make_context(true);
    sl_table *table;
    OK(sl_table_create(4, &table, &error));
    OK(fill(table, context, &error));
    struct ArrowArrayStream stream;
    OK(sl_table_export(table, &stream, &error));
    sl_context_release(context); /* the table holds copies */

    struct ArrowSchema schema;
    struct ArrowArray batch, end;
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_string_equal(schema.format, "+s");
    assert_int_equal(schema.n_children, 8);
    assert_string_equal(schema.children[4]->format, "w:3");
    assert_string_equal(schema.children[5]->format, "+w:2");
    assert_string_equal(schema.children[5]->children[0]->format, "I");
    assert_string_equal(schema.children[0]->name, "number");
    assert_string_equal(schema.children[1]->dictionary->format, "u");
    assert_string_equal(schema.children[3]->format, "+ud:0,1,2");
    assert_string_equal(schema.children[3]->children[2]->format, "Z");
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_int_equal(stream.get_next(&stream, &end), 0);
    assert_null(end.release);
    assert_null(stream.get_last_error(&stream));
    stream.release(&stream);
    assert_null(stream.release);

    assert_int_equal(batch.length, 4);
    assert_true(((const double *)batch.children[0]->buffers[1])[3] == 4);
    assert_memory_equal(batch.children[2]->buffers[1], ((uint32_t[]){0, 1, 1, 0}), 16);
    const struct ArrowArray *names = batch.children[2]->dictionary;
    assert_int_equal(names->length, 2);
    assert_memory_equal(names->buffers[2], "firstsecond", 11);
    const struct ArrowArray *keys = batch.children[3];
    assert_memory_equal(keys->buffers[0], ((int8_t[]){2, 1, 0, 1}), 4);
    assert_memory_equal(keys->buffers[1], ((int32_t[]){0, 0, 0, 1}), 16);
    assert_true(((const uint64_t *)keys->children[0]->buffers[1])[0] == 7);
    assert_memory_equal(keys->children[1]->buffers[1], ((int64_t[]){0, 0, 2}), 24);

    assert_int_equal(batch.children[4]->n_buffers, 2);
    assert_memory_equal(batch.children[4]->buffers[1], "abcdefghijkl", 12);
    assert_int_equal(batch.children[5]->n_buffers, 1);
    assert_int_equal(batch.children[5]->length, 4);
    assert_int_equal(batch.children[5]->children[0]->length, 8);
    assert_memory_equal(batch.children[5]->children[0]->buffers[1], eight_numbers, sizeof eight_numbers);

    /* A child moved out lives on when its parent is released, and a schema's child likewise. */
    struct ArrowArray moved = *batch.children[3];
    batch.children[3]->release = NULL;
    struct ArrowArray member = *moved.children[1];
    moved.children[1]->release = NULL;
    batch.release(&batch);
    assert_null(batch.release);
    moved.release(&moved);
    assert_memory_equal(member.buffers[2], "ab", 2);
    member.release(&member);
    struct ArrowSchema moved_schema = *schema.children[3];
    schema.children[3]->release = NULL;
    schema.release(&schema);
    assert_string_equal(moved_schema.name, "key");
    moved_schema.release(&moved_schema);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void keys_of_one_kind_come_out_plain(void **state) {
    (void)state;
    sl_context *context = make_context(false), *empty;
    sl_table *table;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    OK(sl_table_create(2, &table, &error));
    OK(sl_table_add_record_keys(table, "key", context, (uint32_t[]){1, 0}, &error));
    OK(sl_table_export(table, &stream, &error));
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_string_equal(schema.children[0]->format, "U");
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    sl_column column, dictionary;
    OK(sl_column_from_arrow(schema.children[0], batch.children[0], NULL, &dictionary, &column, &error));
    assert_memory_equal(column.offsets, ((int64_t[]){0, 0, 2}), 24);
    schema.release(&schema);
    batch.release(&batch);
    stream.release(&stream);

    OK(sl_context_create(&empty, &error));
    OK(sl_table_create(0, &table, &error));
    OK(sl_table_add_record_keys(table, "key", empty, NULL, &error));
    OK(sl_table_add_record_sources(table, "source", empty, NULL, &error));
    OK(sl_table_export(table, &stream, &error));
    stream.release(&stream); /* with its batch undelivered */
    sl_context_release(empty);
    sl_context_release(context);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void bad_tables_are_refused(void **state) {
    (void)state;
    sl_context *context = make_context(true);
    sl_table *table;
    uint32_t codes[4] = {0, 1, 2, 0};
    OK(sl_table_create(4, &table, &error));
    uint64_t held = sl_memory_in_use();
    assert_int_equal(sl_table_add_categories(table, "c", codes, (const char *const[]){"a", "b"}, 2, &error),
                     SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(error.row, 2);
    codes[2] = 4;
    assert_int_equal(sl_table_add_record_keys(table, "c", context, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(error.row, 2);
    assert_int_equal(sl_table_add_record_sources(table, "c", context, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_table_add_numbers(table, "c", SL_COLUMN_STRING, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_table_add_numbers(table, "\xFF", SL_COLUMN_UINT32, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_table_add_binary(table, "c", 0, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_table_add_binary(table, "c", UINT32_MAX, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_table_add_binary(table, "c", 4, NULL, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_table_add_lists(table, "c", 0, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_table_add_lists(table, "\xFF", 1, codes, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sl_memory_in_use(), held);
    sl_table *huge;
    assert_int_equal(sl_table_create(UINT64_MAX, &huge, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_null(huge);
    sl_table_release(table);
    sl_table_release(NULL);
    sl_context_release(context);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void many_columns(void **state) {
    (void)state;
    sl_table *table;
    OK(sl_table_create(3, &table, &error));
    for (int32_t i = 0; i < 100; i++) {
        char name[16];
        int32_t values[3] = {i, i, i};
        snprintf(name, sizeof name, "c%d", i);
        OK(sl_table_add_numbers(table, name, SL_COLUMN_INT32, values, &error));
    }
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
    OK(sl_table_export(table, &stream, &error));
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    stream.release(&stream);
    for (int32_t i = 0; i < 100; i++) assert_int_equal(((const int32_t *)batch.children[i]->buffers[1])[2], i);
    batch.release(&batch);
    assert_int_equal(sl_memory_in_use(), 0);
}

/* ---------------------------------------------------------------------------------------------- failing allocations */

/* Makes, exports and reads a table with the k-th allocation failing; true once k is beyond the last. */
static bool export_with_failure(uint64_t k) {
    sl_context *context = make_context(true);
    sl_table *table = NULL;
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema = {0};
    failing_memory_after(k);
    sl_status status = sl_table_create(4, &table, &error);
    if (status == SL_OK) status = fill(table, context, &error);
    if (status == SL_OK) status = sl_table_export(table, &stream, &error);
    if (status == SL_OK) {
        table = NULL;
        if (stream.get_schema(&stream, &schema) != 0) {
            status = SL_ERROR_MEMORY;
            assert_null(schema.release);
            assert_non_null(strstr(stream.get_last_error(&stream), "out of memory"));
        }
    }
    failing_memory_after(FAILING_NEVER);
    if (status != SL_OK) assert_int_equal(status, SL_ERROR_MEMORY);
    if (schema.release) schema.release(&schema);
    if (stream.release) stream.release(&stream);
    sl_table_release(table);
    sl_context_release(context);
    assert_int_equal(sl_memory_in_use(), 0);
    return status == SL_OK;
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    OK(sl_set_allocator(&failing_memory, &error));
    uint64_t k = 0;
    while (!export_with_failure(k)) assert_true(++k < 1000);
    assert_true(k > 20);
    OK(sl_set_allocator(NULL, &error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_in_place),
        cmocka_unit_test(unreadable_types_are_named),
        cmocka_unit_test(malformed_arrays_are_refused),
        cmocka_unit_test(views_are_kept_in_their_buffers),
        cmocka_unit_test(read_columns_can_be_interned),
        cmocka_unit_test(tables_come_out_as_one_batch),
        cmocka_unit_test(keys_of_one_kind_come_out_plain),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(many_columns),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
