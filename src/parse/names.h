/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_NAMES_H
#define UPOOL_PARSE_NAMES_H

/* Names that clients send, made harmless.  All functions are pure, linear in
 * the length and independent of the locale; any thread. */

#include <stddef.h>

/* Copies len bytes with every byte that is not part of valid UTF-8 (shortest
 * form, no surrogates, up to U+10FFFF) replaced by U+FFFD, one for each
 * maximal invalid subpart (Unicode 3.9); NUL becomes U+FFFD too.  out needs
 * 3 * len + 1, and in may be its bytes from 2 * len on.  Returns the length
 * written, NUL excluded. */
size_t upool_names_repair(char *out, const char *in, size_t len);

/* 1 where the bytes are valid UTF-8 (NUL allowed). */
int upool_names_is_utf8(const char *in, size_t len);

#define UPOOL_SAFE_NAME_MAX 255

/* Werkzeug's secure_filename rules over valid UTF-8: compatibility letters
 * decomposed (NFKD) where that has ASCII, the rest dropped; runs of separators
 * (/ and \) and white space to one _; only [A-Za-z0-9_.-] kept; leading and
 * trailing . and _ stripped; Windows device names get a leading _; "file" when
 * nothing is left; at most 255 bytes, the last suffix kept where it has up to
 * 64.  out needs UPOOL_SAFE_NAME_MAX + 1.  Returns the length, NUL excluded,
 * which is never 0. */
size_t upool_names_safe(char *out, const char *name);

/* The same rules, except that letters, marks and digits of every script
 * (parse/names_letters.h) are kept: nothing is decomposed or composed, and a
 * cut falls between two characters. */
size_t upool_names_safe_utf8(char *out, const char *name);

/* JSONP callback: [A-Za-z_$][A-Za-z0-9_$.]{0,63}.  1 where it matches. */
int upool_names_is_callback(const char *name);

#endif
