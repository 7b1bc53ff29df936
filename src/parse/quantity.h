/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_QUANTITY_H
#define UPOOL_PARSE_QUANTITY_H

/* Numbers as directives and headers write them.  The result is written only
 * with OK.  Pure, whatever the locale; any thread. */

#include <stddef.h>

typedef enum upool_quantity_error {
    UPOOL_QUANTITY_OK = 0,
    UPOOL_QUANTITY_BAD,       /* not a number with a known unit */
    UPOOL_QUANTITY_OVERFLOW,  /* does not fit 63 bits */
    UPOOL_QUANTITY_BARE_BYTES /* bare number over 1048576: bytes meant? */
} upool_quantity_error;

/* A size with unit B K M G T (any case, no blank); a bare number is
 * megabytes (1048576 bytes), since infrae.fileupload's max_size was. */
upool_quantity_error upool_quantity_size(const char *text, long long *bytes);

/* Digits only (Content-Length, RFC 9110 8.6), no sign, no blanks. */
upool_quantity_error upool_quantity_decimal(const char *text, long long *value);

#endif
