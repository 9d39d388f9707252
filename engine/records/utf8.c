/* utf8.c: see utf8.h. */
#include "records/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define MAX_SHOWN 60

static size_t ascii_prefix(const uint8_t *bytes, size_t length) {
    size_t at = 0;
    while (length - at >= 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        if (word & HIGH_BITS) break;
        at += 8;
    }
    while (at < length && bytes[at] < 0x80) at++;
    return at;
}

static bool is_continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/* Bytes of the well-formed sequence at the start, 0 if there is none. */
static size_t sequence_length(const uint8_t *bytes, size_t length) {
    uint8_t lead = bytes[0];
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    size_t need = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length < need) return 0;
    uint8_t low = 0x80, high = 0xBF; /* what the second byte may be */
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    if (bytes[1] < low || bytes[1] > high) return 0;
    for (size_t i = 2; i < need; i++)
        if (!is_continuation(bytes[i])) return 0;
    return need;
}

bool sl_i_utf8_valid(const uint8_t *bytes, size_t length) {
    size_t at = 0;
    for (;;) {
        at += ascii_prefix(bytes + at, length - at);
        if (at == length) return true;
        size_t step = sequence_length(bytes + at, length - at);
        if (step == 0) return false;
        at += step;
    }
}

/* One character, byte or escape of `key` at `at`, written to `out`; returns the bytes consumed. */
static size_t quote_one(const sl_key *key, size_t at, char **out) {
    const uint8_t *bytes = key->bytes + at;
    size_t step = key->kind == SL_KEY_STRING ? sequence_length(bytes, key->length - at) : (size_t)(bytes[0] < 0x80);
    bool plain = step > 1 || (step == 1 && bytes[0] >= 0x20 && bytes[0] != 0x7F);
    if (!plain) {
        *out += sprintf(*out, "\\x%02x", bytes[0]);
        return 1;
    }
    if (bytes[0] == '"' || bytes[0] == '\\') *(*out)++ = '\\';
    memcpy(*out, bytes, step);
    *out += step;
    return step;
}

const char *sl_i_key_quote(const sl_key *key, char out[SL_I_QUOTED_SIZE]) {
    if (key->kind == SL_KEY_U32 || key->kind == SL_KEY_U64) {
        snprintf(out, SL_I_QUOTED_SIZE, "%" PRIu64, key->number);
        return out;
    }
    char *end = out;
    if (key->kind == SL_KEY_BYTES) *end++ = 'b';
    *end++ = '"';
    char *limit = end + MAX_SHOWN;
    size_t at = 0;
    while (at < key->length && end < limit) at += quote_one(key, at, &end);
    *end++ = '"';
    if (at < key->length) end += sprintf(end, "... (%" PRIu32 " bytes)", key->length);
    *end = '\0';
    return out;
}

const char *sl_i_text_quote(const char *text, uint64_t length, char out[SL_I_QUOTED_SIZE]) {
    const sl_key key = {.kind = SL_KEY_STRING,
                        .length = (uint32_t)(length < UINT32_MAX ? length : UINT32_MAX),
                        .bytes = (const uint8_t *)text};
    return sl_i_key_quote(&key, out);
}
