/* arrow_tables.h: frames, collections and the members of entities as Arrow tables: methods and functions of the module. */
#ifndef CORE_ARROW_TABLES_H
#define CORE_ARROW_TABLES_H

#include "objects.h"

/** FrameState.export and Collection.export: a capsule with a stream. */
PyObject *core_frame_state_export(PyObject *self, PyObject *arguments, PyObject *keywords);
PyObject *core_collection_export(PyObject *self, PyObject *arguments, PyObject *keywords);

PyObject *core_import_frame(PyObject *module, PyObject *arguments, PyObject *keywords);
PyObject *core_import_collection(PyObject *module, PyObject *arguments, PyObject *keywords);
PyObject *core_from_membership(PyObject *module, PyObject *arguments, PyObject *keywords);

#endif
