/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/account.h"

/* How often other machines learn of an upload at most; at its beginning and
 * end they do at once. */
#define TELL_INTERVAL apr_time_from_msec(250)
/* How often they are told of an upload that waits for its client, so that it is
 * not forgotten. */
#define TELL_ANYWAY apr_time_from_sec(3)

/* The identifier is in flight.  A stranger is not told that, but gets the same
 * answer as if the upload were complete. */
static upool_reason reason_of_busy(const upool_account *account,
                                   const upool_record *record)
{
    upool_slot_record slot;

    return upool_table_lookup(account->options.table, account->options.name,
                              &slot)
                   && !upool_record_is_open_to(slot.owner, record->owner)
               ? UPOOL_REASON_OWNER
               : UPOOL_REASON_BUSY;
}

upool_reason upool_account_claim(upool_account *account,
                                 const upool_account_options *options,
                                 const upool_record *record)
{
    const upool_account_options *o = &account->options;

    account->options = *options;
    account->ticket.slot = 0;
    account->ticket.claim = 0;
    account->counted = 0;
    account->began = 0;
    account->starts = 0;
    account->told = 0;
    if (!o->table
        || upool_table_claim(o->table, o->name, record->owner, record->size,
                             o->process, record->created, o->alive,
                             &account->ticket)
               != UPOOL_CLAIM_BUSY) {
        return UPOOL_REASON_NONE;
    }
    return reason_of_busy(account, record);
}

int upool_account_has_slot(const upool_account *account)
{
    return account->options.table && account->ticket.slot;
}

void upool_account_turn_away(upool_account *account, upool_reason reason)
{
    upool_counters_refuse(account->options.counters, (int)reason);
    if (upool_account_has_slot(account)) {
        upool_table_release(account->options.table, &account->ticket);
    }
}

static void tell(upool_account *account, const upool_record *record)
{
    if (account->options.tell) {
        account->told = record->updated;
        account->told_bytes = record->received;
        account->options.tell(account->options.user, record);
    }
}

static void turn_undecided(const upool_account *account, int by)
{
    const upool_account_options *o = &account->options;

    if (o->undecided) {
        upool_counters_turn(o->counters, o->cell, UPOOL_GAUGE_UNDECIDED, by);
    }
}

void upool_account_decide(upool_account *account)
{
    if (account->starts) {
        account->starts = 0;
        turn_undecided(account, -1);
        upool_counters_add(account->options.counters, UPOOL_TOTAL_STARTED, 1);
    }
}

void upool_account_begin(upool_account *account, const upool_record *record)
{
    const upool_account_options *o = &account->options;

    account->began = 1;
    account->counted = record->received;
    account->starts = 1;
    turn_undecided(account, 1);
    if (!o->undecided) {
        upool_account_decide(account);
    }
    upool_counters_turn_uploads(o->counters, o->cell, 1, 0);
    tell(account, record);
}

/* The upload is no longer live; one that the watcher ends was parked until
 * now. */
static void leave(upool_account *account)
{
    const upool_account_options *o = &account->options;

    upool_counters_turn_uploads(o->counters, o->cell, -1,
                                account->parked ? -1 : 0);
    if (account->starts) {
        account->starts = 0;
        turn_undecided(account, -1);
    }
    account->began = 0;
    account->parked = 0;
}

void upool_account_park(upool_account *account, int parked)
{
    const upool_account_options *o = &account->options;

    if (account->began && account->parked != parked) {
        account->parked = parked;
        upool_counters_turn_uploads(o->counters, o->cell, 0, parked ? 1 : -1);
    }
}

void upool_account_withdraw(upool_account *account)
{
    const upool_account_options *o = &account->options;

    if (account->began) {
        leave(account);
    }
    if (upool_account_has_slot(account)) {
        upool_table_release(o->table, &account->ticket);
    }
    if (o->tell) {
        o->tell(o->user, NULL);
    }
}

void upool_account_name(upool_account *account, const upool_record *record)
{
    if (upool_account_has_slot(account)) {
        upool_table_describe(account->options.table, &account->ticket,
                             record->filename, record->content_type);
    }
}

/* How many bytes are new.  If an upload lost some (a digest did not match, so a
 * chunk was taken back), none are new until it has that many again. */
static void count_bytes(upool_account *account, const upool_record *record)
{
    apr_off_t more = record->received - account->counted;

    if (more > 0) {
        account->counted = record->received;
        upool_counters_add(account->options.counters, UPOOL_TOTAL_BYTES,
                           (apr_uint64_t)more);
    }
}

int upool_account_publish(upool_account *account, const upool_record *record)
{
    int news = record->received != account->told_bytes;
    apr_time_t due = account->told + (news ? TELL_INTERVAL : TELL_ANYWAY);

    count_bytes(account, record);
    if (upool_account_has_slot(account)
        && !upool_table_publish(account->options.table, &account->ticket,
                                record->received, record->updated)) {
        account->ticket.slot = 0;
        return 0;
    }
    if (record->updated >= due) {
        tell(account, record);
    }
    return 1;
}

void upool_account_pause(upool_account *account, const upool_record *record)
{
    const upool_account_options *o = &account->options;

    if (!account->began) {
        return;
    }
    count_bytes(account, record);
    leave(account);
    upool_counters_add(o->counters, UPOOL_TOTAL_PAUSED, 1);
    if (upool_account_has_slot(account)) {
        upool_table_release(o->table, &account->ticket);
    }
    tell(account, record);
}

static void count_end(upool_account *account, const upool_record *record,
                      upool_reason reason)
{
    const upool_account_options *o = &account->options;

    if (!account->began) {
        upool_counters_refuse(o->counters, (int)reason);
        return;
    }
    upool_account_decide(account);
    count_bytes(account, record);
    leave(account);
    if (record->state == UPOOL_STATE_DONE) {
        upool_counters_add(o->counters, UPOOL_TOTAL_DONE, 1);
    }
    else {
        upool_counters_fail(o->counters, (int)reason);
    }
}

void upool_account_end(upool_account *account, const upool_record *record,
                       upool_reason reason)
{
    int done = record->state == UPOOL_STATE_DONE;

    count_end(account, record, reason);
    if (done) {
        upool_account_name(account, record);
    }
    if (upool_account_has_slot(account)) {
        upool_table_finish(account->options.table, &account->ticket,
                           done ? UPOOL_SLOT_DONE : UPOOL_SLOT_ERROR_STATE,
                           record->received, done ? NULL : record->error,
                           record->updated);
    }
    if (reason != UPOOL_REASON_CLEARED) {
        tell(account, record);
    }
    else if (account->options.tell) {
        account->options.tell(account->options.user, NULL);
    }
}
