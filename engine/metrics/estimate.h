/* estimate.h: sums over the sampled true entities, one set for every partition in which they look different.
 *
 * Of one sampled entity of size n, with cells of N records in judged entities of size S:
 *
 *     pairs     hits TP = sum N(N-1)/2     wrong = sum N(S-N)/2     missed = n(n-1)/2 - TP
 *     records   hits    = sum N^2/S        wrong = n - hits         missed = n - sum N^2/n
 *     entities  hits    = 1 if it is one judged entity exactly, else 0
 *                                          wrong = sum N/S - hits   missed = 1 - hits
 *
 * Each is a family of three; what is kept are the weighted sums of the three and of their six products, which is what a function
 * of the sums and its delta-method variance need. Errors are kept beside hits, not totals: where everything is right, a
 * variance would be a small difference of large sums. */
#ifndef SL_METRICS_ESTIMATE_H
#define SL_METRICS_ESTIMATE_H

#include "metrics/curve.h"

enum { SL_I_HITS, SL_I_WRONG, SL_I_MISSED, SL_I_NUM_PARTS };
enum { SL_I_PAIRS, SL_I_RECORDS, SL_I_ENTITIES, SL_I_NUM_FAMILIES };

#define SL_I_NUM_PRODUCTS 6

/** Sums of w x, and of w^2 x y in the order hits hits, hits wrong, hits missed, wrong wrong, wrong missed, missed missed. */
typedef struct sl_i_family {
    double sums[SL_I_NUM_PARTS];
    double products[SL_I_NUM_PRODUCTS];
} sl_i_family;

typedef struct sl_i_sampled_sums {
    sl_i_family families[SL_I_NUM_FAMILIES];
} sl_i_sampled_sums;

struct sl_estimate {
    uint64_t num_rows;
    double *thresholds;   /* by row */
    uint32_t *row_states; /* by row */
    uint32_t num_states;
    uint32_t num_entities;     /* sampled */
    sl_i_sampled_sums *states; /* distinct buckets in which a sampled entity changed, and one before */
};

/** Two runs of the leaf order that fuse, at least one with a sampled record. A run is known by the first of its samples. */
typedef struct sl_i_note {
    uint32_t kept, absorbed; /* SL_NO_RECORD absorbed: a run without samples */
    uint32_t size;           /* of both together */
} sl_i_note;

/** The notes of all buckets, those of one in an order in which they can be applied. */
typedef struct sl_i_notes {
    sl_i_note *notes;
    uint64_t num_notes;
    uint64_t *starts; /* by bucket, and one more: where its notes begin */
} sl_i_notes;

/** Pass over the leaf order that notes what happens to sampled records. `sample_of`: by record of the hierarchy, its number in the
 *  sample or SL_NO_RECORD. `notes` zeroed; the caller releases both arrays in every case. */
sl_status sl_i_sampled_pass(const sl_i_judged *judged, const uint32_t *sample_of, uint32_t num_buckets,
                            sl_i_notes *notes, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;
/** Apply the notes bucket by bucket: fills the states of the estimate, and `states_of` by bucket. `sizes`: of each entity. Weights
 *  are at most 1 (NULL: all 1). */
sl_status sl_i_replay_notes(const sl_i_notes *notes, const sl_sample *sample, const uint32_t *sizes,
                            const double *weights, uint32_t num_buckets, uint32_t *states_of, sl_estimate *estimate,
                            sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;

/** What |t| exceeds with probability 1 - level, for Student's t with `degrees` > 0 degrees of freedom. */
double sl_i_student_t(double level, unsigned degrees);

#endif
