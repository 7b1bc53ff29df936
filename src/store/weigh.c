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
#include "store/incomplete.h"
#include "store/layout.h"
#include "store/lock.h"

static apr_int64_t add(apr_int64_t a, apr_int64_t b)
{
    return a > APR_INT64_MAX - b ? APR_INT64_MAX : a + b;
}

static apr_status_t visit_file(void *baton, int fd, const char *name)
{
    apr_int64_t *total = baton;
    struct stat st;

    if (!upool_layout_is_data(name)) {
        return APR_SUCCESS;
    }
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? APR_SUCCESS : apr_get_os_error();
    }
    *total = add(*total, S_ISREG(st.st_mode) ? st.st_size : 0);
    return APR_SUCCESS;
}

static apr_status_t visit_written(void *baton, int fd, const char *name)
{
    int *written = baton;

    *written |= upool_layout_is_data(name) && upool_incomplete_writer(fd, name);
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

/* Of the complete upload that the one under way is to replace. */
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
    return total;
}

/* What a client says of an upload in several requests, up to UploadMaxFields,
 * is kept with it: that takes room as its bytes do. */
static apr_int64_t weigh_document(int directory)
{
    struct stat st;

    return fstatat(directory, UPOOL_LAYOUT_RESUMABLE, &st, AT_SYMLINK_NOFOLLOW)
                       == 0
                   && S_ISREG(st.st_mode)
               ? st.st_size
               : 0;
}

/* All but the bytes of the one under way. */
static apr_int64_t weigh_others(int directory, const char *id, apr_pool_t *p)
{
    return add(weigh_complete(directory, id, p), weigh_document(directory));
}

static void weigh_bucket(upool_ledger_entry *entry, int directory,
                         const char *id, apr_pool_t *p)
{
    apr_int64_t total = 0;

    if (upool_directory_each(directory, visit_file, &total)) {
        return;
    }
    total = add(total, weigh_document(directory));
    if (entry->reserved && is_held(directory)) {
        entry->stored = weigh_others(directory, id, p);
        entry->written = total > entry->stored ? total - entry->stored : 0;
        /* More than it may come to: files of an upload before it, which are
         * about to go. */
        if (entry->written > entry->reserved) {
            entry->stored += entry->written - entry->reserved;
            entry->written = entry->reserved;
        }
        return;
    }
    entry->stored = total;
    entry->reserved = 0;
    entry->written = 0;
    entry->token = 0;
}

int upool_weigh_one(upool_ledger *ledger, int n)
{
    upool_ledger_entry *entry = upool_ledger_at(ledger, n);
    char id[UPOOL_LEDGER_IDENT + 1];
    upool_directory dir;
    apr_status_t rv;

    apr_cpystrn(id, entry->identifier, sizeof(id));
    rv = upool_directory_enter(&dir, ledger->store, id);

    if (rv && rv != ENOENT && rv != ENOTDIR && rv != APR_EINVAL) {
        return 0;
    }
    if (rv) {
        memset(entry, 0, sizeof(*entry));
        return 1;
    }
    weigh_bucket(entry, dir.fd, id, ledger->pool);
    upool_fd_close(&dir.fd);
    if (!entry->stored && !entry->reserved) {
        memset(entry, 0, sizeof(*entry));
    }
    return 1;
}

void upool_weigh_rest(upool_ledger *ledger, int n)
{
    upool_ledger_entry *entry = upool_ledger_at(ledger, n);
    char id[UPOOL_LEDGER_IDENT + 1];
    upool_directory dir;

    apr_cpystrn(id, entry->identifier, sizeof(id));
    if (upool_directory_enter(&dir, ledger->store, id) == APR_SUCCESS) {
        entry->stored = weigh_others(dir.fd, id, ledger->pool);
        upool_fd_close(&dir.fd);
    }
}

apr_status_t upool_weigh_entry(upool_ledger *ledger, int n)
{
    upool_ledger_entry *entry = upool_ledger_at(ledger, n);
    upool_ledger_entry before = *entry;

    if (entry->identifier[0]) {
        upool_weigh_one(ledger, n);
    }
    return memcmp(&before, entry, sizeof(before)) != 0
                   || !upool_ledger_is_sound(ledger, n)
               ? upool_ledger_write(ledger, n)
               : APR_SUCCESS;
}

