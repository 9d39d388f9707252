/* record_taker.c: see record_taker.h. */
#include "records/record_taker.h"

#include <inttypes.h>

#include "records/row_reader.h"

sl_status sl_i_taker_make(sl_context *into, const sl_context *from, uint32_t batch, sl_i_record_taker *out,
                          sl_error *error) {
    *out = (sl_i_record_taker){.into = into, .from = from, .num_sources = sl_context_num_sources(from), .batch = batch};
    SL_TRY(sl_i_allocate(&out->translation, out->num_sources, sizeof *out->translation, "source ids", error));
    for (uint32_t i = 0; i < out->num_sources; i++) out->translation[i] = -1;
    SL_TRY(sl_i_allocate(&out->keys, batch, sizeof *out->keys, "a batch of keys", error));
    return sl_i_allocate(&out->sources, batch, sizeof *out->sources, "a batch of source ids", error);
}

void sl_i_taker_free(sl_i_record_taker *taker) {
    sl_i_release(taker->translation, taker->num_sources, sizeof *taker->translation);
    sl_i_release(taker->keys, taker->batch, sizeof *taker->keys);
    sl_i_release(taker->sources, taker->batch, sizeof *taker->sources);
}

static sl_status translate(sl_i_record_taker *taker, uint16_t source, uint16_t *out, sl_error *error) {
    if (taker->translation[source] < 0) {
        const sl_i_source_name *name = sl_i_names_at(&taker->from->names, source);
        SL_TRY(sl_i_names_add(&taker->into->names, name->text, name->length, out, error));
        sl_i_names_publish(&taker->into->names);
        taker->translation[source] = *out;
    }
    *out = (uint16_t)taker->translation[source];
    return SL_OK;
}

static sl_status gather(sl_i_record_taker *taker, const uint32_t *records, uint32_t count, sl_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        sl_record record;
        if (!sl_context_record(taker->from, records[i], &record) || record.source >= taker->num_sources)
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                             "record %" PRIu32 " went away while it was being read: do not truncate a context in use",
                             records[i]);
        taker->keys[i] = record.key;
        SL_TRY(translate(taker, record.source, &taker->sources[i], error));
    }
    return SL_OK;
}

sl_status sl_i_taker_take(sl_i_record_taker *taker, const uint32_t *records, uint32_t count, uint32_t *indices,
                          sl_error *error) {
    static const char *const name[1] = {"records"};
    SL_TRY(gather(taker, records, count, error));
    const sl_key_column keys = {.keys = {.type = SL_COLUMN_KEYS, .length = count, .values = taker->keys},
                                .sources = taker->sources};
    const sl_key_column *const columns[1] = {&keys};
    uint32_t *const out[1] = {indices};
    sl_i_row_reader reader = {0};
    sl_status status =
        sl_i_row_reader_make(taker->into, columns, name, 1, SL_I_LOOKUP_INTERN, taker->taken, &reader, error);
    if (status == SL_OK) status = sl_i_row_reader_read(&reader, 0, count, out, error);
    sl_i_row_reader_free(&reader);
    taker->taken += count;
    return status;
}
