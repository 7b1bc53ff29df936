/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_NETWORK_H
#define UPOOL_HTTPD_NETWORK_H

/* Larger reads from the client's socket (UploadReadSize).
 *
 * httpd's socket bucket reads 8,000 bytes at a time, which makes 134,000 system
 * calls of one GiB.  Unless UploadReadSize is 0, connections get a bucket of
 * ours in its place, which reads as much as httpd's does until an upload asks
 * for more: a request that is no upload, and an idle connection, cost what they
 * always did.  The same is true of a slow client: a read is large only after
 * two reads in a row have filled httpd's size.  Large buffers are kept from one
 * read to the next while the upload flows, and given back before it is parked.
 * Timeouts, blocking and the end of the stream are those of httpd's bucket.
 *
 * Under TLS mod_ssl decides how much is read, and little is gained.
 *
 * State is per connection, in its pool, and used by whoever works on it. */

#include <httpd.h>

/* The hook; once, where hooks are registered. */
void upool_network_register(void);

/* From now on, until r->pool goes, reads on r's connection may be large.  Does
 * nothing where httpd's own bucket reads (HTTP/2, no UploadReadSize). */
void upool_network_widen(request_rec *r);

/* Gives the large buffers of r's connection back to the system, before r
 * waits. */
void upool_network_give_back(request_rec *r);

#endif
