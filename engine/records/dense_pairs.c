/* dense_pairs.c: see dense_pairs.h.
 *
 * A key's place in the rows is 2 x row + column. `firsts` holds the smallest place of each unknown key: threads lower it with
 * compare-and-swap, rarely, because they take the rows from front to back. The places found are then marked in a bit set,
 * whose set bits in order are the new keys in the order of their first appearance. */
#include "records/dense_pairs.h"

#include <stdatomic.h>

#define LEAST_ROWS UINT64_C(65536)
#define MOST_ROWS (UINT64_C(1) << 31) /* places must stay below NONE */
#define TASK_ROWS UINT64_C(65536)
#define BLOCK 256u
#define NONE UINT32_MAX

typedef struct numbering {
    sl_i_row_reader *reader;
    const sl_i_int_map *maps[2];
    _Atomic uint32_t *firsts[2]; /* by key, for each column's map; one array if both have the same */
    atomic_bool unusable;        /* something in the columns is no key, or they change: leave it to the row reader */
    uint64_t *marks;             /* by place, one bit */
    uint64_t num_words;
} numbering;

static bool is_suitable(const sl_i_row_reader *reader) {
    if (reader->num_columns != 2 || reader->mode != SL_I_LOOKUP_INTERN) return false;
    if (reader->num_rows < LEAST_ROWS || reader->num_rows >= MOST_ROWS) return false;
    for (uint32_t c = 0; c < 2; c++)
        if (!sl_i_row_reader_dense_map(reader, c) || reader->columns[c].column.keys.validity) return false;
    return true;
}

/* ---- first appearances ------------------------------------------------------------------------------------------- */

