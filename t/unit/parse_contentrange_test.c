/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Content-Range: the one form that is taken, and its neighbours. */
#include "parse/contentrange.h"
#include "tap.h"

#define MAX "9223372036854775807"
#define BELOW "9223372036854775806"
#define BEYOND "9223372036854775808"

static const struct {
    const char *text;
    long long first, last, total;
} good[] = {
    { "bytes 0-9/10", 0, 9, 10 },
    { "bytes 0-0/1", 0, 0, 1 },
    { "bytes 5-9/10", 5, 9, 10 },
    { "bytes 5-9/*", 5, 9, -1 },
    { "bytes */10", -1, -1, 10 },
    { "bytes */0", -1, -1, 0 },
    { "Bytes 0-9/10", 0, 9, 10 },
    { "BYTES 00-09/010", 0, 9, 10 },
    { "bytes 0-" BELOW "/" MAX, 0, 9223372036854775806LL,
      9223372036854775807LL },
    { "bytes " BELOW "-" BELOW "/" MAX, 9223372036854775806LL,
      9223372036854775806LL, 9223372036854775807LL },
    { "bytes */" MAX, -1, -1, 9223372036854775807LL },
    { "bytes 0--1/0", 0, -1, 0 },
};

static const char *const bad[] = {
    "",
    "bytes",
    "bytes ",
    "bytes  0-9/10",
    " bytes 0-9/10",
    "bytes 0-9/10 ",
    "bytes\t0-9/10",
    "bytes=0-9/10",
    "bytes: 0-9/10",
    "byte 0-9/10",
    "items 0-9/10",
    "0-9/10",
    "bytes 0-9",
    "bytes 0-9/",
    "bytes 0/10",
    "bytes -9/10",
    "bytes 0-/10",
    "bytes -1-9/10",
    "bytes +0-9/10",
    "bytes 0-+9/10",
    "bytes 0-9/-10",
    "bytes 0-9/+10",
    "bytes 0 -9/10",
    "bytes 0-9 /10",
    "bytes 0-9/ 10",
    "bytes 0x0-9/10",
    "bytes 0-9/1e1",
    "bytes 0-9/10.0",
    "bytes 0-9/10, bytes 0-9/10",
    "bytes 0-9/10,10-19/20",
    "bytes 0-4,5-9/10",
    "bytes 9-0/10",
    "bytes 0-10/10",
    "bytes 0-9/9",
    "bytes 0-9/0",
    "bytes 10-10/10",
    "bytes */*",
    "bytes 0--1/1",
    "bytes 0--1/*",
    "bytes 1--1/0",
    "bytes 0--2/0",
    "bytes 0--1/00",
    "bytes */",
    "bytes *",
    "bytes *-9/10",
    "bytes 0-*/10",
    "bytes 0-*/*",
    "bytes 0-" MAX "/*",
    "bytes 0-" MAX "/" MAX,
    "bytes 0-9/" BEYOND,
    "bytes 0-" BEYOND "/*",
    "bytes " BEYOND "-" BEYOND "/*",
    "bytes */" BEYOND,
    "bytes 0-9/18446744073709551626",
    "bytes 18446744073709551616-18446744073709551625/*",
    "bytes 0-9/99999999999999999999999999999999999999999",
    "bytes \xd9\xa0-9/10",
    "none",
};

int main(void)
{
    upool_contentrange range;
    size_t i, cut;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *text = good[i].text;

        tap_is_int(upool_contentrange_parse(text, strlen(text), &range), 0,
                   "%s", text);
        tap_ok(range.first == good[i].first && range.last == good[i].last
                   && range.total == good[i].total,
               "its numbers");
        tap_ok(
            upool_contentrange_length(&range)
                == (good[i].first < 0 ? 0 : good[i].last - good[i].first + 1),
            "its length");
        /* A cut in the last number leaves another range; any other, none. */
        cut = strcspn(text, "/") + 1;
        while (cut > 0 && upool_contentrange_parse(text, cut, &range) == -1) {
            cut--;
        }
        tap_is_int((int)cut, 0, "nothing of it without a total");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_is_int(upool_contentrange_parse(bad[i], strlen(bad[i]), &range), -1,
                   "refused: '%s'", bad[i]);
    }
    tap_is_int(upool_contentrange_parse("bytes 0-9/10\0", 13, &range), -1,
               "refused: a NUL behind it");
    return tap_done();
}
