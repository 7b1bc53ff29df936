/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* One slot: what a writer leaves behind that is killed at each of its steps,
 * and what readers and takers make of it. */
#include "progress/slot.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <tap.h>
#include "progress/atomic.h"
#include "progress/segment.h"

#define PID 4711
#define DEAD 666

static int dead_is_dead(apr_int64_t process)
{
    return process != DEAD;
}

static upool_table *table_new(apr_uint32_t slots, void **memory)
{
    apr_size_t bytes = upool_table_bytes(slots);

    *memory = calloc(1, bytes);
    return upool_table_init(*memory, bytes, slots);
}

static void test_hold(void)
{
    apr_uint64_t hold = 0, before, n;
    unsigned wrong = 0;

    for (n = 0; n < 100; n++) {
        before = hold;
        hold = upool_hold_take(hold, 0xffffffffU);
        wrong += hold <= before;
        wrong += upool_hold_phase(hold) != UPOOL_PHASE_TAKEN;
        wrong += upool_hold_process(hold) != 0xffffffffU;
    }
    tap_is_int(wrong, 0, "generations go up");
    hold = upool_hold_turn(hold, UPOOL_PHASE_ERROR);
    tap_ok(upool_hold_phase(hold) == UPOOL_PHASE_ERROR
               && upool_hold_process(hold) == 0xffffffffU && hold > before,
           "a phase changes alone");
    tap_ok(
        upool_hold_finished(hold)
            && upool_hold_finished(upool_hold_turn(hold, UPOOL_PHASE_DONE))
            && !upool_hold_finished(upool_hold_turn(hold, UPOOL_PHASE_ENDING)),
        "finished is done or error");
    hold = upool_hold_take(~APR_UINT64_C(0), 1);
    tap_ok(hold == (((apr_uint64_t)UPOOL_PHASE_TAKEN << 32) | 1),
           "the last generation is followed by the first");
    hold = upool_hold_of(~APR_UINT64_C(0), UPOOL_PHASE_FREE, 3);
    tap_ok(hold == ((~APR_UINT64_C(0) >> 35 << 35) | 3), "of another process");
}

static void test_raise(void)
{
    apr_uint64_t one = upool_hold_take(0, PID), two = upool_hold_take(one, PID);
    upool_slot slot;

    memset(&slot, 0, sizeof(slot));
    slot.received = APR_UINT64_C(1) << 48;
    tap_is_int(upool_slot_raise(&slot, one, 5), 1, "its own generation");
    tap_is_int(upool_slot_raise(&slot, two, 9), 0, "not another's");
    tap_ok(slot.received == ((APR_UINT64_C(1) << 48) | 5), "counts");
}

/* Puts the slot of id into the state that a process leaves that is killed in
 * this phase, with text half written or not. */
static void leave(upool_table *table, const char *id, upool_phase phase,
                  int half)
{
    upool_ticket t;
    upool_slot *slot;

    upool_table_claim(table, id, "o", 10, DEAD, 1, NULL, &t);
    upool_table_describe(table, &t, "left.txt", "text/plain");
    slot = upool_table_slot(table, t.slot - 1);
    upool_store(&slot->hold, upool_hold_turn(t.claim, phase));
    if (half) {
        upool_slot_begin(slot);
    }
}

static void is_recovered(upool_phase phase, int half)
{
    void *memory;
    upool_table *table = table_new(2, &memory);
    int readable = phase == UPOOL_PHASE_UPLOADING && !half;
    upool_slot_record r;
    upool_ticket t, other;

    leave(table, "left", phase, half);
    tap_is_int(upool_table_lookup(table, "left", &r), readable,
               "killed in phase %d, half %d: a look-up ends", (int)phase, half);
    tap_is_int(
        upool_table_claim(table, "left", "", 5, PID, 2, dead_is_dead, &t),
        UPOOL_CLAIMED, "the identifier can be claimed");
    tap_is_int(
        upool_table_claim(table, "other", "", 5, PID, 2, dead_is_dead, &other),
        UPOOL_CLAIMED, "and another");
    upool_table_describe(table, &t, "new", NULL);
    tap_ok(upool_table_lookup(table, "left", &r) && r.size == 5
               && strcmp(r.filename, "new") == 0 && !r.content_type[0],
           "its record is whole");
    tap_ok(upool_table_lookup(table, "other", &r) && r.size == 5,
           "so is the other");
    free(memory);
}

