/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_TOOL_ROWS_H
#define UPOOL_TOOL_ROWS_H

/* All uploads of a pool, a few words of each: ten thousand of them are in
 * memory at once, their documents one after another.
 *
 * A bucket that has not changed since it was last read, and was at rest, is
 * not read again: that is what makes watching a large pool cheap. */

#include <apr_hash.h>

#include "tool/tool.h"

typedef struct upool_row {
    const char *id;
    upool_state state;
    const char *filename; /* as the client said; not shown() */
    const char *error;    /* NULL: none */
    apr_off_t size;       /* -1: not known */
    apr_off_t received;
    int files;
    apr_time_t created;
    apr_time_t updated;
    apr_time_t changed; /* of the bucket, when it was read */
    apr_time_t read;
    apr_off_t since;   /* received at the look before, and */
    apr_time_t before; /* when that was; 0: there was none */
    int is_seen;       /* in this round */
} upool_row;

typedef struct upool_rows {
    apr_hash_t *known; /* identifier to upool_row * */
    apr_pool_t *p;
    int strangers; /* names in the pool that are no bucket */
    int unread;    /* buckets that could not be read */
} upool_rows;

/* Rows that live as long as p; none is there yet. */
upool_rows *upool_rows_make(apr_pool_t *p);

/* Reads what has changed; rows of buckets that are gone go. */
apr_status_t upool_rows_read(upool_rows *rows, upool_store *store);

/* Those in state (NULL: all), what was touched last at the end, in p. */
apr_array_header_t *upool_rows_sorted(const upool_rows *rows, const char *state,
                                      apr_pool_t *p);

/* The members that a row has in common with the status object (contract 4),
 * and times. NULL: no memory. */
json_t *upool_rows_object(const upool_row *row, apr_pool_t *p);

#endif
