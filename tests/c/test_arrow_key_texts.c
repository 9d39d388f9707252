/* test_arrow_key_texts.c: every key has one text beside its kind, in a table and back, and texts that no key has are refused. */
#include "support/expect.h"

#include "interchange/key_texts.h"

typedef struct text_case {
    sl_key_kind kind;
    uint64_t number;
    const char *bytes; /* of strings and bytes keys */
    uint32_t length;
    const char *text;
    uint32_t text_length;
} text_case;

#define STRING(literal) SL_KEY_STRING, 0, literal, sizeof literal - 1, literal, sizeof literal - 1

static const text_case cases[] = {
    {SL_KEY_U32, 0, NULL, 0, "0", 1},
    {SL_KEY_U32, UINT32_MAX, NULL, 0, "4294967295", 10},
    {SL_KEY_U64, UINT64_C(1) << 32, NULL, 0, "4294967296", 10},
    {SL_KEY_U64, UINT64_MAX, NULL, 0, "18446744073709551615", 20},
    {STRING("")},
    {STRING("0")},
    {STRING("a\0b")},
    {STRING("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xA6")},
    {SL_KEY_BYTES, 0, "", 0, "", 0},
    {SL_KEY_BYTES, 0, "\x00\xFF\x1a", 3, "00ff1a", 6},
};
enum { NUM_CASES = sizeof cases / sizeof *cases };

static sl_key key_of(const text_case *one) {
    return (sl_key){
        .kind = one->kind, .number = one->number, .length = one->length, .bytes = (const uint8_t *)one->bytes};
}

static sl_context *context_of_cases(void) {
    sl_context *context;
    uint16_t source;
    sl_key keys[NUM_CASES];
    uint32_t indices[NUM_CASES];
    for (int i = 0; i < NUM_CASES; i++) keys[i] = key_of(&cases[i]);
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = NUM_CASES, .values = keys}};
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(sl_context_add_source(context, "s", 1, &source, &expect_error));
    EXPECT_OK(sl_context_intern(context, &column, indices, NULL, &expect_error));
    return context;
}

static void expect_text(const struct ArrowArray *texts, const struct ArrowArray *kinds, uint64_t row,
                        const text_case *one) {
    const int32_t *offsets = texts->buffers[1];
    assert_int_equal(offsets[row + 1] - offsets[row], one->text_length);
    assert_memory_equal((const char *)texts->buffers[2] + offsets[row], one->text, one->text_length);
    assert_int_equal(((const uint8_t *)kinds->buffers[1])[row], one->kind);
}

static void keys_of_every_kind_come_out_as_text(void **state) {
    (void)state;
    sl_context *context = context_of_cases();
    sl_table *table;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    uint32_t rows[NUM_CASES];
    for (uint32_t i = 0; i < NUM_CASES; i++) rows[i] = NUM_CASES - 1 - i;
    EXPECT_OK(sl_table_create(NUM_CASES, &table, &expect_error));
    EXPECT_OK(sl_table_add_record_key_texts(table, "key", "kind", context, rows, &expect_error));
    EXPECT_OK(sl_table_export(table, &stream, &expect_error));
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_int_equal(schema.n_children, 2);
    assert_string_equal(schema.children[0]->name, "key");
    assert_string_equal(schema.children[0]->format, "u");
    assert_string_equal(schema.children[1]->name, "kind");
    assert_string_equal(schema.children[1]->format, "C");
    assert_string_equal(schema.children[1]->dictionary->format, "u");
    for (uint32_t i = 0; i < NUM_CASES; i++) expect_text(batch.children[0], batch.children[1], i, &cases[rows[i]]);
    assert_memory_equal(batch.children[1]->dictionary->buffers[2], "u32u64stringbytes", 17);
    schema.release(&schema);
    batch.release(&batch);
    stream.release(&stream);
    sl_context_release(context);
}

