/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/resumable_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/document.h"
#include "store/filesystem.h"
#include "store/bucket_own.h"
#include "store/resumable_state.h"
#include "store/inuse.h"
#include "store/layout.h"
#include "store/resumable_own.h"
#include "store/region.h"
#include "store/takeover.h"

/* A bucket may be completed, or replaced, between two looks at its files. */
#define LOOKS_MAX 5
#define BLOCK ((apr_size_t)65536)

/* Identifies the content of a name: every save makes another file. */
static int is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev
           && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* *changed: 1 when name is another file than *seen, which is set to what it is
 * now: all zero where there is none.  If this cannot be found out, that is an
 * error. */
static apr_status_t see(const upool_resumable_look *a, const char *name,
                        struct stat *seen, int *changed)
{
    struct stat now;

    if (fstatat(a->directory.fd, name, &now, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT) {
            return upool_fd_error();
        }
        memset(&now, 0, sizeof(now));
    }
    *changed = !is_same_file(&now, seen);
    *seen = now;
    return APR_SUCCESS;
}

static apr_status_t read_about(upool_resumable_look *a)
{
    upool_resumable *about = NULL;
    int changed = 0;
    apr_status_t rv = see(a, UPOOL_LAYOUT_RESUMABLE, &a->about_seen, &changed);

    if (rv) {
        return rv;
    }
    if (!changed) {
        return a->about_seen.st_ino ? APR_SUCCESS : APR_ENOENT;
    }
    upool_resumable_let_about_go(a);
    rv = upool_document_hold_resumable(&about, &a->about_fd, &a->about_seen,
                                       a->directory.fd, a->id, a->pool);
    if (!rv && a->about && a->about->created != about->created) {
        /* Another upload by now; not the one that was opened. */
        rv = APR_ENOENT;
    }
    /* Elsewhere another machine may free a file that is open here. */
    if (rv
        || upool_filesystem_of(a->directory.fd, NULL)
               != UPOOL_FILESYSTEM_LOCAL) {
        upool_resumable_let_about_go(a);
    }
    if (rv) {
        memset(&a->about_seen, 0, sizeof(a->about_seen));
        return rv;
    }
    a->about = about;
    return APR_SUCCESS;
}

static apr_status_t read_record(upool_resumable_look *a)
{
    int changed = 0;
    apr_status_t rv = see(a, UPOOL_LAYOUT_METADATA, &a->record_seen, &changed);

    if (rv || !changed) {
        return rv;
    }
    a->record = NULL;
    rv = upool_document_complete(&a->record, a->directory.fd, a->id, a->pool);
    if (rv == ENOENT || rv == APR_EGENERAL) {
        return APR_SUCCESS;
    }
    if (rv) {
        memset(&a->record_seen, 0, sizeof(a->record_seen));
    }
    return rv;
}

static int is_past(const upool_resumable_look *look)
{
    return upool_resumable_state_is_past(look->about, look->record);
}

static apr_time_t newest(apr_time_t a, apr_time_t b)
{
    return a > b ? a : b;
}

apr_status_t upool_resumable_look_at_file(upool_resumable_look *a)
{
    struct stat st;
    apr_status_t rv =
        upool_filesystem_look(&st, a->directory.fd, a->about->file.stored);

    if (rv) {
        return rv;
    }
    if (!S_ISREG(st.st_mode)) {
        return APR_EGENERAL;
    }
    a->size = st.st_size;
    a->activity = newest(upool_directory_mtime(&st),
                         upool_directory_mtime(&a->about_seen));
    return APR_SUCCESS;
}

/* resumable.json before metadata.json: then an upload that is completed in
 * between is seen as complete, never as one without its file. */
static apr_status_t look_once(upool_resumable_look *a)
{
    apr_status_t rv = read_about(a);

    rv = rv ? rv : read_record(a);
    if (rv) {
        return rv;
    }
    if (is_past(a)) {
        a->size = a->about->length;
        a->activity = a->record->updated;
        return APR_SUCCESS;
    }
    return upool_resumable_look_at_file(a);
}

apr_status_t upool_resumable_look_again(upool_resumable_look *a)
{
    apr_status_t rv = APR_ENOENT;
    int i;

    for (i = 0; rv == ENOENT && i < LOOKS_MAX; i++) {
        rv = look_once(a);
        if (rv == ENOENT && !a->about) {
            break;
        }
    }
    return rv;
}

static apr_status_t let_go(void *data)
{
    upool_resumable_look *a = data;

    upool_resumable_unlock(a);
    upool_resumable_let_about_go(a);
    upool_fd_close(&a->directory.fd);
    return APR_SUCCESS;
}

