/* stored_frames.c: see stored_frames.h. */
#include "support/stored_frames.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "frame/frame_state.h"
#include "hierarchy/constraints.h"
#include "hierarchy/hierarchy.h"
#include "records/context.h"

#define NUM_RECORDS 16u

/* ---- the frame --------------------------------------------------------------------------------------------------- */

typedef struct stored_record {
    uint16_t source;
    sl_key key;
} stored_record;

#define TEXT(kind_, text) {.kind = (kind_), .length = sizeof(text) - 1, .bytes = (const uint8_t *)(text)}

static const stored_record all_records[NUM_RECORDS] = {
    {1, {.kind = SL_KEY_U32, .number = 5}},
    {1, {.kind = SL_KEY_U64, .number = UINT64_C(1) << 40}},
    {1, TEXT(SL_KEY_STRING, "5")},
    {1, TEXT(SL_KEY_BYTES, "\xff\0x")},
    {2, TEXT(SL_KEY_STRING, "")},
    {2, TEXT(SL_KEY_STRING, "\xc3\xbcml\xc3\xa4ut")},
    {2, {.kind = SL_KEY_U32, .number = 5}},
    {3, TEXT(SL_KEY_BYTES, "")},
    {3, TEXT(SL_KEY_STRING, "a key of more than sixty-four bytes, which is more than one piece of an alignment")},
    {1, {.kind = SL_KEY_U32, .number = 0}},
    {1, {.kind = SL_KEY_U32, .number = UINT32_MAX}},
    {1, {.kind = SL_KEY_U64, .number = UINT64_MAX}},
    {2, TEXT(SL_KEY_STRING, "m")},
    {2, TEXT(SL_KEY_STRING, "n")},
    {3, TEXT(SL_KEY_STRING, "o")},
    {3, TEXT(SL_KEY_STRING, "p")},
};

/* Source 0 has no record: files leave it out. */
static void add_records(sl_context *context) {
    static const char *const names[] = {"nobody", "crm", "", "\xc3\xa9tranger"};
    sl_key keys[NUM_RECORDS];
    uint16_t sources[NUM_RECORDS], source;
    uint32_t indices[NUM_RECORDS];
    for (uint32_t i = 0; i < 4; i++)
        EXPECT_OK(sl_context_add_source(context, names[i], strlen(names[i]), &source, &expect_error));
    for (uint32_t i = 0; i < NUM_RECORDS; i++) {
        keys[i] = all_records[i].key;
        sources[i] = all_records[i].source;
    }
    const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = NUM_RECORDS, .values = keys},
                                  .sources = sources};
    EXPECT_OK(sl_context_intern(context, &column, indices, NULL, &expect_error));
}

static const uint32_t left[] = {0, 1, 2, 3, 4, 5, 0, 7, 9};
static const uint32_t right[] = {1, 2, 3, 4, 5, 6, 6, 7, 10};
static const double scores[] = {0.9, 0.8, 0.8, 0.75, 0.5, 0.25, 0.1, 0.3, 1.0};
static const double weights[] = {12.5, 0.1, 0.1, -3.75, 4, 4, -1e300, 2, 1};
#define NUM_EDGES 9u

static sl_hierarchy *build(uint32_t num_edges, const double *of, const sl_build_options *options) {
    sl_hierarchy *made;
    EXPECT_OK(sl_hierarchy_build(13, left, right, of, num_edges, options, &made, &expect_error));
    return made;
}

static void add(sl_frame_change *change, const char *name, sl_hierarchy *hierarchy, uint32_t decimals,
                const sl_record_set *used) {
    EXPECT_OK(sl_frame_change_add(change, name, strlen(name), hierarchy, decimals, used, &expect_error));
    sl_hierarchy_release(hierarchy);
}

