/* test_threads_entities.c: several threads hash and fingerprint the entities of one partition at the same time, each on several threads,
 * while another one appends to the context; all get what one thread gets. */
#include "support/expect.h"

#include <pthread.h>

#include "support/entity_cases.h"

#define NUM_READERS 4
#define LARGEST_DIGEST 64

typedef struct reader {
    const entity_case *c;
    sl_digest digest;
    uint8_t *digests;
    uint32_t *fingerprints;
    sl_status status[2];
    pthread_t thread;
} reader;

static void *read_all(void *argument) {
    reader *r = argument;
    r->status[0] =
        sl_partition_digests(r->c->partition, r->c->context, r->digest, SL_HASH_IDENTITIES, r->digests, NULL, NULL);
    r->status[1] = sl_partition_fingerprints(r->c->partition, r->c->context, r->fingerprints, NULL, NULL);
    return NULL;
}

static void *append(void *argument) {
    sl_context *context = argument;
    for (uint64_t i = 0; i < 200; i++) {
        uint32_t index;
        uint16_t source;
        sl_key key = entity_case_int(UINT64_MAX - i);
        char name[2] = {(char)('A' + i % 26), '\0'};
        if (sl_context_add_source(context, name, 1, &source, NULL) != SL_OK) return argument;
        sl_key_column column = {.keys = {.type = SL_COLUMN_KEYS, .length = 1, .values = &key}, .source = source};
        if (sl_context_intern(context, &column, &index, NULL, NULL) != SL_OK) return argument;
    }
    return NULL;
}

static void threads_share_a_partition(void **state) {
    entity_case c = entity_case_make(20000, 19000, 7, 3, 2);
    reader alone[NUM_READERS], together[NUM_READERS];
    size_t entities = sl_partition_num_entities(c.partition);
    void *failed;
    pthread_t appender;
    (void)state;
    for (int i = 0; i < 2 * NUM_READERS; i++) {
        reader *r = i < NUM_READERS ? &together[i] : &alone[i - NUM_READERS];
        *r = (reader){.c = &c,
                      .digest = (sl_digest)(i % SL_NUM_DIGESTS),
                      .digests = fresh_memory(entities, LARGEST_DIGEST),
                      .fingerprints = fresh_memory(entities, SL_FINGERPRINT_LENGTH * sizeof(uint32_t))};
    }
    sl_set_num_threads(3);
    assert_int_equal(pthread_create(&appender, NULL, append, c.context), 0);
    for (int i = 0; i < NUM_READERS; i++)
        assert_int_equal(pthread_create(&together[i].thread, NULL, read_all, &together[i]), 0);
    for (int i = 0; i < NUM_READERS; i++) assert_int_equal(pthread_join(together[i].thread, NULL), 0);
    assert_int_equal(pthread_join(appender, &failed), 0);
    assert_null(failed);
    sl_set_num_threads(1);
    for (int i = 0; i < NUM_READERS; i++) {
        read_all(&alone[i]);
        assert_int_equal(together[i].status[0] | together[i].status[1], SL_OK);
        assert_memory_equal(alone[i].digests, together[i].digests, entities * LARGEST_DIGEST);
        assert_memory_equal(alone[i].fingerprints, together[i].fingerprints,
                            entities * SL_FINGERPRINT_LENGTH * sizeof(uint32_t));
        free(alone[i].digests);
        free(alone[i].fingerprints);
        free(together[i].digests);
        free(together[i].fingerprints);
    }
    entity_case_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(threads_share_a_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
