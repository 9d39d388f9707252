/* utf8.h: is this UTF-8, and how a key is shown in a message.
 *
 * Keys that come in as strings are promised to be UTF-8 by everything downstream (Arrow export, Python), so each is
 * checked once, when it is first stored. ASCII goes at eight bytes a step. */
#ifndef SL_RECORDS_UTF8_H
#define SL_RECORDS_UTF8_H

#include "starlings.h"

/** Well-formed UTF-8 (Unicode table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF)? O(length). */
bool sl_i_utf8_valid(const uint8_t *bytes, size_t length);

/** Room for any text made by sl_i_key_quote. */
#define SL_I_QUOTED_SIZE 192
/** The key as a message shows it: 5, "text" or b"bytes", control characters and bytes that are no UTF-8 as \xNN,
 *  shortened after about 60 bytes. Always NUL-terminated UTF-8. Returns `out`. */
const char *sl_i_key_quote(const sl_key *key, char out[SL_I_QUOTED_SIZE]);
/** The same of a name or other text, of any bytes. */
const char *sl_i_text_quote(const char *text, uint64_t length, char out[SL_I_QUOTED_SIZE]);

#endif