static void add_collections(sl_frame_change *change, const sl_context *context) {
    static const char *const unique[] = {"crm", "nowhere"};
    const sl_constraints constraints = {
        .unique_sources = unique, .num_unique_sources = 2, .max_entity_size = 3, .ties = SL_TIES_DROP};
    const uint32_t more[] = {12, 13};
    sl_record_set *used;
    sl_hierarchy *kept = build(NUM_EDGES, scores, &(sl_build_options){.keep = SL_KEEP_ALL}), *constrained;
    EXPECT_OK(sl_record_set_create(more, 2, &used, &expect_error));
    EXPECT_OK(sl_hierarchy_constrain(context, kept, &constraints, SL_KEEP_ALL, NULL, &constrained, &expect_error));
    add(change, "plain", build(NUM_EDGES, scores, NULL), 6, used);
    add(change, "", build(NUM_EDGES, scores, &(sl_build_options){.exact = true, .keep = SL_KEEP_FOREST}), 0, NULL);
    add(change, "kept", kept, 2, NULL);
    add(change, "constrained", constrained, 6, NULL);
    add(change, "g\xc3\xa9nau",
        build(NUM_EDGES, weights, &(sl_build_options){.exact = true, .scale = SL_SCALE_WEIGHT, .keep = SL_KEEP_ALL}), 0,
        NULL);
    add(change, "rounded",
        build(6, weights, &(sl_build_options){.scale = SL_SCALE_WEIGHT, .decimals = 1, .keep = SL_KEEP_FOREST}), 1,
        NULL);
    add(change, "nothing", build(0, scores, NULL), 6, NULL);
    sl_record_set_release(used);
}

/* A column of every kind that tables of the library have. */
static sl_batches *make_table(const sl_context *context) {
    static const uint64_t numbers[] = {1, UINT64_MAX, 0, 7};
    static const double doubles[] = {0.5, -1.0, 1e300, 0.0};
    static const uint8_t small[] = {1, 2, 3, 4};
    static const uint32_t codes[] = {1, 0, 1, 2}, lists[] = {1, 2, 3, 4, 5, 6, 7, 8}, records[] = {0, 1, 2, 3};
    static const char *const words[] = {"", "a longer text than twelve bytes", "\xc3\xa9"};
    struct ArrowArrayStream stream;
    sl_table *table;
    sl_batches *made;
    EXPECT_OK(sl_table_create(4, &table, &expect_error));
    EXPECT_OK(sl_table_add_numbers(table, "numbers", SL_COLUMN_UINT64, numbers, &expect_error));
    EXPECT_OK(sl_table_add_numbers(table, "doubles", SL_COLUMN_FLOAT64, doubles, &expect_error));
    EXPECT_OK(sl_table_add_numbers(table, "small", SL_COLUMN_UINT8, small, &expect_error));
    EXPECT_OK(sl_table_add_binary(table, "binary", 3, "abcdefghijkl", &expect_error));
    EXPECT_OK(sl_table_add_lists(table, "lists", 2, lists, &expect_error));
    EXPECT_OK(sl_table_add_categories(table, "w\xc3\xb6rter", codes, words, 3, &expect_error));
    EXPECT_OK(sl_table_add_record_keys(table, "keys", context, records, &expect_error));
    EXPECT_OK(sl_table_export(table, &stream, &expect_error));
    EXPECT_OK(sl_batches_from_stream(&stream, &made, &expect_error));
    return made;
}

/* Some of its rows, as batches that share the buffers. */
static sl_batches *slice_table(const sl_batches *table) {
    static const uint64_t rows[] = {2, 3, 0, 1};
    struct ArrowArrayStream stream;
    sl_batches *made;
    EXPECT_OK(sl_batches_export(table, rows, 4, &stream, &expect_error));
    EXPECT_OK(sl_batches_from_stream(&stream, &made, &expect_error));
    return made;
}

static void attach(sl_frame_change *change, const sl_context *context) {
    static const uint32_t scattered[] = {12, SL_NO_RECORD, 4, 5};
    sl_batches *table = make_table(context), *slices = slice_table(table);
    EXPECT_OK(sl_frame_change_attach(change, table, NULL, 0, &expect_error));
    EXPECT_OK(sl_frame_change_attach(change, slices, scattered, 0, &expect_error));
    sl_batches_release(table);
    sl_batches_release(slices);
}

