/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_POOLS_H
#define UPOOL_STORE_POOLS_H

/* Finds the pools below a directory (UploadPoolRoot), which no configuration
 * names one by one.  A pool is known by its books, which the first upload there
 * makes.  The directory itself may be one.  Links are not followed; other pools
 * and buckets are not searched inside.
 *
 * No state; any thread. */

#include <apr_tables.h>

/* Levels below the root, and directories (without buckets) in all, that are
 * looked at. */
#define UPOOL_POOLS_DEPTH 8
#define UPOOL_POOLS_SEEN 10000

/* Adds their absolute paths, in p, to list (of const char *).  Directories that
 * cannot be read are passed over; returns the system's error where the root
 * cannot be read. */
apr_status_t upool_pools_find(apr_array_header_t *list, const char *root,
                              apr_pool_t *p);

#endif
