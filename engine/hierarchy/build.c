/* build.c: the public ways to build a hierarchy from edges. All of them are one: list the parts the edges come from (arrays,
 * keyed batches, forests of earlier hierarchies), place the edges by score, run Kruskal, keep the leaf order. */
#include <string.h>

#include "hierarchy/forest.h"

#define ROWS_A_LANE 16384u

typedef struct build {
    sl_i_edge_part *parts;
    uint64_t num_parts;
    bool exact;
    uint32_t decimals;
    sl_i_ticker ticker;
    uint32_t lanes;
} build;

static sl_status read_options(const sl_build_options *options, build *b, sl_error *error) {
    sl_build_options defaults = {0};
    if (!options) options = &defaults;
    if (options->decimals > 6)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "cannot round scores to %u decimals: choose 1 to 6",
                         options->decimals);
    if (options->exact && options->decimals != 0)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "exact scores are not rounded: leave decimals at 0");
    b->exact = options->exact;
    b->decimals = options->decimals ? options->decimals : 6;
    b->ticker = sl_i_ticker_make(options->progress);
    return SL_OK;
}

/* An exact coder ranks the distinct scores of all parts, so it has to see them before the edges are placed. */
static sl_status show_scores(build *b, uint64_t rows, sl_i_score_coder *coder, sl_error *error) {
    sl_i_window *window = NULL;
    sl_i_ticker_begin(&b->ticker, "reading scores", rows);
    SL_TRY(sl_i_allocate(&window, 1, sizeof *window, "reading scores", error));
    sl_status status = SL_OK;
    for (uint64_t p = 0; p < b->num_parts && status == SL_OK; p++) {
        uint64_t num_windows = sl_i_edge_part_num_windows(&b->parts[p]);
        for (uint64_t w = 0; w < num_windows && status == SL_OK; w++) {
            status = sl_i_edge_part_collect(&b->parts[p], w, window, coder, error);
            if (status == SL_OK) status = sl_i_ticker_advance(&b->ticker, SL_I_WINDOW, error);
        }
    }
    sl_i_release(window, 1, sizeof *window);
    return status;
}

static uint64_t count_rows(const build *b) {
    uint64_t rows = 0;
    for (uint64_t p = 0; p < b->num_parts; p++) rows += b->parts[p].rows;
    return rows;
}

static sl_status make_coder(build *b, sl_i_score_coder *coder, sl_error *error) {
    uint64_t rows = count_rows(b);
    if (!b->exact) {
        sl_i_score_coder_init_rounded(coder, b->decimals);
        return SL_OK;
    }
    SL_TRY(sl_i_score_coder_init_exact(coder, rows, error));
    SL_TRY(show_scores(b, rows, coder, error));
    return sl_i_score_coder_seal(coder, &b->ticker, error);
}

/* Every lane has scratch memory of its own, which pays from some rows on. */
static uint32_t lanes_for(uint64_t rows) {
    uint64_t useful = rows / ROWS_A_LANE + 1, threads = sl_num_threads();
    return (uint32_t)(useful < threads ? useful : threads);
}

/* Records that the edges, or the hierarchies they come from, name without joining them to any. */
static sl_status remember_lone(build *b, sl_i_lone_records *loops, sl_hierarchy *made, sl_error *error) {
    for (uint64_t p = 0; p < b->num_parts; p++)
        if (b->parts[p].kind == SL_I_PART_FOREST)
            SL_TRY(sl_i_lone_add_those_of(loops, b->parts[p].hierarchy, b->parts[p].translation, error));
    return sl_i_lone_settle(loops, made, error);
}

/* `num_records` is asked for after the parts were read, because reading keyed parts appends records. */
static sl_status run(build *b, const sl_context *context, uint32_t num_records, sl_hierarchy **out, sl_error *error) {
    sl_i_score_coder coder = {0};
    sl_i_edge_groups groups = {0};
    sl_hierarchy *made = NULL;
    sl_status status;
    b->lanes = lanes_for(count_rows(b));
    SL_TRY_CLEANUP(status, make_coder(b, &coder, error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(&b->ticker, 0, error));
    SL_TRY_CLEANUP(status, sl_i_edge_groups_read(b->parts, b->num_parts, &coder, b->lanes, &b->ticker, &groups, error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(&b->ticker, 0, error));
    if (context) num_records = sl_i_append_num_records(context);
    SL_TRY_CLEANUP(status, sl_i_forest_build(num_records, &groups, &coder, b->lanes, &b->ticker, &made, error));
    SL_TRY_CLEANUP(status, remember_lone(b, &groups.loops, made, error));
    *out = sl_hierarchy_retain(made);
cleanup:
    sl_hierarchy_release(made);
    for (uint64_t p = 0; p < b->num_parts; p++) sl_i_edge_part_close(&b->parts[p]);
    sl_i_edge_groups_release(&groups);
    sl_i_score_coder_release(&coder);
    return status;
}

static sl_i_edge_part forest_part(const sl_hierarchy *hierarchy, const uint32_t *translation) {
    uint32_t n = hierarchy->num_records;
    return (sl_i_edge_part){
        .kind = SL_I_PART_FOREST, .rows = n > 0 ? n - 1u : 0, .hierarchy = hierarchy, .translation = translation};
}

static sl_status check_num_records(uint32_t num_records, sl_error *error) {
    if (num_records <= SL_MAX_RECORDS) return SL_OK;
    return sl_i_fail(error, SL_ERROR_CAPACITY, "a hierarchy holds at most %u records", SL_MAX_RECORDS);
}

sl_status sl_hierarchy_build(uint32_t num_records, const uint32_t *left, const uint32_t *right, const double *scores,
                             uint64_t count, const sl_build_options *options, sl_hierarchy **out, sl_error *error) {
    build b = {0};
    *out = NULL;
    SL_TRY(check_num_records(num_records, error));
    SL_TRY(read_options(options, &b, error));
    if (count > 0 && (!left || !right || !scores))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%s of %llu edges is missing",
                         !left    ? "left"
                         : !right ? "right"
                                  : "scores",
                         (unsigned long long)count);
    sl_i_edge_part part = {.kind = SL_I_PART_ARRAYS,
                           .rows = count,
                           .first_row = options ? options->first_row : 0,
                           .num_records = num_records,
                           .left = left,
                           .right = right,
                           .scores = {.type = SL_COLUMN_FLOAT64, .length = count, .values = scores}};
    b.parts = &part;
    b.num_parts = 1;
    return run(&b, NULL, num_records, out, error);
}

static sl_status check_batch(const sl_edges *batch, sl_error *error) {
    uint64_t left = batch->left.keys.length, right = batch->right.keys.length, scores = batch->score.length;
    if (left != right || left != scores)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the columns of the edges differ in length: left has %llu rows, right %llu, score %llu",
                         (unsigned long long)left, (unsigned long long)right, (unsigned long long)scores);
    return left == 0 ? SL_OK : sl_i_scores_check(&batch->score, error);
}

