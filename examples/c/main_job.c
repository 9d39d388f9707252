/* main_job.c: from scored pairs and true entities to the best cut, in C.
 *
 *     main_job                                     small generated data
 *     main_job EDGES.csv TRUTH.csv [ENTITIES.csv]  your own
 *
 * EDGES.csv has the columns left,right,score; TRUTH.csv has key,entity. A first line whose score is no number, or the line
 * "key,entity", is a header. The program builds the whole hierarchy, measures every cut, prints the best thresholds for
 * three metrics and writes the entities at the best one for F1 to ENTITIES.csv (default: their head to standard output). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <starlings.h>

/* ---- columns of text, in Arrow's layout --------------------------------------------------------------------------- */

typedef struct text_column {
    char *bytes;
    int64_t *offsets; /* length + 1 */
    size_t length, num_bytes, room, byte_room;
} text_column;

typedef struct number_column {
    double *values;
    size_t length, room;
} number_column;

static void *grow(void *memory, size_t *room, size_t needed, size_t size) {
    if (needed <= *room) return memory;
    *room = needed * 2 + 1024;
    void *larger = realloc(memory, *room * size);
    if (!larger) {
        fprintf(stderr, "main_job: out of memory\n");
        exit(1);
    }
    return larger;
}

static void add_text(text_column *column, const char *text, size_t length) {
    column->offsets = grow(column->offsets, &column->room, column->length + 2, sizeof *column->offsets);
    column->bytes = grow(column->bytes, &column->byte_room, column->num_bytes + length, 1);
    memcpy(column->bytes + column->num_bytes, text, length);
    column->offsets[0] = 0;
    column->num_bytes += length;
    column->offsets[++column->length] = (int64_t)column->num_bytes;
}

static void add_number(number_column *column, double value) {
    column->values = grow(column->values, &column->room, column->length + 1, sizeof *column->values);
    column->values[column->length++] = value;
}

static sl_column text(const text_column *column) {
    return (sl_column){.type = SL_COLUMN_LARGE_STRING,
                       .length = column->length,
                       .values = column->bytes,
                       .offsets = column->offsets,
                       .values_size = column->num_bytes};
}

static sl_column numbers(const number_column *column) {
    return (sl_column){.type = SL_COLUMN_FLOAT64, .length = column->length, .values = column->values};
}

static void free_text(text_column *column) {
    free(column->bytes);
    free(column->offsets);
}

/* ---- input -------------------------------------------------------------------------------------------------------- */

typedef struct input {
    text_column left, right, key, entity;
    number_column score;
} input;

static void free_input(input *in) {
    free_text(&in->left);
    free_text(&in->right);
    free_text(&in->key);
    free_text(&in->entity);
    free(in->score.values);
}

/* Splits `line` in place at commas outside quotes; a doubled quote stands for one. Returns the number of fields. */
static int split(char *line, char **fields, int most) {
    int count = 0;
    char *read = line, *write = line;
    while (count < most) {
        bool quoted = *read == '"', more;
        fields[count++] = write;
        if (quoted) read++;
        while (*read && (quoted || *read != ',')) {
            if (quoted && *read == '"' && *++read != '"') {
                quoted = false;
                continue;
            }
            *write++ = *read++;
        }
        more = *read == ',';
        read += more;
        *write++ = '\0';
        if (!more) break;
    }
    return count;
}

typedef bool (*row_reader)(input *in, char **fields, bool first);

static bool read_edge(input *in, char **fields, bool first) {
    char *end = fields[2];
    double score = strtod(fields[2], &end);
    if (end == fields[2] || *end) return first; /* the header */
    add_text(&in->left, fields[0], strlen(fields[0]));
    add_text(&in->right, fields[1], strlen(fields[1]));
    add_number(&in->score, score);
    return true;
}

static bool read_truth(input *in, char **fields, bool first) {
    if (first && strcmp(fields[0], "key") == 0 && strcmp(fields[1], "entity") == 0) return true;
    add_text(&in->key, fields[0], strlen(fields[0]));
    add_text(&in->entity, fields[1], strlen(fields[1]));
    return true;
}

