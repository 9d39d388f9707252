/* tie_groups.h: components that edges of one score would make one, to be judged before any of them merges.
 *
 * A union-find over the roots of components, tried out beside the real one and forgotten after each score. The members of a group
 * are a ring, so that a group is walked without sorting and two groups become one by exchanging two links. Each connection
 * counts, whatever the order: a verdict is about the whole group. 12 bytes a record; the work is that of the components touched. */
#ifndef SL_HIERARCHY_TIE_GROUPS_H
#define SL_HIERARCHY_TIE_GROUPS_H

#include "hierarchy/merge_guard.h"

typedef struct sl_i_tie_groups {
    uint32_t num_records;
    uint32_t *leaders; /* by root, towards the leader of its group, which leads itself; SL_NO_RECORD: in no group */
    uint32_t *ring;    /* by member, the next one; of the leader of a group that is refused: SL_NO_RECORD */
    uint32_t *touched; /* the members of all groups */
    uint32_t num_touched;
    uint64_t *held; /* a set of unique sources, as in the guard */
} sl_i_tie_groups;

/** No groups. On failure the groups may be released all the same. */
sl_status sl_i_tie_groups_init(sl_i_tie_groups *groups, const sl_i_merge_guard *guard, sl_error *error) SL_MUST_USE;
void sl_i_tie_groups_release(sl_i_tie_groups *groups, const sl_i_merge_guard *guard);
/** The components of these two roots would be one. */
void sl_i_tie_groups_connect(sl_i_tie_groups *groups, uint32_t a, uint32_t b);
/** Nothing more is connected: refuse the groups whose members cannot all be one. */
void sl_i_tie_groups_judge(sl_i_tie_groups *groups, const sl_i_merge_guard *guard);
/** The leader of a root's group, SL_NO_RECORD: it is in none. */
uint32_t sl_i_tie_groups_leader(sl_i_tie_groups *groups, uint32_t root);
/** Whether the group of this leader was refused. */
bool sl_i_tie_groups_is_refused(const sl_i_tie_groups *groups, uint32_t leader);
/** No groups again. */
void sl_i_tie_groups_clear(sl_i_tie_groups *groups);

#endif
