/* test_records.c: the data context: every kind of key and column, numbering by first appearance, all-or-nothing, and the
 * invariants of its index (sl_i_context_validate) after each step. */
#include "records/key_hash.h"
#include "support/failing_memory.h"
#include "support/record_cases.h"

/* ---------------------------------------------------------------------------------------------- sources */

static void sources_are_interned_once(void **state) {
    (void)state;
    sl_context *context = make_context();
    uint16_t id;
    OK(sl_context_add_source(context, "a", 1, &id, &error));
    assert_int_equal(id, 0);
    OK(sl_context_add_source(context, "", 0, &id, &error));
    assert_int_equal(id, 2);
    OK(sl_context_add_source(context, "a\0x", 3, &id, &error));
    assert_int_equal(id, 3);
    assert_int_equal(sl_context_num_sources(context), 4);
    size_t length;
    assert_string_equal(sl_context_source_name(context, 1, &length), "b");
    assert_int_equal(length, 1);
    assert_null(sl_context_source_name(context, 4, &length));
    assert_true(sl_context_find_source(context, "a\0x", 3, &id));
    assert_int_equal(id, 3);
    assert_false(sl_context_find_source(context, "c", 1, &id));
    assert_int_equal(sl_context_add_source(context, "\xFF", 1, &id, &error), SL_ERROR_INVALID_ARGUMENT);
    drop_context(context);
}

static void sources_end_at_their_limit(void **state) {
    (void)state;
    sl_context *context;
    char name[16];
    uint16_t id;
    OK(sl_context_create(&context, &error));
    for (int i = 0; i < SL_MAX_SOURCES; i++) {
        snprintf(name, sizeof name, "s%d", i);
        OK(sl_context_add_source(context, name, strlen(name), &id, &error));
        assert_int_equal(id, i);
    }
    assert_int_equal(sl_context_add_source(context, "more", 4, &id, &error), SL_ERROR_CAPACITY);
    assert_true(sl_context_find_source(context, "s65534", 6, &id));
    assert_int_equal(id, 65534);
    /* Ints in the last source: maps by source reach that far. */
    assert_int_equal(intern_one(context, int_key(7), 65534), 0);
    assert_int_equal(intern_one(context, int_key(UINT64_MAX), 65534), 1);
    drop_context(context);
}

