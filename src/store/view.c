/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <apr_portable.h>

#include "store/descriptor.h"
#include "store/directory.h"
#include "store/document.h"
#include "store/resumable_state.h"
#include "store/inuse.h"
#include "store/layout.h"
#include "store/lock.h"

/* Looks at what seems damaged: it may be about to be replaced or cleared. */
#define LOOKS_MAX 5
#define LOOKS_PAUSE 1000

/* Texts that clients see. */
static const char INTERRUPTED[] = "upload was interrupted";
static const char DAMAGED[] = "stored file is damaged";

typedef struct look {
    upool_directory directory;
    upool_store *store;
    const char *id;
    apr_pool_t *p;
    upool_record *record; /* what was found; NULL: neither document */
    int busy;             /* a writer was there at the last look */
    const char *doubt;    /* NULL: final; else what it means when no writer
                             is there to explain it */
} look;

/* The newest thing known of a bucket without record. */
static apr_time_t last_change(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? 0 : upool_directory_mtime(&st);
}

static upool_record *record_without_document(const look *at, upool_state state)
{
    upool_record *record = upool_record_make(at->p, at->id);

    record->state = state;
    record->updated = last_change(at->directory.fd);
    record->created = record->updated;
    return record;
}

/* An upload of several requests is on its way, whether or not somebody writes
 * to it at this moment. */
static void describe_incomplete(look *at, const upool_resumable_state *found)
{
    const upool_resumable *about = found->about;
    upool_record *record = upool_record_make(at->p, at->id);

    record->state = UPOOL_STATE_UPLOADING;
    upool_record_name_by(record, &about->file);
    record->size = about->length;
    record->received = upool_resumable_state_held(about, found->size);
    record->owner = about->owner;
    record->created = about->created;
    record->updated = found->activity;
    record->waits = upool_resumable_state_waits(about, found->size);
    at->record = record;
}

/* To be called after metadata.json was read as complete (NULL: nothing): an
 * upload on its way is newer.  APR_SUCCESS: there is something. */
static apr_status_t read_incomplete(look *at, const upool_record *complete)
{
    upool_resumable_state found;
    apr_status_t rv = upool_resumable_state_look(&found, at->directory.fd,
                                                 at->id, complete, at->p);

    if (!rv) {
        describe_incomplete(at, &found);
    }
    return rv;
}

static apr_status_t read_documents(look *at)
{
    int fd = at->directory.fd;
    apr_status_t on_its_way;
    apr_status_t rv;

    at->record = NULL;
    at->doubt = NULL;
    rv = upool_document_load(&at->record, fd, UPOOL_LAYOUT_ATTEMPT, at->id,
                             at->p);
    if (!rv) {
        if (at->record->state == UPOOL_STATE_UPLOADING) {
            at->doubt = INTERRUPTED;
        }
        else if (at->record->state == UPOOL_STATE_DONE) {
            /* Nobody writes that there. */
            at->record = NULL;
            at->doubt = DAMAGED;
        }
        return APR_SUCCESS;
    }
    if (rv == ENOENT) {
        rv = upool_document_complete(&at->record, fd, at->id, at->p);
        on_its_way = read_incomplete(at, at->record);
        if (!on_its_way || !rv) {
            return APR_SUCCESS;
        }
        /* A document that cannot be read now may still be there. */
        if (rv == ENOENT && on_its_way != APR_EGENERAL
            && on_its_way != EACCES) {
            rv = on_its_way;
        }
    }
    at->doubt = rv == ENOENT ? INTERRUPTED : DAMAGED;
    return rv == ENOENT || rv == APR_EGENERAL || rv == EACCES ? APR_SUCCESS
                                                              : rv;
}

static apr_status_t add_size(void *baton, int fd, const char *name)
{
    apr_off_t *sum = baton;
    struct stat st;

    if (upool_layout_is_data(name)
        && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0
        && S_ISREG(st.st_mode)) {
        *sum += st.st_size;
    }
    return APR_SUCCESS;
}

/* In the data files, but not in those of the complete upload that is being
 * replaced. */
static apr_off_t count_written(const look *at)
{
    upool_record *complete = NULL;
    apr_off_t written = 0;
    int i;

    upool_directory_each(at->directory.fd, add_size, &written);
    if (upool_document_load(&complete, at->directory.fd, UPOOL_LAYOUT_METADATA,
                            at->id, at->p)) {
        return written;
    }
    for (i = 0; i < complete->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(complete->files, i, const upool_file);

        written -= file->stored ? file->size : 0;
    }
    return written;
}

/* A writer is there: reads what it has noted, or what it has written.  Here and
 * below a record that could be read keeps its owner, so that nobody else learns
 * of the upload. */
static upool_record *describe_writer(const look *at)
{
    upool_record *record = at->record;
    apr_off_t written;

    if (!record || record->state != UPOOL_STATE_UPLOADING) {
        record = record_without_document(at, UPOOL_STATE_UPLOADING);
        record->owner = at->record ? at->record->owner : NULL;
    }
    /* A note may be of when its name became known, and no later. */
    written = count_written(at);
    if (written > record->received) {
        record->received = written;
    }
    return record;
}

/* No writer is there, so a doubt becomes an error. */
static upool_record *describe_ruin(const look *at)
{
    upool_record *record = at->record
                               ? at->record
                               : record_without_document(at, UPOOL_STATE_ERROR);

    record->state = UPOOL_STATE_ERROR;
    record->error = at->doubt;
    apr_array_clear(record->files);
    return record;
}