sl_frame *stored_frame_make(void) {
    static const uint32_t given[] = {0, 1, 2, 3, 8, 9, 12, 14};
    sl_frame *frame;
    sl_frame_change *change;
    sl_context *context;
    EXPECT_OK(sl_frame_create(&frame, &expect_error));
    EXPECT_OK(sl_frame_begin(frame, &change, &expect_error));
    EXPECT_OK(sl_frame_change_context(change, &context, &expect_error));
    add_records(context);
    EXPECT_OK(sl_frame_change_give(change, given, 8, &expect_error));
    add_collections(change, context);
    attach(change, context);
    EXPECT_OK(sl_frame_change_commit(change, NULL, &expect_error));
    return frame;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static void expect_same_bytes(const void *a, const void *b, uint64_t size) {
    assert_int_equal(a != NULL, b != NULL);
    if (a && size) assert_memory_equal(a, b, size);
}

static void expect_same_constraints(const sl_hierarchy *a, const sl_hierarchy *b) {
    sl_constraints of_a, of_b;
    assert_int_equal(sl_hierarchy_constraints(a, &of_a), sl_hierarchy_constraints(b, &of_b));
    assert_int_equal(of_a.num_unique_sources, of_b.num_unique_sources);
    assert_int_equal(of_a.max_entity_size, of_b.max_entity_size);
    assert_int_equal(of_a.ties, of_b.ties);
    for (uint32_t i = 0; i < of_a.num_unique_sources; i++)
        assert_string_equal(of_a.unique_sources[i], of_b.unique_sources[i]);
    assert_int_equal(sl_hierarchy_num_skipped(a), sl_hierarchy_num_skipped(b));
    assert_int_equal(sl_hierarchy_num_tied(a), sl_hierarchy_num_tied(b));
}

static void expect_same_hierarchy(const sl_hierarchy *a, const sl_hierarchy *b) {
    uint64_t size = a->num_records * sizeof *a->order;
    assert_true(sl_hierarchy_equal(a, b));
    assert_int_equal(a->num_merges, b->num_merges);
    assert_int_equal(a->lone != NULL, b->lone != NULL);
    if (a->lone) assert_true(sl_record_set_equal(a->lone, b->lone));
    expect_same_bytes(a->forest_left, b->forest_left, size);
    expect_same_bytes(a->forest_right, b->forest_right, size);
    assert_int_equal(a->edges != NULL, b->edges != NULL);
    if (a->edges) {
        uint64_t count = sl_edge_list_count(a->edges);
        assert_int_equal(count, sl_edge_list_count(b->edges));
        assert_int_equal(sl_edge_list_num_records(a->edges), sl_edge_list_num_records(b->edges));
        expect_same_bytes(sl_edge_list_left(a->edges), sl_edge_list_left(b->edges), count * 4);
        expect_same_bytes(sl_edge_list_right(a->edges), sl_edge_list_right(b->edges), count * 4);
        expect_same_bytes(sl_edge_list_scores(a->edges), sl_edge_list_scores(b->edges), count * 8);
    }
    expect_same_constraints(a, b);
}

static void expect_same_record(const sl_frame_state *a, const sl_frame_state *b, uint32_t index) {
    sl_record of_a, of_b;
    size_t length_a, length_b;
    assert_true(sl_context_record(a->context, index, &of_a));
    assert_true(sl_context_record(b->context, index, &of_b));
    const char *name_a = sl_context_source_name(a->context, of_a.source, &length_a);
    const char *name_b = sl_context_source_name(b->context, of_b.source, &length_b);
    assert_int_equal(length_a, length_b);
    assert_memory_equal(name_a, name_b, length_a);
    assert_int_equal(of_a.key.kind, of_b.key.kind);
    assert_int_equal(of_a.key.number, of_b.key.number);
    assert_int_equal(of_a.key.length, of_b.key.length);
    if (of_a.key.length) assert_memory_equal(of_a.key.bytes, of_b.key.bytes, of_a.key.length);
}

static void expect_same_attributes(const sl_frame_state *a, const sl_frame_state *b) {
    for (uint32_t record = 0; record < a->num_records; record++) {
        uint32_t table_a, table_b;
        uint64_t row_a, row_b;
        sl_context_find_attributes(a->context, &record, 1, &table_a, &row_a);
        sl_context_find_attributes(b->context, &record, 1, &table_b, &row_b);
        assert_int_equal(table_a == SL_NO_RECORD, table_b == SL_NO_RECORD);
        assert_int_equal(row_a, row_b);
        if (table_a == SL_NO_RECORD) continue;
        sl_batches *of_a = sl_context_attachment(a->context, table_a),
                   *of_b = sl_context_attachment(b->context, table_b);
        assert_int_equal(sl_batches_num_rows(of_a), sl_batches_num_rows(of_b));
        assert_int_equal(sl_batches_schema(of_a)->n_children, sl_batches_schema(of_b)->n_children);
        sl_batches_release(of_a);
        sl_batches_release(of_b);
    }
}

static void expect_same_collection(const sl_i_entry *a, const sl_i_entry *b) {
    assert_int_equal(a->length, b->length);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->decimals, b->decimals);
    assert_true(sl_record_set_equal(a->used, b->used));
    expect_same_hierarchy(a->hierarchy, b->hierarchy);
}

