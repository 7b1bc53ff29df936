/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/layout.h"
#include "store/metadata.h"

/* Errors that concern the name, not the system's state: the thing there is not
 * a document of ours. */
static apr_status_t strange_or(apr_status_t rv)
{
    switch (rv) {
    case ELOOP:
    case EMLINK:
    case ENXIO:
    case EISDIR:
        return APR_EGENERAL;
    default:
        return rv;
    }
}

static apr_status_t read_exactly(int fd, char *buffer, apr_size_t len)
{
    while (len) {
        ssize_t n = read(fd, buffer, len);

        if (n == 0) {
            return APR_EGENERAL;
        }
        if (n > 0) {
            buffer += n;
            len -= (apr_size_t)n;
        }
        else if (errno != EINTR) {
            return upool_fd_error();
        }
    }
    return APR_SUCCESS;
}

static apr_status_t read_text(char **text, apr_size_t *len, struct stat *st,
                              int fd, apr_pool_t *p)
{
    if (fstat(fd, st) < 0) {
        return upool_fd_error();
    }
    if (!S_ISREG(st->st_mode) || st->st_size < 0
        || st->st_size > (off_t)UPOOL_MEMBERS_MAX) {
        return APR_EGENERAL;
    }
    *len = (apr_size_t)st->st_size;
    *text = apr_palloc(p, *len + 1);
    return read_exactly(fd, *text, *len);
}

/* *fd stays open, unless there is an error. */
static apr_status_t read_open(char **text, apr_size_t *len, struct stat *st,
                              int *fd, int directory, const char *name,
                              apr_pool_t *p)
{
    /* O_NONBLOCK: opening a planted FIFO must not wait for its other end. */
    apr_status_t rv =
        upool_fd_open(fd, directory, name, O_RDONLY | O_NONBLOCK, 0);

    if (rv) {
        return strange_or(rv);
    }
    rv = read_text(text, len, st, *fd, p);
    if (rv) {
        upool_fd_close(fd);
    }
    return strange_or(rv);
}

apr_status_t upool_document_read(char **text, apr_size_t *len, int directory,
                                 const char *name, apr_pool_t *p)
{
    struct stat st;
    int fd;
    apr_status_t rv = read_open(text, len, &st, &fd, directory, name, p);

    upool_fd_close(&fd);
    return rv;
}

apr_status_t upool_document_load(upool_record **record, int directory,
                                 const char *name, const char *id,
                                 apr_pool_t *p)
{
    char *text = NULL;
    apr_size_t len = 0;
    apr_status_t rv = upool_document_read(&text, &len, directory, name, p);

    return rv ? rv : upool_metadata_decode(record, text, len, id, p);
}

apr_status_t upool_document_load_resumable(upool_resumable **resumable,
                                           int directory, const char *id,
                                           apr_pool_t *p)
{
    char *text = NULL;
    apr_size_t len = 0;
    apr_status_t rv =
        upool_document_read(&text, &len, directory, UPOOL_LAYOUT_RESUMABLE, p);

    return rv ? rv : upool_resumable_decode(resumable, text, len, id, p);
}

apr_status_t upool_document_hold_resumable(upool_resumable **resumable, int *fd,
                                           struct stat *st, int directory,
                                           const char *id, apr_pool_t *p)
{
    char *text = NULL;
    apr_size_t len = 0;
    apr_status_t rv =
        read_open(&text, &len, st, fd, directory, UPOOL_LAYOUT_RESUMABLE, p);

    rv = rv ? rv : upool_resumable_decode(resumable, text, len, id, p);
    if (rv) {
        upool_fd_close(fd);
    }
    return rv;
}

