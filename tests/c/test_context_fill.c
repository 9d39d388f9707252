/* test_context_fill.c: a context filled from arrays: every kind of key, as many as there may be in a block and more, is found where it
 * was put, goes on like any other context, and no key is taken twice. */
#include "records/context_fill.h"
#include "support/failing_memory.h"
#include "support/record_cases.h"

#define NUM_SOURCES 2u

/* Record `i` of a case. Texts are made in `text`. */
typedef sl_key (*key_of)(uint32_t i, char text[32]);

static sl_key mixed_key(uint32_t i, char text[32]) {
    sl_key_kind kind = i % 4 == 2 ? SL_KEY_STRING : SL_KEY_BYTES;
    int length = snprintf(text, 32, i % 8 == 2 ? "\xC3\xA4%" PRIu32 : "%" PRIu32, i);
    if (i % 4 == 0) return int_key(i);
    return i % 4 == 1 ? int_key((UINT64_C(1) << 40) + i) : text_key(kind, text, i < 4 ? 0 : (size_t)length);
}

static sl_key small_key(uint32_t i, char text[32]) {
    (void)text;
    return int_key(i / NUM_SOURCES);
}

/* Of 200,000 of them some have the same 32 bits of hash (4 pairs in the mean). */
static sl_key scattered_key(uint32_t i, char text[32]) {
    (void)text;
    return int_key((uint64_t)i * UINT64_C(1000003));
}

static void append(sl_context *context, uint32_t count, key_of make) {
    char text[32];
    OK(sl_i_store_reserve(&context->store, (uint64_t)count + 1, &error));
    for (uint32_t i = 0; i < count; i++) {
        sl_key key = make(i, text);
        OK(sl_i_fill_append(context, (uint16_t)(i % NUM_SOURCES), &key, &error));
    }
}

static sl_status finish(sl_context *context) {
    sl_i_ticker silent = sl_i_ticker_make(NULL);
    return sl_i_fill_finish(context, &silent, &error);
}

static const key_of makes[] = {mixed_key, small_key, scattered_key};
static const uint32_t counts[] = {0, 1, 2, 127, 128, 129, 1024, 20000, 200000};

/* One that was refused keeps no invariant: it is good for being released. */
static void release(sl_context *context) {
    sl_context_release(context);
    assert_int_equal(sl_memory_in_use(), 0);
}

static void filled_contexts_are_like_others(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof makes / sizeof *makes; k++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            sl_context *context = make_context();
            char text[32];
            append(context, counts[c], makes[k]);
            OK(finish(context));
            check(context);
            assert_int_equal(sl_context_num_records(context), counts[c]);
            for (uint32_t i = 0; i < counts[c]; i += 1 + counts[c] / 5) /* each is a check of all */
                assert_int_equal(intern_one(context, makes[k](i, text), (uint16_t)(i % NUM_SOURCES)), i);
            assert_int_equal(intern_one(context, string_key("new"), 0), counts[c]);
            assert_int_equal(intern_one(context, int_key(UINT64_C(1) << 50), 1), counts[c] + 1);
            sl_context_truncate(context, counts[c] / 2);
            check(context);
            drop_context(context);
        }
}

static void a_key_twice_in_one_source_is_refused(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof makes / sizeof *makes; k++)
        for (uint32_t count = 10; count < 20000; count = 5 * count + 1)
            for (uint32_t repeated = 0; repeated < 8; repeated++) {
                sl_context *context = make_context();
                char text[32];
                append(context, count, makes[k]);
                sl_key key = makes[k](repeated, text);
                OK(sl_i_fill_append(context, (uint16_t)(repeated % NUM_SOURCES), &key, &error));
                assert_int_equal(finish(context), SL_ERROR_DUPLICATE_KEY);
                assert_int_equal(error.row, count);
                assert_int_equal(error.other_row, repeated);
                release(context);
            }
}

static void running_out_of_memory_leaves_nothing(void **state) {
    (void)state;
    OK(sl_set_allocator(&failing_memory, &error));
    for (uint64_t allowed = 0;; allowed++) {
        failing_memory_after(FAILING_NEVER);
        sl_context *context = make_context();
        append(context, 1024, mixed_key);
        failing_memory_after(allowed);
        sl_status status = finish(context);
        failing_memory_after(FAILING_NEVER);
        release(context);
        if (status == SL_OK) break;
        assert_int_equal(status, SL_ERROR_MEMORY);
    }
    OK(sl_set_allocator(NULL, &error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled_contexts_are_like_others),
        cmocka_unit_test(a_key_twice_in_one_source_is_refused),
        cmocka_unit_test(running_out_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