static void expect_same_state(const sl_frame_state *a, const sl_frame_state *b) {
    assert_int_equal(a->num_records, b->num_records);
    assert_int_equal(a->num_sources, b->num_sources);
    assert_int_equal(a->last_compaction, b->last_compaction);
    for (uint32_t i = 0; i < a->num_records; i++) expect_same_record(a, b, i);
    assert_true(sl_record_set_equal(a->given, b->given));
    assert_true(sl_record_set_equal(a->garbage, b->garbage));
    assert_int_equal(a->entries.count, b->entries.count);
    for (uint32_t i = 0; i < a->entries.count; i++) expect_same_collection(a->entries.items[i], b->entries.items[i]);
    expect_same_attributes(a, b);
}

void stored_frames_expect_equal(const sl_frame *a, const sl_frame *b) {
    sl_frame_state *of_a = sl_frame_now(a), *of_b = sl_frame_now(b);
    EXPECT_OK(sl_i_state_validate(of_b, &expect_error));
    EXPECT_OK(sl_i_context_validate(of_b->context, &expect_error));
    expect_same_state(of_a, of_b);
    sl_frame_state_release(of_a);
    sl_frame_state_release(of_b);
}

sl_status stored_save(const sl_frame *frame, const char *path, const sl_progress *progress, sl_error *error) {
    sl_frame_state *state = sl_frame_now(frame);
    sl_status status = sl_frame_state_save(state, path, progress, error);
    sl_frame_state_release(state);
    return status;
}

sl_status stored_load(const char *path, bool read_whole, sl_frame **out, sl_error *error) {
    return sl_frame_load(path, &(sl_load_options){.read_whole = read_whole}, out, error);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static char folder[64];

static void for_each_file(void (*visit)(const char *path, void *state), void *state) {
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        visit(path, state);
    }
    (void)closedir(listing);
}

static void remove_file(const char *path, void *state) {
    (void)state;
    (void)unlink(path);
}

static void count_file(const char *path, void *state) {
    (void)path;
    ++*(uint32_t *)state;
}

const char *stored_folder(const char *name) {
    (void)snprintf(folder, sizeof folder, "files_%s", name);
    (void)mkdir(folder, 0777);
    for_each_file(remove_file, NULL);
    return folder;
}

