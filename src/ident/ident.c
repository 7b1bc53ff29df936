/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "ident/ident.h"

#include <string.h>
#include <apr_escape.h>
#include <apr_strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#define UUID_BYTES 16
#define UUID_TEXT 36
#define MS_LIMIT ((apr_time_t)1 << 48)

/* From the start of the Gregorian calendar, where versions 1 and 6 begin to
 * count, to 1970, in units of 100 ns (RFC 9562 5.1). */
#define GREGORIAN_TO_UNIX APR_INT64_C(0x01B21DD213814000)

/* Not isalnum(): a locale would let more letters into a path. */
static int ident_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Length of the ID that text begins with; 0 when it is too long. */
static apr_size_t ident_span(const char *text)
{
    apr_size_t n = 0;

    while (n <= UPOOL_IDENT_MAX && ident_char(text[n])) {
        n++;
    }
    return n <= UPOOL_IDENT_MAX ? n : 0;
}

/* Is signature that of id under any of the keys?  All keys are tried over the
 * whole length even when one has matched or the length is wrong: the time taken
 * must not tell how near a guess came. */
static int signature_good(const upool_keys *keys, const char *id,
                          apr_size_t len, const char *signature)
{
    char want[UPOOL_SIGNATURE_LEN + 1] = { 0 };
    char got[UPOOL_SIGNATURE_LEN] = { 0 };
    apr_size_t n = 0;
    int match = 0, i;

    while (n <= UPOOL_SIGNATURE_LEN && signature[n]) {
        n++;
    }
    memcpy(got, signature, n < sizeof(got) ? n : sizeof(got));
    for (i = 0; i < upool_keys_count(keys); i++) {
        int made = upool_keys_hmac(keys, i, id, len, want) == APR_SUCCESS;

        match |= made & (CRYPTO_memcmp(want, got, sizeof(got)) == 0);
    }
    OPENSSL_cleanse(want, sizeof(want));
    return match & (n == UPOOL_SIGNATURE_LEN);
}

upool_ident_verdict upool_ident_check(const char *text, const upool_keys *keys,
                                      char *id)
{
    int keyed = upool_keys_count(keys) > 0;
    apr_size_t len;

    id[0] = '\0';
    len = text ? ident_span(text) : 0;
    if (!len || (text[len] && text[len] != ':')) {
        return UPOOL_IDENT_MALFORMED;
    }
    if (!text[len] && keyed) {
        return UPOOL_IDENT_UNSIGNED;
    }
    if (text[len] && !keyed) {
        return UPOOL_IDENT_UNEXPECTED;
    }
    if (keyed && !signature_good(keys, text, len, text + len + 1)) {
        return UPOOL_IDENT_FORGED;
    }
    memcpy(id, text, len);
    id[len] = '\0';
    return UPOOL_IDENT_GOOD;
}

static void uuid_write(char *text, const unsigned char *bytes)
{
    char hex[2 * UUID_BYTES + 1];

    apr_escape_hex(hex, bytes, UUID_BYTES, 0, NULL);
    apr_snprintf(text, UUID_TEXT + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
                 hex + 12, hex + 16, hex + 20);
}

apr_status_t upool_ident_mint(char id[UPOOL_IDENT_MAX + 1], apr_time_t now)
{
    unsigned char bytes[UUID_BYTES];
    apr_time_t ms = apr_time_as_msec(now);
    int i;

    id[0] = '\0';
    if (now < 0 || ms >= MS_LIMIT) {
        return APR_EINVAL;
    }
    /* OpenSSL's generator reseeds itself in a forked child. */
    if (RAND_bytes(bytes + 6, UUID_BYTES - 6) != 1) {
        return APR_EGENERAL;
    }
    for (i = 5; i >= 0; i--) {
        bytes[i] = (unsigned char)(ms & 0xff);
        ms >>= 8;
    }
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    uuid_write(id, bytes);
    return APR_SUCCESS;
}

apr_status_t upool_ident_sign(char *text, const char *id,
                              const upool_keys *keys)
{
    apr_size_t len = ident_span(id);
    apr_status_t rv;

    text[0] = '\0';
    if (!len || id[len]) {
        return APR_EINVAL;
    }
    if (upool_keys_count(keys) > 0) {
        rv = upool_keys_hmac(keys, 0, id, len, text + len + 1);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        text[len] = ':';
    }
    else {
        text[len] = '\0';
    }
    memcpy(text, id, len);
    return APR_SUCCESS;
}

/* 8-4-4-4-12 hex digits and nothing after them, of the RFC's own variant. */
static int uuid_read(const char *text, unsigned char *bytes)
{
    char hex[2 * UUID_BYTES + 1];
    apr_size_t at, n = 0;

    for (at = 0; at < UUID_TEXT; at++) {
        int is_dash = at == 8 || at == 13 || at == 18 || at == 23;

        if (!text[at] || is_dash != (text[at] == '-')) {
            return 0;
        }
        if (!is_dash) {
            hex[n++] = text[at];
        }
    }
    hex[n] = '\0';
    return !text[UUID_TEXT]
           && !apr_unescape_hex(bytes, hex, (apr_ssize_t)n, 0, NULL)
           && (bytes[8] & 0xc0) == 0x80;
}

static apr_int64_t bytes_number(const unsigned char *bytes, int len)
{
    apr_int64_t value = 0;
    int i;

    for (i = 0; i < len; i++) {
        value = value * 256 + bytes[i];
    }
    return value;
}

/* Version 1 has its 60 bits as low 32, middle 16, high 12; version 6 has them
 * high to low (RFC 9562 5.1, 5.6). */
static apr_time_t gregorian_time(const unsigned char *bytes, int version)
{
    apr_int64_t ticks;

    if (version == 1) {
        ticks = ((bytes_number(bytes + 6, 2) & 0x0fff) << 48)
                | (bytes_number(bytes + 4, 2) << 32) | bytes_number(bytes, 4);
    }
    else {
        ticks = (bytes_number(bytes, 6) << 12)
                | (bytes_number(bytes + 6, 2) & 0x0fff);
    }
    return (ticks - GREGORIAN_TO_UNIX) / 10;
}

apr_time_t upool_ident_time(const char *id)
{
    unsigned char bytes[UUID_BYTES] = { 0 };
    apr_time_t made;
    int version;

    if (!id || !uuid_read(id, bytes)) {
        return 0;
    }
    version = bytes[6] >> 4;
    if (version == 7) {
        made = apr_time_from_msec(bytes_number(bytes, 6));
    }
    else if (version == 1 || version == 6) {
        made = gregorian_time(bytes, version);
    }
    else {
        return 0;
    }
    return made > 0 ? made : 1;
}
