/* key_texts.c: see key_texts.h. O(bytes), two passes over the records: one measures, one writes. */
#include "interchange/key_texts.h"

#include <string.h>

#include "records/context.h"

#define NUM_KINDS 4
#define STRING_HEX NUM_KINDS /* a string that a text cannot hold as it is */
#define NUM_TEXT_KINDS (NUM_KINDS + 1)

static const char *const kind_names[NUM_TEXT_KINDS] = {[SL_KEY_U32] = "u32",
                                                       [SL_KEY_U64] = "u64",
                                                       [SL_KEY_STRING] = "string",
                                                       [SL_KEY_BYTES] = "bytes",
                                                       [STRING_HEX] = "string_hex"};

/* ---------------------------------------------------------------------------------------------- writing */

typedef struct rows {
    const sl_i_record_store *store;
    const uint32_t *records;
    uint64_t count;
    bool without_nul;
    sl_i_ticker *ticker; /* or NULL */
} rows;

static inline const sl_i_stored *stored_at(const rows *from, uint64_t row) {
    return from->records ? sl_i_store_gather(from->store, from->records, row, from->count)
                         : sl_i_store_at(from->store, (uint32_t)row);
}

static uint32_t count_digits(uint64_t number) {
    uint32_t digits = 1;
    for (; number >= 10; number /= 10) digits++;
    return digits;
}

/* Place in kind_names. */
static unsigned text_kind(const rows *from, const sl_i_stored *stored) {
    if (!from->without_nul || stored->kind != SL_KEY_STRING) return stored->kind;
    const sl_i_text *text = sl_i_stored_text(stored);
    return text->length > 0 && memchr(text->bytes, '\0', text->length) ? STRING_HEX : SL_KEY_STRING;
}

static uint64_t text_length(const rows *from, const sl_i_stored *stored) {
    if (sl_i_stored_is_int(stored)) return count_digits(sl_i_stored_payload(stored));
    uint64_t length = sl_i_stored_text(stored)->length;
    return text_kind(from, stored) == SL_KEY_STRING ? length : 2 * length;
}

/* `length` is that of the text. */
static void write_text(const rows *from, const sl_i_stored *stored, uint64_t length, uint8_t *out) {
    static const char hex[] = "0123456789abcdef";
    if (sl_i_stored_is_int(stored)) {
        uint64_t number = sl_i_stored_payload(stored);
        for (; length > 0; number /= 10) out[--length] = (uint8_t)('0' + number % 10);
        return;
    }
    const uint8_t *bytes = sl_i_stored_text(stored)->bytes;
    if (text_kind(from, stored) == SL_KEY_STRING) {
        memcpy(out, bytes, length);
        return;
    }
    for (uint64_t i = 0; i < length; i++) out[i] = (uint8_t)hex[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
}

static sl_status make_texts(const rows *from, struct ArrowArray *out, sl_error *error) {
    int32_t *offsets = NULL;
    uint8_t *bytes = NULL;
    uint64_t total = 0;
    for (uint64_t row = 0; row < from->count && total <= INT32_MAX; row++) {
        SL_TRY(sl_i_ticker_step(from->ticker, row, error));
        total += text_length(from, stored_at(from, row));
    }
    if (total > INT32_MAX)
        return sl_i_fail(error, SL_ERROR_CAPACITY,
                         "the keys have more than 2^31-1 bytes as text: export fewer records at a time");
    SL_TRY(sl_i_array_make(out, from->count, 3, 0, false, error));
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_array_buffer(out, 1, from->count + 1, sizeof *offsets, &offsets, error));
    SL_TRY_CLEANUP(status, sl_i_array_buffer(out, 2, total, 1, &bytes, error));
    offsets[0] = 0;
    for (uint64_t row = 0; row < from->count; row++) {
        const sl_i_stored *stored = stored_at(from, row);
        uint64_t length = text_length(from, stored);
        write_text(from, stored, length, bytes + offsets[row]);
        offsets[row + 1] = offsets[row] + (int32_t)length;
        SL_TRY_CLEANUP(status, sl_i_ticker_step(from->ticker, row, error));
    }
    return SL_OK;
cleanup:
    sl_i_array_drop(out);
    return status;
}

