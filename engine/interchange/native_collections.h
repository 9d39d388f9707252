/* native_collections.h: a collection of a frame in the native file. */
#ifndef SL_INTERCHANGE_NATIVE_COLLECTIONS_H
#define SL_INTERCHANGE_NATIVE_COLLECTIONS_H

#include "frame/frame_state.h"
#include "interchange/section_reader.h"
#include "interchange/section_writer.h"

/** The sections of collection `number`. */
sl_status sl_i_collection_write(sl_i_section_writer *writer, const sl_i_entry *entry, uint32_t number, sl_error *error)
    SL_MUST_USE;

/** What was read of a collection. Zero-initialise. */
typedef struct sl_i_loaded_collection {
    sl_i_section head; /* whose name it has */
    const char *name;
    size_t length;
    sl_hierarchy *hierarchy;
    sl_record_set *used;
    uint32_t decimals;
} sl_i_loaded_collection;

/** Read collection `number` of a frame of `num_records` records and check it whole. */
sl_status sl_i_collection_read(sl_i_section_reader *reader, uint32_t number, uint32_t num_records, sl_i_ticker *ticker,
                               sl_i_loaded_collection *out, sl_error *error) SL_MUST_USE;
void sl_i_loaded_collection_release(sl_i_loaded_collection *loaded);

#endif
