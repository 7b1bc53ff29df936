/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_REGION_H
#define UPOOL_STORE_REGION_H

/* Marks which bytes of a data file somebody is writing, by an fcntl() lock of
 * the open file (F_OFD_SETLK): such a lock separates threads as well as
 * processes, covers a range of bytes, and dies with its holder.  It says
 * nothing about the bucket, which flock() guards (lock.h): a writer holds its
 * region for as long as its client takes, and the bucket's lock for moments
 * only.
 *
 * No state; one thread at a time per descriptor. */

#include <apr_errno.h>

#include "store/ranges.h"

/* Every byte that is there or will be. */
#define UPOOL_REGION_ALL \
    { \
        0, APR_INT64_MAX \
    }

/* Takes [region->start, region->end) of the file, which must be open for
 * writing; an end of APR_INT64_MAX means everything behind start, future bytes
 * included.  APR_EBUSY: a part of it is somebody else's; else the system's. */
apr_status_t upool_region_take(int fd, const upool_range *region);

/* Is a part of it somebody else's?  APR_SUCCESS: no; APR_EBUSY; else the
 * system's.  Any descriptor of the file will do; one that holds the region
 * finds it free. */
apr_status_t upool_region_look(int fd, const upool_range *region);

/* Releases all regions that this open file holds. */
void upool_region_release(int fd);

#endif
