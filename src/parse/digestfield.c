/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/digestfield.h"

#include <string.h>

#include "parse/params.h"
#include "parse/percent.h"

#define SHA256_BYTES 32
#define SHA512_BYTES 64

/* Moves from at to end; every read_ function leaves it behind what it read and
 * returns 0, or -1 where the text is something else. */
typedef struct reader {
    const char *at;
    const char *end;
} reader;

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
static int read_number(reader *r, int dot_allowed)
{
    size_t before = 0;
    size_t behind = 0;

    take(r, '-');
    for (; r->at < r->end && is_digit(*r->at); r->at++) {
        before++;
    }
    if (before == 0 || before > 15 || !dot_allowed || !next_is(r, '.')) {
        return before > 0 && before <= 15 ? 0 : -1;
    }
    for (r->at++; r->at < r->end && is_digit(*r->at); r->at++) {
        behind++;
    }
    return before <= 12 && behind > 0 && behind <= 3 ? 0 : -1;
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

/* 4.2.10, behind the %: what is not ASCII stands as %xx in lower case. */
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
static int read_token(reader *r)
{
    while (
        r->at < r->end
        && (upool_params_is_token(*r->at) || *r->at == ':' || *r->at == '/')) {
        r->at++;
    }
    return 0;
}

static int base64_bits(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);

    return found == NULL ? -1 : (int)(found - alphabet);
}

/* 4.2.7, behind the first colon.  Padding may be left out; bits that belong to
 * no byte are not looked at.  Of what is longer than any digest the length is
 * told, so that it is the wrong one. */
static int read_bytes(reader *r, upool_digestfield_value *value)
{
    unsigned long held = 0;
    size_t letters = 0;
    size_t padding = 0;
    int bits;

    value->len = 0;
    for (; r->at < r->end && (bits = base64_bits(*r->at)) >= 0; r->at++) {
        held = (held << 6 | (unsigned long)bits) & 0xFFFF;
        if (letters++ % 4 != 0) {
            if (value->len < UPOOL_DIGESTFIELD_MAX) {
                size_t spare = 6 - 2 * ((letters - 1) % 4);

                value->bytes[value->len] = (unsigned char)(held >> spare);
            }
            value->len++;
        }
    }
    while (take(r, '=')) {
        padding++;
    }
    if (letters % 4 == 1 || (padding > 0 && (letters + padding) % 4 != 0)
        || padding > 2) {
        return -1;
    }
    return take(r, ':') ? 0 : -1;
}

/* 4.2.3.1; *value gets the bytes of a byte sequence, and no length for
 * anything else. */
static int read_bare_item(reader *r, upool_digestfield_value *value)
{
    value->len = 0;
    if (r->at == r->end) {
        return -1;
    }
    if (*r->at == '-' || is_digit(*r->at)) {
        return read_number(r, 1);
    }
    if (*r->at == '*' || is_alpha(*r->at)) {
        return read_token(r);
    }
    switch (*r->at++) {
    case ':':
        return read_bytes(r, value);
    case '"':
        return read_string(r);
    case '?':
        return take(r, '0') || take(r, '1') ? 0 : -1;
    case '@':
        return read_number(r, 0);
    case '%':
        return read_display_string(r);
    default:
        return -1;
    }
}

/* 4.2.3.2 */
static int read_parameters(reader *r)
{
    upool_digestfield_value ignored;

    while (take(r, ';')) {
        skip_spaces(r);
        if (read_key(r) || (take(r, '=') && read_bare_item(r, &ignored))) {
            return -1;
        }
    }
    return 0;
}

/* 4.2.1.2, behind the parenthesis. */
static int read_inner_list(reader *r)
{
    upool_digestfield_value ignored;

    for (;;) {
        skip_spaces(r);
        if (take(r, ')')) {
            return 0;
        }
        if (read_bare_item(r, &ignored) || read_parameters(r)
            || (!next_is(r, ' ') && !next_is(r, ')'))) {
            return -1;
        }
    }
}