static upool_resumable_look *make(upool_store *store, const char *id,
                                  apr_pool_t *p)
{
    upool_resumable_look *a = apr_pcalloc(p, sizeof(*a));

    a->pool = p;
    a->store = store;
    a->id = apr_pstrdup(p, id);
    a->directory.fd = -1;
    a->lock.directory = -1;
    a->lock.file = -1;
    a->about_fd = -1;
    apr_pool_cleanup_register(p, a, let_go, apr_pool_cleanup_null);
    return a;
}

apr_status_t upool_resumable_open(upool_resumable_look **look,
                                  upool_store *store, const char *id,
                                  apr_pool_t *p)
{
    upool_resumable_look *a = make(store, id, p);
    apr_status_t rv = upool_directory_enter(&a->directory, store, id);

    if (!rv && upool_inuse_is_cleared(a->directory.fd)) {
        rv = APR_ENOENT;
    }
    rv = rv ? rv : upool_resumable_look_again(a);
    if (rv) {
        apr_pool_cleanup_run(p, a, let_go);
        return rv == ENOTDIR || rv == APR_EINVAL ? APR_ENOENT : rv;
    }
    *look = a;
    return APR_SUCCESS;
}

void upool_resumable_doubt(upool_resumable_look *a)
{
    if (a->about_fd < 0) {
        memset(&a->about_seen, 0, sizeof(a->about_seen));
    }
}

void upool_resumable_let_about_go(upool_resumable_look *a)
{
    upool_fd_close(&a->about_fd);
}

apr_status_t upool_resumable_lock(upool_resumable_look *a, apr_time_t deadline)
{
    apr_status_t rv = upool_lock_wait(&a->lock, a->directory.fd, deadline);

    if (rv) {
        return rv;
    }
    rv = upool_directory_check(&a->directory, a->store, a->id);
    rv = rv ? rv : upool_resumable_look_again(a);
    if (!rv && is_past(a)) {
        rv = APR_EOF;
    }
    if (rv) {
        upool_resumable_unlock(a);
    }
    return rv;
}

void upool_resumable_unlock(upool_resumable_look *a)
{
    upool_lock_release(&a->lock);
}

apr_status_t upool_resumable_save(upool_resumable_look *a)
{
    int changed;
    apr_status_t rv;

    upool_resumable_let_about_go(a);
    rv = upool_document_save_resumable(a->about, a->directory.fd,
                                       upool_store_settings(a->store)->sync);
    if (rv || see(a, UPOOL_LAYOUT_RESUMABLE, &a->about_seen, &changed)) {
        upool_resumable_doubt(a);
    }
    return rv;
}

apr_status_t upool_resumable_update(upool_resumable_look *a,
                                    upool_resumable_change *change, void *user)
{
    apr_status_t rv;

    upool_resumable_doubt(a);
    rv = upool_resumable_lock(a, apr_time_now() + UPOOL_RESUMABLE_PATIENCE);
    if (rv) {
        return rv;
    }
    rv = change(user, a->about);
    rv = rv ? rv : upool_resumable_save(a);
    upool_resumable_unlock(a);
    return rv;
}

/* APR_EBUSY: somebody writes in order. */
static apr_status_t find_writer(const upool_resumable_look *a)
{
    return a->about->ranges || is_past(a)
               ? APR_SUCCESS
               : upool_resumable_state_writer(a->directory.fd,
                                              a->about->file.stored);
}

apr_status_t upool_resumable_settle(upool_resumable_look *a)
{
    static const upool_range all = UPOOL_REGION_ALL;
    apr_time_t deadline = apr_time_now() + UPOOL_RESUMABLE_PATIENCE;
    int asked = 0;
    apr_status_t rv = upool_resumable_look_again(a);

    rv = rv ? rv : find_writer(a);
    while (rv == APR_EBUSY && apr_time_now() < deadline) {
        asked = 1;
        upool_takeover_ask(a->directory.fd, &all);
        apr_sleep(UPOOL_TAKEOVER_PAUSE);
        rv = upool_resumable_look_again(a);
        rv = rv ? rv : find_writer(a);
    }
    if (asked) {
        upool_takeover_withdraw(a->directory.fd);
    }
    /* The last look may have been one before the writer's last bytes. */
    return rv ? rv : upool_resumable_look_again(a);
}

/* A creation never repeats a form that came in one request. */
static int came_in_pieces(const upool_bucket *bucket)
{
    upool_resumable *about = NULL;

    return !upool_document_load_resumable(&about, bucket->directory.fd,
                                          bucket->id, bucket->pool)
           && upool_resumable_state_is_past(about, bucket->previous);
}

static int may_replace(const upool_bucket *bucket, apr_time_t replaces)
{
    const upool_record *previous = bucket->previous;

    return !previous || replaces == UPOOL_REPLACES_ANY
           || previous->created == replaces || !came_in_pieces(bucket);
}

