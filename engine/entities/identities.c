/* identities.c: see identities.h. */
#include "entities/identities.h"

static sl_status check_length(uint64_t length, sl_error *error) {
    if (length <= UINT64_MAX / 2) return SL_OK;
    return sl_i_fail(error, SL_ERROR_CAPACITY, "the names of the sources are longer than any memory");
}

static sl_status measure_sources(sl_i_identities *out, sl_error *error) {
    for (uint32_t source = 0; source < out->num_sources; source++) {
        size_t length = 0;
        (void)sl_context_source_name(out->context, (uint16_t)source, &length);
        out->sources[source] = (sl_i_source_code){.start = out->num_bytes, .length = sizeof(uint32_t) + length};
        out->num_bytes += sizeof(uint32_t) + length;
        SL_TRY(check_length(out->num_bytes, error));
    }
    return SL_OK;
}

static void encode_sources(const sl_i_identities *out, sl_i_encoded *items) {
    for (uint32_t source = 0; source < out->num_sources; source++) {
        size_t length = 0;
        const char *name = sl_context_source_name(out->context, (uint16_t)source, &length);
        const sl_i_source_code *code = &out->sources[source];
        sl_i_put_u32(out->bytes + code->start, (uint32_t)length);
        memcpy(out->bytes + code->start + sizeof(uint32_t), name, length);
        items[source] = (sl_i_encoded){.prefix = sl_i_encoded_prefix((const uint8_t *)name, (uint32_t)length),
                                       .start = code->start,
                                       .length = code->length};
    }
}

/* A rank is found again by where the encoding starts: starts ascend with the ids. */
static uint32_t source_at(const sl_i_identities *identities, uint64_t start) {
    uint32_t low = 0, high = identities->num_sources - 1;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (identities->sources[middle].start <= start)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static sl_status rank_sources(sl_i_identities *out, sl_error *error) {
    sl_i_encoded *items = NULL, *scratch = NULL;
    sl_status status;
    SL_TRY_CLEANUP(status, sl_i_allocate(&out->bytes, out->num_bytes, 1, "the names of sources", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&items, out->num_sources, sizeof *items, "the order of sources", error));
    SL_TRY_CLEANUP(status, sl_i_allocate(&scratch, out->num_sources, sizeof *scratch, "the order of sources", error));
    encode_sources(out, items);
    const sl_i_encoded *sorted = sl_i_sort_encoded(items, scratch, out->num_sources, out->bytes, NULL, 0);
    for (uint32_t rank = 0; rank < out->num_sources; rank++)
        out->sources[source_at(out, sorted[rank].start)].rank = rank;
cleanup:
    sl_i_release(items, out->num_sources, sizeof *items);
    sl_i_release(scratch, out->num_sources, sizeof *scratch);
    return status;
}

sl_status sl_i_identities_open(const sl_context *context, sl_i_identities *out, sl_error *error) {
    *out = (sl_i_identities){.context = context, .num_sources = sl_context_num_sources(context)};
    sl_status status;
    SL_TRY(sl_i_allocate(&out->sources, out->num_sources, sizeof *out->sources, "the order of sources", error));
    SL_TRY_CLEANUP(status, measure_sources(out, error));
    SL_TRY_CLEANUP(status, rank_sources(out, error));
cleanup:
    if (status != SL_OK) sl_i_identities_close(out);
    return status;
}

void sl_i_identities_close(sl_i_identities *identities) {
    sl_i_release(identities->sources, identities->num_sources, sizeof *identities->sources);
    sl_i_release(identities->bytes, identities->num_bytes, 1);
    *identities = (sl_i_identities){0};
}
