/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_ASKED_H
#define UPOOL_PROGRESS_ASKED_H

/* Remembers identifiers that somebody keeps asking for although nothing is
 * known of them, and since when, for some hundreds.  The memory is shared by
 * processes and all zero at first.  When two identifiers meet in a place, one
 * is forgotten, and a client that asks for many makes it forget all: an answer
 * from here is only a hint.
 *
 * * Any thread of any process. */

#include <apr_time.h>

#define UPOOL_ASKED 512

typedef struct upool_asked {
    apr_uint64_t words[UPOOL_ASKED]; /* see asked.c */
} upool_asked;

/* Somebody has asked for id and was told that nothing is known. */
void upool_asked_note(upool_asked *asked, const char *id, apr_time_t now);

/* For how many whole seconds up to now id has been asked for, if it was last
 * asked for a moment ago; 0: it was not, or only once. */
unsigned upool_asked_for(const upool_asked *asked, const char *id,
                         apr_time_t now);

#endif
