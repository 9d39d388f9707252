/* native_attributes.c: see native_attributes.h. Tables that describe no record of the state are left out, and the others numbered
 * anew. */
#include "interchange/native_attributes.h"

#include "interchange/stored_table.h"
#include "records/context.h"

_Static_assert(sizeof(sl_i_span) == 12, "a span is three numbers of four bytes, in a file as in memory");

struct sl_i_kept_tables {
    sl_i_attributes attributes;
    uint32_t *numbers; /* by attachment: its number in the file, SL_NO_RECORD: left out */
    uint32_t count;
};

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

static sl_status number_tables(sl_i_kept_tables *tables, sl_error *error) {
    const sl_i_attributes *attributes = &tables->attributes;
    SL_TRY(sl_i_allocate(&tables->numbers, attributes->count, sizeof *tables->numbers, "attributes", error));
    memset(tables->numbers, 0xFF, attributes->count * sizeof *tables->numbers); /* SL_NO_RECORD */
    for (uint64_t i = 0; i < attributes->spans.count; i++) {
        uint32_t attachment = attributes->spans.items[i].attachment;
        if (attachment != SL_NO_RECORD) tables->numbers[attachment] = 0;
    }
    for (uint32_t i = 0; i < attributes->count; i++)
        if (tables->numbers[i] != SL_NO_RECORD) tables->numbers[i] = tables->count++;
    return SL_OK;
}

static sl_status keep(const sl_frame_state *state, sl_i_kept_tables *tables, sl_error *error) {
    SL_TRY(sl_i_context_read(state->context, error));
    sl_status status =
        sl_i_attributes_copy(&state->context->attributes, state->num_records, &tables->attributes, error);
    sl_i_context_end_read(state->context);
    return status == SL_OK ? number_tables(tables, error) : status;
}

sl_status sl_i_tables_create(const sl_frame_state *state, sl_i_kept_tables **out, sl_error *error) {
    sl_i_kept_tables *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "attributes", error));
    sl_status status = keep(state, made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_i_tables_release(made);
    return status;
}

void sl_i_tables_release(sl_i_kept_tables *tables) {
    if (!tables) return;
    sl_i_release(tables->numbers, tables->attributes.count, sizeof *tables->numbers);
    sl_i_attributes_free(&tables->attributes);
    sl_i_release(tables, 1, sizeof *tables);
}

uint32_t sl_i_tables_count(const sl_i_kept_tables *tables) { return tables->count; }

uint64_t sl_i_tables_size(const sl_i_kept_tables *tables) {
    uint64_t values = 0;
    for (uint32_t i = 0; i < tables->attributes.count; i++) {
        const sl_batches *batches = tables->attributes.attachments[i].batches;
        if (tables->numbers[i] == SL_NO_RECORD) continue;
        values += sl_batches_num_rows(batches) * (uint64_t)sl_batches_schema(batches)->n_children;
    }
    return 8 * values;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

sl_status sl_i_spans_write(sl_i_section_writer *writer, const sl_i_kept_tables *tables, sl_error *error) {
    const sl_i_spans *spans = &tables->attributes.spans;
    SL_TRY(sl_i_writer_begin(writer, SL_I_SECTION_SPANS, 0, error));
    for (uint64_t i = 0; i < spans->count; i++) {
        sl_i_span span = spans->items[i];
        if (span.attachment != SL_NO_RECORD) span.attachment = tables->numbers[span.attachment];
        SL_TRY(sl_i_writer_put(writer, &span, sizeof span, error));
    }
    return SL_OK;
}

sl_status sl_i_tables_write(sl_i_section_writer *writer, const sl_i_kept_tables *tables, sl_error *error) {
    for (uint32_t i = 0; i < tables->attributes.count; i++)
        if (tables->numbers[i] != SL_NO_RECORD)
            SL_TRY(
                sl_i_stored_table_write(writer, tables->numbers[i], tables->attributes.attachments[i].batches, error));
    return SL_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static sl_status restore(sl_i_section_reader *reader, sl_batches *const *batches, uint32_t count, sl_context *context,
                         sl_i_ticker *ticker, sl_error *error) {
    const sl_i_section_kind kind = SL_I_SECTION_SPANS;
    sl_i_section section;
    sl_error found;
    SL_TRY(sl_i_reader_get(reader, kind, 0, ticker, &section, error));
    sl_status status = SL_OK;
    if (section.length % sizeof(sl_i_span) != 0)
        status = sl_i_reader_fail(reader, error, kind, 0, "it ends amid a span");
    if (status == SL_OK) {
        status =
            sl_i_attributes_restore((const sl_i_span *)(const void *)section.bytes, section.length / sizeof(sl_i_span),
                                    batches, count, sl_context_num_records(context), &context->attributes, &found);
        if (status != SL_OK) status = sl_i_reader_blame(reader, status, &found, kind, 0, error);
    }
    sl_i_section_drop(&section);
    return status;
}

sl_status sl_i_tables_read(sl_i_section_reader *reader, uint32_t count, sl_context *context, sl_i_ticker *ticker,
                           sl_error *error) {
    sl_batches **batches = NULL;
    SL_TRY(sl_i_allocate_zeroed(&batches, count, sizeof *batches, "attributes", error));
    sl_status status = SL_OK;
    for (uint32_t i = 0; i < count && status == SL_OK; i++)
        status = sl_i_stored_table_read(reader, i, ticker, &batches[i], error);
    if (status == SL_OK) status = restore(reader, batches, count, context, ticker, error);
    for (uint32_t i = 0; i < count; i++) sl_batches_release(batches[i]);
    sl_i_release(batches, count, sizeof *batches);
    return status;
}
