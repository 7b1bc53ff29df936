/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/table.h"

#include "progress/atomic.h"
#include "progress/segment.h"
#include "progress/slot.h"

static void ticket_void(upool_ticket *ticket)
{
    ticket->slot = 0;
    ticket->claim = 0;
}

static upool_slot *ticket_slot(const upool_table *table,
                               const upool_ticket *ticket)
{
    return upool_table_slot(table, ticket->slot - 1);
}

/* Is the upload still wanted?  If not, its slot is given back here and now:
 * the caller stops, and may never come again. */
static int ticket_holds(upool_table *table, const upool_ticket *ticket)
{
    if (upool_load(&ticket_slot(table, ticket)->hold) == ticket->claim) {
        return 1;
    }
    upool_table_give_back(table, ticket->slot - 1, ticket->claim);
    return 0;
}

void upool_table_give_back(upool_table *table, apr_uint32_t n,
                           apr_uint64_t hold)
{
    upool_slot *slot = upool_table_slot(table, n);
    apr_uint64_t free_hold = upool_hold_turn(hold, UPOOL_PHASE_FREE);
    apr_uint64_t seen = upool_load(&slot->hold);

    if (upool_hold_turn(seen, UPOOL_PHASE_FREE) != free_hold
        || seen == free_hold || upool_hold_finished(seen)) {
        return;
    }
    /* The hints first: after the swap the slot may be another's. */
    upool_store(&upool_table_tags(table)[n], 0);
    upool_store(&upool_table_ages(table)[n], UPOOL_AGE_FREE);
    if (!upool_cas(&slot->hold, seen, free_hold)) {
        /* It was dropped at that very moment; nobody else changes it after
         * that. */
        upool_cas(&slot->hold, upool_hold_turn(hold, UPOOL_PHASE_DROPPED),
                  free_hold);
    }
}

void upool_table_describe(upool_table *table, const upool_ticket *ticket,
                          const char *filename, const char *content_type)
{
    upool_slot *slot;

    if (!ticket->slot || !ticket_holds(table, ticket)) {
        return;
    }
    slot = ticket_slot(table, ticket);
    upool_slot_begin(slot);
    if (filename) {
        upool_text_put(slot->filename, 32, filename, UPOOL_SLOT_FILENAME);
    }
    if (content_type) {
        upool_text_put(slot->content_type, 16, content_type, UPOOL_SLOT_TYPE);
    }
    upool_slot_end(slot);
}

int upool_table_publish(upool_table *table, const upool_ticket *ticket,
                        apr_int64_t received, apr_time_t now)
{
    upool_slot *slot;

    if (!ticket->slot) {
        return 1;
    }
    slot = ticket_slot(table, ticket);
    if (!ticket_holds(table, ticket)
        || !upool_slot_raise(slot, ticket->claim, received)) {
        return 0;
    }
    /* After the swap, so that only the slot's holder comes here.  If a holder
     * that was taken for dead comes here after all, it only sets another
     * upload's time to the present, which does not matter. */
    upool_store(&slot->updated, (apr_uint64_t)now);
    return 1;
}

int upool_table_finish(upool_table *table, upool_ticket *ticket,
                       upool_slot_state state, apr_int64_t received,
                       const char *error, apr_time_t now)
{
    upool_phase phase =
        state == UPOOL_SLOT_DONE ? UPOOL_PHASE_DONE : UPOOL_PHASE_ERROR;
    apr_uint32_t n = ticket->slot - 1;
    apr_uint64_t claim = ticket->claim;
    apr_uint64_t ending = upool_hold_turn(claim, UPOOL_PHASE_ENDING);
    upool_slot *slot;

    if (!ticket->slot) {
        return 1;
    }
    slot = ticket_slot(table, ticket);
    ticket_void(ticket);
    /* Readers wait while it ends: they get all of it or nothing. */
    if (!upool_cas(&slot->hold, claim, ending)) {
        upool_table_give_back(table, n, claim);
        return 0;
    }
    upool_text_put(slot->error, 20, phase == UPOOL_PHASE_ERROR ? error : NULL,
                   UPOOL_SLOT_ERROR);
    upool_slot_raise(slot, claim, received);
    upool_store(&slot->updated, (apr_uint64_t)now);
    upool_store(&upool_table_ages(table)[n], upool_age_of(now));
    return upool_cas(&slot->hold, ending, upool_hold_turn(claim, phase));
}

void upool_table_release(upool_table *table, upool_ticket *ticket)
{
    if (ticket->slot) {
        upool_table_give_back(table, ticket->slot - 1, ticket->claim);
    }
    ticket_void(ticket);
}
