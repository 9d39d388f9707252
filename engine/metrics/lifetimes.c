/* lifetimes.c: how long entities stay what they are as the threshold moves: entity_stability and threshold_sensitivity at
 * every row of a curve, and their means over all thresholds.
 *
 * An entity of the hierarchy is a single record, or an n-way node of the Cartesian tree of the joins. Its life is told in
 * steps: step 0 is before any level applies, step l + 1 is where level l does, and step num_levels + 1 never comes. It is born
 * at its own level's step (a single record at 0) and dies at its parent's: it is an entity at the thresholds t with
 * level[death] < t <= level[birth]. Its lifetime is the difference, where step 0 stands at 1 and the last step at 0. Weights are
 * first made into their place in the range of the levels, which is a number in [0, 1].
 *
 * Each metric is one walk over the entities that adds what an entity counts where that begins and takes it away where it
 * ends, and prefix sums: over steps for stability, over the rows in the order of their thresholds for sensitivity. Levels of
 * rounded hierarchies are taken in millionths, so that their sums are whole numbers and exact. Cost: O(records + levels + rows),
 * and a sort of the rows where they do not ascend. All state is the call's own: a curve may be asked on any thread. */
#include "metrics/lifetimes.h"

#include <math.h>
#include <string.h>

#include "hierarchy/scores.h"
#include "support/sort.h"

/* ---- the entities of a hierarchy --------------------------------------------------------------------------------- */

/* One entity, or single records with one life, taken together. */
typedef struct entity {
    uint64_t size;
    uint32_t birth, death; /* steps */
} entity;

typedef void (*entity_visitor)(void *state, const entity *e);

/* An entity that still grows along the leaf order. */
typedef struct node {
    uint32_t first; /* position */
    uint32_t step;
} node;

static uint32_t last_step(const sl_hierarchy *hierarchy) { return hierarchy->num_levels + 1; }

/* The step at which positions `position` and the next come together. */
static uint32_t seam_step(const sl_hierarchy *hierarchy, uint32_t position) {
    uint32_t join = hierarchy->join[position];
    return join == SL_NEVER ? last_step(hierarchy) : join + 1;
}

