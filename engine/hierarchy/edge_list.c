/* edge_list.c: the list of kept edges as an object: references, reading it, who is next to whom, checking it.
 *
 * Adjacency is made without a lock when first asked for: two threads may make it, and one of the two is kept. Edges are put down in
 * their order, so neighbours come strongest first. */
#include "hierarchy/edge_list.h"

#include "support/sort.h"

#define POLL_EDGES 1048576u

sl_status sl_i_edge_list_allocate(uint32_t num_records, uint64_t count, sl_edge_list **out, sl_error *error) {
    sl_edge_list *made = NULL;
    sl_status status;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a list of edges", error));
    atomic_init(&made->references, 1);
    made->num_records = num_records;
    made->count = count;
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->left, count, sizeof *made->left, "kept edges", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->right, count, sizeof *made->right, "kept edges", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->scores, count, sizeof *made->scores, "kept edges", error));
    *out = made;
    return SL_OK;
cleanup:
    sl_edge_list_release(made);
    return status;
}

sl_status sl_i_edge_list_take(uint32_t num_records, uint64_t count, uint32_t *left, uint32_t *right, double *scores,
                              sl_i_shared_bytes *holder, sl_edge_list **out, sl_error *error) {
    sl_edge_list *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a list of edges", error));
    atomic_init(&made->references, 1);
    made->num_records = num_records;
    made->count = count;
    made->left = left;
    made->right = right;
    made->scores = scores;
    made->holder = sl_i_shared_bytes_retain(holder);
    *out = made;
    return SL_OK;
}

static void release_adjacency(sl_i_adjacency *adjacency, const sl_edge_list *edges) {
    if (!adjacency) return;
    sl_i_release(adjacency->starts, (uint64_t)edges->num_records + 1, sizeof *adjacency->starts);
    sl_i_release(adjacency->records, 2 * edges->count, sizeof *adjacency->records);
    sl_i_release(adjacency->edges, 2 * edges->count, sizeof *adjacency->edges);
    sl_i_release(adjacency, 1, sizeof *adjacency);
}

sl_edge_list *sl_edge_list_retain(const sl_edge_list *edges) {
    sl_edge_list *shared = (sl_edge_list *)(uintptr_t)edges; /* only the reference count changes */
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

static void release_edges(sl_edge_list *edges) {
    sl_i_release(edges->left, edges->count, sizeof *edges->left);
    sl_i_release(edges->right, edges->count, sizeof *edges->right);
    sl_i_release(edges->scores, edges->count, sizeof *edges->scores);
}

void sl_edge_list_release(sl_edge_list *edges) {
    if (!edges || atomic_fetch_sub_explicit(&edges->references, 1, memory_order_acq_rel) != 1) return;
    release_adjacency(atomic_load(&edges->adjacency), edges);
    if (!edges->holder) release_edges(edges);
    sl_i_shared_bytes_release(edges->holder);
    sl_i_release(edges, 1, sizeof *edges);
}

uint32_t sl_edge_list_num_records(const sl_edge_list *edges) { return edges->num_records; }
uint64_t sl_edge_list_count(const sl_edge_list *edges) { return edges->count; }
const uint32_t *sl_edge_list_left(const sl_edge_list *edges) { return edges->left; }
const uint32_t *sl_edge_list_right(const sl_edge_list *edges) { return edges->right; }
const double *sl_edge_list_scores(const sl_edge_list *edges) { return edges->scores; }

static sl_i_adjacency *adjacency_of(const sl_edge_list *edges) {
    return atomic_load_explicit(&((sl_edge_list *)(uintptr_t)edges)->adjacency, memory_order_acquire);
}

uint64_t sl_edge_list_memory(const sl_edge_list *edges) {
    uint64_t bytes = sizeof *edges;
    if (!edges->holder)
        bytes += 2 * sl_i_block_bytes(edges->count, sizeof *edges->left) +
                 sl_i_block_bytes(edges->count, sizeof *edges->scores);
    if (!adjacency_of(edges)) return bytes;
    return bytes + sizeof(sl_i_adjacency) + sl_i_block_bytes((uint64_t)edges->num_records + 1, sizeof(uint64_t)) +
           2 * sl_i_block_bytes(2 * edges->count, sizeof(uint32_t));
}

/* ---- adjacency --------------------------------------------------------------------------------------------------- */

/* Where each record's neighbours begin, one record ahead: putting them down moves that to where they should. */
static void count_neighbours(const sl_edge_list *edges, uint64_t *starts) {
    for (uint64_t i = 0; i < edges->count; i++) {
        starts[edges->left[i] + 1]++;
        starts[edges->right[i] + 1]++;
    }
    sl_i_counts_to_starts_u64(starts + 1, edges->num_records);
}

static void put_neighbours(const sl_edge_list *edges, sl_i_adjacency *adjacency) {
    for (uint64_t i = 0; i < edges->count; i++) {
        uint32_t left = edges->left[i], right = edges->right[i];
        uint64_t of_left = adjacency->starts[left + 1]++, of_right = adjacency->starts[right + 1]++;
        adjacency->records[of_left] = right;
        adjacency->records[of_right] = left;
        adjacency->edges[of_left] = adjacency->edges[of_right] = (uint32_t)i;
    }
}

static sl_status make_adjacency(const sl_edge_list *edges, sl_i_adjacency **out, sl_error *error) {
    static const char what[] = "the neighbours of records";
    sl_i_adjacency *made = NULL;
    uint64_t places = 2 * edges->count, records = (uint64_t)edges->num_records + 1;
    sl_status status;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&made->starts, records, sizeof *made->starts, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->records, places, sizeof *made->records, what, error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->edges, places, sizeof *made->edges, what, error));
    count_neighbours(edges, made->starts);
    put_neighbours(edges, made);
    *out = made;
    return SL_OK;
