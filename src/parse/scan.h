/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_SCAN_H
#define UPOOL_PARSE_SCAN_H

/* The search for a delimiter in a window of bytes: the one place of the
 * module that looks at every byte of every upload.
 *
 * The needle begins with LF and has two or more further bytes without LF
 * ("\n--boundary").  That makes every algorithm here linear whatever the
 * content: two places where the comparison gets past the first byte cannot
 * overlap.  Several bytes of the needle are probed at once, so that runs of CR,
 * of LF, of "\r\n--" or of a letter of the boundary cost what random bytes
 * cost.
 *
 * Pure functions; any thread. */

#include <stddef.h>

/* Offset of the first whole occurrence of needle in data, or len where there
 * is none.  nlen is at least 3. */
size_t upool_scan_find(const char *data, size_t len, const char *needle,
                       size_t nlen);

/* The same without vector instructions; upool_scan_find() uses it where the
 * compiler has no SSE2. */
size_t upool_scan_find_portable(const char *data, size_t len,
                                const char *needle, size_t nlen);

/* How many bytes at the end of data could be the start of a delimiter whose
 * rest is yet to come.  delimiter is CR, LF and further bytes without either;
 * data must hold no whole occurrence of it from its LF on.  *from tells where
 * in the delimiter these bytes begin: 0, or 1 where the LF has no CR before it
 * (an LF that opens data counts as such).  The result is less than dlen. */
size_t upool_scan_tail(const char *data, size_t len, const char *delimiter,
                       size_t dlen, size_t *from);

#endif
