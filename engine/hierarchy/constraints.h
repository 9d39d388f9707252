/* constraints.h: the constraints that a hierarchy was made under, remembered with what they left out.
 *
 * Immutable once a hierarchy has them, so hierarchies made from it (renumbered, translated) share them: names of sources, not
 * their numbers, since a hierarchy may go to another context. */
#ifndef SL_HIERARCHY_CONSTRAINTS_H
#define SL_HIERARCHY_CONSTRAINTS_H

#include <stdatomic.h>

#include "support/memory.h"
#include "support/pool.h"

typedef struct sl_i_constraints {
    atomic_uint_fast32_t references;
    sl_constraints given; /* its names are `names` */
    const char **names;   /* into `text` */
    char *text;           /* one after the other, each with its NUL */
    uint64_t text_size;
    uint64_t num_skipped, num_tied; /* edges that they left out */
} sl_i_constraints;

/** SL_ERROR_INVALID_ARGUMENT for names that are missing or not UTF-8 and for an unknown rule for ties. Copies the names. */
sl_status sl_i_constraints_create(const sl_constraints *constraints, sl_i_constraints **out, sl_error *error)
    SL_MUST_USE;
/** NULL gives NULL. */
sl_i_constraints *sl_i_constraints_retain(sl_i_constraints *constraints);
void sl_i_constraints_release(sl_i_constraints *constraints);
/** Bytes held, as the allocator counts them; 0 of NULL. */
uint64_t sl_i_constraints_memory(const sl_i_constraints *constraints);

/** sl_hierarchy_constrain for who appends to the context already: records that are not published yet are looked at. The
 *  context has the hierarchy's records. */
sl_status sl_i_hierarchy_constrain(const sl_context *context, const sl_hierarchy *hierarchy,
                                   const sl_constraints *constraints, sl_keep keep, sl_i_ticker *ticker,
                                   sl_hierarchy **out, sl_error *error) SL_MUST_USE;

#endif