static apr_status_t weigh_known(upool_ledger *ledger, apr_hash_t *known)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; !rv && i < ledger->entries->nelts; i++) {
        const upool_ledger_entry *entry = upool_ledger_at(ledger, i);

        rv = upool_weigh_entry(ledger, i);
        if (entry->identifier[0]) {
            const char *id = apr_pstrndup(ledger->pool, entry->identifier,
                                          UPOOL_LEDGER_IDENT);

            apr_hash_set(known, id, APR_HASH_KEY_STRING, id);
        }
    }
    return rv;
}

static void find_owner(upool_ledger_entry *entry, const upool_ledger *ledger,
                       const char *id)
{
    upool_record *record = NULL;
    upool_resumable *about = NULL;
    upool_directory dir;
    apr_pool_t *scratch;

    if (upool_directory_enter(&dir, ledger->store, id)) {
        return;
    }
    apr_pool_create(&scratch, ledger->pool);
    if (!upool_document_load(&record, dir.fd, UPOOL_LAYOUT_METADATA, id,
                             scratch)) {
        upool_ledger_hash_owner(entry->owner, record->owner);
    }
    else if (!upool_document_load_resumable(&about, dir.fd, id, scratch)) {
        upool_ledger_hash_owner(entry->owner, about->owner);
    }
    apr_pool_destroy(scratch);
    upool_fd_close(&dir.fd);
}

/* A bucket that has no entry. */
static apr_status_t weigh_stranger(upool_ledger *ledger, const char *id)
{
    apr_status_t rv = APR_SUCCESS;
    int n = upool_ledger_add(ledger, id);

    upool_weigh_one(ledger, n);
    if (upool_ledger_at(ledger, n)->identifier[0]) {
        find_owner(upool_ledger_at(ledger, n), ledger, id);
        rv = upool_ledger_write(ledger, n);
    }
    else {
        /* It weighs nothing.  The next one gets its place: not written, it
         * would be a hole in the file, which reads as damage. */
        ledger->free_from = n;
    }
    return rv;
}

apr_status_t upool_weigh_new(upool_ledger *ledger, apr_hash_t *ids)
{
    apr_status_t rv = APR_SUCCESS;
    apr_hash_index_t *at;
    const void *id;
    int i;

    for (i = 0; i < ledger->entries->nelts; i++) {
        const char *known = upool_ledger_at(ledger, i)->identifier;

        apr_hash_set(ids, known,
                     (apr_ssize_t)strnlen(known, UPOOL_LEDGER_IDENT), NULL);
    }
    for (at = apr_hash_first(ledger->pool, ids); at && !rv;
         at = apr_hash_next(at)) {
        apr_hash_this(at, &id, NULL, NULL);
        rv = weigh_stranger(ledger, id);
    }
    return rv;
}

typedef struct count {
    upool_ledger *ledger;
    apr_hash_t *known;
} count;

static apr_status_t visit_bucket(void *baton, int fd, const char *name)
{
    const count *c = baton;

    (void)fd;
    return upool_layout_is_bucket(name)
                   && !apr_hash_get(c->known, name, APR_HASH_KEY_STRING)
               ? weigh_stranger(c->ledger, name)
               : APR_SUCCESS;
}

/* Whoever begins an upload now waits for the ledger before he reserves, so the
 * walk misses nobody who has reserved. */
apr_status_t upool_weigh_all(upool_ledger *ledger)
{
    apr_time_t begun = apr_time_now();
    count c;
    apr_status_t rv;

    c.ledger = ledger;
    c.known = apr_hash_make(ledger->pool);
    rv = weigh_known(ledger, c.known);
    rv = rv ? rv
            : upool_directory_each(upool_store_fd(ledger->store), visit_bucket,
                                   &c);
    if (rv) {
        return rv;
    }
    upool_ledger_trim(ledger);
    ledger->counted_in_full = 1;
    ledger->counted = apr_time_now();
    ledger->cost = ledger->counted > begun ? ledger->counted - begun : 0;
    return upool_ledger_write_header(ledger);
}
