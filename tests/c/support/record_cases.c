/* record_cases.c: see record_cases.h. */
#include "support/record_cases.h"

_Thread_local sl_error error;

void check(const sl_context *context) { OK(sl_i_context_validate(context, &error)); }

sl_context *make_context(void) {
    sl_context *context;
    uint16_t source;
    OK(sl_context_create(&context, &error));
    OK(sl_context_add_source(context, "a", 1, &source, &error));
    OK(sl_context_add_source(context, "b", 1, &source, &error));
    assert_int_equal(source, 1);
    return context;
}

void drop_context(sl_context *context) {
    check(context);
    sl_context_release(context);
    assert_int_equal(sl_memory_in_use(), 0);
}

sl_key int_key(uint64_t number) { return (sl_key){.kind = number >> 32 ? SL_KEY_U64 : SL_KEY_U32, .number = number}; }
sl_key text_key(sl_key_kind kind, const char *text, size_t length) {
    return (sl_key){.kind = kind, .length = (uint32_t)length, .bytes = (const uint8_t *)text};
}
sl_key string_key(const char *text) { return text_key(SL_KEY_STRING, text, strlen(text)); }
sl_key bytes_key(const char *text) { return text_key(SL_KEY_BYTES, text, strlen(text)); }

sl_key_column keys_column(const sl_key *keys, uint64_t count, uint16_t source) {
    return (sl_key_column){.keys = {.type = SL_COLUMN_KEYS, .length = count, .values = keys}, .source = source};
}
sl_key_column number_column(sl_column_type type, const void *values, uint64_t count, uint16_t source) {
    return (sl_key_column){.keys = {.type = type, .length = count, .values = values}, .source = source};
}

sl_column *make_strings(strings *s, sl_column_type type, const char *const *texts, uint32_t count) {
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strlen(texts[i]);
        memcpy(s->bytes + s->offsets[i], texts[i], length);
        s->offsets[i + 1] = s->offsets[i] + (int32_t)length;
        s->large_offsets[i + 1] = s->offsets[i + 1];
    }
    bool large = type == SL_COLUMN_LARGE_STRING || type == SL_COLUMN_LARGE_BINARY;
    s->column = (sl_column){.type = type,
                            .length = count,
                            .values = s->bytes,
                            .offsets = large ? (void *)s->large_offsets : (void *)s->offsets};
    return &s->column;
}

void intern(sl_context *context, const sl_key_column *keys, uint32_t *indices) {
    OK(sl_context_intern(context, keys, indices, NULL, &error));
    check(context);
}

uint32_t intern_one(sl_context *context, sl_key key, uint16_t source) {
    uint32_t index;
    sl_key_column column = keys_column(&key, 1, source);
    intern(context, &column, &index);
    return index;
}

uint32_t find_one(const sl_context *context, sl_key key, uint16_t source) {
    uint32_t index;
    sl_key_column column = keys_column(&key, 1, source);
    OK(sl_context_find(context, &column, &index, &error));
    return index;
}

void assert_message(const char *part) {
    if (!strstr(error.message, part)) fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

void read_pairs(sl_context *context, const sl_key_column *left, const sl_key_column *right, bool known,
                uint32_t *left_out, uint32_t *right_out, uint64_t window) {
    sl_i_pair_reader *reader;
    OK(sl_i_append_begin(context, &error));
    OK(sl_i_pair_reader_create(context, left, right, known, 0, &reader, &error));
    for (uint64_t first = 0; first < left->keys.length; first += window) {
        uint64_t count = left->keys.length - first < window ? left->keys.length - first : window;
        OK(sl_i_pair_reader_read(reader, first, count, left_out + first, right_out + first, &error));
    }
    sl_i_pair_reader_release(reader);
    sl_i_append_commit(context);
    check(context);
}
