/* frames.c: a frame in service, in C.
 *
 * The customers of a CRM and the accounts of a shop are given as records. Models come and go: each is a collection of scored
 * pairs, one of them made elsewhere, and two name visits to a web site, which nobody gave. The program cuts the collections,
 * walks the merges of one, drops models until the visits are garbage and the frame compacts, and prints what there is to
 * watch. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <starlings.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

/* ---- data --------------------------------------------------------------------------------------------------------- */

#define MOST 8 /* pairs of a kind that a model has */

static const uint32_t customers[] = {1, 2, 3, 4};
static const char accounts[] = "A-7B-2C-9"; /* keys of three letters, one after the other, as Arrow keeps them */
static const int32_t offsets[] = {0, 3, 6, 9};

/* Which customers are which accounts, and which visits to the web site were theirs. */
typedef struct model {
    const char *name;
    uint64_t num_accounts, num_visits;
    uint32_t customers[MOST];
    const char *accounts; /* as above */
    double scores[MOST];
    uint32_t visitors[MOST], visits[MOST];
    double visit_scores[MOST];
} model;

static const model rules = {
    .name = "rules", .num_accounts = 2, .customers = {1, 2}, .accounts = "A-7B-2", .scores = {1.0, 1.0}};
static const model spring = {.name = "spring",
                             .num_accounts = 3,
                             .num_visits = 4,
                             .customers = {1, 2, 3},
                             .accounts = "A-7B-2B-2",
                             .scores = {0.96, 0.91, 0.55},
                             .visitors = {1, 1, 2, 3},
                             .visits = {1, 2, 3, 4},
                             .visit_scores = {0.9, 0.8, 0.8, 0.7}};
static const model summer = {.name = "summer",
                             .num_accounts = 3,
                             .num_visits = 8,
                             .customers = {1, 2, 3},
                             .accounts = "A-7B-2C-9",
                             .scores = {0.98, 0.93, 0.62},
                             .visitors = {1, 1, 2, 2, 3, 3, 4, 4},
                             .visits = {3, 4, 5, 6, 7, 8, 9, 10},
                             .visit_scores = {0.9, 0.8, 0.9, 0.8, 0.9, 0.8, 0.9, 0.8}};
static const model elsewhere = {
    .name = "elsewhere", .num_accounts = 2, .customers = {4, 5}, .accounts = "C-9A-7", .scores = {0.88, 0.35}};

/* ---- columns and keys --------------------------------------------------------------------------------------------- */

static sl_column numbers(const uint32_t *values, uint64_t length) {
    return (sl_column){.type = SL_COLUMN_UINT32, .length = length, .values = values};
}

static sl_column scores(const double *values, uint64_t length) {
    return (sl_column){.type = SL_COLUMN_FLOAT64, .length = length, .values = values};
}

static sl_column texts(const char *bytes, uint64_t length) {
    return (sl_column){.type = SL_COLUMN_STRING, .length = length, .values = bytes, .offsets = offsets};
}

/* Keys of the source of that name. */
static sl_status keys_of(sl_context *context, const char *source, sl_column column, sl_key_column *out,
                         sl_error *error) {
    *out = (sl_key_column){.keys = column};
    return sl_context_add_source(context, source, strlen(source), &out->source, error);
}

/* The hierarchy of a model: one batch of edges for accounts, one for visits. Keys that are new become records. */
static sl_status build(sl_context *context, const model *m, sl_hierarchy **out, sl_error *error) {
    sl_edges batches[2] = {{.score = scores(m->scores, m->num_accounts)},
                           {.score = scores(m->visit_scores, m->num_visits)}};
    TRY(keys_of(context, "crm", numbers(m->customers, m->num_accounts), &batches[0].left, error));
    TRY(keys_of(context, "shop", texts(m->accounts, m->num_accounts), &batches[0].right, error));
    TRY(keys_of(context, "crm", numbers(m->visitors, m->num_visits), &batches[1].left, error));
    TRY(keys_of(context, "web", numbers(m->visits, m->num_visits), &batches[1].right, error));
    return sl_hierarchy_extend(context, NULL, batches, 2, NULL, out, error);
}

static void print_record(const sl_context *context, uint32_t index) {
    sl_record record;
    if (!sl_context_record(context, index, &record)) return;
    printf(" %s/", sl_context_source_name(context, record.source, NULL));
    if (record.key.kind == SL_KEY_STRING)
        printf("%.*s", (int)record.key.length, (const char *)record.key.bytes);
    else
        printf("%" PRIu64, record.key.number);
}

