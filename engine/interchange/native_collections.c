/* native_collections.c: see native_collections.h.
 *
 * Order, join, levels and kept edges stay where they lie in a mapped file; of a file that is read, each is a block of its own that the
 * hierarchy takes over. What is made of them is checked as a whole by the validators: O(records + edges). */
#include "interchange/native_collections.h"

#include "hierarchy/constraints.h"
#include "hierarchy/edge_list.h"
#include "hierarchy/hierarchy.h"
#include "interchange/native_records.h"
#include "interchange/native_texts.h"
#include "records/record_set.h"
#include "records/utf8.h"

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static uint32_t flags_of(const sl_hierarchy *h) {
    uint32_t flags = 0;
    if (h->scale == SL_SCALE_WEIGHT) flags |= SL_I_HAS_WEIGHTS;
    if (h->exact) flags |= SL_I_IS_EXACT;
    if (h->lone) flags |= SL_I_HAS_LONE;
    if (h->forest_left) flags |= SL_I_HAS_FOREST;
    if (h->edges) flags |= SL_I_HAS_EDGES;
    if (h->constraints) flags |= SL_I_HAS_CONSTRAINTS;
    return flags;
}

static sl_status write_head(sl_i_section_writer *w, const sl_i_entry *entry, uint32_t number, sl_error *error) {
    const sl_hierarchy *h = entry->hierarchy;
    uint8_t bytes[SL_I_COLLECTION_SIZE] = {0};
    sl_i_put_u32(bytes + SL_I_COLLECTION_NUM_RECORDS, h->num_records);
    sl_i_put_u32(bytes + SL_I_COLLECTION_NUM_LEVELS, h->num_levels);
    sl_i_put_u32(bytes + SL_I_COLLECTION_DECIMALS, entry->decimals);
    sl_i_put_u32(bytes + SL_I_COLLECTION_FLAGS, flags_of(h));
    sl_i_put_u32(bytes + SL_I_COLLECTION_NUM_MERGES, h->num_merges);
    sl_i_put_u64(bytes + SL_I_COLLECTION_NUM_EDGES, h->edges ? h->edges->count : 0);
    SL_TRY(sl_i_writer_begin(w, SL_I_SECTION_COLLECTION, number, error));
    SL_TRY(sl_i_writer_put(w, bytes, sizeof bytes, error));
    return sl_i_writer_put(w, entry->name, entry->length, error);
}

static sl_status write_merges(sl_i_section_writer *w, const sl_hierarchy *h, uint32_t number, sl_error *error) {
    uint64_t of_records = (uint64_t)h->num_records * sizeof *h->order, of_levels = (uint64_t)h->num_levels * 8;
    SL_TRY(sl_i_writer_section(w, SL_I_SECTION_ORDER, number, h->order, of_records, error));
    SL_TRY(sl_i_writer_section(w, SL_I_SECTION_JOIN, number, h->join, of_records, error));
    return sl_i_writer_section(w, SL_I_SECTION_LEVELS, number, h->levels, of_levels, error);
}

static sl_status write_forest(sl_i_section_writer *w, const sl_hierarchy *h, uint32_t number, sl_error *error) {
    uint64_t size = (uint64_t)h->num_records * sizeof *h->forest_left;
    SL_TRY(sl_i_writer_section(w, SL_I_SECTION_FOREST_LEFT, number, h->forest_left, size, error));
    return sl_i_writer_section(w, SL_I_SECTION_FOREST_RIGHT, number, h->forest_right, size, error);
}

static sl_status write_edges(sl_i_section_writer *w, const sl_edge_list *edges, uint32_t number, sl_error *error) {
    uint64_t of_ends = edges->count * sizeof *edges->left, of_scores = edges->count * sizeof *edges->scores;
    SL_TRY(sl_i_writer_section(w, SL_I_SECTION_EDGE_LEFT, number, edges->left, of_ends, error));
    SL_TRY(sl_i_writer_section(w, SL_I_SECTION_EDGE_RIGHT, number, edges->right, of_ends, error));
    return sl_i_writer_section(w, SL_I_SECTION_EDGE_SCORES, number, edges->scores, of_scores, error);
}

