/* attributes.c: attributes of records: attaching, finding, carrying from one context to another. See attributes.h.
 *
 * Every way in makes the spans of what is new by itself (ascending, each record once), and lays them over those that are
 * there (attaching) or under them (carrying: a record that is described already keeps its span). Where all that is new lies
 * behind all that is there, as when records are added, it is appended in place; else both are merged into new spans,
 * O(spans). What was laid over is forgotten: detaching cannot bring it back. */
#include "records/attributes.h"

#include <inttypes.h>
#include <string.h>

#include "records/context.h"
#include "support/sort.h"

#define NONE SL_NO_RECORD /* the attachment of a gap */

/* ---------------------------------------------------------------------------------------------- spans */

static sl_status reserve_spans(sl_i_spans *spans, uint64_t extra, sl_error *error) {
    return sl_i_reserve(&spans->items, &spans->capacity, spans->count + extra, sizeof *spans->items, "attributes",
                        error);
}

static void free_spans(sl_i_spans *spans) {
    sl_i_release(spans->items, spans->capacity, sizeof *spans->items);
    *spans = (sl_i_spans){0};
}

/* Does `span`, at record `first`, go on as `last` does? */
static bool continues(const sl_i_span *last, const sl_i_span *span) {
    if (last->attachment != span->attachment) return false;
    return span->attachment == NONE || last->row + (span->first - last->first) == span->row;
}

/* Append a span that begins behind or where the last one does, in reserved room; a span that would be empty gives way. */
static void put_span(sl_i_spans *spans, sl_i_span span) {
    if (spans->count && spans->items[spans->count - 1].first == span.first) spans->count--;
    if (spans->count ? continues(&spans->items[spans->count - 1], &span) : span.attachment == NONE) return;
    spans->items[spans->count++] = span;
}

/* The record from which on nothing is described. */
static uint32_t described_end(const sl_i_spans *spans) {
    return spans->count ? spans->items[spans->count - 1].first : 0;
}

/* Position of the span that holds `record`; spans->count before the first. `hint` is where the last search ended. */
static uint64_t find_span(const sl_i_spans *spans, uint32_t record, uint64_t hint) {
    const sl_i_span *items = spans->items;
    uint64_t count = spans->count;
    if (hint < count && items[hint].first <= record) {
        if (hint + 1 == count || items[hint + 1].first > record) return hint;
        if (hint + 2 == count || items[hint + 2].first > record) return hint + 1;
    }
    uint64_t low = 0, high = count; /* the first span behind the record */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (items[middle].first <= record)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : count;
}

/* Where the attributes of a record are; attachment NONE if it has none. */
static sl_i_span find_record(const sl_i_spans *spans, uint32_t record, uint64_t *hint) {
    *hint = find_span(spans, record, *hint);
    sl_i_span found = {record, NONE, 0};
    if (*hint == spans->count || spans->items[*hint].attachment == NONE) return found;
    found.attachment = spans->items[*hint].attachment;
    found.row = spans->items[*hint].row + (record - spans->items[*hint].first);
    return found;
}

/* ---------------------------------------------------------------------------------------------- laying over and under */

/* Which of two descriptions of a record counts. */
typedef enum precedence { OLD_ONES, NEW_ONES } precedence;

/* Walks a step function from one step to the next. */
typedef struct walk {
    const sl_i_spans *spans;
    uint64_t next; /* the span that begins next */
} walk;

static uint64_t next_step(const walk *w) {
    return w->next < w->spans->count ? w->spans->items[w->next].first : UINT64_MAX;
}

/* What the walk says of `record`, which it has come to. */
static sl_i_span now_at(const walk *w, uint32_t record) {
    sl_i_span at = {record, NONE, 0};
    if (w->next == 0) return at;
    const sl_i_span *span = &w->spans->items[w->next - 1];
    at.attachment = span->attachment;
    if (at.attachment != NONE) at.row = span->row + (record - span->first);
    return at;
}

