/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_FORMNAME_H
#define UPOOL_PARSE_FORMNAME_H

/* A name or a file's name between the quotes of a form's Content-Disposition,
 * both ways (RFC 7578 4.2; WHATWG HTML 4.10.21.8).  Browsers write a quote, CR
 * and LF as %22, %0D and %0A and everything else unchanged; other clients put a
 * backslash before a quote and a backslash.  Pure; any thread. */

#include <stddef.h>

/* 1 where the backslashes of a name separate directories instead of
 * escaping. */
int upool_formname_is_windows_path(const char *name, size_t len);

/* Undoes the escapes in the text between the quotes, from at to end; out has
 * room for as many bytes.  Returns the length. */
size_t upool_formname_read(char *out, const char *at, const char *end);

#define UPOOL_FORMNAME_ROOM(len) (3 * (len) + 2)

/* Writes a name as browsers do, so that upool_formname_read() and every parser
 * that honours backslashes find its end and read the same name.  The exceptions
 * are what browsers themselves leave open: a name with %22 in it; and a name
 * that is a single backslash or a Windows path that ends in one, which are read
 * with two backslashes.  out: UPOOL_FORMNAME_ROOM of its length.  Returns the
 * length written, NUL excluded. */
size_t upool_formname_write(char *out, const char *name);

#endif
