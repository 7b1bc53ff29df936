/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_SLOT_H
#define UPOOL_PROGRESS_SLOT_H

/* One slot of the table (drawn in table.h) and the rules of its words.
 *
 * hold says who may write.  It is one word, changed by compare-and-swap:
 *
 *     63            35 34   32 31              0
 *    +----------------+-------+-----------------+
 *    | generation     | phase | process         |
 *    +----------------+-------+-----------------+
 *
 * The generation goes up whenever the slot is taken, so no value of hold
 * comes back while anybody could still remember it.  The process stands in
 * the same word, so a slot always tells who has taken it: a process killed at
 * any point leaves a word that names a dead process.  From TAKEN until it is
 * given up the slot is written by its holder alone; the others may only change
 * UPLOADING into DROPPED, and the holder gives the slot back when it notices.
 * A slot changes hands only when its holder gave it up or is dead; so no writer
 * can still be storing text into a slot that has become another's.
 *
 * sequence is odd while text is being written; a reader copies, and believes
 * the copy if sequence was even and neither it nor hold has moved.  A sequence
 * left odd by a writer's death makes that slot unreadable until somebody takes
 * it, but not the table. */

#include <apr.h>
#include "progress/table.h"

#define UPOOL_IDENT_WORDS 10

typedef enum upool_phase {
    UPOOL_PHASE_FREE = 0,  /* anybody's -> TAKEN */
    UPOOL_PHASE_TAKEN,     /* being filled -> ANNOUNCED */
    UPOOL_PHASE_ANNOUNCED, /* filled; looks for rivals -> UPLOADING, FREE */
    UPOOL_PHASE_UPLOADING, /* -> ENDING, DROPPED, FREE */
    UPOOL_PHASE_ENDING,    /* its last data being written -> DONE, ERROR */
    UPOOL_PHASE_DROPPED,   /* forgotten, its holder not yet told -> FREE */
    UPOOL_PHASE_DONE,      /* nobody's, readable -> TAKEN, FREE */
    UPOOL_PHASE_ERROR      /* the same */
} upool_phase;

typedef struct upool_slot {
    apr_uint64_t hold;
    apr_uint64_t sequence;
    apr_uint64_t received; /* low 48 bits: bytes; above: low generation */
    apr_uint64_t updated;
    apr_uint64_t created;
    apr_uint64_t size;
    apr_uint64_t identifier[UPOOL_IDENT_WORDS]; /* padded with NUL */
    apr_uint64_t owner[8];                      /* the rest end in NUL, */
    apr_uint64_t filename[32];                  /* or are full */
    apr_uint64_t content_type[16];
    apr_uint64_t error[20];
    apr_uint64_t fill[4]; /* to whole cache lines */
} upool_slot;

/* An identifier ready to be looked for. */
typedef struct upool_wanted {
    apr_uint64_t tag;   /* its hash; never 0 */
    apr_uint32_t start; /* of its window */
    apr_uint64_t words[UPOOL_IDENT_WORDS];
} upool_wanted;

/* Parts of a hold, and a hold of parts; any thread. */
static inline upool_phase upool_hold_phase(apr_uint64_t hold)
{
    return (upool_phase)((hold >> 32) & 7);
}

static inline apr_uint32_t upool_hold_process(apr_uint64_t hold)
{
    return (apr_uint32_t)(hold & 0xffffffffU);
}

/* The same holder and generation in another phase. */
static inline apr_uint64_t upool_hold_turn(apr_uint64_t hold, upool_phase phase)
{
    return (hold & ~((apr_uint64_t)7 << 32)) | ((apr_uint64_t)phase << 32);
}

/* The same generation in another phase and of another process. */
static inline apr_uint64_t upool_hold_of(apr_uint64_t hold, upool_phase phase,
                                         apr_uint32_t process)
{
    return (hold >> 35 << 35) | ((apr_uint64_t)phase << 32) | process;
}

/* What hold becomes when process takes the slot. */
apr_uint64_t upool_hold_take(apr_uint64_t hold, apr_uint32_t process);

/* 1: nobody's, readable. */
int upool_hold_finished(apr_uint64_t hold);

/* For the holder alone: starts the record of wanted, all of it. */
void upool_slot_fill(upool_slot *slot, const upool_wanted *wanted,
                     const char *owner, apr_int64_t size, apr_time_t now);

/* For the holder alone: the two halves of a change of text.  begin() also
 * repairs what a dead writer left; 1: it had to. */
int upool_slot_begin(upool_slot *slot);
void upool_slot_end(upool_slot *slot);

/* For the holder alone, between begin and end: copies text (NULL: empty) into
 * count words, cut at a UTF-8 character to most bytes. */
void upool_text_put(apr_uint64_t *words, apr_size_t count, const char *text,
                    apr_size_t most);

/* Raises received, never lowers it, for the generation of hold.  0: the slot
 * counts for another generation by now. */
int upool_slot_raise(upool_slot *slot, apr_uint64_t hold, apr_int64_t bytes);

/* Is this the wanted identifier's slot?  The answer is true for as long as hold
 * stays the same. */
int upool_slot_named(const upool_slot *slot, const upool_wanted *wanted);

/* Copies the slot consistently into record: 1; or 0: no such copy could be
 * made.  Waits a bounded time for a writer at work.  Any thread. */
int upool_slot_read(const upool_slot *slot, upool_slot_record *record);

#endif
