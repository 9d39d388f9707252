/* scores.c: see scores.h. Rounding is half-even through the addition of 1.5 * 2^52, which leaves no room for a fraction: one
 * instruction, vectorises everywhere, and the same in every twin (build without -ffast-math and without contraction).
 *
 * Ranks are found in the sorted distinct scores, within a bucket of those near it: buckets divide the range of the scores
 * equally. Halves of scores are subtracted, since the range of -1e308..1e308 is no double. */
#include "hierarchy/scores.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "support/sort.h"
#include "support/vector.h"

#define TOLERANCE 1e-9
#define ROUNDER 6755399441055744.0       /* 1.5 * 2^52 */
#define MOST_TO_ROUND 2251799813685248.0 /* 2^51 */

SL_INLINE_BODY double clamp(double score) {
    score = score > 0.0 ? score : 0.0; /* -0.0 becomes 0.0 */
    return score < 1.0 ? score : 1.0;
}

double sl_i_round_to(double number, double steps) {
    double scaled = number * steps; /* infinite at worst */
    if (!(fabs(scaled) < MOST_TO_ROUND)) return number;
    return (scaled + ROUNDER - ROUNDER) / steps + 0.0; /* -0.0 becomes 0.0 */
}

typedef struct bounds {
    double lowest, highest;
} bounds;

/* The scores that are valid. */
SL_INLINE_BODY bounds bounds_of(sl_scale scale) {
    if (scale == SL_SCALE_WEIGHT) return (bounds){-DBL_MAX, DBL_MAX};
    return (bounds){-TOLERANCE, 1.0 + TOLERANCE};
}

/* Branch-free over the whole block; the (rare) invalid block is searched again for its first culprit. */
SL_INLINE_BODY uint32_t any_invalid(bounds valid, const double *scores, uint64_t count) {
    uint32_t invalid = 0;
    for (uint64_t i = 0; i < count; i++)
        invalid |= (uint32_t)!(scores[i] >= valid.lowest) | (uint32_t)!(scores[i] <= valid.highest);
    return invalid;
}

SL_INLINE_BODY uint32_t round_body(const double *scores, uint64_t count, double steps, uint32_t unit, uint32_t *codes) {
    uint32_t invalid = any_invalid(bounds_of(SL_SCALE_PROBABILITY), scores, count);
    for (uint64_t i = 0; i < count; i++) {
        double rounded = clamp(scores[i]) * steps + ROUNDER;
        codes[i] = (uint32_t)(int32_t)(rounded - ROUNDER) * unit;
    }
    return invalid;
}

static uint32_t round_portable(const double *scores, uint64_t count, double steps, uint32_t unit, uint32_t *codes) {
    return round_body(scores, count, steps, unit, codes);
}

#if defined(SL_HAVE_AVX2_TWIN)
SL_AVX2 static uint32_t round_avx2(const double *scores, uint64_t count, double steps, uint32_t unit, uint32_t *codes) {
    return round_body(scores, count, steps, unit, codes);
}
#endif

static uint32_t round_scores(const double *scores, uint64_t count, double steps, uint32_t unit, uint32_t *codes) {
#if defined(SL_HAVE_AVX2_TWIN)
    if (sl_i_has_avx2()) return round_avx2(scores, count, steps, unit, codes);
#endif
    return round_portable(scores, count, steps, unit, codes);
}

uint64_t sl_i_find_invalid_score(sl_scale scale, const double *scores, uint64_t count) {
    bounds valid = bounds_of(scale);
    uint64_t i = 0;
    while (i < count && scores[i] >= valid.lowest && scores[i] <= valid.highest) i++;
    return i;
}

/* ---- making a coder ---------------------------------------------------------------------------------------------- */

