/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_INTERIM_H
#define UPOOL_HTTPD_INTERIM_H

/* Interim answers (1xx) before the final one.  A client of HTTP/1.0 gets none;
 * over HTTP/2 they are frames like all others.  Nothing of the final answer is
 * touched by them, and a "100 Continue" that is owed stays owed. */

#include <httpd.h>

/* Sends one at once.  Blocks while the client takes nothing and the socket is
 * full, so the caller bounds how many there are.
 *
 * @param line "104 Some Words"; its number is the status, from 101 to 199
 * @param fields its header fields; empty afterwards
 * @return 1, or 0 when the connection is of no more use */
int upool_interim_send(request_rec *r, const char *line, apr_table_t *fields);

#endif
