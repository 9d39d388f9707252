/* constraints.c: see constraints.h; and sl_hierarchy_constrain: who holds what at first, Kruskal's algorithm under guard, what the
 * result keeps. */
#include "hierarchy/constraints.h"

#include <string.h>

#include "hierarchy/kept_edges.h"
#include "hierarchy/listed_forest.h"
#include "hierarchy/lone_records.h"
#include "records/context.h"
#include "records/utf8.h"

#define TICK_STEP 262144u /* records between two looks at the clock */

/* ---- the constraints as an object -------------------------------------------------------------------------------- */

static sl_status check_name(const char *name, uint32_t number, sl_error *error) {
    if (!name) return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "name %u of the unique sources is missing", number);
    if (!sl_i_utf8_valid((const uint8_t *)name, strlen(name)))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "name %u of the unique sources is not UTF-8", number);
    return SL_OK;
}

static sl_status check_constraints(const sl_constraints *constraints, sl_error *error) {
    uint32_t count = constraints->num_unique_sources;
    if (constraints->ties != SL_TIES_IN_ORDER && constraints->ties != SL_TIES_DROP)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "%d is no rule for ties: choose SL_TIES_IN_ORDER or SL_TIES_DROP", (int)constraints->ties);
    if (count > 0 && !constraints->unique_sources)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%u unique sources are announced, and none is named", count);
    for (uint32_t i = 0; i < count; i++) SL_TRY(check_name(constraints->unique_sources[i], i, error));
    return SL_OK;
}

static void copy_names(sl_i_constraints *made, const sl_constraints *constraints) {
    char *text = made->text;
    for (uint32_t i = 0; i < constraints->num_unique_sources; i++) {
        size_t size = strlen(constraints->unique_sources[i]) + 1;
        memcpy(text, constraints->unique_sources[i], size);
        made->names[i] = text;
        text += size;
    }
}

sl_status sl_i_constraints_create(const sl_constraints *constraints, sl_i_constraints **out, sl_error *error) {
    static const char what[] = "the constraints";
    uint32_t count = constraints->num_unique_sources;
    sl_i_constraints *made = NULL;
    sl_status status;
    SL_TRY(check_constraints(constraints, error));
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, what, error));
    atomic_init(&made->references, 1);
    made->given = *constraints;
    for (uint32_t i = 0; i < count; i++) made->text_size += strlen(constraints->unique_sources[i]) + 1;
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->names, count, sizeof *made->names, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->text, made->text_size, 1, what, error));
    copy_names(made, constraints);
    made->given.unique_sources = made->names;
    *out = made;
    return SL_OK;
cleanup:
    sl_i_constraints_release(made);
    return status;
}

sl_i_constraints *sl_i_constraints_retain(sl_i_constraints *constraints) {
    if (constraints) atomic_fetch_add_explicit(&constraints->references, 1, memory_order_relaxed);
    return constraints;
}

void sl_i_constraints_release(sl_i_constraints *constraints) {
    if (!constraints || atomic_fetch_sub_explicit(&constraints->references, 1, memory_order_acq_rel) != 1) return;
    sl_i_release(constraints->text, constraints->text_size, 1);
    sl_i_release(constraints->names, constraints->given.num_unique_sources, sizeof *constraints->names);
    sl_i_release(constraints, 1, sizeof *constraints);
}

uint64_t sl_i_constraints_memory(const sl_i_constraints *constraints) {
    if (!constraints) return 0;
    return sl_i_block_bytes(1, sizeof *constraints) + sl_i_block_bytes(constraints->text_size, 1) +
           sl_i_block_bytes(constraints->given.num_unique_sources, sizeof *constraints->names);
}

bool sl_hierarchy_constraints(const sl_hierarchy *hierarchy, sl_constraints *constraints) {
    const sl_i_constraints *remembered = hierarchy->constraints;
    if (constraints) *constraints = remembered ? remembered->given : (sl_constraints){0};
    return remembered != NULL;
}

uint64_t sl_hierarchy_num_skipped(const sl_hierarchy *hierarchy) {
    return hierarchy->constraints ? hierarchy->constraints->num_skipped : 0;
}

uint64_t sl_hierarchy_num_tied(const sl_hierarchy *hierarchy) {
    return hierarchy->constraints ? hierarchy->constraints->num_tied : 0;
}

/* ---- who holds what ---------------------------------------------------------------------------------------------- */

/* Bits for the unique sources that the context knows: `bits` has one slot for each of its sources, SL_NO_RECORD: none. */
static uint32_t number_sources(const sl_context *context, const sl_constraints *constraints, uint32_t *bits) {
    uint32_t next = 0;
    for (uint32_t i = 0; i < constraints->num_unique_sources; i++) {
        const char *name = constraints->unique_sources[i];
        uint16_t source;
        if (!sl_i_names_find(&context->names, name, strlen(name), &source)) continue;
        if (bits[source] == SL_NO_RECORD) bits[source] = next++; /* a name may be there twice */
    }
    return next;
}

static sl_status make_bits(const sl_context *context, const sl_constraints *constraints, uint32_t **out_bits,
                           uint32_t *out_num_sources, uint32_t *out_num_bits, sl_error *error) {
    SL_TRY(sl_i_context_read(context, error));
    uint32_t count = context->names.count;
    sl_status status = sl_i_allocate(out_bits, count, sizeof **out_bits, "unique sources", error);
    if (status == SL_OK) {
        memset(*out_bits, 0xFF, count * sizeof **out_bits); /* SL_NO_RECORD */
        *out_num_sources = count;
        *out_num_bits = number_sources(context, constraints, *out_bits);
    }
    sl_i_context_end_read(context);
    return status;
}

