/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

#include "store/run.h"
#include "upload/form.h"

/* Without a slot, and on a farm whose cache is away, pollers read attempt.json,
 * which is renewed so often; more rarely while the client sends nothing. */
#define NOTE_INTERVAL apr_time_from_sec(1)
#define NOTE_ANYWAY apr_time_from_sec(5)

typedef enum life {
    LIFE_STARTED,   /* awaits admit; leaves by that, withdraw, refuse */
    LIFE_ADMITTED,  /* awaits open; leaves by that, withdraw, refuse */
    LIFE_RECEIVING, /* awaits bytes; leaves by finish, refuse */
    LIFE_DONE,      /* for good */
    LIFE_ERROR      /* for good */
} life;

struct upool_upload {
    upool_upload_options options;
    apr_pool_t *p;
    life life;
    upool_refusal refusal;
    upool_record *record;
    upool_account account;
    upool_bucket *bucket;        /* NULL: never begun, or ended */
    upool_quota *quota;          /* NULL: no quota is set */
    upload_pool_request request; /* what handlers see */
    upool_chain *chain;
    upool_fields *fields;
    upool_form *form;
    upool_content_check *check; /* NULL: no digest was announced */
    apr_int64_t tiny;           /* what small files count beyond their bytes */
    int weighed;                /* files that tiny has */
    apr_int64_t memory;
    apr_off_t parsed; /* bytes of the body as handlers have left it */
    upool_run *run;   /* its application's, from commit to answered; or NULL */
    apr_time_t noted;
    apr_off_t noted_bytes;
    int noted_name;    /* with the name of its first file */
    apr_time_t looked; /* whether the bucket is still there */
};

int upool_upload_has_slot(const upool_upload *upload)
{
    return upool_account_has_slot(&upload->account);
}

void upool_upload_park(upool_upload *upload, int parked)
{
    upool_account_park(&upload->account, parked);
}

static void settle(upool_upload *upload)
{
    if (upload->quota) {
        upool_quota_settle(upload->quota);
    }
}

/* An error is written down where there is room for it.  An error caused by a
 * full pool is told by the slot only: notes must not fill the rest of the
 * pool. */
static int may_note(upool_upload *upload)
{
    if (!upload->quota
        || upool_quota_reserved(upload->quota) >= UPOOL_QUOTA_BLOCK) {
        return 1;
    }
    return !(upload->refusal.status == 507 && upool_upload_has_slot(upload))
           && upool_quota_reserve(upload->quota, UPOOL_QUOTA_BLOCK, 0)
                  == UPOOL_QUOTA_GRANTED;
}

/* The order matters: files and attempt.json are settled while the lock is
 * held, then the quota, then the slot tells, then the lock goes.  A poller
 * never sees an error whose files or reservation are still there. */
static void end_as_error(upool_upload *upload)
{
    upload->life = LIFE_ERROR;
    upload->record->state = UPOOL_STATE_ERROR;
    upload->record->error = upload->refusal.text;
    upload->record->updated = upload->options.now();
    if (upload->chain) {
        upool_chain_interrupt(upload->chain);
    }
    if (upload->bucket) {
        if (upload->refusal.reason == UPOOL_REASON_CLEARED) {
            upool_bucket_end(upload->bucket);
        }
        else {
            upool_bucket_fail(upload->bucket,
                              may_note(upload) ? upload->record : NULL);
        }
        settle(upload);
    }
    upool_account_end(&upload->account, upload->record, upload->refusal.reason);
    if (upload->bucket) {
        upool_bucket_end(upload->bucket);
        upload->bucket = NULL;
    }
}

void upool_upload_refuse(upool_upload *upload, upool_reason reason,
                         apr_status_t rv, const char *detail)
{
    if (upload->life == LIFE_DONE || upload->life == LIFE_ERROR) {
        return;
    }
    if (upload->refusal.reason == UPOOL_REASON_NONE) {
        upload->refusal = upool_refusal_make(reason, rv, detail);
    }
    end_as_error(upload);
}

