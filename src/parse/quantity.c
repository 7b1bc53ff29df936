/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/quantity.h"

#include <limits.h>
#include <string.h>

/* Reads the digits at *text, which moves behind them. */
static upool_quantity_error read_digits(const char **text, long long *value)
{
    const char *at = *text;
    long long sum = 0;
    int overflow = 0;

    if (*at < '0' || *at > '9') {
        return UPOOL_QUANTITY_BAD;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        int digit = *at - '0';

        if (sum > (LLONG_MAX - digit) / 10) {
            overflow = 1; /* go on: what follows may not even be a number */
        }
        else {
            sum = sum * 10 + digit;
        }
    }
    *text = at;
    *value = sum;
    return overflow ? UPOOL_QUANTITY_OVERFLOW : UPOOL_QUANTITY_OK;
}

/* How many bits a unit shifts, or -1. */
static int unit_shift(const char *unit)
{
    static const char units[] = "BKMGTbkmgt";
    const char *found;

    if (*unit == '\0') {
        return 20;
    }
    found = strchr(units, *unit);
    if (found == NULL || unit[1] != '\0') {
        return -1;
    }
    return (int)((found - units) % 5) * 10;
}

upool_quantity_error upool_quantity_size(const char *text, long long *bytes)
{
    long long number = 0;
    upool_quantity_error error = read_digits(&text, &number);
    int shift = unit_shift(text);

    if (error == UPOOL_QUANTITY_BAD || shift < 0) {
        return UPOOL_QUANTITY_BAD;
    }
    if (error != UPOOL_QUANTITY_OK) {
        return error;
    }
    if (*text == '\0' && number > 1048576) {
        return UPOOL_QUANTITY_BARE_BYTES;
    }
    if (number > LLONG_MAX >> shift) {
        return UPOOL_QUANTITY_OVERFLOW;
    }
    *bytes = number << shift;
    return UPOOL_QUANTITY_OK;
}

upool_quantity_error upool_quantity_decimal(const char *text, long long *value)
{
    long long number = 0;
    upool_quantity_error error = read_digits(&text, &number);

    if (error == UPOOL_QUANTITY_BAD || *text != '\0') {
        return UPOOL_QUANTITY_BAD;
    }
    if (error == UPOOL_QUANTITY_OK) {
        *value = number;
    }
    return error;
}