static sl_status hand_out(sl_i_merge_guard *guard, const sl_context *context, const uint32_t *bits, sl_i_ticker *ticker,
                          sl_error *error) {
    sl_i_ticker_begin(ticker, "reading sources", guard->num_records);
    for (uint32_t record = 0; record < guard->num_records; record++) {
        uint32_t bit = bits[sl_i_store_at(&context->store, record)->source];
        guard->sizes[record] = 1;
        if (bit != SL_NO_RECORD) sl_i_guard_held(guard, record)[bit / 64] |= UINT64_C(1) << bit % 64;
        if (record % TICK_STEP == TICK_STEP - 1) SL_TRY(sl_i_ticker_advance(ticker, TICK_STEP, error));
    }
    return sl_i_ticker_advance(ticker, 0, error);
}

static void free_guard(sl_i_merge_guard *guard) {
    sl_i_release(guard->sizes, guard->num_records, sizeof *guard->sizes);
    sl_i_release(guard->held, (uint64_t)guard->num_records * guard->num_words, sizeof *guard->held);
}

static sl_status make_guard(const sl_context *context, uint32_t num_records, const sl_constraints *constraints,
                            sl_i_ticker *ticker, sl_i_merge_guard *out, sl_error *error) {
    uint32_t *bits = NULL, num_sources = 0, num_bits = 0, n = num_records;
    sl_i_merge_guard guard = {.num_records = n,
                              .max_size = constraints->max_entity_size ? constraints->max_entity_size : UINT32_MAX,
                              .drop_ties = constraints->ties == SL_TIES_DROP};
    sl_status status;
    SL_TRY(make_bits(context, constraints, &bits, &num_sources, &num_bits, error));
    guard.num_words = (num_bits + 63) / 64;
    uint64_t words = (uint64_t)n * guard.num_words;
    SL_TRY_CLEANUP(status, sl_i_allocate(&guard.sizes, n, sizeof *guard.sizes, "entity sizes", error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&guard.held, words, sizeof *guard.held, "unique sources", error));
    SL_TRY_CLEANUP(status, hand_out(&guard, context, bits, ticker, error));
    *out = guard;
cleanup:
    sl_i_release(bits, num_sources, sizeof *bits);
    if (status != SL_OK) free_guard(&guard);
    return status;
}

/* ---- the hierarchy ----------------------------------------------------------------------------------------------- */

/* Records whose edges were all left out are named by them all the same. */
static sl_status remember_named(const sl_hierarchy *hierarchy, sl_hierarchy *made, sl_error *error) {
    sl_record_set *named = NULL;
    sl_i_lone_records list = {0};
    sl_status status;
    SL_TRY(sl_hierarchy_named_records(hierarchy, &named, error));
    list.count = list.capacity = sl_record_set_count(named);
    SL_TRY_CLEANUP(status, sl_i_allocate(&list.records, list.capacity, sizeof *list.records, "the records", error));
    sl_record_set_list(named, list.records);
    SL_TRY_CLEANUP(status, sl_i_lone_settle(&list, made, error));
cleanup:
    sl_i_lone_release(&list);
    sl_record_set_release(named);
    return status;
}

static sl_status check_request(const sl_hierarchy *hierarchy, sl_keep keep, sl_error *error) {
    SL_TRY(sl_i_check_keep(keep, error));
    if (!hierarchy->edges)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "constraints are applied to all edges, and the hierarchy did not keep them: build it with "
                         "SL_KEEP_ALL");
    return SL_OK;
}

sl_status sl_i_hierarchy_constrain(const sl_context *context, const sl_hierarchy *hierarchy,
                                   const sl_constraints *constraints, sl_keep keep, sl_i_ticker *ticker,
                                   sl_hierarchy **out, sl_error *error) {
    uint32_t n = hierarchy->num_records;
    sl_i_constraints *remembered = NULL;
    sl_i_merge_guard guard = {0};
    sl_hierarchy *made = NULL;
    sl_status status;
    *out = NULL;
    SL_TRY(check_request(hierarchy, keep, error));
    SL_TRY(sl_i_constraints_create(constraints, &remembered, error));
    SL_TRY_CLEANUP(status, make_guard(context, n, constraints, ticker, &guard, error));
    SL_TRY_CLEANUP(status, sl_i_forest_build_listed(n, hierarchy->edges, sl_i_score_kind_of(hierarchy), &guard, ticker,
                                                    &made, error));
    SL_TRY_CLEANUP(status, remember_named(hierarchy, made, error));
    if (keep == SL_KEEP_NOTHING) sl_i_forest_drop(made);
    if (keep == SL_KEEP_ALL) made->edges = sl_edge_list_retain(hierarchy->edges);
    remembered->num_skipped = guard.num_skipped;
    remembered->num_tied = guard.num_tied;
    made->constraints = sl_i_constraints_retain(remembered);
    *out = sl_hierarchy_retain(made);
cleanup:
    sl_hierarchy_release(made);
    free_guard(&guard);
    sl_i_constraints_release(remembered);
    return status;
}

sl_status sl_hierarchy_constrain(const sl_context *context, const sl_hierarchy *hierarchy,
                                 const sl_constraints *constraints, sl_keep keep, const sl_progress *progress,
                                 sl_hierarchy **out, sl_error *error) {
    sl_i_ticker ticker = sl_i_ticker_make(progress);
    uint32_t known = sl_i_context_published(context);
    *out = NULL;
    if (known < hierarchy->num_records)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the hierarchy has %u records, its context only %u: it belongs to another context",
                         hierarchy->num_records, known);
    return sl_i_hierarchy_constrain(context, hierarchy, constraints, keep, &ticker, out, error);
}