static void source_columns(void **state) {
    (void)state;
    sl_context *context = make_context();
    strings s;
    uint16_t ids[8];
    OK(sl_context_add_sources(
        context, make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"b", "b", "x", "a", "x"}, 5), ids, &error));
    assert_memory_equal(ids, ((uint16_t[]){1, 1, 2, 0, 2}), 10);

    /* A dictionary whose entries repeat, one met only through a later code. */
    int8_t codes[] = {0, 1, 0, 2, 1, 3};
    sl_column dictionary = *make_strings(&s, SL_COLUMN_LARGE_STRING, (const char *const[]){"q", "a", "a", "q"}, 4);
    sl_column column = {.type = SL_COLUMN_INT8, .length = 6, .values = codes, .dictionary = &dictionary};
    OK(sl_context_add_sources(context, &column, ids, &error));
    assert_memory_equal(ids, ((uint16_t[]){3, 0, 3, 0, 0, 3}), 12);

    /* Nothing stays of a call that fails. */
    uint8_t validity[] = {0x03};
    column = *make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"new", "newer", "z"}, 3);
    column.validity = validity;
    assert_int_equal(sl_context_add_sources(context, &column, ids, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 2);
    assert_int_equal(sl_context_num_sources(context), 4);
    uint16_t id;
    assert_false(sl_context_find_source(context, "new", 3, &id));
    column.validity = NULL;
    OK(sl_context_add_sources(context, &column, ids, &error));
    assert_int_equal(ids[0], 4);

    column = *make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"ok", "\xC0"}, 2);
    assert_int_equal(sl_context_add_sources(context, &column, ids, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(error.row, 1);
    column = (sl_column){.type = SL_COLUMN_INT64, .length = 1, .values = ids};
    assert_int_equal(sl_context_add_sources(context, &column, ids, &error), SL_ERROR_INVALID_KEY);
    assert_message("int64");
    drop_context(context);
}

/* ---------------------------------------------------------------------------------------------- kinds of keys */

static void kinds_are_told_apart(void **state) {
    (void)state;
    sl_context *context = make_context();
    sl_key keys[] = {int_key(5),
                     string_key("5"),
                     bytes_key("5"),
                     {.kind = SL_KEY_U64, .number = 5},
                     int_key(UINT64_MAX),
                     int_key(UINT32_MAX),
                     int_key((uint64_t)UINT32_MAX + 1),
                     string_key(""),
                     bytes_key(""),
                     text_key(SL_KEY_STRING, "a\0b", 3),
                     text_key(SL_KEY_STRING, "a\0c", 3),
                     text_key(SL_KEY_STRING, "a", 1),
                     string_key("\xE2\x82\xAC \xF0\x9F\x90\xA6"),
                     bytes_key("\xFF\xFE"),
                     int_key(5)};
    uint32_t indices[15];
    sl_key_column column = keys_column(keys, 15, 0);
    intern(context, &column, indices);
    assert_memory_equal(indices, ((uint32_t[]){0, 1, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0}), sizeof indices);
    assert_int_equal(sl_context_key_kinds(context), 0xF);

    sl_record record;
    assert_true(sl_context_record(context, 0, &record));
    assert_int_equal(record.key.kind, SL_KEY_U32);
    assert_true(sl_context_record(context, 3, &record));
    assert_int_equal(record.key.kind, SL_KEY_U64);
    assert_true(record.key.number == UINT64_MAX);
    assert_true(sl_context_record(context, 8, &record));
    assert_int_equal(record.key.length, 3);
    assert_memory_equal(record.key.bytes, "a\0b", 3);
    assert_false(sl_context_record(context, 13, &record));

    /* The same keys in the other source are other records. */
    column.source = 1;
    intern(context, &column, indices);
    assert_int_equal(indices[0], 13);
    assert_int_equal(indices[14], 13);
    assert_int_equal(sl_context_num_records(context), 26);
    assert_true(sl_context_record(context, 13, &record));
    assert_int_equal(record.source, 1);
    drop_context(context);
}

static void int_columns_of_every_width(void **state) {
    (void)state;
    sl_context *context = make_context();
    int8_t i8[] = {0, 3, 1, 3};
    int16_t i16[] = {0, 3, 1, 3};
    int32_t i32[] = {0, 3, 1, 3};
    int64_t i64[] = {0, 3, 1, 3};
    const struct {
        sl_column_type type;
        const void *values;
    } columns[] = {{SL_COLUMN_INT8, i8},  {SL_COLUMN_INT16, i16},  {SL_COLUMN_INT32, i32},  {SL_COLUMN_INT64, i64},
                   {SL_COLUMN_UINT8, i8}, {SL_COLUMN_UINT16, i16}, {SL_COLUMN_UINT32, i32}, {SL_COLUMN_UINT64, i64}};
    for (size_t i = 0; i < 8; i++) {
        uint32_t indices[4];
        sl_key_column column = number_column(columns[i].type, columns[i].values, 4, 0);
        intern(context, &column, indices);
        assert_memory_equal(indices, ((uint32_t[]){0, 1, 2, 1}), sizeof indices);
        column.keys.offset = 1;
        column.keys.length = 3;
        intern(context, &column, indices);
        assert_memory_equal(indices, ((uint32_t[]){1, 2, 1}), 12);
    }
    drop_context(context);
}

typedef struct test_view {
    int32_t length;
    char text[12];
} test_view;

static void text_columns_of_every_layout(void **state) {
    (void)state;
    static const char *const texts[] = {"x", "longer than twelve bytes", "", "twelve bytes", "x"};
    const sl_column_type types[] = {SL_COLUMN_STRING, SL_COLUMN_LARGE_STRING, SL_COLUMN_BINARY, SL_COLUMN_LARGE_BINARY};
    const uint32_t expected[] = {0, 1, 2, 3, 0};
    for (size_t t = 0; t < 4; t++) {
        sl_context *context = make_context();
        strings s;
        uint32_t indices[5];
        sl_key_column column = {.keys = *make_strings(&s, types[t], texts, 5)};
        intern(context, &column, indices);
        assert_memory_equal(indices, expected, sizeof expected);
        column.keys.offset = 3;
        column.keys.length = 2;
        intern(context, &column, indices);
        assert_memory_equal(indices, ((uint32_t[]){3, 0}), 8);

        test_view views[5];
        const void *buffers[] = {s.bytes, s.bytes};
        for (size_t i = 0; i < 5; i++) {
            memset(&views[i], 0, sizeof views[i]);
            views[i].length = s.offsets[i + 1] - s.offsets[i];
            int32_t where[2] = {1, s.offsets[i]};
            if (views[i].length <= 12)
                memcpy(views[i].text, texts[i], (size_t)views[i].length);
            else
                memcpy(views[i].text + 4, where, 8);
        }
        bool string = types[t] == SL_COLUMN_STRING || types[t] == SL_COLUMN_LARGE_STRING;
        sl_key_column viewed = {.keys = {.type = string ? SL_COLUMN_STRING_VIEW : SL_COLUMN_BINARY_VIEW,
                                         .length = 5,
                                         .values = views,
                                         .buffers = buffers,
                                         .num_buffers = 2}};
        intern(context, &viewed, indices);
        assert_memory_equal(indices, expected, sizeof expected);
        drop_context(context);
    }
    sl_context *context = make_context();
    sl_key_column fixed = {.keys = {.type = SL_COLUMN_FIXED_BINARY, .length = 3, .values = "abcabdabc", .width = 3}};
    uint32_t indices[3];
    intern(context, &fixed, indices);
    assert_memory_equal(indices, ((uint32_t[]){0, 1, 0}), 12);
    assert_int_equal(find_one(context, bytes_key("abd"), 0), 1);
    assert_int_equal(find_one(context, string_key("abd"), 0), SL_NO_RECORD);
    drop_context(context);
}

static void dictionaries_number_by_first_row(void **state) {
    (void)state;
    sl_context *context = make_context();
    strings s;
    sl_column dictionary = *make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"p", "q", "r", "q"}, 4);
    int16_t codes[] = {2, 2, 1, 3, 0, 1};
    uint8_t validity[] = {0xFF};
    sl_key_column column = {
        .keys = {
            .type = SL_COLUMN_INT16, .length = 6, .values = codes, .validity = validity, .dictionary = &dictionary}};
    uint32_t indices[6];
    intern(context, &column, indices);
    assert_memory_equal(indices, ((uint32_t[]){0, 0, 1, 1, 2, 1}), sizeof indices);

    /* A null entry that no row names does no harm; one that is named is the row's null. */
    uint8_t holes[] = {0xFE};
    dictionary.validity = holes;
    sl_context_truncate(context, 0);
    assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 4);
    assert_message("null");
    assert_int_equal(sl_context_num_records(context), 0);
    codes[4] = 3;
    intern(context, &column, indices);

    codes[3] = 4;
    assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 3);
    assert_message("code 4 is outside the dictionary of 4");
    codes[3] = -1;
    assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_message("code -1");
    validity[0] = 0xFB;
    assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 2);

    /* With a source in each row, one entry is several records. */
    uint16_t sources[] = {0, 1, 0, 1, 0, 0};
    validity[0] = 0xFF;
    codes[3] = 3;
    column.sources = sources;
    sl_context_truncate(context, 0);
    intern(context, &column, indices);
    assert_memory_equal(indices, ((uint32_t[]){0, 1, 2, 3, 2, 2}), sizeof indices);

    /* Ints in a dictionary; a dictionary larger than the column (no memo). */
    int64_t numbers[] = {9, 8, 7, 6, 5, 4, 3};
    uint8_t small_codes[] = {6, 0, 6};
    sl_column ints = {.type = SL_COLUMN_INT64, .length = 7, .values = numbers};
    column = (sl_key_column){.keys = {.type = SL_COLUMN_UINT8, .length = 3, .values = small_codes, .dictionary = &ints},
                             .source = 1};
    sl_context_truncate(context, 0);
    intern(context, &column, indices);
    assert_memory_equal(indices, ((uint32_t[]){0, 1, 0}), 12);
    drop_context(context);
}

