/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/purge.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <apr_hash.h>

#include "store/descriptor.h"
#include "store/layout.h"

#define PASSES_MAX 16

/* EISDIR is Linux's word for unlinking a directory, EPERM that of POSIX. */
static apr_status_t unlink_entry(int directory, const char *name)
{
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) {
        return APR_SUCCESS;
    }
    return upool_fd_error();
}

static int is_directory_there(apr_status_t rv)
{
    return rv == EISDIR || rv == EPERM;
}

typedef struct leftovers {
    apr_hash_t *keep; /* data files that stay; NULL: no record does */
    apr_time_t deadline;
    upool_purge_tally *tally; /* of orphans; else NULL */
} leftovers;

static void keep_files(leftovers *left, const upool_record *keep, apr_pool_t *p)
{
    int i;

    left->keep = keep ? apr_hash_make(p) : NULL;
    for (i = 0; keep && i < keep->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(keep->files, i, const upool_file);

        if (file->stored) {
            apr_hash_set(left->keep, file->stored, APR_HASH_KEY_STRING, file);
        }
    }
}

static int is_kept(const leftovers *left, const char *name)
{
    return left->keep && apr_hash_get(left->keep, name, APR_HASH_KEY_STRING);
}

static apr_status_t unlink_data(const leftovers *left, int fd, const char *name)
{
    apr_status_t rv =
        is_kept(left, name) ? APR_SUCCESS : unlink_entry(fd, name);

    /* The names are random, so such a directory is not in anybody's way. */
    return is_directory_there(rv) ? APR_SUCCESS : rv;
}

static apr_status_t visit_leftover(void *baton, int fd, const char *name)
{
    const leftovers *left = baton;

    switch (upool_layout_entry(name)) {
    case UPOOL_ENTRY_DATA:
        return unlink_data(left, fd, name);
    case UPOOL_ENTRY_METADATA:
    case UPOOL_ENTRY_RESUMABLE:
    case UPOOL_ENTRY_ANSWER:
        return left->keep ? APR_SUCCESS : unlink_entry(fd, name);
    case UPOOL_ENTRY_ATTEMPT:
    case UPOOL_ENTRY_TEMPORARY:
        return unlink_entry(fd, name);
    case UPOOL_ENTRY_LOCK:
    case UPOOL_ENTRY_FOREIGN:
        break;
    }
    return APR_SUCCESS;
}

apr_status_t upool_purge_leftovers(int directory, const upool_record *keep,
                                   apr_pool_t *p)
{
    leftovers left = { NULL, 0, NULL };

    keep_files(&left, keep, p);
    return upool_directory_each(directory, visit_leftover, &left);
}

static apr_status_t visit_orphan(void *baton, int fd, const char *name)
{
    const leftovers *left = baton;
    struct stat st;
    apr_status_t rv;

    if (!upool_layout_is_data(name)
        || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0
        || S_ISDIR(st.st_mode) || upool_directory_mtime(&st) >= left->deadline
        || is_kept(left, name)) {
        return APR_SUCCESS;
    }
    rv = left->tally->dry ? APR_SUCCESS : unlink_data(left, fd, name);
    if (!rv) {
        left->tally->files++;
        left->tally->bytes += st.st_size;
    }
    return rv;
}

apr_status_t upool_purge_orphans(int directory, const upool_record *keep,
                                 apr_time_t deadline, upool_purge_tally *tally,
                                 apr_pool_t *p)
{
    leftovers left = { NULL, deadline, tally };

    keep_files(&left, keep, p);
    return upool_directory_each(directory, visit_orphan, &left);
}

void upool_purge_files(int directory, const upool_record *record)
{
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(record->files, i, const upool_file);

        if (file->stored && upool_layout_is_data(file->stored)) {
            unlink_entry(directory, file->stored);
        }
    }
}

typedef struct removal {
    unsigned int gone;  /* entries that this pass unlinked */
    unsigned int kept;  /* entries that are not ours to remove */
    apr_status_t error; /* the first that kept an entry in place */
} removal;

static apr_status_t visit_removal(void *baton, int fd, const char *name)
{
    removal *pass = baton;
    upool_entry entry = upool_layout_entry(name);
    apr_status_t rv;

    if (entry == UPOOL_ENTRY_FOREIGN) {
        pass->kept++;
        return APR_SUCCESS;
    }
    rv = entry == UPOOL_ENTRY_LOCK ? APR_SUCCESS : unlink_entry(fd, name);
    if (is_directory_there(rv)) {
        pass->kept++;
    }
    else if (!rv) {
        pass->gone += entry != UPOOL_ENTRY_LOCK;
    }
    else if (!pass->error) {
        pass->error = rv;
    }
    return APR_SUCCESS;
}

static int remove_directory(const upool_directory *dir,
                            const upool_store *store, const char *id)
{
    /* The name may mean another bucket by now, begun after somebody else
     * removed this one. */
    apr_status_t rv = upool_directory_check(dir, store, id);

    if (rv) {
        errno = rv;
        return rv == ENOENT;
    }
    return unlinkat(upool_store_fd(store), id, AT_REMOVEDIR) == 0
           || errno == ENOENT;
}

/* The record goes first, with UploadSync on the disk too, so that it is never
 * found without its files. */
static apr_status_t unlink_record(const upool_directory *dir,
                                  const upool_store *store)
{
    apr_status_t rv = unlink_entry(dir->fd, UPOOL_LAYOUT_METADATA);

    if (is_directory_there(rv)) {
        return APR_SUCCESS;
    }
    return rv || !upool_store_settings(store)->sync
               ? rv
               : upool_fd_sync_directory(dir->fd);
}

/* The lock goes last: from here on another holder may begin in the directory,
 * which is then not empty. */
static apr_status_t unlink_lock(const upool_directory *dir)
{
    apr_status_t rv = unlink_entry(dir->fd, UPOOL_LAYOUT_LOCK);

    return is_directory_there(rv) ? APR_SUCCESS : rv;
}

apr_status_t upool_purge_bucket(const upool_directory *dir,
                                const upool_store *store, const char *id,
                                int held)
{
    removal pass = { 0, 0, APR_SUCCESS };
    apr_status_t rv;
    int i;

    for (i = 0; i < PASSES_MAX; i++) {
        rv = unlink_record(dir, store);
        if (rv) {
            return rv;
        }
        pass.gone = 0;
        pass.kept = 0;
        rv = upool_directory_each(dir->fd, visit_removal, &pass);
        if (rv || pass.error) {
            return rv == ENOENT ? APR_SUCCESS : rv ? rv : pass.error;
        }
        if (held && pass.kept) {
            return APR_SUCCESS;
        }
        rv = unlink_lock(dir);
        if (rv || remove_directory(dir, store, id)) {
            return rv;
        }
        if (errno != ENOTEMPTY && errno != EEXIST) {
            return upool_fd_error();
        }
        /* A writer may have made a file since, so a foreign entry is an excuse
         * only where nothing else was found.  Nothing may be taken from a
         * writer that has begun after we released the lock. */
        if (held || (pass.kept && !pass.gone)) {
            return APR_SUCCESS;
        }
    }
    return APR_EBUSY;
}
