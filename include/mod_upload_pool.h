/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef MOD_UPLOAD_POOL_H
#define MOD_UPLOAD_POOL_H

/**
 * @file  mod_upload_pool.h
 * @brief What other modules may use of mod_upload_pool.
 *
 * @defgroup MOD_UPLOAD_POOL mod_upload_pool
 * @ingroup APACHE_MODS
 * @{
 *
 * Two things: upload handlers, which look at, change, keep or refuse the files
 * of an upload while it comes in (upload_pool_handler.h); and optional
 * functions, for identifiers and for the uploads that are in the pool.  Neither
 * needs mod_upload_pool at link time, and a module that uses them loads and
 * runs without it.
 *
 * A handler is registered once, in register_hooks, in any order of LoadModule;
 * UploadHandler then names it:
 * @code
 *     ap_register_provider(p, UPLOAD_POOL_HANDLER_GROUP, "shout",
 *                          UPLOAD_POOL_HANDLER_VERSION, &shout);
 * @endcode
 *
 * The functions are looked up after configuration, for instance in an
 * ap_hook_optional_fn_retrieve:
 * @code
 *     static APR_OPTIONAL_FN_TYPE(upload_pool_current) *current;
 *     current = APR_RETRIEVE_OPTIONAL_FN(upload_pool_current);
 * @endcode
 * The result is NULL when mod_upload_pool is not loaded.
 *
 * They answer for the context of the request they are given: its pool
 * (UploadPool), its keys (UploadKey), and whoever sends it as the owner
 * (UploadOwner).  The request must have found its configuration and its user
 * before: call them from the fixups hook on, in the worker that serves the
 * request.  They do not wait for clients, but those that look at a bucket read
 * the disk.  Whatever they return lives in r->pool, where each call may use
 * some more of it.
 */

#include <httpd.h>
#include <apr_optional.h>
#include <ap_provider.h>

#include "upload_pool_handler.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Group that upload handlers are registered in. */
#define UPLOAD_POOL_HANDLER_GROUP "upload_handler"
/** Version they are registered with; another one would be another table. */
#define UPLOAD_POOL_HANDLER_VERSION "0"

/** An upload in the pool, as one request may see it; opaque.  Lives as long as
 *  that request. */
typedef struct upload_pool_bucket upload_pool_bucket;

/**
 * Makes a fresh identifier, signed where the context has a key, whatever
 * UploadMint says.  Works also where UploadURL names another server.
 * @param r The request whose context it is for
 * @return the text that goes into X-Progress-ID; NULL where the context has
 *         neither pool nor UploadURL, or where there is no randomness
 */
APR_DECLARE_OPTIONAL_FN(const char *, upload_pool_create_identifier,
                        (request_rec * r));

/**
 * Checks the form, and with a key the signature, of an identifier.
 * @param r The request whose context it is for
 * @param text As the client gave it; NULL is not good
 * @return 1 when it is good here, whether or not there is an upload of that
 *         name; else 0
 */
APR_DECLARE_OPTIONAL_FN(int, upload_pool_verify_identifier,
                        (request_rec * r, const char *text));

/**
 * Finds an upload.
 * @param r The request whose context and owner count
 * @param text Its identifier, with the signature where the context has a key
 * @param bucket Set on success, else NULL
 * @return APR_SUCCESS; APR_EINVAL: the identifier is not good here;
 *         APR_ENOENT: there is no such upload, or it has expired, or it is
 *         another user's (callers must not tell these apart); APR_ENOTIMPL: the
 *         context has no pool; else why the pool cannot be read
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, upload_pool_access_bucket,
                        (request_rec * r, const char *text,
                         upload_pool_bucket **bucket));

/**
 * The status object, as GET U/status gives it, at this moment.
 * @param bucket The upload
 * @return JSON; {"state": "starting"} when it has gone meanwhile; NULL when
 *         memory ran out
 */
APR_DECLARE_OPTIONAL_FN(const char *, upload_pool_get_status,
                        (upload_pool_bucket * bucket));

/**
 * Where a file of a complete upload is.
 * @param bucket The upload
 * @param n Which file, from 0, as in "files" of the JSON
 * @return an absolute path, good until the upload is cleared, replaced or
 *         expired; NULL where the upload is not complete (at this moment), has
 *         no such file, or has it not on disk (UploadInline, other handlers)
 */
APR_DECLARE_OPTIONAL_FN(const char *, upload_pool_get_filename,
                        (upload_pool_bucket * bucket, int n));

/**
 * Whether the upload is complete, at this moment.
 * @param bucket The upload
 * @return 1 for state "done", else 0
 */
APR_DECLARE_OPTIONAL_FN(int, upload_pool_is_complete,
                        (upload_pool_bucket * bucket));

/**
 * Deletes the upload, and cancels it when it is still coming in.
 * @param bucket The upload; afterwards it reads as one that is not there
 * @return APR_SUCCESS, also when it was gone; else what the disk says
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, upload_pool_clear_upload,
                        (upload_pool_bucket * bucket));

/**
 * Deletes an upload by its identifier, as GET U?clear does.
 * @param r The request whose context and owner count
 * @param text Its identifier, with the signature where the context has a key
 * @return APR_SUCCESS, also when there was none; APR_EACCES: it is another
 *         user's; else as upload_pool_access_bucket and
 *         upload_pool_clear_upload
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, upload_pool_clear_bucket,
                        (request_rec * r, const char *text));

/**
 * The upload that this request brought, or the one that it was redirected
 * from (UploadPass, a front controller): in content handlers, but not ahead of
 * the module's own at APR_HOOK_REALLY_FIRST, and in whatever runs later.  It is
 * complete then.
 * @param r The request; for a sub-request ask with r->main
 * @return NULL where there was none
 */
APR_DECLARE_OPTIONAL_FN(upload_pool_bucket *, upload_pool_current,
                        (request_rec * r));

#ifdef __cplusplus
}
#endif
/** @} */

#endif