static uint32_t earlier(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* The nodes that the seam after `position` closes, innermost first. Returns where the last of them began. */
static inline uint32_t close_nodes(node *stack, uint32_t *height, uint32_t position, uint32_t seam,
                                   entity_visitor visit, void *state) {
    uint32_t first = position;
    while (*height > 0 && stack[*height - 1].step < seam) {
        node closed = stack[--*height];
        uint32_t death = *height > 0 ? earlier(stack[*height - 1].step, seam) : seam;
        first = closed.first;
        visit(state, &(entity){position + 1 - first, closed.step, death});
    }
    return first;
}

#define AHEAD 16u /* positions between asking for the memory of a seam's step and using it */

/* Every entity once, in an order that hangs on the hierarchy alone. Records beyond the hierarchy's come as one, at the end. `steps`
 * is what the visitor keeps by step, `width` bytes each. Inline, for the visitor to become part of the loop. */
static inline sl_status visit_entities(const sl_hierarchy *hierarchy, uint32_t num_records, entity_visitor visit,
                                       void *state, const void *steps, size_t width, sl_error *error) {
    node *stack = NULL; /* the open nodes: steps fall from the bottom up, so there are no more than levels */
    uint32_t height = 0, never = last_step(hierarchy), seam_before = never, n = hierarchy->num_records;
    SL_TRY(sl_i_allocate(&stack, hierarchy->num_levels, sizeof *stack, "entities of a hierarchy", error));
    for (uint32_t position = 0; position < n; position++) {
        uint32_t seam = seam_step(hierarchy, position);
        if (n - position > AHEAD)
            __builtin_prefetch((const char *)steps + width * seam_step(hierarchy, position + AHEAD), 1);
        visit(state, &(entity){1, 0, earlier(seam_before, seam)});
        uint32_t first = close_nodes(stack, &height, position, seam, visit, state);
        if (seam != never && (height == 0 || stack[height - 1].step > seam)) stack[height++] = (node){first, seam};
        seam_before = seam;
    }
    visit(state, &(entity){num_records - n, 0, never});
    sl_i_release(stack, hierarchy->num_levels, sizeof *stack);
    return SL_OK;
}

static double within_0_and_1(double number) {
    number = number > 0.0 ? number : 0.0; /* -0.0 becomes 0.0 */
    return number < 1.0 ? number : 1.0;
}

/* Where a threshold is in [0, 1]: of weights, from the lowest level to the highest, which is the place of all where the two are one.
 * Halves, since the range itself may be too large for a double. */
static double place(const sl_hierarchy *hierarchy, double threshold) {
    if (hierarchy->scale == SL_SCALE_PROBABILITY || hierarchy->num_levels == 0) return within_0_and_1(threshold);
    double half_lowest = hierarchy->levels[hierarchy->num_levels - 1] * 0.5;
    double half_range = hierarchy->levels[0] * 0.5 - half_lowest;
    return half_range > 0.0 ? within_0_and_1((threshold * 0.5 - half_lowest) / half_range) : 1.0;
}

/* Whether places are multiples of 1e-6. */
static bool is_rounded(const sl_hierarchy *hierarchy) {
    return !hierarchy->exact && hierarchy->scale == SL_SCALE_PROBABILITY;
}

/* The place 1 in the units in which levels are added. */
static double whole(const sl_hierarchy *hierarchy) { return is_rounded(hierarchy) ? SL_I_UNITS : 1.0; }

static double in_units(const sl_hierarchy *hierarchy, double at) {
    return is_rounded(hierarchy) ? rint(at * SL_I_UNITS) : at;
}

/* The place of a step in those units: 1 before all levels, 0 after them. */
static double step_threshold(const sl_hierarchy *hierarchy, uint32_t step) {
    if (step == 0) return whole(hierarchy);
    if (step == last_step(hierarchy)) return 0.0;
    return in_units(hierarchy, place(hierarchy, hierarchy->levels[step - 1]));
}

/* ---- entity_stability -------------------------------------------------------------------------------------------- */

typedef struct stability_step {
    double threshold;
    double sum; /* of size x lifetime over the entities: first how much more before this step, then from here on */
} stability_step;

static void count_lifetime(void *state, const entity *e) {
    stability_step *birth = (stability_step *)state + e->birth, *death = (stability_step *)state + e->death;
    double change = (double)e->size * (birth->threshold - death->threshold);
    birth->sum -= change;
    death->sum += change;
}

/* Summed from the end, where nothing lives: all single records are born at step 0, whose own changes are then not needed. */
static sl_status sum_lifetimes(const sl_curve *curve, stability_step *steps, sl_error *error) {
    const sl_hierarchy *hierarchy = curve->hierarchy;
    for (uint32_t step = 0; step <= last_step(hierarchy); step++)
        steps[step] = (stability_step){step_threshold(hierarchy, step), 0.0};
    SL_TRY(visit_entities(hierarchy, curve->num_records, count_lifetime, steps, steps, sizeof *steps, error));
    sl_i_sum total = {0};
    double alive = 0.0;
    for (uint32_t step = last_step(hierarchy); step > 0; step--) {
        double change = steps[step].sum;
        steps[step].sum = alive;
        alive = sl_i_sum_add(&total, change);
    }
    steps[0].sum = alive;
    return SL_OK;
}

/* A weight above the highest level counts as that one. */
static uint32_t applied_within(const sl_hierarchy *hierarchy, double threshold, uint32_t near) {
    bool above = hierarchy->scale == SL_SCALE_WEIGHT && hierarchy->num_levels > 0 && threshold > hierarchy->levels[0];
    return above ? 1 : sl_i_applied_levels(hierarchy, threshold, near);
}

sl_status sl_i_entity_stability(const sl_curve *curve, double parameter, double *values, sl_error *error) {
    const sl_hierarchy *hierarchy = curve->hierarchy;
    double all = (double)curve->num_records * whole(hierarchy);
    uint64_t num_steps = (uint64_t)last_step(hierarchy) + 1;
    uint32_t applied = hierarchy->num_levels;
    stability_step *steps = NULL;
    sl_status status = SL_OK;
    (void)parameter;
    SL_TRY(sl_i_allocate(&steps, num_steps, sizeof *steps, "lifetimes", error));
    SL_TRY_CLEANUP(status, sum_lifetimes(curve, steps, error));
    for (uint64_t row = 0; row < curve->num_rows; row++) {
        applied = applied_within(hierarchy, curve->thresholds[row], applied);
        values[row] = all > 0.0 ? fmin(fmax(steps[applied].sum / all, 0.0), 1.0) : 1.0;
    }
cleanup:
    sl_i_release(steps, num_steps, sizeof *steps);
    return status;
}

/* ---- threshold_sensitivity --------------------------------------------------------------------------------------- */

sl_status sl_i_check_shift(double shift, sl_error *error) {
    if (shift > 0.0 && shift <= 1.0) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "the shift of threshold_sensitivity is %s: pass a number above 0 and at most 1",
                     sl_i_double_to_text(shift).text);
}

