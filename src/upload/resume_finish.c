/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/resume_own.h"

#include <errno.h>
#include <string.h>

#include "upload/file.h"

#define HEAD_BYTES ((apr_off_t)65536)

/* Completing: the whole file passes through its handlers, once, from the disk,
 * while the bucket's lock and the file's region are held. */
typedef struct passage {
    upool_resume *resume;
    upool_bucket *bucket;
    upload_pool_request request;
    upool_chain *chain;
    upload_pool_file *file;
    upool_resume_need need;
    apr_int64_t memory;
} passage;

/* --- The handler that leaves the file where it is ------------------------- */

static upload_pool_verdict stay(upload_pool_instance *self,
                                upload_pool_file *file, apr_off_t size,
                                upload_pool_kept *kept)
{
    const passage *pass = self->data;

    (void)file;
    (void)size;
    kept->stored = upool_resume_about(pass->resume)->file.stored;
    kept->size = upool_resume_length(pass->resume);
    return UPLOAD_POOL_GO_ON;
}

static const upload_pool_handler stay_handler = {
    UPLOAD_POOL_HANDLER_STUFF("stay"),
    .file_complete = stay,
};

/* --- The passage ---------------------------------------------------------- */

static apr_status_t visit(void *user, const char *data, apr_size_t len)
{
    passage *pass = user;

    return upool_chain_data(pass->chain, data, len)
                   || upool_chain_flush(pass->chain)
               ? APR_EABOVEROOT
               : APR_SUCCESS;
}

static void add_handlers(passage *pass)
{
    const upool_resume_options *o = &pass->resume->options;
    upool_handler_site site;

    site.chain = pass->chain;
    site.refusal = &pass->resume->refusal;
    site.memory = &pass->memory;
    site.bucket = pass->bucket;
    site.p = pass->resume->p;
    /* In front, so that handlers see where the complete file is. */
    if (!o->may_change) {
        upool_chain_add(pass->chain, &stay_handler, pass);
    }
    if (o->add_handlers) {
        pass->need = o->add_handlers(o->user, &site);
    }
}

static apr_off_t bytes_to_read(const passage *pass)
{
    apr_off_t length = upool_resume_length(pass->resume);

    if (pass->resume->options.may_change) {
        return length;
    }
    switch (pass->need) {
    case UPOOL_RESUME_NEED_NAME:
        return 0;
    case UPOOL_RESUME_NEED_HEAD:
        return length < HEAD_BYTES ? length : HEAD_BYTES;
    case UPOOL_RESUME_NEED_ALL:
        break;
    }
    return length;
}

static int read_file(passage *pass)
{
    upool_resume *resume = pass->resume;
    apr_off_t to = bytes_to_read(pass);
    apr_status_t rv = upool_resumable_read(resume->look, 0, to, visit, pass);

    if (rv && rv != APR_EABOVEROOT) {
        upool_resume_turn_down(resume, UPOOL_REASON_IO, rv,
                               "the file cannot be read in the pool");
    }
    return rv != APR_SUCCESS;
}

/* An administrator who asked for a digest must not get files without it.  Where
 * handlers may change the file, they give the digest of what they let
 * through. */
static int add_digests(passage *pass)
{
    upool_resume *resume = pass->resume;
    const apr_array_header_t *names = resume->options.digests;
    int i;

    if (resume->options.may_change) {
        return 0;
    }
    for (i = 0; names && i < names->nelts; i++) {
        const char *name =
            upool_digester_known(APR_ARRAY_IDX(names, i, const char *));
        const char *hex = name ? upool_resume_digest(resume, name) : NULL;

        if (name && !hex) {
            return upool_resume_turn_down(resume, UPOOL_REASON_IO, 0,
                                          "a digest cannot be computed");
        }
        if (name && !pass->file->digests) {
            pass->file->digests = apr_table_make(resume->p, 1);
        }
        if (name) {
            apr_table_setn(pass->file->digests, name, hex);
        }
    }
    return 0;
}

static void list_file(passage *pass, const upload_pool_kept *kept)
{
    upool_resume *resume = pass->resume;
    upool_file *done = apr_array_push(resume->record->files);

    *done = upool_resume_about(resume)->file;
    upool_file_keep(done, pass->file, kept);
    if (resume->rules) {
        upool_rules_file_kept(resume->rules);
    }
}

/* A file that was opened with this very request has passed its rules. */
static int judge_fields(upool_resume *resume)
{
    const apr_array_header_t *fields = upool_resume_fields(resume);
    int i;

    if (!resume->rules) {
        return 0;
    }
    for (i = 0; i < fields->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(fields, i, upool_field);

        upool_rules_text(resume->rules, field->name, field->len);
    }
    return upool_rules_end(resume->rules);
}

