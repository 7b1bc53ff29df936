/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/interim.h"

#include <http_protocol.h>

/* "104 …": the lines are our own, so there are always three digits. */
static int status_of(const char *line)
{
    return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/* httpd prints r->status_line (or "Status 104" where it has no words for a
 * status) and r->headers_out, which it then empties: so all three are lent.
 * Status 200 is restored because HTTP_IN sends "100 Continue" under no
 * other. */
int upool_interim_send(request_rec *r, const char *line, apr_table_t *fields)
{
    int status = r->status;
    const char *status_line = r->status_line;
    apr_table_t *headers = r->headers_out;

    r->status = status_of(line);
    r->status_line = line;
    r->headers_out = fields;
    ap_send_interim_response(r, 1);
    r->headers_out = headers;
    r->status_line = status_line;
    r->status = status;
    return !r->connection->aborted;
}
