/* scores.c: see scores.h. Rounding is half-even through the addition of 1.5 * 2^52, which leaves no room for a fraction: one
 * instruction, vectorises everywhere, and the same in every twin (build without -ffast-math and without contraction). */
#include "hierarchy/scores.h"

#include <math.h>
#include <string.h>

#include "support/sort.h"
#include "support/vector.h"

#define TOLERANCE 1e-9
#define ROUNDER 6755399441055744.0 /* 1.5 * 2^52 */

SL_INLINE_BODY double clamp(double score) {
    score = score > 0.0 ? score : 0.0; /* -0.0 becomes 0.0 */
    return score < 1.0 ? score : 1.0;
}

/* Branch-free over the whole block; the (rare) invalid block is searched again for its first culprit. */
SL_INLINE_BODY uint32_t any_invalid(const double *scores, uint64_t count) {
    uint32_t invalid = 0;
    for (uint64_t i = 0; i < count; i++)
        invalid |= (uint32_t)!(scores[i] >= -TOLERANCE) | (uint32_t)!(scores[i] <= 1.0 + TOLERANCE);
    return invalid;
}

SL_INLINE_BODY uint32_t round_body(const double *scores, uint64_t count, double scale, uint32_t unit, uint32_t *codes) {
    uint32_t invalid = any_invalid(scores, count);
    for (uint64_t i = 0; i < count; i++) {
        double rounded = clamp(scores[i]) * scale + ROUNDER;
        codes[i] = (uint32_t)(int32_t)(rounded - ROUNDER) * unit;
    }
    return invalid;
}

static uint32_t round_portable(const double *scores, uint64_t count, double scale, uint32_t unit, uint32_t *codes) {
    return round_body(scores, count, scale, unit, codes);
}

#if defined(SL_HAVE_AVX2_TWIN)
SL_AVX2 static uint32_t round_avx2(const double *scores, uint64_t count, double scale, uint32_t unit, uint32_t *codes) {
    return round_body(scores, count, scale, unit, codes);
}
#endif

static uint32_t round_scores(const double *scores, uint64_t count, double scale, uint32_t unit, uint32_t *codes) {
#if defined(SL_HAVE_AVX2_TWIN)
    if (sl_i_has_avx2()) return round_avx2(scores, count, scale, unit, codes);
#endif
    return round_portable(scores, count, scale, unit, codes);
}

uint64_t sl_i_find_invalid_score(const double *scores, uint64_t count) {
    uint64_t i = 0;
    while (i < count && scores[i] >= -TOLERANCE && scores[i] <= 1.0 + TOLERANCE) i++;
    return i;
}

void sl_i_score_coder_init_rounded(sl_i_score_coder *coder, uint32_t decimals) {
    static const double scales[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    memset(coder, 0, sizeof *coder);
    coder->scale = scales[decimals];
    coder->unit = SL_I_UNITS / (uint32_t)scales[decimals];
}

sl_status sl_i_score_coder_init_exact(sl_i_score_coder *coder, uint64_t capacity, sl_error *error) {
    memset(coder, 0, sizeof *coder);
    coder->exact = true;
    SL_TRY(sl_i_allocate(&coder->values, capacity, sizeof *coder->values, "the distinct scores", error));
    coder->capacity = capacity;
    return SL_OK;
}

_Static_assert(sizeof(double) == sizeof(uint64_t), "doubles are 64 bits");

static uint64_t bits_of(double score) {
    uint64_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits;
}

static double score_of(uint64_t bits) {
    double score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

void sl_i_score_coder_collect(sl_i_score_coder *coder, const double *scores, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) coder->values[coder->num_values + i] = bits_of(clamp(scores[i]));
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

static uint32_t start_bucket(const sl_i_score_coder *coder, double score) {
    return (uint32_t)(score * coder->num_starts);
}

#define LEAST_STARTS 1024u
#define MOST_STARTS (1u << 22)

sl_status sl_i_score_coder_seal(sl_i_score_coder *coder, sl_i_ticker *ticker, sl_error *error) {
    if (!coder->exact) return SL_OK;
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
    if (!coder->exact) return SL_I_UNITS;
    return coder->num_values == 0 ? 0 : (uint32_t)(coder->num_values - 1);
}

static uint32_t rank_of(const sl_i_score_coder *coder, double score) {
    uint32_t bucket = start_bucket(coder, score);
    uint32_t low = coder->starts[bucket], high = coder->starts[bucket + 1];
    uint64_t bits = bits_of(score);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (coder->values[middle] <= bits)
            low = middle;
        else
            high = middle;
    }
    return low;
}

#define BLOCK 4096u /* scores between two looks at whether all were valid */

uint64_t sl_i_code_scores(const sl_i_score_coder *coder, const double *scores, uint64_t count, uint32_t *codes) {
    for (uint64_t first = 0; first < count; first += BLOCK) {
        uint64_t length = count - first < BLOCK ? count - first : BLOCK;
        uint32_t invalid;
        if (coder->exact) {
            invalid = any_invalid(scores + first, length);
            for (uint64_t i = first; !invalid && i < first + length; i++) codes[i] = rank_of(coder, clamp(scores[i]));
        } else {
            invalid = round_scores(scores + first, length, coder->scale, coder->unit, codes + first);
        }
        if (invalid) return first + sl_i_find_invalid_score(scores + first, length);
    }
    return count;
}

void sl_i_code_levels(const sl_i_score_coder *coder, const double *levels, uint64_t count, uint32_t *codes) {
    for (uint64_t i = 0; i < count; i++)
        codes[i] = coder->exact ? rank_of(coder, levels[i]) : (uint32_t)rint(levels[i] * SL_I_UNITS);
}

double sl_i_code_value(const sl_i_score_coder *coder, uint32_t code) {
    return coder->exact ? score_of(coder->values[code]) : (double)code / 1e6;
}

sl_status sl_i_fail_score(sl_error *error, uint64_t row, double score) {
    return sl_i_fail_row(error, SL_ERROR_INVALID_SCORE, (int64_t)row, -1,
                         "score %s in row %llu is not a number in [0, 1]: scores are probabilities",
                         sl_i_double_to_text(score).text, (unsigned long long)row);
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

sl_status sl_i_scores_read(const sl_column *column, uint64_t first, uint64_t count, uint64_t first_row, double *buffer,
                           const double **out, sl_error *error) {
    if (column->validity || column->type == SL_COLUMN_NULL)
        for (uint64_t i = 0; i < count; i++)
            if (is_null(column, first + i)) {
                convert(column, first, i, buffer);
                uint64_t invalid = sl_i_find_invalid_score(buffer, i); /* the first row at fault is the one to name */
                if (invalid < i) return sl_i_fail_score(error, first_row + first + invalid, buffer[invalid]);
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
