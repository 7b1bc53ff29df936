/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What the table of uploads promises, one caller at a time. */
#include "progress/table.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#define PID 4711
#define DEAD 666

static int dead_is_dead(apr_int64_t process)
{
    return process != DEAD;
}

/* A table in memory of its own, off alignment as apr_shm's is. */
static upool_table *table_new(apr_uint32_t slots, char **memory)
{
    apr_size_t bytes = upool_table_bytes(slots);

    *memory = calloc(1, bytes + 8);
    return upool_table_init(*memory + 8, bytes, slots);
}

static upool_claim claim(upool_table *table, const char *id, apr_time_t now,
                         upool_ticket *ticket)
{
    return upool_table_claim(table, id, "", 1000, PID, now, dead_is_dead,
                             ticket);
}

static const char *number(char *id, unsigned n)
{
    apr_snprintf(id, 32, "upload-%u", n);
    return id;
}

static void test_memory(void)
{
    char *memory;
    upool_table *table = table_new(100, &memory);
    apr_size_t bytes = upool_table_bytes(100);

    tap_ok(table != NULL, "a table is made");
    tap_ok(upool_table_attach(memory + 8, bytes) == table, "and found");
    tap_ok(!upool_table_attach(memory + 8, bytes - 1), "not in less memory");
    tap_ok(!upool_table_attach(memory + 8, 10), "nor in hardly any");
    ((char *)table)[8] ^= 1; /* the word of the layout */
    tap_ok(!upool_table_attach(memory + 8, bytes), "nor of another layout");
    memset(memory, 0, bytes + 8);
    tap_ok(!upool_table_attach(memory + 8, bytes), "nor in zeroed memory");
    tap_ok(!upool_table_init(memory, bytes - 1, 100), "too little memory");
    tap_is_int(upool_table_bytes(0), 0, "no table without slots");
    tap_is_int(upool_table_bytes(UPOOL_TABLE_SLOTS_MAX + 1), 0, "none so big");
    tap_ok(upool_table_bytes(UPOOL_TABLE_SLOTS_MAX) > 0, "the biggest");
    tap_ok(!upool_table_init(memory, bytes, 0), "none is made without slots");
    free(memory);
}

static void test_life(void)
{
    char *memory;
    upool_table *table = table_new(16, &memory);
    upool_slot_record r;
    upool_ticket t;

    tap_is_int(upool_table_lookup(table, "one", &r), 0, "unknown at first");
    tap_is_int(
        upool_table_claim(table, "one", "alice", 1000, PID, 50, NULL, &t),
        UPOOL_CLAIMED, "claimed");
    tap_ok(t.slot > 0, "the ticket has a slot");
    tap_is_int(upool_table_lookup(table, "one", &r), 1, "known from then on");
    tap_is_str(r.identifier, "one", "its identifier");
    tap_is_int(r.state, UPOOL_SLOT_UPLOADING, "uploading");
    tap_is_int(r.size, 1000, "its size");
    tap_is_int(r.received, 0, "nothing received");
    tap_is_int(r.created, 50, "when it began");
    tap_is_int(r.updated, 50, "and was last seen");
    tap_is_int(r.process, PID, "by whom");
    tap_is_str(r.owner, "alice", "whose it is");
    tap_is_str(r.filename, "", "no name yet");
    tap_is_str(r.content_type, "", "no type yet");
    upool_table_describe(table, &t, "photo.jpg", NULL);
    upool_table_describe(table, &t, NULL, "image/jpeg");
    upool_table_lookup(table, "one", &r);
    tap_is_str(r.filename, "photo.jpg", "its name, left alone by NULL");
    tap_is_str(r.content_type, "image/jpeg", "its type");
    tap_is_int(upool_table_publish(table, &t, 400, 60), 1, "published");
    upool_table_lookup(table, "one", &r);
    tap_is_int(r.received, 400, "the bytes are seen");
    tap_is_int(r.updated, 60, "and the time");
    tap_is_int(upool_table_publish(table, &t, 300, 61), 1, "fewer bytes");
    upool_table_lookup(table, "one", &r);
    tap_is_int(r.received, 400, "do not take any back");
    tap_is_int(upool_table_finish(table, &t, UPOOL_SLOT_DONE, 1000, "no", 70),
               1, "finished");
    tap_is_int(t.slot, 0, "the ticket is void");
    upool_table_lookup(table, "one", &r);
    tap_is_int(r.state, UPOOL_SLOT_DONE, "done");
    tap_is_int(r.received, 1000, "with all its bytes");
    tap_is_int(r.updated, 70, "since then");
    tap_is_str(r.error, "", "without an error");
    tap_is_str(r.filename, "photo.jpg", "and still has its name");
    free(memory);
}