/* ---- changing a frame --------------------------------------------------------------------------------------------- */

/* What a change is to do; `what` is handed on to it. */
typedef sl_status (*step)(sl_frame_change *change, const void *what, sl_error *error);

/* All or nothing: the frame changes with the commit, or not at all. */
static sl_status change_frame(sl_frame *frame, step make, const void *what, sl_error *error) {
    sl_frame_change *change = NULL;
    TRY(sl_frame_begin(frame, &change, error));
    sl_status status = make(change, what, error);
    if (status == SL_OK) return sl_frame_change_commit(change, NULL, error);
    sl_frame_change_abort(change);
    return status;
}

static sl_status give_column(sl_frame_change *change, const char *source, sl_column column, sl_error *error) {
    sl_context *context; /* to append to */
    sl_key_column keys;
    uint32_t records[MOST];
    TRY(sl_frame_change_context(change, &context, error));
    TRY(keys_of(context, source, column, &keys, error));
    TRY(sl_context_intern(context, &keys, records, NULL, error));
    return sl_frame_change_give(change, records, column.length, error);
}

static sl_status give_records(sl_frame_change *change, const void *what, sl_error *error) {
    (void)what;
    TRY(give_column(change, "crm", numbers(customers, 4), error));
    return give_column(change, "shop", texts(accounts, 3), error);
}

static sl_status add_model(sl_frame_change *change, const void *what, sl_error *error) {
    const model *m = what;
    sl_context *context;
    sl_hierarchy *hierarchy = NULL;
    TRY(sl_frame_change_context(change, &context, error));
    TRY(build(context, m, &hierarchy, error));
    sl_status status = sl_frame_change_add(change, m->name, strlen(m->name), hierarchy, 6, NULL, error);
    sl_hierarchy_release(hierarchy);
    return status;
}

static sl_status drop_model(sl_frame_change *change, const void *what, sl_error *error) {
    const model *m = what;
    return sl_frame_change_drop(change, m->name, strlen(m->name), error);
}

/* ---- a collection made elsewhere ---------------------------------------------------------------------------------- */

static sl_status collect(const model *m, sl_collection **out, sl_error *error) {
    sl_context *context = NULL;
    sl_hierarchy *hierarchy = NULL;
    TRY(sl_context_create(&context, error));
    sl_status status = build(context, m, &hierarchy, error);
    if (status == SL_OK) status = sl_collection_create(context, hierarchy, 0, 6, NULL, out, error);
    sl_hierarchy_release(hierarchy);
    sl_context_release(context);
    return status;
}

/* Its records are matched by source and key; those that the frame does not have are appended. */
static sl_status assimilate(sl_frame_change *change, const void *what, sl_error *error) {
    const sl_collection *made = what;
    uint32_t count = sl_collection_num_records(made), translation[2 * MOST];
    TRY(sl_frame_change_assimilate(change, elsewhere.name, strlen(elsewhere.name), made, false, translation, NULL,
                                   error));
    for (uint32_t i = 0; i < count; i++) {
        printf("  %" PRIu32 " -> %" PRIu32 ":", i, translation[i]);
        print_record(sl_collection_context(made), i);
        printf("\n");
    }
    return SL_OK;
}

