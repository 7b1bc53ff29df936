/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/names.h"

#include <string.h>

#include "parse/names_ascii.h"
#include "parse/names_letters.h"

/* A suffix longer than this is cut like any other text. */
#define SUFFIX_MAX 64

/* How many bytes the character that begins with lead has; 0 where no character
 * begins with it.  *low and *high bound its second byte (Unicode table 3-7),
 * which excludes overlong forms, surrogates and U+110000 and up. */
static size_t lead_length(unsigned char lead, unsigned char *low,
                          unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    if (lead < 0xE0) {
        return 2;
    }
    if (lead < 0xF0) {
        *low = lead == 0xE0 ? 0xA0 : 0x80;
        *high = lead == 0xED ? 0x9F : 0xBF;
        return 3;
    }
    *low = lead == 0xF0 ? 0x90 : 0x80;
    *high = lead == 0xF4 ? 0x8F : 0xBF;
    return 4;
}

/* Reads one character from len > 0 bytes.  Returns how many bytes it has, and
 * sets *valid; without that, how many bytes one U+FFFD replaces. */
static size_t read_char(const char *in, size_t len, int *valid)
{
    unsigned char low;
    unsigned char high;
    size_t want = lead_length((unsigned char)in[0], &low, &high);
    size_t i;

    *valid = 0;
    for (i = 1; i < want; i++) {
        if (i == len || (unsigned char)in[i] < low
            || (unsigned char)in[i] > high) {
            return i;
        }
        low = 0x80;
        high = 0xBF;
    }
    *valid = want > 0;
    return want > 0 ? want : 1;
}

size_t upool_names_repair(char *out, const char *in, size_t len)
{
    size_t written = 0;
    size_t at = 0;
    size_t size;
    int valid;

    while (at < len) {
        size = read_char(in + at, len - at, &valid);
        if (valid && in[at] != '\0') {
            memmove(out + written, in + at, size);
            written += size;
        }
        else {
            memcpy(out + written, "\xEF\xBF\xBD", 3);
            written += 3;
        }
        at += size;
    }
    out[written] = '\0';
    return written;
}

int upool_names_is_utf8(const char *in, size_t len)
{
    size_t at = 0;
    int valid = 1;

    while (at < len && valid) {
        at += read_char(in + at, len - at, &valid);
    }
    return valid;
}

static int is_alnum(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9');
}

/* Walks over a name and gives out the safe name's characters one by one, before
 * anything is stripped from its end. */
typedef struct walker {
    const char *at;   /* rest of the name */
    int utf8;         /* letters of other scripts stay */
    const char *more; /* rest of what became of a character */
    size_t more_len;
    char stash; /* to be given out next, or NUL */
    int gap;    /* white space or separators were passed */
    int begun;  /* a character was given out */
} walker;

/* Code point of the valid character of size > 1 bytes. */
static unsigned long code_point(const char *in, size_t size)
{
    unsigned long cp = (unsigned char)in[0] & (0xFFu >> (size + 1));
    size_t i;

    for (i = 1; i < size; i++) {
        cp = cp << 6 | ((unsigned char)in[i] & 0x3Fu);
    }
    return cp;
}

/* Sets what becomes of the character of size > 1 bytes at w->at. */
static void take_char(walker *w, size_t size)
{
    unsigned long code = code_point(w->at, size);

    if (!w->utf8) {
        w->more = upool_names_ascii(code, &w->more_len);
    }
    else if (upool_names_is_letter(code)) {
        w->more = w->at;
        w->more_len = size;
    }
    else if (upool_names_is_blank(code)) {
        w->more = " ";
        w->more_len = 1;
    }
}

/* The next byte of the name as it is decomposed, or as it was; NUL at its
 * end. */
static char next_byte(walker *w)
{
    size_t size;
    int valid;

    while (w->more_len == 0) {
        if ((unsigned char)*w->at < 0x80) {
            char c = *w->at;

            if (c != '\0') {
                w->at++;
            }
            return c;
        }
        /* The NUL at the end stops it in time. */
        size = read_char(w->at, 4, &valid);
        if (valid) {
            take_char(w, size);
        }
        w->at += size;
    }
    w->more_len--;
    return *w->more++;
}

/* White space as Python's str.split() has it in ASCII, and separators. */
static int is_gap(char c)
{
    return c == ' ' || c == '/' || c == '\\' || (c >= '\t' && c <= '\r')
           || (c >= '\x1C' && c <= '\x1F');
}