/* Probes are reused from block to block: one that the memo resolved must not be taken for the key it held before. */
static void equal_entries_of_a_dictionary(void **state) {
    (void)state;
    sl_context *context = make_context();
    strings s;
    sl_column dictionary = *make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"x", "y", "x"}, 3);
    uint8_t codes[130] = {0, 1};
    memset(codes + 2, 1, 127);
    codes[129] = 2;
    sl_key_column column = {
        .keys = {.type = SL_COLUMN_UINT8, .length = 130, .values = codes, .dictionary = &dictionary}};
    uint32_t indices[130];
    intern(context, &column, indices);
    for (uint32_t i = 0; i < 130; i++) assert_int_equal(indices[i], i == 0 || i == 129 ? 0 : 1);
    drop_context(context);
}

/* ---------------------------------------------------------------------------------------------- equal hashes */

/* Different keys with one fragment: only the comparison of the keys themselves tells them apart. */
static void equal_hashes_are_told_apart(void **state) {
    (void)state;
    enum { KEYS = 300000 };
    sl_context *context = make_context();
    sl_key *keys = malloc(KEYS * sizeof *keys);
    uint32_t *indices = malloc(KEYS * sizeof *indices);
    char(*text)[32] = malloc(KEYS * sizeof *text);
    for (uint32_t i = 0; i < KEYS; i++) { /* equal ends, different middles; and ints among them */
        snprintf(text[i], sizeof text[i], "the same%08xthe same", i);
        keys[i] = i % 4 == 0 ? int_key((uint64_t)i << 36 | 1) : string_key(text[i]);
    }
    sl_key_column column = keys_column(keys, KEYS, 0);
    for (int again = 0; again < 2; again++) {
        intern(context, &column, indices);
        for (uint32_t i = 0; i < KEYS; i++) assert_int_equal(indices[i], i);
    }
    free(keys);
    free(indices);
    free(text);

    /* A key that begins with the other, and one int in two sources: found by trying; should the hash change, find others. */
    assert_int_equal(sl_i_hash_bytes(0, SL_KEY_STRING, (const uint8_t *)"2c8417b5k", 9),
                     sl_i_hash_bytes(0, SL_KEY_STRING, (const uint8_t *)"", 0));
    assert_int_equal(intern_one(context, string_key("2c8417b5k"), 0), KEYS);
    assert_int_equal(intern_one(context, string_key(""), 0), KEYS + 1);
    uint64_t number = 1725427999;
    assert_int_equal(sl_i_hash_int(0, number), sl_i_hash_int(1, number));
    assert_int_equal(intern_one(context, int_key(number), 0), KEYS + 2);
    assert_int_equal(intern_one(context, int_key(number << 30), 1), KEYS + 3); /* so that source 1 is in the table */
    assert_int_equal(intern_one(context, int_key(number), 1), KEYS + 4);
    drop_context(context);
}

