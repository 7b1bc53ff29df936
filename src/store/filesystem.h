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

/* The kind of that which the descriptor lies on, and its name (a static text);
 * name may be NULL. */
upool_filesystem_kind upool_filesystem_of(int fd, const char **name);

/* What bears the name in the directory, a link itself, with the size that its
 * last writer on whatever machine has given it.  Costs a local file system one
 * call more than fstatat() at most; one of FUSE has to be asked for it with an
 * fsync(), the only call that gets past its caches.  The system's error. */
apr_status_t upool_filesystem_look(struct stat *st, int directory,
                                   const char *name);

/* What is tried is whether one machine sees what it needs: in the directory a
 * file is made, locked twice, locked by its bytes twice, renamed over another
 * one and removed, and the directory is synced.  NULL: all of it is as it
 * should be; else what is not, in p.  *rv: the error where one was said; it
 * alone (NULL is returned) when nothing could be tried. */
const char *upool_filesystem_try(apr_status_t *rv, int directory,
                                 apr_pool_t *p);

#endif
