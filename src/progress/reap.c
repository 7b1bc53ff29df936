/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/table.h"

#include "progress/atomic.h"
#include "progress/segment.h"
#include "progress/slot.h"

/* The record of an upload that a dead process left says so from now on. */
static void record_end(upool_slot *slot, apr_time_t now, const char *error)
{
    if (upool_slot_begin(slot)) {
        /* The process died while it wrote these. */
        upool_text_put(slot->filename, 32, NULL, 0);
        upool_text_put(slot->content_type, 16, NULL, 0);
    }
    upool_text_put(slot->error, 20, error, UPOOL_SLOT_ERROR);
    upool_store(&slot->updated, (apr_uint64_t)now);
    upool_slot_end(slot);
}

/* Ends the upload of a dead process in slot n.  The slot is ENDING meanwhile,
 * as when its own writer ends it: a claim of the identifier sees the slot all
 * the time and waits.  A claim that could pass it over (TAKEN) would leave two
 * records of one identifier, and readers might find the dead one's. */
static int slot_end(upool_table *table, apr_uint32_t n, apr_uint64_t hold,
                    apr_uint32_t process, apr_time_t now, const char *error)
{
    upool_slot *slot = upool_table_slot(table, n);
    apr_uint64_t ending =
        upool_hold_turn(upool_hold_take(hold, process), UPOOL_PHASE_ENDING);

    if (!upool_cas(&slot->hold, hold, ending)) {
        return 0;
    }
    record_end(slot, now, error);
    upool_store(&upool_table_ages(table)[n], upool_age_of(now));
    /* The record goes on to name the process whose upload it was. */
    return upool_cas(
        &slot->hold, ending,
        upool_hold_of(ending, UPOOL_PHASE_ERROR, upool_hold_process(hold)));
}

/* Frees slot n, in which a dead process held no upload under way.  An upload
 * that was ending may be done on disk, so the disk must be asked. */
static void slot_free(upool_table *table, apr_uint32_t n, apr_uint64_t hold,
                      apr_uint32_t process)
{
    apr_uint64_t taken = upool_hold_take(hold, process);

    if (upool_cas(&upool_table_slot(table, n)->hold, hold, taken)) {
        upool_table_give_back(table, n, taken);
    }
}

apr_size_t upool_table_reap(upool_table *table, apr_int64_t process,
                            apr_time_t now, upool_alive_fn *alive,
                            const char *error)
{
    apr_size_t ended = 0;
    apr_uint32_t n, self = (apr_uint32_t)process;

    for (n = 0; alive && n < table->slots; n++) {
        apr_uint64_t hold = upool_load(&upool_table_slot(table, n)->hold);

        if (upool_hold_phase(hold) == UPOOL_PHASE_FREE
            || upool_hold_finished(hold)
            || alive((apr_int64_t)upool_hold_process(hold))) {
            continue;
        }
        if (upool_hold_phase(hold) != UPOOL_PHASE_UPLOADING) {
            slot_free(table, n, hold, self);
        }
        else if (slot_end(table, n, hold, self, now, error)) {
            ended++;
        }
    }
    return ended;
}
