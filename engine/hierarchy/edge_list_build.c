/* edge_list_build.c: see edge_list_build.h.
 *
 * 1. By record: a counting sort puts every edge into the list of its smaller record, as one number: the other record, then the
 *    code upside down. In such a list, sorted, the strongest edge to each neighbour comes first, and the others are left out.
 * 2. By score: the edges, which now come by left and right record, go through a radix sort by code. It is stable, so those of one
 *    score stay in that order.
 *
 * Chunks of edges, ranges of records and chunks again are the tasks. Threads meet only in the first step, where edges of one
 * record take their places in any order, which sorting the list hides. */
#include "hierarchy/edge_list_build.h"

#include <string.h>

#include "support/sort.h"

#define CHUNK_EDGES 262144u /* at least; a task of a few ms */
#define MOST_CHUNKS 1024u
#define RANGE_RECORDS 32768u
#define LONG_LIST 262144u /* edges of one record from which sorting them ticks */
#define DIGIT_BITS 11u
#define DIGITS (1u << DIGIT_BITS)
#define AHEAD 16u /* edges between a prefetch and its use */

typedef _Atomic uint32_t place;

typedef struct building {
    uint32_t num_records, lanes;
    const sl_i_score_coder *coder;
    sl_i_ticker *ticker;
    uint64_t num_places; /* edges that came in, and the room of `values` and `sorting` */
    uint64_t capacity;   /* room in `edges` */
    uint64_t count;      /* edges at work: once duplicates are gone, those to keep */
    uint64_t chunk;      /* edges a task */
    sl_i_edge *edges;    /* the groups', then those to keep */
    sl_i_edge *others;   /* as many as are kept: where a pass of the sort puts them */
    place *ends;         /* by record: where its list ends; while edges are placed, where it goes on */
    uint64_t *values, *sorting;
    uint64_t num_ranges;
    uint64_t *firsts; /* by range of records: its first edge among those kept */
    uint64_t *digits; /* by chunk: DIGITS counts, then places */
    uint32_t largest; /* code */
    uint32_t shift;
    sl_edge_list *list;
} building;

typedef struct span {
    uint64_t first, end;
} span;

static span chunk_of(const building *b, uint64_t task) {
    uint64_t first = task * b->chunk, left = b->count - first;
    return (span){first, first + (left < b->chunk ? left : b->chunk)};
}

static uint64_t num_chunks(const building *b) { return b->count / b->chunk + (b->count % b->chunk != 0); }

static void set_count(building *b, uint64_t count) {
    uint64_t chunk = count / MOST_CHUNKS + 1;
    b->count = count;
    b->chunk = chunk > CHUNK_EDGES ? chunk : CHUNK_EDGES;
}

static sl_status run_chunks(building *b, sl_i_task task, sl_error *error) {
    return sl_i_parallel(num_chunks(b), b->lanes, task, b, b->ticker, b->chunk, error);
}

/* Groups leave gaps where self-loops were left out: move the edges together. */
static sl_status close_gaps(building *b, const sl_i_edge_groups *groups, sl_error *error) {
    uint64_t next = 0;
    for (uint32_t group = 0; group < groups->num_groups; group++) {
        uint64_t start = groups->starts[group], count = groups->ends[group] - start;
        if (start != next) memmove(b->edges + next, b->edges + start, count * sizeof *b->edges);
        next += count;
        SL_TRY(sl_i_ticker_advance(b->ticker, 0, error));
    }
    return SL_OK;
}

/* ---- 1. by record ------------------------------------------------------------------------------------------------ */

static inline uint32_t smaller(sl_i_edge edge) { return edge.left < edge.right ? edge.left : edge.right; }
static inline uint32_t larger(sl_i_edge edge) { return edge.left < edge.right ? edge.right : edge.left; }

static inline void look_ahead(const building *b, uint64_t i, uint64_t end) {
    if (i + AHEAD < end) __builtin_prefetch((const void *)&b->ends[smaller(b->edges[i + AHEAD])], 1);
}

static void count_chunk(void *state, uint64_t task, uint32_t lane) {
    building *b = state;
    span chunk = chunk_of(b, task);
    (void)lane;
    for (uint64_t i = chunk.first; i < chunk.end; i++) {
        look_ahead(b, i, chunk.end);
        atomic_fetch_add_explicit(&b->ends[smaller(b->edges[i])], 1, memory_order_relaxed);
    }
}

static void start_lists(building *b) {
    uint32_t first = 0;
    for (uint32_t record = 0; record < b->num_records; record++) {
        uint32_t count = atomic_load_explicit(&b->ends[record], memory_order_relaxed);
        atomic_store_explicit(&b->ends[record], first, memory_order_relaxed);
        first += count;
    }
}

static void place_chunk(void *state, uint64_t task, uint32_t lane) {
    building *b = state;
    span chunk = chunk_of(b, task);
    (void)lane;
    for (uint64_t i = chunk.first; i < chunk.end; i++) {
        look_ahead(b, i, chunk.end);
        sl_i_edge edge = b->edges[i];
        uint32_t at = atomic_fetch_add_explicit(&b->ends[smaller(edge)], 1, memory_order_relaxed);
        b->values[at] = (uint64_t)larger(edge) << 32 | (UINT32_MAX - edge.code);
    }
}

