/* build.c: the public ways to build a hierarchy from edges. All of them are one: list the parts the edges come from (arrays,
 * keyed batches, forests of earlier hierarchies), place the edges by score, run Kruskal, keep the leaf order.
 *
 * Where edges are kept, which of several of one score is in the forest must not depend on the order in which they came, so Kruskal
 * runs over a list in canonical order instead, which is then kept or not. The forest of all edges is that of the forests of any
 * parts of them, so what earlier hierarchies kept goes in like new edges. */
#include <string.h>

#include "hierarchy/constraints.h"
#include "hierarchy/edge_list_build.h"
#include "hierarchy/forest.h"
#include "hierarchy/kept_edges.h"
#include "hierarchy/listed_forest.h"

#define ROWS_A_LANE 16384u

typedef struct build {
    sl_i_edge_part *parts;
    uint64_t num_parts;
    sl_scale scale;
    sl_keep keep;
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
    SL_TRY(sl_i_check_keep(options->keep, error));
    SL_TRY(sl_i_check_scale(options->scale, error));
    b->exact = options->exact;
    b->decimals = options->decimals ? options->decimals : 6;
    b->scale = options->scale;
    b->keep = options->keep;
    b->ticker = sl_i_ticker_make(options->progress);
    return SL_OK;
}

/* A coder that ranks the distinct scores of all parts has to see them before the edges are placed. */
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
    if (b->scale == SL_SCALE_WEIGHT) {
        SL_TRY(sl_i_score_coder_init_weights(coder, b->exact ? 0 : b->decimals, rows, error));
    } else if (b->exact) {
        SL_TRY(sl_i_score_coder_init_exact(coder, rows, error));
    } else {
        sl_i_score_coder_init_rounded(coder, b->decimals);
        return SL_OK;
    }
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
        if (b->parts[p].hierarchy)
            SL_TRY(sl_i_lone_add_those_of(loops, b->parts[p].hierarchy, b->parts[p].translation, error));
    return sl_i_lone_settle(loops, made, error);
}

static sl_status place_edges(build *b, sl_i_score_coder *coder, sl_i_edge_groups *groups, sl_error *error) {
    b->lanes = lanes_for(count_rows(b));
    SL_TRY(make_coder(b, coder, error));
    SL_TRY(sl_i_ticker_advance(&b->ticker, 0, error));
    SL_TRY(sl_i_edge_groups_read(b->parts, b->num_parts, coder, b->lanes, &b->ticker, groups, error));
    return sl_i_ticker_advance(&b->ticker, 0, error);
}

static void tear_down(build *b, sl_i_score_coder *coder, sl_i_edge_groups *groups) {
    for (uint64_t p = 0; p < b->num_parts; p++) sl_i_edge_part_close(&b->parts[p]);
    sl_i_edge_groups_release(groups);
    sl_i_score_coder_release(coder);
}

static sl_status join_keeping(build *b, uint32_t num_records, sl_i_edge_groups *groups, const sl_i_score_coder *coder,
                              sl_hierarchy **out, sl_error *error) {
    sl_edge_list *edges = NULL;
    SL_TRY(sl_i_edge_list_build(num_records, groups, coder, b->lanes, &b->ticker, &edges, error));
    sl_i_score_kind kind = {.scale = b->scale, .exact = b->exact};
    sl_status status = sl_i_forest_build_listed(num_records, edges, kind, NULL, &b->ticker, out, error);
    if (status == SL_OK && b->keep == SL_KEEP_ALL) (*out)->edges = sl_edge_list_retain(edges);
    sl_edge_list_release(edges);
    return status;
}

/* `num_records` is asked for after the parts were read, because reading keyed parts appends records. */
static sl_status run(build *b, const sl_context *context, uint32_t num_records, sl_hierarchy **out, sl_error *error) {
    sl_i_score_coder coder = {0};
    sl_i_edge_groups groups = {0};
    sl_hierarchy *made = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, place_edges(b, &coder, &groups, error));
    if (context) num_records = sl_i_append_num_records(context);
    if (b->keep == SL_KEEP_NOTHING)
        status = sl_i_forest_build(num_records, &groups, &coder, b->lanes, &b->ticker, &made, error);
    else
        status = join_keeping(b, num_records, &groups, &coder, &made, error);
    if (status == SL_OK) status = remember_lone(b, &groups.loops, made, error);
    if (status == SL_OK) *out = sl_hierarchy_retain(made);
cleanup:
    sl_hierarchy_release(made);
    tear_down(b, &coder, &groups);
    return status;
}

