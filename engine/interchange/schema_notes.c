/* schema_notes.c: see schema_notes.h.
 *
 * Arrow's metadata: the number of pairs as an int32, then for each key and each value its length as an int32 and its bytes. It does not
 * tell its size, so lengths can only be checked to be positive. */
#include "interchange/schema_notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "records/utf8.h"

#define SCHEMA_VERSION 1
#define SCHEMA_KEY "starlings:schema"
#define COLLECTION_KEY "starlings:collection:"

sl_i_collection_note sl_i_note_of(const sl_hierarchy *hierarchy, uint32_t decimals, const char *name, size_t length) {
    return (sl_i_collection_note){.name = name,
                                  .length = length,
                                  .kind = sl_i_score_kind_of(hierarchy),
                                  .decimals = decimals,
                                  .num_records = hierarchy->num_records};
}

/* ---------------------------------------------------------------------------------------------- writing */

typedef struct blob {
    char *bytes;
    uint64_t used, capacity;
} blob;

static sl_status append(blob *to, const void *bytes, uint64_t size, sl_error *error) {
    SL_TRY(sl_i_reserve(&to->bytes, &to->capacity, to->used + size, 1, "the metadata of a table", error));
    if (size) memcpy(to->bytes + to->used, bytes, size);
    to->used += size;
    return SL_OK;
}

static sl_status append_size(blob *to, uint64_t size, sl_error *error) {
    int32_t written = (int32_t)size;
    if (size > INT32_MAX)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "a name of %" PRIu64 " bytes is too long for Arrow metadata", size);
    return append(to, &written, sizeof written, error);
}

/* A pair whose value is `text` and then `length` bytes of `rest`. */
static sl_status append_pair(blob *to, const char *key, const char *text, const char *rest, size_t length,
                             sl_error *error) {
    SL_TRY(append_size(to, strlen(key), error));
    SL_TRY(append(to, key, strlen(key), error));
    SL_TRY(append_size(to, strlen(text) + (uint64_t)length, error));
    SL_TRY(append(to, text, strlen(text), error));
    return append(to, rest, length, error);
}

static const char *scale_word(sl_scale scale) { return scale == SL_SCALE_WEIGHT ? "weight" : "probability"; }

static sl_status append_note(blob *to, uint32_t index, const sl_i_collection_note *note, sl_error *error) {
    char key[48], text[80];
    (void)snprintf(key, sizeof key, COLLECTION_KEY "%" PRIu32, index);
    (void)snprintf(text, sizeof text, "%s %s %" PRIu32 " %" PRIu32 " ", scale_word(note->kind.scale),
                   note->kind.exact ? "exact" : "rounded", note->decimals, note->num_records);
    return append_pair(to, key, text, note->name, note->length, error);
}

static sl_status append_all(blob *to, const char *schema, const sl_i_collection_note *notes, uint32_t count,
                            sl_error *error) {
    char version[48];
    (void)snprintf(version, sizeof version, "%s %d", schema, SCHEMA_VERSION);
    SL_TRY(append_size(to, (uint64_t)count + 1, error));
    SL_TRY(append_pair(to, SCHEMA_KEY, version, "", 0, error));
    for (uint32_t i = 0; i < count; i++) SL_TRY(append_note(to, i, &notes[i], error));
    return SL_OK;
}

