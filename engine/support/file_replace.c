/* file_replace.c: see file_replace.h.
 *
 * The folder is held open and everything in it named relative to it. What was written is sent to the disk eight megabytes at a
 * time and waited for one step later: the final sync has little left to do, and an interrupt is answered soon. */
#include "support/file_replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "support/file_calls.h"
#include "support/memory.h"

#define WRITE_STEP UINT64_C(1048576) /* between two looks at the clock */
#define FLUSH_STEP UINT64_C(8388608)
#define MAX_LINKS 40
#define MAX_ATTEMPTS 16
#define RANDOM_DIGITS 16

struct sl_i_replacement {
    int folder, file;    /* -1: not open */
    char path[PATH_MAX]; /* of the target, links followed, for messages too */
    const char *name;    /* its last part */
    char temporary[NAME_MAX + 1];
    bool is_new;      /* nothing is in the target's place */
    struct stat old;  /* else what is */
    uint64_t flushed; /* bytes that were sent to the disk */
};

/* ---- finding the target ------------------------------------------------------------------------------------------ */

static sl_status fail(const sl_i_replacement *r, int code, const char *what, sl_error *error) {
    return sl_i_fail_file(error, code, what, r->path);
}

static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Put what the link says in the place of its last part. */
static sl_status follow(sl_i_replacement *r, const char *link, size_t length, sl_error *error) {
    size_t kept = link[0] == '/' ? 0 : folder_length(r->path);
    if (kept + length >= sizeof r->path) return fail(r, ENAMETOOLONG, "write", error);
    memcpy(r->path + kept, link, length);
    r->path[kept + length] = '\0';
    return SL_OK;
}

static sl_status follow_links(sl_i_replacement *r, sl_error *error) {
    char link[PATH_MAX];
    for (int i = 0; i < MAX_LINKS; i++) {
        ssize_t length = readlink(r->path, link, sizeof link);
        if (length < 0) return SL_OK; /* no link, or nothing there: whatever else is wrong, opening it will say */
        if (length == 0 || (size_t)length >= sizeof link) return fail(r, ENAMETOOLONG, "write", error);
        SL_TRY(follow(r, link, (size_t)length, error));
    }
    return fail(r, ELOOP, "write", error);
}

static sl_status open_folder(sl_i_replacement *r, sl_error *error) {
    char folder[PATH_MAX];
    size_t length = folder_length(r->path);
    memcpy(folder, length ? r->path : "./", length ? length : 2);
    folder[length ? length : 2] = '\0';
    r->name = r->path + length;
    if (*r->name == '\0') return fail(r, length ? EISDIR : ENOENT, "write", error);
    r->folder = sl_i_files.open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    return r->folder < 0 ? fail(r, errno, "write", error) : SL_OK;
}

static sl_status check_kind(const sl_i_replacement *r, mode_t mode, sl_error *error) {
    if (S_ISDIR(mode)) return fail(r, EISDIR, "write", error);
    if (S_ISREG(mode)) return SL_OK;
    return sl_i_fail(error, SL_ERROR_INVALID_ARGUMENT, "%.300s is no file but a device, pipe or socket", r->path);
}

/* By the path that was given: the links of /proc, and so /dev/stdout, lead to pipes that have no path. */
static sl_status look_at_path(const sl_i_replacement *r, sl_error *error) {
    struct stat found;
    return stat(r->path, &found) == 0 ? check_kind(r, found.st_mode, error) : SL_OK;
}

static sl_status look_at_target(sl_i_replacement *r, sl_error *error) {
    if (fstatat(r->folder, r->name, &r->old, AT_SYMLINK_NOFOLLOW) != 0) {
        r->is_new = errno == ENOENT;
        return r->is_new ? SL_OK : fail(r, errno, "write", error);
    }
    SL_TRY(check_kind(r, r->old.st_mode, error));
    return faccessat(r->folder, r->name, W_OK, AT_EACCESS) == 0 ? SL_OK : fail(r, errno, "write", error);
}

/* ---- temporary files --------------------------------------------------------------------------------------------- */

/* The part of the target's name that temporary files begin with: all of it, where the whole fits. */
static int prefix_length(const sl_i_replacement *r) {
    size_t most = NAME_MAX - (1 + 1 + RANDOM_DIGITS + 4), length = strlen(r->name);
    return (int)(length < most ? length : most);
}

static bool is_temporary_of(const sl_i_replacement *r, const char *name) {
    size_t prefix = (size_t)prefix_length(r);
    if (name[0] != '.' || strncmp(name + 1, r->name, prefix) != 0 || name[1 + prefix] != '.') return false;
    const char *digits = name + prefix + 2;
    return strspn(digits, "0123456789abcdef") == RANDOM_DIGITS && strcmp(digits + RANDOM_DIGITS, ".tmp") == 0;
}

/* Remove it if its writer is gone: only then can it be locked. */
static void remove_if_left(int folder, const char *name) {
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0) (void)unlinkat(folder, name, 0);
    (void)close(file);
}