static int refuse(upool_upload *upload, upool_reason reason, apr_status_t rv,
                  const char *detail)
{
    upool_upload_refuse(upload, reason, rv, detail);
    return 1;
}

/* Runs before any other cleanup of the pool and before its sub-pools go: the
 * bucket is still open, and what handlers made is still there. */
static apr_status_t interrupt(void *arg)
{
    upool_upload_refuse(arg, UPOOL_REASON_INTERRUPTED, 0, NULL);
    return APR_SUCCESS;
}

/* NONE, or the reason why the identifier is not available now. */
static upool_reason claim(upool_upload *upload)
{
    upool_account_options options = upload->options.account;

    if (!options.name) {
        options.name = upload->options.identifier;
    }
    options.undecided = upload->options.undecided;
    return upool_account_claim(&upload->account, &options, upload->record);
}

/* A refusal before the upload has begun leaves the identifier's state as it
 * was: somebody else's upload may be the one that is there. */
static void refuse_start(upool_upload *upload, upool_reason reason,
                         apr_status_t rv, const char *detail)
{
    upload->refusal = upool_refusal_make(reason, rv, detail);
    upload->life = LIFE_ERROR;
    if (upload->bucket) {
        upool_bucket_end(upload->bucket);
        upload->bucket = NULL;
    }
    upool_account_turn_away(&upload->account, reason);
}

static void begin_bucket(upool_upload *upload)
{
    const upool_upload_options *o = &upload->options;
    upool_record *previous = NULL;
    const char *why = NULL;
    apr_status_t rv =
        upool_bucket_begin(&upload->bucket, o->store, o->identifier, o->minted,
                           upload->p, &previous, &why);

    if (rv == APR_EBUSY) {
        upload->bucket = NULL;
        refuse_start(upload, UPOOL_REASON_BUSY, 0, NULL);
    }
    else if (rv) {
        upload->bucket = NULL;
        upload->refusal =
            upool_refusal_make(upool_refusal_of_errno(rv), rv, why);
        end_as_error(upload);
    }
    else if (previous && !upool_record_is_open_to(previous->owner, o->owner)) {
        refuse_start(upload, UPOOL_REASON_OWNER, 0, "owned by another user");
    }
    else if (upool_quota_is_set(&o->quota)) {
        upload->quota = upool_quota_make(o->store, o->identifier, o->owner,
                                         &o->quota, upload->p);
    }
}

static apr_status_t free_upload(void *upload)
{
    free(upload);
    return APR_SUCCESS;
}

/* Not in p: a pool takes memory by whole pages, and thousands of uploads may
 * wait for their clients.  It goes after all that p's other cleanups and
 * sub-pools may still do with it. */
static upool_upload *make_upload(apr_pool_t *p)
{
    upool_upload *upload = calloc(1, sizeof(*upload));

    if (!upload) {
        abort();
    }
    apr_pool_cleanup_register(p, upload, free_upload, apr_pool_cleanup_null);
    return upload;
}

upool_upload *upool_upload_start(const upool_upload_options *options,
                                 apr_pool_t *p)
{
    upool_upload *upload = make_upload(p);
    upool_reason reason;

    upload->options = *options;
    upload->p = p;
    upload->memory = upool_limits_memory(&options->limits);
    upload->record = upool_record_make(p, options->identifier);
    upload->record->state = UPOOL_STATE_UPLOADING;
    upload->record->size = options->content_length;
    upload->record->owner = options->owner;
    upload->record->created = options->now();
    upload->record->updated = upload->record->created;
    upload->looked = upload->record->created;
    reason = claim(upload);
    if (reason) {
        refuse_start(upload, reason, 0, NULL);
        return upload;
    }
    begin_bucket(upload);
    if (upload->life == LIFE_ERROR) {
        return upload;
    }
    upool_account_begin(&upload->account, upload->record);
    apr_pool_pre_cleanup_register(p, upload, interrupt);
    upload->request.r = options->r;
    upload->request.pool = p;
    upload->request.identifier = options->identifier;
    upload->request.content_length = options->content_length;
    upload->chain = upool_chain_make(&upload->request, &upload->refusal, p);
    upload->fields =
        upool_fields_make(&upload->options.limits, &upload->memory, p);
    return upload;
}