const char *stored_path(const char *name) {
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

uint32_t stored_count(void) {
    uint32_t count = 0;
    for_each_file(count_file, &count);
    return count;
}

stored_file stored_read(const char *path) {
    struct stat found;
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    assert_int_equal(fstat(fileno(from), &found), 0);
    stored_file file = {.size = (uint64_t)found.st_size};
    file.bytes = fresh_memory(file.size + 1, 1);
    assert_int_equal(fread(file.bytes, 1, file.size, from), file.size);
    (void)fclose(from);
    return file;
}

/* Written over: some file systems sync a file that is made empty first. */
void stored_write(const char *path, const stored_file *file) {
    int to = open(path, O_WRONLY | O_CREAT, 0666);
    assert_true(to >= 0);
    assert_int_equal(pwrite(to, file->bytes, file->size, 0), file->size);
    assert_int_equal(ftruncate(to, (off_t)file->size), 0);
    assert_int_equal(close(to), 0);
}

void stored_free(stored_file *file) { free(file->bytes); }

uint32_t stored_num_sections(const stored_file *file) { return sl_i_get_u32(file->bytes + SL_I_HEADER_NUM_SECTIONS); }

static uint64_t table_size(const stored_file *file) { return (uint64_t)stored_num_sections(file) * SL_I_ENTRY_SIZE; }

uint8_t *stored_entry(const stored_file *file, uint32_t index) {
    return file->bytes + file->size - table_size(file) + (uint64_t)index * SL_I_ENTRY_SIZE;
}

uint8_t *stored_section(const stored_file *file, uint32_t index, uint64_t *length) {
    const uint8_t *entry = stored_entry(file, index);
    *length = sl_i_get_u64(entry + SL_I_ENTRY_LENGTH);
    return file->bytes + sl_i_get_u64(entry + SL_I_ENTRY_OFFSET);
}

uint8_t *stored_find(const stored_file *file, sl_i_section_kind kind, uint32_t owner, uint64_t *length) {
    for (uint32_t i = 0; i < stored_num_sections(file); i++) {
        const uint8_t *entry = stored_entry(file, i);
        if (sl_i_get_u32(entry + SL_I_ENTRY_KIND) == kind && sl_i_get_u32(entry + SL_I_ENTRY_OWNER) == owner)
            return stored_section(file, i, length);
    }
    fail_msg("there is no section %d of %u", (int)kind, owner);
    return NULL;
}

void stored_resize(stored_file *file, uint32_t index, uint64_t length) {
    uint64_t before, table = table_size(file);
    uint64_t offset = (uint64_t)(stored_section(file, index, &before) - file->bytes),
             kept = before < length ? before : length;
    uint64_t old_end = sl_i_align_up(offset + before), new_end = sl_i_align_up(offset + length);
    stored_file made = {.size = file->size - old_end + new_end};
    made.bytes = fresh_memory(made.size + 1, 1);
    memcpy(made.bytes, file->bytes, offset + kept);
    memcpy(made.bytes + new_end, file->bytes + old_end, file->size - old_end);
    uint8_t *entries = made.bytes + made.size - table;
    sl_i_put_u64(entries + (uint64_t)index * SL_I_ENTRY_SIZE + SL_I_ENTRY_LENGTH, length);
    for (uint32_t i = index + 1; i < stored_num_sections(&made); i++) {
        uint8_t *at = entries + (uint64_t)i * SL_I_ENTRY_SIZE + SL_I_ENTRY_OFFSET;
        sl_i_put_u64(at, sl_i_get_u64(at) - old_end + new_end);
    }
    sl_i_put_u64(made.bytes + SL_I_HEADER_FILE_SIZE, made.size);
    stored_free(file);
    *file = made;
}

void stored_mend(stored_file *file) {
    for (uint32_t i = 0; i < stored_num_sections(file); i++) {
        uint64_t length;
        const uint8_t *section = stored_section(file, i, &length);
        sl_i_put_u64(stored_entry(file, i) + SL_I_ENTRY_CHECK, XXH3_64bits(section, (size_t)length));
    }
    uint64_t table = table_size(file);
    sl_i_put_u64(file->bytes + SL_I_HEADER_TABLE_CHECK, XXH3_64bits(file->bytes + file->size - table, (size_t)table));
    sl_i_put_u64(file->bytes + SL_I_HEADER_CHECK, XXH3_64bits(file->bytes, SL_I_HEADER_CHECK));
}
