/* native_records.c: see native_records.h.
 *
 * Sources are numbered in order of first use, so that the bytes do not depend on what else a context has met. Look-up by key is not
 * stored: reading fills a new context (context_fill.h), which finds keys that are there twice on the way. */
#include "interchange/native_records.h"

#include "interchange/native_texts.h"
#include "records/context_fill.h"
#include "records/record_set.h"
#include "records/utf8.h"

#define WRITE_ROWS 4096u
#define TICK_ROWS 16384u /* between two looks at the clock */

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static const char *source_name(const void *state, uint32_t number, size_t *length) {
    const sl_frame_state *frame = state;
    return sl_context_source_name(frame->context, frame->sources[number], length);
}

static uint8_t kind_of(const sl_frame_state *state, uint32_t record) {
    return sl_i_store_at(&state->context->store, record)->kind;
}

/* `numbers`: by source of the context, its number in the file. */
static sl_status write_sources(sl_i_section_writer *w, const sl_frame_state *state, const uint16_t *numbers,
                               sl_error *error) {
    uint16_t rows[WRITE_ROWS];
    SL_TRY(sl_i_writer_begin(w, SL_I_SECTION_SOURCES, 0, error));
    SL_TRY(sl_i_texts_write(w, source_name, state, state->num_sources, error));
    SL_TRY(sl_i_writer_begin(w, SL_I_SECTION_RECORD_SOURCES, 0, error));
    for (uint32_t record = 0, count; record < state->num_records; record += count) {
        for (count = 0; count < WRITE_ROWS && record + count < state->num_records; count++)
            rows[count] = numbers[sl_i_store_at(&state->context->store, record + count)->source];
        SL_TRY(sl_i_writer_put(w, rows, count * sizeof *rows, error));
    }
    return SL_OK;
}

static sl_status write_kinds(sl_i_section_writer *w, const sl_frame_state *state, sl_error *error) {
    uint8_t rows[WRITE_ROWS];
    SL_TRY(sl_i_writer_begin(w, SL_I_SECTION_KEY_KINDS, 0, error));
    for (uint32_t record = 0, count; record < state->num_records; record += count) {
        for (count = 0; count < WRITE_ROWS && record + count < state->num_records; count++)
            rows[count] = kind_of(state, record + count);
        SL_TRY(sl_i_writer_put(w, rows, count, error));
    }
    return SL_OK;
}

/* A u32 key itself; of other kinds how many bytes they have. */
static uint32_t key_number(const sl_i_stored *stored) {
    if (stored->kind == SL_KEY_U32) return (uint32_t)sl_i_stored_payload(stored);
    return stored->kind == SL_KEY_U64 ? 8 : sl_i_stored_text(stored)->length;
}

static const sl_i_stored *stored_ahead(const sl_i_record_store *store, uint32_t record, uint32_t num_records) {
    if (num_records - record > SL_I_GATHER_AHEAD) {
        const sl_i_stored *ahead = sl_i_store_at(store, record + SL_I_GATHER_AHEAD);
        if (!sl_i_stored_is_int(ahead)) SL_I_PREFETCH(sl_i_stored_text(ahead));
    }
    return sl_i_store_at(store, record);
}

static sl_status write_numbers(sl_i_section_writer *w, const sl_frame_state *state, sl_error *error) {
    uint32_t rows[WRITE_ROWS], n = state->num_records;
    SL_TRY(sl_i_writer_begin(w, SL_I_SECTION_KEY_NUMBERS, 0, error));
    for (uint32_t record = 0, count; record < n; record += count) {
        for (count = 0; count < WRITE_ROWS && record + count < n; count++)
            rows[count] = key_number(stored_ahead(&state->context->store, record + count, n));
        SL_TRY(sl_i_writer_put(w, rows, count * sizeof *rows, error));
    }
    return SL_OK;
}

/* Bytes of short keys on their way. */
typedef struct key_window {
    uint8_t bytes[65536];
    uint64_t used;
} key_window;

static sl_status put_key(sl_i_section_writer *w, key_window *window, const void *bytes, uint64_t length,
                         sl_error *error) {
    if (length > sizeof window->bytes - window->used) {
        SL_TRY(sl_i_writer_put(w, window->bytes, window->used, error));
        window->used = 0;
    }
    if (length > sizeof window->bytes) return sl_i_writer_put(w, bytes, length, error);
    if (length) memcpy(window->bytes + window->used, bytes, (size_t)length);
    window->used += length;
    return SL_OK;
}

