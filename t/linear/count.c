/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "t/linear/count.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALL 100

/* Otherwise the compiler makes of each loop the function that it is. */
#define STEP __asm__ volatile("" ::: "memory")

static unsigned long long work;

void __sanitizer_cov_trace_pc(void);

/* Called by the compiled sources. */
void __sanitizer_cov_trace_pc(void)
{
    work++;
}

unsigned long long count_now(void)
{
    return work;
}

/* --- Bytes ---------------------------------------------------------------- */

void *memchr(const void *data, int c, size_t len)
{
    const unsigned char *at = data;
    size_t i;

    for (i = 0; i < len; i++) {
        STEP;
        work++;
        if (at[i] == (unsigned char)c) {
            return (void *)(size_t)(at + i);
        }
    }
    return NULL;
}

int memcmp(const void *one, const void *two, size_t len)
{
    const unsigned char *a = one;
    const unsigned char *b = two;
    size_t i;

    for (i = 0; i < len; i++) {
        STEP;
        work++;
        if (a[i] != b[i]) {
            return a[i] - b[i];
        }
    }
    return 0;
}

void *memmove(void *to, const void *from, size_t len)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    size_t i;

    work += len;
    if ((size_t)t - (size_t)f >= len) {
        for (i = 0; i < len; i++) {
            STEP;
            t[i] = f[i];
        }
    }
    else {
        for (i = len; i > 0; i--) {
            STEP;
            t[i - 1] = f[i - 1];
        }
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    return memmove(to, from, len);
}

void *memset(void *to, int c, size_t len)
{
    unsigned char *t = to;
    size_t i;

    work += len;
    for (i = 0; i < len; i++) {
        STEP;
        t[i] = (unsigned char)c;
    }
    return to;
}

size_t strlen(const char *text)
{
    size_t len = 0;

    while (text[len]) {
        STEP;
        len++;
    }
    work += len;
    return len;
}

int strcmp(const char *one, const char *two)
{
    while (*one && *one == *two) {
        STEP;
        work++;
        one++;
        two++;
    }
    return (unsigned char)*one - (unsigned char)*two;
}

int strncmp(const char *one, const char *two, size_t len)
{
    while (len && *one && *one == *two) {
        STEP;
        work++;
        one++;
        two++;
        len--;
    }
    return len ? (unsigned char)*one - (unsigned char)*two : 0;
}

char *strchr(const char *text, int c)
{
    for (;; text++) {
        STEP;
        work++;
        if (*text == (char)c) {
            return (char *)(size_t)text;
        }
        if (!*text) {
            return NULL;
        }
    }
}

/* --- System calls --------------------------------------------------------- */

static ssize_t moved(long bytes)
{
    work += CALL + (bytes > 0 ? (unsigned long long)bytes : 0);
    return bytes;
}

ssize_t read(int fd, void *data, size_t len)
{
    return moved(syscall(SYS_read, fd, data, len));
}

ssize_t write(int fd, const void *data, size_t len)
{
    return moved(syscall(SYS_write, fd, data, len));
}

ssize_t writev(int fd, const struct iovec *list, int count)
{
    return moved(syscall(SYS_writev, fd, list, count));
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return moved(syscall(SYS_pwrite64, fd, data, len, at));
}

int openat(int dir, const char *name, int flags, ...)
{
    va_list args;
    int mode;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    work += CALL;
    return (int)syscall(SYS_openat, dir, name, flags, mode);
}

int unlinkat(int dir, const char *name, int flags)
{
    work += CALL;
    return (int)syscall(SYS_unlinkat, dir, name, flags);
}

int renameat(int from, const char *one, int to, const char *two)
{
    work += CALL;
    return (int)syscall(SYS_renameat2, from, one, to, two, 0);
}
