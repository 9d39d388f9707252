/* blocks.c: a computation of one's own, block by block on all threads, in C.
 *
 * Records that no edge connects never meet: the blocks of a hierarchy are computed with one by one, and a call with a task for
 * each uses all threads. The program takes of each block the share of its pairs of records that are together at a threshold, finds
 * the loosest of the largest blocks, and checks the sum over all blocks against the library's own pair count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <starlings.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

#define RECORDS 20000 /* sixteen of a kind */
#define EDGES 16000
#define THRESHOLD 0.5

/* ---- data ---------------------------------------------------------------------------------------------------------- */

static uint32_t random_below(uint64_t *state, uint32_t bound) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % bound;
}

/* Scored pairs of records of one kind, so that there are blocks of many sizes. */
static sl_status build(sl_hierarchy **out, sl_error *error) {
    static uint32_t left[EDGES], right[EDGES];
    static double scores[EDGES];
    uint64_t state = 1;
    for (uint32_t i = 0; i < EDGES; i++) {
        left[i] = random_below(&state, RECORDS);
        right[i] = left[i] - left[i] % 16 + random_below(&state, 16);
        scores[i] = random_below(&state, 1000) / 1000.0;
    }
    return sl_hierarchy_build(RECORDS, left, right, scores, EDGES, NULL, out, error);
}

/* ---- one block ----------------------------------------------------------------------------------------------------- */

typedef struct job {
    const sl_blocks *blocks;
    const uint32_t *join; /* of the hierarchy: where a block's entities end */
    uint32_t applied;     /* levels that apply at the threshold */
    uint64_t *pairs;      /* by block: pairs of records together at the threshold */
} job;

static uint64_t pairs_of(uint64_t records) { return records * (records - 1) / 2; }

/* A task: it writes to its own block's slot only, so that nothing needs a lock. */
static sl_status measure_block(void *state, uint64_t block, uint32_t lane, sl_error *error) {
    job *j = state;
    uint32_t first, size, entity = 0;
    (void)lane, (void)error;
    (void)sl_blocks_get(j->blocks, (uint32_t)block, &first, &size);
    for (uint32_t i = first; i < first + size; i++) {
        entity++;
        if (j->join[i] < j->applied) continue; /* the entity goes on */
        j->pairs[block] += pairs_of(entity);
        entity = 0;
    }
    return SL_OK;
}

/* ---- all blocks ---------------------------------------------------------------------------------------------------- */

/* The loosest of the ten largest. */
static void print_loosest(const job *j) {
    uint32_t first, size, loosest = 0;
    double least = 2.0;
    for (uint32_t block = 0; block < 10 && sl_blocks_get(j->blocks, block, &first, &size) && size > 1; block++) {
        double share = (double)j->pairs[block] / (double)pairs_of(size);
        printf("  block %" PRIu32 ": %" PRIu32 " records, %.3f of its pairs together at %.2f\n", block, size, share,
               THRESHOLD);
        if (share < least) {
            least = share;
            loosest = block;
        }
    }
    printf("loosest: block %" PRIu32 "\n", loosest);
}

/* What the library counts over the whole hierarchy. */
static sl_status count_pairs(const sl_hierarchy *hierarchy, double *pairs, sl_error *error) {
    const double threshold = THRESHOLD;
    const sl_curve_options options = {.thresholds = &threshold, .num_thresholds = 1};
    sl_curve *curve = NULL;
    TRY(sl_curve_create(hierarchy, 0, &options, &curve, error));
    sl_status status = sl_curve_metric(curve, SL_METRIC_PAIR_COUNT, 0, pairs, error);
    sl_curve_release(curve);
    return status;
}

static sl_status measure(const sl_hierarchy *hierarchy, job *j, bool *agrees, sl_error *error) {
    double expected;
    uint64_t sum = 0;
    TRY(sl_hierarchy_applied_levels(hierarchy, THRESHOLD, &j->applied, error));
    TRY(sl_blocks_for_each(j->blocks, measure_block, j, NULL, error));
    TRY(count_pairs(hierarchy, &expected, error));
    for (uint32_t block = 0; block < sl_blocks_count(j->blocks); block++) sum += j->pairs[block];
    print_loosest(j);
    printf("%" PRIu32 " blocks, %" PRIu64 " pairs together\n", sl_blocks_count(j->blocks), sum);
    *agrees = (double)sum == expected;
    return SL_OK;
}

static sl_status measure_blocks(const sl_hierarchy *hierarchy, bool *agrees, sl_error *error) {
    sl_blocks *blocks = NULL;
    TRY(sl_blocks_create(hierarchy, &blocks, error));
    job j = {.blocks = blocks, .join = sl_hierarchy_join(hierarchy)};
    j.pairs = calloc(sl_blocks_count(blocks), sizeof *j.pairs);
    sl_status status = j.pairs ? measure(hierarchy, &j, agrees, error) : SL_ERROR_MEMORY;
    free(j.pairs);
    sl_blocks_release(blocks);
    return status;
}

static sl_status run(bool *agrees, sl_error *error) {
    sl_hierarchy *hierarchy = NULL;
    TRY(build(&hierarchy, error));
    sl_status status = measure_blocks(hierarchy, agrees, error);
    sl_hierarchy_release(hierarchy);
    return status;
}

int main(void) {
    sl_error error = {.message = "out of memory"};
    bool agrees = false;
    if (run(&agrees, &error) != SL_OK) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }
    if (!agrees) fprintf(stderr, "the blocks do not add up to the whole\n");
    return agrees ? EXIT_SUCCESS : EXIT_FAILURE;
}
