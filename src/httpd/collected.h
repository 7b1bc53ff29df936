/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_COLLECTED_H
#define UPOOL_HTTPD_COLLECTED_H

/* Detects a proxy that collects uploads before it passes them on.  Behind such
 * a proxy nobody sees progress, and an upload that was cut off leaves nothing
 * to resume.  The error log reports it, once for each section of the
 * configuration until the server is started again or restarted, when one
 * request meets all of these conditions:
 *
 *   - its upload was asked for, again and again, for more than two seconds
 *     before the request began, and nothing was known of it.  Event streams do
 *     not count: a page may open one long before anybody chooses a file
 *   - it came through a proxy: this shows in fields that proxies set, in the
 *     addresses that mod_remoteip has told apart, or in nginx's HTTP/1.0 with
 *     "Connection: close"
 *   - a megabyte or more came faster than gigabit Ethernet can carry it, so it
 *     came from the same machine
 *
 * A client that comes directly is thus not taken for a collector, however fast
 * it is, and neither is a client behind a proxy that passes uploads on: its
 * request begins when the client's does, before its page asks or as soon as it
 * does.  Nothing is reported where the proxy hides itself (nginx with HTTP/1.1
 * and no field set), or collects on a machine that is not as near.
 *
 * Tried with 16 MiB, of which half was held back for five seconds.  Behind
 * nginx 1.22 with its defaults, the upload was asked for over 5 seconds, and
 * then all of it came in 42 to 92 ms.  Behind HAProxy 2.6, Varnish 7.1, Caddy
 * 2.6, httpd 2.4.71, nginx with proxy_request_buffering off, and directly, it
 * was never asked for before it began. */

#include "httpd/request.h"

/* Somebody asks for rq's identifier, and nothing is known of it. */
void upool_collected_ask(const request_rec *r, const upool_request *rq);

/* rq's body is about to be read. */
void upool_collected_begin(const request_rec *r, upool_request *rq);

/* The last byte of the body has come. */
void upool_collected_end(request_rec *r, const upool_request *rq);

#endif
