/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/structured.h"

#include <string.h>

#include "parse/base64.h"
#include "parse/params.h"
#include "parse/percent.h"

#define INTEGER_DIGITS 15

/* Every read_ function leaves the reader behind what it read and returns 0, or
 * -1 where the text is something else. */
typedef upool_structured reader;

static int next_is(const reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static int take(reader *r, char c)
{
    if (!next_is(r, c)) {
        return 0;
    }
    r->at++;
    return 1;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static int is_alpha(char c)
{
    return is_lower(upool_params_lower(c));
}

static void skip_spaces(reader *r)
{
    while (next_is(r, ' ')) {
        r->at++;
    }
}

/* 4.2.3.3 */
static int read_key(reader *r)
{
    if (r->at == r->end || (!is_lower(*r->at) && *r->at != '*')) {
        return -1;
    }
    while (r->at < r->end
           && (is_lower(*r->at) || is_digit(*r->at)
               || (*r->at != '\0' && strchr("_-.*", *r->at)))) {
        r->at++;
    }
    return 0;
}

/* 4.2.4: up to 15 digits, or up to 12, a dot and up to 3. */
static int read_number(reader *r, upool_structured_value *value)
{
    int negative = take(r, '-');
    size_t before = 0;
    size_t behind = 0;

    value->type = UPOOL_STRUCTURED_INTEGER;
    for (; r->at < r->end && is_digit(*r->at); r->at++) {
        if (++before > INTEGER_DIGITS) {
            return -1;
        }
        value->number = value->number * 10 + (*r->at - '0');
    }
    if (negative) {
        value->number = -value->number;
    }
    if (before == 0 || !next_is(r, '.')) {
        return before > 0 ? 0 : -1;
    }
    value->type = UPOOL_STRUCTURED_DECIMAL;
    value->number = 0;
    for (r->at++; r->at < r->end && is_digit(*r->at); r->at++) {
        behind++;
    }
    return before <= 12 && behind > 0 && behind <= 3 ? 0 : -1;
}

/* 4.2.9, behind the @: an integer and nothing else. */
static int read_date(reader *r, upool_structured_value *value)
{
    if (read_number(r, value) || value->type != UPOOL_STRUCTURED_INTEGER) {
        return -1;
    }
    value->type = UPOOL_STRUCTURED_DATE;
    return 0;
}

/* 4.2.5, behind the first quote. */
static int read_string(reader *r)
{
    while (r->at < r->end) {
        char c = *r->at++;

        if (c == '"') {
            return 0;
        }
        if (c < ' ' || c > '~'
            || (c == '\\' && !take(r, '"') && !take(r, '\\'))) {
            return -1;
        }
    }
    return -1;
}

/* 4.2.10, behind the %: bytes beyond ASCII are written as %xx in lower case. */
static int read_display_string(reader *r)
{
    if (!take(r, '"')) {
        return -1;
    }
    while (r->at < r->end) {
        const char *at = r->at++;

        if (*at == '"') {
            return 0;
        }
        if (*at < ' ' || *at > '~') {
            return -1;
        }
        if (*at == '%') {
            if (upool_percent_byte(at, r->end) < 0
                || upool_params_lower(at[1]) != at[1]
                || upool_params_lower(at[2]) != at[2]) {
                return -1;
            }
            r->at += 2;
        }
    }
    return -1;
}

/* 4.2.6 */
static void read_token(reader *r)
{
    while (
        r->at < r->end
        && (upool_params_is_token(*r->at) || *r->at == ':' || *r->at == '/')) {
        r->at++;
    }
}

/* 4.2.7, behind the first colon. */
static int read_bytes(reader *r)
{
    const char *at = r->at;
    const char *colon =
        at < r->end ? memchr(at, ':', (size_t)(r->end - at)) : NULL;

    if (colon == NULL) {
        return -1;
    }
    r->at = colon + 1;
    return upool_base64_decode(NULL, 0, at, (size_t)(colon - at))
                   == UPOOL_BASE64_BAD
               ? -1
               : 0;
}

/* The types that begin with a special character. */
static int read_marked(reader *r, upool_structured_value *value)
{
    switch (*r->at++) {
    case ':':
        value->type = UPOOL_STRUCTURED_BYTES;
        return read_bytes(r);
    case '"':
        value->type = UPOOL_STRUCTURED_STRING;
        return read_string(r);
    case '?':
        value->type = UPOOL_STRUCTURED_BOOLEAN;
        value->number = next_is(r, '1');
        return take(r, '0') || take(r, '1') ? 0 : -1;
    case '@':
        return read_date(r, value);
    case '%':
        value->type = UPOOL_STRUCTURED_DISPLAY;
        return read_display_string(r);
    default:
        return -1;
    }
}

/* 4.2.3.1 */
static int read_bare_item(reader *r, upool_structured_value *value)
{
    int failed = 0;

    value->number = 0;
    value->text = r->at;
    if (r->at == r->end) {
        return -1;
    }
    if (*r->at == '-' || is_digit(*r->at)) {
        failed = read_number(r, value);
    }
    else if (*r->at == '*' || is_alpha(*r->at)) {
        value->type = UPOOL_STRUCTURED_TOKEN;
        read_token(r);
    }
    else {
        failed = read_marked(r, value);
    }
    value->len = (size_t)(r->at - value->text);
    return failed;
}

/* 4.2.3.2 */
static int read_parameters(reader *r)
{
    upool_structured_value ignored;

    while (take(r, ';')) {
        skip_spaces(r);
        if (read_key(r) || (take(r, '=') && read_bare_item(r, &ignored))) {
            return -1;
        }
    }
    return 0;
}

/* 4.2.1.2 */
static int read_inner_list(reader *r, upool_structured_value *value)
{
    upool_structured_value ignored;

    value->type = UPOOL_STRUCTURED_LIST;
    value->number = 0;
    value->text = r->at++;
    for (;;) {
        skip_spaces(r);
        if (take(r, ')')) {
            value->len = (size_t)(r->at - value->text);
            return 0;
        }
        if (read_bare_item(r, &ignored) || read_parameters(r)
            || (!next_is(r, ' ') && !next_is(r, ')'))) {
            return -1;
        }
    }
}

/* The value behind a key; no value means true (4.2.2). */
static int read_member(reader *r, upool_structured_value *value)
{
    value->type = UPOOL_STRUCTURED_BOOLEAN;
    value->number = 1;
    value->text = r->at;
    value->len = 0;
    if (take(r, '=')
        && (next_is(r, '(') ? read_inner_list(r, value)
                            : read_bare_item(r, value))) {
        return -1;
    }
    return read_parameters(r);
}

static void skip_blanks(reader *r)
{
    r->at = upool_params_skip_blanks(r->at, r->end);
}

void upool_structured_open(upool_structured *r, const char *text, size_t len)
{
    r->at = text;
    r->end = text + len;
    r->more = 0;
    while (r->end > r->at && r->end[-1] == ' ') {
        r->end--;
    }
    skip_spaces(r);
}

int upool_structured_item(const char *text, size_t len,
                          upool_structured_value *value)
{
    reader r;

    upool_structured_open(&r, text, len);
    return read_bare_item(&r, value) || read_parameters(&r) || r.at != r.end
               ? -1
               : 0;
}

int upool_structured_next(upool_structured *r, upool_structured_member *member)
{
    if (r->at == r->end) {
        return r->more ? -1 : 0;
    }
    member->key = r->at;
    if (read_key(r)) {
        return -1;
    }
    member->key_len = (size_t)(r->at - member->key);
    if (read_member(r, &member->value)) {
        return -1;
    }
    skip_blanks(r);
    r->more = take(r, ',');
    if (!r->more && r->at != r->end) {
        return -1;
    }
    skip_blanks(r);
    return 1;
}

int upool_structured_key_is(const upool_structured_member *member,
                            const char *key)
{
    size_t len = strlen(key);

    return member->key_len == len && memcmp(member->key, key, len) == 0;
}

size_t upool_structured_bytes(const upool_structured_value *value,
                              unsigned char *bytes, size_t max)
{
    /* Between the colons. */
    return upool_base64_decode(bytes, max, value->text + 1, value->len - 2);
}