/* ---------------------------------------------------------------------------------------------- errors */

static void bad_keys_name_their_row(void **state) {
    (void)state;
    sl_context *context = make_context();
    uint32_t indices[300];
    int64_t numbers[300];
    for (int i = 0; i < 300; i++) numbers[i] = i;
    numbers[270] = -3;
    sl_key_column column = number_column(SL_COLUMN_INT64, numbers, 300, 0);
    assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 270);
    assert_message("-3 is negative");
    assert_int_equal(sl_context_num_records(context), 0);
    check(context);

    uint8_t validity[40];
    memset(validity, 0xFF, sizeof validity);
    validity[33] = 0xF7; /* row 267 comes before the negative one */
    column.keys.validity = validity;
    assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 267);
    assert_message("null");

    double floats[] = {1.0};
    sl_key_column odd = number_column(SL_COLUMN_FLOAT64, floats, 1, 0);
    assert_int_equal(sl_context_intern(context, &odd, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_message("has type float64: keys must be int, str or bytes");
    sl_key_column nulls = number_column(SL_COLUMN_NULL, NULL, 3, 0);
    assert_int_equal(sl_context_intern(context, &nulls, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 0);
    sl_key_column unknown = number_column(SL_COLUMN_INT64, numbers, 3, 2);
    assert_int_equal(sl_context_intern(context, &unknown, indices, NULL, &error), SL_ERROR_INVALID_ARGUMENT);
    uint16_t sources[] = {0, 1, 7};
    unknown.sources = sources;
    assert_int_equal(sl_context_intern(context, &unknown, indices, NULL, &error), SL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(error.row, 2);
    sl_key_column empty = number_column(SL_COLUMN_INT64, numbers, 3, 0);
    empty.keys.values = NULL;
    assert_int_equal(sl_context_intern(context, &empty, indices, NULL, &error), SL_ERROR_INVALID_ARGUMENT);

    strings s;
    sl_key_column text = {.keys =
                              *make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"ok", "\xED\xA0\x80", "x"}, 3)};
    assert_int_equal(sl_context_intern(context, &text, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 1);
    assert_message("\"\\xed\\xa0\\x80\" is not valid UTF-8");
    assert_int_equal(sl_context_find(context, &text, indices, &error), SL_ERROR_INVALID_KEY);
    s.offsets[2] = 1; /* runs backwards */
    assert_int_equal(sl_context_intern(context, &text, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 1);
    sl_key keys[] = {int_key(1), {.kind = (sl_key_kind)9}};
    sl_key_column mixed = keys_column(keys, 2, 0);
    assert_int_equal(sl_context_intern(context, &mixed, indices, NULL, &error), SL_ERROR_INVALID_KEY);
    assert_int_equal(error.row, 1);
    assert_int_equal(sl_context_num_records(context), 0);
    drop_context(context);
}

static void utf8_is_checked_by_the_book(void **state) {
    (void)state;
    static const char *const good[] = {"",
                                       "\x7F",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "eight by\xC3\xA9"};
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "eight by\xC3",
                                      "12345678\xC3("};
    sl_context *context = make_context();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(intern_one(context, string_key(good[i]), 0), i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t index;
        sl_key key = string_key(bad[i]);
        sl_key_column column = keys_column(&key, 1, 0);
        assert_int_equal(sl_context_intern(context, &column, &index, NULL, &error), SL_ERROR_INVALID_KEY);
    }
    drop_context(context);
}

static void added_records_are_unique(void **state) {
    (void)state;
    sl_context *context = make_context();
    uint32_t first;
    sl_key keys[] = {string_key("x"), int_key(3), string_key("y"), int_key(4), string_key("x")};
    sl_key_column column = keys_column(keys, 4, 0);
    OK(sl_context_add_records(context, &column, &first, &error));
    assert_int_equal(first, 0);
    check(context);
    column.source = 1;
    OK(sl_context_add_records(context, &column, &first, &error));
    assert_int_equal(first, 4);

    column = keys_column(keys + 4, 1, 0);
    assert_int_equal(sl_context_add_records(context, &column, &first, &error), SL_ERROR_DUPLICATE_KEY);
    assert_int_equal(error.row, 0);
    assert_int_equal(error.other_row, -1);
    assert_message("\"x\"");

    sl_context_truncate(context, 0);
    column = keys_column(keys, 5, 0);
    assert_int_equal(sl_context_add_records(context, &column, &first, &error), SL_ERROR_DUPLICATE_KEY);
    assert_int_equal(error.row, 4);
    assert_int_equal(error.other_row, 0);
    assert_int_equal(sl_context_num_records(context), 0);

    uint32_t numbers[700];
    for (uint32_t i = 0; i < 700; i++) numbers[i] = 700 - i;
    numbers[650] = numbers[20];
    column = number_column(SL_COLUMN_UINT32, numbers, 700, 0);
    assert_int_equal(sl_context_add_records(context, &column, &first, &error), SL_ERROR_DUPLICATE_KEY);
    assert_int_equal(error.row, 650);
    assert_int_equal(error.other_row, 20);
    assert_message("680");
    column.keys.length = 650;
    OK(sl_context_add_records(context, &column, &first, &error));
    assert_int_equal(sl_context_num_records(context), 650);
    drop_context(context);
}

static void capacity_is_an_error(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        sl_context *context = make_context();
        sl_i_context_set_capacity_for_test(context, 300);
        uint64_t numbers[400];
        uint32_t indices[400];
        for (uint64_t i = 0; i < 400; i++) numbers[i] = kind ? i << 40 : i;
        sl_key_column column = number_column(SL_COLUMN_UINT64, numbers, 400, 0);
        assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_CAPACITY);
        assert_int_equal(error.row, 300);
        assert_int_equal(sl_context_num_records(context), 0);
        check(context);
        column.keys.length = 300;
        intern(context, &column, indices);
        assert_int_equal(indices[299], 299);
        column.keys.length = 301;
        assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_CAPACITY);
        assert_int_equal(sl_context_num_records(context), 300);
        drop_context(context);
    }
}

