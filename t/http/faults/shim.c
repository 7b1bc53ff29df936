/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Loaded in front of the C library, makes calls on what is below one directory
 * fail: the n-th of a kind, or as many from there on as wanted.  It also plays
 * a disk that is full, of bytes or of inodes.
 *
 * UploadPool::Fault (t/lib) says what is to happen through a file that every
 * process maps, and reads there what has happened, so that the server goes on
 * from one fault to the next without a restart:
 *
 *   0   int32  kind       whose calls fail; -1: none
 *   4   int32  error      errno; 0: the call does a part of its work
 *   8   int64  at         the first call that fails, counted from 1
 *   16  int64  count      how many in a row; 0: all from there on
 *   24  int64  calls      of that kind, since it was armed
 *   32  int64  fired      of these have failed
 *   40  int64  bytes      room for so many; -1: no limit
 *   48  int64  entries    room for so many names; -1: no limit
 *   56  int64  refused    calls that found no room
 *   64  int64  seen[24]   calls of each kind, whether or not they were to fail
 *   256 char   below[]    the directory, without a slash at its end
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define KINDS 24

/* As in UploadPool::Fault. */
enum kind {
    NONE = -1,
    OPEN,
    CREATE,
    MAKE,
    WRITE,
    READ,
    SYNC,
    CLOSE,
    RENAME,
    UNLINK,
    FLOCK,
    LOCK,
    TRUNCATE,
    STAT,
    LIST,
    MODE,
    SEEK,
    COPY,
    MAP,
    SPACE
};

struct control {
    int32_t kind;
    int32_t error;
    int64_t at;
    int64_t count;
    int64_t calls;
    int64_t fired;
    int64_t bytes;
    int64_t entries;
    int64_t refused;
    int64_t seen[KINDS];
    char below[PATH_BYTES];
};

static struct control *control;

/* A pointer to a function out of one to data, as POSIX has it. */
#define REAL(type, name, arguments) \
    type(*next) arguments; \
    *(void **)&next = real(name)

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function) {
        abort();
    }
    return function;
}

/* Before httpd's children become somebody who may not open it. */
__attribute__((constructor)) static void attach(void)
{
    const char *name = getenv("UPOOL_FAULT_CONTROL");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    void *at;

    if (fd < 0) {
        return;
    }
    at =
        mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    control = at == MAP_FAILED ? NULL : at;
}

/* --- What is below the directory ------------------------------------------ */

static int path_of(int fd, char *path)
{
    char link[64];
    ssize_t got;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    got = readlink(link, path, PATH_BYTES - 1);
    path[got > 0 ? got : 0] = '\0';
    return got > 0;
}

static int is_below(const char *path)
{
    size_t len = strlen(control->below);

    return len && !strncmp(path, control->below, len)
           && (path[len] == '/' || path[len] == '\0' || path[len] == ' ');
}

static int is_below_fd(int fd)
{
    char path[PATH_BYTES];
    int error = errno;
    int below =
        control && control->below[0] && path_of(fd, path) && is_below(path);

    errno = error;
    return below;
}

static int is_below_at(int fd, const char *name)
{
    return name[0] == '/' ? control && is_below(name) : is_below_fd(fd);
}

/* --- Faults --------------------------------------------------------------- */

/* 1: this call is to fail, and errno says of what. */
static int fires(enum kind kind)
{
    int64_t n;

    __atomic_fetch_add(&control->seen[kind], 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&control->kind, __ATOMIC_SEQ_CST) != (int)kind) {
        return 0;
    }
    n = __atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST);
    if (n < control->at
        || (control->count && n >= control->at + control->count)) {
        return 0;
    }
    __atomic_fetch_add(&control->fired, 1, __ATOMIC_SEQ_CST);
    errno = control->error;
    return 1;
}

static int fails(int below, enum kind kind)
{
    return below && fires(kind);
}

/* --- A full disk ---------------------------------------------------------- */

typedef struct usage {
    int64_t bytes;
    int64_t entries;
} usage;

static void add_up(usage *sum, const char *dir)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    char path[PATH_BYTES + 256];
    struct stat st;
    REAL(struct dirent *, "readdir", (DIR *));

    while (stream && (entry = next(stream)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")
            || lstat(path, &st)) {
            continue;
        }
        sum->entries++;
        if (S_ISDIR(st.st_mode)) {
            add_up(sum, path);
        }
        else {
            sum->bytes += st.st_size;
        }
    }
    if (stream) {
        closedir(stream);
    }
}

static usage used(void)
{
    usage sum = { 0, 0 };
    int error = errno;

    add_up(&sum, control->below);
    errno = error;
    return sum;
}

