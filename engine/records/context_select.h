/* context_select.h: inside selecting, for callers that select as a part of longer work. */
#ifndef SL_RECORDS_CONTEXT_SELECT_H
#define SL_RECORDS_CONTEXT_SELECT_H

#include "support/pool.h"

/** sl_context_select that advances `ticker` by one for each record, and holds no lock of `context` while it ticks. */
sl_status sl_i_context_select(const sl_context *context, const sl_record_set *records, sl_i_ticker *ticker,
                              sl_context **out, sl_error *error) SL_MUST_USE;

#endif
