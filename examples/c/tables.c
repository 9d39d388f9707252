/* tables.c: a frame as relational tables, in C.
 *
 * A frame with one model goes out as tables, each an Arrow stream that a database driver or Parquet writer takes as it is; the
 * program prints how many rows each has, and what merges in which event. Then the four tables that tell a frame make a second
 * one, as they would if they came from a database. */
#include <inttypes.h>
#include <stdio.h>

#include <starlings.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

/* ---- a frame ------------------------------------------------------------------------------------------------------- */

static const uint64_t left[] = {10, 20, 40}, right[] = {20, 30, 50};
static const double scores[] = {0.9, 0.6, 0.8};

static sl_status add_model(sl_frame_change *change, sl_error *error) {
    sl_context *context;
    sl_hierarchy *hierarchy = NULL;
    uint16_t source;
    TRY(sl_frame_change_context(change, &context, error));
    TRY(sl_context_add_source(context, "crm", 3, &source, error));
    const sl_edges edges = {
        .left = {.keys = {.type = SL_COLUMN_UINT64, .length = 3, .values = left}, .source = source},
        .right = {.keys = {.type = SL_COLUMN_UINT64, .length = 3, .values = right}, .source = source},
        .score = {.type = SL_COLUMN_FLOAT64, .length = 3, .values = scores}};
    TRY(sl_hierarchy_extend(context, NULL, &edges, 1, NULL, &hierarchy, error));
    sl_status status = sl_frame_change_add(change, "model", 5, hierarchy, 6, NULL, error);
    sl_hierarchy_release(hierarchy);
    return status;
}

static sl_status fill(sl_frame *frame, sl_error *error) {
    sl_frame_change *change = NULL;
    TRY(sl_frame_begin(frame, &change, error));
    sl_status status = add_model(change, error);
    if (status == SL_OK) return sl_frame_change_commit(change, NULL, error);
    sl_frame_change_abort(change);
    return status;
}

/* ---- out ----------------------------------------------------------------------------------------------------------- */

/* Columns of merge_groups: collection_id, event, merging_group, component. */
static void print_groups(const struct ArrowArray *batch) {
    const int64_t *events = batch->children[1]->buffers[1], *components = batch->children[3]->buffers[1];
    for (int64_t row = 0; row < batch->length; row++)
        printf("  event %" PRId64 " merges component %" PRId64 "\n", events[row], components[row]);
}

/* Batches are made as they are asked for. */
static int print_table(sl_relation relation, struct ArrowArrayStream *stream) {
    struct ArrowArray batch = {.release = NULL};
    int64_t rows = 0;
    int failed;
    while ((failed = stream->get_next(stream, &batch)) == 0 && batch.release) {
        if (relation == SL_RELATION_MERGE_GROUPS) print_groups(&batch);
        rows += batch.length;
        batch.release(&batch);
    }
    printf("%s: %" PRId64 " rows\n", sl_relation_name(relation), rows);
    stream->release(stream);
    return failed;
}

static sl_status print_tables(const sl_frame_state *state, sl_error *error) {
    struct ArrowArrayStream stream;
    for (int relation = 0; relation < SL_NUM_RELATIONS; relation++) {
        TRY(sl_frame_state_relation(state, (sl_relation)relation, NULL, &stream, error));
        if (print_table((sl_relation)relation, &stream) != 0) return SL_ERROR_MEMORY;
    }
    return SL_OK;
}

/* ---- and back ------------------------------------------------------------------------------------------------------ */

static sl_status read_back(const sl_frame_state *state, sl_frame **out, sl_error *error) {
    struct ArrowArrayStream streams[4] = {{.release = NULL}};
    sl_status status = SL_OK;
    for (int i = 0; i < 4 && status == SL_OK; i++)
        status = sl_frame_state_relation(state, (sl_relation)i, NULL, &streams[i], error);
    if (status == SL_OK) return sl_frame_from_relations(streams, NULL, out, error); /* releases them */
    for (int i = 0; i < 4; i++)
        if (streams[i].release) streams[i].release(&streams[i]);
    return status;
}

static sl_status run(const sl_frame *frame, sl_error *error) {
    sl_frame_state *state = sl_frame_now(frame), *now;
    sl_frame *again = NULL;
    sl_status status = print_tables(state, error);
    if (status == SL_OK) status = read_back(state, &again, error);
    if (status == SL_OK) {
        now = sl_frame_now(again);
        printf("read back: %" PRIu32 " records, collection %s\n", sl_frame_state_num_records(now),
               sl_frame_state_name(now, 0, NULL));
        sl_frame_state_release(now);
    }
    sl_frame_release(again);
    sl_frame_state_release(state);
    return status;
}

int main(void) {
    sl_error error = {.message = "out of memory"};
    sl_frame *frame = NULL;
    sl_status status = sl_frame_create(&frame, &error);
    if (status == SL_OK) status = fill(frame, &error);
    if (status == SL_OK) status = run(frame, &error);
    if (status != SL_OK) fprintf(stderr, "tables: %s\n", error.message);
    sl_frame_release(frame);
    return status == SL_OK ? 0 : 1;
}
