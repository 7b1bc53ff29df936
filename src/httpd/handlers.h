/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_HANDLERS_H
#define UPOOL_HTTPD_HANDLERS_H

/* The upload handlers that work on the uploads of a context: those that
 * UploadHandler names, else all that are built in, as far as their own
 * directives switch them on.  A name is a built-in one (the table is in
 * handlers.c) or that of a provider that another module has registered
 * (mod_upload_pool.h); built-in names come first.
 *
 * UploadAllow, UploadDeny, UploadSniff and UploadScan hold for any chain:
 * accept, sniff and clamd, where they are not named, stand first. .htaccess
 * must not undo what the server's configuration wants: it may name handlers
 * only where the server's names none.  The three then always stand first, so
 * that no handler takes a file away before they were asked. */

#include "httpd/request.h"
#include "upload/resume.h"

/* Part of check_config: checks every name in the server's configuration.  OK,
 * or an error after a line in the log for each wrong name. */
int upool_handlers_check(apr_pool_t *pconf);

/* 1, with *refusal set, where no chain can be made for an upload of conf. */
int upool_handlers_refuse(apr_pool_t *p, const upool_dir_conf *conf,
                          upool_refusal *refusal);

/* Fills the chain of rq's upload, which has been started.  p lives as long as
 * the upload. */
void upool_handlers_add(upool_request *rq, apr_pool_t *p);

/* 1 where a handler of another module may change or keep files. */
int upool_handlers_may_change(const upool_dir_conf *conf);

/* Adds the handlers that see a file which is in the pool already
 * (upload/resume.h): all, where one of them may change it, else the guards.
 * Returns what they need of it. */
upool_resume_need upool_handlers_add_stored(const upool_request *rq,
                                            const upool_handler_site *site);

#endif