static sl_status write_key_bytes(sl_i_section_writer *w, const sl_frame_state *state, key_window *window,
                                 sl_error *error) {
    uint32_t n = state->num_records;
    SL_TRY(sl_i_writer_begin(w, SL_I_SECTION_KEY_BYTES, 0, error));
    for (uint32_t record = 0; record < n; record++) {
        const sl_i_stored *stored = stored_ahead(&state->context->store, record, n);
        uint64_t number = sl_i_stored_payload(stored);
        if (stored->kind == SL_KEY_U64) SL_TRY(put_key(w, window, &number, sizeof number, error));
        if (stored->kind <= SL_KEY_U64) continue;
        const sl_i_text *text = sl_i_stored_text(stored);
        SL_TRY(put_key(w, window, text->bytes, text->length, error));
    }
    return sl_i_writer_put(w, window->bytes, window->used, error);
}

sl_status sl_i_records_write(sl_i_section_writer *w, const sl_frame_state *state, sl_error *error) {
    uint16_t *numbers = NULL;
    key_window *window = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&numbers, SL_MAX_SOURCES, sizeof *numbers, "writing a file", error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&window, 1, sizeof *window, "writing a file", error));
    for (uint32_t i = 0; i < state->num_sources; i++) numbers[state->sources[i]] = (uint16_t)i;
    SL_TRY_CLEANUP(status, write_sources(w, state, numbers, error));
    SL_TRY_CLEANUP(status, write_kinds(w, state, error));
    SL_TRY_CLEANUP(status, write_numbers(w, state, error));
    SL_TRY_CLEANUP(status, write_key_bytes(w, state, window, error));
cleanup:
    sl_i_release(numbers, SL_MAX_SOURCES, sizeof *numbers);
    sl_i_release(window, 1, sizeof *window);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct key_sections {
    sl_i_section sources, kinds, numbers, bytes;
    uint64_t used; /* of `bytes` */
} key_sections;

static void drop_sections(key_sections *s) {
    sl_i_section_drop(&s->sources);
    sl_i_section_drop(&s->kinds);
    sl_i_section_drop(&s->numbers);
    sl_i_section_drop(&s->bytes);
}

static sl_status get_sections(sl_i_section_reader *r, uint64_t n, sl_i_ticker *ticker, key_sections *s,
                              sl_error *error) {
    SL_TRY(sl_i_reader_get_array(r, SL_I_SECTION_RECORD_SOURCES, 0, n, 2, ticker, &s->sources, error));
    SL_TRY(sl_i_reader_get_array(r, SL_I_SECTION_KEY_KINDS, 0, n, 1, ticker, &s->kinds, error));
    SL_TRY(sl_i_reader_get_array(r, SL_I_SECTION_KEY_NUMBERS, 0, n, 4, ticker, &s->numbers, error));
    return sl_i_reader_get(r, SL_I_SECTION_KEY_BYTES, 0, ticker, &s->bytes, error);
}

static sl_status add_names(sl_i_section_reader *r, sl_context *context, const sl_i_section *section, uint32_t count,
                           sl_error *error) {
    sl_i_texts texts;
    sl_error found;
    if (!sl_i_texts_open(section->bytes, section->length, count, &texts))
        return sl_i_reader_fail(r, error, section->kind, 0, "its names do not fill it");
    for (uint32_t i = 0; i < count; i++) {
        size_t length = 0;
        uint16_t source;
        const char *name = sl_i_texts_next(&texts, &length);
        sl_status status = sl_context_add_source(context, name, length, &source, &found);
        if (status != SL_OK) return sl_i_reader_blame(r, status, &found, section->kind, 0, error);
        if (source != i) return sl_i_reader_fail(r, error, section->kind, 0, "a name is there twice");
    }
    return SL_OK;
}

/* NULL, or what is wrong with the key. */
static const char *take_key(key_sections *s, uint64_t record, sl_key *out) {
    uint32_t number = sl_i_get_u32(s->numbers.bytes + 4 * record);
    *out = (sl_key){.kind = (sl_key_kind)s->kinds.bytes[record]};
    if (out->kind > SL_KEY_BYTES) return "a key is of no known kind";
    out->number = number;
    if (out->kind == SL_KEY_U32) return NULL;
    if (number > s->bytes.length - s->used) return "a key ends behind the last byte";
    const uint8_t *bytes = s->bytes.bytes + s->used;
    s->used += number;
    if (out->kind == SL_KEY_U64) {
        if (number != 8) return "a u64 key has not 8 bytes";
        out->number = sl_i_get_u64(bytes);
        return out->number >> 32 ? NULL : "a u64 key is small enough to be a u32";
    }
    out->number = 0;
    out->length = number;
    out->bytes = bytes;
    return out->kind == SL_KEY_BYTES || sl_i_utf8_valid(bytes, number) ? NULL : "a string key is no UTF-8";
}

