/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_BASE64_H
#define UPOOL_PARSE_BASE64_H

/* Base64 as clients write it in headers (RFC 4648 4).  The alphabet is that
 * one alone and nothing may stand between its letters.  Padding may be left
 * out, but what there is must be right; bits that belong to no byte are not
 * looked at.  Pure, linear; any thread. */

#include <stddef.h>

/* What upool_base64_decode() says of text that is none. */
#define UPOOL_BASE64_BAD ((size_t)-1)

/* Decodes len letters to out, which may be the text itself, and has room for
 * so many bytes.  Returns how many bytes they are, even where those beyond room
 * were not written, or UPOOL_BASE64_BAD. */
size_t upool_base64_decode(unsigned char *out, size_t room, const char *text,
                           size_t len);

#endif