/* The list of one record; a list starts where the one before it ends. */
static span list_of(const building *b, uint32_t record) {
    uint32_t first = record ? atomic_load_explicit(&b->ends[record - 1], memory_order_relaxed) : 0;
    return (span){first, atomic_load_explicit(&b->ends[record], memory_order_relaxed)};
}

static span range_of(const building *b, uint64_t range) {
    uint64_t first = range * RANGE_RECORDS, left = b->num_records - first;
    return (span){first, first + (left < RANGE_RECORDS ? left : RANGE_RECORDS)};
}

/* True: stop, the call will fail. */
static bool sort_list(building *b, span list, uint32_t lane) {
    uint64_t count = list.end - list.first, *sorted = b->values + list.first, *scratch = b->sorting + list.first;
    if (count < LONG_LIST) {
        sl_i_sort_u64(sorted, scratch, count);
        return false;
    }
    for (unsigned byte = 0; byte < sizeof *sorted; byte++) {
        if (sl_i_ticker_poll(b->ticker, lane, 0)) return true;
        sl_i_radix_pass_u64(&sorted, &scratch, count, byte);
    }
    if (sorted != b->values + list.first) memcpy(b->values + list.first, sorted, count * sizeof *sorted);
    return false;
}

/* The first of the edges to one neighbour is the strongest. */
static bool is_first(const building *b, span list, uint64_t i) {
    return i == list.first || b->values[i] >> 32 != b->values[i - 1] >> 32;
}

static void sort_range(void *state, uint64_t range, uint32_t lane) {
    building *b = state;
    span records = range_of(b, range);
    uint64_t kept = 0;
    for (uint64_t record = records.first; record < records.end; record++) {
        span list = list_of(b, (uint32_t)record);
        if (sort_list(b, list, lane)) return;
        for (uint64_t i = list.first; i < list.end; i++) kept += is_first(b, list, i);
    }
    b->firsts[range] = kept;
}

static void write_range(void *state, uint64_t range, uint32_t lane) {
    building *b = state;
    span records = range_of(b, range);
    uint64_t next = b->firsts[range];
    (void)lane;
    for (uint64_t record = records.first; record < records.end; record++) {
        span list = list_of(b, (uint32_t)record);
        for (uint64_t i = list.first; i < list.end; i++) {
            if (!is_first(b, list, i)) continue;
            uint32_t right = (uint32_t)(b->values[i] >> 32), code = UINT32_MAX - (uint32_t)b->values[i];
            b->edges[next++] = (sl_i_edge){(uint32_t)record, right, code};
        }
    }
}

static sl_status run_ranges(building *b, sl_i_task task, sl_error *error) {
    return sl_i_parallel(b->num_ranges, b->lanes, task, b, b->ticker, RANGE_RECORDS, error);
}

static sl_status drop_weaker(building *b, sl_error *error) {
    sl_i_ticker_begin(b->ticker, "listing edges", 2 * b->count);
    SL_TRY(run_chunks(b, count_chunk, error));
    start_lists(b);
    SL_TRY(run_chunks(b, place_chunk, error));
    sl_i_ticker_begin(b->ticker, "dropping duplicates", 2 * (uint64_t)b->num_records);
    SL_TRY(run_ranges(b, sort_range, error));
    set_count(b, sl_i_counts_to_starts_u64(b->firsts, b->num_ranges));
    return run_ranges(b, write_range, error);
}

static sl_status allocate_lists(building *b, sl_error *error) {
    b->num_ranges = b->num_records / RANGE_RECORDS + (b->num_records % RANGE_RECORDS != 0);
    SL_TRY(sl_i_allocate_zeroed(&b->ends, b->num_records, sizeof *b->ends, "listing edges", error));
    SL_TRY(sl_i_allocate(&b->firsts, b->num_ranges, sizeof *b->firsts, "listing edges", error));
    SL_TRY(sl_i_allocate(&b->values, b->num_places, sizeof *b->values, "listing edges", error));
    return sl_i_allocate(&b->sorting, b->num_places, sizeof *b->sorting, "listing edges", error);
}

static void release_lists(building *b) {
    sl_i_release((void *)b->ends, b->num_records, sizeof *b->ends);
    sl_i_release(b->firsts, b->num_ranges, sizeof *b->firsts);
    sl_i_release(b->values, b->num_places, sizeof *b->values);
    sl_i_release(b->sorting, b->num_places, sizeof *b->sorting);
}

/* ---- 2. by score ------------------------------------------------------------------------------------------------- */

/* Codes upside down, so that ascending digits are falling scores. */
static inline uint32_t digit_of(const building *b, sl_i_edge edge) {
    return (b->largest - edge.code) >> b->shift & (DIGITS - 1);
}

