/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/document.h"
#include "store/filesystem.h"
#include "store/held.h"
#include "store/incomplete.h"
#include "store/inuse.h"
#include "store/layout.h"
#include "store/opened.h"
#include "store/region.h"
#include "store/takeover.h"

/* A bucket may be completed, or replaced, between two looks at its files. */
#define LOOKS_MAX 5
#define BLOCK ((apr_size_t)65536)

/* Which content a name stands for: every save makes another file. */
static int is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev
           && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* *changed: 1 when name is another file than *seen, which is set to what it is
 * now: all zero where there is none.  That it cannot be told is an error. */
static apr_status_t see(const upool_append *a, const char *name,
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

static apr_status_t read_about(upool_append *a)
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
    rv = upool_document_load_resumable(&about, a->directory.fd, a->id, a->pool);
    if (!rv && a->about && a->about->created != about->created) {
        /* Another upload by now; not the one that was opened. */
        rv = APR_ENOENT;
    }
    if (rv) {
        memset(&a->about_seen, 0, sizeof(a->about_seen));
        return rv;
    }
    a->about = about;
    return APR_SUCCESS;
}

static apr_status_t read_record(upool_append *a)
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

static int is_past(const upool_append *append)
{
    return upool_incomplete_is_past(append->about, append->record);
}

static apr_time_t newest(apr_time_t a, apr_time_t b)
{
    return a > b ? a : b;
}

static apr_status_t look_at_file(upool_append *a)
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
static apr_status_t look_once(upool_append *a)
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
    return look_at_file(a);
}

apr_status_t upool_append_look(upool_append *a)
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
    upool_append *a = data;

    upool_append_unlock(a);
    upool_fd_close(&a->directory.fd);
    return APR_SUCCESS;
}

static upool_append *make(upool_store *store, const char *id, apr_pool_t *p)
{
    upool_append *a = apr_pcalloc(p, sizeof(*a));

    a->pool = p;
    a->store = store;
    a->id = apr_pstrdup(p, id);
    a->directory.fd = -1;
    a->lock.directory = -1;
    a->lock.file = -1;
    apr_pool_cleanup_register(p, a, let_go, apr_pool_cleanup_null);
    return a;
}

apr_status_t upool_append_open(upool_append **append, upool_store *store,
                               const char *id, apr_pool_t *p)
{
    upool_append *a = make(store, id, p);
    apr_status_t rv = upool_directory_enter(&a->directory, store, id);

    if (!rv && upool_inuse_is_cleared(a->directory.fd)) {
        rv = APR_ENOENT;
    }
    rv = rv ? rv : upool_append_look(a);
    if (rv) {
        apr_pool_cleanup_run(p, a, let_go);
        return rv == ENOTDIR || rv == APR_EINVAL ? APR_ENOENT : rv;
    }
    *append = a;
    return APR_SUCCESS;
}

void upool_append_doubt(upool_append *a)
{
    memset(&a->about_seen, 0, sizeof(a->about_seen));
}

apr_status_t upool_append_lock(upool_append *a, apr_time_t deadline)
{
    apr_status_t rv = upool_lock_wait(&a->lock, a->directory.fd, deadline);

    if (rv) {
        return rv;
    }
    rv = upool_directory_check(&a->directory, a->store, a->id);
    rv = rv ? rv : upool_append_look(a);
    if (!rv && is_past(a)) {
        rv = APR_EOF;
    }
    if (rv) {
        upool_append_unlock(a);
    }
    return rv;
}

void upool_append_unlock(upool_append *a)
{
    upool_lock_release(&a->lock);
}

apr_status_t upool_append_save(upool_append *a)
{
    int changed;
    apr_status_t rv = upool_document_save_resumable(
        a->about, a->directory.fd, upool_store_settings(a->store)->sync);

    if (rv || see(a, UPOOL_LAYOUT_RESUMABLE, &a->about_seen, &changed)) {
        upool_append_doubt(a);
    }
    return rv;
}

