/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_TUSFIELDS_H
#define UPOOL_PARSE_TUSFIELDS_H

/* The header fields of the tus protocol 1.0.0 that have their own grammar
 * (https://tus.io/protocols/resumable-upload):
 *
 *   Upload-Metadata: key [SP base64] *( OWS "," OWS key [SP base64] )
 *   Upload-Concat:   "partial" | "final;" url *( 1*SP url )
 *   Upload-Checksum: algorithm SP base64
 *
 * Names and words are case-sensitive.  Blanks around a comma are accepted,
 * because two lines of a list are joined into one with ", " between them (RFC
 * 9110 5.3); this is unambiguous, since no key may hold a comma.  Numbers are
 * read by parse/quantity.h, which accepts no list: a length given twice is
 * invalid.
 *
 * Everything returned points into the text given.  Linear, except for the check
 * that keys are unique, which is bounded by their number.  Any thread. */

#include "parse/digestfield.h"

/* Bytes of a metadata or concat field; it is kept with the upload, and sent
 * back with each HEAD. */
#define UPOOL_TUS_FIELD_MAX 16384
/* Pairs in it. */
#define UPOOL_TUS_PAIRS_MAX 256

/* A reader of pairs or URLs: at moves towards end. */
typedef struct upool_tus_reader {
    const char *at;
    const char *end;
} upool_tus_reader;

typedef struct upool_tus_pair {
    const char *key;
    size_t key_len;
    const char *value; /* as written, in base64 */
    size_t value_len;  /* may be 0 */
} upool_tus_pair;

/* The next pair of an Upload-Metadata.  1 when *pair was filled, 0 at the end,
 * -1 where the field is malformed (then the reader cannot be used again). */
int upool_tus_pair_next(upool_tus_reader *reader, upool_tus_pair *pair);

/* 1 where the field is as the protocol demands: at least one pair, every key
 * valid UTF-8 without control characters and given once, every value base64.  A
 * field beyond the bounds above is malformed too. */
int upool_tus_metadata_is_good(const char *text, size_t len);

typedef enum upool_tus_concat {
    UPOOL_TUS_CONCAT_BAD = 0,
    UPOOL_TUS_CONCAT_PARTIAL,
    UPOOL_TUS_CONCAT_FINAL /* reader stands before the first URL */
} upool_tus_concat;

/* What an Upload-Concat says.  A final one has at least one URL, and no URL has
 * a byte that RFC 3986 does not allow. */
upool_tus_concat upool_tus_concat_parse(const char *text, size_t len,
                                        upool_tus_reader *reader);

/* The next URL of a final Upload-Concat.  1 when *url was filled, 0 at the
 * end. */
int upool_tus_url_next(upool_tus_reader *reader, const char **url, size_t *len);

/* The last segment of the URL's path, decoded (RFC 3986 2.1): it names an
 * upload, whatever a proxy made of the rest.  out gets it with a NUL.  Returns
 * 0, or -1 where there is no such segment, or it is malformed, contains a NUL
 * or needs more than room. */
int upool_tus_url_name(const char *url, size_t len, char *out, size_t room);

/* An Upload-Checksum.  The name is as written (in lower case or unknown), the
 * value has at least one byte.  0, or -1 where malformed (then *sum is
 * undefined). */
int upool_tus_checksum_parse(const char *text, size_t len,
                             upool_digestfield_named *sum);

#endif
