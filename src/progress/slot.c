/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "progress/slot.h"

#include <string.h>

#include <apr_thread_proc.h>
#include "progress/atomic.h"

#define RECEIVED_BITS 48
#define RECEIVED_MOST (((apr_uint64_t)1 << RECEIVED_BITS) - 1)

/* A writer is done in less than a microsecond unless it lost its processor;
 * then yielding gives it one.  A dead one never gets done. */
#define READ_SPINS 32
#define READ_YIELDS 16

_Static_assert(sizeof(upool_slot) % 64 == 0, "slots are whole cache lines");

typedef enum read_result { READ_NONE, READ_GOOD, READ_AGAIN } read_result;

apr_uint64_t upool_hold_take(apr_uint64_t hold, apr_uint32_t process)
{
    return upool_hold_of(hold + ((apr_uint64_t)1 << 35), UPOOL_PHASE_TAKEN,
                         process);
}

int upool_hold_finished(apr_uint64_t hold)
{
    upool_phase phase = upool_hold_phase(hold);

    return phase == UPOOL_PHASE_DONE || phase == UPOOL_PHASE_ERROR;
}

/* The bits above the bytes of received: which generation the bytes belong
 * to. */
static apr_uint64_t received_mark(apr_uint64_t hold)
{
    return (hold >> 35) << RECEIVED_BITS;
}

int upool_slot_begin(upool_slot *slot)
{
    apr_uint64_t sequence = upool_load(&slot->sequence);

    upool_store(&slot->sequence, sequence | 1);
    return (int)(sequence & 1);
}

void upool_slot_end(upool_slot *slot)
{
    upool_store(&slot->sequence, upool_load(&slot->sequence) + 1);
}

static apr_size_t utf8_cut(const char *text, apr_size_t most)
{
    apr_size_t n = 0;

    while (n <= most && text[n]) {
        n++;
    }
    if (n <= most) {
        return n;
    }
    n = most;
    /* A character has at most three bytes after its first: text that goes on
     * longer like that is not UTF-8 and is cut where it must. */
    while (n + 3 > most && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
        n--;
    }
    return ((unsigned char)text[n] & 0xc0) == 0x80 ? most : n;
}

void upool_text_put(apr_uint64_t *words, apr_size_t count, const char *text,
                    apr_size_t most)
{
    apr_size_t len = text ? utf8_cut(text, most) : 0;
    apr_size_t at = 0, n;

    /* The word that holds the NUL is the last that readers look at. */
    for (n = 0; n < count && at <= len; n++, at += sizeof(*words)) {
        apr_size_t left = len - at;
        apr_uint64_t word = 0;

        if (left > 0) {
            memcpy(&word, text + at, left < 8 ? left : 8);
        }
        upool_store(&words[n], word);
    }
}

/* The other way, into text of room bytes.  Torn words can lack the NUL that
 * every whole text has, so room is what ends it. */
static void text_get(const apr_uint64_t *words, apr_size_t count, char *text,
                     apr_size_t room)
{
    apr_size_t n;

    for (n = 0; n < count; n++) {
        apr_uint64_t word = upool_load(&words[n]);

        memcpy(text + n * sizeof(word), &word, sizeof(word));
        if (memchr(text + n * sizeof(word), '\0', sizeof(word))) {
            return;
        }
    }
    text[room - 1] = '\0';
}

void upool_slot_fill(upool_slot *slot, const upool_wanted *wanted,
                     const char *owner, apr_int64_t size, apr_time_t now)
{
    int i;

    /* No reader looks while it is TAKEN; this is for what a dead writer may
     * have left in sequence. */
    upool_slot_begin(slot);
    upool_store(&slot->received, received_mark(upool_load(&slot->hold)));
    upool_store(&slot->updated, (apr_uint64_t)now);
    upool_store(&slot->created, (apr_uint64_t)now);
    upool_store(&slot->size, (apr_uint64_t)size);
    for (i = 0; i < UPOOL_IDENT_WORDS; i++) {
        upool_store(&slot->identifier[i], wanted->words[i]);
    }
    upool_text_put(slot->owner, 8, owner, UPOOL_SLOT_OWNER);
    upool_text_put(slot->filename, 32, NULL, 0);
    upool_text_put(slot->content_type, 16, NULL, 0);
    upool_text_put(slot->error, 20, NULL, 0);
    upool_slot_end(slot);
}