static void count_digits(void *state, uint64_t task, uint32_t lane) {
    building *b = state;
    span chunk = chunk_of(b, task);
    uint64_t *digits = b->digits + task * DIGITS;
    (void)lane;
    memset(digits, 0, DIGITS * sizeof *digits);
    for (uint64_t i = chunk.first; i < chunk.end; i++) digits[digit_of(b, b->edges[i])]++;
}

/* Every digit takes the chunks in their order, which keeps equal ones in theirs. */
static void start_digits(building *b) {
    uint64_t first = 0, chunks = num_chunks(b);
    for (uint32_t digit = 0; digit < DIGITS; digit++)
        for (uint64_t chunk = 0; chunk < chunks; chunk++) {
            uint64_t *at = &b->digits[chunk * DIGITS + digit], count = *at;
            *at = first;
            first += count;
        }
}

static void move_digits(void *state, uint64_t task, uint32_t lane) {
    building *b = state;
    span chunk = chunk_of(b, task);
    uint64_t *digits = b->digits + task * DIGITS;
    (void)lane;
    for (uint64_t i = chunk.first; i < chunk.end; i++) b->others[digits[digit_of(b, b->edges[i])]++] = b->edges[i];
}

static sl_status sort_by_digit(building *b, sl_error *error) {
    SL_TRY(run_chunks(b, count_digits, error));
    start_digits(b);
    SL_TRY(run_chunks(b, move_digits, error));
    sl_i_edge *moved = b->others;
    uint64_t room = b->capacity;
    b->others = b->edges;
    b->edges = moved;
    b->capacity = b->num_places;
    b->num_places = room;
    return SL_OK;
}

static sl_status sort_digits(building *b, sl_error *error) {
    uint64_t passes = 0;
    while (passes * DIGIT_BITS < 32 && b->largest >> passes * DIGIT_BITS != 0) passes++;
    sl_i_ticker_begin(b->ticker, "sorting edges", 2 * passes * b->count);
    for (uint64_t pass = 0; pass < passes; pass++) {
        b->shift = (uint32_t)pass * DIGIT_BITS;
        SL_TRY(sort_by_digit(b, error));
    }
    return SL_OK;
}

/* From here on `num_places` is the room of `others`. */
static sl_status sort_by_score(building *b, sl_error *error) {
    uint64_t chunks = num_chunks(b);
    sl_status status;
    b->num_places = b->count;
    SL_TRY_CLEANUP(status, sl_i_allocate(&b->others, b->num_places, sizeof *b->others, "sorting edges", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&b->digits, chunks * DIGITS, sizeof *b->digits, "sorting edges", error));
    status = sort_digits(b, error);
cleanup:
    sl_i_release(b->digits, chunks * DIGITS, sizeof *b->digits);
    sl_i_release(b->others, b->num_places, sizeof *b->others);
    return status;
}

static void write_columns(void *state, uint64_t task, uint32_t lane) {
    building *b = state;
    span chunk = chunk_of(b, task);
    (void)lane;
    for (uint64_t i = chunk.first; i < chunk.end; i++) {
        b->list->left[i] = b->edges[i].left;
        b->list->right[i] = b->edges[i].right;
        b->list->scores[i] = sl_i_code_value(b->coder, b->edges[i].code);
    }
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static sl_status list_by_record(building *b, const sl_i_edge_groups *groups, sl_error *error) {
    sl_status status;
    SL_TRY_CLEANUP(status, close_gaps(b, groups, error));
    SL_TRY_CLEANUP(status, allocate_lists(b, error));
    SL_TRY_CLEANUP(status, sl_i_ticker_advance(b->ticker, 0, error));
    status = drop_weaker(b, error);
cleanup:
    release_lists(b);
    return status;
}

static sl_status check_count(uint64_t count, sl_error *error) {
    if (count < UINT32_MAX) return SL_OK;
    return sl_i_fail(error, SL_ERROR_CAPACITY,
                     "%llu edges are too many to keep: a list holds fewer than 2^32-1, duplicates counted",
                     (unsigned long long)count);
}

sl_status sl_i_edge_list_build(uint32_t num_records, sl_i_edge_groups *groups, const sl_i_score_coder *coder,
                               uint32_t lanes, sl_i_ticker *ticker, sl_edge_list **out, sl_error *error) {
    building b = {.num_records = num_records,
                  .lanes = lanes,
                  .coder = coder,
                  .ticker = ticker,
                  .largest = sl_i_score_coder_max(coder),
                  .num_places = groups->num_edges,
                  .capacity = groups->capacity,
                  .edges = groups->edges};
    sl_status status;
    groups->edges = NULL;
    set_count(&b, groups->num_edges);
    SL_TRY_CLEANUP(status, check_count(b.count, error));
    SL_TRY_CLEANUP(status, list_by_record(&b, groups, error));
    SL_TRY_CLEANUP(status, sort_by_score(&b, error));
    SL_TRY_CLEANUP(status, sl_i_edge_list_allocate(num_records, b.count, &b.list, error));
    SL_TRY_CLEANUP(status, run_chunks(&b, write_columns, error));
    *out = sl_edge_list_retain(b.list);
cleanup:
    sl_edge_list_release(b.list);
    sl_i_release(b.edges, b.capacity, sizeof *b.edges);
    return status;
}
