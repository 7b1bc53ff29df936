/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/table.h"

#include <string.h>

#include <apr_general.h>
#include <apr_siphash.h>
#include <apr_thread_proc.h>
#include "progress/atomic.h"
#include "progress/segment.h"
#include "progress/slot.h"

/* "uploadpr"; the layout word changes with anything that slot.h or table.h
 * draws, so that a new module does not misread memory kept by an old one. */
#define TABLE_MAGIC APR_UINT64_C(0x75706c6f61647072)
#define TABLE_LAYOUT (((apr_uint64_t)2 << 32) | sizeof(upool_slot))
#define TABLE_ALIGN 64

/* How long to wait for an upload that is about to end, which takes less than a
 * microsecond. */
#define DROP_TRIES 32

_Static_assert(sizeof(upool_table) == 64, "the header is one cache line");

apr_size_t upool_table_bytes(apr_uint32_t slots)
{
    apr_size_t hints = upool_hints_room(slots) * sizeof(apr_uint64_t);

    if (slots == 0 || slots > UPOOL_TABLE_SLOTS_MAX) {
        return 0;
    }
    return TABLE_ALIGN + sizeof(upool_table) + 2 * hints
           + slots * sizeof(upool_slot);
}

/* apr_shm hands out memory that is a word off the page, the same in every
 * process; slots that straddle cache lines would have writers disturb each
 * other. */
static upool_table *table_align(void *memory)
{
    apr_size_t off = (apr_size_t)((apr_uintptr_t)memory % TABLE_ALIGN);
    void *at = (char *)memory + (off ? TABLE_ALIGN - off : 0);

    return at;
}

upool_table *upool_table_init(void *memory, apr_size_t bytes,
                              apr_uint32_t slots)
{
    apr_size_t need = upool_table_bytes(slots);
    upool_table *table = table_align(memory);
    unsigned char key[sizeof(table->key)];

    if (need == 0 || bytes < need
        || apr_generate_random_bytes(key, sizeof(key)) != APR_SUCCESS) {
        return NULL;
    }
    memcpy(table->key, key, sizeof(key));
    table->layout = TABLE_LAYOUT;
    table->slots = slots;
    upool_store(&table->magic, TABLE_MAGIC);
    return table;
}

upool_table *upool_table_attach(void *memory, apr_size_t bytes)
{
    upool_table *table = table_align(memory);
    apr_size_t need;

    if (bytes < TABLE_ALIGN + sizeof(*table)
        || upool_load(&table->magic) != TABLE_MAGIC
        || table->layout != TABLE_LAYOUT
        || table->slots > UPOOL_TABLE_SLOTS_MAX) {
        return NULL;
    }
    need = upool_table_bytes((apr_uint32_t)table->slots);
    return need > 0 && bytes >= need ? table : NULL;
}

int upool_table_want(const upool_table *table, const char *identifier,
                     upool_wanted *wanted)
{
    apr_uint64_t groups = upool_hints_room(table->slots) / 8;
    apr_size_t len = 0;

    while (len <= UPOOL_SLOT_IDENT && identifier[len]) {
        len++;
    }
    if (len == 0 || len > UPOOL_SLOT_IDENT) {
        return 0;
    }
    memset(wanted->words, 0, sizeof(wanted->words));
    memcpy(wanted->words, identifier, len);
    wanted->tag =
        apr_siphash24(identifier, len, (const unsigned char *)table->key);
    /* Windows begin at whole cache lines of tags. */
    wanted->start = (apr_uint32_t)(((wanted->tag >> 32) * groups) >> 32) * 8;
    if (wanted->tag == 0) {
        wanted->tag = 1;
    }
    return 1;
}

int upool_table_lookup(const upool_table *table, const char *identifier,
                       upool_slot_record *record)
{
    const apr_uint64_t *tags = upool_table_tags(table);
    apr_uint32_t window = upool_table_window(table);
    upool_wanted wanted;
    apr_uint32_t i, n;

    if (!upool_table_want(table, identifier, &wanted)) {
        return 0;
    }
    for (i = 0; i < window; i++) {
        n = upool_table_step(table, wanted.start, i);
        if (upool_load(&tags[n]) == wanted.tag
            && upool_slot_read(upool_table_slot(table, n), record)
            && strcmp(record->identifier, identifier) == 0) {
            return 1;
        }
    }
    return 0;
}

