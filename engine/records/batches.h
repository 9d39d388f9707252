/* batches.h: inside the Arrow batches that attributes are kept in.
 *
 * The structs of a stream, moved out of it and never changed until they are released with the last reference; whoever shares
 * their buffers (interchange/batches_export.c) holds a reference. Rows are counted over all batches: those of batch `b` are
 * starts[b] .. starts[b + 1] - 1.
 *
 * Batches come from other people's code: what would make a reader of the structs (not of the buffers, which are only passed
 * on) go astray is checked once here. */
#ifndef SL_RECORDS_BATCHES_H
#define SL_RECORDS_BATCHES_H

#include <stdatomic.h>

#include "support/memory.h"

struct sl_batches {
    struct ArrowSchema schema;
    struct ArrowArray *arrays;
    uint64_t *starts; /* count + 1 of them */
    uint64_t count, capacity;
    atomic_uint references;
};

#endif
