/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "store/answer.h"
#include "store/descriptor.h"
#include "store/directory.h"
#include "store/document.h"
#include "store/resumable_state.h"
#include "store/layout.h"
#include "store/lock.h"

/* A clear of a large bucket takes some time, during which the bucket looks
 * damaged. */
#define LOOKS_MAX 6
#define LOOKS_PAUSE 2000
/* A bucket in which nothing came or went for so long is not being cleared. */
#define SETTLED apr_time_from_sec(1)

typedef struct look {
    upool_audit *audit;
    upool_directory directory;
    const char *id;
    apr_hash_t *data; /* data files: name to apr_off_t */
    int entries;
    apr_pool_t *p;
} look;

static void note(apr_array_header_t *notes, const char *name, const char *text)
{
    upool_audit_note *n = apr_array_push(notes);

    n->name = name;
    n->text = text;
}

static void add_data(look *at, const char *name, apr_off_t size)
{
    apr_off_t *kept = apr_palloc(at->p, sizeof(*kept));

    *kept = size;
    apr_hash_set(at->data, name, APR_HASH_KEY_STRING, kept);
    at->audit->files++;
    at->audit->bytes += size;
}

static apr_status_t visit_entry(void *baton, int fd, const char *name_)
{
    look *at = baton;
    const char *name = apr_pstrdup(at->p, name_);
    upool_entry entry = upool_layout_entry(name);
    struct stat st;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return APR_SUCCESS;
    }
    at->entries++;
    if (entry == UPOOL_ENTRY_FOREIGN) {
        note(at->audit->problems, name,
             "is nothing that a bucket can hold; the sweep leaves it alone");
    }
    else if (!S_ISREG(st.st_mode)) {
        note(at->audit->problems, name, "is not a regular file");
    }
    else if (st.st_uid != geteuid()) {
        note(at->audit->problems, name, "is owned by another user");
    }
    else if (entry == UPOOL_ENTRY_DATA) {
        add_data(at, name, st.st_size);
    }
    else if (entry == UPOOL_ENTRY_TEMPORARY) {
        note(at->audit->remarks, name, "was left behind, or is in use");
    }
    return APR_SUCCESS;
}

/* A file that a record lists: NULL, or what is wrong with it. */
static const char *judge_file(const look *at, const upool_file *file)
{
    const apr_off_t *size =
        apr_hash_get(at->data, file->stored, APR_HASH_KEY_STRING);
    struct stat st;

    if (!size) {
        /* Anything under that name that is not a file gets a note. */
        return fstatat(at->directory.fd, file->stored, &st, AT_SYMLINK_NOFOLLOW)
                       < 0
                   ? "was moved away"
                   : NULL;
    }
    return *size == file->size
               ? NULL
               : apr_psprintf(at->p,
                              "is of %" APR_OFF_T_FMT
                              " bytes, not the recorded %" APR_OFF_T_FMT,
                              *size, file->size);
}

static void judge_files(look *at, const upool_record *record)
{
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(record->files, i, const upool_file);
        const char *text = file->stored ? judge_file(at, file) : NULL;
        int is_there =
            file->stored
            && apr_hash_get(at->data, file->stored, APR_HASH_KEY_STRING);

        if (text) {
            /* It was moved away by the application, as files are meant to
             * be. */
            note(is_there ? at->audit->problems : at->audit->remarks,
                 file->stored, text);
        }
        if (is_there) {
            apr_hash_set(at->data, file->stored, APR_HASH_KEY_STRING, NULL);
        }
    }
}

/* 1: the document is not there, or is somebody else's trouble (EIO, …). */
static int is_no_matter(look *at, apr_status_t rv, const char *name)
{
    if (rv == APR_EGENERAL || rv == EACCES) {
        note(at->audit->problems, name, "is damaged");
    }
    return rv != APR_SUCCESS;
}

static void judge_metadata(look *at)
{
    upool_record *record = NULL;
    apr_status_t rv = upool_document_load(&record, at->directory.fd,
                                          UPOOL_LAYOUT_METADATA, at->id, at->p);

    if (is_no_matter(at, rv, UPOOL_LAYOUT_METADATA)) {
        return;
    }
    if (record->state != UPOOL_STATE_DONE) {
        note(at->audit->problems, UPOOL_LAYOUT_METADATA,
             "is not that of a complete upload");
        return;
    }
    judge_files(at, record);
    at->audit->complete = record;
}

static void judge_attempt(look *at)
{
    upool_record *record = NULL;
    apr_status_t rv = upool_document_load(&record, at->directory.fd,
                                          UPOOL_LAYOUT_ATTEMPT, at->id, at->p);

    if (is_no_matter(at, rv, UPOOL_LAYOUT_ATTEMPT)) {
        return;
    }
    if (record->state == UPOOL_STATE_DONE) {
        note(at->audit->problems, UPOOL_LAYOUT_ATTEMPT,
             "is that of a complete upload");
    }
    else if (record->state == UPOOL_STATE_UPLOADING && !at->audit->is_written) {
        note(at->audit->remarks, UPOOL_LAYOUT_ATTEMPT,
             "is that of an upload that was interrupted");
    }
}

