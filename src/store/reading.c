/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/append.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/opened.h"

#define BLOCK ((apr_size_t)65536)
/* What one call may copy: the kernel takes less at a time anyway. */
#define COPY_MAX ((apr_off_t)1 << 30)

static apr_status_t open_reader(const upool_append *a, int *fd)
{
    return upool_fd_open(fd, a->directory.fd, a->about->file.stored,
                         O_RDONLY | O_NONBLOCK, 0);
}

/* Up to len bytes at offset: *n of them, more than none. */
static apr_status_t read_some(int fd, char *buffer, apr_size_t len,
                              apr_off_t offset, apr_size_t *n)
{
    apr_status_t rv = upool_fd_read(fd, buffer, len, offset, n);

    return !rv && *n == 0 ? APR_EOF : rv;
}

static apr_size_t block_of(apr_off_t from, apr_off_t to)
{
    return to - from < (apr_off_t)BLOCK ? (apr_size_t)(to - from) : BLOCK;
}

apr_status_t upool_append_read(const upool_append *append, apr_off_t from,
                               apr_off_t to, upool_append_visit *visit,
                               void *user)
{
    apr_status_t rv;
    apr_size_t n;
    char *buffer;
    int fd;

    if (from >= to) {
        return APR_SUCCESS;
    }
    rv = open_reader(append, &fd);
    if (rv) {
        return rv;
    }
    buffer = malloc(BLOCK);
    rv = buffer ? APR_SUCCESS : APR_ENOMEM;
    for (; !rv && from < to; from += (apr_off_t)n) {
        rv = read_some(fd, buffer, block_of(from, to), from, &n);
        rv = rv ? rv : visit(user, buffer, n);
    }
    free(buffer);
    upool_fd_close(&fd);
    return rv;
}

static apr_status_t write_block(void *user, const char *data, apr_size_t len)
{
    struct iovec piece = { (void *)data, len };

    return upool_append_write(user, &piece, 1);
}

/* The file system may share the blocks.  *from grows by what was copied; an
 * error is none here: then it is done by hand. */
static void copy_blocks(upool_append *a, int fd, apr_off_t *from, apr_off_t to)
{
    ssize_t n = 1;

    while (*from < to && n > 0) {
        apr_off_t rest = to - *from;

        n = copy_file_range(fd, from, a->fd, NULL,
                            (apr_size_t)(rest < COPY_MAX ? rest : COPY_MAX), 0);
        a->at += n > 0 ? n : 0;
    }
}

apr_status_t upool_append_copy(upool_append *append, const upool_append *source,
                               apr_off_t length)
{
    apr_off_t from = 0;
    apr_status_t rv;
    int fd;

    if (append->fd < 0 || !append->in_order || append->broken) {
        return append->broken ? append->broken : APR_EBADF;
    }
    rv = open_reader(source, &fd);
    if (rv) {
        return rv;
    }
    copy_blocks(append, fd, &from, length);
    upool_fd_close(&fd);
    return upool_append_read(source, from, length, write_block, append);
}
