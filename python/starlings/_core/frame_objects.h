/* frame_objects.h: the Python objects of frames, of their states and of their changes. */
#ifndef CORE_FRAME_OBJECTS_H
#define CORE_FRAME_OBJECTS_H

#include "objects.h"

typedef struct core_frame {
    PyObject_HEAD
    sl_frame *frame;
} core_frame;

typedef struct core_frame_state {
    PyObject_HEAD
    sl_frame_state *state;
} core_frame_state;

/** A Frame that takes over the reference, released here if the object cannot be made (frame_type.c). */
PyObject *core_frame_take(core_state *state, sl_frame *frame);
/** A FrameChange begun on a frame. */
PyObject *core_frame_change_begin(core_state *state, sl_frame *frame);

/* Files (native_file.c): a function of the module and a method of FrameState. */
PyObject *core_load(PyObject *module, PyObject *arguments, PyObject *keywords);
PyObject *core_frame_state_save(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_frame_state_relation(PyObject *self, PyObject *arguments, PyObject *keywords); /* frame_relations.c */

/** The UTF-8 of a str that names a collection; borrowed from it. InvalidArgumentError for what is no str. */
const char *core_collection_name(const core_state *state, PyObject *name, size_t *length);

#endif
