/* edge_part.c: see edge_part.h. */
#include "hierarchy/edge_part.h"

#include <string.h>

#include "hierarchy/edge_list.h"

typedef struct row_range {
    uint64_t first, count;
} row_range;

static row_range rows_of(const sl_i_edge_part *part, uint64_t window) {
    uint64_t first = window * SL_I_WINDOW, left = part->rows - first;
    return (row_range){first, left < SL_I_WINDOW ? left : SL_I_WINDOW};
}

uint64_t sl_i_edge_part_num_windows(const sl_i_edge_part *part) {
    return part->rows / SL_I_WINDOW + (part->rows % SL_I_WINDOW != 0);
}

void sl_i_edge_part_begin_reading(sl_i_edge_part *part) {
    if (part->kind == SL_I_PART_KEYED) sl_i_append_resume(part->context);
}

void sl_i_edge_part_end_reading(sl_i_edge_part *part) {
    if (part->kind == SL_I_PART_KEYED) sl_i_append_pause(part->context);
}

static sl_status open_keyed(sl_i_edge_part *part, uint32_t lanes, sl_i_ticker *ticker, sl_error *error) {
    SL_TRY(sl_i_pair_reader_create(part->context, &part->edges->left, &part->edges->right, part->known_records_only,
                                   part->first_row, &part->reader, error));
    if (lanes == 1) return SL_OK; /* one thread numbers keys best while it reads them */
    return sl_i_pair_reader_number_keys(part->reader, lanes, ticker, error);
}

sl_status sl_i_edge_part_open(sl_i_edge_part *part, uint32_t lanes, sl_i_ticker *ticker, sl_error *error) {
    if (part->kind != SL_I_PART_KEYED) return SL_OK;
    sl_i_edge_part_begin_reading(part);
    sl_status status = open_keyed(part, lanes, ticker, error);
    sl_i_edge_part_end_reading(part);
    return status;
}

bool sl_i_edge_part_is_sequential(const sl_i_edge_part *part) {
    return part->kind == SL_I_PART_KEYED && !sl_i_pair_reader_is_unordered(part->reader);
}

/* The part's scores of a window as doubles; a forest's are its levels' values. */
static sl_status read_scores(const sl_i_edge_part *part, sl_scale scale, row_range rows, sl_i_window *scratch,
                             const double **out, sl_error *error) {
    scratch->count = rows.count;
    if (part->kind == SL_I_PART_LIST) {
        *out = part->hierarchy->edges->scores + rows.first;
        return SL_OK;
    }
    if (part->kind != SL_I_PART_FOREST)
        return sl_i_scores_read(&part->scores, scale, rows.first, rows.count, part->first_row, scratch->scores, out,
                                error);
    const sl_hierarchy *hierarchy = part->hierarchy;
    uint64_t count = 0;
    for (uint64_t i = rows.first; i < rows.first + rows.count; i++)
        if (hierarchy->join[i] != SL_NEVER) scratch->scores[count++] = hierarchy->levels[hierarchy->join[i]];
    scratch->count = count;
    *out = scratch->scores;
    return SL_OK;
}

sl_status sl_i_edge_part_collect(const sl_i_edge_part *part, uint64_t window, sl_i_window *scratch,
                                 sl_i_score_coder *coder, sl_error *error) {
    row_range rows = rows_of(part, window);
    const double *scores = NULL;
    SL_TRY(read_scores(part, coder->scale, rows, scratch, &scores, error));
    uint64_t invalid = sl_i_find_invalid_score(coder->scale, scores, scratch->count);
    if (invalid < scratch->count)
        return sl_i_fail_score(error, coder->scale, part->first_row + rows.first + invalid, scores[invalid]);
    if (part->hierarchy)
        sl_i_score_coder_collect_levels(coder, scores, scratch->count);
    else
        sl_i_score_coder_collect(coder, scores, scratch->count);
    return SL_OK;
}

sl_status sl_i_edge_part_prepare(sl_i_edge_part *part, const sl_i_score_coder *coder, sl_error *error) {
    if (part->kind != SL_I_PART_FOREST) return SL_OK;
    uint32_t num_levels = part->hierarchy->num_levels;
    SL_TRY(sl_i_allocate(&part->level_codes, num_levels, sizeof *part->level_codes, "the codes of the levels", error));
    sl_i_code_levels(coder, part->hierarchy->levels, num_levels, part->level_codes);
    return SL_OK;
}

