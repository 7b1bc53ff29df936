/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_PACE_H
#define UPOOL_UPLOAD_PACE_H

/* How slow a client may be.  It has a stock of time, the grace, which runs down
 * while the upload lasts; every byte adds the time that it takes at the minimum
 * rate, but the stock never exceeds the grace.  A client is thus on time as
 * long as it never falls further behind the rate than the grace, and a fast
 * beginning is no licence to sleep afterwards.  When its time is over, the
 * client is too slow.
 *
 * Plain data, lives with its upload; one thread at a time.  The time is the
 * caller's; a clock that is set back gives the client at most the grace. */

#include <apr.h>
#include <apr_time.h>

typedef struct upool_pace {
    apr_int64_t per_second;    /* bytes; 0: as slow as it likes */
    apr_interval_time_t grace; /* microseconds */
    apr_time_t until;          /* the client's time is over then */
} upool_pace;

/* The end of the client's time when it has no limit. */
#define UPOOL_PACE_NEVER ((apr_time_t)((apr_uint64_t)~0 >> 1))

/* The upload begins. */
void upool_pace_start(upool_pace *pace, apr_int64_t per_second,
                      apr_interval_time_t grace, apr_time_t now);

/* bytes have come. */
void upool_pace_credit(upool_pace *pace, apr_int64_t bytes, apr_time_t now);

/* We did not read for so long, which is not the client's fault. */
void upool_pace_pause(upool_pace *pace, apr_interval_time_t paused);

/* When the client's time is over, if it sends nothing until then. */
apr_time_t upool_pace_until(const upool_pace *pace);

#endif
