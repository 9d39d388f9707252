/* from_entities.c: the hierarchy of a flat list of entities: one level, no edges, no union-find. O(n).
 *
 * Entities are placed in the order of their smallest records and hold their records in ascending order, which is what the
 * canonical form comes to when there is one level. */
#include <string.h>

#include "hierarchy/lone_records.h"

#define UNNAMED UINT32_MAX

typedef struct listing {
    uint32_t num_records, num_entities;
    uint32_t *entity_of; /* by record; UNNAMED: a singleton */
    uint32_t *next;      /* by entity: size, then the next free position */
} listing;

/* Which row named `record` first: only asked for once two rows are known to disagree. */
static uint64_t first_row_of(const uint32_t *records, uint64_t count, uint32_t record) {
    for (uint64_t i = 0; i < count; i++)
        if (records[i] == record) return i;
    return count;
}

static sl_status assign(listing *l, const uint32_t *records, const uint32_t *entities, uint64_t count,
                        sl_error *error) {
    memset(l->entity_of, 0xFF, l->num_records * sizeof *l->entity_of);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t record = records ? records[i] : (uint32_t)i, entity = entities[i];
        if (record >= l->num_records || (!records && i >= l->num_records))
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)i, -1,
                                 "row %llu names record %u, but there are only %u records", (unsigned long long)i,
                                 record, l->num_records);
        if (entity >= l->num_entities)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)i, -1,
                                 "row %llu names entity %u, but there are only %u entities", (unsigned long long)i,
                                 entity, l->num_entities);
        if (l->entity_of[record] != UNNAMED && l->entity_of[record] != entity) {
            uint64_t other = first_row_of(records, i, record);
            return sl_i_fail_row(
                error, SL_ERROR_OVERLAP, (int64_t)i, (int64_t)other,
                "record %u is in entity %u (row %llu) and in entity %u (row %llu): entities must not overlap", record,
                l->entity_of[record], (unsigned long long)other, entity, (unsigned long long)i);
        }
        l->entity_of[record] = entity;
    }
    return SL_OK;
}

/* First pass in record order: sizes. Second: an entity gets its slice when its smallest record comes by. */
static uint32_t place(listing *l, uint32_t *order, uint32_t *join) {
    uint32_t *sizes = l->next, start = 0, merges = 0;
    for (uint32_t record = 0; record < l->num_records; record++)
        if (l->entity_of[record] != UNNAMED) sizes[l->entity_of[record]]++;
    uint32_t *placed = l->next + l->num_entities; /* where the entity's next record goes; UNNAMED: not met yet */
    memset(placed, 0xFF, l->num_entities * sizeof *placed);
    for (uint32_t record = 0; record < l->num_records; record++) {
        uint32_t entity = l->entity_of[record];
        if (entity == UNNAMED) {
            order[start] = record;
            join[start++] = SL_NEVER;
            continue;
        }
        if (placed[entity] == UNNAMED) {
            placed[entity] = start;
            for (uint32_t i = 0; i < sizes[entity]; i++) join[start + i] = 0;
            start += sizes[entity];
            join[start - 1] = SL_NEVER;
            merges += sizes[entity] > 1;
        }
        order[placed[entity]++] = record;
    }
    return merges;
}

/* Entities of one record join nothing: the hierarchy remembers that they were named. After `place`, next holds sizes first. */
static sl_status remember_lone(const listing *l, sl_hierarchy *made, sl_error *error) {
    sl_i_lone_records lone = {0};
    sl_status status = SL_OK;
    for (uint32_t record = 0; record < l->num_records && status == SL_OK; record++)
        if (l->entity_of[record] != UNNAMED && l->next[l->entity_of[record]] == 1)
            status = sl_i_lone_add(&lone, record, error);
    if (status == SL_OK) status = sl_i_lone_settle(&lone, made, error);
    sl_i_lone_release(&lone);
    return status;
}

static sl_status take(const listing *l, uint32_t num_merges, uint32_t *order, uint32_t *join, double *levels,
                      sl_hierarchy **out, sl_error *error) {
    const sl_i_score_kind kind = {.scale = SL_SCALE_PROBABILITY, .exact = false};
    sl_hierarchy *made = NULL;
    SL_TRY(sl_i_hierarchy_take(l->num_records, num_merges > 0, num_merges, kind, order, join, levels, &made, error));
    sl_status status = remember_lone(l, made, error);
    if (status == SL_OK) {
        *out = made;
        return SL_OK;
    }
    made->order = made->join = NULL; /* the caller's again */
    made->levels = NULL;
    sl_hierarchy_release(made);
    return status;
}

sl_status sl_hierarchy_from_entities(uint32_t num_records, const uint32_t *records, const uint32_t *entities,
                                     uint64_t count, uint32_t num_entities, double threshold, sl_hierarchy **out,
                                     sl_error *error) {
    listing l = {.num_records = num_records, .num_entities = num_entities};
    uint32_t *order = NULL, *join = NULL, num_merges = 0, num_levels = 0;
    double *levels = NULL;
    sl_status status;
    *out = NULL;
    SL_TRY(sl_i_check_num_records(num_records, error));
    SL_TRY(sl_i_check_threshold(SL_SCALE_PROBABILITY, threshold, error));
    if (count > 0 && !entities)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the entities of %llu records are missing",
                         (unsigned long long)count);
    SL_TRY_CLEANUP(status, sl_i_allocate(&l.entity_of, num_records, sizeof *l.entity_of, "entities", error));
    SL_TRY_CLEANUP(status,
                   sl_i_allocate_zeroed(&l.next, 2 * (uint64_t)num_entities, sizeof *l.next, "entities", error));
    SL_TRY_CLEANUP(status, assign(&l, records, entities, count, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&order, num_records, sizeof *order, "the order", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&join, num_records, sizeof *join, "the joins", error));
    num_merges = place(&l, order, join);
    num_levels = num_merges > 0;
    SL_TRY_CLEANUP(status, sl_i_allocate(&levels, num_levels, sizeof *levels, "the levels", error));
    if (num_levels) levels[0] = sl_i_round_threshold(threshold) + 0.0; /* -0.0 becomes 0.0 */
    status = take(&l, num_merges, order, join, levels, out, error);
cleanup:
    if (status != SL_OK) {
        sl_i_release(order, num_records, sizeof *order);
        sl_i_release(join, num_records, sizeof *join);
        sl_i_release(levels, num_levels, sizeof *levels);
    }
    sl_i_release(l.entity_of, num_records, sizeof *l.entity_of);
    sl_i_release(l.next, 2 * (uint64_t)num_entities, sizeof *l.next);
    return status;
}
