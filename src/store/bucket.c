/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/bucket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/document.h"
#include "store/farm.h"
#include "store/bucket_own.h"
#include "store/resumable_state.h"
#include "store/inuse.h"
#include "store/layout.h"
#include "store/purge.h"

/* How often a bucket may vanish between making and locking it before we take it
 * for an error. */
#define BEGIN_TRIES 16
#define ALL_BITS 07777
/* For an application that is about to be over. */
#define ANSWER_PATIENCE apr_time_from_msec(200)
#define ANSWER_PAUSE apr_time_from_msec(10)

static upool_spool *spool_at(const upool_bucket *bucket, int i)
{
    return APR_ARRAY_IDX(bucket->spools, i, upool_spool *);
}

static void remove_files(const upool_bucket *bucket)
{
    int i;

    for (i = 0; i < bucket->spools->nelts; i++) {
        upool_spool_remove(spool_at(bucket, i));
    }
}

static apr_status_t visit_other(void *baton, int fd, const char *name)
{
    int *others = baton;

    (void)fd;
    *others += upool_layout_entry(name) != UPOOL_ENTRY_LOCK;
    return APR_SUCCESS;
}

/* Only under the lock: an empty directory without it may be one that another
 * holder has just begun with.  Once the lock's file has gone another may come:
 * then the directory is not empty, and nothing more is done here. */
static void remove_if_empty(const upool_bucket *bucket)
{
    int others = 0;

    if (!upool_directory_check(&bucket->directory, bucket->store, bucket->id)
        && !upool_directory_each(bucket->directory.fd, visit_other, &others)
        && !others) {
        unlinkat(bucket->directory.fd, UPOOL_LAYOUT_LOCK, 0);
        unlinkat(upool_store_fd(bucket->store), bucket->id, AT_REMOVEDIR);
    }
}

static void abandon(upool_bucket *bucket)
{
    int i;

    for (i = 0; i < bucket->spools->nelts; i++) {
        if (!spool_at(bucket, i)->adopted) {
            upool_spool_remove(spool_at(bucket, i));
        }
    }
    if (!bucket->previous && !bucket->noted && !bucket->adopted) {
        remove_if_empty(bucket);
    }
}

/* The pool's cleanup: the spools, registered later, are closed by now.  Files
 * go before the lock, so that the next holder finds none of them. */
static apr_status_t let_go(void *data)
{
    upool_bucket *bucket = data;
    int i;

    if (bucket->stage == UPOOL_STAGE_WRITING) {
        abandon(bucket);
    }
    for (i = 0; i < bucket->spools->nelts; i++) {
        upool_fd_unguard(&spool_at(bucket, i)->fd, bucket->pool);
    }
    bucket->stage = UPOOL_STAGE_ENDED;
    upool_lock_release(&bucket->lock);
    upool_fd_close(&bucket->directory.fd);
    return APR_SUCCESS;
}

static mode_t directory_mode(const upool_store *store)
{
    mode_t mode = (mode_t)upool_store_settings(store)->file_mode;

    return S_IRWXU | (mode & S_IRGRP ? S_IXGRP : 0)
           | (mode & S_IROTH ? S_IXOTH : 0);
}

/* *made: 1 when the directory is new. */
static apr_status_t make_directory(const upool_bucket *bucket, int *made)
{
    mode_t mode = directory_mode(bucket->store);
    int pool_fd = upool_store_fd(bucket->store);

    *made = mkdirat(pool_fd, bucket->id, mode) == 0;
    if (!*made && errno != EEXIST) {
        return upool_fd_error();
    }
    /* Also for a directory that was there: its maker may have died before. */
    return upool_store_settings(bucket->store)->sync
               ? upool_fd_sync_directory(pool_fd)
               : APR_SUCCESS;
}

/* 1 when no other holder can have been here: a new directory whose name nobody
 * else knows.  This saves three system calls; if the directory were gone all
 * the same, no file could be made in it, and the upload would end as
 * cleared. */
static int is_secret(const upool_bucket *bucket, int made)
{
    return made && bucket->minted;
}