static int refuse(void)
{
    __atomic_fetch_add(&control->refused, 1, __ATOMIC_SEQ_CST);
    errno = ENOSPC;
    return 1;
}

/* How much of len bytes at offset fits; the file grows by what is behind its
 * end.  0: nothing, and errno says so. */
static size_t fitting(int fd, size_t len, off_t offset)
{
    struct stat st;
    int64_t growth;
    int64_t left;

    if (!control || control->bytes < 0 || !len || !is_below_fd(fd)
        || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        return len;
    }
    growth = (int64_t)offset + (int64_t)len - st.st_size;
    left = control->bytes - used().bytes;
    if (growth <= left || growth <= 0) {
        return len;
    }
    if (growth - left >= (int64_t)len) {
        refuse();
        return 0;
    }
    return len - (size_t)(growth - left);
}

/* 1: there is no room for another name. */
static int is_crowded(int fd, const char *name)
{
    struct stat st;
    REAL(int, "fstatat", (int, const char *, struct stat *, int));

    return control && control->entries >= 0 && is_below_at(fd, name)
           && next(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0
           && used().entries >= control->entries && refuse();
}

/* --- The calls ------------------------------------------------------------ */

int openat(int fd, const char *name, int flags, ...)
{
    va_list ap;
    mode_t mode;
    REAL(int, "openat", (int, const char *, int, ...));

    va_start(ap, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (fails(is_below_at(fd, name), flags & O_CREAT ? CREATE : OPEN)
        || (flags & O_CREAT && is_crowded(fd, name))) {
        return -1;
    }
    return next(fd, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return openat(AT_FDCWD, name, flags, mode);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    REAL(int, "mkdirat", (int, const char *, mode_t));

    if (fails(is_below_at(fd, name), MAKE) || is_crowded(fd, name)) {
        return -1;
    }
    return next(fd, name, mode);
}

/* A part of len: more than nothing, and less than all where that can be. */
static size_t part(size_t len)
{
    return (len + 1) / 2;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    size_t fits;
    REAL(ssize_t, "pwrite", (int, const void *, size_t, off_t));

    if (fails(is_below_fd(fd), WRITE)) {
        return control->error ? -1 : next(fd, data, part(len), offset);
    }
    fits = fitting(fd, len, offset);
    return len && !fits ? -1 : next(fd, data, fits, offset);
}

ssize_t write(int fd, const void *data, size_t len)
{
    size_t fits;
    REAL(ssize_t, "write", (int, const void *, size_t));

    if (fails(is_below_fd(fd), WRITE)) {
        return control->error ? -1 : next(fd, data, part(len));
    }
    fits = fitting(fd, len, lseek(fd, 0, SEEK_CUR));
    return len && !fits ? -1 : next(fd, data, fits);
}

/* A part of the first piece that has any, of at most len bytes. */
static ssize_t write_part(int fd, const struct iovec *vec, int count,
                          size_t len)
{
    int i = 0;
    REAL(ssize_t, "write", (int, const void *, size_t));

    while (i < count - 1 && !vec[i].iov_len) {
        i++;
    }
    return next(fd, vec[i].iov_base,
                len < vec[i].iov_len ? len : part(vec[i].iov_len));
}

ssize_t writev(int fd, const struct iovec *vec, int count)
{
    size_t len = 0;
    size_t fits;
    int i;
    REAL(ssize_t, "writev", (int, const struct iovec *, int));

    if (fails(is_below_fd(fd), WRITE)) {
        return control->error ? -1 : write_part(fd, vec, count, SIZE_MAX);
    }
    for (i = 0; i < count; i++) {
        len += vec[i].iov_len;
    }
    fits = control && control->bytes >= 0
               ? fitting(fd, len, lseek(fd, 0, SEEK_CUR))
               : len;
    if (len && !fits) {
        return -1;
    }
    return fits < len ? write_part(fd, vec, count, fits) : next(fd, vec, count);
}

ssize_t read(int fd, void *data, size_t len)
{
    REAL(ssize_t, "read", (int, void *, size_t));

    if (fails(is_below_fd(fd), READ)) {
        return control->error ? -1 : next(fd, data, part(len));
    }
    return next(fd, data, len);
}

ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
    REAL(ssize_t, "pread", (int, void *, size_t, off_t));

    if (fails(is_below_fd(fd), READ)) {
        return control->error ? -1 : next(fd, data, part(len), offset);
    }
    return next(fd, data, len, offset);
}

/* Thousands of times, and nobody here cuts the power: that it could be done is
 * enough. */
int fsync(int fd)
{
    REAL(int, "fsync", (int));

    if (!is_below_fd(fd)) {
        return next(fd);
    }
    return fires(SYNC) || fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

/* The descriptor is gone even when this fails. */
int close(int fd)
{
    int failing = fails(is_below_fd(fd), CLOSE);
    int error = errno;
    int rc;
    REAL(int, "close", (int));

    rc = next(fd);
    if (failing) {
        errno = error;
        return -1;
    }
    return rc;
}

int renameat(int from, const char *old, int to, const char *new)
{
    REAL(int, "renameat", (int, const char *, int, const char *));

    return fails(is_below_at(from, old) || is_below_at(to, new), RENAME)
               ? -1
               : next(from, old, to, new);
}

int unlinkat(int fd, const char *name, int flags)
{
    REAL(int, "unlinkat", (int, const char *, int));

    return fails(is_below_at(fd, name), UNLINK) ? -1 : next(fd, name, flags);
}

int flock(int fd, int operation)
{
    REAL(int, "flock", (int, int));

    return fails(is_below_fd(fd), FLOCK) ? -1 : next(fd, operation);
}

static int is_lock(int command)
{
    return command == F_OFD_SETLK || command == F_OFD_SETLKW
           || command == F_OFD_GETLK || command == F_SETLK
           || command == F_SETLKW || command == F_GETLK;
}

int fcntl(int fd, int command, ...)
{
    va_list ap;
    void *argument;
    REAL(int, "fcntl", (int, int, ...));

    va_start(ap, command);
    argument = va_arg(ap, void *);
    va_end(ap);
    return is_lock(command) && fails(is_below_fd(fd), LOCK)
               ? -1
               : next(fd, command, argument);
}

int ftruncate(int fd, off_t len)
{
    REAL(int, "ftruncate", (int, off_t));

    return fails(is_below_fd(fd), TRUNCATE) ? -1 : next(fd, len);
}

int fstat(int fd, struct stat *st)
{
    REAL(int, "fstat", (int, struct stat *));

    return fails(is_below_fd(fd), STAT) ? -1 : next(fd, st);
}

int fstatat(int fd, const char *name, struct stat *st, int flags)
{
    REAL(int, "fstatat", (int, const char *, struct stat *, int));

    return fails(is_below_at(fd, name), STAT) ? -1 : next(fd, name, st, flags);
}

DIR *fdopendir(int fd)
{
    REAL(DIR *, "fdopendir", (int));

    return fails(is_below_fd(fd), LIST) ? NULL : next(fd);
}

struct dirent *readdir(DIR *stream)
{
    REAL(struct dirent *, "readdir", (DIR *));

    return fails(is_below_fd(dirfd(stream)), LIST) ? NULL : next(stream);
}

int fchmod(int fd, mode_t mode)
{
    REAL(int, "fchmod", (int, mode_t));

    return fails(is_below_fd(fd), MODE) ? -1 : next(fd, mode);
}

int fchown(int fd, uid_t owner, gid_t group)
{
    REAL(int, "fchown", (int, uid_t, gid_t));

    return fails(is_below_fd(fd), MODE) ? -1 : next(fd, owner, group);
}

off_t lseek(int fd, off_t offset, int whence)
{
    REAL(off_t, "lseek", (int, off_t, int));

    return whence == SEEK_SET && fails(is_below_fd(fd), SEEK)
               ? -1
               : next(fd, offset, whence);
}

ssize_t copy_file_range(int from, off_t *at, int to, off_t *to_at, size_t len,
                        unsigned int flags)
{
    REAL(ssize_t, "copy_file_range",
         (int, off_t *, int, off_t *, size_t, unsigned int));

    if (fails(is_below_fd(to), COPY)) {
        return control->error ? -1
                              : next(from, at, to, to_at, part(len), flags);
    }
    if (!to_at && !fitting(to, len, lseek(to, 0, SEEK_CUR))) {
        return -1;
    }
    return next(from, at, to, to_at, len, flags);
}

/* Of a file below the directory, or of memory that processes share, which lies
 * below nothing: the server's tables. */
void *mmap(void *address, size_t len, int protection, int flags, int fd,
           off_t offset)
{
    int shared = control && flags & MAP_SHARED && flags & MAP_ANONYMOUS;
    REAL(void *, "mmap", (void *, size_t, int, int, int, off_t));

    if (fails(shared || (fd >= 0 && is_below_fd(fd)), MAP)) {
        return MAP_FAILED;
    }
    return next(address, len, protection, flags, fd, offset);
}

int fstatvfs(int fd, struct statvfs *about)
{
    REAL(int, "fstatvfs", (int, struct statvfs *));

    return fails(is_below_fd(fd), SPACE) ? -1 : next(fd, about);
}
