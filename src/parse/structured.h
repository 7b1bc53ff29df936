/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_STRUCTURED_H
#define UPOOL_PARSE_STRUCTURED_H

/* Structured fields (RFC 9651): items and dictionaries, read to their end by
 * the whole grammar.
 *
 * A field that does not parse means nothing at all, and what looks like a value
 * in it may be part of a string; so nothing in it is believed before its end
 * has been seen.  Parameters are read and then forgotten, since no field that
 * we know gives them a meaning.  A field that a client sent on several lines
 * arrives joined with commas, so an item sent twice does not parse as an item.
 *
 * Integers have 15 digits at most (3.3.1): they fit any long long, and two of
 * them can be added without overflow.  Pure, linear, without recursion; any
 * thread. */

#include <stddef.h>

typedef enum upool_structured_type {
    UPOOL_STRUCTURED_INTEGER = 1,
    UPOOL_STRUCTURED_DECIMAL,
    UPOOL_STRUCTURED_STRING,
    UPOOL_STRUCTURED_TOKEN,
    UPOOL_STRUCTURED_BYTES,
    UPOOL_STRUCTURED_BOOLEAN,
    UPOOL_STRUCTURED_DATE,
    UPOOL_STRUCTURED_DISPLAY,
    UPOOL_STRUCTURED_LIST /* an inner list, as a member of a dictionary */
} upool_structured_type;

typedef struct upool_structured_value {
    upool_structured_type type;
    long long number; /* of an INTEGER or a DATE; 0 or 1 of a BOOLEAN */
    const char *text; /* as written, quotes and colons included */
    size_t len;
} upool_structured_value;

/* Reads one item with its parameters and nothing behind it (4.2, "item").
 * Returns 0, or -1 where the field is not an item (then *value is
 * undefined). */
int upool_structured_item(const char *text, size_t len,
                          upool_structured_value *value);

/* A reader of a dictionary (4.2.2): at moves towards end. */
typedef struct upool_structured {
    const char *at;
    const char *end;
    int more; /* a comma has been read, so that another member must come */
} upool_structured;

typedef struct upool_structured_member {
    const char *key;
    size_t key_len;
    upool_structured_value value; /* true where none is written */
} upool_structured_member;

void upool_structured_open(upool_structured *reader, const char *text,
                           size_t len);

/* Reads the next member.  Returns 1 when *member was filled, 0 at the end, -1
 * where the text is not a dictionary: then nothing that was read counts.  If a
 * key comes twice the last one counts; the caller has to see to that. */
int upool_structured_next(upool_structured *reader,
                          upool_structured_member *member);

/* 1 where key is the member's key. */
int upool_structured_key_is(const upool_structured_member *member,
                            const char *key);

/* Decodes a BYTES value, max bytes of it at most.  Returns how many bytes it
 * has, which may be more than max. */
size_t upool_structured_bytes(const upool_structured_value *value,
                              unsigned char *bytes, size_t max);

#endif
