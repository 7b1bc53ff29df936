/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_PERCENT_H
#define UPOOL_PARSE_PERCENT_H

/* Percent-encoding (RFC 3986 2.1), as queries and RFC 8187 names have it.
 * Pure; any thread. */

/* The byte, 0 to 255, that the "%XX" at at stands for; -1 where there is no %
 * or it is not followed by two hex digits (of any case) before end. */
int upool_percent_byte(const char *at, const char *end);

#endif
