/* files.c: a frame that goes to a file and comes back, in C.
 *
 * Customers of two shops and a model that scored pairs of them. The program saves the frame, loads it, as another process would, and
 * looks up the entity of one customer in what was loaded. Then it alters a byte of the file, to show what becomes of that. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <starlings.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

#define PATH "customers.starlings"
#define PAIRS 4

static const char *const left[PAIRS] = {"ann", "ann", "bob", "cid"};
static const char *const right[PAIRS] = {"anne", "anna", "rob", "sid"};
static const double scores[PAIRS] = {0.97, 0.91, 0.88, 0.42};

/* ---- a frame ------------------------------------------------------------------------------------------------------- */

static void make_keys(const char *const *names, sl_key keys[PAIRS]) {
    for (int i = 0; i < PAIRS; i++)
        keys[i] =
            (sl_key){.kind = SL_KEY_STRING, .length = (uint32_t)strlen(names[i]), .bytes = (const uint8_t *)names[i]};
}

/* The left names are from one shop, the right ones from the other. */
static sl_status build(sl_context *context, sl_hierarchy **out, sl_error *error) {
    sl_key left_keys[PAIRS], right_keys[PAIRS];
    uint16_t north, south;
    TRY(sl_context_add_source(context, "north", 5, &north, error));
    TRY(sl_context_add_source(context, "south", 5, &south, error));
    make_keys(left, left_keys);
    make_keys(right, right_keys);
    const sl_edges edges = {
        .left = {.keys = {.type = SL_COLUMN_KEYS, .length = PAIRS, .values = left_keys}, .source = north},
        .right = {.keys = {.type = SL_COLUMN_KEYS, .length = PAIRS, .values = right_keys}, .source = south},
        .score = {.type = SL_COLUMN_FLOAT64, .length = PAIRS, .values = scores}};
    return sl_hierarchy_extend(context, NULL, &edges, 1, NULL, out, error);
}

static sl_status fill(sl_frame *frame, sl_error *error) {
    sl_frame_change *change = NULL;
    sl_context *context = NULL;
    sl_hierarchy *hierarchy = NULL;
    TRY(sl_frame_begin(frame, &change, error));
    sl_status status = sl_frame_change_context(change, &context, error);
    if (status == SL_OK) status = build(context, &hierarchy, error);
    if (status == SL_OK) status = sl_frame_change_add(change, "model", 5, hierarchy, 6, NULL, error);
    sl_hierarchy_release(hierarchy);
    if (status == SL_OK) return sl_frame_change_commit(change, NULL, error);
    sl_frame_change_abort(change);
    return status;
}

static sl_status save(const char *path, sl_error *error) {
    sl_frame *frame = NULL;
    TRY(sl_frame_create(&frame, error));
    sl_status status = fill(frame, error);
    sl_frame_state *state = sl_frame_now(frame);
    if (status == SL_OK) status = sl_frame_state_save(state, path, NULL, error);
    sl_frame_state_release(state);
    sl_frame_release(frame);
    return status;
}

/* ---- what was loaded ----------------------------------------------------------------------------------------------- */

/* A key has no end mark: its length says where it ends. */
static void print_entity(const sl_context *context, const uint32_t *records, uint64_t first, uint64_t end) {
    for (uint64_t i = first; i < end; i++) {
        sl_record record;
        if (!sl_context_record(context, records[i], &record)) continue;
        printf("  %.*s of %s\n", (int)record.key.length, (const char *)record.key.bytes,
               sl_context_source_name(context, record.source, NULL));
    }
}

static sl_status list_entity(const sl_collection *collection, uint32_t record, double threshold, sl_error *error) {
    sl_partition *partition = NULL;
    const uint32_t *labels, *offsets, *records;
    TRY(sl_collection_at(collection, threshold, &partition, error));
    sl_status status = sl_partition_labels(partition, &labels, error);
    if (status == SL_OK) status = sl_partition_offsets(partition, &offsets, error);
    if (status == SL_OK) status = sl_partition_records(partition, &records, error);
    if (status == SL_OK) {
        uint32_t entity = labels[record];
        printf("at %g, entity %" PRIu32 ":\n", threshold, entity);
        print_entity(sl_collection_context(collection), records, offsets[entity], offsets[entity + 1]);
    }
    sl_partition_release(partition);
    return status;
}

static sl_status look(const sl_frame *frame, sl_error *error) {
    sl_frame_state *state = sl_frame_now(frame);
    sl_collection *collection = NULL;
    uint32_t position;
    printf("%" PRIu32 " records of %" PRIu32 " sources\n", sl_frame_state_num_records(state),
           sl_frame_state_num_sources(state));
    (void)sl_frame_state_find(state, "model", 5, &position);
    sl_status status = sl_frame_state_collection(state, position, &collection, error);
    if (status == SL_OK) status = list_entity(collection, 0, 0.9, error);
    sl_collection_release(collection);
    sl_frame_state_release(state);
    return status;
}

static sl_status load(const char *path, sl_error *error) {
    sl_frame *frame = NULL;
    TRY(sl_frame_load(path, NULL, &frame, error));
    sl_status status = look(frame, error);
    sl_frame_release(frame);
    return status;
}

/* ---- a file that was altered --------------------------------------------------------------------------------------- */

static int alter(const char *path, long at) {
    FILE *file = fopen(path, "r+b");
    if (!file) return -1;
    int byte = fseek(file, at, SEEK_SET) == 0 ? fgetc(file) : EOF;
    int done = byte != EOF && fseek(file, at, SEEK_SET) == 0 && fputc(byte ^ 1, file) != EOF;
    return fclose(file) == 0 && done ? 0 : -1;
}

static int show_damage(const char *path) {
    sl_frame *frame = NULL;
    sl_error error;
    if (alter(path, 700) != 0) return -1;
    if (sl_frame_load(path, NULL, &frame, &error) != SL_ERROR_CORRUPT) return -1;
    printf("%s: %s\n", sl_status_name(error.status), error.message);
    return remove(path);
}

int main(void) {
    sl_error error;
    sl_status status = save(PATH, &error);
    if (status == SL_OK) status = load(PATH, &error);
    if (status == SL_OK) return show_damage(PATH) == 0 ? 0 : 1;
    fprintf(stderr, "%s: %s\n", sl_status_name(status), error.message);
    return 1;
}
