/* diff.c: what changed between two partitions: the components of the graph that links entities before and after by shared records.
 *
 * 1. Count the records of each entity before, and check all labels.
 * 2. Join entities before that share an entity after: a union-find over the entities before alone, where each entity after stands
 *    for the first one before that it was met with. Joined by number of records, so no path is longer than log n.
 * 3. Number the components by their smallest entity before, count what is in each, and with that its kind.
 * 4. Place: components by kind, which keeps their order; then the ids of each, filled in from the end.
 *
 * O(n) but for the log of step 2. 12 bytes a change and 4 an entity are kept; while they are made, 12 bytes an entity before, 4 an
 * entity after and 16 a change more. Immutable. */
#include <string.h>

#include "support/memory.h"

#define NOTHING UINT32_MAX /* no entity, no component: there are fewer */

/* What is in one component: sizes, and once placed where the ids start. */
typedef struct content {
    uint32_t before, after, num_records;
} content;

struct sl_diff {
    uint32_t num_before, num_after; /* entities, those without a record left out */
    uint32_t num_changes;
    uint32_t first[SL_NUM_CHANGE_KINDS + 1]; /* change of each kind; behind the last, their number */
    content *changes;                        /* one more than changes: where the ids end */
    uint32_t *before, *after;                /* ids, change by change */
};

typedef struct labelling {
    const uint32_t *before, *after;
    uint32_t num_before, num_after, num_records;
} labelling;

/* By entity before, but for `owner`. */
typedef struct scratch {
    uint32_t *parents;
    uint32_t *records;   /* in the entity; of a root: in all that it stands for */
    uint32_t *component; /* NOTHING: without a record */
    uint32_t *owner;     /* by entity after, the entity before that it was first met with; NOTHING: without a record */
} scratch;

/* ---- 1. count ---------------------------------------------------------------------------------------------------- */

static sl_status refuse(uint32_t record, const char *when, uint32_t entity, uint32_t bound, sl_error *error) {
    return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, record, -1,
                         "record %u is in entity %u %s, of %u: ids of entities are below their number", record, entity,
                         when, bound);
}

static bool is_counted(const labelling *l, uint32_t record) {
    return l->before[record] != SL_NO_RECORD && l->after[record] != SL_NO_RECORD;
}

static sl_status count_records(const labelling *l, uint32_t *records, sl_error *error) {
    for (uint32_t r = 0; r < l->num_records; r++) {
        uint32_t b = l->before[r], a = l->after[r];
        if (b >= l->num_before && b != SL_NO_RECORD) return refuse(r, "before", b, l->num_before, error);
        if (a >= l->num_after && a != SL_NO_RECORD) return refuse(r, "after", a, l->num_after, error);
        if (is_counted(l, r)) records[b]++;
    }
    return SL_OK;
}

/* ---- 2. join ----------------------------------------------------------------------------------------------------- */

static uint32_t find_root(uint32_t *parents, uint32_t entity) {
    while (parents[entity] != entity) entity = parents[entity] = parents[parents[entity]];
    return entity;
}

static void unite(scratch *s, uint32_t a, uint32_t b) {
    a = find_root(s->parents, a);
    b = find_root(s->parents, b);
    if (a == b) return;
    uint32_t kept = s->records[a] < s->records[b] ? b : a, absorbed = kept == a ? b : a;
    s->parents[absorbed] = kept;
    s->records[kept] += s->records[absorbed];
}

static void join_entities(const labelling *l, scratch *s) {
    for (uint32_t b = 0; b < l->num_before; b++) s->parents[b] = b;
    memset(s->owner, 0xFF, l->num_after * sizeof *s->owner);
    for (uint32_t r = 0; r < l->num_records; r++) {
        if (!is_counted(l, r)) continue;
        uint32_t *owner = &s->owner[l->after[r]];
        if (*owner == NOTHING) *owner = l->before[r];
        if (*owner != l->before[r]) unite(s, *owner, l->before[r]);
    }
}

/* ---- 3. number --------------------------------------------------------------------------------------------------- */

static uint32_t number_components(const labelling *l, scratch *s) {
    uint32_t count = 0;
    memset(s->component, 0xFF, l->num_before * sizeof *s->component);
    for (uint32_t b = 0; b < l->num_before; b++) {
        if (s->records[b] == 0) continue;
        uint32_t *of_root = &s->component[find_root(s->parents, b)];
        if (*of_root == NOTHING) *of_root = count++;
        s->component[b] = *of_root;
    }
    return count;
}

/* `contents` is zeroed, one for each component. */
static void count_contents(const labelling *l, const scratch *s, content *contents, sl_diff *diff) {
    for (uint32_t b = 0; b < l->num_before; b++) {
        if (s->component[b] == NOTHING) continue;
        content *c = &contents[s->component[b]];
        if (s->parents[b] == b) c->num_records = s->records[b];
        c->before++;
        diff->num_before++;
    }
    for (uint32_t a = 0; a < l->num_after; a++) {
        if (s->owner[a] == NOTHING) continue;
        contents[s->component[s->owner[a]]].after++;
        diff->num_after++;
    }
}

