/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_ANSWER_H
#define UPOOL_STORE_ANSWER_H

/* What the application has answered to a complete upload, kept in its bucket
 * for a short time: answer.json.
 *
 *   { "version": 1,
 *     "created": 1732186500123456,   the upload's, so that an earlier one of
 *                                    the same identifier does not answer
 *     "answered": 1732186512345678,  microseconds since 1970 (UTC)
 *     "status": 201,
 *     "headers": [ ["Content-Type", "text/html"], … ],
 *     "body": "base64" }             null: it was too long
 *
 * Only the holder of the run (run.h) writes it.  Reading is strict, as for
 * metadata.json.  No state; any thread. */

#include <apr_tables.h>
#include <apr_time.h>

/* Longest body, and longest sum of names and values, that is kept. */
#define UPOOL_ANSWER_BODY_MAX 65536
#define UPOOL_ANSWER_HEADERS_MAX 16384
/* How long it is given again. */
#define UPOOL_ANSWER_KEPT apr_time_from_sec(600)

typedef struct upool_answer {
    int status; /* HTTP, 200 to 599; 0: none */
    int final;  /* 0: the application shall run again */
    apr_time_t answered;
    apr_table_t *headers; /* NULL: nothing but the status is known */
    const char *body;     /* len bytes; NULL: not known */
    apr_size_t len;
} upool_answer;

/* The text of the document, len bytes, from malloc(): the caller frees it.
 * APR_EINVAL, and *text is NULL: headers that are not UTF-8, more of them than
 * fit, or a body that is too long; or APR_ENOMEM.  final is not written. */
apr_status_t upool_answer_encode(char **text, apr_size_t *len,
                                 const upool_answer *answer, apr_time_t created,
                                 apr_pool_t *p);
/* Reads it, into p; final is 1.  APR_EGENERAL, and nothing is touched: it is
 * not an answer that we wrote. */
apr_status_t upool_answer_decode(upool_answer *answer, apr_time_t *created,
                                 const char *text, apr_size_t len,
                                 apr_pool_t *p);

/* Writes it into the bucket's directory.  Errors as of encode(), or the
 * system's. */
apr_status_t upool_answer_save(const upool_answer *answer, int directory,
                               apr_time_t created, apr_pool_t *p);

/* Reads it, as decode().  APR_ENOENT: there is none, or it is another upload's,
 * or older than now - UPOOL_ANSWER_KEPT; APR_EGENERAL: not an answer that we
 * wrote; else the system's error.  On an error answer is untouched. */
apr_status_t upool_answer_load(upool_answer *answer, int directory,
                               apr_time_t created, apr_time_t now,
                               apr_pool_t *p);

/* Removes it if it was written before that time. */
void upool_answer_forget(int directory, apr_time_t before);

#endif
