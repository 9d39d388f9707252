/* schema_notes.h: what the columns of a frame or collection cannot say, as key-value metadata of the Arrow schema.
 *
 *     starlings:schema          "frame 1" or "collection 1": which schema, and its version
 *     starlings:collection:I    "probability rounded 6 1000 NAME": of collection I its scale (or weight), how its scores are held (or
 *                               exact), decimals (0: exact), records of its hierarchy and, to the end, name
 *
 * A reader does without: a frame whose metadata was lost has probabilities, rounded to 6 decimals where its thresholds allow it. */
#ifndef SL_INTERCHANGE_SCHEMA_NOTES_H
#define SL_INTERCHANGE_SCHEMA_NOTES_H

#include "hierarchy/hierarchy.h"

typedef struct sl_i_collection_note {
    const char *name; /* borrowed, not NUL-terminated */
    size_t length;
    sl_i_score_kind kind;
    uint32_t decimals;
    uint32_t num_records; /* of the hierarchy */
} sl_i_collection_note;

/** The note on a hierarchy and its decimals under a borrowed name. */
sl_i_collection_note sl_i_note_of(const sl_hierarchy *hierarchy, uint32_t decimals, const char *name, size_t length);

/** The metadata of a schema ("frame", "collection") with these notes, *out_size bytes to be released. */
sl_status sl_i_notes_write(const char *schema, const sl_i_collection_note *notes, uint32_t count, char **out,
                           uint64_t *out_size, sl_error *error) SL_MUST_USE;

/** Notes as they were read, by number of the collection. */
typedef struct sl_i_notes {
    sl_i_collection_note *notes;
    uint64_t count, capacity;
} sl_i_notes;

/** The notes of such a schema in `metadata` (NULL: none), which lives as long as they do. Other entries are left alone.
 *  SL_ERROR_INVALID_ARGUMENT for a newer version, the other schema, and entries that are not as above. */
sl_status sl_i_notes_read(const char *metadata, const char *schema, sl_i_notes *out, sl_error *error) SL_MUST_USE;
void sl_i_notes_free(sl_i_notes *notes);

#endif
