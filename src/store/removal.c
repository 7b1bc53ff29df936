/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/removal.h"

#include <errno.h>

#include "store/descriptor.h"
#include "store/document.h"
#include "store/inuse.h"
#include "store/layout.h"
#include "store/lock.h"
#include "store/purge.h"
#include "store/quota.h"

/* Under the lock. */
static apr_status_t purge(const upool_directory *dir, const upool_store *store,
                          const char *id)
{
    if (!upool_inuse_is_cleared(dir->fd)) {
        return APR_SUCCESS;
    }
    return upool_inuse_is_held(dir->fd) ? APR_EBUSY
                                        : upool_purge_bucket(dir, store, id, 1);
}

apr_status_t upool_removal_finish(const upool_directory *dir,
                                  upool_store *store, const char *id,
                                  apr_pool_t *p)
{
    upool_lock lock;
    apr_status_t rv = upool_lock_take(&lock, dir->fd);

    if (rv) {
        return rv == ENOENT ? APR_SUCCESS : rv;
    }
    rv = purge(dir, store, id);
    upool_lock_release(&lock);
    if (!rv) {
        upool_quota_forget(store, id, p);
    }
    return rv;
}

apr_status_t upool_bucket_remove(upool_store *store, const char *id,
                                 apr_pool_t *p)
{
    upool_directory dir;
    apr_status_t rv;

    rv = upool_directory_enter(&dir, store, id);
    if (rv == ENOENT || rv == ENOTDIR) {
        return APR_SUCCESS;
    }
    if (rv) {
        return rv;
    }
    if (upool_inuse_is_held(dir.fd)) {
        rv = upool_inuse_clear(dir.fd);
        rv = rv ? rv : upool_removal_finish(&dir, store, id, p);
        upool_fd_close(&dir.fd);
        /* When its application has answered. */
        return rv == APR_EBUSY || rv == ENOENT ? APR_SUCCESS : rv;
    }
    rv = upool_purge_bucket(&dir, store, id, 0);
    upool_fd_close(&dir.fd);
    upool_quota_forget(store, id, p);
    return rv;
}

/* Times are to the microsecond, and only one attempt at a time has an
 * identifier. */
static int is_same(const upool_directory *dir, const upool_record *record,
                   apr_pool_t *p)
{
    upool_record *there = NULL;

    return !upool_document_load(&there, dir->fd, UPOOL_LAYOUT_METADATA,
                                record->identifier, p)
           && there->created == record->created
           && there->updated == record->updated;
}

apr_status_t upool_bucket_discard(upool_store *store,
                                  const upool_record *record, apr_pool_t *p)
{
    upool_directory dir;
    upool_lock lock;
    apr_status_t rv = upool_directory_enter(&dir, store, record->identifier);
    apr_status_t held;

    if (rv == ENOENT || rv == ENOTDIR) {
        return APR_SUCCESS;
    }
    if (rv) {
        return rv;
    }
    held = upool_lock_take(&lock, dir.fd);
    if (held == APR_SUCCESS && is_same(&dir, record, p)) {
        rv = upool_purge_bucket(&dir, store, record->identifier, 1);
    }
    else {
        /* These names are unique, so no other files are hit. */
        upool_purge_files(dir.fd, record);
    }
    upool_lock_release(&lock);
    upool_fd_close(&dir.fd);
    upool_quota_forget(store, record->identifier, p);
    return rv;
}
