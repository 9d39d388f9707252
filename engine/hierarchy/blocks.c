/* blocks.c: the parts of a hierarchy that no edge connects: slices of the order between joins that are NEVER.
 *
 * A block is one number, so that one sort puts them in order: how much smaller than the largest possible it is, then where
 * it starts. Largest first is also the order in which tasks over blocks are best taken. */
#include "hierarchy/hierarchy.h"
#include "hierarchy/position_scan.h"
#include "support/sort.h"

struct sl_blocks {
    sl_hierarchy *hierarchy;
    uint64_t *blocks; /* (UINT32_MAX - size) << 32 | first, ascending */
    uint32_t count;
};

static void list_blocks(const sl_hierarchy *hierarchy, uint64_t *blocks) {
    uint32_t first = 0, count = 0;
    for (uint32_t position = 0; position < hierarchy->num_records; position++) {
        if (hierarchy->join[position] != SL_NEVER) continue;
        uint32_t size = position + 1 - first;
        blocks[count++] = (uint64_t)(UINT32_MAX - size) << 32 | first;
        first = position + 1;
    }
}

sl_status sl_blocks_create(const sl_hierarchy *hierarchy, sl_blocks **out, sl_error *error) {
    sl_blocks *made = NULL;
    uint64_t *scratch = NULL;
    sl_status status;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "blocks", error));
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->count = sl_i_count_ends(hierarchy->join, hierarchy->num_records, SL_NEVER);
    SL_TRY_CLEANUP(status, sl_i_allocate(&made->blocks, made->count, sizeof *made->blocks, "blocks", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&scratch, made->count, sizeof *scratch, "sorting blocks", error));
    list_blocks(hierarchy, made->blocks);
    sl_i_sort_u64(made->blocks, scratch, made->count);
    *out = made;
cleanup:
    sl_i_release(scratch, made->count, sizeof *scratch);
    if (status != SL_OK) sl_blocks_release(made);
    return status;
}

void sl_blocks_release(sl_blocks *blocks) {
    if (!blocks) return;
    sl_hierarchy_release(blocks->hierarchy);
    sl_i_release(blocks->blocks, blocks->count, sizeof *blocks->blocks);
    sl_i_release(blocks, 1, sizeof *blocks);
}

uint32_t sl_blocks_count(const sl_blocks *blocks) { return blocks->count; }

bool sl_blocks_get(const sl_blocks *blocks, uint32_t index, uint32_t *out_first, uint32_t *out_size) {
    *out_first = *out_size = 0;
    if (index >= blocks->count) return false;
    *out_first = (uint32_t)blocks->blocks[index];
    *out_size = UINT32_MAX - (uint32_t)(blocks->blocks[index] >> 32);
    return true;
}

/* Blocks are largest first already: tasks need no costs. */
sl_status sl_blocks_for_each(const sl_blocks *blocks, sl_task run, void *state, const sl_progress *progress,
                             sl_error *error) {
    return sl_parallel_for(blocks->count, NULL, run, state, "working on blocks", progress, error);
}
