/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/formname.h"

#include <string.h>

#include "parse/params.h"
#include "parse/percent.h"

int upool_formname_is_windows_path(const char *name, size_t len)
{
    char drive;

    if (len > 1 && name[0] == '\\' && name[1] == '\\') {
        return 1;
    }
    if (len < 3 || name[1] != ':' || name[2] != '\\') {
        return 0;
    }
    drive = upool_params_lower(name[0]);
    return drive >= 'a' && drive <= 'z';
}

/* The byte that browsers write as a percent sequence in a quoted name, because
 * it would break the header (WHATWG HTML 4.10.21.8); NUL for others. */
static char browser_escape(const char *at, const char *end)
{
    int byte = upool_percent_byte(at, end);

    if (byte == '"' || byte == '\r' || byte == '\n') {
        return (char)byte;
    }
    return '\0';
}

size_t upool_formname_read(char *out, const char *at, const char *end)
{
    int windows = upool_formname_is_windows_path(at, (size_t)(end - at));
    size_t len = 0;

    while (at < end) {
        char escaped = browser_escape(at, end);

        if (escaped != '\0') {
            out[len++] = escaped;
            at += 3;
            continue;
        }
        if (*at == '\\' && !windows && end - at > 1
            && (at[1] == '"' || at[1] == '\\')) {
            at++;
        }
        out[len++] = *at++;
    }
    return len;
}

/* The sequence as which a byte is written; NULL: the byte itself. */
static const char *escape_of(char c)
{
    switch (c) {
    case '"':
        return "%22";
    case '\r':
        return "%0D";
    case '\n':
        return "%0A";
    default:
        return NULL;
    }
}

/* A backslash takes the byte behind it along, so one before another is written
 * twice, as is one before the closing quote. */
size_t upool_formname_write(char *out, const char *name)
{
    int windows = upool_formname_is_windows_path(name, strlen(name));
    int open = 0; /* the last byte was a backslash that takes one along */
    char *to = out;

    for (; *name; name++) {
        const char *escape = escape_of(*name);

        if (escape) {
            memcpy(to, escape, 3);
            to += 3;
            open = 0;
            continue;
        }
        *to++ = *name;
        open = *name == '\\' && !open;
        if (open && !windows && name[1] == '\\') {
            *to++ = '\\';
            open = 0;
        }
    }
    if (open) {
        *to++ = '\\';
    }
    *to = '\0';
    return (size_t)(to - out);
}
