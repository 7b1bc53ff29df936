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
/* Lock files that went while we took them, one after another. */
#define FILES_MAX 16

static apr_status_t lock_descriptor(int fd, int operation)
{
    int rc;

    do {
        rc = flock(fd, operation | LOCK_NB);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0) {
        return APR_SUCCESS;
    }
    return errno == EWOULDBLOCK ? APR_EBUSY : upool_fd_error();
}

/* Unlocks explicitly instead of leaving it to close(): a child between fork and
 * exec has a copy of the descriptor, which would keep the lock, and a process
 * that keeps the directory open for longer would block itself.  A network may
 * fail once. */
static void unlock_descriptor(int fd)
{
    int i;

    for (i = 0; i < UNLOCK_TRIES && lock_descriptor(fd, LOCK_UN); i++) {
    }
}

/* Takes both locks, or none.  A file system without locks for directories is
 * ignored there. */
static apr_status_t lock_both(const upool_lock *lock, int operation)
{
    apr_status_t rv =
        lock->file >= 0 ? lock_descriptor(lock->file, operation) : APR_SUCCESS;

    if (!rv && lock_descriptor(lock->directory, operation) == APR_EBUSY) {
        if (lock->file >= 0) {
            unlock_descriptor(lock->file);
        }
        rv = APR_EBUSY;
    }
    return rv;
}

static void unlock_both(const upool_lock *lock)
{
    unlock_descriptor(lock->directory);
    if (lock->file >= 0) {
        unlock_descriptor(lock->file);
    }
}

static apr_status_t open_file(upool_lock *lock, int create)
{
    return upool_fd_open(&lock->file, lock->directory, UPOOL_LAYOUT_LOCK,
                         (create ? O_RDWR | O_CREAT : O_RDONLY) | O_NONBLOCK,
                         S_IRUSR | S_IWUSR);
}

/* A planted FIFO or device must not be what is locked.  APR_EAGAIN: the file
 * went before it was locked. */
static apr_status_t check_file(const upool_lock *lock)
{
    struct stat st;

    if (lock->file < 0) {
        return APR_SUCCESS;
    }
    if (upool_fd_stat(&st, lock->file, NULL)) {
        return APR_EAGAIN;
    }
    return !S_ISREG(st.st_mode) ? APR_EACCES
           : st.st_nlink        ? APR_SUCCESS
                                : APR_EAGAIN;
}

/* After a busy exclusive try: is it a writer that is in the way? */
static int writer_there(const upool_lock *lock)
{
    if (lock_both(lock, LOCK_SH)) {
        return 1;
    }
    unlock_both(lock);
    return 0;
}

static apr_status_t take_opened(const upool_lock *lock)
{
    apr_status_t rv = lock_both(lock, LOCK_EX);
    int i;

    for (i = 0; rv == APR_EBUSY && i < READERS_TRIES; i++) {
        if (writer_there(lock)) {
            break;
        }
        apr_sleep(READERS_PAUSE);
        rv = lock_both(lock, LOCK_EX);
    }
    return rv ? rv : check_file(lock);
}

static apr_status_t share_opened(const upool_lock *lock)
{
    apr_status_t rv = lock_both(lock, LOCK_SH);

    return rv ? rv : check_file(lock);
}

static apr_status_t lock_once(upool_lock *lock, int exclusive)
{
    apr_status_t rv = open_file(lock, exclusive);

    /* No file, no new writer; readers make none. */
    if (rv && !(rv == ENOENT && !exclusive)) {
        return rv;
    }
    return exclusive ? take_opened(lock) : share_opened(lock);
}

static apr_status_t lock_at(upool_lock *lock, int directory, int exclusive)
{
    apr_status_t rv = APR_EAGAIN;
    int i;

    for (i = 0; rv == APR_EAGAIN && i < FILES_MAX; i++) {
        lock->directory = directory;
        lock->file = -1;
        rv = lock_once(lock, exclusive);
        if (rv) {
            upool_lock_release(lock);
        }
    }
    return rv == APR_EAGAIN ? APR_EBUSY : rv;
}

apr_status_t upool_lock_take(upool_lock *lock, int directory)
{
    return lock_at(lock, directory, 1);
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
    return lock_at(lock, directory, 0);
}

void upool_lock_release(upool_lock *lock)
{
    if (lock->directory >= 0) {
        unlock_both(lock);
        upool_fd_close(&lock->file);
    }
    lock->directory = -1;
}

int upool_lock_is_whole(const upool_lock *lock)
{
    struct stat st;

    return lock->file < 0
           || (!upool_fd_stat(&st, lock->file, NULL) && st.st_nlink > 0);
}