static void lower(_Atomic uint32_t *first, uint32_t place) {
    uint32_t seen = atomic_load_explicit(first, memory_order_relaxed);
    while (place < seen &&
           !atomic_compare_exchange_weak_explicit(first, &seen, place, memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* One column of a block of rows. */
static bool meet_block(const numbering *work, uint32_t c, uint64_t first, uint32_t count) {
    uint64_t numbers[BLOCK];
    const sl_i_int_map *map = work->maps[c];
    if (sl_i_key_reader_numbers(&work->reader->columns[c], first, count, numbers) < count) return false;
    uint64_t largest = 0;
    for (uint32_t i = 0; i < count; i++) largest = numbers[i] > largest ? numbers[i] : largest;
    if (largest >= map->capacity) return false;
    for (uint32_t i = 0; i < count; i++) SL_I_PREFETCH((const void *)&work->firsts[c][numbers[i]]);
    bool some_known = map->count > 0;
    for (uint32_t i = 0; i < count; i++) {
        if (some_known && map->indices[numbers[i]]) continue;
        lower(&work->firsts[c][numbers[i]], (uint32_t)(2 * (first + i) + c));
    }
    return true;
}

static void meet_rows(void *state, uint64_t task, uint32_t lane) {
    numbering *work = state;
    uint64_t first = task * TASK_ROWS, left = work->reader->num_rows - first;
    uint64_t last = first + (left < TASK_ROWS ? left : TASK_ROWS);
    (void)lane;
    for (; first < last; first += BLOCK) {
        uint32_t count = last - first < BLOCK ? (uint32_t)(last - first) : BLOCK;
        if (meet_block(work, 0, first, count) && meet_block(work, 1, first, count)) continue;
        atomic_store_explicit(&work->unusable, true, memory_order_relaxed);
        return;
    }
}

/* ---- numbering --------------------------------------------------------------------------------------------------- */

static uint64_t mark_column(const numbering *work, uint32_t c) {
    uint64_t marked = 0;
    for (uint64_t number = 0; number < work->maps[c]->capacity; number++) {
        uint32_t place = atomic_load_explicit(&work->firsts[c][number], memory_order_relaxed);
        if (place == NONE) continue;
        work->marks[place >> 6] |= UINT64_C(1) << (place & 63);
        marked++;
    }
    return marked;
}

/* The new keys of the 32 rows behind one word of marks. */
static sl_status append_word(const numbering *work, uint64_t word, sl_error *error) {
    const sl_i_row_reader *reader = work->reader;
    uint64_t numbers[2][32] = {{0}}, first = word * 32, left = reader->num_rows - first;
    uint32_t count = left < 32 ? (uint32_t)left : 32;
    for (uint32_t c = 0; c < 2; c++) (void)sl_i_key_reader_numbers(&reader->columns[c], first, count, numbers[c]);
    for (uint64_t marks = work->marks[word]; marks; marks &= marks - 1) {
        uint32_t bit = (uint32_t)__builtin_ctzll(marks), index, c = bit & 1;
        uint64_t number = numbers[c][bit >> 1];
        sl_i_probe probe = {.source = reader->columns[c].column.source, .kind = number >> 32 ? SL_KEY_U64 : SL_KEY_U32};
        probe.value.number = number;
        if (sl_i_lookup_append(reader->context, &probe, &index, error) != SL_I_STOP_NONE)
            return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a key column changed while it was being read");
    }
    return SL_OK;
}

static sl_status number_keys(numbering *work, sl_i_ticker *ticker, bool *out_done, sl_error *error) {
    sl_context *context = work->reader->context;
    work->num_words = work->reader->num_rows / 32 + 1;
    SL_TRY(sl_i_allocate_zeroed(&work->marks, work->num_words, sizeof *work->marks, "numbering keys", error));
    uint64_t added = mark_column(work, 0);
    if (work->maps[1] != work->maps[0]) added += mark_column(work, 1);
    if (added > context->capacity - context->store.count) return SL_OK; /* the row reader finds the row that is too much */
    SL_TRY(sl_i_store_reserve(&context->store, added, error));
    sl_i_ticker_begin(ticker, "numbering keys", work->num_words);
    for (uint64_t word = 0; word < work->num_words; word++) {
        if (work->marks[word]) SL_TRY(append_word(work, word, error));
        if (word % TASK_ROWS == 0) SL_TRY(sl_i_ticker_advance(ticker, TASK_ROWS, error));
    }
    *out_done = true;
    return SL_OK;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static sl_status prepare(numbering *work, sl_error *error) {
    for (uint32_t c = 0; c < 2; c++) {
        work->maps[c] = sl_i_row_reader_dense_map(work->reader, c);
        if (c == 1 && work->maps[1] == work->maps[0]) {
            work->firsts[1] = work->firsts[0];
            break;
        }
        uint64_t capacity = work->maps[c]->capacity;
        SL_TRY(sl_i_allocate(&work->firsts[c], capacity, sizeof *work->firsts[c], "numbering keys", error));
        memset((void *)work->firsts[c], 0xFF, capacity * sizeof *work->firsts[c]); /* NONE */
    }
    return SL_OK;
}

static void finish(numbering *work) {
    for (uint32_t c = 0; c < 2; c++)
        if (c == 0 || work->firsts[1] != work->firsts[0])
            sl_i_release((void *)work->firsts[c], work->maps[c] ? work->maps[c]->capacity : 0, sizeof *work->firsts[c]);
    sl_i_release(work->marks, work->num_words, sizeof *work->marks);
}

sl_status sl_i_number_dense_pairs(sl_i_row_reader *reader, uint32_t lanes, sl_i_ticker *ticker, bool *out_done,
                                  sl_error *error) {
    numbering work = {.reader = reader};
    *out_done = false;
    if (!is_suitable(reader)) return SL_OK;
    sl_status status;
    SL_TRY_CLEANUP(status, prepare(&work, error));
    sl_i_ticker_begin(ticker, "reading keys", reader->num_rows);
    SL_TRY_CLEANUP(status, sl_i_parallel((reader->num_rows + TASK_ROWS - 1) / TASK_ROWS, lanes, meet_rows, &work, ticker,
                                         TASK_ROWS, error));
    if (!atomic_load(&work.unusable)) status = number_keys(&work, ticker, out_done, error);
cleanup:
    finish(&work);
    return status;
}
