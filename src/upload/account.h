/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_ACCOUNT_H
#define UPOOL_UPLOAD_ACCOUNT_H

/* Tells the world outside an upload's request about it: in its slot of the
 * progress table, in the server's counters, and on a farm to other machines.
 *
 *     claim ──> begin ──> publish, publish, … ──> end
 *       └───> turn_away └───> withdraw
 *
 * Whatever happens, an upload that began is counted once as started, and once
 * as done, failed or paused; one that did not begin is counted as refused; live
 * goes up and down with begin and end.  Nothing here can fail or wait, and
 * nothing here decides what the upload is: the bucket does.
 *
 * Plain data inside the upload; one thread at a time. */

#include "progress/counters.h"
#include "progress/table.h"
#include "store/record.h"
#include "upload/refusal.h"

/* Tells other machines of the upload; record NULL: tells them that there is no
 * such upload (any more).  Returns at once, in whatever state they are. */
typedef void upool_account_tell_fn(void *user, const upool_record *record);

typedef struct upool_account_options {
    const char *name;   /* in the table */
    upool_table *table; /* NULL: no progress in memory */
    apr_int64_t process;
    upool_alive_fn *alive;
    upool_counters *counters;    /* NULL: nothing is counted */
    apr_uint32_t cell;           /* this process's, of the counters */
    upool_account_tell_fn *tell; /* NULL: there are no other machines */
    void *user;
    /* 1: it is not known yet whether this is a whole upload: it counts as
     * started when upool_account_decide() says so, or at its end, also by a
     * kill */
    int undecided;
} upool_account_options;

typedef struct upool_account {
    upool_account_options options;
    upool_ticket ticket;
    apr_off_t counted; /* of received, by the counters */
    int began;         /* is counted as live */
    int parked;        /* and as parked */
    int starts;        /* and not yet as started */
    apr_time_t told;   /* when other machines were */
    apr_off_t told_bytes;
} upool_account;

/* Takes the slot for record's upload (size, owner, created).  NONE, also when
 * the table is full; or the reason why the identifier is not available now:
 * BUSY, or OWNER to a stranger. */
upool_reason upool_account_claim(upool_account *account,
                                 const upool_account_options *options,
                                 const upool_record *record);

/* 0 when the table is full, or there is none. */
int upool_account_has_slot(const upool_account *account);

/* The upload does not begin after all: gives the slot back. */
void upool_account_turn_away(upool_account *account, upool_reason reason);

/* The upload begins, or goes on; what it has received so far does not count as
 * bytes. */
void upool_account_begin(upool_account *account, const upool_record *record);

/* The upload's request waits without a thread (1), or has one again (0).  An
 * upload that has not begun, or has ended, does not count. */
void upool_account_park(upool_account *account, int parked);

/* The undecided one is a whole upload: counts it as started. */
void upool_account_decide(upool_account *account);

/* The undecided one is not an upload: the slot is given back, other machines
 * forget it, and nothing is counted. */
void upool_account_withdraw(upool_account *account);

/* Filename and type are known. */
void upool_account_name(upool_account *account, const upool_record *record);

/* Publishes record->received as of record->updated; other machines learn of it
 * every 250 ms.  1; 0: somebody has cleared the upload. */
int upool_account_publish(upool_account *account, const upool_record *record);

/* This request's part in an upload of several requests is over, but the upload
 * is not: the slot is given back, and the bucket tells the progress. */
void upool_account_pause(upool_account *account, const upool_record *record);

/* The upload's record is final: done, or error for that reason.  A cleared
 * upload leaves no trace on other machines.  An upload that was claimed and did
 * not begin shows the error, and counts as refused. */
void upool_account_end(upool_account *account, const upool_record *record,
                       upool_reason reason);

#endif
