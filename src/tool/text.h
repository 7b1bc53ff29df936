/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_TOOL_TEXT_H
#define UPOOL_TOOL_TEXT_H

/* Text for a terminal.  A client chooses names, and would like to choose what
 * an administrator's terminal does: with escape sequences, even those of one
 * byte (C1), a new line that looks like another entry, letters that run from
 * right to left over their neighbours, or letters of no width.  All of these
 * are shown as \xNN or \u{NNNN} instead, and a backslash as two, so that no one
 * can imitate the escapes.  If the locale is not UTF-8 every byte beyond ASCII
 * is shown in this way too.
 *
 * The locale is that of setlocale(); otherwise no state. */

#include <apr_pools.h>
#include <apr_time.h>

/* bytes (without a NUL; NULL: "-") as they may be shown, in p. */
const char *upool_text_shown(const char *bytes, apr_pool_t *p);

/* The first columns of a shown text, with "…" (or "~") for the rest, and padded
 * with blanks to exactly that width; in p. */
const char *upool_text_fitted(const char *shown, int columns, apr_pool_t *p);

/* 1 where the locale's letters are UTF-8. */
int upool_text_is_utf8(void);

/* RFC 3339 in UTC, whole seconds, in p; "-" for 0. */
const char *upool_text_time(apr_time_t when, apr_pool_t *p);

/* "999", "1.5K", "2.0G": bytes for people, in p; "-" if less than 0. */
const char *upool_text_size(apr_off_t bytes, apr_pool_t *p);

/* Reads a time above 0 with s, min, h or d (a bare number is seconds) into *t.
 * 1, or 0 if text is none. */
int upool_text_read_time(const char *text, apr_interval_time_t *t);

#endif