static void test_error(void)
{
    char *memory;
    upool_table *table = table_new(16, &memory);
    upool_slot_record r;
    upool_ticket t;

    upool_table_claim(table, "two", NULL, -1, PID, 50, NULL, &t);
    upool_table_publish(table, &t, 77, 51);
    tap_is_int(upool_table_finish(table, &t, UPOOL_SLOT_ERROR_STATE, 60,
                                  "client went away", 52),
               1, "failed");
    upool_table_lookup(table, "two", &r);
    tap_is_int(r.state, UPOOL_SLOT_ERROR_STATE, "error");
    tap_is_str(r.error, "client went away", "and why");
    tap_is_int(r.received, 77, "the bytes do not go back");
    tap_is_int(r.size, -1, "size unknown");
    tap_is_str(r.owner, "", "no owner");
    upool_table_claim(table, "two", NULL, 5, PID, 60, NULL, &t);
    upool_table_lookup(table, "two", &r);
    tap_is_int(r.state, UPOOL_SLOT_UPLOADING, "tried again: uploading");
    tap_is_str(r.error, "", "the old error is gone");
    tap_is_int(r.received, 0, "the old bytes are");
    upool_table_finish(table, &t, UPOOL_SLOT_ERROR_STATE, 1, NULL, 61);
    upool_table_lookup(table, "two", &r);
    tap_is_str(r.error, "", "an error without text");
    free(memory);
}

static void test_busy(void)
{
    char *memory;
    upool_table *table = table_new(64, &memory);
    upool_ticket t, other, third;
    upool_slot_record r;

    claim(table, "busy", 1, &t);
    tap_is_int(claim(table, "busy", 2, &other), UPOOL_CLAIM_BUSY,
               "in flight: a second claim is refused");
    tap_is_int(other.slot, 0, "and has no slot");
    upool_table_finish(table, &t, UPOOL_SLOT_DONE, 9, NULL, 3);
    tap_is_int(claim(table, "busy", 4, &other), UPOOL_CLAIMED,
               "finished: the identifier is used again");
    upool_table_lookup(table, "busy", &r);
    tap_is_int(r.created, 4, "its record is the new one");
    tap_is_int(upool_table_list(table, 0, &r, 1), 1, "and the only one");
    upool_table_release(table, &other);
    tap_is_int(upool_table_lookup(table, "busy", &r), 0,
               "released, it never was");
    tap_is_int(
        upool_table_claim(table, "busy", "", 1, DEAD, 5, dead_is_dead, &t),
        UPOOL_CLAIMED, "by a process that dies");
    tap_is_int(upool_table_claim(table, "busy", "", 1, PID, 6, NULL, &third),
               UPOOL_CLAIM_BUSY, "not asked, it counts as alive");
    tap_is_int(claim(table, "busy", 7, &third), UPOOL_CLAIMED,
               "dead, it is taken over");
    tap_is_int(upool_table_publish(table, &t, 500, 8), 0,
               "its ticket is worth nothing");
    upool_table_lookup(table, "busy", &r);
    tap_is_int(r.received, 0, "and changed nothing");
    tap_is_int(r.process, PID, "it is the new one's");
    tap_is_int(upool_table_publish(table, &third, 5, 9), 1,
               "whose ticket is good");
    free(memory);
}

