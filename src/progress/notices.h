/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_NOTICES_H
#define UPOOL_PROGRESS_NOTICES_H

/* What is told once a minute, whichever process finds it: when it was told
 * last, for a few dozens of subjects. Memory that processes share, all zero at
 * first. Where there are more subjects one may be told more often.  And what is
 * told once until the server is started again: of more subjects than there is
 * room for, nothing.
 *
 * * Any thread of any process. */

#include <apr_time.h>

#define UPOOL_NOTICES 64

typedef struct upool_notices {
    apr_uint64_t told[UPOOL_NOTICES]; /* seconds and a hash of the subject */
    apr_uint64_t ever[UPOOL_NOTICES]; /* hashes; 0: free */
} upool_notices;

/* 1 when the subject was not told within a minute before now. */
int upool_notices_is_due(const upool_notices *notices, const char *subject,
                         apr_time_t now);

/* It is about to be told: 1 for the one who is to, 0 when another has. */
int upool_notices_take(upool_notices *notices, const char *subject,
                       apr_time_t now);

/* It is about to be told for good: 1 for the one who is to, 0 when it has been
 * told. */
int upool_notices_once(upool_notices *notices, const char *subject);

/* Forgets what was told for good. */
void upool_notices_renew(upool_notices *notices);

#endif
