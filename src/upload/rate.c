/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/rate.h"

/* Turns a second, and so the bucket's part of a second. */
#define TURNS 4
/* A turn of fewer bytes is not worth its system calls. */
#define TURN_LEAST 1024
/* A second's bytes, times its microseconds, fit 63 bits. */
#define RATE_MOST ((apr_int64_t)1 << 42)
#define SECOND APR_USEC_PER_SEC

static apr_int64_t bucket_size(const upool_rate *rate)
{
    return rate->per_second / TURNS;
}

void upool_rate_start(upool_rate *rate, apr_int64_t per_second, apr_time_t now)
{
    rate->per_second = per_second < RATE_MOST ? per_second : RATE_MOST;
    rate->tokens = bucket_size(rate);
    rate->filled = now;
}

apr_size_t upool_rate_turn(const upool_rate *rate, apr_size_t most)
{
    apr_int64_t bytes = bucket_size(rate);

    if (!rate->per_second || (apr_uint64_t)bytes >= most) {
        return most;
    }
    return bytes > TURN_LEAST ? (apr_size_t)bytes : TURN_LEAST;
}

/* Microseconds that so many bytes take, rounded up: never faster than asked. */
static apr_interval_time_t time_of(const upool_rate *rate, apr_int64_t bytes)
{
    return bytes / rate->per_second * SECOND
           + (bytes % rate->per_second * SECOND + rate->per_second - 1)
                 / rate->per_second;
}

/* Time that was too short for a whole byte is kept: filled does not reach
 * now. */
static void fill(upool_rate *rate, apr_time_t now)
{
    apr_int64_t lacking = bucket_size(rate) - rate->tokens;
    apr_interval_time_t elapsed = now - rate->filled;
    apr_int64_t gained;

    if (elapsed < 0) {
        rate->filled = now;
        return;
    }
    if (elapsed / SECOND > lacking / rate->per_second) {
        rate->tokens = bucket_size(rate);
        rate->filled = now;
        return;
    }
    gained = elapsed / SECOND * rate->per_second
             + elapsed % SECOND * rate->per_second / SECOND;
    if (gained >= lacking) {
        rate->tokens = bucket_size(rate);
        rate->filled = now;
        return;
    }
    rate->tokens += gained;
    rate->filled += time_of(rate, gained);
}

apr_interval_time_t upool_rate_pay(upool_rate *rate, apr_int64_t bytes,
                                   apr_time_t now)
{
    if (!rate->per_second) {
        return 0;
    }
    fill(rate, now);
    rate->tokens -= bytes;
    return rate->tokens < 0 ? time_of(rate, -rate->tokens) : 0;
}
