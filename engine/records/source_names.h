/* source_names.h: the interned names of sources, numbered by first use, never renumbered, never moved.
 *
 * Adding is for one writer at a time and becomes visible to readers when published; names below the published count are
 * read without a lock. Looking a name up needs the context's lock, since the small hash index moves when it grows. */
#ifndef SL_RECORDS_SOURCE_NAMES_H
#define SL_RECORDS_SOURCE_NAMES_H

#include <stdatomic.h>

#include "support/memory.h"

#define SL_I_NAME_SEGMENTS 17

typedef struct sl_i_source_name {
    uint32_t length;
    char text[]; /* NUL-terminated */
} sl_i_source_name;

typedef struct sl_i_source_names {
    sl_i_source_name **segments[SL_I_NAME_SEGMENTS]; /* segment k holds 2^k names */
    uint16_t *slots;                                 /* id + 1 by hash, 0: empty; linear probing, at most half full */
    uint32_t num_slots;                              /* a power of two, or 0 */
    uint32_t count;                                  /* the unpublished ones included */
    atomic_uint published;
} sl_i_source_names;

/** The id of a name; false if there is none. */
bool sl_i_names_find(const sl_i_source_names *names, const char *name, size_t length, uint16_t *out);
/** The id of a name, added if new. SL_ERROR_INVALID_ARGUMENT if it is not UTF-8 or longer than 2^31, SL_ERROR_CAPACITY
 *  beyond SL_MAX_SOURCES. On failure nothing changes. */
sl_status sl_i_names_add(sl_i_source_names *names, const char *name, size_t length, uint16_t *out, sl_error *error)
    SL_MUST_USE;
/** Let readers see what was added. */
void sl_i_names_publish(sl_i_source_names *names);
/** Forget what was added since the last publishing. */
void sl_i_names_rollback(sl_i_source_names *names);
const sl_i_source_name *sl_i_names_at(const sl_i_source_names *names, uint32_t source);
sl_status sl_i_names_copy(const sl_i_source_names *source, sl_i_source_names *out, sl_error *error) SL_MUST_USE;
void sl_i_names_free(sl_i_source_names *names);
/** Bytes held, as the allocator counts them. */
uint64_t sl_i_names_memory(const sl_i_source_names *names);

#endif
