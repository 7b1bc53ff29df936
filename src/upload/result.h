/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_RESULT_H
#define UPOOL_UPLOAD_RESULT_H

/* An upload described in JSON (RFC 8259): for the application, which may know
 * where the files lie, and for everybody else, who may not.  The text is ASCII,
 * and < > & are escaped too, so that it is harmless inside HTML and as
 * JavaScript.
 *
 * All functions return text in p, or NULL when memory ran out. */

#include "store/record.h"
#include "upload/extensions.h"
#include "upload/limits.h"

/* The body that replaces the upload (contract 3).
 * @param fields of upool_field
 * @param bucket absolute path of the bucket's directory */
const char *upool_result_body(const upool_record *record,
                              const apr_array_header_t *fields,
                              const char *bucket, apr_pool_t *p);

/* The status object (contract 4): no path, no field, no owner.
 * @param record  NULL: nothing known, {"state": "starting"}
 * @param expires when the upload goes, 0: never or unknown */
const char *upool_result_status(const upool_record *record, apr_time_t expires,
                                apr_pool_t *p);

/* What a client of chunks is told (contract 6): {"upload_id": …, "offset": …,
 * "expires": …}.
 * @param expires 0: never, then there is none
 * @param success 1: and "success": true, which Fine Uploader wants */
const char *upool_result_chunk(const char *identifier, apr_off_t offset,
                               apr_time_t expires, int success, apr_pool_t *p);

/* {"state": "error", "error": text, "detail": text, "offset": …}: some clients
 * show their users "error", some "detail".  @param offset -1: none */
const char *upool_result_refusal(const char *text, apr_off_t offset,
                                 apr_pool_t *p);

/* {"success": true}. */
const char *upool_result_success(apr_pool_t *p);

/* What a client is told before it sends a file: {"max-size": bytes,
 * "max-file-size": bytes, "max-request-size": bytes, "allow": [ext, …], "deny":
 * [ext, …]}, each only where there is such a limit. */
typedef struct upool_result_limits {
    upool_limits limits;
    apr_int64_t request; /* bytes of one request's body; 0: no limit */
    upool_extension_lists accept;
} upool_result_limits;

/* {"identifier": …, "upload_url": …, "status_url": …, "limits": {…}}. */
const char *upool_result_minted(const char *identifier, const char *upload_url,
                                const char *status_url,
                                const upool_result_limits *limits,
                                apr_pool_t *p);

#endif
