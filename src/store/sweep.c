/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store/answer.h"
#include "store/batch.h"
#include "store/descriptor.h"
#include "store/directory.h"
#include "store/document.h"
#include "store/resumable_state.h"
#include "store/inuse.h"
#include "store/layout.h"
#include "store/lock.h"
#include "store/purge.h"
#include "store/recount.h"
#include "store/siblings.h"

/* Names read ahead, 64 bytes of memory each: the larger their part of the pool,
 * the more of them are neighbours on the disk. */
#define BATCH 65536
/* Entries of the ledger between two looks at the clock. */
#define COUNTED 16

struct upool_sweep {
    upool_store *store;
    apr_pool_t *pool;
    apr_pool_t *scratch;      /* cleared after each bucket */
    upool_batch *batch;       /* NULL: all were told */
    upool_recount *recount;   /* NULL: there is no ledger, or not yet */
    upool_siblings *siblings; /* parts of concatenations, of the whole round */
    int begun;                /* the first step was taken */
    apr_time_t stop_at;       /* of the clock, for a step; 0: no matter */
    upool_sweep_tell *tell;
    void *baton;
    int dry; /* nothing is changed */
};

/* The result of one look at a bucket. */
typedef struct finding {
    int foreign;         /* holds something that a bucket cannot hold */
    int data;            /* data files in it */
    int named;           /* data files that metadata.json names */
    apr_off_t bytes;     /* of all data files */
    apr_time_t oldest;   /* modification of a data file; 0: none */
    apr_time_t newest;   /* modification of anything */
    apr_time_t activity; /* what expiry counts from; 0: it was cleared */
    int has_lock;        /* a lock file is there */
    int undated;         /* no document says when it was in use */
    int written;         /* somebody writes to an upload of several requests */
    const upool_resumable *part; /* of a concatenation; NULL: it is none */
    int part_is_whole;
} finding;

apr_status_t upool_sweep_begin(upool_sweep **sweep, upool_store *store,
                               apr_pool_t *p)
{
    upool_sweep *s = apr_pcalloc(p, sizeof(*s));
    apr_status_t rv =
        upool_batch_open(&s->batch, upool_store_fd(store), BATCH, p);

    if (rv) {
        return rv;
    }
    s->store = store;
    s->pool = p;
    s->siblings = upool_siblings_make(p);
    apr_pool_create(&s->scratch, p);
    *sweep = s;
    return APR_SUCCESS;
}

void upool_sweep_stop_at(upool_sweep *sweep, apr_time_t when)
{
    sweep->stop_at = when;
}

void upool_sweep_report(upool_sweep *sweep, upool_sweep_tell *tell, void *baton,
                        int dry)
{
    sweep->tell = tell;
    sweep->baton = baton;
    sweep->dry = dry;
}

static void tell(const upool_sweep *sweep, const upool_sweep_deed *deed)
{
    if (sweep->tell) {
        sweep->tell(sweep->baton, deed);
    }
}

static void add_file(finding *found, const struct stat *st, int is_data)
{
    apr_time_t mtime = upool_directory_mtime(st);

    /* A link or directory under one of our names is not ours either. */
    found->foreign |= !S_ISREG(st->st_mode);
    if (mtime > found->newest) {
        found->newest = mtime;
    }
    if (is_data) {
        found->bytes += st->st_size;
        if (!found->oldest || mtime < found->oldest) {
            found->oldest = mtime;
        }
    }
}

static apr_status_t visit_entry(void *baton, int fd, const char *name)
{
    finding *found = baton;
    upool_entry entry = upool_layout_entry(name);
    struct stat st;

    found->foreign |= entry == UPOOL_ENTRY_FOREIGN;
    found->data += entry == UPOOL_ENTRY_DATA;
    found->has_lock |= entry == UPOOL_ENTRY_LOCK;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        add_file(found, &st, entry == UPOOL_ENTRY_DATA);
    }
    else if (errno != ENOENT) {
        return upool_fd_error();
    }
    return APR_SUCCESS;
}

static int count_stored(const upool_record *record)
{
    int count = 0;
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        count += APR_ARRAY_IDX(record->files, i, upool_file).stored != NULL;
    }
    return count;
}

static void add_record(finding *found, const upool_record *record)
{
    if (record->updated > found->activity) {
        found->activity = record->updated;
    }
    found->named += count_stored(record);
}

/* It is not there, or could not be read better at another time. */
static int is_final(apr_status_t rv)
{
    return !rv || rv == ENOENT || rv == APR_EGENERAL || rv == EACCES;
}

