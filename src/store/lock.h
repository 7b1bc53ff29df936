/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_LOCK_H
#define UPOOL_STORE_LOCK_H

/* The right to change a bucket: flock() on its lock file, a regular one.  Such
 * a lock belongs to the open descriptor, so it separates threads as well as
 * processes (fcntl locks separate processes only), and it dies with its holder.
 * File systems that several machines mount pass the lock of a file on to each
 * other; but FUSE and NFS keep the lock of a directory to themselves, without
 * an error.
 *
 * Older servers locked only the directory.  The holder of the file therefore
 * locks the directory too where that is possible: on a local file system an old
 * server and a new one turn each other away.
 *
 * The file stays when the lock is released, because unlinking it would let a
 * second holder in.  It goes with the bucket, last of all (purge.h); a process
 * that locks it at that moment finds it unlinked, and opens the next one.
 *
 * Writers take an exclusive lock.  Readers who have to know whether a writer
 * lives take a shared one for a moment; a writer that meets only readers waits
 * for them, so that polling never turns an upload away.
 *
 * No state; one thread at a time per lock. */

#include <apr_errno.h>
#include <apr_time.h>

typedef struct upool_lock {
    int directory; /* the bucket's descriptor, not the lock's to close */
    int file;      /* descriptor of the lock file, or -1 */
} upool_lock;

/* Takes the lock of the open directory for a writer, making the lock file where
 * there is none.  APR_EBUSY: another writer has it; APR_ENOENT: the directory
 * is gone; APR_EACCES: the file is no regular one; else the system's error. */
apr_status_t upool_lock_take(upool_lock *lock, int directory);

/* Takes it for a moment's work, and waits until deadline for others, who hold
 * it as briefly.  As above. */
apr_status_t upool_lock_wait(upool_lock *lock, int directory,
                             apr_time_t deadline);

/* Takes it for a reader, without making the file.  APR_SUCCESS: no writer is
 * there until the release (without a lock file: at this moment); APR_EBUSY: one
 * is; else as above. */
apr_status_t upool_lock_share(upool_lock *lock, int directory);

/* Releases the lock.  Does nothing for a lock that was not taken. */
void upool_lock_release(upool_lock *lock);

/* 0 when somebody has unlinked the lock file: the bucket was cleared, and
 * another holder may be there.  Else 1. */
int upool_lock_is_whole(const upool_lock *lock);

#endif
