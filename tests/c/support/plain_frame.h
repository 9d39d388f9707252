/* plain_frame.h: what a frame is, as lists: the records in order, which were given, and of each collection its edges and what it
 * uses; and the steps that tests of frames are made of. */
#ifndef SL_TESTS_PLAIN_FRAME_H
#define SL_TESTS_PLAIN_FRAME_H

#include "support/expect.h"

#include "frame/frame_change.h"

/* A record is a number: its source times PLAIN_KEYS plus its key. */
#define PLAIN_KEYS 24u
#define PLAIN_SOURCES 3u
#define PLAIN_IDS (PLAIN_KEYS * PLAIN_SOURCES)
#define PLAIN_MAX_EDGES 12u
#define PLAIN_MAX_COLLECTIONS 6u

#define PLAIN_THRESHOLDS 5u

typedef struct plain_edges {
    uint32_t left[PLAIN_MAX_EDGES], right[PLAIN_MAX_EDGES];
    double scores[PLAIN_MAX_EDGES];
    uint32_t count;
} plain_edges;

typedef struct plain_collection {
    char name[8];
    plain_edges edges;
    bool used[PLAIN_IDS];
} plain_collection;

typedef struct plain_frame {
    uint32_t ids[PLAIN_IDS], count; /* by index */
    bool given[PLAIN_IDS];
    plain_collection collections[PLAIN_MAX_COLLECTIONS];
    uint32_t num_collections;
} plain_frame;

/** Where partitions are compared. */
extern const double plain_thresholds[PLAIN_THRESHOLDS];

/** Index of a record, or `count`. */
uint32_t plain_find(const plain_frame *plain, uint32_t id);
void plain_intern(plain_frame *plain, uint32_t id);
uint32_t plain_garbage(const plain_frame *plain);
void plain_compact(plain_frame *plain);
void plain_add(plain_frame *plain, const char *name, const plain_edges *edges);
/** Position of a collection, or `num_collections`. */
uint32_t plain_position(const plain_frame *plain, const char *name);
void plain_drop(plain_frame *plain, uint32_t position);
/** Up to PLAIN_MAX_EDGES between the first so many ids, with ties and self-loops. */
plain_edges plain_random_edges(uint64_t *random, uint32_t ids);
/** Records 0-1-2-...-12 in a chain, falling scores. */
plain_edges plain_chain(void);

/* Steps of a change. */
sl_status frame_step_give(sl_frame_change *change, const uint32_t *ids, uint32_t count, sl_error *error);
sl_status frame_step_add(sl_frame_change *change, const char *name, const plain_edges *edges, sl_error *error);
/** Row i of the batches describes record first + i, which is there already. */
sl_status frame_step_attach(sl_frame_change *change, sl_batches *batches, uint32_t first, sl_error *error);

/* What must succeed. */
sl_frame *frame_make(void);
sl_frame_change *frame_begin(sl_frame *frame);
void frame_commit(sl_frame_change *change);
void frame_add(sl_frame *frame, const char *name, const plain_edges *edges);
void frame_drop(sl_frame *frame, const char *name);
/** The ids first .. first + count - 1. */
void frame_give(sl_frame *frame, uint32_t first, uint32_t count);
sl_collection *frame_view(const sl_frame *frame, const char *name);
sl_frame_metrics frame_metrics(const sl_frame *frame);
/** A collection of its own. */
sl_collection *frame_collection(const plain_edges *edges);
sl_partition *frame_cut(const sl_collection *collection, double threshold);
/** So many rows of one column. */
sl_batches *frame_batches(uint32_t rows);
bool frame_has_attributes(const sl_frame *frame, uint32_t record);
/** That row of those batches describes the record. */
void frame_expect_attributes(const sl_frame *frame, uint32_t record, const sl_batches *batches, uint64_t row);

/** The state is valid and what the model says: records, sources, given, garbage, every collection's partitions. */
void frame_expect_state(const sl_frame_state *state, const plain_frame *plain);
/** The same of the state now, and of the metrics' counts. */
void frame_expect(const sl_frame *frame, const plain_frame *plain);
/** The frame's memory is what is held beyond `before`, by a test that holds nothing else. */
void frame_expect_held(const sl_frame *frame, uint64_t before);

#endif
