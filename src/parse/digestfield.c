/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/digestfield.h"

#include <string.h>

#include "parse/params.h"
#include "parse/structured.h"

#define SHA256_BYTES 32
#define SHA512_BYTES 64

/* A known algorithm needs a byte sequence of its length.  Anything else counts
 * as malformed only at the end of the field, since a later member of the same
 * key may take its place (RFC 9651 4.2.2). */
static void keep(const upool_structured_value *value,
                 upool_digestfield_value *kept, int *has)
{
    *has = 1;
    kept->len =
        value->type == UPOOL_STRUCTURED_BYTES
            ? upool_structured_bytes(value, kept->bytes, sizeof(kept->bytes))
            : 0;
}

int upool_digestfield_parse(const char *text, size_t len,
                            upool_digestfield *field)
{
    upool_structured reader;
    upool_structured_member member;
    int has_sha256 = 0;
    int has_sha512 = 0;
    int found;

    memset(field, 0, sizeof(*field));
    upool_structured_open(&reader, text, len);
    while ((found = upool_structured_next(&reader, &member)) > 0) {
        if (upool_structured_key_is(&member, "sha-256")) {
            keep(&member.value, &field->sha256, &has_sha256);
        }
        else if (upool_structured_key_is(&member, "sha-512")) {
            keep(&member.value, &field->sha512, &has_sha512);
        }
    }
    return found == 0 && (!has_sha256 || field->sha256.len == SHA256_BYTES)
                   && (!has_sha512 || field->sha512.len == SHA512_BYTES)
               ? 0
               : -1;
}

static int hex_value(char c)
{
    char lower = upool_params_lower(c);

    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int read_hex(const char *at, const char *end,
                    upool_digestfield_value *value)
{
    int high;
    int low;

    for (value->len = 0; at < end; value->len++) {
        if (value->len == UPOOL_DIGESTFIELD_MAX || end - at < 2) {
            return -1;
        }
        high = hex_value(at[0]);
        low = hex_value(at[1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        value->bytes[value->len] = (unsigned char)(high << 4 | low);
        at += 2;
    }
    return 0;
}

/* A byte sequence and nothing behind it, parameters neither. */
static int read_base64(const char *at, const char *end,
                       upool_digestfield_value *value)
{
    upool_structured_value bytes;

    if (upool_structured_item(at, (size_t)(end - at), &bytes)
        || bytes.type != UPOOL_STRUCTURED_BYTES
        || bytes.text + bytes.len != end) {
        return -1;
    }
    value->len =
        upool_structured_bytes(&bytes, value->bytes, sizeof(value->bytes));
    return 0;
}

static int is_name(char c)
{
    char lower = upool_params_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Behind the = sign; NULL where there is no name before one. */
static const char *read_name(const char *at, const char *end, char *name)
{
    size_t len = 0;

    for (; at < end && is_name(*at); at++) {
        if (len == UPOOL_DIGESTFIELD_NAME_MAX) {
            return NULL;
        }
        name[len++] = upool_params_lower(*at);
    }
    name[len] = '\0';
    return len > 0 && at < end && *at == '=' ? at + 1 : NULL;
}

static int is_edge(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int upool_digestfield_named_parse(const char *text, size_t len,
                                  upool_digestfield_named *named)
{
    const char *at = text;
    const char *end = text + len;
    int failed;

    while (at < end && is_edge(*at)) {
        at++;
    }
    while (end > at && is_edge(end[-1])) {
        end--;
    }
    at = read_name(at, end, named->name);
    if (at == NULL) {
        return -1;
    }
    failed = at < end && *at == ':' ? read_base64(at, end, &named->value)
                                    : read_hex(at, end, &named->value);
    return !failed && named->value.len > 0
                   && named->value.len <= UPOOL_DIGESTFIELD_MAX
               ? 0
               : -1;
}
