/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_RATE_H
#define UPOOL_UPLOAD_RATE_H

/* How fast one upload may come in: a token bucket that holds a quarter of a
 * second's bytes.  Bytes are taken first and paid for afterwards; what is owed
 * is the time to wait before the next turn.  It only computes the time to wait
 * and never waits, so the wait may be a sleep or a timer.
 *
 * Plain data, lives with its upload; one thread at a time.  The time is the
 * caller's; a clock that is set back costs the upload nothing. */

#include <apr.h>
#include <apr_time.h>

typedef struct upool_rate {
    apr_int64_t per_second; /* bytes; 0: as fast as it comes */
    apr_int64_t tokens;     /* bytes that may come now; below 0: owed */
    apr_time_t filled;      /* tokens are those of this moment */
} upool_rate;

/* The upload begins: a full bucket. */
void upool_rate_start(upool_rate *rate, apr_int64_t per_second, apr_time_t now);

/* How many bytes to take in one turn: most, or fewer where the waits would be
 * long; never 0. */
apr_size_t upool_rate_turn(const upool_rate *rate, apr_size_t most);

/* Takes in that bytes have come.  Returns how long to wait before the next
 * turn; 0: not at all. */
apr_interval_time_t upool_rate_pay(upool_rate *rate, apr_int64_t bytes,
                                   apr_time_t now);

#endif