static sl_status add_made_elsewhere(sl_frame *frame, sl_error *error) {
    sl_collection *made = NULL;
    TRY(collect(&elsewhere, &made, error));
    printf("records of the collection made elsewhere, in the frame:\n");
    sl_status status = change_frame(frame, assimilate, made, error);
    sl_collection_release(made);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* A view stays as it is, whatever becomes of the frame. */
static sl_status view_of(const sl_frame *frame, const model *m, sl_collection **out, sl_error *error) {
    sl_frame_state *state = sl_frame_now(frame);
    uint32_t position = UINT32_MAX; /* beyond the last: an error, if there is no such name */
    (void)sl_frame_state_find(state, m->name, strlen(m->name), &position);
    sl_status status = sl_frame_state_collection(state, position, out, error);
    sl_frame_state_release(state);
    return status;
}

/* The entities of two records or more. */
static sl_status print_entities(const sl_collection *view, const sl_partition *cut, sl_error *error) {
    const uint32_t *bounds, *records;
    TRY(sl_partition_offsets(cut, &bounds, error));
    TRY(sl_partition_records(cut, &records, error));
    for (uint32_t entity = 0; entity < sl_partition_num_entities(cut); entity++) {
        if (bounds[entity + 1] - bounds[entity] < 2) continue;
        printf("  entity %" PRIu32 ":", entity);
        for (uint32_t i = bounds[entity]; i < bounds[entity + 1]; i++)
            print_record(sl_collection_context(view), records[i]);
        printf("\n");
    }
    return SL_OK;
}

static sl_status print_cut(const sl_collection *view, const char *name, double threshold, sl_error *error) {
    sl_partition *cut = NULL;
    TRY(sl_collection_at(view, threshold, &cut, error));
    printf("%s at %g: %" PRIu32 " entities of %" PRIu32 " records\n", name, threshold, sl_partition_num_entities(cut),
           sl_partition_num_records(cut));
    sl_status status = print_entities(view, cut, error);
    sl_partition_release(cut);
    return status;
}

/* What comes together, highest threshold first. */
static sl_status print_merges(const sl_collection *view, const char *name, sl_error *error) {
    sl_merge_events *events = NULL;
    sl_merge_event event;
    TRY(sl_merge_events_create(sl_collection_hierarchy(view), sl_collection_num_records(view), &events, error));
    printf("merges of %s:\n", name);
    for (uint32_t e = 0; sl_merge_events_get(events, e, &event); e++) {
        printf("  at %g, %" PRIu32 " components become one:", event.threshold, event.num_components);
        for (uint32_t i = 0; i < event.num_records; i++) print_record(sl_collection_context(view), event.records[i]);
        printf("\n");
    }
    sl_merge_events_release(events);
    return SL_OK;
}

static void print_state(const sl_frame *frame, const char *when) {
    sl_frame_state *state = sl_frame_now(frame);
    printf("%s: %" PRIu32 " records, %" PRIu32 " of them garbage%s\n", when, sl_frame_state_num_records(state),
           sl_record_set_count(sl_frame_state_garbage(state)),
           sl_frame_state_last_compaction(state) ? "; compacted" : "");
    sl_frame_state_release(state);
}

static sl_status print_metrics(const sl_frame *frame, sl_error *error) {
    sl_frame_metrics metrics;
    TRY(sl_frame_collect_metrics(frame, &metrics, error));
    printf("to watch: %" PRIu32 " collections, %" PRIu32 " records, %" PRIu32 " sources, ", metrics.num_collections,
           metrics.num_records, metrics.num_sources);
    printf("stability %.3f, sensitivity %.3f, garbage %.0f %%\n", metrics.avg_entity_stability,
           metrics.threshold_sensitivity, 100 * metrics.garbage_ratio);
    return SL_OK;
}

/* ---- the job ------------------------------------------------------------------------------------------------------ */

static sl_status fill(sl_frame *frame, sl_error *error) {
    TRY(change_frame(frame, give_records, NULL, error));
    TRY(change_frame(frame, add_model, &rules, error));
    TRY(change_frame(frame, add_model, &spring, error));
    TRY(change_frame(frame, add_model, &summer, error));
    return add_made_elsewhere(frame, error);
}

/* Models go, and with them what only they named. Above one half garbage, the frame moves to a new context. */
static sl_status retire(sl_frame *frame, sl_error *error) {
    print_state(frame, "before");
    TRY(change_frame(frame, drop_model, &elsewhere, error));
    TRY(change_frame(frame, drop_model, &spring, error));
    print_state(frame, "without elsewhere and spring");
    TRY(change_frame(frame, drop_model, &summer, error));
    print_state(frame, "without summer");
    return SL_OK;
}

static sl_status use(sl_frame *frame, sl_collection *summers, sl_error *error) {
    TRY(print_cut(summers, summer.name, 0.9, error));
    TRY(print_cut(summers, summer.name, 0.6, error));
    TRY(print_merges(summers, summer.name, error));
    TRY(print_metrics(frame, error));
    TRY(retire(frame, error));
    TRY(print_metrics(frame, error));
    printf("the view from before is as it was; ");
    return print_cut(summers, summer.name, 0.9, error);
}

int main(void) {
    sl_error error = {.message = ""};
    sl_frame *frame = NULL;
    sl_collection *summers = NULL;
    sl_status status = sl_frame_create(&frame, &error);
    if (status == SL_OK) status = fill(frame, &error);
    if (status == SL_OK) status = view_of(frame, &summer, &summers, &error);
    if (status == SL_OK) status = use(frame, summers, &error);
    if (status != SL_OK) fprintf(stderr, "frames: %s\n", error.message);
    sl_collection_release(summers);
    sl_frame_release(frame);
    return status == SL_OK ? 0 : 1;
}
