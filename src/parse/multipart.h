/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_MULTIPART_H
#define UPOOL_PARSE_MULTIPART_H

/* The outer layer of multipart/form-data (RFC 7578, RFC 2046 5.1): finds the
 * delimiters in a stream of bytes and says where each part's header block and
 * data lie.  A push parser: it is fed whatever arrived, never asks for more,
 * never blocks, does no I/O and allocates nothing itself.  The same bytes give
 * the same events wherever the feeds are cut (data events may be cut
 * differently, their concatenation is the same).
 *
 * One reading or refusal (the announced rules): a delimiter line is CRLF,
 * "--", boundary, optional blanks, then CRLF or "--".  Anything else behind
 * the boundary text refuses the body, and so does a truncation anywhere.
 *
 * Any thread may use a parser, one at a time. */

#include <stddef.h>

/* RFC 2046 5.1.1: a boundary has 1 to 70 characters. */
#define UPOOL_BOUNDARY_MAX 70

/* Why a body was refused.  Each maps to one HTTP status in upload/. */
typedef enum upool_multipart_error {
    UPOOL_MULTIPART_OK = 0,
    UPOOL_MULTIPART_DELIMITER,      /* text behind a boundary, bare-LF delimiter */
    UPOOL_MULTIPART_NO_DELIMITER,   /* ended, or preamble limit, before the first */
    UPOOL_MULTIPART_TRUNCATED,      /* ended inside a part or a delimiter */
    UPOOL_MULTIPART_HEADER,         /* header block broken: NUL, bare CR or LF, … */
    UPOOL_MULTIPART_HEADER_TOO_LARGE,
    UPOOL_MULTIPART_TOO_MANY_PARTS,
    UPOOL_MULTIPART_PADDING,        /* preamble or epilogue over its limit */
    UPOOL_MULTIPART_NO_MEMORY,      /* hold() gave nothing */
    UPOOL_MULTIPART_STOPPED         /* a callback asked to stop */
} upool_multipart_error;

typedef struct upool_multipart_limits {
    size_t parts;        /* parts in one body */
    size_t header;       /* bytes of one part's header block */
    size_t headers;      /* sum of all header blocks of the body */
    size_t padding;      /* bytes of preamble; and, separately, of epilogue */
} upool_multipart_limits;

/* What the parser tells.  Each returns 0 to go on, anything else to stop
 * (the parser is then in the state UPOOL_MULTIPART_STOPPED for good). */
typedef struct upool_multipart_events {
    /* A part begins.  block holds its header lines, each with its CRLF,
     * without the blank line; len may be 0.  Valid during the call only. */
    int (*part_begin)(void *user, const char *block, size_t len);
    /* Bytes of the part.  They lie in the memory that was fed, or in the
     * parser itself: valid until the fed memory goes, not only in the call. */
    int (*part_data)(void *user, const char *data, size_t len);
    int (*part_end)(void *user);
    /* Memory of at least want bytes to hold a header block that arrives in
     * pieces; the first have bytes of old are to be kept.  Called with
     * doubling sizes, never over limits.header.  NULL: out of memory.  want 0:
     * the memory is no longer needed (return ignored). */
    char *(*hold)(void *user, char *old, size_t have, size_t want);
} upool_multipart_events;

/* Embedded by its owner; the members are the parser's own. */
typedef struct upool_multipart {
    const upool_multipart_events *events;
    void *user;
    upool_multipart_limits limits;
    /* … (state, offset, match position, held header, delimiter text) */
} upool_multipart;

/* boundary: 1 to UPOOL_BOUNDARY_MAX bytes, copied.  events must outlive the
 * parser. */
void upool_multipart_init(upool_multipart *mp, const char *boundary,
                          size_t boundary_len,
                          const upool_multipart_limits *limits,
                          const upool_multipart_events *events, void *user);

/* Feeds len bytes.  Returns 0, or the error (also on every later call). */
upool_multipart_error upool_multipart_feed(upool_multipart *mp,
                                           const char *data, size_t len);

/* The body has ended.  0 when the closing delimiter was seen. */
upool_multipart_error upool_multipart_end(upool_multipart *mp);

/* Bytes of the body before the place where the parser stands or stopped. */
unsigned long long upool_multipart_offset(const upool_multipart *mp);

#endif
