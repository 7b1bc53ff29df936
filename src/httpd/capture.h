/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CAPTURE_H
#define UPOOL_HTTPD_CAPTURE_H

/* The application's answer to an upload that came in several requests, on its
 * way to the client.  An output filter, whoever made the answer (CGI, PHP, a
 * proxied server, httpd's own error page): it keeps what the application said,
 * for when the same request comes again, and lets the protocol add its headers
 * and change the status.
 *
 * It stands behind what makes the content and before what codes it (mod_deflate
 * and its like), so what is kept suits every client.  An application may end
 * its answer though the client is gone: what it says then is kept too. */

#include "httpd/request.h"
#include "store/run.h"

/* Where the answer's head is made, once: see answer() in proto/protocol.h. */
typedef int upool_answer_map(request_rec *r, upool_request *rq, int has_body);

/* Once, when the module's hooks are registered. */
void upool_answer_register(void);

/* insert_filter and insert_error_filter hooks: add the filter to what r was
 * redirected to. */
void upool_answer_insert(request_rec *r);
void upool_answer_insert_error(request_rec *r);

/* The application is about to run for rq, whose answer map() is to see; run
 * is told of it.  All live in r->pool. */
void upool_answer_await(request_rec *r, upool_request *rq,
                        upool_answer_map *map, upool_run *run);

/* It has run, and its answer is out.  Sets rq->outcome: the application's own
 * status, or 0 where it was not reached (access denied), and whether it may run
 * again. */
void upool_answer_end(request_rec *r, upool_request *rq);

/* Gives an answer again, without running anything.  One of which nothing but
 * the status is known gets the body text (JSON).  Returns what the handler hook
 * returns. */
int upool_answer_again(request_rec *r, upool_request *rq, upool_answer_map *map,
                       const upool_answer *answer, const char *text);

#endif
