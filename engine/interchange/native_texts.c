/* native_texts.c: see native_texts.h. */
#include "interchange/native_texts.h"

sl_status sl_i_texts_write(sl_i_section_writer *writer, sl_i_text_at text_at, const void *state, uint32_t count,
                           sl_error *error) {
    uint8_t bytes[4];
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        (void)text_at(state, i, &length);
        sl_i_put_u32(bytes, (uint32_t)length);
        SL_TRY(sl_i_writer_put(writer, bytes, sizeof bytes, error));
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *text = text_at(state, i, &length);
        SL_TRY(sl_i_writer_put(writer, text, length, error));
    }
    return SL_OK;
}

bool sl_i_texts_open(const uint8_t *bytes, uint64_t size, uint32_t count, sl_i_texts *out) {
    uint64_t total = 4 * (uint64_t)count;
    *out = (sl_i_texts){0};
    if (total > size) return false;
    for (uint32_t i = 0; i < count; i++) total += sl_i_get_u32(bytes + 4 * (uint64_t)i);
    *out = (sl_i_texts){bytes, bytes + 4 * (uint64_t)count};
    return total == size;
}

const char *sl_i_texts_next(sl_i_texts *texts, size_t *length) {
    const char *text = (const char *)texts->bytes;
    *length = sl_i_get_u32(texts->lengths);
    texts->lengths += 4;
    texts->bytes += *length;
    return text;
}
