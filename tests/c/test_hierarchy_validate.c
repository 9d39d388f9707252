/* test_hierarchy_validate.c: sl_hierarchy_validate finds every kind of damage and says what it is. */
#include "support/expect.h"

#include <math.h>

#include "hierarchy/hierarchy.h"
#include "support/graphs.h"
#include "support/plain_hierarchy.h"

/* order 0 1 2 3 4 5, joins (0 0) 1 | (0) with levels .9 .5: {0,1,2} at .9, with {3} at .5; {4,5} at .9. */
typedef struct damage {
    uint32_t order[6], join[6];
    double levels[3];
    sl_hierarchy hierarchy;
} damage;

static damage sound(void) {
    damage d = {.order = {0, 1, 2, 3, 4, 5},
                .join = {0, 0, 1, SL_NEVER, 0, SL_NEVER},
                .levels = {0.9, 0.5, 0.1},
                .hierarchy = {.references = 1, .num_records = 6, .num_levels = 2, .num_merges = 3}};
    return d;
}

static void expect_corrupt(damage d, const char *reason) {
    d.hierarchy.order = d.order;
    d.hierarchy.join = d.join;
    d.hierarchy.levels = d.levels;
    if (!reason) {
        EXPECT_OK(sl_hierarchy_validate(&d.hierarchy, &expect_error));
        return;
    }
    EXPECT_FAILURE(sl_hierarchy_validate(&d.hierarchy, &expect_error), SL_ERROR_CORRUPT, -1);
    if (!strstr(expect_error.message, reason)) fail_msg("\"%s\" does not say \"%s\"", expect_error.message, reason);
}

#define DAMAGED(change, reason)                                                                                        \
    do {                                                                                                               \
        damage d = sound();                                                                                            \
        change;                                                                                                        \
        expect_corrupt(d, reason);                                                                                     \
    } while (0)

static void every_kind_of_damage_is_found_and_named(void **state) {
    (void)state;
    expect_corrupt(sound(), NULL);
    DAMAGED(d.order[2] = 6, "does not exist");
    DAMAGED(d.order[2] = UINT32_MAX, "does not exist");
    DAMAGED(d.order[2] = 1, "twice");
    DAMAGED(d.join[1] = 2, "does not exist");
    DAMAGED(d.join[1] = SL_NEVER - 1, "does not exist");
    DAMAGED(d.join[5] = 1, "last join");
    DAMAGED(d.levels[0] = 1.5, "outside");
    DAMAGED(d.levels[1] = -0.5, "outside");
    DAMAGED(d.levels[1] = NAN, "outside");
    DAMAGED(d.levels[1] = 0.9, "do not fall");
    DAMAGED(d.levels[1] = 0.95, "do not fall");
    DAMAGED(d.levels[1] = 0.50000001, "not rounded");
    DAMAGED((d.levels[1] = 0.50000001, d.hierarchy.exact = true), NULL);
    DAMAGED(d.hierarchy.num_levels = 3, "nothing merges");
    DAMAGED(d.hierarchy.num_levels = 6, "more levels");
    DAMAGED(d.hierarchy.num_levels = 1, "does not exist");
    DAMAGED(d.hierarchy.num_merges = 4, "number of merges");
    DAMAGED((d.order[1] = 2, d.order[2] = 1), "order of their smallest"); /* inside one merge */
    DAMAGED((d.order[0] = 1, d.order[1] = 0), "order of their smallest");
    DAMAGED((d.order[0] = 3, d.order[3] = 0), "order of their smallest"); /* across levels */
    DAMAGED((d.order[0] = 4, d.order[4] = 0), "order of their smallest"); /* blocks */
    DAMAGED((d.order[4] = 5, d.order[5] = 4), "order of their smallest");
    DAMAGED((d.join[0] = 1, d.join[1] = 0, d.join[2] = 0), NULL); /* {1,2,3} at .9, with {0} at .5: as sound */
    DAMAGED((d.join[0] = 1, d.join[1] = 0, d.join[2] = 0, d.order[1] = 3, d.order[3] = 1), "order of their smallest");
}

static void no_engine_hierarchy_survives_a_swap_of_two_records(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 130; number++) {
        graph g = graph_small(number);
        uint64_t seed = number;
        sl_hierarchy *h = plain_engine_build(&g, NULL);
        for (int i = 0; i < 10 && g.num_records > 1; i++) {
            uint32_t a = graph_below(&seed, g.num_records), b = graph_below(&seed, g.num_records);
            if (a == b) continue;
            uint32_t kept = h->order[a];
            h->order[a] = h->order[b];
            h->order[b] = kept;
            /* Canonical orders of other graphs exist; this one's labels then differ, but order alone may be sound. The
             * record that comes first of all is 0 in every sound one. */
            sl_status status = sl_hierarchy_validate(h, &expect_error);
            if (h->order[0] != 0) assert_int_equal(status, SL_ERROR_CORRUPT);
            h->order[b] = h->order[a];
            h->order[a] = kept;
        }
        EXPECT_OK(sl_hierarchy_validate(h, &expect_error));
        sl_hierarchy_release(h);
        graph_free(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_damage_is_found_and_named),
        cmocka_unit_test(no_engine_hierarchy_survives_a_swap_of_two_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
