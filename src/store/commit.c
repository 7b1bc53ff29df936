/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/bucket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/document.h"
#include "store/bucket_own.h"
#include "store/resumable_state.h"
#include "store/layout.h"
#include "store/purge.h"

static upool_spool *spool_at(const upool_bucket *bucket, int i)
{
    return APR_ARRAY_IDX(bucket->spools, i, upool_spool *);
}

/* Finds the spool of stored, from *at on and round: records list files in the
 * order of their making. */
static upool_spool *find_spool(const upool_bucket *bucket, const char *stored,
                               int *at)
{
    int count = bucket->spools->nelts;
    int i;

    for (i = 0; i < count; i++) {
        upool_spool *spool = spool_at(bucket, (*at + i) % count);

        if (spool->name && strcmp(spool->name, stored) == 0) {
            *at = (*at + i + 1) % count;
            return spool;
        }
    }
    return NULL;
}

/* Marks the spools that record lists.  A file of an earlier attempt, or one
 * still open, cannot be part of this one. */
static apr_status_t match_files(upool_bucket *bucket,
                                const upool_record *record)
{
    int at = 0;
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(record->files, i, const upool_file);
        upool_spool *spool;

        if (!file->stored) {
            continue;
        }
        spool = find_spool(bucket, file->stored, &at);
        if (!spool || spool->fd >= 0 || spool->listed) {
            return APR_EINVAL;
        }
        spool->listed = 1;
    }
    return APR_SUCCESS;
}

static apr_status_t check_commit(upool_bucket *bucket,
                                 const upool_record *record)
{
    apr_status_t rv;
    int i;

    if (bucket->broken) {
        return bucket->broken;
    }
    if (record->state != UPOOL_STATE_DONE
        || strcmp(record->identifier, bucket->id) != 0) {
        return APR_EINVAL;
    }
    for (i = 0; i < bucket->spools->nelts; i++) {
        spool_at(bucket, i)->listed = 0;
    }
    rv = match_files(bucket, record);
    if (!rv && !upool_lock_is_whole(&bucket->lock)) {
        rv = APR_ENOENT;
    }
    return rv ? rv : upool_document_verify(record, bucket->directory.fd);
}

/* The rename was done but may not be on the disk: the upload fails, and what
 * was complete before has to be so again. */
static void take_back(const upool_bucket *bucket)
{
    int fd = bucket->directory.fd;

    if (!bucket->previous
        || upool_document_save(bucket->previous, fd, UPOOL_LAYOUT_METADATA,
                               UPOOL_LAYOUT_METADATA_NEW, 0, NULL)) {
        unlinkat(fd, UPOOL_LAYOUT_METADATA, 0);
    }
}

/* After the rename: removes files that nothing names any more.  A crash before
 * the end of this leaves files for the next holder or the sweep. */
static void remove_replaced(upool_bucket *bucket, const upool_record *record)
{
    int fd = bucket->directory.fd;
    int i;

    if (bucket->damaged) {
        upool_purge_leftovers(fd, record, bucket->pool);
    }
    if (bucket->noted) {
        unlinkat(fd, UPOOL_LAYOUT_ATTEMPT, 0);
    }
    if (bucket->previous && !bucket->adopted) {
        unlinkat(fd, UPOOL_LAYOUT_RESUMABLE, 0);
    }
    if (bucket->previous) {
        upool_purge_files(fd, bucket->previous);
    }
    for (i = 0; i < bucket->spools->nelts; i++) {
        if (!spool_at(bucket, i)->listed) {
            upool_spool_remove(spool_at(bucket, i));
        }
    }
}

apr_status_t upool_bucket_commit(upool_bucket *bucket,
                                 const upool_record *record)
{
    int named = 0;
    apr_status_t rv;

    if (bucket->stage != UPOOL_STAGE_WRITING) {
        return APR_EBADF;
    }
    rv = check_commit(bucket, record);
    if (!rv) {
        rv = upool_document_save(
            record, bucket->directory.fd, UPOOL_LAYOUT_METADATA,
            UPOOL_LAYOUT_METADATA_NEW,
            upool_store_settings(bucket->store)->sync, &named);
    }
    if (rv) {
        if (named) {
            take_back(bucket);
        }
        bucket->broken = rv;
        return rv;
    }
    remove_replaced(bucket, record);
    bucket->stage = UPOOL_STAGE_COMMITTED;
    return APR_SUCCESS;
}

/* The file first, then the document that names it: a crash in between leaves a
 * file that nothing names. */
apr_status_t upool_bucket_defer(upool_bucket *bucket, upool_resumable *about)
{
    upool_spool *spool = NULL;
    int fd = bucket->directory.fd;
    apr_status_t rv = upool_spool_create(&spool, bucket, 0);

    rv = rv ? rv : upool_spool_close(spool);
    if (rv) {
        return rv;
    }
    about->file.stored = upool_spool_name(spool);
    if (upool_resumable_state_is_past(about, bucket->previous)) {
        about->created++;
    }
    rv = upool_document_save_resumable(
        about, fd, upool_store_settings(bucket->store)->sync);
    if (rv) {
        unlinkat(fd, UPOOL_LAYOUT_RESUMABLE, 0);
        return rv;
    }
    spool->adopted = 1;
    bucket->adopted = 1;
    return APR_SUCCESS;
}
