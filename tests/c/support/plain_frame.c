/* plain_frame.c: see plain_frame.h. */
#include "support/plain_frame.h"

#include <stdio.h>

#include "support/graphs.h"
#include "support/plain_hierarchy.h"

static const char *const source_names[PLAIN_SOURCES] = {"a", "b", ""};
const double plain_thresholds[PLAIN_THRESHOLDS] = {0.0, 0.25, 0.5, 0.75, 1.0};

/* ---- the model --------------------------------------------------------------------------------------------------- */

uint32_t plain_find(const plain_frame *plain, uint32_t id) {
    uint32_t index = 0;
    while (index < plain->count && plain->ids[index] != id) index++;
    return index;
}

void plain_intern(plain_frame *plain, uint32_t id) {
    if (plain_find(plain, id) == plain->count) plain->ids[plain->count++] = id;
}

static bool plain_is_live(const plain_frame *plain, uint32_t id) {
    bool live = plain->given[id];
    for (uint32_t i = 0; i < plain->num_collections; i++) live |= plain->collections[i].used[id];
    return live;
}

uint32_t plain_garbage(const plain_frame *plain) {
    uint32_t garbage = 0;
    for (uint32_t i = 0; i < plain->count; i++) garbage += !plain_is_live(plain, plain->ids[i]);
    return garbage;
}

void plain_compact(plain_frame *plain) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plain->count; i++)
        if (plain_is_live(plain, plain->ids[i])) plain->ids[kept++] = plain->ids[i];
    plain->count = kept;
}

void plain_add(plain_frame *plain, const char *name, const plain_edges *edges) {
    plain_collection *made = &plain->collections[plain->num_collections++];
    memset(made, 0, sizeof *made);
    snprintf(made->name, sizeof made->name, "%s", name);
    made->edges = *edges;
    for (uint32_t i = 0; i < edges->count; i++) {
        plain_intern(plain, edges->left[i]);
        plain_intern(plain, edges->right[i]);
        made->used[edges->left[i]] = made->used[edges->right[i]] = true;
    }
}

uint32_t plain_position(const plain_frame *plain, const char *name) {
    uint32_t position = 0;
    while (position < plain->num_collections && strcmp(plain->collections[position].name, name) != 0) position++;
    return position;
}

void plain_drop(plain_frame *plain, uint32_t position) {
    for (uint32_t i = position; i + 1 < plain->num_collections; i++) plain->collections[i] = plain->collections[i + 1];
    plain->num_collections--;
}

plain_edges plain_random_edges(uint64_t *random, uint32_t ids) {
    plain_edges edges = {.count = graph_below(random, PLAIN_MAX_EDGES + 1)};
    for (uint32_t i = 0; i < edges.count; i++) {
        edges.left[i] = graph_below(random, ids);
        edges.right[i] = graph_below(random, 5) == 0 ? edges.left[i] : graph_below(random, ids);
        edges.scores[i] = graph_below(random, 5) / 4.0;
    }
    return edges;
}

/* Records 0-1-2-...-12 in a chain, falling scores. */
plain_edges plain_chain(void) {
    plain_edges edges = {.count = PLAIN_MAX_EDGES};
    for (uint32_t i = 0; i < PLAIN_MAX_EDGES; i++) {
        edges.left[i] = i;
        edges.right[i] = i + 1;
        edges.scores[i] = 1.0 - i / 16.0;
    }
    return edges;
}

/* ---- the engine's side ------------------------------------------------------------------------------------------- */

typedef struct keys {
    sl_key keys[PLAIN_IDS];
    uint16_t sources[PLAIN_IDS];
    sl_key_column column;
} keys;

static sl_status make_keys(sl_context *context, const uint32_t *ids, uint32_t count, keys *out, sl_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        const char *source = source_names[ids[i] / PLAIN_KEYS];
        sl_status status = sl_context_add_source(context, source, strlen(source), &out->sources[i], error);
        if (status != SL_OK) return status;
        out->keys[i] = (sl_key){.kind = SL_KEY_U32, .number = ids[i] % PLAIN_KEYS};
    }
    out->column = (sl_key_column){.keys = {.type = SL_COLUMN_KEYS, .length = count, .values = out->keys},
                                  .sources = out->sources};
    return SL_OK;
}

static sl_status build(sl_context *context, const plain_edges *edges, sl_hierarchy **out, sl_error *error) {
    keys left, right;
    *out = NULL;
    sl_status status = make_keys(context, edges->left, edges->count, &left, error);
    if (status == SL_OK) status = make_keys(context, edges->right, edges->count, &right, error);
    if (status != SL_OK) return status;
    sl_edges batch = {
        left.column, right.column, {.type = SL_COLUMN_FLOAT64, .length = edges->count, .values = edges->scores}};
    return sl_hierarchy_extend(context, NULL, &batch, 1, NULL, out, error);
}

