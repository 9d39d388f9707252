/* sampled_replay.c: the merges of sampled records, applied bucket by bucket, and the sums after each.
 *
 * A component is a judged entity that holds sampled records; it goes by the first of them. Its cells (one for each sampled entity in
 * it) are a list. In a bucket, lists are joined and sizes set; at its end every component touched is gone through once: each
 * cell takes back what it gave its entity, cells of one entity become one, and each gives anew. Then in the running sums every
 * entity touched replaces what it was. The sums are compensated and what a change takes out is to the bit what was put in, so
 * a million changes do not wear them down.
 *
 * One component of many cells may be the growing one: while it takes in only records without samples, its cells and all sums stay as
 * they were at its start, and what its growth adds is a function of its size (sampled_growth.h). It starts anew when it takes in
 * samples or its size has doubled. Cost: for each bucket, the cells of the other components that change in it, and those of the
 * growing one each time that it starts. Memory: 32 bytes a sampled record, 156 an entity, 216 a state. */
#include "metrics/sampled_growth.h"

#define TICK_STEP 16384u /* buckets and changed entities */
#define NONE SL_NO_RECORD
#define MANY_CELLS                                                                                                     \
    8u /* so many are worth to be the growing component's; of two or more entities, so that none is exact */

typedef struct cell {
    uint32_t entity, next;
    uint32_t count; /* records, 0: not yet counted */
    uint32_t size;  /* of the component, when the cell was last counted */
} cell;

typedef struct component {
    uint32_t size;
    uint32_t last; /* its last cell; the first has the component's number */
    bool touched, absorbed;
} component;

typedef struct sampled_entity {
    double weight;
    uint32_t size;
    uint32_t cells;
    uint64_t pairs;         /* sum N(N-1)/2 */
    uint64_t crossing;      /* sum N(S-N) */
    sl_i_sum purity, share; /* sums of N^2/S, of N/S */
    sl_i_parts counted[SL_I_NUM_FAMILIES];
    uint32_t met_in;  /* the cell that counts for it in the component being gone through */
    uint32_t growing; /* records in the growing component */
    bool touched;
} sampled_entity;

/* A sum that comes back to 0 where it should. */
typedef struct running {
    sl_i_sum sum;
    double largest;
} running;

typedef struct running_family {
    running sums[SL_I_NUM_PARTS], products[SL_I_NUM_PRODUCTS];
} running_family;

typedef struct replay {
    cell *cells;
    component *components; /* by the number of a cell */
    uint32_t *touched;     /* components, in the order in which they were touched; each once a bucket */
    uint32_t *changed;     /* entities likewise */
    sampled_entity *entities;
    uint32_t num_cells, num_entities, num_touched, num_changed;
    running_family families[SL_I_NUM_FAMILIES];
    uint32_t growing; /* component, or NONE; not touched */
    uint32_t num_growing_cells;
    sl_i_growth growth;
} replay;

/* ---- running sums ------------------------------------------------------------------------------------------------ */

static void change(running *r, double by) {
    double now = fabs(sl_i_sum_add(&r->sum, by));
    if (now > r->largest) r->largest = now;
}

/* Compensation loses the square of the machine's precision: what is less is nothing. */
static double settled(const running *r) {
    double value = sl_i_sum_value(&r->sum);
    return value > 1e-24 * r->largest ? value : 0.0;
}

/* Put one value in the place of another: nothing where they are the same, as most are. */
static void replace(running *r, double before, double now) {
    if (before == now) return;
    change(r, -before);
    change(r, now);
}

static void replace_parts(running_family *family, const sl_i_parts *before, const sl_i_parts *now) {
    const double *a = before->of, *b = now->of;
    unsigned product = 0;
    for (unsigned i = 0; i < SL_I_NUM_PARTS; i++) {
        replace(&family->sums[i], a[i], b[i]);
        for (unsigned j = i; j < SL_I_NUM_PARTS; j++) replace(&family->products[product++], a[i] * a[j], b[i] * b[j]);
    }
}

