/* relations.h: the relational form: which tables there are and which columns each has, for whoever writes or reads them.
 *
 * Four tables tell a frame: its records, its collections, and of each collection the merge events and what merges in them. The
 * fifth names the records of everything that merges, for queries. Numbers are int64, since few databases have unsigned ones. */
#ifndef SL_INTERCHANGE_RELATIONS_H
#define SL_INTERCHANGE_RELATIONS_H

#include "starlings.h"

/** Of the form: in every row of the collections. A reader refuses others by name. */
#define SL_I_RELATIONS_VERSION 1u

typedef enum sl_i_field_kind {
    SL_I_FIELD_NUMBER, /* 0 to 2^63-1 */
    SL_I_FIELD_TEXT,
    SL_I_FIELD_REAL,
    SL_I_FIELD_FLAG /* true or false; a number 0 or 1 will do */
} sl_i_field_kind;

typedef struct sl_i_field {
    const char *name;
    sl_i_field_kind kind;
} sl_i_field;

#define SL_I_MAX_FIELDS 8 /* of a table */

/* Places of the columns in each table. */
enum { RECORDS_INDEX, RECORDS_SOURCE, RECORDS_KEY, RECORDS_KEY_KIND };
enum {
    COLLECTIONS_ID,
    COLLECTIONS_NAME,
    COLLECTIONS_SCALE,
    COLLECTIONS_EXACT,
    COLLECTIONS_DECIMALS,
    COLLECTIONS_NUM_RECORDS,
    COLLECTIONS_NUM_MERGES,
    COLLECTIONS_VERSION
};
enum { EVENTS_COLLECTION, EVENTS_EVENT, EVENTS_THRESHOLD, EVENTS_RESULT, EVENTS_NUM_RECORDS };
enum { GROUPS_COLLECTION, GROUPS_EVENT, GROUPS_GROUP, GROUPS_COMPONENT };

/** The columns of a table, and how many there are. */
const sl_i_field *sl_i_relation_fields(sl_relation relation, uint32_t *out_count);

/** "probability" or "weight", as the scale of a collection is written. */
const char *sl_i_relation_scale(sl_scale scale);

#endif