static int stop_at_third(void *state, const char *phase, uint64_t done, uint64_t total) {
    (void)phase;
    (void)done;
    (void)total;
    return ++*(int *)state == 3;
}

static void an_interrupt_leaves_nothing(void **state) {
    (void)state;
    sl_context *context = make_context();
    uint64_t count = 4000000;
    uint64_t *numbers = malloc(count * sizeof *numbers);
    uint32_t *indices = malloc(count * sizeof *indices);
    for (uint64_t i = 0; i < count; i++) numbers[i] = i * 0x9E3779B97F4A7C15u;
    int ticks = 0;
    sl_progress progress = {stop_at_third, &ticks};
    sl_key_column column = number_column(SL_COLUMN_UINT64, numbers, count, 0);
    sl_status status = sl_context_intern(context, &column, indices, &progress, &error);
    if (ticks >= 3) {
        assert_int_equal(status, SL_ERROR_INTERRUPTED);
        assert_int_equal(sl_context_num_records(context), 0);
    }
    free(numbers);
    free(indices);
    drop_context(context);
}

/* ---------------------------------------------------------------------------------------------- direct maps */

static void int_keys_move_between_structures(void **state) {
    (void)state;
    sl_context *context = make_context();
    uint32_t indices[70000];
    uint64_t numbers[70000];

    /* Far apart: the table. Mixed with another kind and other sources that must stay. */
    uint16_t third;
    OK(sl_context_add_source(context, "c", 1, &third, &error));
    assert_int_equal(intern_one(context, string_key("stays"), 0), 0);
    assert_int_equal(intern_one(context, int_key(200000), 0), 1);
    assert_int_equal(intern_one(context, int_key(12), 1), 2);
    assert_int_equal(intern_one(context, int_key(UINT64_C(1) << 45), third), 3);
    assert_null(sl_i_index_dense(&context->index, third));
    assert_null(sl_i_index_dense(&context->index, 0));
    assert_non_null(sl_i_index_dense(&context->index, 1));

    /* Many: the direct map, taking the one in the table along. */
    for (uint64_t i = 0; i < 70000; i++) numbers[i] = 3 * i;
    sl_key_column column = number_column(SL_COLUMN_UINT64, numbers, 70000, 0);
    intern(context, &column, indices);
    assert_non_null(sl_i_index_dense(&context->index, 0));
    assert_int_equal(indices[0], 4);
    assert_int_equal(find_one(context, int_key(200000), 0), 1);
    assert_int_equal(find_one(context, int_key(209997), 0), 70003);
    assert_int_equal(find_one(context, int_key(UINT64_C(1) << 45), third), 3);
    assert_int_equal(find_one(context, int_key(209998), 0), SL_NO_RECORD);

    /* Growing within the map, then one far key: back to the table, the other source untouched. */
    assert_int_equal(intern_one(context, int_key(300000), 0), 70004);
    assert_non_null(sl_i_index_dense(&context->index, 0));
    assert_int_equal(intern_one(context, int_key(UINT64_MAX), 0), 70005);
    assert_null(sl_i_index_dense(&context->index, 0));
    assert_non_null(sl_i_index_dense(&context->index, 1));
    uint32_t again[70000];
    intern(context, &column, again);
    assert_memory_equal(again, indices, sizeof indices);

    /* And in a transaction that fails, with the move in its middle. */
    sl_context_truncate(context, 4);
    check(context);
    numbers[69999] = UINT64_C(1) << 50;
    assert_int_equal(find_one(context, int_key(200000), 0), 1);
    intern(context, &column, indices);
    assert_int_equal(indices[69999], 70003);
    drop_context(context);
}

