/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/table.h"

#include <apr_thread_proc.h>
#include "progress/atomic.h"
#include "progress/segment.h"
#include "progress/slot.h"

/* How often a slot may be snatched away before the claim goes on without
 * one. */
#define CLAIM_TRIES 16
/* How long to wait for a rival to make up its mind, and for an upload that is
 * about to have ended. */
#define RIVAL_YIELDS 64

/* A slot, and the hold under which it was seen. */
typedef struct candidate {
    int found;
    apr_uint32_t n;
    apr_uint64_t hold;
} candidate;

typedef struct claimant {
    upool_table *table;
    upool_alive_fn *alive;
    upool_wanted wanted;
    const char *owner;
    apr_int64_t size;
    apr_time_t now;
    apr_uint32_t process;
} claimant;

typedef enum rivalry { RIVAL_NONE, RIVAL_WINS, RIVAL_UNDECIDED } rivalry;

static int holder_alive(upool_alive_fn *alive, apr_uint64_t hold)
{
    return !alive || alive((apr_int64_t)upool_hold_process(hold));
}

static void pick(candidate *best, apr_uint32_t n, apr_uint64_t hold)
{
    best->found = 1;
    best->n = n;
    best->hold = hold;
}

/* The hold of a slot; if its upload is ending, the hold after that. */
static apr_uint64_t settled_hold(const upool_slot *slot)
{
    apr_uint64_t hold = upool_load(&slot->hold);
    int patience = RIVAL_YIELDS;

    while (upool_hold_phase(hold) == UPOOL_PHASE_ENDING && patience-- > 0) {
        apr_thread_yield();
        hold = upool_load(&slot->hold);
    }
    return hold;
}

/* Looks for the identifier's own record.  BUSY: it is in flight; CLAIMED: go
 * on, and if best was found, in that slot. */
static upool_claim own_slot(const claimant *c, candidate *best)
{
    const apr_uint64_t *tags = upool_table_tags(c->table);
    apr_uint32_t window = upool_table_window(c->table);
    apr_uint32_t i;

    for (i = 0; i < window; i++) {
        apr_uint32_t n = upool_table_step(c->table, c->wanted.start, i);
        upool_slot *slot = upool_table_slot(c->table, n);
        apr_uint64_t hold;
        upool_phase phase;

        if (upool_load(&tags[n]) != c->wanted.tag) {
            continue;
        }
        hold = settled_hold(slot);
        phase = upool_hold_phase(hold);
        if (phase < UPOOL_PHASE_ANNOUNCED || phase == UPOOL_PHASE_DROPPED
            || !upool_slot_named(slot, &c->wanted)
            || upool_load(&slot->hold) != hold) {
            continue;
        }
        if (!upool_hold_finished(hold) && holder_alive(c->alive, hold)) {
            return UPOOL_CLAIM_BUSY;
        }
        pick(best, n, hold);
    }
    return UPOOL_CLAIMED;
}

/* The cheap way to room: the least age of the window. */
static void aged_slot(const claimant *c, candidate *best)
{
    const apr_uint64_t *ages = upool_table_ages(c->table);
    apr_uint32_t window = upool_table_window(c->table);
    apr_uint64_t least = UPOOL_AGE_ACTIVE, hold;
    apr_uint32_t i, n, at = 0;

    for (i = 0; i < window && least != UPOOL_AGE_FREE; i++) {
        apr_uint64_t age;

        n = upool_table_step(c->table, c->wanted.start, i);
        age = upool_load(&ages[n]);
        if (age < least) {
            least = age;
            at = n;
        }
    }
    if (least == UPOOL_AGE_ACTIVE) {
        return;
    }
    hold = upool_load(&upool_table_slot(c->table, at)->hold);
    if (upool_hold_phase(hold) == UPOOL_PHASE_FREE
        || upool_hold_finished(hold)) {
        pick(best, at, hold);
    }
}

/* The sure way, when the ages gave none or misled: reads the holds. */
static void held_slot(const claimant *c, candidate *best)
{
    const apr_uint64_t *ages = upool_table_ages(c->table);
    apr_uint32_t window = upool_table_window(c->table);
    apr_uint64_t least = UPOOL_AGE_ACTIVE;
    apr_uint32_t i;

    for (i = 0; i < window; i++) {
        apr_uint32_t n = upool_table_step(c->table, c->wanted.start, i);
        apr_uint64_t hold = upool_load(&upool_table_slot(c->table, n)->hold);
        apr_uint64_t age = upool_load(&ages[n]);

        if (upool_hold_phase(hold) == UPOOL_PHASE_FREE) {
            pick(best, n, hold);
            return;
        }
        if (upool_hold_finished(hold) && (!best->found || age < least)) {
            pick(best, n, hold);
            least = age;
        }
    }
    for (i = 0; i < window && !best->found; i++) {
        apr_uint32_t n = upool_table_step(c->table, c->wanted.start, i);
        apr_uint64_t hold = upool_load(&upool_table_slot(c->table, n)->hold);

        if (!upool_hold_finished(hold) && !holder_alive(c->alive, hold)) {
            pick(best, n, hold);
        }
    }
}