static double at_least_0(double value) { return value > 0.0 ? value : 0.0; }

static sl_i_parts weigh(double weight, double hits, double wrong, double missed) {
    return (sl_i_parts){{weight * hits, weight * wrong, weight * missed}};
}

/* The parts of one entity (estimate.h). */
static void fill_parts(const sampled_entity *e, sl_i_parts *families) {
    uint64_t true_pairs = sl_i_pairs_among(e->size);
    double purity = sl_i_sum_value(&e->purity), missed = (double)(true_pairs - e->pairs), size = e->size;
    bool exact = e->cells == 1 && e->crossing == 0;
    families[SL_I_PAIRS] = weigh(e->weight, (double)e->pairs, (double)e->crossing / 2.0, missed);
    families[SL_I_RECORDS] = weigh(e->weight, purity, at_least_0(size - purity), 2.0 * missed / size);
    families[SL_I_ENTITIES] =
        exact ? weigh(e->weight, 1.0, 0.0, 0.0) : weigh(e->weight, 0.0, at_least_0(sl_i_sum_value(&e->share)), 1.0);
}

/* Put an entity as it is in the place of what it was, in the sums. */
static void update_sums(replay *r, sampled_entity *e) {
    sl_i_parts now[SL_I_NUM_FAMILIES];
    fill_parts(e, now);
    if (e->growing > 0) sl_i_growth_change(&r->growth, e->weight, e->growing, e->counted, now);
    for (unsigned i = 0; i < SL_I_NUM_FAMILIES; i++) {
        replace_parts(&r->families[i], &e->counted[i], &now[i]);
        e->counted[i] = now[i];
    }
}

