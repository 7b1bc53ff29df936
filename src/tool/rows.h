/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_TOOL_ROWS_H
#define UPOOL_TOOL_ROWS_H

/* All uploads of a pool, with a few words about each: ten thousand of them fit
 * in memory at once, while their documents are read one after another.
 *
 * A bucket that has not changed since it was last read, and was at rest, is not
 * read again: this makes it cheap to watch a large pool. */

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

/* Rows that live as long as p; empty at first. */
upool_rows *upool_rows_make(apr_pool_t *p);

/* Reads what has changed, and drops rows whose buckets are gone. */
apr_status_t upool_rows_read(upool_rows *rows, upool_store *store);

/* The rows in state (NULL: all), sorted with the last touched at the end, in
 * p. */
apr_array_header_t *upool_rows_sorted(const upool_rows *rows, const char *state,
                                      apr_pool_t *p);

/* The members that a row shares with the status object (contract 4), and times.
 * NULL: no memory. */
json_t *upool_rows_object(const upool_row *row, apr_pool_t *p);

#endif