static apr_status_t add_incomplete(finding *found, const upool_directory *dir,
                                   const char *id, const upool_record *complete,
                                   apr_pool_t *p)
{
    upool_resumable_state now;
    apr_status_t rv =
        upool_resumable_state_look(&now, dir->fd, id, complete, p);

    if (rv) {
        return rv;
    }
    if (now.activity > found->activity) {
        found->activity = now.activity;
    }
    found->named++;
    if (upool_resumable_is_part(now.about)) {
        found->part = now.about;
        found->part_is_whole = upool_resumable_state_waits(now.about, now.size);
    }
    found->written =
        upool_resumable_state_writer(dir->fd, now.about->file.stored)
        != APR_SUCCESS;
    return APR_SUCCESS;
}

static apr_status_t add_document(finding *found, const upool_directory *dir,
                                 const char *name, const char *id,
                                 upool_record **record, apr_pool_t *p)
{
    apr_status_t rv = upool_document_load(record, dir->fd, name, id, p);

    if (!rv) {
        add_record(found, *record);
    }
    return rv;
}

/* 0 when the bucket could not be read: something younger may be in it. */
static int inspect(finding *found, const upool_directory *dir, const char *id,
                   apr_pool_t *p)
{
    upool_record *complete = NULL;
    upool_record *record = NULL;
    struct stat st;

    memset(found, 0, sizeof(*found));
    if (fstat(dir->fd, &st) < 0) {
        return 0;
    }
    found->newest = upool_directory_mtime(&st);
    if (upool_directory_each(dir->fd, visit_entry, found)) {
        return 0;
    }
    if (!is_final(
            add_document(found, dir, UPOOL_LAYOUT_METADATA, id, &complete, p))
        || !is_final(add_incomplete(found, dir, id, complete, p))
        || !is_final(
            add_document(found, dir, UPOOL_LAYOUT_ATTEMPT, id, &record, p))) {
        return 0;
    }
    if (!found->activity) {
        found->undated = 1;
        found->activity = found->newest;
    }
    if (upool_inuse_is_cleared(dir->fd)) {
        found->activity = 0;
    }
    return 1;
}

static int has_work(const finding *found, apr_time_t deadline)
{
    return !found->foreign && !found->written
           && (found->activity < deadline
               || (found->data > found->named && found->oldest < deadline));
}

static void remove_orphans(const upool_sweep *sweep, const upool_directory *dir,
                           const char *id, apr_time_t deadline)
{
    upool_sweep_deed deed = { id, 0, 0, 0, APR_SUCCESS };
    upool_purge_tally tally = { sweep->dry, 0, 0 };
    upool_record *record = NULL;
    upool_resumable_state now;
    apr_status_t rv = upool_document_load(
        &record, dir->fd, UPOOL_LAYOUT_METADATA, id, sweep->scratch);
    apr_status_t rest =
        upool_resumable_state_look(&now, dir->fd, id, record, sweep->scratch);

    /* A record that cannot be read may name any of them. */
    if ((rv && rv != ENOENT) || (rest && rest != ENOENT)) {
        return;
    }
    if (!rest) {
        record = record ? record : upool_record_make(sweep->scratch, id);
        APR_ARRAY_PUSH(record->files, upool_file) = now.about->file;
    }
    deed.error =
        upool_purge_orphans(dir->fd, record, deadline, &tally, sweep->scratch);
    deed.files = tally.files;
    deed.bytes = tally.bytes;
    if (deed.files || deed.error) {
        tell(sweep, &deed);
    }
}

static int remove_bucket(const upool_sweep *sweep, const upool_directory *dir,
                         const char *id, const finding *found)
{
    upool_sweep_deed deed = { id, 1, found->data, found->bytes, APR_SUCCESS };

    if (!sweep->dry) {
        deed.error = upool_purge_bucket(dir, sweep->store, id, 1);
    }
    tell(sweep, &deed);
    return deed.error == APR_SUCCESS;
}

/* Under the lock: what was found before is not younger for the lock file that
 * we have made. */
static int inspect_again(finding *found, const finding *before,
                         const upool_directory *dir, const char *id,
                         apr_pool_t *p)
{
    if (!inspect(found, dir, id, p)) {
        return 0;
    }
    if (!before->has_lock && before->undated && found->undated
        && before->data == found->data) {
        found->activity = before->activity;
    }
    return 1;
}

/* Under the lock, where nothing but a clear changes the bucket.  Returns 1 when
 * it is gone. */
static int work(const upool_sweep *sweep, upool_directory *dir, const char *id,
                apr_time_t deadline, const finding *before)
{
    finding found;

    if (upool_directory_check(dir, sweep->store, id)
        || !inspect_again(&found, before, dir, id, sweep->scratch)
        || !has_work(&found, deadline) || upool_inuse_is_held(dir->fd)) {
        return 0;
    }
    if (found.activity < deadline) {
        return remove_bucket(sweep, dir, id, &found);
    }
    remove_orphans(sweep, dir, id, deadline);
    return 0;
}

