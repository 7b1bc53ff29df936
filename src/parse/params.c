/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/params.h"

#include <string.h>

char upool_params_lower(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c;
}

int upool_params_is(const char *text, size_t len, const char *word)
{
    size_t i;

    if (strlen(word) != len) {
        return 0;
    }
    for (i = 0; i < len; i++) {
        if (upool_params_lower(text[i]) != word[i]) {
            return 0;
        }
    }
    return 1;
}

int upool_params_is_token(char c)
{
    char lower = upool_params_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

size_t upool_params_token(const char *at, const char *end)
{
    const char *begin = at;

    while (at < end && upool_params_is_token(*at)) {
        at++;
    }
    return (size_t)(at - begin);
}

const char *upool_params_skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    return at;
}

/* The place of the closing quote of a quoted string that opened before at, or
 * NULL.  A backslash always takes the byte behind it along, so that no parser
 * that honours backslashes sees another end. */
static const char *find_quote(const char *at, const char *end)
{
    while (at < end && *at != '"') {
        if (*at == '\\' && at + 1 < end) {
            at++;
        }
        if (*at == '\0' || *at == '\r' || *at == '\n') {
            return NULL;
        }
        at++;
    }
    return at < end ? at : NULL;
}

/* Reads the value that at points to; returns what is behind it, or NULL. */
static const char *read_value(const char *at, const char *end,
                              upool_params_item *item)
{
    const char *quote;

    item->quoted = at < end && *at == '"';
    if (item->quoted) {
        at++;
        quote = find_quote(at, end);
        if (quote == NULL) {
            return NULL;
        }
        item->value = at;
        item->value_len = (size_t)(quote - at);
        return quote + 1;
    }
    item->value = at;
    item->value_len = upool_params_token(at, end);
    return item->value_len > 0 ? at + item->value_len : NULL;
}

int upool_params_next(upool_params *params, upool_params_item *item)
{
    const char *end = params->end;
    const char *at = upool_params_skip_blanks(params->at, end);

    while (at < end && *at == ';') {
        at = upool_params_skip_blanks(at + 1, end);
        item->name = at;
        item->name_len = upool_params_token(at, end);
        if (item->name_len > 0) {
            at += item->name_len;
            if (at == end || *at != '=') {
                return -1;
            }
            params->at = read_value(at + 1, end, item);
            return params->at != NULL ? 1 : -1;
        }
        /* Nothing between two semicolons, or behind the last. */
    }
    params->at = at;
    return at == end ? 0 : -1;
}
