/* entity_cases.h: partitions of records with names, for tests of what is computed of entities, and the canonical encoding of an
 * entity in a form too simple to be wrong: one string a record, sorted by the C library. */
#ifndef SL_TESTS_ENTITY_CASES_H
#define SL_TESTS_ENTITY_CASES_H

#include "support/graphs.h"

#include "starlings.h"

typedef struct entity_case {
    sl_context *context;
    sl_partition *partition;
} entity_case;

/** Random records of `num_sources` sources (some names begin with others) with keys of all kinds, of which the first `covered` are in
 *  entities of about `size` records, the others beyond the hierarchy. */
entity_case entity_case_make(uint32_t num_records, uint32_t covered, uint32_t num_sources, uint32_t size,
                             uint64_t seed);
void entity_case_free(entity_case *c);
/** Record `index` of a context gets this source and key. */
void entity_case_add(sl_context *context, const char *source, sl_key key);
/** A partition in which record i is in entity labels[i], over `num_records` records. */
sl_partition *entity_case_cut(const uint32_t *labels, uint32_t covered, uint32_t num_records);
sl_key entity_case_int(uint64_t number);
sl_key entity_case_text(sl_key_kind kind, const char *text);

typedef struct plain_bytes {
    uint8_t *bytes;
    size_t length;
} plain_bytes;

/** One record, and all records of an entity sorted. Free `bytes`. */
plain_bytes plain_encode(const sl_context *context, uint32_t record);
plain_bytes plain_encode_entity(const entity_case *c, uint32_t entity);
/** The records of an entity, borrowed. */
const uint32_t *entity_case_members(const sl_partition *partition, uint32_t entity, uint32_t *out_count);

#endif
