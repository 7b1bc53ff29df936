/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_CAPTURE_H
#define UPOOL_HTTPD_CAPTURE_H

/* Captures the application's answer to an upload that came in several requests,
 * on its way to the client.  This output filter works whoever made the answer
 * (CGI, PHP, a proxied server, httpd's own error page).  It keeps what the
 * application said, for when the same request comes again, and lets the
 * protocol add its headers and change the status.
 *
 * It stands behind the filters that make the content and before those that code
 * it (mod_deflate and its like), so what is kept suits every client.  An
 * application may finish its answer although the client is gone: that answer is
 * kept too. */

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

/* The application is about to run for rq.  map() is to see its answer, and run
 * is told of it.  All live in r->pool. */
void upool_answer_await(request_rec *r, upool_request *rq,
                        upool_answer_map *map, upool_run *run);

/* The application has run, and its answer is out.  Sets rq->outcome: the
 * application's own status, or 0 where it was not reached (access denied), and
 * whether it may run again. */
void upool_answer_end(request_rec *r, upool_request *rq);

/* Gives an answer again, without running anything.  Where only the status is
 * known, the body is text (JSON).  Returns what the handler hook returns. */
int upool_answer_again(request_rec *r, upool_request *rq, upool_answer_map *map,
                       const upool_answer *answer, const char *text);

#endif
