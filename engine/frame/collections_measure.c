/* collections_measure.c: many comparisons of collections at once. The engine measures hierarchies (metrics/curves.c); what it did
 * is noted afterwards in the record of work of each judged collection. */
#include "frame/collection.h"
#include "metrics/curve.h"
#include "support/memory.h"

static sl_status as_hierarchies(const sl_collection_comparison *given, uint64_t index, sl_comparison *out,
                                sl_error *error) {
    const sl_collection *judged = given->collection, *reference = given->reference;
    *out = (sl_comparison){.hierarchy = judged->hierarchy,
                           .num_records = judged->num_records,
                           .thresholds = given->thresholds,
                           .num_thresholds = given->num_thresholds,
                           .reference = reference ? reference->hierarchy : NULL,
                           .reference_threshold = given->reference_threshold};
    if (!reference || reference->num_records == judged->num_records) return SL_OK;
    return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)index, -1,
                         "the reference is over %u records, the judged collection over %u: both must be over the same",
                         reference->num_records, judged->num_records);
}

sl_status sl_collections_measure(const sl_collection_comparison *comparisons, uint64_t count, sl_curve **curves,
                                 const sl_progress *progress, sl_error *error) {
    sl_comparison *hierarchies = NULL;
    sl_status status;
    for (uint64_t i = 0; i < count; i++) curves[i] = NULL;
    SL_TRY_CLEANUP(status, sl_i_allocate(&hierarchies, count, sizeof *hierarchies, "comparisons", error));
    for (uint64_t i = 0; i < count; i++)
        SL_TRY_CLEANUP(status, as_hierarchies(&comparisons[i], i, &hierarchies[i], error));
    SL_TRY_CLEANUP(status, sl_curves_create(hierarchies, count, curves, progress, error));
    for (uint64_t i = 0; i < count; i++)
        sl_i_cache_note_curve(comparisons[i].collection->cache, sl_curve_length(curves[i]), curves[i]->seconds);
cleanup:
    sl_i_release(hierarchies, count, sizeof *hierarchies);
    return status;
}