static const char *constraint_name(const void *state, uint32_t number, size_t *length) {
    const sl_i_constraints *constraints = state;
    *length = strlen(constraints->names[number]);
    return constraints->names[number];
}

static sl_status write_constraints(sl_i_section_writer *w, const sl_i_constraints *c, uint32_t number,
                                   sl_error *error) {
    uint8_t bytes[SL_I_CONSTRAINTS_SIZE] = {0};
    sl_i_put_u32(bytes + SL_I_CONSTRAINTS_MAX_SIZE, c->given.max_entity_size);
    sl_i_put_u32(bytes + SL_I_CONSTRAINTS_TIES, (uint32_t)c->given.ties);
    sl_i_put_u32(bytes + SL_I_CONSTRAINTS_NUM_SOURCES, c->given.num_unique_sources);
    sl_i_put_u64(bytes + SL_I_CONSTRAINTS_NUM_SKIPPED, c->num_skipped);
    sl_i_put_u64(bytes + SL_I_CONSTRAINTS_NUM_TIED, c->num_tied);
    SL_TRY(sl_i_writer_begin(w, SL_I_SECTION_CONSTRAINTS, number, error));
    SL_TRY(sl_i_writer_put(w, bytes, sizeof bytes, error));
    return sl_i_texts_write(w, constraint_name, c, c->given.num_unique_sources, error);
}

