/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/weigh.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/directory.h"
#include "store/document.h"
#include "store/resumable_state.h"
#include "store/layout.h"
#include "store/lock.h"
#include "store/quota.h"

static apr_int64_t add(apr_int64_t a, apr_int64_t b)
{
    return a > APR_INT64_MAX - b ? APR_INT64_MAX : a + b;
}

/* The weight of the file of that name: a block at least for a file that an
 * upload leaves, or a process that was killed while it made one, since even the
 * smallest takes that. */
static apr_int64_t weigh_file(upool_entry entry, const struct stat *st)
{
    int is_kept = entry == UPOOL_ENTRY_DATA || entry == UPOOL_ENTRY_METADATA
                  || entry == UPOOL_ENTRY_ATTEMPT
                  || entry == UPOOL_ENTRY_RESUMABLE
                  || entry == UPOOL_ENTRY_TEMPORARY;

    if (entry == UPOOL_ENTRY_FOREIGN || !S_ISREG(st->st_mode)) {
        return 0;
    }
    return is_kept && st->st_size < UPOOL_QUOTA_BLOCK ? UPOOL_QUOTA_BLOCK
                                                      : st->st_size;
}

static apr_status_t visit_file(void *baton, int fd, const char *name)
{
    apr_int64_t *total = baton;
    struct stat st;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? APR_SUCCESS : apr_get_os_error();
    }
    *total = add(*total, weigh_file(upool_layout_entry(name), &st));
    return APR_SUCCESS;
}

static apr_status_t visit_written(void *baton, int fd, const char *name)
{
    int *written = baton;

    *written |=
        upool_layout_is_data(name) && upool_resumable_state_writer(fd, name);
    return APR_SUCCESS;
}

/* Is a writer there?  One of an upload of several requests holds bytes of its
 * file, not the bucket. */
static int is_held(int directory)
{
    upool_lock lock;
    apr_status_t rv = upool_lock_share(&lock, directory);
    int written = 0;

    upool_lock_release(&lock);
    if (!rv) {
        upool_directory_each(directory, visit_written, &written);
    }
    return rv != APR_SUCCESS || written;
}

/* The weight of the complete upload that the one under way will replace. */
static apr_int64_t weigh_complete(int directory, const char *id, apr_pool_t *p)
{
    upool_record *record = NULL;
    apr_int64_t total = 0;
    int i;

    if (upool_document_load(&record, directory, UPOOL_LAYOUT_METADATA, id, p)) {
        return 0;
    }
    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(record->files, i, const upool_file);

        if (file->stored) {
            visit_file(&total, directory, file->stored);
        }
    }
    visit_file(&total, directory, UPOOL_LAYOUT_METADATA);
    return total;
}

/* The weight of everything but the bytes of the one under way.  The
 * description that a client gives of an upload in several requests, up to
 * UploadMaxFields, is kept with it. */
static apr_int64_t weigh_others(int directory, const char *id, apr_pool_t *p)
{
    apr_int64_t total = weigh_complete(directory, id, p);

    visit_file(&total, directory, UPOOL_LAYOUT_RESUMABLE);
    return total;
}

static void weigh_directory(upool_row *row, int directory, const char *id,
                            apr_pool_t *p)
{
    apr_int64_t total = 0;

    if (upool_directory_each(directory, visit_file, &total)) {
        return;
    }
    if (row->reserved && is_held(directory)) {
        row->stored = weigh_others(directory, id, p);
        row->written = total > row->stored ? total - row->stored : 0;
        /* More than it may reach: files of an earlier upload, which are about
         * to go. */
        if (row->written > row->reserved) {
            row->stored += row->written - row->reserved;
            row->written = row->reserved;
        }
        return;
    }
    row->stored = total;
    row->reserved = 0;
    row->written = 0;
    row->token = 0;
}

static void weigh_nothing(upool_row *row)
{
    row->stored = 0;
    row->reserved = 0;
    row->written = 0;
    row->token = 0;
}

