/* test_threads_frame.c: readers beside changes of a frame see whole states, and each state as it was made; changes from several
 * threads come one after another.
 *
 * Every collection is named for a number k and joins the records k * MEMBERS .. k * MEMBERS + MEMBERS - 1 at falling scores, so what
 * any state must show can be told from its names alone. */
#include "support/expect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "frame/frame.h"

#define MEMBERS 5u
#define FIRST_SCORE 0.9
#define LAST_SCORE 0.5
#define NUM_READERS 3

typedef struct shared {
    sl_frame *frame;
    atomic_bool stop;
    atomic_uint faults;
    atomic_uint_fast64_t states;
} shared;

/* In threads other than the first, cmocka's asserts may not jump: they are counted. */
#define CHECK(s, condition)                                                                                            \
    do {                                                                                                               \
        if (!(condition) && atomic_fetch_add(&(s)->faults, 1) == 0)                                                    \
            print_error("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                \
    } while (0)

/* ---- changing ---------------------------------------------------------------------------------------------------- */

static sl_status build(sl_context *context, uint32_t number, sl_hierarchy **out) {
    uint64_t left[MEMBERS - 1], right[MEMBERS - 1];
    double scores[MEMBERS - 1];
    uint16_t source;
    *out = NULL;
    for (uint32_t i = 0; i + 1 < MEMBERS; i++) {
        left[i] = number * MEMBERS + i;
        right[i] = left[i] + 1;
        scores[i] = i + 2 < MEMBERS ? FIRST_SCORE : LAST_SCORE;
    }
    sl_status status = sl_context_add_source(context, "a", 1, &source, NULL);
    if (status != SL_OK) return status;
    const sl_column keys = {.type = SL_COLUMN_UINT64, .length = MEMBERS - 1};
    sl_edges batch = {{.keys = keys, .source = source}, {.keys = keys, .source = source}, keys};
    batch.left.keys.values = left;
    batch.right.keys.values = right;
    batch.score.values = scores;
    batch.score.type = SL_COLUMN_FLOAT64;
    return sl_hierarchy_extend(context, NULL, &batch, 1, NULL, out, NULL);
}

static sl_status step_add(sl_frame_change *change, uint32_t number) {
    char name[16];
    sl_context *context;
    sl_hierarchy *hierarchy = NULL;
    int length = snprintf(name, sizeof name, "%u", number);
    sl_status status = sl_frame_change_context(change, &context, NULL);
    if (status == SL_OK) status = build(context, number, &hierarchy);
    if (status == SL_OK) status = sl_frame_change_add(change, name, (size_t)length, hierarchy, 6, NULL, NULL);
    sl_hierarchy_release(hierarchy);
    return status;
}

static sl_status step_drop(sl_frame_change *change, uint32_t number) {
    char name[16];
    int length = snprintf(name, sizeof name, "%u", number);
    return sl_frame_change_drop(change, name, (size_t)length, NULL);
}

static bool add(sl_frame *frame, uint32_t number, bool gives_up) {
    sl_frame_change *change;
    if (sl_frame_begin(frame, &change, NULL) != SL_OK) return false;
    bool done = step_add(change, number) == SL_OK;
    if (done && !gives_up) return sl_frame_change_commit(change, NULL, NULL) == SL_OK;
    sl_frame_change_abort(change);
    return done;
}

static bool drop(sl_frame *frame, uint32_t number, bool compacts) {
    sl_frame_change *change;
    if (sl_frame_begin(frame, &change, NULL) != SL_OK) return false;
    if (step_drop(change, number) != SL_OK) {
        sl_frame_change_abort(change);
        return false;
    }
    if (compacts) sl_frame_change_compact(change);
    return sl_frame_change_commit(change, NULL, NULL) == SL_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Indices of a collection's records, by look-up; whether they are all there. */
static bool find_members(const sl_frame_state *state, uint32_t number, uint32_t *out) {
    uint64_t values[MEMBERS];
    uint16_t source;
    for (uint32_t i = 0; i < MEMBERS; i++) values[i] = number * MEMBERS + i;
    if (!sl_context_find_source(sl_frame_state_context(state), "a", 1, &source)) return false;
    const sl_key_column keys = {.keys = {.type = SL_COLUMN_UINT64, .length = MEMBERS, .values = values},
                                .source = source};
    if (sl_context_find(sl_frame_state_context(state), &keys, out, NULL) != SL_OK) return false;
    bool known = true;
    for (uint32_t i = 0; i < MEMBERS; i++) known &= out[i] < sl_frame_state_num_records(state);
    return known;
}

static void check_partition(shared *s, const sl_collection *view, double threshold, const uint32_t *members,
                            uint32_t num_joined) {
    uint32_t n = sl_collection_num_records(view);
    sl_partition *partition;
    const uint32_t *labels, *sizes;
    if (sl_collection_at(view, threshold, &partition, NULL) != SL_OK) {
        CHECK(s, !"a partition");
        return;
    }
    CHECK(s, sl_partition_num_records(partition) == n);
    CHECK(s, sl_partition_num_entities(partition) == n - (num_joined - 1));
    CHECK(s, sl_partition_labels(partition, &labels, NULL) == SL_OK);
    CHECK(s, sl_partition_sizes(partition, &sizes, NULL) == SL_OK);
    for (uint32_t i = 0; i < num_joined; i++) CHECK(s, labels[members[i]] == labels[members[0]]);
    CHECK(s, sizes[labels[members[0]]] == num_joined);
    sl_partition_release(partition);
}

static void check_curve(shared *s, const sl_collection *view) {
    const double at[] = {1.0, FIRST_SCORE, LAST_SCORE};
    sl_curve_options options = {.thresholds = at, .num_thresholds = 3};
    uint32_t n = sl_collection_num_records(view);
    sl_curve *curve;
    double counts[3] = {0};
    if (sl_collection_measure(view, &options, &curve, NULL) != SL_OK) {
        CHECK(s, !"a curve");
        return;
    }
    CHECK(s, sl_curve_metric(curve, SL_METRIC_ENTITY_COUNT, 0.0, counts, NULL) == SL_OK);
    CHECK(s, counts[0] == n && counts[1] == n - (MEMBERS - 2) && counts[2] == n - (MEMBERS - 1));
    sl_curve_release(curve);
}

static void check_collection(shared *s, const sl_frame_state *state, uint32_t position) {
    const char *name = sl_frame_state_name(state, position, NULL);
    uint32_t members[MEMBERS], number = (uint32_t)strtoul(name, NULL, 10);
    sl_collection *view;
    double between = 0.0;
    bool together = false;
    if (sl_frame_state_collection(state, position, &view, NULL) != SL_OK || !find_members(state, number, members)) {
        CHECK(s, !"a collection with its records");
        return;
    }
    CHECK(s, sl_collection_num_records(view) == sl_frame_state_num_records(state));
    check_partition(s, view, 0.7, members, MEMBERS - 1);
    check_partition(s, view, LAST_SCORE, members, MEMBERS);
    check_curve(s, view);
    CHECK(s, sl_hierarchy_threshold_between(sl_collection_hierarchy(view), members[0], members[MEMBERS - 1], &between,
                                            &together, NULL) == SL_OK);
    CHECK(s, together && between == LAST_SCORE);
    if (position % 2) sl_collection_clear_cache(view);
    sl_collection_release(view);
}

static void check_records(shared *s, const sl_frame_state *state) {
    for (uint32_t i = 0; i < sl_frame_state_num_records(state); i++) {
        sl_record record;
        bool there = sl_context_record(sl_frame_state_context(state), i, &record);
        CHECK(s, there && strcmp(sl_context_source_name(sl_frame_state_context(state), record.source, NULL), "a") == 0);
    }
    CHECK(s, sl_frame_state_num_sources(state) == 1);
}

static void check_state(shared *s, const sl_frame_state *state) {
    uint32_t count = sl_frame_state_num_collections(state),
             garbage = sl_record_set_count(sl_frame_state_garbage(state));
    check_records(s, state);
    for (uint32_t i = 0; i < count; i++) check_collection(s, state, i);
    CHECK(s, sl_frame_state_num_records(state) == count * MEMBERS + garbage);
    CHECK(s, 2 * garbage <= sl_frame_state_num_records(state));
}

static void check_metrics(shared *s) {
    sl_frame_metrics metrics;
    CHECK(s, sl_frame_collect_metrics(s->frame, &metrics, NULL) == SL_OK);
    CHECK(s, metrics.garbage_ratio <= 0.5 && metrics.memory > 0 && metrics.num_sources == 1);
    CHECK(s, metrics.num_records >= metrics.num_collections * MEMBERS);
}

/* A copy goes its own way. */
static void check_copy(shared *s, uint32_t number) {
    sl_frame *copy;
    if (sl_frame_copy(s->frame, &copy, NULL) != SL_OK) {
        CHECK(s, !"a copy");
        return;
    }
    sl_frame_state *before = sl_frame_now(copy);
    CHECK(s, add(copy, number, false));
    sl_frame_state *after = sl_frame_now(copy);
    check_state(s, after);
    CHECK(s, sl_frame_state_num_collections(after) == sl_frame_state_num_collections(before) + 1);
    check_state(s, before);
    sl_frame_state_release(before);
    sl_frame_state_release(after);
    sl_frame_release(copy);
}

static void *read_on(void *given) {
    shared *s = given;
    sl_frame_state *old = sl_frame_now(s->frame);
    for (uint32_t round = 0; !atomic_load(&s->stop) || round == 0; round++) {
        sl_frame_state *state = sl_frame_now(s->frame);
        check_state(s, state);
        check_metrics(s);
        if (round % 8 == 0) {
            check_copy(s, 1000000 + round);
            check_state(s, old);
            sl_frame_state_release(old);
            old = sl_frame_now(s->frame);
        }
        sl_frame_state_release(state);
        atomic_fetch_add(&s->states, 1);
    }
    sl_frame_state_release(old);
    return NULL;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static shared make_shared(void) {
    shared s = {.frame = NULL};
    EXPECT_OK(sl_frame_create(&s.frame, &expect_error));
    assert_true(add(s.frame, 0, false));
    return s;
}

static void readers_see_whole_states(void **state) {
    (void)state;
    shared s = make_shared();
    pthread_t readers[NUM_READERS];
    for (int t = 0; t < NUM_READERS; t++) assert_int_equal(pthread_create(&readers[t], NULL, read_on, &s), 0);
    uint32_t rounds = EXPECT_SIZE(600, 150);
    for (uint32_t number = 1; number <= rounds; number++) {
        CHECK(&s, add(s.frame, 500000 + number, true)); /* given up: a reader may look up what is forgotten again */
        CHECK(&s, add(s.frame, number, false));
        if (number > 4) CHECK(&s, drop(s.frame, number - 4, number % 7 == 0));
    }
    atomic_store(&s.stop, true);
    for (int t = 0; t < NUM_READERS; t++) pthread_join(readers[t], NULL);
    assert_int_equal(atomic_load(&s.faults), 0);
    assert_true(atomic_load(&s.states) >= NUM_READERS);
    sl_frame_state *last = sl_frame_now(s.frame);
    EXPECT_OK(sl_i_state_validate(last, &expect_error));
    assert_int_equal(sl_frame_state_num_collections(last), 5);
    sl_frame_state_release(last);
    sl_frame_release(s.frame);
}

typedef struct writer {
    shared *shared;
    uint32_t first, rounds;
} writer;

static void *change_on(void *given) {
    const writer *w = given;
    for (uint32_t number = w->first; number < w->first + w->rounds; number++) {
        CHECK(w->shared, add(w->shared->frame, number, false));
        if (number % 3 == 0) CHECK(w->shared, add(w->shared->frame, number + w->rounds, true));
        if (number > w->first) CHECK(w->shared, drop(w->shared->frame, number - 1, number % 5 == 0));
    }
    return NULL;
}

static void changes_come_one_after_another(void **state) {
    (void)state;
    shared s = make_shared();
    writer writers[NUM_READERS];
    pthread_t threads[NUM_READERS], reader;
    uint32_t rounds = EXPECT_SIZE(400, 60), position;
    assert_int_equal(pthread_create(&reader, NULL, read_on, &s), 0);
    for (uint32_t t = 0; t < NUM_READERS; t++) {
        writers[t] = (writer){&s, 10000 * (t + 1), rounds};
        assert_int_equal(pthread_create(&threads[t], NULL, change_on, &writers[t]), 0);
    }
    for (uint32_t t = 0; t < NUM_READERS; t++) pthread_join(threads[t], NULL);
    atomic_store(&s.stop, true);
    pthread_join(reader, NULL);
    assert_int_equal(atomic_load(&s.faults), 0);
    sl_frame_state *last = sl_frame_now(s.frame);
    EXPECT_OK(sl_i_state_validate(last, &expect_error));
    assert_int_equal(sl_frame_state_num_collections(last), 1 + NUM_READERS);
    for (uint32_t t = 0; t < NUM_READERS; t++) {
        char name[16];
        int length = snprintf(name, sizeof name, "%u", 10000 * (t + 1) + rounds - 1);
        assert_true(sl_frame_state_find(last, name, (size_t)length, &position));
    }
    sl_frame_state_release(last);
    sl_frame_release(s.frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(readers_see_whole_states),
        TEST(changes_come_one_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
