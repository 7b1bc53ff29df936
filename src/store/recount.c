/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/recount.h"

#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "store/ledger.h"
#include "store/weigh.h"

/* Entries held at a time where they are only read. */
#define BLOCK 4096
/* Buckets without an entry that are put into the ledger together, because all
 * of it has to be read for that. */
#define STRANGERS 512

/* One entry, as it was when the count began. */
typedef struct place {
    apr_uint64_t hash; /* of the identifier; 0: it was free or damaged */
    apr_int32_t number;
    apr_int32_t seen;
} place;

struct upool_recount {
    upool_store *store;
    apr_pool_t *scratch; /* cleared after each entry */
    apr_pool_t *names;   /* of strangers */
    apr_time_t begun;
    apr_array_header_t *places; /* of place, by hash */
    apr_hash_t *strangers;      /* identifiers of buckets without an entry */
    int next;                   /* place to look at when all were come by */
    apr_status_t error;         /* the count is given up */
};

/* FNV-1a; identifiers that meet are told apart where it matters. */
static apr_uint64_t hash_of(const char *id)
{
    apr_uint64_t hash = APR_UINT64_C(0xcbf29ce484222325);
    int i;

    for (i = 0; i < UPOOL_LEDGER_IDENT && id[i]; i++) {
        hash = (hash ^ (unsigned char)id[i]) * APR_UINT64_C(0x100000001b3);
    }
    return hash ? hash : 1;
}

static int by_hash(const void *a, const void *b)
{
    const place *left = a;
    const place *right = b;

    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

static void note_places(upool_recount *recount, const upool_ledger *ledger)
{
    int i;

    for (i = 0; i < ledger->entries->nelts; i++) {
        int number = ledger->first + i;
        const char *id = upool_ledger_at(ledger, number)->identifier;
        place *noted = apr_array_push(recount->places);

        noted->hash = id[0] ? hash_of(id) : 0;
        noted->number = number;
        /* A damaged one is looked at, and mended. */
        noted->seen = !id[0] && upool_ledger_is_sound(ledger, number);
    }
}

static apr_status_t note_all(upool_recount *recount)
{
    apr_status_t rv = APR_SUCCESS;
    int got = BLOCK;

    while (got == BLOCK) {
        upool_ledger *ledger = NULL;

        rv = upool_ledger_open_part(&ledger, recount->store,
                                    recount->places->nelts, BLOCK,
                                    recount->scratch);
        if (rv) {
            break;
        }
        got = ledger->entries->nelts;
        note_places(recount, ledger);
        upool_ledger_close(ledger);
        apr_pool_clear(recount->scratch);
    }
    return rv;
}

apr_status_t upool_recount_begin(upool_recount **recount, upool_store *store,
                                 apr_pool_t *p)
{
    upool_recount *c;
    apr_pool_t *own;
    apr_status_t rv;

    apr_pool_create(&own, p);
    c = apr_pcalloc(own, sizeof(*c));
    c->store = store;
    c->begun = apr_time_now();
    c->places = apr_array_make(own, 16, sizeof(place));
    apr_pool_create(&c->scratch, own);
    apr_pool_create(&c->names, own);
    c->strangers = apr_hash_make(c->names);
    rv = note_all(c);
    if (rv) {
        apr_pool_destroy(own);
        return rv;
    }
    qsort(c->places->elts, (size_t)c->places->nelts, sizeof(place), by_hash);
    *recount = c;
    return APR_SUCCESS;
}

/* Number of the first place that has this hash or a greater one. */
static int find_place(const upool_recount *recount, apr_uint64_t hash)
{
    int low = 0;
    int high = recount->places->nelts;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (APR_ARRAY_IDX(recount->places, middle, place).hash < hash) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

/* The entry of that number, if it is (still) the one of id, or whosever it is
 * where id is NULL: weighed.  1: it was. */
static int weigh_entry(upool_recount *recount, int number, const char *id)
{
    upool_ledger *ledger = NULL;
    int is_it;

    recount->error = upool_ledger_open_part(&ledger, recount->store, number, 1,
                                            recount->scratch);
    if (recount->error) {
        return 0;
    }
    is_it = ledger->entries->nelts
            && (!id
                || !strncmp(upool_ledger_at(ledger, number)->identifier, id,
                            UPOOL_LEDGER_IDENT));
    if (is_it) {
        recount->error = upool_weigh_entry(ledger, number);
    }
    upool_ledger_close(ledger);
    apr_pool_clear(recount->scratch);
    return is_it;
}

/* Puts the strangers into the ledger; those that have come by themselves since
 * it was noted are in it. */
static void add_strangers(upool_recount *recount)
{
    upool_ledger *ledger = NULL;

    if (apr_hash_count(recount->strangers) && !recount->error) {
        recount->error =
            upool_ledger_open(&ledger, recount->store, 0, recount->scratch);
    }
    if (ledger) {
        recount->error = upool_weigh_new(ledger, recount->strangers);
        upool_ledger_close(ledger);
    }
    apr_pool_clear(recount->scratch);
    apr_pool_clear(recount->names);
    recount->strangers = apr_hash_make(recount->names);
}

void upool_recount_bucket(upool_recount *recount, const char *id)
{
    apr_uint64_t hash = hash_of(id);
    int n = find_place(recount, hash);
    int is_known = 0;

    while (!recount->error && !is_known && n < recount->places->nelts) {
        place *at = &APR_ARRAY_IDX(recount->places, n, place);

        if (at->hash != hash) {
            break;
        }
        is_known = weigh_entry(recount, at->number, id);
        at->seen |= is_known;
        n++;
    }
    if (!is_known && !recount->error) {
        id = apr_pstrdup(recount->names, id);
        apr_hash_set(recount->strangers, id, APR_HASH_KEY_STRING, id);
    }
    if (apr_hash_count(recount->strangers) >= STRANGERS) {
        add_strangers(recount);
    }
}

/* Cuts free entries off the end, a block of them at a time, and says when
 * everything was counted: nothing that came before it began was missed. */
static void end_count(upool_recount *recount)
{
    int was = BLOCK;
    int is = 0;

    while (!recount->error && was == BLOCK && is == 0) {
        upool_ledger *ledger = NULL;

        recount->error =
            upool_ledger_open_part(&ledger, recount->store, UPOOL_LEDGER_LAST,
                                   BLOCK, recount->scratch);
        if (recount->error) {
            break;
        }
        was = ledger->entries->nelts;
        upool_ledger_trim(ledger);
        is = ledger->entries->nelts;
        ledger->counted_in_full = 1;
        ledger->counted = recount->begun;
        recount->error = upool_ledger_write_header(ledger);
        upool_ledger_close(ledger);
        apr_pool_clear(recount->scratch);
    }
}

int upool_recount_step(upool_recount *recount, int entries)
{
    add_strangers(recount);
    while (!recount->error && recount->next < recount->places->nelts) {
        const place *at = &APR_ARRAY_IDX(recount->places, recount->next, place);

        if (entries == 0) {
            return 0;
        }
        recount->next++;
        if (!at->seen) {
            weigh_entry(recount, at->number, NULL);
            entries--;
        }
    }
    if (!recount->error) {
        end_count(recount);
    }
    return 1;
}
