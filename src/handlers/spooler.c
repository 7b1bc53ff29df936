/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include "store/vector.h"

typedef struct spool_data {
    upool_bucket *bucket;
    upool_refusal *refusal;
    upool_spool *spool;  /* the current file; made with its first byte */
    upool_vector vector; /* its bytes that are not written yet */
} spool_data;

void *upool_spool_make(upool_bucket *bucket, upool_refusal *refusal,
                       apr_pool_t *p)
{
    spool_data *data = apr_pcalloc(p, sizeof(*data));

    data->bucket = bucket;
    data->refusal = refusal;
    upool_vector_init(&data->vector, p);
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
    apr_status_t rv = data->vector.count ? upool_spool_write(
                          data->spool, data->vector.vec, data->vector.count)
                                         : APR_SUCCESS;

    upool_vector_clear(&data->vector);
    return rv ? failed(data, rv, "a file cannot be written in the pool")
              : UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict spool_new_file(upload_pool_instance *self,
                                          upload_pool_file *file)
{
    spool_data *data = self->data;

    (void)file;
    data->spool = NULL;
    upool_vector_clear(&data->vector);
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
    return upool_vector_add(&data->vector, *bytes, *len) ? write_out(data)
                                                         : UPLOAD_POOL_GO_ON;
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
    upool_vector_clear(&data->vector);
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
