/* lone_records.h: records that edges name and join to nothing: those of self-loops, collected while edges are read.
 *
 * A hierarchy's joins tell which records are joined; which others were named has to be remembered beside them, so that it is
 * known whose records these are (sl_hierarchy_named_records). Edges seldom name a record so, and nothing is kept then. */
#ifndef SL_HIERARCHY_LONE_RECORDS_H
#define SL_HIERARCHY_LONE_RECORDS_H

#include "hierarchy/hierarchy.h"

/** Candidates: named once in a way that joins nothing. Zero-initialise. Repeats are dropped when the list would grow. */
typedef struct sl_i_lone_records {
    uint32_t *records;
    uint64_t count, capacity;
} sl_i_lone_records;

sl_status sl_i_lone_add(sl_i_lone_records *list, uint32_t record, sl_error *error) SL_MUST_USE;
/** Add what `hierarchy` remembers; its record r is translation[r] (NULL: r). */
sl_status sl_i_lone_add_those_of(sl_i_lone_records *list, const sl_hierarchy *hierarchy, const uint32_t *translation,
                                 sl_error *error) SL_MUST_USE;
/** Let a new hierarchy remember the candidates that it joins to nothing. Candidates are below its num_records. */
sl_status sl_i_lone_settle(sl_i_lone_records *list, sl_hierarchy *hierarchy, sl_error *error) SL_MUST_USE;
void sl_i_lone_release(sl_i_lone_records *list);

#endif
