/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_TOOL_TEXT_H
#define UPOOL_TOOL_TEXT_H

/* Text for a terminal.  A client chooses names, and would like to choose what
 * an administrator's terminal does: escape sequences, also those of one byte
 * (C1), a new line that looks like another entry, letters that run from right
 * to left over their neighbours, letters of no width.  All of that is shown as
 * \xNN or \u{NNNN} instead, and a backslash as two, so that nobody can imitate
 * it.  Where the locale is not UTF-8 so is every byte beyond ASCII.
 *
 * The locale is that of setlocale(); otherwise no state. */

#include <apr_pools.h>
#include <apr_time.h>

/* bytes (no NUL in it; NULL: "-") as they may be shown, in p. */
const char *upool_text_shown(const char *bytes, apr_pool_t *p);

/* The first columns of a shown text, with "…" (or "~") for the rest, and padded
 * with blanks to exactly so many; in p. */
const char *upool_text_fitted(const char *shown, int columns, apr_pool_t *p);

/* 1 where the locale's letters are UTF-8. */
int upool_text_is_utf8(void);

/* RFC 3339 in UTC, whole seconds, in p; "-" for 0. */
const char *upool_text_time(apr_time_t when, apr_pool_t *p);

/* "999", "1.5K", "2.0G": bytes for people, in p; "-" where less than 0. */
const char *upool_text_size(apr_off_t bytes, apr_pool_t *p);

/* A time with s, min, h or d (a bare number is seconds), above 0, into *t.
 * 1, or 0 where it is none. */
int upool_text_read_time(const char *text, apr_interval_time_t *t);

#endif
