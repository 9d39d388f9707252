/* test_vector_columns.c: columns computed by vector and by portable code are the same bits, and those of the formula; all lengths
 * around the width of a vector, unaligned arrays, numbers beyond 2^53. */
#include "support/expect.h"

#include "support/graphs.h"
#include "support/vector.h"

#define PADDING 3u /* elements by which arrays are shifted off their alignment, and which must stay as they are */

/* Any number of bits, so that small and large ones come up, and those between two doubles. */
static uint64_t random_pairs(uint64_t *state) { return graph_random(state) >> graph_below(state, 64); }

static double plain_f1(uint64_t true_pairs, uint64_t predicted, uint64_t reference) {
    double whole = (double)predicted + (double)reference;
    return whole > 0.0 ? 2.0 * (double)true_pairs / whole : 1.0;
}

/* A third of the rows have no pairs on one side, or none at all. */
static void fill_pairs(uint64_t *true_pairs, uint64_t *predicted, uint64_t *reference, uint64_t count, uint64_t seed) {
    for (uint64_t i = 0; i < count; i++) {
        uint32_t kind = graph_below(&seed, 9);
        predicted[i] = kind == 0 || kind == 1 ? 0 : random_pairs(&seed);
        reference[i] = kind == 0 || kind == 2 ? 0 : random_pairs(&seed);
        uint64_t most = predicted[i] < reference[i] ? predicted[i] : reference[i];
        true_pairs[i] = most == 0 ? 0 : kind == 3 ? most : graph_random(&seed) % most;
    }
}

static void check_f1(uint64_t count, uint64_t shift) {
    uint64_t all = count + 2 * PADDING;
    uint64_t *tp = fresh_memory(all, sizeof *tp), *p = fresh_memory(all, sizeof *p), *r = fresh_memory(all, sizeof *r);
    double *f1 = fresh_memory(all, sizeof *f1);
    fill_pairs(tp, p, r, all, count * 7 + shift);
    for (int portable = 0; portable < 2; portable++) {
        for (uint64_t i = 0; i < all; i++) f1[i] = -1.0;
        sl_i_use_portable(portable != 0);
        sl_f1_column(tp + shift, p + shift, r + shift, count, f1 + shift);
        for (uint64_t i = 0; i < all; i++) {
            double expected = i < shift || i >= shift + count ? -1.0 : plain_f1(tp[i], p[i], r[i]);
            if (memcmp(&f1[i], &expected, sizeof expected) != 0)
                fail_msg("row %llu of %llu is %.17g, not %.17g", (unsigned long long)i, (unsigned long long)count,
                         f1[i], expected);
        }
    }
    sl_i_use_portable(false);
    free(tp);
    free(p);
    free(r);
    free(f1);
}

static void f1_columns_have_the_bits_of_the_formula(void **state) {
    (void)state;
    for (uint64_t shift = 0; shift <= PADDING; shift++)
        for (uint64_t count = 0; count <= 67; count++) check_f1(count, shift);
    check_f1(100003, 1);
}

static void f1_of_extreme_counts_is_right(void **state) {
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     UINT32_MAX,
                                     UINT64_C(1) << 32,
                                     (UINT64_C(1) << 53) - 1,
                                     (UINT64_C(1) << 53) + 1,
                                     (UINT64_C(1) << 54) + 2,
                                     UINT64_C(9223372030412324865),
                                     UINT64_MAX - 1024,
                                     UINT64_MAX};
    const size_t count = sizeof edges / sizeof *edges;
    (void)state;
    for (int portable = 0; portable < 2; portable++) {
        sl_i_use_portable(portable != 0);
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < count; j++)
                for (size_t k = 0; k <= i; k++) {
                    double f1, expected = plain_f1(edges[k], edges[i], edges[j]);
                    sl_f1_column(&edges[k], &edges[i], &edges[j], 1, &f1);
                    assert_true(f1 == expected);
                }
    }
    sl_i_use_portable(false);
}

static void check_sizes(uint64_t count, uint64_t shift) {
    uint64_t all = count + 1 + 2 * PADDING, seed = count + shift;
    uint32_t *offsets = fresh_memory(all, sizeof *offsets), *sizes = fresh_memory(all, sizeof *sizes);
    for (uint64_t i = 1; i < all; i++) offsets[i] = offsets[i - 1] + graph_below(&seed, 40000);
    for (int portable = 0; portable < 2; portable++) {
        memset(sizes, 0xEE, all * sizeof *sizes);
        sl_i_use_portable(portable != 0);
        sl_sizes_column(offsets + shift, count, sizes + shift);
        for (uint64_t i = 0; i < all; i++)
            assert_int_equal(sizes[i], i < shift || i >= shift + count ? 0xEEEEEEEE : offsets[i + 1] - offsets[i]);
    }
    sl_i_use_portable(false);
    free(offsets);
    free(sizes);
}

static void sizes_are_differences_of_offsets(void **state) {
    (void)state;
    for (uint64_t shift = 0; shift <= PADDING; shift++)
        for (uint64_t count = 0; count <= 67; count++) check_sizes(count, shift);
    check_sizes(100003, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f1_columns_have_the_bits_of_the_formula),
        cmocka_unit_test(f1_of_extreme_counts_is_right),
        cmocka_unit_test(sizes_are_differences_of_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
