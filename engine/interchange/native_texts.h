/* native_texts.h: lists of texts in the native file: the length of each (u32), then their bytes one after the other. */
#ifndef SL_INTERCHANGE_NATIVE_TEXTS_H
#define SL_INTERCHANGE_NATIVE_TEXTS_H

#include "interchange/section_reader.h"
#include "interchange/section_writer.h"

/** The text of that number. */
typedef const char *(*sl_i_text_at)(const void *state, uint32_t number, size_t *length);

/** Append `count` texts to the section being written. */
sl_status sl_i_texts_write(sl_i_section_writer *writer, sl_i_text_at text_at, const void *state, uint32_t count,
                           sl_error *error) SL_MUST_USE;

/** Texts to be taken one after the other. */
typedef struct sl_i_texts {
    const uint8_t *lengths, *bytes;
} sl_i_texts;

/** `count` texts that fill `size` bytes; false where they do not. */
bool sl_i_texts_open(const uint8_t *bytes, uint64_t size, uint32_t count, sl_i_texts *out);
/** The next text. */
const char *sl_i_texts_next(sl_i_texts *texts, size_t *length);

#endif
