/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* This library is loaded in front of the C library.  It writes down the changes
 * below one directory, which of them are synced, and the answers to clients:
 * all that is needed to tell what a power cut at any moment would leave.
 *
 *   UPOOL_RECORD_BELOW   the directory, without a slash at its end
 *   UPOOL_RECORD_TO      the file that this appends to
 *
 * A record is a line, followed by the bytes that it counts.  D, F: inode
 * numbers of a directory, and of anything.
 *
 *   mkdir D F NAME          create D F NAME         unlink D NAME
 *   rename D OLD D NEW      truncate F LENGTH       sync F
 *   write F OFFSET COUNT    answer COUNT
 *
 * Changes are written down when they are made, answers before they are sent.
 * Changes that two processes make at once may be recorded in the wrong order,
 * so the test has one upload at a time. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define LINE_BYTES 600
#define PATH_BYTES 4096
#define PIECES_MAX 1024

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const char *below;
static int log_fd = -1;

/* dlsym() of a function, as POSIX wants it written. */
#define REAL(name) \
    do { \
        if (!real) { \
            *(void **)&real = dlsym(RTLD_NEXT, name); \
        } \
    } while (0)

__attribute__((constructor)) static void start(void)
{
    const char *to = getenv("UPOOL_RECORD_TO");

    below = getenv("UPOOL_RECORD_BELOW");
    if (to && below) {
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, to,
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
}

static void note(const struct iovec *bytes, int count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void note(const struct iovec *bytes, int count, const char *format, ...)
{
    char line[LINE_BYTES];
    struct iovec all[PIECES_MAX + 1];
    va_list args;
    int i;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    all[0].iov_base = line;
    all[0].iov_len = strlen(line);
    for (i = 0; i < count && i < PIECES_MAX; i++) {
        all[i + 1] = bytes[i];
    }
    if (syscall(SYS_writev, log_fd, all, i + 1) < 0) {
        abort();
    }
}

/* 1 if path names the directory, or something below it. */
static int is_below(const char *path)
{
    size_t len = strlen(below);

    return strncmp(path, below, len) == 0
           && (path[len] == '\0' || path[len] == '/');
}

static int is_watched(int fd)
{
    char name[64];
    char path[PATH_BYTES];
    ssize_t len;

    if (log_fd < 0 || fd < 0) {
        return 0;
    }
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    len = readlink(name, path, sizeof(path) - 1);
    path[len < 0 ? 0 : len] = '\0';
    return is_below(path);
}

static int is_client(int fd)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return log_fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len)
           && type == SOCK_STREAM;
}

static unsigned long inode_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? 0 : (unsigned long)st.st_ino;
}

static unsigned long inode_at(int directory, const char *name)
{
    struct stat st;

    return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0
               ? 0
               : (unsigned long)st.st_ino;
}

static void begin(void)
{
    pthread_mutex_lock(&one_at_a_time);
}

static void end(void)
{
    int kept = errno;

    pthread_mutex_unlock(&one_at_a_time);
    errno = kept;
}

typedef int open_fn(int, const char *, int, ...);

static int open_at(open_fn *real, int directory, const char *name, int flags,
                   mode_t mode)
{
    int watched = (flags & O_CREAT) && is_watched(directory);
    int was_there;
    int fd;

    if (!watched) {
        return real(directory, name, flags, mode);
    }
    begin();
    was_there = inode_at(directory, name) != 0;
    fd = real(directory, name, flags, mode);
    if (fd >= 0 && !was_there) {
        note(NULL, 0, "create %lu %lu %s\n", inode_of(directory), inode_of(fd),
             name);
    }
    else if (fd >= 0 && (flags & O_TRUNC)) {
        note(NULL, 0, "truncate %lu 0\n", inode_of(fd));
    }
    end();
    return fd;
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
}

int openat(int directory, const char *name, int flags, ...)
{
    static open_fn *real;
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    REAL("openat");
    return open_at(real, directory, name, flags, mode);
}

int openat64(int directory, const char *name, int flags, ...)
{
    static open_fn *real;
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    REAL("openat64");
    return open_at(real, directory, name, flags, mode);
}

int mkdirat(int directory, const char *name, mode_t mode)
{
    static int (*real)(int, const char *, mode_t);
    int rc;

    REAL("mkdirat");
    if (!is_watched(directory)) {
        return real(directory, name, mode);
    }
    begin();
    rc = real(directory, name, mode);
    if (rc == 0) {
        note(NULL, 0, "mkdir %lu %lu %s\n", inode_of(directory),
             inode_at(directory, name), name);
    }
    end();
    return rc;
}

