/* estimate.c: estimates as an object: from a sample that is checked first, through the two passes, to sums by row.
 *
 * Sampled true entities are the clusters of a cluster sample, every figure a ratio of weighted sums over them (Binette, York,
 * Hickerson, Baek, Madhavan, Jones 2022, "Estimating the performance of entity resolution algorithms"): docs/estimates.md.
 * What comes out has a set of sums for each bucket in which a sampled entity changed, however many rows there are. Working
 * memory: 4 bytes a record, and what the passes say. */
#include "metrics/estimate.h"

typedef struct work {
    sl_i_cuts cuts;
    uint32_t *sample_of; /* by record: its row in the sample, or SL_NO_RECORD */
    uint32_t *sizes;     /* by entity */
    double *weights;     /* by entity, the largest 1; NULL: all 1 */
    uint32_t *states_of; /* by bucket */
    sl_i_notes notes;
} work;

/* ---- the sample -------------------------------------------------------------------------------------------------- */

static sl_status check_row(const sl_sample *sample, uint64_t row, uint32_t num_records, uint32_t *row_of,
                           sl_error *error) {
    uint32_t record = sample->records[row], entity = sample->entities[row];
    if (record >= num_records)
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                             "row %llu of the sample names the record %u, but there are only %u records",
                             (unsigned long long)row, record, num_records);
    if (entity >= sample->num_entities)
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)row, -1,
                             "row %llu of the sample names the entity %u, but there are only %u entities",
                             (unsigned long long)row, entity, sample->num_entities);
    uint32_t before = row_of[record];
    row_of[record] = (uint32_t)row;
    if (before == SL_NO_RECORD) return SL_OK;
    return sl_i_fail_row(error, SL_ERROR_OVERLAP, (int64_t)row, before,
                         "rows %u and %llu of the sample are the same record, %u: give each record once, in one entity",
                         before, (unsigned long long)row, record);
}

static sl_status check_rows(const sl_sample *sample, uint32_t num_records, work *w, sl_error *error) {
    for (uint32_t record = 0; record < num_records; record++) w->sample_of[record] = SL_NO_RECORD;
    for (uint64_t row = 0; row < sample->count; row++) {
        SL_TRY(check_row(sample, row, num_records, w->sample_of, error));
        w->sizes[sample->entities[row]]++;
    }
    for (uint32_t entity = 0; entity < sample->num_entities; entity++)
        if (w->sizes[entity] == 0)
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                             "entity %u of the sample has no record: leave it out or give its records", entity);
    return SL_OK;
}

/* Only their proportions matter: the largest becomes 1, and no product of two overflows. */
static sl_status scale_weights(const sl_sample *sample, double *weights, sl_error *error) {
    double largest = 0.0;
    for (uint32_t entity = 0; entity < sample->num_entities; entity++) {
        double weight = sample->weights[entity];
        if (!(weight > 0.0 && isfinite(weight)))
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, entity, -1,
                                 "the weight of entity %u is %g: weights are finite numbers above 0", entity, weight);
        if (weight > largest) largest = weight;
    }
    for (uint32_t entity = 0; entity < sample->num_entities; entity++)
        weights[entity] = sample->weights[entity] / largest;
    return SL_OK;
}

static sl_status read_sample(const sl_sample *sample, uint32_t num_records, work *w, sl_error *error) {
    if (sample->num_entities < 2)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "a sample of %u entities has no standard error: give at least two", sample->num_entities);
    SL_TRY(sl_i_allocate(&w->sample_of, num_records, sizeof *w->sample_of, "the sample", error));
    SL_TRY(sl_i_allocate_zeroed(&w->sizes, sample->num_entities, sizeof *w->sizes, "the sample", error));
    SL_TRY(check_rows(sample, num_records, w, error));
    if (!sample->weights) return SL_OK;
    SL_TRY(sl_i_allocate(&w->weights, sample->num_entities, sizeof *w->weights, "weights", error));
    return scale_weights(sample, w->weights, error);
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

/* The rows are those of the cuts; their buckets become states. */
static void take_rows(sl_estimate *estimate, work *w) {
    estimate->num_rows = w->cuts.num_rows;
    estimate->thresholds = w->cuts.thresholds;
    estimate->row_states = w->cuts.row_buckets;
    w->cuts.thresholds = NULL;
    w->cuts.row_buckets = NULL;
    for (uint64_t row = 0; row < estimate->num_rows; row++)
        estimate->row_states[row] = w->states_of[estimate->row_states[row]];
}

static sl_status run(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_sample *sample,
                     const double *thresholds, uint64_t num_thresholds, work *w, sl_i_ticker *ticker,
                     sl_estimate *estimate, sl_error *error) {
    SL_TRY(read_sample(sample, num_records, w, error));
    SL_TRY(sl_i_cuts_list(hierarchy, thresholds, num_thresholds, &w->cuts, error));
    uint32_t num_buckets = w->cuts.num_buckets;
    SL_TRY(sl_i_allocate(&w->states_of, num_buckets, sizeof *w->states_of, "the estimates", error));
    sl_i_judged judged = sl_i_judged_of(hierarchy, num_records, &w->cuts);
    SL_TRY(sl_i_sampled_pass(&judged, w->sample_of, num_buckets, &w->notes, ticker, error));
    estimate->num_entities = sample->num_entities;
    SL_TRY(
        sl_i_replay_notes(&w->notes, sample, w->sizes, w->weights, num_buckets, w->states_of, estimate, ticker, error));
    take_rows(estimate, w);
    return SL_OK;
}

static void release_work(work *w, uint32_t num_records, uint32_t num_entities) {
    sl_i_release(w->states_of, w->cuts.num_buckets, sizeof *w->states_of);
    sl_i_release(w->notes.starts, (uint64_t)w->cuts.num_buckets + 1, sizeof *w->notes.starts);
    sl_i_release(w->notes.notes, w->notes.num_notes, sizeof *w->notes.notes);
    sl_i_release(w->sample_of, num_records, sizeof *w->sample_of);
    sl_i_release(w->sizes, num_entities, sizeof *w->sizes);
    sl_i_release(w->weights, num_entities, sizeof *w->weights);
    sl_i_cuts_release(&w->cuts);
}

sl_status sl_estimate_create(const sl_hierarchy *hierarchy, uint32_t num_records, const sl_sample *sample,
                             const double *thresholds, uint64_t num_thresholds, const sl_progress *progress,
                             sl_estimate **out, sl_error *error) {
    work w = {0};
    sl_estimate *made = NULL;
    sl_i_ticker ticker = sl_i_ticker_make(progress);
    sl_status status;
    *out = NULL;
    SL_TRY(sl_i_measured_records(hierarchy, &num_records, error));
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "an estimate", error));
    SL_TRY_CLEANUP(status, run(hierarchy, num_records, sample, thresholds, num_thresholds, &w, &ticker, made, error));
    *out = made;
    made = NULL;
cleanup:
    release_work(&w, num_records, sample->num_entities);
    sl_estimate_release(made);
    return status;
}

void sl_estimate_release(sl_estimate *estimate) {
    if (!estimate) return;
    sl_i_release(estimate->thresholds, estimate->num_rows, sizeof *estimate->thresholds);
    sl_i_release(estimate->row_states, estimate->num_rows, sizeof *estimate->row_states);
    sl_i_release(estimate->states, estimate->num_states, sizeof *estimate->states);
    sl_i_release(estimate, 1, sizeof *estimate);
}

uint64_t sl_estimate_length(const sl_estimate *estimate) { return estimate->num_rows; }
const double *sl_estimate_thresholds(const sl_estimate *estimate) { return estimate->thresholds; }
