/* status.c: see status.h. Messages longer than the caller's buffer are cut, always NUL-terminated, never in the middle of a
 * UTF-8 sequence (keys are quoted in messages). */
#include "support/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *sl_version(void) { return VERSION_TEXT(SL_VERSION_MAJOR, SL_VERSION_MINOR, SL_VERSION_PATCH); }

const char *sl_status_name(sl_status status) {
    switch (status) {
    case SL_OK: return "ok";
    case SL_ERROR_MEMORY: return "out of memory";
    case SL_ERROR_INTERRUPTED: return "interrupted";
    case SL_ERROR_INVALID_ARGUMENT: return "invalid argument";
    case SL_ERROR_INVALID_KEY: return "invalid key";
    case SL_ERROR_DUPLICATE_KEY: return "duplicate key";
    case SL_ERROR_KEY_NOT_FOUND: return "key not found";
    case SL_ERROR_INVALID_SCORE: return "invalid score";
    case SL_ERROR_INVALID_THRESHOLD: return "invalid threshold";
    case SL_ERROR_OVERLAP: return "overlapping entities";
    case SL_ERROR_CAPACITY: return "capacity exceeded";
    case SL_ERROR_UNKNOWN_METRIC: return "unknown metric";
    case SL_ERROR_COLLECTION_NOT_FOUND: return "collection not found";
    case SL_ERROR_DUPLICATE_COLLECTION: return "duplicate collection";
    case SL_ERROR_CORRUPT: return "corrupt structure";
    case SL_ERROR_SYSTEM: return "system error";
    }
    return "unknown status";
}

/* Drop a UTF-8 sequence that the end of the buffer cut in two. */
static void trim_partial_character(char *text, size_t length) {
    size_t end = length;
    while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80) end--;
    if (end == 0) return;
    unsigned char lead = (unsigned char)text[end - 1];
    size_t expected = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length - (end - 1) < expected) text[end - 1] = '\0';
}

static void fill(sl_error *error, sl_status status, int64_t row, int64_t other_row, const char *format,
                 va_list arguments) {
    if (!error) return;
    error->status = status;
    error->row = row;
    error->other_row = other_row;
    error->system_code = 0;
    int written = vsnprintf(error->message, sizeof error->message, format, arguments);
    if (written >= (int)sizeof error->message) trim_partial_character(error->message, sizeof error->message - 1);
    if (written < 0) error->message[0] = '\0';
}

sl_status sl_i_fail(sl_error *error, sl_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, -1, -1, format, arguments);
    va_end(arguments);
    return status;
}

sl_status sl_i_fail_row(sl_error *error, sl_status status, int64_t row, int64_t other_row, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, row, other_row, format, arguments);
    va_end(arguments);
    return status;
}

sl_status sl_i_fail_memory(sl_error *error, size_t size, const char *what) {
    return sl_i_fail(error, SL_ERROR_MEMORY, "out of memory: %zu bytes for %s", size, what);
}

sl_i_double_text sl_i_double_to_text(double value) {
    sl_i_double_text out;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out.text, sizeof out.text, "%.*g", digits, value);
        if (strtod(out.text, NULL) == value) break; /* never for NaN, which is "nan" in any number of digits */
    }
    return out;
}
