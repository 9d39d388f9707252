/* diff_type.c: the Diff type: what changed between two labellings, as arrays over all changes. */
#include "buffer_type.h"
#include "objects.h"

#include <stdlib.h>

typedef struct core_diff {
    PyObject_HEAD
    sl_diff *diff;
    uint32_t first[SL_NUM_CHANGE_KINDS +
                   1]; /* number of the first change of each kind; behind the last, how many there are */
} core_diff;

static core_diff *cast(PyObject *self) { return (core_diff *)self; }

static int create(core_call *call, core_diff *self, const Py_buffer *before, uint32_t num_before,
                  const Py_buffer *after, uint32_t num_after) {
    uint64_t records = core_array_length(before);
    if (core_array_length(after) != records || records > SL_MAX_RECORDS)
        return core_raise(call->state, SL_ERROR_INVALID_ARGUMENT, "there are %llu labels before and %llu after",
                          (unsigned long long)records, (unsigned long long)core_array_length(after));
    core_call_leave(call);
    sl_status status =
        sl_diff_create(before->buf, num_before, after->buf, num_after, (uint32_t)records, &self->diff, &call->error);
    if (core_call_return(call, status) < 0) return -1;
    for (int kind = 0; kind < SL_NUM_CHANGE_KINDS; kind++)
        self->first[kind + 1] = self->first[kind] + sl_diff_count(self->diff, (sl_change_kind)kind);
    return 0;
}

static PyObject *diff_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"before", "num_before", "after", "num_after", NULL};
    core_state *state = PyType_GetModuleState(type);
    PyObject *before, *after;
    uint32_t num_before, num_after;
    Py_buffer before_view = {0}, after_view = {0};
    core_call call;
    if (!state ||
        !PyArg_ParseTupleAndKeywords(arguments, keywords, "OO&OO&:Diff", names, &before, core_uint32_argument,
                                     &num_before, &after, core_uint32_argument, &num_after) ||
        core_call_init(&call, state, NULL) < 0 ||
        core_array_view(state, before, SL_COLUMN_UINT32, "before", &before_view) < 0)
        return NULL;
    core_diff *self = NULL;
    if (core_array_view(state, after, SL_COLUMN_UINT32, "after", &after_view) == 0) {
        self = (core_diff *)core_object_new(type, sizeof *self);
        if (self && create(&call, self, &before_view, num_before, &after_view, num_after) < 0) Py_CLEAR(self);
        PyBuffer_Release(&after_view);
    }
    PyBuffer_Release(&before_view);
    return (PyObject *)self;
}

static void diff_dealloc(PyObject *object) {
    sl_diff_release(cast(object)->diff);
    core_object_free(object);
}

static uint32_t num_changes(const core_diff *self) { return self->first[SL_NUM_CHANGE_KINDS]; }

static PyObject *get_counts(PyObject *self, void *closure) {
    (void)closure;
    PyObject *counts = PyTuple_New(SL_NUM_CHANGE_KINDS);
    for (int kind = 0; counts && kind < SL_NUM_CHANGE_KINDS; kind++) {
        PyObject *count = PyLong_FromUnsignedLong(sl_diff_count(cast(self)->diff, (sl_change_kind)kind));
        if (!count || PyTuple_SetItem(counts, kind, count) < 0) Py_CLEAR(counts);
    }
    return counts;
}

/* The ids of all changes, which follow one another in memory. */
static PyObject *ids_buffer(PyObject *self, bool after) {
    sl_change first, last;
    uint64_t length = 0;
    if (sl_diff_get(cast(self)->diff, 0, &first)) {
        (void)sl_diff_get(cast(self)->diff, num_changes(cast(self)) - 1, &last);
        length = after ? (uint64_t)(last.after - first.after) + last.num_after
                       : (uint64_t)(last.before - first.before) + last.num_before;
    }
    return core_buffer_borrow(core_state_of(self), self, after ? first.after : first.before, length, 'I');
}

static PyObject *get_before(PyObject *self, void *closure) {
    (void)closure;
    return ids_buffer(self, false);
}

static PyObject *get_after(PyObject *self, void *closure) {
    (void)closure;
    return ids_buffer(self, true);
}

/* One number of every change. */
static PyObject *numbers_buffer(PyObject *self, size_t offset) {
    const core_state *state = core_state_of(self);
    uint32_t count = num_changes(cast(self));
    uint32_t *numbers = core_allocate(state, count, sizeof *numbers, "changes");
    if (!numbers) return NULL;
    PyThreadState *thread = PyEval_SaveThread();
    sl_change change;
    for (uint32_t i = 0; sl_diff_get(cast(self)->diff, i, &change); i++)
        numbers[i] = *(const uint32_t *)(const void *)((const char *)&change + offset);
    PyEval_RestoreThread(thread);
    return core_buffer_take(state, numbers, count, 'I');
}

static PyObject *get_num_before(PyObject *self, void *closure) {
    (void)closure;
    return numbers_buffer(self, offsetof(sl_change, num_before));
}

static PyObject *get_num_after(PyObject *self, void *closure) {
    (void)closure;
    return numbers_buffer(self, offsetof(sl_change, num_after));
}

static PyObject *get_num_records(PyObject *self, void *closure) {
    (void)closure;
    return numbers_buffer(self, offsetof(sl_change, num_records));
}

static PyGetSetDef diff_getset[] = {
    {"counts", get_counts, NULL, "Changes of each kind: unchanged, split, merged, rearranged.", NULL},
    {"before", get_before, NULL, "Entities before, change by change (uint32).", NULL},
    {"after", get_after, NULL, "Entities after, change by change (uint32).", NULL},
    {"num_before", get_num_before, NULL, "Entities before of each change (uint32).", NULL},
    {"num_after", get_num_after, NULL, "Entities after of each change (uint32).", NULL},
    {"num_records", get_num_records, NULL, "Records of each change (uint32).", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot diff_slots[] = {
    {Py_tp_doc, (char *)"What changed between two partitions. Immutable."},
    {Py_tp_new, (void *)diff_new},
    {Py_tp_dealloc, (void *)diff_dealloc},
    {Py_tp_getset, diff_getset},
    {0, NULL},
};

PyType_Spec core_diff_spec = {
    .name = "starlings._core.Diff",
    .basicsize = sizeof(core_diff),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = diff_slots,
};
