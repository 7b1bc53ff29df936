/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/layout.h"

static const upool_range all = { 0, APR_INT64_MAX };

static int is_range(const upool_range *range)
{
    return range->start >= 0 && range->end > range->start;
}

/* The range that a request has asked for there. */
static upool_range read_asked(int fd)
{
    upool_range asked;
    ssize_t n = pread(fd, &asked, sizeof(asked), 0);

    return n == (ssize_t)sizeof(asked) && is_range(&asked) ? asked : all;
}

/* Two requests that ask at once are answered together. */
static apr_status_t add_to(int fd, const upool_range *region)
{
    upool_range asked = *region;
    struct stat st;

    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        upool_range there = read_asked(fd);

        if (there.start <= asked.start && there.end >= asked.end) {
            return APR_SUCCESS;
        }
        asked.start = there.start < asked.start ? there.start : asked.start;
        asked.end = there.end > asked.end ? there.end : asked.end;
    }
    return pwrite(fd, &asked, sizeof(asked), 0) < 0 ? upool_fd_error()
                                                    : APR_SUCCESS;
}

static apr_status_t open_yield(int *fd, int directory)
{
    return upool_fd_own(fd, directory, UPOOL_LAYOUT_YIELD, O_RDWR | O_CREAT,
                        S_IRUSR | S_IWUSR);
}

apr_status_t upool_takeover_ask(int directory, const upool_range *region)
{
    int fd = -1;
    apr_status_t rv = open_yield(&fd, directory);

    /* It was planted: a request to stop is worth nothing in itself. */
    if (rv == APR_EGENERAL && unlinkat(directory, UPOOL_LAYOUT_YIELD, 0) == 0) {
        rv = open_yield(&fd, directory);
    }
    if (rv) {
        return rv;
    }
    rv = add_to(fd, region);
    upool_fd_close(&fd);
    return rv;
}

int upool_takeover_is_asked(int directory, const upool_range *region)
{
    upool_range asked;
    int fd;

    if (upool_fd_open(&fd, directory, UPOOL_LAYOUT_YIELD, O_RDONLY | O_NONBLOCK,
                      0)) {
        return 0;
    }
    asked = read_asked(fd);
    upool_fd_close(&fd);
    return asked.start < region->end && region->start < asked.end;
}

void upool_takeover_withdraw(int directory)
{
    unlinkat(directory, UPOOL_LAYOUT_YIELD, 0);
}