static bool read_csv(const char *path, int num_fields, row_reader read_row, input *in) {
    FILE *file = fopen(path, "r");
    char *line = NULL, *fields[3];
    size_t room = 0, row = 0;
    bool good = file != NULL;
    if (!file) fprintf(stderr, "main_job: cannot open %s: %s\n", path, strerror(errno));
    while (good && getline(&line, &room, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        row++;
        if (*line == '\0') continue;
        good = split(line, fields, num_fields) == num_fields && read_row(in, fields, row == 1);
        if (!good) fprintf(stderr, "main_job: %s, line %zu: not %d columns as expected\n", path, row, num_fields);
    }
    free(line);
    if (file) fclose(file);
    return good;
}

/* In [0, 1). */
static double random_number(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / 16777216.0;
}

/* 300 entities of 1 to 5 records. Pairs within an entity score high as a rule, pairs between entities low. */
static void generate(input *in) {
    uint64_t state = 2026;
    char name[2][32];
    uint32_t first = 0;
    for (int entity = 0; entity < 300; entity++) {
        uint32_t size = 1 + (uint32_t)(random_number(&state) * 5);
        for (uint32_t i = 0; i < size; i++) {
            int length = snprintf(name[0], sizeof name[0], "record-%u", first + i);
            add_text(&in->key, name[0], (size_t)length);
            length = snprintf(name[1], sizeof name[1], "entity-%d", entity);
            add_text(&in->entity, name[1], (size_t)length);
        }
        for (uint32_t i = 0; i < size + 2; i++) {
            bool within = i < size && size > 1;
            uint32_t a = first + i % size, anywhere = (uint32_t)(random_number(&state) * (first + size));
            uint32_t b = within ? first + (i + 1) % size : anywhere;
            double noise = random_number(&state);
            noise *= noise * noise;
            int length = snprintf(name[0], sizeof name[0], "record-%u", a);
            add_text(&in->left, name[0], (size_t)length);
            length = snprintf(name[1], sizeof name[1], "record-%u", b);
            add_text(&in->right, name[1], (size_t)length);
            add_number(&in->score, within ? 1 - 0.7 * noise : 0.8 * noise);
        }
        first += size;
    }
}

/* ---- the job ------------------------------------------------------------------------------------------------------ */

typedef struct job {
    sl_context *records;  /* who the records are */
    sl_context *entities; /* names of the true entities: a context numbers any keys */
    sl_hierarchy *hierarchy;
    sl_curve *curve;
    uint32_t *truth; /* number of the true entity of each record */
    uint32_t num_truth;
    double best_threshold; /* for F1 */
} job;

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        sl_status status_ = (call);                                                                                    \
        if (status_ != SL_OK) return status_;                                                                          \
    } while (0)

/* The true records first, then whatever else the edges name, joined at every threshold. */
static sl_status build(job *j, const input *in, sl_error *error) {
    uint32_t first;
    uint16_t source;
    sl_key_column keys = {.keys = text(&in->key)};
    sl_edges edges = {
        .left = {.keys = text(&in->left)}, .right = {.keys = text(&in->right)}, .score = numbers(&in->score)};
    TRY(sl_context_create(&j->records, error));
    TRY(sl_context_add_source(j->records, "default", strlen("default"), &source, error));
    TRY(sl_context_add_records(j->records, &keys, &first, error));
    return sl_hierarchy_extend(j->records, NULL, &edges, 1, NULL, &j->hierarchy, error);
}

/* A record that the truth does not name counts as an entity of its own. */
static sl_status number_truth(job *j, const input *in, sl_error *error) {
    uint32_t num_records = sl_context_num_records(j->records), named = (uint32_t)in->key.length;
    uint16_t source;
    sl_key_column names = {.keys = text(&in->entity)};
    size_t room = 0;
    j->truth = grow(NULL, &room, (size_t)num_records + 1, sizeof *j->truth);
    TRY(sl_context_create(&j->entities, error));
    TRY(sl_context_add_source(j->entities, "default", strlen("default"), &source, error));
    TRY(sl_context_intern(j->entities, &names, j->truth, NULL, error));
    j->num_truth = sl_context_num_records(j->entities);
    for (uint32_t record = named; record < num_records; record++) j->truth[record] = j->num_truth++;
    if (named < num_records)
        printf("%u records have no true entity: taken as entities of their own\n", num_records - named);
    return SL_OK;
}

static uint64_t best_row(const double *values, uint64_t count) {
    uint64_t best = 0;
    for (uint64_t row = 1; row < count; row++)
        if (values[row] >= values[best]) best = row; /* of equals, the highest threshold */
    return best;
}