/* `upper` where it describes a record, else `lower`, into `out`, which has room for both. */
static void merge_spans(const sl_i_spans *upper, const sl_i_spans *lower, sl_i_spans *out) {
    walk a = {upper, 0}, b = {lower, 0};
    for (;;) {
        uint64_t of_a = next_step(&a), of_b = next_step(&b), record = of_a < of_b ? of_a : of_b;
        if (record == UINT64_MAX) return;
        a.next += of_a == record;
        b.next += of_b == record;
        sl_i_span span = now_at(&a, (uint32_t)record);
        put_span(out, span.attachment != NONE ? span : now_at(&b, (uint32_t)record));
    }
}

static bool lie_behind(const sl_i_spans *added, const sl_i_spans *spans) {
    return added->count == 0 || added->items[0].first >= described_end(spans);
}

static sl_status lay(sl_i_spans *spans, const sl_i_spans *added, precedence wins, sl_error *error) {
    if (lie_behind(added, spans)) {
        SL_TRY(reserve_spans(spans, added->count, error));
        for (uint64_t i = 0; i < added->count; i++) put_span(spans, added->items[i]);
        return SL_OK;
    }
    sl_i_spans merged = {0};
    SL_TRY(reserve_spans(&merged, spans->count + added->count, error));
    merge_spans(wins == NEW_ONES ? added : spans, wins == NEW_ONES ? spans : added, &merged);
    free_spans(spans);
    *spans = merged;
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- attachments */

static sl_status reserve_attachments(sl_i_attributes *attributes, uint32_t extra, sl_error *error) {
    uint64_t needed = (uint64_t)attributes->count + extra;
    if (needed >= NONE)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "more than 2^32-2 tables of attributes: attach larger ones");
    return sl_i_reserve(&attributes->attachments, &attributes->capacity, needed, sizeof *attributes->attachments,
                        "attributes", error);
}

/* The lowest record of each attachment from `first` on. */
static void find_lowest(sl_i_attributes *attributes, uint32_t first, const sl_i_spans *spans) {
    for (uint32_t i = first; i < attributes->count; i++) attributes->attachments[i].lowest = SL_NO_RECORD;
    for (uint64_t i = 0; i < spans->count; i++) {
        uint32_t attachment = spans->items[i].attachment;
        if (attachment == NONE || attachment < first) continue;
        if (spans->items[i].first < attributes->attachments[attachment].lowest)
            attributes->attachments[attachment].lowest = spans->items[i].first;
    }
}

/* Empty the slots of attachments from `first` on that describe no record below `num_records`; `dropped` (optional) gets what they held. */
static void drop_unused(sl_i_attributes *attributes, uint32_t first, uint32_t num_records, sl_i_attributes *dropped) {
    for (uint32_t i = first; i < attributes->count; i++) {
        sl_i_attachment *attachment = &attributes->attachments[i];
        if (!attachment->batches || attachment->lowest < num_records) continue;
        if (dropped && reserve_attachments(dropped, 1, NULL) == SL_OK)
            dropped->attachments[dropped->count++] = *attachment;
        else
            sl_batches_release(attachment->batches);
        attachment->batches = NULL;
    }
    while (attributes->count && !attributes->attachments[attributes->count - 1].batches) attributes->count--;
}

/* Add attachments (references of their own, taken over on success) whose spans number them from attributes->count on. Those that
 * describe no record now, old ones that were laid over too, go to `unused`. */
static sl_status add_attachments(sl_i_attributes *attributes, const sl_i_attachment *attachments, uint32_t count,
                                 const sl_i_spans *spans, precedence wins, sl_i_attributes *unused, sl_error *error) {
    uint32_t old = attributes->count;
    bool behind = lie_behind(spans, &attributes->spans);
    uint32_t changed = behind || wins == OLD_ONES ? old : 0; /* the first attachment that may describe others now */
    SL_TRY(reserve_attachments(attributes, count, error));
    SL_TRY(lay(&attributes->spans, spans, wins, error));
    if (count) memcpy(attributes->attachments + old, attachments, count * sizeof *attachments);
    attributes->count += count;
    find_lowest(attributes, changed, behind ? spans : &attributes->spans);
    drop_unused(attributes, changed, SL_NO_RECORD, unused);
    return SL_OK;
}

