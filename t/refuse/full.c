/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Plays a full disk for t/refuse/full.t where none can be mounted: below
 * $UPOOL_FULL_BELOW there is room for $UPOOL_FULL_BYTES bytes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static long long used(const char *dir)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    char path[4096];
    struct stat st;
    long long sum = 0;

    while (stream && (entry = readdir(stream)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] == '.' || lstat(path, &st)) {
            continue;
        }
        sum += S_ISDIR(st.st_mode) ? used(path) : (long long)st.st_size;
    }
    if (stream) {
        closedir(stream);
    }
    return sum;
}

static int is_full(int fd, size_t len)
{
    const char *below = getenv("UPOOL_FULL_BELOW");
    const char *bytes = getenv("UPOOL_FULL_BYTES");
    char link[64];
    char path[4096];
    struct stat st;
    ssize_t got;

    if (!below || !bytes || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        return 0;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    got = readlink(link, path, sizeof(path) - 1);
    if (got < 0) {
        return 0;
    }
    path[got] = '\0';
    return !strncmp(path, below, strlen(below))
           && used(below) + (long long)len > atoll(bytes);
}

ssize_t write(int fd, const void *data, size_t len)
{
    ssize_t (*real)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

    if (is_full(fd, len)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, data, len);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    ssize_t (*real)(int, const struct iovec *, int) =
        (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
    size_t len = 0;
    int i;

    for (i = 0; i < count; i++) {
        len += iov[i].iov_len;
    }
    if (is_full(fd, len)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, iov, count);
}
