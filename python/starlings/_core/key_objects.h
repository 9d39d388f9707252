/* key_objects.h: Python objects as keys: int, str, bytes, numpy scalars, starlings.Key and (source, key) tuples. */
#ifndef CORE_KEY_OBJECTS_H
#define CORE_KEY_OBJECTS_H

#include "call.h"

/** What everything that reads keys needs to know. The objects are borrowed for the length of a call. */
typedef struct core_reading {
    core_call *call;
    sl_context *context; /* whose sources names are resolved in */
    PyObject *source;    /* str: the source of keys that name none */
    bool find_only;      /* unknown sources are not added but CORE_NO_SOURCE */
    bool weights;        /* of edges: scores are weights, which have a column name of their own with Splink */
    uint64_t first_row;  /* of what is opened next, in the whole input */
    int32_t source_id;   /* of `source`, -1 before it is first needed */
    PyObject *known;     /* dict of name -> id, NULL before it is first needed */
    PyObject *last_name; /* the name resolved last: most neighbours share it */
    uint16_t last_id;
} core_reading;

/** Never the id of a source: a context counts at most 65,535. */
#define CORE_NO_SOURCE UINT16_MAX

void core_reading_init(core_reading *reading, core_call *call, sl_context *context, PyObject *source);
void core_reading_close(core_reading *reading);

/** Where a key stands, for messages: "left key" in row 17. */
typedef struct core_place {
    const char *what;
    uint64_t row; /* CORE_NO_ROW: not in a row of anything */
} core_place;
#define CORE_NO_ROW UINT64_MAX

/** Memory for the bytes of many keys, given back together; it never moves. Zero-initialise. */
typedef struct core_arena {
    struct core_arena_block *newest;
} core_arena;
void core_arena_free(core_arena *arena);

/** The id of the source `name` (a str; NULL: the reading's own), interned if new. */
int core_source_id(core_reading *reading, const core_place *place, PyObject *name, uint16_t *out);
/** Take a (source, key) tuple apart: `name` is NULL for a bare key. Both are borrowed from `object`. */
int core_key_split(const core_reading *reading, const core_place *place, PyObject *object, PyObject **name,
                   PyObject **bare);
/** Read a bare key; bytes are copied to the arena. InvalidKeyError names place, type and what would do. */
int core_key_bare(const core_reading *reading, const core_place *place, PyObject *object, core_arena *arena,
                  sl_key *out);
/** Both steps: a bare key or a (source, key) tuple. */
int core_key_read(core_reading *reading, const core_place *place, PyObject *object, core_arena *arena, sl_key *out,
                  uint16_t *source);
/** Read a score: what float() takes, but text. InvalidScoreError with the row. */
int core_score_read(const core_reading *reading, const core_place *place, PyObject *object, double *out);

#endif
