/* test_threads_records.c: readers beside one that appends see whole records, and only published ones; two contexts take each
 * other's records at the same time; record sets are made by many threads at once. */
#include <pthread.h>
#include <stdatomic.h>

#include "records/record_set.h"
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

/* ---------------------------------------------------------------------------------------------- taking over */

typedef struct exchange {
    sl_context *into;
    const sl_context *from;
    atomic_uint *faults;
} exchange;

#define TAKEN 20000u

static void *take_over(void *state) {
    const exchange *e = state;
    static _Thread_local uint32_t translation[TAKEN];
    for (int round = 0; round < 20; round++) {
        uint32_t few = (uint32_t)(round + 1) * TAKEN / 20;
        if (sl_context_assimilate(e->into, e->from, few, translation, NULL, NULL) != SL_OK)
            atomic_fetch_add(e->faults, 1);
        for (uint32_t i = 0; i < few; i += 97) {
            sl_record here, there;
            bool known = sl_context_record(e->from, i, &there) && sl_context_record(e->into, translation[i], &here);
            if (!known || here.key.number != there.key.number) atomic_fetch_add(e->faults, 1);
        }
        sl_context *part = NULL;
        sl_record_set *some = NULL;
        if (sl_record_set_create(translation, few, &some, NULL) != SL_OK) atomic_fetch_add(e->faults, 1);
        if (sl_context_select(e->into, some, &part, NULL) != SL_OK) atomic_fetch_add(e->faults, 1);
        if (sl_context_num_records(part) != few) atomic_fetch_add(e->faults, 1);
        sl_context_release(part);
        sl_record_set_release(some);
    }
    return NULL;
}

static sl_context *make_filled(const char *source, uint64_t first) {
    sl_context *context;
    uint64_t *keys = malloc(TAKEN * sizeof *keys);
    uint32_t *indices = malloc(TAKEN * sizeof *indices);
    uint16_t id;
    OK(sl_context_create(&context, &error));
    OK(sl_context_add_source(context, source, 1, &id, &error));
    for (uint32_t i = 0; i < TAKEN; i++) keys[i] = first + i;
    sl_key_column column = number_column(SL_COLUMN_UINT64, keys, TAKEN, id);
    OK(sl_context_intern(context, &column, indices, NULL, &error));
    free(keys);
    free(indices);
    return context;
}

static void contexts_take_from_each_other(void **state) {
    (void)state;
    sl_context *a = make_filled("x", 0), *b = make_filled("y", 5);
    atomic_uint faults = 0;
    exchange work[4] = {{a, b, &faults}, {b, a, &faults}, {a, b, &faults}, {b, a, &faults}};
    pthread_t threads[4];
    for (int t = 0; t < 4; t++) assert_int_equal(pthread_create(&threads[t], NULL, take_over, &work[t]), 0);
    for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    assert_int_equal(atomic_load(&faults), 0);
    assert_int_equal(sl_context_num_records(a), 2 * TAKEN);
    assert_int_equal(sl_context_num_records(b), 2 * TAKEN);
    check(a);
    sl_context_release(a);
    drop_context(b);
}

/* ---------------------------------------------------------------------------------------------- record sets */

typedef struct set_work {
    const sl_record_set *shared;
    uint32_t shift;
    atomic_uint *faults;
} set_work;

/* shared + (own range) - (own range) is shared without that range. */
static void *work_with_sets(void *state) {
    const set_work *work = state;
    for (uint32_t round = 0; round < 60; round++) {
        sl_record_set *own = NULL, *sum = NULL, *rest = NULL, *list = NULL, *held = NULL;
        uint32_t first = work->shift * 30000 + round * 500, end = first + 10000, records[300];
        for (uint32_t i = 0; i < 300; i++) records[i] = i * i * 7919 % 500000;
        bool fine = sl_record_set_create_range(first, end, &own, NULL) == SL_OK &&
                    sl_record_set_union(work->shared, own, &sum, NULL) == SL_OK &&
                    sl_record_set_difference(sum, own, &rest, NULL) == SL_OK &&
                    sl_record_set_create(records, 300, &list, NULL) == SL_OK;
        held = sl_record_set_retain(work->shared);
        for (uint32_t i = 0; fine && i < 500000; i += 331) {
            bool inside = i >= first && i < end, in_shared = i % 3 == 0 || i / 65536 == 2;
            fine = sl_record_set_contains(held, i) == in_shared &&
                   sl_record_set_contains(sum, i) == (in_shared || inside) &&
                   sl_record_set_contains(rest, i) == (in_shared && !inside);
        }
        for (uint32_t i = 0; fine && i < 300; i++) fine = sl_record_set_contains(list, records[i]);
        if (!fine) atomic_fetch_add(work->faults, 1);
        sl_record_set *const made[] = {own, sum, rest, list, held};
        for (int i = 0; i < 5; i++) sl_record_set_release(made[i]);
    }
    return NULL;
}

static void sets_are_made_by_many_threads(void **state) {
    (void)state;
    uint32_t *records = malloc(500000 * sizeof *records), count = 0;
    for (uint32_t i = 0; i < 500000; i++)
        if (i % 3 == 0 || i / 65536 == 2) records[count++] = i;
    sl_record_set *common;
    OK(sl_record_set_create(records, count, &common, &error));
    free(records);
    atomic_uint faults = 0;
    set_work work[4];
    pthread_t threads[4];
    for (uint32_t t = 0; t < 4; t++) {
        work[t] = (set_work){common, t, &faults};
        assert_int_equal(pthread_create(&threads[t], NULL, work_with_sets, &work[t]), 0);
    }
    for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    assert_int_equal(atomic_load(&faults), 0);
    sl_record_set_release(common);
    assert_int_equal(sl_memory_in_use(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_only_what_is_published),
        cmocka_unit_test(contexts_take_from_each_other),
        cmocka_unit_test(sets_are_made_by_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
