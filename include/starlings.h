/* starlings.h: the whole hierarchy of entities that scored record pairs imply.
 *
 * A linkage model scores pairs of records. At a threshold `t` the entities are the connected components of the pairs
 * scored `t` or more; lowering `t` only merges them. Starlings keeps every one of those partitions at once, in 8 bytes a
 * record, cuts the hierarchy at any threshold and measures every cut against a reference in one pass.
 *
 *     sl_context    who the records are: (source, key) <-> index
 *     sl_hierarchy  how they come together: immutable, built from edges
 *     sl_edge_list  the edges that a hierarchy kept
 *     sl_partition  the entities at one threshold
 *     sl_diff       what changed between two partitions
 *     sl_curve      every metric at every threshold asked for
 *     sl_estimate   the same from a sample of the true entities, with its error
 *     sl_collection a hierarchy with its context and the partitions cut last
 *     sl_frame      many collections over one context, that come and go
 *
 * Conventions that hold for every function below:
 *   - What can fail returns sl_status and takes an optional `sl_error *` (NULL: no details wanted). On an error every
 *     out-parameter is NULL or zero and every input is as it was.
 *   - Objects are opaque and reference counted: `_create`, `_build` and the like give one reference, `_retain` another,
 *     `_release` gives one back and takes NULL. Pointers into an object ("borrowed") live as long as the object.
 *   - Pointers to objects and out-parameters are never NULL, but where a comment says so.
 *   - Records are numbered 0..n-1 by uint32_t in the order in which a context first met them.
 *   - Functions may be called from any thread, on the same objects too, unless their comment says otherwise.
 *   - A forked child may use all it inherits. A context or frame that another thread was changing at the moment of the fork
 *     can be read there by index, cut and measured; changing it, and looking up keys in it if need be, is SL_ERROR_SYSTEM.
 *   - The library never prints, exits or aborts. Its process-wide state is the allocator, the number of threads and the
 *     threads themselves (made when first needed, made again after a fork); all three are set below. */
#ifndef STARLINGS_H
#define STARLINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SL_API
#elif defined(__GNUC__)
#define SL_API __attribute__((visibility("default")))
#else
#define SL_API
#endif
#if defined(__GNUC__)
#define SL_MUST_USE __attribute__((warn_unused_result))
#else
#define SL_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SL_VERSION_MAJOR 0
#define SL_VERSION_MINOR 1
#define SL_VERSION_PATCH 0

/** The version of the library in use, "major.minor.patch". A constant. */
SL_API const char *sl_version(void);

/* ------------------------------------------------------------------------------------------------------------------
 * Status and errors
 * ---------------------------------------------------------------------------------------------------------------- */

typedef enum sl_status {
    SL_OK = 0,
    SL_ERROR_MEMORY,           /**< an allocation failed */
    SL_ERROR_INTERRUPTED,      /**< a progress callback asked to stop */
    SL_ERROR_INVALID_ARGUMENT, /**< an argument that no data can excuse: a bad option, missing arrays, unequal lengths */
    SL_ERROR_INVALID_KEY,      /**< a null key, a negative int, or a type that is no key */
    SL_ERROR_DUPLICATE_KEY,    /**< one key twice in one source where keys must be unique */
    SL_ERROR_KEY_NOT_FOUND,    /**< a key that is not one of the known records */
    SL_ERROR_INVALID_SCORE,    /**< NaN, infinite, null or, of probabilities, outside [0, 1] */
    SL_ERROR_INVALID_THRESHOLD,    /**< NaN, infinite or, of probabilities, outside [0, 1] */
    SL_ERROR_OVERLAP,              /**< one record in two entities */
    SL_ERROR_CAPACITY,             /**< more records or sources than an index can count */
    SL_ERROR_UNKNOWN_METRIC,       /**< no metric of that name */
    SL_ERROR_COLLECTION_NOT_FOUND, /**< no collection of that name */
    SL_ERROR_DUPLICATE_COLLECTION, /**< a collection of that name is there already */
    SL_ERROR_CORRUPT,              /**< a structure that breaks its own invariants */
    SL_ERROR_SYSTEM                /**< the operating system refused something other than memory */
} sl_status;

/** What went wrong and where. Owned by the caller; filled only on errors. */
typedef struct sl_error {
    sl_status status;
    int64_t row;       /**< the offending row, counted from 0 over all batches of the call, or -1 */
    int64_t other_row; /**< a second row (the first holder of a duplicate key, of an overlapping record), or -1 */
    int system_code;   /**< errno, of SL_ERROR_SYSTEM where there is one, else 0 */
    char message[512]; /**< a sentence: what was wrong, where, what to do. UTF-8, NUL-terminated */
} sl_error;

/** A short constant name of a status, such as "invalid score". */
SL_API const char *sl_status_name(sl_status status);

/* ------------------------------------------------------------------------------------------------------------------
 * Memory, threads, progress
 * ---------------------------------------------------------------------------------------------------------------- */

/** Where the library gets its memory. `allocate` returns at least 16-byte aligned memory or NULL. Both may be called
 *  from several threads at once. */
typedef struct sl_allocator {
    void *(*allocate)(void *state, size_t size);
    void (*release)(void *state, void *memory, size_t size);
    void *state;
} sl_allocator;

/** Use this allocator from now on, or the default one again (NULL). Call it while the library holds no memory
 *  (sl_memory_in_use() == 0, SL_ERROR_INVALID_ARGUMENT otherwise). Not thread-safe. */
SL_API SL_MUST_USE sl_status sl_set_allocator(const sl_allocator *allocator, sl_error *error);

/** Bytes the library holds at this moment, over all objects. */
SL_API uint64_t sl_memory_in_use(void);

/** The number of threads long calls may use; 0 asks for the default again: STARLINGS_NUM_THREADS from the environment,
 *  else the processors this process may run on. Results never depend on it. */
SL_API void sl_set_num_threads(uint32_t num_threads);
SL_API uint32_t sl_num_threads(void);

/** Called about every 20 ms in a long call, always on the thread that made the call. A non-zero answer stops the call with
 *  SL_ERROR_INTERRUPTED. `phase` is a constant such as "reading edges"; `done` of `total` units of that phase are done. Where
 *  the call appends to a context, it holds the context's lock meanwhile: nothing that waits for that lock may be called. */
typedef struct sl_progress {
    int (*tick)(void *state, const char *phase, uint64_t done, uint64_t total);
    void *state;
} sl_progress;

/* ------------------------------------------------------------------------------------------------------------------
 * Columns: how data comes in. Layouts are Arrow's, so Arrow buffers are read in place; nothing is copied.
 * ---------------------------------------------------------------------------------------------------------------- */

typedef enum sl_column_type {
    SL_COLUMN_INT8 = 1,
    SL_COLUMN_INT16,
    SL_COLUMN_INT32,
    SL_COLUMN_INT64,
    SL_COLUMN_UINT8,
    SL_COLUMN_UINT16,
    SL_COLUMN_UINT32,
    SL_COLUMN_UINT64,
    SL_COLUMN_FLOAT32,
    SL_COLUMN_FLOAT64,
    SL_COLUMN_STRING,       /**< int32 offsets, UTF-8 */
    SL_COLUMN_LARGE_STRING, /**< int64 offsets, UTF-8 */
    SL_COLUMN_STRING_VIEW,  /**< Arrow 16-byte views, UTF-8 */
    SL_COLUMN_BINARY,
    SL_COLUMN_LARGE_BINARY,
    SL_COLUMN_BINARY_VIEW,
    SL_COLUMN_FIXED_BINARY, /**< `width` bytes a value */
    SL_COLUMN_KEYS,         /**< an array of sl_key: mixed kinds, for callers whose data is not columnar */
    SL_COLUMN_NULL,         /**< every value is null */
    SL_COLUMN_DECIMAL128    /**< 16-byte decimals with `width` digits after the point; for scores, no keys */
} sl_column_type;

typedef enum sl_key_kind { SL_KEY_U32 = 0, SL_KEY_U64 = 1, SL_KEY_STRING = 2, SL_KEY_BYTES = 3 } sl_key_kind;

/** One key. An int below 2^32 is SL_KEY_U32, a larger one SL_KEY_U64; the int 5 and the string "5" differ. */
typedef struct sl_key {
    sl_key_kind kind;
    uint32_t length;      /**< bytes of a string or bytes key, else 0 */
    uint64_t number;      /**< of an int key */
    const uint8_t *bytes; /**< of a string (UTF-8, not NUL-terminated) or bytes key; borrowed */
} sl_key;

/** A borrowed column: the caller keeps every buffer alive and unchanged during the call it is passed to.
 *  With `dictionary`, `type` is the type of the indices (any int type) and the values are the dictionary's. */
typedef struct sl_column {
    sl_column_type type;
    uint64_t length;
    uint64_t offset;            /**< in values: logical value i is at offset + i of every buffer */
    const uint8_t *validity;    /**< Arrow bitmap, bit set = present; NULL: no nulls */
    const void *values;         /**< numbers, string bytes, views, fixed-width bytes or sl_key */
    const void *offsets;        /**< int32_t or int64_t, for (large) string and binary */
    uint32_t width;             /**< of SL_COLUMN_FIXED_BINARY and SL_COLUMN_DECIMAL128 */
    const void *const *buffers; /**< data buffers of view columns */
    uint64_t num_buffers;
    const int64_t *buffer_sizes; /**< bytes of each data buffer of view columns */
    uint64_t values_size;        /**< bytes in `values` of (large) string and binary, 0 if unknown */
    const struct sl_column *dictionary;
} sl_column;

/** Keys with the source of each: `sources[i]` where `sources` is given (`keys.length` values), else `source` for all. */
typedef struct sl_key_column {
    sl_column keys;
    uint16_t source;
    const uint16_t *sources;
} sl_key_column;

/** A batch of scored pairs; the three columns have one length. Scores may be any number column. */
typedef struct sl_edges {
    sl_key_column left;
    sl_key_column right;
    sl_column score;
} sl_edges;

/* ------------------------------------------------------------------------------------------------------------------
 * Records: the data context
 * ---------------------------------------------------------------------------------------------------------------- */

/** Append-only set of records. A record is one (source, key); its index never changes. Appends are serialised inside;
 *  reading records by index needs no lock; looking up keys, sources or attributes, copying and measuring memory take turns with
 *  an append that is on its way, every few milliseconds. 12 bytes a record, string bytes, and an index. */
typedef struct sl_context sl_context;

#define SL_MAX_RECORDS UINT32_C(4294967294) /**< 2^32-2 */
#define SL_MAX_SOURCES 65535
#define SL_NO_RECORD UINT32_MAX /**< "no such record" where an index is expected */

typedef struct sl_record {
    uint16_t source;
    sl_key key; /**< bytes borrowed from the context */
} sl_record;

