/* edges_columns.c: edges from separate columns, whose chunks need not have the same lengths. See edges_input.h.
 *
 * A piece is the longest run of rows that lies within one chunk of every column. */
#include "edges_input.h"

static int unequal(core_edge_input *input, int part) {
    return core_raise(
        input->reading->call->state, SL_ERROR_INVALID_ARGUMENT,
        "the columns of the edges have different lengths: the %s column ends after %llu rows, others go on",
        core_edge_part_names[part], (unsigned long long)(input->row - input->reading->first_row));
}

static uint64_t rows_left(core_slice slice) { return slice.chunk ? slice.chunk->column.length - slice.offset : 0; }

/* Make sure that every column has rows at hand: 1 yes, 0 all have ended, -1. */
static int refill(core_edge_input *input) {
    int ended = -1, going = -1;
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        core_slice *slice = &input->current[part];
        if (!input->columns[part].reading) continue;
        if (!rows_left(*slice)) {
            core_chunk_release(slice->chunk);
            *slice = (core_slice){.chunk = NULL};
            if (core_column_next(&input->columns[part], &slice->chunk) < 0) return -1;
        }
        if (slice->chunk)
            going = part;
        else
            ended = part;
    }
    if (ended >= 0 && going >= 0) return unequal(input, ended);
    return going >= 0;
}

static int next_run(core_edge_input *input, core_edge_piece *out) {
    *out = (core_edge_piece){.length = 0};
    if (PyErr_CheckSignals() < 0) return -1;
    int ready = refill(input);
    if (ready <= 0) return ready;
    out->length = UINT64_MAX;
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        uint64_t left = rows_left(input->current[part]);
        if (input->columns[part].reading && left < out->length) out->length = left;
    }
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        core_slice *slice = &input->current[part];
        if (!slice->chunk) continue;
        out->parts[part] = *slice;
        slice->chunk->references++;
        slice->offset += out->length;
    }
    input->row += out->length;
    return 1;
}

int core_edges_open_columns(core_edge_input *input, PyObject *const parts[CORE_EDGE_PARTS]) {
    uint64_t total = 0;
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        core_column_reader *column = &input->columns[part];
        if (!parts[part]) continue;
        if (core_column_open(input->reading, core_edge_part_roles[part], core_edge_part_names[part], parts[part], NULL,
                             column) < 0)
            return -1;
        if (!column->total) continue;
        if (total && column->total != total)
            return core_raise(
                input->reading->call->state, SL_ERROR_INVALID_ARGUMENT,
                "the columns of the edges have different lengths: the %s column has %llu rows, others %llu",
                core_edge_part_names[part], (unsigned long long)(column->total - input->row),
                (unsigned long long)(total - input->row));
        total = column->total;
    }
    input->total = total;
    input->next = next_run;
    return 0;
}
