/* merge_listing.c: see merge_listing.h. */
#include "support/merge_listing.h"

#include "support/expect.h"

merge_listing merge_listing_of(const sl_merge_events *events, uint32_t num_records) {
    uint32_t count = sl_merge_events_count(events);
    merge_listing l = {.num_records = num_records,
                       .num_events = count,
                       .thresholds = fresh_memory(count, sizeof(double)),
                       .offsets = fresh_memory((uint64_t)count + 1, sizeof(uint64_t)),
                       .components = fresh_memory(2 * (uint64_t)num_records, sizeof(uint64_t))};
    sl_merge_event event;
    for (uint32_t e = 0; e < count; e++) {
        assert_true(sl_merge_events_get(events, e, &event));
        l.thresholds[e] = event.threshold;
        l.offsets[e + 1] = l.offsets[e] + event.num_components;
        for (uint32_t c = 0; c < event.num_components; c++) l.components[l.offsets[e] + c] = event.components[c];
    }
    assert_false(sl_merge_events_get(events, count, &event));
    assert_null(event.components);
    return l;
}

void merge_listing_free(merge_listing *listing) {
    free(listing->thresholds);
    free(listing->offsets);
    free(listing->components);
}

sl_status merge_listing_build(const merge_listing *listing, bool exact, sl_scale scale, sl_hierarchy **out) {
    return sl_hierarchy_from_merges(listing->num_records, listing->thresholds, listing->offsets, listing->components,
                                    listing->num_events, exact, scale, out, &expect_error);
}
