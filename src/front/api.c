/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "front/api.h"

#include <apr_strings.h>

#include "mod_upload_pool.h"

#include "httpd/lookup.h"
#include "httpd/log.h"
#include "upload/result.h"

/* rq is not a client's request: only what tells whose upload it is has been
 * set. */
struct upload_pool_bucket {
    request_rec *r;
    upool_request *rq;
};

/* With UploadURL another server has the uploads; the identifiers may be
 * ours. */
static int has_identifiers(const upool_dir_conf *conf)
{
    return (conf->on == 1 || conf->url)
           && (!conf->keys_are_local || conf->store_is_local);
}

static int has_uploads(const upool_dir_conf *conf)
{
    return has_identifiers(conf) && !conf->url;
}

static const char *upload_pool_create_identifier(request_rec *r)
{
    const upool_dir_conf *conf = upool_config_of(r);
    char id[UPOOL_IDENT_MAX + 1];
    char text[UPOOL_IDENT_TEXT_MAX + 1];

    return has_identifiers(conf) && !upool_ident_mint(id, apr_time_now())
                   && !upool_ident_sign(text, id, upool_config_ident_keys(conf))
               ? apr_pstrdup(r->pool, text)
               : NULL;
}

static int upload_pool_verify_identifier(request_rec *r, const char *text)
{
    const upool_dir_conf *conf = upool_config_of(r);
    char id[UPOOL_IDENT_MAX + 1];

    return has_identifiers(conf)
           && upool_ident_check(text, upool_config_ident_keys(conf), id)
                  == UPOOL_IDENT_GOOD;
}

static upload_pool_bucket *make_bucket(request_rec *r, upool_request *rq)
{
    upload_pool_bucket *bucket = apr_palloc(r->pool, sizeof(*bucket));

    bucket->r = r;
    bucket->rq = rq;
    return bucket;
}

/* Makes a bucket of that name, whether or not one exists. */
static apr_status_t name_bucket(request_rec *r, const char *text,
                                upload_pool_bucket **bucket)
{
    const upool_dir_conf *conf = upool_config_of(r);
    upool_request *rq;

    *bucket = NULL;
    if (!has_uploads(conf)) {
        return APR_ENOTIMPL;
    }
    rq = apr_pcalloc(r->pool, sizeof(*rq));
    rq->conf = conf;
    if (upool_ident_check(text, upool_config_ident_keys(conf), rq->id)
        != UPOOL_IDENT_GOOD) {
        return APR_EINVAL;
    }
    rq->owner = upool_request_owner(r, conf);
    *bucket = make_bucket(r, rq);
    return APR_SUCCESS;
}

static apr_status_t failed(request_rec *r, const upool_refusal *refusal)
{
    upool_rlog(r, ERR, refusal->rv, 34, "no upload can be looked up: %s",
               refusal->detail ? refusal->detail : refusal->text);
    return refusal->rv ? refusal->rv : APR_EGENERAL;
}

/* What the bucket holds now; NULL: nothing that its request may see. */
static const upool_record *look(const upload_pool_bucket *bucket,
                                apr_time_t *expires, apr_status_t *rv)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    const upool_record *record =
        upool_known_visible(bucket->r, bucket->rq, expires, &refusal);

    *rv = refusal.reason ? failed(bucket->r, &refusal) : APR_SUCCESS;
    return record;
}

static apr_status_t upload_pool_access_bucket(request_rec *r, const char *text,
                                              upload_pool_bucket **bucket)
{
    apr_time_t expires;
    apr_status_t rv = name_bucket(r, text, bucket);

    if (rv) {
        return rv;
    }
    if (!look(*bucket, &expires, &rv)) {
        *bucket = NULL;
        return rv ? rv : APR_ENOENT;
    }
    return APR_SUCCESS;
}

static const char *upload_pool_get_status(upload_pool_bucket *bucket)
{
    apr_time_t expires;
    apr_status_t rv;
    const upool_record *record = look(bucket, &expires, &rv);

    return upool_result_status(record, expires, bucket->r->pool);
}

static int upload_pool_is_complete(upload_pool_bucket *bucket)
{
    apr_time_t expires;
    apr_status_t rv;
    const upool_record *record = look(bucket, &expires, &rv);

    return record && record->state == UPOOL_STATE_DONE;
}

/* The progress table does not list files, so the pool is asked. */
static const char *upload_pool_get_filename(upload_pool_bucket *bucket, int n)
{
    apr_pool_t *p = bucket->r->pool;
    upool_refusal refusal;
    upool_store *store;
    upool_record *record = NULL;
    const upool_file *file;

    if (n < 0 || !upload_pool_is_complete(bucket)) {
        return NULL;
    }
    store = upool_known_store(bucket->r, bucket->rq, &refusal);
    if (!store) {
        failed(bucket->r, &refusal);
        return NULL;
    }
    if (upool_bucket_complete(&record, store, bucket->rq->id, p)
        || !upool_known_is_mine(record, bucket->rq)
        || n >= record->files->nelts) {
        return NULL;
    }
    file = &APR_ARRAY_IDX(record->files, n, upool_file);
    return file->stored ? apr_pstrcat(p, upool_store_path(store), "/",
                                      bucket->rq->id, "/", file->stored, NULL)
                        : NULL;
}

static apr_status_t upload_pool_clear_upload(upload_pool_bucket *bucket)
{
    request_rec *r = bucket->r;
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_store *store = upool_known_store(r, bucket->rq, &refusal);
    const upool_record *record =
        store ? upool_known_find(r, bucket->rq, &refusal) : NULL;
    apr_status_t rv;

    if (!store || refusal.reason) {
        return failed(r, &refusal);
    }
    /* Checked again: since the bucket was accessed, someone else may have taken
     * its name. */
    if (record && !upool_known_is_mine(record, bucket->rq)) {
        return APR_EACCES;
    }
    rv = upool_known_clear(r, bucket->rq, store);
    upool_rlog(r, DEBUG, rv, 35, "upload %s: cleared by another module",
               upool_log_ident(r->pool, bucket->rq->id));
    return rv;
}

static apr_status_t upload_pool_clear_bucket(request_rec *r, const char *text)
{
    upload_pool_bucket *bucket;
    apr_status_t rv = name_bucket(r, text, &bucket);

    return rv ? rv : upload_pool_clear_upload(bucket);
}

static upload_pool_bucket *upload_pool_current(request_rec *r)
{
    upool_request *rq = upool_request_substituted(r);

    return rq ? make_bucket(r, rq) : NULL;
}

void upool_api_register(void)
{
    APR_REGISTER_OPTIONAL_FN(upload_pool_create_identifier);
    APR_REGISTER_OPTIONAL_FN(upload_pool_verify_identifier);
    APR_REGISTER_OPTIONAL_FN(upload_pool_access_bucket);
    APR_REGISTER_OPTIONAL_FN(upload_pool_get_status);
    APR_REGISTER_OPTIONAL_FN(upload_pool_get_filename);
    APR_REGISTER_OPTIONAL_FN(upload_pool_is_complete);
    APR_REGISTER_OPTIONAL_FN(upload_pool_clear_upload);
    APR_REGISTER_OPTIONAL_FN(upload_pool_clear_bucket);
    APR_REGISTER_OPTIONAL_FN(upload_pool_current);
}