upool_chain *upool_upload_chain(upool_upload *upload)
{
    return upload->chain;
}

upool_bucket *upool_upload_bucket(upool_upload *upload)
{
    return upload->bucket;
}

upool_refusal *upool_upload_refusal(upool_upload *upload)
{
    return &upload->refusal;
}

apr_int64_t *upool_upload_memory(upool_upload *upload)
{
    return &upload->memory;
}

/* 1 when pollers on this machine have nothing but the note, or those on others
 * may: then it is renewed.  Else it is written for those that share the pool
 * and no cache, once it is worth it, and has name and size. */
static int is_note_due(const upool_upload *upload)
{
    const upool_record *record = upload->record;
    apr_interval_time_t since = record->updated - upload->noted;
    int idle = record->received == upload->noted_bytes;

    if (!upool_upload_has_slot(upload) || upload->options.account.tell) {
        return since >= (idle ? NOTE_ANYWAY : NOTE_INTERVAL);
    }
    return !upload->noted_name && since >= NOTE_INTERVAL
           && record->updated - record->created >= NOTE_INTERVAL
           && (!upload->noted || record->filename[0]);
}

/* Somebody who does not know of the slot may have cleared the upload: another
 * machine, the tool, rm.  The writer finds the bucket gone.  A note is written
 * where that is a directory no more, whoever keeps a copy of it.  0, or 1 when
 * so. */
static int note(upool_upload *upload)
{
    const upool_record *record = upload->record;
    apr_status_t rv = APR_SUCCESS;

    if (is_note_due(upload)) {
        upload->noted = record->updated;
        upload->looked = record->updated;
        upload->noted_bytes = record->received;
        upload->noted_name = record->filename[0] != 0;
        rv = upool_bucket_note(upload->bucket, record);
    }
    else if (record->updated - upload->looked >= NOTE_INTERVAL) {
        upload->looked = record->updated;
        rv = upool_bucket_look(upload->bucket);
    }
    if (rv == ENOLCK) {
        return refuse(upload, UPOOL_REASON_IO, rv, "the pool is unsafe");
    }
    return APR_STATUS_IS_ENOENT(rv)
               ? refuse(upload, UPOOL_REASON_CLEARED, 0, NULL)
               : 0;
}

static void names_known(void *user)
{
    upool_upload *upload = user;

    upool_account_name(&upload->account, upload->record);
}

static int refuse_quota(upool_upload *upload, upool_quota_answer answer)
{
    upool_refusal said =
        upool_refusal_of_quota(answer, upool_quota_error(upload->quota));

    return said.reason ? refuse(upload, said.reason, said.rv, said.detail) : 0;
}

/* Files that are complete, and count a block though they are smaller. */
static void weigh_files(upool_upload *upload)
{
    const apr_array_header_t *files = upload->record->files;

    for (; upload->weighed < files->nelts; upload->weighed++) {
        const upool_file *file =
            &APR_ARRAY_IDX(files, upload->weighed, const upool_file);

        if (file->stored && file->size < UPOOL_QUOTA_BLOCK) {
            upload->tiny += UPOOL_QUOTA_BLOCK - file->size;
        }
    }
}

/* At most: the bytes that came, or what handlers have made of them. */
static apr_int64_t written_to(const upool_upload *upload)
{
    return upload->parsed > upload->record->received ? upload->parsed
                                                     : upload->record->received;
}

/* The size that the upload may reach: its body as far as it is known, what
 * small files count beyond that, a block for the file under way and one for the
 * record. */
static apr_int64_t room_needed(upool_upload *upload)
{
    apr_int64_t body = upload->options.content_length;

    weigh_files(upload);
    if (written_to(upload) > body) {
        body = written_to(upload);
    }
    return body > APR_INT64_MAX - upload->tiny - 2 * UPOOL_QUOTA_BLOCK
               ? APR_INT64_MAX
               : body + upload->tiny + 2 * UPOOL_QUOTA_BLOCK;
}

