/* context.c: life of a data context, its sources, and reading its records. See context.h. */
#include "records/context.h"

#include <inttypes.h>

#include "records/key_column.h"
#include "records/utf8.h"

/* ---------------------------------------------------------------------------------------------- life */

static sl_i_fork_lock *lock_of(const sl_context *context) { return (sl_i_fork_lock *)(uintptr_t)&context->lock; }

static sl_status fail_locked(const sl_context *context, sl_error *error) {
    if (sl_i_fork_lock_is_lost(&context->lock) || sl_i_fork_lock_is_lost(&context->appending))
        return sl_i_fail(
            error, SL_ERROR_SYSTEM,
            "another thread was adding records when this process was forked, and left their look-up unfinished "
            "here: fork while nothing is being added, or read the records anew in the child");
    return sl_i_fail(
        error, SL_ERROR_SYSTEM,
        "this thread is adding records to the context: the progress callback of that call cannot use it too");
}

sl_status sl_i_context_read(const sl_context *context, sl_error *error) {
    return sl_i_fork_lock_read(lock_of(context)) ? SL_OK : fail_locked(context, error);
}

sl_status sl_i_context_write(sl_context *context, sl_error *error) {
    if (!sl_i_fork_lock_write(&context->appending)) return fail_locked(context, error);
    if (sl_i_fork_lock_write(&context->lock)) return SL_OK;
    sl_i_fork_lock_end_write(&context->appending);
    return fail_locked(context, error);
}

void sl_i_context_end_read(const sl_context *context) { sl_i_fork_lock_end_read(lock_of(context)); }

void sl_i_context_end_write(sl_context *context) {
    sl_i_fork_lock_end_write(&context->lock);
    sl_i_fork_lock_end_write(&context->appending);
}

static sl_status make_empty(sl_context **out, sl_error *error) {
    sl_context *context = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&context, 1, sizeof *context, "a data context", error));
    sl_status status = sl_i_fork_lock_make(&context->lock, "a data context", error);
    if (status == SL_OK) {
        status = sl_i_fork_lock_make(&context->appending, "a data context", error);
        if (status != SL_OK) sl_i_fork_lock_free(&context->lock);
    }
    if (status != SL_OK) {
        sl_i_release(context, 1, sizeof *context);
        return status;
    }
    context->capacity = SL_MAX_RECORDS;
    atomic_init(&context->references, 1);
    *out = context;
    return SL_OK;
}

sl_status sl_context_create(sl_context **out, sl_error *error) {
    SL_TRY(make_empty(out, error));
    sl_status status = sl_i_index_make(&(*out)->index, error);
    if (status == SL_OK) return SL_OK;
    sl_context_release(*out);
    *out = NULL;
    return status;
}

static void count_kinds(sl_context *context) {
    for (uint32_t i = 0; i < context->store.count; i++) context->kind_counts[sl_i_store_at(&context->store, i)->kind]++;
}

static sl_status copy_into(const sl_context *context, uint32_t num_records, sl_context *copy, sl_error *error) {
    uint32_t published = sl_i_context_published(context), count = num_records < published ? num_records : published;
    copy->capacity = context->capacity;
    SL_TRY(sl_i_names_copy(&context->names, &copy->names, error));
    SL_TRY(sl_i_store_copy(&context->store, count, &copy->store, error));
    SL_TRY(sl_i_index_copy(&context->index, &context->store, count, &copy->index, error));
    SL_TRY(sl_i_attributes_copy(&context->attributes, count, &copy->attributes, error));
    count_kinds(copy);
    sl_i_context_publish(copy);
    return SL_OK;
}

sl_status sl_context_copy(const sl_context *context, uint32_t num_records, sl_context **out, sl_error *error) {
    sl_context *copy = NULL;
    *out = NULL;
    SL_TRY(make_empty(&copy, error));
    sl_status status = sl_i_context_read(context, error);
    if (status == SL_OK) {
        status = copy_into(context, num_records, copy, error);
        sl_i_context_end_read(context);
    }
    if (status == SL_OK)
        *out = copy;
    else
        sl_context_release(copy);
    return status;
}

sl_context *sl_context_retain(sl_context *context) {
    if (context) atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void sl_context_release(sl_context *context) {
    if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1) return;
    sl_i_store_free(&context->store);
    sl_i_index_free(&context->index);
    sl_i_names_free(&context->names);
    sl_i_attributes_free(&context->attributes);
    sl_i_fork_lock_free(&context->lock);
    sl_i_fork_lock_free(&context->appending);
    sl_i_release(context, 1, sizeof *context);
}

uint64_t sl_context_memory(const sl_context *context) {
    if (sl_i_context_read(context, NULL) != SL_OK) return 0;
    uint64_t bytes = sizeof *context + sl_i_store_memory(&context->store) + sl_i_index_memory(&context->index) +
                     sl_i_names_memory(&context->names);
    sl_i_context_end_read(context);
    return bytes;
}

/* ---------------------------------------------------------------------------------------------- changing */

sl_status sl_i_context_reserve(sl_context *context, uint64_t extra, sl_error *error) {
    SL_TRY(sl_i_store_reserve(&context->store, extra, error));
    return sl_i_index_reserve(&context->index, extra, error);
}

void sl_i_context_publish(sl_context *context) {
    unsigned kinds = 0;
    for (unsigned kind = 0; kind < 4; kind++)
        if (context->kind_counts[kind]) kinds |= 1u << kind;
    atomic_store_explicit(&context->key_kinds, kinds, memory_order_release);
    atomic_store_explicit(&context->num_records, context->store.count, memory_order_release);
}