/* Only the list of the edges. */
static sl_status run_list(build *b, uint32_t num_records, sl_edge_list **out, sl_error *error) {
    sl_i_score_coder coder = {0};
    sl_i_edge_groups groups = {0};
    sl_status status = place_edges(b, &coder, &groups, error);
    if (status == SL_OK) status = sl_i_edge_list_build(num_records, &groups, &coder, b->lanes, &b->ticker, out, error);
    tear_down(b, &coder, &groups);
    return status;
}

static sl_i_edge_part forest_part(const sl_hierarchy *hierarchy, const uint32_t *translation) {
    uint32_t n = hierarchy->num_records;
    return (sl_i_edge_part){
        .kind = SL_I_PART_FOREST, .rows = n > 0 ? n - 1u : 0, .hierarchy = hierarchy, .translation = translation};
}

static sl_i_edge_part list_part(const sl_hierarchy *hierarchy, const uint32_t *translation) {
    return (sl_i_edge_part){
        .kind = SL_I_PART_LIST, .rows = hierarchy->edges->count, .hierarchy = hierarchy, .translation = translation};
}

/* What stands for an earlier hierarchy that is joined with others: its forest, unless all its edges are to be kept. */
static sl_i_edge_part earlier_part(const sl_hierarchy *hierarchy, const uint32_t *translation, sl_keep keep) {
    bool all = hierarchy->edges && keep == SL_KEEP_ALL;
    return all ? list_part(hierarchy, translation) : forest_part(hierarchy, translation);
}

/* A build of edges in arrays, which are its one part. */
static sl_status open_arrays(uint32_t num_records, const uint32_t *left, const uint32_t *right, const double *scores,
                             uint64_t count, const sl_build_options *options, sl_i_edge_part *part, build *b,
                             sl_error *error) {
    SL_TRY(read_options(options, b, error));
    SL_TRY(sl_i_check_num_records(num_records, error));
    if (count > 0 && (!left || !right || !scores))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%s of %llu edges is missing",
                         !left    ? "left"
                         : !right ? "right"
                                  : "scores",
                         (unsigned long long)count);
    *part = (sl_i_edge_part){.kind = SL_I_PART_ARRAYS,
                             .rows = count,
                             .first_row = options ? options->first_row : 0,
                             .num_records = num_records,
                             .left = left,
                             .right = right,
                             .scores = {.type = SL_COLUMN_FLOAT64, .length = count, .values = scores}};
    b->parts = part;
    b->num_parts = 1;
    return SL_OK;
}

sl_status sl_hierarchy_build(uint32_t num_records, const uint32_t *left, const uint32_t *right, const double *scores,
                             uint64_t count, const sl_build_options *options, sl_hierarchy **out, sl_error *error) {
    sl_i_edge_part part;
    build b = {0};
    *out = NULL;
    SL_TRY(open_arrays(num_records, left, right, scores, count, options, &part, &b, error));
    return run(&b, NULL, num_records, out, error);
}

sl_status sl_edge_list_create(uint32_t num_records, const uint32_t *left, const uint32_t *right, const double *scores,
                              uint64_t count, const sl_build_options *options, sl_edge_list **out, sl_error *error) {
    sl_i_edge_part part;
    build b = {0};
    *out = NULL;
    SL_TRY(open_arrays(num_records, left, right, scores, count, options, &part, &b, error));
    return run_list(&b, num_records, out, error);
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
    if (base) b->parts[next++] = earlier_part(base, NULL, b->keep);
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

static sl_status check_base(const sl_context *context, const sl_hierarchy *base, sl_error *error) {
    if (!base) return SL_OK;
    uint32_t known = sl_i_append_num_records(context);
    if (base->num_records > known)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the hierarchy to extend has %u records, its context only %u: it belongs to another context",
                         base->num_records, known);
    if (base->constraints && !base->edges)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the hierarchy to extend has constraints, which are applied anew to all its edges, and it did "
                         "not keep them: build it with SL_KEEP_ALL to extend it");
    return SL_OK;
}

/* Under constraints what may be joined depends on all edges: extend without them, then constrain what came of it. */
static sl_status run_constrained(build *b, const sl_context *context, const sl_hierarchy *base, sl_keep keep,
                                 sl_hierarchy **out, sl_error *error) {
    sl_hierarchy *made = NULL;
    SL_TRY(run(b, context, 0, &made, error));
    sl_status status = sl_i_hierarchy_constrain(context, made, &base->constraints->given, keep, &b->ticker, out, error);
    sl_hierarchy_release(made);
    return status;
}

static sl_status run_extension(build *b, sl_context *context, const sl_hierarchy *base, const sl_edges *batches,
                               const sl_build_options *options, sl_hierarchy **out, sl_error *error) {
    sl_keep keep = b->keep;
    SL_TRY(check_base(context, base, error));
    if (base && base->constraints) b->keep = SL_KEEP_ALL;
    SL_TRY(list_parts(b, context, base, batches, options, error));
    if (base && base->constraints) return run_constrained(b, context, base, keep, out, error);
    return run(b, context, 0, out, error);
}

