/* from_merges.h: the hierarchy of given merges, for callers who tick. */
#ifndef SL_HIERARCHY_FROM_MERGES_H
#define SL_HIERARCHY_FROM_MERGES_H

#include "hierarchy/hierarchy.h"

#define SL_I_FROM_MERGES_STEPS 8u

/** sl_hierarchy_from_merges, which advances `ticker` by SL_I_FROM_MERGES_STEPS for each record. */
sl_status sl_i_hierarchy_from_merges(uint32_t num_records, const double *thresholds, const uint64_t *offsets,
                                     const uint64_t *components, uint32_t num_events, sl_i_score_kind kind,
                                     sl_i_ticker *ticker, sl_hierarchy **out, sl_error *error) SL_MUST_USE;

#endif