static void cut_spans(sl_i_spans *spans, uint32_t num_records) {
    if (described_end(spans) <= num_records) return;
    uint64_t low = 0, high = spans->count - 1; /* how many begin below num_records: not the last */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (spans->items[middle].first < num_records)
            low = middle + 1;
        else
            high = middle;
    }
    spans->count = low;
    put_span(spans, (sl_i_span){num_records, NONE, 0}); /* in the room of one that was cut off */
}

static sl_status copy_all(const sl_i_attributes *attributes, sl_i_attributes *out, sl_error *error) {
    SL_TRY(reserve_spans(&out->spans, attributes->spans.count, error));
    SL_TRY(reserve_attachments(out, attributes->count, error));
    if (attributes->spans.count)
        memcpy(out->spans.items, attributes->spans.items, (size_t)attributes->spans.count * sizeof *out->spans.items);
    out->spans.count = attributes->spans.count;
    for (uint32_t i = 0; i < attributes->count; i++) {
        out->attachments[i] = attributes->attachments[i];
        (void)sl_batches_retain(out->attachments[i].batches);
    }
    out->count = attributes->count;
    return SL_OK;
}

sl_status sl_i_attributes_copy(const sl_i_attributes *attributes, uint32_t num_records, sl_i_attributes *out,
                               sl_error *error) {
    sl_status status = copy_all(attributes, out, error);
    if (status != SL_OK) {
        sl_i_attributes_free(out);
        return status;
    }
    sl_i_attributes_truncate(out, num_records, NULL); /* others hold the batches */
    return SL_OK;
}

void sl_i_attributes_truncate(sl_i_attributes *attributes, uint32_t num_records, sl_i_attributes *dropped) {
    cut_spans(&attributes->spans, num_records);
    drop_unused(attributes, 0, num_records, dropped);
}

void sl_i_attributes_detach(sl_i_attributes *attributes, uint32_t count, uint32_t num_records,
                            sl_i_attributes *dropped) {
    sl_i_spans *spans = &attributes->spans;
    uint64_t num_spans = spans->count;
    spans->count = 0; /* spans are put back in place: fewer than were read */
    for (uint64_t i = 0; i < num_spans; i++) {
        sl_i_span span = spans->items[i];
        if (span.attachment != NONE && span.attachment >= count) span.attachment = NONE;
        put_span(spans, span);
    }
    for (uint32_t i = count; i < attributes->count; i++) attributes->attachments[i].lowest = SL_NO_RECORD;
    drop_unused(attributes, count, num_records, dropped);
}

void sl_i_context_detach(sl_context *context, uint32_t count) {
    sl_i_attributes dropped = {0};
    if (sl_i_context_write(context, NULL) != SL_OK) return;
    sl_i_attributes_detach(&context->attributes, count, sl_i_context_published(context), &dropped);
    sl_i_context_end_write(context);
    sl_i_attributes_free(&dropped);
}

void sl_i_attributes_free(sl_i_attributes *attributes) {
    for (uint32_t i = 0; i < attributes->count; i++) sl_batches_release(attributes->attachments[i].batches);
    sl_i_release(attributes->attachments, attributes->capacity, sizeof *attributes->attachments);
    free_spans(&attributes->spans);
    *attributes = (sl_i_attributes){0};
}

/* ---------------------------------------------------------------------------------------------- attaching */

/* Row i describes record first + i. */
static sl_status make_one_span(uint32_t first, uint32_t num_rows, uint32_t attachment, sl_i_spans *out,
                               sl_error *error) {
    if (num_rows == 0) return SL_OK;
    SL_TRY(reserve_spans(out, 2, error));
    put_span(out, (sl_i_span){first, attachment, 0});
    put_span(out, (sl_i_span){first + num_rows, NONE, 0});
    return SL_OK;
}

