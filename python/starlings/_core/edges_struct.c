/* edges_struct.c: edges from an Arrow stream of struct arrays (tables, record batches, data frames). See edges_input.h.
 *
 * One piece a batch. The fields in use are moved out of the batch, so the rest of it is freed at once; a column that is two
 * parts (one source column for both sides) is one chunk with two references. */
#include "edges_input.h"

static int fields_of(core_edge_input *input, struct ArrowArray *array, core_edge_piece *out) {
    core_call *call = input->reading->call;
    for (int part = 0; part < CORE_EDGE_PARTS; part++) {
        int field = input->fields[part], same = -1;
        if (field < 0) continue;
        for (int earlier = 0; earlier < part; earlier++)
            if (input->fields[earlier] == field) same = earlier;
        const core_place place = {core_edge_part_names[part], input->row};
        core_chunk *chunk;
        if (same >= 0) {
            chunk = out->parts[same].chunk;
            chunk->references++;
        } else {
            chunk = core_chunk_from_field(call, core_edge_part_roles[part], &place, &input->arrow.schema, array, field);
            if (!chunk) return -1;
        }
        out->parts[part].chunk = chunk;
        if (core_edge_part_roles[part] == CORE_KEYS && core_chunk_check_keys(call->state, chunk, &place) < 0) return -1;
        if (core_edge_part_roles[part] == CORE_SOURCES &&
            core_chunk_names_to_ids(input->reading, chunk, input->row) < 0)
            return -1;
    }
    return 0;
}

static int next_batch(core_edge_input *input, core_edge_piece *out) {
    struct ArrowArray array;
    core_call *call = input->reading->call;
    for (;;) {
        *out = (core_edge_piece){.length = 0};
        if (PyErr_CheckSignals() < 0) return -1;
        int got = core_arrow_next(call, &input->arrow, &array);
        if (got <= 0) return got;
        out->length = array.length > 0 ? (uint64_t)array.length : 0;
        int failed = core_arrow_check_struct(call, &input->arrow.schema, &array, input->row);
        if (!failed && out->length) failed = fields_of(input, &array, out);
        array.release(&array);
        if (failed) {
            core_edge_piece_release(out);
            return -1;
        }
        if (!out->length) continue;
        input->row += out->length;
        return 1;
    }
}

int core_edges_open_struct(core_edge_input *input, PyObject *columns) {
    const core_state *state = input->reading->call->state;
    if (!core_arrow_is_struct(&input->arrow))
        return core_raise(state, SL_ERROR_INVALID_ARGUMENT,
                          "edges need columns left, right and score; this Arrow data is one column of format '%s'",
                          input->arrow.schema.format);
    PyObject *names = core_arrow_field_names(&input->arrow);
    if (!names) return -1;
    int failed = core_edges_choose_columns(input->reading, names, columns, input->fields);
    Py_DECREF(names);
    input->next = next_batch;
    return failed;
}
