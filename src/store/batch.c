/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/batch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "store/descriptor.h"

typedef struct sighting {
    ino_t inode;
    const char *name;
} sighting;

struct upool_batch {
    DIR *stream;      /* NULL: all of the directory was read */
    apr_status_t end; /* then: what comes behind the last name */
    int most;
    apr_pool_t *p;               /* of the names; cleared for the next ones */
    apr_array_header_t *waiting; /* of sighting */
    int told;                    /* of them; -1: they are still being read */
};

static apr_status_t close_stream(void *data)
{
    upool_batch *batch = data;

    if (batch->stream) {
        closedir(batch->stream);
        batch->stream = NULL;
    }
    return APR_SUCCESS;
}

static void start_reading(upool_batch *batch)
{
    apr_pool_clear(batch->p);
    batch->waiting = apr_array_make(batch->p, 64, sizeof(sighting));
    batch->told = -1;
}

apr_status_t upool_batch_open(upool_batch **batch, int fd, int most,
                              apr_pool_t *p)
{
    upool_batch *b = apr_pcalloc(p, sizeof(*b));
    apr_status_t rv;
    int own;

    /* Not dup(): that would share the position with other walks of fd. */
    rv = upool_fd_directory(&own, fd, ".");
    if (rv) {
        return rv;
    }
    b->stream = fdopendir(own);
    if (!b->stream) {
        rv = upool_fd_error();
        upool_fd_close(&own);
        return rv;
    }
    apr_pool_cleanup_register(p, b, close_stream, apr_pool_cleanup_null);
    b->most = most;
    apr_pool_create(&b->p, p);
    start_reading(b);
    *batch = b;
    return APR_SUCCESS;
}

static int compare(const void *left, const void *right)
{
    const sighting *a = left;
    const sighting *b = right;

    return (a->inode > b->inode) - (a->inode < b->inode);
}

static void start_telling(upool_batch *batch)
{
    qsort(batch->waiting->elts, (size_t)batch->waiting->nelts, sizeof(sighting),
          compare);
    batch->told = 0;
}

static void read_one(upool_batch *batch)
{
    const struct dirent *entry;
    sighting *seen;

    errno = 0;
    entry = readdir(batch->stream);
    if (!entry) {
        batch->end = errno ? upool_fd_error() : APR_EOF;
        close_stream(batch);
        start_telling(batch);
        return;
    }
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
        seen = apr_array_push(batch->waiting);
        seen->inode = entry->d_ino;
        seen->name = apr_pstrdup(batch->p, entry->d_name);
    }
    if (batch->waiting->nelts >= batch->most) {
        start_telling(batch);
    }
}

apr_status_t upool_batch_next(const char **name, upool_batch *batch)
{
    *name = NULL;
    if (batch->told < 0) {
        read_one(batch);
    }
    else if (batch->told < batch->waiting->nelts) {
        *name = APR_ARRAY_IDX(batch->waiting, batch->told, const sighting).name;
        batch->told++;
    }
    else if (batch->stream) {
        start_reading(batch);
    }
    else {
        return batch->end;
    }
    return APR_SUCCESS;
}
