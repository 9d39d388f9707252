/* section_reader.h: the container of the native file, read and trusted in nothing: sections by what they are and whose.
 *
 * A file is mapped, and sections are used where they lie; or each section is read into a block of its own. Whichever it is, a
 * section is handed out once its checksum and the zeros behind it are checked, each exactly once: a section that nobody asked
 * for is a fault of the file. Sections may be asked for on several threads. */
#ifndef SL_INTERCHANGE_SECTION_READER_H
#define SL_INTERCHANGE_SECTION_READER_H

#include "interchange/native_format.h"
#include "support/pool.h"
#include "support/shared_bytes.h"

typedef struct sl_i_section_reader sl_i_section_reader;

/** Open a file and check its header and table. SL_ERROR_CORRUPT with the reason. */
sl_status sl_i_reader_open(const char *path, bool read_whole, sl_i_section_reader **out, sl_error *error) SL_MUST_USE;
void sl_i_reader_close(sl_i_section_reader *reader);
uint64_t sl_i_reader_size(const sl_i_section_reader *reader);
/** SL_ERROR_CORRUPT if a section was not asked for. */
sl_status sl_i_reader_finish(const sl_i_section_reader *reader, sl_error *error) SL_MUST_USE;
/** SL_ERROR_CORRUPT: "<path> is corrupt: <what>". `owner` as in sl_i_reader_get. */
sl_status sl_i_reader_fail(const sl_i_section_reader *reader, sl_error *error, sl_i_section_kind kind, uint32_t owner,
                           const char *what);
/** A failure that the contents of a section led to: SL_ERROR_CORRUPT, unless the machine is to blame (memory, system) or it was
 *  interrupted. `found` is how the failure was told. */
sl_status sl_i_reader_blame(const sl_i_section_reader *reader, sl_status status, const sl_error *found,
                            sl_i_section_kind kind, uint32_t owner, sl_error *error);

/** A section's bytes: 64-byte aligned, in the mapping or in a block that whoever has the section gives back or takes over. */
typedef struct sl_i_section {
    uint8_t *bytes;
    uint64_t length;
    bool is_mapped;
    sl_i_section_kind kind;
    uint32_t owner;
} sl_i_section;

/** The section of that kind of that collection or table (0: of the frame). `ticker` is advanced by its bytes. */
sl_status sl_i_reader_get(sl_i_section_reader *reader, sl_i_section_kind kind, uint32_t owner, sl_i_ticker *ticker,
                          sl_i_section *out, sl_error *error) SL_MUST_USE;
/** The same where its length is known: `count` elements of `size` bytes. */
sl_status sl_i_reader_get_array(sl_i_section_reader *reader, sl_i_section_kind kind, uint32_t owner, uint64_t count,
                                size_t size, sl_i_ticker *ticker, sl_i_section *out, sl_error *error) SL_MUST_USE;
/** Give a section back. Of one that is all zero: nothing. */
void sl_i_section_drop(sl_i_section *section);
/** The mapping, borrowed; NULL where sections are read. */
sl_i_shared_bytes *sl_i_reader_mapping(const sl_i_section_reader *reader);
/** The section's bytes as shared ones: the mapping, or the section's own block, which they take over. */
sl_status sl_i_section_share(const sl_i_section_reader *reader, sl_i_section *section, sl_i_shared_bytes **out,
                             sl_error *error) SL_MUST_USE;

#endif