SL_API SL_MUST_USE sl_status sl_context_create(sl_context **out, sl_error *error);
/** An independent context with the same sources and the first `num_records` records (all: SL_MAX_RECORDS). O(n). */
SL_API SL_MUST_USE sl_status sl_context_copy(const sl_context *context, uint32_t num_records, sl_context **out,
                                             sl_error *error);
SL_API sl_context *sl_context_retain(sl_context *context);
SL_API void sl_context_release(sl_context *context);

/** The id of a source name (UTF-8, `length` bytes), interned if new. Ids count from 0 in order of first use. */
SL_API SL_MUST_USE sl_status sl_context_add_source(sl_context *context, const char *name, size_t length,
                                                   uint16_t *out_source, sl_error *error);
/** The id of a known source name; false if there is none. */
SL_API bool sl_context_find_source(const sl_context *context, const char *name, size_t length, uint16_t *out_source);
/** A string column (dictionary-encoded or not) of source names to ids, interned if new; `sources` has one slot a value.
 *  SL_ERROR_INVALID_KEY with the row for a null. */
SL_API SL_MUST_USE sl_status sl_context_add_sources(sl_context *context, const sl_column *names, uint16_t *sources,
                                                    sl_error *error);
SL_API uint32_t sl_context_num_sources(const sl_context *context);
/** Name of a source, borrowed, NUL-terminated; `length` (optional) gets its bytes. NULL for an unknown id. */
SL_API const char *sl_context_source_name(const sl_context *context, uint16_t source, size_t *length);

SL_API uint32_t sl_context_num_records(const sl_context *context);
/** Record `index`; false beyond the last. O(1). */
SL_API bool sl_context_record(const sl_context *context, uint32_t index, sl_record *out);

/** Append new records of one source, in order; their indices are *out_first, *out_first + 1, ... All or nothing:
 *  SL_ERROR_DUPLICATE_KEY names key and rows (other_row -1: the key was there before the call). */
SL_API SL_MUST_USE sl_status sl_context_add_records(sl_context *context, const sl_key_column *keys, uint32_t *out_first,
                                                    sl_error *error);
/** Indices of keys, appending those not met before, in order. `indices` has one slot a key. All or nothing. */
SL_API SL_MUST_USE sl_status sl_context_intern(sl_context *context, const sl_key_column *keys, uint32_t *indices,
                                               const sl_progress *progress, sl_error *error);
/** Indices of keys, SL_NO_RECORD for unknown ones. Changes nothing. SL_ERROR_INVALID_KEY for what is no key. */
SL_API SL_MUST_USE sl_status sl_context_find(const sl_context *context, const sl_key_column *keys, uint32_t *indices,
                                             sl_error *error);
/** Forget the records from index `num_records` on, as if they had never been added. For undoing one's own appends; the
 *  caller knows that nobody uses them. Sources stay. */
SL_API void sl_context_truncate(sl_context *context, uint32_t num_records);

/** The key kinds in use: bit (1 << sl_key_kind) for each. */
SL_API uint32_t sl_context_key_kinds(const sl_context *context);

/** Indices in `context` of the first `num_records` records of `other` (all: SL_MAX_RECORDS), by source name and key;
 *  `translation` has one slot for each. Those not met before are appended in the order of `other`, with their attributes.
 *  All or nothing (sources stay). `other` may be `context`. O(n), in one go: other appends to `context` wait. */
SL_API SL_MUST_USE sl_status sl_context_assimilate(sl_context *context, const sl_context *other, uint32_t num_records,
                                                   uint32_t *translation, const sl_progress *progress, sl_error *error);
/** Bytes held by the context, as the allocator counts them: records, keys, look-up, sources. Attributes belong to who
 *  made them and are not counted. */
SL_API uint64_t sl_context_memory(const sl_context *context);

/* ------------------------------------------------------------------------------------------------------------------
 * Record sets
 * ---------------------------------------------------------------------------------------------------------------- */

/** An immutable set of record indices, compressed (a Roaring bitmap: runs cost next to nothing, scattered records at most
 *  two bytes each). Reference counted. */
typedef struct sl_record_set sl_record_set;

/** The set of these records, in any order, repeats allowed. SL_ERROR_INVALID_ARGUMENT with the row for SL_NO_RECORD.
 *  O(n log n), O(n) where they ascend. Making a set takes a few times its memory while it lasts. */
SL_API SL_MUST_USE sl_status sl_record_set_create(const uint32_t *records, uint64_t count, sl_record_set **out,
                                                  sl_error *error);
/** The records first..end-1; none if the two are equal, SL_ERROR_INVALID_ARGUMENT if `end` is the smaller. */
SL_API SL_MUST_USE sl_status sl_record_set_create_range(uint32_t first, uint32_t end, sl_record_set **out,
                                                        sl_error *error);
/** Records of either set; records of `a` that are not in `b`. */
SL_API SL_MUST_USE sl_status sl_record_set_union(const sl_record_set *a, const sl_record_set *b, sl_record_set **out,
                                                 sl_error *error);
SL_API SL_MUST_USE sl_status sl_record_set_difference(const sl_record_set *a, const sl_record_set *b,
                                                      sl_record_set **out, sl_error *error);
SL_API sl_record_set *sl_record_set_retain(const sl_record_set *set);
SL_API void sl_record_set_release(sl_record_set *set);
SL_API uint32_t sl_record_set_count(const sl_record_set *set);
SL_API bool sl_record_set_contains(const sl_record_set *set, uint32_t record);
/** All records, ascending; `records` has sl_record_set_count slots. */
SL_API void sl_record_set_list(const sl_record_set *set, uint32_t *records);
SL_API bool sl_record_set_equal(const sl_record_set *a, const sl_record_set *b);
/** Bytes held by the set, as the allocator counts them. */
SL_API uint64_t sl_record_set_memory(const sl_record_set *set);

/** Records of one source among the first `num_records` (all: SL_MAX_RECORDS). SL_ERROR_INVALID_ARGUMENT for an unknown
 *  source. O(n). */
SL_API SL_MUST_USE sl_status sl_context_source_records(const sl_context *context, uint16_t source, uint32_t num_records,
                                                       sl_record_set **out, sl_error *error);
/** An independent context of the records in `records` only, in their order, with the sources they are from (in order of
 *  first use) and their attributes: what was record r is now record rank(r). SL_ERROR_INVALID_ARGUMENT
 *  for an index beyond the last. O(n). */
