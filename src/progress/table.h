/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROGRESS_TABLE_H
#define UPOOL_PROGRESS_TABLE_H

/* Progress of all uploads in one block of memory that every process maps (at
 * any address: no pointers in it).  Any thread of any process may call
 * anything at any time; there are no locks, and a process killed at any instant
 * holds up nobody.
 *
 *    +--------+---------------+---------------+----------------------------+
 *    | header | tags          | ages          | slots                      |
 *    +--------+---------------+---------------+----------------------------+
 *      64 B     8 B a slot      8 B a slot      768 B a slot
 *
 *    header   magic, layout, number of slots, secret key of the hash
 *    tags     hash of the slot's identifier; 0: none
 *    ages     0: free, all ones: active, else when it finished
 *    slot     hold | sequence | received | updated | created | size |
 *             identifier | owner | filename | content type | error
 *
 * Without keys the clients choose the identifiers, and a client that could
 * predict the hash could crowd a window of the table with its own uploads and
 * leave others without progress.  The hash is therefore SipHash-2-4
 * (apr_siphash.h) under a random secret that is made with the table.
 *
 * An identifier lives in one of the 64 slots from the one its hash points to,
 * and nowhere else: a look-up reads 64 tags, eight cache lines side by side,
 * and costs the same however many uploads there are.  Tags and ages are only
 * hints for finding a slot; the truth is in the slot's hold (slot.h), and every
 * change of hands is one compare-and-swap of it.  A slot whose upload is
 * dropped stays its writer's until the writer notices, so a late writer never
 * meets another's record; received also carries a mark of its generation.
 *
 * If two uploads claim one identifier at once, each fills a slot, announces it
 * and then looks for the other.  An upload under way beats both; otherwise the
 * lower slot wins and the higher backs off: at most one goes on. */

#include <apr.h>
#include <apr_time.h>

/* To the table an identifier is any text of up to this many bytes; callers put
 * in front of it which pool it belongs to. */
#define UPOOL_SLOT_IDENT 80
#define UPOOL_SLOT_FILENAME 255
#define UPOOL_SLOT_TYPE 127
#define UPOOL_SLOT_ERROR 159
#define UPOOL_SLOT_OWNER 64

/* In how many slots an identifier may live. */
#define UPOOL_TABLE_WINDOW 64
#define UPOOL_TABLE_SLOTS_MAX ((apr_uint32_t)1 << 24)

typedef struct upool_table upool_table;

/* The consistent copy that a reader gets. */
typedef struct upool_slot_record {
    char identifier[UPOOL_SLOT_IDENT + 1];
    int state;        /* enum upool_slot_state */
    apr_int64_t size; /* -1 unknown */
    apr_int64_t received;
    apr_time_t created;
    apr_time_t updated;  /* of the last change of state; of publish too */
    apr_int64_t process; /* pid of the writer */
    char filename[UPOOL_SLOT_FILENAME + 1];
    char content_type[UPOOL_SLOT_TYPE + 1];
    char error[UPOOL_SLOT_ERROR + 1];
    char owner[UPOOL_SLOT_OWNER + 1];
} upool_slot_record;

typedef enum upool_slot_state {
    UPOOL_SLOT_UPLOADING = 1, /* -> DONE, ERROR_STATE */
    UPOOL_SLOT_DONE,
    UPOOL_SLOT_ERROR_STATE
} upool_slot_state;

/* A writer's hold on its slot; plain data, lives with the upload, used by one
 * thread at a time. */
typedef struct upool_ticket {
    apr_uint32_t slot;  /* 1-based; 0: none (table was full, or void) */
    apr_uint64_t claim; /* the slot's hold while it is this ticket's */
} upool_ticket;

typedef enum upool_claim {
    UPOOL_CLAIMED = 0,
    UPOOL_CLAIM_BUSY, /* an upload has that identifier already */
    UPOOL_CLAIM_FULL  /* no slot: go on without one */
} upool_claim;

