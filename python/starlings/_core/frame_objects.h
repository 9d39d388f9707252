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

/** A FrameChange begun on a frame. */
PyObject *core_frame_change_begin(core_state *state, sl_frame *frame);

/** The UTF-8 of a str that names a collection; borrowed from it. InvalidArgumentError for what is no str. */
const char *core_collection_name(const core_state *state, PyObject *name, size_t *length);

#endif
