/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/percent.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int upool_percent_byte(const char *at, const char *end)
{
    int high;
    int low;

    if (end - at < 3 || *at != '%') {
        return -1;
    }
    high = hex_value(at[1]);
    low = hex_value(at[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}
