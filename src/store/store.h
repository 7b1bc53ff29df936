/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_STORE_H
#define UPOOL_STORE_STORE_H

/* A pool directory, held by descriptor.  Everything below it is reached with
 * openat() from there, so that nobody can swap the directory between a check
 * and its use. */

#include <apr_pools.h>
#include <apr_file_info.h>

typedef struct upool_store upool_store;

typedef struct upool_store_options {
    int file_mode;      /* permission bits of data files, e.g. 0600 */
    int sync;           /* fsync files and directories before done */
} upool_store_options;

/* Opens dir (absolute).  below: NULL, or an absolute root under which dir is
 * a relative path walked component by component without following links or
 * "..".  *why gets a static text on failure, for the error log: not there,
 * not a directory, a link, not writable, world-writable without sticky bit,
 * owned by somebody else.  The descriptor closes with p. */
apr_status_t upool_store_open(upool_store **store, const char *dir,
                              const char *below,
                              const upool_store_options *options,
                              apr_pool_t *p, const char **why);

/* The absolute path of the directory. */
const char *upool_store_path(const upool_store *store);

#endif
