/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_ASKED_H
#define UPOOL_PROGRESS_ASKED_H

/* Identifiers that somebody keeps asking for although nothing is known of them:
 * since when, for some hundreds.  Memory that processes share, all zero at
 * first.  One of two that meet in a place is forgotten, and a stranger who asks
 * for many forgets all: what is found here is a hint.
 *
 * * Any thread of any process. */

#include <apr_time.h>

#define UPOOL_ASKED 512

typedef struct upool_asked {
    apr_uint64_t words[UPOOL_ASKED]; /* see asked.c */
} upool_asked;

/* Somebody has asked for id and was told that nothing is known. */
void upool_asked_note(upool_asked *asked, const char *id, apr_time_t now);

/* For how many whole seconds before now id has been asked for, the last time a
 * moment ago; 0: it was not, or once. */
unsigned upool_asked_for(const upool_asked *asked, const char *id,
                         apr_time_t now);

#endif
