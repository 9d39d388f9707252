/* native_file.c: frames to files and back (docs/format.md): sl_frame_state_save and sl_frame_load.
 *
 * Saving writes what a state is made of, in order of its sections. Loading reads records and collections, each a task of its own for
 * the threads, then the attributes; the frame is made last, so a file that is refused leaves nothing. Garbage is not stored: it
 * is what is neither given nor used. */
#include "frame/frame.h"
#include "interchange/native_attributes.h"
#include "interchange/native_collections.h"
#include "interchange/native_records.h"
#include "records/context.h"
#include "support/first_failure.h"
#include "support/pool.h"

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* Roughly, for progress: keys and attributes are not known before they are written. */
static uint64_t estimate_size(const sl_frame_state *state, const sl_i_kept_tables *tables) {
    uint64_t bytes = UINT64_C(16) * state->num_records + sl_i_tables_size(tables);
    for (uint32_t i = 0; i < state->entries.count; i++)
        bytes += sl_hierarchy_memory(state->entries.items[i]->hierarchy);
    return bytes;
}

static sl_status write_frame(sl_i_section_writer *w, const sl_frame_state *state, const sl_i_kept_tables *tables,
                             sl_error *error) {
    uint8_t bytes[SL_I_FRAME_SIZE];
    sl_i_put_u32(bytes + SL_I_FRAME_NUM_RECORDS, state->num_records);
    sl_i_put_u32(bytes + SL_I_FRAME_NUM_SOURCES, state->num_sources);
    sl_i_put_u32(bytes + SL_I_FRAME_NUM_COLLECTIONS, state->entries.count);
    sl_i_put_u32(bytes + SL_I_FRAME_NUM_TABLES, sl_i_tables_count(tables));
    sl_i_put_u64(bytes + SL_I_FRAME_LAST_COMPACTION, (uint64_t)state->last_compaction);
    return sl_i_writer_section(w, SL_I_SECTION_FRAME, 0, bytes, sizeof bytes, error);
}

static sl_status write_all(sl_i_section_writer *w, const sl_frame_state *state, const sl_i_kept_tables *tables,
                           sl_error *error) {
    SL_TRY(write_frame(w, state, tables, error));
    SL_TRY(sl_i_records_write(w, state, error));
    SL_TRY(sl_i_set_write(w, SL_I_SECTION_GIVEN, 0, state->given, error));
    SL_TRY(sl_i_spans_write(w, tables, error));
    for (uint32_t i = 0; i < state->entries.count; i++)
        SL_TRY(sl_i_collection_write(w, state->entries.items[i], i, error));
    SL_TRY(sl_i_tables_write(w, tables, error));
    return sl_i_writer_finish(w, error);
}

sl_status sl_frame_state_save(const sl_frame_state *state, const char *path, const sl_progress *progress,
                              sl_error *error) {
    sl_i_section_writer *writer = NULL;
    sl_i_kept_tables *tables = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_tables_create(state, &tables, error));
    SL_TRY_CLEANUP(status, sl_i_writer_create(path, estimate_size(state, tables), progress, &writer, error));
    status = write_all(writer, state, tables, error);
cleanup:
    sl_i_writer_release(writer);
    sl_i_tables_release(tables);
    return status;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

typedef struct loading {
    sl_i_section_reader *reader;
    sl_i_ticker ticker;
    uint32_t num_records, num_sources, num_collections, num_tables;
    int64_t last_compaction;
    sl_context *context;
    sl_i_loaded_collection *collections;
    sl_i_first_failure failed;
} loading;

static sl_status read_frame(loading *l, sl_error *error) {
    sl_i_section section;
    SL_TRY(sl_i_reader_get_array(l->reader, SL_I_SECTION_FRAME, 0, SL_I_FRAME_SIZE, 1, &l->ticker, &section, error));
    l->num_records = sl_i_get_u32(section.bytes + SL_I_FRAME_NUM_RECORDS);
    l->num_sources = sl_i_get_u32(section.bytes + SL_I_FRAME_NUM_SOURCES);
    l->num_collections = sl_i_get_u32(section.bytes + SL_I_FRAME_NUM_COLLECTIONS);
    l->num_tables = sl_i_get_u32(section.bytes + SL_I_FRAME_NUM_TABLES);
    l->last_compaction = (int64_t)sl_i_get_u64(section.bytes + SL_I_FRAME_LAST_COMPACTION);
    sl_i_section_drop(&section);
    if (l->num_records > SL_MAX_RECORDS)
        return sl_i_reader_fail(l->reader, error, SL_I_SECTION_FRAME, 0, "it has more records than there can be");
    uint64_t parts = (uint64_t)l->num_collections + l->num_tables; /* each has sections of its own */
    if (parts > sl_i_reader_size(l->reader) / SL_I_ENTRY_SIZE)
        return sl_i_reader_fail(l->reader, error, SL_I_SECTION_FRAME, 0, "it has more parts than the file");
    return SL_OK;
}

