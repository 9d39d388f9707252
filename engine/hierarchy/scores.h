/* scores.h: scores as integers that compare like them.
 *
 * A coder maps every score to a code: higher score, higher code; equal scores (after rounding), equal codes. Rounded scores
 * are coded in units of 1e-6 whatever the number of decimals, so hierarchies of different rounding compare; exact scores by
 * their rank among the distinct ones, which the coder has to be shown before (sl_i_score_coder_collect).
 * Cost: about 1 ns a rounded score, a short search an exact one. */
#ifndef SL_HIERARCHY_SCORES_H
#define SL_HIERARCHY_SCORES_H

#include "support/memory.h"
#include "support/pool.h"

#define SL_I_UNITS 1000000u /* codes of rounded scores are 0..SL_I_UNITS */

typedef struct sl_i_score_coder {
    bool exact;
    double scale;        /* rounded: 10^decimals */
    uint32_t unit;       /* rounded: code of one step of the last decimal */
    uint64_t num_values; /* exact: distinct scores; until sealed: scores shown so far */
    uint64_t capacity;   /* exact: room in `values` */
    uint64_t *values;    /* exact: the distinct scores, ascending, once sealed; their bits, which sort like them */
    uint32_t *starts;    /* exact: starts[b] = first value >= b / num_starts */
    uint32_t num_starts; /* exact: a power of two, about a quarter of the distinct scores */
} sl_i_score_coder;

void sl_i_score_coder_init_rounded(sl_i_score_coder *coder, uint32_t decimals);
/** Exact, with room for `capacity` scores to be shown (8 bytes each, 16 while sealing). */
sl_status sl_i_score_coder_init_exact(sl_i_score_coder *coder, uint64_t capacity, sl_error *error) SL_MUST_USE;
/** Show `count` scores, each valid. */
void sl_i_score_coder_collect(sl_i_score_coder *coder, const double *scores, uint64_t count);
/** All scores have been shown: codes can be asked for. */
sl_status sl_i_score_coder_seal(sl_i_score_coder *coder, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;
void sl_i_score_coder_release(sl_i_score_coder *coder);

/** The largest code there can be. */
uint32_t sl_i_score_coder_max(const sl_i_score_coder *coder);
/** Codes of `count` scores within [0, 1]; scores up to 1e-9 outside count as 0 or 1. Returns the index of the first score that is invalid
 *  (NaN, infinite or further outside), or `count`; codes are only meaningful in the second case. */
uint64_t sl_i_code_scores(const sl_i_score_coder *coder, const double *scores, uint64_t count, uint32_t *codes);
/** Codes of levels of a hierarchy, which were rounded to 6 decimals or shown to an exact coder: never rounded further. */
void sl_i_code_levels(const sl_i_score_coder *coder, const double *levels, uint64_t count, uint32_t *codes);
/** The score of a code. */
double sl_i_code_value(const sl_i_score_coder *coder, uint32_t code);

/** First invalid score, or `count`. */
uint64_t sl_i_find_invalid_score(const double *scores, uint64_t count);

/** Values first..first+count-1 of a number column as doubles: a pointer into the column where it holds plain doubles, else
 *  `buffer` (count slots), filled. SL_ERROR_INVALID_SCORE with the row (first_row + index) for a null. */
sl_status sl_i_scores_read(const sl_column *column, uint64_t first, uint64_t count, uint64_t first_row, double *buffer,
                           const double **out, sl_error *error) SL_MUST_USE;
/** SL_ERROR_INVALID_ARGUMENT unless the column is one that sl_i_scores_read can read. */
sl_status sl_i_scores_check(const sl_column *column, sl_error *error) SL_MUST_USE;
/** The error for the score at `row`. */
sl_status sl_i_fail_score(sl_error *error, uint64_t row, double score) SL_MUST_USE;

#endif
