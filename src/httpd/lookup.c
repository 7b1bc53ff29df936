/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/lookup.h"

#include <apr_strings.h>

#include "httpd/shared.h"
#include "httpd/slots.h"

/* It is unknown whether a process of another machine lives; its record runs
 * out. */
static upool_state state_of_slot(const upool_slot_record *slot)
{
    if (slot->state == UPOOL_SLOT_DONE) {
        return UPOOL_STATE_DONE;
    }
    return slot->state == UPOOL_SLOT_UPLOADING
                   && (!slot->process || upool_slots_alive(slot->process))
               ? UPOOL_STATE_UPLOADING
               : UPOOL_STATE_ERROR;
}

static upool_record *from_slot(apr_pool_t *p, const char *id,
                               const upool_slot_record *slot)
{
    upool_record *record = upool_record_make(p, id);

    record->state = state_of_slot(slot);
    record->filename = apr_pstrdup(p, slot->filename);
    record->content_type = apr_pstrdup(p, slot->content_type);
    record->size = slot->size;
    record->received = slot->received;
    record->created = slot->created;
    record->updated = slot->updated;
    record->owner = slot->owner[0] ? apr_pstrdup(p, slot->owner) : NULL;
    if (record->state == UPOOL_STATE_ERROR) {
        record->error =
            slot->error[0]
                ? apr_pstrdup(p, slot->error)
                : upool_refusal_make(UPOOL_REASON_INTERRUPTED, 0, NULL).text;
    }
    else if (record->state == UPOOL_STATE_DONE) {
        record->size = record->received;
    }
    return record;
}

upool_store *upool_known_store(request_rec *r, upool_request *rq,
                               upool_refusal *refusal)
{
    if (!rq->store) {
        rq->store = upool_request_store(r, rq->conf, refusal);
    }
    return rq->store;
}

/* Messages of other machines to a cache may overtake each other, and then an
 * upload that has ended seems to go on there for as long as the record lasts.
 * A machine that still receives one tells of it again within this time. */
#define TOLD_AGAIN apr_time_from_sec(1)

/* 1 when the record came from another machine and may be behind the pool. */
static int is_stale(const upool_slot_record *slot)
{
    return slot->state == UPOOL_SLOT_UPLOADING && !slot->process
           && apr_time_now() - slot->updated > TOLD_AGAIN;
}

/* 1 when the process died before it could record how the upload ended: what the
 * pool says came after that, or is all that is left. */
static int is_lost(const upool_slot_record *slot)
{
    return slot->state != UPOOL_SLOT_DONE && slot->process
           && !upool_slots_alive(slot->process);
}

/* 1 when the pool knows better than the slot.  Nobody takes over the slot of a
 * process before the process is known to be dead, so an upload in several
 * requests may have continued, and ended, without a slot. */
static int is_newer(const upool_record *record, const upool_slot_record *slot)
{
    int lost = is_lost(slot);

    switch (record->state) {
    case UPOOL_STATE_DONE:
        return record->updated >= (lost ? slot->created : slot->updated);
    case UPOOL_STATE_UPLOADING:
        return lost || (slot->process && record->updated >= slot->updated);
    case UPOOL_STATE_STARTING:
    case UPOOL_STATE_ERROR:
        break;
    }
    /* A slot of this machine has the file's name, and what was received. */
    return !slot->process && record->updated >= slot->updated;
}

/* How long an error is reported of which nothing is left in the pool: the disk
 * was full, or somebody has cleared the upload while it was being written. */
#define ERROR_TOLD apr_time_from_sec(60)

/* 1 when the pool has nothing of the upload in the slot: it was removed in
 * another way (another machine, the tool, rm).  An upload that another machine
 * is receiving may not have appeared in this one's view of the pool yet. */
static int is_gone(request_rec *r, upool_request *rq,
                   const upool_slot_record *slot, upool_refusal *refusal)
{
    upool_store *store = upool_known_store(r, rq, refusal);

    return (slot->process || slot->state != UPOOL_SLOT_UPLOADING) && store
           && upool_bucket_is_gone(store, rq->id)
           && (slot->state != UPOOL_SLOT_ERROR_STATE
               || apr_time_now() - slot->updated > ERROR_TOLD);
}

/* 1 when the slot knows all there is to know. */
static int is_current(const upool_slot_record *slot)
{
    return slot->state == UPOOL_SLOT_UPLOADING && !is_stale(slot)
           && !is_lost(slot);
}

/* 1 when the upload began here a moment ago.  An upload has its slot before it
 * has a bucket, and its slot then knows more. */
static int has_begun(const request_rec *r, const upool_request *rq,
                     upool_slot_record *slot)
{
    const upool_table *table = upool_slots_table();

    return table
           && upool_table_lookup(table, upool_slots_name(r, rq->conf, rq->id),
                                 slot)
           && is_current(slot);
}

upool_record *upool_known_find(request_rec *r, upool_request *rq,
                               upool_refusal *refusal)
{
    upool_slot_record slot;
    upool_slot_record begun;
    upool_record *record = NULL;
    upool_store *store;
    apr_status_t rv;
    int told = upool_shared_lookup(r, rq->conf, rq->id, &slot)
               && !is_gone(r, rq, &slot, refusal);

    if (told && is_current(&slot)) {
        return from_slot(r->pool, rq->id, &slot);
    }
    store = upool_known_store(r, rq, refusal);
    rv = store ? upool_bucket_status(&record, store, rq->id, r->pool)
               : APR_ENOENT;
    if (rv) {
        record = NULL;
    }
    if (record && record->state == UPOOL_STATE_UPLOADING
        && has_begun(r, rq, &begun)) {
        return from_slot(r->pool, rq->id, &begun);
    }
    /* The owner of an upload that cannot be looked at is unknown. */
    if (rv && !APR_STATUS_IS_ENOENT(rv) && rv != APR_EINVAL && !told) {
        *refusal = upool_refusal_make(UPOOL_REASON_IO, rv,
                                      "the upload cannot be looked at");
        return NULL;
    }
    if (told && (!record || !is_newer(record, &slot))) {
        int waits = record && record->waits;

        record = from_slot(r->pool, rq->id, &slot);
        record->waits = waits && record->state == UPOOL_STATE_UPLOADING;
    }
    return record;
}

int upool_known_is_mine(const upool_record *record, const upool_request *rq)
{
    return upool_record_is_open_to(record->owner, rq->owner);
}

upool_record *upool_known_visible(request_rec *r, upool_request *rq,
                                  apr_time_t *expires, upool_refusal *refusal)
{
    upool_record *record = upool_known_find(r, rq, refusal);

    *expires = 0;
    if (!record || !upool_known_is_mine(record, rq)) {
        return NULL;
    }
    *expires = record->updated + upool_config_expires(rq->conf);
    if (*expires >= r->request_time) {
        return record;
    }
    *expires = 0;
    return record->waits ? record : NULL;
}

/* Removes the slot first: a writer at work learns of it at its next pull, and
 * the files that it holds open have no names any more.  A writer on another
 * machine finds its bucket gone. */
apr_status_t upool_known_clear(request_rec *r, const upool_request *rq,
                               upool_store *store)
{
    upool_table *table = upool_slots_table();
    apr_status_t rv;

    if (table) {
        upool_table_drop(table, upool_slots_name(r, rq->conf, rq->id));
    }
    rv = upool_bucket_remove(store, rq->id, r->pool);
    upool_shared_forget(r, rq->conf, rq->id);
    return rv;
}