static sl_status make_kinds(const rows *from, struct ArrowArray *out, sl_error *error) {
    size_t lengths[NUM_TEXT_KINDS];
    uint8_t *codes = NULL;
    for (int kind = 0; kind < NUM_TEXT_KINDS; kind++) lengths[kind] = strlen(kind_names[kind]);
    SL_TRY(sl_i_array_make(out, from->count, 2, 0, true, error));
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_array_strings(out->dictionary, kind_names, lengths,
                                              from->without_nul ? NUM_TEXT_KINDS : NUM_KINDS, error));
    SL_TRY_CLEANUP(status, sl_i_array_buffer(out, 1, from->count, sizeof *codes, &codes, error));
    for (uint64_t row = 0; row < from->count; row++) {
        SL_TRY_CLEANUP(status, sl_i_ticker_step(from->ticker, row, error));
        codes[row] = (uint8_t)text_kind(from, stored_at(from, row));
    }
    return SL_OK;
cleanup:
    sl_i_array_drop(out);
    return status;
}

static sl_status make_both(const rows *from, struct ArrowArray *texts, struct ArrowArray *kinds, sl_error *error) {
    *kinds = (struct ArrowArray){0};
    *texts = (struct ArrowArray){0};
    SL_TRY(make_texts(from, texts, error));
    sl_status status = make_kinds(from, kinds, error);
    if (status != SL_OK) sl_i_array_drop(texts);
    return status;
}

sl_status sl_i_key_texts_make(const sl_context *context, const uint32_t *records, uint64_t count,
                              struct ArrowArray *texts, struct ArrowArray *kinds, sl_i_ticker *ticker,
                              sl_error *error) {
    return make_both(&(rows){&context->store, records, count, false, ticker}, texts, kinds, error);
}

sl_status sl_i_key_texts_make_without_nul(const sl_context *context, const uint32_t *records, uint64_t count,
                                          struct ArrowArray *texts, struct ArrowArray *kinds, sl_error *error) {
    return make_both(&(rows){&context->store, records, count, true, NULL}, texts, kinds, error);
}

/* ---------------------------------------------------------------------------------------------- reading */

bool sl_i_key_kind_from_name(const char *name, uint64_t length, sl_key_kind *out) {
    for (int kind = 0; kind < NUM_KINDS; kind++) {
        if (length != strlen(kind_names[kind]) || memcmp(name, kind_names[kind], length) != 0) continue;
        *out = (sl_key_kind)kind;
        return true;
    }
    return false;
}

static const char *read_number(sl_key_kind kind, const uint8_t *text, uint64_t length, sl_key *out) {
    uint64_t number = 0, most = kind == SL_KEY_U32 ? UINT32_MAX : UINT64_MAX;
    if (length == 0 || (length > 1 && text[0] == '0')) return "is no number in decimal, without leading zeros";
    for (uint64_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return "is no number in decimal, without leading zeros";
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (number > (most - digit) / 10) return "is too large a number for its kind";
        number = number * 10 + digit;
    }
    *out = (sl_key){.kind = number > UINT32_MAX ? SL_KEY_U64 : SL_KEY_U32, .number = number};
    return NULL;
}

static int read_nibble(uint8_t digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static const char *read_bytes(const uint8_t *text, uint64_t length, uint8_t *room, sl_key *out) {
    if (length % 2) return "is not in hexadecimal: its length is odd";
    for (uint64_t i = 0; i < length; i += 2) {
        int high = read_nibble(text[i]), low = read_nibble(text[i + 1]);
        if (high < 0 || low < 0) return "is not in hexadecimal";
        room[i / 2] = (uint8_t)(high << 4 | low);
    }
    *out = (sl_key){.kind = SL_KEY_BYTES, .length = (uint32_t)(length / 2), .bytes = room};
    return NULL;
}

const char *sl_i_key_from_text(sl_key_kind kind, const uint8_t *text, uint64_t length, uint8_t *room, sl_key *out) {
    *out = (sl_key){0};
    if (length > UINT32_MAX) return "is longer than 4294967295 bytes";
    if (kind == SL_KEY_BYTES) return read_bytes(text, length, room, out);
    if (kind != SL_KEY_STRING) return read_number(kind, text, length, out);
    *out = (sl_key){.kind = SL_KEY_STRING, .length = (uint32_t)length, .bytes = text};
    return NULL;
}

const char *sl_i_key_from_named_text(const char *name, uint64_t name_length, const uint8_t *text, uint64_t length,
                                     uint8_t *room, sl_key *out) {
    const char *hex = kind_names[STRING_HEX];
    sl_key_kind kind = SL_KEY_BYTES;
    bool is_hex = name_length == strlen(hex) && memcmp(name, hex, name_length) == 0;
    *out = (sl_key){0};
    if (!is_hex && !sl_i_key_kind_from_name(name, name_length, &kind)) return "is of an unknown kind";
    const char *why = sl_i_key_from_text(kind, text, length, room, out);
    if (is_hex && !why) out->kind = SL_KEY_STRING;
    return why;
}
