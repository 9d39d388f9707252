/* relations.c: see relations.h. */
#include "interchange/relations.h"

#include <stddef.h>

typedef struct relation {
    const char *name;
    uint32_t num_fields;
    sl_i_field fields[SL_I_MAX_FIELDS];
} relation;

static const relation relations[SL_NUM_RELATIONS] = {
    [SL_RELATION_RECORDS] = {"records",
                             4,
                             {[RECORDS_INDEX] = {"record_index", SL_I_FIELD_NUMBER},
                              [RECORDS_SOURCE] = {"source", SL_I_FIELD_TEXT},
                              [RECORDS_KEY] = {"key", SL_I_FIELD_TEXT},
                              [RECORDS_KEY_KIND] = {"key_kind", SL_I_FIELD_TEXT}}},
    [SL_RELATION_COLLECTIONS] = {"collections",
                                 8,
                                 {[COLLECTIONS_ID] = {"collection_id", SL_I_FIELD_NUMBER},
                                  [COLLECTIONS_NAME] = {"name", SL_I_FIELD_TEXT},
                                  [COLLECTIONS_SCALE] = {"scale", SL_I_FIELD_TEXT},
                                  [COLLECTIONS_EXACT] = {"exact", SL_I_FIELD_FLAG},
                                  [COLLECTIONS_DECIMALS] = {"decimals", SL_I_FIELD_NUMBER},
                                  [COLLECTIONS_NUM_RECORDS] = {"num_records", SL_I_FIELD_NUMBER},
                                  [COLLECTIONS_NUM_MERGES] = {"num_merges", SL_I_FIELD_NUMBER},
                                  [COLLECTIONS_VERSION] = {"form_version", SL_I_FIELD_NUMBER}}},
    [SL_RELATION_MERGE_EVENTS] = {"merge_events",
                                  5,
                                  {[EVENTS_COLLECTION] = {"collection_id", SL_I_FIELD_NUMBER},
                                   [EVENTS_EVENT] = {"event", SL_I_FIELD_NUMBER},
                                   [EVENTS_THRESHOLD] = {"threshold", SL_I_FIELD_REAL},
                                   [EVENTS_RESULT] = {"result_component", SL_I_FIELD_NUMBER},
                                   [EVENTS_NUM_RECORDS] = {"num_records", SL_I_FIELD_NUMBER}}},
    [SL_RELATION_MERGE_GROUPS] = {"merge_groups",
                                  4,
                                  {[GROUPS_COLLECTION] = {"collection_id", SL_I_FIELD_NUMBER},
                                   [GROUPS_EVENT] = {"event", SL_I_FIELD_NUMBER},
                                   [GROUPS_GROUP] = {"merging_group", SL_I_FIELD_NUMBER},
                                   [GROUPS_COMPONENT] = {"component", SL_I_FIELD_NUMBER}}},
    [SL_RELATION_MERGE_GROUP_RECORDS] = {"merge_group_records",
                                         4,
                                         {[GROUPS_COLLECTION] = {"collection_id", SL_I_FIELD_NUMBER},
                                          [GROUPS_EVENT] = {"event", SL_I_FIELD_NUMBER},
                                          [GROUPS_GROUP] = {"merging_group", SL_I_FIELD_NUMBER},
                                          [GROUPS_COMPONENT] = {"record_index", SL_I_FIELD_NUMBER}}},
};

const char *sl_relation_name(sl_relation which) {
    return (int)which >= 0 && which < SL_NUM_RELATIONS ? relations[which].name : NULL;
}

const sl_i_field *sl_i_relation_fields(sl_relation which, uint32_t *out_count) {
    *out_count = relations[which].num_fields;
    return relations[which].fields;
}

const char *sl_i_relation_scale(sl_scale scale) { return scale == SL_SCALE_WEIGHT ? "weight" : "probability"; }
