/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/origin.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
/* 1 for characters of a host: letters, digits, and those in IPv6 addresses and
 * in names that are older than the rules. */
#define HOST LOWER DIGITS "-._"
#define PORT_DIGITS 5
#define NAMES_MAX 1024

static size_t scheme_span(const char *text)
{
    return *text >= 'a' && *text <= 'z' ? strspn(text, LOWER DIGITS "+-.") : 0;
}

/* The length of a host: a name, an IPv4 address or [IPv6]; 0: none. */
static size_t host_span(const char *text)
{
    size_t len;

    if (*text != '[') {
        return strspn(text, HOST);
    }
    len = strspn(text + 1, DIGITS "abcdef:.");
    return len && text[len + 1] == ']' ? len + 2 : 0;
}

static int is_implied(const char *text, size_t scheme, const char *port)
{
    return (scheme == 5 && !strncmp(text, "https", 5) && !strcmp(port, "443"))
           || (scheme == 4 && !strncmp(text, "http", 4) && !strcmp(port, "80"));
}

static int is_port(const char *text)
{
    size_t len = strspn(text, DIGITS);

    return len > 0 && len <= PORT_DIGITS && !text[len] && *text != '0';
}

int upool_origin_is_valid(const char *text)
{
    size_t scheme = scheme_span(text);
    const char *host;
    size_t len;

    if (!scheme || strncmp(text + scheme, "://", 3) != 0) {
        return 0;
    }
    host = text + scheme + 3;
    len = host_span(host);
    if (!len || !host[len]) {
        return len > 0;
    }
    return host[len] == ':' && is_port(host + len + 1)
           && !is_implied(text, scheme, host + len + 1);
}

/* RFC 9110 5.6.2: the characters of a token. */
static int is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

int upool_origin_is_names(const char *text)
{
    size_t len = strlen(text);
    size_t i;

    if (len > NAMES_MAX) {
        return 0;
    }
    for (i = 0; i < len; i++) {
        if (!is_token_char(text[i]) && text[i] != ',' && text[i] != ' '
            && text[i] != '\t') {
            return 0;
        }
    }
    return len > 0;
}
