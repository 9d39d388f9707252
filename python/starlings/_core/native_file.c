/* native_file.c: frames to files and back: FrameState.save and load. */
#include "frame_objects.h"

#include "call.h"

PyObject *core_frame_state_save(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"path", "progress", NULL};
    sl_frame_state *state = ((core_frame_state *)self)->state;
    PyObject *path = NULL, *callback = Py_None;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O&|O:save", names, PyUnicode_FSConverter, &path, &callback))
        return NULL;
    int failed = core_call_init(&call, core_state_of(self), callback);
    if (!failed) failed = core_call_check(&call, sl_frame_state_context(state)); /* whose attributes it looks up */
    if (!failed) {
        const char *bytes = PyBytes_AsString(path);
        core_call_leave(&call);
        failed = core_call_return(&call, sl_frame_state_save(state, bytes, &call.progress, &call.error));
    }
    Py_DECREF(path);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyObject *core_load(PyObject *module, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"path", "memory_map", "progress", NULL};
    PyObject *path = NULL, *callback = Py_None;
    int memory_map = 1;
    sl_frame *frame = NULL;
    core_call call;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O&|pO:load", names, PyUnicode_FSConverter, &path,
                                     &memory_map, &callback))
        return NULL;
    int failed = core_call_init(&call, PyModule_GetState(module), callback);
    if (!failed) {
        const sl_load_options options = {.read_whole = !memory_map, .progress = &call.progress};
        const char *bytes = PyBytes_AsString(path);
        core_call_leave(&call);
        failed = core_call_return(&call, sl_frame_load(bytes, &options, &frame, &call.error));
    }
    Py_DECREF(path);
    if (!failed) return core_frame_take(call.state, frame);
    sl_frame_release(frame);
    return NULL;
}