static int pass_file(passage *pass)
{
    upload_pool_kept kept;
    int skipped = 0;

    if (upool_chain_open(pass->chain)
        || upool_chain_file_begin(pass->chain, pass->file)) {
        return 1;
    }
    if (read_file(pass) || add_digests(pass)
        || upool_chain_file_end(pass->chain, &kept, &skipped)) {
        return 1;
    }
    if (!skipped) {
        list_file(pass, &kept);
    }
    return judge_fields(pass->resume) || upool_chain_complete(pass->chain);
}

static void prepare(passage *pass, upool_resume *resume, upool_bucket *bucket)
{
    memset(pass, 0, sizeof(*pass));
    pass->resume = resume;
    pass->bucket = bucket;
    pass->memory = upool_limits_memory(&resume->options.limits);
    pass->request.r = resume->options.r;
    pass->request.pool = resume->p;
    pass->request.identifier = resume->options.identifier;
    pass->request.content_length = upool_resume_length(resume);
    pass->chain = upool_chain_make(&pass->request, &resume->refusal, resume->p);
    pass->file = upool_file_show(&upool_resume_about(resume)->file,
                                 upool_resume_length(resume), resume->p);
    add_handlers(pass);
}

static int commit(passage *pass)
{
    upool_resume *resume = pass->resume;
    upool_record *record = resume->record;
    apr_status_t rv;

    upool_resume_describe(resume);
    if (record->files->nelts) {
        upool_record_name_by(record,
                             &APR_ARRAY_IDX(record->files, 0, upool_file));
    }
    record->state = UPOOL_STATE_DONE;
    record->size = record->received = upool_resume_length(resume);
    rv = upool_bucket_commit(pass->bucket, record);
    if (rv == ENOENT) {
        return upool_resume_turn_down(resume, UPOOL_REASON_CLEARED, 0, NULL);
    }
    if (rv) {
        return upool_resume_turn_down(resume, upool_refusal_of_errno(rv), rv,
                                      "the metadata cannot be written");
    }
    resume->completed_now = 1;
    return 0;
}

/* Errors that are not the client's fault may be gone the next time; those that
 * are its fault are final, since the bytes would be the same. */
static int is_final(const upool_resume *resume)
{
    return resume->refusal.status < 500
           && resume->refusal.reason != UPOOL_REASON_CLEARED;
}

static void fail(passage *pass)
{
    upool_resume *resume = pass->resume;
    upool_record *record = resume->record;

    upool_chain_interrupt(pass->chain);
    apr_array_clear(record->files);
    record->state = UPOOL_STATE_UPLOADING;
    if (is_final(resume)) {
        record->state = UPOOL_STATE_ERROR;
        record->error = resume->refusal.text;
        record->updated = resume->options.now();
        upool_bucket_fail(pass->bucket, record);
    }
}

/* After the lock is gone, as of an append. */
static void tell(upool_resume *resume)
{
    upool_record *record = resume->record;

    upool_quota_forget(resume->options.store, resume->options.identifier,
                       resume->p);
    if (!resume->account.began) {
        upool_account_claim(&resume->account, &resume->options.account, record);
        upool_account_begin(&resume->account, record);
    }
    if (record->state == UPOOL_STATE_UPLOADING) {
        upool_account_pause(&resume->account, record);
    }
    else {
        upool_account_end(&resume->account, record, resume->refusal.reason);
    }
}

int upool_resume_complete(upool_resume *resume)
{
    upool_writer *writer;
    upool_bucket *bucket = NULL;
    passage pass;
    apr_status_t rv;

    if (upool_resume_is_complete(resume)) {
        return 0;
    }
    rv = upool_writer_complete(&writer, resume->look, &bucket, resume->p);
    if (rv == APR_EOF) {
        return 0;
    }
    /* It was there when this request opened it: somebody has cleared it, or a
     * newer request has begun it anew. */
    if (APR_STATUS_IS_ENOENT(rv)) {
        return upool_resume_turn_down(resume, UPOOL_REASON_CLEARED, 0, NULL);
    }
    if (rv) {
        return upool_resume_turn_down_for(resume, rv,
                                          "the upload cannot be completed");
    }
    prepare(&pass, resume, bucket);
    if (pass_file(&pass) || commit(&pass)) {
        upool_resume_turn_down(resume, UPOOL_REASON_HANDLER, 0, NULL);
        fail(&pass);
    }
    upool_bucket_end(bucket);
    upool_writer_release(writer);
    tell(resume);
    return resume->refusal.reason != UPOOL_REASON_NONE;
}
