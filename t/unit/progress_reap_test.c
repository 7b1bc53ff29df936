/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Uploads of dead processes are turned into errors while others claim the same
 * identifiers: whoever got the claim finds its own record, not the dead one's.
 * A process is a number here and dies by a store, so that thousands can. */
#include "progress/table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>
#include <tap.h>
#include "progress/atomic.h"

#define SLOTS 16
#define IDS 3 /* few, so that claims meet */
#define CLAIMANTS 3
#define REAPED 20000 /* how many of the dead are enough */

static upool_table *table;
static apr_uint64_t clock_now;
static apr_uint64_t strange, reaped;
/* The one process of each claimant that lives; those before it are dead. */
static apr_uint64_t living[CLAIMANTS];

static int alive(apr_int64_t process)
{
    apr_uint64_t which = (apr_uint64_t)process % (CLAIMANTS + 1);

    return which == CLAIMANTS
           || upool_load(&living[which]) == (apr_uint64_t)process;
}

static const char *id_of(unsigned n)
{
    static const char *const ids[IDS] = { "a", "b", "c" };

    return ids[n];
}

/* One upload: it ends well, or dies with its process. */
static void upload(unsigned me, unsigned n, int dies)
{
    apr_uint64_t process = upool_load(&living[me]);
    apr_time_t now =
        (apr_time_t)__atomic_add_fetch(&clock_now, 1, __ATOMIC_SEQ_CST);
    upool_slot_record record;
    upool_ticket ticket;

    if (upool_table_claim(table, id_of(n), "", 9, (apr_int64_t)process, now,
                          alive, &ticket)
        != UPOOL_CLAIMED) {
        return;
    }
    if (!upool_table_lookup(table, id_of(n), &record)
        || record.created != now) {
        upool_add(&strange, 1);
    }
    if (dies) {
        upool_store(&living[me], process + CLAIMANTS + 1);
        return;
    }
    upool_table_finish(table, &ticket, UPOOL_SLOT_DONE, 9, NULL, now);
}

static void *claim_all(void *data)
{
    unsigned me = *(unsigned *)data, seed = me + 1;

    while (upool_load(&reaped) < REAPED) {
        unsigned n = (unsigned)rand_r(&seed) % IDS;

        upload(me, n, rand_r(&seed) % 2);
    }
    return NULL;
}

static void *reap_all(void *data)
{
    while (upool_load(&reaped) < REAPED) {
        upool_add(&reaped,
                  upool_table_reap(table, CLAIMANTS, 5, alive, "dead"));
    }
    return data;
}

int main(void)
{
    apr_size_t bytes = upool_table_bytes(SLOTS);
    unsigned names[CLAIMANTS], n;
    pthread_t claimants[CLAIMANTS], reaper;

    apr_initialize();
    table = upool_table_init(calloc(1, bytes), bytes, SLOTS);
    for (n = 0; n < CLAIMANTS; n++) {
        names[n] = n;
        living[n] = CLAIMANTS + 1 + n;
    }
    pthread_create(&reaper, NULL, reap_all, NULL);
    for (n = 0; n < CLAIMANTS; n++) {
        pthread_create(&claimants[n], NULL, claim_all, &names[n]);
    }
    for (n = 0; n < CLAIMANTS; n++) {
        pthread_join(claimants[n], NULL);
    }
    pthread_join(reaper, NULL);
    tap_is_int((int)strange, 0, "who claims finds its own record");
    return tap_done();
}