static void small_sources_share_no_slack(void **state) {
    (void)state;
    sl_context *context;
    uint16_t id;
    OK(sl_context_create(&context, &error));
    for (int i = 0; i < 2000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        OK(sl_context_add_source(context, name, strlen(name), &id, &error));
        uint32_t index;
        sl_key key = int_key(60000);
        sl_key_column column = keys_column(&key, 1, id);
        OK(sl_context_intern(context, &column, &index, NULL, &error));
        assert_int_equal(index, i);
    }
    assert_true(sl_memory_in_use() < 16u << 20);
    drop_context(context);
}

/* ---------------------------------------------------------------------------------------------- rollback, truncation */

static void a_failed_batch_leaves_no_trace(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        sl_context *context = make_context();
        uint64_t numbers[5000];
        char text[5000][24];
        sl_key keys[5000];
        uint32_t indices[5000], again[5000];
        for (uint64_t i = 0; i < 5000; i++) {
            snprintf(text[i], sizeof text[i], "key-%" PRIu64, i * 7 % 3000);
            numbers[i] = kind == 1 ? i * 7 % 3000 * 0x9E3779B97F4A7C15u : i * 7 % 3000;
            keys[i] = kind == 2 ? string_key(text[i]) : int_key(numbers[i]);
        }
        sl_key_column before = keys_column(keys, 100, 0), column = keys_column(keys, 5000, 0);
        intern(context, &before, indices);
        uint64_t held = sl_memory_in_use();
        sl_key kept = keys[4321];
        keys[4321].kind = (sl_key_kind)7;
        assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
        assert_int_equal(error.row, 4321);
        assert_int_equal(sl_context_num_records(context), 100);
        check(context);
        assert_true(sl_memory_in_use() < held + (1u << 17));
        held = sl_memory_in_use();
        for (int times = 0; times < 30; times++)
            assert_int_equal(sl_context_intern(context, &column, indices, NULL, &error), SL_ERROR_INVALID_KEY);
        assert_int_equal(sl_memory_in_use(), held);
        keys[4321] = kept;
        intern(context, &column, indices);
        assert_int_equal(sl_context_num_records(context), 3000);
        for (uint32_t i = 0; i < 5000; i++) assert_int_equal(indices[i], i % 3000);
        for (uint32_t n = 3000; n-- > 2990;) { /* a few at a time, then many */
            sl_context_truncate(context, n);
            check(context);
            assert_int_equal(find_one(context, keys[n], 0), SL_NO_RECORD);
            assert_int_equal(find_one(context, keys[n - 1], 0), n - 1);
        }
        sl_context_truncate(context, 1024);
        check(context);
        sl_context_truncate(context, 5000);
        assert_int_equal(sl_context_num_records(context), 1024);
        intern(context, &column, again);
        assert_memory_equal(again, indices, sizeof indices);
        sl_context_truncate(context, 0);
        check(context);
        assert_int_equal(sl_context_key_kinds(context), 0);
        drop_context(context);
    }
}

static void copies_are_independent(void **state) {
    (void)state;
    sl_context *context = make_context(), *copy, *prefix;
    char text[4000][16];
    sl_key keys[4000];
    uint32_t indices[4000];
    for (uint32_t i = 0; i < 4000; i++) {
        snprintf(text[i], sizeof text[i], "t%u", i);
        keys[i] = i % 3 == 0 ? int_key(i) : i % 3 == 1 ? string_key(text[i]) : int_key((uint64_t)i << 36);
    }
    sl_key_column column = keys_column(keys, 4000, 1);
    intern(context, &column, indices);
    OK(sl_context_copy(context, SL_MAX_RECORDS, &copy, &error));
    OK(sl_context_copy(context, 1500, &prefix, &error));
    check(copy);
    check(prefix);
    assert_int_equal(sl_context_num_records(prefix), 1500);
    assert_int_equal(sl_context_num_sources(prefix), 2);
    assert_int_equal(find_one(prefix, keys[1499], 1), 1499);
    assert_int_equal(find_one(prefix, keys[1500], 1), SL_NO_RECORD);
    sl_context_truncate(context, 0);
    check(copy);
    for (uint32_t i = 0; i < 4000; i++) assert_int_equal(find_one(copy, keys[i], 1), i);
    assert_int_equal(intern_one(copy, string_key("new"), 0), 4000);
    assert_int_equal(intern_one(prefix, string_key("new"), 0), 1500);
    sl_context_release(sl_context_retain(prefix));
    sl_context_release(prefix);
    sl_context_release(copy);
    drop_context(context);
}

