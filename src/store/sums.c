/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/sums.h"

#include <string.h>

static void turn(upool_row_sums *sums, const upool_row *row, int by)
{
    if (row->identifier[0]) {
        sums->stored += by * row->stored;
        sums->reserved += by * row->reserved;
        sums->written += by * row->written;
        sums->uploads += by;
    }
}

/* Adds each owner's bytes, times a number particular to the owner, from the
 * owner's uploads and, with the other sign, from the owner's row: the total is
 * 0 when each row is right, and hardly ever otherwise. */
static apr_uint64_t balance_of(const upool_row_file *file, const upool_row *row)
{
    apr_uint64_t bytes = (apr_uint64_t)(row->stored + row->reserved)
                         * upool_row_owner_number(file, row);

    return row->identifier[0] ? bytes : 0 - bytes;
}

void upool_sums_change(upool_row_file *file, int n, const upool_row *before,
                       const upool_row *after)
{
    upool_row_header *header = &file->header;

    turn(&header->sums, before, -1);
    turn(&header->sums, after, 1);
    if (n < (int)header->cursor) {
        turn(&header->again, before, -1);
        turn(&header->again, after, 1);
        header->balance += balance_of(file, after) - balance_of(file, before);
    }
}

/* An owner's row has no identifier.  Gives an empty row where there is none,
 * and one without owner where row has no owner. */
static apr_status_t find_owner(const upool_row_file *file, const upool_row *of,
                               int *n, upool_row *row)
{
    upool_row owner;
    apr_status_t rv = APR_SUCCESS;

    memset(&owner, 0, sizeof(owner));
    memcpy(owner.owner, of->owner, UPOOL_ROW_OWNER);
    *n = UPOOL_ROW_NONE;
    if (!upool_row_is_free(&owner)) {
        rv = upool_row_find(file, &owner, n, row);
    }
    if (*n == UPOOL_ROW_NONE) {
        *row = owner;
    }
    return rv;
}

static apr_status_t add_owner(upool_row_file *file, const upool_row *row)
{
    upool_row none;
    int n = UPOOL_ROW_NONE;
    apr_status_t rv = upool_row_add(file, row, &n);

    memset(&none, 0, sizeof(none));
    if (!rv) {
        upool_sums_change(file, n, &none, row);
    }
    return rv;
}

static apr_status_t change_owner(upool_row_file *file, int n, upool_row *row,
                                 const upool_row *before)
{
    int is_over = !row->stored && !row->reserved;

    upool_sums_change(file, n, before, row);
    return is_over ? upool_row_drop(file, n) : upool_row_write(file, n, row);
}

apr_status_t upool_sums_turn_owner(upool_row_file *file, const upool_row *of,
                                   apr_int64_t stored, apr_int64_t reserved)
{
    upool_row row;
    upool_row before;
    int n;
    apr_status_t rv;

    if (!stored && !reserved) {
        return APR_SUCCESS;
    }
    rv = find_owner(file, of, &n, &row);
    if (rv || upool_row_is_free(&row)) {
        return rv;
    }
    before = row;
    row.stored += stored;
    row.reserved += reserved;
    if (row.stored < 0 || row.reserved < 0) {
        return APR_EGENERAL;
    }
    return n == UPOOL_ROW_NONE ? add_owner(file, &row)
                               : change_owner(file, n, &row, &before);
}

apr_status_t upool_sums_of_owner(const upool_row_file *file,
                                 const upool_row *of, apr_int64_t *stored,
                                 apr_int64_t *reserved)
{
    upool_row row;
    int n;
    apr_status_t rv = find_owner(file, of, &n, &row);

    *stored = rv || n == UPOOL_ROW_NONE ? 0 : row.stored;
    *reserved = rv || n == UPOOL_ROW_NONE ? 0 : row.reserved;
    return rv;
}

void upool_sums_pass(upool_row_file *file, const upool_row *row)
{
    turn(&file->header.again, row, 1);
    file->header.balance += balance_of(file, row);
    file->header.cursor++;
}

int upool_sums_are_right(const upool_row_file *file)
{
    const upool_row_header *header = &file->header;

    return header->cursor == header->rows && !header->balance
           && !memcmp(&header->again, &header->sums, sizeof(header->sums));
}
