/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/ledger.h"
#include "store/pools.h"

/* Nobody waits for a client while he holds it, so it is soon free. */
apr_status_t upool_root_hold(int *lock, const char *root, apr_pool_t *p)
{
    /* The administrator's root may be a link. */
    apr_status_t rv =
        upool_fd_directory(lock, AT_FDCWD, apr_pstrcat(p, root, "/.", NULL));
    int rc = rv ? 0 : -1;

    while (rc < 0) {
        rc = flock(*lock, LOCK_EX);
        if (rc < 0 && errno != EINTR) {
            break;
        }
    }
    return rv;
}

static int is_same_directory(int fd, const upool_store *store)
{
    struct stat a;
    struct stat b;

    return fstat(fd, &a) == 0 && fstat(upool_store_fd(store), &b) == 0
           && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void add_pool(apr_int64_t *bytes, const char *path,
                     const upool_store *own)
{
    upool_row_sums sums;
    int fd;

    if (upool_fd_directory(&fd, AT_FDCWD, path)) {
        return;
    }
    /* Damaged books are made anew by who opens them next. */
    if (!is_same_directory(fd, own) && !upool_ledger_glance(&sums, fd)) {
        apr_int64_t more = sums.stored + sums.reserved;

        *bytes = *bytes > APR_INT64_MAX - more ? APR_INT64_MAX : *bytes + more;
    }
    upool_fd_close(&fd);
}

apr_status_t upool_root_others(apr_int64_t *bytes, apr_array_header_t **pools,
                               const char *root, const upool_store *own,
                               apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    *bytes = 0;
    if (!*pools) {
        *pools = apr_array_make(p, 8, sizeof(const char *));
        rv = upool_pools_find(*pools, root, p);
    }
    for (i = 0; !rv && i < (*pools)->nelts; i++) {
        add_pool(bytes, APR_ARRAY_IDX(*pools, i, const char *), own);
    }
    return rv;
}