static void sizes_at_the_edges_of_blocks(void **state) {
    (void)state;
    const uint64_t sizes[] = {0, 1, 2, 127, 128, 129, 1024, 1025, 65536, 70000};
    uint64_t *numbers = malloc(70000 * sizeof *numbers);
    uint32_t *indices = malloc(70000 * sizeof *indices);
    for (int spread = 0; spread < 2; spread++) {
        for (uint64_t i = 0; i < 70000; i++) numbers[i] = spread ? i * 0x9E3779B97F4A7C15u : i;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            sl_context *context = make_context();
            sl_key_column column = number_column(SL_COLUMN_UINT64, sizes[s] ? numbers : NULL, sizes[s], 0);
            intern(context, &column, indices);
            assert_int_equal(sl_context_num_records(context), sizes[s]);
            for (uint64_t i = 0; i < sizes[s]; i++) assert_int_equal(indices[i], i);
            OK(sl_context_find(context, &column, indices, &error));
            for (uint64_t i = 0; i < sizes[s]; i++) assert_int_equal(indices[i], i);
            drop_context(context);
        }
    }
    free(numbers);
    free(indices);
}

/* ---------------------------------------------------------------------------------------------- against a model */

/* A list searched from the front: obviously right. */
typedef struct model {
    sl_key keys[3000];
    uint16_t sources[3000];
    uint32_t count;
} model;

static bool model_equal(const sl_key *a, const sl_key *b) {
    if (a->kind <= SL_KEY_U64 || b->kind <= SL_KEY_U64)
        return a->kind <= SL_KEY_U64 && b->kind <= SL_KEY_U64 && a->number == b->number;
    return a->kind == b->kind && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static uint32_t model_find(const model *m, const sl_key *key, uint16_t source) {
    for (uint32_t i = 0; i < m->count; i++)
        if (m->sources[i] == source && model_equal(&m->keys[i], key)) return i;
    return SL_NO_RECORD;
}

static uint32_t model_intern(model *m, const sl_key *key, uint16_t source) {
    uint32_t found = model_find(m, key, source);
    if (found != SL_NO_RECORD) return found;
    m->keys[m->count] = *key;
    m->sources[m->count] = source;
    return m->count++;
}

static uint64_t random_state;
static uint32_t random_below(uint32_t bound) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % bound);
}

static char model_texts[400][24];

static sl_key random_key(void) {
    uint32_t i = random_below(400);
    switch (random_below(5)) {
    case 0: return int_key(random_below(1000));
    case 1: return int_key((uint64_t)random_below(300) * 0x100000001u);
    case 2: return string_key(model_texts[i]);
    case 3: return bytes_key(model_texts[i]);
    default: return int_key(random_below(30) * 20000u);
    }
}

static void random_calls_agree_with_a_model(void **state) {
    (void)state;
    for (int i = 0; i < 400; i++) snprintf(model_texts[i], sizeof model_texts[i], "%.*s%d", i % 13, "abcdefghijklm", i);
    static model m;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        random_state = seed * 7919;
        m.count = 0;
        sl_context *context = make_context();
        for (int step = 0; step < 60; step++) {
            sl_key left[150], right[150];
            uint16_t sources[150];
            uint32_t l[150], r[150], count = random_below(150);
            for (uint32_t i = 0; i < count; i++) {
                left[i] = i > 0 && random_below(3) == 0 ? left[i - 1] : random_key();
                right[i] = random_key();
                sources[i] = (uint16_t)random_below(2);
            }
            sl_key_column lc = keys_column(left, count, 0), rc = keys_column(right, count, 1);
            if (random_below(2)) lc.sources = sources;
            uint32_t before = m.count, act = random_below(8);
            if (act == 0) { /* truncate */
                m.count = random_below(m.count + 1);
                sl_context_truncate(context, m.count);
            } else if (act == 1 && count > 0) { /* fails in its last row */
                right[count - 1].kind = (sl_key_kind)5;
                sl_i_pair_reader *reader;
                OK(sl_i_append_begin(context, &error));
                OK(sl_i_pair_reader_create(context, &lc, &rc, false, 0, &reader, &error));
                assert_int_equal(sl_i_pair_reader_read(reader, 0, count, l, r, &error), SL_ERROR_INVALID_KEY);
                sl_i_pair_reader_release(reader);
                sl_i_append_rollback(context);
            } else if (act == 2) {
                OK(sl_context_find(context, &lc, l, &error));
                for (uint32_t i = 0; i < count; i++)
                    assert_int_equal(l[i], model_find(&m, &left[i], lc.sources ? sources[i] : 0));
            } else {
                read_pairs(context, &lc, &rc, false, l, r, 1 + random_below(150));
                for (uint32_t i = 0; i < count; i++) {
                    assert_int_equal(l[i], model_intern(&m, &left[i], lc.sources ? sources[i] : 0));
                    assert_int_equal(r[i], model_intern(&m, &right[i], 1));
                }
            }
            check(context);
            (void)before;
            assert_int_equal(sl_context_num_records(context), m.count);
        }
        for (uint32_t i = 0; i < m.count; i++) {
            sl_record record;
            assert_true(sl_context_record(context, i, &record));
            assert_true(model_equal(&record.key, &m.keys[i]));
            assert_int_equal(record.source, m.sources[i]);
        }
        drop_context(context);
    }
}