/* One rival: a slot with the claimant's tag, seen from slot own. */
static rivalry rival_meet(const claimant *c, apr_uint32_t own, apr_uint32_t n)
{
    upool_slot *slot = upool_table_slot(c->table, n);
    apr_uint64_t hold = upool_load_ordered(&slot->hold);
    upool_phase phase = upool_hold_phase(hold);

    if (phase < UPOOL_PHASE_ANNOUNCED || phase == UPOOL_PHASE_DROPPED
        || !upool_slot_named(slot, &c->wanted)) {
        return RIVAL_NONE;
    }
    /* A rival that came and ended since own_slot(), or died: its record makes
     * room for this one, or readers might find the old before the new.  If
     * somebody else changes it at this moment it is looked at again. */
    if (upool_hold_finished(hold) || !holder_alive(c->alive, hold)) {
        return upool_table_forget(c->table, n, hold) ? RIVAL_NONE
                                                     : RIVAL_UNDECIDED;
    }
    if (upool_load(&slot->hold) != hold) {
        return RIVAL_UNDECIDED;
    }
    if (phase == UPOOL_PHASE_ENDING
        || (phase == UPOOL_PHASE_ANNOUNCED && n > own)) {
        return RIVAL_UNDECIDED;
    }
    return RIVAL_WINS;
}

/* Is slot own, announced, the only one of its identifier?  Announcing and
 * looking are in the total order, so of two rivals at least one sees the
 * other.  The higher backs off at once; the lower waits for what the higher
 * decides, because that one may have looked before there was anything to
 * see. */
static int rivals_none(const claimant *c, apr_uint32_t own)
{
    const apr_uint64_t *tags = upool_table_tags(c->table);
    apr_uint32_t window = upool_table_window(c->table);
    int patience = RIVAL_YIELDS;
    apr_uint32_t i = 0;

    while (i < window) {
        apr_uint32_t n = upool_table_step(c->table, c->wanted.start, i);
        rivalry met = RIVAL_NONE;

        if (n != own && upool_load_ordered(&tags[n]) == c->wanted.tag) {
            met = rival_meet(c, own, n);
        }
        if (met == RIVAL_WINS || (met == RIVAL_UNDECIDED && patience-- == 0)) {
            return 0;
        }
        if (met == RIVAL_UNDECIDED) {
            apr_thread_yield();
            continue;
        }
        i++;
    }
    return 1;
}

/* Where the claim could go.  CLAIMED: best is it. */
static upool_claim room_find(const claimant *c, candidate *best)
{
    best->found = 0;
    if (own_slot(c, best) == UPOOL_CLAIM_BUSY) {
        return UPOOL_CLAIM_BUSY;
    }
    if (!best->found) {
        aged_slot(c, best);
    }
    if (!best->found) {
        held_slot(c, best);
    }
    return best->found ? UPOOL_CLAIMED : UPOOL_CLAIM_FULL;
}

/* Takes the slot of best, fills and announces it; best then has the new hold.
 * 0: somebody was faster. */
static int slot_occupy(const claimant *c, candidate *best)
{
    upool_slot *slot = upool_table_slot(c->table, best->n);
    apr_uint64_t taken = upool_hold_take(best->hold, c->process);

    if (!upool_cas(&slot->hold, best->hold, taken)) {
        return 0;
    }
    upool_store(&upool_table_ages(c->table)[best->n], UPOOL_AGE_ACTIVE);
    upool_slot_fill(slot, &c->wanted, c->owner, c->size, c->now);
    /* The tag before the phase: a reader that sees the phase must find the
     * tag. */
    upool_store_ordered(&upool_table_tags(c->table)[best->n], c->wanted.tag);
    best->hold = upool_hold_turn(taken, UPOOL_PHASE_ANNOUNCED);
    return upool_cas(&slot->hold, taken, best->hold);
}

/* CLAIMED and the ticket, or BUSY and the slot is given back. */
static upool_claim slot_contest(const claimant *c, const candidate *best,
                                upool_ticket *ticket)
{
    upool_slot *slot = upool_table_slot(c->table, best->n);
    apr_uint64_t won = upool_hold_turn(best->hold, UPOOL_PHASE_UPLOADING);

    if (rivals_none(c, best->n) && upool_cas(&slot->hold, best->hold, won)) {
        ticket->slot = best->n + 1;
        ticket->claim = won;
        return UPOOL_CLAIMED;
    }
    upool_table_give_back(c->table, best->n, best->hold);
    return UPOOL_CLAIM_BUSY;
}

upool_claim upool_table_claim(upool_table *table, const char *identifier,
                              const char *owner, apr_int64_t size,
                              apr_int64_t process, apr_time_t now,
                              upool_alive_fn *alive, upool_ticket *ticket)
{
    claimant c;
    int tries;

    ticket->slot = 0;
    ticket->claim = 0;
    c.table = table;
    c.alive = alive;
    c.owner = owner;
    c.size = size;
    c.now = now;
    c.process = (apr_uint32_t)process;
    if (!upool_table_want(table, identifier, &c.wanted)) {
        return UPOOL_CLAIM_FULL;
    }
    for (tries = 0; tries < CLAIM_TRIES; tries++) {
        candidate best;
        upool_claim verdict = room_find(&c, &best);

        if (verdict != UPOOL_CLAIMED) {
            return verdict;
        }
        if (slot_occupy(&c, &best)) {
            return slot_contest(&c, &best, ticket);
        }
    }
    return UPOOL_CLAIM_FULL;
}
