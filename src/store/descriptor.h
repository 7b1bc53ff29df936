/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_DESCRIPTOR_H
#define UPOOL_STORE_DESCRIPTOR_H

/* System calls on descriptors as the room wants them: restarted after a
 * signal, never inherited by a child, never following a link at the end of
 * the name, errors as APR statuses.
 *
 * A descriptor that outlives the function which opens it is guarded: its
 * variable, which has to live as long as the pool, is registered with a
 * cleanup that closes it.  -1 means closed.  No state; any thread, one thread
 * at a time per descriptor. */

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <apr_pools.h>

/* What the last system call of the room has failed with.  ESTALE, a network
 * file system's word for what another machine has removed, is APR_ENOENT: who
 * meets either does the same. */
apr_status_t upool_fd_error(void);

/* openat() with O_CLOEXEC, O_NOFOLLOW and O_NOCTTY added.  APR_SUCCESS and *fd
 * set, or the system's error and *fd = -1. */
apr_status_t upool_fd_open(int *fd, int directory, const char *name, int flags,
                           mode_t mode);

/* Opens a directory for reading.  APR_ENOTDIR also for a link. */
apr_status_t upool_fd_directory(int *fd, int directory, const char *name);

/* Opens, or with O_CREAT makes, a file of the room's that is written in place:
 * a regular one under this name alone, for a second one (a planted hard link)
 * would carry the bytes elsewhere.  Never waits for who holds a FIFO.  As
 * above; APR_EGENERAL: something else bears the name. */
apr_status_t upool_fd_own(int *fd, int directory, const char *name, int flags,
                          mode_t mode);

/* fstat() of fd, or with a name fstatat() of what bears it there (a link is
 * itself), past what a network file system has kept of it from earlier: costs
 * one question to the server there, and nothing more on a local one.  The
 * system's error. */
apr_status_t upool_fd_stat(struct stat *st, int fd, const char *name);

/* Closes *fd with pool p unless that happens before.  Not for the children of
 * this process: the kernel closes it there. */
void upool_fd_guard(int *fd, apr_pool_t *p);

/* Closes *fd now and forgets the guard.  Late write errors (ENOSPC, EDQUOT, EIO
 * on network file systems) come back from here; the descriptor is gone in any
 * case.  Success where it was closed already. */
apr_status_t upool_fd_unguard(int *fd, apr_pool_t *p);

/* Closes an unguarded descriptor; as above. */
apr_status_t upool_fd_close(int *fd);

/* Reads from offset on until there are len bytes, or the file ends: *n of them,
 * also on failure.  The system's error. */
apr_status_t upool_fd_read(int fd, void *data, apr_size_t len, apr_off_t offset,
                           apr_size_t *n);

/* Writes all len bytes to offset.  The system's error; ENOSPC where it took
 * nothing. */
apr_status_t upool_fd_write_at(int fd, const void *data, apr_size_t len,
                               apr_off_t offset);

/* Writes all count pieces of vec, which is used up on the way.  *written grows
 * by what has gone out, also on failure. */
apr_status_t upool_fd_write(int fd, struct iovec *vec, int count,
                            apr_off_t *written);

/* fsync().  An error is final: the kernel may have dropped the pages, so that
 * a second call succeeding would prove nothing. */
apr_status_t upool_fd_sync(int fd);

/* fsync() of a directory; success on file systems that cannot. */
apr_status_t upool_fd_sync_directory(int fd);

#endif