static void write_state(const replay *r, sl_i_sampled_sums *state) {
    for (unsigned i = 0; i < SL_I_NUM_FAMILIES; i++) {
        const running_family *family = &r->families[i];
        for (unsigned j = 0; j < SL_I_NUM_PARTS; j++) state->families[i].sums[j] = settled(&family->sums[j]);
        for (unsigned j = 0; j < SL_I_NUM_PRODUCTS; j++) state->families[i].products[j] = settled(&family->products[j]);
    }
    if (r->growing != NONE) sl_i_growth_apply(&r->growth, r->components[r->growing].size, state);
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

/* What a cell gives its entity. */
static void give(sampled_entity *e, uint32_t count, uint32_t size) {
    double share = (double)count / (double)size;
    e->cells++;
    e->pairs += sl_i_pairs_among(count);
    e->crossing += (uint64_t)count * (size - count);
    sl_i_sum_add(&e->purity, share * (double)count);
    sl_i_sum_add(&e->share, share);
}

static void take_back(sampled_entity *e, uint32_t count, uint32_t size) {
    double share = (double)count / (double)size;
    e->cells--;
    e->pairs -= sl_i_pairs_among(count);
    e->crossing -= (uint64_t)count * (size - count);
    sl_i_sum_add(&e->purity, -(share * (double)count));
    sl_i_sum_add(&e->share, -share);
}

static void begin_change(replay *r, uint32_t number) {
    sampled_entity *e = &r->entities[number];
    if (!e->touched) r->changed[r->num_changed++] = number;
    e->touched = true;
}

/* Take back what the cells gave, and make cells of one entity one: the first in the list. */
static void gather_cells(replay *r, uint32_t first) {
    uint32_t kept = NONE;
    for (uint32_t at = first; at != NONE; at = r->cells[at].next) {
        cell *c = &r->cells[at];
        sampled_entity *e = &r->entities[c->entity];
        begin_change(r, c->entity);
        take_back(e, c->count, c->size);
        if (e->met_in != NONE) {
            r->cells[e->met_in].count += c->count;
            r->cells[kept].next = c->next;
            continue;
        }
        e->met_in = kept = at;
    }
    r->components[first].last = kept;
}

/* Returns how many cells it has. */
static uint32_t recount(replay *r, uint32_t first) {
    component *whole = &r->components[first];
    uint32_t num_cells = 0;
    whole->touched = false;
    if (whole->absorbed) return 0;
    gather_cells(r, first);
    for (uint32_t at = first; at != NONE; at = r->cells[at].next) {
        cell *c = &r->cells[at];
        c->size = whole->size;
        r->entities[c->entity].met_in = NONE;
        give(&r->entities[c->entity], c->count, c->size);
        num_cells++;
    }
    return num_cells;
}

/* ---- the growing component --------------------------------------------------------------------------------------- */

/* Its cells are counted, and the sums as well. */
static void begin_growth(replay *r, uint32_t first, uint32_t num_cells) {
    r->growing = first;
    r->num_growing_cells = num_cells;
    r->growth = (sl_i_growth){.start = r->components[first].size};
    for (uint32_t at = first; at != NONE; at = r->cells[at].next) {
        sampled_entity *e = &r->entities[r->cells[at].entity];
        e->growing = r->cells[at].count;
        sl_i_growth_add(&r->growth, e->weight, e->growing, e->counted);
    }
}

/* Leaves cells and sums as they were at its start: it has to be touched, or absorbed by a component that is. */
static void end_growth(replay *r) {
    for (uint32_t at = r->growing; at != NONE; at = r->cells[at].next) r->entities[r->cells[at].entity].growing = 0;
    r->growing = NONE;
}

static bool has_doubled(const replay *r) {
    return r->growing != NONE && r->components[r->growing].size / 2 > r->growth.start;
}

/* ---- buckets ----------------------------------------------------------------------------------------------------- */

static void touch(replay *r, uint32_t number) {
    component *c = &r->components[number];
    if (number == r->growing) end_growth(r);
    if (!c->touched) r->touched[r->num_touched++] = number;
    c->touched = true;
}

static void apply(replay *r, const sl_i_note *note) {
    component *kept = &r->components[note->kept];
    kept->size = note->size;
    if (note->kept != r->growing || note->absorbed != NONE) touch(r, note->kept);
    if (note->absorbed == NONE) return;
    if (note->absorbed == r->growing) end_growth(r);
    component *absorbed = &r->components[note->absorbed];
    absorbed->absorbed = true;
    r->cells[kept->last].next = note->absorbed;
    kept->last = absorbed->last;
}

typedef struct counted {
    uint32_t num_changed;        /* entities */
    uint32_t largest, num_cells; /* of the components touched, that of most cells; 0 cells: none */
} counted;

static counted count_touched(replay *r) {
    counted c = {.num_cells = 0};
    for (uint32_t i = 0; i < r->num_touched; i++) {
        uint32_t num_cells = recount(r, r->touched[i]);
        if (num_cells <= c.num_cells) continue;
        c.largest = r->touched[i];
        c.num_cells = num_cells;
    }
    for (uint32_t i = 0; i < r->num_changed; i++) {
        sampled_entity *e = &r->entities[r->changed[i]];
        e->touched = false;
        update_sums(r, e);
    }
    c.num_changed = r->num_changed;
    r->num_touched = r->num_changed = 0;
    return c;
}

/* Returns how many entities changed. A component of many more cells takes the place of the growing one. */
static uint32_t end_bucket(replay *r) {
    if (has_doubled(r)) touch(r, r->growing);
    counted c = count_touched(r);
    uint32_t num_changed = c.num_changed;
    if (c.num_cells < MANY_CELLS || (r->growing != NONE && c.num_cells / 2 < r->num_growing_cells)) return num_changed;
    if (r->growing != NONE) {
        touch(r, r->growing);
        num_changed += count_touched(r).num_changed;
    }
    begin_growth(r, c.largest, c.num_cells);
    return num_changed;
}

/* How many buckets have notes, and one state before any. */
static uint32_t count_states(const sl_i_notes *notes, uint32_t num_buckets) {
    uint32_t count = 1;
    for (uint32_t bucket = 0; bucket < num_buckets; bucket++)
        count += notes->starts[bucket] < notes->starts[bucket + 1];
    return count;
}

static sl_status replay_buckets(replay *r, const sl_i_notes *notes, uint32_t num_buckets, uint32_t *states_of,
                                sl_estimate *estimate, sl_i_ticker *ticker, sl_error *error) {
    uint32_t state = 0, ticked = 0;
    uint64_t work = 0;
    write_state(r, &estimate->states[0]);
    sl_i_ticker_begin(ticker, "measuring the sample", num_buckets);
    for (uint32_t bucket = 0; bucket < num_buckets; bucket++) {
        uint64_t note = notes->starts[bucket], end = notes->starts[bucket + 1];
        if (note < end) {
            for (; note < end; note++) apply(r, &notes->notes[note]);
            work += end_bucket(r);
            write_state(r, &estimate->states[++state]);
        }
        states_of[bucket] = state;
        if (++work < TICK_STEP) continue;
        SL_TRY(sl_i_ticker_advance(ticker, bucket - ticked, error));
        ticked = bucket;
        work = 0;
    }
    return SL_OK;
}

/* Every sampled record by itself. */
static void start(replay *r, const sl_sample *sample, const uint32_t *sizes, const double *weights) {
    for (uint32_t number = 0; number < r->num_entities; number++)
        r->entities[number] =
            (sampled_entity){.weight = weights ? weights[number] : 1.0, .size = sizes[number], .met_in = NONE};
    for (uint32_t number = 0; number < r->num_cells; number++) {
        r->cells[number] = (cell){.entity = sample->entities[number], .next = NONE, .count = 1, .size = 1};
        r->components[number] = (component){.size = 1, .last = number};
        give(&r->entities[sample->entities[number]], 1, 1);
    }
    for (uint32_t number = 0; number < r->num_entities; number++) update_sums(r, &r->entities[number]);
}

static sl_status allocate(replay *r, sl_error *error) {
    SL_TRY(sl_i_allocate(&r->cells, r->num_cells, sizeof *r->cells, "sampled records", error));
    SL_TRY(sl_i_allocate(&r->components, r->num_cells, sizeof *r->components, "sampled records", error));
    SL_TRY(sl_i_allocate(&r->touched, r->num_cells, sizeof *r->touched, "sampled records", error));
    SL_TRY(sl_i_allocate(&r->changed, r->num_entities, sizeof *r->changed, "sampled entities", error));
    return sl_i_allocate(&r->entities, r->num_entities, sizeof *r->entities, "sampled entities", error);
}

static void release(replay *r) {
    sl_i_release(r->cells, r->num_cells, sizeof *r->cells);
    sl_i_release(r->components, r->num_cells, sizeof *r->components);
    sl_i_release(r->touched, r->num_cells, sizeof *r->touched);
    sl_i_release(r->changed, r->num_entities, sizeof *r->changed);
    sl_i_release(r->entities, r->num_entities, sizeof *r->entities);
}

sl_status sl_i_replay_notes(const sl_i_notes *notes, const sl_sample *sample, const uint32_t *sizes,
                            const double *weights, uint32_t num_buckets, uint32_t *states_of, sl_estimate *estimate,
                            sl_i_ticker *ticker, sl_error *error) {
    replay r = {.num_cells = (uint32_t)sample->count, .num_entities = sample->num_entities, .growing = NONE};
    sl_status status;
    estimate->num_states = count_states(notes, num_buckets);
    SL_TRY_CLEANUP(status, sl_i_allocate(&estimate->states, estimate->num_states, sizeof *estimate->states,
                                         "the estimates", error));
    SL_TRY_CLEANUP(status, allocate(&r, error));
    start(&r, sample, sizes, weights);
    status = replay_buckets(&r, notes, num_buckets, states_of, estimate, ticker, error);
cleanup:
    release(&r);
    return status;
}
