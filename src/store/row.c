/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/row.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_siphash.h>

#include "store/descriptor.h"

#define SEED APR_UINT64_C(0x32746f7571706c75)

/* Both structures are written to the disk: their sizes are the file's
 * layout. */
typedef char row_has_its_size[sizeof(upool_row) == UPOOL_ROW_BYTES ? 1 : -1];
typedef char
    header_has_its_size[sizeof(upool_row_header) == UPOOL_ROW_HEADER ? 1 : -1];

apr_uint32_t upool_row_check(const void *data, apr_size_t len)
{
    const char *bytes = data;
    apr_uint64_t hash = SEED;
    apr_uint32_t word;
    apr_size_t i;

    for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        hash = (hash ^ word) * APR_UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (apr_uint32_t)hash;
}

int upool_row_is_sound(const upool_row *row)
{
    return row->check == upool_row_check(row, offsetof(upool_row, check))
           && memchr(row->identifier, '/', UPOOL_ROW_IDENT) == NULL
           && row->stored >= 0 && row->reserved >= 0 && row->written >= 0;
}

int upool_row_is_of(const upool_row *row, const upool_row *of)
{
    return strncmp(row->identifier, of->identifier, UPOOL_ROW_IDENT) == 0
           && (of->identifier[0]
               || memcmp(row->owner, of->owner, UPOOL_ROW_OWNER) == 0);
}

static int has_owner(const upool_row *row)
{
    static const unsigned char nobody[UPOOL_ROW_OWNER];

    return memcmp(row->owner, nobody, UPOOL_ROW_OWNER) != 0;
}

int upool_row_is_free(const upool_row *row)
{
    return !row->identifier[0] && !has_owner(row);
}

apr_uint64_t upool_row_owner_number(const upool_row_file *file,
                                    const upool_row *row)
{
    return has_owner(row)
               ? apr_siphash24(row->owner, UPOOL_ROW_OWNER, file->header.key)
               : 0;
}

/* --- By place ------------------------------------------------------------- */

static apr_off_t place_of(int n)
{
    return UPOOL_ROW_HEADER + (apr_off_t)n * UPOOL_ROW_BYTES;
}

apr_status_t upool_row_read(const upool_row_file *file, int n, upool_row *row)
{
    apr_size_t got;
    apr_status_t rv;

    if (n < 0 || (apr_uint32_t)n >= file->header.rows) {
        return APR_EGENERAL;
    }
    if (file->image) {
        *row = file->image[n];
        return APR_SUCCESS;
    }
    rv = upool_fd_read(file->fd, row, sizeof(*row), place_of(n), &got);
    if (rv) {
        return rv;
    }
    return got == sizeof(*row) && upool_row_is_sound(row) ? APR_SUCCESS
                                                          : APR_EGENERAL;
}

apr_status_t upool_row_write(upool_row_file *file, int n, upool_row *row)
{
    row->check = upool_row_check(row, offsetof(upool_row, check));
    if (file->image) {
        file->image[n] = *row;
        return APR_SUCCESS;
    }
    return upool_fd_write_at(file->fd, row, sizeof(*row), place_of(n));
}

/* --- Chains --------------------------------------------------------------- */

/* The chain among so many: takes as many bits of the hash as needed, one less
 * where that chain is not there yet. */
static int chain_of(const upool_row_file *file, const upool_row *row,
                    apr_uint32_t chains)
{
    apr_uint64_t hash =
        row->identifier[0]
            ? apr_siphash24(row->identifier,
                            strnlen(row->identifier, UPOOL_ROW_IDENT),
                            file->header.key)
            : upool_row_owner_number(file, row);
    apr_uint32_t mask = 1;

    while (mask < chains) {
        mask <<= 1;
    }
    mask--;
    return (int)((hash & mask) < chains ? hash & mask : hash & (mask >> 1));
}

static apr_status_t set_first(upool_row_file *file, int chain, int n)
{
    upool_row row;
    apr_status_t rv = upool_row_read(file, chain, &row);

    row.first = (apr_uint32_t)(n + 1);
    return rv ? rv : upool_row_write(file, chain, &row);
}

static apr_status_t set_next(upool_row_file *file, int of, int n)
{
    upool_row row;
    apr_status_t rv = upool_row_read(file, of, &row);

    row.next = (apr_uint32_t)(n + 1);
    return rv ? rv : upool_row_write(file, of, &row);
}

static apr_status_t first_of(const upool_row_file *file, int chain, int *n)
{
    upool_row row;
    apr_status_t rv = upool_row_read(file, chain, &row);

    *n = rv ? UPOOL_ROW_NONE : (int)row.first - 1;
    return rv;
}

/* As find, and before: the row that names it, NONE where the chain begins with
 * it. */
static apr_status_t search(const upool_row_file *file, const upool_row *of,
                           int *n, int *before, upool_row *row)
{
    apr_uint32_t left = file->header.rows;
    apr_status_t rv;

    *n = UPOOL_ROW_NONE;
    *before = UPOOL_ROW_NONE;
    if (!left) {
        return APR_SUCCESS;
    }
    rv = first_of(file, chain_of(file, of, left), n);
    while (!rv && *n != UPOOL_ROW_NONE) {
        rv = left-- ? upool_row_read(file, *n, row) : APR_EGENERAL;
        if (rv || upool_row_is_of(row, of)) {
            break;
        }
        *before = *n;
        *n = (int)row->next - 1;
    }
    return rv;
}