static void is_reaped(upool_phase phase, int half)
{
    void *memory;
    upool_table *table = table_new(1, &memory);
    int ended = phase == UPOOL_PHASE_UPLOADING;
    upool_slot_record r;
    upool_ticket t;

    leave(table, "left", phase, half);
    tap_is_int(upool_table_reap(table, PID, 3, dead_is_dead, "died"), ended,
               "reaped from phase %d, half %d", (int)phase, half);
    tap_is_int(upool_table_lookup(table, "left", &r), ended,
               "an upload stays known");
    if (ended) {
        tap_ok(r.state == UPOOL_SLOT_ERROR_STATE && !strcmp(r.error, "died")
                   && !strcmp(r.filename, half ? "" : "left.txt"),
               "as an error, without what was half written");
    }
    tap_is_int(upool_table_claim(table, "next", "", 5, PID, 2, NULL, &t),
               UPOOL_CLAIMED, "the slot is to be had");
    tap_is_int(upool_table_lookup(table, "next", &r), 1, "and readable");
    free(memory);
}

/* A live one is nobody's to take, however it looks. */
static void test_live(void)
{
    void *memory;
    upool_table *table = table_new(1, &memory);
    upool_slot_record r;
    upool_ticket t, other;
    upool_slot *slot;
    int phase, taken = 0;

    upool_table_claim(table, "live", "", 10, PID, 1, NULL, &t);
    slot = upool_table_slot(table, t.slot - 1);
    for (phase = UPOOL_PHASE_TAKEN; phase <= UPOOL_PHASE_DROPPED; phase++) {
        upool_store(&slot->hold, upool_hold_turn(t.claim, (upool_phase)phase));
        taken += upool_table_claim(table, "other", "", 1, PID, 2, dead_is_dead,
                                   &other)
                 == UPOOL_CLAIMED;
        taken += (int)upool_table_reap(table, PID, 2, dead_is_dead, "");
    }
    tap_is_int(taken, 0, "no phase of a live process is taken");
    upool_store(&slot->hold, upool_hold_turn(t.claim, UPOOL_PHASE_ENDING));
    tap_is_int(
        upool_table_claim(table, "live", "", 1, PID, 2, dead_is_dead, &other),
        UPOOL_CLAIM_BUSY, "one that is ending is in flight");
    tap_is_int(upool_table_drop(table, "live"), 0, "and not to be dropped");
    tap_is_int(upool_table_list(table, 0, &r, 1), 0, "or listed");
    upool_store(&slot->hold, t.claim);
    tap_is_int(upool_slot_begin(slot), 0, "text is being written");
    tap_is_int(upool_slot_read(slot, &r), 0, "a reader does not wait for ever");
    upool_slot_end(slot);
    tap_is_int(upool_slot_read(slot, &r), 1, "and reads it when it is done");
    free(memory);
}

/* Two claims of one identifier that did not see each other at first: the
 * rival shows up while this one looks for room (the seam for that is alive(),
 * which is asked about the dead one in the way). */
static struct {
    upool_table *table;
    upool_phase phase;
    apr_uint32_t slot;
    apr_int64_t process;
} rival;

static int rival_shows_up(apr_int64_t process)
{
    upool_wanted wanted;
    upool_slot *slot = upool_table_slot(rival.table, rival.slot);
    apr_uint64_t hold = upool_load(&slot->hold);

    if (process == DEAD && rival.phase != UPOOL_PHASE_FREE) {
        upool_table_want(rival.table, "same", &wanted);
        hold = upool_hold_take(hold, (apr_uint32_t)rival.process);
        upool_store(&slot->hold, hold);
        upool_slot_fill(slot, &wanted, "rival", 99, 9);
        upool_store(&upool_table_tags(rival.table)[rival.slot], wanted.tag);
        upool_store(&slot->hold, upool_hold_turn(hold, rival.phase));
        rival.phase = UPOOL_PHASE_FREE;
    }
    return process != DEAD && process != DEAD + 1;
}