sl_status sl_i_collection_write(sl_i_section_writer *w, const sl_i_entry *entry, uint32_t number, sl_error *error) {
    const sl_hierarchy *h = entry->hierarchy;
    SL_TRY(write_head(w, entry, number, error));
    SL_TRY(write_merges(w, h, number, error));
    SL_TRY(sl_i_set_write(w, SL_I_SECTION_USED, number, entry->used, error));
    if (h->lone) SL_TRY(sl_i_set_write(w, SL_I_SECTION_LONE, number, h->lone, error));
    if (h->forest_left) SL_TRY(write_forest(w, h, number, error));
    if (h->edges) SL_TRY(write_edges(w, h->edges, number, error));
    return h->constraints ? write_constraints(w, h->constraints, number, error) : SL_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Where the reading of one collection is. */
typedef struct job {
    sl_i_section_reader *reader;
    uint32_t number, num_records; /* of the frame */
    sl_i_ticker *ticker;
    uint32_t n, k, num_merges, flags;
    uint64_t num_edges;
} job;

static sl_status fault(const job *j, sl_error *error, sl_i_section_kind kind, const char *what) {
    return sl_i_reader_fail(j->reader, error, kind, j->number, what);
}

static sl_status read_head(job *j, sl_i_loaded_collection *out, sl_error *error) {
    const sl_i_section_kind kind = SL_I_SECTION_COLLECTION;
    SL_TRY(sl_i_reader_get(j->reader, kind, j->number, j->ticker, &out->head, error));
    const uint8_t *bytes = out->head.bytes;
    if (out->head.length < SL_I_COLLECTION_SIZE) return fault(j, error, kind, "it is too short");
    j->n = sl_i_get_u32(bytes + SL_I_COLLECTION_NUM_RECORDS);
    j->k = sl_i_get_u32(bytes + SL_I_COLLECTION_NUM_LEVELS);
    j->num_merges = sl_i_get_u32(bytes + SL_I_COLLECTION_NUM_MERGES);
    j->flags = sl_i_get_u32(bytes + SL_I_COLLECTION_FLAGS);
    j->num_edges = sl_i_get_u64(bytes + SL_I_COLLECTION_NUM_EDGES);
    out->decimals = sl_i_get_u32(bytes + SL_I_COLLECTION_DECIMALS);
    out->name = (const char *)bytes + SL_I_COLLECTION_SIZE;
    out->length = (size_t)(out->head.length - SL_I_COLLECTION_SIZE);
    if (j->n > j->num_records) return fault(j, error, kind, "it has more records than the frame");
    if (out->decimals > 6) return fault(j, error, kind, "it has more than 6 decimals");
    if (j->flags & ~(uint32_t)SL_I_ALL_FLAGS) return fault(j, error, kind, "it has an unknown flag");
    if (sl_i_get_u32(bytes + SL_I_COLLECTION_NUM_MERGES + 4) != 0) return fault(j, error, kind, "a zero is missing");
    if (!(j->flags & SL_I_HAS_EDGES) && j->num_edges)
        return fault(j, error, kind, "it counts edges that it did not keep");
    if (!sl_i_utf8_valid((const uint8_t *)out->name, out->length)) return fault(j, error, kind, "its name is no UTF-8");
    return SL_OK;
}

/* Arrays of one hierarchy or list of edges: those of a file that is read are its own once it is made. */
typedef struct arrays {
    sl_i_section items[5];
    uint32_t count;
} arrays;

static void drop_arrays(arrays *a) {
    for (uint32_t i = 0; i < a->count; i++) sl_i_section_drop(&a->items[i]);
}

static sl_status get_array(const job *j, arrays *a, sl_i_section_kind kind, uint64_t count, size_t size, void *out,
                           sl_error *error) {
    sl_i_section *section = &a->items[a->count];
    SL_TRY(sl_i_reader_get_array(j->reader, kind, j->number, count, size, j->ticker, section, error));
    a->count++;
    *(void **)out = section->bytes;
    return SL_OK;
}

static sl_status make_edges(const job *j, arrays *a, sl_edge_list **out, sl_error *error) {
    uint32_t *left = NULL, *right = NULL;
    double *scores = NULL;
    SL_TRY(get_array(j, a, SL_I_SECTION_EDGE_LEFT, j->num_edges, sizeof *left, &left, error));
    SL_TRY(get_array(j, a, SL_I_SECTION_EDGE_RIGHT, j->num_edges, sizeof *right, &right, error));
    SL_TRY(get_array(j, a, SL_I_SECTION_EDGE_SCORES, j->num_edges, sizeof *scores, &scores, error));
    return sl_i_edge_list_take(j->n, j->num_edges, left, right, scores, sl_i_reader_mapping(j->reader), out, error);
}

static sl_status read_edges(const job *j, sl_hierarchy *h, sl_error *error) {
    arrays a = {0};
    sl_status status = make_edges(j, &a, &h->edges, error);
    if (status != SL_OK) drop_arrays(&a);
    return status;
}

static sl_status make_hierarchy(const job *j, arrays *a, sl_hierarchy **out, sl_error *error) {
    uint32_t *order = NULL, *join = NULL, *left = NULL, *right = NULL;
    double *levels = NULL;
    const sl_i_score_kind kind = {.scale = j->flags & SL_I_HAS_WEIGHTS ? SL_SCALE_WEIGHT : SL_SCALE_PROBABILITY,
                                  .exact = (j->flags & SL_I_IS_EXACT) != 0};
    SL_TRY(get_array(j, a, SL_I_SECTION_ORDER, j->n, sizeof *order, &order, error));
    SL_TRY(get_array(j, a, SL_I_SECTION_JOIN, j->n, sizeof *join, &join, error));
    SL_TRY(get_array(j, a, SL_I_SECTION_LEVELS, j->k, sizeof *levels, &levels, error));
    if (j->flags & SL_I_HAS_FOREST) {
        SL_TRY(get_array(j, a, SL_I_SECTION_FOREST_LEFT, j->n, sizeof *left, &left, error));
        SL_TRY(get_array(j, a, SL_I_SECTION_FOREST_RIGHT, j->n, sizeof *right, &right, error));
    }
    SL_TRY(sl_i_hierarchy_take(j->n, j->k, j->num_merges, kind, order, join, levels, out, error));
    (*out)->forest_left = left;
    (*out)->forest_right = right;
    (*out)->holder = sl_i_shared_bytes_retain(sl_i_reader_mapping(j->reader));
    return SL_OK;
}

static sl_status read_hierarchy(const job *j, sl_hierarchy **out, sl_error *error) {
    arrays a = {0};
    sl_status status = make_hierarchy(j, &a, out, error);
    if (status != SL_OK) drop_arrays(&a);
    return status;
}

static bool copy_text(const char *text, size_t length, char **at) {
    if (length && memchr(text, '\0', length)) return false;
    if (length) memcpy(*at, text, length);
    (*at)[length] = '\0';
    *at += length + 1;
    return true;
}

/* The names, each with its NUL, into `text`, which has room for them. */
static sl_status take_names(const job *j, sl_i_texts *texts, uint32_t count, const char **names, char *text,
                            sl_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        size_t length = 0;
        const char *name = sl_i_texts_next(texts, &length);
        names[i] = text;
        if (!copy_text(name, length, &text)) return fault(j, error, SL_I_SECTION_CONSTRAINTS, "a name has a NUL in it");
    }
    return SL_OK;
}