static void test_stale(void)
{
    char *memory;
    upool_table *table = table_new(1, &memory);
    upool_ticket first, old, now;
    upool_slot_record r;

    claim(table, "first", 1, &first);
    old = first;
    upool_table_finish(table, &first, UPOOL_SLOT_DONE, 10, NULL, 2);
    claim(table, "second", 3, &now);
    upool_table_describe(table, &now, "second.txt", "text/plain");
    tap_is_int(old.slot, now.slot, "two uploads, one slot");
    tap_is_int(upool_table_publish(table, &old, 99, 90), 0,
               "a stale ticket publishes nothing");
    upool_table_describe(table, &old, "first.txt", "text/html");
    tap_is_int(upool_table_finish(table, &old, UPOOL_SLOT_ERROR_STATE, 99,
                                  "stale", 91),
               0, "finishes nothing");
    old.slot = now.slot;
    old.claim = now.claim - ((apr_uint64_t)1 << 35);
    upool_table_release(table, &old);
    upool_table_lookup(table, "second", &r);
    tap_is_int(r.state, UPOOL_SLOT_UPLOADING, "the other is as it was");
    tap_is_int(r.received, 0, "its bytes");
    tap_is_int(r.updated, 3, "its time");
    tap_is_str(r.filename, "second.txt", "its name");
    tap_is_int(upool_table_publish(table, &now, 4, 5), 1, "and it goes on");
    old.slot = 0;
    tap_is_int(upool_table_publish(table, &old, 4, 5), 1,
               "without a slot an upload goes on");
    tap_is_int(upool_table_finish(table, &old, UPOOL_SLOT_DONE, 4, NULL, 5), 1,
               "and ends");
    upool_table_describe(table, &old, "x", "y");
    upool_table_release(table, &old);
    upool_table_lookup(table, "second", &r);
    tap_is_str(r.filename, "second.txt", "which touches nobody");
    free(memory);
}

static void test_drop(void)
{
    char *memory;
    upool_table *table = table_new(4, &memory);
    upool_ticket t, again, fill[4];
    upool_slot_record r;
    char id[32];
    unsigned n, claimed = 0;

    tap_is_int(upool_table_drop(table, "gone"), 0, "nothing to drop");
    claim(table, "gone", 1, &t);
    upool_table_publish(table, &t, 10, 2);
    tap_is_int(upool_table_drop(table, "gone"), 1, "dropped in flight");
    tap_is_int(upool_table_lookup(table, "gone", &r), 0, "it is unknown");
    tap_is_int(upool_table_drop(table, "gone"), 0, "and not dropped twice");
    tap_is_int(upool_table_list(table, 0, &r, 1), 0, "nor listed");
    tap_is_int(claim(table, "gone", 3, &again), UPOOL_CLAIMED,
               "its identifier is free at once");
    tap_ok(again.slot != t.slot, "its slot is not, while its writer lives");
    upool_table_describe(table, &t, "late", "late");
    upool_table_lookup(table, "gone", &r);
    tap_is_str(r.filename, "", "a late word of the old one is not heard");
    tap_is_int(upool_table_publish(table, &t, 20, 4), 0,
               "the writer learns of it");
    tap_is_int(upool_table_publish(table, &t, 30, 4), 0, "each time");
    upool_table_lookup(table, "gone", &r);
    tap_is_int(r.received, 0, "the new upload has its own bytes");
    for (n = 0; n < 4; n++) {
        claimed += claim(table, number(id, n), 5, &fill[n]) == UPOOL_CLAIMED;
    }
    tap_is_int(claimed, 3, "the old slot came back once it knew");
    tap_is_int(upool_table_finish(table, &again, UPOOL_SLOT_DONE, 1, NULL, 6),
               1, "the new one finishes");
    tap_is_int(upool_table_drop(table, "gone"), 1, "and is dropped");
    tap_is_int(upool_table_lookup(table, "gone", &r), 0, "unknown again");
    tap_is_int(claim(table, number(id, 7), 8, &again), UPOOL_CLAIMED,
               "its slot is free");
    upool_table_drop(table, number(id, 7));
    tap_is_int(upool_table_finish(table, &again, UPOOL_SLOT_DONE, 1, NULL, 9),
               0, "dropped before its end: told so");
    tap_is_int(upool_table_lookup(table, number(id, 7), &r), 0,
               "and it stays forgotten");
    tap_is_int(claim(table, number(id, 8), 9, &again), UPOOL_CLAIMED,
               "the slot is free after that too");
    upool_table_drop(table, number(id, 8));
    upool_table_release(table, &again);
    tap_is_int(claim(table, number(id, 9), 9, &again), UPOOL_CLAIMED,
               "and after a release");
    free(memory);
}

