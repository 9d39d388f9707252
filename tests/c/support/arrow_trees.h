/* arrow_trees.h: Arrow tables that a test holds: compared, handed out again as streams, spoilt in one place and mended. */
#ifndef SL_TESTS_ARROW_TREES_H
#define SL_TESTS_ARROW_TREES_H

#include "support/expect.h"

/** A schema and its batches, which the table owns. */
typedef struct arrow_table {
    struct ArrowSchema schema;
    struct ArrowArray batches[64];
    uint32_t count;
} arrow_table;

/** All of a stream, which is released. */
void arrow_table_read(struct ArrowArrayStream *stream, arrow_table *out);
void arrow_table_free(arrow_table *table);
/** A stream of it that shares every buffer: its structs are copies that stay the table's, so that what reads it may release them.
 *  `table` lives as long as the stream and what came from it; arrow_copies_free frees the copies after that. */
struct ArrowArrayStream arrow_table_stream(const arrow_table *table);
void arrow_copies_free(void);
/** The same types, names, flags, metadata and values; where they differ in *out_where. Offsets and null counts are looked through. */
bool arrow_table_equal(const arrow_table *a, const arrow_table *b);

/** The same, in a stream of which one struct or value is spoilt, the `number`-th of an endless list. Nothing is changed in a way that
 *  no reader could notice: lengths and text offsets only shrink. arrow_table_mend puts the buffers right again. */
struct ArrowArrayStream arrow_table_spoil(const arrow_table *table, uint64_t number);
void arrow_table_mend(void);

/** A part of the copies that the next stream is made of, by names ("" is the item of a list, "!" a dictionary), for changes of one's
 *  own: call it on the copies of arrow_table_copy. */
typedef struct arrow_copy {
    struct ArrowSchema *schema;
    struct ArrowArray *batches[64];
    uint32_t count;
} arrow_copy;
arrow_copy arrow_table_copy(const arrow_table *table);
struct ArrowArrayStream arrow_copy_stream(arrow_copy *copy);
/** The array and schema at a path such as "collections//name/!" of a batch. */
struct ArrowArray *arrow_copy_array(const arrow_copy *copy, uint32_t batch, const char *path);
struct ArrowSchema *arrow_copy_schema(const arrow_copy *copy, const char *path);
/** Number `at` of the ints, codes or offsets (of 32 bits) at a path of the first batch, in a copy of them. */
void arrow_copy_put(arrow_copy *copy, const char *path, uint64_t at, uint32_t value);
/** Zeroed memory that lives until arrow_copies_free. */
void *arrow_copies_memory(size_t size);

#endif