apr_status_t upool_append_update(upool_append *a, upool_append_change *change,
                                 void *user)
{
    apr_status_t rv;

    upool_append_doubt(a);
    rv = upool_append_lock(a, apr_time_now() + UPOOL_APPEND_PATIENCE);
    if (rv) {
        return rv;
    }
    rv = change(user, a->about);
    rv = rv ? rv : upool_append_save(a);
    upool_append_unlock(a);
    return rv;
}

/* APR_EBUSY: somebody writes in order. */
static apr_status_t find_writer(const upool_append *a)
{
    return a->about->ranges || is_past(a)
               ? APR_SUCCESS
               : upool_incomplete_writer(a->directory.fd,
                                         a->about->file.stored);
}

apr_status_t upool_append_settle(upool_append *a)
{
    static const upool_range all = UPOOL_REGION_ALL;
    apr_time_t deadline = apr_time_now() + UPOOL_APPEND_PATIENCE;
    int asked = 0;
    apr_status_t rv = upool_append_look(a);

    rv = rv ? rv : find_writer(a);
    while (rv == APR_EBUSY && apr_time_now() < deadline) {
        asked = 1;
        upool_takeover_ask(a->directory.fd, &all);
        apr_sleep(UPOOL_TAKEOVER_PAUSE);
        rv = upool_append_look(a);
        rv = rv ? rv : find_writer(a);
    }
    if (asked) {
        upool_takeover_withdraw(a->directory.fd);
    }
    /* The last look may have been one before the writer's last bytes. */
    return rv ? rv : upool_append_look(a);
}

/* A form that came in one request is nothing that a creation repeats. */
static int came_in_pieces(const upool_bucket *bucket)
{
    upool_resumable *about = NULL;

    return !upool_document_load_resumable(&about, bucket->directory.fd,
                                          bucket->id, bucket->pool)
           && upool_incomplete_is_past(about, bucket->previous);
}

static int may_replace(const upool_bucket *bucket, apr_time_t replaces)
{
    const upool_record *previous = bucket->previous;

    return !previous || replaces == UPOOL_REPLACES_ANY
           || previous->created == replaces || !came_in_pieces(bucket);
}

apr_status_t upool_append_create(upool_store *store, upool_resumable *about,
                                 int minted, apr_time_t replaces, apr_pool_t *p,
                                 upool_record **previous, const char **why)
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

const upool_resumable *upool_append_about(const upool_append *append)
{
    return append->about;
}

const upool_record *upool_append_record(const upool_append *append)
{
    return is_past(append) ? append->record : NULL;
}

apr_off_t upool_append_offset(const upool_append *a)
{
    return is_past(a) ? a->size : upool_incomplete_offset(a->about, a->size);
}

apr_off_t upool_append_held(const upool_append *a)
{
    return is_past(a) ? a->size : upool_incomplete_held(a->about, a->size);
}

apr_time_t upool_append_activity(const upool_append *append)
{
    return append->activity;
}

/* record as of upool_bucket_fail(). */
static apr_status_t fail(upool_append *a, const upool_record *record)
{
    upool_bucket *bucket = NULL;
    apr_status_t rv =
        upool_bucket_adopt(&bucket, a->store, a->about, a->pool,
                           apr_time_now() + UPOOL_APPEND_PATIENCE);

    if (rv) {
        return rv;
    }
    upool_bucket_fail(bucket, record);
    upool_bucket_end(bucket);
    return APR_SUCCESS;
}

apr_status_t upool_append_abandon(upool_append *a)
{
    return fail(a, NULL);
}

apr_status_t upool_append_discard(upool_append *a, const upool_record *record)
{
    return record ? fail(a, record)
                  : upool_bucket_remove(a->store, a->id, a->pool);
}

/* --- Its bytes ------------------------------------------------------------ */

apr_status_t upool_append_open_file(const upool_append *a, int *fd)
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

apr_status_t upool_append_read(const upool_append *append, apr_off_t from,
                               apr_off_t to, upool_append_visit *visit,
                               void *user)
{
    apr_status_t rv;
    apr_size_t n;
    char *buffer;
    int fd;

    if (from >= to) {
        return APR_SUCCESS;
    }
    rv = upool_append_open_file(append, &fd);
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
