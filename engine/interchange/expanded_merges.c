/* expanded_merges.c: see expanded_merges.h. */
#include "interchange/expanded_merges.h"

#include <inttypes.h>
#include <stdio.h>

#include "records/utf8.h"
#include "support/pool.h"

static sl_status fail_too_many(const char *name, size_t length, uint64_t size, uint64_t before, uint64_t most,
                               sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE], others[64] = "";
    if (before) (void)snprintf(others, sizeof others, " and those before it %" PRIu64, before);
    return sl_i_fail(error, SL_ERROR_CAPACITY,
                     "the expanded merge events of collection %s name %" PRIu64
                     " records%s, more than max_expanded=%" PRIu64
                     "; raise max_expanded, or write what is not expanded: save(), write_parquet(expand=False)",
                     sl_i_text_quote(name, length, quoted), size, others, most);
}

sl_status sl_i_expanded_add(const sl_hierarchy *hierarchy, const char *name, size_t length,
                            const sl_export_options *options, sl_i_ticker *ticker, uint64_t *total_io,
                            sl_error *error) {
    uint64_t most = options && options->max_expanded ? options->max_expanded : SL_DEFAULT_MAX_EXPANDED, size = 0;
    SL_TRY(sl_i_expanded_size(hierarchy, ticker, &size, error));
    if (size > most || *total_io > most - size) return fail_too_many(name, length, size, *total_io, most, error);
    *total_io += size;
    return SL_OK;
}

sl_status sl_i_expanded_of_frame(const sl_frame_state *state, const sl_export_options *options, uint64_t *out_total,
                                 sl_error *error) {
    sl_i_ticker ticker = sl_i_ticker_make(options ? options->progress : NULL);
    uint64_t total = 0;
    *out_total = 0;
    sl_i_ticker_begin(&ticker, "measuring merge events", state->entries.count);
    for (uint32_t i = 0; i < state->entries.count; i++) {
        const sl_i_entry *entry = state->entries.items[i];
        SL_TRY(sl_i_ticker_advance(&ticker, 1, error));
        SL_TRY(sl_i_expanded_add(entry->hierarchy, entry->name, entry->length, options, &ticker, &total, error));
    }
    *out_total = total;
    return SL_OK;
}
