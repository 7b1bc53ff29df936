/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_SHARED_H
#define UPOOL_HTTPD_SHARED_H

/* Progress that the machines of a farm share (UploadProgress socache:…): one of
 * httpd's own cache providers holds what each machine knows of its running
 * uploads, and the pool is a directory that all of them see.
 *
 *     writer ──> slot of this machine       every flush
 *        └─────> cache, through the lanes   at its beginning and end, and
 *                                           every 250 ms
 *     poller <── slot (while the upload runs here), else cache, else bucket
 *
 * The bucket holds the truth.  The cache is only a hint, which expires after
 * seconds; it may be away, hang, or be written by somebody else.  None of that
 * costs an upload more than a queued message, nor a poller more than 200 ms.
 * Keys are hashes of pool and identifier.  Without a farm none of this runs. */

#include <httpd.h>
#include <http_config.h>

#include "config/config.h"
#include "progress/table.h"
#include "upload/account.h"

/* The name of the mutex that a provider like shmcb needs (httpd's Mutex
 * directive). */
#define UPOOL_SHARED_MUTEX "upload-pool-progress"

/* pre_config: registers the mutex, so that it can be configured. */
int upool_shared_pre_config(apr_pool_t *pconf, apr_pool_t *plog,
                            apr_pool_t *ptemp);

/* post_config, in the parent: prepares the provider.  OK, or an error that is
 * in the log. */
int upool_shared_start(apr_pool_t *pconf, server_rec *s);

/* child_init: opens this process's way to the cache.  It closes with pchild,
 * after the last messages have been sent, if the cache takes them. */
void upool_shared_child_init(apr_pool_t *pchild, server_rec *s);

/* 1 when there is a farm. */
int upool_shared_is_on(const server_rec *s);

/* Fills account for the upload id of conf's pool: with the slots, the counters
 * and, on a farm, the way to the other machines.  In r's pool. */
void upool_shared_account(const request_rec *r, const upool_dir_conf *conf,
                          const char *id, upool_account_options *account);

/* Looks the upload up in memory, here or on another machine.  1, with its
 * record (process is 0 if it runs on another machine); 0: ask the bucket.  On a
 * farm the slots are believed only about a running upload: one that ended here
 * may have been replaced or cleared elsewhere. */
int upool_shared_lookup(const request_rec *r, const upool_dir_conf *conf,
                        const char *id, upool_slot_record *record);

/* The upload is gone from the pool, so it is forgotten everywhere. */
void upool_shared_forget(const request_rec *r, const upool_dir_conf *conf,
                         const char *id);

#endif
