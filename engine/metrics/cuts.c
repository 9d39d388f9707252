/* cuts.c: thresholds to rows and buckets. See cuts.h. */
#include "metrics/cuts.h"

#include <string.h>

#include "support/sort.h"

static sl_status allocate_rows(sl_i_cuts *cuts, uint64_t count, sl_error *error) {
    cuts->num_rows = count;
    SL_TRY(sl_i_allocate(&cuts->thresholds, count, sizeof *cuts->thresholds, "the thresholds", error));
    return sl_i_allocate(&cuts->row_buckets, count, sizeof *cuts->row_buckets, "the thresholds", error);
}

static sl_status list_all_levels(sl_i_cuts *cuts, const sl_hierarchy *hierarchy, sl_error *error) {
    uint32_t num_levels = hierarchy->num_levels;
    SL_TRY(allocate_rows(cuts, num_levels > 0 ? num_levels : 1, error));
    cuts->num_buckets = (uint32_t)cuts->num_rows;
    cuts->num_levels_used = num_levels;
    cuts->thresholds[0] = 1.0;
    cuts->row_buckets[0] = 0;
    for (uint32_t row = 0; row < num_levels; row++) {
        uint32_t level = num_levels - 1 - row;
        cuts->thresholds[row] = hierarchy->levels[level];
        cuts->row_buckets[row] = level; /* bucket `level` applies level + 1 levels */
    }
    return SL_OK;
}

/* Ascending thresholds apply falling numbers of levels; any other order is sorted. */
static void sort_applied(uint32_t *applied, uint64_t count) {
    uint64_t falling = 1;
    while (falling < count && applied[falling] <= applied[falling - 1]) falling++;
    if (falling < count) {
        sl_i_sort_u32(applied, count);
        return;
    }
    for (uint64_t i = 0; i < count / 2; i++) {
        uint32_t swap = applied[i];
        applied[i] = applied[count - 1 - i];
        applied[count - 1 - i] = swap;
    }
}

/* Applied levels of each row into row_buckets, the distinct ones ascending into `distinct`. */
static sl_status list_thresholds(sl_i_cuts *cuts, const sl_hierarchy *hierarchy, const double *thresholds,
                                 uint32_t *distinct, sl_error *error) {
    uint32_t applied = hierarchy->num_levels;
    for (uint64_t row = 0; row < cuts->num_rows; row++) {
        SL_TRY(sl_i_check_threshold(hierarchy->scale, thresholds[row], error));
        cuts->thresholds[row] = hierarchy->exact ? thresholds[row] : sl_i_round_threshold(thresholds[row]);
        applied = sl_i_applied_levels(hierarchy, cuts->thresholds[row], applied); /* neighbours are often close */
        cuts->row_buckets[row] = distinct[row] = applied;
    }
    sort_applied(distinct, cuts->num_rows);
    for (uint64_t i = 0; i < cuts->num_rows; i++)
        if (i == 0 || distinct[i] != distinct[i - 1]) distinct[cuts->num_buckets++] = distinct[i];
    cuts->num_levels_used = cuts->num_buckets > 0 ? distinct[cuts->num_buckets - 1] : 0;
    return SL_OK;
}

/* Rows from applied levels to buckets, and the bucket in which each level's merges first count. */
static void map_levels(sl_i_cuts *cuts, const uint32_t *distinct) {
    uint32_t bucket = 0, *bucket_of = cuts->bucket_of;
    /* First the bucket of each number of applied levels. */
    for (uint32_t applied = 0; applied <= cuts->num_levels; applied++) {
        while (bucket < cuts->num_buckets && distinct[bucket] < applied) bucket++;
        bucket_of[applied] = bucket;
    }
    for (uint64_t row = 0; row < cuts->num_rows; row++) cuts->row_buckets[row] = bucket_of[cuts->row_buckets[row]];
    /* A merge at level l counts where more than l levels apply. */
    memmove(bucket_of, bucket_of + 1, cuts->num_levels * sizeof *bucket_of);
}

sl_status sl_i_cuts_list(const sl_hierarchy *hierarchy, const double *thresholds, uint64_t count, sl_i_cuts *cuts,
                         sl_error *error) {
    uint32_t *distinct = NULL;
    sl_status status;
    cuts->num_levels = hierarchy->num_levels;
    if (!thresholds) return list_all_levels(cuts, hierarchy, error);
    SL_TRY(allocate_rows(cuts, count, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&distinct, count, sizeof *distinct, "the thresholds", error));
    SL_TRY_CLEANUP(status, list_thresholds(cuts, hierarchy, thresholds, distinct, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&cuts->bucket_of, (uint64_t)cuts->num_levels + 1, sizeof *cuts->bucket_of,
                                         "the thresholds' levels", error));
    map_levels(cuts, distinct);
cleanup:
    sl_i_release(distinct, count, sizeof *distinct);
    return status;
}

void sl_i_cuts_release(sl_i_cuts *cuts) {
    sl_i_release(cuts->thresholds, cuts->num_rows, sizeof *cuts->thresholds);
    sl_i_release(cuts->row_buckets, cuts->num_rows, sizeof *cuts->row_buckets);
    sl_i_release(cuts->bucket_of, (uint64_t)cuts->num_levels + 1, sizeof *cuts->bucket_of);
    *cuts = (sl_i_cuts){0};
}
