/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_ROW_H
#define UPOOL_STORE_ROW_H

/* Rows of the ledger's file, and how they are found by upload or owner; for
 * ledger.c and rebuild.c alone.
 *
 *    POOL/.quota   +--------+-------+-------+-------+----
 *                  | header | row 0 | row 1 | row 2 | …
 *                  +--------+-------+-------+-------+----
 *                    256 B    128 B each, in the machine's byte order
 *
 *    row           identifier | owner | next | stored | reserved | written |
 *                  token | first | check
 *
 * A row with an identifier is an upload's; a row with only an owner is the sum
 * of that owner's uploads; any other row is free.  There are as many chains as
 * rows: beside its own content, row n holds the start of chain n (first), and
 * each row of a chain names the next one.  A hash of the row's identifier, or
 * of its owner, under a key that no client knows says which chain it is in.
 * When a row is added, one chain is split (linear hashing), so all rows never
 * have to be moved at once.  The free rows form a separate chain.
 *
 * A row is written by one pwrite() that crosses no page, so a process killed in
 * the middle of it leaves the old or the new one.  A row whose check does not
 * agree is damaged: APR_EGENERAL, and rebuild.h makes a new file from the sound
 * rows.
 *
 * The lock is the ledger's.  One thread at a time. */

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>

#define UPOOL_ROW_IDENT 64
#define UPOOL_ROW_OWNER 20
#define UPOOL_ROW_BYTES 128
#define UPOOL_ROW_HEADER 256
#define UPOOL_ROW_NONE (-1)
/* Rows of a file at most: 2 GiB. */
#define UPOOL_ROW_MAX 16777208

typedef struct upool_row {
    char identifier[UPOOL_ROW_IDENT]; /* padded with NUL; empty: no upload's */
    unsigned char owner[UPOOL_ROW_OWNER]; /* all zero: nobody's */
    apr_uint32_t next;    /* in its chain, or of the free: number + 1 */
    apr_int64_t stored;   /* bytes of the complete upload, or of the owner's */
    apr_int64_t reserved; /* bytes that the one under way may reach */
    apr_int64_t written;  /* of those, on the disk when last looked at */
    apr_uint64_t token;   /* whose reservation it is; 0: none */
    apr_uint32_t first;   /* of the chain that has this row's number */
    apr_uint32_t check;
} upool_row;

/* The sums of rows. */
typedef struct upool_row_sums {
    apr_int64_t stored;
    apr_int64_t reserved;
    apr_int64_t written;
    apr_int64_t uploads;
} upool_row_sums;

typedef struct upool_row_header {
    apr_uint64_t mark; /* layout and byte order */
    apr_int64_t counted;
    apr_int64_t cost;
    apr_uint64_t next_token;
    apr_int64_t tried; /* when a count to avoid a refusal last began */
    unsigned char key[16];
    upool_row_sums sums;
    upool_row_sums again; /* of the rows below cursor: a count's */
    apr_uint64_t balance; /* of owners and their uploads below cursor: 0 */
    apr_uint32_t cursor;
    apr_uint32_t generation; /* how often rows were given other numbers */
    apr_uint32_t count;      /* number of the count that has the cursor */
    apr_uint32_t rows;
    apr_uint32_t free;  /* the first free row: number + 1 */
    apr_uint32_t dirty; /* rows are being changed, or the writer died */
    apr_uint32_t spare;
    apr_int64_t expires;      /* the longest time an upload may still be kept */
    apr_int64_t expires_seen; /* when that time last applied to an upload */
    apr_uint32_t fill[19];
    apr_uint32_t check;
} upool_row_header;

/* The open file.  image: NULL, or all rows in memory, from malloc(), in place
 * of those on the disk. */
typedef struct upool_row_file {
    int fd;
    upool_row_header header;
    upool_row *image;
    apr_uint32_t image_size; /* rows that there is memory for */
} upool_row_file;

/* A checksum against accidents; it need not stop people, who cannot write
 * here. */
apr_uint32_t upool_row_check(const void *data, apr_size_t len);

/* 1 when row is whole. */
int upool_row_is_sound(const upool_row *row);

/* 1 when row belongs to the same upload, or the same owner, as the row of. */
int upool_row_is_of(const upool_row *row, const upool_row *of);

/* 1 when it is free. */
int upool_row_is_free(const upool_row *row);

/* A number for row's owner that differs from other owners' numbers; 0 where row
 * has no owner. */
apr_uint64_t upool_row_owner_number(const upool_row_file *file,
                                    const upool_row *row);

/* Reads or writes row n, below header.rows; a write sets its check.  The
 * system's error; APR_EGENERAL: damaged. */
apr_status_t upool_row_read(const upool_row_file *file, int n, upool_row *row);
apr_status_t upool_row_write(upool_row_file *file, int n, upool_row *row);

/* Finds the row of the same upload or owner as the row of, which has one of the
 * two.  *n is its number, UPOOL_ROW_NONE where there is none. */
apr_status_t upool_row_find(const upool_row_file *file, const upool_row *of,
                            int *n, upool_row *row);

/* Adds a row like content, for an upload or owner that has none yet.  *n is its
 * number.  The header is changed in memory only. */
apr_status_t upool_row_add(upool_row_file *file, const upool_row *content,
                           int *n);

/* Puts row n, which is in no chain, into its own. */
apr_status_t upool_row_link(upool_row_file *file, int n);

/* Frees row n.  The header is changed in memory only. */
apr_status_t upool_row_drop(upool_row_file *file, int n);

#endif