/* Whoever still writes into a slot keeps it, whatever became of the record. */
static void test_drop_holds(void)
{
    char *memory;
    upool_table *table = table_new(1, &memory);
    upool_ticket t, other;

    claim(table, "mine", 1, &t);
    upool_table_drop(table, "mine");
    tap_is_int(claim(table, "other", 2, &other), UPOOL_CLAIM_FULL,
               "a dropped upload's slot is nobody else's");
    tap_is_int(claim(table, "mine", 2, &other), UPOOL_CLAIM_FULL,
               "not even its own identifier's");
    tap_is_int(upool_table_publish(table, &t, 1, 3), 0,
               "until its writer has been told");
    tap_is_int(claim(table, "other", 4, &other), UPOOL_CLAIMED,
               "from then on it is");
    free(memory);
}

/* D9: The oldest that is over goes first. */
/* The oldest finished goes first, the active never. */
static void test_full(void)
{
    char *memory;
    upool_table *table = table_new(UPOOL_TABLE_WINDOW, &memory);
    upool_ticket t[UPOOL_TABLE_WINDOW], more;
    upool_slot_record r;
    char id[32];
    apr_uint32_t running, ended;
    unsigned n, wrong = 0, kept = 0;

    for (n = 0; n < UPOOL_TABLE_WINDOW; n++) {
        wrong += claim(table, number(id, n), 1, &t[n]) != UPOOL_CLAIMED;
    }
    tap_is_int(wrong, 0, "64 uploads fill 64 slots");
    tap_is_int(upool_table_slots(table), 64, "so many there are");
    upool_table_count(table, &running, &ended);
    tap_ok(running == 64 && ended == 0, "64 run");
    tap_is_int(claim(table, "more", 2, &more), UPOOL_CLAIM_FULL,
               "one more has no slot");
    tap_is_int(more.slot, 0, "which its ticket knows");
    /* Every second one finishes, the later the lower its number. */
    for (n = 0; n < UPOOL_TABLE_WINDOW; n += 2) {
        upool_table_finish(table, &t[n],
                           n % 4 ? UPOOL_SLOT_DONE : UPOOL_SLOT_ERROR_STATE, 5,
                           NULL, 1000 - (apr_time_t)n);
    }
    upool_table_count(table, &running, &ended);
    tap_ok(running == 32 && ended == 32, "then 32, and 32 have ended");
    for (n = 0; n < UPOOL_TABLE_WINDOW / 2; n++) {
        unsigned oldest = UPOOL_TABLE_WINDOW - 2 - 2 * n;

        wrong += upool_table_lookup(table, number(id, oldest), &r) != 1;
        apr_snprintf(id, sizeof(id), "new-%u", n);
        wrong += claim(table, id, 2000, &more) != UPOOL_CLAIMED;
        wrong += upool_table_lookup(table, number(id, oldest), &r) != 0;
    }
    tap_is_int(wrong, 0, "each newcomer takes the place of the oldest");
    tap_is_int(claim(table, "more", 2001, &more), UPOOL_CLAIM_FULL,
               "until all are active");
    for (n = 1; n < UPOOL_TABLE_WINDOW; n += 2) {
        kept += upool_table_lookup(table, number(id, n), &r) == 1
                && r.state == UPOOL_SLOT_UPLOADING
                && upool_table_publish(table, &t[n], 3, 3);
    }
    tap_is_int(kept, UPOOL_TABLE_WINDOW / 2, "the active were never touched");
    tap_is_int(claim(table, number(id, 1), 3, &more), UPOOL_CLAIM_BUSY,
               "busy counts before full");
    free(memory);
}

