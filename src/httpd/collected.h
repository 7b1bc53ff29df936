/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_COLLECTED_H
#define UPOOL_HTTPD_COLLECTED_H

/* A proxy that collects uploads before it passes them on: nobody sees progress,
 * and what was cut leaves nothing to resume.  That is told in the error log,
 * once for a section of the configuration until the server is started again or
 * restarted, where all of this holds for one request:
 *
 *   - its upload was asked for, again and again, for more than two seconds
 *     before the request began, and nothing was known of it.  Event streams do
 *     not count: a page may open one long before anybody chooses a file
 *   - it came through something: fields that proxies set, the addresses that
 *     mod_remoteip has told apart, or nginx's HTTP/1.0 with "Connection: close"
 *   - a megabyte and more came faster than gigabit Ethernet is: from the same
 *     machine
 *
 * So neither a client that comes directly is taken for a collector, however
 * fast, nor one behind a proxy that passes uploads on: its request begins when
 * the client does, before or as soon as its page asks.  Where the proxy hides
 * itself (nginx with HTTP/1.1 and no field set), or collects on a machine that
 * is not as near, nothing is told.
 *
 * Tried with 16 MiB of which half lay still for five seconds: behind nginx 1.22
 * as it is by default asked for over 5 seconds, and then all of it in 42 to
 * 92 ms; behind HAProxy 2.6, Varnish 7.1, Caddy 2.6, httpd 2.4.71, nginx with
 * proxy_request_buffering off, and directly, never asked for before. */

#include "httpd/request.h"

/* Somebody asks for rq's identifier, of which nothing is known. */
void upool_collected_ask(const request_rec *r, const upool_request *rq);

/* rq's body is about to be read. */
void upool_collected_begin(const request_rec *r, upool_request *rq);

/* The last of it has come. */
void upool_collected_end(request_rec *r, const upool_request *rq);

#endif
