/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_PARAMS_H
#define UPOOL_PARSE_PARAMS_H

/* The parameters behind a media type or a disposition (RFC 9110 5.6.6):
 *
 *   parameters = *( OWS ";" OWS [ token "=" ( token / quoted-string ) ] )
 *
 * and nothing else: no blanks around "=", no missing ";", no open quote, no
 * single quotes.  In quotes every byte but NUL, CR and LF is accepted, since
 * users call their files what they like.  Linear, without recursion.
 *
 * Everything returned points into the text that was given.  Any thread. */

#include <stddef.h>

/* A reader of parameters: at moves towards end. */
typedef struct upool_params {
    const char *at;
    const char *end;
} upool_params;

typedef struct upool_params_item {
    const char *name; /* a token, as written */
    size_t name_len;
    const char *value; /* as written, without the quotes */
    size_t value_len;
    int quoted;
} upool_params_item;

/* Reads the next parameter.  Returns 1 when item was filled, 0 at the end,
 * -1 where the text does not parse (then the reader cannot be used again). */
int upool_params_next(upool_params *params, upool_params_item *item);

/* 1 where c may stand in a token (RFC 9110 5.6.2). */
int upool_params_is_token(char c);

/* How many bytes from at on are a token. */
size_t upool_params_token(const char *at, const char *end);

/* First byte from at on that is neither SP nor HTAB. */
const char *upool_params_skip_blanks(const char *at, const char *end);

/* c in lower case where it is an ASCII letter, whatever the locale. */
char upool_params_lower(char c);

/* 1 where the len bytes at text equal word in any letter case; word itself is
 * in lower case. */
int upool_params_is(const char *text, size_t len, const char *word);

#endif
