/* test_threads_attributes.c: readers beside one that attaches and truncates find the rows of the records that stay, and batches
 * that are shared by several threads are released once. */
#include <pthread.h>
#include <stdatomic.h>

#include "support/expect.h"

#define STAYING 64u
#define COMING 200u

static atomic_int live;

static void release_array(struct ArrowArray *array) {
    array->release = NULL;
    atomic_fetch_sub(&live, 1);
}

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    *out = (struct ArrowSchema){.format = "+s", .name = "", .release = release_schema};
    return 0;
}

/* One batch without columns, whose rows the stream's private data counts. */
static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    static const void *buffers[1] = {NULL};
    int64_t *rows = stream->private_data;
    *out = (struct ArrowArray){0};
    if (*rows == 0) return 0;
    *out = (struct ArrowArray){.length = *rows, .n_buffers = 1, .buffers = buffers, .release = release_array};
    *rows = 0;
    atomic_fetch_add(&live, 1);
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }

static sl_batches *batches_of(int64_t rows) {
    struct ArrowArrayStream stream = {get_schema, get_next, get_last_error, release_stream, &rows};
    sl_batches *batches;
    EXPECT_OK(sl_batches_from_stream(&stream, &batches, &expect_error));
    return batches;
}

static void add_records(sl_context *context, uint64_t first, uint64_t count) {
    uint64_t keys[COMING];
    uint32_t added;
    for (uint64_t i = 0; i < count; i++) keys[i] = first + i;
    const sl_key_column column = {.keys = {.type = SL_COLUMN_UINT64, .length = count, .values = keys}};
    EXPECT_OK(sl_context_add_records(context, &column, &added, &expect_error));
}

typedef struct shared {
    sl_context *context;
    atomic_bool stop;
    atomic_uint faults;
} shared;

/* Rows of the attachment as a stream, read to its end: how many there are. */
static uint64_t count_exported(const sl_batches *batches) {
    struct ArrowArrayStream stream;
    struct ArrowArray array;
    uint64_t rows = 0;
    if (sl_batches_export(batches, NULL, 0, &stream, NULL) != SL_OK) return 0;
    while (stream.get_next(&stream, &array) == 0 && array.release) {
        rows += (uint64_t)array.length;
        array.release(&array);
    }
    stream.release(&stream);
    return rows;
}

static void *look_around(void *state) {
    shared *s = state;
    uint32_t records[STAYING + COMING], numbers[STAYING + COMING];
    uint64_t rows[STAYING + COMING];
    for (uint32_t i = 0; i < STAYING + COMING; i++) records[i] = i;
    while (!atomic_load(&s->stop)) {
        sl_context_find_attributes(s->context, records, STAYING + COMING, numbers, rows);
        for (uint32_t i = 0; i < STAYING; i++)
            if (numbers[i] != 0 || rows[i] != i) atomic_fetch_add(&s->faults, 1);
        sl_batches *staying = sl_context_attachment(s->context, 0);
        if (!staying || count_exported(staying) != STAYING) atomic_fetch_add(&s->faults, 1);
        sl_batches_release(staying);
        sl_batches *last = sl_context_attachment(s->context, sl_context_num_attachments(s->context) - 1);
        if (last && count_exported(last) == 0) atomic_fetch_add(&s->faults, 1);
        sl_batches_release(last);
    }
    return NULL;
}

static void readers_find_what_stays(void **state) {
    (void)state;
    shared s = {0};
    uint16_t source;
    pthread_t threads[2];
    EXPECT_OK(sl_context_create(&s.context, &expect_error));
    EXPECT_OK(sl_context_add_source(s.context, "crm", 3, &source, &expect_error));
    add_records(s.context, 0, STAYING);
    sl_batches *staying = batches_of(STAYING);
    EXPECT_OK(sl_context_attach(s.context, staying, NULL, 0, &expect_error));
    sl_batches_release(staying);
    for (int t = 0; t < 2; t++) assert_int_equal(pthread_create(&threads[t], NULL, look_around, &s), 0);
    for (int round = 0; round < 500; round++) {
        sl_batches *coming = batches_of(COMING);
        add_records(s.context, STAYING, COMING);
        EXPECT_OK(sl_context_attach(s.context, coming, NULL, STAYING, &expect_error));
        sl_batches_release(coming);
        sl_context_truncate(s.context, STAYING);
    }
    atomic_store(&s.stop, true);
    for (int t = 0; t < 2; t++) pthread_join(threads[t], NULL);
    assert_int_equal(atomic_load(&s.faults), 0);
    assert_int_equal(sl_context_num_attachments(s.context), 1);
    sl_context_release(s.context);
    assert_int_equal(atomic_load(&live), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(readers_find_what_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
