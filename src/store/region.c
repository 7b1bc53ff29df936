/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/region.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/descriptor.h"

static struct flock lock_of(const upool_range *region, short type)
{
    struct flock lock;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = region->start;
    /* 0: without end. */
    lock.l_len = region->end == APR_INT64_MAX ? 0 : region->end - region->start;
    return lock;
}

static int call(int fd, int command, struct flock *lock)
{
    int rc;

    do {
        rc = fcntl(fd, command, lock);
    } while (rc < 0 && errno == EINTR);
    return rc;
}

apr_status_t upool_region_take(int fd, const upool_range *region)
{
    struct flock lock = lock_of(region, F_WRLCK);

    if (call(fd, F_OFD_SETLK, &lock) == 0) {
        return APR_SUCCESS;
    }
    return errno == EAGAIN || errno == EACCES ? APR_EBUSY : upool_fd_error();
}

apr_status_t upool_region_look(int fd, const upool_range *region)
{
    struct flock lock = lock_of(region, F_WRLCK);

    if (call(fd, F_OFD_GETLK, &lock) < 0) {
        return upool_fd_error();
    }
    return lock.l_type == F_UNLCK ? APR_SUCCESS : APR_EBUSY;
}

void upool_region_release(int fd)
{
    static const upool_range all = UPOOL_REGION_ALL;
    struct flock lock = lock_of(&all, F_UNLCK);

    call(fd, F_OFD_SETLK, &lock);
}