static sl_status make_constraints(const job *j, const sl_i_section *section, sl_constraints *given, const char **names,
                                  char *text, sl_hierarchy *h, sl_error *error) {
    const sl_i_section_kind kind = SL_I_SECTION_CONSTRAINTS;
    const uint8_t *bytes = section->bytes;
    sl_i_texts texts;
    sl_error found;
    if (!sl_i_texts_open(bytes + SL_I_CONSTRAINTS_SIZE, section->length - SL_I_CONSTRAINTS_SIZE,
                         given->num_unique_sources, &texts))
        return fault(j, error, kind, "its names do not fill it");
    SL_TRY(take_names(j, &texts, given->num_unique_sources, names, text, error));
    given->unique_sources = names;
    sl_status status = sl_i_constraints_create(given, &h->constraints, &found);
    if (status != SL_OK) return sl_i_reader_blame(j->reader, status, &found, kind, j->number, error);
    h->constraints->num_skipped = sl_i_get_u64(bytes + SL_I_CONSTRAINTS_NUM_SKIPPED);
    h->constraints->num_tied = sl_i_get_u64(bytes + SL_I_CONSTRAINTS_NUM_TIED);
    return SL_OK;
}

static sl_status parse_constraints(const job *j, const sl_i_section *section, sl_hierarchy *h, sl_error *error) {
    const sl_i_section_kind kind = SL_I_SECTION_CONSTRAINTS;
    const uint8_t *bytes = section->bytes;
    const char **names = NULL;
    char *text = NULL;
    if (section->length < SL_I_CONSTRAINTS_SIZE) return fault(j, error, kind, "it is too short");
    uint32_t ties = sl_i_get_u32(bytes + SL_I_CONSTRAINTS_TIES);
    uint64_t count = sl_i_get_u32(bytes + SL_I_CONSTRAINTS_NUM_SOURCES);
    if (ties > SL_TIES_DROP) return fault(j, error, kind, "it has an unknown rule for ties");
    if (sl_i_get_u32(bytes + SL_I_CONSTRAINTS_NUM_SOURCES + 4) != 0) return fault(j, error, kind, "a zero is missing");
    if (count > section->length) return fault(j, error, kind, "its names do not fill it");
    sl_constraints given = {.num_unique_sources = (uint32_t)count,
                            .max_entity_size = sl_i_get_u32(bytes + SL_I_CONSTRAINTS_MAX_SIZE),
                            .ties = (sl_ties)ties};
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&names, count, sizeof *names, "constraints", error));
    SL_TRY_CLEANUP(
        status, sl_i_allocate(&text, section->length, 1, "constraints", error)); /* a length has 4 bytes, a NUL one */
    status = make_constraints(j, section, &given, names, text, h, error);
