/* context_select.c: parts of a context: the records of one source, and a context of some records only.
 *
 * Both read published records without the context's lock. */
#include "records/context_select.h"

#include <inttypes.h>

#include "records/record_set.h"
#include "records/record_taker.h"

/* ---------------------------------------------------------------------------------------------- by source */

typedef struct source_scan {
    const sl_context *context;
    uint32_t next, end;
    uint16_t source;
} source_scan;

static uint32_t next_of_source(void *state, uint32_t *records, uint32_t room) {
    source_scan *scan = state;
    uint32_t count = 0;
    for (; scan->next < scan->end && count < room; scan->next++) {
        records[count] = scan->next;
        count += sl_i_store_at(&scan->context->store, scan->next)->source == scan->source;
    }
    return count;
}

sl_status sl_context_source_records(const sl_context *context, uint16_t source, uint32_t num_records,
                                    sl_record_set **out, sl_error *error) {
    *out = NULL;
    uint32_t all = sl_i_context_published(context);
    if (source >= sl_context_num_sources(context))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "there is no source %u: the context has %" PRIu32,
                         (unsigned)source, sl_context_num_sources(context));
    source_scan scan = {.context = context, .end = num_records < all ? num_records : all, .source = source};
    return sl_i_record_set_collect(next_of_source, &scan, out, error);
}

/* ---------------------------------------------------------------------------------------------- by record */

static sl_status check_known(const sl_context *context, const sl_record_set *records, sl_error *error) {
    uint32_t count = sl_i_context_published(context);
    uint32_t last = sl_i_record_set_last(records);
    if (last == SL_NO_RECORD || last < count) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "there is no record %" PRIu32 " to select: the context has %" PRIu32 " records", last, count);
}

/* Keys are unique in the context they come from, so what is interned is appended: the index is the rank. */
static sl_status take_selected(sl_i_record_taker *taker, const sl_record_set *records, uint32_t *window,
                               sl_i_ticker *ticker, sl_error *error) {
    for (uint32_t rank = 0, count; rank < sl_record_set_count(records); rank += count) {
        count = sl_i_record_set_read(records, rank, window, taker->batch);
        SL_TRY(sl_i_taker_take(taker, window, count, window, error));
        SL_TRY(sl_i_ticker_advance(ticker, count, error));
    }
    return SL_OK;
}

static sl_status select_into(sl_context *selected, const sl_context *context, const sl_record_set *records,
                             sl_i_ticker *ticker, sl_error *error) {
    sl_i_record_taker taker = {0};
    uint32_t *window = NULL, batch = sl_i_taker_batch(sl_record_set_count(records));
    sl_status status = sl_i_allocate(&window, batch, sizeof *window, "a batch of records", error);
    if (status == SL_OK) status = sl_i_taker_make(selected, context, batch, &taker, error);
    if (status == SL_OK) {
        status = sl_i_append_begin(selected, error); /* its first: nobody else knows it */
    }
    if (status == SL_OK) {
        status = take_selected(&taker, records, window, ticker, error);
        sl_i_append_commit(selected); /* after a failure too: then all of it is released */
    }
    sl_i_taker_free(&taker);
    sl_i_release(window, batch, sizeof *window);
    return status;
}

static sl_status carry_attributes(sl_context *selected, const sl_context *context, const sl_record_set *records,
                                  sl_i_ticker *ticker, sl_error *error) {
    uint32_t last = sl_i_record_set_last(records), *ranks = NULL;
    if (last == SL_NO_RECORD || sl_context_num_attachments(context) == 0) return SL_OK;
    SL_TRY(sl_i_allocate(&ranks, (uint64_t)last + 1, sizeof *ranks, "attributes of selected records", error));
    sl_status status = sl_i_record_set_rank(records, last + 1, ranks, ticker, error);
    if (status == SL_OK) status = sl_i_attributes_carry(context, ranks, last + 1, 0, selected, ticker, error);
    sl_i_release(ranks, (uint64_t)last + 1, sizeof *ranks);
    return status;
}

sl_status sl_i_context_select(const sl_context *context, const sl_record_set *records, sl_i_ticker *ticker,
                              sl_context **out, sl_error *error) {
    sl_context *selected = NULL;
    *out = NULL;
    SL_TRY(check_known(context, records, error));
    SL_TRY(sl_context_create(&selected, error));
    sl_status status = select_into(selected, context, records, ticker, error);
    if (status == SL_OK) status = carry_attributes(selected, context, records, ticker, error);
    if (status == SL_OK)
        *out = selected;
    else
        sl_context_release(selected);
    return status;
}

sl_status sl_context_select(const sl_context *context, const sl_record_set *records, sl_context **out,
                            sl_error *error) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    return sl_i_context_select(context, records, &silent, out, error);
}