SL_API SL_MUST_USE sl_status sl_context_select(const sl_context *context, const sl_record_set *records,
                                               sl_context **out, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Attributes: what else is known of records, as the Arrow batches that came in (the structs are declared at the end)
 * ---------------------------------------------------------------------------------------------------------------- */

struct ArrowSchema;
struct ArrowArray;
struct ArrowArrayStream;

/** Arrow record batches of one schema, kept as they came in: no buffer is copied. Immutable, reference counted; releases
 *  the Arrow structures with the last reference. */
typedef struct sl_batches sl_batches;

/** All batches of a stream, which is released in every case. SL_ERROR_INVALID_ARGUMENT if its type is no struct, if a row is
 *  null as a whole (with its number), if the structs are malformed, or with the stream's own message if it fails. Buffers are
 *  not looked into. */
SL_API SL_MUST_USE sl_status sl_batches_from_stream(struct ArrowArrayStream *stream, sl_batches **out, sl_error *error);
SL_API sl_batches *sl_batches_retain(const sl_batches *batches);
SL_API void sl_batches_release(sl_batches *batches);
SL_API uint64_t sl_batches_num_rows(const sl_batches *batches);
SL_API uint64_t sl_batches_num_batches(const sl_batches *batches);
/** Borrowed; NULL for a batch beyond the last. */
SL_API const struct ArrowSchema *sl_batches_schema(const sl_batches *batches);
SL_API const struct ArrowArray *sl_batches_batch(const sl_batches *batches, uint64_t index);
/** These rows in this order (NULL: all of them, batch by batch) as a stream that shares the buffers: consecutive rows of one
 *  batch come as one batch. The stream and all that comes from it keep the batches alive, moved children too. O(runs x columns).
 *  SL_ERROR_INVALID_ARGUMENT for a row beyond the last. */
SL_API SL_MUST_USE sl_status sl_batches_export(const sl_batches *batches, const uint64_t *rows, uint64_t count,
                                               struct ArrowArrayStream *out, sl_error *error);

/** From now on row i of `batches` describes record records[i] (SL_NO_RECORD: none); one value a row. NULL: row i describes
 *  record first + i. A record that has attributes already gets these instead; of several rows for one record the first
 *  counts. Retains `batches`, unless they describe no record after all, and releases those that describe none any more.
 *  SL_ERROR_INVALID_ARGUMENT with the row for a record that is not there. O(1) for records behind all that have
 *  attributes, else O(rows + attributes kept); 12 bytes for each run of records in consecutive rows. */
SL_API SL_MUST_USE sl_status sl_context_attach(sl_context *context, sl_batches *batches, const uint32_t *records,
                                               uint32_t first, sl_error *error);
SL_API uint32_t sl_context_num_attachments(const sl_context *context);
/** One more reference to the batches that were attached as number `attachment`; NULL beyond the last and where they describe no
 *  record any more, because of a truncation or of later attachments. */
SL_API sl_batches *sl_context_attachment(const sl_context *context, uint32_t attachment);
/** Where the attributes of each of these records are: number of the attachment (SL_NO_RECORD: it has none) and row. O(count)
 *  for records that ascend, else O(log n) each. */
SL_API void sl_context_find_attributes(const sl_context *context, const uint32_t *records, uint64_t count,
                                       uint32_t *attachments, uint64_t *rows);

/* ------------------------------------------------------------------------------------------------------------------
 * Hierarchies
 * ---------------------------------------------------------------------------------------------------------------- */

/** Every partition of n records, from every threshold at once: two arrays in leaf order.
 *
 *      order[n]   records, arranged so that every entity at every threshold is a contiguous slice
 *      join[n]    join[i]: the level at which positions i and i+1 come together, or SL_NEVER
 *      levels[k]  the thresholds at which something merges, descending; a level is an index into it
 *
 *  Canonical: the same records and edges give the same bytes, whatever the order of the edges, the batches or the number
 *  of threads (children of each merge, and the parts that never merge, are ordered by their smallest record).
 *  Immutable. 8 bytes a record and 8 bytes a distinct threshold. */
typedef struct sl_hierarchy sl_hierarchy;

#define SL_NEVER UINT32_MAX

/** What scores and thresholds are. */
typedef enum sl_scale {
    SL_SCALE_PROBABILITY = 0, /**< numbers in [0, 1] */
    SL_SCALE_WEIGHT           /**< any finite numbers, such as match weights; thresholds are in the same units */
} sl_scale;

/** Which edges a hierarchy keeps beside what they imply. */
typedef enum sl_keep {
    SL_KEEP_NOTHING = 0,
    SL_KEEP_FOREST, /**< the edges that joined something, one a join: 8 bytes a record (sl_hierarchy_explain) */
    SL_KEEP_ALL     /**< these and all edges (sl_hierarchy_edges): 16 bytes an edge more */
} sl_keep;

/** How edges are read. Zero-initialise, then set what differs. */
typedef struct sl_build_options {
    uint32_t decimals;           /**< scores are rounded half-even to 1..6 decimals; 0: the default, 6 */
    bool exact;                  /**< compare scores as the doubles they are; `decimals` must be 0 */
    bool known_records_only;     /**< SL_ERROR_KEY_NOT_FOUND for a key that the context does not hold */
    sl_scale scale;              /**< that of the hierarchy to extend must be the same: SL_ERROR_INVALID_ARGUMENT */
    sl_keep keep;                /**< what to keep of edges; neighbours in order stand for those a base did not keep */
    uint64_t first_row;          /**< added to the row numbers in errors */
    const sl_progress *progress; /**< optional */
} sl_build_options;

/** The hierarchy of edges between records 0..num_records-1: edge i joins left[i] and right[i] with scores[i].
 *  Self-loops and duplicates are allowed; the highest score counts. `options` may be NULL.
 *  SL_ERROR_INVALID_SCORE (NaN, infinite or, of probabilities, more than 1e-9 outside [0, 1]) or SL_ERROR_INVALID_ARGUMENT (an
 *  index out of range), each with the row. Rounding leaves weights of 2^51 / 10^decimals and more as they are. O(edges +
 *  records); memory at work, the result included, 12 bytes an edge and 28 a record; where edges are kept 28 an edge or, if that is
 *  more, 16 an edge and 44 a record, and SL_ERROR_CAPACITY for 2^32-1 edges or more. Exact scores and weights: 8 an edge more. */
SL_API SL_MUST_USE sl_status sl_hierarchy_build(uint32_t num_records, const uint32_t *left, const uint32_t *right,
                                                const double *scores, uint64_t count, const sl_build_options *options,
                                                sl_hierarchy **out, sl_error *error);

/** The hierarchy of batches of keyed edges, over all records of the context, after interning their keys (row by row,
 *  left before right). `base` (optional) is a hierarchy over earlier records of the same context, which the edges extend:
 *  O(records + new edges), where all edges are kept O(records + all edges). Levels of the base stay as they are; an exact base makes
 *  the result exact; constraints of the base are applied anew, for which it must have kept all edges (else
 *  SL_ERROR_INVALID_ARGUMENT). Scores are checked before keys, so a bad score is reported before a bad key of an earlier row. On an
 *  error the context holds what it held before. */
SL_API SL_MUST_USE sl_status sl_hierarchy_extend(sl_context *context, const sl_hierarchy *base, const sl_edges *batches,
                                                 size_t num_batches, const sl_build_options *options,
                                                 sl_hierarchy **out, sl_error *error);

/** The hierarchy of both hierarchies' edges together (either may be NULL), over `num_records` records. Record r of `other` is record
 *  translation[r] of the result (NULL: itself). Exact if either is. Keeps of the edges what both kept, in the order of their new
 *  records. One alone keeps its constraints and is joined as it was; two of which one has constraints, and two of
 *  different scales, are SL_ERROR_INVALID_ARGUMENT. O(records + kept edges). */
SL_API SL_MUST_USE sl_status sl_hierarchy_merge(const sl_hierarchy *base, const sl_hierarchy *other,
                                                const uint32_t *translation, uint32_t num_records,
                                                const sl_progress *progress, sl_hierarchy **out, sl_error *error);

/** The hierarchy in which records[i] belongs to entity entities[i], all joined at `threshold`; records not named are
 *  singletons. `records` NULL: record i is in entities[i]. Naming a record twice is an error only for two different
 *  entities: SL_ERROR_OVERLAP with both rows. Entity ids are any numbers below `num_entities`. On the scale of probabilities. O(n). */
SL_API SL_MUST_USE sl_status sl_hierarchy_from_entities(uint32_t num_records, const uint32_t *records,
                                                        const uint32_t *entities, uint64_t count, uint32_t num_entities,
                                                        double threshold, sl_hierarchy **out, sl_error *error);

SL_API sl_hierarchy *sl_hierarchy_retain(const sl_hierarchy *hierarchy);
SL_API void sl_hierarchy_release(sl_hierarchy *hierarchy);

SL_API uint32_t sl_hierarchy_num_records(const sl_hierarchy *hierarchy);
SL_API uint32_t sl_hierarchy_num_levels(const sl_hierarchy *hierarchy);
/** Merge events: one for every set of two or more components that become one at one threshold. O(n), then remembered. */
SL_API uint32_t sl_hierarchy_num_merges(const sl_hierarchy *hierarchy);
/** The arrays described above, borrowed. */
SL_API const uint32_t *sl_hierarchy_order(const sl_hierarchy *hierarchy);
SL_API const uint32_t *sl_hierarchy_join(const sl_hierarchy *hierarchy);
SL_API const double *sl_hierarchy_levels(const sl_hierarchy *hierarchy);
/** True if scores were kept as doubles; otherwise thresholds are rounded half-even to 6 decimals before comparing, but for those of
 *  2^51 / 10^6 and more. */
SL_API bool sl_hierarchy_is_exact(const sl_hierarchy *hierarchy);
/** What its levels, and thresholds for it, are. */
SL_API sl_scale sl_hierarchy_scale(const sl_hierarchy *hierarchy);
/** Bytes held by the hierarchy, with the kept edges and constraints that it may share with others. */
SL_API uint64_t sl_hierarchy_memory(const sl_hierarchy *hierarchy);
/** How many levels apply at `threshold` (0..num_levels): two thresholds with one answer have the same partition.
 *  SL_ERROR_INVALID_THRESHOLD for NaN, infinity and, of probabilities, outside [0, 1]. O(log levels). */
SL_API SL_MUST_USE sl_status sl_hierarchy_applied_levels(const sl_hierarchy *hierarchy, double threshold,
                                                         uint32_t *out_levels, sl_error *error);
/** The same order, joins, levels and kind of scores (scale, rounded or exact), byte for byte. Kept edges are not compared. */
SL_API bool sl_hierarchy_equal(const sl_hierarchy *a, const sl_hierarchy *b);
/** SL_ERROR_CORRUPT with the reason unless every invariant holds, the canonical order and kept edges included. O(n log n + kept
 *  edges). */
SL_API SL_MUST_USE sl_status sl_hierarchy_validate(const sl_hierarchy *hierarchy, sl_error *error);
/** The highest threshold at which records a and b are together: *out_together false if there is none. a and b differ and
 *  may lie beyond the hierarchy's records, else SL_ERROR_INVALID_ARGUMENT. O(n). */
SL_API SL_MUST_USE sl_status sl_hierarchy_threshold_between(const sl_hierarchy *hierarchy, uint32_t a, uint32_t b,
                                                            double *out_threshold, bool *out_together, sl_error *error);
/** The records that its edges or entities named, those that they join to nothing included. O(n). */
SL_API SL_MUST_USE sl_status sl_hierarchy_named_records(const sl_hierarchy *hierarchy, sl_record_set **out,
                                                        sl_error *error);
/** The hierarchy over the records in `records` only, renumbered by rank as sl_context_select does. The records left out are
 *  joined to nothing, else SL_ERROR_INVALID_ARGUMENT. Keeps what `hierarchy` kept of its edges, and its constraints. O(n + kept
 *  edges). */
SL_API SL_MUST_USE sl_status sl_hierarchy_select(const sl_hierarchy *hierarchy, const sl_record_set *records,
                                                 sl_hierarchy **out, sl_error *error);

/** How a hierarchy answers to its threshold, over all thresholds from 0 to 1; of weights, from the lowest to the highest level. */
typedef struct sl_lifetimes {
    double entity_stability;      /**< mean of the metric of that name over all thresholds */
    double threshold_sensitivity; /**< likewise */
} sl_lifetimes;

/** Means over all thresholds of entity_stability and of threshold_sensitivity with this `parameter` (SL_SENSITIVITY_SHIFT, or
 *  another shift above 0 and at most 1; rounded to 6 decimals unless the hierarchy is exact), over `num_records` records (0: the
 *  hierarchy's own). 1 and 0 without records. SL_ERROR_INVALID_ARGUMENT for another shift and for fewer records than the hierarchy
 *  has. O(n), 16 bytes a level. Definitions: docs/metrics.md, section "Lifetimes". */
SL_API SL_MUST_USE sl_status sl_hierarchy_lifetimes(const sl_hierarchy *hierarchy, uint32_t num_records,
                                                    double parameter, sl_lifetimes *out, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Kept edges
 * ---------------------------------------------------------------------------------------------------------------- */

/** A sparse list of scored pairs with adjacency. Each pair once, with its highest score, the smaller record on the left; strongest
 *  first, equal scores by left and right record. Immutable, reference counted. 16 bytes an edge; adjacency, made when first asked
 *  for, 8 bytes a record and 16 an edge more. */
typedef struct sl_edge_list sl_edge_list;

/** The list of these edges between records 0..num_records-1; scores are read as sl_hierarchy_build reads them, with its errors.
 *  Self-loops are left out. `options` may be NULL; its `keep` is not used. SL_ERROR_CAPACITY for 2^32-1 edges or more, duplicates
 *  counted. */
SL_API SL_MUST_USE sl_status sl_edge_list_create(uint32_t num_records, const uint32_t *left, const uint32_t *right,
                                                 const double *scores, uint64_t count, const sl_build_options *options,
                                                 sl_edge_list **out, sl_error *error);
SL_API sl_edge_list *sl_edge_list_retain(const sl_edge_list *edges);
SL_API void sl_edge_list_release(sl_edge_list *edges);
SL_API uint32_t sl_edge_list_num_records(const sl_edge_list *edges);
SL_API uint64_t sl_edge_list_count(const sl_edge_list *edges);
/** The columns, borrowed. */
SL_API const uint32_t *sl_edge_list_left(const sl_edge_list *edges);
SL_API const uint32_t *sl_edge_list_right(const sl_edge_list *edges);
SL_API const double *sl_edge_list_scores(const sl_edge_list *edges);
/** The neighbours of a record, strongest first, and the numbers of the edges to them; borrowed. SL_ERROR_INVALID_ARGUMENT for a record
 *  beyond the last. O(1), but O(records + edges) the first time. */
SL_API SL_MUST_USE sl_status sl_edge_list_neighbours(const sl_edge_list *edges, uint32_t record,
                                                     const uint32_t **out_records, const uint32_t **out_edges,
                                                     uint32_t *out_count, sl_error *error);
/** Bytes held by the list at this moment: with its adjacency once that is made. */
SL_API uint64_t sl_edge_list_memory(const sl_edge_list *edges);

/** What a hierarchy kept of its edges. */
SL_API sl_keep sl_hierarchy_kept(const sl_hierarchy *hierarchy);
/** All its edges, borrowed; NULL unless it kept them. */
SL_API const sl_edge_list *sl_hierarchy_edges(const sl_hierarchy *hierarchy);
/** The edge that joined what meets between positions i and i + 1 of the order (one of each score may stand for another of the
 *  same merge): its records left[i] < right[i], SL_NO_RECORD where nothing is joined; its score is that of the join. The edges of
 *  the maximum spanning forest that Kruskal's algorithm finds in the order of an sl_edge_list. Borrowed, NULL unless kept. */
SL_API const uint32_t *sl_hierarchy_forest_left(const sl_hierarchy *hierarchy);
SL_API const uint32_t *sl_hierarchy_forest_right(const sl_hierarchy *hierarchy);

/** The merges alone: the hierarchy without what it kept of its edges and without its constraints. O(n); shares the hierarchy where it
 *  has neither. */
SL_API SL_MUST_USE sl_status sl_hierarchy_strip(const sl_hierarchy *hierarchy, sl_hierarchy **out, sl_error *error);

/** Why two records are together: the one path between them in the forest of kept edges. No other chain of edges has a stronger
 *  weakest link, between any two of its records. */
typedef struct sl_chain {
    uint32_t num_edges; /**< 0: the records are never together, and the arrays are NULL */
    double threshold;   /**< the weakest link: where the two come together */
    uint32_t *records;  /**< num_edges + 1, from a to b */
    double *scores;     /**< num_edges */
} sl_chain;

/** The chain between two different records, to be given back with sl_chain_release. They may lie beyond the hierarchy's records, else
 *  SL_ERROR_INVALID_ARGUMENT, as for a hierarchy that kept no edges. O(records). */
SL_API SL_MUST_USE sl_status sl_hierarchy_explain(const sl_hierarchy *hierarchy, uint32_t a, uint32_t b, sl_chain *out,
                                                  sl_error *error);
/** Release the arrays and zero the struct. */
SL_API void sl_chain_release(sl_chain *chain);

/* ------------------------------------------------------------------------------------------------------------------
 * Constraints: merges that must not be
 * ---------------------------------------------------------------------------------------------------------------- */

/** Which of several edges of one score count where not all can. */
typedef enum sl_ties {
    SL_TIES_IN_ORDER = 0, /**< those that come first by left, then right record */
    SL_TIES_DROP /**< none: edges of one score that each could join, but not all together, are refused together */
} sl_ties;

/** What no entity may be, at any threshold. Zero-initialise, then set what differs. */
typedef struct sl_constraints {
    const char *const *unique_sources; /**< names (NUL-terminated): an entity has at most one record of each */
    uint32_t num_unique_sources;
    uint32_t max_entity_size; /**< records in an entity at most; 0: any number */
    sl_ties ties;
} sl_constraints;

/** The hierarchy of the edges that `hierarchy` kept (SL_KEEP_ALL, else SL_ERROR_INVALID_ARGUMENT), taken strongest first, in which an
 *  edge that would make an entity that `constraints` do not allow is left out. With SL_TIES_DROP, of the edges of one score those
 *  that are not allowed by themselves are skipped first; then edges that together would join entities to one that is not
 *  allowed are all refused as tied. Still a hierarchy: every threshold is exact. It keeps `keep` of the edges, those left out
 *  included, and remembers the constraints: extending it applies them anew, to all edges, which it must have kept
 *  for that. `context` tells the records' sources; an unknown name is a source without records. A `hierarchy` that has constraints
 *  already loses them. SL_ERROR_INVALID_ARGUMENT for names that are missing or not UTF-8, an unknown `ties` or `keep`, and a context
 *  with fewer records than the hierarchy. O(edges + records) on one thread; memory at work, the result included, 48 bytes a record, 12
 *  more with SL_TIES_DROP, and one bit a record for each unique source that has records (in steps of 64). */
SL_API SL_MUST_USE sl_status sl_hierarchy_constrain(const sl_context *context, const sl_hierarchy *hierarchy,
                                                    const sl_constraints *constraints, sl_keep keep,
                                                    const sl_progress *progress, sl_hierarchy **out, sl_error *error);
/** Whether it was made by sl_hierarchy_constrain; then `constraints` (optional) gets them, borrowed. */
SL_API bool sl_hierarchy_constraints(const sl_hierarchy *hierarchy, sl_constraints *constraints);
/** Edges between different entities that were left out: skipped because the constraints forbid the merge, refused as tied. 0
 *  without constraints. */
SL_API uint64_t sl_hierarchy_num_skipped(const sl_hierarchy *hierarchy);
SL_API uint64_t sl_hierarchy_num_tied(const sl_hierarchy *hierarchy);

/* ------------------------------------------------------------------------------------------------------------------
 * How an entity comes about
 * ---------------------------------------------------------------------------------------------------------------- */

/** The entities of one record at every threshold, smallest first: each a slice of the hierarchy's order that holds the one before.
 *  The first is the record alone, above every threshold. */
typedef struct sl_lineage {
    uint32_t num_steps; /**< at least 1 */
    double *thresholds; /**< where it becomes this entity; NaN for the first */
    uint32_t *first;    /**< position in the order at which the slice starts; SL_NO_RECORD: beyond the hierarchy */
    uint32_t *size;     /**< its records */
} sl_lineage;

/** To be given back with sl_lineage_release. A record beyond the hierarchy's has one step. O(n). */
SL_API SL_MUST_USE sl_status sl_hierarchy_lineage(const sl_hierarchy *hierarchy, uint32_t record, sl_lineage *out,
                                                  sl_error *error);
/** Release the arrays and zero the struct. */
SL_API void sl_lineage_release(sl_lineage *lineage);

/* ------------------------------------------------------------------------------------------------------------------
 * Blocks: records that never meet
 * ---------------------------------------------------------------------------------------------------------------- */

/** The parts of a hierarchy that no edge connects, largest first; of one size, in the order of the leaf order. Each is a slice of
 *  the order, and whatever is computed of hierarchies can be computed block by block. */
typedef struct sl_blocks sl_blocks;

/** The blocks of `hierarchy`, which they keep alive. O(n + blocks log blocks), 8 bytes a block. */
SL_API SL_MUST_USE sl_status sl_blocks_create(const sl_hierarchy *hierarchy, sl_blocks **out, sl_error *error);
SL_API void sl_blocks_release(sl_blocks *blocks);
SL_API uint32_t sl_blocks_count(const sl_blocks *blocks);
/** Where block `index` starts in the order and how many records it has; false beyond the last. */
SL_API bool sl_blocks_get(const sl_blocks *blocks, uint32_t index, uint32_t *out_first, uint32_t *out_size);

/** One of many tasks of a parallel call. `lane` is below sl_num_threads() and this thread's alone during the call, for scratch
 *  memory; 0 is the calling thread. An answer other than SL_OK makes the call fail with that status; then fill `error`. */
typedef sl_status (*sl_task)(void *state, uint64_t task, uint32_t lane, sl_error *error);

/** Run tasks 0..num_tasks-1 on the library's threads. A thread that is done claims the next task, those of the largest `costs` (any
 *  unit, NULL: all alike) first, so that no thread waits for one long task at the end. A task that fails stops those of higher
 *  numbers that have not begun: the failure reported is that of the lowest number that fails, on any number of threads. `phase`
 *  (a constant; may be NULL) names the work for `progress`, which is told of tasks and asked between two of them. Tasks may call any
 *  function of the library, this one included, which then runs on the task's thread. 16 bytes a task where costs rise. */
SL_API SL_MUST_USE sl_status sl_parallel_for(uint64_t num_tasks, const uint64_t *costs, sl_task run, void *state,
                                             const char *phase, const sl_progress *progress, sl_error *error);
/** sl_parallel_for over blocks: task i is block i, its cost its size. */
SL_API SL_MUST_USE sl_status sl_blocks_for_each(const sl_blocks *blocks, sl_task run, void *state,
                                                const sl_progress *progress, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Merge events
 * ---------------------------------------------------------------------------------------------------------------- */

/** The merges of a hierarchy, highest threshold first, those of one threshold by their smallest record. Components are
 *  numbered as in SciPy's linkage: r < num_records is record r alone, num_records + e is the result of event e. */
typedef struct sl_merge_events sl_merge_events;

/** One merge: two or more components becoming one at one threshold. */
typedef struct sl_merge_event {
    double threshold;
    uint64_t result;            /**< num_records + number of the event */
    const uint64_t *components; /**< what merges, by smallest record; borrowed from the events */
    uint32_t num_components;
    uint32_t num_records;    /**< affected ones: those of the result */
    const uint32_t *records; /**< a slice of the hierarchy's order; borrowed from the events */
    uint64_t num_pairs; /**< pairs of records that come together: those of the result less those of its components */
} sl_merge_event;

/** The merges of `hierarchy`, taken over `num_records` records (0: its own; later ones merge with nothing, but count in the
 *  numbers of results). Immutable; keeps the hierarchy alive. O(n), 16 bytes a merge and 8 a component.
 *  SL_ERROR_INVALID_ARGUMENT for fewer records than the hierarchy's. */
SL_API SL_MUST_USE sl_status sl_merge_events_create(const sl_hierarchy *hierarchy, uint32_t num_records,
                                                    sl_merge_events **out, sl_error *error);
SL_API void sl_merge_events_release(sl_merge_events *events);
SL_API uint32_t sl_merge_events_count(const sl_merge_events *events);
/** Event number `index`; false beyond the last. O(its components), which are counted for num_pairs. The components of one event are
 *  followed in memory by those of the next. */
SL_API bool sl_merge_events_get(const sl_merge_events *events, uint32_t index, sl_merge_event *out);

/** The `count` events that bring most pairs together (num_pairs), or all where there are fewer, by ascending threshold and then number:
 *  of equal ones those of lower threshold, then of lower number, are taken. `events_out` has room for `count`; *out_count gets
 *  how many there are. O(components + events), 24 bytes an event while it works. */
SL_API SL_MUST_USE sl_status sl_merge_events_critical(const sl_merge_events *events, uint32_t count,
                                                      uint32_t *events_out, uint32_t *out_count, sl_error *error);

/** The hierarchy of given merges over records 0..num_records-1. Event e merges components[offsets[e]] ..
 *  components[offsets[e + 1] - 1], in any order, numbered as above, at thresholds[e]; events come highest threshold first, those
 *  of one threshold in any order in which they can be made. Merges of one component at one threshold become one event, so the
 *  merges of the result may be fewer. `exact`: keep thresholds as they are, else they are rounded to 6 decimals before they are
 *  compared. `scale`: that of the thresholds and of the result. With the event as row: SL_ERROR_INVALID_THRESHOLD (NaN, infinite
 *  or, of probabilities, outside [0, 1]), SL_ERROR_INVALID_ARGUMENT (fewer than two
 *  components, one that is not there yet or was merged before, a threshold above the one before). O(n). */
SL_API SL_MUST_USE sl_status sl_hierarchy_from_merges(uint32_t num_records, const double *thresholds,
                                                      const uint64_t *offsets, const uint64_t *components,
                                                      uint32_t num_events, bool exact, sl_scale scale,
                                                      sl_hierarchy **out, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Partitions
 * ---------------------------------------------------------------------------------------------------------------- */

/** The entities at one threshold. Entity e is the slice order[offsets[e] .. offsets[e + 1]) of its hierarchy, which it
 *  keeps alive; ids 0..k-1 follow the canonical order. Arrays are made when first asked for and then kept. */
typedef struct sl_partition sl_partition;

/** Cut `hierarchy` at `threshold`. `num_records` (0: the hierarchy's own) may exceed the hierarchy's: later records are
 *  singletons at its end. Counts the entities: O(n), 4 bytes read a record. */
SL_API SL_MUST_USE sl_status sl_partition_create(const sl_hierarchy *hierarchy, uint32_t num_records, double threshold,
                                                 sl_partition **out, sl_error *error);
SL_API sl_partition *sl_partition_retain(const sl_partition *partition);
SL_API void sl_partition_release(sl_partition *partition);
SL_API double sl_partition_threshold(const sl_partition *partition);
SL_API uint32_t sl_partition_num_records(const sl_partition *partition);
SL_API uint32_t sl_partition_num_entities(const sl_partition *partition);
/** num_entities + 1 positions, borrowed. O(n) the first time. */
SL_API SL_MUST_USE sl_status sl_partition_offsets(const sl_partition *partition, const uint32_t **out, sl_error *error);
/** Size of every entity, borrowed. O(n) the first time. */
SL_API SL_MUST_USE sl_status sl_partition_sizes(const sl_partition *partition, const uint32_t **out, sl_error *error);
/** Entity id of every record, in record order, borrowed. O(n) the first time. */
SL_API SL_MUST_USE sl_status sl_partition_labels(const sl_partition *partition, const uint32_t **out, sl_error *error);
/** Records in the order of the entities: entity e is out[offsets[e]] .. out[offsets[e+1]-1]. Borrowed. O(1), or O(n) once
 *  where the partition has later records. */
SL_API SL_MUST_USE sl_status sl_partition_records(const sl_partition *partition, const uint32_t **out, sl_error *error);
/** Bytes held by the partition at this moment, the hierarchy not counted. */
SL_API uint64_t sl_partition_memory(const sl_partition *partition);

/* ------------------------------------------------------------------------------------------------------------------
 * What changed between two partitions
 * ---------------------------------------------------------------------------------------------------------------- */

typedef enum sl_change_kind {
    SL_CHANGE_UNCHANGED = 0, /**< one entity before, the same one after */
    SL_CHANGE_SPLIT,         /**< one before, several after */
    SL_CHANGE_MERGED,        /**< several before, one after */
    SL_CHANGE_REARRANGED,    /**< several before, several after, which cannot be told apart into smaller changes */
    SL_NUM_CHANGE_KINDS
} sl_change_kind;

/** Two partitions of the same records as the smallest sets of entities that hold the same records before and after. By kind, then by
 *  smallest entity before. An entity without a record that counts is in none. Immutable; 12 bytes a change and 4 an entity. */
typedef struct sl_diff sl_diff;

typedef struct sl_change {
    sl_change_kind kind;
    uint32_t num_before, num_after, num_records;
    const uint32_t *before, *after; /**< ids of entities, ascending; borrowed */
} sl_change;

/** Compare two labellings of records 0..num_records-1: before[r] below num_before, after[r] below num_after, else
 *  SL_ERROR_INVALID_ARGUMENT with the record as row. SL_NO_RECORD in either: the record is left out. O(n); working memory 12
 *  bytes an entity before, 4 an entity after and 16 a change. */
SL_API SL_MUST_USE sl_status sl_diff_create(const uint32_t *before, uint32_t num_before, const uint32_t *after,
                                            uint32_t num_after, uint32_t num_records, sl_diff **out, sl_error *error);
SL_API void sl_diff_release(sl_diff *diff);
/** Changes of one kind. Those of kind k come after all of lower kinds. */
SL_API uint32_t sl_diff_count(const sl_diff *diff, sl_change_kind kind);
/** Change number `index` over all kinds; false beyond the last. O(1). The ids of one change are followed in memory by those of the
 *  next. */
SL_API bool sl_diff_get(const sl_diff *diff, uint32_t index, sl_change *out);

/* ------------------------------------------------------------------------------------------------------------------
 * Entity operations: one value for each entity of a partition
 * ---------------------------------------------------------------------------------------------------------------- */

typedef enum sl_digest {
    SL_DIGEST_SHA256 = 0,
    SL_DIGEST_SHA512,
    SL_DIGEST_BLAKE3,
    SL_DIGEST_MD5,
    SL_NUM_DIGESTS
} sl_digest;

/** What of an entity is hashed. */
typedef enum sl_hash_input {
    /** (source, key) of its records in the canonical encoding, sorted: the same entity has the same hash in any context, on any
     *  machine. docs/entities.md, section "Canonical encoding" */
    SL_HASH_IDENTITIES = 0,
    SL_HASH_INDICES /**< its record indices, ascending, as little-endian uint32 */
} sl_hash_input;

/** Bytes of a digest, or 0 for a number that is none. */
SL_API uint32_t sl_digest_size(sl_digest digest);
/** Hash of every entity: `digests` has num_entities times sl_digest_size bytes. `context` holds the partition's records, else
 *  SL_ERROR_INVALID_ARGUMENT; it may be NULL for SL_HASH_INDICES. SL_ERROR_SYSTEM where OpenSSL does not offer the digest, as MD5 in
 *  FIPS mode; BLAKE3 does not come from OpenSSL. On an error all bytes are 0. In parallel. O(bytes + n log(largest entity)); each
 *  thread holds the encodings of the largest entity it met, and 64 bytes a record of it. */
SL_API SL_MUST_USE sl_status sl_partition_digests(const sl_partition *partition, const sl_context *context,
                                                  sl_digest digest, sl_hash_input input, uint8_t *digests,
                                                  const sl_progress *progress, sl_error *error);

#define SL_FINGERPRINT_LENGTH 128

/** MinHash signature of every entity over the identities of its records (docs/entities.md, section "Fingerprints"):
 *  `fingerprints` has num_entities times SL_FINGERPRINT_LENGTH values, all 0 on an error. `context` holds the partition's records,
 *  else SL_ERROR_INVALID_ARGUMENT. In parallel. O(bytes). */
SL_API SL_MUST_USE sl_status sl_partition_fingerprints(const sl_partition *partition, const sl_context *context,
                                                       uint32_t *fingerprints, const sl_progress *progress,
                                                       sl_error *error);
/** Share of equal values: estimates the Jaccard similarity J of two entities with standard error sqrt(J (1 - J) / 128). */
SL_API double sl_fingerprint_similarity(const uint32_t *a, const uint32_t *b);

/** Of every entity, the share of its pairs of records that an edge of at least `threshold` joins; 1 for one record. The threshold is
 *  mostly that at which the partition was asked for, which a partition that a collection keeps for several does not know.
 *  SL_ERROR_INVALID_ARGUMENT unless the hierarchy kept all its edges (SL_KEEP_ALL), SL_ERROR_INVALID_THRESHOLD as in
 *  sl_hierarchy_applied_levels. O(edges + entities). */
SL_API SL_MUST_USE sl_status sl_partition_densities(const sl_partition *partition, double threshold, double *densities,
                                                    sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Metrics
 * ---------------------------------------------------------------------------------------------------------------- */

typedef enum sl_metric {
    SL_METRIC_PRECISION = 0,
    SL_METRIC_RECALL,
    SL_METRIC_F1,
    SL_METRIC_F_BETA, /**< takes a parameter */
    SL_METRIC_RAND,
    SL_METRIC_ARI,
    SL_METRIC_FOWLKES_MALLOWS,
    SL_METRIC_JACCARD,
    SL_METRIC_MUTUAL_INFORMATION,
    SL_METRIC_NMI,
    SL_METRIC_HOMOGENEITY,
    SL_METRIC_COMPLETENESS,
    SL_METRIC_V_MEASURE,
    SL_METRIC_VARIATION_OF_INFORMATION,
    SL_METRIC_BCUBED_PRECISION,
    SL_METRIC_BCUBED_RECALL,
    SL_METRIC_BCUBED_F1,
    SL_METRIC_CLUSTER_PRECISION,
    SL_METRIC_CLUSTER_RECALL,
    SL_METRIC_CLUSTER_F1,
    SL_METRIC_PURITY,
    SL_METRIC_INVERSE_PURITY,
    /* of one partition, no reference needed */
    SL_METRIC_ENTITY_COUNT,
    SL_METRIC_ENTROPY,
    SL_METRIC_LARGEST_ENTITY,
    SL_METRIC_MEAN_SIZE,
    SL_METRIC_SINGLETONS,
    SL_METRIC_PAIR_COUNT,
    SL_METRIC_ENTITY_STABILITY,
    SL_METRIC_THRESHOLD_SENSITIVITY, /**< takes a parameter */
    SL_NUM_METRICS
} sl_metric;

/** The metric of that name ("f1", "bcubed_recall", ...), or SL_ERROR_UNKNOWN_METRIC with the nearest name. */
SL_API SL_MUST_USE sl_status sl_metric_from_name(const char *name, sl_metric *out, sl_error *error);
/** Its name, or NULL for a number that is no metric. */
SL_API const char *sl_metric_name(sl_metric metric);
/** One sentence that defines it, or NULL. */
SL_API const char *sl_metric_definition(sl_metric metric);
SL_API bool sl_metric_needs_reference(sl_metric metric);
/** True where values are whole numbers (counts). */
SL_API bool sl_metric_is_count(sl_metric metric);

/** Sums over one hierarchy, cut at many thresholds, from which every metric is a formula. Keeps the hierarchy alive. */
typedef struct sl_curve sl_curve;

/** What to measure. Zero-initialise, then set what differs. */
typedef struct sl_curve_options {
    const uint32_t *reference_labels; /**< true entity of each record, num_records values below num_reference_labels;
                                           NULL: only metrics of one partition */
    uint32_t num_reference_labels;
    const double *thresholds; /**< where to cut, in any order; NULL: every level of the hierarchy, ascending */
    uint64_t num_thresholds;
    const sl_progress *progress; /**< optional */
} sl_curve_options;

/** Measure `hierarchy`, taken over `num_records` records (0: its own; later ones are singletons), in one pass over its
 *  leaf order: O(n log(depth of the merge tree)) whatever the number of thresholds. Sums do not depend on the number of
 *  threads. Algorithm: docs/design.md, section "every metric in one pass". */
SL_API SL_MUST_USE sl_status sl_curve_create(const sl_hierarchy *hierarchy, uint32_t num_records,
                                             const sl_curve_options *options, sl_curve **out, sl_error *error);
SL_API void sl_curve_release(sl_curve *curve);
/** Number of cuts, in the order in which they were asked for. */
SL_API uint64_t sl_curve_length(const sl_curve *curve);
/** Their thresholds as compared (rounded unless the hierarchy is exact), borrowed. */
SL_API const double *sl_curve_thresholds(const sl_curve *curve);
/** One metric at every cut: `values` has sl_curve_length slots. `parameter` is beta (> 0) for SL_METRIC_F_BETA, the shift
 *  (above 0, at most 1) for SL_METRIC_THRESHOLD_SENSITIVITY, and unused otherwise. SL_ERROR_INVALID_ARGUMENT if the metric needs
 *  a reference and the curve has none, or for a parameter out of range. The two metrics of lifetimes take one more
 *  pass each, O(n + rows log rows), and memory for it: SL_ERROR_MEMORY. */
SL_API SL_MUST_USE sl_status sl_curve_metric(const sl_curve *curve, sl_metric metric, double parameter, double *values,
                                             sl_error *error);

/** One of many comparisons. Zero-initialise, then set what differs. */
typedef struct sl_comparison {
    const sl_hierarchy *hierarchy; /**< the judged one */
    uint32_t num_records;          /**< as in sl_curve_create; the reference is taken over as many */
    const double *thresholds;      /**< as in sl_curve_options */
    uint64_t num_thresholds;
    const sl_hierarchy *reference; /**< NULL: only metrics of one partition */
    double reference_threshold;    /**< where the reference is cut */
} sl_comparison;

/** A curve for each comparison: curves[i] of comparisons[i], each as sl_curve_create gives it, on all threads at once, the largest first.
 *  Comparisons with one reference cut (hierarchy, partition, number of records) follow one another and share its labels. Working
 *  memory: that of sl_curve_create for each thread, and 4 bytes a record for each reference cut in use, about one a thread.
 *  `progress` counts over all of them. On an error there is no curve, and the error's row is the number of the first
 *  comparison that fails. The curves depend neither on the number of threads nor on each other. */
SL_API SL_MUST_USE sl_status sl_curves_create(const sl_comparison *comparisons, uint64_t count, sl_curve **curves,
                                              const sl_progress *progress, sl_error *error);

/** 2 TP / (predicted + reference pairs) row by row, 1 where that is 0 / 0; any arrays of `count` values. Vectorised. */
SL_API void sl_f1_column(const uint64_t *true_pairs, const uint64_t *predicted_pairs, const uint64_t *reference_pairs,
                         uint64_t count, double *f1);
/** offsets[i + 1] - offsets[i] for `count` entities. Vectorised. */
SL_API void sl_sizes_column(const uint32_t *offsets, uint64_t count, uint32_t *sizes);

/* ------------------------------------------------------------------------------------------------------------------
 * Contingency tables: metrics while stepping through merges
 * ---------------------------------------------------------------------------------------------------------------- */

/** How judged entities and true ones overlap: the cells N_ij > 0 only, with the sums that metrics are formulas over. Starts with every
 *  record alone. A merge costs as many steps as cells of the smaller of the components that it touches, and allocates nothing. At
 *  most 60 bytes a record and 8 a label. Not thread-safe. */
typedef struct sl_contingency sl_contingency;

/** `labels`: true entity of each record, below `num_labels`, else SL_ERROR_INVALID_ARGUMENT with the row. Copies them. */
SL_API SL_MUST_USE sl_status sl_contingency_create(const uint32_t *labels, uint32_t num_records, uint32_t num_labels,
                                                   sl_contingency **out, sl_error *error);
SL_API void sl_contingency_release(sl_contingency *table);
/** Join the entities that hold these records. SL_ERROR_INVALID_ARGUMENT with the row for a record beyond the last; on any error
 *  the table is as it was. */
SL_API SL_MUST_USE sl_status sl_contingency_merge(sl_contingency *table, const uint32_t *records, uint32_t count,
                                                  sl_error *error);
/** Apply merge event number `index` of a list over as many records: join its components, one find each. SL_ERROR_INVALID_ARGUMENT
 *  beyond the last, for a list over another number of records, and where an event that made one of the components was not applied. */
SL_API SL_MUST_USE sl_status sl_contingency_apply(sl_contingency *table, const sl_merge_events *events, uint32_t index,
                                                  sl_error *error);
/** Cells that are not empty. */
SL_API uint64_t sl_contingency_num_cells(const sl_contingency *table);
/** Records of true entity `label` in the judged entity that holds `record`; 0 for a record or label that is not there. */
SL_API uint32_t sl_contingency_cell(const sl_contingency *table, uint32_t record, uint32_t label);
/** Any metric but the two of lifetimes, as sl_curve_metric gives it at the same partition; SL_ERROR_INVALID_ARGUMENT for those. O(1). */
SL_API SL_MUST_USE sl_status sl_contingency_metric(const sl_contingency *table, sl_metric metric, double parameter,
                                                   double *out, sl_error *error);

/** Metrics of one hierarchy against one labelling, computed when asked for and then kept: a threshold met before is answered from the
 *  cache, one below the last by stepping a contingency table on from there, one above from the start. Two thresholds with the same
 *  partition share what is kept. Safe to use from several threads. A table, the merge events, 4 bytes a level and 120 a partition kept. */
typedef struct sl_lazy_metrics sl_lazy_metrics;

/** Over `num_records` records (0: the hierarchy's own); `labels` as in sl_contingency_create, copied. */
SL_API SL_MUST_USE sl_status sl_lazy_metrics_create(const sl_hierarchy *hierarchy, uint32_t num_records,
                                                    const uint32_t *labels, uint32_t num_labels, sl_lazy_metrics **out,
                                                    sl_error *error);
SL_API void sl_lazy_metrics_release(sl_lazy_metrics *lazy);
/** A metric at `threshold`, as sl_curve_metric gives it; those of lifetimes take a pass each time, O(n). */
SL_API SL_MUST_USE sl_status sl_lazy_metrics_get(sl_lazy_metrics *lazy, double threshold, sl_metric metric,
                                                 double parameter, double *out, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Estimates from a sample of true entities
 * ---------------------------------------------------------------------------------------------------------------- */

/** Some true entities of a hierarchy's records, with all their records, drawn at random. Zero-initialise, then set what differs. */
typedef struct sl_sample {
    const uint32_t *records;  /**< `count` records of the sampled entities, each once */
    const uint32_t *entities; /**< the entity of each, below num_entities; every entity has a record */
    uint64_t count;
    uint32_t num_entities;
    const double *weights; /**< of each entity: proportional to 1 / its probability of being drawn; NULL: all alike */
} sl_sample;

/** Sums over the sampled entities and their products, at every threshold asked for. */
typedef struct sl_estimate sl_estimate;

/** `num_records` (0: the hierarchy's own) and `thresholds` as for sl_curve_create. SL_ERROR_INVALID_ARGUMENT for a sample that is
 *  none: fewer than two entities, one without records, an index out of range (with its row), a weight that is not finite and
 *  positive (row: the entity); SL_ERROR_OVERLAP for a record that is there twice, with both rows. O(records), and at each
 *  threshold the sampled entities in the judged ones that change there, but for one large one that grows by other records; 16 bytes
 *  a record while it works, then 216 for each threshold at which the sample looks different. Method: docs/estimates.md. */
SL_API SL_MUST_USE sl_status sl_estimate_create(const sl_hierarchy *hierarchy, uint32_t num_records,
                                                const sl_sample *sample, const double *thresholds,
                                                uint64_t num_thresholds, const sl_progress *progress, sl_estimate **out,
                                                sl_error *error);
SL_API void sl_estimate_release(sl_estimate *estimate);
/** Number of cuts, and their thresholds as compared (borrowed), as of a curve. */
SL_API uint64_t sl_estimate_length(const sl_estimate *estimate);
SL_API const double *sl_estimate_thresholds(const sl_estimate *estimate);
/** Whether a metric can be estimated from such a sample: of pairs precision, recall, F, Jaccard and Fowlkes-Mallows; B-cubed; exact
 *  entities (cluster_...). */
SL_API bool sl_metric_is_estimable(sl_metric metric);
/** A metric at every threshold: its estimate, standard error and the bounds of its confidence band of `level` (as 0.95); any of
 *  the four may be NULL, else it has sl_estimate_length slots. `parameter` is beta (> 0) for SL_METRIC_F_BETA and unused otherwise.
 *  No bound is outside [0, 1]. SL_ERROR_INVALID_ARGUMENT for a metric that cannot be estimated, for a beta or level out of range. */
SL_API SL_MUST_USE sl_status sl_estimate_metric(const sl_estimate *estimate, sl_metric metric, double parameter,
                                                double level, double *values, double *errors, double *low, double *high,
                                                sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Collections
 * ---------------------------------------------------------------------------------------------------------------- */

/** One attempt at resolution: a hierarchy over the first records of a context, with the partitions cut last and a record of
 *  the work done. Immutable but for these two; reference counted; keeps context and hierarchy alive. */
typedef struct sl_collection sl_collection;

#define SL_CACHED_PARTITIONS 10

/** `num_records` (0: the hierarchy's own) may exceed the hierarchy's: later records of the context are singletons.
 *  `decimals`: to which scores were rounded, 0 for exact ones; kept for whoever adds edges. `earlier` (optional): the
 *  collection that this one replaces, after edges were added to it; its computation stats go on. */
SL_API SL_MUST_USE sl_status sl_collection_create(sl_context *context, const sl_hierarchy *hierarchy,
                                                  uint32_t num_records, uint32_t decimals, const sl_collection *earlier,
                                                  sl_collection **out, sl_error *error);
SL_API sl_collection *sl_collection_retain(const sl_collection *collection);
SL_API void sl_collection_release(sl_collection *collection);
/** Borrowed. */
SL_API sl_context *sl_collection_context(const sl_collection *collection);
SL_API const sl_hierarchy *sl_collection_hierarchy(const sl_collection *collection);
SL_API uint32_t sl_collection_num_records(const sl_collection *collection);
SL_API uint32_t sl_collection_decimals(const sl_collection *collection);
/** The partition at `threshold`, a reference of the caller's own. The SL_CACHED_PARTITIONS used last are kept, keyed by which
 *  merges apply, so two thresholds with the same partition share one: its sl_partition_threshold is that of whoever asked first. */
SL_API SL_MUST_USE sl_status sl_collection_at(const sl_collection *collection, double threshold, sl_partition **out,
                                              sl_error *error);
/** Forget the partitions kept, of the collection and of all views of it. */
SL_API void sl_collection_clear_cache(const sl_collection *collection);
/** sl_curve_create over the collection's records, noted in its computation stats. */
SL_API SL_MUST_USE sl_status sl_collection_measure(const sl_collection *collection, const sl_curve_options *options,
                                                   sl_curve **out, sl_error *error);

/** sl_comparison of collections, which are over the same records. Zero-initialise, then set what differs. */
typedef struct sl_collection_comparison {
    const sl_collection *collection; /**< the judged one */
    const double *thresholds;        /**< as in sl_curve_options */
    uint64_t num_thresholds;
    const sl_collection *reference; /**< NULL: only metrics of one partition */
    double reference_threshold;     /**< where the reference is cut; that cut is not kept */
} sl_collection_comparison;

/** sl_curves_create over the collections' records, each curve noted in the computation stats of its collection with the time
 *  that its own pass took. SL_ERROR_INVALID_ARGUMENT with the comparison as row for a reference over more or fewer records. */
SL_API SL_MUST_USE sl_status sl_collections_measure(const sl_collection_comparison *comparisons, uint64_t count,
                                                    sl_curve **curves, const sl_progress *progress, sl_error *error);

/** Work done for a collection and all views of it, since it was made. A computation is one cut answered: a call of
 *  sl_collection_at, or a row of a curve. */
typedef struct sl_computation_stats {
    uint64_t total;       /**< cached + incremental + those made from nothing */
    uint64_t incremental; /**< rows of a curve after its first: carried on from the row before, in the same pass */
    uint64_t cached;      /**< partitions found among those kept */
    uint64_t cuts;        /**< partitions cut: sl_collection_at, not cached */
    double cut_seconds;   /**< spent on them */
    double seconds;       /**< spent on all computations */
    /** What they would have taken one by one: a cached partition the mean time of a cut, a row of a curve the time of its whole pass.
     *  Divided by `seconds`: the measured speed-up. */
    double seconds_one_by_one;
} sl_computation_stats;
SL_API void sl_collection_stats(const sl_collection *collection, sl_computation_stats *out);
/** The same of lazily computed metrics: a computation is one call of sl_lazy_metrics_get. Incremental: stepped on from a higher
 *  threshold; cached: sums found among those kept; cuts: all others, from the start. One by one each would have cost what its sums
 *  take from the start, as measured when they were computed. */
SL_API void sl_lazy_metrics_stats(const sl_lazy_metrics *lazy, sl_computation_stats *out);

/* ------------------------------------------------------------------------------------------------------------------
 * Frames
 * ---------------------------------------------------------------------------------------------------------------- */

/** Many collections over one set of records. A frame is an immutable state that every change replaces as a whole: readers
 *  take the state that is there and need no lock after that; changes are made one at a time, all or nothing.
 *
 *  Every collection is over all the frame's records. A record is garbage once no collection names it and it was not given as a
 *  record (sl_frame_change_give); above one half garbage a drop moves the live records to a new context. States, collections
 *  and partitions taken before stay as they are: they keep the old context alive. */
typedef struct sl_frame sl_frame;
typedef struct sl_frame_state sl_frame_state;
typedef struct sl_frame_change sl_frame_change;

SL_API SL_MUST_USE sl_status sl_frame_create(sl_frame **out, sl_error *error);
/** An independent frame with the same records and collections; memory is shared until one of them changes. */
SL_API SL_MUST_USE sl_status sl_frame_copy(const sl_frame *frame, sl_frame **out, sl_error *error);
SL_API sl_frame *sl_frame_retain(const sl_frame *frame);
SL_API void sl_frame_release(sl_frame *frame);

/** The frame as it is now, a reference of the caller's own. Never waits for a change. */
SL_API sl_frame_state *sl_frame_now(const sl_frame *frame);
SL_API void sl_frame_state_release(sl_frame_state *state);
/** Borrowed. The context may hold more records, and more sources, than the state knows of. */
SL_API sl_context *sl_frame_state_context(const sl_frame_state *state);
SL_API uint32_t sl_frame_state_num_records(const sl_frame_state *state);
/** Sources with a record in the frame: how many, and their ids in the context in order of first use (borrowed). */
SL_API uint32_t sl_frame_state_num_sources(const sl_frame_state *state);
SL_API const uint16_t *sl_frame_state_sources(const sl_frame_state *state);
/** When the frame compacted last: nanoseconds since 1970 UTC, 0: never. */
SL_API int64_t sl_frame_state_last_compaction(const sl_frame_state *state);
SL_API uint32_t sl_frame_state_num_collections(const sl_frame_state *state);
/** Name of a collection, in the order in which they were added; borrowed, NUL-terminated, NULL beyond the last. */
SL_API const char *sl_frame_state_name(const sl_frame_state *state, uint32_t position, size_t *length);
/** Position of the collection of that name; false if there is none. */
SL_API bool sl_frame_state_find(const sl_frame_state *state, const char *name, size_t length, uint32_t *out_position);
/** A view of the collection at `position`: a reference of the caller's own to a collection over all the state's records.
 *  SL_ERROR_INVALID_ARGUMENT beyond the last. */
SL_API SL_MUST_USE sl_status sl_frame_state_collection(const sl_frame_state *state, uint32_t position,
                                                       sl_collection **out, sl_error *error);
/** Records given as such, and records that are garbage; borrowed. */
SL_API const sl_record_set *sl_frame_state_given(const sl_frame_state *state);
SL_API const sl_record_set *sl_frame_state_garbage(const sl_frame_state *state);

/** Begin a change: waits until no other thread is changing the frame. To be ended by commit or abort, on the same thread. */
SL_API SL_MUST_USE sl_status sl_frame_begin(sl_frame *frame, sl_frame_change **out, sl_error *error);
/** The context to append to, borrowed until the change attaches attributes; copied first where others may append to it.
 *  What is appended becomes part of the frame with the commit and is forgotten by an abort. */
SL_API SL_MUST_USE sl_status sl_frame_change_context(sl_frame_change *change, sl_context **out, sl_error *error);
/** These records are given as such: they stay, whether or not a collection names them. A record is given once:
 *  SL_ERROR_DUPLICATE_KEY with the rows for one that is there twice, or was given before (other_row -1). */
SL_API SL_MUST_USE sl_status sl_frame_change_give(sl_frame_change *change, const uint32_t *records, uint64_t count,
                                                  sl_error *error);
/** sl_context_attach in the change's context. Where records get attributes that were in the frame before the change, the
 *  context is copied first, O(records): states, collections and frames that share it do not see those. */
SL_API SL_MUST_USE sl_status sl_frame_change_attach(sl_frame_change *change, sl_batches *batches,
                                                    const uint32_t *records, uint32_t first, sl_error *error);
/** Add a collection over the change's context. SL_ERROR_DUPLICATE_COLLECTION; SL_ERROR_INVALID_ARGUMENT for a name that is not
 *  UTF-8, for records that the context does not hold, and for more than 6 decimals. `used` (optional): records that count as
 *  its own beside those that the hierarchy names. Retains the hierarchy. */
SL_API SL_MUST_USE sl_status sl_frame_change_add(sl_frame_change *change, const char *name, size_t length,
                                                 const sl_hierarchy *hierarchy, uint32_t decimals,
                                                 const sl_record_set *used, sl_error *error);
/** Add a collection made elsewhere: its records are matched by source and key, new ones are appended (with
 *  `known_records_only`: SL_ERROR_KEY_NOT_FOUND instead), its hierarchy is translated, and all its records count as used. It
 *  stays as it is. `translation` has
 *  a slot for each of its records and gets their indices in the frame, before any compaction in the same change. */
SL_API SL_MUST_USE sl_status sl_frame_change_assimilate(sl_frame_change *change, const char *name, size_t length,
                                                        const sl_collection *collection, bool known_records_only,
                                                        uint32_t *translation, const sl_progress *progress,
                                                        sl_error *error);
/** Take a collection out. SL_ERROR_COLLECTION_NOT_FOUND. */
SL_API SL_MUST_USE sl_status sl_frame_change_drop(sl_frame_change *change, const char *name, size_t length,
                                                  sl_error *error);
/** Compact with the commit, whatever the share of garbage; names of sources that no record uses go, too. Nothing is done
 *  where there is neither. */
SL_API void sl_frame_change_compact(sl_frame_change *change);
/** Make the change the frame's state; frees `change`. On an error the frame is as it was before the change began, also where
 *  `progress` (may be NULL), which is told of a compaction, stops it. */
SL_API SL_MUST_USE sl_status sl_frame_change_commit(sl_frame_change *change, const sl_progress *progress,
                                                    sl_error *error);
/** Give the change up; frees `change`, which may be NULL. */
SL_API void sl_frame_change_abort(sl_frame_change *change);

/** What there is to watch of a frame in service. */
typedef struct sl_frame_metrics {
    uint32_t num_collections;
    uint32_t num_records; /**< garbage included */
    uint32_t num_sources; /**< with a record in the frame */
    uint64_t memory;      /**< bytes of context, hierarchies, sets and kept partitions, as the allocator counts them */
    double avg_reconstruction_seconds;   /**< mean time of a partition cut that was not kept; NaN: none yet */
    double cache_hit_rate;               /**< share of partitions asked for that were found kept; NaN: none yet */
    double incremental_computation_rate; /**< share of computations carried on from one before; NaN: none yet */
    double avg_entity_stability;         /**< mean over the collections of sl_hierarchy_lifetimes; 1 without any */
    double threshold_sensitivity;        /**< likewise; 0 without any */
    double garbage_ratio;                /**< garbage records / records; 0 without records */
    int64_t last_compaction;             /**< nanoseconds since 1970 UTC; 0: never */
} sl_frame_metrics;

#define SL_SENSITIVITY_SHIFT 0.05 /**< parameter of threshold_sensitivity where none is given */

/** O(1) but for the lifetimes of collections not measured before, O(n) each. Waits while a change appends to the context. */
SL_API SL_MUST_USE sl_status sl_frame_collect_metrics(const sl_frame *frame, sl_frame_metrics *out, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Interchange: the Arrow C data interface
 * ---------------------------------------------------------------------------------------------------------------- */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/** Read an Arrow array in place as a column. `dictionary_storage` receives the dictionary's description where the array
 *  is dictionary-encoded and must live as long as `out`; every buffer is borrowed from `array`.
 *  SL_ERROR_INVALID_ARGUMENT names a type that cannot be read (`name` is used in the message; may be NULL).
 *  Offsets and views are checked (bounds) once here, so that a malformed array is an error and never a bad read: O(n) for
 *  string and binary arrays, O(1) otherwise. */
SL_API SL_MUST_USE sl_status sl_column_from_arrow(const struct ArrowSchema *schema, const struct ArrowArray *array,
                                                  const char *name, sl_column *dictionary_storage, sl_column *out,
                                                  sl_error *error);

/** A small table being made for export: equally long, named columns. */
typedef struct sl_table sl_table;
SL_API SL_MUST_USE sl_status sl_table_create(uint64_t num_rows, sl_table **out, sl_error *error);
SL_API void sl_table_release(sl_table *table);
/** Append a column; `values` is copied (num_rows values of the type: INT8..UINT64, FLOAT32, FLOAT64). */
SL_API SL_MUST_USE sl_status sl_table_add_numbers(sl_table *table, const char *name, sl_column_type type,
                                                  const void *values, sl_error *error);
/** Append a column of fixed-size binary values, or of fixed-size lists of uint32, of `width` bytes or numbers each (1 or more); all
 *  copied. */
SL_API SL_MUST_USE sl_status sl_table_add_binary(sl_table *table, const char *name, uint32_t width, const void *values,
                                                 sl_error *error);
SL_API SL_MUST_USE sl_status sl_table_add_lists(sl_table *table, const char *name, uint32_t width,
                                                const uint32_t *values, sl_error *error);
/** Append a dictionary-encoded string column: row i is strings[codes[i]] (NUL-terminated UTF-8); all copied.
 *  `codes` below `num_strings`, else SL_ERROR_INVALID_ARGUMENT. */
SL_API SL_MUST_USE sl_status sl_table_add_categories(sl_table *table, const char *name, const uint32_t *codes,
                                                     const char *const *strings, uint32_t num_strings, sl_error *error);
/** Append the source (dictionary<uint32, utf8>) or the key column of `records` (num_rows indices into the context). Keys are
 *  uint64, large_utf8 or large_binary where these records have one such kind, else a dense union of those three. */
SL_API SL_MUST_USE sl_status sl_table_add_record_sources(sl_table *table, const char *name, const sl_context *context,
                                                         const uint32_t *records, sl_error *error);
SL_API SL_MUST_USE sl_status sl_table_add_record_keys(sl_table *table, const char *name, const sl_context *context,
                                                      const uint32_t *records, sl_error *error);
/** Hand the table over as a stream of one batch. Consumes `table`'s reference on success; the stream owns the data. */
SL_API SL_MUST_USE sl_status sl_table_export(sl_table *table, struct ArrowArrayStream *out, sl_error *error);
/** Append the keys of `records` as text, a utf8 column `name`, and which kind each is, a dictionary<uint8, utf8> column `kind_name`:
 *  "u32" and "u64" in decimal, "string" as it is (also with a NUL character in it), "bytes" in lower-case hexadecimal. For readers
 *  that know no unions. SL_ERROR_CAPACITY where the texts have more than 2^31-1 bytes. */
SL_API SL_MUST_USE sl_status sl_table_add_record_key_texts(sl_table *table, const char *name, const char *kind_name,
                                                           const sl_context *context, const uint32_t *records,
                                                           sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Interchange: frames and collections in Arrow
 * ---------------------------------------------------------------------------------------------------------------- */

#define SL_DEFAULT_MAX_EXPANDED (UINT64_C(1) << 27)

/** How merge events are written out. Zero-initialise, then set what differs. */
typedef struct sl_export_options {
    /** At most so many record indices in expanded merge events, which name every record of every component that merges: on a chain
     *  they grow with the square of the records. 0: SL_DEFAULT_MAX_EXPANDED. Counted before anything is written; more
     *  is SL_ERROR_CAPACITY, with the count and the collection in the message. */
    uint64_t max_expanded;
    int64_t created_at_ms;       /**< what a frame's table says of when it was written: ms since 1970 UTC; 0: now */
    const sl_progress *progress; /**< optional */
} sl_export_options;

/** Record indices that the expanded merge events of `hierarchy` hold: the sum of the sizes of what merges. O(n). */
SL_API SL_MUST_USE sl_status sl_hierarchy_expanded_size(const sl_hierarchy *hierarchy, uint64_t *out, sl_error *error);

/** The frame as a stream of batches in the frame schema (docs/arrow.md); `options` may be NULL. The stream owns its data.
 *  SL_ERROR_CAPACITY also for what 32-bit offsets cannot count: more than 2^31-1 record indices or components in all merge events, a key
 *  of more than 2^31-1 bytes; and for more than 65536 collections. */
SL_API SL_MUST_USE sl_status sl_frame_state_export(const sl_frame_state *state, const sl_export_options *options,
                                                   struct ArrowArrayStream *out, sl_error *error);
/** A frame of a stream in the frame schema, which is released in every case. What is read is checked whole: SL_ERROR_INVALID_ARGUMENT
 *  says what is wrong and where, SL_ERROR_INVALID_KEY, SL_ERROR_DUPLICATE_KEY and SL_ERROR_INVALID_THRESHOLD what their names say.
 *  Records are all given (sl_frame_change_give). sl_frame_state_export of the result gives the same columns, but for the moment. */
SL_API SL_MUST_USE sl_status sl_frame_import(struct ArrowArrayStream *stream, const sl_progress *progress,
                                             sl_frame **out, sl_error *error);
/** The same of one collection under the name `id` (UTF-8, `length` bytes), in the collection schema: one row, which holds at most 2^31-1
 *  records and bytes of keys as text, and as many components as uint32 can number. */
SL_API SL_MUST_USE sl_status sl_collection_export(const sl_collection *collection, const char *id, size_t length,
                                                  const sl_export_options *options, struct ArrowArrayStream *out,
                                                  sl_error *error);
SL_API SL_MUST_USE sl_status sl_collection_import(struct ArrowArrayStream *stream, const sl_progress *progress,
                                                  sl_collection **out, sl_error *error);

/** The hierarchy in which the records of a table belong to entities, all joined at `threshold`: the columns "source" (strings; without it
 *  all are of `source`, of `length` bytes), "key" (ints, strings, bytes, or a union of these) and "entity_id" (likewise), as partitions are
 *  handed over. Keys are interned into `context`, in order, or with `known_records_only` are among its records, else
 *  SL_ERROR_KEY_NOT_FOUND; records not named are singletons. Errors as in sl_hierarchy_from_entities, and on any of them the context
 *  holds the records that it held before. The stream is released in every case. O(rows). */
SL_API SL_MUST_USE sl_status sl_hierarchy_from_membership(sl_context *context, struct ArrowArrayStream *stream,
                                                          const char *source, size_t length, double threshold,
                                                          bool known_records_only, const sl_progress *progress,
                                                          sl_hierarchy **out, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Interchange: the relational form
 * ---------------------------------------------------------------------------------------------------------------- */

/** The tables of a frame in the relational form; their columns: docs/databases.md. */
typedef enum sl_relation {
    SL_RELATION_RECORDS = 0,
    SL_RELATION_COLLECTIONS,
    SL_RELATION_MERGE_EVENTS,
    SL_RELATION_MERGE_GROUPS,        /**< what merges: the components of each event, which tell the hierarchy */
    SL_RELATION_MERGE_GROUP_RECORDS, /**< their records, expanded: for queries, not read back */
    SL_NUM_RELATIONS
} sl_relation;

/** Its name, such as "merge_groups"; NULL for a number that is none. */
SL_API const char *sl_relation_name(sl_relation relation);
/** One table of the frame as a stream, which keeps the state alive and makes its batches as they are asked for: memory is that of one
 *  batch and of one collection's merge events. Only SL_RELATION_MERGE_GROUP_RECORDS is expanded, and heeds `max_expanded`. `options`
 *  may be NULL. SL_ERROR_INVALID_ARGUMENT for a number that is no table. */
SL_API SL_MUST_USE sl_status sl_frame_state_relation(const sl_frame_state *state, sl_relation relation,
                                                     const sl_export_options *options, struct ArrowArrayStream *out,
                                                     sl_error *error);
/** A frame of the first four tables, streams[relation] each; rows may come in any order, other columns are left alone. All records count
 *  as given ones. All streams are released in every case. What is read is checked whole: SL_ERROR_INVALID_ARGUMENT names table,
 *  row and reason. O(rows); memory at work 38 bytes a record, 40 an event and 8 a group beside the tables, which are held. */
SL_API SL_MUST_USE sl_status sl_frame_from_relations(struct ArrowArrayStream streams[4], const sl_progress *progress,
                                                     sl_frame **out, sl_error *error);

/* ------------------------------------------------------------------------------------------------------------------
 * Interchange: the native file
 * ---------------------------------------------------------------------------------------------------------------- */

/** Write the frame to a file (docs/format.md): records with their attributes, collections with all that they keep. The file is written
 *  beside `path`, synced and renamed, so that at every moment `path` holds the old or the new file, whole; links are followed, and a
 *  file that is replaced hands on its mode. Equal frames give equal bytes. SL_ERROR_SYSTEM with the system's reason (system_code); then
 *  what was at `path` still is, but where the last step failed, syncing the folder, of which the message speaks.
 *  SL_ERROR_INVALID_ARGUMENT for a path that is a device or pipe, and, with the column, for attributes that are malformed or of an Arrow
 *  type that is not stored (list views, run-end encoding). About the time of copying the file and syncing the copy. */
SL_API SL_MUST_USE sl_status sl_frame_state_save(const sl_frame_state *state, const char *path,
                                                 const sl_progress *progress, sl_error *error);

/** How a file is opened. Zero-initialise, then set what differs. */
typedef struct sl_load_options {
    bool
        read_whole; /**< read the file into memory instead of mapping it: for files that others may write into in place */
    const sl_progress *progress; /**< optional */
} sl_load_options;

/** The frame of a file. Large arrays are used where the file is mapped; the mapping lives as long as any of them, whatever becomes of the
 *  path. Nobody may write into a mapped file or cut it short: that may end the process (SIGBUS). The whole file is checked, its contents
 *  included, as if it came from a stranger. SL_ERROR_SYSTEM where it cannot be opened; SL_ERROR_CORRUPT with the reason for one that is cut
 *  short, altered or none of ours, and for a newer version of the format, which it names. `options` may be NULL. O(bytes), and a
 *  look-up of all keys; where edges are kept, O(edges) more. */
SL_API SL_MUST_USE sl_status sl_frame_load(const char *path, const sl_load_options *options, sl_frame **out,
                                           sl_error *error);

#ifdef __cplusplus
}
#endif
#endif
