/* columns.h: one column of input, from whatever Python object holds it, as chunks that the engine reads.
 *
 * A chunk owns all that its sl_column points to: an Arrow array, a Python buffer, or memory of its own. A reader hands out
 * the chunks of one object in order, so a stream or a generator is never held as a whole. */
#ifndef CORE_COLUMNS_H
#define CORE_COLUMNS_H

#include "key_objects.h"

/** What a column is read as; it decides how Python objects in it are converted. */
typedef enum core_role { CORE_KEYS, CORE_SCORES, CORE_SOURCES } core_role;

#define CORE_BATCH_ROWS 131072 /* rows of one chunk made from Python objects */

typedef struct core_chunk {
    size_t references;
    sl_column column;
    sl_column dictionary; /* storage for column.dictionary */
    uint16_t *sources;    /* of each key (NULL: all are of the reading's own), or what a CORE_SOURCES chunk holds */
    bool converted;       /* made from Python objects: bulky */
    size_t capacity;      /* rows that a converted chunk has room for */
    void *memory;         /* the three kinds of what `column` points to, each optional */
    core_arena arena;
    Py_buffer view;
    struct ArrowArray array;
} core_chunk;

/** Turn a chunk of source names (strings) into their ids. `first_row` for errors. */
int core_chunk_names_to_ids(core_reading *reading, core_chunk *chunk, uint64_t first_row);

/** An empty chunk with one reference; NULL with an exception. */
core_chunk *core_chunk_new(const core_state *state);
void core_chunk_release(core_chunk *chunk);

/** Refuse floats and decimals as keys: InvalidKeyError names the first row without a value, or the first row. */
int core_chunk_check_keys(const core_state *state, const core_chunk *chunk, const core_place *place);

/** A run of rows of a chunk. */
typedef struct core_slice {
    core_chunk *chunk; /* NULL: no such column */
    uint64_t offset;
} core_slice;
/** Rows offset..offset+length-1 as the engine takes them. `sources` (chunk NULL: none) names the source of each. */
int core_slice_keys(core_reading *reading, core_slice keys, core_slice sources, uint64_t length, sl_key_column *out);
sl_column core_slice_column(core_slice slice, uint64_t length);

/* ------------------------------------------------------------------------------------- Python objects (column_objects.c) */

/** A chunk with room for `rows` keys (sl_key) or scores (double). */
core_chunk *core_chunk_for_objects(const core_state *state, core_role role, size_t rows);
/** Convert `object` into row `index` of the chunk; rows are filled in order. */
int core_chunk_put(core_reading *reading, core_chunk *chunk, core_role role, const core_place *place, size_t index,
                   PyObject *object);

/* ---------------------------------------------------------------------------------- buffers and numpy (column_buffer.c) */

/** Read an object with the buffer protocol as one chunk: 1 done, 0 not readable as a column (convert its elements), -1. */
int core_chunk_from_buffer(core_reading *reading, core_role role, const char *what, PyObject *object, core_chunk **out);

/* --------------------------------------------------------------------------------------------- Arrow (column_arrow.c) */

/** Arrays that come through the Arrow PyCapsule interface, one after another. */
typedef struct core_arrow {
    struct ArrowSchema schema;
    struct ArrowArrayStream stream; /* release NULL: `single` is all there is */
    struct ArrowArray single;
} core_arrow;

/** Has the object __arrow_c_stream__ or __arrow_c_array__? */
bool core_is_arrow(PyObject *object);
/** Open them: 1 done, 0 if the object's export is not possible (no pyarrow, unsuitable types) and `may_fail`, -1. */
int core_arrow_open(core_call *call, PyObject *object, bool may_fail, core_arrow *out);
/** The next array: 1 and the caller owns it, 0 at the end, -1. */
int core_arrow_next(core_call *call, core_arrow *arrow, struct ArrowArray *out);
void core_arrow_close(core_arrow *arrow);
bool core_arrow_is_struct(const core_arrow *arrow);
/** Index of the struct's field of that name, or -1 (no exception). */
int core_arrow_field(const core_arrow *arrow, const char *name);
/** The field names as a list of str, for messages. */
PyObject *core_arrow_field_names(const core_arrow *arrow);
/** Read `array`, which this takes over in every case, as a chunk. A type that no key has is refused for keys. */
core_chunk *core_chunk_from_arrow(core_call *call, core_role role, const core_place *place,
                                  const struct ArrowSchema *schema, struct ArrowArray *array);
/** Check a struct array against its schema, and that none of its rows is null. */
int core_arrow_check_struct(core_call *call, const struct ArrowSchema *schema, const struct ArrowArray *array,
                            uint64_t first_row);
/** Field `field` of a checked struct array, moved out of it, as a chunk of the struct's rows. */
core_chunk *core_chunk_from_field(core_call *call, core_role role, const core_place *place,
                                  const struct ArrowSchema *schema, struct ArrowArray *array, int field);

/* -------------------------------------------------------------------------------------- any object (column_reader.c) */

typedef struct core_column_reader {
    core_reading *reading;
    core_role role;
    const char *what;    /* "left key", for messages */
    core_arrow arrow;    /* schema.release NULL: not Arrow */
    int field;           /* of an Arrow struct, or -1 */
    core_chunk *only;    /* a buffer, read as a whole */
    PyObject *iterator;  /* Python objects */
    PyObject *item_name; /* if set, each object is a mapping and this its key */
    uint64_t row;        /* of the next chunk, in the whole input */
    uint64_t total;      /* where the rows end, 0: unknown */
} core_column_reader;

/** Is the object a dict of columns or a data frame: something whose columns are had by name with []? */
bool core_is_table(PyObject *object);
/** Open a column of `object`. `field` (NULL: none) is the name (a str) of a column of an Arrow struct, or of an entry of each
 *  element where the elements are mappings. */
int core_column_open(core_reading *reading, core_role role, const char *what, PyObject *object, PyObject *field,
                     core_column_reader *out);
/** The next chunk, never an empty one: 1 and the caller owns it, 0 at the end, -1. */
int core_column_next(core_column_reader *reader, core_chunk **out);
void core_column_close(core_column_reader *reader);

#endif
