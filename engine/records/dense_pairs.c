/* dense_pairs.c: see dense_pairs.h.
 *
 * A key's place in the rows is 2 x row + column. Every lane (thread) notes the smallest place at which it met each unknown
 * key: the first one, because tasks are handed out from front to back. The smallest over the lanes are marked in a bit set,
 * whose set bits in order are the new keys in the order of their first appearance. */
#include "records/dense_pairs.h"

#include <stdatomic.h>

#define MOST_LANES 4u /* each has its own array of firsts */
#define LEAST_ROWS UINT64_C(65536)
#define MOST_ROWS (UINT64_C(1) << 31) /* places must stay below NONE */
#define TASK_ROWS UINT64_C(65536)
#define BLOCK 256u
#define TASK_WORDS UINT64_C(2048) /* 64 places, so 32 rows, a word */
#define NONE UINT32_MAX

typedef struct numbering {
    sl_i_row_reader *reader;
    const sl_i_int_map *maps[2];
    uint32_t lanes;
    uint32_t *firsts[2];  /* by lane, then key, for each column's map; one array if both have the same map */
    atomic_bool unusable; /* something in the columns is no key, or they change: leave it to the row reader */
    uint64_t *marks;      /* by place, one bit */
    uint64_t num_words;
    uint32_t *starts; /* by task of TASK_WORDS words: the first index its keys get; until then their number */
    uint64_t num_tasks;
} numbering;

static bool is_suitable(const sl_i_row_reader *reader) {
    if (reader->num_columns != 2 || reader->mode != SL_I_LOOKUP_INTERN) return false;
    if (reader->num_rows < LEAST_ROWS || reader->num_rows >= MOST_ROWS) return false;
    for (uint32_t c = 0; c < 2; c++)
        if (!sl_i_row_reader_dense_map(reader, c) || reader->columns[c].column.keys.validity) return false;
    return true;
}

/* ---- first appearances ------------------------------------------------------------------------------------------- */

/* One column of a block of rows. */
static bool meet_block(const numbering *work, uint32_t lane, uint32_t c, uint64_t first, uint32_t count) {
    uint64_t numbers[BLOCK];
    const sl_i_int_map *map = work->maps[c];
    if (sl_i_key_reader_numbers(&work->reader->columns[c], first, count, numbers) < count) return false;
    uint32_t *firsts = work->firsts[c] + lane * map->capacity;
    uint64_t largest = 0;
    for (uint32_t i = 0; i < count; i++) largest = numbers[i] > largest ? numbers[i] : largest;
    if (largest >= map->capacity) return false;
    for (uint32_t i = 0; i < count; i++) SL_I_PREFETCH(&firsts[numbers[i]]);
    bool some_known = map->count > 0;
    for (uint32_t i = 0; i < count; i++) {
        if (some_known && map->indices[numbers[i]]) continue;
        uint32_t place = (uint32_t)(2 * (first + i) + c), seen = firsts[numbers[i]];
        firsts[numbers[i]] = place < seen ? place : seen; /* the columns of a block come one after the other */
    }
    return true;
}

static void meet_rows(void *state, uint64_t task, uint32_t lane) {
    numbering *work = state;
    uint64_t first = task * TASK_ROWS, left = work->reader->num_rows - first;
    uint64_t last = first + (left < TASK_ROWS ? left : TASK_ROWS);
    for (; first < last; first += BLOCK) {
        uint32_t count = last - first < BLOCK ? (uint32_t)(last - first) : BLOCK;
        if (meet_block(work, lane, 0, first, count) && meet_block(work, lane, 1, first, count)) continue;
        atomic_store_explicit(&work->unusable, true, memory_order_relaxed);
        return;
    }
}

/* ---- numbering --------------------------------------------------------------------------------------------------- */

static uint64_t mark_column(const numbering *work, uint32_t c) {
    uint64_t marked = 0, capacity = work->maps[c]->capacity;
    for (uint64_t number = 0; number < capacity; number++) {
        uint32_t place = NONE;
        for (uint32_t lane = 0; lane < work->lanes; lane++) {
            uint32_t met = work->firsts[c][lane * capacity + number];
            place = met < place ? met : place;
        }
        if (place == NONE) continue;
        work->marks[place >> 6] |= UINT64_C(1) << (place & 63);
        marked++;
    }
    return marked;
}

typedef struct word_range {
    uint64_t first, last;
} word_range;

static word_range words_of(const numbering *work, uint64_t task) {
    uint64_t first = task * TASK_WORDS, left = work->num_words - first;
    return (word_range){first, first + (left < TASK_WORDS ? left : TASK_WORDS)};
}

static void count_marks(void *state, uint64_t task, uint32_t lane) {
    numbering *work = state;
    word_range words = words_of(work, task);
    uint32_t count = 0;
    (void)lane;
    for (uint64_t word = words.first; word < words.last; word++)
        count += (uint32_t)__builtin_popcountll(work->marks[word]);
    work->starts[task] = count;
}