static sl_status list_parts(build *b, sl_context *context, const sl_hierarchy *base, const sl_edges *batches,
                            const sl_build_options *options, sl_error *error) {
    uint64_t first_row = options ? options->first_row : 0, next = 0;
    if (base) b->parts[next++] = forest_part(base, NULL);
    for (; next < b->num_parts; next++, batches++) {
        SL_TRY(check_batch(batches, error));
        b->parts[next] = (sl_i_edge_part){.kind = SL_I_PART_KEYED,
                                          .rows = batches->score.length,
                                          .first_row = first_row,
                                          .scores = batches->score,
                                          .context = context,
                                          .edges = batches,
                                          .known_records_only = options && options->known_records_only};
        first_row += batches->score.length;
    }
    return SL_OK;
}

sl_status sl_hierarchy_extend(sl_context *context, const sl_hierarchy *base, const sl_edges *batches,
                              size_t num_batches, const sl_build_options *options, sl_hierarchy **out,
                              sl_error *error) {
    build b = {0};
    *out = NULL;
    SL_TRY(read_options(options, &b, error));
    if (num_batches > 0 && !batches)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%zu batches are announced, and none is given", num_batches);
    b.exact |= base && base->exact; /* what was kept exact stays so */
    b.num_parts = (uint64_t)num_batches + (base != NULL);
    SL_TRY(sl_i_allocate_zeroed(&b.parts, b.num_parts, sizeof *b.parts, "the list of batches", error));
    sl_status status = sl_i_append_begin(context, error);
    if (status != SL_OK) {
        sl_i_release(b.parts, b.num_parts, sizeof *b.parts);
        return status;
    }
    sl_i_append_pause(context); /* but while keys are read */
    if (base && base->num_records > sl_i_append_num_records(context))
        status = sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                           "the hierarchy to extend has %u records, its context only %u: it belongs to another context",
                           base->num_records, sl_i_append_num_records(context));
    if (status == SL_OK) status = list_parts(&b, context, base, batches, options, error);
    if (status == SL_OK) status = run(&b, context, 0, out, error);
    if (status == SL_OK)
        sl_i_append_commit(context);
    else
        sl_i_append_rollback(context);
    sl_i_release(b.parts, b.num_parts, sizeof *b.parts);
    return status;
}

static sl_status check_translation(const sl_hierarchy *other, const uint32_t *translation, uint32_t num_records,
                                   sl_error *error) {
    if (!translation && other->num_records > num_records)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a hierarchy of %u records does not fit into %u records",
                         other->num_records, num_records);
    for (uint32_t i = 0; translation && i < other->num_records; i++)
        if (translation[i] >= num_records)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, i, -1,
                                 "record %u is translated to %u, but there are only %u records", i, translation[i],
                                 num_records);
    return SL_OK;
}

sl_status sl_hierarchy_merge(const sl_hierarchy *base, const sl_hierarchy *other, const uint32_t *translation,
                             uint32_t num_records, const sl_progress *progress, sl_hierarchy **out, sl_error *error) {
    build b = {0};
    sl_build_options options = {.progress = progress};
    sl_i_edge_part parts[2];
    *out = NULL;
    SL_TRY(check_num_records(num_records, error));
    SL_TRY(read_options(&options, &b, error));
    b.parts = parts;
    if (base) {
        SL_TRY(check_translation(base, NULL, num_records, error));
        parts[b.num_parts++] = forest_part(base, NULL);
    }
    if (other) {
        SL_TRY(check_translation(other, translation, num_records, error));
        parts[b.num_parts++] = forest_part(other, translation);
    }
    b.exact = (base && base->exact) || (other && other->exact);
    return run(&b, NULL, num_records, out, error);
}
