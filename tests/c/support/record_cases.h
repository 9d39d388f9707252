/* record_cases.h: contexts, keys and columns as the tests of the records layer need them. Every step is checked with
 * sl_i_context_validate. */
#ifndef SL_TESTS_RECORD_CASES_H
#define SL_TESTS_RECORD_CASES_H

/* Before <cmocka.h>, as it asks. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records/context.h"

extern _Thread_local sl_error error;

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        error.message[0] = '\0';                                                                                       \
        if ((call) != SL_OK) fail_msg("%s: %s", #call, error.message);                                                 \
    } while (0)

/* A column of strings in Arrow's layout, made from NUL-terminated ones. */
typedef struct strings {
    int32_t offsets[64];
    int64_t large_offsets[64];
    char bytes[2048];
    sl_column column;
} strings;

void check(const sl_context *context);
sl_context *make_context(void);
void drop_context(sl_context *context);
sl_key int_key(uint64_t number);
sl_key text_key(sl_key_kind kind, const char *text, size_t length);
sl_key string_key(const char *text);
sl_key bytes_key(const char *text);
sl_key_column keys_column(const sl_key *keys, uint64_t count, uint16_t source);
sl_key_column number_column(sl_column_type type, const void *values, uint64_t count, uint16_t source);
sl_column *make_strings(strings *s, sl_column_type type, const char *const *texts, uint32_t count);
void intern(sl_context *context, const sl_key_column *keys, uint32_t *indices);
uint32_t intern_one(sl_context *context, sl_key key, uint16_t source);
uint32_t find_one(const sl_context *context, sl_key key, uint16_t source);
void assert_message(const char *part);
/** The pairs of two columns, read in a transaction of their own, so many rows at a time. */
void read_pairs(sl_context *context, const sl_key_column *left, const sl_key_column *right, bool known,
                uint32_t *left_out, uint32_t *right_out, uint64_t window);

#endif
