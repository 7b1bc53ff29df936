/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_MEMBERS_H
#define UPOOL_STORE_MEMBERS_H

/* Common code for this room's JSON documents: the members of a file, and strict
 * reading: exactly the members asked for, each once, each of its type and
 * range.  No text read here is trusted: somebody who can write into the pool
 * must gain no path, no crash and no endless work from it.
 *
 * No files, no state; any thread. */

#include <jansson.h>

#include "store/record.h"

/* Longest text of a document that is written or read: thousands of files with
 * long names. */
#define UPOOL_MEMBERS_MAX ((apr_size_t)32 * 1024 * 1024)

/* Values for json_object_set_new(), which reports a NULL: text is not UTF-8, or
 * memory ran out. */
json_t *upool_members_text_or_null(const char *text);
json_t *upool_members_number(apr_int64_t n);

/* The object of one file (drawn in metadata.h); NULL also when it could not be
 * read back. */
json_t *upool_members_file(const upool_file *file);

/* The text of root, which it lets go of: len bytes and no NUL behind it, from
 * malloc(): the caller frees *text, which is NULL on failure.  APR_EINVAL: root
 * is NULL, since a value could not be read back; EFBIG: longer than
 * UPOOL_MEMBERS_MAX; APR_ENOMEM. */
apr_status_t upool_members_dump(char **text, apr_size_t *len, json_t *root);

/* Takes the members of one object by name.  The first wrong member makes the
 * reader bad; a member that was not taken shows in the count. */
typedef struct upool_reader {
    const json_t *object;
    apr_pool_t *p; /* texts are copied into it */
    size_t taken;
    int bad;
} upool_reader;

upool_reader upool_reader_of(const json_t *object, apr_pool_t *p);

/* 1: nothing was bad, and every member was taken. */
int upool_reader_done(const upool_reader *in);

/* The member; NULL (and bad) where there is none. */
const json_t *upool_reader_take(upool_reader *in, const char *key);

/* A text; "" where bad.  The second also accepts null. */
const char *upool_reader_text(upool_reader *in, const char *key);
const char *upool_reader_text_or_null(upool_reader *in, const char *key);

/* Counts and times: nothing here is negative. */
apr_int64_t upool_reader_number(upool_reader *in, const char *key);

/* A number, or null: -1. */
apr_off_t upool_reader_size(upool_reader *in, const char *key);

/* Reads what upool_members_file() has written: 1, or 0 where it is anything
 * else. */
int upool_reader_file(upool_file *file, const json_t *object, apr_pool_t *p);

#endif