void sl_i_context_drop(sl_context *context, uint32_t count) {
    if (count >= context->store.count) return;
    for (uint32_t i = count; i < context->store.count; i++)
        context->kind_counts[sl_i_store_at(&context->store, i)->kind]--;
    sl_i_index_truncate(&context->index, &context->store, count);
    sl_i_store_truncate(&context->store, count);
}

void sl_context_truncate(sl_context *context, uint32_t num_records) {
    sl_i_attributes dropped = {0};
    if (sl_i_context_write(context, NULL) != SL_OK) return;
    sl_i_context_drop(context, num_records);
    sl_i_attributes_truncate(&context->attributes, num_records, &dropped);
    sl_i_context_publish(context);
    sl_i_context_end_write(context);
    sl_i_attributes_free(&dropped);
}

void sl_i_context_set_capacity_for_test(sl_context *context, uint32_t capacity) { context->capacity = capacity; }

/* ---------------------------------------------------------------------------------------------- sources */

sl_status sl_context_add_source(sl_context *context, const char *name, size_t length, uint16_t *out_source,
                                sl_error *error) {
    *out_source = 0;
    if (!name && length > 0) return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the name of the source is missing");
    SL_TRY(sl_i_context_write(context, error));
    sl_status status = sl_i_names_add(&context->names, name ? name : "", name ? length : 0, out_source, error);
    if (status == SL_OK) sl_i_names_publish(&context->names);
    sl_i_context_end_write(context);
    return status;
}

bool sl_context_find_source(const sl_context *context, const char *name, size_t length, uint16_t *out_source) {
    *out_source = 0;
    if (sl_i_context_read(context, NULL) != SL_OK) return false;
    bool found = sl_i_names_find(&context->names, name ? name : "", name ? length : 0, out_source);
    sl_i_context_end_read(context);
    return found;
}

static sl_status check_names(const sl_column *names, sl_error *error) {
    sl_column_type type = names->dictionary ? names->dictionary->type : names->type;
    if (names->length == 0 || type == SL_COLUMN_STRING || type == SL_COLUMN_LARGE_STRING ||
        type == SL_COLUMN_STRING_VIEW || type == SL_COLUMN_NULL)
        return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_KEY, "the source column has type %s: source names must be strings",
                     sl_i_column_type_name(type));
}

static sl_status fail_at(uint64_t row, sl_status status, sl_error *error) {
    if (error) error->row = (int64_t)row;
    return status;
}

/* Names repeat: one equal to the name before it, or met before in the dictionary, is not looked up again. */
static sl_status add_names(sl_context *context, const sl_i_key_reader *reader, uint16_t *sources, sl_error *error) {
    sl_i_probe last = {0};
    uint16_t last_source = 0;
    for (uint64_t row = 0; row < reader->column.keys.length; row++) {
        sl_i_probe probe;
        if (sl_i_key_reader_read(reader, row, 1, 1, &probe) == 0)
            return sl_i_fail_row(error, SL_ERROR_INVALID_KEY, (int64_t)row, -1,
                                 "row %" PRIu64 ": the source is null; name a source in every row", row);
        if (probe.lane == SL_I_LANE_RESOLVED) {
            sources[row] = (uint16_t)probe.slot;
            continue;
        }
        const char *name = probe.length ? (const char *)probe.value.bytes : "";
        if (last.value.bytes && probe.length == last.length && memcmp(name, last.value.bytes, probe.length) == 0) {
            sources[row] = last_source;
        } else {
            sl_status status = sl_i_names_add(&context->names, name, probe.length, &sources[row], error);
            if (status != SL_OK) return fail_at(row, status, error);
        }
        if (probe.memo) *probe.memo = sources[row] + 1u;
        last = probe;
        last_source = sources[row];
    }
    return SL_OK;
}

static sl_status add_names_locked(sl_context *context, const sl_i_key_reader *reader, uint16_t *sources,
                                  sl_error *error) {
    SL_TRY(sl_i_context_write(context, error));
    sl_status status = add_names(context, reader, sources, error);
    if (status == SL_OK)
        sl_i_names_publish(&context->names);
    else
        sl_i_names_rollback(&context->names);
    sl_i_context_end_write(context);
    return status;
}

sl_status sl_context_add_sources(sl_context *context, const sl_column *names, uint16_t *sources, sl_error *error) {
    sl_i_key_reader reader = {0};
    const sl_key_column column = {.keys = *names};
    SL_TRY(check_names(names, error));
    sl_status status = sl_i_key_reader_make(&column, "of sources", 1, 0, &reader, error);
    if (status == SL_OK) status = add_names_locked(context, &reader, sources, error);
    sl_i_key_reader_free(&reader);
    return status;
}

uint32_t sl_context_num_sources(const sl_context *context) {
    return atomic_load_explicit(&context->names.published, memory_order_acquire);
}

const char *sl_context_source_name(const sl_context *context, uint16_t source, size_t *length) {
    if (source >= sl_context_num_sources(context)) {
        if (length) *length = 0;
        return NULL;
    }
    const sl_i_source_name *name = sl_i_names_at(&context->names, source);
    if (length) *length = name->length;
    return name->text;
}

/* ---------------------------------------------------------------------------------------------- reading */

uint32_t sl_context_num_records(const sl_context *context) { return sl_i_context_published(context); }

bool sl_context_record(const sl_context *context, uint32_t index, sl_record *out) {
    if (index >= sl_i_context_published(context)) return false;
    const sl_i_stored *stored = sl_i_store_at(&context->store, index);
    out->source = stored->source;
    sl_i_stored_key(stored, &out->key);
    return true;
}

uint32_t sl_context_key_kinds(const sl_context *context) {
    return atomic_load_explicit(&context->key_kinds, memory_order_acquire);
}
