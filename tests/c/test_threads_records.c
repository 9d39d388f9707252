/* test_threads_records.c: readers beside one that appends see whole records, and only published ones. */
#include <pthread.h>
#include <stdatomic.h>

#include "support/record_cases.h"

typedef struct shared {
    sl_context *context;
    atomic_bool stop;
    atomic_uint faults;
} shared;

static void *look_around(void *state) {
    shared *s = state;
    while (!atomic_load(&s->stop)) {
        uint32_t count = sl_context_num_records(s->context);
        for (uint32_t i = count > 50 ? count - 50 : 0; i < count; i++) {
            sl_record record;
            char text[32];
            snprintf(text, sizeof text, "record %u", i);
            if (!sl_context_record(s->context, i, &record) || record.key.length != strlen(text) ||
                memcmp(record.key.bytes, text, record.key.length) != 0)
                atomic_fetch_add(&s->faults, 1);
        }
        if (count > 0 && find_one(s->context, string_key("record 0"), 0) != 0) atomic_fetch_add(&s->faults, 1);
    }
    return NULL;
}

static void readers_see_only_what_is_published(void **state) {
    (void)state;
    shared s = {.context = make_context()};
    pthread_t threads[2];
    for (int t = 0; t < 2; t++) assert_int_equal(pthread_create(&threads[t], NULL, look_around, &s), 0);
    for (uint32_t batch = 0; batch < 300; batch++) {
        char text[101][32];
        sl_key keys[101];
        uint32_t indices[101];
        for (uint32_t i = 0; i < 100; i++) {
            snprintf(text[i], sizeof text[i], "record %u", batch * 100 + i);
            keys[i] = string_key(text[i]);
        }
        keys[100] = (sl_key){.kind = (sl_key_kind)9};
        sl_key_column column = keys_column(keys, 101, 0);
        assert_int_equal(sl_context_intern(s.context, &column, indices, NULL, NULL), SL_ERROR_INVALID_KEY);
        column.keys.length = 100;
        assert_int_equal(sl_context_intern(s.context, &column, indices, NULL, NULL), SL_OK);
    }
    atomic_store(&s.stop, true);
    for (int t = 0; t < 2; t++) pthread_join(threads[t], NULL);
    assert_int_equal(atomic_load(&s.faults), 0);
    assert_int_equal(sl_context_num_records(s.context), 30000);
    drop_context(s.context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_only_what_is_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
