/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_REPLY_H
#define UPOOL_HTTPD_REPLY_H

/* The answers that the module gives itself. */

#include "httpd/request.h"

/* 1 when the client wants JSON: it names application/json in Accept, or sends
 * X-Requested-With (contract 5). */
int upool_reply_wants_json(const request_rec *r);

/* Keeps an answer out of caches: control is its Cache-Control, static text.
 * mod_cache does not store it even where it is told to ignore that header. */
void upool_reply_uncached(request_rec *r, const char *control);

/* Sends text as application/json with status, or as JSONP where callback is
 * given.  Never cached.  Returns a handler's return value. */
int upool_reply_json(request_rec *r, int status, const char *text,
                     const char *callback);

/* The same for text of any type, without JSONP; "" for no body at all.  Headers
 * of the protocol are put into r->headers_out before. */
int upool_reply_text(request_rec *r, int status, const char *type,
                     const char *text);

/* Logs the refusal, once, and settles the connection, for a request that
 * httpd has answered itself. */
void upool_reply_note(request_rec *r, upool_request *rq,
                      const upool_refusal *refusal);

/* Logs the refusal, once, and answers it: with JSON, or with the status for
 * httpd's own error page.  Settles the connection: the rest of a large body is
 * not waited for.  Returns a handler's return value. */
int upool_reply_refusal(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal);

/* The same for a front with a form of its own for errors: answers with status
 * (which may differ from the refusal's) and text as upool_reply_text() does. */
int upool_reply_refusal_as(request_rec *r, upool_request *rq,
                           const upool_refusal *refusal, int status,
                           const char *type, const char *text);

#endif
