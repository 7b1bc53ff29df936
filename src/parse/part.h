/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_PART_H
#define UPOOL_PARSE_PART_H

/* The inner layer: one part's header block (RFC 7578 4) → names, type,
 * parameters, by the announced rules: valid UTF-8 out whatever came in,
 * doubled name/filename/Content-Disposition refused, filename* (RFC 8187)
 * wins over filename, %22 %0D %0A decoded, backslash only before " and \ and
 * only where it cannot be a Windows path. */

#include <stddef.h>

typedef enum upool_part_error {
    UPOOL_PART_OK = 0,
    UPOOL_PART_BAD,           /* malformed or ambiguous: 400 */
    UPOOL_PART_ENCODED,       /* Content-Transfer-Encoding that we refuse: 415 */
    UPOOL_PART_NO_ROOM        /* scratch too small */
} upool_part_error;

#define UPOOL_PART_PARAMS_MAX 16

typedef struct upool_part_param {
    const char *name;    /* lower case */
    const char *value;
} upool_part_param;

/* All strings are NUL-terminated valid UTF-8 without NUL, in the scratch. */
typedef struct upool_part {
    const char *name;          /* "" where absent */
    const char *filename;      /* NULL: the part is a field */
    const char *content_type;  /* type/subtype in lower case, NULL where absent */
    const char *charset;       /* its charset parameter, NULL where absent */
    upool_part_param params[UPOOL_PART_PARAMS_MAX]; /* all parameters of
                                  Content-Type, charset too, in order */
    size_t nparams;
    const char *why;           /* with an error: static text, what is wrong */
} upool_part;

/* Room that scratch needs for a block of len bytes (a bad byte becomes the
 * three of U+FFFD). */
#define UPOOL_PART_SCRATCH(len) (3 * (len) + 64)

upool_part_error upool_part_parse(upool_part *part, const char *block,
                                  size_t len, char *scratch, size_t room);

#endif