sl_status sl_hierarchy_extend(sl_context *context, const sl_hierarchy *base, const sl_edges *batches,
                              size_t num_batches, const sl_build_options *options, sl_hierarchy **out,
                              sl_error *error) {
    build b = {0};
    *out = NULL;
    SL_TRY(read_options(options, &b, error));
    if (num_batches > 0 && !batches)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%zu batches are announced, and none is given", num_batches);
    if (base && base->scale != b.scale)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "a hierarchy of %s cannot be extended with %s: give scores on the scale it was made with",
                         sl_i_scale_name(base->scale), sl_i_scale_name(b.scale));
    b.exact |= base && base->exact; /* what was kept exact stays so */
    b.num_parts = (uint64_t)num_batches + (base != NULL);
    SL_TRY(sl_i_allocate_zeroed(&b.parts, b.num_parts, sizeof *b.parts, "the list of batches", error));
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_append_begin(context, error));
    sl_i_append_pause(context); /* but while keys are read */
    status = run_extension(&b, context, base, batches, options, out, error);
    if (status == SL_OK)
        sl_i_append_commit(context);
    else
        sl_i_append_rollback(context);
cleanup:
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

/* A hierarchy alone stays the partition that it is, constraints or not: it is its forest that is joined again, and not the edges
 * that constraints left out. Those are listed anew, as other records may be the smaller ones now. */
static sl_status translate_constrained(build *b, uint32_t num_records, sl_hierarchy **out, sl_error *error) {
    const sl_hierarchy *from = b->parts[0].hierarchy;
    const uint32_t *translation = b->parts[0].translation;
    sl_hierarchy *made = NULL;
    b->parts[0] = forest_part(from, translation);
    b->keep = from->forest_left ? SL_KEEP_FOREST : SL_KEEP_NOTHING;
    SL_TRY(run(b, NULL, num_records, &made, error));
    sl_status status = SL_OK;
    if (from->edges) {
        b->parts[0] = list_part(from, translation);
        status = run_list(b, num_records, &made->edges, error);
    }
    made->constraints = sl_i_constraints_retain(from->constraints);
    if (status == SL_OK)
        *out = made;
    else
        sl_hierarchy_release(made);
    return status;
}

/* What both kept; a hierarchy that is not there kept whatever there is. */
static sl_keep kept_by_both(const sl_hierarchy *base, const sl_hierarchy *other) {
    sl_keep of_base = base ? sl_hierarchy_kept(base) : SL_KEEP_ALL;
    sl_keep of_other = other ? sl_hierarchy_kept(other) : SL_KEEP_ALL;
    if (!base && !other) return SL_KEEP_NOTHING;
    return of_base < of_other ? of_base : of_other;
}

static sl_status merged_part(build *b, const sl_hierarchy *hierarchy, const uint32_t *translation, uint32_t num_records,
                             sl_error *error) {
    if (!hierarchy) return SL_OK;
    SL_TRY(check_translation(hierarchy, translation, num_records, error));
    b->exact |= hierarchy->exact;
    b->scale = hierarchy->scale;
    b->parts[b->num_parts++] = earlier_part(hierarchy, translation, b->keep);
    return SL_OK;
}

/* What constraints would leave out of both together is not known from what they left out of each. */
static sl_status check_both(const sl_hierarchy *base, const sl_hierarchy *other, sl_error *error) {
    if (!base || !other) return SL_OK;
    if (base->scale != other->scale)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "a hierarchy of %s and one of %s cannot be merged: their scores do not compare",
                         sl_i_scale_name(base->scale), sl_i_scale_name(other->scale));
    if (!base->constraints && !other->constraints) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "a hierarchy with constraints cannot be merged with another: merge the two, then constrain them");
}

sl_status sl_hierarchy_merge(const sl_hierarchy *base, const sl_hierarchy *other, const uint32_t *translation,
                             uint32_t num_records, const sl_progress *progress, sl_hierarchy **out, sl_error *error) {
    sl_build_options options = {.progress = progress, .keep = kept_by_both(base, other)};
    sl_i_edge_part parts[2];
    build b = {.parts = parts};
    *out = NULL;
    SL_TRY(sl_i_check_num_records(num_records, error));
    SL_TRY(read_options(&options, &b, error));
    SL_TRY(check_both(base, other, error));
    SL_TRY(merged_part(&b, base, NULL, num_records, error));
    SL_TRY(merged_part(&b, other, translation, num_records, error));
    if (b.num_parts == 1 && parts[0].hierarchy->constraints) return translate_constrained(&b, num_records, out, error);
    return run(&b, NULL, num_records, out, error);
}
