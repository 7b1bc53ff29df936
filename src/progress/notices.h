/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_NOTICES_H
#define UPOOL_PROGRESS_NOTICES_H

/* Remembers what was told (logged) and when, so that each subject is told once
 * a minute, whichever process finds it, for a few dozen subjects; if there are
 * more, one may be told more often.  It also remembers what is told only once
 * until the server is started again; subjects for which there is no room are
 * then not told at all.  The memory is shared by processes and all zero at
 * first.
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

/* To be called before telling: 1: the caller shall tell it; 0: another has. */
int upool_notices_take(upool_notices *notices, const char *subject,
                       apr_time_t now);

/* To be called before telling what is told only once: 1: the caller shall tell
 * it; 0: it has been told. */
int upool_notices_once(upool_notices *notices, const char *subject);

/* Forgets what is told only once. */
void upool_notices_renew(upool_notices *notices);

#endif