static void all_records_need_no_list(void **state) {
    (void)state;
    sl_context *context = context_of_cases();
    struct ArrowArray texts, kinds;
    EXPECT_OK(sl_i_key_texts_make(context, NULL, NUM_CASES, &texts, &kinds, NULL, &expect_error));
    for (uint32_t i = 0; i < NUM_CASES; i++) expect_text(&texts, &kinds, i, &cases[i]);
    texts.release(&texts);
    kinds.release(&kinds);
    EXPECT_OK(sl_i_key_texts_make(context, NULL, 0, &texts, &kinds, NULL, &expect_error));
    assert_int_equal(texts.length, 0);
    texts.release(&texts);
    kinds.release(&kinds);
    sl_context_release(context);
}

static void unknown_records_and_bad_names_leave_the_table_as_it_was(void **state) {
    (void)state;
    sl_context *context = context_of_cases();
    sl_table *table;
    uint32_t rows[2] = {0, NUM_CASES};
    EXPECT_OK(sl_table_create(2, &table, &expect_error));
    uint64_t held = sl_memory_in_use();
    EXPECT_FAILURE(sl_table_add_record_key_texts(table, "key", "kind", context, rows, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, 1);
    rows[1] = 1;
    EXPECT_FAILURE(sl_table_add_record_key_texts(table, "\xFF", "kind", context, rows, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    assert_int_equal(sl_memory_in_use(), held);
    EXPECT_FAILURE(sl_table_add_record_key_texts(table, "key", "\xFF", context, rows, &expect_error),
                   SL_ERROR_INVALID_ARGUMENT, -1);
    EXPECT_OK(sl_table_add_record_key_texts(table, "key", "kind", context, rows, &expect_error));
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    EXPECT_OK(sl_table_export(table, &stream, &expect_error));
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_int_equal(schema.n_children, 2); /* nothing is left of those that failed */
    schema.release(&schema);
    stream.release(&stream);
    sl_context_release(context);
}

static void texts_are_read_back_as_the_same_keys(void **state) {
    (void)state;
    static const char *const names[] = {"u32", "u64", "string", "bytes"};
    for (int i = 0; i < NUM_CASES; i++) {
        const text_case *one = &cases[i];
        uint8_t room[16];
        sl_key key;
        sl_key_kind kind;
        const char *name = names[one->kind];
        assert_true(sl_i_key_kind_from_name(name, strlen(name), &kind));
        assert_int_equal(kind, one->kind);
        assert_null(sl_i_key_from_text(kind, (const uint8_t *)one->text, one->text_length, room, &key));
        assert_int_equal(key.kind, one->kind);
        assert_true(key.number == one->number);
        assert_int_equal(key.length, one->length);
        if (key.length) assert_memory_equal(key.bytes, one->bytes, one->length);
    }
}

static void texts_that_no_key_has_are_refused(void **state) {
    (void)state;
    static const struct {
        sl_key_kind kind;
        const char *text;
    } bad[] = {{SL_KEY_U32, ""},
               {SL_KEY_U32, "-1"},
               {SL_KEY_U32, "01"},
               {SL_KEY_U32, "1.0"},
               {SL_KEY_U32, "4294967296"},
               {SL_KEY_U64, " 1"},
               {SL_KEY_U64, "18446744073709551616"},
               {SL_KEY_U64, "99999999999999999999999"},
               {SL_KEY_BYTES, "f"},
               {SL_KEY_BYTES, "0g"},
               {SL_KEY_BYTES, "-1"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t room[16];
        sl_key key;
        const char *why =
            sl_i_key_from_text(bad[i].kind, (const uint8_t *)bad[i].text, strlen(bad[i].text), room, &key);
        if (!why) fail_msg("\"%s\" was read as a key", bad[i].text);
    }
    sl_key_kind kind;
    assert_false(sl_i_key_kind_from_name("u3", 2, &kind));
    assert_false(sl_i_key_kind_from_name("u32\0", 4, &kind));
    assert_false(sl_i_key_kind_from_name("", 0, &kind));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(keys_of_every_kind_come_out_as_text),
        TEST(all_records_need_no_list),
        TEST(unknown_records_and_bad_names_leave_the_table_as_it_was),
        TEST(texts_are_read_back_as_the_same_keys),
        TEST(texts_that_no_key_has_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
