/* key_texts.h: keys as text beside their kind, and back.
 *
 * For readers that know neither unions nor unsigned ints of 64 bits: "u32" and "u64" in decimal, "string" as it is, "bytes" in
 * lower-case hexadecimal. A key of each kind has one text, and (kind, text) has one key. */
#ifndef SL_INTERCHANGE_KEY_TEXTS_H
#define SL_INTERCHANGE_KEY_TEXTS_H

#include "interchange/arrow_array.h"
#include "support/pool.h"

/** Keys of `records` (NULL: of 0..count-1), which the context holds, as a utf8 array, and their kinds as a dictionary<uint8, utf8> whose
 *  dictionary is all four. `ticker`, which may be NULL, ticks. On an error neither is made: SL_ERROR_CAPACITY where the texts have more than 2^31-1 bytes. */
sl_status sl_i_key_texts_make(const sl_context *context, const uint32_t *records, uint64_t count,
                              struct ArrowArray *texts, struct ArrowArray *kinds, sl_i_ticker *ticker, sl_error *error)
    SL_MUST_USE;

/** The same for readers whose text cannot hold the character NUL: strings with one are of the kind "string_hex", their UTF-8 in
 *  hexadecimal, which is the fifth entry of the dictionary. */
sl_status sl_i_key_texts_make_without_nul(const sl_context *context, const uint32_t *records, uint64_t count,
                                          struct ArrowArray *texts, struct ArrowArray *kinds, sl_error *error)
    SL_MUST_USE;

/** The kind of that name; false if there is none. */
bool sl_i_key_kind_from_name(const char *name, uint64_t length, sl_key_kind *out);
/** The key of that kind that `text` stands for. `room` has length / 2 bytes, for the bytes of a bytes key; a string borrows `text`.
 *  Returns why there is none, as "is no number", or NULL. Strings are not checked to be UTF-8. */
const char *sl_i_key_from_text(sl_key_kind kind, const uint8_t *text, uint64_t length, uint8_t *room, sl_key *out);
/** The same of a kind by its name, "string_hex" included; `room` serves that, too. */
const char *sl_i_key_from_named_text(const char *name, uint64_t name_length, const uint8_t *text, uint64_t length,
                                     uint8_t *room, sl_key *out);

#endif