static uint32_t record_of(uint64_t pair) { return (uint32_t)(pair >> 32); }

/* Ascending pairs (record << 32 | row), each record once. `out` NULL only counts the runs. */
static uint64_t spans_of_pairs(const uint64_t *pairs, uint64_t count, uint32_t attachment, sl_i_spans *out) {
    uint64_t runs = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (i && pairs[i] == pairs[i - 1] + (UINT64_C(1) << 32) + 1) continue;
        runs++;
        if (!out) continue;
        if (i) put_span(out, (sl_i_span){record_of(pairs[i - 1]) + 1, NONE, 0});
        put_span(out, (sl_i_span){record_of(pairs[i]), attachment, (uint32_t)pairs[i]});
    }
    if (out && count) put_span(out, (sl_i_span){record_of(pairs[count - 1]) + 1, NONE, 0});
    return runs;
}

static bool pairs_ascend(const uint64_t *pairs, uint64_t count) {
    for (uint64_t i = 1; i < count; i++)
        if (pairs[i] < pairs[i - 1]) return false;
    return true;
}

/* Of several pairs with one record the first stays. */
static uint64_t drop_repeats(uint64_t *pairs, uint64_t count) {
    uint64_t kept = 0;
    for (uint64_t i = 0; i < count; i++)
        if (kept == 0 || record_of(pairs[i]) != record_of(pairs[kept - 1])) pairs[kept++] = pairs[i];
    return kept;
}

/* Put pairs in order, each record once. */
static sl_status order_pairs(uint64_t *pairs, uint64_t *count_io, sl_error *error) {
    uint64_t *scratch = NULL, count = *count_io;
    if (!pairs_ascend(pairs, count)) {
        SL_TRY(sl_i_allocate(&scratch, count, sizeof *scratch, "attributes", error));
        sl_i_sort_u64(pairs, scratch, count);
        sl_i_release(scratch, count, sizeof *scratch);
    }
    *count_io = drop_repeats(pairs, count);
    return SL_OK;
}

/* Row i describes record records[i]. */
static sl_status make_spans(const uint32_t *records, uint32_t num_rows, uint32_t attachment, sl_i_spans *out,
                            sl_error *error) {
    uint64_t *pairs = NULL, count = 0;
    SL_TRY(sl_i_allocate(&pairs, num_rows, sizeof *pairs, "attributes", error));
    for (uint32_t row = 0; row < num_rows; row++)
        if (records[row] != SL_NO_RECORD) pairs[count++] = (uint64_t)records[row] << 32 | row;
    sl_status status = order_pairs(pairs, &count, error);
    if (status == SL_OK) status = reserve_spans(out, 2 * spans_of_pairs(pairs, count, attachment, NULL), error);
    if (status == SL_OK) (void)spans_of_pairs(pairs, count, attachment, out);
    sl_i_release(pairs, num_rows, sizeof *pairs);
    return status;
}

static sl_status check_attached(const sl_context *context, const uint32_t *records, uint32_t first, uint64_t num_rows,
                                sl_error *error) {
    uint32_t num_records = context->store.count;
    if (num_rows >= SL_NO_RECORD)
        return sl_i_fail(error, SL_ERROR_CAPACITY, "%" PRIu64 " rows of attributes: attach at most 2^32-2 at once",
                         num_rows);
    if (!records && num_rows > 0 && first + num_rows > num_records)
        return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                         "%" PRIu64 " rows of attributes cannot describe the records from %" PRIu32
                         " on: there are %" PRIu32 " records",
                         num_rows, first, num_records);
    for (uint64_t i = 0; records && i < num_rows; i++)
        if (records[i] >= num_records && records[i] != SL_NO_RECORD)
            return sl_i_fail_row(error, SL_ERROR_INVALID_ARGUMENT, (int64_t)i, -1,
                                 "row %" PRIu64 " describes record %" PRIu32 ", but there are %" PRIu32 " records", i,
                                 records[i], num_records);
    return SL_OK;
}

