/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_KNOWN_H
#define UPOOL_FRONT_KNOWN_H

/* What is known of an identifier, wherever it is known. */

#include "httpd/request.h"

/* The record of rq's identifier: from the progress table, else from the pool.
 * An upload whose process has died reads as error.
 * @return NULL where nothing is known, or with *refusal set where the pool
 *         cannot be asked */
upool_record *upool_known_find(request_rec *r, const upool_request *rq,
                               upool_refusal *refusal);

/* 1 when the one who asks may touch it (UploadOwner). */
int upool_known_is_mine(const upool_record *record, const upool_request *rq);

#endif
