/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/extvalue.h"

#include <string.h>

#include "parse/names.h"
#include "parse/params.h"
#include "parse/percent.h"

/* Decodes value-chars.  Returns 0 where they are broken. */
static int decode_chars(char *out, const char *at, const char *end, size_t *len)
{
    *len = 0;
    while (at < end) {
        int byte = (unsigned char)*at;

        if (byte == '%') {
            byte = upool_percent_byte(at, end);
            at += 2;
            if (byte <= 0) {
                return 0; /* %00 too: a name ends there for some */
            }
        }
        else if (byte == '*' || byte == '\'') {
            return 0;
        }
        at++;
        out[(*len)++] = (char)byte;
    }
    return 1;
}

/* ISO-8859-1 to UTF-8, which needs up to 2 * len + 1 bytes. */
static size_t widen_latin1(char *out, const char *in, size_t len)
{
    size_t written = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)in[i];

        if (c >= 0x80) {
            out[written++] = (char)(0xC0 | c >> 6);
            c = 0x80 | (c & 0x3F);
        }
        out[written++] = (char)c;
    }
    out[written] = '\0';
    return written;
}

int upool_extvalue_decode(char *out, size_t *out_len, const char *value,
                          size_t len)
{
    const char *end = value + len;
    const char *quote = memchr(value, '\'', len);
    const char *second =
        quote != NULL ? memchr(quote + 1, '\'', (size_t)(end - quote - 1))
                      : NULL;
    /* The last third: both that follow may write over what they have read. */
    char *decoded = out + 2 * len;
    size_t charset_len;
    size_t decoded_len;

    if (second == NULL
        || !decode_chars(decoded, second + 1, end, &decoded_len)) {
        return 0;
    }
    charset_len = (size_t)(quote - value);
    if (upool_params_is(value, charset_len, "utf-8")) {
        *out_len = upool_names_repair(out, decoded, decoded_len);
        return 1;
    }
    if (upool_params_is(value, charset_len, "iso-8859-1")) {
        *out_len = widen_latin1(out, decoded, decoded_len);
        return 1;
    }
    return 0;
}