static double compared(const sl_hierarchy *hierarchy, double at) {
    return is_rounded(hierarchy) ? sl_i_round_threshold(at) : at;
}
static double raised(const sl_hierarchy *hierarchy, double at, double shift) {
    double up = compared(hierarchy, at + shift);
    return up < 1.0 ? up : 1.0;
}
static double lowered(const sl_hierarchy *hierarchy, double at, double shift) {
    double down = compared(hierarchy, at - shift);
    return down > 0.0 ? down : 0.0;
}

/* Rows by rank of their place. An entity is the same on both sides of the ranks from_death[death] .. to_birth[birth] - 1. */
typedef struct rank_bounds {
    uint64_t from_death; /* the first rank whose lowered place is above the step's */
    uint64_t to_birth;   /* the first rank whose raised place is above the step's */
} rank_bounds;

typedef struct sensitivity {
    uint64_t num_rows;
    double *ranked;      /* places of the thresholds, ascending */
    rank_bounds *bounds; /* by step */
    uint64_t *same;      /* by rank, one more: records whose entity stays; first how it changes, modulo 2^64 */
} sensitivity;

static bool ascends(const double *thresholds, uint64_t count) {
    uint64_t i = 1;
    while (i < count && thresholds[i] >= thresholds[i - 1]) i++;
    return i >= count;
}

_Static_assert(sizeof(double) == sizeof(uint64_t), "doubles are 64 bits");

/* Bits of doubles that are not negative sort as the doubles do. */
static sl_status sort_thresholds(double *thresholds, uint64_t count, sl_error *error) {
    uint64_t *bits = NULL, *scratch = NULL;
    sl_status status = SL_OK;
    SL_TRY_CLEANUP(status, sl_i_allocate(&bits, count, sizeof *bits, "sorting thresholds", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&scratch, count, sizeof *scratch, "sorting thresholds", error));
    memcpy(bits, thresholds, count * sizeof *bits);
    sl_i_sort_u64(bits, scratch, count);
    memcpy(thresholds, bits, count * sizeof *bits);
cleanup:
    sl_i_release(bits, count, sizeof *bits);
    sl_i_release(scratch, count, sizeof *scratch);
    return status;
}

static double row_place(const sl_curve *curve, uint64_t row) { return place(curve->hierarchy, curve->thresholds[row]); }

static sl_status rank_rows(const sl_curve *curve, sensitivity *s, sl_error *error) {
    for (uint64_t row = 0; row < s->num_rows; row++) s->ranked[row] = row_place(curve, row);
    return ascends(s->ranked, s->num_rows) ? SL_OK : sort_thresholds(s->ranked, s->num_rows, error);
}

/* What comes after the last rank is above all levels. */
static double lowered_rank(const sl_hierarchy *hierarchy, const sensitivity *s, uint64_t rank, double shift) {
    return rank < s->num_rows ? lowered(hierarchy, s->ranked[rank], shift) : INFINITY;
}
static double raised_rank(const sl_hierarchy *hierarchy, const sensitivity *s, uint64_t rank, double shift) {
    return rank < s->num_rows ? raised(hierarchy, s->ranked[rank], shift) : INFINITY;
}

/* Levels from the lowest up and rows from the lowest up: both bounds only rise. */
static void bound_steps(const sl_hierarchy *hierarchy, double shift, sensitivity *s) {
    rank_bounds at = {0, 0};
    double down = lowered_rank(hierarchy, s, 0, shift), up = raised_rank(hierarchy, s, 0, shift);
    s->bounds[last_step(hierarchy)] = at;
    for (uint32_t step = hierarchy->num_levels; step > 0; step--) {
        double level = place(hierarchy, hierarchy->levels[step - 1]);
        while (down <= level) down = lowered_rank(hierarchy, s, ++at.from_death, shift);
        while (up <= level) up = raised_rank(hierarchy, s, ++at.to_birth, shift);
        s->bounds[step] = at;
    }
    s->bounds[0] = (rank_bounds){s->num_rows, s->num_rows};
}

static void count_same(void *state, const entity *e) {
    sensitivity *s = state;
    uint64_t from = s->bounds[e->death].from_death, to = s->bounds[e->birth].to_birth;
    if (from >= to) return;
    s->same[from] += e->size;
    s->same[to] -= e->size;
}

