/* The floor: radix sort of the edges by score and union-find over them, and nothing else.
 *
 * What any exact hierarchy must at least do, single-threaded, in plain C: no keys, no checks, no interrupt, no leaf order,
 * no levels. Its only result is where in the sorted order two components were joined, so that the number of entities at
 * any cut can be checked against the other cases. Compiled by the benchmark with `cc -O3` as a shared library.
 *
 * Cost: two counting passes and two scatter passes over the edges (20 bytes of scratch each), 8 bytes a record.
 */
#define _DEFAULT_SOURCE 1 /* madvise */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { RADIX_BITS = 10, BUCKETS = 1 << RADIX_BITS }; /* two digits hold 0..1000000 */

typedef struct {
    uint32_t level, left, right;
} edge;

typedef struct {
    uint32_t left, right;
} pair;

/* Turns counts into first slots, for descending order. */
static void descending_starts(size_t count[BUCKETS]) {
    size_t next = 0;
    for (int bucket = BUCKETS; bucket-- > 0;) {
        size_t here = count[bucket];
        count[bucket] = next;
        next += here;
    }
}

static uint32_t level_of(double score) { return (uint32_t)(score * 1e6 + 0.5); }

/* LSD radix sort of the edges by descending score into `sorted`, through `scratch`. */
static void sort_edges(const int64_t *left, const int64_t *right, const double *score, size_t edges, edge *scratch,
                       pair *sorted) {
    size_t low[BUCKETS] = {0}, high[BUCKETS] = {0};
    for (size_t i = 0; i < edges; i++) {
        uint32_t level = level_of(score[i]);
        low[level & (BUCKETS - 1)]++;
        high[level >> RADIX_BITS]++;
    }
    descending_starts(low);
    descending_starts(high);
    for (size_t i = 0; i < edges; i++) {
        uint32_t level = level_of(score[i]);
        scratch[low[level & (BUCKETS - 1)]++] = (edge){level, (uint32_t)left[i], (uint32_t)right[i]};
    }
    for (size_t i = 0; i < edges; i++)
        sorted[high[scratch[i].level >> RADIX_BITS]++] = (pair){scratch[i].left, scratch[i].right};
}

static uint32_t find_root(uint32_t *parent, uint32_t node) {
    while (parent[node] != node) node = parent[node] = parent[parent[node]];
    return node;
}

/* Joins the sorted edges in turn, by size; writes the position of each edge that joined something. */
static size_t unite(const pair *sorted, size_t edges, uint32_t *parent, uint32_t *size, uint32_t *merges) {
    size_t merged = 0;
    for (size_t i = 0; i < edges; i++) {
        uint32_t a = find_root(parent, sorted[i].left), b = find_root(parent, sorted[i].right);
        if (a == b) continue;
        if (size[a] < size[b]) {
            uint32_t swap = a;
            a = b;
            b = swap;
        }
        parent[b] = a;
        size[a] += size[b];
        merges[merged++] = (uint32_t)i;
    }
    return merged;
}

/* Huge pages where the system gives them on request, as NumPy asks for its arrays: they halve the time of the scatters. */
static void *scratch_memory(size_t bytes) {
    const size_t page = (size_t)1 << 21;
    size_t rounded = (bytes + page - 1) & ~(page - 1);
    void *memory = aligned_alloc(page, rounded);
#ifdef MADV_HUGEPAGE
    if (memory) madvise(memory, rounded, MADV_HUGEPAGE);
#endif
    return memory;
}

/** Sorts and unites `edges` (fewer than 2^32) over `records`; `merges` has room for `records` positions.
 *  Returns how many it wrote, or -1 when out of memory. Scores lie in [0, 1]; scratch is allocated and freed here. */
int64_t reference_build(const int64_t *left, const int64_t *right, const double *score, size_t edges, uint32_t records,
                        uint32_t *merges) {
    edge *scratch = scratch_memory(edges * sizeof *scratch);
    pair *sorted = scratch_memory(edges * sizeof *sorted);
    uint32_t *parent = scratch_memory(records * sizeof *parent);
    uint32_t *size = scratch_memory(records * sizeof *size);
    int64_t merged = -1;
    if (scratch && sorted && parent && size) {
        sort_edges(left, right, score, edges, scratch, sorted);
        for (uint32_t i = 0; i < records; i++) {
            parent[i] = i;
            size[i] = 1;
        }
        merged = (int64_t)unite(sorted, edges, parent, size, merges);
    }
    free(scratch);
    free(sorted);
    free(parent);
    free(size);
    return merged;
}