/* One try to make, enter and lock the directory.  APR_EAGAIN: somebody removed
 * it under our hands. */
static apr_status_t hold_once(upool_bucket *bucket, int *made, const char **why)
{
    apr_status_t current;
    apr_status_t rv;

    *why = "bucket directory cannot be made";
    rv = make_directory(bucket, made);
    if (rv) {
        return rv;
    }
    rv = upool_directory_enter(&bucket->directory, bucket->store, bucket->id);
    if (rv) {
        *why = rv == ENOTDIR ? "bucket's name is taken by something else"
                             : "bucket directory cannot be opened";
        return rv == ENOENT ? APR_EAGAIN : rv;
    }
    rv = upool_lock_take(&bucket->lock, bucket->directory.fd);
    current = is_secret(bucket, *made)
                  ? APR_SUCCESS
                  : upool_directory_check(&bucket->directory, bucket->store,
                                          bucket->id);
    if (current == ENOENT) {
        return APR_EAGAIN;
    }
    *why = rv == APR_EBUSY ? "bucket is in use" : "bucket cannot be locked";
    return rv ? rv : current;
}

static apr_status_t hold(upool_bucket *bucket, int *made, const char **why)
{
    apr_status_t rv = APR_EAGAIN;
    int i;

    for (i = 0; rv == APR_EAGAIN && i < BEGIN_TRIES; i++) {
        rv = hold_once(bucket, made, why);
        if (rv) {
            upool_lock_release(&bucket->lock);
            upool_fd_close(&bucket->directory.fd);
        }
    }
    if (rv == APR_EAGAIN) {
        *why = "bucket is removed again and again";
        return APR_EBUSY;
    }
    return rv;
}

/* The umask must not keep the application out of what the mode lets it read. */
static apr_status_t widen(const upool_bucket *bucket)
{
    mode_t mode = directory_mode(bucket->store);

    mode_t now = bucket->directory.about.st_mode & ALL_BITS;

    if ((now & mode) != mode && fchmod(bucket->directory.fd, now | mode) < 0) {
        return upool_fd_error();
    }
    return APR_SUCCESS;
}

/* To the group of the administrator's choice, for an application that runs as
 * another user; before its files are made, and before it may be entered. */
static apr_status_t hand_over(upool_bucket *bucket, const char **why)
{
    const upool_store_options *options = upool_store_settings(bucket->store);

    if (!options->has_group
        || bucket->directory.about.st_gid == options->group) {
        return APR_SUCCESS;
    }
    *why = "bucket cannot be given to its group; is the server's user a"
           " member?";
    return fchown(bucket->directory.fd, (uid_t)-1, options->group) < 0
               ? upool_fd_error()
               : APR_SUCCESS;
}

static apr_status_t forget_attempt(const upool_bucket *bucket)
{
    return unlinkat(bucket->directory.fd, UPOOL_LAYOUT_ATTEMPT, 0) < 0
                   && errno != ENOENT
               ? upool_fd_error()
               : APR_SUCCESS;
}

/* An upload of several requests that is on its way keeps others out, unless it
 * has expired or can never be completed; then it goes. */
static apr_status_t pass_incomplete(const upool_bucket *bucket,
                                    const char **why)
{
    apr_interval_time_t expires = upool_store_settings(bucket->store)->expires;
    int fd = bucket->directory.fd;
    upool_resumable_state found;
    apr_status_t rv = upool_resumable_state_look(
        &found, fd, bucket->id, bucket->previous, bucket->pool);

    if (rv == ENOENT) {
        return APR_SUCCESS;
    }
    if (!rv) {
        rv = upool_resumable_state_judge(
            &found, fd, expires ? apr_time_now() - expires : 0);
    }
    if (rv == APR_EBUSY) {
        *why = "an upload of several requests is on its way";
    }
    if (rv && rv != APR_EGENERAL) {
        return rv;
    }
    return unlinkat(fd, UPOOL_LAYOUT_RESUMABLE, 0) < 0 && errno != ENOENT
               ? upool_fd_error()
               : APR_SUCCESS;
}

