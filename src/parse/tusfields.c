/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/tusfields.h"

#include <string.h>

#include "parse/base64.h"
#include "parse/names.h"
#include "parse/params.h"
#include "parse/percent.h"

/* 1 where c may stand in a key; bytes beyond ASCII are checked for the key as a
 * whole. */
static int is_key(char c)
{
    return ((unsigned char)c > ' ' && c != ',' && c != '\x7f');
}

static void skip_spaces(upool_tus_reader *reader)
{
    while (reader->at < reader->end && *reader->at == ' ') {
        reader->at++;
    }
}

/* Behind a pair: the end, or a comma and another pair. */
static int end_pair(upool_tus_reader *reader)
{
    reader->at = upool_params_skip_blanks(reader->at, reader->end);
    if (reader->at == reader->end) {
        return 1;
    }
    if (*reader->at++ != ',') {
        return -1;
    }
    reader->at = upool_params_skip_blanks(reader->at, reader->end);
    return reader->at < reader->end ? 1 : -1;
}

int upool_tus_pair_next(upool_tus_reader *reader, upool_tus_pair *pair)
{
    if (reader->at == reader->end) {
        return 0;
    }
    pair->key = reader->at;
    while (reader->at < reader->end && is_key(*reader->at)) {
        reader->at++;
    }
    pair->key_len = (size_t)(reader->at - pair->key);
    /* "The value MAY be empty", and then the space left out. */
    if (reader->at < reader->end && *reader->at == ' ') {
        reader->at++;
    }
    pair->value = reader->at;
    while (reader->at < reader->end && *reader->at != ',' && *reader->at != ' '
           && *reader->at != '\t') {
        reader->at++;
    }
    pair->value_len = (size_t)(reader->at - pair->value);
    if (pair->key_len == 0
        || upool_base64_decode(NULL, 0, pair->value, pair->value_len)
               == UPOOL_BASE64_BAD) {
        return -1;
    }
    return end_pair(reader);
}

static int is_repeated(const upool_tus_pair *pairs, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (pairs[i].key_len == pairs[n].key_len
            && !memcmp(pairs[i].key, pairs[n].key, pairs[n].key_len)) {
            return 1;
        }
    }
    return 0;
}

int upool_tus_metadata_is_good(const char *text, size_t len)
{
    upool_tus_pair pairs[UPOOL_TUS_PAIRS_MAX];
    upool_tus_reader reader;
    size_t n = 0;
    int got = 0;

    if (len > UPOOL_TUS_FIELD_MAX) {
        return 0;
    }
    reader.at = text;
    reader.end = text + len;
    while (n < UPOOL_TUS_PAIRS_MAX
           && (got = upool_tus_pair_next(&reader, &pairs[n])) == 1) {
        if (!upool_names_is_utf8(pairs[n].key, pairs[n].key_len)
            || is_repeated(pairs, n)) {
            return 0;
        }
        n++;
    }
    return n > 0 && got >= 0 && reader.at == reader.end;
}

/* 1 where c may stand in a URL at all (RFC 3986 2): printable ASCII. */
static int is_url(char c)
{
    return c > ' ' && c < '\x7f';
}

upool_tus_concat upool_tus_concat_parse(const char *text, size_t len,
                                        upool_tus_reader *reader)
{
    static const char partial[] = "partial";
    static const char final[] = "final;";
    const char *at;

    if (len == sizeof(partial) - 1 && !memcmp(text, partial, len)) {
        return UPOOL_TUS_CONCAT_PARTIAL;
    }
    if (len < sizeof(final) || len > UPOOL_TUS_FIELD_MAX
        || memcmp(text, final, sizeof(final) - 1) != 0) {
        return UPOOL_TUS_CONCAT_BAD;
    }
    reader->at = text + sizeof(final) - 1;
    reader->end = text + len;
    for (at = reader->at; at < reader->end; at++) {
        if (*at != ' ' && !is_url(*at)) {
            return UPOOL_TUS_CONCAT_BAD;
        }
    }
    skip_spaces(reader);
    return reader->at < reader->end ? UPOOL_TUS_CONCAT_FINAL
                                    : UPOOL_TUS_CONCAT_BAD;
}

int upool_tus_url_next(upool_tus_reader *reader, const char **url, size_t *len)
{
    skip_spaces(reader);
    *url = reader->at;
    while (reader->at < reader->end && *reader->at != ' ') {
        reader->at++;
    }
    *len = (size_t)(reader->at - *url);
    return *len > 0;
}

/* Where the last segment begins; *end: where the path ends. */
static const char *last_segment(const char *url, size_t len, const char **end)
{
    const char *at;
    const char *segment = url;

    *end = url + len;
    for (at = url; at < *end; at++) {
        if (*at == '?' || *at == '#') {
            *end = at;
        }
        else if (*at == '/') {
            segment = at + 1;
        }
    }
    return segment;
}

int upool_tus_url_name(const char *url, size_t len, char *out, size_t room)
{
    const char *end;
    const char *at = last_segment(url, len, &end);
    size_t written = 0;

    while (at < end) {
        int c = (unsigned char)*at;

        if (c == '%') {
            c = upool_percent_byte(at, end);
            at += c < 0 ? 0 : 2;
        }
        at++;
        if (c <= 0 || written + 1 >= room) {
            return -1;
        }
        out[written++] = (char)c;
    }
    if (written == 0) {
        return -1;
    }
    out[written] = '\0';
    return 0;
}

int upool_tus_checksum_parse(const char *text, size_t len,
                             upool_digestfield_named *sum)
{
    const char *end = text + len;
    size_t n = 0;

    while (text < end && upool_params_is_token(*text)
           && n < UPOOL_DIGESTFIELD_NAME_MAX) {
        sum->name[n++] = *text++;
    }
    sum->name[n] = '\0';
    if (n == 0 || text == end || *text++ != ' ') {
        return -1;
    }
    sum->value.len = upool_base64_decode(
        sum->value.bytes, sizeof(sum->value.bytes), text, (size_t)(end - text));
    /* UPOOL_BASE64_BAD is greater than any length. */
    return sum->value.len > 0 && sum->value.len <= UPOOL_DIGESTFIELD_MAX ? 0
                                                                         : -1;
}
