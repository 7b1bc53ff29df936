/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#define _XOPEN_SOURCE 700 /* wcwidth() */
#include "tool/text.h"

#include <langinfo.h>
#include <string.h>
#include <wchar.h>

#include <apr_strings.h>

#include "parse/quantity.h"

/* \u{10FFFF} is the longest that one letter, and thus one byte, becomes. */
#define SHOWN_MAX 10

int upool_text_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Characters that re-order their neighbours or cannot be seen (Unicode's bidi
 * controls, joiners, separators, BOM, tags), but that wcwidth() calls
 * printable. */
static int is_hidden(apr_uint32_t c)
{
    return c == 0xad || c == 0x61c || c == 0x180e
           || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
           || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff
           || (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* Decodes one letter of UTF-8: its length and number, or 0 if the bytes are not
 * valid (RFC 3629: shortest form, no surrogates). */
static int decode(const char *bytes, apr_uint32_t *c)
{
    const unsigned char *b = (const unsigned char *)bytes;
    static const apr_uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    int len = b[0] < 0x80   ? 1
              : b[0] < 0xc2 ? 0
              : b[0] < 0xe0 ? 2
              : b[0] < 0xf0 ? 3
              : b[0] < 0xf5 ? 4
                            : 0;
    int i;

    *c = len > 1 ? b[0] & (0x7fU >> len) : b[0];
    for (i = 1; i < len; i++) {
        if ((b[i] & 0xc0) != 0x80) {
            return 0;
        }
        *c = *c << 6 | (b[i] & 0x3fU);
    }
    if (len
        && (*c < least[len] || *c > 0x10ffff || (*c & 0x1ff800) == 0xd800)) {
        return 0;
    }
    return len;
}

/* Columns of a letter, or -1 if it is not shown as it is. */
static int columns_of(apr_uint32_t c)
{
    if (c < 0x80) {
        return c >= 0x20 && c < 0x7f && c != '\\' ? 1 : -1;
    }
    return is_hidden(c) ? -1 : wcwidth((wchar_t)c);
}

/* Appends what one letter or byte becomes; returns bytes used up. */
static int show_one(char **out, const char *in, int utf8)
{
    apr_uint32_t c;
    int len = decode(in, &c);

    if (len && (c < 0x80 || utf8) && columns_of(c) >= 0) {
        memcpy(*out, in, (apr_size_t)len);
        *out += len;
        return len;
    }
    if (*in == '\\') {
        *out += apr_snprintf(*out, SHOWN_MAX + 1, "\\\\");
        return 1;
    }
    if (len > 1 && utf8) {
        *out += apr_snprintf(*out, SHOWN_MAX + 1, "\\u{%X}", c);
        return len;
    }
    *out += apr_snprintf(*out, SHOWN_MAX + 1, "\\x%02x", (unsigned char)*in);
    return 1;
}

const char *upool_text_shown(const char *bytes, apr_pool_t *p)
{
    int utf8 = upool_text_is_utf8();
    char *shown;
    char *out;

    if (!bytes) {
        return "-";
    }
    shown = apr_palloc(p, strlen(bytes) * SHOWN_MAX + 1);
    out = shown;
    while (*bytes) {
        bytes += show_one(&out, bytes, utf8);
    }
    *out = '\0';
    return shown;
}

/* Bytes of shown that fit into *columns, which is lowered by their width. */
static apr_size_t fit(const char *shown, int *columns)
{
    apr_size_t at = 0;

    while (shown[at]) {
        apr_uint32_t c;
        int len = decode(shown + at, &c);
        int wide = len > 1 ? wcwidth((wchar_t)c) : 1;

        wide = wide < 0 ? 1 : wide;
        if (wide > *columns) {
            break;
        }
        *columns -= wide;
        at += (apr_size_t)(len ? len : 1);
    }
    return at;
}

const char *upool_text_fitted(const char *shown, int columns, apr_pool_t *p)
{
    int left = columns;
    apr_size_t len = fit(shown, &left);
    const char *rest = "";

    if (shown[len] && columns > 0) {
        left = columns - 1;
        len = fit(shown, &left);
        rest = upool_text_is_utf8() ? "\xe2\x80\xa6" : "~";
    }
    return apr_psprintf(p, "%.*s%s%*s", (int)len, shown, rest, left, "");
}

const char *upool_text_time(apr_time_t when, apr_pool_t *p)
{
    apr_time_exp_t t;

    if (when <= 0) {
        return "-";
    }
    apr_time_exp_gmt(&t, when);
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900,
                        t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

const char *upool_text_size(apr_off_t bytes, apr_pool_t *p)
{
    static const char units[] = "KMGTPE";
    apr_off_t unit = 1024;
    int n = 0;

    if (bytes < 1024) {
        return bytes < 0 ? "-" : apr_off_t_toa(p, bytes);
    }
    while (bytes / unit >= 1024) {
        unit *= 1024;
        n++;
    }
    /* Tenths are cut off, not rounded: nothing shows more than there is. */
    return apr_psprintf(p, "%d.%d%c", (int)(bytes / unit),
                        (int)(bytes % unit / (unit / 1024) * 10 / 1024),
                        units[n]);
}

int upool_text_read_time(const char *text, apr_interval_time_t *t)
{
    static const struct {
        const char *name;
        long long seconds;
    } units[] = { { "", 1 },   { "s", 1 },    { "min", 60 },
                  { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
    apr_size_t digits = strspn(text, "0123456789");
    char number[16];
    long long n;
    apr_size_t i;

    if (!digits || digits >= sizeof(number)) {
        return 0;
    }
    apr_cpystrn(number, text, digits + 1);
    for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(text + digits, units[i].name) == 0) {
            break;
        }
    }
    /* A hundred thousand years are enough. */
    if (i == sizeof(units) / sizeof(*units)
        || upool_quantity_decimal(number, &n) || n <= 0
        || n > 3000000000000LL / units[i].seconds) {
        return 0;
    }
    *t = (apr_interval_time_t)n * units[i].seconds * APR_USEC_PER_SEC;
    return 1;
}