/* The first task is the records, the others are the collections. */
static sl_status read_part(loading *l, uint64_t task, sl_i_ticker *ticker, sl_error *error) {
    if (task == 0) return sl_i_records_read(l->reader, l->num_records, l->num_sources, ticker, &l->context, error);
    return sl_i_collection_read(l->reader, (uint32_t)task - 1, l->num_records, ticker, &l->collections[task - 1],
                                error);
}

static void run_part(void *state, uint64_t task, uint32_t lane) {
    loading *l = state;
    sl_i_ticker part = sl_i_ticker_part(&l->ticker, lane);
    sl_error error;
    if (sl_i_first_failure_precedes(&l->failed, task)) return;
    sl_status status = read_part(l, task, &part, &error);
    if (status != SL_OK) sl_i_first_failure_note(&l->failed, task, status, &error);
}

static sl_status read_parts(loading *l, sl_error *error) {
    uint64_t count = l->num_collections;
    SL_TRY(sl_i_allocate_zeroed(&l->collections, count, sizeof *l->collections, "the list of collections", error));
    sl_i_first_failure_init(&l->failed);
    SL_TRY(sl_i_parallel(count + 1, sl_num_threads(), run_part, l, &l->ticker, 0, error));
    return sl_i_first_failure_forward(&l->failed, error);
}

static sl_status add_entries(const loading *l, sl_i_entries *entries, sl_error *error) {
    for (uint32_t i = 0; i < l->num_collections; i++) {
        const sl_i_loaded_collection *c = &l->collections[i];
        if (sl_i_entries_find(entries, c->name, c->length) < entries->count)
            return sl_i_reader_fail(l->reader, error, SL_I_SECTION_COLLECTION, i, "its name is there twice");
        SL_TRY(sl_i_entries_append(entries, c->name, c->length, c->hierarchy, c->decimals, c->used, NULL, error));
    }
    return SL_OK;
}

/* Put `set` without `other` in its place. */
static sl_status subtract(sl_record_set **set, const sl_record_set *other, sl_error *error) {
    sl_record_set *rest = NULL;
    SL_TRY(sl_record_set_difference(*set, other, &rest, error));
    sl_record_set_release(*set);
    *set = rest;
    return SL_OK;
}

static sl_status find_garbage(sl_frame_state *state, sl_error *error) {
    SL_TRY(sl_record_set_create_range(0, state->num_records, &state->garbage, error));
    SL_TRY(subtract(&state->garbage, state->given, error));
    for (uint32_t i = 0; i < state->entries.count; i++)
        SL_TRY(subtract(&state->garbage, state->entries.items[i]->used, error));
    return SL_OK;
}

static sl_status fill_state(loading *l, sl_frame_state *state, sl_error *error) {
    state->owns_context = true;
    state->num_records = l->num_records;
    state->last_compaction = l->last_compaction;
    SL_TRY(read_parts(l, error));
    state->context = sl_context_retain(l->context);
    SL_TRY(sl_i_set_read(l->reader, SL_I_SECTION_GIVEN, 0, l->num_records, &l->ticker, &state->given, error));
    SL_TRY(add_entries(l, &state->entries, error));
    SL_TRY(sl_i_tables_read(l->reader, l->num_tables, state->context, &l->ticker, error));
    SL_TRY(sl_i_reader_finish(l->reader, error));
    SL_TRY(find_garbage(state, error));
    return sl_i_state_list_sources(state, NULL, error);
}

static sl_status load(loading *l, sl_frame **out, sl_error *error) {
    sl_frame_state *state = NULL;
    sl_i_ticker_begin(&l->ticker, "reading a file", sl_i_reader_size(l->reader));
    SL_TRY(read_frame(l, error));
    SL_TRY(sl_i_state_create(&state, error));
    sl_status status = fill_state(l, state, error);
    if (status == SL_OK) status = sl_i_frame_take(state, out, error);
    if (status != SL_OK) sl_frame_state_release(state);
    sl_context_release(l->context);
    for (uint32_t i = 0; l->collections && i < l->num_collections; i++)
        sl_i_loaded_collection_release(&l->collections[i]);
    sl_i_release(l->collections, l->num_collections, sizeof *l->collections);
    return status;
}

sl_status sl_frame_load(const char *path, const sl_load_options *options, sl_frame **out, sl_error *error) {
    loading l = {.ticker = sl_i_ticker_make(options ? options->progress : NULL)};
    *out = NULL;
    SL_TRY(sl_i_reader_open(path, options && options->read_whole, &l.reader, error));
    sl_status status = load(&l, out, error);
    sl_i_reader_close(l.reader);
    return status;
}