static sl_status append_keys(const sl_i_section_reader *r, sl_context *context, key_sections *s, uint32_t num_records,
                             uint32_t num_sources, sl_i_ticker *ticker, sl_error *error) {
    for (uint32_t record = 0; record < num_records; record++) {
        sl_key key;
        const char *fault = take_key(s, record, &key);
        uint16_t source;
        memcpy(&source, s->sources.bytes + 2 * (uint64_t)record, sizeof source);
        if (record % TICK_ROWS == 0) SL_TRY(sl_i_ticker_advance(ticker, 0, error));
        if (fault) return sl_i_reader_fail(r, error, SL_I_SECTION_KEY_NUMBERS, 0, fault);
        if (source >= num_sources)
            return sl_i_reader_fail(r, error, SL_I_SECTION_RECORD_SOURCES, 0, "a record is of no known source");
        SL_TRY(sl_i_fill_append(context, source, &key, error));
    }
    if (s->used == s->bytes.length) return SL_OK;
    return sl_i_reader_fail(r, error, SL_I_SECTION_KEY_BYTES, 0, "there are bytes of no key");
}

static sl_status add_keys(const sl_i_section_reader *r, sl_context *context, key_sections *s, uint32_t num_records,
                          uint32_t num_sources, sl_i_ticker *ticker, sl_error *error) {
    sl_error found;
    SL_TRY(sl_i_store_reserve(&context->store, num_records, error));
    SL_TRY(append_keys(r, context, s, num_records, num_sources, ticker, error));
    sl_status status = sl_i_fill_finish(context, ticker, &found);
    return status == SL_OK ? status : sl_i_reader_blame(r, status, &found, SL_I_SECTION_KEY_NUMBERS, 0, error);
}

static sl_status fill_context(sl_i_section_reader *r, uint32_t num_records, uint32_t num_sources, sl_i_ticker *ticker,
                              sl_context *context, sl_error *error) {
    sl_i_section names;
    key_sections sections = {0};
    SL_TRY(sl_i_reader_get(r, SL_I_SECTION_SOURCES, 0, ticker, &names, error));
    sl_status status = add_names(r, context, &names, num_sources, error);
    sl_i_section_drop(&names);
    if (status == SL_OK) status = get_sections(r, num_records, ticker, &sections, error);
    if (status == SL_OK) status = add_keys(r, context, &sections, num_records, num_sources, ticker, error);
    drop_sections(&sections);
    return status;
}

sl_status sl_i_records_read(sl_i_section_reader *r, uint32_t num_records, uint32_t num_sources, sl_i_ticker *ticker,
                            sl_context **out, sl_error *error) {
    sl_context *made = NULL;
    *out = NULL;
    SL_TRY(sl_context_create(&made, error));
    sl_status status = fill_context(r, num_records, num_sources, ticker, made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_context_release(made);
    return status;
}

/* ---- sets -------------------------------------------------------------------------------------------------------- */

sl_status sl_i_set_write(sl_i_section_writer *w, sl_i_section_kind kind, uint32_t owner, const sl_record_set *set,
                         sl_error *error) {
    char *bytes = NULL;
    uint64_t size = 0;
    SL_TRY(sl_i_record_set_serialise(set, &bytes, &size, error));
    sl_status status = sl_i_writer_section(w, kind, owner, bytes, size, error);
    sl_i_release(bytes, size, 1);
    return status;
}

sl_status sl_i_set_read(sl_i_section_reader *r, sl_i_section_kind kind, uint32_t owner, uint32_t num_records,
                        sl_i_ticker *ticker, sl_record_set **out, sl_error *error) {
    sl_i_section section;
    sl_record_set *made = NULL;
    sl_error found;
    *out = NULL;
    SL_TRY(sl_i_reader_get(r, kind, owner, ticker, &section, error));
    sl_status status = sl_i_record_set_deserialise((const char *)section.bytes, section.length, &made, &found);
    sl_i_section_drop(&section);
    if (status != SL_OK) return sl_i_reader_blame(r, status, &found, kind, owner, error);
    if (sl_record_set_count(made) > 0 && sl_i_record_set_last(made) >= num_records) {
        sl_record_set_release(made);
        return sl_i_reader_fail(r, error, kind, owner, "it has a record that is not there");
    }
    *out = made;
    return SL_OK;
}