static void judge_incomplete(look *at)
{
    upool_resumable_state found;
    apr_status_t rv = upool_resumable_state_look(
        &found, at->directory.fd, at->id, at->audit->complete, at->p);

    if (rv == APR_EGENERAL) {
        note(at->audit->problems, UPOOL_LAYOUT_RESUMABLE,
             found.about ? "tells of a file that is not there" : "is damaged");
    }
    if (rv) {
        return;
    }
    at->audit->about = found.about;
    at->audit->offset = upool_resumable_state_held(found.about, found.size);
    at->audit->is_written |=
        upool_resumable_state_writer(at->directory.fd, found.about->file.stored)
        != APR_SUCCESS;
    apr_hash_set(at->data, found.about->file.stored, APR_HASH_KEY_STRING, NULL);
}

static void judge_answer(look *at)
{
    upool_answer answer;
    apr_time_t created;
    apr_size_t len;
    char *text;
    apr_status_t rv = upool_document_read(&text, &len, at->directory.fd,
                                          UPOOL_LAYOUT_ANSWER, at->p);

    rv = rv ? rv : upool_answer_decode(&answer, &created, text, len, at->p);
    is_no_matter(at, rv, UPOOL_LAYOUT_ANSWER);
}

/* The files that no record has claimed. */
static void judge_orphans(look *at)
{
    upool_audit *audit = at->audit;
    apr_hash_index_t *i;

    for (i = apr_hash_first(at->p, at->data); i; i = apr_hash_next(i)) {
        const apr_off_t *size = apr_hash_this_val(i);

        if (!audit->is_written) {
            audit->orphans++;
            audit->orphan_bytes += *size;
            note(audit->problems, apr_hash_this_key(i),
                 "is named by no record; the sweep removes it when it expires");
        }
    }
}

static int is_held(const look *at)
{
    upool_lock lock;
    apr_status_t rv = upool_lock_share(&lock, at->directory.fd);

    upool_lock_release(&lock);
    return rv == APR_EBUSY;
}

static void judge_bucket(look *at)
{
    struct stat st;

    if (!fstat(at->directory.fd, &st) && (st.st_mode & (S_IWGRP | S_IWOTH))) {
        note(at->audit->problems, "", "others than its owner can write to it");
    }
    if (!at->entries && !at->audit->is_written) {
        note(at->audit->remarks, "", "is empty");
    }
}

/* The writer is asked for first and last: he may come and go in between. */
static apr_status_t look_once(look *at)
{
    upool_audit *audit = at->audit;
    apr_status_t rv;

    memset(audit, 0, sizeof(*audit));
    audit->problems = apr_array_make(at->p, 2, sizeof(upool_audit_note));
    audit->remarks = apr_array_make(at->p, 2, sizeof(upool_audit_note));
    at->data = apr_hash_make(at->p);
    at->entries = 0;
    audit->is_written = is_held(at);
    rv = upool_directory_each(at->directory.fd, visit_entry, at);
    if (rv) {
        return rv;
    }
    judge_metadata(at);
    judge_attempt(at);
    judge_incomplete(at);
    judge_answer(at);
    audit->is_written |= is_held(at);
    judge_orphans(at);
    judge_bucket(at);
    return APR_SUCCESS;
}

static int is_settled(const look *at)
{
    struct stat st;

    return fstat(at->directory.fd, &st) == 0
           && upool_directory_mtime(&st) + SETTLED < apr_time_now();
}

apr_status_t upool_audit_look(upool_audit *audit, upool_store *store,
                              const char *id, apr_pool_t *p)
{
    apr_interval_time_t pause = LOOKS_PAUSE;
    apr_status_t rv;
    look at;
    int i;

    at.audit = audit;
    at.id = id;
    at.p = p;
    rv = upool_directory_enter(&at.directory, store, id);
    if (rv) {
        return rv;
    }
    rv = look_once(&at);
    for (i = 1;
         !rv && audit->problems->nelts && i < LOOKS_MAX && !is_settled(&at);
         i++) {
        apr_sleep(pause);
        pause *= 2;
        rv = upool_directory_check(&at.directory, store, id);
        rv = rv ? rv : look_once(&at);
    }
    upool_fd_close(&at.directory.fd);
    return rv;
}

typedef struct walk {
    upool_audit_visit *visit;
    void *baton;
} walk;

static apr_status_t visit_name(void *baton, int fd, const char *name)
{
    const walk *w = baton;

    (void)fd;
    return strcmp(name, UPOOL_LAYOUT_QUOTA) == 0
                   || strcmp(name, UPOOL_LAYOUT_FARM) == 0
               ? APR_SUCCESS
               : w->visit(w->baton, name, upool_layout_is_bucket(name));
}

apr_status_t upool_audit_each(upool_store *store, upool_audit_visit *visit,
                              void *baton)
{
    walk w = { visit, baton };

    return upool_directory_each(upool_store_fd(store), visit_name, &w);
}

apr_time_t upool_audit_changed(upool_store *store, const char *id)
{
    struct stat st;

    if (!upool_layout_is_bucket(id)
        || fstatat(upool_store_fd(store), id, &st, AT_SYMLINK_NOFOLLOW) < 0
        || !S_ISDIR(st.st_mode)) {
        return 0;
    }
    return upool_directory_mtime(&st);
}