/* Removes what earlier attempts have left.  made: the directory was made a
 * moment ago; since then another holder may have come and gone and left an
 * upload on its way, or either document, but hardly anything else, so a walk is
 * not worth while. */
static apr_status_t tidy(upool_bucket *bucket, int made, const char **why)
{
    int fd = bucket->directory.fd;
    apr_status_t passed;
    apr_status_t rv;

    if (is_secret(bucket, made)) {
        return APR_SUCCESS;
    }
    rv = upool_document_complete(&bucket->previous, fd, bucket->id,
                                 bucket->pool);
    if (rv == APR_EGENERAL) {
        /* Somebody may want to repair it, until there is something better. */
        bucket->damaged = 1;
    }
    passed = pass_incomplete(bucket, why);
    if (passed) {
        return passed;
    }
    if (rv) {
        bucket->previous = NULL;
    }
    if (rv == APR_EGENERAL || (rv == ENOENT && made)) {
        return forget_attempt(bucket);
    }
    if (rv && rv != ENOENT) {
        return rv;
    }
    return upool_purge_leftovers(fd, bucket->previous, bucket->pool);
}

static upool_bucket *bucket_make(upool_store *store, const char *id,
                                 apr_pool_t *p)
{
    upool_bucket *bucket = apr_pcalloc(p, sizeof(*bucket));

    bucket->pool = p;
    bucket->store = store;
    bucket->id = apr_pstrdup(p, id);
    bucket->directory.fd = -1;
    bucket->lock.directory = -1;
    bucket->lock.file = -1;
    bucket->stage = UPOOL_STAGE_ENDED;
    bucket->spools = apr_array_make(p, 1, sizeof(upool_spool *));
    apr_pool_cleanup_register(p, bucket, let_go, apr_pool_cleanup_null);
    return bucket;
}

/* An upload that an application works on belongs to that application alone.
 * Waits a moment, since its client may have the whole answer before its handler
 * returns. */
static apr_status_t await_answer(const upool_bucket *bucket, const char **why)
{
    int fd = bucket->directory.fd;
    apr_time_t deadline = apr_time_now() + ANSWER_PATIENCE;

    while (upool_inuse_is_held(fd)) {
        if (apr_time_now() >= deadline) {
            *why = "its application still works on it";
            return APR_EBUSY;
        }
        apr_sleep(ANSWER_PAUSE);
    }
    *why = "bucket cannot be cleaned of an upload that was cleared";
    return upool_inuse_is_cleared(fd)
               ? upool_purge_leftovers(fd, NULL, bucket->pool)
               : APR_SUCCESS;
}

static apr_status_t begin(upool_bucket *b, const char **why)
{
    int made = 0;
    apr_status_t rv;

    *why = upool_farm_unsafe(b->store, b->pool);
    rv = *why ? ENOLCK : hold(b, &made, why);
    if (!rv && !made) {
        rv = await_answer(b, why);
    }
    if (!rv) {
        b->stage = UPOOL_STAGE_WRITING;
        rv = hand_over(b, why);
    }
    if (!rv) {
        *why = "bucket cannot be cleaned of an earlier attempt";
        rv = made ? widen(b) : APR_SUCCESS;
    }
    if (!rv) {
        rv = tidy(b, made, why);
    }
    return rv;
}

apr_status_t upool_bucket_begin(upool_bucket **bucket, upool_store *store,
                                const char *id, int minted, apr_pool_t *p,
                                upool_record **previous, const char **why)
{
    upool_bucket *b;
    apr_status_t rv;

    if (!upool_layout_is_bucket(id)) {
        *why = "identifier is no name of a bucket";
        return APR_EINVAL;
    }
    b = bucket_make(store, id, p);
    b->minted = minted;
    rv = begin(b, why);
    if (rv) {
        upool_bucket_end(b);
        return rv;
    }
    *bucket = b;
    *previous = b->previous;
    *why = NULL;
    return APR_SUCCESS;
}

static void adopt_file(upool_bucket *bucket, const upool_resumable *about)
{
    upool_spool *spool = apr_pcalloc(bucket->pool, sizeof(*spool));

    spool->bucket = bucket;
    spool->name = apr_pstrdup(bucket->pool, about->file.stored);
    spool->fd = -1;
    spool->adopted = 1;
    APR_ARRAY_PUSH(bucket->spools, upool_spool *) = spool;
}

