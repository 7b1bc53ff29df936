/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_CORS_H
#define UPOOL_FRONT_CORS_H

/* UploadCORS: pages of other origins may upload here (Fetch, "CORS protocol").
 *
 * Only answers that the module gives, or that follow an upload, get the
 * headers: uploads, their status and their application's answer, errors of all
 * kinds, and preflights.  Other requests of the context, and origins that are
 * not named, are treated as if there were no UploadCORS.  Such headers set by
 * mod_headers or the application give way, since browsers refuse an answer with
 * two of a kind. */

#include "config/config.h"

/* Once, when the module's hooks are registered. */
void upool_cors_register(void);

/* Before access is checked, in a context with a pool: notes whether the answer
 * to r will have the headers.  1: r is a preflight, to be answered with 204 and
 * only these headers. */
int upool_cors_request(request_rec *r, const upool_dir_conf *conf);

/* insert_filter and insert_error_filter hook: adds the filter that sets the
 * headers. */
void upool_cors_insert(request_rec *r);

#endif
