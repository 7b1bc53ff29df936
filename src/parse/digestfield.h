/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_DIGESTFIELD_H
#define UPOOL_PARSE_DIGESTFIELD_H

/* Digests that a client announces: in the header fields Content-Digest and
 * Repr-Digest (RFC 9530), which are dictionaries of structured fields (RFC
 * 9651), and as the value of a form field.
 *
 * A header field is read to its end by the whole grammar, because a field that
 * does not parse means nothing: what looks like a digest in it may be part of a
 * string.  RFC 9530 lets a server ignore algorithms that it does not know;
 * the ones it registers as active are sha-256 and sha-512.  A known algorithm
 * whose value is not a byte sequence of the right length makes the field
 * malformed, because the sender wanted a check.  Pure, linear, without
 * recursion; any thread. */

#include <stddef.h>

/* Bytes of the longest digest, sha-512. */
#define UPOOL_DIGESTFIELD_MAX 64
/* Bytes of the longest name of an algorithm. */
#define UPOOL_DIGESTFIELD_NAME_MAX 15

typedef struct upool_digestfield_value {
    size_t len; /* 0: there is none */
    unsigned char bytes[UPOOL_DIGESTFIELD_MAX];
} upool_digestfield_value;

typedef struct upool_digestfield {
    upool_digestfield_value sha256;
    upool_digestfield_value sha512;
} upool_digestfield;

/* Reads a Content-Digest or Repr-Digest.  If a key is given twice, the last one
 * counts (RFC 9651 4.2.2).  0, or -1 where the field is malformed (then *field
 * is undefined). */
int upool_digestfield_parse(const char *text, size_t len,
                            upool_digestfield *field);

typedef struct upool_digestfield_named {
    char name[UPOOL_DIGESTFIELD_NAME_MAX + 1]; /* in lower case */
    upool_digestfield_value value;
} upool_digestfield_named;

/* Reads "NAME=HEX" or "NAME=:BASE64:" and ignores blanks and line ends around
 * it.  The name is any of [A-Za-z0-9-], whether or not such an algorithm
 * exists, and the value has at least one byte.  0, or -1 where it is neither
 * (then *named is undefined). */
int upool_digestfield_named_parse(const char *text, size_t len,
                                  upool_digestfield_named *named);

#endif