/* Before the first byte the announced size is only asked for, not reserved: a
 * client that sends nothing keeps nothing from others.  0, or 1 when
 * refused. */
static int ask_first(upool_upload *upload)
{
    return upload->quota
           && refuse_quota(
               upload, upool_quota_ask(upload->quota, room_needed(upload), 0));
}

/* 0, or 1 when refused. */
static int reserve(upool_upload *upload)
{
    apr_int64_t written = written_to(upload);
    apr_int64_t need;

    if (!upload->quota) {
        return 0;
    }
    need = room_needed(upload);
    if (need <= upool_quota_reserved(upload->quota)) {
        return 0;
    }
    return refuse_quota(
        upload, upload->options.content_length < 0
                    ? upool_quota_reserve_ahead(upload->quota, need, written)
                    : upool_quota_reserve(upload->quota, need, written));
}

/* Names may be long, and the record keeps them: more than the block that it has
 * is reserved when its length is known.  0, or 1 when refused. */
static int reserve_record(upool_upload *upload)
{
    apr_int64_t more;

    if (!upload->quota) {
        return 0;
    }
    more = upool_record_weight(upload->record) - UPOOL_QUOTA_BLOCK;
    return more > 0
           && refuse_quota(upload,
                           upool_quota_reserve(upload->quota,
                                               room_needed(upload) + more,
                                               upload->record->received));
}

int upool_upload_admit(upool_upload *upload)
{
    if (upload->life != LIFE_STARTED) {
        return upload->life != LIFE_ADMITTED;
    }
    if (upload->options.content_length > upload->options.limits.body) {
        return refuse(upload, UPOOL_REASON_BODY_TOO_LARGE, 0, "announced");
    }
    if (ask_first(upload)) {
        return 1;
    }
    upload->life = LIFE_ADMITTED;
    return 0;
}

void upool_upload_withdraw(upool_upload *upload)
{
    if (upload->life != LIFE_STARTED && upload->life != LIFE_ADMITTED) {
        return;
    }
    upload->life = LIFE_ERROR;
    upool_chain_interrupt(upload->chain);
    upool_bucket_fail(upload->bucket, NULL);
    settle(upload);
    upool_account_withdraw(&upload->account);
    upool_bucket_end(upload->bucket);
    upload->bucket = NULL;
}

int upool_upload_open(upool_upload *upload, const char *boundary,
                      apr_size_t boundary_len)
{
    upool_form_parts parts;

    if (upool_upload_admit(upload)) {
        return 1;
    }
    upool_account_decide(&upload->account);
    parts.chain = upload->chain;
    parts.fields = upload->fields;
    parts.record = upload->record;
    parts.refusal = &upload->refusal;
    parts.limits = &upload->options.limits;
    parts.rules =
        upool_rules_make(&upload->options.rules, &upload->refusal, upload->p);
    parts.check = upool_file_check_make(upload->options.digest_field,
                                        &upload->refusal, upload->p);
    parts.utf8_names = upload->options.utf8_names;
    parts.p = upload->p;
    parts.named = names_known;
    parts.user = upload;
    upload->form = upool_form_make(boundary, boundary_len, &parts);
    upload->check = upool_content_check_make(&upload->options.digests,
                                             &upload->refusal, upload->p);
    upload->request.boundary =
        apr_pstrmemdup(upload->p, boundary, boundary_len);
    upload->life = LIFE_RECEIVING;
    if (upool_chain_open(upload->chain)) {
        return refuse(upload, UPOOL_REASON_HANDLER, 0, NULL);
    }
    return note(upload);
}

/* Handlers may make more of a body than came. */
static int parse(void *user, const char *data, apr_size_t len)
{
    upool_upload *upload = user;

    upload->parsed += (apr_off_t)len;
    if (upload->parsed > upload->options.limits.body) {
        return refuse(upload, UPOOL_REASON_BODY_TOO_LARGE, 0,
                      "as handlers have left it");
    }
    return reserve(upload) || upool_form_feed(upload->form, data, len);
}