/* A dry run takes a reader's lock, which makes no file and turns nobody
 * away. */
static apr_status_t lock(const upool_sweep *sweep, upool_lock *lock,
                         int directory)
{
    return sweep->dry ? upool_lock_share(lock, directory)
                      : upool_lock_take(lock, directory);
}

/* 1 when a part of a concatenation is to stay until all of the pool was seen.
 * One that is coming, or has come lately, keeps its siblings: the request that
 * makes one upload of them may be on its way. */
static int is_put_off(const upool_sweep *sweep, const finding *found,
                      apr_time_t deadline)
{
    if (!found->part) {
        return 0;
    }
    if (found->written || found->activity >= deadline) {
        upool_siblings_add(sweep->siblings, found->part);
        return 0;
    }
    return found->part_is_whole && found->activity
           && upool_siblings_put_off(sweep->siblings, found->part);
}

/* Looks without the lock first: taking it could turn an upload away.  last:
 * nothing is put off any more. */
static int visit_bucket(const upool_sweep *sweep, const char *id,
                        apr_time_t deadline, int last)
{
    upool_directory dir;
    upool_lock held;
    finding found;
    int gone = 0;

    if (upool_directory_enter(&dir, sweep->store, id)) {
        return 0;
    }
    if (inspect(&found, &dir, id, sweep->scratch)
        && (last || !is_put_off(sweep, &found, deadline))
        && has_work(&found, deadline) && !upool_inuse_is_held(dir.fd)
        && lock(sweep, &held, dir.fd) == APR_SUCCESS) {
        gone = work(sweep, &dir, id, deadline, &found);
        upool_lock_release(&held);
    }
    if (!gone && !sweep->dry) {
        upool_answer_forget(dir.fd, apr_time_now() - UPOOL_ANSWER_KEPT);
    }
    upool_fd_close(&dir.fd);
    return gone;
}

static int is_time_up(const upool_sweep *sweep)
{
    return sweep->stop_at && apr_time_now() >= sweep->stop_at;
}

static int visit(upool_sweep *sweep, const char *name, apr_time_t deadline)
{
    int gone;

    if (!upool_layout_is_bucket(name)) {
        return 0;
    }
    gone = visit_bucket(sweep, name, deadline, 0);
    if (sweep->recount) {
        upool_recount_bucket(sweep->recount, name);
    }
    return gone;
}

/* Looks at one entry, or comes a name nearer to one. */
static apr_status_t go_on(upool_sweep *sweep, apr_time_t deadline,
                          upool_sweep_result *result)
{
    const char *name = NULL;
    apr_status_t rv = upool_batch_next(&name, sweep->batch);

    if (name) {
        result->seen++;
        result->removed += (apr_size_t)visit(sweep, name, deadline);
        apr_pool_clear(sweep->scratch);
    }
    return rv;
}

/* If this fails, quotas are right after the next count. */
static void begin_count(upool_sweep *sweep)
{
    if (!sweep->begun && !sweep->dry) {
        upool_recount_begin(&sweep->recount, sweep->store, sweep->pool);
    }
    sweep->begun = 1;
}

/* Behind the last bucket, those that were put off.  1: that was all. */
static int end_parts(const upool_sweep *sweep, apr_time_t deadline,
                     upool_sweep_result *result)
{
    const char *id;

    while ((id = upool_siblings_next(sweep->siblings)) != NULL) {
        result->removed += (apr_size_t)visit_bucket(sweep, id, deadline, 1);
        apr_pool_clear(sweep->scratch);
        if (is_time_up(sweep)) {
            return 0;
        }
    }
    return 1;
}

/* The rest of the count, behind the last bucket.  1: that was all. */
static int end_count(const upool_sweep *sweep)
{
    while (sweep->recount && !upool_recount_step(sweep->recount, COUNTED)) {
        if (is_time_up(sweep)) {
            return 0;
        }
    }
    return 1;
}

apr_status_t upool_sweep_step(upool_sweep *sweep, apr_size_t steps,
                              apr_time_t deadline, upool_sweep_result *result)
{
    apr_status_t rv = APR_SUCCESS;

    memset(result, 0, sizeof(*result));
    begin_count(sweep);
    while (sweep->batch && result->seen < steps) {
        rv = go_on(sweep, deadline, result);
        if (rv) {
            sweep->batch = NULL;
        }
        /* Each step does something, even if it is late. */
        if (rv || is_time_up(sweep)) {
            break;
        }
    }
    if (rv && rv != APR_EOF) {
        result->finished = 1;
        return rv;
    }
    result->finished =
        !sweep->batch && end_parts(sweep, deadline, result) && end_count(sweep);
    return APR_SUCCESS;
}
