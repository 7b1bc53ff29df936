/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/bucket_own.h"
#include "store/layout.h"

/* 128 random bits do not collide by chance; but a broken random source must not
 * cause an endless loop. */
#define NAME_TRIES 4

static apr_status_t give_up(upool_bucket *bucket, apr_status_t rv)
{
    if (rv && !bucket->broken) {
        bucket->broken = rv;
    }
    return rv;
}

static apr_status_t open_new(upool_spool *spool, int n, mode_t mode)
{
    upool_bucket *bucket = spool->bucket;
    apr_status_t rv = EEXIST;
    int i;

    for (i = 0; rv == EEXIST && i < NAME_TRIES; i++) {
        rv = upool_layout_name(&spool->name, n, bucket->pool);
        if (!rv) {
            rv = upool_fd_open(&spool->fd, bucket->directory.fd, spool->name,
                               O_WRONLY | O_CREAT | O_EXCL, mode);
        }
    }
    return rv;
}

apr_status_t upool_spool_create(upool_spool **spool, upool_bucket *bucket,
                                int n)
{
    const upool_store_options *options = upool_store_settings(bucket->store);
    mode_t mode = (mode_t)options->file_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
    upool_spool *s;
    apr_status_t rv;

    if (bucket->stage != UPOOL_STAGE_WRITING) {
        return APR_EBADF;
    }
    s = apr_pcalloc(bucket->pool, sizeof(*s));
    s->bucket = bucket;
    s->fd = -1;
    rv = open_new(s, n, mode & S_IRWXU);
    if (rv) {
        return give_up(bucket, rv);
    }
    upool_fd_guard(&s->fd, bucket->pool);
    APR_ARRAY_PUSH(bucket->spools, upool_spool *) = s;
    /* The group is set first: only the owner may read the file until then. */
    if (options->has_group && fchown(s->fd, (uid_t)-1, options->group) < 0) {
        return give_up(bucket, upool_fd_error());
    }
    /* The administrator asked for these bits; the umask would take them off. */
    if ((mode & (S_IRWXG | S_IRWXO)) && fchmod(s->fd, mode) < 0) {
        return give_up(bucket, upool_fd_error());
    }
    *spool = s;
    return APR_SUCCESS;
}

apr_status_t upool_spool_write(upool_spool *spool, struct iovec *vec, int count)
{
    upool_bucket *bucket = spool->bucket;
    apr_off_t written = 0;

    if (bucket->broken) {
        return bucket->broken;
    }
    if (spool->fd < 0) {
        return APR_EBADF;
    }
    return give_up(bucket, upool_fd_write(spool->fd, vec, count, &written));
}

apr_status_t upool_spool_close(upool_spool *spool)
{
    upool_bucket *bucket = spool->bucket;
    apr_status_t rv = bucket->broken;
    apr_status_t closed;

    if (spool->fd < 0) {
        return rv ? rv : APR_EBADF;
    }
    if (!rv && upool_store_settings(bucket->store)->sync) {
        rv = upool_fd_sync(spool->fd);
    }
    closed = upool_fd_unguard(&spool->fd, bucket->pool);
    return give_up(bucket, rv ? rv : closed);
}

void upool_spool_remove(upool_spool *spool)
{
    if (spool->fd >= 0) {
        upool_fd_unguard(&spool->fd, spool->bucket->pool);
    }
    /* After a commit the file is the complete upload's. */
    if (spool->name && spool->bucket->stage == UPOOL_STAGE_WRITING) {
        unlinkat(spool->bucket->directory.fd, spool->name, 0);
        spool->name = NULL;
    }
}

static apr_status_t reopen(int *fd, const upool_bucket *bucket,
                           const char *stored)
{
    if (bucket->stage != UPOOL_STAGE_WRITING) {
        return APR_EBADF;
    }
    return upool_layout_is_data(stored)
               ? upool_fd_own(fd, bucket->directory.fd, stored, O_RDONLY, 0)
               : APR_EINVAL;
}

apr_status_t upool_spool_peek(const upool_bucket *bucket, const char *stored,
                              void *data, apr_size_t len, apr_off_t offset,
                              apr_size_t *n)
{
    int fd;
    apr_status_t rv = reopen(&fd, bucket, stored);

    *n = 0;
    if (!rv) {
        rv = upool_fd_read(fd, data, len, offset, n);
        upool_fd_close(&fd);
    }
    return rv;
}

apr_status_t upool_spool_show(const upool_bucket *bucket, const char *stored,
                              upool_spool_visit *visit, void *user)
{
    int fd;
    apr_status_t rv = reopen(&fd, bucket, stored);

    if (!rv) {
        visit(user, fd);
        upool_fd_close(&fd);
    }
    return rv;
}

const char *upool_spool_name(const upool_spool *spool)
{
    return spool->name;
}