/* The new keys of the 32 rows behind one word of marks get the indices from `index` on. */
static uint32_t enter_word(numbering *work, uint64_t word, uint32_t index) {
    const sl_i_row_reader *reader = work->reader;
    uint64_t numbers[2][32] = {{0}}, first = word * 32, left = reader->num_rows - first;
    uint32_t count = left < 32 ? (uint32_t)left : 32;
    for (uint32_t c = 0; c < 2; c++) (void)sl_i_key_reader_numbers(&reader->columns[c], first, count, numbers[c]);
    for (uint64_t marks = work->marks[word]; marks; marks &= marks - 1) {
        uint32_t bit = (uint32_t)__builtin_ctzll(marks), c = bit & 1;
        uint64_t number = numbers[c][bit >> 1];
        if (number >= work->maps[c]->capacity) { /* somebody is writing into the column */
            atomic_store_explicit(&work->unusable, true, memory_order_relaxed);
            number = 0;
        }
        sl_i_store_put_int(&reader->context->store, index, reader->columns[c].column.source, number);
        work->maps[c]->indices[number] = ++index; /* maps hold index + 1 */
    }
    return index;
}

static void enter_keys(void *state, uint64_t task, uint32_t lane) {
    numbering *work = state;
    word_range words = words_of(work, task);
    uint32_t index = work->starts[task];
    (void)lane;
    for (uint64_t word = words.first; word < words.last; word++)
        if (work->marks[word]) index = enter_word(work, word, index);
}

/* Take what was entered out of the maps again. */
static void forget_keys(const numbering *work, uint32_t first) {
    for (uint32_t c = 0; c < 2; c++)
        for (uint64_t number = 0; number < work->maps[c]->capacity; number++)
            if (work->maps[c]->indices[number] > first) work->maps[c]->indices[number] = 0;
}

/* `added` keys by column went into the maps and the store. */
static void count_keys(const numbering *work, const uint64_t *added) {
    sl_context *context = work->reader->context;
    for (uint32_t c = 0; c < 2; c++) {
        context->index.maps[work->reader->columns[c].column.source].count += added[c];
        if (work->maps[c]->capacity <= UINT64_C(1) << 32) context->kind_counts[SL_KEY_U32] += added[c];
    }
    if (work->maps[0]->capacity <= UINT64_C(1) << 32 && work->maps[1]->capacity <= UINT64_C(1) << 32) return;
    memset(context->kind_counts, 0, sizeof context->kind_counts); /* a map with keys of both kinds: look at each */
    for (uint32_t index = 0; index < context->store.count; index++)
        context->kind_counts[sl_i_store_at(&context->store, index)->kind]++;
}

static sl_status number_keys(numbering *work, sl_i_ticker *ticker, bool *out_done, sl_error *error) {
    sl_context *context = work->reader->context;
    uint32_t first = context->store.count, next = first;
    work->num_words = work->reader->num_rows / 32 + 1;
    work->num_tasks = (work->num_words + TASK_WORDS - 1) / TASK_WORDS;
    SL_TRY(sl_i_allocate_zeroed(&work->marks, work->num_words, sizeof *work->marks, "numbering keys", error));
    SL_TRY(sl_i_allocate(&work->starts, work->num_tasks, sizeof *work->starts, "numbering keys", error));
    uint64_t added[2] = {mark_column(work, 0), 0};
    if (work->maps[1] != work->maps[0]) added[1] = mark_column(work, 1);
    if (added[0] + added[1] > context->capacity - first)
        return SL_OK; /* the row reader finds the row that is too much */
    SL_TRY(sl_i_store_reserve(&context->store, added[0] + added[1], error));
    sl_i_ticker_begin(ticker, "numbering keys", 2 * work->num_tasks);
    SL_TRY(sl_i_parallel(work->num_tasks, work->lanes, count_marks, work, ticker, 1, error));
    for (uint64_t task = 0; task < work->num_tasks; task++) {
        uint32_t count = work->starts[task];
        work->starts[task] = next;
        next += count;
    }
    sl_status status = sl_i_parallel(work->num_tasks, work->lanes, enter_keys, work, ticker, 1, error);
    if (status == SL_OK && atomic_load(&work->unusable))
        status = sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a key column changed while it was being read");
    if (status != SL_OK) {
        forget_keys(work, first);
        return status;
    }
    context->store.count = next;
    count_keys(work, added);
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
        uint64_t places = work->maps[c]->capacity * work->lanes;
        SL_TRY(sl_i_allocate(&work->firsts[c], places, sizeof *work->firsts[c], "numbering keys", error));
        memset(work->firsts[c], 0xFF, places * sizeof *work->firsts[c]); /* NONE */
    }
    return SL_OK;
}

static void finish(numbering *work) {
    for (uint32_t c = 0; c < 2; c++)
        if (c == 0 || work->firsts[1] != work->firsts[0])
            sl_i_release(work->firsts[c], work->maps[c] ? work->maps[c]->capacity * work->lanes : 0,
                         sizeof *work->firsts[c]);
    sl_i_release(work->marks, work->num_words, sizeof *work->marks);
    sl_i_release(work->starts, work->num_tasks, sizeof *work->starts);
}

sl_status sl_i_number_dense_pairs(sl_i_row_reader *reader, uint32_t lanes, sl_i_ticker *ticker, bool *out_done,
                                  sl_error *error) {
    numbering work = {.reader = reader, .lanes = lanes < MOST_LANES ? lanes : MOST_LANES};
    *out_done = false;
    if (!is_suitable(reader)) return SL_OK;
    sl_status status;
    SL_TRY_CLEANUP(status, prepare(&work, error));
    sl_i_ticker_begin(ticker, "reading keys", reader->num_rows);
    SL_TRY_CLEANUP(status, sl_i_parallel((reader->num_rows + TASK_ROWS - 1) / TASK_ROWS, work.lanes, meet_rows, &work,
                                         ticker, TASK_ROWS, error));
    if (!atomic_load(&work.unusable)) status = number_keys(&work, ticker, out_done, error);
cleanup:
    finish(&work);
    return status;
}
