/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/recount.h"

#include <string.h>

#include <apr_strings.h>

#include "store/ledger.h"
#include "store/weigh.h"

/* Rows that are read while the ledger is held. */
#define BLOCK 64
/* Rows for each upload that a ledger may have before it is packed: there are
 * never more owners than uploads. */
#define SPARSE 8

struct upool_recount {
    upool_store *store;
    apr_pool_t *scratch; /* cleared after each bucket */
    apr_time_t begun;
    apr_uint32_t generation; /* rows had these numbers */
    apr_uint32_t number;     /* of this count, once it sums */
    unsigned char *seen;     /* a bit for each row there was: come by */
    int rows;
    int is_summing;     /* the buckets are done */
    apr_status_t error; /* the count is given up */
};

apr_status_t upool_recount_begin(upool_recount **recount, upool_store *store,
                                 apr_pool_t *p)
{
    upool_recount *c;
    upool_ledger ledger;
    apr_status_t rv = upool_ledger_open(&ledger, store, 0);

    if (rv) {
        return rv;
    }
    c = apr_pcalloc(p, sizeof(*c));
    c->store = store;
    c->begun = apr_time_now();
    c->rows = (int)upool_ledger_header(&ledger)->rows;
    c->generation = upool_ledger_header(&ledger)->generation;
    upool_ledger_close(&ledger);
    c->seen = apr_pcalloc(p, (apr_size_t)c->rows / 8 + 1);
    apr_pool_create(&c->scratch, p);
    *recount = c;
    return APR_SUCCESS;
}

static int is_seen(const upool_recount *recount, int n)
{
    return n < recount->rows && (recount->seen[n / 8] >> n % 8 & 1);
}

static void note(upool_recount *recount, int n)
{
    if (n != UPOOL_ROW_NONE && n < recount->rows) {
        recount->seen[n / 8] |= (unsigned char)(1 << n % 8);
    }
}

/* Rows have other numbers now, so it is not known which were seen: each of them
 * is looked at again.  If another count has begun since, it finishes this one's
 * work. */
static apr_status_t check_numbers(upool_recount *recount,
                                  const upool_row_header *header)
{
    if (header->generation != recount->generation) {
        recount->generation = header->generation;
        recount->rows = 0;
        recount->is_summing = 0;
    }
    return recount->is_summing && header->count != recount->number
               ? APR_EBUSY
               : APR_SUCCESS;
}

void upool_recount_bucket(upool_recount *recount, const char *id)
{
    upool_ledger ledger;
    int n = UPOOL_ROW_NONE;

    if (recount->error) {
        return;
    }
    recount->error = upool_ledger_open(&ledger, recount->store, 0);
    if (recount->error) {
        return;
    }
    check_numbers(recount, upool_ledger_header(&ledger));
    recount->error = upool_weigh_bucket(&ledger, id, &n, recount->scratch);
    note(recount, n);
    upool_ledger_close(&ledger);
    apr_pool_clear(recount->scratch);
}

/* Weighs row n, which is not free and whose bucket the walk has not met. */
static apr_status_t look_at(upool_recount *recount, upool_ledger *ledger, int n,
                            upool_row *row)
{
    char id[UPOOL_ROW_IDENT + 1];
    apr_status_t rv = upool_ledger_check(ledger, n, row);

    if (rv || !row->identifier[0]) {
        return rv;
    }
    apr_cpystrn(id, row->identifier, sizeof(id));
    return upool_weigh_bucket(ledger, id, &n, recount->scratch);
}

/* The row at the cursor, which is weighed before it is added. */
static apr_status_t pass_row(upool_recount *recount, upool_ledger *ledger,
                             int *rows)
{
    int n = (int)upool_ledger_header(ledger)->cursor;
    upool_row row;
    apr_status_t rv = upool_ledger_read(ledger, n, &row);

    if (!rv && !upool_row_is_free(&row) && !is_seen(recount, n)) {
        (*rows)--;
        rv = look_at(recount, ledger, n, &row);
        rv = rv ? rv : upool_ledger_read(ledger, n, &row);
    }
    if (!rv) {
        upool_ledger_add_to_sums(ledger, &row);
    }
    return rv;
}

/* Reads a few rows.  For a damaged one the whole file is made anew. */
static apr_status_t pass_some(upool_recount *recount, upool_ledger *ledger,
                              int *rows)
{
    const upool_row_header *header = upool_ledger_header(ledger);
    apr_status_t rv = APR_SUCCESS;
    int most = BLOCK;

    if (!recount->is_summing) {
        recount->number = upool_ledger_begin_sums(ledger);
        recount->is_summing = 1;
    }
    while (!rv && most-- && *rows > 0 && header->cursor < header->rows
           && header->generation == recount->generation) {
        rv = pass_row(recount, ledger, rows);
        apr_pool_clear(recount->scratch);
    }
    return rv == APR_EGENERAL ? upool_ledger_rebuild(ledger) : rv;
}

/* All rows were passed, so nothing that came before the count began was
 * missed. */
static apr_status_t end_count(const upool_recount *recount,
                              upool_ledger *ledger)
{
    upool_row_header *header = upool_ledger_header(ledger);
    apr_status_t rv = APR_SUCCESS;

    if (!upool_ledger_are_sums_right(ledger)
        || header->rows > SPARSE * (apr_uint64_t)header->sums.uploads) {
        rv = upool_ledger_rebuild(ledger);
    }
    header->counted = recount->begun;
    return rv ? rv : upool_ledger_save(ledger);
}

/* 1: the end was reached. */
static int go_on(upool_recount *recount, int *rows)
{
    upool_ledger ledger;
    const upool_row_header *header = &ledger.file.header;
    int is_over = 0;

    recount->error = upool_ledger_open(&ledger, recount->store, 0);
    if (recount->error) {
        return 0;
    }
    recount->error = check_numbers(recount, header);
    recount->error =
        recount->error ? recount->error : pass_some(recount, &ledger, rows);
    if (!recount->error) {
        is_over = header->cursor == header->rows
                  && header->generation == recount->generation;
        recount->error =
            is_over ? end_count(recount, &ledger) : upool_ledger_save(&ledger);
    }
    upool_ledger_close(&ledger);
    return is_over;
}

int upool_recount_step(upool_recount *recount, int rows)
{
    while (!recount->error && rows > 0) {
        if (go_on(recount, &rows)) {
            return 1;
        }
    }
    return recount->error != APR_SUCCESS;
}
