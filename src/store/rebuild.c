/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/rebuild.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>

#include "store/descriptor.h"
#include "store/sums.h"

#define MARK_OLD APR_UINT64_C(0x31746f7571706c75)
#define HEADER_OLD 128
/* Bytes of a row that its check covered. */
#define CHECKED_OLD 120

typedef struct header_old {
    apr_uint64_t mark;
    apr_int64_t counted;
    apr_int64_t cost;
    apr_uint64_t next_token;
    apr_uint32_t check;
} header_old;

/* Over whole words of eight bytes. */
static apr_uint32_t check_old(const void *data, apr_size_t len)
{
    const char *bytes = data;
    apr_uint64_t hash = MARK_OLD;
    apr_uint64_t word;
    apr_size_t i;

    for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        hash = (hash ^ word) * APR_UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (apr_uint32_t)hash;
}

static int is_sound(const upool_row *row)
{
    return upool_row_is_sound(row)
           || (row->check == check_old(row, CHECKED_OLD)
               && memchr(row->identifier, '/', UPOOL_ROW_IDENT) == NULL
               && row->stored >= 0 && row->reserved >= 0 && row->written >= 0);
}

/* Keeps what it can of the header: when all was counted, and which tokens were
 * given.  Returns the offset of the first row. */
static apr_status_t read_header(upool_row_file *file, apr_off_t *rows_at)
{
    upool_row_header was;
    header_old old;
    apr_size_t got;
    apr_status_t rv = upool_fd_read(file->fd, &was, sizeof(was), 0, &got);

    memcpy(&old, &was, sizeof(old));
    memset(&file->header, 0, sizeof(file->header));
    file->header.next_token = 1;
    *rows_at = UPOOL_ROW_HEADER;
    if (!rv && got == sizeof(was) && was.mark == UPOOL_REBUILD_MARK
        && was.check
               == upool_row_check(&was, offsetof(upool_row_header, check))) {
        file->header.counted = was.counted;
        file->header.cost = was.cost;
        file->header.next_token = was.next_token;
        file->header.generation = was.generation + 1;
        file->header.count = was.count;
        file->header.expires = was.expires;
        file->header.expires_seen = was.expires_seen;
    }
    else if (!rv && got >= HEADER_OLD && old.mark == MARK_OLD
             && old.check == check_old(&old, offsetof(header_old, check))) {
        *rows_at = HEADER_OLD;
        file->header.counted = old.counted;
        file->header.cost = old.cost;
        file->header.next_token = old.next_token;
    }
    return rv ? rv
              : apr_generate_random_bytes(file->header.key,
                                          sizeof(file->header.key));
}

/* All rows of the file into memory, packed and unlinked. */
static apr_status_t read_rows(upool_row_file *file, apr_off_t at)
{
    struct stat st;
    apr_size_t bytes;
    apr_size_t n;
    apr_size_t i;
    apr_status_t rv;

    if (fstat(file->fd, &st) < 0) {
        return apr_get_os_error();
    }
    bytes = st.st_size > at ? (apr_size_t)(st.st_size - at) : 0;
    n = bytes / sizeof(upool_row);
    if (n > UPOOL_ROW_MAX) {
        return APR_ENOSPC;
    }
    file->image_size = (apr_uint32_t)n + 16;
    file->image = malloc(file->image_size * sizeof(upool_row));
    if (!file->image) {
        return APR_ENOMEM;
    }
    rv =
        upool_fd_read(file->fd, file->image, n * sizeof(upool_row), at, &bytes);
    n = bytes / sizeof(upool_row);
    for (i = 0; i < n; i++) {
        const upool_row *row = &file->image[i];

        if (!is_sound(row)) {
            file->header.counted = 0;
        }
        else if (row->identifier[0]) {
            file->image[file->header.rows++] = *row;
        }
    }
    return rv;
}

static void unlink_rows(upool_row_file *file)
{
    apr_uint32_t i;

    for (i = 0; i < file->header.rows; i++) {
        file->image[i].first = 0;
        file->image[i].next = 0;
    }
}

static apr_status_t take_row(upool_row_file *file, int n)
{
    upool_row none;
    upool_row row;
    upool_row other;
    int there;
    apr_status_t rv = upool_row_read(file, n, &row);

    rv = rv ? rv : upool_row_find(file, &row, &there, &other);
    if (rv) {
        return rv;
    }
    memset(&none, 0, sizeof(none));
    if (there != UPOOL_ROW_NONE) {
        /* A process killed while it packed rows left two copies of this one. */
        none.first = row.first;
        none.next = file->header.free;
        file->header.free = (apr_uint32_t)(n + 1);
        return upool_row_write(file, n, &none);
    }
    rv = upool_row_link(file, n);
    if (!rv) {
        upool_sums_change(file, n, &none, &row);
        rv = upool_sums_turn_owner(file, &row, row.stored, row.reserved);
    }
    return rv;
}

static apr_status_t take_rows(upool_row_file *file)
{
    apr_status_t rv = APR_SUCCESS;
    int uploads = (int)file->header.rows;
    int n;

    for (n = 0; n < uploads && !rv; n++) {
        rv = take_row(file, n);
    }
    return rv;
}

static apr_status_t write_header(upool_row_file *file, apr_int64_t counted,
                                 apr_uint32_t dirty)
{
    upool_row_header header = file->header;

    header.mark = UPOOL_REBUILD_MARK;
    header.counted = counted;
    header.dirty = dirty;
    header.check = upool_row_check(&header, offsetof(upool_row_header, check));
    return upool_fd_write_at(file->fd, &header, sizeof(header), 0);
}

/* Until all is written, the header says that nothing can be believed: rows of
 * an older layout are overwritten before they are in their new place. */
static apr_status_t write_all(upool_row_file *file)
{
    apr_uint32_t i;
    apr_size_t bytes = (apr_size_t)file->header.rows * sizeof(upool_row);
    apr_status_t rv = write_header(file, 0, 1);

    for (i = 0; i < file->header.rows; i++) {
        file->image[i].check =
            upool_row_check(&file->image[i], offsetof(upool_row, check));
    }
    rv = rv ? rv
            : upool_fd_write_at(file->fd, file->image, bytes, UPOOL_ROW_HEADER);
    if (!rv && ftruncate(file->fd, UPOOL_ROW_HEADER + (apr_off_t)bytes) < 0) {
        rv = apr_get_os_error();
    }
    return rv ? rv : write_header(file, file->header.counted, 0);
}

apr_status_t upool_rebuild(upool_row_file *file)
{
    apr_off_t at = 0;
    apr_status_t rv = read_header(file, &at);

    rv = rv ? rv : read_rows(file, at);
    if (!rv) {
        unlink_rows(file);
        rv = take_rows(file);
    }
    rv = rv ? rv : write_all(file);
    free(file->image);
    file->image = NULL;
    return rv;
}