/* Under the writer lock. */
static sl_status attach(sl_context *context, sl_batches *batches, const uint32_t *records, uint32_t first,
                        sl_i_attributes *unused, sl_error *error) {
    sl_i_attributes *attributes = &context->attributes;
    uint64_t num_rows = sl_batches_num_rows(batches);
    uint32_t number = attributes->count;
    sl_i_spans spans = {0};
    SL_TRY(check_attached(context, records, first, num_rows, error));
    const sl_i_attachment attachment = {sl_batches_retain(batches), SL_NO_RECORD};
    sl_status status = records ? make_spans(records, (uint32_t)num_rows, number, &spans, error)
                               : make_one_span(first, (uint32_t)num_rows, number, &spans, error);
    if (status == SL_OK) status = add_attachments(attributes, &attachment, 1, &spans, NEW_ONES, unused, error);
    free_spans(&spans);
    if (status != SL_OK) sl_batches_release(batches); /* not the last reference, which is the caller's */
    return status;
}

sl_status sl_context_attach(sl_context *context, sl_batches *batches, const uint32_t *records, uint32_t first,
                            sl_error *error) {
    sl_i_attributes unused = {0};
    SL_TRY(sl_i_context_write(context, error));
    sl_status status = attach(context, batches, records, first, &unused, error);
    sl_i_context_end_write(context);
    sl_i_attributes_free(&unused);
    return status;
}

/* ---------------------------------------------------------------------------------------------- finding */

uint32_t sl_context_num_attachments(const sl_context *context) {
    if (sl_i_context_read(context, NULL) != SL_OK) return 0;
    uint32_t count = context->attributes.count;
    sl_i_context_end_read(context);
    return count;
}

sl_batches *sl_context_attachment(const sl_context *context, uint32_t attachment) {
    sl_batches *batches = NULL;
    if (sl_i_context_read(context, NULL) != SL_OK) return NULL;
    if (attachment < context->attributes.count)
        batches = sl_batches_retain(context->attributes.attachments[attachment].batches);
    sl_i_context_end_read(context);
    return batches;
}

void sl_context_find_attributes(const sl_context *context, const uint32_t *records, uint64_t count,
                                uint32_t *attachments, uint64_t *rows) {
    uint64_t hint = 0;
    if (sl_i_context_read(context, NULL) != SL_OK) {
        memset(attachments, 0xFF, count * sizeof *attachments); /* SL_NO_RECORD */
        memset(rows, 0, count * sizeof *rows);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        sl_i_span found = find_record(&context->attributes.spans, records[i], &hint);
        attachments[i] = found.attachment;
        rows[i] = found.row;
    }
    sl_i_context_end_read(context);
}

/* ---------------------------------------------------------------------------------------------- carrying */

/* What is on its way from one context to another. Attachments are numbered as in the first while the spans are made. */
typedef struct cargo {
    sl_i_spans spans; /* by records of the second */
    sl_i_attachment *attachments;
    uint32_t *numbers; /* of each attachment of the first, among those that are carried; NONE: not carried */
    uint32_t num_attachments, num_carried;
} cargo;

static void free_cargo(cargo *c) {
    free_spans(&c->spans);
    for (uint32_t i = 0; i < c->num_carried; i++) sl_batches_release(c->attachments[i].batches);
    sl_i_release(c->attachments, c->num_attachments, sizeof *c->attachments);
    sl_i_release(c->numbers, c->num_attachments, sizeof *c->numbers);
}

/* (record of the second << 32 | record of the first), for those with attributes that are from `lowest` on in the second. */
static uint64_t list_described(const sl_i_spans *spans, const uint32_t *translation, uint32_t num_records,
                               uint32_t lowest, uint64_t *pairs) {
    uint64_t count = 0;
    for (uint64_t i = 0; i + 1 < spans->count; i++) {
        if (spans->items[i].attachment == NONE) continue;
        uint32_t end = spans->items[i + 1].first < num_records ? spans->items[i + 1].first : num_records;
        for (uint32_t r = spans->items[i].first; r < end; r++)
            if (translation[r] != SL_NO_RECORD && translation[r] >= lowest)
                pairs[count++] = (uint64_t)translation[r] << 32 | r;
    }
    return count;
}