static void test_dropped_first(void)
{
    char *memory;
    upool_table *table = table_new(3, &memory);
    upool_ticket t;
    upool_slot_record r;

    claim(table, "old", 1, &t);
    upool_table_finish(table, &t, UPOOL_SLOT_DONE, 1, NULL, 10);
    claim(table, "new", 1, &t);
    upool_table_finish(table, &t, UPOOL_SLOT_DONE, 1, NULL, 20);
    claim(table, "third", 1, &t);
    upool_table_finish(table, &t, UPOOL_SLOT_DONE, 1, NULL, 0);
    upool_table_drop(table, "new");
    tap_is_int(claim(table, "next", 30, &t), UPOOL_CLAIMED, "room is found");
    tap_ok(upool_table_lookup(table, "old", &r)
               && upool_table_lookup(table, "third", &r),
           "in the free slot, not in that of a finished one");
    free(memory);
}

static void test_dead(void)
{
    char *memory;
    upool_table *table = table_new(2, &memory);
    upool_ticket t, dead;
    upool_slot_record r;

    claim(table, "live", 1, &t);
    upool_table_claim(table, "dead", "", 1, DEAD, 1, NULL, &dead);
    tap_is_int(claim(table, "third", 2, &t), UPOOL_CLAIMED,
               "a dead one makes room when nothing else does");
    tap_is_int(upool_table_lookup(table, "dead", &r), 0, "it is gone");
    tap_is_int(upool_table_lookup(table, "live", &r), 1, "the live one is not");
    tap_is_int(upool_table_publish(table, &dead, 1, 1), 0,
               "its ticket is worth nothing");
    free(memory);
}

static void test_reap(void)
{
    char *memory;
    upool_table *table = table_new(8, &memory);
    upool_ticket live, dead, dropped, done;
    upool_slot_record r;

    claim(table, "live", 1, &live);
    upool_table_claim(table, "dead", "bob", 10, DEAD, 1, NULL, &dead);
    upool_table_publish(table, &dead, 7, 2);
    upool_table_describe(table, &dead, "half.bin", NULL);
    upool_table_claim(table, "dropped", "", 1, DEAD, 1, NULL, &dropped);
    upool_table_drop(table, "dropped");
    upool_table_claim(table, "done", "", 1, DEAD, 1, NULL, &done);
    upool_table_finish(table, &done, UPOOL_SLOT_DONE, 1, NULL, 3);
    tap_is_int(upool_table_reap(table, PID, 9, NULL, "x"), 0,
               "nobody to ask, nothing to reap");
    tap_is_int(upool_table_reap(table, PID, 9, dead_is_dead, "interrupted"), 1,
               "one upload of a dead process is ended");
    upool_table_lookup(table, "dead", &r);
    tap_is_int(r.state, UPOOL_SLOT_ERROR_STATE, "it is an error");
    tap_is_str(r.error, "interrupted", "that says so");
    tap_is_int(r.received, 7, "its bytes are left");
    tap_is_int(r.updated, 9, "its time is now");
    tap_is_str(r.filename, "half.bin", "its name is left");
    tap_is_str(r.owner, "bob", "its owner too");
    tap_is_int(r.process, DEAD, "and whose it was");
    upool_table_lookup(table, "done", &r);
    tap_is_int(r.state, UPOOL_SLOT_DONE, "what was done stays done");
    tap_is_int(upool_table_publish(table, &live, 5, 5), 1, "the live goes on");
    tap_is_int(upool_table_publish(table, &dead, 9, 9), 0, "the dead does not");
    tap_is_int(upool_table_reap(table, PID, 9, dead_is_dead, "again"), 0,
               "once is enough");
    tap_is_int(upool_table_list(table, 0, &r, 1), 1, "lists end at their room");
    free(memory);
}

