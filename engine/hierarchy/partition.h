/* partition.h: what other layers need to know of a partition beside its arrays. */
#ifndef SL_HIERARCHY_PARTITION_H
#define SL_HIERARCHY_PARTITION_H

#include "hierarchy/hierarchy.h"

/** Borrowed. It may cover fewer records than the partition. */
const sl_hierarchy *sl_i_partition_hierarchy(const sl_partition *partition);

#endif