/* Spans of ascending pairs, each record of the second once. */
static sl_status pack_pairs(const sl_i_spans *from, const uint64_t *pairs, uint64_t count, cargo *c,
                            sl_i_ticker *ticker, sl_error *error) {
    uint64_t hint = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (i % 65536 == 0) SL_TRY(sl_i_ticker_advance(ticker, 0, error));
        sl_i_span span = find_record(from, (uint32_t)pairs[i], &hint);
        span.first = record_of(pairs[i]);
        SL_TRY(reserve_spans(&c->spans, 2, error));
        put_span(&c->spans, span);
        put_span(&c->spans, (sl_i_span){span.first + 1, NONE, 0});
        if (c->numbers[span.attachment] == NONE) c->numbers[span.attachment] = 0;
    }
    return SL_OK;
}

static void take_attachments(const sl_i_attributes *from, cargo *c) {
    for (uint32_t i = 0; i < from->count; i++) {
        if (c->numbers[i] == NONE) continue;
        c->numbers[i] = c->num_carried;
        c->attachments[c->num_carried++] = (sl_i_attachment){sl_batches_retain(from->attachments[i].batches), 0};
    }
}

static sl_status load(const sl_i_attributes *from, const uint32_t *translation, uint32_t num_records, uint32_t lowest,
                      cargo *c, sl_i_ticker *ticker, sl_error *error) {
    uint64_t *pairs = NULL;
    c->num_attachments = from->count;
    SL_TRY(sl_i_allocate(&c->attachments, from->count, sizeof *c->attachments, "attributes", error));
    SL_TRY(sl_i_allocate(&c->numbers, from->count, sizeof *c->numbers, "attributes", error));
    memset(c->numbers, 0xFF, from->count * sizeof *c->numbers);
    SL_TRY(sl_i_allocate(&pairs, num_records, sizeof *pairs, "attributes", error));
    uint64_t count = list_described(&from->spans, translation, num_records, lowest, pairs);
    sl_status status = sl_i_ticker_advance(ticker, 0, error);
    if (status == SL_OK) status = order_pairs(pairs, &count, error);
    if (status == SL_OK) status = pack_pairs(&from->spans, pairs, count, c, ticker, error);
    sl_i_release(pairs, num_records, sizeof *pairs);
    if (status == SL_OK) take_attachments(from, c);
    return status;
}

static sl_status check_translated(const sl_context *into, const cargo *c, sl_error *error) {
    uint32_t end = described_end(&c->spans);
    if (end <= into->store.count) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT,
                     "attributes of record %" PRIu32 " cannot be carried over: there are %" PRIu32 " records", end - 1,
                     into->store.count);
}

/* Under the writer lock of the second context. */
static sl_status unload(cargo *c, sl_context *into, sl_i_attributes *unused, sl_error *error) {
    uint32_t first = into->attributes.count;
    SL_TRY(check_translated(into, c, error));
    for (uint64_t i = 0; i < c->spans.count; i++) {
        sl_i_span *span = &c->spans.items[i];
        if (span->attachment != NONE) span->attachment = first + c->numbers[span->attachment];
    }
    SL_TRY(add_attachments(&into->attributes, c->attachments, c->num_carried, &c->spans, OLD_ONES, unused, error));
    c->num_carried = 0; /* the references are taken over */
    return SL_OK;
}