/* The next byte of the safe name, NUL at the end. */
static char next_safe(walker *w)
{
    char c = w->stash;

    if (c == '\0') {
        c = next_byte(w);
    }
    w->stash = '\0';
    for (; c != '\0'; c = next_byte(w)) {
        if (is_gap(c)) {
            w->gap = 1;
            continue;
        }
        if (w->gap && w->begun) {
            w->gap = 0;
            w->stash = c;
            return '_';
        }
        w->gap = 0;
        if (is_alnum(c) || c == '-' || (unsigned char)c >= 0x80
            || (w->begun && (c == '.' || c == '_'))) {
            w->begun = 1;
            return c;
        }
    }
    return '\0';
}

/* Begins a walk. */
static walker walk(const char *name, int utf8)
{
    walker w = { NULL, 0, NULL, 0, '\0', 0, 0 };

    w.at = name;
    w.utf8 = utf8;
    return w;
}

/* Writes the bytes from first to last - 1 of the safe name. */
static size_t write_range(char *out, walker w, size_t first, size_t last)
{
    size_t i;

    for (i = 0; i < last; i++) {
        char c = next_safe(&w);

        if (i >= first) {
            out[i - first] = c;
        }
    }
    return last > first ? last - first : 0;
}

/* Finds where the safe name ends, without what is stripped there, and where
 * its last suffix begins (its end where it has none). */
static void measure(walker w, size_t *end, size_t *suffix)
{
    size_t dot = 0;
    int dots = 0;
    size_t i;
    char c;

    *end = 0;
    *suffix = 0;
    for (i = 1; (c = next_safe(&w)) != '\0'; i++) {
        if (c == '.') {
            dot = i - 1;
            dots = 1;
        }
        else if (c != '_') {
            *end = i;
            *suffix = dots ? dot : i;
        }
    }
}

/* 1 where the part of the name before the first dot is a device of Windows,
 * which would be opened instead of a file in any directory there. */
static int is_device(const char *name)
{
    static const char devices[][4] = {
        "CON", "PRN", "AUX", "NUL", "COM", "LPT"
    };
    size_t stem = strcspn(name, ".");
    size_t i;
    size_t j;

    if (stem < 3 || stem > 4) {
        return 0;
    }
    for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        for (j = 0; j < 3 && (name[j] & ~0x20) == devices[i][j]; j++) {
        }
        if (j == 3 && stem == (i < 4 ? 3u : 4u)) {
            return stem == 3 || (name[3] >= '0' && name[3] <= '9');
        }
    }
    return 0;
}

/* Length without a last character that was cut. */
static size_t whole(const char *text, size_t len)
{
    size_t begin = len;
    unsigned char low;
    unsigned char high;

    while (begin > 0 && len - begin < 3
           && ((unsigned char)text[begin - 1] & 0xC0) == 0x80) {
        begin--;
    }
    if (begin == 0 || (unsigned char)text[begin - 1] < 0x80) {
        return len;
    }
    begin--;
    return lead_length((unsigned char)text[begin], &low, &high) == len - begin
               ? len
               : begin;
}

/* Writes the safe name, cut to at most room bytes. */
static size_t compose(char *out, walker w, size_t end, size_t suffix,
                      size_t room)
{
    size_t len;

    if (end <= room) {
        len = write_range(out, w, 0, end);
    }
    else if (end - suffix > 0 && end - suffix <= SUFFIX_MAX) {
        len = whole(out, write_range(out, w, 0, room - (end - suffix)));
        len += write_range(out + len, w, suffix, end);
    }
    else {
        len = whole(out, write_range(out, w, 0, room));
        while (len > 0 && (out[len - 1] == '.' || out[len - 1] == '_')) {
            len--;
        }
    }
    out[len] = '\0';
    return len;
}

static size_t make_safe(char *out, walker w)
{
    size_t end;
    size_t suffix;
    size_t len;

    measure(w, &end, &suffix);
    if (end == 0) {
        memcpy(out, "file", 5);
        return 4;
    }
    len = compose(out, w, end, suffix, UPOOL_SAFE_NAME_MAX);
    if (is_device(out)) {
        out[0] = '_';
        len = compose(out + 1, w, end, suffix, UPOOL_SAFE_NAME_MAX - 1) + 1;
    }
    return len;
}

size_t upool_names_safe(char *out, const char *name)
{
    return make_safe(out, walk(name, 0));
}

size_t upool_names_safe_utf8(char *out, const char *name)
{
    return make_safe(out, walk(name, 1));
}

int upool_names_is_callback(const char *name)
{
    size_t i;

    for (i = 0; name[i] != '\0'; i++) {
        char c = name[i];
        int digit = c >= '0' && c <= '9';

        if (i == 64
            || (!is_alnum(c) && c != '_' && c != '$' && (c != '.' || i == 0))
            || (digit && i == 0)) {
            return 0;
        }
    }
    return i > 0;
}