cleanup:
    sl_i_release(names, count, sizeof *names);
    sl_i_release(text, section->length, 1);
    return status;
}

static sl_status read_constraints(const job *j, sl_hierarchy *h, sl_error *error) {
    sl_i_section section;
    SL_TRY(sl_i_reader_get(j->reader, SL_I_SECTION_CONSTRAINTS, j->number, j->ticker, &section, error));
    sl_status status = parse_constraints(j, &section, h, error);
    sl_i_section_drop(&section);
    return status;
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static sl_status check_hierarchy(const job *j, const sl_hierarchy *h, sl_error *error) {
    sl_error found;
    sl_status status = sl_i_hierarchy_validate(h, j->ticker, &found);
    if (status == SL_OK) return SL_OK;
    return sl_i_reader_blame(j->reader, status, &found, SL_I_SECTION_COLLECTION, j->number, error);
}

/* Compaction relies on it: a record that its hierarchy names is used. */
static sl_status check_used(const job *j, const sl_i_loaded_collection *loaded, sl_error *error) {
    uint64_t *named = NULL, *used = NULL, words = ((uint64_t)j->num_records + 63) / 64, unused = 0;
    sl_status status;
    if (sl_record_set_count(loaded->used) == j->num_records) return SL_OK;
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&named, words, sizeof *named, "used records", error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&used, words, sizeof *used, "used records", error));
    sl_i_mark_joined(loaded->hierarchy, named);
    if (loaded->hierarchy->lone) sl_i_record_set_mark(loaded->hierarchy->lone, named);
    sl_i_record_set_mark(loaded->used, used);
    for (uint64_t i = 0; i < words; i++) unused |= named[i] & ~used[i];
    if (unused) status = fault(j, error, SL_I_SECTION_USED, "a record that edges name is not among them");
cleanup:
    sl_i_release(named, words, sizeof *named);
    sl_i_release(used, words, sizeof *used);
    return status;
}

static sl_status read_collection(job *j, sl_i_loaded_collection *out, sl_error *error) {
    SL_TRY(read_head(j, out, error));
    SL_TRY(read_hierarchy(j, &out->hierarchy, error));
    SL_TRY(sl_i_set_read(j->reader, SL_I_SECTION_USED, j->number, j->num_records, j->ticker, &out->used, error));
    if (j->flags & SL_I_HAS_LONE)
        SL_TRY(sl_i_set_read(j->reader, SL_I_SECTION_LONE, j->number, j->n, j->ticker, &out->hierarchy->lone, error));
    if (j->flags & SL_I_HAS_EDGES) SL_TRY(read_edges(j, out->hierarchy, error));
    if (j->flags & SL_I_HAS_CONSTRAINTS) SL_TRY(read_constraints(j, out->hierarchy, error));
    SL_TRY(check_hierarchy(j, out->hierarchy, error));
    return check_used(j, out, error);
}

sl_status sl_i_collection_read(sl_i_section_reader *reader, uint32_t number, uint32_t num_records, sl_i_ticker *ticker,
                               sl_i_loaded_collection *out, sl_error *error) {
    job j = {.reader = reader, .number = number, .num_records = num_records, .ticker = ticker};
    *out = (sl_i_loaded_collection){0};
    sl_status status = read_collection(&j, out, error);
    if (status != SL_OK) sl_i_loaded_collection_release(out);
    return status;
}

void sl_i_loaded_collection_release(sl_i_loaded_collection *loaded) {
    sl_i_section_drop(&loaded->head);
    sl_hierarchy_release(loaded->hierarchy);
    sl_record_set_release(loaded->used);
    *loaded = (sl_i_loaded_collection){0};
}
