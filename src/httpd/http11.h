/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_HTTP11_H
#define UPOOL_HTTPD_HTTP11_H

/* UploadPark Always: an upload that a browser begins over HTTP/2 is repeated
 * over HTTP/1.1, where it can be parked.
 *
 * An upload over HTTP/2 holds a worker of the MPM for its connection and one of
 * mod_http2 for its stream as long as it lasts. mod_http2 ends a stream with
 * the error HTTP_1_1_REQUIRED (RFC 9113 7) when its answer is 403 and the
 * request's notes have "ssl-renegotiate-forbidden", which is how mod_ssl asks
 * for a client certificate.  A browser then repeats the request over HTTP/1.1
 * by itself, and its page does not notice.
 *
 * Only browsers are asked to repeat: they alone send Sec-Fetch-Mode (Fetch
 * Metadata), and only they do it reliably; curl gives up on many requests whose
 * body is on its way.  Only requests with a length are: a browser cannot repeat
 * a stream.  Only long ones are: a body that fits into the first flow-control
 * window is here already. */

#include "httpd/request.h"

/* 1 where the request's upload should come again over HTTP/1.1: it is a stream
 * of HTTP/2, from a browser, longer than UploadPark Always allows, and this
 * child could park it.  Asked before the body is read. */
int upool_http11_is_wanted(const request_rec *r, const upool_request *rq);

/* Answers r so that mod_http2 ends its stream with HTTP_1_1_REQUIRED: returns
 * what the handler returns. */
int upool_http11_require(request_rec *r, upool_request *rq);

/* post_config: says, once for each server, where UploadPark Always cannot do
 * what it says. */
void upool_http11_check(server_rec *s);

#endif