/* The final word on a doubt. */
static apr_status_t settle(look *at)
{
    /* A bucket that was cleared while its writer goes on is unknown. */
    apr_status_t rv = upool_directory_check(&at->directory, at->store, at->id);

    if (!rv) {
        at->record = at->busy ? describe_writer(at) : describe_ruin(at);
    }
    return rv;
}

/* One look.  APR_EAGAIN: look again. */
static apr_status_t look_once(look *at)
{
    upool_lock lock;
    apr_status_t rv = read_documents(at);

    if (rv || !at->doubt) {
        return rv;
    }
    rv = upool_lock_share(&lock, at->directory.fd);
    at->busy = rv == APR_EBUSY;
    if (at->busy) {
        if (at->doubt == INTERRUPTED) {
            return settle(at);
        }
        /* The writer may have replaced the files between our two looks. */
        return APR_EAGAIN;
    }
    if (rv) {
        return rv;
    }
    /* The writer may have finished since; now there is none. */
    rv = read_documents(at);
    if (!rv && at->doubt) {
        /* A clear takes no lock: in the middle of one, files are missing. */
        rv = at->doubt == DAMAGED ? APR_EAGAIN : settle(at);
    }
    upool_lock_release(&lock);
    return rv;
}

static apr_status_t enter(look *at, upool_store *store, const char *id,
                          apr_pool_t *p)
{
    apr_status_t rv;

    at->store = store;
    at->id = id;
    at->p = p;
    at->record = NULL;
    at->busy = 0;
    at->doubt = NULL;
    rv = upool_directory_enter(&at->directory, store, id);
    if (!rv && upool_inuse_is_cleared(at->directory.fd)) {
        upool_fd_close(&at->directory.fd);
        rv = APR_ENOENT;
    }
    return rv == ENOTDIR ? APR_ENOENT : rv;
}

apr_status_t upool_bucket_status(upool_record **record, upool_store *store,
                                 const char *id, apr_pool_t *p)
{
    look at;
    apr_status_t rv = enter(&at, store, id, p);
    int i;

    if (rv) {
        return rv;
    }
    rv = APR_EAGAIN;
    for (i = 0; rv == APR_EAGAIN && i < LOOKS_MAX; i++) {
        if (i) {
            apr_sleep(LOOKS_PAUSE);
        }
        rv = look_once(&at);
    }
    if (rv == APR_EAGAIN) {
        rv = settle(&at);
    }
    upool_fd_close(&at.directory.fd);
    *record = at.record;
    return rv;
}

int upool_bucket_is_gone(const upool_store *store, const char *id)
{
    upool_directory directory;
    apr_status_t rv = upool_directory_enter(&directory, store, id);
    int gone = rv == ENOENT || rv == ENOTDIR;

    if (!rv) {
        gone = upool_inuse_is_cleared(directory.fd)
               || upool_directory_check(&directory, store, id) == ENOENT;
    }
    upool_fd_close(&directory.fd);
    return gone;
}

apr_status_t upool_bucket_complete(upool_record **record, upool_store *store,
                                   const char *id, apr_pool_t *p)
{
    look at;
    apr_status_t rv = enter(&at, store, id, p);
    int i;

    if (rv) {
        return rv;
    }
    rv = APR_EGENERAL;
    for (i = 0; rv == APR_EGENERAL && i < LOOKS_MAX; i++) {
        rv = upool_document_complete(record, at.directory.fd, id, p);
    }
    upool_fd_close(&at.directory.fd);
    return rv == APR_EGENERAL ? APR_ENOENT : rv;
}

static apr_status_t close_file(void *file)
{
    /* Harmless where the caller has closed it, or set it aside. */
    return apr_file_close(file);
}

static apr_status_t wrap(apr_file_t **file, int *fd, int sendfile,
                         apr_pool_t *p)
{
    struct stat st;
    apr_status_t rv;

    if (fstat(*fd, &st) < 0) {
        return upool_fd_error();
    }
    if (!S_ISREG(st.st_mode)) {
        return APR_EACCES;
    }
    rv = apr_os_file_put(file, fd,
                         APR_FOPEN_READ | APR_FOPEN_BINARY
                             | (sendfile ? APR_FOPEN_SENDFILE_ENABLED : 0),
                         p);
    if (!rv) {
        apr_pool_cleanup_register(p, *file, close_file, apr_pool_cleanup_null);
    }
    return rv;
}

apr_status_t upool_bucket_file_open(apr_file_t **file, upool_store *store,
                                    const char *id, const char *stored,
                                    apr_pool_t *p)
{
    look at;
    apr_status_t rv;
    int fd;

    if (!upool_layout_is_data(stored)) {
        return APR_EINVAL;
    }
    rv = enter(&at, store, id, p);
    if (rv) {
        return rv;
    }
    rv = upool_fd_open(&fd, at.directory.fd, stored, O_RDONLY | O_NONBLOCK, 0);
    upool_fd_close(&at.directory.fd);
    if (rv) {
        return rv == ELOOP || rv == ENXIO ? APR_EACCES : rv;
    }
    rv = wrap(file, &fd, upool_store_settings(store)->sendfile, p);
    if (rv) {
        upool_fd_close(&fd);
    }
    return rv;
}
