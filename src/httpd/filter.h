/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_FILTER_H
#define UPOOL_HTTPD_FILTER_H

/* The input filter. It stands among the resource filters, so mod_deflate and
 * its like have already decoded what it sees. While an upload is taken in, the
 * drive pulls through it, from the filters behind; afterwards it hands what
 * stands in for the body to whoever reads. Whoever else reads in between gets
 * an error, never the upload's bytes. */

#include "httpd/request.h"

#define UPOOL_FILTER_NAME "UPLOAD_POOL"

/* Once, when the module's hooks are registered. */
void upool_filter_register(void);

/* insert_filter hook: adds the filter for an upload, and again for a request
 * that an upload was internally redirected to. */
void upool_filter_insert(request_rec *r);

/* The handler is about to run, and our filter gives the body: it is where the
 * body begins, as the filters of the protocol are otherwise.  mod_proxy_http
 * writes the body to a file of its own before it sends it where a filter in
 * between could change its length; ours does not.  Does nothing where another
 * filter stands in front of it. */
void upool_filter_settle(request_rec *r);

/* Before anything is read: takes mod_request's keeper of bodies out of the
 * request's filters, where it is one of them; rq->keeps_body tells. */
void upool_filter_replace_keeper(upool_request *rq);

/* Before anything is read: content codings are part of what is uploaded, so
 * what would decode it is taken out. */
void upool_filter_keep_coded(const upool_request *rq);

/* 1 where a filter of this request can be read in the blocking way alone: a
 * PerlInputFilterHandler dies of "not now", which it gets as an error. */
int upool_filter_only_blocks(const upool_request *rq);

/* Pulls once from the filters behind ours into rq->body->pulled.
 * @return as ap_get_brigade(); an empty brigade with success means that a
 *         non-blocking pull found nothing */
apr_status_t upool_filter_pull(upool_request *rq, apr_read_type_e block,
                               apr_off_t bytes);

#endif