cleanup:
    release_adjacency(made, edges);
    return status;
}

static sl_status get_adjacency(const sl_edge_list *edges, const sl_i_adjacency **out, sl_error *error) {
    sl_i_adjacency *fresh = NULL, *made = adjacency_of(edges);
    if (!made) {
        SL_TRY(make_adjacency(edges, &fresh, error));
        if (atomic_compare_exchange_strong_explicit(&((sl_edge_list *)(uintptr_t)edges)->adjacency, &made, fresh,
                                                    memory_order_acq_rel, memory_order_acquire))
            made = fresh;
        else
            release_adjacency(fresh, edges); /* another thread was faster */
    }
    *out = made;
    return SL_OK;
}

sl_status sl_edge_list_neighbours(const sl_edge_list *edges, uint32_t record, const uint32_t **out_records,
                                  const uint32_t **out_edges, uint32_t *out_count, sl_error *error) {
    const sl_i_adjacency *adjacency = NULL;
    *out_records = *out_edges = NULL;
    *out_count = 0;
    if (record >= edges->num_records)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "record %u has no neighbours: the list is of %u records",
                         record, edges->num_records);
    SL_TRY(get_adjacency(edges, &adjacency, error));
    uint64_t first = adjacency->starts[record];
    *out_records = adjacency->records + first;
    *out_edges = adjacency->edges + first;
    *out_count = (uint32_t)(adjacency->starts[record + 1] - first);
    return SL_OK;
}

/* ---- selecting --------------------------------------------------------------------------------------------------- */

static bool has_rank(const sl_edge_list *edges, const uint32_t *ranks, uint64_t edge) {
    return ranks[edges->left[edge]] != SL_NO_RECORD && ranks[edges->right[edge]] != SL_NO_RECORD;
}

static sl_status copy_ranked(const sl_edge_list *edges, const uint32_t *ranks, sl_i_ticker *ticker, sl_edge_list *made,
                             sl_error *error) {
    uint64_t kept = 0;
    for (uint64_t i = 0; i < edges->count; i++) {
        if (i % POLL_EDGES == 0) SL_TRY(sl_i_ticker_advance(ticker, 0, error));
        if (!has_rank(edges, ranks, i)) continue;
        made->left[kept] = ranks[edges->left[i]];
        made->right[kept] = ranks[edges->right[i]];
        made->scores[kept++] = edges->scores[i];
    }
    return SL_OK;
}

sl_status sl_i_edge_list_select(const sl_edge_list *edges, const uint32_t *ranks, uint32_t num_ranks,
                                sl_i_ticker *ticker, sl_edge_list **out, sl_error *error) {
    sl_edge_list *made = NULL;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < edges->count; i++) kept += has_rank(edges, ranks, i);
    SL_TRY(sl_i_edge_list_allocate(num_ranks, kept, &made, error));
    sl_status status = copy_ranked(edges, ranks, ticker, made, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_edge_list_release(made);
    return status;
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static sl_status corrupt(sl_error *error, const char *what, uint64_t where) {
    return sl_i_fail(error, SL_ERROR_CORRUPT, "list of edges is invalid: %s at %llu", what, (unsigned long long)where);
}

static sl_status check_order(const sl_edge_list *edges, sl_i_ticker *ticker, sl_error *error) {
    for (uint64_t i = 0; i < edges->count; i++) {
        uint32_t left = edges->left[i], right = edges->right[i];
        if (i % POLL_EDGES == 0) SL_TRY(sl_i_ticker_advance(ticker, 0, error));
        if (left >= right || right >= edges->num_records) return corrupt(error, "an edge joins no two records", i);
        if (i == 0) continue;
        if (!(edges->scores[i] <= edges->scores[i - 1])) return corrupt(error, "scores rise", i);
        if (edges->scores[i] != edges->scores[i - 1]) continue;
        uint32_t before = edges->left[i - 1];
        if (left < before || (left == before && right <= edges->right[i - 1]))
            return corrupt(error, "edges of one score are not in the order of their records", i);
    }
    return SL_OK;
}

/* `seen` has one zeroed value a record: the last record whose neighbour it was, plus one. */
static sl_status check_pairs(const sl_edge_list *edges, const sl_i_adjacency *adjacency, uint32_t *seen,
                             sl_error *error) {
    for (uint32_t record = 0; record < edges->num_records; record++)
        for (uint64_t i = adjacency->starts[record]; i < adjacency->starts[record + 1]; i++) {
            uint32_t neighbour = adjacency->records[i];
            if (seen[neighbour] == record + 1) return corrupt(error, "a pair is there twice", adjacency->edges[i]);
            seen[neighbour] = record + 1;
        }
    return SL_OK;
}

sl_status sl_i_edge_list_validate(const sl_edge_list *edges, sl_i_ticker *ticker, sl_error *error) {
    sl_i_adjacency *adjacency = NULL; /* of its own: looking does not change what the list holds */
    uint32_t *seen = NULL;
    sl_status status;
    SL_TRY(check_order(edges, ticker, error));
    SL_TRY_CLEANUP(status, make_adjacency(edges, &adjacency, error));
    SL_TRY_CLEANUP(status,
                   sl_i_allocate_zeroed(&seen, edges->num_records, sizeof *seen, "validating a list of edges", error));
    status = check_pairs(edges, adjacency, seen, error);
cleanup:
    sl_i_release(seen, edges->num_records, sizeof *seen);
    release_adjacency(adjacency, edges);
    return status;
}
