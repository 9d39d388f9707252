/* partition.c: the entities at one threshold.
 *
 * A partition is a hierarchy and a level; its arrays (offsets, sizes, labels, records) are made by one scan when first asked
 * for, and then kept. No lock: two threads may make the same array, and one of them is kept. Records that the hierarchy does
 * not cover yet are singletons at the end: entity ids and positions go on after the hierarchy's, so only the arrays' tails
 * differ. */
#include "hierarchy/partition.h"

#include "hierarchy/position_scan.h"

typedef _Atomic(uint32_t *) lazy_array;

struct sl_partition {
    atomic_uint_fast32_t references;
    const sl_hierarchy *hierarchy;
    double threshold;
    uint32_t level;       /* levels applied */
    uint32_t num_records; /* at least the hierarchy's */
    uint32_t num_entities;
    lazy_array offsets, sizes, labels, records;
};

typedef void (*array_maker)(const sl_partition *partition, uint32_t *array);

/* `array`, made by `make` the first time. Readers that find it pay one acquire load. */
static sl_status get(const sl_partition *partition, lazy_array *array, uint64_t length, array_maker make,
                     const char *what, const uint32_t **out, sl_error *error) {
    uint32_t *fresh = NULL, *made = atomic_load_explicit(array, memory_order_acquire);
    *out = made;
    if (made) return SL_OK;
    SL_TRY(sl_i_allocate(&fresh, length, sizeof *fresh, what, error));
    make(partition, fresh);
    if (atomic_compare_exchange_strong_explicit(array, &made, fresh, memory_order_acq_rel, memory_order_acquire)) {
        *out = fresh;
        return SL_OK;
    }
    sl_i_release(fresh, length, sizeof *fresh); /* another thread was faster */
    *out = made;
    return SL_OK;
}

sl_status sl_partition_create(const sl_hierarchy *hierarchy, uint32_t num_records, double threshold, sl_partition **out,
                              sl_error *error) {
    uint32_t level = 0, covered = hierarchy->num_records;
    *out = NULL;
    if (num_records == 0) num_records = covered;
    if (num_records < covered)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "a hierarchy of %u records cannot be cut over only %u",
                         covered, num_records);
    SL_TRY(sl_hierarchy_applied_levels(hierarchy, threshold, &level, error));
    sl_partition *made = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "a partition", error));
    atomic_init(&made->references, 1);
    made->hierarchy = sl_hierarchy_retain(hierarchy);
    made->threshold = threshold;
    made->level = level;
    made->num_records = num_records;
    made->num_entities = sl_i_count_ends(hierarchy->join, covered, level) + (num_records - covered);
    *out = made;
    return SL_OK;
}

sl_partition *sl_partition_retain(const sl_partition *partition) {
    sl_partition *shared = (sl_partition *)(uintptr_t)partition;
    if (shared) atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void sl_partition_release(sl_partition *partition) {
    if (!partition || atomic_fetch_sub_explicit(&partition->references, 1, memory_order_acq_rel) != 1) return;
    sl_i_release(atomic_load(&partition->offsets), (uint64_t)partition->num_entities + 1, sizeof(uint32_t));
    sl_i_release(atomic_load(&partition->sizes), partition->num_entities, sizeof(uint32_t));
    sl_i_release(atomic_load(&partition->labels), partition->num_records, sizeof(uint32_t));
    sl_i_release(atomic_load(&partition->records), partition->num_records, sizeof(uint32_t));
    sl_hierarchy_release((sl_hierarchy *)(uintptr_t)partition->hierarchy);
    sl_i_release(partition, 1, sizeof *partition);
}

const sl_hierarchy *sl_i_partition_hierarchy(const sl_partition *partition) { return partition->hierarchy; }

double sl_partition_threshold(const sl_partition *partition) { return partition->threshold; }
uint32_t sl_partition_num_records(const sl_partition *partition) { return partition->num_records; }
uint32_t sl_partition_num_entities(const sl_partition *partition) { return partition->num_entities; }

static uint64_t bytes_of(const lazy_array *array, uint64_t length) {
    bool made = atomic_load_explicit((lazy_array *)(uintptr_t)array, memory_order_acquire) != NULL;
    return made ? sl_i_block_bytes(length, sizeof(uint32_t)) : 0;
}

uint64_t sl_partition_memory(const sl_partition *partition) {
    uint64_t entities = partition->num_entities, records = partition->num_records;
    return sizeof *partition + bytes_of(&partition->offsets, entities + 1) + bytes_of(&partition->sizes, entities) +
           bytes_of(&partition->labels, records) + bytes_of(&partition->records, records);
}

static void make_offsets(const sl_partition *partition, uint32_t *offsets) {
    const sl_hierarchy *hierarchy = partition->hierarchy;
    offsets[0] = 0;
    uint32_t entity = sl_i_list_ends(hierarchy->join, hierarchy->num_records, partition->level, offsets + 1);
    for (uint32_t position = hierarchy->num_records; position < partition->num_records; position++)
        offsets[++entity] = position + 1;
}

static void make_sizes(const sl_partition *partition, uint32_t *sizes) {
    sl_sizes_column(atomic_load_explicit(&partition->offsets, memory_order_acquire), partition->num_entities, sizes);
}

static void make_labels(const sl_partition *partition, uint32_t *labels) {
    const sl_hierarchy *hierarchy = partition->hierarchy;
    uint32_t entity =
        sl_i_label_records(hierarchy->order, hierarchy->join, hierarchy->num_records, partition->level, labels);
    for (uint32_t record = hierarchy->num_records; record < partition->num_records; record++) labels[record] = entity++;
}

static void make_records(const sl_partition *partition, uint32_t *records) {
    const sl_hierarchy *hierarchy = partition->hierarchy;
    for (uint32_t i = 0; i < hierarchy->num_records; i++) records[i] = hierarchy->order[i];
    for (uint32_t i = hierarchy->num_records; i < partition->num_records; i++) records[i] = i;
}

sl_status sl_partition_offsets(const sl_partition *partition, const uint32_t **out, sl_error *error) {
    lazy_array *array = &((sl_partition *)(uintptr_t)partition)->offsets;
    return get(partition, array, (uint64_t)partition->num_entities + 1, make_offsets, "entity offsets", out, error);
}

sl_status sl_partition_sizes(const sl_partition *partition, const uint32_t **out, sl_error *error) {
    lazy_array *array = &((sl_partition *)(uintptr_t)partition)->sizes;
    *out = NULL;
    const uint32_t *offsets = NULL; /* sizes are made from them */
    SL_TRY(sl_partition_offsets(partition, &offsets, error));
    return get(partition, array, partition->num_entities, make_sizes, "entity sizes", out, error);
}

sl_status sl_partition_labels(const sl_partition *partition, const uint32_t **out, sl_error *error) {
    lazy_array *array = &((sl_partition *)(uintptr_t)partition)->labels;
    return get(partition, array, partition->num_records, make_labels, "entity labels", out, error);
}

sl_status sl_partition_records(const sl_partition *partition, const uint32_t **out, sl_error *error) {
    if (partition->num_records == partition->hierarchy->num_records) {
        *out = partition->hierarchy->order;
        return SL_OK;
    }
    lazy_array *array = &((sl_partition *)(uintptr_t)partition)->records;
    return get(partition, array, partition->num_records, make_records, "records by entity", out, error);
}