sl_status sl_i_attributes_carry(const sl_context *from, const uint32_t *translation, uint32_t num_records,
                                uint32_t first, sl_context *into, sl_i_ticker *ticker, sl_error *error) {
    cargo c = {0};
    sl_i_attributes now = {0}, unused = {0}; /* now: those of `from`, to be read without its lock */
    SL_TRY(sl_i_context_read(from, error));
    sl_status status = sl_i_attributes_copy(&from->attributes, num_records, &now, error);
    sl_i_context_end_read(from);
    if (status == SL_OK && now.count) status = load(&now, translation, num_records, first, &c, ticker, error);
    bool loaded = status == SL_OK && c.num_carried > 0;
    if (loaded) status = sl_i_context_write(into, error);
    if (loaded && status == SL_OK) {
        status = unload(&c, into, &unused, error);
        sl_i_context_end_write(into);
    }
    free_cargo(&c);
    sl_i_attributes_free(&now);
    sl_i_attributes_free(&unused);
    return status;
}

/* ---------------------------------------------------------------------------------------------- checking */

static const char *fault_of_span(const sl_i_attributes *attributes, uint64_t i) {
    const sl_i_spans *spans = &attributes->spans;
    const sl_i_span *span = &spans->items[i];
    if (span->attachment == NONE) return i == 0 ? "attributes that begin with a gap" : NULL;
    if (i + 1 == spans->count) return "attributes without an end";
    if (span->attachment >= attributes->count || !attributes->attachments[span->attachment].batches)
        return "attributes in an attachment that is not there";
    const sl_i_attachment *attachment = &attributes->attachments[span->attachment];
    uint64_t length = spans->items[i + 1].first - span->first;
    if (span->row + length > sl_batches_num_rows(attachment->batches)) return "attributes in a row that is not there";
    return attachment->lowest <= span->first ? NULL : "attachment with a record below its lowest";
}

const char *sl_i_attributes_fault(const sl_i_attributes *attributes, uint32_t num_records) {
    const sl_i_spans *spans = &attributes->spans;
    for (uint64_t i = 0; i < spans->count; i++) {
        if (i && spans->items[i].first <= spans->items[i - 1].first) return "attributes out of order";
        if (i && continues(&spans->items[i - 1], &spans->items[i])) return "attributes split without need";
        const char *fault = fault_of_span(attributes, i);
        if (fault) return fault;
    }
    if (described_end(spans) > num_records) return "attributes of a record that is not there";
    if (attributes->count && !attributes->attachments[attributes->count - 1].batches) return "empty last attachment";
    return NULL;
}

/* ---------------------------------------------------------------------------------------------- restoring */

static sl_status take_all(const sl_i_span *spans, uint64_t num_spans, sl_batches *const *batches, uint32_t count,
                          sl_i_attributes *out, sl_error *error) {
    SL_TRY(reserve_spans(&out->spans, num_spans, error));
    SL_TRY(reserve_attachments(out, count, error));
    for (uint32_t i = 0; i < count; i++)
        out->attachments[i] = (sl_i_attachment){sl_batches_retain(batches[i]), SL_NO_RECORD};
    out->count = count;
    for (uint64_t i = 0; i < num_spans; i++) {
        if (spans[i].attachment != NONE && spans[i].attachment >= count)
            return sl_i_fail(error, SL_ERROR_CORRUPT, "attributes in a table that is not there");
        out->spans.items[out->spans.count++] = spans[i];
    }
    return SL_OK;
}

static sl_status check_restored(const sl_i_attributes *attributes, uint32_t num_records, sl_error *error) {
    const char *fault = sl_i_attributes_fault(attributes, num_records);
    for (uint32_t i = 0; i < attributes->count && !fault; i++)
        if (attributes->attachments[i].lowest == SL_NO_RECORD) fault = "a table of attributes of no record";
    return fault ? sl_i_fail(error, SL_ERROR_CORRUPT, "%s", fault) : SL_OK;
}

sl_status sl_i_attributes_restore(const sl_i_span *spans, uint64_t num_spans, sl_batches *const *batches,
                                  uint32_t count, uint32_t num_records, sl_i_attributes *out, sl_error *error) {
    sl_status status = take_all(spans, num_spans, batches, count, out, error);
    if (status == SL_OK) {
        find_lowest(out, 0, &out->spans);
        status = check_restored(out, num_records, error);
    }
    if (status != SL_OK) sl_i_attributes_free(out);
    return status;
}