static double steps_of(uint32_t decimals) {
    static const double steps[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    return steps[decimals];
}

void sl_i_score_coder_init_rounded(sl_i_score_coder *coder, uint32_t decimals) {
    *coder = (sl_i_score_coder){.steps = steps_of(decimals), .unit = SL_I_UNITS / (uint32_t)steps_of(decimals)};
}

static sl_status make_room(sl_i_score_coder *coder, uint64_t capacity, sl_error *error) {
    SL_TRY(sl_i_allocate(&coder->values, capacity, sizeof *coder->values, "the distinct scores", error));
    coder->capacity = capacity;
    return SL_OK;
}

sl_status sl_i_score_coder_init_exact(sl_i_score_coder *coder, uint64_t capacity, sl_error *error) {
    *coder = (sl_i_score_coder){.exact = true, .ranked = true};
    return make_room(coder, capacity, error);
}

sl_status sl_i_score_coder_init_weights(sl_i_score_coder *coder, uint32_t decimals, uint64_t capacity,
                                        sl_error *error) {
    *coder = (sl_i_score_coder){
        .scale = SL_SCALE_WEIGHT, .exact = decimals == 0, .ranked = true, .steps = steps_of(decimals)};
    return make_room(coder, capacity, error);
}

_Static_assert(sizeof(double) == sizeof(uint64_t), "doubles are 64 bits");
#define SIGN (UINT64_C(1) << 63)

/* A whole number that sorts as the score does: bits of negative doubles fall where the doubles rise. */
static uint64_t value_of(double score) {
    uint64_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

static double score_of(uint64_t value) {
    uint64_t bits = value & SIGN ? value ^ SIGN : ~value;
    double score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* The weight that is ranked. */
static double compared_weight(const sl_i_score_coder *coder, double weight) {
    return coder->exact ? weight + 0.0 : sl_i_round_to(weight, coder->steps); /* -0.0 becomes 0.0 */
}

void sl_i_score_coder_collect(sl_i_score_coder *coder, const double *scores, uint64_t count) {
    uint64_t *values = coder->values + coder->num_values;
    if (coder->scale == SL_SCALE_WEIGHT)
        for (uint64_t i = 0; i < count; i++) values[i] = value_of(compared_weight(coder, scores[i]));
    else
        for (uint64_t i = 0; i < count; i++) values[i] = value_of(clamp(scores[i]));
    coder->num_values += count;
}

void sl_i_score_coder_collect_levels(sl_i_score_coder *coder, const double *levels, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) coder->values[coder->num_values + i] = value_of(levels[i]);
    coder->num_values += count;
}

static sl_status sort_values(sl_i_score_coder *coder, sl_i_ticker *ticker, sl_error *error) {
    uint64_t *room = NULL, count = coder->num_values;
    SL_TRY(sl_i_allocate(&room, count, sizeof *room, "sorting the scores", error));
    uint64_t *sorted = coder->values, *scratch = room;
    sl_status status = SL_OK;
    sl_i_ticker_begin(ticker, "sorting scores", sizeof(uint64_t));
    for (unsigned byte = 0; byte < sizeof(uint64_t) && status == SL_OK; byte++) {
        sl_i_radix_pass_u64(&sorted, &scratch, count, byte);
        status = sl_i_ticker_advance(ticker, 1, error);
    }
    if (sorted != coder->values) memcpy(coder->values, sorted, count * sizeof *sorted);
    sl_i_release(room, count, sizeof *room);
    return status;
}

#define LEAST_STARTS 1024u
#define MOST_STARTS (1u << 22)

/* Rises with the score, from 0 for the lowest to num_starts for the highest; in bounds for any other score, too. */
static uint32_t start_bucket(const sl_i_score_coder *coder, double score) {
    double bucket = (score * 0.5 - coder->half_lowest) * coder->buckets_a_half, last = coder->num_starts;
    bucket = bucket > 0.0 ? bucket : 0.0;
    return (uint32_t)(bucket < last ? bucket : last);
}

/* Buckets over a range that is empty, or too narrow to divide by, are one: the first. */
static void divide_range(sl_i_score_coder *coder) {
    if (coder->num_values == 0) return;
    double half_highest = score_of(coder->values[coder->num_values - 1]) * 0.5;
    coder->half_lowest = score_of(coder->values[0]) * 0.5;
    double half_range = half_highest - coder->half_lowest;
    coder->buckets_a_half = half_range > DBL_MIN * MOST_STARTS ? coder->num_starts / half_range : 0.0;
}

sl_status sl_i_score_coder_seal(sl_i_score_coder *coder, sl_i_ticker *ticker, sl_error *error) {
    if (!coder->ranked) return SL_OK;
    SL_TRY(sort_values(coder, ticker, error));
    uint64_t distinct = 0;
    for (uint64_t i = 0; i < coder->num_values; i++)
        if (i == 0 || coder->values[i] != coder->values[i - 1]) coder->values[distinct++] = coder->values[i];
    coder->num_values = distinct;
    if (distinct > UINT32_MAX)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "more than 2^32-1 distinct scores: round them (quantise)");
    sl_i_shrink(&coder->values, &coder->capacity, distinct, sizeof *coder->values);
    coder->num_starts = LEAST_STARTS;
    while (coder->num_starts < MOST_STARTS && coder->num_starts < distinct / 4) coder->num_starts *= 2;
    SL_TRY(sl_i_allocate(&coder->starts, coder->num_starts + 2u, sizeof *coder->starts, "the score index", error));
    divide_range(coder);
    uint32_t next = 0;
    for (uint32_t bucket = 0; bucket < coder->num_starts + 2u; bucket++) {
        while (next < distinct && start_bucket(coder, score_of(coder->values[next])) < bucket) next++;
        coder->starts[bucket] = next;
    }
    return SL_OK;
}

void sl_i_score_coder_release(sl_i_score_coder *coder) {
    sl_i_release(coder->values, coder->capacity, sizeof *coder->values);
    sl_i_release(coder->starts, coder->num_starts + 2u, sizeof *coder->starts);
    memset(coder, 0, sizeof *coder);
}

uint32_t sl_i_score_coder_max(const sl_i_score_coder *coder) {
    if (!coder->ranked) return SL_I_UNITS;
    return coder->num_values == 0 ? 0 : (uint32_t)(coder->num_values - 1);
}

static uint32_t rank_within(const sl_i_score_coder *coder, uint32_t bucket, double score) {
    uint32_t low = coder->starts[bucket], high = coder->starts[bucket + 1];
    uint64_t value = value_of(score);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (coder->values[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t rank_of(const sl_i_score_coder *coder, double score) {
    return rank_within(coder, start_bucket(coder, score), score);
}

#define TOGETHER 64u /* scores whose memory is asked for at once */

/* Step by step for some scores at a time, so that the next step's memory is on its way. */
static void rank_some(const sl_i_score_coder *coder, const double *compared, uint32_t count, uint32_t *codes) {
    uint32_t buckets[TOGETHER];
    for (uint32_t i = 0; i < count; i++) {
        buckets[i] = start_bucket(coder, compared[i]);
        __builtin_prefetch(&coder->starts[buckets[i]]);
    }
    for (uint32_t i = 0; i < count; i++) __builtin_prefetch(&coder->values[coder->starts[buckets[i]]]);
    for (uint32_t i = 0; i < count; i++) codes[i] = rank_within(coder, buckets[i], compared[i]);
}

static void rank_scores(const sl_i_score_coder *coder, const double *scores, uint64_t count, uint32_t *codes) {
    double compared[TOGETHER];
    for (uint64_t first = 0; first < count; first += TOGETHER) {
        uint32_t length = count - first < TOGETHER ? (uint32_t)(count - first) : TOGETHER;
        for (uint32_t i = 0; i < length; i++)
            compared[i] =
                coder->scale == SL_SCALE_WEIGHT ? compared_weight(coder, scores[first + i]) : clamp(scores[first + i]);
        rank_some(coder, compared, length, codes + first);
    }
}

#define BLOCK 4096u /* scores between two looks at whether all were valid */

uint64_t sl_i_code_scores(const sl_i_score_coder *coder, const double *scores, uint64_t count, uint32_t *codes) {
    for (uint64_t first = 0; first < count; first += BLOCK) {
        uint64_t length = count - first < BLOCK ? count - first : BLOCK;
        uint32_t invalid;
        if (coder->ranked) {
            invalid = any_invalid(bounds_of(coder->scale), scores + first, length);
            if (!invalid) rank_scores(coder, scores + first, length, codes + first);
        } else {
            invalid = round_scores(scores + first, length, coder->steps, coder->unit, codes + first);
        }
        if (invalid) return first + sl_i_find_invalid_score(coder->scale, scores + first, length);
    }
    return count;
}

void sl_i_code_levels(const sl_i_score_coder *coder, const double *levels, uint64_t count, uint32_t *codes) {
    for (uint64_t i = 0; i < count; i++)
        codes[i] = coder->ranked ? rank_of(coder, levels[i]) : (uint32_t)rint(levels[i] * SL_I_UNITS);
}

double sl_i_code_value(const sl_i_score_coder *coder, uint32_t code) {
    return coder->ranked ? score_of(coder->values[code]) : (double)code / 1e6;
}

sl_status sl_i_fail_score(sl_error *error, sl_scale scale, uint64_t row, double score) {
    static const char or_weights[] = ", unless the scale is that of weights (SL_SCALE_WEIGHT, scale=\"weight\")";
    if (scale == SL_SCALE_WEIGHT)
        return sl_i_fail_row(error, SL_ERROR_INVALID_SCORE, (int64_t)row, -1,
                             "score %s in row %llu is not a finite number", sl_i_double_to_text(score).text,
                             (unsigned long long)row);
    return sl_i_fail_row(error, SL_ERROR_INVALID_SCORE, (int64_t)row, -1,
                         "score %s in row %llu is not a number in [0, 1]: scores are probabilities%s",
                         sl_i_double_to_text(score).text, (unsigned long long)row, isfinite(score) ? or_weights : "");
}

sl_status sl_i_scores_check(const sl_column *column, sl_error *error) {
    bool number = column->type >= SL_COLUMN_INT8 && column->type <= SL_COLUMN_FLOAT64;
    if (!column->dictionary && (number || column->type == SL_COLUMN_DECIMAL128)) return SL_OK;
    if (column->type == SL_COLUMN_NULL) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the score column is not a column of numbers");
}

static bool is_null(const sl_column *column, uint64_t index) {
    if (column->type == SL_COLUMN_NULL) return true;
    uint64_t bit = column->offset + index;
    return column->validity && !(column->validity[bit >> 3] >> (bit & 7) & 1);
}

#define CONVERT(TYPE)                                                                                                  \
    for (uint64_t i = 0; i < count; i++) buffer[i] = (double)((const TYPE *)column->values)[column->offset + first + i]

/* 16-byte integers of 10^-scale; scores have few digits, so one division rounds as well as parsing would. */
static void convert_decimals(const sl_column *column, uint64_t first, uint64_t count, double *buffer) {
    __extension__ typedef __int128 wide;
    const uint8_t *values = (const uint8_t *)column->values + (column->offset + first) * sizeof(wide);
    double unit = pow(10.0, column->width);
    for (uint64_t i = 0; i < count; i++) {
        wide value;
        memcpy(&value, values + i * sizeof value, sizeof value);
        buffer[i] = (double)value / unit;
    }
}

static void convert(const sl_column *column, uint64_t first, uint64_t count, double *buffer) {
    switch (column->type) {
    case SL_COLUMN_INT8: CONVERT(int8_t); break;
    case SL_COLUMN_INT16: CONVERT(int16_t); break;
    case SL_COLUMN_INT32: CONVERT(int32_t); break;
    case SL_COLUMN_INT64: CONVERT(int64_t); break;
    case SL_COLUMN_UINT8: CONVERT(uint8_t); break;
    case SL_COLUMN_UINT16: CONVERT(uint16_t); break;
    case SL_COLUMN_UINT32: CONVERT(uint32_t); break;
    case SL_COLUMN_UINT64: CONVERT(uint64_t); break;
    case SL_COLUMN_FLOAT32: CONVERT(float); break;
    case SL_COLUMN_DECIMAL128: convert_decimals(column, first, count, buffer); break;
    default: CONVERT(double); break;
    }
}

sl_status sl_i_scores_read(const sl_column *column, sl_scale scale, uint64_t first, uint64_t count, uint64_t first_row,
                           double *buffer, const double **out, sl_error *error) {
    if (column->validity || column->type == SL_COLUMN_NULL)
        for (uint64_t i = 0; i < count; i++)
            if (is_null(column, first + i)) {
                convert(column, first, i, buffer);
                /* the first row at fault is the one to name */
                uint64_t invalid = sl_i_find_invalid_score(scale, buffer, i);
                if (invalid < i) return sl_i_fail_score(error, scale, first_row + first + invalid, buffer[invalid]);
                return sl_i_fail_row(error, SL_ERROR_INVALID_SCORE, (int64_t)(first_row + first + i), -1,
                                     "the score in row %llu is null: drop the row or give it a score",
                                     (unsigned long long)(first_row + first + i));
            }
    if (column->type == SL_COLUMN_FLOAT64) {
        *out = (const double *)column->values + column->offset + first;
        return SL_OK;
    }
    convert(column, first, count, buffer);
    *out = buffer;
    return SL_OK;
}
