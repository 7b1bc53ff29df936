/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_BASE64_H
#define UPOOL_PARSE_BASE64_H

/* Base64 as clients write it in headers (RFC 4648 4).  Only that alphabet is
 * accepted, and nothing may stand between its letters.  Padding may be left
 * out, but padding that is present must be right; leftover bits that do not
 * fill a byte are ignored.  Pure, linear; any thread. */

#include <stddef.h>

/* upool_base64_decode() returns this for text that is not base64. */
#define UPOOL_BASE64_BAD ((size_t)-1)

/* Decodes len letters into out, which holds room bytes and may be the text
 * itself.  Returns the decoded length, even where the bytes beyond room were
 * not written, or UPOOL_BASE64_BAD. */
size_t upool_base64_decode(unsigned char *out, size_t room, const char *text,
                           size_t len);

#endif
