/* merge_listing.h: merge events as the arrays that a hierarchy is made of (sl_hierarchy_from_merges). */
#ifndef SL_TESTS_MERGE_LISTING_H
#define SL_TESTS_MERGE_LISTING_H

#include "starlings.h"

typedef struct merge_listing {
    uint32_t num_records, num_events;
    double *thresholds;
    uint64_t *offsets, *components;
} merge_listing;

/** All events, over the `num_records` that their components are numbered by. Free with merge_listing_free. */
merge_listing merge_listing_of(const sl_merge_events *events, uint32_t num_records);
void merge_listing_free(merge_listing *listing);
/** The hierarchy of these merges, with the errors of sl_hierarchy_from_merges in expect_error. */
sl_status merge_listing_build(const merge_listing *listing, bool exact, sl_scale scale, sl_hierarchy **out);

#endif