sl_status frame_step_give(sl_frame_change *change, const uint32_t *ids, uint32_t count, sl_error *error) {
    uint32_t records[PLAIN_IDS];
    sl_context *context;
    keys named;
    sl_status status = sl_frame_change_context(change, &context, error);
    if (status == SL_OK) status = make_keys(context, ids, count, &named, error);
    if (status == SL_OK) status = sl_context_intern(context, &named.column, records, NULL, error);
    return status == SL_OK ? sl_frame_change_give(change, records, count, error) : status;
}

sl_status frame_step_add(sl_frame_change *change, const char *name, const plain_edges *edges, sl_error *error) {
    sl_context *context;
    sl_hierarchy *hierarchy = NULL;
    sl_status status = sl_frame_change_context(change, &context, error);
    if (status == SL_OK) status = build(context, edges, &hierarchy, error);
    if (status == SL_OK) status = sl_frame_change_add(change, name, strlen(name), hierarchy, 6, NULL, error);
    sl_hierarchy_release(hierarchy);
    return status;
}

/* A collection of its own. */
sl_collection *frame_collection(const plain_edges *edges) {
    sl_context *context;
    sl_hierarchy *hierarchy;
    sl_collection *made;
    EXPECT_OK(sl_context_create(&context, &expect_error));
    EXPECT_OK(build(context, edges, &hierarchy, &expect_error));
    EXPECT_OK(sl_collection_create(context, hierarchy, 0, 6, NULL, &made, &expect_error));
    sl_hierarchy_release(hierarchy);
    sl_context_release(context);
    return made;
}

sl_frame *frame_make(void) {
    sl_frame *frame;
    EXPECT_OK(sl_frame_create(&frame, &expect_error));
    return frame;
}

sl_frame_change *frame_begin(sl_frame *frame) {
    sl_frame_change *change;
    EXPECT_OK(sl_frame_begin(frame, &change, &expect_error));
    return change;
}

void frame_commit(sl_frame_change *change) { EXPECT_OK(sl_frame_change_commit(change, NULL, &expect_error)); }

void frame_add(sl_frame *frame, const char *name, const plain_edges *edges) {
    sl_frame_change *change = frame_begin(frame);
    EXPECT_OK(frame_step_add(change, name, edges, &expect_error));
    frame_commit(change);
}

void frame_drop(sl_frame *frame, const char *name) {
    sl_frame_change *change = frame_begin(frame);
    EXPECT_OK(sl_frame_change_drop(change, name, strlen(name), &expect_error));
    frame_commit(change);
}

void frame_give(sl_frame *frame, uint32_t first, uint32_t count) {
    uint32_t ids[PLAIN_IDS];
    for (uint32_t i = 0; i < count; i++) ids[i] = first + i;
    sl_frame_change *change = frame_begin(frame);
    EXPECT_OK(frame_step_give(change, ids, count, &expect_error));
    frame_commit(change);
}

sl_collection *frame_view(const sl_frame *frame, const char *name) {
    sl_frame_state *state = sl_frame_now(frame);
    sl_collection *view;
    uint32_t position;
    assert_true(sl_frame_state_find(state, name, strlen(name), &position));
    EXPECT_OK(sl_frame_state_collection(state, position, &view, &expect_error));
    sl_frame_state_release(state);
    return view;
}

sl_frame_metrics frame_metrics(const sl_frame *frame) {
    sl_frame_metrics metrics;
    EXPECT_OK(sl_frame_collect_metrics(frame, &metrics, &expect_error));
    return metrics;
}

/* So many rows of one column. */
sl_batches *frame_batches(uint32_t rows) {
    uint32_t *numbers = fresh_memory(rows, sizeof *numbers);
    struct ArrowArrayStream stream;
    sl_table *table;
    sl_batches *batches;
    for (uint32_t i = 0; i < rows; i++) numbers[i] = i;
    EXPECT_OK(sl_table_create(rows, &table, &expect_error));
    EXPECT_OK(sl_table_add_numbers(table, "number", SL_COLUMN_UINT32, numbers, &expect_error));
    EXPECT_OK(sl_table_export(table, &stream, &expect_error));
    EXPECT_OK(sl_batches_from_stream(&stream, &batches, &expect_error));
    free(numbers);
    return batches;
}

/* Row i of the batches describes record first + i, which is there already. */
sl_status frame_step_attach(sl_frame_change *change, sl_batches *batches, uint32_t first, sl_error *error) {
    return sl_frame_change_attach(change, batches, NULL, first, error);
}

bool frame_has_attributes(const sl_frame *frame, uint32_t record) {
    sl_frame_state *state = sl_frame_now(frame);
    uint32_t attachment;
    uint64_t row;
    sl_context_find_attributes(sl_frame_state_context(state), &record, 1, &attachment, &row);
    sl_frame_state_release(state);
    return attachment != SL_NO_RECORD;
}

void frame_expect_attributes(const sl_frame *frame, uint32_t record, const sl_batches *batches, uint64_t row) {
    sl_frame_state *state = sl_frame_now(frame);
    const sl_context *context = sl_frame_state_context(state);
    uint32_t attachment;
    uint64_t found;
    sl_context_find_attributes(context, &record, 1, &attachment, &found);
    sl_batches *attached = sl_context_attachment(context, attachment);
    assert_ptr_equal(attached, batches);
    assert_int_equal(found, row);
    sl_batches_release(attached);
    sl_frame_state_release(state);
}