apr_status_t upool_row_find(const upool_row_file *file, const upool_row *of,
                            int *n, upool_row *row)
{
    int before;

    return search(file, of, n, &before, row);
}

apr_status_t upool_row_link(upool_row_file *file, int n)
{
    upool_row row;
    int first = UPOOL_ROW_NONE;
    int chain;
    apr_status_t rv = upool_row_read(file, n, &row);

    if (rv) {
        return rv;
    }
    chain = chain_of(file, &row, file->header.rows);
    rv = first_of(file, chain, &first);
    rv = rv ? rv : set_next(file, n, first);
    return rv ? rv : set_first(file, chain, n);
}

/* The last row is new, and with it the last chain: what belongs there is in
 * another. */
static apr_status_t split(upool_row_file *file)
{
    apr_uint32_t chains = file->header.rows;
    int fresh = (int)chains - 1;
    apr_uint32_t half = 1;
    apr_status_t rv;
    int last[2];
    int chain[2];
    int n;

    while (half * 2 < chains) {
        half <<= 1;
    }
    if (chains < 2) {
        return APR_SUCCESS;
    }
    chain[0] = fresh - (int)half;
    chain[1] = fresh;
    last[0] = UPOOL_ROW_NONE;
    last[1] = UPOOL_ROW_NONE;
    rv = first_of(file, chain[0], &n);
    while (!rv && n != UPOOL_ROW_NONE) {
        upool_row row;
        int next;
        int to;

        rv = upool_row_read(file, n, &row);
        if (rv) {
            break;
        }
        next = (int)row.next - 1;
        to = chain_of(file, &row, chains) == fresh;
        rv = last[to] == UPOOL_ROW_NONE ? set_first(file, chain[to], n)
                                        : set_next(file, last[to], n);
        last[to] = n;
        n = next;
    }
    for (n = 0; n < 2 && !rv; n++) {
        rv = last[n] == UPOOL_ROW_NONE
                 ? set_first(file, chain[n], UPOOL_ROW_NONE)
                 : set_next(file, last[n], UPOOL_ROW_NONE);
    }
    return rv;
}

/* --- Adding and dropping -------------------------------------------------- */

static apr_status_t make_image_room(upool_row_file *file)
{
    apr_uint32_t size = file->image_size * 2 + 16;
    upool_row *image;

    if (!file->image || file->header.rows < file->image_size) {
        return APR_SUCCESS;
    }
    image = realloc(file->image, (apr_size_t)size * sizeof(*image));
    if (!image) {
        return APR_ENOMEM;
    }
    file->image = image;
    file->image_size = size;
    return APR_SUCCESS;
}

/* Behind the last. */
static apr_status_t append(upool_row_file *file, int *n)
{
    upool_row row;
    apr_status_t rv = make_image_room(file);

    if (!rv && file->header.rows >= UPOOL_ROW_MAX) {
        rv = APR_ENOSPC;
    }
    memset(&row, 0, sizeof(row));
    *n = (int)file->header.rows;
    rv = rv ? rv : upool_row_write(file, *n, &row);
    if (rv) {
        return rv;
    }
    file->header.rows++;
    return split(file);
}

static apr_status_t take_free(upool_row_file *file, int *n)
{
    upool_row row;
    apr_status_t rv;

    *n = (int)file->header.free - 1;
    rv = upool_row_read(file, *n, &row);
    if (!rv && !upool_row_is_free(&row)) {
        rv = APR_EGENERAL;
    }
    file->header.free = rv ? 0 : row.next;
    return rv;
}

apr_status_t upool_row_add(upool_row_file *file, const upool_row *content,
                           int *n)
{
    upool_row row;
    apr_uint32_t first;
    apr_status_t rv = file->header.free ? take_free(file, n) : append(file, n);

    rv = rv ? rv : upool_row_read(file, *n, &row);
    if (rv) {
        return rv;
    }
    first = row.first;
    row = *content;
    row.first = first;
    row.next = 0;
    rv = upool_row_write(file, *n, &row);
    return rv ? rv : upool_row_link(file, *n);
}

apr_status_t upool_row_drop(upool_row_file *file, int n)
{
    upool_row row;
    upool_row found;
    int at = UPOOL_ROW_NONE;
    int before = UPOOL_ROW_NONE;
    apr_uint32_t first;
    apr_status_t rv = upool_row_read(file, n, &row);

    rv = rv ? rv : search(file, &row, &at, &before, &found);
    if (!rv && at != n) {
        rv = APR_EGENERAL;
    }
    rv = rv                         ? rv
         : before == UPOOL_ROW_NONE ? set_first(
               file, chain_of(file, &row, file->header.rows), (int)row.next - 1)
                                    : set_next(file, before, (int)row.next - 1);
    rv = rv ? rv : upool_row_read(file, n, &row);
    if (rv) {
        return rv;
    }
    first = row.first;
    memset(&row, 0, sizeof(row));
    row.first = first;
    row.next = file->header.free;
    rv = upool_row_write(file, n, &row);
    file->header.free = rv ? file->header.free : (apr_uint32_t)(n + 1);
    return rv;
}
