/* file_calls.h: the system calls that files are read and replaced with, in one table, so that tests can let each of them fail. */
#ifndef SL_SUPPORT_FILE_CALLS_H
#define SL_SUPPORT_FILE_CALLS_H

#include <sys/stat.h>
#include <sys/types.h>

#include "support/status.h"

typedef struct sl_i_file_calls {
    int (*open)(int folder, const char *name, int flags, mode_t mode);
    int (*status)(int file, struct stat *out);
    ssize_t (*read)(int file, void *bytes, size_t size, off_t at);
    ssize_t (*write)(int file, const void *bytes, size_t size, off_t at);
    int (*set_mode)(int file, mode_t mode);
    int (*sync)(int file);
    int (*rename)(int folder, const char *from, const char *to);
    void *(*map)(int file, size_t size); /* NULL: failed */
    void (*unmap)(void *memory, size_t size);
} sl_i_file_calls;

/** What is called. Only tests change it. */
extern sl_i_file_calls sl_i_files;

/** SL_ERROR_SYSTEM with `code` (an errno): "cannot <what> <path>: <reason>". */
sl_status sl_i_fail_file(sl_error *error, int code, const char *what, const char *path);

/** Open for reading and look at what it is: SL_ERROR_SYSTEM where that fails and for a folder, SL_ERROR_INVALID_ARGUMENT for what is
 *  no file at all. */
sl_status sl_i_file_open(const char *path, int *out_file, uint64_t *out_size, sl_error *error) SL_MUST_USE;
void sl_i_file_close(int file);
/** All of `size` bytes from `at` on. SL_ERROR_CORRUPT where the file ends before. */
sl_status sl_i_file_read(int file, const char *path, void *bytes, uint64_t size, uint64_t at, sl_error *error)
    SL_MUST_USE;

#endif