sl_partition *frame_cut(const sl_collection *collection, double threshold) {
    sl_partition *partition;
    EXPECT_OK(sl_collection_at(collection, threshold, &partition, &expect_error));
    return partition;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static void expect_record(const sl_context *context, uint32_t index, uint32_t id) {
    sl_record record;
    assert_true(sl_context_record(context, index, &record));
    assert_string_equal(sl_context_source_name(context, record.source, NULL), source_names[id / PLAIN_KEYS]);
    assert_int_equal(record.key.number, id % PLAIN_KEYS);
}

static void expect_sources(const sl_frame_state *state, const plain_frame *plain) {
    bool seen[PLAIN_SOURCES] = {false};
    uint32_t count = 0;
    for (uint32_t i = 0; i < plain->count; i++) {
        uint32_t source = plain->ids[i] / PLAIN_KEYS;
        if (seen[source]) continue;
        seen[source] = true;
        assert_true(count < sl_frame_state_num_sources(state));
        const char *name =
            sl_context_source_name(sl_frame_state_context(state), sl_frame_state_sources(state)[count++], NULL);
        assert_string_equal(name, source_names[source]);
    }
    assert_int_equal(sl_frame_state_num_sources(state), count);
}

static void expect_partitions(const sl_collection *view, const plain_frame *plain, const plain_collection *kept) {
    uint32_t left[PLAIN_MAX_EDGES], right[PLAIN_MAX_EDGES], smallest[PLAIN_IDS];
    double scores[PLAIN_MAX_EDGES];
    const uint32_t *labels;
    for (uint32_t i = 0; i < kept->edges.count; i++) {
        left[i] = plain_find(plain, kept->edges.left[i]);
        right[i] = plain_find(plain, kept->edges.right[i]);
        scores[i] = kept->edges.scores[i];
    }
    const graph g = {
        .num_records = plain->count, .num_edges = kept->edges.count, .left = left, .right = right, .scores = scores};
    for (uint32_t i = 0; i < PLAIN_THRESHOLDS; i++) {
        sl_partition *partition;
        EXPECT_OK(sl_collection_at(view, plain_thresholds[i], &partition, &expect_error));
        EXPECT_OK(sl_partition_labels(partition, &labels, &expect_error));
        assert_int_equal(sl_partition_num_records(partition), plain->count);
        plain_components(&g, 6, plain_thresholds[i], smallest);
        plain_expect_same_partition(labels, smallest, plain->count);
        sl_partition_release(partition);
    }
}

static void expect_collection(const sl_frame_state *state, uint32_t position, const plain_frame *plain) {
    const plain_collection *kept = &plain->collections[position];
    sl_collection *view;
    uint32_t found;
    size_t length;
    assert_string_equal(sl_frame_state_name(state, position, &length), kept->name);
    assert_int_equal(length, strlen(kept->name));
    assert_true(sl_frame_state_find(state, kept->name, length, &found));
    assert_int_equal(found, position);
    EXPECT_OK(sl_frame_state_collection(state, position, &view, &expect_error));
    assert_int_equal(sl_collection_num_records(view), plain->count);
    expect_partitions(view, plain, kept);
    sl_collection_release(view);
}

void frame_expect_state(const sl_frame_state *state, const plain_frame *plain) {
    EXPECT_OK(sl_i_state_validate(state, &expect_error));
    assert_int_equal(sl_frame_state_num_records(state), plain->count);
    assert_int_equal(sl_frame_state_num_collections(state), plain->num_collections);
    expect_sources(state, plain);
    for (uint32_t i = 0; i < plain->count; i++) {
        uint32_t id = plain->ids[i];
        expect_record(sl_frame_state_context(state), i, id);
        assert_int_equal(sl_record_set_contains(sl_frame_state_given(state), i), plain->given[id]);
        assert_int_equal(sl_record_set_contains(sl_frame_state_garbage(state), i), !plain_is_live(plain, id));
    }
    for (uint32_t i = 0; i < plain->num_collections; i++) expect_collection(state, i, plain);
}

void frame_expect(const sl_frame *frame, const plain_frame *plain) {
    sl_frame_state *state = sl_frame_now(frame);
    sl_frame_metrics metrics = frame_metrics(frame);
    frame_expect_state(state, plain);
    assert_int_equal(metrics.num_collections, plain->num_collections);
    assert_int_equal(metrics.num_records, plain->count);
    assert_true(metrics.garbage_ratio == (plain->count ? (double)plain_garbage(plain) / plain->count : 0.0));
    sl_frame_state_release(state);
}

/* What is held beyond what was before, by a test that holds nothing but this frame. */
void frame_expect_held(const sl_frame *frame, uint64_t before) {
    assert_int_equal(frame_metrics(frame).memory, sl_memory_in_use() - before);
}
