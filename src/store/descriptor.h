/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_DESCRIPTOR_H
#define UPOOL_STORE_DESCRIPTOR_H

/* System calls on descriptors as this room needs them: restarted after a
 * signal, never inherited by a child, never following a link at the end of the
 * name, with errors as APR statuses.
 *
 * A descriptor that outlives the function which opens it is guarded: its
 * variable, which has to live as long as the pool, is registered with a
 * cleanup that closes it.  -1 means closed.  No state; any thread, one thread
 * at a time per descriptor. */

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <apr_pools.h>

/* The error of the room's last failed system call.  ESTALE, by which a network
 * file system says that another machine has removed something, becomes
 * APR_ENOENT, since callers handle both alike. */
apr_status_t upool_fd_error(void);

/* openat() with O_CLOEXEC, O_NOFOLLOW and O_NOCTTY added.  APR_SUCCESS and *fd
 * set, or the system's error and *fd = -1. */
apr_status_t upool_fd_open(int *fd, int directory, const char *name, int flags,
                           mode_t mode);

/* Opens a directory for reading.  APR_ENOTDIR also for a link. */
apr_status_t upool_fd_directory(int *fd, int directory, const char *name);

/* Opens, or with O_CREAT makes, a file of this room that is written in place.
 * It must be a regular file with this name alone, for a second name (a planted
 * hard link) would carry the bytes elsewhere.  Never waits for the other end of
 * a FIFO.  As above; APR_EGENERAL: something else has that name. */
apr_status_t upool_fd_own(int *fd, int directory, const char *name, int flags,
                          mode_t mode);

/* fstat() of fd, or with a name fstatat() of that name in fd (links are not
 * followed), bypassing what a network file system has cached: this costs one
 * request to the server there, and nothing extra on a local file system.
 * Returns the system's error. */
apr_status_t upool_fd_stat(struct stat *st, int fd, const char *name);

/* Closes *fd with pool p unless it is closed before.  Does nothing in children
 * of this process, where the kernel closes it. */
void upool_fd_guard(int *fd, apr_pool_t *p);

/* Closes *fd now and forgets the guard.  Late write errors (ENOSPC, EDQUOT, EIO
 * on network file systems) come back from here; the descriptor is closed in any
 * case.  Success where it was closed already. */
apr_status_t upool_fd_unguard(int *fd, apr_pool_t *p);

/* Closes an unguarded descriptor; as above. */
apr_status_t upool_fd_close(int *fd);

/* Reads from offset on until there are len bytes or the file ends.  *n is the
 * number read, also on failure.  Returns the system's error. */
apr_status_t upool_fd_read(int fd, void *data, apr_size_t len, apr_off_t offset,
                           apr_size_t *n);

/* Writes all len bytes to offset.  Returns the system's error; ENOSPC where it
 * took nothing. */
apr_status_t upool_fd_write_at(int fd, const void *data, apr_size_t len,
                               apr_off_t offset);

/* Writes all count pieces of vec, which is used up on the way.  *written grows
 * by what has gone out, also on failure. */
apr_status_t upool_fd_write(int fd, struct iovec *vec, int count,
                            apr_off_t *written);

/* fsync().  An error is final: the kernel may have dropped the pages, so that
 * a second call succeeding would prove nothing. */
apr_status_t upool_fd_sync(int fd);

/* fsync() of a directory; success on file systems that cannot do it. */
apr_status_t upool_fd_sync_directory(int fd);

#endif
