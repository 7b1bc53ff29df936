/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_STORE_H
#define UPOOL_STORE_STORE_H

/* A pool directory, held by descriptor.  Everything below it is reached with
 * openat() from there, so that nobody can swap the directory between a check
 * and its use.
 *
 * A store does not change once it is open: any thread may use it, and it may
 * be inherited by children (not over exec).  A directory that is removed and
 * made again is a different one: open the store anew. */

#include <sys/types.h>

#include <apr_pools.h>
#include <apr_file_info.h>

typedef struct upool_store upool_store;

/* Bucket directories are 0700.  Where file_mode lets the group or others read,
 * they may also pass through the bucket's directory (0710, 0711), or the mode
 * would be useless; they cannot list it, and the names in it are random. */
typedef struct upool_store_options {
    int file_mode; /* permission bits of data files, e.g. 0600 */
    int sync;      /* fsync files and directories before done */
    int sendfile;  /* files opened for reading may go out by sendfile() */
    /* An upload of several requests that nobody has touched for this long no
     * longer blocks another of its identifier; 0: it always does. */
    apr_interval_time_t expires;
    int has_group; /* data files and new bucket directories belong to group */
    gid_t group;
} upool_store_options;

/* Opens dir (absolute, itself not a link).  below: NULL, or an absolute root
 * under which dir is a relative path, walked component by component without
 * following links or "..", none of which may be a bucket or lie in another
 * pool.  Nothing is created.  On failure the system's error
 * (APR_EINVAL, APR_EACCES for what is refused here), and *why gets a static
 * text for the error log: not there, not a directory, a link, not writable,
 * world-writable without sticky bit, owned by somebody else (the owner has to
 * be the effective user: open the store in the child, not as root).
 * options is copied.  The descriptor closes with p. */
apr_status_t upool_store_open(upool_store **store, const char *dir,
                              const char *below,
                              const upool_store_options *options, apr_pool_t *p,
                              const char **why);

/* The absolute path of the directory. */
const char *upool_store_path(const upool_store *store);

/* For the other files of this room: the descriptor (which stays the store's)
 * and the options it was opened with. */
int upool_store_fd(const upool_store *store);
const upool_store_options *upool_store_settings(const upool_store *store);

#endif
