/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_RESUMING_H
#define UPOOL_HTTPD_RESUMING_H

/* What upload/resume.h needs to know of the server and the context, for the
 * fronts of every protocol in which an upload arrives in several requests.
 *
 * Such an upload is on the disk by the time it is complete, so it is never kept
 * in memory (UploadInline), and the handlers that only look at files read it
 * there.  Handlers of other modules may want its bytes: where UploadHandler
 * names one, the file passes through the whole chain. */

#include "httpd/request.h"
#include "upload/resume.h"

/* Makes rq's upload, or finds it, as rq is configured, in r->pool; opens the
 * pool.  NULL with *refusal set where it is refused. */
upool_resume *upool_resuming_create(request_rec *r, upool_request *rq,
                                    const upool_resume_start *start,
                                    upool_refusal *refusal);
upool_resume *upool_resuming_open(request_rec *r, upool_request *rq,
                                  upool_refusal *refusal);

#endif