/* What stands behind a key. */
static int read_member(reader *r, upool_digestfield_value *value)
{
    value->len = 0;
    if (take(r, '=')
        && (take(r, '(') ? read_inner_list(r) : read_bare_item(r, value))) {
        return -1;
    }
    return read_parameters(r);
}

static void skip_blanks(reader *r)
{
    r->at = upool_params_skip_blanks(r->at, r->end);
}

static int key_is(const char *key, const char *end, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(end - key) == len && memcmp(key, word, len) == 0;
}

/* 4.2.2.  A member that is known but no good counts as one of no length until
 * the end: a later one of the same key may take its place. */
static int read_dictionary(reader *r, upool_digestfield *field, int *has_sha256,
                           int *has_sha512)
{
    upool_digestfield_value value;
    const char *key;
    const char *key_end;

    while (r->at < r->end) {
        key = r->at;
        if (read_key(r)) {
            return -1;
        }
        key_end = r->at;
        if (read_member(r, &value)) {
            return -1;
        }
        if (key_is(key, key_end, "sha-256")) {
            field->sha256 = value;
            *has_sha256 = 1;
        }
        else if (key_is(key, key_end, "sha-512")) {
            field->sha512 = value;
            *has_sha512 = 1;
        }
        skip_blanks(r);
        if (r->at == r->end) {
            return 0;
        }
        if (!take(r, ',')) {
            return -1;
        }
        skip_blanks(r);
        if (r->at == r->end) {
            return -1;
        }
    }
    return 0;
}

int upool_digestfield_parse(const char *text, size_t len,
                            upool_digestfield *field)
{
    reader r;
    int has_sha256 = 0;
    int has_sha512 = 0;

    memset(field, 0, sizeof(*field));
    r.at = text;
    r.end = text + len;
    while (r.end > r.at && r.end[-1] == ' ') {
        r.end--;
    }
    skip_spaces(&r);
    if (read_dictionary(&r, field, &has_sha256, &has_sha512)) {
        return -1;
    }
    return (!has_sha256 || field->sha256.len == SHA256_BYTES)
                   && (!has_sha512 || field->sha512.len == SHA512_BYTES)
               ? 0
               : -1;
}

static int hex_value(char c)
{
    char lower = upool_params_lower(c);

    if (is_digit(c)) {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int read_hex(reader *r, upool_digestfield_value *value)
{
    int high;
    int low;

    for (value->len = 0; r->at < r->end; value->len++) {
        if (value->len == UPOOL_DIGESTFIELD_MAX || r->end - r->at < 2) {
            return -1;
        }
        high = hex_value(r->at[0]);
        low = hex_value(r->at[1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        value->bytes[value->len] = (unsigned char)(high << 4 | low);
        r->at += 2;
    }
    return 0;
}

static int read_name(reader *r, char *name)
{
    size_t len = 0;

    for (; r->at < r->end
           && (is_alpha(*r->at) || is_digit(*r->at) || *r->at == '-');
         r->at++) {
        if (len == UPOOL_DIGESTFIELD_NAME_MAX) {
            return -1;
        }
        name[len++] = upool_params_lower(*r->at);
    }
    name[len] = '\0';
    return len > 0 && take(r, '=') ? 0 : -1;
}

static int is_edge(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int upool_digestfield_named_parse(const char *text, size_t len,
                                  upool_digestfield_named *named)
{
    reader r;
    int failed;

    r.at = text;
    r.end = text + len;
    while (r.at < r.end && is_edge(*r.at)) {
        r.at++;
    }
    while (r.end > r.at && is_edge(r.end[-1])) {
        r.end--;
    }
    if (read_name(&r, named->name)) {
        return -1;
    }
    failed = take(&r, ':') ? read_bytes(&r, &named->value)
                           : read_hex(&r, &named->value);
    return !failed && r.at == r.end && named->value.len > 0
                   && named->value.len <= UPOOL_DIGESTFIELD_MAX
               ? 0
               : -1;
}
