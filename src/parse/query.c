/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/query.h"

#include <string.h>

#include "parse/percent.h"

enum {
    END = -1,   /* the name or value is read */
    BROKEN = -2 /* % without two hex digits */
};

/* The next byte, 0 to 255, or END or BROKEN. */
static int next_byte(const char **at, const char *end)
{
    const char *here = *at;
    int byte;

    if (here == end) {
        return END;
    }
    *at = here + 1;
    if (*here != '%') {
        return *here == '+' ? ' ' : (unsigned char)*here;
    }
    byte = upool_percent_byte(here, end);
    if (byte < 0) {
        return BROKEN;
    }
    *at = here + 3;
    return byte;
}

/* 1 where the bytes decode to name, 0 where not, -1 where they do up to a NUL:
 * code that uses C strings would take that for the name. */
static int is_name(const char *at, const char *end, const char *name)
{
    int c;

    for (c = next_byte(&at, end); c > 0; c = next_byte(&at, end)) {
        if (c != (unsigned char)*name) {
            return 0;
        }
        name++;
    }
    if (c == BROKEN || *name != '\0') {
        return 0;
    }
    return c == END ? 1 : -1;
}

/* Decodes a value.  Returns 0 where it has a NUL or a broken %, or does not
 * fit. */
static int decode_value(const char *at, const char *end, char *out, size_t room)
{
    int c;

    while ((c = next_byte(&at, end)) != END) {
        if (c == BROKEN || c == '\0' || room < 2) {
            return 0;
        }
        *out = (char)c;
        out++;
        room--;
    }
    if (room == 0) {
        return 0;
    }
    *out = '\0';
    return 1;
}

upool_query_found upool_query_find(const char *query, const char *name,
                                   char *out, size_t room)
{
    upool_query_found found = UPOOL_QUERY_ABSENT;
    const char *at = query;

    while (at != NULL) {
        const char *next = strchr(at, '&');
        const char *end = next != NULL ? next : at + strlen(at);
        const char *equals = memchr(at, '=', (size_t)(end - at));
        int same = is_name(at, equals != NULL ? equals : end, name);

        if (same < 0) {
            return UPOOL_QUERY_BAD;
        }
        if (same && found != UPOOL_QUERY_ABSENT) {
            return UPOOL_QUERY_DOUBLED;
        }
        if (same) {
            if (!decode_value(equals != NULL ? equals + 1 : end, end, out,
                              room)) {
                return UPOOL_QUERY_BAD;
            }
            found = UPOOL_QUERY_ONCE;
        }
        at = next != NULL ? next + 1 : NULL;
    }
    return found;
}

/* Decodes to where it lies.  Returns the end, or NULL where a % is broken. */
static char *decode_here(char *begin, const char *end)
{
    const char *at = begin;
    char *out = begin;
    int c;

    while ((c = next_byte(&at, end)) != END) {
        if (c == BROKEN) {
            return NULL;
        }
        *out++ = (char)c;
    }
    return out;
}

/* Decoded text is never longer than before, so the NUL behind a name falls on
 * its "=" at the latest, and the one behind a value on its "&". */
static int take_pair(char *name, char *end, upool_query_pair *pair)
{
    char *equals = memchr(name, '=', (size_t)(end - name));
    char *value = equals != NULL ? equals + 1 : end;
    char *name_end = decode_here(name, equals != NULL ? equals : end);
    char *value_end = decode_here(value, end);

    if (name_end == NULL || value_end == NULL
        || memchr(name, '\0', (size_t)(name_end - name)) != NULL) {
        return -1;
    }
    *name_end = '\0';
    *value_end = '\0';
    pair->name = name;
    pair->value = value;
    pair->value_len = (size_t)(value_end - value);
    return 1;
}

int upool_query_take(char **at, char *end, upool_query_pair *pair)
{
    while (*at < end) {
        char *begin = *at;
        char *ampersand = memchr(begin, '&', (size_t)(end - begin));
        char *stop = ampersand != NULL ? ampersand : end;

        *at = ampersand != NULL ? ampersand + 1 : end;
        if (stop > begin) {
            return take_pair(begin, stop, pair);
        }
    }
    return 0;
}
