/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_SHARED_H
#define UPOOL_HTTPD_SHARED_H

/* Progress that the machines of a farm share (UploadProgress socache:…): one of
 * httpd's own cache providers holds what each of them knows of its running
 * uploads, and the pool is a directory that all of them see.
 *
 *     writer ──> slot of this machine       every flush
 *        └─────> cache, through the lanes   at its beginning and end, and
 *                                           every 250 ms
 *     poller <── slot (while the upload runs here), else cache, else bucket
 *
 * What is true stands in the bucket.  The cache is a hint that runs out after
 * seconds, that may be away, hang, or be written by somebody else: none of it
 * costs an upload more than a queued message, nor a poller more than 200 ms.
 * Keys are hashes of pool and identifier.  Without a farm nothing of this
 * runs. */

#include <httpd.h>
#include <http_config.h>

#include "config/config.h"
#include "progress/table.h"
#include "upload/account.h"

/* Of the mutex that a provider like shmcb needs (httpd's Mutex directive). */
#define UPOOL_SHARED_MUTEX "upload-pool-progress"

/* pre_config: the mutex can be configured. */
int upool_shared_pre_config(apr_pool_t *pconf, apr_pool_t *plog,
                            apr_pool_t *ptemp);

/* post_config, in the parent: prepares the provider.  OK, or an error that is
 * in the log. */
int upool_shared_start(apr_pool_t *pconf, server_rec *s);

/* child_init: this process's way to the cache; it ends with pchild, when what
 * was said last has been sent, if the cache takes it. */
void upool_shared_child_init(apr_pool_t *pchild, server_rec *s);

/* 1 when there is a farm. */
int upool_shared_is_on(const server_rec *s);

/* For the account of the upload id of conf's pool: the slots, the counters, and
 * on a farm the way to the other machines.  In r's pool. */
void upool_shared_account(const request_rec *r, const upool_dir_conf *conf,
                          const char *id, upool_account_options *account);

/* What memory knows of it, here or elsewhere: 1 and the record, whose process
 * is 0 where it is another machine's; 0: ask the bucket.  On a farm only a
 * running upload is believed of the slots: one that ended here may have been
 * replaced or cleared elsewhere. */
int upool_shared_lookup(const request_rec *r, const upool_dir_conf *conf,
                        const char *id, upool_slot_record *record);

/* It is gone from the pool, so forget it everywhere. */
void upool_shared_forget(const request_rec *r, const upool_dir_conf *conf,
                         const char *id);

#endif
