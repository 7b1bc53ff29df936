/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_LOOKUP_H
#define UPOOL_HTTPD_LOOKUP_H

/* What is known of an identifier, wherever it is stored. */

#include "httpd/request.h"

/* The pool of rq's context, opened once.  NULL, with *refusal set. */
upool_store *upool_known_store(request_rec *r, upool_request *rq,
                               upool_refusal *refusal);

/* The record of rq's identifier: from the progress table, else from the pool.
 * An upload whose process has died reads as error.
 * @return NULL where nothing is known, or with *refusal set where the pool
 *         cannot be asked */
upool_record *upool_known_find(request_rec *r, upool_request *rq,
                               upool_refusal *refusal);

/* 1 when the client of rq may touch it (UploadOwner). */
int upool_known_is_mine(const upool_record *record, const upool_request *rq);

/* The same record as the client of rq may see it: a stranger's upload, one that
 * has expired and none at all look alike (promise I4). *expires is when it
 * goes. */
upool_record *upool_known_visible(request_rec *r, upool_request *rq,
                                  apr_time_t *expires, upool_refusal *refusal);

/* Deletes rq's upload, and cancels it when it is coming in; success where there
 * is none.  The caller has checked the owner. */
apr_status_t upool_known_clear(request_rec *r, const upool_request *rq,
                               upool_store *store);

#endif