/* ---------------------------------------------------------------------------------------------- failing allocations */

static void assert_holds(const sl_context *context, const sl_key *keys, uint32_t count) {
    check(context);
    assert_int_equal(sl_context_num_records(context), count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(find_one(context, keys[i], 0), i);
}

static sl_status run_scenario(int scenario, sl_context *context, const sl_key_column *more, uint32_t *indices,
                              sl_error *problem) {
    sl_context *copy = NULL;
    uint32_t first;
    uint16_t sources[3];
    strings s;
    sl_status status;
    switch (scenario) {
    case 0: return sl_context_intern(context, more, indices, NULL, problem);
    case 1: return sl_context_add_records(context, more, &first, problem);
    case 2:
        status = sl_context_copy(context, SL_MAX_RECORDS, &copy, problem);
        assert_int_equal(status == SL_OK, copy != NULL);
        if (copy) check(copy);
        sl_context_release(copy);
        return status;
    case 3:
        status = sl_context_add_sources(
            context, make_strings(&s, SL_COLUMN_STRING, (const char *const[]){"n1", "n2", "n3"}, 3), sources, problem);
        assert_int_equal(sl_context_num_sources(context), status == SL_OK ? 5 : 2);
        return status;
    default:
        status = sl_context_create(&copy, problem);
        assert_int_equal(status == SL_OK, copy != NULL);
        sl_context_release(copy);
        return status;
    }
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    static char text[3000][40];
    static sl_key keys[3000];
    static uint32_t indices[3000];
    for (uint32_t i = 0; i < 3000; i++) {
        snprintf(text[i], sizeof text[i], "a key of some length, number %u", i);
        keys[i] = i % 3 == 0 ? string_key(text[i]) : i % 3 == 1 ? int_key(i) : int_key((uint64_t)i << 40);
    }
    for (int scenario = 0; scenario < 5; scenario++) {
        bool done = false;
        for (uint64_t k = 0; !done; k++) {
            assert_true(k < 1000);
            failing_memory_after(FAILING_NEVER);
            OK(sl_set_allocator(&failing_memory, &error));
            sl_context *context = make_context();
            sl_key_column some = keys_column(keys, 30, 0);
            sl_key_column more = keys_column(keys + 30, 2970, 0);
            intern(context, &some, indices);
            uint64_t held = sl_memory_in_use();
            failing_memory_after(k);
            sl_status status = run_scenario(scenario, context, &more, indices, &error);
            done = status == SL_OK;
            if (!done) assert_int_equal(status, SL_ERROR_MEMORY);
            failing_memory_after(FAILING_NEVER);
            assert_holds(context, keys, done && scenario < 2 ? 3000 : 30);
            if (scenario == 2 || scenario == 4) assert_int_equal(sl_memory_in_use(), held);
            drop_context(context);
            OK(sl_set_allocator(NULL, &error));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_interned_once),
        cmocka_unit_test(sources_end_at_their_limit),
        cmocka_unit_test(source_columns),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(int_columns_of_every_width),
        cmocka_unit_test(text_columns_of_every_layout),
        cmocka_unit_test(dictionaries_number_by_first_row),
        cmocka_unit_test(equal_entries_of_a_dictionary),
        cmocka_unit_test(equal_hashes_are_told_apart),
        cmocka_unit_test(bad_keys_name_their_row),
        cmocka_unit_test(utf8_is_checked_by_the_book),
        cmocka_unit_test(added_records_are_unique),
        cmocka_unit_test(capacity_is_an_error),
        cmocka_unit_test(an_interrupt_leaves_nothing),
        cmocka_unit_test(int_keys_move_between_structures),
        cmocka_unit_test(small_sources_share_no_slack),
        cmocka_unit_test(a_failed_batch_leaves_no_trace),
        cmocka_unit_test(copies_are_independent),
        cmocka_unit_test(sizes_at_the_edges_of_blocks),
        cmocka_unit_test(random_calls_agree_with_a_model),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
