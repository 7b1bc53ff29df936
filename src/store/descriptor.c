/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <apr_errno.h>

/* POSIX promises 16, all current systems take 1024. */
#define PIECES_MAX 1024

apr_status_t upool_fd_error(void)
{
    apr_status_t rv = apr_get_os_error();

    return rv == ESTALE ? APR_ENOENT : rv;
}

apr_status_t upool_fd_open(int *fd, int directory, const char *name, int flags,
                           mode_t mode)
{
    flags |= O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
    do {
        *fd = openat(directory, name, flags, mode);
    } while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? upool_fd_error() : APR_SUCCESS;
}

apr_status_t upool_fd_directory(int *fd, int directory, const char *name)
{
    apr_status_t rv =
        upool_fd_open(fd, directory, name, O_RDONLY | O_DIRECTORY, 0);

    /* Systems differ in the error they give for a link here. */
    return rv == ELOOP || rv == EMLINK ? APR_ENOTDIR : rv;
}

/* A link, a directory, a FIFO without a reader or a socket. */
static int is_strange(apr_status_t rv)
{
    return rv == ELOOP || rv == EMLINK || rv == EISDIR || rv == ENXIO
           || rv == ENODEV;
}

apr_status_t upool_fd_own(int *fd, int directory, const char *name, int flags,
                          mode_t mode)
{
    struct stat st;
    apr_status_t rv =
        upool_fd_open(fd, directory, name, flags | O_NONBLOCK, mode);

    if (rv) {
        return is_strange(rv) ? APR_EGENERAL : rv;
    }
    if (fstat(*fd, &st) < 0) {
        rv = upool_fd_error();
    }
    else if (!S_ISREG(st.st_mode) || st.st_nlink > 1) {
        rv = APR_EGENERAL;
    }
    if (rv) {
        upool_fd_close(fd);
    }
    return rv;
}

apr_status_t upool_fd_close(int *fd)
{
    int rc;

    if (*fd < 0) {
        return APR_SUCCESS;
    }
    /* Not restarted: the descriptor is gone after EINTR, and its number may
     * be another thread's by now. */
    rc = close(*fd);
    *fd = -1;
    return rc < 0 ? upool_fd_error() : APR_SUCCESS;
}

#ifdef AT_STATX_FORCE_SYNC
static void convert(struct stat *st, const struct statx *x)
{
    memset(st, 0, sizeof(*st));
    st->st_dev = makedev(x->stx_dev_major, x->stx_dev_minor);
    st->st_ino = x->stx_ino;
    st->st_mode = x->stx_mode;
    st->st_nlink = x->stx_nlink;
    st->st_uid = x->stx_uid;
    st->st_gid = x->stx_gid;
    st->st_size = (off_t)x->stx_size;
    st->st_blocks = (blkcnt_t)x->stx_blocks;
    st->st_mtim.tv_sec = x->stx_mtime.tv_sec;
    st->st_mtim.tv_nsec = x->stx_mtime.tv_nsec;
}

apr_status_t upool_fd_stat(struct stat *st, int fd, const char *name)
{
    struct statx x;
    int flags = name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;

    if (statx(fd, name ? name : "", flags | AT_STATX_FORCE_SYNC,
              STATX_BASIC_STATS, &x)
        < 0) {
        return upool_fd_error();
    }
    convert(st, &x);
    return APR_SUCCESS;
}
#else
apr_status_t upool_fd_stat(struct stat *st, int fd, const char *name)
{
    int rc = name ? fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) : fstat(fd, st);

    return rc < 0 ? upool_fd_error() : APR_SUCCESS;
}
#endif

static apr_status_t close_guarded(void *fd)
{
    return upool_fd_close(fd);
}

void upool_fd_guard(int *fd, apr_pool_t *p)
{
    apr_pool_cleanup_register(p, fd, close_guarded, apr_pool_cleanup_null);
}

apr_status_t upool_fd_unguard(int *fd, apr_pool_t *p)
{
    return apr_pool_cleanup_run(p, fd, close_guarded);
}

apr_status_t upool_fd_read(int fd, void *data, apr_size_t len, apr_off_t offset,
                           apr_size_t *n)
{
    *n = 0;
    while (*n < len) {
        ssize_t got =
            pread(fd, (char *)data + *n, len - *n, offset + (apr_off_t)*n);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? upool_fd_error() : APR_SUCCESS;
        }
        *n += (apr_size_t)got;
    }
    return APR_SUCCESS;
}

apr_status_t upool_fd_write_at(int fd, const void *data, apr_size_t len,
                               apr_off_t offset)
{
    const char *from = data;

    while (len) {
        ssize_t put = pwrite(fd, from, len, offset);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return put < 0 ? apr_get_os_error() : ENOSPC;
        }
        from += put;
        len -= (apr_size_t)put;
        offset += put;
    }
    return APR_SUCCESS;
}

/* Takes n written bytes off the pieces; returns how many pieces are used up. */
static int consume(struct iovec *vec, int count, size_t n)
{
    int done = 0;

    while (done < count && n >= vec[done].iov_len) {
        n -= vec[done].iov_len;
        done++;
    }
    if (done < count && n) {
        vec[done].iov_base = (char *)vec[done].iov_base + n;
        vec[done].iov_len -= n;
    }
    return done;
}

apr_status_t upool_fd_write(int fd, struct iovec *vec, int count,
                            apr_off_t *written)
{
    /* Empty pieces first: a write of nothing must not look like no progress. */
    int done = consume(vec, count, 0);

    while (done < count) {
        int pieces = count - done < PIECES_MAX ? count - done : PIECES_MAX;
        ssize_t n = writev(fd, vec + done, pieces);

        if (n < 0 && errno != EINTR) {
            return upool_fd_error();
        }
        if (n == 0) {
            return APR_EGENERAL;
        }
        if (n > 0) {
            *written += n;
            done += consume(vec + done, count - done, (size_t)n);
        }
    }
    return APR_SUCCESS;
}

apr_status_t upool_fd_sync(int fd)
{
    int rc;

    do {
        rc = fsync(fd);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? upool_fd_error() : APR_SUCCESS;
}

apr_status_t upool_fd_sync_directory(int fd)
{
    apr_status_t rv = upool_fd_sync(fd);

    return rv == EINVAL || rv == ENOTSUP ? APR_SUCCESS : rv;
}
