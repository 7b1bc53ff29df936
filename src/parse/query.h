/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_QUERY_H
#define UPOOL_PARSE_QUERY_H

/* Query strings and bodies of application/x-www-form-urlencoded, as the WHATWG
 * URL standard reads them: "&" separates, ";" does not.  When one parameter is
 * looked up and occurs twice, that is reported, never resolved: about half of
 * all parsers take the first and half the last.  Pure; any thread. */

#include <stddef.h>

typedef enum upool_query_found {
    UPOOL_QUERY_ABSENT = 0,
    UPOOL_QUERY_ONCE,
    UPOOL_QUERY_DOUBLED, /* more than once, names compared after decoding */
    UPOOL_QUERY_BAD      /* a NUL, a broken % in the value, longer than
                               room, or a name with a NUL behind it */
} upool_query_found;

/* query may be NULL.  Names are compared exactly, after decoding both %XX and
 * "+".  "name" without "=" counts as present with the value "".  out gets the
 * decoded value, NUL-terminated, on ONCE; otherwise its content is
 * undefined. */
upool_query_found upool_query_find(const char *query, const char *name,
                                   char *out, size_t room);

typedef struct upool_query_pair {
    const char *name;  /* NUL-terminated, without NUL; any other bytes */
    const char *value; /* value_len bytes, NUL behind them */
    size_t value_len;
} upool_query_pair;

/* Takes the next pair off the text from *at to end, decoding it in place; *end
 * must be writable.  Nothing between two "&" does not count as a pair.  Returns
 * 1; 0 at the end; -1 where a % is broken or a name has a NUL (then the text
 * cannot be used again). */
int upool_query_take(char **at, char *end, upool_query_pair *pair);

#endif
