/* file_calls.c: see file_calls.h. */
#include "support/file_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int call_open(int folder, const char *name, int flags, mode_t mode) {
    return openat(folder, name, flags | O_CLOEXEC, mode);
}

static int call_rename(int folder, const char *from, const char *to) { return renameat(folder, from, folder, to); }

static void *call_map(int file, size_t size) {
    void *memory = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void call_unmap(void *memory, size_t size) { (void)munmap(memory, size); }

sl_i_file_calls sl_i_files = {.open = call_open,
                              .status = fstat,
                              .read = pread,
                              .write = pwrite,
                              .set_mode = fchmod,
                              .sync = fsync,
                              .rename = call_rename,
                              .map = call_map,
                              .unmap = call_unmap};

/* strerror may share its buffer between threads; of the two strerror_r, take what either returns. */
static const char *text_of(int returned, const char *buffer) { return returned == 0 ? buffer : "unknown reason"; }
static const char *gnu_text_of(const char *returned, const char *buffer) {
    (void)buffer;
    return returned;
}
#define REASON_OF(returned, buffer) _Generic((returned), int: text_of, default: gnu_text_of)((returned), (buffer))

sl_status sl_i_fail_file(sl_error *error, int code, const char *what, const char *path) {
    char buffer[128] = "unknown reason";
    const char *reason = REASON_OF(strerror_r(code, buffer, sizeof buffer), buffer);
    sl_status status = sl_i_fail(error, SL_ERROR_SYSTEM, "cannot %s %.300s: %s", what, path, reason);
    if (error) error->system_code = code;
    return status;
}

static sl_status check_kind(const struct stat *file, const char *path, sl_error *error) {
    if (S_ISDIR(file->st_mode)) return sl_i_fail_file(error, EISDIR, "open", path);
    if (S_ISREG(file->st_mode)) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%.300s is no file but a device, pipe or socket", path);
}

/* Not to wait for ever for the writer of a pipe, it is opened without blocking. */
sl_status sl_i_file_open(const char *path, int *out_file, uint64_t *out_size, sl_error *error) {
    struct stat found;
    *out_file = -1;
    *out_size = 0;
    int file = sl_i_files.open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0) return sl_i_fail_file(error, errno, "open", path);
    sl_status status = SL_OK;
    if (sl_i_files.status(file, &found) != 0) status = sl_i_fail_file(error, errno, "look at", path);
    if (status == SL_OK) status = check_kind(&found, path, error);
    if (status == SL_OK) {
        *out_file = file;
        *out_size = (uint64_t)found.st_size;
    } else {
        sl_i_file_close(file);
    }
    return status;
}

void sl_i_file_close(int file) {
    if (file >= 0) (void)close(file);
}

sl_status sl_i_file_read(int file, const char *path, void *bytes, uint64_t size, uint64_t at, sl_error *error) {
    uint8_t *to = bytes;
    while (size > 0) {
        ssize_t got = sl_i_files.read(file, to, (size_t)size, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return sl_i_fail_file(error, errno, "read", path);
        if (got == 0)
            return sl_i_fail(error, SL_ERROR_CORRUPT, "%.300s ended while it was read: something else cut it short",
                             path);
        to += got;
        at += (uint64_t)got;
        size -= (uint64_t)got;
    }
    return SL_OK;
}
