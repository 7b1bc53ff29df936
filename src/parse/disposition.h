/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_DISPOSITION_H
#define UPOOL_PARSE_DISPOSITION_H

/* Content-Disposition as the header of a request: the name of the file whose
 * bytes, all or some, are the content (RFC 6266 4).  The type, usually
 * "attachment", is ignored.
 *
 *   - Parameters as in parse/params.h; at most one filename and one filename*,
 *     and no filename*0; filename* wins, unless it is empty or cannot be read.
 *   - In quotes \" and \\ are unescaped.  A percent-encoded filename (as jQuery
 *     File Upload sends it) is decoded if every % in it has two hex digits
 *     behind it and none is a NUL; otherwise it stays as written, since curl
 *     and others do not encode names.
 *   - Bytes that are not UTF-8 become U+FFFD.
 *
 * Pure, linear; any thread. */

#include <stddef.h>

/* Room for the name in a header of len bytes. */
#define UPOOL_DISPOSITION_ROOM(len) (3 * (len) + 1)

/* Reads the len bytes at text.  Returns 1 with the name, valid UTF-8 without
 * NUL, in out, which has UPOOL_DISPOSITION_ROOM(len) bytes; 0 where there is no
 * name; -1 where the header is malformed. */
int upool_disposition_filename(const char *text, size_t len, char *out);

#endif