static sl_status measure(job *j, sl_error *error) {
    static const sl_metric wanted[] = {SL_METRIC_F1, SL_METRIC_BCUBED_F1, SL_METRIC_CLUSTER_F1};
    sl_curve_options options = {.reference_labels = j->truth, .num_reference_labels = j->num_truth};
    TRY(sl_curve_create(j->hierarchy, 0, &options, &j->curve, error));
    uint64_t rows = sl_curve_length(j->curve);
    size_t room = 0;
    double *values = grow(NULL, &room, rows, sizeof *values);
    sl_status status = SL_OK;
    printf("%-12s %10s %10s\n", "metric", "threshold", "value");
    for (size_t m = 0; m < sizeof wanted / sizeof *wanted && status == SL_OK; m++) {
        status = sl_curve_metric(j->curve, wanted[m], 0, values, error);
        if (status != SL_OK) break;
        uint64_t best = best_row(values, rows);
        double threshold = sl_curve_thresholds(j->curve)[best];
        if (wanted[m] == SL_METRIC_F1) j->best_threshold = threshold;
        printf("%-12s %10.6f %10.6f\n", sl_metric_name(wanted[m]), threshold, values[best]);
    }
    free(values);
    return status;
}

static void write_field(FILE *file, const uint8_t *bytes, size_t length) {
    bool quote = memchr(bytes, ',', length) || memchr(bytes, '"', length);
    if (quote) fputc('"', file);
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '"') fputc('"', file);
        fputc(bytes[i], file);
    }
    if (quote) fputc('"', file);
}

/* key,entity for every record, entity by entity; at most `most` entities. */
static sl_status write_entities(const job *j, FILE *file, uint32_t most, sl_error *error) {
    sl_partition *cut = NULL;
    const uint32_t *offsets = NULL, *members = NULL;
    TRY(sl_partition_create(j->hierarchy, 0, j->best_threshold, &cut, error));
    sl_status status = sl_partition_offsets(cut, &offsets, error);
    if (status == SL_OK) status = sl_partition_records(cut, &members, error);
    uint32_t count = sl_partition_num_entities(cut);
    if (status == SL_OK) fprintf(file, "key,entity\n");
    for (uint32_t entity = 0; status == SL_OK && entity < count && entity < most; entity++)
        for (uint32_t i = offsets[entity]; i < offsets[entity + 1]; i++) {
            sl_record record;
            if (!sl_context_record(j->records, members[i], &record)) continue;
            write_field(file, record.key.bytes, record.key.length);
            fprintf(file, ",%u\n", entity);
        }
    sl_partition_release(cut);
    return status;
}

static sl_status run(job *j, const input *in, sl_error *error) {
    TRY(build(j, in, error));
    printf("%u records, %zu edges, %u thresholds, %u merges, %.1f kB\n", sl_hierarchy_num_records(j->hierarchy),
           in->score.length, sl_hierarchy_num_levels(j->hierarchy), sl_hierarchy_num_merges(j->hierarchy),
           (double)sl_hierarchy_memory(j->hierarchy) / 1e3);
    TRY(number_truth(j, in, error));
    return measure(j, error);
}

static bool save(const job *j, const char *path, sl_error *error) {
    if (!path) {
        printf("\nthe first entities at %.6f:\n", j->best_threshold);
        return write_entities(j, stdout, 5, error) == SL_OK;
    }
    FILE *file = fopen(path, "w");
    if (!file) {
        snprintf(error->message, sizeof error->message, "cannot write %s: %s", path, strerror(errno));
        return false;
    }
    bool good = write_entities(j, file, UINT32_MAX, error) == SL_OK;
    if (fclose(file) != 0 && good) {
        snprintf(error->message, sizeof error->message, "cannot write %s: %s", path, strerror(errno));
        good = false;
    }
    if (good) printf("entities at %.6f: %s\n", j->best_threshold, path);
    return good;
}

static void release(job *j) {
    sl_curve_release(j->curve);
    sl_hierarchy_release(j->hierarchy);
    sl_context_release(j->records);
    sl_context_release(j->entities);
    free(j->truth);
}

int main(int argc, char **argv) {
    input in = {.left = {0}};
    job j = {0};
    sl_error error = {.message = ""};
    if (argc == 2 || argc > 4) {
        fprintf(stderr, "usage: main_job [EDGES.csv TRUTH.csv [ENTITIES.csv]]\n");
        return 2;
    }
    if (argc == 1) generate(&in);
    bool good = argc == 1 || (read_csv(argv[1], 3, read_edge, &in) && read_csv(argv[2], 2, read_truth, &in));
    if (good) good = run(&j, &in, &error) == SL_OK && save(&j, argc > 3 ? argv[3] : NULL, &error);
    if (!good && *error.message) fprintf(stderr, "main_job: %s\n", error.message);
    release(&j);
    free_input(&in);
    return good ? 0 : 1;
}