sl_status sl_i_notes_write(const char *schema, const sl_i_collection_note *notes, uint32_t count, char **out,
                           uint64_t *out_size, sl_error *error) {
    blob made = {0};
    *out = NULL;
    *out_size = 0;
    sl_status status = append_all(&made, schema, notes, count, error);
    if (status == SL_OK) {
        sl_i_shrink(&made.bytes, &made.capacity, made.used, 1);
        *out = made.bytes;
        *out_size = made.capacity;
    } else {
        sl_i_release(made.bytes, made.capacity, 1);
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------- reading */

typedef struct text {
    const char *bytes;
    uint64_t length;
} text;

static bool starts_with(text whole, const char *start) {
    return whole.length >= strlen(start) && memcmp(whole.bytes, start, strlen(start)) == 0;
}

/* What comes before the first space; `rest` goes on behind it. */
static text next_word(text *rest) {
    const char *space = rest->length ? memchr(rest->bytes, ' ', rest->length) : NULL;
    text word = {rest->bytes, space ? (uint64_t)(space - rest->bytes) : rest->length};
    uint64_t skipped = word.length + (space ? 1 : 0);
    rest->bytes += skipped;
    rest->length -= skipped;
    return word;
}

static bool is_word(text word, const char *expected) {
    return word.length == strlen(expected) && starts_with(word, expected);
}

static bool read_number(text word, uint32_t *out) {
    uint64_t number = 0;
    for (uint64_t i = 0; i < word.length && number <= UINT32_MAX; i++) {
        if (word.bytes[i] < '0' || word.bytes[i] > '9') return false;
        number = number * 10 + (uint64_t)(word.bytes[i] - '0');
    }
    *out = (uint32_t)number;
    return word.length > 0 && number <= UINT32_MAX;
}

/* Whether the value is a note; its name is the rest. */
static bool read_note(text value, sl_i_collection_note *out) {
    text scale = next_word(&value), held = next_word(&value), decimals = next_word(&value),
         num_records = next_word(&value);
    out->kind.scale = is_word(scale, "weight") ? SL_SCALE_WEIGHT : SL_SCALE_PROBABILITY;
    out->kind.exact = is_word(held, "exact");
    out->name = value.bytes;
    out->length = (size_t)value.length;
    return (out->kind.scale == SL_SCALE_WEIGHT || is_word(scale, "probability")) &&
           (out->kind.exact || is_word(held, "rounded")) && read_number(decimals, &out->decimals) &&
           out->decimals <= 6 && read_number(num_records, &out->num_records) && out->num_records <= SL_MAX_RECORDS;
}

static sl_status check_schema(text value, const char *schema, sl_error *error) {
    char quoted[SL_I_QUOTED_SIZE];
    uint32_t version = 0;
    text name = next_word(&value);
    if (!is_word(name, schema))
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the table's metadata says that it holds %s, not a %s: read it as what it is",
                         sl_i_text_quote(name.bytes, name.length, quoted), schema);
    if (!read_number(value, &version) || version == 0 || version > SCHEMA_VERSION)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "the table has version %s of the %s schema; this library reads version %d: update it",
                         sl_i_text_quote(value.bytes, value.length, quoted), schema, SCHEMA_VERSION);
    return SL_OK;
}

/* Entries may come in any order; there are at most `capacity`. */
static sl_status take_note(sl_i_notes *notes, text key, text value, sl_error *error) {
    char quoted_key[SL_I_QUOTED_SIZE], quoted[SL_I_QUOTED_SIZE];
    uint32_t index = 0;
    text number = {key.bytes + strlen(COLLECTION_KEY), key.length - strlen(COLLECTION_KEY)};
    if (read_number(number, &index) && index < notes->capacity && !notes->notes[index].name &&
        read_note(value, &notes->notes[index])) {
        notes->count++;
        return SL_OK;
    }
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "the table's metadata entry %s = %s cannot be read: it says scale, exact or rounded, decimals, "
                     "records and name of one collection, each once",
                     sl_i_text_quote(key.bytes, key.length, quoted_key),
                     sl_i_text_quote(value.bytes, value.length, quoted));
}

static bool read_text(const char **metadata, text *out) {
    int32_t length;
    memcpy(&length, *metadata, sizeof length);
    *out = (text){*metadata + sizeof length, length < 0 ? 0 : (uint64_t)length};
    *metadata += sizeof length + out->length;
    return length >= 0;
}

static sl_status read_pairs(const char *metadata, const char *schema, sl_i_notes *notes, sl_error *error) {
    int32_t pairs;
    text key, value;
    memcpy(&pairs, metadata, sizeof pairs);
    metadata += sizeof pairs;
    if (pairs <= 0) return SL_OK;
    SL_TRY(
        sl_i_allocate_zeroed(&notes->notes, (uint64_t)pairs, sizeof *notes->notes, "the metadata of a table", error));
    notes->capacity = (uint64_t)pairs;
    for (int32_t i = 0; i < pairs; i++) {
        if (!read_text(&metadata, &key) || !read_text(&metadata, &value))
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "the metadata of the Arrow schema is malformed");
        if (is_word(key, SCHEMA_KEY)) SL_TRY(check_schema(value, schema, error));
        if (starts_with(key, COLLECTION_KEY)) SL_TRY(take_note(notes, key, value, error));
    }
    for (uint64_t i = 0; i < notes->count; i++)
        if (!notes->notes[i].name)
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                             "the table's metadata tells of %" PRIu64 " collections, but not of number %" PRIu64,
                             notes->count, i);
    return SL_OK;
}

sl_status sl_i_notes_read(const char *metadata, const char *schema, sl_i_notes *out, sl_error *error) {
    *out = (sl_i_notes){0};
    if (!metadata) return SL_OK;
    sl_status status = read_pairs(metadata, schema, out, error);
    if (status != SL_OK) sl_i_notes_free(out);
    return status;
}

void sl_i_notes_free(sl_i_notes *notes) {
    sl_i_release(notes->notes, notes->capacity, sizeof *notes->notes);
    *notes = (sl_i_notes){0};
}