int upool_slot_raise(upool_slot *slot, apr_uint64_t hold, apr_int64_t bytes)
{
    apr_uint64_t mark = received_mark(hold);
    apr_uint64_t old = upool_load(&slot->received);
    apr_uint64_t value = bytes > 0 ? (apr_uint64_t)bytes : 0;

    value = mark | (value < RECEIVED_MOST ? value : RECEIVED_MOST);
    if ((old & ~RECEIVED_MOST) != mark) {
        return 0;
    }
    /* There is one writer: the swap fails only when the slot is lost. */
    return value <= old || upool_cas(&slot->received, old, value);
}

int upool_slot_named(const upool_slot *slot, const upool_wanted *wanted)
{
    int i;

    for (i = 0; i < UPOOL_IDENT_WORDS; i++) {
        if (upool_load(&slot->identifier[i]) != wanted->words[i]) {
            return 0;
        }
    }
    return 1;
}

/* Is there a record to read in this phase?  READ_AGAIN: there may soon be. */
static read_result phase_readable(upool_phase phase, int *state)
{
    switch (phase) {
    case UPOOL_PHASE_UPLOADING:
        *state = UPOOL_SLOT_UPLOADING;
        return READ_GOOD;
    case UPOOL_PHASE_DONE:
        *state = UPOOL_SLOT_DONE;
        return READ_GOOD;
    case UPOOL_PHASE_ERROR:
        *state = UPOOL_SLOT_ERROR_STATE;
        return READ_GOOD;
    case UPOOL_PHASE_TAKEN:
    case UPOOL_PHASE_ANNOUNCED:
    case UPOOL_PHASE_ENDING:
        return READ_AGAIN;
    case UPOOL_PHASE_FREE:
    case UPOOL_PHASE_DROPPED:
        break;
    }
    return READ_NONE;
}

static void slot_copy(const upool_slot *slot, upool_slot_record *record)
{
    text_get(slot->identifier, UPOOL_IDENT_WORDS, record->identifier,
             sizeof(record->identifier));
    text_get(slot->owner, 8, record->owner, sizeof(record->owner));
    text_get(slot->filename, 32, record->filename, sizeof(record->filename));
    text_get(slot->content_type, 16, record->content_type,
             sizeof(record->content_type));
    text_get(slot->error, 20, record->error, sizeof(record->error));
    record->size = (apr_int64_t)upool_load(&slot->size);
    record->created = (apr_time_t)upool_load(&slot->created);
    record->updated = (apr_time_t)upool_load(&slot->updated);
    record->received =
        (apr_int64_t)(upool_load(&slot->received) & RECEIVED_MOST);
}

static read_result read_once(const upool_slot *slot, upool_slot_record *record)
{
    apr_uint64_t hold = upool_load(&slot->hold);
    apr_uint64_t sequence = upool_load(&slot->sequence);
    read_result result;

    result = phase_readable(upool_hold_phase(hold), &record->state);
    if (result != READ_GOOD) {
        return result;
    }
    if (sequence & 1) {
        return READ_AGAIN;
    }
    slot_copy(slot, record);
    if (upool_load(&slot->sequence) != sequence
        || upool_load(&slot->hold) != hold) {
        return READ_AGAIN;
    }
    record->process = upool_hold_process(hold);
    return READ_GOOD;
}

int upool_slot_read(const upool_slot *slot, upool_slot_record *record)
{
    read_result result = READ_AGAIN;
    int tries;

    for (tries = 0; tries < READ_SPINS + READ_YIELDS; tries++) {
        result = read_once(slot, record);
        if (result != READ_AGAIN) {
            break;
        }
        if (tries >= READ_SPINS) {
            apr_thread_yield();
        }
    }
    return result == READ_GOOD;
}