/* As good as it goes: what cannot be removed stays. */
static void remove_leftovers(const sl_i_replacement *r) {
    int folder = openat(r->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = folder < 0 ? NULL : fdopendir(folder);
    if (!listing && folder >= 0) (void)close(folder);
    if (!listing) return;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (is_temporary_of(r, entry->d_name)) remove_if_left(r->folder, entry->d_name);
    (void)closedir(listing);
}

static sl_status choose_name(sl_i_replacement *r, sl_error *error) {
    uint64_t number;
    if (getentropy(&number, sizeof number) != 0) return fail(r, errno, "find a temporary name for", error);
    (void)snprintf(r->temporary, sizeof r->temporary, ".%.*s.%016llx.tmp", prefix_length(r), r->name,
                   (unsigned long long)number);
    return SL_OK;
}

/* Between its creation and its lock another writer may have taken it for left over: then it has no name any more. Where the file
 * system knows no locks, it does without. */
static bool is_held(const sl_i_replacement *r) {
    struct stat now;
    (void)flock(r->file, LOCK_EX);
    return sl_i_files.status(r->file, &now) != 0 || now.st_nlink > 0;
}

static sl_status create_temporary(sl_i_replacement *r, sl_error *error) {
    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        SL_TRY(choose_name(r, error));
        r->file = sl_i_files.open(r->folder, r->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        if (r->file < 0 && errno == EEXIST) continue;
        if (r->file < 0) return fail(r, errno, "write beside", error);
        if (is_held(r)) return SL_OK;
        (void)close(r->file);
        r->file = -1;
    }
    return fail(r, EEXIST, "write beside", error);
}

/* Owner and group where that is allowed, and then the mode, which a change of owner may have reduced. */
static sl_status take_over_mode(const sl_i_replacement *r, sl_error *error) {
    if (r->is_new) return SL_OK;
    if (fchown(r->file, r->old.st_uid, r->old.st_gid) != 0 && errno != EPERM && errno != EINVAL && errno != ENOSYS)
        return fail(r, errno, "keep the owner of", error);
    if (sl_i_files.set_mode(r->file, r->old.st_mode & 07777) != 0) return fail(r, errno, "keep the mode of", error);
    return SL_OK;
}

static sl_status prepare(sl_i_replacement *r, const char *path, sl_error *error) {
    size_t length = strlen(path);
    r->folder = r->file = -1;
    if (length >= sizeof r->path) return sl_i_fail_file(error, ENAMETOOLONG, "write", path);
    memcpy(r->path, path, length + 1);
    SL_TRY(look_at_path(r, error));
    SL_TRY(follow_links(r, error));
    SL_TRY(open_folder(r, error));
    SL_TRY(look_at_target(r, error));
    remove_leftovers(r);
    SL_TRY(create_temporary(r, error));
    return take_over_mode(r, error);
}

sl_status sl_i_replacement_begin(const char *path, sl_i_replacement **out, sl_error *error) {
    sl_i_replacement *made = NULL;
    *out = NULL;
    SL_TRY(sl_i_allocate_zeroed(&made, 1, sizeof *made, "replacing a file", error));
    sl_status status = prepare(made, path, error);
    if (status == SL_OK)
        *out = made;
    else
        sl_i_replacement_release(made);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Send what was written since to the disk, and wait for what was sent before. Advice only: syncing is what counts. */
static void flush(sl_i_replacement *r, uint64_t written) {
    if (written < r->flushed + FLUSH_STEP) return;
#if defined(__linux__)
    uint64_t before = r->flushed < FLUSH_STEP ? 0 : r->flushed - FLUSH_STEP;
    (void)sync_file_range(r->file, (off_t)r->flushed, (off_t)(written - r->flushed), SYNC_FILE_RANGE_WRITE);
    if (r->flushed > before)
        (void)sync_file_range(r->file, (off_t)before, (off_t)(r->flushed - before),
                              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
#endif
    r->flushed = written;
}

sl_status sl_i_replacement_write(sl_i_replacement *r, const void *bytes, uint64_t size, uint64_t at,
                                 sl_i_ticker *ticker, sl_error *error) {
    const uint8_t *from = bytes;
    while (size > 0) {
        ssize_t done = sl_i_files.write(r->file, from, (size_t)(size < WRITE_STEP ? size : WRITE_STEP), (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return fail(r, done < 0 ? errno : EIO, "write", error);
        from += done;
        at += (uint64_t)done;
        size -= (uint64_t)done;
        flush(r, at);
        SL_TRY(sl_i_ticker_advance(ticker, 0, error));
    }
    return SL_OK;
}

/* Some file systems cannot sync a folder, and say so. */
static bool folder_is_synced(const sl_i_replacement *r) {
    return sl_i_files.sync(r->folder) == 0 || errno == EINVAL || errno == ENOTSUP;
}

sl_status sl_i_replacement_commit(sl_i_replacement *r, sl_i_ticker *ticker, sl_error *error) {
    SL_TRY(sl_i_ticker_advance(ticker, 0, error));
    if (sl_i_files.sync(r->file) != 0) return fail(r, errno, "sync", error);
    SL_TRY(sl_i_ticker_advance(ticker, 0, error));
    if (sl_i_files.rename(r->folder, r->temporary, r->name) != 0) return fail(r, errno, "put the new file at", error);
    r->temporary[0] = '\0';
    if (!folder_is_synced(r))
        return fail(r, errno, "sync the folder of the new file, which a power failure may still undo, at", error);
    return SL_OK;
}

void sl_i_replacement_release(sl_i_replacement *r) {
    if (!r) return;
    if (r->file >= 0 && r->temporary[0]) (void)unlinkat(r->folder, r->temporary, 0);
    sl_i_file_close(r->file);
    sl_i_file_close(r->folder);
    sl_i_release(r, 1, sizeof *r);
}