static void test_text(void)
{
    static const char e_acute[] = "\xc3\xa9", euro[] = "\xe2\x82\xac",
                      face[] = "\xf0\x9f\x98\x80";
    char *memory;
    upool_table *table = table_new(4, &memory);
    upool_ticket t;
    upool_slot_record r;
    char text[600], id[UPOOL_SLOT_IDENT + 2];
    unsigned n;

    claim(table, "text", 1, &t);
    memset(text, 'a', sizeof(text));
    text[599] = '\0';
    upool_table_describe(table, &t, text, text);
    upool_table_lookup(table, "text", &r);
    tap_is_int(strlen(r.filename), UPOOL_SLOT_FILENAME, "a long name is cut");
    tap_is_int(strlen(r.content_type), UPOOL_SLOT_TYPE, "a long type");
    for (n = 253; n <= 255; n++) {
        memset(text, 'a', sizeof(text));
        memcpy(text + n, euro, sizeof(euro));
        upool_table_describe(table, &t, text, NULL);
        upool_table_lookup(table, "text", &r);
        tap_is_int(strlen(r.filename), n, "before a character of 3 at %u", n);
    }
    memcpy(text + 252, euro, sizeof(euro));
    upool_table_describe(table, &t, text, NULL);
    upool_table_lookup(table, "text", &r);
    tap_is_int(strlen(r.filename), 255, "not before one that just fits");
    memset(text, 'a', sizeof(text));
    memcpy(text + 254, e_acute, sizeof(e_acute));
    upool_table_describe(table, &t, text, NULL);
    upool_table_lookup(table, "text", &r);
    tap_is_int(strlen(r.filename), 254, "before one of 2");
    memcpy(text + 252, face, sizeof(face));
    upool_table_describe(table, &t, text, NULL);
    upool_table_lookup(table, "text", &r);
    tap_is_int(strlen(r.filename), 252, "before one of 4");
    memset(text, 0x80, sizeof(text));
    text[599] = '\0';
    upool_table_describe(table, &t, text, NULL);
    upool_table_lookup(table, "text", &r);
    tap_is_int(strlen(r.filename), 255, "what is not UTF-8 where it must");
    for (n = 0; n < 40; n++) {
        text[n] = (char)('A' + (n % 26));
        text[n + 1] = '\0';
        upool_table_describe(table, &t, text, NULL);
        upool_table_lookup(table, "text", &r);
        if (strcmp(r.filename, text) != 0) {
            break;
        }
    }
    tap_is_int(n, 40, "short names after long ones");
    upool_table_describe(table, &t, "", "");
    upool_table_lookup(table, "text", &r);
    tap_is_str(r.filename, "", "and an empty one");
    memset(text, 'e', sizeof(text));
    text[599] = '\0';
    upool_table_finish(table, &t, UPOOL_SLOT_ERROR_STATE, 0, text, 2);
    upool_table_lookup(table, "text", &r);
    tap_is_int(strlen(r.error), UPOOL_SLOT_ERROR, "a long error");
    memset(id, 'i', sizeof(id));
    id[UPOOL_SLOT_IDENT] = '\0';
    upool_table_claim(table, id, text, 1, PID, 1, NULL, &t);
    tap_is_int(upool_table_lookup(table, id, &r), 1, "the longest identifier");
    tap_is_str(r.identifier, id, "is kept whole");
    tap_is_int(strlen(r.owner), UPOOL_SLOT_OWNER, "a long owner is cut");
    id[UPOOL_SLOT_IDENT - 1] = '\0';
    tap_is_int(upool_table_lookup(table, id, &r), 0,
               "its beginning is another");
    id[UPOOL_SLOT_IDENT - 1] = 'i';
    id[UPOOL_SLOT_IDENT] = 'i';
    id[UPOOL_SLOT_IDENT + 1] = '\0';
    tap_is_int(claim(table, id, 1, &t), UPOOL_CLAIM_FULL,
               "one byte more is none");
    tap_is_int(claim(table, "", 1, &t), UPOOL_CLAIM_FULL, "nor is nothing");
    tap_is_int(upool_table_lookup(table, "", &r), 0, "nothing is unknown");
    tap_is_int(upool_table_lookup(table, id, &r), 0, "so is one byte more");
    tap_is_int(upool_table_drop(table, id), 0, "and not there to drop");
    free(memory);
}