int unlinkat(int directory, const char *name, int flags)
{
    static int (*real)(int, const char *, int);
    int rc;

    REAL("unlinkat");
    if (!is_watched(directory)) {
        return real(directory, name, flags);
    }
    begin();
    rc = real(directory, name, flags);
    if (rc == 0) {
        note(NULL, 0, "unlink %lu %s\n", inode_of(directory), name);
    }
    end();
    return rc;
}

int renameat(int from, const char *old, int to, const char *name)
{
    static int (*real)(int, const char *, int, const char *);
    int rc;

    REAL("renameat");
    if (!is_watched(from)) {
        return real(from, old, to, name);
    }
    begin();
    rc = real(from, old, to, name);
    if (rc == 0) {
        note(NULL, 0, "rename %lu %s %lu %s\n", inode_of(from), old,
             inode_of(to), name);
    }
    end();
    return rc;
}

typedef int sync_fn(int);

static int synced(sync_fn *real, int fd)
{
    int rc;

    if (!is_watched(fd)) {
        return real(fd);
    }
    begin();
    rc = real(fd);
    if (rc == 0) {
        note(NULL, 0, "sync %lu\n", inode_of(fd));
    }
    end();
    return rc;
}

int fsync(int fd)
{
    static sync_fn *real;

    REAL("fsync");
    return synced(real, fd);
}

int fdatasync(int fd)
{
    static sync_fn *real;

    REAL("fdatasync");
    return synced(real, fd);
}

typedef int truncate_fn(int, off_t);

static int truncated(truncate_fn *real, int fd, off_t length)
{
    int rc;

    if (!is_watched(fd)) {
        return real(fd, length);
    }
    begin();
    rc = real(fd, length);
    if (rc == 0) {
        note(NULL, 0, "truncate %lu %lld\n", inode_of(fd), (long long)length);
    }
    end();
    return rc;
}

int ftruncate(int fd, off_t length)
{
    static truncate_fn *real;

    REAL("ftruncate");
    return truncated(real, fd, length);
}

int ftruncate64(int fd, off_t length)
{
    static truncate_fn *real;

    REAL("ftruncate64");
    return truncated(real, fd, length);
}

/* The first n bytes of the pieces. */
static void note_bytes(int fd, const struct iovec *vec, int count, ssize_t n,
                       off_t at)
{
    struct iovec part[PIECES_MAX];
    size_t left = (size_t)n;
    int i;

    for (i = 0; i < count && left > 0 && i < PIECES_MAX; i++) {
        part[i] = vec[i];
        part[i].iov_len = vec[i].iov_len < left ? vec[i].iov_len : left;
        left -= part[i].iov_len;
    }
    if (at < 0) {
        note(part, i, "answer %lld\n", (long long)n);
    }
    else {
        note(part, i, "write %lu %lld %lld\n", inode_of(fd), (long long)at,
             (long long)n);
    }
}

static ssize_t length_of(const struct iovec *vec, int count)
{
    ssize_t sum = 0;
    int i;

    for (i = 0; i < count; i++) {
        sum += (ssize_t)vec[i].iov_len;
    }
    return sum;
}

/* An answer is noted before it is sent: from then on a client may have it. */
static ssize_t written(int fd, const struct iovec *vec, int count)
{
    ssize_t n;

    if (is_client(fd)) {
        begin();
        note_bytes(fd, vec, count, length_of(vec, count), -1);
        end();
        return syscall(SYS_writev, fd, vec, count);
    }
    if (!is_watched(fd)) {
        return syscall(SYS_writev, fd, vec, count);
    }
    begin();
    n = syscall(SYS_writev, fd, vec, count);
    if (n > 0) {
        note_bytes(fd, vec, count, n, lseek(fd, 0, SEEK_CUR) - n);
    }
    end();
    return n;
}

ssize_t writev(int fd, const struct iovec *vec, int count)
{
    return written(fd, vec, count);
}

ssize_t write(int fd, const void *data, size_t len)
{
    struct iovec piece = { (void *)data, len };

    return written(fd, &piece, 1);
}

typedef ssize_t pwrite_fn(int, const void *, size_t, off_t);

static ssize_t written_at(pwrite_fn *real, int fd, const void *data, size_t len,
                          off_t at)
{
    struct iovec piece = { (void *)data, len };
    ssize_t n;

    if (!is_watched(fd)) {
        return real(fd, data, len, at);
    }
    begin();
    n = real(fd, data, len, at);
    if (n > 0) {
        note_bytes(fd, &piece, 1, n, at);
    }
    end();
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    static pwrite_fn *real;

    REAL("pwrite");
    return written_at(real, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
    static pwrite_fn *real;

    REAL("pwrite64");
    return written_at(real, fd, data, len, at);
}
