/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_DIRECTORY_H
#define UPOOL_STORE_DIRECTORY_H

/* A bucket's directory, by descriptor.  Between two looks at a name somebody
 * may have removed the bucket and made another.  Code that enters a bucket thus
 * keeps its descriptor, works relative to that, and checks where it matters
 * whether the name still means that directory.
 *
 * A directory that the server's user does not own is not a bucket: in a sticky,
 * world-writable pool anybody may plant one.  No state; any thread. */

#include <sys/stat.h>

#include <apr_time.h>

#include "store/store.h"

typedef struct upool_directory {
    int fd;            /* -1: closed */
    struct stat about; /* at the time of entering */
} upool_directory;

/* Opens the bucket id; the caller closes dir->fd, which is -1 on failure.
 * APR_ENOENT: there is none; APR_ENOTDIR: a link, a file or somebody else's
 * directory has the name; APR_EINVAL: id is not a name of a bucket; else the
 * system's. */
apr_status_t upool_directory_enter(upool_directory *dir,
                                   const upool_store *store, const char *id);

/* Does the name id still mean dir?  APR_SUCCESS; APR_ENOENT: it means another
 * directory, or none; else the system's: this is unknown, and must not be taken
 * for either answer. */
apr_status_t upool_directory_check(const upool_directory *dir,
                                   const upool_store *store, const char *id);

/* Time of the last modification, to the microsecond. */
apr_time_t upool_directory_mtime(const struct stat *st);

/* What upool_directory_each() calls for every name but "." and "..": anything
 * but APR_SUCCESS ends the walk. */
typedef apr_status_t upool_directory_visit(void *baton, int fd,
                                           const char *name);

/* Walks the directory fd.  visit may unlink what it is shown.  Returns the
 * visit's or the system's error. */
apr_status_t upool_directory_each(int fd, upool_directory_visit *visit,
                                  void *baton);

#endif
