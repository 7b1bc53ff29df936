/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_SUBSTITUTE_H
#define UPOOL_HTTPD_SUBSTITUTE_H

/* The request that the application sees instead of the upload (contract 3),
 * and the marks by which it knows that the module made it. */

#include "httpd/request.h"

/* A name for SetHandler: the module's own handler, which answers with the
 * upload's status. */
#define UPOOL_HANDLER_NAME "upload-pool"

/* Removes what only the module may set: X-Upload-* headers, also spelled with
 * underscores, and UPLOAD_POOL_* variables. */
void upool_substitute_strip(request_rec *r);

/* Keeps the original values of the headers that the substitution changes, as
 * X-Upload-…, before any filter touches them. */
void upool_substitute_set_aside(request_rec *r, upool_request *rq);

/* Removes the headers that a request of another protocol has and a form's has
 * not: its offsets, lengths and versions; conditions and ranges, which concern
 * the upload's resource; another method's name, which frameworks obey. */
void upool_substitute_drop_protocol(request_rec *r);

/* The upload is done: makes the body that stands in for it (httpd/handoff.h),
 * exchanges the headers and sets the environment.  The module's own handler
 * reads no body, so it gets an empty one.  With KeptBodySize a sub-request
 * inherits the headers and reads what was kept, so the kept body becomes the
 * one that the headers describe.  0; or 1 with *refusal set. */
int upool_substitute_request(request_rec *r, upool_request *rq,
                             upool_refusal *refusal);

/* Runs the handler of target, a local URL, for an upload that is done. */
void upool_substitute_redirect(request_rec *r, const char *target);

/* post_read_request hook, for the request that upool_substitute_redirect()
 * makes. mod_rewrite's rules are to see a new request: "RewriteCond
 * %{ENV:REDIRECT_STATUS} ^$" is how front controllers recognise their own
 * redirects.  DECLINED. */
int upool_substitute_begin(request_rec *r);

/* Sets the environment of a finished upload for r, which may be a request that
 * rq's was redirected to. */
void upool_substitute_export(request_rec *r, const upool_request *rq);

/* Sets UPLOAD_POOL_URL and, with UploadMint, UPLOAD_POOL_NEW_IDENTIFIER: the
 * values of the request before a redirect where that was in a context, else
 * those of conf, if it is a context. */
void upool_substitute_export_context(request_rec *r,
                                     const upool_dir_conf *conf);

#endif
