/* stored_frames.h: a small frame with everything that a file holds, and files taken apart, altered and mended. */
#ifndef SL_TESTS_STORED_FRAMES_H
#define SL_TESTS_STORED_FRAMES_H

#include "support/expect.h"

#include "interchange/native_format.h"

/** Keys of every kind, three sources, records given, garbage, attributes in two tables, one of two batches; collections of every
 *  kind. 16 records. */
sl_frame *stored_frame_make(void);
/** The frames are equal in all that a file holds, and valid. */
void stored_frames_expect_equal(const sl_frame *a, const sl_frame *b);

sl_status stored_save(const sl_frame *frame, const char *path, const sl_progress *progress, sl_error *error);
sl_status stored_load(const char *path, bool read_whole, sl_frame **out, sl_error *error);

/** A file in memory. */
typedef struct stored_file {
    uint8_t *bytes;
    uint64_t size;
} stored_file;

/** A folder of the test's own below the working directory, made empty; and a file in it. */
const char *stored_folder(const char *name);
const char *stored_path(const char *name);
/** How many files the folder has. */
uint32_t stored_count(void);

stored_file stored_read(const char *path);
void stored_write(const char *path, const stored_file *file);
void stored_free(stored_file *file);

uint32_t stored_num_sections(const stored_file *file);
/** Where entry `index` of the table is; and the section that it is of. */
uint8_t *stored_entry(const stored_file *file, uint32_t index);
uint8_t *stored_section(const stored_file *file, uint32_t index, uint64_t *length);
/** The section of that kind of that collection or table, which is there. */
uint8_t *stored_find(const stored_file *file, sl_i_section_kind kind, uint32_t owner, uint64_t *length);
/** Give section `index` another length: what it gains is zero. All that follows moves. */
void stored_resize(stored_file *file, uint32_t index, uint64_t length);
/** Put every checksum right. */
void stored_mend(stored_file *file);

#endif
