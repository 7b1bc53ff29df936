/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <apr_time.h>

#include "store/descriptor.h"
#include "store/layout.h"

/* A reader holds the lock for some microseconds at a time, unless the machine
 * is so busy that he waits for his turn meanwhile: a second in all. */
#define READERS_PAUSE 200
#define READERS_TRIES 5000
/* Between two looks at a lock that another holds for a moment. */
#define HOLDER_PAUSE 2000
#define UNLOCK_TRIES 3

static apr_status_t lock_descriptor(int fd, int operation)
{
    int rc;

    do {
        rc = flock(fd, operation | LOCK_NB);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0) {
        return APR_SUCCESS;
    }
    return errno == EWOULDBLOCK ? APR_EBUSY : apr_get_os_error();
}

static int needs_file(apr_status_t rv)
{
    return rv == EBADF || rv == EINVAL || rv == ENOLCK || rv == ENOTSUP
           || rv == EOPNOTSUPP || rv == ENOSYS;
}

/* A planted FIFO or device must not be what is locked (or hung on). */
static apr_status_t open_file(int *fd, int directory, int create)
{
    struct stat st;
    apr_status_t rv =
        upool_fd_open(fd, directory, UPOOL_LAYOUT_LOCK,
                      O_RDWR | O_NONBLOCK | (create ? O_CREAT : 0), 0600);

    if (!rv && (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        upool_fd_close(fd);
        rv = APR_EACCES;
    }
    return rv;
}

static apr_status_t lock_once(upool_lock *lock, int operation)
{
    apr_status_t rv;

    if (lock->file >= 0) {
        return lock_descriptor(lock->file, operation);
    }
    rv = lock_descriptor(lock->directory, operation);
    if (!needs_file(rv)) {
        return rv;
    }
    rv = open_file(&lock->file, lock->directory, operation == LOCK_EX);
    if (rv) {
        /* No file, no writer; readers make none. */
        return operation == LOCK_SH && rv == ENOENT ? APR_SUCCESS : rv;
    }
    return lock_descriptor(lock->file, operation);
}

/* After a busy exclusive try: is it a writer that is in the way? */
static int writer_there(const upool_lock *lock)
{
    int fd = lock->file >= 0 ? lock->file : lock->directory;

    if (lock_descriptor(fd, LOCK_SH)) {
        return 1;
    }
    lock_descriptor(fd, LOCK_UN);
    return 0;
}

apr_status_t upool_lock_take(upool_lock *lock, int directory)
{
    apr_status_t rv;
    int i;

    lock->directory = directory;
    lock->file = -1;
    rv = lock_once(lock, LOCK_EX);
    for (i = 0; rv == APR_EBUSY && i < READERS_TRIES; i++) {
        if (writer_there(lock)) {
            break;
        }
        apr_sleep(READERS_PAUSE);
        rv = lock_once(lock, LOCK_EX);
    }
    if (rv) {
        upool_lock_release(lock);
    }
    return rv;
}

apr_status_t upool_lock_wait(upool_lock *lock, int directory,
                             apr_time_t deadline)
{
    apr_status_t rv = upool_lock_take(lock, directory);

    while (rv == APR_EBUSY && apr_time_now() < deadline) {
        apr_sleep(HOLDER_PAUSE);
        rv = upool_lock_take(lock, directory);
    }
    return rv;
}

apr_status_t upool_lock_share(upool_lock *lock, int directory)
{
    apr_status_t rv;

    lock->directory = directory;
    lock->file = -1;
    rv = lock_once(lock, LOCK_SH);
    if (rv) {
        upool_lock_release(lock);
    }
    return rv;
}

/* Said aloud, not left to close(): a child between fork and exec has a copy of
 * the descriptor, which would keep the lock, and who has the directory open for
 * longer would be in his own way.  A network may fail once. */
static void unlock_descriptor(int fd)
{
    int i;

    for (i = 0; i < UNLOCK_TRIES && lock_descriptor(fd, LOCK_UN); i++) {
    }
}

void upool_lock_release(upool_lock *lock)
{
    if (lock->file >= 0) {
        unlock_descriptor(lock->file);
        upool_fd_close(&lock->file);
    }
    else if (lock->directory >= 0) {
        unlock_descriptor(lock->directory);
    }
    lock->directory = -1;
}

int upool_lock_is_whole(const upool_lock *lock)
{
    struct stat st;

    return lock->file < 0 || (fstat(lock->file, &st) == 0 && st.st_nlink > 0);
}
