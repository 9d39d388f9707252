/* key_dictionary.c: see key_dictionary.h. Distinct keys are found by interning them all into a context of one source: the index
 * of a key there is its place in the dictionary. */
#include "interchange/key_dictionary.h"

#include <string.h>

#include "records/context.h"

#define NUM_KINDS 4
#define KEYS_AT_ONCE 16384u

static const sl_i_arrow_type member_types[NUM_KINDS] = {[SL_KEY_U32] = {.format = "I"},
                                                        [SL_KEY_U64] = {.format = "L"},
                                                        [SL_KEY_STRING] = {.format = "u"},
                                                        [SL_KEY_BYTES] = {.format = "z"}};
static const char *const member_names[NUM_KINDS] = {
    [SL_KEY_U32] = "u32", [SL_KEY_U64] = "u64", [SL_KEY_STRING] = "string", [SL_KEY_BYTES] = "bytes"};
static const sl_i_arrow_type union_type = {
    .format = "+ud:0,1,2,3", .member_types = member_types, .member_names = member_names, .num_members = NUM_KINDS};
const sl_i_arrow_type sl_i_key_dictionary_type = {.format = "I", .dictionary = &union_type};

/* ---------------------------------------------------------------------------------------------- codes */

static sl_status intern_keys(const sl_context *context, uint32_t first, uint32_t count, sl_context *distinct,
                             uint32_t *codes, sl_i_ticker *ticker, sl_error *error) {
    sl_key *keys = NULL;
    sl_record record = {0};
    sl_status status = SL_OK;
    SL_TRY(sl_i_allocate(&keys, KEYS_AT_ONCE, sizeof *keys, "the keys of a table", error));
    for (uint32_t done = 0; done < count && status == SL_OK; done += KEYS_AT_ONCE) {
        uint32_t rows = count - done < KEYS_AT_ONCE ? count - done : KEYS_AT_ONCE;
        for (uint32_t i = 0; i < rows && sl_context_record(context, first + done + i, &record); i++)
            keys[i] = record.key;
        const sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = rows, .values = keys}};
        status = sl_context_intern(distinct, &column, codes + done, NULL, error);
        if (status == SL_OK) status = sl_i_ticker_advance(ticker, rows, error);
    }
    sl_i_release(keys, KEYS_AT_ONCE, sizeof *keys);
    return status;
}

/* ---------------------------------------------------------------------------------------------- the union */

/* Where the next key of a kind goes. */
typedef struct member_cursor {
    uint32_t *small;
    uint64_t *large;
    int32_t *offsets;
    uint8_t *bytes;
    uint32_t count;
} member_cursor;

/* Keys of each kind, and the bytes they hold together. */
typedef struct extent {
    uint64_t keys[NUM_KINDS], bytes[NUM_KINDS];
} extent;

static sl_status measure(const sl_context *distinct, extent *out, sl_i_ticker *ticker, sl_error *error) {
    extent size = {0};
    sl_record record = {0};
    for (uint32_t i = 0; sl_context_record(distinct, i, &record); i++) {
        size.keys[record.key.kind]++;
        size.bytes[record.key.kind] += record.key.length;
        SL_TRY(sl_i_ticker_step(ticker, i, error));
    }
    *out = size;
    return SL_OK;
}

static sl_status make_member(struct ArrowArray *out, int kind, const extent *size, member_cursor *cursor,
                             sl_error *error) {
    uint64_t count = size->keys[kind];
    bool is_text = kind == SL_KEY_STRING || kind == SL_KEY_BYTES;
    SL_TRY(sl_i_array_make(out, count, is_text ? 3 : 2, 0, false, error));
    if (kind == SL_KEY_U32) return sl_i_array_buffer(out, 1, count, sizeof *cursor->small, &cursor->small, error);
    if (kind == SL_KEY_U64) return sl_i_array_buffer(out, 1, count, sizeof *cursor->large, &cursor->large, error);
    SL_TRY(sl_i_array_buffer(out, 1, count + 1, sizeof *cursor->offsets, &cursor->offsets, error));
    cursor->offsets[0] = 0;
    return sl_i_array_buffer(out, 2, size->bytes[kind], 1, &cursor->bytes, error);
}

static void put_key(member_cursor *cursor, const sl_key *key) {
    uint32_t i = cursor->count++;
    if (cursor->small) {
        cursor->small[i] = (uint32_t)key->number;
    } else if (cursor->large) {
        cursor->large[i] = key->number;
    } else {
        if (key->length) memcpy(cursor->bytes + cursor->offsets[i], key->bytes, key->length);
        cursor->offsets[i + 1] = cursor->offsets[i] + (int32_t)key->length;
    }
}

/* `out` is released by whoever owns it, also where this fails. */
static sl_status make_union(const sl_context *distinct, struct ArrowArray *out, sl_i_ticker *ticker, sl_error *error) {
    extent size;
    member_cursor cursors[NUM_KINDS] = {{0}};
    uint32_t count = sl_context_num_records(distinct);
    int8_t *kinds = NULL;
    int32_t *places = NULL;
    sl_record record = {0};
    SL_TRY(measure(distinct, &size, ticker, error));
    SL_TRY(sl_i_array_make(out, count, 2, NUM_KINDS, false, error));
    SL_TRY(sl_i_array_buffer(out, 0, count, sizeof *kinds, &kinds, error));
    SL_TRY(sl_i_array_buffer(out, 1, count, sizeof *places, &places, error));
    for (int kind = 0; kind < NUM_KINDS; kind++)
        SL_TRY(make_member(out->children[kind], kind, &size, &cursors[kind], error));
    for (uint32_t i = 0; sl_context_record(distinct, i, &record); i++) {
        member_cursor *cursor = &cursors[record.key.kind];
        kinds[i] = (int8_t)record.key.kind;
        places[i] = (int32_t)cursor->count;
        put_key(cursor, &record.key);
        SL_TRY(sl_i_ticker_step(ticker, i, error));
    }
    return SL_OK;
}

sl_status sl_i_key_dictionary_make(const sl_context *context, uint32_t first, uint32_t count, struct ArrowArray *out,
                                   sl_i_ticker *ticker, sl_error *error) {
    sl_context *distinct = NULL;
    uint32_t *codes = NULL;
    uint16_t source;
    SL_TRY(sl_i_array_make(out, count, 2, 0, true, error));
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_array_buffer(out, 1, count, sizeof *codes, &codes, error));
    SL_TRY_CLEANUP(status, sl_context_create(&distinct, error));
    SL_TRY_CLEANUP(status, sl_context_add_source(distinct, "", 0, &source, error));
    SL_TRY_CLEANUP(status, intern_keys(context, first, count, distinct, codes, ticker, error));
    status = make_union(distinct, out->dictionary, ticker, error);
cleanup:
    sl_context_release(distinct);
    if (status != SL_OK) sl_i_array_drop(out);
    return status;
}