int upool_upload_feed(upool_upload *upload, const char *data, apr_size_t len)
{
    if (upload->life != LIFE_RECEIVING) {
        return 1;
    }
    upload->record->received += (apr_off_t)len;
    if (upload->record->received > upload->options.limits.body) {
        return refuse(upload, UPOOL_REASON_BODY_TOO_LARGE, 0, NULL);
    }
    if (reserve(upload)) {
        return 1;
    }
    if ((upload->check && upool_content_check_data(upload->check, data, len))
        || upool_chain_raw(upload->chain, data, len, parse, upload)) {
        return refuse(upload, UPOOL_REASON_INTERRUPTED, 0, NULL);
    }
    return 0;
}

int upool_upload_flush(upool_upload *upload)
{
    if (upload->life != LIFE_RECEIVING && upload->life != LIFE_ADMITTED) {
        return 1;
    }
    upload->record->updated = upload->options.now();
    if (upload->life == LIFE_RECEIVING && upool_chain_flush(upload->chain)) {
        return refuse(upload, UPOOL_REASON_IO, 0, NULL);
    }
    if (!upool_account_publish(&upload->account, upload->record)) {
        return refuse(upload, UPOOL_REASON_CLEARED, 0, NULL);
    }
    return note(upload);
}

/* Data before record: the slot says done only when metadata.json is there. */
static int commit(upool_upload *upload)
{
    upool_record *record = upload->record;
    apr_status_t rv;

    if (record->files->nelts) {
        upool_record_name_by(record,
                             &APR_ARRAY_IDX(record->files, 0, upool_file));
    }
    if (reserve_record(upload)) {
        return 1;
    }
    record->state = UPOOL_STATE_DONE;
    record->size = record->received;
    record->updated = upload->options.now();
    rv = upool_bucket_commit(upload->bucket, record);
    if (APR_STATUS_IS_ENOENT(rv)) {
        /* The bucket's directory went while we wrote: somebody cleared it. */
        return refuse(upload, UPOOL_REASON_CLEARED, 0, NULL);
    }
    if (rv) {
        return refuse(upload, upool_refusal_of_errno(rv), rv,
                      "the metadata cannot be written");
    }
    upload->life = LIFE_DONE;
    /* Before others can have the bucket.  Where it cannot be, its application
     * has the time that it has had. */
    upool_run_begin(&upload->run, upload->bucket, record, upload->p);
    settle(upload);
    upool_account_end(&upload->account, record, UPOOL_REASON_NONE);
    upool_bucket_end(upload->bucket);
    upload->bucket = NULL;
    return 0;
}

int upool_upload_finish(upool_upload *upload)
{
    if (upload->life != LIFE_RECEIVING) {
        return 1;
    }
    if (upool_chain_raw_end(upload->chain, parse, upload)
        || upool_form_end(upload->form)) {
        return refuse(upload, UPOOL_REASON_TRUNCATED, 0, NULL);
    }
    if (upload->check && upool_content_check_end(upload->check)) {
        return refuse(upload, UPOOL_REASON_DIGEST, 0, NULL);
    }
    if (upool_upload_flush(upload)) {
        return 1;
    }
    if (upool_chain_complete(upload->chain)) {
        return refuse(upload, UPOOL_REASON_HANDLER, 0, NULL);
    }
    return commit(upload);
}

int upool_upload_has_parts(const upool_upload *upload)
{
    return upload->form && upool_form_has_parts(upload->form);
}

void upool_upload_answered(upool_upload *upload)
{
    if (upload->run) {
        upool_run_end(upload->run);
        upload->run = NULL;
    }
}

const upool_record *upool_upload_record(const upool_upload *upload)
{
    return upload->record;
}

const apr_array_header_t *upool_upload_fields(const upool_upload *upload)
{
    return upool_fields_list(upload->fields);
}

const char *upool_upload_path(const upool_upload *upload, const char *stored,
                              apr_pool_t *p)
{
    return apr_pstrcat(p, upool_store_path(upload->options.store), "/",
                       upload->record->identifier, stored ? "/" : NULL, stored,
                       NULL);
}
