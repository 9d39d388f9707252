/* entity_cases.c: see entity_cases.h. */
#include "support/entity_cases.h"

#include <inttypes.h>
#include <stdio.h>

#include "support/expect.h"

/* ---- cases ------------------------------------------------------------------------------------------------------- */

sl_key entity_case_int(uint64_t number) {
    return (sl_key){.kind = number >> 32 ? SL_KEY_U64 : SL_KEY_U32, .number = number};
}

sl_key entity_case_text(sl_key_kind kind, const char *text) {
    return (sl_key){.kind = kind, .length = (uint32_t)strlen(text), .bytes = (const uint8_t *)text};
}

void entity_case_add(sl_context *context, const char *source, sl_key key) {
    uint16_t id;
    uint32_t index;
    EXPECT_OK(sl_context_add_source(context, source, strlen(source), &id, &expect_error));
    sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = 1, .values = &key}, .source = id};
    EXPECT_OK(sl_context_intern(context, &column, &index, NULL, &expect_error));
}

sl_partition *entity_case_cut(const uint32_t *labels, uint32_t covered, uint32_t num_records) {
    sl_hierarchy *hierarchy;
    sl_partition *partition;
    uint32_t num_labels = 0;
    for (uint32_t i = 0; i < covered; i++) num_labels = labels[i] >= num_labels ? labels[i] + 1 : num_labels;
    EXPECT_OK(sl_hierarchy_from_entities(covered, NULL, labels, covered, num_labels, 1.0, &hierarchy, &expect_error));
    EXPECT_OK(sl_partition_create(hierarchy, num_records, 1.0, &partition, &expect_error));
    sl_hierarchy_release(hierarchy);
    return partition;
}

/* Keys of one length and a common beginning, keys of every length, ints of both widths, the same text as string and bytes. */
static sl_key random_key(uint32_t number, char text[64], uint64_t *seed) {
    sl_key_kind kind = graph_below(seed, 2) ? SL_KEY_STRING : SL_KEY_BYTES;
    switch (graph_below(seed, 5)) {
    case 0: return entity_case_int(number);
    case 1: return entity_case_int((uint64_t)number << 30);
    case 2: (void)snprintf(text, 64, "customer-%08" PRIu32, number); break;
    case 3:
        (void)snprintf(text, 64, "%.*s%" PRIu32, (int)graph_below(seed, 40), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                       number);
        break;
    default: (void)snprintf(text, 64, "%" PRIu32, number); break;
    }
    return entity_case_text(kind, text);
}

static const char *source_name(uint32_t number, char text[64]) {
    (void)snprintf(text, 64, "%.*s%" PRIu32, (int)(number % 7), "source", number / 3);
    return text;
}

entity_case entity_case_make(uint32_t num_records, uint32_t covered, uint32_t num_sources, uint32_t size,
                             uint64_t seed) {
    entity_case c;
    char text[64];
    uint32_t *labels = fresh_memory(covered, sizeof *labels), entities = covered / size + 1;
    sl_key *keys = fresh_memory(num_records, sizeof *keys);
    uint16_t *sources = fresh_memory(num_records, sizeof *sources), *ids = fresh_memory(num_sources, sizeof *ids);
    char(*texts)[64] = fresh_memory(num_records, sizeof *texts);
    uint32_t *indices = fresh_memory(num_records, sizeof *indices);
    EXPECT_OK(sl_context_create(&c.context, &expect_error));
    for (uint32_t i = 0; i < num_sources; i++) {
        const char *name = source_name(i, text);
        EXPECT_OK(sl_context_add_source(c.context, name, strlen(name), &ids[i], &expect_error));
    }
    for (uint32_t i = 0; i < num_records; i++) {
        keys[i] = random_key(i, texts[i], &seed);
        sources[i] = ids[graph_below(&seed, num_sources)];
    }
    for (uint32_t i = 0; i < covered; i++) labels[i] = graph_below(&seed, entities);
    sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = num_records, .values = keys},
                            .sources = sources};
    EXPECT_OK(sl_context_intern(c.context, &column, indices, NULL, &expect_error));
    assert_int_equal(sl_context_num_records(c.context), num_records);
    c.partition = entity_case_cut(labels, covered, num_records);
    free(labels);
    free(keys);
    free(sources);
    free(ids);
    free(texts);
    free(indices);
    return c;
}

void entity_case_free(entity_case *c) {
    sl_partition_release(c->partition);
    sl_context_release(c->context);
}

const uint32_t *entity_case_members(const sl_partition *partition, uint32_t entity, uint32_t *out_count) {
    const uint32_t *offsets, *records;
    EXPECT_OK(sl_partition_offsets(partition, &offsets, &expect_error));
    EXPECT_OK(sl_partition_records(partition, &records, &expect_error));
    *out_count = offsets[entity + 1] - offsets[entity];
    return records + offsets[entity];
}

/* ---- the encoding ------------------------------------------------------------------------------------------------ */

static void put_number(plain_bytes *out, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; i++) out->bytes[out->length++] = (uint8_t)(number >> (8 * i));
}

static void put_bytes(plain_bytes *out, const void *bytes, size_t length) {
    put_number(out, length, 4);
    if (length) memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

plain_bytes plain_encode(const sl_context *context, uint32_t index) {
    static const char letters[] = {[SL_KEY_U32] = 'i', [SL_KEY_U64] = 'i', [SL_KEY_STRING] = 's', [SL_KEY_BYTES] = 'b'};
    sl_record record;
    size_t length;
    assert_true(sl_context_record(context, index, &record));
    const char *name = sl_context_source_name(context, record.source, &length);
    plain_bytes out = {fresh_memory(length + record.key.length + 32, 1), 0};
    put_bytes(&out, name, length);
    out.bytes[out.length++] = (uint8_t)letters[record.key.kind];
    if (record.key.kind <= SL_KEY_U64)
        put_number(&out, record.key.number, 8);
    else
        put_bytes(&out, record.key.bytes, record.key.length);
    return out;
}

static int compare(const void *left, const void *right) {
    const plain_bytes *a = left, *b = right;
    int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

plain_bytes plain_encode_entity(const entity_case *c, uint32_t entity) {
    uint32_t count;
    const uint32_t *members = entity_case_members(c->partition, entity, &count);
    plain_bytes *parts = fresh_memory(count, sizeof *parts), whole = {NULL, 0};
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        parts[i] = plain_encode(c->context, members[i]);
        total += parts[i].length;
    }
    qsort(parts, count, sizeof *parts, compare);
    whole.bytes = fresh_memory(total, 1);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(whole.bytes + whole.length, parts[i].bytes, parts[i].length);
        whole.length += parts[i].length;
        free(parts[i].bytes);
    }
    free(parts);
    return whole;
}
