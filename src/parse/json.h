/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_JSON_H
#define UPOOL_PARSE_JSON_H

/* Writes JSON (RFC 8259) from front to back into a buffer of the caller, with
 * nothing built in between: an upload's few hundred bytes of it cost less than
 * the tree that a library would make of them.  Like snprintf() it counts on
 * where the room ends, so that the caller can come again with as much as it
 * takes.
 *
 * Whatever clients send, the text is valid JSON: what is not UTF-8 is left out
 * and counted, with the member that it would have been.  The caller sees to it
 * that objects are closed in order and name no member twice.  No memory of its
 * own, no state; any thread. */

#include <stddef.h>
#include <stdint.h>

typedef enum upool_json_style {
    UPOOL_JSON_COMPACT, /* UTF-8 as it is, no blanks */
    UPOOL_JSON_SHOWN    /* ASCII, without < > &: harmless inside a page or a
                           script; a blank after each comma and colon */
} upool_json_style;

typedef struct upool_json {
    char *out;
    size_t room;
    size_t len; /* what it takes; more than room: out is cut.  (size_t)-1: more
                   than can be counted */
    upool_json_style style;
    int comma; /* the next member is not the first */
    int bad;   /* members left out, for they were NULL or not UTF-8 */
} upool_json;

/* Writes to out from now on, which may be NULL where room is 0. */
void upool_json_begin(upool_json *json, char *out, size_t room,
                      upool_json_style style);

/* In all of these key is the member's name, NULL inside an array. */

/* bracket: '{' or '[', later its counterpart. */
void upool_json_open(upool_json *json, const char *key, char bracket);
void upool_json_close(upool_json *json, char bracket);

/* What is no text is left out and counted. */
void upool_json_text(upool_json *json, const char *key, const char *text);
/* NULL becomes null. */
void upool_json_text_or_null(upool_json *json, const char *key,
                             const char *text);
/* A text in which NUL may stand. */
void upool_json_bytes(upool_json *json, const char *key, const char *text,
                      size_t len);
void upool_json_number(upool_json *json, const char *key, int64_t number);
void upool_json_null(upool_json *json, const char *key);
/* Any bytes, as a text in base64 (RFC 4648 4). */
void upool_json_base64(upool_json *json, const char *key, const char *data,
                       size_t len);

#endif
