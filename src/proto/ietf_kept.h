/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_IETF_KEPT_H
#define UPOOL_PROTO_IETF_KEPT_H

/* What the creating request says of the whole representation, and a later one
 * needs: it is kept with the upload, as the metadata of its document, one line
 * each:
 *
 *     Content-Encoding: FIELD LF     (8) for the application
 *     Repr-Digest: FIELD LF          (10.1, RFC 9530) to be compared
 *     Want-Repr-Digest: FIELD LF     to be answered */

#include <httpd.h>

#include "upload/resume.h"

/* The metadata of an upload that r creates; *text NULL: nothing.  NONE, or
 * DIGEST_SYNTAX. */
upool_reason upool_ietf_keep(request_rec *r, const char **text);

/* The codings of the whole, in p; NULL: none. */
const char *upool_ietf_coding(const upool_resumable *about, apr_pool_t *p);

/* Every byte is there: compares.  0, or 1 with the resume refused. */
int upool_ietf_check_digest(upool_resume *resume);

/* Sets Repr-Digest in headers to what the client wants of what we know. */
void upool_ietf_tell_digest(const upool_resumable *about,
                            const upool_record *record, apr_table_t *headers,
                            apr_pool_t *p);

#endif
