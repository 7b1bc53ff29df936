/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RESUMABLE_STATE_H
#define UPOOL_STORE_RESUMABLE_STATE_H

/* A look at an upload of several requests that is on its way: at its data file
 * and at resumable.json, unless that only tells where the complete upload came
 * from.  Nothing here changes the disk or waits; no state, any thread. */

#include "store/record.h"
#include "store/resumable.h"
#include "store/store.h"

typedef struct upool_resumable_state {
    upool_resumable *about;
    apr_off_t size;      /* of the data file; with gaps: up to its last byte */
    apr_time_t activity; /* the newest of file and document */
} upool_resumable_state;

/* complete: what metadata.json says, or NULL.  APR_SUCCESS; APR_ENOENT: there
 * is none, or it is complete; APR_EGENERAL: it can never be completed (damaged,
 * or its data file is gone); else the system's error. */
apr_status_t upool_resumable_state_look(upool_resumable_state *found,
                                        int directory, const char *id,
                                        const upool_record *complete,
                                        apr_pool_t *p);

/* 1: complete is the upload that about describes. */
int upool_resumable_state_is_past(const upool_resumable *about,
                                  const upool_record *complete);

/* Where the next byte without a gap belongs; bytes behind that must not be
 * trusted.  size: of the data file. */
apr_off_t upool_resumable_state_offset(const upool_resumable *about,
                                       apr_off_t size);

/* 1 when it is a whole part of a concatenation: it waits for its siblings, and
 * only a sweep can tell when it waits in vain (siblings.h). */
int upool_resumable_state_waits(const upool_resumable *about, apr_off_t size);

/* How many bytes are there. */
apr_off_t upool_resumable_state_held(const upool_resumable *about,
                                     apr_off_t size);

/* Is somebody writing to the data file of that name?  APR_SUCCESS: nobody, or
 * there is none; APR_EBUSY; else the system's: then somebody may. */
apr_status_t upool_resumable_state_writer(int directory, const char *stored);

/* APR_EBUSY when it is in the way of others: somebody writes to it, it was
 * touched after deadline, or it waits for siblings; APR_SUCCESS when not; else
 * the system's error.  A tus "final" upload whose making has stopped is not in
 * the way for long. */
apr_status_t upool_resumable_state_judge(const upool_resumable_state *found,
                                         int directory, apr_time_t deadline);

#endif