/* ENOENT: it is not there; APR_EGENERAL: it is not what the record says. */
static apr_status_t verify_file(const upool_file *file, int directory)
{
    struct stat st;

    if (!upool_layout_is_data(file->stored)) {
        return APR_EGENERAL;
    }
    if (fstatat(directory, file->stored, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return upool_fd_error();
    }
    return S_ISREG(st.st_mode) && st.st_size == file->size ? APR_SUCCESS
                                                           : APR_EGENERAL;
}

static apr_status_t verify_files(const upool_record *record, int directory,
                                 int may_be_gone)
{
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(record->files, i, const upool_file);
        apr_status_t rv =
            file->stored ? verify_file(file, directory) : APR_SUCCESS;

        if (rv && !(rv == ENOENT && may_be_gone)) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

apr_status_t upool_document_verify(const upool_record *record, int directory)
{
    return verify_files(record, directory, 0);
}

apr_status_t upool_document_complete(upool_record **record, int directory,
                                     const char *id, apr_pool_t *p)
{
    apr_status_t rv =
        upool_document_load(record, directory, UPOOL_LAYOUT_METADATA, id, p);

    if (rv) {
        return rv;
    }
    if ((*record)->state != UPOOL_STATE_DONE) {
        return APR_EGENERAL;
    }
    /* A file that is gone was moved away by the application, which is what it
     * is for; one of another size was never ours to call done. */
    return strange_or(verify_files(*record, directory, 1));
}

/* O_EXCL: anything that lies there under the temporary name, a dead holder's
 * leftover or a planted link, is removed and not written into. */
static apr_status_t open_fresh(int *fd, int directory, const char *fresh)
{
    apr_status_t rv = upool_fd_open(
        fd, directory, fresh, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);

    if (rv == EEXIST && unlinkat(directory, fresh, 0) == 0) {
        rv = upool_fd_open(fd, directory, fresh, O_WRONLY | O_CREAT | O_EXCL,
                           S_IRUSR | S_IWUSR);
    }
    return rv;
}

static apr_status_t write_fresh(int directory, const char *fresh, char *text,
                                apr_size_t len, int sync)
{
    struct iovec piece = { text, len };
    apr_off_t written = 0;
    apr_status_t closed;
    apr_status_t rv;
    int fd;

    rv = open_fresh(&fd, directory, fresh);
    if (rv) {
        return rv;
    }
    rv = upool_fd_write(fd, &piece, 1, &written);
    if (!rv && sync) {
        rv = upool_fd_sync(fd);
    }
    closed = upool_fd_close(&fd);
    return rv ? rv : closed;
}

/* Writes, names, and frees text. */
apr_status_t upool_document_put(char *text, apr_size_t len, int directory,
                                const char *name, const char *fresh, int sync,
                                int *named)
{
    apr_status_t rv = write_fresh(directory, fresh, text, len, sync);

    free(text);
    /* The entries of the data files first: a rename that outlives a power cut
     * must not name files that do not. */
    if (!rv && sync) {
        rv = upool_fd_sync_directory(directory);
    }
    if (!rv && renameat(directory, fresh, directory, name) < 0) {
        rv = upool_fd_error();
    }
    if (rv) {
        unlinkat(directory, fresh, 0);
        return rv;
    }
    if (named) {
        *named = 1;
    }
    return sync ? upool_fd_sync_directory(directory) : APR_SUCCESS;
}

apr_status_t upool_document_save(const upool_record *record, int directory,
                                 const char *name, const char *fresh, int sync,
                                 int *named)
{
    char *text;
    apr_size_t len;
    apr_status_t rv = upool_metadata_encode(&text, &len, record);

    if (named) {
        *named = 0;
    }
    return rv ? rv
              : upool_document_put(text, len, directory, name, fresh, sync,
                                   named);
}

apr_status_t upool_document_save_resumable(const upool_resumable *resumable,
                                           int directory, int sync)
{
    char *text;
    apr_size_t len;
    int named = 0;
    apr_status_t rv = upool_resumable_encode(&text, &len, resumable);

    return rv ? rv
              : upool_document_put(text, len, directory, UPOOL_LAYOUT_RESUMABLE,
                                   UPOOL_LAYOUT_RESUMABLE_NEW, sync, &named);
}