/* A rank that has the place of `row`: the row itself where rows ascend. */
static uint64_t rank_of(const sensitivity *s, uint64_t row, double at) {
    uint64_t low = 0, high = s->num_rows;
    if (s->ranked[row] == at) return row;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (s->ranked[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static sl_status measure_sensitivity(const sl_curve *curve, double shift, sensitivity *s, double *values,
                                     sl_error *error) {
    double n = curve->num_records;
    SL_TRY(rank_rows(curve, s, error));
    bound_steps(curve->hierarchy, compared(curve->hierarchy, shift), s);
    SL_TRY(visit_entities(curve->hierarchy, curve->num_records, count_same, s, s->bounds, sizeof *s->bounds, error));
    for (uint64_t rank = 1; rank < s->num_rows; rank++) s->same[rank] += s->same[rank - 1];
    for (uint64_t row = 0; row < s->num_rows; row++) {
        uint64_t same = s->same[rank_of(s, row, row_place(curve, row))];
        values[row] = n > 0.0 ? (double)(curve->num_records - same) / n : 0.0;
    }
    return SL_OK;
}

sl_status sl_i_threshold_sensitivity(const sl_curve *curve, double shift, double *values, sl_error *error) {
    uint64_t rows = curve->num_rows, num_steps = (uint64_t)last_step(curve->hierarchy) + 1;
    sensitivity s = {.num_rows = rows};
    sl_status status = SL_OK;
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.ranked, rows, sizeof *s.ranked, "ranks of thresholds", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&s.bounds, num_steps, sizeof *s.bounds, "lifetimes", error));
    SL_TRY_CLEANUP(status, sl_i_allocate_zeroed(&s.same, rows + 1, sizeof *s.same, "lifetimes", error));
    status = measure_sensitivity(curve, shift, &s, values, error);
cleanup:
    sl_i_release(s.ranked, rows, sizeof *s.ranked);
    sl_i_release(s.bounds, num_steps, sizeof *s.bounds);
    sl_i_release(s.same, rows + 1, sizeof *s.same);
    return status;
}

/* ---- over all thresholds ----------------------------------------------------------------------------------------- */

typedef struct means {
    const double *thresholds; /* by step */
    double whole, shift;
    uint32_t never;
    sl_i_sum stability; /* of size x lifetime^2: an entity counts its lifetime for as long as it lives */
    sl_i_sum same;      /* of size x the length of the thresholds around which the entity stays */
} means;

static void count_life(void *state, const entity *e) {
    means *m = state;
    double born = m->thresholds[e->birth], dead = m->thresholds[e->death];
    double size = (double)e->size, lifetime = born - dead;
    double highest = born < m->whole ? born - m->shift : born; /* a threshold above 1 is cut off at 1 ... */
    double lowest = e->death < m->never ? dead + m->shift : 0.0;
    sl_i_sum_add(&m->stability, size * lifetime * lifetime);
    if (highest > lowest) sl_i_sum_add(&m->same, size * (highest - lowest)); /* ... and one below 0 at 0 */
}

sl_status sl_hierarchy_lifetimes(const sl_hierarchy *hierarchy, uint32_t num_records, double parameter,
                                 sl_lifetimes *out, sl_error *error) {
    uint64_t num_steps = (uint64_t)last_step(hierarchy) + 1;
    double *thresholds = NULL;
    sl_status status = SL_OK;
    *out = (sl_lifetimes){0};
    SL_TRY(sl_i_check_shift(parameter, error));
    SL_TRY(sl_i_measured_records(hierarchy, &num_records, error));
    SL_TRY(sl_i_allocate(&thresholds, num_steps, sizeof *thresholds, "lifetimes", error));
    for (uint32_t step = 0; step < num_steps; step++) thresholds[step] = step_threshold(hierarchy, step);
    means m = {.thresholds = thresholds,
               .whole = whole(hierarchy),
               .shift = in_units(hierarchy, parameter),
               .never = last_step(hierarchy)};
    SL_TRY_CLEANUP(status,
                   visit_entities(hierarchy, num_records, count_life, &m, thresholds, sizeof *thresholds, error));
    double all = (double)num_records * m.whole;
    out->entity_stability = all > 0.0 ? fmin(sl_i_sum_value(&m.stability) / m.whole / all, 1.0) : 1.0;
    out->threshold_sensitivity = all > 0.0 ? fmax((all - sl_i_sum_value(&m.same)) / all, 0.0) : 0.0;
cleanup:
    sl_i_release(thresholds, num_steps, sizeof *thresholds);
    return status;
}
