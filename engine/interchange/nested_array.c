/* nested_array.c: see nested_array.h. */
#include "interchange/nested_array.h"

#include <inttypes.h>
#include <string.h>

sl_status sl_i_check_offsets(uint64_t count, const char *what, sl_error *error) {
    if (count <= INT32_MAX) return SL_OK;
    return sl_i_fail(error, SL_ERROR_CAPACITY,
                     "%" PRIu64 " %s are more than one Arrow list holds (2^31-1); write what is not expanded: save(), "
                     "write_parquet(expand=False)",
                     count, what);
}

sl_status sl_i_array_lists(struct ArrowArray *out, uint64_t length, int32_t **out_offsets, sl_error *error) {
    SL_TRY(sl_i_array_make(out, length, 2, 1, false, error));
    sl_status status = sl_i_array_buffer(out, 1, length + 1, sizeof **out_offsets, out_offsets, error);
    if (status == SL_OK)
        (*out_offsets)[0] = 0;
    else
        sl_i_array_drop(out);
    return status;
}

sl_status sl_i_array_numbers(struct ArrowArray *out, uint64_t length, size_t size, void *out_values, sl_error *error) {
    SL_TRY(sl_i_array_make(out, length, 2, 0, false, error));
    sl_status status = sl_i_array_buffer(out, 1, length, size, out_values, error);
    if (status != SL_OK) sl_i_array_drop(out);
    return status;
}

sl_status sl_i_array_repeat(struct ArrowArray *out, const char *text, size_t text_length, uint64_t length,
                            sl_error *error) {
    int32_t *offsets = NULL;
    char *bytes = NULL;
    SL_TRY(sl_i_array_make(out, length, 3, 0, false, error));
    sl_status status = sl_i_array_buffer(out, 1, length + 1, sizeof *offsets, &offsets, error);
    if (status == SL_OK) status = sl_i_array_buffer(out, 2, length * text_length, 1, &bytes, error);
    if (status != SL_OK) {
        sl_i_array_drop(out);
        return status;
    }
    offsets[0] = 0;
    for (uint64_t i = 0; i < length; i++) {
        if (text_length) memcpy(bytes + offsets[i], text, text_length);
        offsets[i + 1] = offsets[i] + (int32_t)text_length;
    }
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- sources */

typedef struct source_names {
    const char *texts[SL_MAX_SOURCES];
    size_t lengths[SL_MAX_SOURCES];
    uint32_t codes[SL_MAX_SOURCES]; /* by source id: place in the dictionary + 1; 0: not met yet */
    uint32_t count;
} source_names;

static uint16_t code_of(source_names *names, const sl_context *context, uint16_t source) {
    uint32_t *code = &names->codes[source];
    if (*code == 0) {
        names->texts[names->count] = sl_context_source_name(context, source, &names->lengths[names->count]);
        *code = ++names->count;
    }
    return (uint16_t)(*code - 1);
}

/* The codes of records first..first+count-1, where they are wanted (else NULL), and the names that they stand for. */
static sl_status collect(const sl_context *context, uint32_t first, uint32_t count, source_names *names,
                         uint16_t *codes, sl_i_ticker *ticker, sl_error *error) {
    sl_record record = {0};
    for (uint32_t i = 0; i < count && sl_context_record(context, first + i, &record); i++) {
        uint16_t code = code_of(names, context, record.source);
        if (codes) codes[i] = code;
        SL_TRY(sl_i_ticker_step(ticker, i, error));
    }
    return SL_OK;
}

static sl_status make_sources(const sl_context *context, uint32_t first, uint32_t count, uint16_t *codes,
                              struct ArrowArray *out_names, sl_i_ticker *ticker, sl_error *error) {
    source_names *names = NULL;
    SL_TRY(sl_i_allocate_zeroed(&names, 1, sizeof *names, "source names", error));
    sl_status status = collect(context, first, count, names, codes, ticker, error);
    if (status == SL_OK) status = sl_i_array_strings(out_names, names->texts, names->lengths, names->count, error);
    sl_i_release(names, 1, sizeof *names);
    return status;
}

sl_status sl_i_array_sources(struct ArrowArray *out, const sl_context *context, uint32_t first, uint32_t count,
                             sl_i_ticker *ticker, sl_error *error) {
    uint16_t *codes = NULL;
    SL_TRY(sl_i_array_make(out, count, 2, 0, true, error));
    sl_status status = sl_i_array_buffer(out, 1, count, sizeof *codes, &codes, error);
    if (status == SL_OK) status = make_sources(context, first, count, codes, out->dictionary, ticker, error);
    if (status != SL_OK) sl_i_array_drop(out);
    return status;
}

sl_status sl_i_array_source_names(struct ArrowArray *out, const sl_context *context, uint32_t count,
                                  sl_i_ticker *ticker, sl_error *error) {
    static const char *const none[] = {""};
    static const size_t length[] = {0};
    if (count == 0) return sl_i_array_strings(out, none, length, 1, error);
    return make_sources(context, 0, count, NULL, out, ticker, error);
}
