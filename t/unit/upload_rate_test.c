/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The token bucket, on a clock of its own: what N bytes cost is what N bytes
 * at that rate take, whatever the turns, less what the full bucket gives. */
#include "upload/rate.h"

#include <tap.h>

#define SECOND APR_USEC_PER_SEC
#define START apr_time_from_sec(1700000000)

/* Takes bytes in turns of most; the time that passes.  idle: between a wait
 * and the next bytes. */
static apr_interval_time_t run(apr_int64_t per_second, apr_int64_t bytes,
                               apr_size_t most, apr_interval_time_t idle)
{
    upool_rate rate;
    apr_time_t now = START;

    upool_rate_start(&rate, per_second, now);
    while (bytes > 0) {
        apr_int64_t turn = (apr_int64_t)upool_rate_turn(&rate, most);

        now += idle;
        turn = turn < bytes ? turn : bytes;
        bytes -= turn;
        now += upool_rate_pay(&rate, turn, now);
    }
    return now - START;
}

static void is_about(apr_interval_time_t got, apr_interval_time_t want,
                     const char *name)
{
    tap_ok(got >= want - SECOND / 4 - 1000 && got <= want + 1000, "%s: %lld us",
           name, (long long)got);
}

static void test_times(void)
{
    is_about(run(1000000, 2000000, 262144, 0), 2 * SECOND, "two seconds");
    is_about(run(1000000, 2000000, 1, 0), 2 * SECOND, "by bytes");
    is_about(run(1000, 10000, 262144, 0), 10 * SECOND, "slow");
    is_about(run(1, 3000, 262144, 0), 3000 * SECOND, "a byte a second");
    is_about(run(3, 1000, 7, 0), 1000 * SECOND / 3, "no rounding adds up");
    is_about(run(999983, 5000000, 7919, 13), 5000085, "odd numbers");
    is_about(run((apr_int64_t)1 << 50, 1000000, 262144, 0), 0,
             "more than anybody has");
    is_about(run(APR_INT64_MAX, APR_INT64_MAX / 1024 / 1024, 1 << 30, 0),
             2 * SECOND, "no overflow");
    tap_is_int(run(0, 100000000, 262144, 0), 0, "no limit, no wait");
    tap_is_int(run(1000000, 100, 262144, 0), 0, "a small one waits for none");
    tap_is_int(run(1000, 100, 10, SECOND), 10 * SECOND,
               "one that is slower itself waits for none");
}

static void test_turns(void)
{
    upool_rate rate;

    upool_rate_start(&rate, 0, START);
    tap_is_int((long long)upool_rate_turn(&rate, 262144), 262144,
               "without limit a whole turn");
    upool_rate_start(&rate, 4000000, START);
    tap_is_int((long long)upool_rate_turn(&rate, 262144), 262144, "fast too");
    upool_rate_start(&rate, 400000, START);
    tap_is_int((long long)upool_rate_turn(&rate, 262144), 100000,
               "a quarter of a second");
    upool_rate_start(&rate, 10, START);
    tap_is_int((long long)upool_rate_turn(&rate, 262144), 1024,
               "a turn that is worth it");
    tap_is_int((long long)upool_rate_turn(&rate, 1), 1,
               "but not more than there is room for");
}

static void test_clock(void)
{
    upool_rate rate;

    upool_rate_start(&rate, 1000, START);
    tap_is_int(upool_rate_pay(&rate, 1250, START), SECOND, "a second is owed");
    tap_is_int(upool_rate_pay(&rate, 0, START - 3600 * SECOND), SECOND,
               "a clock set back makes it no more");
    tap_is_int(upool_rate_pay(&rate, 0, START - 3599 * SECOND), 0,
               "and it is paid by the new time");
    tap_is_int(upool_rate_pay(&rate, 1250, START + 86400 * SECOND), SECOND,
               "long idle time is not saved up");
    tap_is_int(upool_rate_pay(&rate, 0, START + 86400 * SECOND + SECOND / 2),
               SECOND / 2, "half is paid");
}

int main(void)
{
    test_times();
    test_turns();
    test_clock();
    return tap_done();
}
