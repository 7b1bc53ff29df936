/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/unread.h"

#include <sys/stat.h>
#include <unistd.h>

#include <apr_portable.h>

#include "store/view.h"

/* A file of the upload, open for reading until pool goes; -1: it is not where
 * it was. */
static int open_file(upool_store *store, const upool_record *record,
                     const upool_file *of, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_os_file_t fd;

    return upool_bucket_file_open(&file, store, record->identifier, of->stored,
                                  pool)
                   || apr_os_file_get(&fd, file)
               ? -1
               : fd;
}

static int make_old(int fd)
{
    struct stat st;
    struct timespec times[2];

    if (fstat(fd, &st)) {
        return 0;
    }
    times[0] = st.st_mtim;
    times[0].tv_sec--;
    times[1].tv_nsec = UTIME_OMIT;
    return !futimens(fd, times);
}

static int is_old(int fd)
{
    struct stat st;

    return !fstat(fd, &st) && st.st_atim.tv_sec < st.st_mtim.tv_sec;
}

/* Does it show when somebody reads it? */
static int shows(int fd)
{
    char byte;

    return read(fd, &byte, 1) == 1 && !is_old(fd);
}

/* Do all files that have bytes bear the test? */
static int all(upool_store *store, const upool_record *record,
               int (*test)(int fd), apr_pool_t *p)
{
    apr_pool_t *pool;
    int good = 1;
    int i;

    apr_pool_create(&pool, p);
    for (i = 0; good && i < record->files->nelts; i++) {
        const upool_file *of =
            &APR_ARRAY_IDX(record->files, i, const upool_file);
        int fd;

        if (of->stored && of->size) {
            fd = open_file(store, record, of, pool);
            good = fd >= 0 && test(fd);
            apr_pool_clear(pool);
        }
    }
    apr_pool_destroy(pool);
    return good;
}

void upool_unread_prepare(upool_store *store, const upool_record *record,
                          apr_pool_t *p)
{
    all(store, record, make_old, p);
}

int upool_unread_still(upool_store *store, const upool_record *record,
                       apr_pool_t *p)
{
    return all(store, record, is_old, p) && all(store, record, shows, p);
}
