/* density.c: how close entities are to having an edge between any two of their records.
 *
 * Kept edges come strongest first, so those that count are the first ones. Under constraints some of them lie between entities. */
#include "hierarchy/edge_list.h"
#include "hierarchy/partition.h"

/* Counts below 2^53 are exact as doubles, and there are fewer than 2^32 edges. */
static void count_inside(const sl_edge_list *edges, const uint32_t *labels, double threshold, double *counts) {
    for (uint64_t i = 0; i < edges->count && edges->scores[i] >= threshold; i++) {
        uint32_t entity = labels[edges->left[i]];
        if (entity == labels[edges->right[i]]) counts[entity] += 1.0;
    }
}

sl_status sl_partition_densities(const sl_partition *partition, double threshold, double *densities, sl_error *error) {
    const sl_hierarchy *hierarchy = sl_i_partition_hierarchy(partition);
    const uint32_t *labels = NULL, *sizes = NULL;
    uint32_t num_entities = sl_partition_num_entities(partition);
    if (!hierarchy->edges)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "densities count edges, and the hierarchy did not keep them: build it with SL_KEEP_ALL "
                         "(keep_edges=True)");
    SL_TRY(sl_i_check_threshold(hierarchy->scale, threshold, error));
    double compared = hierarchy->exact ? threshold : sl_i_round_threshold(threshold);
    SL_TRY(sl_partition_labels(partition, &labels, error));
    SL_TRY(sl_partition_sizes(partition, &sizes, error));
    for (uint32_t entity = 0; entity < num_entities; entity++) densities[entity] = 0.0;
    count_inside(hierarchy->edges, labels, compared, densities);
    for (uint32_t entity = 0; entity < num_entities; entity++) {
        double size = sizes[entity];
        densities[entity] = sizes[entity] > 1 ? densities[entity] / (size * (size - 1.0) / 2.0) : 1.0;
    }
    return SL_OK;
}