static sl_change_kind kind_of(const content *c) {
    if (c->before == 1) return c->after == 1 ? SL_CHANGE_UNCHANGED : SL_CHANGE_SPLIT;
    return c->after == 1 ? SL_CHANGE_MERGED : SL_CHANGE_REARRANGED;
}

/* ---- 4. place ---------------------------------------------------------------------------------------------------- */

/* places[c]: number of the change that component c is. */
static void place_components(sl_diff *diff, const content *contents, uint32_t *places) {
    uint32_t next[SL_NUM_CHANGE_KINDS] = {0}, before = 0, after = 0;
    for (uint32_t c = 0; c < diff->num_changes; c++) diff->first[kind_of(&contents[c]) + 1]++;
    for (int kind = 0; kind < SL_NUM_CHANGE_KINDS; kind++) {
        next[kind] = diff->first[kind];
        diff->first[kind + 1] += diff->first[kind];
    }
    for (uint32_t c = 0; c < diff->num_changes; c++) {
        places[c] = next[kind_of(&contents[c])]++;
        diff->changes[places[c]] = contents[c];
    }
    for (uint32_t i = 0; i < diff->num_changes; i++) { /* to where the ids of each end */
        diff->changes[i].before = before += diff->changes[i].before;
        diff->changes[i].after = after += diff->changes[i].after;
    }
    diff->changes[diff->num_changes] = (content){.before = before, .after = after};
}

/* From the end, so that ids ascend and each change is left with where its ids start. */
static void place_ids(const labelling *l, const scratch *s, const uint32_t *places, sl_diff *diff) {
    for (uint32_t b = l->num_before; b-- > 0;)
        if (s->component[b] != NOTHING) diff->before[--diff->changes[places[s->component[b]]].before] = b;
    for (uint32_t a = l->num_after; a-- > 0;)
        if (s->owner[a] != NOTHING) diff->after[--diff->changes[places[s->component[s->owner[a]]]].after] = a;
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

static sl_status fill(const labelling *l, const scratch *s, sl_diff *diff, sl_error *error) {
    content *contents = NULL;
    uint32_t *places = NULL, count = diff->num_changes;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&contents, count, sizeof *contents, "changes", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&places, count, sizeof *places, "changes", error));
    count_contents(l, s, contents, diff);
    SL_TRY_CLEANUP(status, sl_i_allocate(&diff->before, diff->num_before, sizeof *diff->before, "changes", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&diff->after, diff->num_after, sizeof *diff->after, "changes", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&diff->changes, (uint64_t)count + 1, sizeof *diff->changes, "changes", error));
    place_components(diff, contents, places);
    place_ids(l, s, places, diff);
cleanup:
    sl_i_release(contents, count, sizeof *contents);
    sl_i_release(places, count, sizeof *places);
    return status;
}

static sl_status compare(const labelling *l, sl_diff *diff, sl_error *error) {
    const char *what = "comparing partitions";
    scratch s = {0};
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&s.records, l->num_before, sizeof *s.records, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.parents, l->num_before, sizeof *s.parents, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.component, l->num_before, sizeof *s.component, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.owner, l->num_after, sizeof *s.owner, what, error));
    SL_TRY_CLEANUP(status, count_records(l, s.records, error));
    join_entities(l, &s);
    diff->num_changes = number_components(l, &s);
    status = fill(l, &s, diff, error);
cleanup:
    sl_i_release(s.records, l->num_before, sizeof *s.records);
    sl_i_release(s.parents, l->num_before, sizeof *s.parents);
    sl_i_release(s.component, l->num_before, sizeof *s.component);
    sl_i_release(s.owner, l->num_after, sizeof *s.owner);
    return status;
}

sl_status sl_diff_create(const uint32_t *before, uint32_t num_before, const uint32_t *after, uint32_t num_after,
                         uint32_t num_records, sl_diff **out, sl_error *error) {
    const labelling l = {before, after, num_before, num_after, num_records};
    sl_diff *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "changes", error));
    sl_status status = compare(&l, made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_diff_release(made);
    return status;
}

void sl_diff_release(sl_diff *diff) {
    if (!diff) return;
    sl_i_release(diff->changes, (uint64_t)diff->num_changes + 1, sizeof *diff->changes);
    sl_i_release(diff->before, diff->num_before, sizeof *diff->before);
    sl_i_release(diff->after, diff->num_after, sizeof *diff->after);
    sl_i_release(diff, 1, sizeof *diff);
}

uint32_t sl_diff_count(const sl_diff *diff, sl_change_kind kind) {
    if ((unsigned)kind >= SL_NUM_CHANGE_KINDS) return 0;
    return diff->first[kind + 1] - diff->first[kind];
}

bool sl_diff_get(const sl_diff *diff, uint32_t index, sl_change *out) {
    *out = (sl_change){0};
    if (index >= diff->num_changes) return false;
    const content *c = &diff->changes[index], *next = c + 1;
    while (index >= diff->first[out->kind + 1]) out->kind++;
    out->num_before = next->before - c->before;
    out->num_after = next->after - c->after;
    out->num_records = c->num_records;
    out->before = diff->before + c->before;
    out->after = diff->after + c->after;
    return true;
}
