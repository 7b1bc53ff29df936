/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FACTS_H
#define UPOOL_UPLOAD_FACTS_H

/* What an application is told about a file instead of its bytes (UploadPassAs
 * fields): names and values with escapes, as in mod_log_config.
 *
 *   %{field}        name of the form's field, as a whole
 *   %{stem}         of it, what stands before the first "["
 *   %{brackets}     and the rest, from there on
 *   %{filename}     as the client sent it
 *   %{safe-filename}
 *   %{content-type} without parameters
 *   %{charset}      its charset parameter
 *   %{size}         bytes
 *   %{number}       of the file in the upload, from 0
 *   %{identifier}   of the upload, without signature
 *   %{path}         absolute, of a file in the pool
 *   %{content}      the bytes of a file in memory (UploadInline)
 *   %{location}     what the handler that keeps the file elsewhere says of it
 *   %{md5} %{sha-1} %{sha-256} %{sha-512} %{crc32}
 *   %%              a percent sign
 *
 * An escape without a value is empty.  No state; any thread. */

#include "store/record.h"

/* One UploadPassField. */
typedef struct upool_facts_pair {
    const char *name;
    const char *value;
} upool_facts_pair;

/* NULL where format is good, else what is wrong with it, in p. */
const char *upool_facts_check(const char *format, apr_pool_t *p);

/* The file that the text is about. */
typedef struct upool_facts_of {
    const upool_file *file;
    int number;
    const char *identifier;
    const char *bucket; /* absolute path of its directory */
} upool_facts_of;

/* The text of a good format, *len bytes with a NUL behind them, in p. */
const char *upool_facts_text(const char *format, const upool_facts_of *of,
                             apr_size_t *len, apr_pool_t *p);

/* The pairs for that file (of upool_facts_pair) where none is configured:
 * NAME_name, NAME_type, NAME_size, NAME_path (NAME_content, NAME_location) and
 * NAME_ALG for every digest, where NAME is the field's and brackets stay at the
 * end, or PHP would make one list of all. */
const apr_array_header_t *upool_facts_default(const upool_file *file,
                                              apr_pool_t *p);

/* 1 when a client's field of that name could be taken for one that says where a
 * file is: a pair in pairs (NULL: the default ones) with a path, a location or
 * a content in its value can have that name.  Names are compared as by software
 * that takes ".", "_" and a blank for the same (PHP). */
int upool_facts_is_forged(const char *field, const apr_array_header_t *pairs);

#endif
