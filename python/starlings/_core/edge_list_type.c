/* edge_list_type.c: the EdgeList type: the edges that a hierarchy kept, as Buffers that keep them alive. */
#include "buffer_type.h"
#include "objects.h"

#include <string.h>

typedef struct core_edge_list {
    PyObject_HEAD
    sl_edge_list *edges;
} core_edge_list;

static const sl_edge_list *of(PyObject *self) { return ((core_edge_list *)self)->edges; }

static const char *const keep_names[] = {
    [SL_KEEP_NOTHING] = "nothing", [SL_KEEP_FOREST] = "forest", [SL_KEEP_ALL] = "all"};

int core_read_keep(const core_state *state, const char *text, sl_keep *out) {
    for (int keep = SL_KEEP_NOTHING; keep <= SL_KEEP_ALL; keep++)
        if (strcmp(text, keep_names[keep]) == 0) {
            *out = (sl_keep)keep;
            return 0;
        }
    return core_raise(state, SL_ERROR_INVALID_ARGUMENT, "keep must be \"nothing\", \"forest\" or \"all\", not \"%s\"",
                      text);
}

PyObject *core_keep_name(sl_keep keep) { return PyUnicode_FromString(keep_names[keep]); }

PyObject *core_edge_list_of(core_state *state, const sl_edge_list *edges) {
    core_edge_list *self = (core_edge_list *)core_object_new(state->edge_list_type, sizeof *self);
    if (self) self->edges = sl_edge_list_retain(edges);
    return (PyObject *)self;
}

static void edge_list_dealloc(PyObject *object) {
    sl_edge_list_release(((core_edge_list *)object)->edges);
    core_object_free(object);
}

static Py_ssize_t edge_list_length(PyObject *self) { return (Py_ssize_t)sl_edge_list_count(of(self)); }

static PyObject *column(PyObject *self, const void *values, char format) {
    return core_buffer_borrow(core_state_of(self), self, values, sl_edge_list_count(of(self)), format);
}

static PyObject *get_left(PyObject *self, void *closure) {
    (void)closure;
    return column(self, sl_edge_list_left(of(self)), 'I');
}

static PyObject *get_right(PyObject *self, void *closure) {
    (void)closure;
    return column(self, sl_edge_list_right(of(self)), 'I');
}

static PyObject *get_scores(PyObject *self, void *closure) {
    (void)closure;
    return column(self, sl_edge_list_scores(of(self)), 'd');
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLong(sl_edge_list_num_records(of(self)));
}

static PyObject *get_nbytes(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(sl_edge_list_memory(of(self)));
}

static PyObject *edge_list_neighbours(PyObject *self, PyObject *argument) {
    core_state *state = core_state_of(self);
    const uint32_t *records = NULL, *edges = NULL;
    uint32_t record, count = 0;
    core_call call;
    if (!core_uint32_argument(argument, &record) || core_call_init(&call, state, NULL) < 0) return NULL;
    core_call_leave(&call);
    sl_status status = sl_edge_list_neighbours(of(self), record, &records, &edges, &count, &call.error);
    if (core_call_return(&call, status) < 0) return NULL;
    PyObject *first = core_buffer_borrow(state, self, records, count, 'I');
    PyObject *second = first ? core_buffer_borrow(state, self, edges, count, 'I') : NULL;
    if (second) return Py_BuildValue("NN", first, second);
    Py_XDECREF(first);
    return NULL;
}

static PyMethodDef edge_list_methods[] = {
    {"neighbours", edge_list_neighbours, METH_O, "Neighbours of a record, strongest first, and the edges to them."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef edge_list_getset[] = {
    {"num_records", get_num_records, NULL, "Number of records.", NULL},
    {"left", get_left, NULL, "The smaller record of each edge (uint32).", NULL},
    {"right", get_right, NULL, "The larger record of each edge (uint32).", NULL},
    {"scores", get_scores, NULL, "Scores, descending (float64).", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes held.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot edge_list_slots[] = {
    {Py_tp_doc, (char *)"The edges that a hierarchy kept, strongest first. Immutable."},
    {Py_tp_dealloc, (void *)edge_list_dealloc},
    {Py_sq_length, (void *)edge_list_length},
    {Py_tp_methods, edge_list_methods},
    {Py_tp_getset, edge_list_getset},
    {0, NULL},
};

PyType_Spec core_edge_list_spec = {
    .name = "starlings._core.EdgeList",
    .basicsize = sizeof(core_edge_list),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = edge_list_slots,
};
