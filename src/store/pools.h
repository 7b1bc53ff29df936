/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_POOLS_H
#define UPOOL_STORE_POOLS_H

/* The pools below a directory that no configuration names one by one
 * (UploadPoolRoot): those that have books, which an upload there makes.  Links
 * are not followed, and nothing is looked for inside of a pool.
 *
 * No state; any thread. */

#include <apr_tables.h>

/* Levels below the root, and directories in all, that are looked at. */
#define UPOOL_POOLS_DEPTH 8
#define UPOOL_POOLS_SEEN 10000

/* Adds their absolute paths, in p, to list (of const char *).  What cannot be
 * read is passed over; the system's error: the root cannot. */
apr_status_t upool_pools_find(apr_array_header_t *list, const char *root,
                              apr_pool_t *p);

#endif
