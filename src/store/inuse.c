/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/inuse.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/layout.h"
#include "store/region.h"

int upool_inuse_is_held(int directory)
{
    static const upool_range all = UPOOL_REGION_ALL;
    apr_status_t rv;
    int fd;

    rv = upool_fd_own(&fd, directory, UPOOL_LAYOUT_RUN, O_RDONLY, 0);
    if (rv) {
        /* It was planted: nobody has locked that. */
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
