/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The order of changes and syncs, on which it hangs what a power cut leaves.
 * The functions below take the places of the C library's and write down what
 * they are asked for, one letter each:
 *
 *   M  the bucket's directory is made    P  the pool's directory is synced
 *   C  a data file is created            D  a data file is synced
 *   N  metadata.new is created           J  metadata.new is synced
 *   R  it is renamed                     B  the bucket's directory is synced
 *   U  a data file is unlinked           w  bytes are written
 *   ?  anything else */
#undef _FORTIFY_SOURCE
#include "store/layout.h"

#include <dlfcn.h>
#include <sys/uio.h>

#include "store_kit.h"

static char trace[256];
static size_t traced;
static int tracing;
static int no_directory_sync;

static void note(char c)
{
    if (tracing && traced + 1 < sizeof(trace)) {
        trace[traced++] = c;
        trace[traced] = '\0';
    }
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function) {
        abort();
    }
    return function;
}

/* A pointer to a function out of one to data, as POSIX has it. */
#define REAL(type, name, arguments) \
    type(*next) arguments; \
    *(void **)&next = real(name)

static char kind_of(const char *name, char data, char metadata)
{
    if (upool_layout_is_data(name)) {
        return data;
    }
    return strcmp(name, UPOOL_LAYOUT_METADATA_NEW) == 0 ? metadata : '?';
}

int openat(int fd, const char *name, int flags, ...)
{
    va_list ap;
    mode_t mode;
    REAL(int, "openat", (int, const char *, int, ...));

    va_start(ap, flags);
    mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    /* No content of a lock file matters. */
    if (flags & O_CREAT && strcmp(name, UPOOL_LAYOUT_LOCK) != 0) {
        note(kind_of(name, 'C', 'N'));
    }
    return next(fd, name, flags, mode);
}

ssize_t writev(int fd, const struct iovec *vec, int count)
{
    REAL(ssize_t, "writev", (int, const struct iovec *, int));

    note('w');
    return next(fd, vec, count);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    int rc;
    REAL(int, "mkdirat", (int, const char *, mode_t));

    rc = next(fd, name, mode);
    if (rc == 0) {
        note('M');
    }
    return rc;
}

int renameat(int from, const char *old, int to, const char *new)
{
    REAL(int, "renameat", (int, const char *, int, const char *));

    note(strcmp(new, UPOOL_LAYOUT_METADATA) == 0 ? 'R' : '?');
    return next(from, old, to, new);
}

int unlinkat(int fd, const char *name, int flags)
{
    int rc;
    REAL(int, "unlinkat", (int, const char *, int));

    rc = next(fd, name, flags);
    if (rc == 0) {
        note(kind_of(name, 'U', '?'));
    }
    return rc;
}

int fsync(int fd)
{
    char link[64];
    char path[PATH_MAX] = { 0 };
    const char *last;
    struct stat st;
    REAL(int, "fsync", (int));

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof(path) - 1) < 0 || fstat(fd, &st)) {
        abort();
    }
    last = strrchr(path, '/') + 1;
    if (S_ISDIR(st.st_mode)) {
        note(strcmp(last, "pool") == 0 ? 'P' : 'B');
    }
    else {
        note(kind_of(last, 'D', 'J'));
    }
    if (no_directory_sync && S_ISDIR(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return next(fd);
}

static const char *traced_upload(kit *k, const char *id)
{
    apr_pool_t *p;
    const char *name;

    apr_pool_create(&p, k->p);
    trace[0] = '\0';
    traced = 0;
    tracing = 1;
    name = kit_upload(k, id, "content", 1, p);
    tracing = 0;
    tap_ok(name != NULL, "an upload");
    apr_pool_destroy(p);
    return trace;
}

/* D2: What is synced, and when. */
int main(void)
{
    kit k;

    kit_start(&k);
    tap_is_str(traced_upload(&k, "a"), "MCwNwR", "without sync");
    tap_is_str(traced_upload(&k, "a"), "CwNwRU",
               "replacing: the old file goes last");
    k.options.sync = 1;
    kit_open(&k);
    tap_is_str(traced_upload(&k, "b"), "MPCwDNwJBRB",
               "everything is on the disk before what relies on it");
    tap_is_str(traced_upload(&k, "b"), "PCwDNwJBRBU",
               "replacing: the old file goes when the new record is safe");
    no_directory_sync = 1;
    tap_is_str(traced_upload(&k, "b"), "PCwDNwJBRBU",
               "a file system that cannot sync directories is good enough");
    return kit_done(&k);
}
