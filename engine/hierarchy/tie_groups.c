/* tie_groups.c: see tie_groups.h. */
#include "hierarchy/tie_groups.h"

#include <string.h>

sl_status sl_i_tie_groups_init(sl_i_tie_groups *groups, const sl_i_merge_guard *guard, sl_error *error) {
    static const char what[] = "groups of ties";
    uint32_t n = guard->num_records;
    *groups = (sl_i_tie_groups){.num_records = n};
    SL_TRY(sl_i_allocate(&groups->leaders, n, sizeof *groups->leaders, what, error));
    SL_TRY(sl_i_allocate(&groups->ring, n, sizeof *groups->ring, what, error));
    SL_TRY(sl_i_allocate(&groups->touched, n, sizeof *groups->touched, what, error));
    SL_TRY(sl_i_allocate(&groups->held, guard->num_words, sizeof *groups->held, what, error));
    memset(groups->leaders, 0xFF, n * sizeof *groups->leaders); /* SL_NO_RECORD */
    return SL_OK;
}

void sl_i_tie_groups_release(sl_i_tie_groups *groups, const sl_i_merge_guard *guard) {
    sl_i_release(groups->held, guard->num_words, sizeof *groups->held);
    sl_i_release(groups->touched, groups->num_records, sizeof *groups->touched);
    sl_i_release(groups->ring, groups->num_records, sizeof *groups->ring);
    sl_i_release(groups->leaders, groups->num_records, sizeof *groups->leaders);
}

uint32_t sl_i_tie_groups_leader(sl_i_tie_groups *groups, uint32_t root) {
    uint32_t *leaders = groups->leaders;
    if (leaders[root] == SL_NO_RECORD) return SL_NO_RECORD;
    while (leaders[root] != root) root = leaders[root] = leaders[leaders[root]]; /* path halving */
    return root;
}

/* The leader of a root's group, a new one of its own if need be. */
static uint32_t touch(sl_i_tie_groups *groups, uint32_t root) {
    if (groups->leaders[root] == SL_NO_RECORD) {
        groups->leaders[root] = groups->ring[root] = root;
        groups->touched[groups->num_touched++] = root;
    }
    return sl_i_tie_groups_leader(groups, root);
}

void sl_i_tie_groups_connect(sl_i_tie_groups *groups, uint32_t a, uint32_t b) {
    uint32_t leader = touch(groups, a), other = touch(groups, b);
    if (leader == other) return;
    if (other < leader) {
        uint32_t smaller = other;
        other = leader;
        leader = smaller;
    }
    groups->leaders[other] = leader;
    uint32_t next = groups->ring[leader];
    groups->ring[leader] = groups->ring[other];
    groups->ring[other] = next;
}

/* Adds what the member holds to `held`; false where it has one of the sources already. */
static bool add_held(uint64_t *held, const sl_i_merge_guard *guard, uint32_t member) {
    const uint64_t *more = sl_i_guard_held(guard, member);
    uint64_t twice = 0;
    for (uint32_t word = 0; word < guard->num_words; word++) {
        twice |= held[word] & more[word];
        held[word] |= more[word];
    }
    return twice == 0;
}

static bool may_be_one(sl_i_tie_groups *groups, const sl_i_merge_guard *guard, uint32_t leader) {
    uint64_t size = 0;
    uint32_t member = leader;
    memset(groups->held, 0, guard->num_words * sizeof *groups->held);
    do {
        size += guard->sizes[member];
        if (size > guard->max_size || !add_held(groups->held, guard, member)) return false;
        member = groups->ring[member];
    } while (member != leader);
    return true;
}

void sl_i_tie_groups_judge(sl_i_tie_groups *groups, const sl_i_merge_guard *guard) {
    for (uint32_t i = 0; i < groups->num_touched; i++) {
        uint32_t root = groups->touched[i];
        if (groups->leaders[root] == root && !may_be_one(groups, guard, root)) groups->ring[root] = SL_NO_RECORD;
    }
}

bool sl_i_tie_groups_is_refused(const sl_i_tie_groups *groups, uint32_t leader) {
    return groups->ring[leader] == SL_NO_RECORD;
}

void sl_i_tie_groups_clear(sl_i_tie_groups *groups) {
    for (uint32_t i = 0; i < groups->num_touched; i++) groups->leaders[groups->touched[i]] = SL_NO_RECORD;
    groups->num_touched = 0;
}
