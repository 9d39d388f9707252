/* edge_part.h: where the edges of a build come from, one kind behind one interface.
 *
 * A build reads several parts one after the other: index arrays, batches of keyed columns, and the forests of hierarchies
 * built before, or all edges that these kept. A part is read a window of rows at a time, its scores twice (to count them, then
 * to place them), its records once. Rows of a part without an edge (a forest's seams that never close) are left out of the
 * window. */
#ifndef SL_HIERARCHY_EDGE_PART_H
#define SL_HIERARCHY_EDGE_PART_H

#include "hierarchy/hierarchy.h"
#include "hierarchy/scores.h"
#include "records/append.h"

#define SL_I_WINDOW 65536u /* rows read at a time */

typedef enum sl_i_edge_part_kind {
    SL_I_PART_ARRAYS,
    SL_I_PART_KEYED,
    SL_I_PART_FOREST,
    SL_I_PART_LIST
} sl_i_edge_part_kind;

typedef struct sl_i_edge_part {
    sl_i_edge_part_kind kind;
    uint64_t rows;      /* some may hold no edge */
    uint64_t first_row; /* for row numbers in errors */
    /* arrays */
    uint32_t num_records; /* indices must be below it */
    const uint32_t *left, *right;
    /* arrays and keyed */
    sl_column scores;
    /* keyed: opened when its turn comes, because reading the keys of one part appends records for the next */
    sl_context *context;
    const sl_edges *edges;
    bool known_records_only;
    sl_i_pair_reader *reader;
    /* forest (the edges it kept, else neighbours in its order) and list (all edges it kept) */
    const sl_hierarchy *hierarchy;
    const uint32_t *translation; /* record -> record of the result, or NULL */
    uint32_t *level_codes;       /* forest: by level; made by sl_i_edge_part_prepare */
} sl_i_edge_part;

/** Scratch for one window of one reader. */
typedef struct sl_i_window {
    uint64_t count; /* edges read */
    uint32_t left[SL_I_WINDOW], right[SL_I_WINDOW], codes[SL_I_WINDOW];
    double scores[SL_I_WINDOW];
} sl_i_window;

uint64_t sl_i_edge_part_num_windows(const sl_i_edge_part *part);
/** A part's turn to have its records read has come: open a keyed part's reader. */
sl_status sl_i_edge_part_open(sl_i_edge_part *part, uint32_t lanes, sl_i_ticker *ticker, sl_error *error) SL_MUST_USE;
/** Around the reading of a sequential part's records: between them others may look keys up. */
void sl_i_edge_part_begin_reading(sl_i_edge_part *part);
void sl_i_edge_part_end_reading(sl_i_edge_part *part);
/** The part's records must be read in order by one thread at a time; those of others may be read anywhere in parallel. */
bool sl_i_edge_part_is_sequential(const sl_i_edge_part *part);
/** Show a window's scores to a coder that ranks them. */
sl_status sl_i_edge_part_collect(const sl_i_edge_part *part, uint64_t window, sl_i_window *scratch,
                                 sl_i_score_coder *coder, sl_error *error) SL_MUST_USE;
/** Code the levels of a forest. */
sl_status sl_i_edge_part_prepare(sl_i_edge_part *part, const sl_i_score_coder *coder, sl_error *error) SL_MUST_USE;
/** Codes of a window's edges, into scratch->codes and count. SL_ERROR_INVALID_SCORE with the row. */
sl_status sl_i_edge_part_read_codes(const sl_i_edge_part *part, uint64_t window, const sl_i_score_coder *coder,
                                    sl_i_window *scratch, sl_error *error) SL_MUST_USE;
/** Records of a window's edges, into scratch->left, right and count, once the part is open. */
sl_status sl_i_edge_part_read_records(sl_i_edge_part *part, uint64_t window, sl_i_window *scratch, sl_error *error)
    SL_MUST_USE;
/** Free what the part made for itself. */
void sl_i_edge_part_close(sl_i_edge_part *part);

#endif
