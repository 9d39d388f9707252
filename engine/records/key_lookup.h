/* key_lookup.h: a block of keys to record indices.
 *
 * The cost of a lookup in a large context is three cache misses one after the other: slot, record, key bytes. Taken key by key
 * they would add up to 450 ns; a block of keys takes each step for all of its keys before the next one, with prefetches,
 * so that misses overlap (about 8 ns each). Only the last step, comparing and entering new keys, goes in row order. */
#ifndef SL_RECORDS_KEY_LOOKUP_H
#define SL_RECORDS_KEY_LOOKUP_H

#include "records/context.h"
#include "records/key_column.h"

/** Most keys in a block. */
#define SL_I_BLOCK 128

typedef enum sl_i_lookup_mode {
    SL_I_LOOKUP_FIND,   /* unknown keys give SL_NO_RECORD */
    SL_I_LOOKUP_KNOWN,  /* unknown keys stop */
    SL_I_LOOKUP_INTERN, /* unknown keys are appended */
    SL_I_LOOKUP_APPEND  /* all keys are appended, known ones stop */
} sl_i_lookup_mode;

/** Why a block was not finished. */
typedef enum sl_i_lookup_stop {
    SL_I_STOP_NONE = 0,
    SL_I_STOP_UNKNOWN,   /* KNOWN: no such record */
    SL_I_STOP_DUPLICATE, /* APPEND: `holder` is the record with this key */
    SL_I_STOP_NOT_UTF8,  /* an unknown string key that is no UTF-8 */
    SL_I_STOP_CAPACITY,  /* no index is left */
    SL_I_STOP_CHANGED,   /* the int is beyond what the column held when it was planned for */
    SL_I_STOP_MEMORY     /* `error` is filled */
} sl_i_lookup_stop;

static inline bool sl_i_lookup_appends(sl_i_lookup_mode mode) { return mode >= SL_I_LOOKUP_INTERN; }

/** Resolve probes[0..count-1] in order into `indices`. Column 0 of `stride` columns is every stride-th probe. For modes that
 *  append, room for `count` records must be reserved and int ranges planned. Returns how many were resolved; if fewer
 *  than `count`, *stop says why the next one was not (and `holder` is set for a duplicate). */
uint32_t sl_i_lookup(sl_context *context, sl_i_probe *probes, uint32_t count, uint32_t stride, sl_i_lookup_mode mode,
                     uint32_t *indices, sl_i_lookup_stop *stop, uint32_t *holder, sl_error *error);
/** Append one unknown key. */
sl_i_lookup_stop sl_i_lookup_append(sl_context *context, const sl_i_probe *probe, uint32_t *out_index, sl_error *error);
/** What becomes of an unknown key: append it, or stop, or SL_NO_RECORD. */
sl_i_lookup_stop sl_i_lookup_unknown(sl_context *context, const sl_i_probe *probe, sl_i_lookup_mode mode,
                                     uint32_t *out_index, sl_error *error);

#endif