static void read_forest_codes(const sl_i_edge_part *part, row_range rows, sl_i_window *scratch) {
    const uint32_t *join = part->hierarchy->join;
    uint64_t count = 0;
    for (uint64_t i = rows.first; i < rows.first + rows.count; i++)
        if (join[i] != SL_NEVER) scratch->codes[count++] = part->level_codes[join[i]];
    scratch->count = count;
}

sl_status sl_i_edge_part_read_codes(const sl_i_edge_part *part, uint64_t window, const sl_i_score_coder *coder,
                                    sl_i_window *scratch, sl_error *error) {
    row_range rows = rows_of(part, window);
    if (part->kind == SL_I_PART_FOREST) {
        read_forest_codes(part, rows, scratch);
        return SL_OK;
    }
    if (part->kind == SL_I_PART_LIST) {
        scratch->count = rows.count;
        sl_i_code_levels(coder, part->hierarchy->edges->scores + rows.first, rows.count, scratch->codes);
        return SL_OK;
    }
    const double *scores = NULL;
    SL_TRY(read_scores(part, coder->scale, rows, scratch, &scores, error));
    uint64_t coded = sl_i_code_scores(coder, scores, rows.count, scratch->codes);
    if (coded == rows.count) return SL_OK;
    return sl_i_fail_score(error, coder->scale, part->first_row + rows.first + coded, scores[coded]);
}

static sl_status read_array_records(const sl_i_edge_part *part, row_range rows, sl_i_window *scratch, sl_error *error) {
    const uint32_t *left = part->left + rows.first, *right = part->right + rows.first;
    uint32_t largest = 0;
    for (uint64_t i = 0; i < rows.count; i++) {
        uint32_t larger = left[i] > right[i] ? left[i] : right[i];
        largest = larger > largest ? larger : largest;
    }
    if (largest >= part->num_records) {
        uint64_t i = 0;
        while (left[i] < part->num_records && right[i] < part->num_records) i++;
        return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)(part->first_row + rows.first + i), -1,
                             "row %llu joins records %u and %u, but there are only %u records",
                             (unsigned long long)(part->first_row + rows.first + i), left[i], right[i],
                             part->num_records);
    }
    memcpy(scratch->left, left, rows.count * sizeof *left);
    memcpy(scratch->right, right, rows.count * sizeof *right);
    scratch->count = rows.count;
    return SL_OK;
}

/* Edges left[i], right[i] of a window, those left out whose `join` (optional) is SL_NEVER, as records of the result. */
static void translate_records(const sl_i_edge_part *part, row_range rows, const uint32_t *join, const uint32_t *left,
                              const uint32_t *right, sl_i_window *scratch) {
    const uint32_t *translation = part->translation;
    uint64_t count = 0;
    for (uint64_t i = rows.first; i < rows.first + rows.count; i++) {
        if (join && join[i] == SL_NEVER) continue;
        scratch->left[count] = translation ? translation[left[i]] : left[i];
        scratch->right[count++] = translation ? translation[right[i]] : right[i];
    }
    scratch->count = count;
}

static void read_kept_records(const sl_i_edge_part *part, row_range rows, sl_i_window *scratch) {
    const sl_hierarchy *hierarchy = part->hierarchy;
    if (part->kind == SL_I_PART_LIST)
        translate_records(part, rows, NULL, hierarchy->edges->left, hierarchy->edges->right, scratch);
    else if (hierarchy->forest_left)
        translate_records(part, rows, hierarchy->join, hierarchy->forest_left, hierarchy->forest_right, scratch);
    else
        translate_records(part, rows, hierarchy->join, hierarchy->order, hierarchy->order + 1, scratch);
}

static sl_status read_keyed_records(sl_i_edge_part *part, row_range rows, sl_i_window *scratch, sl_error *error) {
    scratch->count = rows.count;
    return sl_i_pair_reader_read(part->reader, rows.first, rows.count, scratch->left, scratch->right, error);
}

sl_status sl_i_edge_part_read_records(sl_i_edge_part *part, uint64_t window, sl_i_window *scratch, sl_error *error) {
    row_range rows = rows_of(part, window);
    if (part->kind == SL_I_PART_ARRAYS) return read_array_records(part, rows, scratch, error);
    if (part->kind == SL_I_PART_KEYED) return read_keyed_records(part, rows, scratch, error);
    read_kept_records(part, rows, scratch);
    return SL_OK;
}

void sl_i_edge_part_close(sl_i_edge_part *part) {
    sl_i_pair_reader_release(part->reader);
    part->reader = NULL;
    if (part->hierarchy) sl_i_release(part->level_codes, part->hierarchy->num_levels, sizeof *part->level_codes);
    part->level_codes = NULL;
}