static void test_numbers(void)
{
    char *memory;
    upool_table *table = table_new(4, &memory);
    apr_int64_t most = ((apr_int64_t)1 << 48) - 1;
    upool_slot_record r;
    upool_ticket t;

    upool_table_claim(table, "n", "", INT64_MAX, 4194304, INT64_MAX, NULL, &t);
    upool_table_publish(table, &t, -5, 1);
    upool_table_lookup(table, "n", &r);
    tap_is_int(r.received, 0, "less than nothing is nothing");
    tap_is_int(r.size, INT64_MAX, "the biggest size");
    tap_is_int(r.created, INT64_MAX, "the last time");
    tap_is_int(r.process, 4194304, "the biggest pid");
    upool_table_publish(table, &t, most, 1);
    upool_table_lookup(table, "n", &r);
    tap_is_int(r.received, most, "256 TiB less one");
    tap_is_int(upool_table_publish(table, &t, most + 1, 1), 1, "more is taken");
    upool_table_lookup(table, "n", &r);
    tap_is_int(r.received, most, "and stays there");
    free(memory);
}

/* Ten thousand live uploads, then as many again through the same table. */
static void test_many(void)
{
    enum { MANY = 10000 };
    char *memory;
    upool_table *table = table_new(2 * MANY, &memory);
    upool_ticket *t = calloc(MANY, sizeof(*t));
    upool_slot_record *all = calloc(2 * MANY, sizeof(*all));
    upool_slot_record r;
    unsigned n, wrong = 0, there = 0;
    char id[32];

    for (n = 0; n < MANY; n++) {
        wrong += claim(table, number(id, n), n + 1, &t[n]) != UPOOL_CLAIMED;
    }
    for (n = 0; n < MANY; n++) {
        wrong += upool_table_publish(table, &t[n], n, n + 1) != 1;
    }
    for (n = 0; n < MANY; n++) {
        wrong += upool_table_lookup(table, number(id, n), &r) != 1
                 || r.received != n || strcmp(r.identifier, id) != 0;
        wrong += claim(table, id, 1, &(upool_ticket){ 0 }) != UPOOL_CLAIM_BUSY;
    }
    tap_is_int(wrong, 0, "10,000 live uploads are told apart");
    tap_is_int(upool_table_list(table, UPOOL_SLOT_UPLOADING, all, 2 * MANY),
               MANY, "and listed");
    for (n = 0; n < MANY; n++) {
        wrong += upool_table_finish(table, &t[n], UPOOL_SLOT_DONE, n + 7, NULL,
                                    n + 1)
                 != 1;
    }
    tap_is_int(upool_table_list(table, UPOOL_SLOT_UPLOADING, all, 2 * MANY), 0,
               "finished, none is uploading");
    tap_is_int(upool_table_list(table, UPOOL_SLOT_DONE, all, 2 * MANY), MANY,
               "all are done");
    for (n = MANY; n < 10 * MANY; n++) {
        upool_ticket next;

        wrong += claim(table, number(id, n), n, &next) != UPOOL_CLAIMED;
        upool_table_finish(table, &next, UPOOL_SLOT_DONE, n, NULL, n);
    }
    for (n = 10 * MANY - MANY / 2; n < 10 * MANY; n++) {
        there += upool_table_lookup(table, number(id, n), &r) == 1
                 && r.received == n;
    }
    tap_is_int(wrong, 0, "90,000 more pass through 20,000 slots");
    tap_is_int(there, MANY / 2, "of which the last 5,000 are known");
    free(t);
    free(all);
    free(memory);
}

int main(void)
{
    apr_initialize();
    test_memory();
    test_life();
    test_error();
    test_busy();
    test_stale();
    test_drop();
    test_drop_holds();
    test_full();
    test_dropped_first();
    test_dead();
    test_reap();
    test_text();
    test_numbers();
    test_many();
    apr_terminate();
    return tap_done();
}
