/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_PART_H
#define UPOOL_PARSE_PART_H

/* The inner layer: one part's header block (RFC 7578 4) to names, type and
 * parameters.  Valid UTF-8 without NUL comes out, whatever came in.
 *
 * One reading or refusal (the announced rules):
 *   - Exactly one Content-Disposition, of type form-data, with exactly one
 *     name; at most one filename and one filename*, Content-Type, and
 *     Content-Transfer-Encoding.  No name*, no filename*0 (RFC 2231).
 *   - Parameters as in parse/params.h; unknown ones of Content-Disposition are
 *     ignored but must parse.  No blank before the ":" of a header, no
 *     continuation lines.
 *   - filename* (RFC 8187; UTF-8 or ISO-8859-1, never in quotes) wins over
 *     filename, unless it is empty; where it cannot be read (an unknown
 *     charset, a broken % or a %00) it counts as absent (RFC 6266 4.3).
 *   - A Content-Type that cannot be read (RFC 2045 5.2) counts as absent too:
 *     no type/subtype, parameters that do not parse, one given twice, or more
 *     than 16.
 *   - In quoted names %22, %0D and %0A are decoded (WHATWG), and other percent
 *     sequences are kept; \" and \\ are unescaped, and other backslashes are
 *     kept.  A quoted name that begins like X:\ or \\ is a Windows path: all
 *     its backslashes are kept, and \" refuses it, since its end is in doubt.
 *   - Bytes that are not UTF-8 become U+FFFD.  Single quotes are letters.
 *   - A file's Content-Type and Content-Length are handed on without being
 *     believed.  Two Content-Lengths, or one that is not a number, count as
 *     none. */

#include <stddef.h>

typedef enum upool_part_error {
    UPOOL_PART_OK = 0,
    UPOOL_PART_BAD,     /* malformed or ambiguous: 400 */
    UPOOL_PART_ENCODED, /* Content-Transfer-Encoding refused: 415 */
    UPOOL_PART_NO_ROOM  /* scratch too small */
} upool_part_error;

#define UPOOL_PART_PARAMS_MAX 16

/* Bytes of the block, which are not NUL-terminated; text NULL: there are none.
 * They contain no CR, LF or NUL. */
typedef struct upool_part_bytes {
    const char *text;
    size_t len;
} upool_part_bytes;

typedef struct upool_part_param {
    const char *name; /* lower case */
    const char *value;
} upool_part_param;

/* All strings are NUL-terminated valid UTF-8 without NUL, in the scratch. */
typedef struct upool_part {
    const char *name;         /* may be ""; NULL only with an error */
    const char *filename;     /* NULL: the part is a field */
    const char *content_type; /* type/subtype in lower case, or NULL */
    const char *charset;      /* its charset parameter, or NULL */
    /* All parameters of Content-Type, charset too, in order, none twice. */
    upool_part_param params[UPOOL_PART_PARAMS_MAX];
    size_t nparams;
    long long content_length; /* of its header; -1: none that can be read */
    /* The client's own spelling, for a caller that writes it again: the text
     * between the quotes of name and of filename (none where they had no
     * quotes, or where filename* was used), and the value of Content-Type. */
    upool_part_bytes name_written;
    upool_part_bytes filename_written;
    upool_part_bytes type_written;
    const char *why; /* with an error: static text, what is wrong */
} upool_part;

/* Room that scratch needs for a block of len bytes (a bad byte becomes the
 * three of U+FFFD). */
#define UPOOL_PART_SCRATCH(len) (3 * (len) + 64)

/* Parses the block of len bytes that part_begin() of parse/multipart.h reports:
 * whole lines, each with its CRLF.  scratch has room bytes and holds every
 * string of *part, so it must live as long.  Returns 0, or the first error in
 * the order of the block; then only why is of use in *part.  Pure; any
 * thread. */
upool_part_error upool_part_parse(upool_part *part, const char *block,
                                  size_t len, char *scratch, size_t room);

#endif
