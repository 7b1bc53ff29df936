/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/json.h"

#include <string.h>

#include "parse/names.h"

#define NUMBER_DIGITS 20

void upool_json_begin(upool_json *json, char *out, size_t room,
                      upool_json_style style)
{
    json->out = out;
    json->room = room;
    json->len = 0;
    json->style = style;
    json->comma = 0;
    json->bad = 0;
}

/* Once something did not fit, len is beyond the room: nothing shorter that
 * comes later is put in its place. */
static void put(upool_json *json, const char *bytes, size_t len)
{
    if (len > (size_t)-1 - json->len) {
        json->len = (size_t)-1;
        return;
    }
    if (json->len <= json->room && len <= json->room - json->len && len) {
        memcpy(json->out + json->len, bytes, len);
    }
    json->len += len;
}

static void put_unit(upool_json *json, unsigned int unit)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6];

    escape[0] = '\\';
    escape[1] = 'u';
    escape[2] = hex[unit >> 12 & 15];
    escape[3] = hex[unit >> 8 & 15];
    escape[4] = hex[unit >> 4 & 15];
    escape[5] = hex[unit & 15];
    put(json, escape, sizeof(escape));
}

/* The character at text, which is valid UTF-8; returns its length. */
static size_t put_escaped(upool_json *json, const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    unsigned int code = lead;
    size_t len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    size_t i;

    if (lead == '"' || lead == '\\') {
        put(json, "\\", 1);
        put(json, text, 1);
        return 1;
    }
    if (len > 1) {
        code = lead & (0x7Fu >> len);
    }
    for (i = 1; i < len; i++) {
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    }
    if (code > 0xFFFF) {
        put_unit(json, 0xD7C0 + (code >> 10));
        code = 0xDC00 | (code & 0x3FF);
    }
    put_unit(json, code);
    return len;
}

static int is_plain(unsigned char c, upool_json_style style)
{
    /* Small letters first: most of it is those. */
    if (c > '\\' && c < 0x80) {
        return 1;
    }
    if (c < 0x20 || c == '"' || c == '\\') {
        return 0;
    }
    return style == UPOOL_JSON_COMPACT
           || (c < 0x80 && c != '<' && c != '>' && c != '&');
}

static void put_string(upool_json *json, const char *text, size_t len)
{
    size_t from = 0;
    size_t at = 0;

    put(json, "\"", 1);
    while (at < len) {
        if (is_plain((unsigned char)text[at], json->style)) {
            at++;
            continue;
        }
        put(json, text + from, at - from);
        at += put_escaped(json, text + at);
        from = at;
    }
    put(json, text + from, at - from);
    put(json, "\"", 1);
}

static void put_key(upool_json *json, const char *key)
{
    size_t blank = json->style == UPOOL_JSON_SHOWN;

    if (json->comma) {
        put(json, ", ", 1 + blank);
    }
    json->comma = 1;
    if (key) {
        put_string(json, key, strlen(key));
        put(json, ": ", 1 + blank);
    }
}

void upool_json_open(upool_json *json, const char *key, char bracket)
{
    put_key(json, key);
    put(json, &bracket, 1);
    json->comma = 0;
}

void upool_json_close(upool_json *json, char bracket)
{
    put(json, &bracket, 1);
    json->comma = 1;
}

void upool_json_bytes(upool_json *json, const char *key, const char *text,
                      size_t len)
{
    if (!upool_names_is_utf8(text, len)
        || (key && !upool_names_is_utf8(key, strlen(key)))) {
        json->bad++;
        return;
    }
    put_key(json, key);
    put_string(json, text, len);
}

void upool_json_text(upool_json *json, const char *key, const char *text)
{
    if (text) {
        upool_json_bytes(json, key, text, strlen(text));
    }
    else {
        json->bad++;
    }
}

void upool_json_text_or_null(upool_json *json, const char *key,
                             const char *text)
{
    if (text) {
        upool_json_text(json, key, text);
    }
    else {
        upool_json_null(json, key);
    }
}

void upool_json_null(upool_json *json, const char *key)
{
    put_key(json, key);
    put(json, "null", 4);
}

void upool_json_number(upool_json *json, const char *key, int64_t number)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char digits[NUMBER_DIGITS];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        digits[--at] = '-';
    }
    put_key(json, key);
    put(json, digits + at, sizeof(digits) - at);
}

/* Up to three bytes as four characters. */
static void put_group(upool_json *json, const unsigned char *in, size_t len)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned int bits = (unsigned int)in[0] << 16;
    char group[4];

    bits |= len > 1 ? (unsigned int)in[1] << 8 : 0;
    bits |= len > 2 ? in[2] : 0;
    group[0] = letter[bits >> 18];
    group[1] = letter[bits >> 12 & 63];
    group[2] = len > 1 ? letter[bits >> 6 & 63] : '=';
    group[3] = len > 2 ? letter[bits & 63] : '=';
    put(json, group, sizeof(group));
}

void upool_json_base64(upool_json *json, const char *key, const char *data,
                       size_t len)
{
    const unsigned char *in = (const unsigned char *)data;

    put_key(json, key);
    put(json, "\"", 1);
    for (; len > 3; len -= 3) {
        put_group(json, in, 3);
        in += 3;
    }
    if (len) {
        put_group(json, in, len);
    }
    put(json, "\"", 1);
}
