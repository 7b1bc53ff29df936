/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include <string.h>

/* Bytes go out in one gathered write for a whole pull: 64 buckets of httpd's
 * 8,000 bytes cost one system call and no copy. */
#define GATHER_PIECES 64
/* Slow clients never have more pieces, and there are thousands at a time. */
#define FEW_PIECES 4
#define GATHER_BYTES ((apr_size_t)512 * 1024)

typedef struct spool_data {
    upool_bucket *bucket;
    upool_refusal *refusal;
    upool_spool *spool; /* the current file; made with its first byte */
    struct iovec *vec;  /* few, until that is not enough */
    struct iovec few[FEW_PIECES];
    int room;
    apr_pool_t *p;
    int pieces;
    apr_size_t bytes;
} spool_data;

void *upool_spool_make(upool_bucket *bucket, upool_refusal *refusal,
                       apr_pool_t *p)
{
    spool_data *data = apr_pcalloc(p, sizeof(*data));

    data->bucket = bucket;
    data->refusal = refusal;
    data->vec = data->few;
    data->room = FEW_PIECES;
    data->p = p;
    return data;
}

static upload_pool_verdict failed(spool_data *data, apr_status_t rv,
                                  const char *what)
{
    /* If the bucket's directory is gone, someone has cleared the upload. */
    *data->refusal =
        APR_STATUS_IS_ENOENT(rv)
            ? upool_refusal_make(UPOOL_REASON_CLEARED, 0, NULL)
            : upool_refusal_make(upool_refusal_of_errno(rv), rv, what);
    return UPLOAD_POOL_STOP;
}

static upload_pool_verdict need_spool(spool_data *data, int index)
{
    apr_status_t rv;

    if (data->spool) {
        return UPLOAD_POOL_GO_ON;
    }
    rv = upool_spool_create(&data->spool, data->bucket, index);
    return rv ? failed(data, rv, "a file cannot be created in the pool")
              : UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict write_out(spool_data *data)
{
    apr_status_t rv;
    int pieces = data->pieces;

    data->pieces = 0;
    data->bytes = 0;
    if (!pieces) {
        return UPLOAD_POOL_GO_ON;
    }
    rv = upool_spool_write(data->spool, data->vec, pieces);
    return rv ? failed(data, rv, "a file cannot be written in the pool")
              : UPLOAD_POOL_GO_ON;
}

/* Joins slices of one bucket that the parser hands over one after another into
 * one piece. */
static void gather(spool_data *data, const char *bytes, apr_size_t len)
{
    struct iovec *next = &data->vec[data->pieces];

    data->bytes += len;
    if (data->pieces
        && (const char *)next[-1].iov_base + next[-1].iov_len == bytes) {
        next[-1].iov_len += len;
        return;
    }
    next->iov_base = (void *)bytes;
    next->iov_len = len;
    data->pieces++;
}

/* 1 when there is no room for more. */
static int is_full(spool_data *data)
{
    if (data->pieces == FEW_PIECES && data->room == FEW_PIECES) {
        data->room = GATHER_PIECES;
        data->vec = apr_palloc(data->p, GATHER_PIECES * sizeof(*data->vec));
        memcpy(data->vec, data->few, sizeof(data->few));
    }
    return data->pieces == data->room;
}

static upload_pool_verdict spool_new_file(upload_pool_instance *self,
                                          upload_pool_file *file)
{
    spool_data *data = self->data;

    (void)file;
    data->spool = NULL;
    data->pieces = 0;
    data->bytes = 0;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict spool_chunk(upload_pool_instance *self,
                                       upload_pool_file *file,
                                       const char **bytes, apr_size_t *len,
                                       apr_off_t offset)
{
    spool_data *data = self->data;
    upload_pool_verdict verdict = need_spool(data, file->index);

    (void)offset;
    if (verdict) {
        return verdict;
    }
    gather(data, *bytes, *len);
    if (is_full(data) || data->bytes >= GATHER_BYTES) {
        return write_out(data);
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict spool_flush(upload_pool_instance *self)
{
    return write_out(self->data);
}

static void drop_spool(spool_data *data)
{
    if (data->spool) {
        upool_spool_remove(data->spool);
        data->spool = NULL;
    }
    data->pieces = 0;
    data->bytes = 0;
}

static upload_pool_verdict spool_complete(upload_pool_instance *self,
                                          upload_pool_file *file,
                                          apr_off_t size,
                                          upload_pool_kept *kept)
{
    spool_data *data = self->data;
    upload_pool_verdict verdict;
    apr_status_t rv;

    if (kept->stored || kept->content || kept->location) {
        drop_spool(data);
        return UPLOAD_POOL_GO_ON;
    }
    verdict = need_spool(data, file->index);
    if (!verdict) {
        verdict = write_out(data);
    }
    if (verdict) {
        return verdict;
    }
    rv = upool_spool_close(data->spool);
    if (rv) {
        return failed(data, rv, "a file cannot be closed in the pool");
    }
    kept->stored = upool_spool_name(data->spool);
    kept->size = size;
    data->spool = NULL;
    return UPLOAD_POOL_GO_ON;
}

static void spool_interrupted(upload_pool_instance *self,
                              upload_pool_file *file)
{
    (void)file;
    drop_spool(self->data);
}

const upload_pool_handler upool_spool_handler = {
    UPLOAD_POOL_HANDLER_STUFF("spool"), .new_file = spool_new_file,
    .receive_data_chunk = spool_chunk,  .flush = spool_flush,
    .file_complete = spool_complete,    .upload_interrupted = spool_interrupted,
};

static void *make(const upool_builtin_settings *settings,
                  const upool_handler_site *site)
{
    (void)settings;
    return upool_spool_make(site->bucket, site->refusal, site->p);
}

const upool_builtin upool_spool_builtin = {
    .handler = &upool_spool_handler,
    .make = make,
};