/* The lock, and what it guards as it is now. */
static apr_status_t hold_incomplete(upool_bucket *bucket,
                                    upool_resumable_state *found,
                                    apr_time_t deadline)
{
    apr_status_t rv =
        upool_directory_enter(&bucket->directory, bucket->store, bucket->id);

    rv = rv ? rv
            : upool_lock_wait(&bucket->lock, bucket->directory.fd, deadline);
    if (rv) {
        return rv;
    }
    bucket->adopted = 1;
    bucket->stage = UPOOL_STAGE_WRITING;
    rv = upool_directory_check(&bucket->directory, bucket->store, bucket->id);
    if (rv) {
        return rv;
    }
    rv = upool_document_complete(&bucket->previous, bucket->directory.fd,
                                 bucket->id, bucket->pool);
    if (rv && rv != ENOENT && rv != APR_EGENERAL) {
        return rv;
    }
    return upool_resumable_state_look(found, bucket->directory.fd, bucket->id,
                                      bucket->previous, bucket->pool);
}

apr_status_t upool_bucket_adopt(upool_bucket **bucket, upool_store *store,
                                const upool_resumable *about, apr_pool_t *p,
                                apr_time_t deadline)
{
    upool_bucket *b = bucket_make(store, about->identifier, p);
    upool_resumable_state found;
    apr_status_t rv = hold_incomplete(b, &found, deadline);

    if (!rv && found.about->created != about->created) {
        rv = APR_ENOENT;
    }
    if (rv) {
        upool_bucket_end(b);
        return rv;
    }
    adopt_file(b, found.about);
    *bucket = b;
    return APR_SUCCESS;
}

/* Never synced: after a power cut no attempt.json reads as interrupted too. */
static apr_status_t save_attempt(const upool_bucket *bucket,
                                 const upool_record *record)
{
    if (!upool_lock_is_whole(&bucket->lock)) {
        return APR_ENOENT;
    }
    return upool_document_save(record, bucket->directory.fd,
                               UPOOL_LAYOUT_ATTEMPT, UPOOL_LAYOUT_ATTEMPT_NEW,
                               0, NULL);
}

void upool_bucket_fail(upool_bucket *bucket, const upool_record *record)
{
    if (bucket->stage != UPOOL_STAGE_WRITING) {
        return;
    }
    /* An upload that is about to be completed must not be found without its
     * file. */
    if (bucket->adopted) {
        unlinkat(bucket->directory.fd, UPOOL_LAYOUT_RESUMABLE, 0);
    }
    /* Files first: on a full disk they are the room that the reason needs. */
    remove_files(bucket);
    if (record && record->state == UPOOL_STATE_ERROR) {
        save_attempt(bucket, record);
    }
    else {
        unlinkat(bucket->directory.fd, UPOOL_LAYOUT_ATTEMPT, 0);
        remove_if_empty(bucket);
    }
    bucket->stage = UPOOL_STAGE_FAILED;
}

apr_status_t upool_bucket_note(upool_bucket *bucket, const upool_record *record)
{
    apr_status_t rv;

    if (bucket->stage != UPOOL_STAGE_WRITING) {
        return APR_EBADF;
    }
    if (record->state != UPOOL_STATE_UPLOADING) {
        return APR_EINVAL;
    }
    rv = save_attempt(bucket, record);
    if (!rv) {
        bucket->noted = 1;
    }
    return rv;
}

apr_status_t upool_bucket_look(const upool_bucket *bucket)
{
    if (bucket->stage != UPOOL_STAGE_WRITING) {
        return APR_EBADF;
    }
    if (upool_farm_is_unsafe(bucket->store)) {
        return ENOLCK;
    }
    return upool_directory_check(&bucket->directory, bucket->store, bucket->id);
}

void upool_bucket_end(upool_bucket *bucket)
{
    apr_pool_cleanup_run(bucket->pool, bucket, let_go);
}