int upool_weigh(upool_row *row, upool_store *store, apr_pool_t *p)
{
    char id[UPOOL_ROW_IDENT + 1];
    upool_directory dir;
    apr_status_t rv;

    apr_cpystrn(id, row->identifier, sizeof(id));
    rv = upool_directory_enter(&dir, store, id);
    if (rv && rv != ENOENT && rv != ENOTDIR && rv != APR_EINVAL) {
        return 0;
    }
    if (rv) {
        weigh_nothing(row);
        return 1;
    }
    weigh_directory(row, dir.fd, id, p);
    upool_fd_close(&dir.fd);
    return 1;
}

void upool_weigh_rest(upool_row *row, upool_store *store, apr_pool_t *p)
{
    char id[UPOOL_ROW_IDENT + 1];
    upool_directory dir;

    apr_cpystrn(id, row->identifier, sizeof(id));
    if (upool_directory_enter(&dir, store, id) == APR_SUCCESS) {
        row->stored = weigh_others(dir.fd, id, p);
        upool_fd_close(&dir.fd);
    }
}

static void find_owner(upool_row *row, upool_store *store, const char *id,
                       apr_pool_t *p)
{
    upool_record *record = NULL;
    upool_resumable *about = NULL;
    upool_directory dir;

    if (upool_directory_enter(&dir, store, id)) {
        return;
    }
    if (!upool_document_load(&record, dir.fd, UPOOL_LAYOUT_METADATA, id, p)) {
        upool_ledger_hash_owner(row->owner, record->owner);
    }
    else if (!upool_document_load_resumable(&about, dir.fd, id, p)) {
        upool_ledger_hash_owner(row->owner, about->owner);
    }
    upool_fd_close(&dir.fd);
}

apr_status_t upool_weigh_bucket(upool_ledger *ledger, const char *id, int *n,
                                apr_pool_t *p)
{
    upool_row row;
    apr_status_t rv = upool_ledger_find(ledger, id, UPOOL_ROW_NONE, &row, n);

    if (rv || !upool_weigh(&row, ledger->store, p)) {
        return rv;
    }
    if (*n == UPOOL_ROW_NONE && row.stored) {
        find_owner(&row, ledger->store, id, p);
    }
    return upool_ledger_put(ledger, &row, n);
}

static apr_status_t weigh_known(upool_ledger *ledger, apr_pool_t *scratch)
{
    apr_status_t rv = APR_SUCCESS;
    int n;

    for (n = 0; !rv && n < (int)upool_ledger_header(ledger)->rows; n++) {
        upool_row row;
        int at = n;

        rv = upool_ledger_read(ledger, n, &row);
        if (!rv && row.identifier[0]
            && upool_weigh(&row, ledger->store, scratch)) {
            rv = upool_ledger_put(ledger, &row, &at);
        }
        apr_pool_clear(scratch);
    }
    return rv;
}

typedef struct count {
    upool_ledger *ledger;
    apr_pool_t *scratch;
} count;

static apr_status_t visit_bucket(void *baton, int fd, const char *name)
{
    const count *c = baton;
    upool_row row;
    int n;
    apr_status_t rv;

    (void)fd;
    if (!upool_layout_is_bucket(name)) {
        return APR_SUCCESS;
    }
    rv = upool_ledger_find(c->ledger, name, UPOOL_ROW_NONE, &row, &n);
    if (!rv && n == UPOOL_ROW_NONE) {
        rv = upool_weigh_bucket(c->ledger, name, &n, c->scratch);
        apr_pool_clear(c->scratch);
    }
    return rv;
}

/* An upload that begins now waits for the ledger before it reserves, so the
 * walk misses no reservation. */
apr_status_t upool_weigh_all(upool_ledger *ledger, apr_pool_t *p)
{
    apr_time_t begun = apr_time_now();
    upool_row_header *header = upool_ledger_header(ledger);
    count c;
    apr_status_t rv;

    c.ledger = ledger;
    apr_pool_create(&c.scratch, p);
    rv = upool_ledger_rebuild(ledger);
    rv = rv ? rv : weigh_known(ledger, c.scratch);
    rv = rv ? rv
            : upool_directory_each(upool_store_fd(ledger->store), visit_bucket,
                                   &c);
    apr_pool_destroy(c.scratch);
    if (rv) {
        return rv;
    }
    header->counted = apr_time_now();
    header->cost = header->counted > begun ? header->counted - begun : 0;
    return upool_ledger_save(ledger);
}
