/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_NAMES_ASCII_H
#define UPOOL_PARSE_NAMES_ASCII_H

/* The ASCII part of a character's compatibility decomposition (NFKD, Unicode
 * 14.0): u for U+00FC, fi for U+FB01.  A static table. */

#include <stddef.h>

/* The text for code point cp, which is above 0x7F, and its length; length 0
 * where nothing is left.  Not NUL-terminated.  In it, any white space, / or \
 * is " "; other characters that safe names do not have are "#". */
const char *upool_names_ascii(unsigned long cp, size_t *len);

#endif
