/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/inuse.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/layout.h"
#include "store/lock.h"
#include "store/purge.h"
#include "store/quota.h"
#include "store/region.h"

int upool_inuse_is_held(int directory)
{
    static const upool_range all = UPOOL_REGION_ALL;
    apr_status_t rv;
    int fd;

    rv = upool_fd_own(&fd, directory, UPOOL_LAYOUT_RUN, O_RDONLY, 0);
    if (rv) {
        /* Planted: nobody has locked that. */
        return rv != ENOENT && rv != APR_EGENERAL;
    }
    rv = upool_region_look(fd, &all);
    upool_fd_close(&fd);
    return rv != APR_SUCCESS;
}

int upool_inuse_is_cleared(int directory)
{
    return faccessat(directory, UPOOL_LAYOUT_CLEARED, F_OK, AT_SYMLINK_NOFOLLOW)
           == 0;
}

apr_status_t upool_inuse_clear(int directory)
{
    int fd;
    apr_status_t rv =
        upool_fd_open(&fd, directory, UPOOL_LAYOUT_CLEARED,
                      O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);

    if (rv) {
        return rv == EEXIST ? APR_SUCCESS : rv;
    }
    return upool_fd_close(&fd);
}

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

apr_status_t upool_inuse_purge(const upool_directory *dir, upool_store *store,
                               const char *id, apr_pool_t *p)
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
