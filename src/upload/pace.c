/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/pace.h"

#define SECOND APR_USEC_PER_SEC

void upool_pace_start(upool_pace *pace, apr_int64_t per_second,
                      apr_interval_time_t grace, apr_time_t now)
{
    pace->per_second = per_second;
    pace->grace = grace;
    pace->until = now + grace;
}

/* Microseconds that the bytes take, but not more than most. */
static apr_interval_time_t time_of(const upool_pace *pace, apr_int64_t bytes,
                                   apr_interval_time_t most)
{
    apr_int64_t seconds = bytes / pace->per_second;
    apr_int64_t rest = bytes % pace->per_second;

    if (seconds > most / SECOND) {
        return most;
    }
    /* As a fraction, because a rate near 2^63 leaves no room to multiply. */
    return seconds * SECOND
           + (apr_interval_time_t)((double)rest / (double)pace->per_second
                                   * (double)SECOND);
}

void upool_pace_credit(upool_pace *pace, apr_int64_t bytes, apr_time_t now)
{
    apr_time_t most = now + pace->grace;
    apr_interval_time_t lacking = most - pace->until;

    if (!pace->per_second) {
        return;
    }
    if (lacking > 0) {
        pace->until += time_of(pace, bytes, lacking);
    }
    if (pace->until > most) {
        pace->until = most;
    }
}

void upool_pace_pause(upool_pace *pace, apr_interval_time_t paused)
{
    if (paused > 0) {
        pace->until += paused;
    }
}

apr_time_t upool_pace_until(const upool_pace *pace)
{
    return pace->per_second ? pace->until : UPOOL_PACE_NEVER;
}