static void is_contest(apr_uint32_t dead, upool_phase phase,
                       apr_int64_t process, upool_claim want, const char *name)
{
    void *memory;
    upool_table *table = table_new(2, &memory);
    upool_slot_record all[2], r;
    upool_ticket t, mine;
    upool_claim got;
    apr_size_t left;

    upool_table_claim(table, "zero", "", 1, dead == 0 ? DEAD : PID, 1, NULL,
                      &t);
    upool_table_claim(table, "one", "", 1, dead == 1 ? DEAD : PID, 1, NULL, &t);
    rival.table = table;
    rival.phase = phase;
    rival.slot = 1 - dead;
    rival.process = process;
    got = upool_table_claim(table, "same", "mine", 5, PID, 2, rival_shows_up,
                            &mine);
    tap_is_int(got, want, "%s", name);
    left = upool_table_list(table, 0, all, 2);
    if (want == UPOOL_CLAIMED) {
        tap_ok(left == 1 && upool_table_lookup(table, "same", &r)
                   && strcmp(r.owner, "mine") == 0,
               "and is the only record");
    }
    else {
        tap_ok(mine.slot == 0 && left == (phase != UPOOL_PHASE_ANNOUNCED),
               "and leaves the rival's alone");
    }
    free(memory);
}

static void test_rivals(void)
{
    is_contest(1, UPOOL_PHASE_ANNOUNCED, PID + 1, UPOOL_CLAIM_BUSY,
               "a rival announced in a lower slot wins");
    is_contest(0, UPOOL_PHASE_ANNOUNCED, PID + 1, UPOOL_CLAIM_BUSY,
               "one in a higher slot is waited for, but not for ever");
    is_contest(0, UPOOL_PHASE_UPLOADING, PID + 1, UPOOL_CLAIM_BUSY,
               "one under way in a higher slot wins");
    is_contest(1, UPOOL_PHASE_UPLOADING, PID + 1, UPOOL_CLAIM_BUSY,
               "in a lower one too");
    is_contest(0, UPOOL_PHASE_DONE, PID + 1, UPOOL_CLAIMED,
               "one that is done by then is replaced");
    is_contest(1, UPOOL_PHASE_ERROR, PID + 1, UPOOL_CLAIMED,
               "one that failed too");
    is_contest(0, UPOOL_PHASE_UPLOADING, DEAD + 1, UPOOL_CLAIMED,
               "one that died under way does not count");
    is_contest(1, UPOOL_PHASE_ANNOUNCED, DEAD + 1, UPOOL_CLAIMED,
               "nor one that died before");
}

/* A stuck hint may cost time, not a slot. */
static void test_hints(void)
{
    void *memory;
    upool_table *table = table_new(2, &memory);
    upool_ticket t;

    upool_table_claim(table, "a", "", 1, PID, 1, NULL, &t);
    upool_store(&upool_table_ages(table)[t.slot - 1], UPOOL_AGE_FREE);
    upool_store(&upool_table_ages(table)[2 - t.slot], UPOOL_AGE_ACTIVE);
    tap_is_int(upool_table_claim(table, "b", "", 1, PID, 1, NULL, &t),
               UPOOL_CLAIMED, "a slot is found against the ages");
    upool_table_finish(table, &t, UPOOL_SLOT_DONE, 1, NULL, 5);
    upool_store(&upool_table_ages(table)[0], UPOOL_AGE_ACTIVE);
    upool_store(&upool_table_ages(table)[1], UPOOL_AGE_ACTIVE);
    tap_is_int(upool_table_claim(table, "c", "", 1, PID, 1, NULL, &t),
               UPOOL_CLAIMED, "so is a finished one");
    tap_is_int(upool_table_claim(table, "d", "", 1, PID, 1, NULL, &t),
               UPOOL_CLAIM_FULL, "but no active one");
    tap_ok(upool_age_of(0) == 1 && upool_age_of(-7) == 1
               && upool_age_of(9) == 9,
           "no age reads as free");
    free(memory);
}

int main(void)
{
    int phase, half;

    apr_initialize();
    test_hold();
    test_raise();
    for (phase = UPOOL_PHASE_TAKEN; phase <= UPOOL_PHASE_DROPPED; phase++) {
        for (half = 0; half <= 1; half++) {
            is_recovered((upool_phase)phase, half);
            is_reaped((upool_phase)phase, half);
        }
    }
    test_live();
    test_rivals();
    test_hints();
    apr_terminate();
    return tap_done();
}
