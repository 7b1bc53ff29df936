/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_sha1.h>

#include "store/descriptor.h"
#include "store/layout.h"
#include "store/rebuild.h"
#include "store/sums.h"

#define GLANCES 8

/* --- Opening -------------------------------------------------------------- */

/* In a sticky pool that everybody may write to somebody may have planted the
 * name. */
static apr_status_t open_file(upool_ledger *ledger, int make)
{
    struct stat st;
    int *fd = &ledger->file.fd;
    apr_status_t rv =
        upool_fd_own(fd, upool_store_fd(ledger->store), UPOOL_LAYOUT_QUOTA,
                     O_RDWR | (make ? O_CREAT : 0), 0600);

    if (rv) {
        return rv == APR_EGENERAL ? APR_EACCES : rv;
    }
    if (fstat(*fd, &st) < 0) {
        return apr_get_os_error();
    }
    return st.st_uid == geteuid() ? APR_SUCCESS : APR_EACCES;
}

static apr_status_t lock_file(int fd)
{
    int rc;

    do {
        rc = flock(fd, LOCK_EX);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? apr_get_os_error() : APR_SUCCESS;
}

static int is_header_whole(const upool_row_header *header)
{
    return header->mark == UPOOL_REBUILD_MARK
           && header->check
                  == upool_row_check(header, offsetof(upool_row_header, check));
}

static apr_status_t load(upool_ledger *ledger)
{
    upool_row_header *header = &ledger->file.header;
    apr_size_t got;
    apr_status_t rv =
        upool_fd_read(ledger->file.fd, header, sizeof(*header), 0, &got);

    if (rv) {
        return rv;
    }
    return got == sizeof(*header) && is_header_whole(header) && !header->dirty
               ? APR_SUCCESS
               : upool_rebuild(&ledger->file);
}

apr_status_t upool_ledger_open(upool_ledger *ledger, upool_store *store,
                               int make)
{
    apr_status_t rv;

    ledger->store = store;
    ledger->file.fd = -1;
    ledger->file.image = NULL;
    ledger->file.image_size = 0;
    rv = open_file(ledger, make);
    rv = rv ? rv : lock_file(ledger->file.fd);
    rv = rv ? rv : load(ledger);
    if (rv) {
        upool_fd_close(&ledger->file.fd);
    }
    return rv;
}

/* While rows are changed the header has the sums from before. */
apr_status_t upool_ledger_glance(upool_row_sums *sums, int directory)
{
    upool_row_header header;
    apr_size_t got = 0;
    apr_status_t rv;
    int fd;
    int i;

    rv = upool_fd_own(&fd, directory, UPOOL_LAYOUT_QUOTA, O_RDONLY, 0);
    if (rv) {
        return rv;
    }
    /* A reader may see half of what is being written. */
    for (i = 0; i < GLANCES; i++) {
        rv = upool_fd_read(fd, &header, sizeof(header), 0, &got);
        if (rv || (got == sizeof(header) && is_header_whole(&header))) {
            break;
        }
        rv = APR_EGENERAL;
    }
    upool_fd_close(&fd);
    if (!rv) {
        *sums = header.sums;
    }
    return rv;
}

void upool_ledger_close(upool_ledger *ledger)
{
    /* Unlocks explicitly: a child between fork and exec has a copy of the
     * descriptor, which would keep the lock. */
    flock(ledger->file.fd, LOCK_UN);
    upool_fd_close(&ledger->file.fd);
}

/* --- The header ----------------------------------------------------------- */

upool_row_header *upool_ledger_header(upool_ledger *ledger)
{
    return &ledger->file.header;
}

static apr_status_t write_header(upool_ledger *ledger, apr_uint32_t dirty)
{
    upool_row_header *header = &ledger->file.header;

    header->mark = UPOOL_REBUILD_MARK;
    header->dirty = dirty;
    header->check = upool_row_check(header, offsetof(upool_row_header, check));
    return upool_fd_write_at(ledger->file.fd, header, sizeof(*header), 0);
}

apr_status_t upool_ledger_save(upool_ledger *ledger)
{
    return write_header(ledger, 0);
}

/* --- Rows ----------------------------------------------------------------- */

void upool_ledger_name(upool_row *row, const char *id)
{
    apr_size_t len = strlen(id);

    memset(row, 0, sizeof(*row));
    memcpy(row->identifier, id, len < UPOOL_ROW_IDENT ? len : UPOOL_ROW_IDENT);
}

void upool_ledger_hash_owner(unsigned char *owner, const char *text)
{
    apr_sha1_ctx_t sha1;

    memset(owner, 0, UPOOL_ROW_OWNER);
    if (text) {
        apr_sha1_init(&sha1);
        apr_sha1_update(&sha1, text, (unsigned int)strlen(text));
        apr_sha1_final(owner, &sha1);
    }
}

apr_status_t upool_ledger_read(const upool_ledger *ledger, int n,
                               upool_row *row)
{
    return upool_row_read(&ledger->file, n, row);
}

apr_status_t upool_ledger_check(const upool_ledger *ledger, int n,
                                const upool_row *row)
{
    upool_row found;
    int at;
    apr_status_t rv = upool_row_find(&ledger->file, row, &at, &found);

    return !rv && at != n ? APR_EGENERAL : rv;
}

/* The row is still where it was, unless the file was made anew meanwhile. */
static apr_status_t find_once(upool_ledger *ledger, const upool_row *of,
                              int hint, upool_row *row, int *n)
{
    if (hint != UPOOL_ROW_NONE
        && upool_row_read(&ledger->file, hint, row) == APR_SUCCESS
        && upool_row_is_of(row, of)) {
        *n = hint;
        return APR_SUCCESS;
    }
    return upool_row_find(&ledger->file, of, n, row);
}

apr_status_t upool_ledger_find(upool_ledger *ledger, const char *id, int hint,
                               upool_row *row, int *n)
{
    upool_row of;
    apr_status_t rv;

    upool_ledger_name(&of, id);
    rv = find_once(ledger, &of, hint, row, n);
    if (rv == APR_EGENERAL) {
        rv = upool_rebuild(&ledger->file);
        rv = rv ? rv : find_once(ledger, &of, UPOOL_ROW_NONE, row, n);
    }
    if (!rv && *n == UPOOL_ROW_NONE) {
        *row = of;
    }
    return rv;
}

apr_status_t upool_ledger_of_owner(upool_ledger *ledger, const upool_row *row,
                                   upool_row_sums *sums)
{
    apr_status_t rv =
        upool_sums_of_owner(&ledger->file, row, &sums->stored, &sums->reserved);

    if (rv == APR_EGENERAL) {
        rv = upool_rebuild(&ledger->file);
        rv = rv ? rv
                : upool_sums_of_owner(&ledger->file, row, &sums->stored,
                                      &sums->reserved);
    }
    return rv;
}

/* Updates the owner's row; if the upload changed hands, both owners' rows. */
static apr_status_t turn_owners(upool_ledger *ledger, const upool_row *before,
                                const upool_row *after)
{
    apr_status_t rv;

    if (memcmp(before->owner, after->owner, UPOOL_ROW_OWNER) == 0) {
        return upool_sums_turn_owner(&ledger->file, after,
                                     after->stored - before->stored,
                                     after->reserved - before->reserved);
    }
    rv = upool_sums_turn_owner(&ledger->file, before, -before->stored,
                               -before->reserved);
    return rv ? rv
              : upool_sums_turn_owner(&ledger->file, after, after->stored,
                                      after->reserved);
}

/* Writes row to row n, or to a new row where there is none. */
static apr_status_t write_row(upool_ledger *ledger, const upool_row *row,
                              const upool_row *before, int *n)
{
    upool_row content = *row;
    apr_status_t rv;

    if (*n == UPOOL_ROW_NONE) {
        rv = upool_row_add(&ledger->file, &content, n);
    }
    else if (row->stored || row->reserved) {
        content.next = before->next;
        content.first = before->first;
        rv = upool_row_write(&ledger->file, *n, &content);
    }
    else {
        rv = upool_row_drop(&ledger->file, *n);
    }
    return rv;
}

static int is_same(const upool_row *a, const upool_row *b)
{
    return memcmp(a->owner, b->owner, UPOOL_ROW_OWNER) == 0
           && a->stored == b->stored && a->reserved == b->reserved
           && a->written == b->written && a->token == b->token;
}

/* Dirty until the header is written again. */
static apr_status_t put_once(upool_ledger *ledger, const upool_row *row, int *n)
{
    upool_row before;
    upool_row after = *row;
    int keeps = row->stored || row->reserved;
    apr_status_t rv = find_once(ledger, row, *n, &before, n);

    if (rv || (*n == UPOOL_ROW_NONE && !keeps)
        || (*n != UPOOL_ROW_NONE && keeps && is_same(&before, row))) {
        return rv;
    }
    if (*n == UPOOL_ROW_NONE) {
        memset(&before, 0, sizeof(before));
    }
    if (!keeps) {
        memset(&after, 0, sizeof(after));
    }
    rv = write_header(ledger, 1);
    rv = rv ? rv : write_row(ledger, row, &before, n);
    if (!rv) {
        upool_sums_change(&ledger->file, *n, &before, &after);
        rv = turn_owners(ledger, &before, &after);
    }
    *n = keeps && !rv ? *n : UPOOL_ROW_NONE;
    return rv ? rv : write_header(ledger, 0);
}

apr_status_t upool_ledger_put(upool_ledger *ledger, const upool_row *row,
                              int *n)
{
    apr_status_t rv = put_once(ledger, row, n);

    /* A failure half way has left the header dirty, and sums in memory that do
     * not match the rows. */
    if (rv) {
        apr_status_t made = upool_rebuild(&ledger->file);

        *n = UPOOL_ROW_NONE;
        rv = made ? made : rv == APR_EGENERAL ? put_once(ledger, row, n) : rv;
    }
    return rv;
}

apr_status_t upool_ledger_rebuild(upool_ledger *ledger)
{
    return upool_rebuild(&ledger->file);
}

/* --- A count's sums ------------------------------------------------------- */

apr_uint32_t upool_ledger_begin_sums(upool_ledger *ledger)
{
    upool_row_header *header = &ledger->file.header;

    memset(&header->again, 0, sizeof(header->again));
    header->balance = 0;
    header->cursor = 0;
    return ++header->count;
}

void upool_ledger_add_to_sums(upool_ledger *ledger, const upool_row *row)
{
    upool_sums_pass(&ledger->file, row);
}

int upool_ledger_are_sums_right(const upool_ledger *ledger)
{
    return upool_sums_are_right(&ledger->file);
}