/* Is that process alive?  A seam for tests; NULL in its place: all are. */
typedef int upool_alive_fn(apr_int64_t process);

/* Bytes of memory for a table of slots slots; 0: there can be no such table. */
apr_size_t upool_table_bytes(apr_uint32_t slots);

/* Prepares zeroed memory, before anybody else sees it.  NULL: too little
 * memory, or no randomness for the key.  The memory stays the caller's; its
 * address may be any, but every mapping must be alike modulo 64. */
upool_table *upool_table_init(void *memory, apr_size_t bytes,
                              apr_uint32_t slots);

/* Finds a prepared table (NULL: this is none, or of another layout or
 * version). */
upool_table *upool_table_attach(void *memory, apr_size_t bytes);

/* Claims a slot for an upload that begins.  A record of the same identifier
 * that is finished, or whose process is dead, is taken over; else a free slot
 * is taken; else the oldest finished one of its neighbourhood; else one of a
 * dead process; never an active one.  Only CLAIMED gives the ticket a slot;
 * FULL is also the answer to an identifier of no bytes or more than 80.
 * process fits 32 bits, as pid_t does. */
upool_claim upool_table_claim(upool_table *table, const char *identifier,
                              const char *owner, apr_int64_t size,
                              apr_int64_t process, apr_time_t now,
                              upool_alive_fn *alive, upool_ticket *ticket);

/* Sets what is known of the upload (long text is cut at a UTF-8 character; NULL
 * leaves what is there).  Does nothing when the slot was dropped. */
void upool_table_describe(upool_table *table, const upool_ticket *ticket,
                          const char *filename, const char *content_type);

/* Publishes the bytes received so far: one compare-and-swap on the hot path.
 * A number lower than before changes nothing.  1; 0: the slot is no longer this
 * ticket's (the upload was cleared), so stop.  Always 1 without a slot. */
int upool_table_publish(upool_table *table, const upool_ticket *ticket,
                        apr_int64_t received, apr_time_t now);

/* Ends it: done, or error with its text; a reader gets state, bytes and text
 * together.  The ticket is void afterwards.  1; 0 as above. */
int upool_table_finish(upool_table *table, upool_ticket *ticket,
                       upool_slot_state state, apr_int64_t received,
                       const char *error, apr_time_t now);

/* Gives the slot back as if it had never been claimed; the ticket is void
 * afterwards. */
void upool_table_release(upool_table *table, upool_ticket *ticket);

/* 1 and a consistent copy; 0 when unknown, or when the record could not be
 * read (its writer died in the middle of it): ask the store then. */
int upool_table_lookup(const upool_table *table, const char *identifier,
                       upool_slot_record *record);

/* Forgets identifier; its writer learns of it at its next publish.  1: there
 * was one. */
int upool_table_drop(upool_table *table, const char *identifier);

/* The same, but only for an upload that ended at that time: a later one under
 * the same identifier stays. */
int upool_table_drop_ended(upool_table *table, const char *identifier,
                           apr_time_t ended);

/* Copies up to room records of the given state (0: any), for live views;
 * returns the number copied. */
apr_size_t upool_table_list(const upool_table *table, int state,
                            upool_slot_record *out, apr_size_t room);

/* How many slots are taken by uploads that run, and by ended ones, which make
 * room when it is needed.  Reads one word for each slot and no records, so the
 * counts may miss what changes meanwhile. */
void upool_table_count(const upool_table *table, apr_uint32_t *running,
                       apr_uint32_t *ended);
apr_uint32_t upool_table_slots(const upool_table *table);

/* Turns the uploads of dead processes into errors with this text and frees what
 * else they held; process is the caller's own.  To be called when a child has
 * died and after a restart.  Returns the number of uploads so ended.  A new
 * process may have got the number of a dead one: at its start, before it
 * claims, it may pass an alive() that denies that number. */
apr_size_t upool_table_reap(upool_table *table, apr_int64_t process,
                            apr_time_t now, upool_alive_fn *alive,
                            const char *error);

#endif
