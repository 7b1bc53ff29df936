/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_T_LINEAR_SHAPES_H
#define UPOOL_T_LINEAR_SHAPES_H

/* Bodies that made one parser or another search again what it had searched:
 * promises P2 and P3.  Each is a unit that repeats, between what stands once
 * before and once behind, so that any length can be had. */

#include "parse/multipart.h"

#include <stddef.h>
#include <string.h>

#define SHAPES_USUAL "----WebKitFormBoundary7MA4YWxkTrZu0gW"
#define SHAPES_EQUAL \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHAPES_FIELD "Content-Disposition: form-data; name=\"f\"\r\n"
#define SHAPES_FILE \
    "Content-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n"

typedef struct shape {
    const char *name;
    const char *boundary;
    const char *before; /* %: "--" and the boundary */
    const char *unit;   /* the same; NULL: every prefix of the delimiter */
    const char *behind; /* the same */
} shape;

#define SHAPES_PART "%\r\n" SHAPES_FILE
#define SHAPES_END "\r\n%--\r\n"
#define SHAPES_IN_FILE(title, boundary, unit) \
    { \
        title, boundary, SHAPES_PART, unit, SHAPES_END \
    }

/* clang-format off */
static const shape shapes[] = {
    SHAPES_IN_FILE("CR", SHAPES_USUAL, "\r"),
    SHAPES_IN_FILE("LF", SHAPES_USUAL, "\n"),
    SHAPES_IN_FILE("CR LF", SHAPES_USUAL, "\r\n"),
    SHAPES_IN_FILE("CR LF dash dash", SHAPES_USUAL, "\r\n--"),
    SHAPES_IN_FILE("dashes", SHAPES_USUAL, "-"),
    SHAPES_IN_FILE("delimiter but its last byte", SHAPES_USUAL,
                   "\r\n------WebKitFormBoundary7MA4YWxkTrZu0g!"),
    SHAPES_IN_FILE("delimiter but a middle byte", SHAPES_USUAL,
                   "\r\n------WebKitFormBo!ndary7MA4YWxkTrZu0gW"),
    SHAPES_IN_FILE("every prefix of the delimiter", SHAPES_USUAL, NULL),
    /* CVE-2016-3092: a boundary of which each suffix is a prefix. */
    SHAPES_IN_FILE("the letter of an equal boundary", SHAPES_EQUAL, "a"),
    SHAPES_IN_FILE("69 of 70 equal letters", SHAPES_EQUAL,
                   "\r\n--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                   "aaaaaaaaaaaaaaaa!"),
    SHAPES_IN_FILE("a boundary of one letter", "b", "\r\n--\r\n--"),
    /* CVE-2023-46136: begins with a line end, and then none. */
    { "a line end, then none", SHAPES_USUAL, SHAPES_PART "\r\n", "x",
      SHAPES_END },
    { "tiny fields", "b", "", "%\r\n" SHAPES_FIELD "\r\nv\r\n", "%--\r\n" },
    { "tiny files", "b", "", "%\r\n" SHAPES_FILE "v\r\n", "%--\r\n" },
    { "empty files", "b", "", "%\r\n" SHAPES_FILE "\r\n", "%--\r\n" },
    { "parts of 32 header lines", "b", "",
      "%\r\n" SHAPES_FIELD "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
      "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
      "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
      "A:\r\n\r\nv\r\n", "%--\r\n" },
    /* CVE-2023-45290: one line without end. */
    { "one header line", "b", "%\r\nX: ", "y",
      "\r\n" SHAPES_FIELD "\r\nv" SHAPES_END },
    { "one header line of colons", "b", "%\r\n" SHAPES_FIELD "X: ", ":",
      "\r\n\r\nv" SHAPES_END },
    { "a preamble", SHAPES_USUAL, "", "preamble \r\n--",
      "\r\n" SHAPES_PART "v" SHAPES_END },
    { "a preamble of delimiters but their last byte", SHAPES_USUAL, "",
      "\r\n------WebKitFormBoundary7MA4YWxkTrZu0g!",
      "\r\n" SHAPES_PART "v" SHAPES_END },
    { "an epilogue", SHAPES_USUAL, SHAPES_PART "v" SHAPES_END,
      "\r\n------WebKitFormBoundary7MA4YWxkTrZu0g", "" },
    { "blanks behind a boundary", "b", "%", " \t",
      "\r\n" SHAPES_FILE "v" SHAPES_END },
};
/* clang-format on */

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* The text with its boundaries; bytes written. */
static size_t shapes_text(char *out, const char *text, const char *boundary)
{
    char *at = out;

    for (; *text != '\0'; text++) {
        if (*text == '%') {
            *at++ = '-';
            *at++ = '-';
            memcpy(at, boundary, strlen(boundary));
            at += strlen(boundary);
        }
        else {
            *at++ = *text;
        }
    }
    return (size_t)(at - out);
}

/* What repeats; out has room for 4,096 bytes. */
static size_t shapes_unit(char *out, const shape *s)
{
    char delimiter[UPOOL_BOUNDARY_MAX + 5] = "\r\n--";
    size_t len = 0;
    size_t i;

    if (s->unit != NULL) {
        return shapes_text(out, s->unit, s->boundary);
    }
    memcpy(delimiter + 4, s->boundary, strlen(s->boundary) + 1);
    for (i = 1; i < strlen(delimiter); i++) {
        memcpy(out + len, delimiter, i);
        len += i;
    }
    return len;
}

/* The whole body, about so many bytes: size, and 16 KiB at most; what it has.
 * It is one that the parser takes when nothing is limited. */
static size_t shapes_body(char *out, const shape *s, size_t size)
{
    char unit[4096];
    size_t unit_len = shapes_unit(unit, s);
    size_t len = shapes_text(out, s->before, s->boundary);

    while (len < size) {
        memcpy(out + len, unit, unit_len);
        len += unit_len;
    }
    return len + shapes_text(out + len, s->behind, s->boundary);
}

#define SHAPES_ROOM(size) ((size) + 16384)

/* Limits that limit nothing. */
static const upool_multipart_limits shapes_limits = {
    (size_t)-1 / 4, (size_t)-1 / 4, (size_t)-1 / 4, (size_t)-1 / 4
};

#endif
