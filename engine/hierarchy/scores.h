/* scores.h: scores as integers that compare like them.
 *
 * A coder maps every score to a code: higher score, higher code; equal scores (after rounding), equal codes. Rounded
 * probabilities are coded in units of 1e-6 whatever the number of decimals, so hierarchies of different rounding compare; exact
 * ones, and weights rounded or not, by their rank among the distinct ones, which the coder has to be shown before
 * (sl_i_score_coder_collect). Cost: about 1 ns a rounded probability, a short search where codes are ranks. */
#ifndef SL_HIERARCHY_SCORES_H
#define SL_HIERARCHY_SCORES_H

#include "support/memory.h"
#include "support/pool.h"

#define SL_I_UNITS 1000000u /* codes of rounded scores are 0..SL_I_UNITS */

typedef struct sl_i_score_coder {
    sl_scale scale;
    bool exact;          /* scores are compared as they are */
    bool ranked;         /* codes are ranks: of exact scores and of weights */
    double steps;        /* rounded: 10^decimals */
    uint32_t unit;       /* not ranked: code of one step of the last decimal */
    uint64_t num_values; /* ranked: distinct scores; until sealed: scores shown so far */
    uint64_t capacity;   /* ranked: room in `values` */
    uint64_t *values;    /* ranked: the distinct scores, ascending, once sealed; as whole numbers that sort like them */
    uint32_t *starts;    /* ranked: starts[b] = first value of bucket b or a later one */
    uint32_t num_starts; /* ranked: buckets, equally wide: a power of two, about a quarter of the distinct scores */
    double half_lowest, buckets_a_half; /* ranked: half the lowest score, buckets for half a unit of score */
} sl_i_score_coder;

/** Of probabilities, rounded to 1..6 decimals. */
void sl_i_score_coder_init_rounded(sl_i_score_coder *coder, uint32_t decimals);
/** Of probabilities as they are, with room for `capacity` scores to be shown (8 bytes each, 16 while sealing). */
sl_status sl_i_score_coder_init_exact(sl_i_score_coder *coder, uint64_t capacity, sl_error *error) SL_MUST_USE;
/** Of weights, rounded to 1..6 decimals (0: as they are); the same room. */
sl_status sl_i_score_coder_init_weights(sl_i_score_coder *coder, uint32_t decimals, uint64_t capacity, sl_error *error)
    SL_MUST_USE;
/** Show `count` scores, each valid. */
void sl_i_score_coder_collect(sl_i_score_coder *coder, const double *scores, uint64_t count);
/** Show levels of a hierarchy, which are not rounded any further. */
void sl_i_score_coder_collect_levels(sl_i_score_coder *coder, const double *levels, uint64_t count);
/** All scores have been shown: codes can be asked for. */
sl_status sl_i_score_coder_seal(sl_i_score_coder *coder, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;
void sl_i_score_coder_release(sl_i_score_coder *coder);

/** The largest code there can be. */
uint32_t sl_i_score_coder_max(const sl_i_score_coder *coder);
/** Codes of `count` scores; probabilities up to 1e-9 outside [0, 1] count as 0 or 1. Returns the index of the first score that is
 *  invalid (NaN, infinite or a probability further outside), or `count`; codes are only meaningful in the second case. */
uint64_t sl_i_code_scores(const sl_i_score_coder *coder, const double *scores, uint64_t count, uint32_t *codes);
/** Codes of levels of a hierarchy, which were rounded to 6 decimals or shown to a coder that ranks: never rounded further. */
void sl_i_code_levels(const sl_i_score_coder *coder, const double *levels, uint64_t count, uint32_t *codes);
/** The score of a code. */
double sl_i_code_value(const sl_i_score_coder *coder, uint32_t code);

/** First score that is invalid on that scale, or `count`. */
uint64_t sl_i_find_invalid_score(sl_scale scale, const double *scores, uint64_t count);

/** Half-even to the grid of 1 / steps (a power of ten), as the nearest double. Numbers of 2^51 / steps and more, which have hardly a digit
 *  beyond that grid, stay as they are: they neither overflow nor change when they are rounded again. */
double sl_i_round_to(double number, double steps);

/** Values first..first+count-1 of a number column as doubles: a pointer into the column where it holds plain doubles, else
 *  `buffer` (count slots), filled. SL_ERROR_INVALID_SCORE with the row (first_row + index) for a null, or for a score before it
 *  that is invalid on that scale; the others are not looked at. */
sl_status sl_i_scores_read(const sl_column *column, sl_scale scale, uint64_t first, uint64_t count, uint64_t first_row,
                           double *buffer, const double **out, sl_error *error) SL_MUST_USE;
/** SL_ERROR_INVALID_ARGUMENT unless the column is one that sl_i_scores_read can read. */
sl_status sl_i_scores_check(const sl_column *column, sl_error *error) SL_MUST_USE;
/** The error for the score at `row`. */
sl_status sl_i_fail_score(sl_error *error, sl_scale scale, uint64_t row, double score) SL_MUST_USE;

#endif