apr_status_t upool_resumable_create(upool_store *store, upool_resumable *about,
                                    int minted, apr_time_t replaces,
                                    apr_pool_t *p, upool_record **previous,
                                    const char **why)
{
    upool_bucket *bucket = NULL;
    apr_status_t rv = upool_bucket_begin(&bucket, store, about->identifier,
                                         minted, p, previous, why);

    if (rv) {
        return rv;
    }
    if (may_replace(bucket, replaces)) {
        *why = "resumable.json or its file cannot be written";
        rv = upool_bucket_defer(bucket, about);
    }
    else {
        *why = "another request has just completed one";
        rv = APR_EBUSY;
    }
    upool_bucket_end(bucket);
    return rv;
}

const upool_resumable *upool_resumable_about(const upool_resumable_look *look)
{
    return look->about;
}

const upool_record *upool_resumable_record(const upool_resumable_look *look)
{
    return is_past(look) ? look->record : NULL;
}

apr_off_t upool_resumable_offset(const upool_resumable_look *a)
{
    return is_past(a) ? a->size
                      : upool_resumable_state_offset(a->about, a->size);
}

apr_off_t upool_resumable_held(const upool_resumable_look *a)
{
    return is_past(a) ? a->size : upool_resumable_state_held(a->about, a->size);
}

apr_time_t upool_resumable_activity(const upool_resumable_look *look)
{
    return look->activity;
}

/* Under the lock, which a writer needs to begin. */
static apr_status_t judge_abandon(upool_resumable_look *a, upool_abandon which)
{
    apr_status_t rv;

    if (which == UPOOL_ABANDON_ANY) {
        return APR_SUCCESS;
    }
    rv = upool_resumable_look_again(a);
    rv = rv ? rv
            : upool_resumable_state_writer(a->directory.fd,
                                           a->about->file.stored);
    if (rv == APR_EBUSY
        || (!rv && which == UPOOL_ABANDON_EMPTY
            && upool_resumable_held(a) > 0)) {
        return EEXIST;
    }
    return rv;
}

/* record as of upool_bucket_fail(). */
static apr_status_t fail(upool_resumable_look *a, const upool_record *record,
                         upool_abandon which)
{
    upool_bucket *bucket = NULL;
    apr_status_t rv =
        upool_bucket_adopt(&bucket, a->store, a->about, a->pool,
                           apr_time_now() + UPOOL_RESUMABLE_PATIENCE);

    if (rv) {
        return rv;
    }
    rv = judge_abandon(a, which);
    if (!rv) {
        upool_bucket_fail(bucket, record);
    }
    upool_bucket_end(bucket);
    return rv;
}

apr_status_t upool_resumable_abandon(upool_resumable_look *a,
                                     upool_abandon which)
{
    return fail(a, NULL, which);
}

apr_status_t upool_resumable_discard(upool_resumable_look *a,
                                     const upool_record *record)
{
    return record ? fail(a, record, UPOOL_ABANDON_ANY)
                  : upool_bucket_remove(a->store, a->id, a->pool);
}

/* --- Its bytes ------------------------------------------------------------ */

apr_status_t upool_resumable_open_file(const upool_resumable_look *a, int *fd)
{
    return upool_fd_open(fd, a->directory.fd, a->about->file.stored,
                         O_RDONLY | O_NONBLOCK, 0);
}

/* Up to len bytes at offset: *n of them, more than none. */
static apr_status_t read_some(int fd, char *buffer, apr_size_t len,
                              apr_off_t offset, apr_size_t *n)
{
    apr_status_t rv = upool_fd_read(fd, buffer, len, offset, n);

    return !rv && *n == 0 ? APR_EOF : rv;
}

static apr_size_t block_of(apr_off_t from, apr_off_t to)
{
    return to - from < (apr_off_t)BLOCK ? (apr_size_t)(to - from) : BLOCK;
}

apr_status_t upool_resumable_read(const upool_resumable_look *look,
                                  apr_off_t from, apr_off_t to,
                                  upool_resumable_visit *visit, void *user)
{
    apr_status_t rv;
    apr_size_t n;
    char *buffer;
    int fd;

    if (from >= to) {
        return APR_SUCCESS;
    }
    rv = upool_resumable_open_file(look, &fd);
    if (rv) {
        return rv;
    }
    buffer = malloc(BLOCK);
    rv = buffer ? APR_SUCCESS : APR_ENOMEM;
    for (; !rv && from < to; from += (apr_off_t)n) {
        rv = read_some(fd, buffer, block_of(from, to), from, &n);
        rv = rv ? rv : visit(user, buffer, n);
    }
    free(buffer);
    upool_fd_close(&fd);
    return rv;
}
