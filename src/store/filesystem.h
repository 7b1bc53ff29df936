/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_FILESYSTEM_H
#define UPOOL_STORE_FILESYSTEM_H

/* What a file system promises, as far as it can be seen.  No state; any
 * thread. */

#include <sys/stat.h>

#include <apr_pools.h>

typedef enum upool_filesystem_kind {
    UPOOL_FILESYSTEM_LOCAL = 0, /* of this machine alone */
    UPOOL_FILESYSTEM_FUSE,      /* a program's: it may be anything */
    UPOOL_FILESYSTEM_OTHER      /* a network's or a cluster's, or unknown */
} upool_filesystem_kind;

/* The kind of the file system that the descriptor lies on, and its name (a
 * static text); name may be NULL. */
upool_filesystem_kind upool_filesystem_of(int fd, const char **name);

/* Looks at that name in the directory (links are not followed), with the size
 * that its last writer on any machine has given it.  Costs at most one call
 * more than fstatat() on a local file system; FUSE needs an fsync(), the only
 * call that gets past its caches.  Returns the system's error. */
apr_status_t upool_filesystem_look(struct stat *st, int directory,
                                   const char *name);

/* Tries whether the file system does what one machine needs: makes a file in
 * the directory, locks it twice, locks its bytes twice, renames it over another
 * one, removes it, and syncs the directory.  NULL: all of that works; else what
 * does not, in p.  *rv: the error where the system gave one; when nothing could
 * be tried, *rv is set and NULL returned. */
const char *upool_filesystem_try(apr_status_t *rv, int directory,
                                 apr_pool_t *p);

#endif
