/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_EXTVALUE_H
#define UPOOL_PARSE_EXTVALUE_H

/* The value of filename* and its like (RFC 8187 3.2.1):
 *
 *   ext-value = charset "'" [ language ] "'" value-chars
 *
 * in UTF-8 or ISO-8859-1.  Pure; any thread. */

#include <stddef.h>

/* Room for a value of len bytes: three bytes of UTF-8 for each, and the NUL. */
#define UPOOL_EXTVALUE_ROOM(len) (3 * (len) + 1)

/* Decodes the len bytes at value into out, which has UPOOL_EXTVALUE_ROOM(len)
 * bytes, as valid UTF-8 without NUL; *out_len gets its length, the NUL behind
 * it excluded.  Returns 1; or 0 where the value cannot be read: not of this
 * form, a broken %, a %00 or an unknown charset. */
int upool_extvalue_decode(char *out, size_t *out_len, const char *value,
                          size_t len);

#endif
