/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Sizes of directives and decimals of headers. */
#include "parse/quantity.h"
#include "tap.h"

#include <limits.h>

#define GOOD UPOOL_QUANTITY_OK
#define BAD UPOOL_QUANTITY_BAD
#define OVER UPOOL_QUANTITY_OVERFLOW
#define BARE UPOOL_QUANTITY_BARE_BYTES

typedef struct quantity_case {
    const char *text;
    upool_quantity_error error;
    long long value;
} quantity_case;

static const quantity_case sizes[] = {
    { "0", GOOD, 0 },
    { "1", GOOD, 1048576 },
    { "10", GOOD, 10485760 },
    { "007", GOOD, 7340032 },
    { "0B", GOOD, 0 },
    { "1b", GOOD, 1 },
    { "5B", GOOD, 5 },
    { "5k", GOOD, 5120 },
    { "5K", GOOD, 5120 },
    { "5m", GOOD, 5242880 },
    { "5M", GOOD, 5242880 },
    { "5g", GOOD, 5368709120LL },
    { "5G", GOOD, 5368709120LL },
    { "5t", GOOD, 5497558138880LL },
    { "5T", GOOD, 5497558138880LL },
    { "1048576", GOOD, 1099511627776LL },
    { "1048577", BARE, 0 },
    { "10485760", BARE, 0 },
    { "9223372036854775807", BARE, 0 },
    { "9223372036854775807B", GOOD, LLONG_MAX },
    { "9223372036854775808B", OVER, 0 },
    { "9223372036854775808", OVER, 0 },
    { "99999999999999999999999999999", OVER, 0 },
    { "9007199254740991K", GOOD, 9223372036854774784LL },
    { "9007199254740992K", OVER, 0 },
    { "8388607T", GOOD, 9223370937343148032LL },
    { "8388608T", OVER, 0 },
    { "", BAD, 0 },
    { "M", BAD, 0 },
    { "-1", BAD, 0 },
    { "+1", BAD, 0 },
    { " 1", BAD, 0 },
    { "1 ", BAD, 0 },
    { "1 M", BAD, 0 },
    { "1MB", BAD, 0 },
    { "1KiB", BAD, 0 },
    { "1P", BAD, 0 },
    { "1.5M", BAD, 0 },
    { "0x10", BAD, 0 },
    { "1e3", BAD, 0 },
    { "unlimited", BAD, 0 },
    { "99999999999999999999999999999x", BAD, 0 },
};

static const quantity_case decimals[] = {
    { "0", GOOD, 0 },
    { "00", GOOD, 0 },
    { "1", GOOD, 1 },
    { "4294967296", GOOD, 4294967296LL },
    { "9223372036854775807", GOOD, LLONG_MAX },
    { "09223372036854775807", GOOD, LLONG_MAX },
    { "9223372036854775808", OVER, 0 },
    { "18446744073709551616", OVER, 0 },
    { "92233720368547758070", OVER, 0 },
    { "", BAD, 0 },
    { "-1", BAD, 0 },
    { "+1", BAD, 0 },
    { " 1", BAD, 0 },
    { "1 ", BAD, 0 },
    { "1,1", BAD, 0 },
    { "1K", BAD, 0 },
    { "0x1", BAD, 0 },
    { "1.0", BAD, 0 },
    { "99999999999999999999999x", BAD, 0 },
};

static void check(const quantity_case *c,
                  upool_quantity_error (*read)(const char *, long long *))
{
    long long value = -77;

    tap_is_int(read(c->text, &value), c->error, "'%s'", c->text);
    tap_is_int(value, c->error == GOOD ? c->value : -77, "its value");
}

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check(&sizes[i], upool_quantity_size);
    }
    for (i = 0; i < sizeof(decimals) / sizeof(decimals[0]); i++) {
        check(&decimals[i], upool_quantity_decimal);
    }
    return tap_done();
}
