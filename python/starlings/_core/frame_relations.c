/* frame_relations.c: frames as tables in the relational form, and back. */
#include "batches_type.h"
#include "frame_objects.h"

#include <string.h>

#define NUM_READ 4 /* tables that tell a frame */

static int find_relation(const core_state *state, const char *name, sl_relation *out) {
    for (int relation = 0; relation < SL_NUM_RELATIONS; relation++) {
        *out = (sl_relation)relation;
        if (strcmp(name, sl_relation_name(*out)) == 0) return 0;
    }
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "there is no table '%.100s' in the relational form", name);
}

PyObject *core_frame_state_relation(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"name", "max_expanded", "progress", NULL};
    struct ArrowArrayStream stream = {0};
    unsigned long long max_expanded = 0;
    PyObject *callback = Py_None;
    sl_relation relation;
    const char *name;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "s|KO:relation", names, &name, &max_expanded, &callback))
        return NULL;
    if (core_call_init(&call, core_state_of(self), callback) < 0 || find_relation(call.state, name, &relation) < 0)
        return NULL;
    const sl_export_options options = {.max_expanded = max_expanded, .progress = &call.progress};
    core_call_leave(&call);
    sl_status status =
        sl_frame_state_relation(((core_frame_state *)self)->state, relation, &options, &stream, &call.error);
    if (core_call_return(&call, status) == 0) return core_stream_capsule(call.state, &stream);
    if (stream.release) stream.release(&stream);
    return NULL;
}

static int check_tables(const core_state *state, PyObject *const *tables) {
    for (int i = 0; i < NUM_READ; i++)
        if (!Py_IS_TYPE(tables[i], state->batches_type))
            return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "the table '%s' is no Batches",
                              sl_relation_name((sl_relation)i));
    return 0;
}

/* Without the GIL. */
static sl_status read_frame(PyObject *const *tables, core_call *call, sl_frame **out) {
    struct ArrowArrayStream streams[NUM_READ] = {{0}};
    sl_status status = SL_OK;
    for (int i = 0; i < NUM_READ && status == SL_OK; i++) {
        const core_batches *table = (const core_batches *)tables[i];
        status = sl_batches_export(table->batches, table->rows, table->num_rows, &streams[i], &call->error);
    }
    if (status == SL_OK) return sl_frame_from_relations(streams, &call->progress, out, &call->error);
    for (int i = 0; i < NUM_READ; i++)
        if (streams[i].release) streams[i].release(&streams[i]);
    return status;
}

PyObject *core_frame_from_relations(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"records", "collections", "merge_events", "merge_groups", "progress", NULL};
    PyObject *tables[NUM_READ], *callback = Py_None;
    sl_frame *frame = NULL;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OOOO|O:frame_from_relations", names, &tables[0], &tables[1],
                                     &tables[2], &tables[3], &callback))
        return NULL;
    if (core_call_init(&call, PyModule_GetState(module), callback) < 0 || check_tables(call.state, tables) < 0)
        return NULL;
    core_call_leave(&call);
    sl_status status = read_frame(tables, &call, &frame);
    if (core_call_return(&call, status) == 0) return core_frame_take(call.state, frame);
    sl_frame_release(frame);
    return NULL;
}
