/* edges_input.h: scored pairs from whatever Python object holds them, as aligned pieces of columns. */
#ifndef CORE_EDGES_INPUT_H
#define CORE_EDGES_INPUT_H

#include "columns.h"

/** The parts of an edge. The sources are optional. */
typedef enum core_edge_part {
    CORE_LEFT,
    CORE_RIGHT,
    CORE_SCORE,
    CORE_LEFT_SOURCE,
    CORE_RIGHT_SOURCE,
    CORE_EDGE_PARTS
} core_edge_part;

extern const char *const core_edge_part_names[CORE_EDGE_PARTS]; /* "left key", ... for messages */
extern const core_role core_edge_part_roles[CORE_EDGE_PARTS];

/** Equally long runs of rows of each part. Whoever holds it owns a reference to each chunk. */
typedef struct core_edge_piece {
    core_slice parts[CORE_EDGE_PARTS];
    uint64_t length;
} core_edge_piece;
void core_edge_piece_release(core_edge_piece *piece);

/** Something that gives pieces of edges, in order. */
typedef struct core_edge_input {
    core_reading *reading;
    int (*next)(struct core_edge_input *input, core_edge_piece *out); /* 1: one piece, never empty; 0: the end; -1 */
    uint64_t row;                                                     /* of the next piece, in the whole input */
    core_arrow arrow;                                                 /* a struct stream ... */
    int fields[CORE_EDGE_PARTS];                 /* ... and which of its fields are what; -1: none */
    core_column_reader columns[CORE_EDGE_PARTS]; /* or separate columns; reading NULL: no such column ... */
    core_slice current[CORE_EDGE_PARTS];         /* ... and what is left of their chunks */
    PyObject *iterator;                          /* or rows */
    uint64_t total;                              /* where the rows end, 0: unknown */
} core_edge_input;

/** Open any form of edges. `columns`: None or the five names of the parts (str or None). */
int core_edges_open(core_reading *reading, PyObject *edges, PyObject *columns, core_edge_input *out);
void core_edges_close(core_edge_input *input);

/** Say which of the named columns are the parts of an edge: `chosen[part]` is an index into `names` (a list of str), -1 for none.
 *  InvalidArgumentError lists the columns found. */
int core_edges_choose_columns(const core_reading *reading, PyObject *names, PyObject *columns,
                              int chosen[CORE_EDGE_PARTS]);

/* The three kinds of input; each sets `next` and what it needs, and is closed by core_edges_close. */
int core_edges_open_struct(core_edge_input *input, PyObject *columns); /* edges_struct.c, of input->arrow */
int core_edges_open_columns(core_edge_input *input, PyObject *const parts[CORE_EDGE_PARTS]); /* edges_columns.c */
int core_edges_open_rows(core_edge_input *input, PyObject *edges);                           /* edges_rows.c */

#endif
