/* changes.c: what changed and why, in C.
 *
 * Nine records, known by number, and scored pairs of them. The program compares the entities at two thresholds, names the merges
 * that bring most pairs of records together and follows the entity of one record from the highest threshold down. */
#include <inttypes.h>
#include <stdio.h>

#include <starlings.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

#define RECORDS 9
#define PAIRS 8
#define MOST 2 /* merges to look into */

static const uint32_t left[PAIRS] = {0, 1, 3, 4, 5, 7, 2, 6}, right[PAIRS] = {1, 2, 4, 5, 6, 8, 3, 7};
static const double scores[PAIRS] = {0.98, 0.95, 0.97, 0.94, 0.86, 0.91, 0.62, 0.4};

static void print_numbers(const char *what, const uint32_t *numbers, uint32_t count) {
    printf(" %s", what);
    for (uint32_t i = 0; i < count; i++) printf(" %" PRIu32, numbers[i]);
}

/* ---- what changed -------------------------------------------------------------------------------------------------- */

static void print_changes(const sl_diff *diff) {
    static const char *const kinds[SL_NUM_CHANGE_KINDS] = {"unchanged", "split", "merged", "rearranged"};
    sl_change change;
    for (uint32_t i = sl_diff_count(diff, SL_CHANGE_UNCHANGED); sl_diff_get(diff, i, &change); i++) {
        printf("  %s:", kinds[change.kind]);
        print_numbers("entities", change.before, change.num_before);
        print_numbers("are now", change.after, change.num_after);
        printf(", %" PRIu32 " records\n", change.num_records);
    }
}

/* Labels are borrowed from the partitions; the diff copies what it needs. */
static sl_status compare(const sl_partition *before, const sl_partition *after, sl_error *error) {
    const uint32_t *old_labels, *new_labels;
    sl_diff *diff = NULL;
    TRY(sl_partition_labels(before, &old_labels, error));
    TRY(sl_partition_labels(after, &new_labels, error));
    TRY(sl_diff_create(old_labels, sl_partition_num_entities(before), new_labels, sl_partition_num_entities(after),
                       RECORDS, &diff, error));
    printf("from %g to %g:\n", sl_partition_threshold(before), sl_partition_threshold(after));
    print_changes(diff);
    sl_diff_release(diff);
    return SL_OK;
}

static sl_status compare_cuts(const sl_hierarchy *hierarchy, double high, double low, sl_error *error) {
    sl_partition *before = NULL, *after = NULL;
    sl_status status = sl_partition_create(hierarchy, 0, high, &before, error);
    if (status == SL_OK) status = sl_partition_create(hierarchy, 0, low, &after, error);
    if (status == SL_OK) status = compare(before, after, error);
    sl_partition_release(before);
    sl_partition_release(after);
    return status;
}

/* ---- and why ------------------------------------------------------------------------------------------------------- */

static sl_status print_critical(const sl_hierarchy *hierarchy, sl_error *error) {
    sl_merge_events *events = NULL;
    uint32_t chosen[MOST], count;
    TRY(sl_merge_events_create(hierarchy, 0, &events, error));
    sl_status status = sl_merge_events_critical(events, MOST, chosen, &count, error);
    if (status == SL_OK) printf("merges of most pairs, weakest first:\n");
    for (uint32_t i = 0; i < count; i++) {
        sl_merge_event event;
        sl_merge_events_get(events, chosen[i], &event);
        printf("  at %g: %" PRIu64 " pairs;", event.threshold, event.num_pairs);
        print_numbers("records", event.records, event.num_records);
        printf("\n");
    }
    sl_merge_events_release(events);
    return status;
}

/* Each entity of the record is a slice of the hierarchy's order. */
static sl_status print_lineage(const sl_hierarchy *hierarchy, uint32_t record, sl_error *error) {
    sl_lineage lineage;
    TRY(sl_hierarchy_lineage(hierarchy, record, &lineage, error));
    printf("record %" PRIu32 " is with:\n", record);
    for (uint32_t step = 1; step < lineage.num_steps; step++) {
        printf("  from %g down:", lineage.thresholds[step]);
        print_numbers("records", sl_hierarchy_order(hierarchy) + lineage.first[step], lineage.size[step]);
        printf("\n");
    }
    sl_lineage_release(&lineage);
    return SL_OK;
}

int main(void) {
    sl_hierarchy *hierarchy = NULL;
    sl_error error;
    sl_status status = sl_hierarchy_build(RECORDS, left, right, scores, PAIRS, NULL, &hierarchy, &error);
    if (status == SL_OK) status = compare_cuts(hierarchy, 0.9, 0.6, &error);
    if (status == SL_OK) status = compare_cuts(hierarchy, 0.6, 0.96, &error);
    if (status == SL_OK) status = print_critical(hierarchy, &error);
    if (status == SL_OK) status = print_lineage(hierarchy, 6, &error);
    sl_hierarchy_release(hierarchy);
    if (status == SL_OK) return 0;
    fprintf(stderr, "%s: %s\n", sl_status_name(status), error.message);
    return 1;
}
