/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_FILTER_H
#define UPOOL_HTTPD_FILTER_H

/* The input filter.  It stands among the resource filters, so mod_deflate and
 * its like have already decoded what it sees.  While an upload is taken in, the
 * drive pulls through it from the filters behind; afterwards it gives its
 * reader what stands in for the body.  Anybody else who reads in between gets
 * an error, never the upload's bytes. */

#include "httpd/request.h"

#define UPOOL_FILTER_NAME "UPLOAD_POOL"

/* Once, when the module's hooks are registered. */
void upool_filter_register(void);

/* insert_filter hook: adds the filter for an upload, and again for a request
 * that an upload was internally redirected to. */
void upool_filter_insert(request_rec *r);

/* The handler is about to run, and our filter gives the body: it becomes the
 * place where the body begins, which otherwise the filters of the protocol are.
 * Where a filter in between could change the length of the body, mod_proxy_http
 * writes it to a file of its own before it sends it; ours does not change it.
 * Does nothing where another filter stands in front of ours. */
void upool_filter_settle(request_rec *r);

/* Called before anything is read: takes mod_request's keeper of bodies out of
 * the request's filters, where it is one of them; rq->keeps_body tells. */
void upool_filter_replace_keeper(upool_request *rq);

/* Called before anything is read: content codings are part of the upload here,
 * so filters that would decode it are taken out. */
void upool_filter_keep_coded(const upool_request *rq);

/* 1 where a filter of this request can only be read in the blocking way: a
 * PerlInputFilterHandler dies of "not now", which it gets as an error. */
int upool_filter_only_blocks(const upool_request *rq);

/* Pulls once from the filters behind ours into rq->body->pulled.
 * @return as ap_get_brigade(); an empty brigade with success means that a
 *         non-blocking pull found nothing */
apr_status_t upool_filter_pull(upool_request *rq, apr_read_type_e block,
                               apr_off_t bytes);

#endif
