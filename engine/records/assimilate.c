/* assimilate.c: the records of one context in another.
 *
 * One transaction of the context that takes them, so that all or none of its new records are seen; the other context is read
 * without its lock (record_taker.h), so that two contexts may take each other's at the same time. Attributes come after them,
 * in a step of their own. */
#include "records/record_taker.h"

static void count_up(uint32_t *numbers, uint32_t first, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) numbers[i] = first + i;
}

static sl_status take_all(sl_i_record_taker *taker, sl_context *context, uint32_t num_records, uint32_t *translation,
                          const sl_progress *progress, sl_error *error) {
    sl_i_ticker ticker = sl_i_ticker_make(progress);
    sl_i_ticker_begin(&ticker, "matching records", num_records);
    for (uint32_t first = 0, count; first < num_records; first += count) {
        count = num_records - first < taker->batch ? num_records - first : taker->batch;
        /* Records are told apart before indices are written: one array serves for both. */
        count_up(translation + first, first, count);
        SL_TRY(sl_i_taker_take(taker, translation + first, count, translation + first, error));
        sl_i_append_let_in(context);
        SL_TRY(sl_i_ticker_advance(&ticker, count, error));
    }
    return SL_OK;
}

/* The records that are new are *out_first..*out_end-1. */
static sl_status take_records(sl_i_record_taker *taker, sl_context *context, uint32_t num_records,
                              uint32_t *translation, uint32_t *out_first, uint32_t *out_end,
                              const sl_progress *progress, sl_error *error) {
    SL_TRY(sl_i_append_begin(context, error));
    *out_first = sl_i_append_num_records(context);
    sl_status status = take_all(taker, context, num_records, translation, progress, error);
    *out_end = sl_i_append_num_records(context);
    if (status == SL_OK)
        sl_i_append_commit(context);
    else
        sl_i_append_rollback(context);
    return status;
}

sl_status sl_context_assimilate(sl_context *context, const sl_context *other, uint32_t num_records,
                                uint32_t *translation, const sl_progress *progress, sl_error *error) {
    sl_i_record_taker taker = {0};
    uint32_t all = sl_i_context_published(other), first = 0, end = 0;
    if (num_records > all) num_records = all;
    if (context == other) {
        count_up(translation, 0, num_records);
        return SL_OK;
    }
    sl_status status = sl_i_taker_make(context, other, sl_i_taker_batch(num_records), &taker, error);
    if (status == SL_OK)
        status = take_records(&taker, context, num_records, translation, &first, &end, progress, error);
    sl_i_taker_free(&taker);
    SL_TRY(status);
    sl_i_ticker silent = sl_i_ticker_make(NULL); /* the records are seen already: no time to stop */
    status = sl_i_attributes_carry(other, translation, num_records, first, context, &silent, error);
    bool is_last = sl_i_context_published(context) == end; /* else another thread's records would go with ours */
    if (status != SL_OK && is_last) sl_context_truncate(context, first);
    return status;
}