int upool_table_forget(upool_table *table, apr_uint32_t n, apr_uint64_t hold)
{
    apr_uint64_t *age = &upool_table_ages(table)[n];
    apr_uint64_t seen = upool_load(age);

    if (!upool_cas(&upool_table_slot(table, n)->hold, hold,
                   upool_hold_turn(hold, UPOOL_PHASE_FREE))) {
        return 0;
    }
    /* The slot may be another's already.  The age is only a hint, and the
     * other's age differs.  But the other's tag may be the same, and its loss
     * would hide the record: so the tag stays, and look-ups see that the slot
     * is free. */
    if (seen != UPOOL_AGE_ACTIVE) {
        upool_cas(age, seen, UPOOL_AGE_FREE);
    }
    return 1;
}

/* Forgets the record in slot n if it is the wanted one.  If another process
 * ends the upload meanwhile, the swap fails, and the slot is looked at once
 * more. */
static int slot_drop(upool_table *table, apr_uint32_t n,
                     const upool_wanted *wanted)
{
    upool_slot *slot = upool_table_slot(table, n);
    int tries;

    for (tries = 0; tries < DROP_TRIES; tries++) {
        apr_uint64_t hold = upool_load(&slot->hold);
        int finished = upool_hold_finished(hold);

        if (upool_hold_phase(hold) == UPOOL_PHASE_ENDING) {
            apr_thread_yield();
            continue;
        }
        if ((!finished && upool_hold_phase(hold) != UPOOL_PHASE_UPLOADING)
            || !upool_slot_named(slot, wanted)) {
            return 0;
        }
        if (finished ? upool_table_forget(table, n, hold)
                     : upool_cas(&slot->hold, hold,
                                 upool_hold_turn(hold, UPOOL_PHASE_DROPPED))) {
            return 1;
        }
    }
    return 0;
}

/* The swap fails if the slot changed hands after its time was read. */
static int slot_drop_ended(upool_table *table, apr_uint32_t n,
                           const upool_wanted *wanted, apr_time_t ended)
{
    upool_slot *slot = upool_table_slot(table, n);
    apr_uint64_t hold = upool_load(&slot->hold);

    return upool_hold_finished(hold) && upool_slot_named(slot, wanted)
           && upool_load(&slot->updated) == (apr_uint64_t)ended
           && upool_table_forget(table, n, hold);
}

int upool_table_drop_ended(upool_table *table, const char *identifier,
                           apr_time_t ended)
{
    apr_uint64_t *tags = upool_table_tags(table);
    apr_uint32_t window = upool_table_window(table);
    upool_wanted wanted;
    apr_uint32_t i, n;
    int dropped = 0;

    if (!upool_table_want(table, identifier, &wanted)) {
        return 0;
    }
    for (i = 0; i < window; i++) {
        n = upool_table_step(table, wanted.start, i);
        if (upool_load(&tags[n]) == wanted.tag) {
            dropped |= slot_drop_ended(table, n, &wanted, ended);
        }
    }
    return dropped;
}

int upool_table_drop(upool_table *table, const char *identifier)
{
    apr_uint64_t *tags = upool_table_tags(table);
    apr_uint32_t window = upool_table_window(table);
    upool_wanted wanted;
    apr_uint32_t i, n;
    int dropped = 0;

    if (!upool_table_want(table, identifier, &wanted)) {
        return 0;
    }
    for (i = 0; i < window; i++) {
        n = upool_table_step(table, wanted.start, i);
        if (upool_load(&tags[n]) == wanted.tag) {
            dropped |= slot_drop(table, n, &wanted);
        }
    }
    return dropped;
}

void upool_table_count(const upool_table *table, apr_uint32_t *running,
                       apr_uint32_t *ended)
{
    const apr_uint64_t *ages = upool_table_ages(table);
    apr_uint32_t n;

    *running = 0;
    *ended = 0;
    for (n = 0; n < table->slots; n++) {
        apr_uint64_t age = upool_load(&ages[n]);

        *running += age == UPOOL_AGE_ACTIVE;
        *ended += age != UPOOL_AGE_ACTIVE && age != UPOOL_AGE_FREE;
    }
}

apr_uint32_t upool_table_slots(const upool_table *table)
{
    return (apr_uint32_t)table->slots;
}

apr_size_t upool_table_list(const upool_table *table, int state,
                            upool_slot_record *out, apr_size_t room)
{
    apr_size_t count = 0;
    apr_uint32_t n;

    for (n = 0; n < table->slots && count < room; n++) {
        const upool_slot *slot = upool_table_slot(table, n);
        upool_phase phase = upool_hold_phase(upool_load(&slot->hold));

        /* Not upool_slot_read() on all: a view is not worth waiting for
         * uploads that only begin. */
        if (phase < UPOOL_PHASE_UPLOADING || phase == UPOOL_PHASE_DROPPED) {
            continue;
        }
        if (upool_slot_read(slot, &out[count])
            && (state == 0 || out[count].state == state)) {
            count++;
        }
    }
    return count;
}
