/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_MULTIPART_H
#define UPOOL_PARSE_MULTIPART_H

/* The outer layer of multipart/form-data (RFC 7578, RFC 2046 5.1): finds the
 * delimiters in a stream of bytes and says where each part's header block and
 * data lie.  It is a push parser: it is fed what has arrived, never asks for
 * more, never blocks, does no I/O and allocates nothing itself.  The same bytes
 * give the same events wherever the feeds are cut (data events may be cut
 * differently, their concatenation is the same).
 *
 * One reading or refusal (the announced rules):
 *   - A delimiter line is CRLF (none at the very start of the body), "--",
 *     boundary, optional blanks, CRLF; the closing one has "--" right behind
 *     the boundary, then optional blanks, then CRLF, LF or the end of the body.
 *     Anything else behind the boundary text refuses the body.
 *   - LF, "--", boundary without a CR before the LF refuses it too, wherever
 *     parts or the preamble may be, whatever follows.
 *   - A header line or data that begin with "--" boundary refuse the body: such
 *     a part has no body, and parsers differ on what it is.
 *   - Header lines are never continued and hold no NUL, bare CR or bare LF.
 *   - A body without parts ("--boundary--" alone) is a form without fields.
 *   - What follows the closing delimiter line is skipped, delimiters and all.
 *   - A truncation anywhere refuses the body.
 *
 * Any thread may use a parser, one at a time. */

#include <stddef.h>

/* RFC 2046 5.1.1: a boundary has 1 to 70 characters. */
#define UPOOL_BOUNDARY_MAX 70

/* Why a body was refused.  upload/ maps each to one HTTP status. */
typedef enum upool_multipart_error {
    UPOOL_MULTIPART_OK = 0,
    UPOOL_MULTIPART_DELIMITER,    /* text behind a boundary, bare LF */
    UPOOL_MULTIPART_NO_DELIMITER, /* ended before the first */
    UPOOL_MULTIPART_TRUNCATED,    /* ended in a part or a delimiter */
    UPOOL_MULTIPART_HEADER,       /* NUL, bare CR or LF, continuation, … */
    UPOOL_MULTIPART_HEADER_TOO_LARGE, /* or too many lines */
    UPOOL_MULTIPART_TOO_MANY_PARTS,
    UPOOL_MULTIPART_PADDING, /* preamble, epilogue, blanks over the limit */
    UPOOL_MULTIPART_NO_MEMORY,
    UPOOL_MULTIPART_STOPPED /* a callback asked to stop */
} upool_multipart_error;

typedef struct upool_multipart_limits {
    size_t parts;   /* parts in one body */
    size_t header;  /* bytes of one part's header block, blank line excluded */
    size_t headers; /* sum of all header blocks of the body */
    size_t padding; /* bytes of the preamble; also of the epilogue, and of each
                       run of blanks behind a boundary */
} upool_multipart_limits;

/* Lines in one header block. */
#define UPOOL_MULTIPART_LINES_MAX 32

/* What the parser reports.  Every callback but hold() returns 0 to go on and
 * anything else to stop (the parser is then STOPPED for good).  No callback may
 * feed the parser. */
typedef struct upool_multipart_events {
    /* A part begins.  block holds its header lines, each with its CRLF,
     * without the blank line; len may be 0.  Valid during the call only. */
    int (*part_begin)(void *user, const char *block, size_t len);
    /* Bytes of the part, len > 0.  They lie in the memory that was fed, or in
     * the parser itself, and are valid until the fed memory goes, not only
     * during the call. */
    int (*part_data)(void *user, const char *data, size_t len);
    /* The delimiter line behind the part is complete. */
    int (*part_end)(void *user);
    /* Memory of at least want bytes to hold a header block that arrives in
     * pieces.  old is NULL or what hold() gave before; its first have bytes
     * must be kept.  Called with doubling sizes, never over limits.header.
     * NULL: out of memory.  want 0: old is no longer needed (the return is
     * ignored); this call comes as soon as that is so, after errors too, but
     * not for a parser that is dropped in the middle. */
    char *(*hold)(void *user, char *old, size_t have, size_t want);
} upool_multipart_events;

/* A block that arrives in pieces is held in the parser up to this size. */
#define UPOOL_MULTIPART_SMALL 256

/* Embedded by its owner; the members are the parser's own. */
typedef struct upool_multipart {
    const upool_multipart_events *events;
    void *user;
    upool_multipart_limits limits;
    unsigned long long offset; /* of the feed's begin, of an event or error */
    char *held;                /* from hold(), NULL while small[] suffices */
    size_t held_size;
    size_t held_len; /* bytes of the block in held or small */
    size_t block;    /* bytes of the block that were seen */
    size_t line;     /* bytes of its current line that were seen */
    size_t headers;  /* bytes of all blocks before it */
    size_t parts;    /* parts that have begun */
    size_t padded;   /* bytes of the preamble, epilogue or run of blanks */
    unsigned state;
    unsigned lines;  /* whole lines of the block */
    unsigned dashed; /* bytes of the line that agree with "--" boundary */
    unsigned cr;     /* the line's last byte was CR */
    size_t from;     /* delimiter[from .. match) was seen last, and is */
    size_t match;    /* data unless the rest follows; match 0: nothing */
    size_t delimiter_len;
    upool_multipart_error error;
    char delimiter[UPOOL_BOUNDARY_MAX + 4]; /* CR LF "--" boundary */
    char small[UPOOL_MULTIPART_SMALL];
} upool_multipart;

/* boundary: 1 to UPOOL_BOUNDARY_MAX bytes without CR or LF, copied.  events
 * must outlive the parser; limits are copied. */
void upool_multipart_init(upool_multipart *mp, const char *boundary,
                          size_t boundary_len,
                          const upool_multipart_limits *limits,
                          const upool_multipart_events *events, void *user);

/* Feeds len bytes (0 is allowed).  Returns 0, or the error (also on every later
 * call). */
upool_multipart_error upool_multipart_feed(upool_multipart *mp,
                                           const char *data, size_t len);

/* The body has ended.  Returns 0 when the closing delimiter was seen, else the
 * error.  Nothing may be fed after it. */
upool_multipart_error upool_multipart_end(upool_multipart *mp);

/* How many bytes of the body lie before the place where the parser stands or
 * stopped.  After an error that place is the first byte that it does not
 * accept; inside part_begin() and part_end(), the byte behind the blank line or
 * delimiter line. */
unsigned long long upool_multipart_offset(const upool_multipart *mp);

#endif
