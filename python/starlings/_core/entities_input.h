/* entities_input.h: hierarchies of one level, from entities that are already known. */
#ifndef CORE_ENTITIES_INPUT_H
#define CORE_ENTITIES_INPUT_H

#include "keys_input.h"

/** records.values[i] is in entity entities[i] of `num_entities`, joined at `threshold`. The OverlapError names the record and
 *  its entities, by their position or, where `labels` is given, by its record of that index. */
PyObject *core_hierarchy_of_entities(core_context *self, core_call *call, const core_indices *records,
                                     const uint32_t *entities, uint32_t num_entities, double threshold,
                                     const sl_context *labels);

#endif
